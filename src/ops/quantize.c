/* QuantizeLinear, DequantizeLinear (per tensor or along one axis) and DynamicQuantizeLinear. */
#include <math.h>

#include "base/error.h"
#include "ops/backward.h"
#include "ops/conv_shape.h"
#include "ops/nn.h"
#include "ops/quant.h"

/* The axis of a vector scale; -1 when one scale serves the whole tensor. */
static int slice_axis(const bsr_node *node, int rank, int scale_rank, const int64_t *scale_dims)
{
    int64_t axis = bsr_node_int(node, "axis", 1);
    if (scale_rank == 0 || scale_dims[0] == 1)
        return -1;
    return (int)(axis < 0 ? axis + rank : axis);
}

/* Checks scale and zero point (inputs 1 and 2) against x. `zero` is the dtype the latter needs. */
static bsr_status check_params(const bsr_infer *ctx, bsr_dtype zero)
{
    const bsr_value *x = bsr_infer_in(ctx, 0), *scale = bsr_infer_in(ctx, 1);
    const bsr_value *zp = bsr_infer_in(ctx, 2);
    int64_t attr = bsr_node_int(ctx->node, "axis", 1);
    bsr_q_slices slices = {1, "input has", "slices on its axis"};
    if (scale->rank == 1 && scale->dims[0] != 1) {
        if (attr < -x->rank || attr >= x->rank)
            return bsr_node_fail(ctx->node, BSR_EFORMAT, "axis is %lld, input has %d dimensions",
                                 (long long)attr, x->rank);
        slices.n = x->dims[slice_axis(ctx->node, x->rank, scale->rank, scale->dims)];
    }
    BSR_TRY(bsr_q_check_param(ctx, 1, "scale", BSR_F32, &slices));
    BSR_TRY(bsr_q_check_param(ctx, 2, "zero point", zero, &slices));
    if (zp && bsr_count(zp->rank, zp->dims) != bsr_count(scale->rank, scale->dims))
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "zero point has %lld values, scale has %lld",
                             (long long)bsr_count(zp->rank, zp->dims),
                             (long long)bsr_count(scale->rank, scale->dims));
    return BSR_OK;
}

bsr_status bsr_quantize_infer(bsr_infer *ctx)
{
    const bsr_value *x = bsr_infer_in(ctx, 0), *zp = bsr_infer_in(ctx, 2);
    bsr_dtype dtype = zp ? zp->dtype : BSR_U8;
    BSR_TRY(bsr_nn_check_dtype(ctx, 0, "input", BSR_F32));
    if (zp)
        BSR_TRY(bsr_q_check_codes(ctx, 2, "zero point"));
    BSR_TRY(check_params(ctx, dtype));
    return bsr_infer_set(ctx, 0, dtype, x->rank, x->dims);
}

bsr_status bsr_quantize_run(const bsr_op_call *call)
{
    const bsr_view *x = &call->in[0], *scale = &call->in[1], *y = &call->out[0];
    const int axis = slice_axis(call->node, x->rank, scale->rank, scale->dims);
    int64_t idx[BSR_MAX_RANK] = {0};
    if (bsr_count(x->rank, x->dims) == 0)
        return BSR_OK;
    do {
        const int64_t slice = axis < 0 ? 0 : idx[axis];
        float v = *(const float *)bsr_view_at(x, idx, sizeof v) / bsr_q_scale(call, 1, slice);
        int32_t code = bsr_q_round(v, bsr_q_zero(call, 2, slice), y->dtype);
        bsr_q_store(y, bsr_strided_offset(y->rank, y->strides, idx), code);
    } while (bsr_next_index(x->rank, x->dims, idx));
    return BSR_OK;
}

/* int32 input is a bias: ONNX allows no zero point other than 0 for it. */
static bsr_status check_int32_zero(const bsr_infer *ctx)
{
    const bsr_tensor *zp = bsr_infer_const(ctx, 2);
    if (!bsr_infer_in(ctx, 2))
        return BSR_OK;
    if (!zp)
        return bsr_node_fail(ctx->node, BSR_EUNSUPPORTED,
                             "zero point of int32 input is not constant");
    for (int64_t i = 0; zp->dtype == BSR_I32 && i < bsr_count(zp->rank, zp->dims); i++)
        if (((const int32_t *)zp->data)[i] != 0)
            return bsr_node_fail(ctx->node, BSR_EFORMAT,
                                 "zero point of int32 input is %ld, expected 0",
                                 (long)((const int32_t *)zp->data)[i]);
    return BSR_OK;
}

bsr_status bsr_dequantize_infer(bsr_infer *ctx)
{
    const bsr_value *x = bsr_infer_in(ctx, 0);
    bsr_dtype dtype = x->dtype;
    if (dtype == BSR_I32)
        BSR_TRY(check_int32_zero(ctx));
    else if (dtype != BSR_U8 && dtype != BSR_I8)
        return bsr_node_fail(ctx->node, BSR_EUNSUPPORTED,
                             "input is %s, supported are uint8, int8 and int32",
                             bsr_dtype_name(dtype));
    BSR_TRY(check_params(ctx, dtype));
    return bsr_infer_set(ctx, 0, BSR_F32, x->rank, x->dims);
}

