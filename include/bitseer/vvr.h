/* Vulnerability value ranges: which added errors make an image critical, and which faults a check
 * of ranges would catch. */
#ifndef BITSEER_VVR_H
#define BITSEER_VVR_H

#include "bitseer/result.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BSR_VVR_QUANTILES 5

/* The shares of bsr_vvr_side.quantiles: 0, 0.01, 0.05, 0.25, 0.5. */
BSR_PUBLIC const double *bsr_vvr_levels(void);

/* One side of the stored values. A boundary is the nearest faulty value of a site that is critical
 * for an image. */
typedef struct bsr_vvr_side {
    uint64_t pairs;   /* (site, image) pairs with a boundary on this side */
    uint64_t outside; /* of these with the boundary outside the fault-free range: checking for that
                         range catches all their critical faults of this side */
    double quantiles[BSR_VVR_QUANTILES]; /* of the boundaries, from the fault-free side outwards: a
                                            check that flags what lies beyond quantile q catches all
                                            critical faults of the share 1 - q of the pairs. NaN
                                            without pairs */
} bsr_vvr_side;

/* A layer or one of its channels. */
typedef struct bsr_vvr_part {
    int index;
    const char *name; /* layers only, else NULL */
    uint64_t pairs;   /* (site, image) pairs observed */
    double lo, hi;    /* fault-free range of the stored values observed; NaN: sums of neurons, whose
                         boundaries are errors added to the sum */
    bsr_vvr_side below, above;
} bsr_vvr_part;

/* Owned by the caller of bsr_run_vvr. */
typedef struct bsr_vvr_result {
    const char *path, *target;
    uint64_t images;
    int n_layers;
    bsr_vvr_part *layers;
    int *n_channels;         /* [n_layers]; NULL unless asked for */
    bsr_vvr_part **channels; /* [n_layers][n_channels] those observed */
    void *arena;             /* private */
} bsr_vvr_result;

/* Reads the bounds of a run by rays that kept them (option `bounds`; runs of operands always do).
 * npy (may be NULL): file for one record per (site, image) pair, whole or not at all: a structured
 * array of NumPy with layer (<i4, position), element (<i8), pixel, channel, image (<i4), value,
 * critical_below, harmless_below, harmless_above, critical_above (<f4, the last four added errors;
 * infinite where there is none). ENOTFOUND, EFORMAT, EIO; EINVAL: the run kept none, or drew
 * classes of faults apart (adaptive). Caller owns *out. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_run_vvr(bsr_vvr_result **out, const char *path,
                                                int per_channel, const char *npy);
BSR_PUBLIC void bsr_vvr_result_free(bsr_vvr_result *result);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_vvr_json(char **out, const bsr_vvr_result *result);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_vvr_text(char **out, const bsr_vvr_result *result);

#ifdef __cplusplus
}
#endif
#endif
