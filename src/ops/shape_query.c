#include <string.h>

#include "ops/shape_ops.h"

/* Clamped range of dimensions that Shape reports (start and end exist from opset 15). */
static void shape_range(const bsr_node *node, int rank, int *start, int *end)
{
    int64_t bound[2] = {bsr_node_int(node, "start", 0), bsr_node_int(node, "end", rank)};
    for (int i = 0; i < 2; i++) {
        if (bound[i] < 0)
            bound[i] += rank;
        if (bound[i] < 0)
            bound[i] = 0;
        if (bound[i] > rank)
            bound[i] = rank;
    }
    *start = (int)bound[0];
    *end = (int)(bound[1] < bound[0] ? bound[0] : bound[1]);
}

bsr_status bsr_infer_shape(bsr_infer *ctx)
{
    int start, end;
    shape_range(ctx->node, bsr_infer_in(ctx, 0)->rank, &start, &end);
    int64_t n = end - start;
    return bsr_infer_set(ctx, 0, BSR_I64, 1, &n);
}

bsr_status bsr_run_shape(const bsr_op_call *call)
{
    const bsr_view *out = &call->out[0];
    int start, end;
    shape_range(call->node, call->in[0].rank, &start, &end);
    for (int d = start; d < end; d++)
        ((int64_t *)out->data)[(d - start) * out->strides[0]] = call->in[0].dims[d];
    return BSR_OK;
}

bsr_status bsr_infer_size(bsr_infer *ctx)
{
    return bsr_infer_set(ctx, 0, BSR_I64, 0, NULL);
}

bsr_status bsr_run_size(const bsr_op_call *call)
{
    *(int64_t *)call->out[0].data = bsr_count(call->in[0].rank, call->in[0].dims);
    return BSR_OK;
}
