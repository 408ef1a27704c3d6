#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "ops/int_args.h"
#include "ops/shape_ops.h"

bsr_status bsr_infer_expand(bsr_infer *ctx)
{
    bsr_view in[BSR_CALL_INPUTS];
    bsr_op_call call;
    bsr_infer_call(ctx, &call, in);
    bsr_ints shape;
    BSR_TRY(bsr_call_ints(&shape, &call, "shape", 1, 0));
    if (shape.n > BSR_MAX_RANK)
        return bsr_node_fail(ctx->node, BSR_ELIMIT, "shape has %" PRId64 " values, at most %d",
                             shape.n, BSR_MAX_RANK);
    int want = (int)shape.n, have = in[0].rank, rank = want > have ? want : have;
    int64_t dims[BSR_MAX_RANK];
    /* Broadcasting both ways: a 1 on either side takes the other's size; aligned at the end. */
    for (int d = 0; d < rank; d++) {
        int64_t a = d < rank - have ? 1 : in[0].dims[d - (rank - have)];
        int64_t b = d < rank - want ? 1 : bsr_ints_at(&shape, d - (rank - want));
        if (b < 0 || (a != b && a != 1 && b != 1))
            return bsr_node_fail(ctx->node, BSR_EFORMAT,
                                 "dimension %d is %" PRId64 ", it cannot become %" PRId64, d, a, b);
        dims[d] = a == 1 ? b : a;
    }
    return bsr_infer_set(ctx, 0, in[0].dtype, rank, dims);
}

bsr_status bsr_run_expand(const bsr_op_call *call)
{
    const bsr_view *in = &call->in[0], *out = &call->out[0];
    bsr_view src = {.dtype = in->dtype, .rank = out->rank, .data = in->data};
    int added = out->rank - in->rank;
    memcpy(src.dims, out->dims, sizeof src.dims);
    for (int d = added; d < out->rank; d++)
        if (in->dims[d - added] != 1)
            src.strides[d] = in->strides[d - added];
    bsr_view_copy(out, &src);
    return BSR_OK;
}

bsr_status bsr_infer_tile(bsr_infer *ctx)
{
    bsr_view in[BSR_CALL_INPUTS];
    bsr_op_call call;
    bsr_infer_call(ctx, &call, in);
    bsr_ints repeats;
    BSR_TRY(bsr_call_ints(&repeats, &call, "repeats", 1, 0));
    if (repeats.n != in[0].rank)
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "repeats has %" PRId64 " values, expected %d",
                             repeats.n, in[0].rank);
    int64_t dims[BSR_MAX_RANK];
    for (int d = 0; d < in[0].rank; d++) {
        int64_t times = bsr_ints_at(&repeats, d);
        if (times < 0 || times > BSR_MAX_ELEMENTS)
            return bsr_node_fail(ctx->node, BSR_EFORMAT, "repeats value %d is %" PRId64, d, times);
        dims[d] = in[0].dims[d] * times; /* both at most 2^31 */
    }
    return bsr_infer_set(ctx, 0, in[0].dtype, in[0].rank, dims);
}

bsr_status bsr_run_tile(const bsr_op_call *call)
{
    const bsr_view *in = &call->in[0], *out = &call->out[0];
    if (bsr_count(out->rank, out->dims) == 0)
        return BSR_OK;
    int64_t times[BSR_MAX_RANK], tile[BSR_MAX_RANK] = {0};
    bsr_view origins = *out, dst = *in; /* index of a tile -> its first element */
    for (int d = 0; d < in->rank; d++) {
        times[d] = out->dims[d] / in->dims[d];
        origins.strides[d] = out->strides[d] * in->dims[d];
        dst.strides[d] = out->strides[d];
    }
    do {
        dst.data = bsr_view_at(&origins, tile, bsr_dtype_size(out->dtype));
        bsr_view_copy(&dst, in);
    } while (bsr_next_index(in->rank, times, tile));
    return BSR_OK;
}
