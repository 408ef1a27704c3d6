/* Conv: chains of fmaf over row-major taps, then channels of the group (docs/design/numerics.md).
 */
#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/conv_shape.h"
#include "ops/nn.h"

bsr_status bsr_conv_infer(bsr_infer *ctx)
{
    const bsr_value *x = bsr_infer_in(ctx, 0), *w = bsr_infer_in(ctx, 1);
    bsr_conv_shape shape;
    BSR_TRY(bsr_nn_check_dtype(ctx, 0, "input", BSR_F32));
    BSR_TRY(bsr_nn_check_dtype(ctx, 1, "weights", BSR_F32));
    BSR_TRY(bsr_conv_shape_of(&shape, ctx->node, x->rank, x->dims, w->rank, w->dims));
    BSR_TRY(bsr_conv_check_bias(ctx, &shape, 2, BSR_F32));
    return bsr_conv_set_output(ctx, &shape, BSR_F32);
}

typedef struct conv_run {
    const bsr_op_call *call;
    bsr_conv_shape shape;
    float *weights; /* [M][tap][C / G] */
    float *patch;   /* [tap][C / G] of one output pixel, 0 in the padding */
} conv_run;

/* Copies the weights into the order of the chain. */
static bsr_status pack_weights(conv_run *r)
{
    const bsr_view *w = &r->call->in[1];
    const int64_t length = r->shape.taps * r->shape.group_in;
    int64_t *off = bsr_alloc_array((size_t)length, sizeof *off);
    r->weights = bsr_alloc_array((size_t)(w->dims[0] * length), sizeof *r->weights);
    r->patch = bsr_alloc_array((size_t)length, sizeof *r->patch);
    if (!off || !r->weights || !r->patch) {
        bsr_free(off);
        return BSR_ENOMEM;
    }
    bsr_conv_weight_offsets(&r->shape, w, off);
    float *to = r->weights;
    for (int64_t m = 0; m < w->dims[0]; m++) {
        const float *filter = (const float *)w->data + m * w->strides[0];
        for (int64_t i = 0; i < length; i++)
            *to++ = filter[off[i]];
    }
    bsr_free(off);
    return BSR_OK;
}

static float chain(float acc, const float *x, const float *w, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        acc = fmaf(x[i], w[i], acc);
    return acc;
}

static void convolve_patch(void *ctx, const bsr_conv_patch *p)
{
    const conv_run *r = ctx;
    const bsr_conv_shape *s = &r->shape;
    const bsr_view *x = &r->call->in[0], *y = &r->call->out[0];
    const bsr_view *bias = r->call->n_in > 2 && r->call->in[2].data ? &r->call->in[2] : NULL;
    const float *plane = (const float *)x->data + p->x_at;
    const int64_t length = s->taps * s->group_in;

    float *to = r->patch;
    for (int64_t t = 0; t < s->taps; t++)
        for (int64_t c = 0; c < s->group_in; c++)
            *to++ = p->off[t] == BSR_NO_PIXEL ? 0.0f : plane[p->off[t] + c * x->strides[1]];
    for (int64_t i = 0; i < s->group_out; i++) {
        const int64_t m = p->m + i;
        float init = bias ? ((const float *)bias->data)[m * bias->strides[0]] : 0.0f;
        ((float *)y->data)[p->y_at + i * y->strides[1]] =
            chain(init, r->patch, r->weights + m * length, length);
    }
}

bsr_status bsr_conv_run(const bsr_op_call *call)
{
    const bsr_view *x = &call->in[0], *w = &call->in[1];
    conv_run r = {.call = call};
    BSR_TRY(bsr_conv_shape_of(&r.shape, call->node, x->rank, x->dims, w->rank, w->dims));
    bsr_status status = pack_weights(&r);
    if (status == BSR_OK)
        status = bsr_conv_each_patch(&r.shape, x, &call->out[0], convolve_patch, &r);
    bsr_free(r.weights);
    bsr_free(r.patch);
    return status;
}
