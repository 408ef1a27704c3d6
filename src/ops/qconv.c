/* ConvInteger and QLinearConv: exact integer sums; padding stands for the input's zero point. */
#include "base/alloc.h"
#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/conv_shape.h"
#include "ops/nn.h"
#include "ops/quant.h"

/* Where the inputs of the two operators are; -1 for what an operator does not have. */
typedef struct qconv_inputs {
    int x_zero, w, w_scale, w_zero, bias;
} qconv_inputs;

static const qconv_inputs conv_integer = {
    .x_zero = 2, .w = 1, .w_scale = -1, .w_zero = 3, .bias = -1};
static const qconv_inputs qlinear_conv = {
    .x_zero = 2, .w = 3, .w_scale = 4, .w_zero = 5, .bias = 8};

enum { X_SCALE = 1, Y_SCALE = 6, Y_ZERO = 7 }; /* further inputs of QLinearConv */

static const bsr_q_slices whole = {1, "", ""};

/* Shape, codes and zero points, which both operators check in the same way. */
static bsr_status check_codes(bsr_infer *ctx, const qconv_inputs *at, bsr_conv_shape *shape)
{
    const bsr_value *x = bsr_infer_in(ctx, 0), *w = bsr_infer_in(ctx, at->w);
    BSR_TRY(bsr_q_check_codes(ctx, 0, "input"));
    BSR_TRY(bsr_q_check_codes(ctx, at->w, "weight"));
    BSR_TRY(bsr_conv_shape_of(shape, ctx->node, x->rank, x->dims, w->rank, w->dims));
    const bsr_q_slices filters = {w->dims[0], "weights have", "output channels"};
    if (at->w_scale >= 0)
        BSR_TRY(bsr_q_check_param(ctx, at->w_scale, "weight scale", BSR_F32, &filters));
    BSR_TRY(bsr_q_check_param(ctx, at->x_zero, "input zero point", x->dtype, &whole));
    return bsr_q_check_param(ctx, at->w_zero, "weight zero point", w->dtype, &filters);
}

bsr_status bsr_conv_integer_infer(bsr_infer *ctx)
{
    bsr_conv_shape shape;
    BSR_TRY(check_codes(ctx, &conv_integer, &shape));
    return bsr_conv_set_output(ctx, &shape, BSR_I32);
}

bsr_status bsr_qlinear_conv_infer(bsr_infer *ctx)
{
    bsr_conv_shape shape;
    BSR_TRY(check_codes(ctx, &qlinear_conv, &shape));
    BSR_TRY(bsr_q_check_codes(ctx, Y_ZERO, "output zero point"));
    bsr_dtype dtype = bsr_infer_in(ctx, Y_ZERO)->dtype;
    BSR_TRY(bsr_q_check_param(ctx, X_SCALE, "input scale", BSR_F32, &whole));
    BSR_TRY(bsr_q_check_param(ctx, Y_SCALE, "output scale", BSR_F32, &whole));
    BSR_TRY(bsr_q_check_param(ctx, Y_ZERO, "output zero point", dtype, &whole));
    BSR_TRY(bsr_conv_check_bias(ctx, &shape, qlinear_conv.bias, BSR_I32));
    return bsr_conv_set_output(ctx, &shape, dtype);
}

typedef struct qconv_run {
    const bsr_op_call *call;
    const qconv_inputs *at;
    bsr_conv_shape shape;
    int32_t x_zero;
    int16_t *weights; /* w - zero point as [M][tap][C / G] */
    int16_t *patch;   /* x - zero point as [tap][C / G] of one output pixel, 0 in the padding */
} qconv_run;

