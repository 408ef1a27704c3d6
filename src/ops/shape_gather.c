#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "ops/int_args.h"
#include "ops/shape_ops.h"

static bsr_status gather_axis(const bsr_op_call *call, int *axis)
{
    return bsr_call_axis(axis, call, bsr_node_int(call->node, "axis", 0), call->in[0].rank);
}

static bsr_status check_indices(const bsr_op_call *call)
{
    bsr_dtype dtype = call->in[1].dtype;
    if (dtype != BSR_I32 && dtype != BSR_I64)
        return bsr_node_fail(call->node, BSR_EFORMAT, "indices are %s, expected int64 or int32",
                             bsr_dtype_name(dtype));
    return BSR_OK;
}

/* The value of `indices` at idx, made non-negative; EFORMAT outside -n..n-1. */
static bsr_status read_index(int64_t *out, const bsr_op_call *call, const int64_t *idx, int64_t n)
{
    const bsr_view *v = &call->in[1];
    const void *p = bsr_view_at(v, idx, bsr_dtype_size(v->dtype));
    int64_t at = v->dtype == BSR_I32 ? *(const int32_t *)p : *(const int64_t *)p;
    if (at < -n || at >= n)
        return bsr_node_fail(call->node, BSR_EFORMAT,
                             "index %" PRId64 " is outside %" PRId64 " to %" PRId64, at, -n, n - 1);
    *out = at < 0 ? at + n : at;
    return BSR_OK;
}

/* Gather: out[a.., i.., b..] = in[a.., indices[i..], b..]. */

bsr_status bsr_infer_gather(bsr_infer *ctx)
{
    bsr_view in[BSR_CALL_INPUTS];
    bsr_op_call call;
    bsr_infer_call(ctx, &call, in);
    int axis, rank = in[0].rank - 1 + in[1].rank;
    int64_t dims[BSR_MAX_RANK];
    BSR_TRY(gather_axis(&call, &axis));
    BSR_TRY(check_indices(&call));
    if (rank > BSR_MAX_RANK)
        return bsr_node_fail(ctx->node, BSR_ELIMIT, "the result has rank %d, at most %d", rank,
                             BSR_MAX_RANK);
    int after = in[0].rank - axis - 1;
    memcpy(dims, in[0].dims, (size_t)axis * sizeof *dims);
    memcpy(dims + axis, in[1].dims, (size_t)in[1].rank * sizeof *dims);
    memcpy(dims + axis + in[1].rank, in[0].dims + axis + 1, (size_t)after * sizeof *dims);
    return bsr_infer_set(ctx, 0, in[0].dtype, rank, dims);
}

bsr_status bsr_run_gather(const bsr_op_call *call)
{
    const bsr_view *in = &call->in[0], *indices = &call->in[1], *out = &call->out[0];
    int axis;
    BSR_TRY(gather_axis(call, &axis));
    if (bsr_count(out->rank, out->dims) == 0)
        return BSR_OK;
    /* Output without the indices' dimensions, with a dimension of one element in their place. */
    bsr_view dst = {.dtype = out->dtype, .rank = in->rank};
    for (int d = 0; d < in->rank; d++) {
        int from = d < axis ? d : d + indices->rank - 1;
        dst.dims[d] = d == axis ? 1 : out->dims[from];
        dst.strides[d] = d == axis ? 0 : out->strides[from];
    }
    int64_t idx[BSR_MAX_RANK] = {0}, out_idx[BSR_MAX_RANK] = {0};
    do {
        int64_t at;
        BSR_TRY(read_index(&at, call, idx, in->dims[axis]));
        memcpy(out_idx + axis, idx, (size_t)indices->rank * sizeof *idx);
        dst.data = bsr_view_at(out, out_idx, bsr_dtype_size(out->dtype));
        bsr_view src = bsr_view_range(in, axis, at, 1);
        bsr_view_copy(&dst, &src);
    } while (bsr_next_index(indices->rank, indices->dims, idx));
    return BSR_OK;
}

/* GatherElements: out[i] = in[i with i[axis] replaced by indices[i]]. */

bsr_status bsr_infer_gather_elements(bsr_infer *ctx)
{
    bsr_view in[BSR_CALL_INPUTS];
    bsr_op_call call;
    bsr_infer_call(ctx, &call, in);
    int axis;
    BSR_TRY(gather_axis(&call, &axis));
    BSR_TRY(check_indices(&call));
    int fits = in[1].rank == in[0].rank;
    for (int d = 0; fits && d < in[0].rank; d++)
        fits = d == axis || in[1].dims[d] <= in[0].dims[d];
    char data[128], indices[128];
    if (!fits)
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "indices are %s for data %s and axis %d",
                             bsr_dims_text(indices, sizeof indices, in[1].rank, in[1].dims),
                             bsr_dims_text(data, sizeof data, in[0].rank, in[0].dims), axis);
    return bsr_infer_set(ctx, 0, in[0].dtype, in[1].rank, in[1].dims);
}

bsr_status bsr_run_gather_elements(const bsr_op_call *call)
{
    const bsr_view *in = &call->in[0], *out = &call->out[0];
    size_t size = bsr_dtype_size(in->dtype);
    int axis;
    BSR_TRY(gather_axis(call, &axis));
    if (bsr_count(out->rank, out->dims) == 0)
        return BSR_OK;
    int64_t idx[BSR_MAX_RANK] = {0};
    do {
        int64_t from[BSR_MAX_RANK];
        memcpy(from, idx, sizeof from);
        BSR_TRY(read_index(&from[axis], call, idx, in->dims[axis]));
        memcpy(bsr_view_at(out, idx, size), bsr_view_at(in, from, size), size);
    } while (bsr_next_index(out->rank, out->dims, idx));
    return BSR_OK;
}
