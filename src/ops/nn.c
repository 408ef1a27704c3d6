/* The neural-network family: its table and the checks its files share. */
#include "ops/nn.h"

#include "base/error.h"
#include "ops/families.h"
#include "ops/reduce_ops.h"

#define WINDOW_ATTRS "auto_pad:s kernel_shape:I strides:I pads:I dilations:I "

const bsr_op bsr_ops_nn[] = {
    {"Conv", 2, 3, 1, WINDOW_ATTRS "group:i", bsr_conv_infer, bsr_conv_run, bsr_conv_backward},
    {"MaxPool", 1, 1, 2, WINDOW_ATTRS "ceil_mode:i storage_order:i", bsr_max_pool_infer,
     bsr_max_pool_run, bsr_max_pool_backward},
    {"AveragePool", 1, 1, 1, WINDOW_ATTRS "ceil_mode:i count_include_pad:i", bsr_average_pool_infer,
     bsr_average_pool_run, bsr_average_pool_backward},
    {"GlobalAveragePool", 1, 1, 1, "", bsr_global_pool_infer, bsr_global_average_pool_run,
     bsr_global_pool_backward},
    {"GlobalMaxPool", 1, 1, 1, "", bsr_global_pool_infer, bsr_global_max_pool_run,
     bsr_global_pool_backward},
    {"BatchNormalization", 5, 5, 5, "epsilon:f momentum:f spatial:i training_mode:i",
     bsr_batch_norm_infer, bsr_batch_norm_run, bsr_batch_norm_backward},
    {"LRN", 1, 1, 1, "alpha:f beta:f bias:f size:i", bsr_lrn_infer, bsr_lrn_run, bsr_lrn_backward},
    {"Gemm", 2, 3, 1, "alpha:f beta:f transA:i transB:i", bsr_gemm_infer, bsr_gemm_run,
     bsr_gemm_backward},
    {"MatMul", 2, 2, 1, "", bsr_matmul_infer, bsr_matmul_run, bsr_matmul_backward},
};
const int bsr_ops_nn_count = sizeof bsr_ops_nn / sizeof *bsr_ops_nn;

bsr_status bsr_nn_check_dtype(const bsr_infer *ctx, int i, const char *name, bsr_dtype dtype)
{
    bsr_dtype got = bsr_infer_in(ctx, i)->dtype;
    if (got != dtype)
        return bsr_node_fail(ctx->node, BSR_EUNSUPPORTED, "%s is %s, supported is %s", name,
                             bsr_dtype_name(got), bsr_dtype_name(dtype));
    return BSR_OK;
}

bsr_status bsr_nn_check_vector(const bsr_infer *ctx, int i, const char *name, int64_t n,
                               const char *what)
{
    const bsr_value *v = bsr_infer_in(ctx, i);
    if (v->rank != 1 || v->dims[0] != n) {
        char dims[96];
        return bsr_node_fail(ctx->node, BSR_EFORMAT,
                             "%s is %s, expected one value for each of "
                             "%lld %s",
                             name, bsr_dims_text(dims, sizeof dims, v->rank, v->dims), (long long)n,
                             what);
    }
    return BSR_OK;
}

int bsr_nn_wants_output(const bsr_node *node, int i)
{
    return i < node->n_out && node->out[i] >= 0;
}
