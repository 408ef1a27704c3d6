/* Pass: DequantizeLinear behind the nodes that only move its elements. */
#ifndef BSR_GRAPH_SINK_DEQUANTIZE_H
#define BSR_GRAPH_SINK_DEQUANTIZE_H

#include "graph/graph.h"

/* On a resolved graph: where elements go from a DequantizeLinear through moves to a Conv, Gemm or
 * MatMul whose weights are stored as codes,
 *
 *   codes -> DequantizeLinear -> Flatten -> Gemm    becomes
 *   codes -> Flatten -> DequantizeLinear -> Gemm
 *
 * so that the layer is seen to read codes. Moves are Flatten, Identity, Reshape, Squeeze, Transpose
 * and Unsqueeze. No bit of any value changes. The moved codes of float value "V" are called
 * "V_codes", with "_codes" repeated where such a value exists; dequantised values that nobody reads
 * any more are gone. Only for constant scales and zero points of the whole tensor, as layers on
 * codes need them. Linear time. ENOMEM: the graph can only be freed. */
bsr_status bsr_graph_sink_dequantize(bsr_graph *graph);

#endif
