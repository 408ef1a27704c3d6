/* Normal disturbances of stored elements, with the mean and variance that bit errors have. */
#ifndef BSR_PREDICT_TRIAL_NOISE_H
#define BSR_PREDICT_TRIAL_NOISE_H

#include "exec/chip.h"
#include "predict/disturbed.h"

/* One thread's workspace. */
typedef struct bsr_trial_noise bsr_trial_noise;
bsr_status bsr_trial_noise_new(bsr_trial_noise **out, const bsr_disturbed_job *job);
void bsr_trial_noise_free(bsr_trial_noise *noise);

/* Disturbs the constants of a chip that is fault-free. ENOMEM. */
bsr_status bsr_trial_noise_store(bsr_trial_noise *noise, double ber, uint64_t pattern,
                                 bsr_chip *chip);

/* Disturbs the spaces of one graph value in the image of a trial, at `data`. Codes are rounded and
 * stay codes. */
void bsr_trial_noise_tensor(bsr_trial_noise *noise, double ber, size_t trial, int value,
                            char *data);

/* The standard normal numbers of a space's elements, in the order of the gradients: of constants by
 * the pattern, of tensors by the trial. out: [errors.n]. */
void bsr_trial_normals(float *out, const bsr_disturbed_job *job, int space, size_t trial);

#endif
