/* BatchNormalization at inference, and LRN. */
#include <math.h>

#include "base/error.h"
#include "ops/mathf.h"
#include "ops/nn.h"

bsr_status bsr_batch_norm_infer(bsr_infer *ctx)
{
    static const char *const names[] = {"input", "scale", "bias", "mean", "variance"};
    const bsr_value *x = bsr_infer_in(ctx, 0);
    const bsr_node *node = ctx->node;
    if (bsr_node_int(node, "training_mode", 0) != 0)
        return bsr_node_fail(node, BSR_EUNSUPPORTED, "training_mode is 1, supported is 0");
    if (bsr_node_int(node, "spatial", 1) != 1)
        return bsr_node_fail(node, BSR_EUNSUPPORTED, "spatial is 0, supported is 1");
    for (int i = 1; i < 5; i++)
        if (bsr_nn_wants_output(node, i))
            return bsr_node_fail(node, BSR_EUNSUPPORTED,
                                 "output %d exists in training only, supported is inference", i);
    if (x->rank < 2)
        return bsr_node_fail(node, BSR_EFORMAT, "input has %d dimensions, expected at least 2",
                             x->rank);
    for (int i = 0; i < 5; i++)
        BSR_TRY(bsr_nn_check_dtype(ctx, i, names[i], BSR_F32));
    for (int i = 1; i < 5; i++)
        BSR_TRY(bsr_nn_check_vector(ctx, i, names[i], x->dims[1], "channels"));
    return bsr_infer_set(ctx, 0, BSR_F32, x->rank, x->dims);
}

/* y = fma(x, s, t) on one channel plane that starts at from and to. */
static void affine_plane(const bsr_view *x, const bsr_view *y, const float *from, float *to,
                         float s, float t)
{
    const int last = x->rank - 1, rows_rank = x->rank > 2 ? x->rank - 3 : 0;
    const int64_t width = x->rank > 2 ? x->dims[last] : 1;
    int64_t idx[BSR_MAX_RANK] = {0};
    do {
        int64_t x_at = 0, y_at = 0;
        for (int d = 0; d < rows_rank; d++) {
            x_at += idx[d] * x->strides[2 + d];
            y_at += idx[d] * y->strides[2 + d];
        }
        for (int64_t i = 0; i < width; i++)
            to[y_at + i * y->strides[last]] = fmaf(from[x_at + i * x->strides[last]], s, t);
    } while (bsr_next_index(rows_rank, x->dims + 2, idx));
}

bsr_status bsr_batch_norm_run(const bsr_op_call *call)
{
    const bsr_view *x = &call->in[0], *y = &call->out[0];
    const float epsilon = bsr_node_float(call->node, "epsilon", 1e-5f);
    if (bsr_count(x->rank, x->dims) == 0)
        return BSR_OK;
    for (int64_t c = 0; c < x->dims[1]; c++) {
        float param[5]; /* [1..4]: scale, bias, mean, variance */
        for (int i = 1; i < 5; i++)
            param[i] = ((const float *)call->in[i].data)[c * call->in[i].strides[0]];
        float s = param[1] / sqrtf(param[4] + epsilon);
        float t = fmaf(-param[3], s, param[2]);
        for (int64_t n = 0; n < x->dims[0]; n++)
            affine_plane(x, y, (const float *)x->data + n * x->strides[0] + c * x->strides[1],
                         (float *)y->data + n * y->strides[0] + c * y->strides[1], s, t);
    }
    return BSR_OK;
}

bsr_status bsr_lrn_infer(bsr_infer *ctx)
{
    const bsr_value *x = bsr_infer_in(ctx, 0);
    int64_t size = bsr_node_int(ctx->node, "size", 0);
    BSR_TRY(bsr_nn_check_dtype(ctx, 0, "input", BSR_F32));
    if (x->rank < 2)
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "input has %d dimensions, expected at least 2",
                             x->rank);
    if (size < 1)
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "size is %lld, expected at least 1",
                             (long long)size);
    return bsr_infer_set(ctx, 0, BSR_F32, x->rank, x->dims);
}

bsr_status bsr_lrn_run(const bsr_op_call *call)
{
    const bsr_view *x = &call->in[0], *y = &call->out[0];
    const int64_t size = bsr_node_int(call->node, "size", 0), channels = x->dims[1];
    const float alpha = bsr_node_float(call->node, "alpha", 1e-4f) / (float)size;
    const float beta = bsr_node_float(call->node, "beta", 0.75f);
    const float bias = bsr_node_float(call->node, "bias", 1.0f);
    int64_t idx[BSR_MAX_RANK] = {0};
    if (bsr_count(x->rank, x->dims) == 0)
        return BSR_OK;
    do {
        const int64_t c = idx[1];
        /* An even window reaches one channel further up than down. */
        int64_t first = c - (size - 1) / 2, end = c + size / 2 + 1;
        first = first < 0 ? 0 : first;
        end = end > channels ? channels : end;
        const float *at = bsr_view_at(x, idx, sizeof *at);
        float sum = 0.0f;
        for (int64_t i = first; i < end; i++) {
            float v = at[(i - c) * x->strides[1]];
            sum = fmaf(v, v, sum);
        }
        *(float *)bsr_view_at(y, idx, sizeof(float)) = *at / bsr_powf(bias + alpha * sum, beta);
    } while (bsr_next_index(x->rank, x->dims, idx));
    return BSR_OK;
}
