/* Gradients of Conv. With f(p, t) the input pixel that tap t of output pixel p reads and g the
 * gradient of the output:
 *   dx[f(p, t)][c] += g[p][m] w[m][t][c],   dw[m][t][c] += g[p][m] x[f(p, t)][c],   db[m] +=
 * g[p][m] over output pixels, images, groups, output channels, taps and channels in this order. */
#include "base/alloc.h"
#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/backward.h"
#include "ops/conv_shape.h"
#include "ops/nn.h"

typedef struct conv_backward {
    bsr_conv_shape shape;
    const bsr_view *x, *w, *grad_out;
    bsr_view dx, dw, db; /* sums */
    int64_t *w_off;      /* [taps * C / G] within a filter of w */
    int64_t *dw_off;     /* within one of dw */
} conv_backward;

static double output_gradient(const conv_backward *b, const bsr_conv_patch *p, int64_t i)
{
    return (double)((const float *)b->grad_out->data)[p->y_at + i * b->grad_out->strides[1]];
}

/* The patch's offsets are those of dx. */
static void to_input(void *ctx, const bsr_conv_patch *p)
{
    const conv_backward *b = ctx;
    const bsr_conv_shape *s = &b->shape;
    double *plane = (double *)b->dx.data + p->x_at;
    for (int64_t i = 0; i < s->group_out; i++) {
        const double g = output_gradient(b, p, i);
        const float *filter = (const float *)b->w->data + (p->m + i) * b->w->strides[0];
        for (int64_t t = 0; t < s->taps && g != 0.0; t++) {
            if (p->off[t] == BSR_NO_PIXEL)
                continue;
            for (int64_t c = 0; c < s->group_in; c++)
                plane[p->off[t] + c * b->dx.strides[1]] +=
                    g * (double)filter[b->w_off[t * s->group_in + c]];
        }
    }
}

/* The patch's offsets are those of x. */
static void to_weights(void *ctx, const bsr_conv_patch *p)
{
    const conv_backward *b = ctx;
    const bsr_conv_shape *s = &b->shape;
    const float *plane = (const float *)b->x->data + p->x_at;
    for (int64_t i = 0; i < s->group_out; i++) {
        const double g = output_gradient(b, p, i);
        double *filter = (double *)b->dw.data + (p->m + i) * b->dw.strides[0];
        for (int64_t t = 0; t < s->taps && g != 0.0; t++) {
            if (p->off[t] == BSR_NO_PIXEL)
                continue;
            for (int64_t c = 0; c < s->group_in; c++)
                filter[b->dw_off[t * s->group_in + c]] +=
                    g * (double)plane[p->off[t] + c * b->x->strides[1]];
        }
    }
}

static void to_bias(void *ctx, const bsr_conv_patch *p)
{
    const conv_backward *b = ctx;
    for (int64_t i = 0; i < b->shape.group_out; i++)
        ((double *)b->db.data)[p->m + i] += output_gradient(b, p, i);
}

static bsr_status accumulate(conv_backward *b)
{
    const bsr_conv_shape *s = &b->shape;
    bsr_conv_weight_offsets(s, b->w, b->w_off);
    bsr_conv_weight_offsets(s, &b->dw, b->dw_off);
    if (b->dx.data)
        BSR_TRY(bsr_conv_each_patch(s, &b->dx, b->grad_out, to_input, b));
    if (b->dw.data)
        BSR_TRY(bsr_conv_each_patch(s, b->x, b->grad_out, to_weights, b));
    if (b->db.data)
        BSR_TRY(bsr_conv_each_patch(s, b->x, b->grad_out, to_bias, b));
    return BSR_OK;
}

bsr_status bsr_conv_gradients(const bsr_node *node, const bsr_view *x, const bsr_view *w,
                              const bsr_view *grad_out, const bsr_conv_grads *to)
{
    conv_backward b = {.x = x, .w = w, .grad_out = grad_out};
    BSR_TRY(bsr_conv_shape_of(&b.shape, node, x->rank, x->dims, w->rank, w->dims));
    const size_t length = (size_t)(b.shape.taps * b.shape.group_in);
    bsr_status status = BSR_ENOMEM;
    b.w_off = bsr_alloc_array(length, sizeof *b.w_off);
    b.dw_off = bsr_alloc_array(length, sizeof *b.dw_off);
    if (!b.w_off || !b.dw_off)
        goto done;
    status = bsr_sums_new(&b.dx, x, &to->x);
    if (status == BSR_OK)
        status = bsr_sums_new(&b.dw, w, &to->w);
    if (status == BSR_OK)
        status = bsr_sums_new(&b.db, &to->bias, &to->bias);
    if (status == BSR_OK)
        status = accumulate(&b);
    if (status != BSR_OK)
        goto done;
    bsr_sums_store(&b.dx, &to->x);
    bsr_sums_store(&b.dw, &to->w);
    bsr_sums_store(&b.db, &to->bias);
done:
    bsr_free(b.dx.data);
    bsr_free(b.dw.data);
    bsr_free(b.db.data);
    bsr_free(b.w_off);
    bsr_free(b.dw_off);
    return status;
}

bsr_status bsr_conv_backward(const bsr_op_backward *call)
{
    const bsr_op_call *f = call->forward;
    bsr_conv_grads to = {.x = call->grad_in[0], .w = call->grad_in[1]};
    if (f->n_in > 2)
        to.bias = call->grad_in[2];
    if (!bsr_backward_begin(call))
        return BSR_OK;
    return bsr_conv_gradients(f->node, &f->in[0], &f->in[1], &call->grad_out[0], &to);
}
