/* How far disturbed inferences are from first order, and what follows for the shares of wrong
 * answers. */
#ifndef BSR_PREDICT_DEPARTURE_H
#define BSR_PREDICT_DEPARTURE_H

#include "predict/disturbed.h"
#include "predict/logit_model.h"

/* Some trials of one rate. */
typedef struct bsr_departure {
    size_t n;
    bsr_near_trials near;
    /* Disturbed logits of an image near that of a trial are keep * golden + disturbed: in the image
     * itself what the trial gave, in others as much of their golden logits as trials with
     * disturbances of that size keep. */
    float *disturbed;           /* [n][followed.n] */
    float *keep;                /* [n] */
    float *first_order;         /* [n][followed.n] disturbances; NULL: not known */
    double weight;              /* of what first order knows exactly, as control variate: 0 to 1 */
    double ratio[BSR_VARIANTS]; /* RMSE over that of first order */
} bsr_departure;

/* results: of trials [0, n) of a job at rate number `rate`. f: first order of these trials, or
 * NULL. window: bsr_near_trials_init. exact: the answer by first order at that rate. ENOMEM.
 * Cleared with bsr_departure_clear. */
bsr_status bsr_departure_init(bsr_departure *d, const bsr_logit_model *m,
                              const bsr_disturbed_job *job, const bsr_first_order *f,
                              const bsr_trial_result *results, size_t n, size_t window, int rate,
                              const bsr_logit_answer *exact);
void bsr_departure_clear(bsr_departure *d);

/* Shares by disturbed inferences: those of the trials' disturbances, and, with the weight, what
 * first order exactly is less what it is in these trials. exact, first: answers by first order and
 * by d->first_order (first: not read without); out: answers by d->disturbed, which are changed;
 * square becomes that of the disturbed inferences. */
void bsr_departure_apply(bsr_logit_answer *out, const bsr_departure *d,
                         const bsr_logit_answer *exact, const bsr_logit_answer *first);

#endif
