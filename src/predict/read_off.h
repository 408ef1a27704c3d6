/* What other storage would do, read off from the moments of this one. */
#ifndef BSR_PREDICT_READ_OFF_H
#define BSR_PREDICT_READ_OFF_H

#include "bitseer/predict.h"
#include "predict/predictor.h"

/* Highest bits of every element that are protected: one, two, three. */
#define BSR_PROTECTED_BITS 3

typedef struct bsr_read_offs {
    int n_maps;
    bsr_error_map maps[BSR_PROTECTED_BITS]; /* without the highest bits */
    const bsr_error_map *lent[BSR_PROTECTED_BITS];
} bsr_read_offs;

/* Before the moments are taken: what they are to be taken for besides. ENOMEM. Cleared with
 * bsr_read_offs_clear, also on failure. */
bsr_status bsr_read_offs_init(bsr_read_offs *r, const bsr_predictor *p);
void bsr_read_offs_clear(bsr_read_offs *r);

/* out->read_offs, by the model asked for, from out->points and out->shares. First order where a
 * point is first order. Where it is not, the accuracy is that of the given storage at the rate with
 * the same first-order RMSE, between the points; NaN beyond the last. ENOMEM. */
bsr_status bsr_read_offs_fill(bsr_prediction *out, const bsr_read_offs *r, bsr_predictor *p,
                              bsr_error_model forced);

#endif
