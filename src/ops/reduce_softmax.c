#include <math.h>

#include "base/error.h"
#include "ops/int_args.h"
#include "ops/mathf.h"
#include "ops/reduce_ops.h"

/* Dimensions normalised together: one axis, default the last, from opset 13 on; before, the input
 * is taken as a matrix and `axis` (default 1) is the first dimension of its columns. */
static bsr_status softmax_axes(unsigned *set, const bsr_op_call *call)
{
    int rank = call->in[0].rank, axis;
    if (call->opset >= 13) {
        BSR_TRY(bsr_call_axis(&axis, call, bsr_node_int(call->node, "axis", -1), rank));
        *set = 1u << axis;
        return BSR_OK;
    }
    int64_t first = bsr_node_int(call->node, "axis", 1);
    if (first == rank) { /* columns of one element */
        *set = 0;
        return BSR_OK;
    }
    BSR_TRY(bsr_call_axis(&axis, call, first, rank));
    *set = ((1u << rank) - 1) & ~((1u << axis) - 1);
    return BSR_OK;
}

bsr_status bsr_infer_softmax(bsr_infer *ctx)
{
    bsr_view in[BSR_CALL_INPUTS];
    bsr_op_call call;
    bsr_infer_call(ctx, &call, in);
    unsigned set;
    if (in[0].dtype != BSR_F32 && in[0].dtype != BSR_F64)
        return bsr_node_fail(ctx->node, BSR_EUNSUPPORTED, "input is %s",
                             bsr_dtype_name(in[0].dtype));
    BSR_TRY(softmax_axes(&set, &call));
    return bsr_infer_set(ctx, 0, in[0].dtype, in[0].rank, in[0].dims);
}

/* The sequence of docs/design/numerics.md for one row, in float or double. The output holds
 * the exponentials (or x - max) until the sum is known. */
#define SOFTMAX_ROW(name, type, exp_fn, log_fn)                                                    \
    static void name(const bsr_view *in, const bsr_view *out, int want_log)                        \
    {                                                                                              \
        int64_t idx[BSR_MAX_RANK] = {0};                                                           \
        type max = -INFINITY, sum = 0;                                                             \
        do {                                                                                       \
            type x = *(const type *)bsr_view_at(in, idx, sizeof x);                                \
            max = x > max || isnan(x) ? x : max;                                                   \
        } while (bsr_next_index(in->rank, in->dims, idx));                                         \
        do {                                                                                       \
            type x = *(const type *)bsr_view_at(in, idx, sizeof x);                                \
            type e = exp_fn(x - max);                                                              \
            sum += e;                                                                              \
            *(type *)bsr_view_at(out, idx, sizeof x) = want_log ? x - max : e;                     \
        } while (bsr_next_index(in->rank, in->dims, idx));                                         \
        type log_sum = want_log ? log_fn(sum) : 0;                                                 \
        do {                                                                                       \
            type *y = bsr_view_at(out, idx, sizeof *y);                                            \
            *y = want_log ? *y - log_sum : *y / sum;                                               \
        } while (bsr_next_index(in->rank, in->dims, idx));                                         \
    }

SOFTMAX_ROW(softmax_row_f32, float, bsr_expf, bsr_logf)
SOFTMAX_ROW(softmax_row_f64, double, bsr_exp, bsr_log)

static bsr_status run_rows(const bsr_op_call *call, int want_log)
{
    const bsr_view *in = &call->in[0], *out = &call->out[0];
    size_t size = bsr_dtype_size(in->dtype);
    unsigned set;
    BSR_TRY(softmax_axes(&set, call));
    if (bsr_count(in->rank, in->dims) == 0)
        return BSR_OK;
    bsr_view from = bsr_view_pick(in, ~set), to = bsr_view_pick(out, ~set);
    bsr_view in_row = bsr_view_pick(in, set), out_row = bsr_view_pick(out, set);
    int64_t idx[BSR_MAX_RANK] = {0};
    do {
        in_row.data = bsr_view_at(&from, idx, size);
        out_row.data = bsr_view_at(&to, idx, size);
        if (in->dtype == BSR_F32)
            softmax_row_f32(&in_row, &out_row, want_log);
        else
            softmax_row_f64(&in_row, &out_row, want_log);
    } while (bsr_next_index(from.rank, from.dims, idx));
    return BSR_OK;
}

bsr_status bsr_run_softmax(const bsr_op_call *call)
{
    return run_rows(call, 0);
}

bsr_status bsr_run_log_softmax(const bsr_op_call *call)
{
    return run_rows(call, 1);
}
