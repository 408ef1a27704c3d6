/* GlobalAveragePool and GlobalMaxPool: row-major over all spatial dimensions. */
#include <math.h>

#include "base/error.h"
#include "ops/nn.h"

bsr_status bsr_global_pool_infer(bsr_infer *ctx)
{
    const bsr_value *x = bsr_infer_in(ctx, 0);
    int64_t dims[BSR_MAX_RANK];
    char text[96];
    BSR_TRY(bsr_nn_check_dtype(ctx, 0, "input", BSR_F32));
    if (x->rank < 3 || bsr_count(x->rank - 2, x->dims + 2) == 0)
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "input %s has no spatial elements",
                             bsr_dims_text(text, sizeof text, x->rank, x->dims));
    for (int d = 0; d < x->rank; d++)
        dims[d] = d < 2 ? x->dims[d] : 1;
    return bsr_infer_set(ctx, 0, BSR_F32, x->rank, dims);
}

typedef float (*step_fn)(float r, float x);

static float sum_step(float r, float x)
{
    return r + x;
}

static float max_step(float r, float x)
{
    return x > r || x != x ? x : r;
}

/* Left fold over one channel plane of x. */
static float fold_plane(const bsr_view *x, const float *plane, float start, step_fn step)
{
    const int rows_rank = x->rank - 3;
    const int64_t width = x->dims[x->rank - 1], stride = x->strides[x->rank - 1];
    int64_t idx[BSR_MAX_RANK] = {0};
    float r = start;
    do {
        const float *row = plane;
        for (int d = 0; d < rows_rank; d++)
            row += idx[d] * x->strides[2 + d];
        for (int64_t i = 0; i < width; i++)
            r = step(r, row[i * stride]);
    } while (bsr_next_index(rows_rank, x->dims + 2, idx));
    return r;
}

static void run(const bsr_op_call *call, float start, step_fn step, float divisor)
{
    const bsr_view *x = &call->in[0], *y = &call->out[0];
    for (int64_t n = 0; n < x->dims[0]; n++)
        for (int64_t c = 0; c < x->dims[1]; c++) {
            const float *plane = (const float *)x->data + n * x->strides[0] + c * x->strides[1];
            ((float *)y->data)[n * y->strides[0] + c * y->strides[1]] =
                fold_plane(x, plane, start, step) / divisor;
        }
}

bsr_status bsr_global_average_pool_run(const bsr_op_call *call)
{
    run(call, 0.0f, sum_step, (float)bsr_count(call->in[0].rank - 2, call->in[0].dims + 2));
    return BSR_OK;
}

bsr_status bsr_global_max_pool_run(const bsr_op_call *call)
{
    run(call, -INFINITY, max_step, 1.0f); /* x / 1 is x */
    return BSR_OK;
}