bsr_status bsr_dequantize_run(const bsr_op_call *call)
{
    const bsr_view *x = &call->in[0], *scale = &call->in[1], *y = &call->out[0];
    const int axis = slice_axis(call->node, x->rank, scale->rank, scale->dims);
    int64_t idx[BSR_MAX_RANK] = {0};
    if (bsr_count(x->rank, x->dims) == 0)
        return BSR_OK;
    do {
        const int64_t slice = axis < 0 ? 0 : idx[axis];
        int64_t q = bsr_q_load(x, bsr_strided_offset(x->rank, x->strides, idx));
        float centred = (float)(q - bsr_q_zero(call, 2, slice));
        *(float *)bsr_view_at(y, idx, sizeof(float)) = centred * bsr_q_scale(call, 1, slice);
    } while (bsr_next_index(x->rank, x->dims, idx));
    return BSR_OK;
}

/* A scale or zero point seen in the rank of x, along `axis` (-1: one value). */
static bsr_view along_axis(const bsr_view *v, int rank, int axis)
{
    bsr_view r = {.dtype = v->dtype, .rank = axis < 0 ? 0 : rank, .data = v->data};
    for (int d = 0; d < r.rank; d++)
        r.dims[d] = d == axis ? v->dims[0] : 1;
    if (axis >= 0)
        r.strides[axis] = v->strides[0];
    return r;
}

static bsr_status backward(const bsr_op_backward *call, bsr_slopes_fn fn, const void *ctx)
{
    const bsr_op_call *f = call->forward;
    const bsr_view *x = &f->in[0], *scale = &f->in[1];
    const int axis = slice_axis(f->node, x->rank, scale->rank, scale->dims);
    bsr_view in[3], grad_in[3];
    if (!bsr_backward_begin(call))
        return BSR_OK;
    in[0] = *x;
    grad_in[0] = call->grad_in[0];
    for (int i = 1; i < f->n_in; i++) {
        in[i] = along_axis(&f->in[i], x->rank, axis);
        grad_in[i] = along_axis(&call->grad_in[i], x->rank, axis);
    }
    return bsr_backward_pointwise(f->n_in, in, grad_in, &call->grad_out[0], fn, ctx);
}

/* Codes x / scale + zero point, as if not rounded, where they are not saturated. */
static void quantize_slopes(double *slope, const double *x, int n, const void *ctx)
{
    const int is_signed = *(const bsr_dtype *)ctx == BSR_I8;
    const double low = is_signed ? -128.0 : 0.0, high = is_signed ? 127.0 : 255.0;
    /* The forward quotient: whether it saturates must be the same decision. */
    const float v = (float)x[0] / (float)x[1];
    const double code = (double)rintf(v) + (n > 2 ? x[2] : 0.0);
    const int inside = code >= low && code <= high;
    const double all[3] = {1.0 / x[1], -x[0] / (x[1] * x[1]), 1.0};
    for (int i = 0; i < n; i++)
        slope[i] = inside ? all[i] : 0.0;
}

bsr_status bsr_quantize_backward(const bsr_op_backward *call)
{
    return backward(call, quantize_slopes, &call->forward->out[0].dtype);
}

static void dequantize_slopes(double *slope, const double *x, int n, const void *ctx)
{
    slope[0] = x[1];
    slope[1] = x[0] - (n > 2 ? x[2] : 0.0);
    if (n > 2)
        slope[2] = -x[1];
}

bsr_status bsr_dequantize_backward(const bsr_op_backward *call)
{
    return backward(call, dequantize_slopes, NULL);
}

bsr_status bsr_dynamic_quantize_infer(bsr_infer *ctx)
{
    const bsr_value *x = bsr_infer_in(ctx, 0);
    static const bsr_dtype dtypes[] = {BSR_U8, BSR_F32, BSR_U8};
    BSR_TRY(bsr_nn_check_dtype(ctx, 0, "input", BSR_F32));
    for (int i = 0; i < 3; i++)
        BSR_TRY(bsr_infer_set(ctx, i, dtypes[i], i == 0 ? x->rank : 0, x->dims));
    return BSR_OK;
}

/* scale = (max - min) / 255 with 0 in the range, 1 for a range of nothing; zero point
 * rint(-min / scale). */
bsr_status bsr_dynamic_quantize_run(const bsr_op_call *call)
{
    const bsr_view *x = &call->in[0], *y = &call->out[0];
    float min = 0.0f, max = 0.0f;
    int64_t idx[BSR_MAX_RANK] = {0};
    const int empty = bsr_count(x->rank, x->dims) == 0;
    do {
        if (empty)
            break;
        float v = *(const float *)bsr_view_at(x, idx, sizeof v);
        min = v < min || v != v ? v : min;
        max = v > max || v != v ? v : max;
    } while (bsr_next_index(x->rank, x->dims, idx));

    const float scale = min == max ? 1.0f : (max - min) / 255.0f;
    const int32_t zero = bsr_q_round(-min / scale, 0, BSR_U8);
    if (call->n_out > 1 && call->out[1].data)
        *(float *)call->out[1].data = scale;
    if (call->n_out > 2 && call->out[2].data)
        *(uint8_t *)call->out[2].data = (uint8_t)zero;
    do {
        if (empty || !y->data)
            break;
        float v = *(const float *)bsr_view_at(x, idx, sizeof v) / scale;
        bsr_q_store(y, bsr_strided_offset(y->rank, y->strides, idx), bsr_q_round(v, zero, BSR_U8));
    } while (bsr_next_index(x->rank, x->dims, idx));
    return BSR_OK;
}
