#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "ops/int_args.h"
#include "ops/shape_ops.h"

/* perm[d]: the input dimension that becomes output dimension d. */
static bsr_status read_perm(const bsr_op_call *call, int perm[BSR_MAX_RANK])
{
    int rank = call->in[0].rank;
    const bsr_attr *attr = bsr_node_attr(call->node, "perm");
    if (!attr) {
        for (int d = 0; d < rank; d++)
            perm[d] = rank - 1 - d;
        return BSR_OK;
    }
    if (attr->n != (size_t)rank)
        return bsr_node_fail(call->node, BSR_EFORMAT, "perm has %zu values, expected %d", attr->n,
                             rank);
    bsr_ints list = {.present = 1, .n = rank, .step = 1, .dtype = BSR_I64, .data = attr->ints};
    return bsr_call_axes(perm, call, &list, rank);
}

bsr_status bsr_infer_transpose(bsr_infer *ctx)
{
    bsr_view in[BSR_CALL_INPUTS];
    bsr_op_call call;
    bsr_infer_call(ctx, &call, in);
    int perm[BSR_MAX_RANK];
    int64_t dims[BSR_MAX_RANK];
    BSR_TRY(read_perm(&call, perm));
    for (int d = 0; d < in[0].rank; d++)
        dims[d] = in[0].dims[perm[d]];
    return bsr_infer_set(ctx, 0, in[0].dtype, in[0].rank, dims);
}

bsr_status bsr_run_transpose(const bsr_op_call *call)
{
    int perm[BSR_MAX_RANK];
    BSR_TRY(read_perm(call, perm));
    bsr_view src = call->in[0];
    for (int d = 0; d < src.rank; d++) {
        src.dims[d] = call->in[0].dims[perm[d]];
        src.strides[d] = call->in[0].strides[perm[d]];
    }
    bsr_view_copy(&call->out[0], &src);
    return BSR_OK;
}

/* DepthToSpace and SpaceToDepth copy between two views with the dimensions
 * N x C x H x W x B x B, where C x H x W is the deep tensor's shape without its factor B*B. */

static bsr_view space_blocks(const bsr_view *v, int64_t b)
{
    const int64_t *s = v->strides;
    return (bsr_view){.dtype = v->dtype,
                      .rank = 6,
                      .dims = {v->dims[0], v->dims[1], v->dims[2] / b, v->dims[3] / b, b, b},
                      .strides = {s[0], s[1], s[2] * b, s[3] * b, s[2], s[3]},
                      .data = v->data};
}

/* block_first: channel = (row * b + column) * C + c, ONNX's mode "DCR"; otherwise
 * channel = c * b * b + row * b + column, "CRD". */
static bsr_view depth_blocks(const bsr_view *v, int64_t b, int block_first)
{
    const int64_t *s = v->strides;
    int64_t c = v->dims[1] / (b * b);
    bsr_view r = {.dtype = v->dtype,
                  .rank = 6,
                  .dims = {v->dims[0], c, v->dims[2], v->dims[3], b, b},
                  .strides = {s[0], s[1], s[2], s[3], b * c * s[1], c * s[1]},
                  .data = v->data};
    if (!block_first) {
        r.strides[1] = b * b * s[1];
        r.strides[4] = b * s[1];
        r.strides[5] = s[1];
    }
    return r;
}

/* Block size; the bound keeps its square and the products with dimensions inside int64. */
static bsr_status read_block(const bsr_infer *ctx, const bsr_value *in, int64_t *b)
{
    *b = bsr_node_int(ctx->node, "blocksize", 0);
    if (in->rank != 4)
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "input has rank %d, expected 4", in->rank);
    if (*b < 1 || *b > 1 << 15)
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "blocksize is %" PRId64 ", expected 1 to %d",
                             *b, 1 << 15);
    return BSR_OK;
}

bsr_status bsr_infer_depth_to_space(bsr_infer *ctx)
{
    const bsr_value *in = bsr_infer_in(ctx, 0);
    const char *mode = bsr_node_string(ctx->node, "mode", "DCR");
    int64_t b;
    BSR_TRY(read_block(ctx, in, &b));
    if (strcmp(mode, "DCR") && strcmp(mode, "CRD"))
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "mode is '%s', expected DCR or CRD", mode);
    if (in->dims[1] % (b * b))
        return bsr_node_fail(ctx->node, BSR_EFORMAT,
                             "%" PRId64 " channels do not divide by blocksize %" PRId64 " squared",
                             in->dims[1], b);
    int64_t dims[4] = {in->dims[0], in->dims[1] / (b * b), in->dims[2] * b, in->dims[3] * b};
    return bsr_infer_set(ctx, 0, in->dtype, 4, dims);
}

bsr_status bsr_run_depth_to_space(const bsr_op_call *call)
{
    int64_t b = bsr_node_int(call->node, "blocksize", 0);
    int block_first = !strcmp(bsr_node_string(call->node, "mode", "DCR"), "DCR");
    bsr_view src = depth_blocks(&call->in[0], b, block_first);
    bsr_view dst = space_blocks(&call->out[0], b);
    bsr_view_copy(&dst, &src);
    return BSR_OK;
}

bsr_status bsr_infer_space_to_depth(bsr_infer *ctx)
{
    const bsr_value *in = bsr_infer_in(ctx, 0);
    int64_t b;
    BSR_TRY(read_block(ctx, in, &b));
    if (in->dims[2] % b || in->dims[3] % b)
        return bsr_node_fail(ctx->node, BSR_EFORMAT,
                             "%" PRId64 "x%" PRId64 " pixels do not divide by blocksize %" PRId64,
                             in->dims[2], in->dims[3], b);
    int64_t dims[4] = {in->dims[0], in->dims[1] * b * b, in->dims[2] / b, in->dims[3] / b};
    return bsr_infer_set(ctx, 0, in->dtype, 4, dims);
}

bsr_status bsr_run_space_to_depth(const bsr_op_call *call)
{
    int64_t b = bsr_node_int(call->node, "blocksize", 0);
    bsr_view src = space_blocks(&call->in[0], b);
    bsr_view dst = depth_blocks(&call->out[0], b, 1);
    bsr_view_copy(&dst, &src);
    return BSR_OK;
}
