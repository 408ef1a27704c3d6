#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "ops/int_args.h"
#include "ops/shape_ops.h"

/* Replaces the -1 at `unknown` by what makes the product equal to `count`. */
static bsr_status fill_unknown(const bsr_op_call *call, int rank, int64_t *dims, int unknown,
                               int64_t count)
{
    dims[unknown] = 1;
    int64_t others = bsr_count(rank, dims);
    if (others <= 0 || count % others)
        return bsr_node_fail(call->node, BSR_EFORMAT,
                             "shape has -1 where %" PRId64 " elements do not divide by the other "
                             "dimensions' product %" PRId64,
                             count, others);
    dims[unknown] = count / others;
    return BSR_OK;
}

static bsr_status reshape_dims(const bsr_op_call *call, int *rank, int64_t dims[BSR_MAX_RANK])
{
    const bsr_view *in = &call->in[0];
    int64_t count = bsr_count(in->rank, in->dims);
    int keep_zero = bsr_node_int(call->node, "allowzero", 0) != 0;
    int unknown = -1, zero = 0;
    bsr_ints shape;
    BSR_TRY(bsr_call_ints(&shape, call, "shape", 1, 0));
    if (shape.n > BSR_MAX_RANK)
        return bsr_node_fail(call->node, BSR_ELIMIT, "shape has %" PRId64 " values, at most %d",
                             shape.n, BSR_MAX_RANK);
    *rank = (int)shape.n;
    for (int d = 0; d < *rank; d++) {
        int64_t want = bsr_ints_at(&shape, d);
        if (want < -1 || (want == -1 && unknown >= 0))
            return bsr_node_fail(call->node, BSR_EFORMAT, "shape value %d is %" PRId64 "%s", d,
                                 want, want == -1 ? ", a second -1" : ", expected -1 or more");
        if (want == -1)
            unknown = d;
        if (want == 0 && !keep_zero) {
            if (d >= in->rank)
                return bsr_node_fail(call->node, BSR_EFORMAT,
                                     "shape value %d is 0 (copy), but the input has rank %d", d,
                                     in->rank);
            want = in->dims[d];
        }
        zero |= want == 0;
        dims[d] = want;
    }
    if (unknown >= 0 && zero)
        return bsr_node_fail(call->node, BSR_EFORMAT, "shape has -1 beside a dimension of 0");
    if (unknown >= 0)
        return fill_unknown(call, *rank, dims, unknown, count);
    char from[128], to[128];
    if (bsr_count(*rank, dims) != count)
        return bsr_node_fail(call->node, BSR_EFORMAT, "cannot reshape %s to %s",
                             bsr_dims_text(from, sizeof from, in->rank, in->dims),
                             bsr_dims_text(to, sizeof to, *rank, dims));
    return BSR_OK;
}

bsr_status bsr_infer_reshape(bsr_infer *ctx)
{
    bsr_view in[BSR_CALL_INPUTS];
    bsr_op_call call;
    bsr_infer_call(ctx, &call, in);
    int rank = 0;
    int64_t dims[BSR_MAX_RANK];
    BSR_TRY(reshape_dims(&call, &rank, dims));
    return bsr_infer_set(ctx, 0, in[0].dtype, rank, dims);
}

bsr_status bsr_infer_flatten(bsr_infer *ctx)
{
    const bsr_value *in = bsr_infer_in(ctx, 0);
    int64_t axis = bsr_node_int(ctx->node, "axis", 1);
    if (axis < -in->rank || axis > in->rank)
        return bsr_node_fail(ctx->node, BSR_EFORMAT,
                             "axis is %" PRId64 ", expected %d to %d for rank %d", axis, -in->rank,
                             in->rank, in->rank);
    int split = (int)(axis < 0 ? axis + in->rank : axis);
    int64_t dims[2] = {bsr_count(split, in->dims), bsr_count(in->rank - split, in->dims + split)};
    return bsr_infer_set(ctx, 0, in->dtype, 2, dims);
}

