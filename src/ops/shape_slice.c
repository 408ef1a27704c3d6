#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "ops/int_args.h"
#include "ops/shape_ops.h"

/* The slice as a view of the input: output index i along d is input index start + i * step. */
typedef struct slice_plan {
    int64_t start[BSR_MAX_RANK], step[BSR_MAX_RANK], n[BSR_MAX_RANK];
} slice_plan;

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
    if (x < low)
        x = low;
    return x > high ? high : x;
}

/* ONNX's rule for one axis of `dim` elements: negative positions count from the end, positions out
 * of range are clamped; going backwards the end may be one before the first element. */
static void slice_axis(slice_plan *plan, int axis, int64_t dim, int64_t start, int64_t end,
                       int64_t step)
{
    step = clamp(step, -BSR_MAX_ELEMENTS, BSR_MAX_ELEMENTS);
    if (start < 0)
        start += dim;
    if (end < 0)
        end += dim;
    int64_t n;
    if (step > 0) {
        start = clamp(start, 0, dim);
        end = clamp(end, 0, dim);
        n = (end - start + step - 1) / step;
    } else {
        start = clamp(start, 0, dim - 1);
        end = clamp(end, -1, dim - 1);
        n = (start - end - step - 1) / -step;
    }
    plan->n[axis] = n < 0 ? 0 : n;
    plan->start[axis] = start;
    plan->step[axis] = step;
}

static bsr_status plan_slice(slice_plan *plan, const bsr_op_call *call)
{
    const bsr_view *in = &call->in[0];
    bsr_ints starts, ends, list, steps;
    int axes[BSR_MAX_RANK];
    BSR_TRY(bsr_call_ints(&starts, call, "starts", 1, 10));
    BSR_TRY(bsr_call_ints(&ends, call, "ends", 2, 10));
    BSR_TRY(bsr_call_ints(&list, call, "axes", 3, 10));
    BSR_TRY(bsr_call_ints(&steps, call, "steps", 4, 10));
    int64_t n = starts.n;
    if (!starts.present || !ends.present)
        return bsr_node_fail(call->node, BSR_EFORMAT, "%s is missing",
                             starts.present ? "ends" : "starts");
    if (ends.n != n || (list.present ? list.n != n : n > in->rank) ||
        (steps.present && steps.n != n))
        return bsr_node_fail(call->node, BSR_EFORMAT,
                             "starts, ends, axes, steps have %" PRId64 ", %" PRId64 ", %" PRId64
                             ", %" PRId64 " values for rank %d",
                             n, ends.n, list.n, steps.n, in->rank);
    BSR_TRY(bsr_call_axes(axes, call, &list, in->rank));
    for (int d = 0; d < in->rank; d++)
        slice_axis(plan, d, in->dims[d], 0, in->dims[d], 1);
    for (int64_t i = 0; i < n; i++) {
        int axis = list.present ? axes[i] : (int)i;
        int64_t step = steps.present ? bsr_ints_at(&steps, i) : 1;
        if (step == 0)
            return bsr_node_fail(call->node, BSR_EFORMAT, "step of axis %d is 0", axis);
        slice_axis(plan, axis, in->dims[axis], bsr_ints_at(&starts, i), bsr_ints_at(&ends, i),
                   step);
    }
    return BSR_OK;
}

bsr_status bsr_infer_slice(bsr_infer *ctx)
{
    bsr_view in[BSR_CALL_INPUTS];
    bsr_op_call call;
    bsr_infer_call(ctx, &call, in);
    slice_plan plan;
    BSR_TRY(plan_slice(&plan, &call));
    return bsr_infer_set(ctx, 0, in[0].dtype, in[0].rank, plan.n);
}

bsr_status bsr_run_slice(const bsr_op_call *call)
{
    slice_plan plan;
    BSR_TRY(plan_slice(&plan, call));
    bsr_view src = call->in[0];
    memcpy(src.dims, plan.n, sizeof src.dims);
    if (bsr_count(src.rank, src.dims) == 0)
        return BSR_OK;
    /* Non-empty, so every start is the index of an element. */
    src.data = bsr_view_at(&call->in[0], plan.start, bsr_dtype_size(src.dtype));
    for (int d = 0; d < src.rank; d++)
        src.strides[d] *= plan.step[d];
    bsr_view_copy(&call->out[0], &src);
    return BSR_OK;
}
