/* The quantised family: its table and the arithmetic its files share. */
#include "ops/quant.h"

#include <math.h>

#include "base/error.h"
#include "ops/families.h"

#define CONV_ATTRS "auto_pad:s kernel_shape:I strides:I pads:I dilations:I group:i"

const bsr_op bsr_ops_quant[] = {
    {"QuantizeLinear", 2, 3, 1, "axis:i saturate:i", bsr_quantize_infer, bsr_quantize_run,
     bsr_quantize_backward},
    {"DequantizeLinear", 2, 3, 1, "axis:i", bsr_dequantize_infer, bsr_dequantize_run,
     bsr_dequantize_backward},
    {"DynamicQuantizeLinear", 1, 1, 3, "", bsr_dynamic_quantize_infer, bsr_dynamic_quantize_run,
     NULL},
    {"ConvInteger", 2, 4, 1, CONV_ATTRS, bsr_conv_integer_infer, bsr_conv_integer_run, NULL},
    {"QLinearConv", 8, 9, 1, CONV_ATTRS, bsr_qlinear_conv_infer, bsr_qlinear_conv_run,
     bsr_qlinear_conv_backward},
    {"MatMulInteger", 2, 4, 1, "", bsr_matmul_integer_infer, bsr_matmul_integer_run, NULL},
    {"QLinearMatMul", 8, 8, 1, "", bsr_qlinear_matmul_infer, bsr_qlinear_matmul_run,
     bsr_qlinear_matmul_backward},
};
const int bsr_ops_quant_count = sizeof bsr_ops_quant / sizeof *bsr_ops_quant;

bsr_status bsr_q_check_codes(const bsr_infer *ctx, int i, const char *name)
{
    bsr_dtype dtype = bsr_infer_in(ctx, i)->dtype;
    if (dtype != BSR_U8 && dtype != BSR_I8)
        return bsr_node_fail(ctx->node, BSR_EUNSUPPORTED, "%s is %s, supported are uint8 and int8",
                             name, bsr_dtype_name(dtype));
    return BSR_OK;
}

bsr_status bsr_q_check_param(const bsr_infer *ctx, int i, const char *name, bsr_dtype dtype,
                             const bsr_q_slices *slices)
{
    const bsr_value *v = bsr_infer_in(ctx, i);
    if (!v)
        return BSR_OK;
    if (v->dtype != dtype)
        return bsr_node_fail(ctx->node, BSR_EUNSUPPORTED, "%s is %s, expected %s", name,
                             bsr_dtype_name(v->dtype), bsr_dtype_name(dtype));
    if (v->rank > 1) {
        char text[96];
        return bsr_node_fail(ctx->node, BSR_EUNSUPPORTED,
                             "%s is %s, supported are a scalar and a vector", name,
                             bsr_dims_text(text, sizeof text, v->rank, v->dims));
    }
    int64_t n = v->rank == 0 ? 1 : v->dims[0];
    if (n == 1 || n == slices->n)
        return BSR_OK;
    if (slices->n == 1)
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "%s has %lld values, expected 1", name,
                             (long long)n);
    return bsr_node_fail(ctx->node, BSR_EFORMAT, "%s has %lld values, %s %lld %s", name,
                         (long long)n, slices->owner, (long long)slices->n, slices->what);
}

static int64_t slice_offset(const bsr_view *v, int64_t i)
{
    return v->rank == 0 || v->dims[0] == 1 ? 0 : i * v->strides[0];
}

float bsr_q_scale(const bsr_op_call *call, int input, int64_t i)
{
    const bsr_view *v = &call->in[input];
    return ((const float *)v->data)[slice_offset(v, i)];
}

int32_t bsr_q_zero(const bsr_op_call *call, int input, int64_t i)
{
    if (input >= call->n_in || !call->in[input].data)
        return 0;
    return bsr_q_load(&call->in[input], slice_offset(&call->in[input], i));
}

int32_t bsr_q_round(float v, int32_t zero, bsr_dtype dtype)
{
    const float low = dtype == BSR_U8 ? 0.0f : -128.0f, high = dtype == BSR_U8 ? 255.0f : 127.0f;
    /* Adding as float is exact wherever the sum is not saturated anyway. */
    float q = rintf(v) + (float)zero;
    if (!(q > low))
        return (int32_t)low;
    return q < high ? (int32_t)q : (int32_t)high;
}

int32_t bsr_q_load(const bsr_view *v, int64_t at)
{
    if (v->dtype == BSR_U8)
        return ((const uint8_t *)v->data)[at];
    if (v->dtype == BSR_I8)
        return ((const int8_t *)v->data)[at];
    return ((const int32_t *)v->data)[at];
}

void bsr_q_store(const bsr_view *v, int64_t at, int32_t code)
{
    if (v->dtype == BSR_U8)
        ((uint8_t *)v->data)[at] = (uint8_t)code;
    else
        ((int8_t *)v->data)[at] = (int8_t)code;
}

int32_t bsr_q_dot(int32_t start, const int16_t *a, const int16_t *b, int64_t n)
{
    uint32_t acc = (uint32_t)start;
    for (int64_t i = 0; i < n; i++)
        acc += (uint32_t)((int32_t)a[i] * (int32_t)b[i]);
    return (int32_t)acc;
}
