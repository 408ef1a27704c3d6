/* One measurement of layers: what layer_errors.c fills and layer_summary.c reads. */
#ifndef BSR_PREDICT_LAYER_RUN_H
#define BSR_PREDICT_LAYER_RUN_H

#include "base/arena.h"
#include "bitseer/predict.h"
#include "predict/layer_moments.h"
#include "predict/layer_watch.h"

/* What one rate does to one watched tensor in one image. */
typedef struct bsr_layer_cell {
    double square; /* mean over elements and patterns */
    /* Sums over elements of estimates of kappa_4 and sigma^4, and of squares of variances. */
    double fourth, sigma4, squares;
} bsr_layer_cell;

typedef struct bsr_layer_run {
    bsr_session *s;
    const bsr_sweep_memory *memory;
    bsr_watches watches;
    unsigned char *hit; /* [graph values] flips go in, or it is watched */
    bsr_layer_flips flips;
    const double *rates;
    size_t n_rates, images, patterns;
    float *golden;                    /* [images][total] */
    double *predicted;                /* [images][rates][watches] mean squares */
    bsr_layer_cell *cells;            /* [rates][images][watches] */
    float *samples;                   /* [images][patterns][sampled] */
    size_t *sample_at;                /* [watches + 1] */
    struct bsr_layer_bench **benches; /* [threads] */
} bsr_layer_run;

/* Statistics of watched tensor w. ENOMEM. */
bsr_status bsr_layer_summary(const bsr_layer_run *r, size_t w, bsr_arena *arena,
                             bsr_layer_statistics *out);

#endif
