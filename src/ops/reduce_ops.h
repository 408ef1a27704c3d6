/* Operators that combine elements along dimensions: the functions behind the rows of
 * reduce_table.c. The order of operations is docs/design/numerics.md's: the elements behind one
 * output are visited in row-major order of the reduced dimensions. No allocation. */
#ifndef BSR_OPS_REDUCE_OPS_H
#define BSR_OPS_REDUCE_OPS_H

#include "ops/op.h"

/* reduce.c. Every Reduce* row shares infer and run; they look the node's type up in the table of
 * folds (element types as there). An integer sum or product wraps around (two's complement) and an
 * integer mean is truncated towards zero. Over no elements: sum 0, product 1, maximum and minimum
 * the end of the type's range (-Inf and +Inf for floats), float mean NaN; an integer mean is
 * refused. NaN wins in ReduceMax and ReduceMin. */
bsr_status bsr_infer_reduce(bsr_infer *ctx);
bsr_status bsr_run_reduce(const bsr_op_call *call);

/* reduce_backward.c: also the rule of the global pools. float32. Of equal extrema the first is
 * followed; ReduceL1 and ReduceL2 have slope 0 at 0. */
bsr_status bsr_reduce_backward(const bsr_op_backward *call);
bsr_status bsr_global_pool_backward(const bsr_op_backward *call);

/* The reduced dimensions as a bit set: no axes means all of them, or none with
 * noop_with_empty_axes, which makes the operator a copy. */
bsr_status bsr_reduce_axes(unsigned *set, const bsr_op_call *call);

/* reduce_softmax.c. float32 and float64. */
bsr_status bsr_infer_softmax(bsr_infer *ctx);
bsr_status bsr_run_softmax(const bsr_op_call *call);
bsr_status bsr_run_log_softmax(const bsr_op_call *call);
bsr_status bsr_softmax_backward(const bsr_op_backward *call);
bsr_status bsr_log_softmax_backward(const bsr_op_backward *call);

/* reduce_arg.c. NaN counts as greatest in ArgMax and as least in ArgMin (as numpy); of equal
 * elements the lowest index wins, with select_last_index the highest. */
bsr_status bsr_infer_arg(bsr_infer *ctx);
bsr_status bsr_run_arg_max(const bsr_op_call *call);
bsr_status bsr_run_arg_min(const bsr_op_call *call);

/* reduce.c. The view of the dimensions whose bit is set in `dims`, in their order, at index 0 of
 * the others: a reduction visits pick(in, reduced) once for each index of pick(in, ~reduced). */
bsr_view bsr_view_pick(const bsr_view *v, unsigned dims);

/* The view of `out` with one dimension for each unreduced one of an input of rank `in_rank`,
 * whether or not `out` keeps the reduced dimensions as ones. */
bsr_view bsr_view_results(const bsr_view *out, int in_rank, unsigned reduced);

#endif
