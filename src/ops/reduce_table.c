#include "ops/families.h"
#include "ops/reduce_ops.h"

#define REDUCE_ATTRS "axes:I keepdims:i noop_with_empty_axes:i"
#define ARG_ATTRS    "axis:i keepdims:i select_last_index:i"

const bsr_op bsr_ops_reduce[] = {
    {"ArgMax", 1, 1, 1, ARG_ATTRS, bsr_infer_arg, bsr_run_arg_max},
    {"ArgMin", 1, 1, 1, ARG_ATTRS, bsr_infer_arg, bsr_run_arg_min},
    {"LogSoftmax", 1, 1, 1, "axis:i", bsr_infer_softmax, bsr_run_log_softmax},
    {"ReduceL1", 1, 2, 1, REDUCE_ATTRS, bsr_infer_reduce, bsr_run_reduce},
    {"ReduceL2", 1, 2, 1, REDUCE_ATTRS, bsr_infer_reduce, bsr_run_reduce},
    {"ReduceMax", 1, 2, 1, REDUCE_ATTRS, bsr_infer_reduce, bsr_run_reduce},
    {"ReduceMean", 1, 2, 1, REDUCE_ATTRS, bsr_infer_reduce, bsr_run_reduce},
    {"ReduceMin", 1, 2, 1, REDUCE_ATTRS, bsr_infer_reduce, bsr_run_reduce},
    {"ReduceProd", 1, 2, 1, REDUCE_ATTRS, bsr_infer_reduce, bsr_run_reduce},
    {"ReduceSum", 1, 2, 1, REDUCE_ATTRS, bsr_infer_reduce, bsr_run_reduce},
    {"ReduceSumSquare", 1, 2, 1, REDUCE_ATTRS, bsr_infer_reduce, bsr_run_reduce},
    {"Softmax", 1, 1, 1, "axis:i", bsr_infer_softmax, bsr_run_softmax},
};
const int bsr_ops_reduce_count = sizeof bsr_ops_reduce / sizeof bsr_ops_reduce[0];
