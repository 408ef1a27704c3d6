/* Shared by the files of the neural-network family; the table itself is in nn.c. */
#ifndef BSR_OPS_NN_H
#define BSR_OPS_NN_H

#include "ops/op.h"

/* Checks of input i, which `name` calls it in messages ("bias", "weights"): its dtype
 * (EUNSUPPORTED); that it is a vector of n values, one for each of n `what` (EFORMAT). The input
 * must not be omitted. */
bsr_status bsr_nn_check_dtype(const bsr_infer *ctx, int i, const char *name, bsr_dtype dtype);
bsr_status bsr_nn_check_vector(const bsr_infer *ctx, int i, const char *name, int64_t n,
                               const char *what);

/* Is output i of the node named, so that somebody may read it? */
int bsr_nn_wants_output(const bsr_node *node, int i);

/* The operators: see bsr_op. MaxPool follows the first of equal maxima; the rule of the global
 * pools is in reduce_ops.h. */
bsr_status bsr_conv_infer(bsr_infer *ctx);
bsr_status bsr_conv_run(const bsr_op_call *call);
bsr_status bsr_conv_backward(const bsr_op_backward *call);
bsr_status bsr_max_pool_infer(bsr_infer *ctx);
bsr_status bsr_max_pool_run(const bsr_op_call *call);
bsr_status bsr_max_pool_backward(const bsr_op_backward *call);
bsr_status bsr_average_pool_infer(bsr_infer *ctx);
bsr_status bsr_average_pool_run(const bsr_op_call *call);
bsr_status bsr_average_pool_backward(const bsr_op_backward *call);
bsr_status bsr_global_pool_infer(bsr_infer *ctx);
bsr_status bsr_global_average_pool_run(const bsr_op_call *call);
bsr_status bsr_global_max_pool_run(const bsr_op_call *call);
bsr_status bsr_batch_norm_infer(bsr_infer *ctx);
bsr_status bsr_batch_norm_run(const bsr_op_call *call);
bsr_status bsr_batch_norm_backward(const bsr_op_backward *call);
bsr_status bsr_lrn_infer(bsr_infer *ctx);
bsr_status bsr_lrn_run(const bsr_op_call *call);
bsr_status bsr_lrn_backward(const bsr_op_backward *call);
bsr_status bsr_gemm_infer(bsr_infer *ctx);
bsr_status bsr_gemm_run(const bsr_op_call *call);
bsr_status bsr_gemm_backward(const bsr_op_backward *call);
bsr_status bsr_matmul_infer(bsr_infer *ctx);
bsr_status bsr_matmul_run(const bsr_op_call *call);
bsr_status bsr_matmul_backward(const bsr_op_backward *call);

#endif
