/* Shared by the deepvigor*.c files: one analysis under way. */
#ifndef BSR_ANALYSIS_DEEPVIGOR_STATE_H
#define BSR_ANALYSIS_DEEPVIGOR_STATE_H

#include "analysis/deepvigor.h"
#include "analysis/edm.h"

/* What is analysed, while it is. */
typedef struct bsr_vigor_target {
    const bsr_space *space;
    int first_pixel, pixels; /* into the list of pixels: whose errors make the map */
    bsr_edm map;
    bsr_vvss values;
    uint64_t benign; /* errors, summed over the images */
    uint64_t evaluations;
    int steps[2]; /* of the longest search on each side */
    int alive[2]; /* images with a gradient */
} bsr_vigor_target;

typedef struct bsr_vigor_worker bsr_vigor_worker;

typedef struct bsr_vigor {
    bsr_session *s;
    bsr_spaces spaces;
    const bsr_deepvigor_options *options;
    int filters;
    bsr_deepvigor *result;
    bsr_vigor_target *work; /* [targets] */
    size_t cap_targets, cap_work;
    int *pixels;
    size_t n_pixels, cap_pixels;
    bsr_vigor_worker *workers; /* [threads] */
} bsr_vigor;

/* Checks the options, builds the population and draws layers, channels and neurons: r->spaces,
 * work, pixels, and the result's layers and targets without their numbers. */
bsr_status bsr_vigor_choose(bsr_vigor *r);

#endif
