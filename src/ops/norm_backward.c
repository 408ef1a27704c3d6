/* Gradients of BatchNormalization at inference, and of LRN. */
#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "ops/backward.h"
#include "ops/mathf.h"
#include "ops/nn.h"

/* A vector of one value per channel, seen in the input's rank. */
static bsr_view channels(const bsr_view *v, int rank)
{
    bsr_view r = {.dtype = v->dtype, .rank = rank, .data = v->data};
    for (int d = 0; d < rank; d++)
        r.dims[d] = d == 1 ? v->dims[0] : 1;
    r.strides[1] = v->strides[0];
    return r;
}

/* y = (x - mean) scale / r + bias with r = sqrt(variance + epsilon). */
static void batch_norm_slopes(double *slope, const double *x, int n, const void *ctx)
{
    const double r = sqrt(x[4] + *(const double *)ctx), centred = x[0] - x[3];
    slope[0] = x[1] / r;
    slope[1] = centred / r;
    slope[2] = 1.0;
    slope[3] = -x[1] / r;
    slope[4] = -0.5 * centred * x[1] / (r * r * r);
}

bsr_status bsr_batch_norm_backward(const bsr_op_backward *call)
{
    const bsr_op_call *f = call->forward;
    const double epsilon = (double)bsr_node_float(f->node, "epsilon", 1e-5f);
    bsr_view in[5], grad_in[5];
    if (!bsr_backward_begin(call))
        return BSR_OK;
    in[0] = f->in[0];
    grad_in[0] = call->grad_in[0];
    for (int i = 1; i < 5; i++) {
        in[i] = channels(&f->in[i], in[0].rank);
        grad_in[i] = channels(&call->grad_in[i], in[0].rank);
    }
    return bsr_backward_pointwise(5, in, grad_in, &call->grad_out[0], batch_norm_slopes, &epsilon);
}

typedef struct lrn {
    int64_t size, channels, x_step, sum_step;
    double alpha, beta, bias; /* alpha already divided by size */
} lrn;

/* Terms of output y = x D^-beta, D = bias + alpha * (sum of squares over the window of channel c):
 * to x itself D^-beta, to every x_i of the window -2 alpha beta x x_i D^(-beta - 1). `x` and `sum`
 * point at channel c. */
static void lrn_element(const lrn *l, int64_t c, const float *x, double *sum, double g)
{
    int64_t first = c - (l->size - 1) / 2, end = c + l->size / 2 + 1;
    double squares = 0.0;
    first = first < 0 ? 0 : first;
    end = end > l->channels ? l->channels : end;
    for (int64_t i = first; i < end; i++) {
        double v = (double)x[(i - c) * l->x_step];
        squares += v * v;
    }
    double d = l->bias + l->alpha * squares, power = bsr_pow(d, -l->beta);
    *sum += g * power;
    for (int64_t i = first; i < end; i++)
        sum[(i - c) * l->sum_step] -= g * (2.0 * l->alpha * l->beta * (double)*x *
                                           (double)x[(i - c) * l->x_step] * power / d);
}

bsr_status bsr_lrn_backward(const bsr_op_backward *call)
{
    const bsr_op_call *f = call->forward;
    const bsr_view *x = &f->in[0], *g = &call->grad_out[0];
    bsr_view sums;
    if (!bsr_backward_begin(call) || !bsr_backward_wants(call, 0) ||
        bsr_count(x->rank, x->dims) == 0)
        return BSR_OK;
    BSR_TRY(bsr_sums_new(&sums, x, &call->grad_in[0]));
    lrn l = {.size = bsr_node_int(f->node, "size", 0), .channels = x->dims[1]};
    l.x_step = x->strides[1];
    l.sum_step = sums.strides[1];
    l.alpha = (double)bsr_node_float(f->node, "alpha", 1e-4f) / (double)l.size;
    l.beta = (double)bsr_node_float(f->node, "beta", 0.75f);
    l.bias = (double)bsr_node_float(f->node, "bias", 1.0f);
    int64_t idx[BSR_MAX_RANK] = {0};
    do {
        double gradient = (double)*(const float *)bsr_view_at(g, idx, sizeof(float));
        lrn_element(&l, idx[1], bsr_view_at(x, idx, sizeof(float)),
                    bsr_view_at(&sums, idx, sizeof(double)), gradient);
    } while (bsr_next_index(x->rank, x->dims, idx));
    bsr_sums_store(&sums, &call->grad_in[0]);
    return BSR_OK;
}