bsr_status bsr_infer_squeeze(bsr_infer *ctx)
{
    bsr_view in[BSR_CALL_INPUTS];
    bsr_op_call call;
    bsr_infer_call(ctx, &call, in);
    bsr_ints list;
    int axes[BSR_MAX_RANK], drop[BSR_MAX_RANK] = {0}, rank = 0;
    int64_t dims[BSR_MAX_RANK];
    BSR_TRY(bsr_call_ints(&list, &call, "axes", 1, 13));
    BSR_TRY(bsr_call_axes(axes, &call, &list, in[0].rank));
    for (int i = 0; i < (int)list.n; i++) {
        if (in[0].dims[axes[i]] != 1)
            return bsr_node_fail(ctx->node, BSR_EFORMAT,
                                 "axis %d has %" PRId64 " elements, expected 1", axes[i],
                                 in[0].dims[axes[i]]);
        drop[axes[i]] = 1;
    }
    for (int d = 0; d < in[0].rank; d++)
        if (list.present ? !drop[d] : in[0].dims[d] != 1)
            dims[rank++] = in[0].dims[d];
    return bsr_infer_set(ctx, 0, in[0].dtype, rank, dims);
}

bsr_status bsr_infer_unsqueeze(bsr_infer *ctx)
{
    bsr_view in[BSR_CALL_INPUTS];
    bsr_op_call call;
    bsr_infer_call(ctx, &call, in);
    bsr_ints list;
    int axes[BSR_MAX_RANK], added[BSR_MAX_RANK] = {0};
    int64_t dims[BSR_MAX_RANK];
    BSR_TRY(bsr_call_ints(&list, &call, "axes", 1, 13));
    if (!list.present)
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "axes is missing");
    if (list.n > BSR_MAX_RANK - in[0].rank)
        return bsr_node_fail(ctx->node, BSR_ELIMIT,
                             "rank %d and %" PRId64 " axes make a rank above %d", in[0].rank,
                             list.n, BSR_MAX_RANK);
    int rank = in[0].rank + (int)list.n;
    BSR_TRY(bsr_call_axes(axes, &call, &list, rank));
    for (int i = 0; i < (int)list.n; i++)
        added[axes[i]] = 1;
    for (int d = 0, from = 0; d < rank; d++)
        dims[d] = added[d] ? 1 : in[0].dims[from++];
    return bsr_infer_set(ctx, 0, in[0].dtype, rank, dims);
}

static int is_row_major(const bsr_view *v)
{
    int64_t strides[BSR_MAX_RANK];
    bsr_row_major(v->rank, v->dims, strides);
    for (int d = 0; d < v->rank; d++)
        if (v->dims[d] != 1 && v->strides[d] != strides[d])
            return 0;
    return 1;
}

/* `v`, whose storage is row-major, with the dimensions of `like`. */
static bsr_view with_dims_of(const bsr_view *v, const bsr_view *like)
{
    bsr_view r = *like;
    r.data = v->data;
    bsr_row_major(r.rank, r.dims, r.strides);
    return r;
}

bsr_status bsr_run_reshape(const bsr_op_call *call)
{
    const bsr_view *in = &call->in[0], *out = &call->out[0];
    if (bsr_count(in->rank, in->dims) == 0)
        return BSR_OK;
    if (is_row_major(out)) {
        bsr_view dst = with_dims_of(out, in);
        bsr_view_copy(&dst, in);
        return BSR_OK;
    }
    if (is_row_major(in)) {
        bsr_view src = with_dims_of(in, out);
        bsr_view_copy(out, &src);
        return BSR_OK;
    }
    size_t size = bsr_dtype_size(in->dtype);
    int64_t from[BSR_MAX_RANK] = {0}, to[BSR_MAX_RANK] = {0};
    do {
        memcpy(bsr_view_at(out, to, size), bsr_view_at(in, from, size), size);
        bsr_next_index(out->rank, out->dims, to);
    } while (bsr_next_index(in->rank, in->dims, from));
    return BSR_OK;
}
