#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "ops/int_args.h"
#include "ops/shape_ops.h"

/* Input index that the element `i` of a pad takes its value from; 0 <= i - begin < n is the input
 * itself (already cropped), i counts from the start of the output. */
typedef int64_t (*pad_source)(int64_t i, int64_t begin, int64_t n);

typedef struct pad_plan {
    pad_source source; /* NULL: mode constant */
    /* Negative pads of the node are a crop of the input, made first (as ONNX Runtime does). */
    int64_t begin[BSR_MAX_RANK], end[BSR_MAX_RANK];
    int64_t crop[BSR_MAX_RANK], n[BSR_MAX_RANK]; /* first element kept and their number */
} pad_plan;

static int64_t modulo(int64_t a, int64_t n)
{
    return (a % n + n) % n;
}

/* Without repeating the border; pads longer than the input go back and forth, as numpy.pad. */
static int64_t source_reflect(int64_t i, int64_t begin, int64_t n)
{
    if (n == 1)
        return 0;
    int64_t at = modulo(i - begin, 2 * (n - 1));
    return at < n ? at : 2 * (n - 1) - at;
}

static int64_t source_edge(int64_t i, int64_t begin, int64_t n)
{
    return i < begin ? 0 : n - 1;
}

static int64_t source_wrap(int64_t i, int64_t begin, int64_t n)
{
    return modulo(i - begin, n);
}

static const struct {
    const char *name;
    int64_t since;
    pad_source source;
} pad_modes[] = {
    {"constant", 1, NULL},
    {"reflect", 1, source_reflect},
    {"edge", 1, source_edge},
    {"wrap", 19, source_wrap},
};

static bsr_status read_mode(pad_plan *plan, const bsr_op_call *call)
{
    const char *mode = bsr_node_string(call->node, "mode", "constant");
    for (size_t i = 0; i < sizeof pad_modes / sizeof pad_modes[0]; i++)
        if (!strcmp(mode, pad_modes[i].name) && call->opset >= pad_modes[i].since) {
            plan->source = pad_modes[i].source;
            return BSR_OK;
        }
    return bsr_node_fail(call->node, BSR_EUNSUPPORTED, "mode is '%s' in opset %" PRId64, mode,
                         call->opset);
}

/* The pads of one axis: `before` and `after` as in the node, each possibly negative. */
static bsr_status pad_axis(pad_plan *plan, const bsr_op_call *call, int axis, int64_t before,
                           int64_t after)
{
    int64_t dim = call->in[0].dims[axis];
    if (before < -dim || after < -dim || before > BSR_MAX_ELEMENTS || after > BSR_MAX_ELEMENTS)
        return bsr_node_fail(call->node, BSR_EFORMAT,
                             "pads of axis %d are %" PRId64 " and %" PRId64 " for %" PRId64
                             " elements",
                             axis, before, after, dim);
    plan->crop[axis] = before < 0 ? -before : 0;
    plan->begin[axis] = before < 0 ? 0 : before;
    plan->end[axis] = after < 0 ? 0 : after;
    plan->n[axis] = dim - plan->crop[axis] + (after < 0 ? after : 0);
    if (plan->n[axis] < 0)
        return bsr_node_fail(call->node, BSR_EFORMAT,
                             "pads of axis %d are %" PRId64 " and %" PRId64
                             " and remove more than its %" PRId64 " elements",
                             axis, before, after, dim);
    if (plan->source && plan->n[axis] == 0 && (plan->begin[axis] || plan->end[axis]))
        return bsr_node_fail(call->node, BSR_EFORMAT,
                             "axis %d is empty, only mode constant can extend it", axis);
    return BSR_OK;
}

static bsr_status plan_pad(pad_plan *plan, const bsr_op_call *call)
{
    int rank = call->in[0].rank;
    bsr_ints pads, list;
    int axes[BSR_MAX_RANK];
    BSR_TRY(read_mode(plan, call));
    BSR_TRY(bsr_call_ints(&pads, call, "pads", 1, 11));
    if (!pads.present)
        return bsr_node_fail(call->node, BSR_EFORMAT, "pads is missing");
    list = (bsr_ints){.present = 0};
    if (bsr_call_has(call, 3))
        BSR_TRY(bsr_call_ints(&list, call, "axes", 3, 18));
    BSR_TRY(bsr_call_axes(axes, call, &list, rank));
    int64_t n = list.present ? list.n : rank;
    if (pads.n != 2 * n)
        return bsr_node_fail(call->node, BSR_EFORMAT,
                             "pads has %" PRId64 " values, expected %" PRId64, pads.n, 2 * n);
    for (int d = 0; d < rank; d++)
        BSR_TRY(pad_axis(plan, call, d, 0, 0));
    for (int64_t i = 0; i < n; i++)
        BSR_TRY(pad_axis(plan, call, list.present ? axes[i] : (int)i, bsr_ints_at(&pads, i),
                         bsr_ints_at(&pads, n + i)));
    return BSR_OK;
}

