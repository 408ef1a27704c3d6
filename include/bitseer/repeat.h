/* How far sampled analyses are from a complete one: the form of DeepVigor+'s Table IV. */
#ifndef BITSEER_REPEAT_H
#define BITSEER_REPEAT_H

#include "bitseer/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Absolute errors of VFs over the repeats, as shares, and how often intervals hold the truth. NaN
 * where there was nothing to compare. */
typedef struct bsr_repeat_error {
    double mean, max;
    uint64_t intervals, covered;
} bsr_repeat_error;

typedef struct bsr_repeat_layer {
    int index;
    const char *name;
    double vf; /* of the complete analysis */
    bsr_repeat_error lvf;
    bsr_repeat_error cvf; /* over its channels and the repeats; NaN without channels */
} bsr_repeat_layer;

/* Owned by the caller of bsr_repeat. */
typedef struct bsr_repeat_result {
    int repeats;
    const char *target, *method, *sampling;
    double confidence;
    int n_layers;
    bsr_repeat_layer *layers;
    double vf;                      /* MVF of the complete analysis */
    bsr_repeat_error mvf, lvf, cvf; /* lvf, cvf: over all layers and channels */
    double evaluations;             /* of one repeat, mean */
    double seconds;
    void *arena; /* private */
} bsr_repeat_result;

/* Analyses `repeats` times with seeds options->seed, + 1, ... and compares with `complete`, the
 * result of a complete analysis of the same layers of the same network and images. Channels are
 * compared where both report them. Errors as bsr_analyze; EINVAL: `complete` is a sample, or other
 * layers; options->store is set. Caller owns *out. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_repeat(bsr_repeat_result **out, const bsr_model *model,
                                               const bsr_dataset *data,
                                               const bsr_run_options *options, int repeats,
                                               const bsr_result *complete);
BSR_PUBLIC void bsr_repeat_result_free(bsr_repeat_result *result);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_repeat_json(char **out, const bsr_repeat_result *result);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_repeat_text(char **out, const bsr_repeat_result *result);

#ifdef __cplusplus
}
#endif
#endif
