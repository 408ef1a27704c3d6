/* Clip and Dropout: unary operators whose further inputs are parameters. */
#include <float.h>
#include <string.h>

#include "base/error.h"
#include "ops/backward.h"
#include "ops/rows.h"
#include "ops/unary.h"

enum { CLIP_INPUTS_SINCE = 11, DROPOUT_BOOL_MASK_SINCE = 10, DROPOUT_INPUTS_SINCE = 12 };

/* Bounds in the arithmetic of the element type. */
typedef struct bounds {
    bsr_dtype dtype;
    float f32[2];
    double f64[2];
    int64_t i64[2];
} bounds;

float bsr_clip_f32(float x, const float *p)
{
    x = x < p[0] ? p[0] : x;
    return x > p[1] ? p[1] : x;
}

/* The finite range of the type: an infinity is clipped to it, as the ONNX text says. */
static bounds type_range(bsr_dtype dtype)
{
    bounds b = {.dtype = dtype, .f32 = {-FLT_MAX, FLT_MAX}, .f64 = {-DBL_MAX, DBL_MAX}};
    int64_t low[] = {
        [BSR_U8] = 0, [BSR_I8] = INT8_MIN, [BSR_I32] = INT32_MIN, [BSR_I64] = INT64_MIN};
    int64_t top[] = {
        [BSR_U8] = UINT8_MAX, [BSR_I8] = INT8_MAX, [BSR_I32] = INT32_MAX, [BSR_I64] = INT64_MAX};
    if (!bsr_is_float(dtype)) {
        b.i64[0] = low[dtype];
        b.i64[1] = top[dtype];
    }
    return b;
}

/* Sets bound i from one element of b->dtype. */
static void set_bound(bounds *b, int i, const void *element)
{
    if (b->dtype == BSR_F32)
        memcpy(&b->f32[i], element, sizeof b->f32[i]);
    else if (b->dtype == BSR_F64)
        memcpy(&b->f64[i], element, sizeof b->f64[i]);
    else
        b->i64[i] = bsr_load_int(b->dtype, element);
}

static void set_from_attrs(bounds *b, const bsr_node *node)
{
    b->f32[0] = bsr_node_float(node, "min", b->f32[0]);
    b->f32[1] = bsr_node_float(node, "max", b->f32[1]);
    /* Only float attributes exist, so float64 has the float range as its default. */
    b->f64[0] = (double)b->f32[0];
    b->f64[1] = (double)b->f32[1];
}

int bsr_clip_params(const bsr_graph *graph, const bsr_node *node, float p[4])
{
    bounds b = type_range(BSR_F32);
    if (graph->opset < CLIP_INPUTS_SINCE)
        set_from_attrs(&b, node);
    for (int i = 0; i < 2; i++) {
        int value = i + 1 < node->n_in ? node->in[i + 1] : -1;
        if (value < 0)
            continue;
        if (!graph->values[value].constant)
            return 0;
        set_bound(&b, i, graph->values[value].constant->data);
    }
    p[0] = b.f32[0];
    p[1] = b.f32[1];
    return 1;
}

static bsr_status check_clip_bound(const bsr_infer *ctx, int i, bsr_dtype dtype)
{
    const bsr_value *v = bsr_infer_in(ctx, i);
    if (!v)
        return BSR_OK;
    char text[192];
    if (bsr_count(v->rank, v->dims) != 1)
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "%s has shape %s, expected a scalar",
                             i == 1 ? "min" : "max",
                             bsr_dims_text(text, sizeof text, v->rank, v->dims));
    if (v->dtype != dtype)
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "%s is %s, the input is %s",
                             i == 1 ? "min" : "max", bsr_dtype_name(v->dtype),
                             bsr_dtype_name(dtype));
    return BSR_OK;
}

bsr_status bsr_clip_infer(bsr_infer *ctx)
{
    const bsr_node *node = ctx->node;
    const bsr_value *x = bsr_infer_in(ctx, 0);
    int by_inputs = ctx->graph->opset >= CLIP_INPUTS_SINCE;
    if (by_inputs && node->n_attr)
        return bsr_node_fail(node, BSR_EFORMAT, "attribute '%s' ended with opset %d",
                             node->attr[0].name, CLIP_INPUTS_SINCE - 1);
    if (!by_inputs && node->n_in > 1)
        return bsr_node_fail(node, BSR_EFORMAT, "has %d inputs, expected 1 before opset %d",
                             node->n_in, CLIP_INPUTS_SINCE);
    BSR_TRY(bsr_infer_dtype(ctx, 0, by_inputs ? BSR_TYPES_NUMBER : BSR_TYPES_FLOAT));
    BSR_TRY(check_clip_bound(ctx, 1, x->dtype));
    BSR_TRY(check_clip_bound(ctx, 2, x->dtype));
    return bsr_infer_set(ctx, 0, x->dtype, x->rank, x->dims);
}

