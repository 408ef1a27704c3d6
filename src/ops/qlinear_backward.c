/* Gradients of QLinearConv and QLinearMatMul: those of the float operators on the codes less their
 * zero points, with the gradient of the output times the scale of the sum, or 0 where the output is
 * saturated. */
#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "ops/backward.h"
#include "ops/conv_shape.h"
#include "ops/matmul_shape.h"
#include "ops/quant.h"

/* The inputs of both operators: A (or x), B (or w), their scales and zero points, those of y. */
enum { A, A_SCALE, A_ZERO, B, B_SCALE, B_ZERO, Y_SCALE, Y_ZERO, BIAS };

/* Slices that have scales and zero points of their own: dimensions of A, of B, and of y for the
 * slices of A and of B; -1: none. */
typedef struct slice_axes {
    int a, b, y_a, y_b;
} slice_axes;

/* What the float operator is differentiated at: codes less zero points, and the gradient of the
 * sums. All float32, row-major. */
typedef struct centred {
    bsr_tensor *in[2], *sums, *grad;
} centred;

static void free_centred(centred *c)
{
    bsr_tensor_free(c->in[0]);
    bsr_tensor_free(c->in[1]);
    bsr_tensor_free(c->sums);
    bsr_tensor_free(c->grad);
}

static bsr_status centre(bsr_tensor **out, const bsr_op_call *f, int input, int axis)
{
    const bsr_view *codes = &f->in[input];
    BSR_TRY(bsr_tensor_new(out, BSR_F32, codes->rank, codes->dims));
    float *to = (*out)->data;
    int64_t idx[BSR_MAX_RANK] = {0};
    if (bsr_count(codes->rank, codes->dims) == 0)
        return BSR_OK;
    do {
        int32_t zero = bsr_q_zero(f, input == A ? A_ZERO : B_ZERO, axis < 0 ? 0 : idx[axis]);
        int32_t code = bsr_q_load(codes, bsr_strided_offset(codes->rank, codes->strides, idx));
        *to++ = (float)(code - zero);
    } while (bsr_next_index(codes->rank, codes->dims, idx));
    return BSR_OK;
}

/* Gradient of one sum. */
static float sum_gradient(const bsr_op_call *f, int32_t sum, float scale, float g)
{
    const float low = f->out[0].dtype == BSR_U8 ? 0.0f : -128.0f;
    const float code = rintf((float)sum * scale) + (float)bsr_q_zero(f, Y_ZERO, 0);
    const int inside = code >= low && code <= low + 255.0f;
    return inside ? (float)bsr_chain((double)g, (double)scale) : 0.0f;
}

static void output_gradient(const centred *c, const bsr_op_call *f, const bsr_view *g,
                            const slice_axes *axes)
{
    const int32_t *sum = c->sums->data;
    float *to = c->grad->data;
    int64_t idx[BSR_MAX_RANK] = {0};
    if (bsr_count(g->rank, g->dims) == 0)
        return;
    do {
        float scale = bsr_q_scale(f, A_SCALE, axes->y_a < 0 ? 0 : idx[axes->y_a]) *
                      bsr_q_scale(f, B_SCALE, axes->y_b < 0 ? 0 : idx[axes->y_b]) /
                      bsr_q_scale(f, Y_SCALE, 0);
        *to++ = sum_gradient(f, *sum++, scale, *(const float *)bsr_view_at(g, idx, sizeof(float)));
    } while (bsr_next_index(g->rank, g->dims, idx));
}

static bsr_status new_centred(centred *c, const bsr_op_backward *call, const slice_axes *axes,
                              bsr_status (*sums)(const bsr_op_call *, const bsr_view *))
{
    const bsr_op_call *f = call->forward;
    const bsr_view *g = &call->grad_out[0];
    BSR_TRY(centre(&c->in[0], f, A, axes->a));
    BSR_TRY(centre(&c->in[1], f, B, axes->b));
    BSR_TRY(bsr_tensor_new(&c->sums, BSR_I32, g->rank, g->dims));
    BSR_TRY(bsr_tensor_new(&c->grad, BSR_F32, g->rank, g->dims));
    bsr_view to = bsr_tensor_view(c->sums);
    BSR_TRY(sums(f, &to));
    output_gradient(c, f, g, axes);
    return BSR_OK;
}

static bsr_status begin(const bsr_op_backward *call, int *any)
{
    BSR_TRY(bsr_backward_refuse(call, A_SCALE, A_ZERO));
    BSR_TRY(bsr_backward_refuse(call, B_SCALE, Y_ZERO));
    *any = bsr_backward_begin(call);
    return BSR_OK;
}

bsr_status bsr_qlinear_conv_backward(const bsr_op_backward *call)
{
    const bsr_op_call *f = call->forward;
    const slice_axes axes = {.a = -1, .b = 0, .y_a = -1, .y_b = 1};
    bsr_conv_grads to = {.x = call->grad_in[A], .w = call->grad_in[B]};
    centred c = {.sums = NULL};
    int any;
    BSR_TRY(begin(call, &any));
    if (!any)
        return BSR_OK;
    if (f->n_in > BIAS)
        to.bias = call->grad_in[BIAS];
    bsr_status status = new_centred(&c, call, &axes, bsr_qlinear_conv_sums);
    if (status == BSR_OK) {
        bsr_view x = bsr_tensor_view(c.in[0]), w = bsr_tensor_view(c.in[1]);
        bsr_view grad = bsr_tensor_view(c.grad);
        status = bsr_conv_gradients(f->node, &x, &w, &grad, &to);
    }
    free_centred(&c);
    return status;
}

bsr_status bsr_qlinear_matmul_backward(const bsr_op_backward *call)
{
    const bsr_op_call *f = call->forward;
    const int a_rank = f->in[A].rank, b_rank = f->in[B].rank, rank = f->out[0].rank;
    const slice_axes axes = {.a = a_rank > 1 ? a_rank - 2 : -1,
                             .b = b_rank > 1 ? b_rank - 1 : -1,
                             .y_a = a_rank > 1 ? rank - 1 - (b_rank > 1) : -1,
                             .y_b = b_rank > 1 ? rank - 1 : -1};
    const bsr_view to[2] = {call->grad_in[A], call->grad_in[B]};
    centred c = {.sums = NULL};
    int any;
    BSR_TRY(begin(call, &any));
    if (!any)
        return BSR_OK;
    bsr_status status = new_centred(&c, call, &axes, bsr_qlinear_matmul_sums);
    if (status == BSR_OK) {
        bsr_view in[2] = {bsr_tensor_view(c.in[0]), bsr_tensor_view(c.in[1])};
        bsr_view grad = bsr_tensor_view(c.grad);
        status = bsr_product_gradients(in, &grad, 1.0, to);
    }
    free_centred(&c);
    return status;
}
