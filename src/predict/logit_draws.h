/* Disturbances of the logits, drawn to first order for each image with moments. */
#ifndef BSR_PREDICT_LOGIT_DRAWS_H
#define BSR_PREDICT_LOGIT_DRAWS_H

#include "predict/logit_model.h"

/* Draws of a donor from which its images take theirs. */
#define BSR_POOL 256

/* Moments of a donor, added up over the spaces. */
typedef struct bsr_shape {
    float mean[BSR_FOLLOWED];
    float root[BSR_PAIRS];      /* lower triangle L with covariance = L L^T */
    double square, mean_square; /* of a logit, per unit of BER (1 - BER) and of BER^2 */
} bsr_shape;
void bsr_shape_of(bsr_shape *out, const bsr_logit_model *m, size_t donor,
                  const bsr_scaling *scaling);

/* L of a covariance of n functions; functions without variance have rows of 0. */
void bsr_covariance_root(float *root, const double *covariance, int n);

/* y += root x, for `draws` vectors of n. */
void bsr_add_rooted(float *y, const float *x, const float *root, int n, int draws);

/* One rate of one donor by drawn flips. */
typedef struct bsr_flip_draws {
    double none;   /* probability that no flip counts */
    int n;         /* draws, given that one does */
    float *deltas; /* [n][followed.n] */
} bsr_flip_draws;

/* Flips of a donor that count: those that give all but a fiftieth of the variance. The rest is
 * drawn as normal noise. */
typedef struct bsr_flip_table {
    size_t n;
    const float **jumps;       /* [n] */
    double *below;             /* [n] expected flips per unit of BER up to and with each */
    float *scale;              /* [n] */
    double mean[BSR_FOLLOWED]; /* of what is left, per unit of BER */
    double left;               /* share of the variance */
} bsr_flip_table;

/* ENOMEM. Cleared with bsr_flip_table_clear. */
bsr_status bsr_flip_table_init(bsr_flip_table *t, const bsr_logit_model *m, size_t donor,
                               const bsr_scaling *scaling);
void bsr_flip_table_clear(bsr_flip_table *t);

/* Draws at a rate; deltas are owned by the caller. unit: [BSR_POOL][followed.n] normal noise of the
 * donor per root of BER. ENOMEM. */
bsr_status bsr_draw_flips(bsr_flip_draws *out, const bsr_flip_table *t, const bsr_logit_model *m,
                          double ber, const float *unit, uint64_t stream);

#endif
