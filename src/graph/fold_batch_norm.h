/* Optional pass: BatchNormalization into the convolution before it. */
#ifndef BSR_GRAPH_FOLD_BATCH_NORM_H
#define BSR_GRAPH_FOLD_BATCH_NORM_H

#include "graph/graph.h"

/* On a resolved graph: a Conv with constant float weights, read only by an inference
 * BatchNormalization with constant parameters, becomes one Conv with, for each output channel m,
 *
 *   k = scale[m] / sqrt(var[m] + epsilon)
 *   weights[m, ...] = weights[m, ...] * k
 *   bias[m] = (bias[m] - mean[m]) * k + shift[m]          (bias 0 where there was none)
 *
 * in double, rounded to float once. The new constants are called "WEIGHTS_folded" and
 * "WEIGHTS_folded_bias", with "_folded" repeated where such a value exists; constants that nobody
 * reads any more are freed. Left alone: weights that other nodes read too, weights or biases stored
 * as codes (DequantizeLinear), a convolution result that is a graph output or has other readers,
 * and a second BatchNormalization behind the first. ENOMEM: the graph can only be freed. */
bsr_status bsr_graph_fold_batch_norm(bsr_graph *graph);

#endif
