#include "ops/families.h"
#include "ops/reduce_ops.h"

#define REDUCE_ATTRS "axes:I keepdims:i noop_with_empty_axes:i"
#define ARG_ATTRS    "axis:i keepdims:i select_last_index:i"

const bsr_op bsr_ops_reduce[] = {
    {"ArgMax", 1, 1, 1, ARG_ATTRS, bsr_infer_arg, bsr_run_arg_max, NULL},
    {"ArgMin", 1, 1, 1, ARG_ATTRS, bsr_infer_arg, bsr_run_arg_min, NULL},
    {"LogSoftmax", 1, 1, 1, "axis:i", bsr_infer_softmax, bsr_run_log_softmax,
     bsr_log_softmax_backward},
    {"ReduceL1", 1, 2, 1, REDUCE_ATTRS, bsr_infer_reduce, bsr_run_reduce, bsr_reduce_backward},
    {"ReduceL2", 1, 2, 1, REDUCE_ATTRS, bsr_infer_reduce, bsr_run_reduce, bsr_reduce_backward},
    {"ReduceMax", 1, 2, 1, REDUCE_ATTRS, bsr_infer_reduce, bsr_run_reduce, bsr_reduce_backward},
    {"ReduceMean", 1, 2, 1, REDUCE_ATTRS, bsr_infer_reduce, bsr_run_reduce, bsr_reduce_backward},
    {"ReduceMin", 1, 2, 1, REDUCE_ATTRS, bsr_infer_reduce, bsr_run_reduce, bsr_reduce_backward},
    {"ReduceProd", 1, 2, 1, REDUCE_ATTRS, bsr_infer_reduce, bsr_run_reduce, bsr_reduce_backward},
    {"ReduceSum", 1, 2, 1, REDUCE_ATTRS, bsr_infer_reduce, bsr_run_reduce, bsr_reduce_backward},
    {"ReduceSumSquare", 1, 2, 1, REDUCE_ATTRS, bsr_infer_reduce, bsr_run_reduce,
     bsr_reduce_backward},
    {"Softmax", 1, 1, 1, "axis:i", bsr_infer_softmax, bsr_run_softmax, bsr_softmax_backward},
};
const int bsr_ops_reduce_count = sizeof bsr_ops_reduce / sizeof bsr_ops_reduce[0];
