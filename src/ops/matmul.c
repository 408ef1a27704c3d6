/* MatMul with numpy's rules for 1-D operands and broadcast batches. */
#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "ops/backward.h"
#include "ops/matmul_shape.h"
#include "ops/nn.h"

bsr_status bsr_matmul_infer(bsr_infer *ctx)
{
    BSR_TRY(bsr_nn_check_dtype(ctx, 0, "A", BSR_F32));
    BSR_TRY(bsr_nn_check_dtype(ctx, 1, "B", BSR_F32));
    return bsr_matmul_set_output(ctx, 0, 1, BSR_F32);
}

static void multiply(const bsr_matmul_shape *s, const float *a, const float *b, float *y)
{
    for (int64_t m = 0; m < s->m; m++)
        for (int64_t n = 0; n < s->n; n++) {
            const float *row = a + m * s->a_m, *column = b + n * s->b_n;
            float acc = 0.0f;
            for (int64_t k = 0; k < s->k; k++)
                acc = fmaf(row[k * s->a_k], column[k * s->b_k], acc);
            y[m * s->y_m + n * s->y_n] = acc;
        }
}

bsr_status bsr_matmul_run(const bsr_op_call *call)
{
    bsr_matmul_shape s;
    bsr_matmul_shape_of(&s, &call->in[0], &call->in[1], &call->out[0]);
    if (bsr_count(call->out[0].rank, call->out[0].dims) == 0)
        return BSR_OK;
    int64_t idx[BSR_MAX_RANK] = {0};
    do {
        const float *a = call->in[0].data, *b = call->in[1].data;
        float *y = call->out[0].data;
        for (int d = 0; d < s.rank; d++) {
            a += idx[d] * s.a_batch[d];
            b += idx[d] * s.b_batch[d];
            y += idx[d] * s.y_batch[d];
        }
        multiply(&s, a, b, y);
    } while (bsr_next_index(s.rank, s.batch, idx));
    return BSR_OK;
}

/* Adds the terms of one matrix of the batch; `s` has the strides of the values, `t` of the sums. */
static void multiply_backward(const bsr_matmul_shape *s, const bsr_matmul_shape *t,
                              const float *const in[2], const float *grad_out, double factor,
                              double *const sums[2])
{
    for (int64_t m = 0; m < s->m; m++)
        for (int64_t n = 0; n < s->n; n++) {
            const double g = factor * (double)grad_out[m * s->y_m + n * s->y_n];
            for (int64_t k = 0; k < s->k && g != 0.0; k++) {
                double a = (double)in[0][m * s->a_m + k * s->a_k];
                double b = (double)in[1][k * s->b_k + n * s->b_n];
                if (sums[0])
                    sums[0][m * t->a_m + k * t->a_k] += g * b;
                if (sums[1])
                    sums[1][k * t->b_k + n * t->b_n] += g * a;
            }
        }
}

static void product_gradients(const bsr_view in[2], const bsr_view *grad_out, double factor,
                              const bsr_view sums[2])
{
    bsr_matmul_shape s, t;
    bsr_matmul_shape_of(&s, &in[0], &in[1], grad_out);
    bsr_matmul_shape_of(&t, &sums[0], &sums[1], grad_out);
    int64_t idx[BSR_MAX_RANK] = {0};
    if (bsr_count(grad_out->rank, grad_out->dims) == 0)
        return;
    do {
        const float *x[2] = {in[0].data, in[1].data}, *g = grad_out->data;
        double *to[2] = {sums[0].data, sums[1].data};
        for (int d = 0; d < s.rank; d++) {
            x[0] += idx[d] * s.a_batch[d];
            x[1] += idx[d] * s.b_batch[d];
            g += idx[d] * s.y_batch[d];
            to[0] = to[0] ? to[0] + idx[d] * t.a_batch[d] : NULL;
            to[1] = to[1] ? to[1] + idx[d] * t.b_batch[d] : NULL;
        }
        multiply_backward(&s, &t, x, g, factor, to);
    } while (bsr_next_index(s.rank, s.batch, idx));
}

bsr_status bsr_product_gradients(const bsr_view in[2], const bsr_view *grad_out, double factor,
                                 const bsr_view grad_in[2])
{
    bsr_view sums[2] = {{.data = NULL}, {.data = NULL}};
    bsr_status status = BSR_OK;
    for (int i = 0; i < 2 && status == BSR_OK; i++)
        status = bsr_sums_new(&sums[i], &in[i], &grad_in[i]);
    if (status == BSR_OK) {
        product_gradients(in, grad_out, factor, sums);
        for (int i = 0; i < 2; i++)
            bsr_sums_store(&sums[i], &grad_in[i]);
    }
    for (int i = 0; i < 2; i++)
        bsr_free(sums[i].data);
    return status;
}

bsr_status bsr_matmul_backward(const bsr_op_backward *call)
{
    if (!bsr_backward_begin(call))
        return BSR_OK;
    return bsr_product_gradients(call->forward->in, &call->grad_out[0], 1.0, call->grad_in);
}
