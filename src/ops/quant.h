/* Shared by the files of the quantised family; the table itself is in quant.c.
 *
 * A code q of a tensor with scale s and zero point z stands for s * (q - z). Codes are uint8 or
 * int8; differences q - z fit int16. Sums of products are taken modulo 2^32 as two's complement
 * accumulators do, so they do not depend on the order and nothing overflows undefined. */
#ifndef BSR_OPS_QUANT_H
#define BSR_OPS_QUANT_H

#include "ops/op.h"

/* Checks that input i, which must not be omitted, is uint8 or int8. EUNSUPPORTED. */
bsr_status bsr_q_check_codes(const bsr_infer *ctx, int i, const char *name);

/* Who a scale or zero point belongs to: n == 1 for a whole tensor, else one value for each of n
 * slices. In messages: "weights have 32 output channels". */
typedef struct bsr_q_slices {
    int64_t n;
    const char *owner; /* "weights have" */
    const char *what;  /* "output channels" */
} bsr_q_slices;

/* Checks a scale or zero point, input i: its dtype; a scalar, one value, or a vector of slices->n
 * values. An omitted optional input is fine. EUNSUPPORTED for the dtype, EFORMAT for the shape. */
bsr_status bsr_q_check_param(const bsr_infer *ctx, int i, const char *name, bsr_dtype dtype,
                             const bsr_q_slices *slices);

/* Value of slice i of the scale or zero point in input `input`; a single value serves every slice.
 * An omitted zero point is 0. */
float bsr_q_scale(const bsr_op_call *call, int input, int64_t i);
int32_t bsr_q_zero(const bsr_op_call *call, int input, int64_t i);

/* rint(v) + zero, saturated to the range of dtype (uint8 or int8); NaN gives the lower end. */
int32_t bsr_q_round(float v, int32_t zero, bsr_dtype dtype);

/* The code at element offset `at`; storing needs a code in the dtype's range. */
int32_t bsr_q_load(const bsr_view *v, int64_t at);
void bsr_q_store(const bsr_view *v, int64_t at, int32_t code);

/* start + sum of a[i] * b[i], modulo 2^32. */
int32_t bsr_q_dot(int32_t start, const int16_t *a, const int16_t *b, int64_t n);

/* The operators: see bsr_op. Gradients take rounding to codes as the identity where the rounded
 * code is within the codes' range, its ends included, and as constant beyond (straight-through). */
bsr_status bsr_quantize_infer(bsr_infer *ctx);
bsr_status bsr_quantize_run(const bsr_op_call *call);
bsr_status bsr_quantize_backward(const bsr_op_backward *call);
bsr_status bsr_dequantize_infer(bsr_infer *ctx);
bsr_status bsr_dequantize_run(const bsr_op_call *call);
bsr_status bsr_dequantize_backward(const bsr_op_backward *call);
bsr_status bsr_dynamic_quantize_infer(bsr_infer *ctx);
bsr_status bsr_dynamic_quantize_run(const bsr_op_call *call);
bsr_status bsr_conv_integer_infer(bsr_infer *ctx);
bsr_status bsr_conv_integer_run(const bsr_op_call *call);
bsr_status bsr_qlinear_conv_infer(bsr_infer *ctx);
bsr_status bsr_qlinear_conv_run(const bsr_op_call *call);
bsr_status bsr_qlinear_conv_backward(const bsr_op_backward *call);
/* The int32 sums, bias included, that are then scaled and rounded. */
bsr_status bsr_qlinear_conv_sums(const bsr_op_call *call, const bsr_view *sums);
bsr_status bsr_matmul_integer_infer(bsr_infer *ctx);
bsr_status bsr_matmul_integer_run(const bsr_op_call *call);
bsr_status bsr_qlinear_matmul_infer(bsr_infer *ctx);
bsr_status bsr_qlinear_matmul_run(const bsr_op_call *call);
bsr_status bsr_qlinear_matmul_backward(const bsr_op_backward *call);
bsr_status bsr_qlinear_matmul_sums(const bsr_op_call *call, const bsr_view *sums);

#endif
