/* Gemm: y = alpha * A' * B' + beta * C, in the order of docs/design/numerics.md. */
#include <math.h>

#include "base/error.h"
#include "ops/backward.h"
#include "ops/matmul_shape.h"
#include "ops/nn.h"

/* C must broadcast to M x N: at most two dimensions, each 1 or the full size. */
static bsr_status check_c(bsr_infer *ctx, int64_t m, int64_t n)
{
    const bsr_value *c = bsr_infer_in(ctx, 2);
    const int64_t full[2] = {m, n};
    char text[96];
    if (!c)
        return BSR_OK;
    BSR_TRY(bsr_nn_check_dtype(ctx, 2, "C", BSR_F32));
    int fits = c->rank <= 2;
    for (int d = 0; fits && d < c->rank; d++)
        fits = c->dims[d] == 1 || c->dims[d] == full[2 - c->rank + d];
    if (!fits)
        return bsr_node_fail(
            ctx->node, BSR_EFORMAT, "C is %s, which does not broadcast to %lldx%lld",
            bsr_dims_text(text, sizeof text, c->rank, c->dims), (long long)m, (long long)n);
    return BSR_OK;
}

bsr_status bsr_gemm_infer(bsr_infer *ctx)
{
    const bsr_value *a = bsr_infer_in(ctx, 0), *b = bsr_infer_in(ctx, 1);
    int trans_a = bsr_node_int(ctx->node, "transA", 0) != 0;
    int trans_b = bsr_node_int(ctx->node, "transB", 0) != 0;
    BSR_TRY(bsr_nn_check_dtype(ctx, 0, "A", BSR_F32));
    BSR_TRY(bsr_nn_check_dtype(ctx, 1, "B", BSR_F32));
    if (a->rank != 2 || b->rank != 2)
        return bsr_node_fail(ctx->node, BSR_EFORMAT,
                             "A has %d and B has %d dimensions, expected 2 and 2", a->rank,
                             b->rank);
    int64_t dims[2] = {a->dims[trans_a], b->dims[!trans_b]};
    if (a->dims[!trans_a] != b->dims[trans_b])
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "A has %lld columns, B has %lld rows",
                             (long long)a->dims[!trans_a], (long long)b->dims[trans_b]);
    BSR_TRY(check_c(ctx, dims[0], dims[1]));
    return bsr_infer_set(ctx, 0, BSR_F32, 2, dims);
}

/* Strides of C seen as M x N; 0 where it is broadcast. */
static void c_strides(const bsr_view *c, int64_t strides[2])
{
    strides[0] = strides[1] = 0;
    for (int d = 0; d < c->rank; d++)
        if (c->dims[d] != 1)
            strides[2 - c->rank + d] = c->strides[d];
}

/* The matrix as it is multiplied: transposed where `trans` says so. */
static bsr_view matrix(const bsr_view *v, int trans)
{
    bsr_view r = *v;
    for (int d = 0; trans && d < 2; d++) {
        r.dims[d] = v->dims[1 - d];
        r.strides[d] = v->strides[1 - d];
    }
    return r;
}

static void constant_slope(double *slope, const double *x, int n, const void *ctx)
{
    slope[0] = *(const double *)ctx;
}

bsr_status bsr_gemm_backward(const bsr_op_backward *call)
{
    const bsr_op_call *f = call->forward;
    const double alpha = (double)bsr_node_float(f->node, "alpha", 1.0f);
    const double beta = (double)bsr_node_float(f->node, "beta", 1.0f);
    if (!bsr_backward_begin(call))
        return BSR_OK;
    bsr_view in[2], grad_in[2];
    for (int i = 0; i < 2; i++) {
        int trans = bsr_node_int(f->node, i ? "transB" : "transA", 0) != 0;
        in[i] = matrix(&f->in[i], trans);
        grad_in[i] = matrix(&call->grad_in[i], trans);
    }
    BSR_TRY(bsr_product_gradients(in, &call->grad_out[0], alpha, grad_in));
    if (!bsr_backward_wants(call, 2))
        return BSR_OK;
    return bsr_backward_pointwise(1, &f->in[2], &call->grad_in[2], &call->grad_out[0],
                                  constant_slope, &beta);
}

bsr_status bsr_gemm_run(const bsr_op_call *call)
{
    const bsr_view *a = &call->in[0], *b = &call->in[1], *y = &call->out[0];
    const bsr_view *c = call->n_in > 2 && call->in[2].data ? &call->in[2] : NULL;
    const int trans_a = bsr_node_int(call->node, "transA", 0) != 0;
    const int trans_b = bsr_node_int(call->node, "transB", 0) != 0;
    const float alpha = bsr_node_float(call->node, "alpha", 1.0f);
    const float beta = bsr_node_float(call->node, "beta", 1.0f);
    const int plain = alpha == 1.0f && (!c || beta == 1.0f);
    const int64_t depth = a->dims[!trans_a];
    const int64_t a_step = a->strides[!trans_a], b_step = b->strides[trans_b];
    int64_t c_step[2] = {0, 0};
    if (c)
        c_strides(c, c_step);
    for (int64_t m = 0; m < y->dims[0]; m++)
        for (int64_t n = 0; n < y->dims[1]; n++) {
            const float *row = (const float *)a->data + m * a->strides[trans_a];
            const float *column = (const float *)b->data + n * b->strides[!trans_b];
            float addend = c ? ((const float *)c->data)[m * c_step[0] + n * c_step[1]] : 0.0f;
            float acc = plain ? addend : 0.0f;
            for (int64_t k = 0; k < depth; k++)
                acc = fmaf(row[k * a_step], column[k * b_step], acc);
            if (!plain) {
                acc = alpha * acc;
                if (c)
                    acc = acc + beta * addend;
            }
            ((float *)y->data)[m * y->strides[0] + n * y->strides[1]] = acc;
        }
    return BSR_OK;
}