static bsr_status pack_weights(qconv_run *r)
{
    const bsr_view *w = &r->call->in[r->at->w];
    const int64_t length = r->shape.taps * r->shape.group_in;
    int64_t *off = bsr_alloc_array((size_t)length, sizeof *off);
    r->weights = bsr_alloc_array((size_t)(w->dims[0] * length), sizeof *r->weights);
    r->patch = bsr_alloc_array((size_t)length, sizeof *r->patch);
    if (!off || !r->weights || !r->patch) {
        bsr_free(off);
        return BSR_ENOMEM;
    }
    bsr_conv_weight_offsets(&r->shape, w, off);
    int16_t *to = r->weights;
    for (int64_t m = 0; m < w->dims[0]; m++) {
        const int32_t zero = bsr_q_zero(r->call, r->at->w_zero, m);
        for (int64_t i = 0; i < length; i++)
            *to++ = (int16_t)(bsr_q_load(w, m * w->strides[0] + off[i]) - zero);
    }
    bsr_free(off);
    return BSR_OK;
}

static void store_sum(const bsr_op_call *call, const qconv_inputs *at, int64_t y_at, int64_t m,
                      int32_t sum)
{
    const bsr_view *y = &call->out[0];
    if (at->w_scale < 0) {
        ((int32_t *)y->data)[y_at] = sum;
        return;
    }
    float scale = bsr_q_scale(call, X_SCALE, 0) * bsr_q_scale(call, at->w_scale, m);
    scale = scale / bsr_q_scale(call, Y_SCALE, 0);
    bsr_q_store(y, y_at, bsr_q_round((float)sum * scale, bsr_q_zero(call, Y_ZERO, 0), y->dtype));
}

static void convolve_patch(void *ctx, const bsr_conv_patch *p)
{
    const qconv_run *r = ctx;
    const bsr_conv_shape *s = &r->shape;
    const bsr_op_call *call = r->call;
    const bsr_view *x = &call->in[0];
    const int64_t length = s->taps * s->group_in, y_step = call->out[0].strides[1];
    const int b = r->at->bias;
    const bsr_view *bias = b >= 0 && b < call->n_in && call->in[b].data ? &call->in[b] : NULL;

    int16_t *to = r->patch;
    for (int64_t t = 0; t < s->taps; t++)
        for (int64_t c = 0; c < s->group_in; c++) {
            int32_t v = 0;
            if (p->off[t] != BSR_NO_PIXEL)
                v = bsr_q_load(x, p->x_at + p->off[t] + c * x->strides[1]) - r->x_zero;
            *to++ = (int16_t)v;
        }
    for (int64_t i = 0; i < s->group_out; i++) {
        const int64_t m = p->m + i;
        int32_t init = bias ? ((const int32_t *)bias->data)[m * bias->strides[0]] : 0;
        int32_t sum = bsr_q_dot(init, r->patch, r->weights + m * length, length);
        store_sum(call, r->at, p->y_at + i * y_step, m, sum);
    }
}

static bsr_status run(const bsr_op_call *call, const qconv_inputs *at)
{
    const bsr_view *x = &call->in[0], *w = &call->in[at->w];
    qconv_run r = {.call = call, .at = at, .x_zero = bsr_q_zero(call, at->x_zero, 0)};
    BSR_TRY(bsr_conv_shape_of(&r.shape, call->node, x->rank, x->dims, w->rank, w->dims));
    bsr_status status = pack_weights(&r);
    if (status == BSR_OK)
        status = bsr_conv_each_patch(&r.shape, x, &call->out[0], convolve_patch, &r);
    bsr_free(r.weights);
    bsr_free(r.patch);
    return status;
}

bsr_status bsr_conv_integer_run(const bsr_op_call *call)
{
    return run(call, &conv_integer);
}

bsr_status bsr_qlinear_conv_run(const bsr_op_call *call)
{
    return run(call, &qlinear_conv);
}

/* As if there were no scales. */
bsr_status bsr_qlinear_conv_sums(const bsr_op_call *call, const bsr_view *sums)
{
    qconv_inputs at = qlinear_conv;
    bsr_op_call integer = *call;
    at.w_scale = -1;
    integer.out = sums;
    return run(&integer, &at);
}
