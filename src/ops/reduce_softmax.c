#include <math.h>

#include "base/error.h"
#include "ops/backward.h"
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

/* One row from its results y: with S the sum over the row, dx = y (g - S(g y)) for Softmax and
 * dx = g - exp(y) S(g) for LogSoftmax. */
static void row_backward(const bsr_view *y, const bsr_view *g, const bsr_view *dx, int is_log)
{
    int64_t idx[BSR_MAX_RANK] = {0};
    double sum = 0.0;
    do {
        double gi = (double)*(const float *)bsr_view_at(g, idx, sizeof(float));
        double yi = (double)*(const float *)bsr_view_at(y, idx, sizeof(float));
        sum += is_log ? gi : gi * yi;
    } while (bsr_next_index(y->rank, y->dims, idx));
    do {
        double gi = (double)*(const float *)bsr_view_at(g, idx, sizeof(float));
        double yi = (double)*(const float *)bsr_view_at(y, idx, sizeof(float));
        double d = is_log ? gi - bsr_exp(yi) * sum : yi * (gi - sum);
        *(float *)bsr_view_at(dx, idx, sizeof(float)) = (float)(d + 0.0); /* no -0 */
    } while (bsr_next_index(y->rank, y->dims, idx));
}

static bsr_status rows_backward(const bsr_op_backward *call, int is_log)
{
    const bsr_op_call *f = call->forward;
    const bsr_view *y = &f->out[0], *g = &call->grad_out[0], *dx = &call->grad_in[0];
    unsigned set;
    BSR_TRY(softmax_axes(&set, f));
    BSR_TRY(bsr_backward_check_f32(call));
    if (!bsr_backward_begin(call) || !dx->data || bsr_count(y->rank, y->dims) == 0)
        return BSR_OK;
    bsr_view y_rows = bsr_view_pick(y, ~set), y_row = bsr_view_pick(y, set);
    bsr_view g_rows = bsr_view_pick(g, ~set), g_row = bsr_view_pick(g, set);
    bsr_view dx_rows = bsr_view_pick(dx, ~set), dx_row = bsr_view_pick(dx, set);
    int64_t idx[BSR_MAX_RANK] = {0};
    do {
        y_row.data = bsr_view_at(&y_rows, idx, sizeof(float));
        g_row.data = bsr_view_at(&g_rows, idx, sizeof(float));
        dx_row.data = bsr_view_at(&dx_rows, idx, sizeof(float));
        row_backward(&y_row, &g_row, &dx_row, is_log);
    } while (bsr_next_index(y_rows.rank, y_rows.dims, idx));
    return BSR_OK;
}

bsr_status bsr_softmax_backward(const bsr_op_backward *call)
{
    return rows_backward(call, 0);
}

bsr_status bsr_log_softmax_backward(const bsr_op_backward *call)
{
    return rows_backward(call, 1);
}
