/* How far a result may be from the reference of a backend test. */
#ifndef TESTS_ONNX_COMPARE_H
#define TESTS_ONNX_COMPARE_H

#include <stddef.h>

#include "graph/graph.h"

/* Rounding errors, in units of the result's epsilon, that a resolved graph may add up: K + 8 for
 * each node, K terms in the longest sum behind one of its elements. */
double compare_budget(const bsr_graph *graph);

/* Compares element by element. Integers and bools must be equal, NaN goes with NaN, Inf with the
 * same Inf; finite floats: |a - b| <= budget * epsilon * max |reference| + smallest normal. Returns
 * 1, or 0 with the first difference described in text. */
int compare_tensors(const bsr_tensor *got, const bsr_tensor *want, double budget, char *text,
                    size_t n);

#endif
