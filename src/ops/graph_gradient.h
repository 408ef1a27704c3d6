/* The reference for everything that computes gradients: a whole graph, evaluated densely and kept,
 * and the gradient of a weighted sum of one value's elements with respect to any others. Plain,
 * single-threaded, one tensor per value; deterministic. */
#ifndef BSR_OPS_GRAPH_GRADIENT_H
#define BSR_OPS_GRAPH_GRADIENT_H

#include "ops/op.h"

/* All values of one evaluation. Immutable once made. */
typedef struct bsr_tape bsr_tape;

/* Evaluates every node of `graph`, which has been through bsr_ops_resolve and outlives *out.
 * inputs[i] belongs to graph->inputs[i], must have its dtype and dims (EINVAL) and outlives *out
 * too; it is ignored where that input is a constant. Errors: those of the operators; ENOMEM. Caller
 * owns *out. */
bsr_status bsr_tape_new(bsr_tape **out, const bsr_graph *graph, const bsr_tensor *const *inputs);
void bsr_tape_free(bsr_tape *tape);

/* The elements of a value: input, constant or result; NULL for a value that nothing defines. */
const bsr_tensor *bsr_tape_value(const bsr_tape *tape, int value);

/* gradients[i] = gradient of sum(seed * value `from`) with respect to value wanted[i], 0 <= i < n:
 * an input, a result or a constant such as a weight; float32 in the shape of that value, zeros
 * where `from` does not depend on it. Of values in integer codes it is per step of the code. A
 * value may be wanted several times. seed: float32 in the shape of `from`.
 *
 * Errors: EINVAL for a seed of another type or shape, a wanted value without elements or of type
 * int64 or bool; EUNSUPPORTED for a node between `from` and a wanted value whose operator has no
 * backward rule; ENOMEM. Caller owns the tensors; all are NULL after an error. Costs about two
 * evaluations for a network of convolutions. */
bsr_status bsr_tape_gradient(const bsr_tape *tape, int from, const bsr_tensor *seed, int n,
                             const int *wanted, bsr_tensor **gradients);

#endif
