/* The disturbance of every tensor under bit errors, predicted: mean and variance of each element
 * from layer to layer. */
#ifndef BSR_PREDICT_LAYER_MOMENTS_H
#define BSR_PREDICT_LAYER_MOMENTS_H

#include "campaign/sweep_memory.h"
#include "fault/disturbance.h"
#include "ops/graph_gradient.h"

/* What flips do to the elements of each tensor and constant of a memory. Immutable, shared by
 * threads. */
typedef struct bsr_layer_flips {
    const bsr_sweep_memory *memory;
    bsr_disturbances *all; /* [n] */
    int n;
    const bsr_disturbances **of; /* [values of the graph] NULL: nothing flips there */
    unsigned char *unbounded;    /* [values of the graph] stored in a format whose errors have no
                                    bounded second moment (bsr_disturbances_init) */
} bsr_layer_flips;

/* ENOMEM. The memory must outlive it. Cleared with bsr_layer_flips_clear, also on failure. */
bsr_status bsr_layer_flips_init(bsr_layer_flips *f, const bsr_sweep_memory *memory);
void bsr_layer_flips_clear(bsr_layer_flips *f);

/* mean_square[i]: mean over the elements of graph value values[i] of the expected square of its
 * disturbance, in units of its elements (codes count steps), when every selected bit of the memory
 * flips with probability ber; NaN behind an operator without a rule and in what is stored
 * in an unbounded format, and behind it. tape: golden values of one
 * image, of the memory's graph.
 *
 * Elements count as independent: exact for what the first layer makes of them, too low behind
 * layers whose outputs share inputs, most where many are averaged (global pooling, and what reads
 * it). Codes flip where the golden run has them. MaxPool passes on the disturbance of the golden
 * maximum.
 *
 * Costs of the order of ten inferences, on one thread. ENOMEM. */
bsr_status bsr_layer_moments(double *mean_square, const bsr_layer_flips *flips,
                             const bsr_tape *tape, double ber, const int *values, int n);

#endif
