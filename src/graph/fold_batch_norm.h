/* Optional pass: BatchNormalization into the convolution before it. */
#ifndef BSR_GRAPH_FOLD_BATCH_NORM_H
#define BSR_GRAPH_FOLD_BATCH_NORM_H

#include "graph/graph.h"

/* On a resolved graph: Conv with constant weights, read only by an inference BatchNormalization with
 * constant parameters, becomes one Conv with scaled weights and bias (computed in double, rounded
 * once). Other places are left alone. ENOMEM. */
bsr_status bsr_graph_fold_batch_norm(bsr_graph *graph);

#endif
