/* Differential execution: what a fault changes, and nothing else, is computed again.
 *
 * A lane is one fault in one image. It carries, for each tensor, the pixels that differ from the
 * golden run; a step recomputes only the output pixels that read a differing input pixel, in the
 * same order of operations as a full inference, and keeps those that came out different bit for
 * bit. A lane without differing pixels has ended: the fault is masked. Logits are therefore
 * identical to those of bsr_forward_faulty.
 *
 * Lanes of a group walk the steps together, so that a step's weights stay in cache and few pixels
 * of many lanes fill whole kernel tiles. Up to nr weight faults of one layer are computed in one
 * pass over the layer's input as the columns of one weight panel. */
#ifndef BSR_EXEC_LANES_H
#define BSR_EXEC_LANES_H

#include "exec/forward.h"

/* The golden run of a set of images: every tensor of every image, read-only for all threads. */
typedef struct bsr_golden {
    const bsr_plan *plan;
    int images;
    char *records; /* [images][plan->golden_bytes] */
    float *logits; /* [images][classes] */
    int *top1;     /* [images] */
    int classes;
} bsr_golden;

typedef struct bsr_lane_job {
    int image; /* index in the golden run */
    bsr_stored_fault fault;
} bsr_lane_job;

typedef struct bsr_lane_result {
    int top1;
    unsigned char masked;   /* logits bit-identical to the golden run's; NaN equals NaN */
    unsigned char due;      /* a logit is NaN or infinite */
    unsigned char critical; /* top1 differs from the golden run's */
    unsigned char top5;     /* the golden run's top1 is not among the five greatest logits; 0 where
                               there are at most five classes */
    /* Index of the last step that read a difference; the step of the fault itself (0 for the
     * network's input) where none did. Of a masked fault: where it was masked; in a weight that
     * several layers read, which runs whole: the last of these layers. */
    int reach;
    /* Sum over the classes, in order, of (logit - golden logit)^2; 0 when masked. Finite where the
     * logits of both are. */
    double sse;
} bsr_lane_result;

/* Plan tensor where the differences that a fault makes first show. */
int bsr_source_pten(const bsr_plan *plan, const bsr_stored_fault *fault);

/* Workspace of one thread. */
typedef struct bsr_lanes bsr_lanes;
bsr_status bsr_lanes_new(bsr_lanes **out, const bsr_plan *plan);
void bsr_lanes_free(bsr_lanes *lanes);

/* Bytes that a workspace takes, about. */
size_t bsr_lanes_bytes(const bsr_plan *plan);

/* Runs n jobs in order of the array. Neighbours with the same layer and image share the faulty
 * layer's pass. results: [n]. logits: [n][classes] or NULL. Elements and images must exist (the
 * fault module checks). Allocates nothing. */
bsr_status bsr_lanes_run(bsr_lanes *lanes, const bsr_golden *golden, const bsr_lane_job *jobs,
                         size_t n, bsr_lane_result *results, float *logits);

/* Judges logits z [classes] against those of the fault-free network and their class; everything in
 * the result but `reach`. */
void bsr_judge_logits(const float *golden, int golden_top1, const float *z, int classes,
                      bsr_lane_result *result);

/* The same for an image of the golden run. */
void bsr_lane_judge(const bsr_golden *g, int image, const float *z, bsr_lane_result *result);

/* Counters since creation: multiplications done in cores, lanes run, lanes with masked faults. */
typedef struct bsr_lane_counters {
    double macs;
    uint64_t lanes, masked;
} bsr_lane_counters;
bsr_lane_counters bsr_lanes_counters(const bsr_lanes *lanes);

#endif