static void clip_row(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    const bounds *b = ctx;
    for (int64_t i = 0; i < n; i++) {
        const char *from = p[1] + i * step[1];
        char *to = p[0] + i * step[0];
        if (b->dtype == BSR_F32) {
            *(float *)(void *)to = bsr_clip_f32(*(const float *)(const void *)from, b->f32);
        } else if (b->dtype == BSR_F64) {
            double x = *(const double *)(const void *)from;
            x = x < b->f64[0] ? b->f64[0] : x;
            *(double *)(void *)to = x > b->f64[1] ? b->f64[1] : x;
        } else {
            int64_t x = bsr_load_int(b->dtype, from);
            x = x < b->i64[0] ? b->i64[0] : x;
            bsr_store_int(b->dtype, to, x > b->i64[1] ? b->i64[1] : x);
        }
    }
}

static bounds bounds_of_call(const bsr_op_call *call)
{
    bounds b = type_range(call->in[0].dtype);
    if (call->opset < CLIP_INPUTS_SINCE)
        set_from_attrs(&b, call->node);
    for (int i = 0; i < 2; i++)
        if (i + 1 < call->n_in && call->in[i + 1].data)
            set_bound(&b, i, call->in[i + 1].data);
    return b;
}

bsr_status bsr_clip_run(const bsr_op_call *call)
{
    bounds b = bounds_of_call(call);
    bsr_rows(&call->out[0], &call->in[0], 1, clip_row, &b);
    return BSR_OK;
}

/* Exactly one of x, min and max is the result and has slope 1; at a bound none. */
static void clip_slopes(double *slope, const double *x, int n, const void *ctx)
{
    const bounds *b = ctx;
    double lo = (double)b->f32[0], hi = (double)b->f32[1];
    int above = x[0] > hi || (x[0] < lo && lo > hi);
    double all[3] = {x[0] > lo && x[0] < hi, x[0] < lo && !above, above};
    memcpy(slope, all, (size_t)n * sizeof *slope);
}

bsr_status bsr_clip_backward(const bsr_op_backward *call)
{
    const bsr_op_call *f = call->forward;
    bounds b = bounds_of_call(f);
    BSR_TRY(bsr_backward_check_f32(call));
    if (!bsr_backward_begin(call))
        return BSR_OK;
    return bsr_backward_pointwise(f->n_in, f->in, call->grad_in, call->grad_out, clip_slopes, &b);
}

/* Inference only: a training_mode that is, or may be, true is refused. */
bsr_status bsr_dropout_infer(bsr_infer *ctx)
{
    const bsr_node *node = ctx->node;
    const bsr_value *x = bsr_infer_in(ctx, 0);
    int64_t opset = ctx->graph->opset;
    if (opset < DROPOUT_INPUTS_SINCE && node->n_in > 1)
        return bsr_node_fail(node, BSR_EFORMAT, "has %d inputs, expected 1 before opset %d",
                             node->n_in, DROPOUT_INPUTS_SINCE);
    BSR_TRY(bsr_infer_dtype(ctx, 0, BSR_TYPES_FLOAT));
    const bsr_tensor *mode = bsr_infer_const(ctx, 2);
    if (bsr_infer_in(ctx, 2) && !mode)
        return bsr_node_fail(node, BSR_EUNSUPPORTED, "training_mode is not a constant");
    if (mode && (mode->dtype != BSR_BOOL || bsr_count(mode->rank, mode->dims) != 1))
        return bsr_node_fail(node, BSR_EFORMAT, "training_mode is not one bool");
    if (mode && *(const uint8_t *)mode->data)
        return bsr_node_fail(node, BSR_EUNSUPPORTED, "training_mode is true");
    BSR_TRY(bsr_infer_set(ctx, 0, x->dtype, x->rank, x->dims));
    bsr_dtype mask = opset >= DROPOUT_BOOL_MASK_SINCE ? BSR_BOOL : x->dtype;
    return bsr_infer_set(ctx, 1, mask, x->rank, x->dims);
}

static void ones_row(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    bsr_dtype dtype = *(const bsr_dtype *)ctx;
    for (int64_t i = 0; i < n; i++) {
        char *to = p[0] + i * step[0];
        if (dtype == BSR_F32)
            *(float *)(void *)to = 1.0f;
        else if (dtype == BSR_F64)
            *(double *)(void *)to = 1.0;
        else
            *(uint8_t *)(void *)to = 1;
    }
}

bsr_status bsr_dropout_run(const bsr_op_call *call)
{
    if (call->out[0].data)
        bsr_rows_copy(&call->out[0], &call->in[0]);
    if (call->n_out > 1 && call->out[1].data)
        bsr_rows(&call->out[1], NULL, 0, ones_row, &call->out[1].dtype);
    return BSR_OK;
}

/* The mask does not depend on x. */
bsr_status bsr_dropout_backward(const bsr_op_backward *call)
{
    bsr_view grad_out[2] = {call->grad_out[0], {.data = NULL}};
    return bsr_backward_move(&(bsr_op_backward){call->forward, grad_out, call->grad_in});
}
