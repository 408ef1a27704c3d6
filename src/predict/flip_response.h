/* What single flips do, against what first order says they do: a flip of a high bit is no small
 * error, whatever the rate (docs/theory/statistical-models.md, "Single flips"). */
#ifndef BSR_PREDICT_FLIP_RESPONSE_H
#define BSR_PREDICT_FLIP_RESPONSE_H

#include "predict/image_moments.h"

typedef struct bsr_flip_response {
    const bsr_error_map *map;
    bsr_followed followed;
    uint64_t seed;
    double *first, *exact; /* [slots] mean square of a logit per unit of BER, of the flips kept */
    bsr_lanes **lanes;     /* [threads] */
    struct bsr_flip_bench **benches; /* [threads] */
    int threads;
} bsr_flip_response;

/* ENOMEM. Cleared with bsr_flip_response_clear, also on failure. */
bsr_status bsr_flip_response_new(bsr_flip_response *r, const bsr_error_map *map,
                                 const bsr_followed *followed, size_t slots, int threads,
                                 uint64_t seed);
void bsr_flip_response_clear(bsr_flip_response *r);

/* Evaluates some of the flips kept of an image exactly, by differential execution; a
 * bsr_image_finisher, ctx is the bsr_flip_response. */
bsr_status bsr_flip_response_add(void *ctx, size_t slot, const bsr_image_moments *moments,
                                 const bsr_golden *golden, int thread);

#endif
