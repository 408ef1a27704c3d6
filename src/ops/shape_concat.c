#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "ops/int_args.h"
#include "ops/shape_ops.h"

bsr_view bsr_view_range(const bsr_view *v, int axis, int64_t start, int64_t n)
{
    bsr_view r = *v;
    r.dims[axis] = n;
    /* An empty part keeps the base address: its own could lie outside the buffer. */
    if (bsr_count(r.rank, r.dims) > 0)
        r.data = (char *)v->data + start * v->strides[axis] * (int64_t)bsr_dtype_size(v->dtype);
    return r;
}

static bsr_status concat_axis(const bsr_op_call *call, int *axis)
{
    const bsr_attr *attr = bsr_node_attr(call->node, "axis");
    if (!attr)
        return bsr_node_fail(call->node, BSR_EFORMAT, "attribute axis is missing");
    return bsr_call_axis(axis, call, attr->i, call->in[0].rank);
}

bsr_status bsr_infer_concat(bsr_infer *ctx)
{
    bsr_view in[BSR_CALL_INPUTS];
    bsr_op_call call;
    bsr_infer_call(ctx, &call, in);
    int axis;
    BSR_TRY(concat_axis(&call, &axis));
    int64_t dims[BSR_MAX_RANK];
    memcpy(dims, in[0].dims, sizeof dims);
    for (int i = 1; i < ctx->node->n_in; i++) {
        const bsr_value *next = bsr_infer_in(ctx, i);
        if (!next)
            return bsr_node_fail(ctx->node, BSR_EFORMAT, "input %d is omitted", i);
        int same = next->dtype == in[0].dtype && next->rank == in[0].rank;
        for (int d = 0; same && d < next->rank; d++)
            same = d == axis || next->dims[d] == dims[d];
        char first[128], other[128];
        if (!same)
            return bsr_node_fail(ctx->node, BSR_EFORMAT,
                                 "input %d is %s %s, input 0 is %s %s: only axis %d may differ", i,
                                 bsr_dtype_name(next->dtype),
                                 bsr_dims_text(other, sizeof other, next->rank, next->dims),
                                 bsr_dtype_name(in[0].dtype),
                                 bsr_dims_text(first, sizeof first, in[0].rank, in[0].dims), axis);
        if (dims[axis] <= BSR_MAX_ELEMENTS)
            dims[axis] += next->dims[axis];
    }
    return bsr_infer_set(ctx, 0, in[0].dtype, in[0].rank, dims);
}

bsr_status bsr_run_concat(const bsr_op_call *call)
{
    int axis;
    BSR_TRY(concat_axis(call, &axis));
    int64_t start = 0;
    for (int i = 0; i < call->n_in; i++) {
        int64_t n = call->in[i].dims[axis];
        bsr_view dst = bsr_view_range(&call->out[0], axis, start, n);
        bsr_view_copy(&dst, &call->in[i]);
        start += n;
    }
    return BSR_OK;
}

/* How Split cuts `total` elements: by `list` when present, else in parts of `part` of which the
 * last may be smaller. */
typedef struct split_plan {
    int axis;
    int64_t total, part;
    bsr_ints list;
} split_plan;

static int64_t split_size(const split_plan *plan, int i)
{
    if (plan->list.present)
        return bsr_ints_at(&plan->list, i);
    int64_t left = plan->total - i * plan->part;
    return left < plan->part ? left : plan->part;
}

static bsr_status check_split_list(const bsr_op_call *call, const split_plan *plan)
{
    if (plan->list.n != call->n_out)
        return bsr_node_fail(call->node, BSR_EFORMAT, "split has %" PRId64 " values, expected %d",
                             plan->list.n, call->n_out);
    int64_t left = plan->total;
    for (int i = 0; i < call->n_out; i++) {
        int64_t n = split_size(plan, i);
        if (n < 0 || n > left)
            return bsr_node_fail(call->node, BSR_EFORMAT,
                                 "split value %d is %" PRId64 ", %" PRId64 " of %" PRId64
                                 " elements are left",
                                 i, n, left, plan->total);
        left -= n;
    }
    if (left)
        return bsr_node_fail(call->node, BSR_EFORMAT,
                             "split adds up to %" PRId64 ", expected %" PRId64, plan->total - left,
                             plan->total);
    return BSR_OK;
}

static bsr_status plan_split(split_plan *plan, const bsr_op_call *call)
{
    const bsr_view *in = &call->in[0];
    BSR_TRY(bsr_call_axis(&plan->axis, call, bsr_node_int(call->node, "axis", 0), in->rank));
    BSR_TRY(bsr_call_ints(&plan->list, call, "split", 1, 13));
    plan->total = in->dims[plan->axis];
    plan->part = 0;
    int64_t parts = bsr_node_int(call->node, "num_outputs", call->n_out);
    if (parts != call->n_out || parts < 1)
        return bsr_node_fail(call->node, BSR_EFORMAT,
                             "num_outputs is %" PRId64 ", the node has %d outputs", parts,
                             call->n_out);
    if (plan->list.present)
        return check_split_list(call, plan);
    plan->part = (plan->total + parts - 1) / parts;
    /* From opset 18 on the last part may be smaller, but not vanish. */
    int64_t last = plan->total - (parts - 1) * plan->part;
    if (call->opset < 18 ? last != plan->part : last < 0)
        return bsr_node_fail(call->node, BSR_EFORMAT,
                             "%" PRId64 " elements cannot be split into %" PRId64 " equal parts",
                             plan->total, parts);
    return BSR_OK;
}

bsr_status bsr_infer_split(bsr_infer *ctx)
{
    bsr_view in[BSR_CALL_INPUTS];
    bsr_op_call call;
    bsr_infer_call(ctx, &call, in);
    split_plan plan;
    BSR_TRY(plan_split(&plan, &call));
    for (int i = 0; i < call.n_out; i++) {
        int64_t dims[BSR_MAX_RANK];
        memcpy(dims, in[0].dims, sizeof dims);
        dims[plan.axis] = split_size(&plan, i);
        BSR_TRY(bsr_infer_set(ctx, i, in[0].dtype, in[0].rank, dims));
    }
    return BSR_OK;
}

bsr_status bsr_run_split(const bsr_op_call *call)
{
    split_plan plan;
    BSR_TRY(plan_split(&plan, call));
    int64_t start = 0;
    for (int i = 0; i < call->n_out; i++) {
        int64_t n = split_size(&plan, i);
        bsr_view src = bsr_view_range(&call->in[0], plan.axis, start, n);
        if (call->out[i].data)
            bsr_view_copy(&call->out[i], &src);
        start += n;
    }
    return BSR_OK;
}
