/* First-order prediction of what a fault does, without running the network behind it: docs/theory/
 * screening.md.
 *
 * The faulty values are computed exactly up to the watched tensor, which lies behind the pointwise
 * operations that follow the fault: there Relu has cut what it cuts, where a gradient before it
 * would be blind to large changes of dead units. From there on the change of each margin between
 * the golden class and a rival is the margin's gradient times the difference. */
#ifndef BSR_EXEC_LANE_PREDICT_H
#define BSR_EXEC_LANE_PREDICT_H

#include "exec/gradient.h"

/* The tensor to watch for faults that first show at `pten`: behind the chain of steps that are
 * pointwise in it and its only readers; `pten` itself when there are none. */
int bsr_watched_pten(const bsr_plan *plan, int pten);

/* Slopes of one image's margins at a watched tensor. Borrowed. */
typedef struct bsr_slopes {
    int pten;
    const float *planes; /* [rivals][channels][pixels], `stride` floats from rival to rival */
    size_t stride;
    const bsr_margins *margins;
} bsr_slopes;

/* Turns one rival's gradient [pixels][channels] into planes [channels][pixels]. */
void bsr_slope_planes(float *planes, const float *gradient, int pixels, int channels);

/* share[i]: the largest part of any margin that job i eats or adds, to first order: max over the
 * rivals of |sum of gradient * difference| / margin. -1 when nothing differs at the watched
 * tensor: then the fault is masked, exactly. Infinite where there is no prediction: a faulty value,
 * slope or product that is not finite, a margin of 0, weights that several layers share. All jobs
 * must be of the image of the slopes and first show at a tensor that is watched there. The same
 * bits for every kernel set, order and grouping of the jobs. Costs the faulty layer's changed
 * channel; see bsr_lanes_run for the rest. */
bsr_status bsr_lanes_predict(bsr_lanes *lanes, const bsr_golden *golden, const bsr_lane_job *jobs,
                             size_t n, const bsr_slopes *slopes, float *share);

#endif
