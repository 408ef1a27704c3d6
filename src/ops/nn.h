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

/* The operators, one pair each: see bsr_op. */
bsr_status bsr_conv_infer(bsr_infer *ctx);
bsr_status bsr_conv_run(const bsr_op_call *call);
bsr_status bsr_max_pool_infer(bsr_infer *ctx);
bsr_status bsr_max_pool_run(const bsr_op_call *call);
bsr_status bsr_average_pool_infer(bsr_infer *ctx);
bsr_status bsr_average_pool_run(const bsr_op_call *call);
bsr_status bsr_global_pool_infer(bsr_infer *ctx);
bsr_status bsr_global_average_pool_run(const bsr_op_call *call);
bsr_status bsr_global_max_pool_run(const bsr_op_call *call);
bsr_status bsr_batch_norm_infer(bsr_infer *ctx);
bsr_status bsr_batch_norm_run(const bsr_op_call *call);
bsr_status bsr_lrn_infer(bsr_infer *ctx);
bsr_status bsr_lrn_run(const bsr_op_call *call);
bsr_status bsr_gemm_infer(bsr_infer *ctx);
bsr_status bsr_gemm_run(const bsr_op_call *call);
bsr_status bsr_matmul_infer(bsr_infer *ctx);
bsr_status bsr_matmul_run(const bsr_op_call *call);

#endif