/* Padding value: float attribute before opset 11, optional input of the data's type since. */
static bsr_status check_value(const bsr_op_call *call)
{
    bsr_dtype dtype = call->in[0].dtype;
    if (call->opset < 11) {
        if (dtype != BSR_F32 && dtype != BSR_F64)
            return bsr_node_fail(call->node, BSR_EFORMAT,
                                 "input is %s, expected float32 or float64 before opset 11",
                                 bsr_dtype_name(dtype));
        return BSR_OK;
    }
    if (bsr_node_attr(call->node, "value"))
        return bsr_node_fail(call->node, BSR_EFORMAT,
                             "attribute value is an input from opset 11 on");
    if (!bsr_call_has(call, 2))
        return BSR_OK;
    const bsr_view *v = &call->in[2];
    char text[128];
    if (v->dtype != dtype || bsr_count(v->rank, v->dims) != 1)
        return bsr_node_fail(call->node, BSR_EFORMAT, "constant_value is %s %s, expected one %s",
                             bsr_dtype_name(v->dtype),
                             bsr_dims_text(text, sizeof text, v->rank, v->dims),
                             bsr_dtype_name(dtype));
    return BSR_OK;
}

bsr_status bsr_infer_pad(bsr_infer *ctx)
{
    bsr_view in[BSR_CALL_INPUTS];
    bsr_op_call call;
    bsr_infer_call(ctx, &call, in);
    pad_plan plan;
    int64_t dims[BSR_MAX_RANK];
    BSR_TRY(check_value(&call));
    BSR_TRY(plan_pad(&plan, &call));
    for (int d = 0; d < in[0].rank; d++)
        dims[d] = plan.begin[d] + plan.n[d] + plan.end[d];
    return bsr_infer_set(ctx, 0, in[0].dtype, in[0].rank, dims);
}

static void fill_constant(const bsr_op_call *call)
{
    union {
        float f;
        double d;
        int64_t zero;
    } value = {.zero = 0};
    bsr_view fill = call->out[0];
    fill.data = &value;
    memset(fill.strides, 0, sizeof fill.strides);
    if (call->opset >= 11) {
        if (bsr_call_has(call, 2))
            fill.data = call->in[2].data;
    } else if (fill.dtype == BSR_F32) {
        value.f = bsr_node_float(call->node, "value", 0);
    } else if (fill.dtype == BSR_F64) {
        value.d = bsr_node_float(call->node, "value", 0);
    }
    bsr_view_copy(&call->out[0], &fill);
}

/* Extends the filled part of `out` along each axis in turn: a slice of the pad is a copy of a slice
 * of what is there already. `filled` is that part, `out` the whole. */
static void extend(const pad_plan *plan, const bsr_view *out, bsr_view filled)
{
    int64_t size = (int64_t)bsr_dtype_size(out->dtype);
    for (int d = 0; d < out->rank; d++) {
        int64_t begin = plan->begin[d], n = plan->n[d];
        char *first = filled.data;
        for (int64_t i = 0; i < out->dims[d]; i++) {
            if (i == begin)
                i += n;
            if (i == out->dims[d])
                break;
            bsr_view src = bsr_view_range(&filled, d, plan->source(i, begin, n), 1);
            bsr_view dst = src;
            dst.data = first + (i - begin) * out->strides[d] * size;
            bsr_view_copy(&dst, &src);
        }
        filled.data = first - begin * out->strides[d] * size;
        filled.dims[d] = out->dims[d];
    }
}

bsr_status bsr_run_pad(const bsr_op_call *call)
{
    pad_plan plan;
    const bsr_view *out = &call->out[0];
    BSR_TRY(plan_pad(&plan, call));
    if (bsr_count(out->rank, out->dims) == 0)
        return BSR_OK;
    if (!plan.source)
        fill_constant(call);
    bsr_view src = call->in[0], dst = *out;
    for (int d = 0; d < src.rank; d++) {
        src = bsr_view_range(&src, d, plan.crop[d], plan.n[d]);
        dst = bsr_view_range(&dst, d, plan.begin[d], plan.n[d]);
    }
    bsr_view_copy(&dst, &src);
    if (plan.source)
        extend(&plan, out, dst);
    return BSR_OK;
}
