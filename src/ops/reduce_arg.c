#include <string.h>

#include "base/error.h"
#include "ops/int_args.h"
#include "ops/reduce_ops.h"

static bsr_status arg_axis(const bsr_op_call *call, int *axis)
{
    return bsr_call_axis(axis, call, bsr_node_int(call->node, "axis", 0), call->in[0].rank);
}

/* Index of the best of n >= 1 elements at p; `last` lets a later equal element win. */
typedef int64_t (*arg_fn)(const void *p, int64_t n, int64_t step, int least, int last);

/* x != x is true for NaN only, which beats everything but an earlier NaN. */
#define ARG(name, type)                                                                            \
    static int64_t name(const void *p, int64_t n, int64_t step, int least, int last)               \
    {                                                                                              \
        const type *at = p;                                                                        \
        type best = at[0];                                                                         \
        int64_t index = 0;                                                                         \
        for (int64_t i = 1; i < n; i++) {                                                          \
            type x = at[i * step];                                                                 \
            int x_nan = x != x, best_nan = best != best;                                           \
            int better = least ? x < best : x > best;                                              \
            int equal = x == best || (x_nan && best_nan);                                          \
            if ((x_nan && !best_nan) || (better && !best_nan) || (last && equal)) {                \
                best = x;                                                                          \
                index = i;                                                                         \
            }                                                                                      \
        }                                                                                          \
        return index;                                                                              \
    }

ARG(arg_f32, float)
ARG(arg_f64, double)
ARG(arg_i32, int32_t)
ARG(arg_i64, int64_t)
ARG(arg_i8, int8_t)
ARG(arg_u8, uint8_t)

static arg_fn find_arg(bsr_dtype dtype)
{
    static const struct {
        bsr_dtype dtype;
        arg_fn fn;
    } rows[] = {
        {BSR_F32, arg_f32}, {BSR_F64, arg_f64}, {BSR_I32, arg_i32},
        {BSR_I64, arg_i64}, {BSR_I8, arg_i8},   {BSR_U8, arg_u8},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].dtype == dtype)
            return rows[i].fn;
    return NULL;
}

bsr_status bsr_infer_arg(bsr_infer *ctx)
{
    bsr_view in[BSR_CALL_INPUTS];
    bsr_op_call call;
    bsr_infer_call(ctx, &call, in);
    int axis, rank = 0, keepdims = bsr_node_int(ctx->node, "keepdims", 1) != 0;
    int64_t dims[BSR_MAX_RANK];
    if (!find_arg(in[0].dtype))
        return bsr_node_fail(ctx->node, BSR_EUNSUPPORTED, "input is %s",
                             bsr_dtype_name(in[0].dtype));
    BSR_TRY(arg_axis(&call, &axis));
    if (in[0].dims[axis] == 0)
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "axis %d has no elements", axis);
    for (int d = 0; d < in[0].rank; d++)
        if (d != axis || keepdims)
            dims[rank++] = d == axis ? 1 : in[0].dims[d];
    return bsr_infer_set(ctx, 0, BSR_I64, rank, dims);
}

static bsr_status run_arg(const bsr_op_call *call, int least)
{
    const bsr_view *in = &call->in[0], *out = &call->out[0];
    int axis, last = bsr_node_int(call->node, "select_last_index", 0) != 0;
    BSR_TRY(arg_axis(call, &axis));
    if (bsr_count(out->rank, out->dims) == 0)
        return BSR_OK;
    arg_fn best = find_arg(in->dtype);
    size_t size = bsr_dtype_size(in->dtype);
    bsr_view from = bsr_view_pick(in, ~(1u << axis));
    bsr_view to = bsr_view_results(out, in->rank, 1u << axis);
    int64_t n = in->dims[axis], step = in->strides[axis], idx[BSR_MAX_RANK] = {0};
    do {
        int64_t *y = bsr_view_at(&to, idx, sizeof *y);
        *y = best(bsr_view_at(&from, idx, size), n, step, least, last);
    } while (bsr_next_index(from.rank, from.dims, idx));
    return BSR_OK;
}

bsr_status bsr_run_arg_max(const bsr_op_call *call)
{
    return run_arg(call, 0);
}

bsr_status bsr_run_arg_min(const bsr_op_call *call)
{
    return run_arg(call, 1);
}
