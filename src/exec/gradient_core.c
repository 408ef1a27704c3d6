/* Cores backwards: each gives its sources their share of the gradient at its result. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "exec/gradient_state.h"

/* Gradients that a core reads again and again should stay in the second-level cache. */
#define TOGETHER_BYTES ((size_t)256 << 10)

static int is_data(bsr_dtype t)
{
    return t == BSR_F32 || t == BSR_I8 || t == BSR_U8;
}

static int32_t source_pixel(const bsr_source *src, int tap, int p)
{
    return src->map ? src->map->forward[(size_t)tap * (size_t)src->map->n_out + (size_t)p] : p;
}

static void add_floats(float *restrict y, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

/* Zeros for these seeds where source i has no share yet. */
static void open_source(const bsr_gradients *g, const bsr_step *s, int i, bsr_seeds seeds)
{
    int pten = s->sources[i].pten;
    size_t bytes = bsr_gradient_stride(&g->gp->plan->ptens[pten]) * sizeof(float);
    if (g->fresh[i])
        memset(bsr_gradient_at(g, pten, seeds.first), 0, (size_t)seeds.n * bytes);
}

static bsr_status copy_back(bsr_gradients *g, int step, bsr_seeds seeds)
{
    const bsr_plan *plan = g->gp->plan;
    const bsr_step *s = &plan->steps[step];
    const bsr_pten *out = &plan->ptens[s->out];
    for (int i = 0; i < s->n_sources; i++) {
        const bsr_source *src = &s->sources[i];
        if (!g->needed[src->pten])
            continue;
        const bsr_pten *in = &plan->ptens[src->pten];
        size_t n = (size_t)src->count, from = (size_t)out->channels, to = (size_t)in->channels;
        int whole = !src->map && n == to && n == from && g->fresh[i];
        if (!whole)
            open_source(g, s, i, seeds);
        for (int k = seeds.first; k < seeds.first + seeds.n; k++) {
            const float *x = bsr_gradient_at(g, s->out, k);
            float *y = bsr_gradient_at(g, src->pten, k);
            if (whole)
                memcpy(y, x, (size_t)out->pixels * n * sizeof *y);
            for (int p = 0; p < out->pixels && !whole; p++) {
                int32_t q = source_pixel(src, 0, p);
                if (q < in->pixels)
                    add_floats(y + (size_t)q * to + src->from, x + (size_t)p * from + src->to, n);
            }
        }
    }
    return BSR_OK;
}

/* The pixel and channel that each maximum came from, as the forward kernel compares: a NaN wins, of
 * equal elements the first. -1: no tap at all. */
static void find_maxima(bsr_gradients *g, const bsr_step *s)
{
    const bsr_plan *plan = g->gp->plan;
    const bsr_source *src = &s->sources[0];
    const float *x = (const float *)(const void *)bsr_gradient_value(g, src->pten);
    int channels = s->core_channels, pixels = plan->ptens[s->out].pixels;
    for (int p = 0; p < pixels; p++)
        for (int c = 0; c < channels; c++) {
            float most = -INFINITY;
            int32_t at = -1;
            for (int t = 0; t < src->map->taps; t++) {
                int32_t q = source_pixel(src, t, p);
                if (q >= src->map->n_in)
                    continue;
                float v = x[(size_t)q * (size_t)channels + (size_t)c];
                if (at < 0 || v > most || v != v) {
                    at = q * channels + c;
                    most = v;
                }
            }
            g->argmax[(size_t)p * (size_t)channels + (size_t)c] = at;
        }
}

static bsr_status max_back(bsr_gradients *g, int step, bsr_seeds seeds)
{
    const bsr_step *s = &g->gp->plan->steps[step];
    const bsr_pten *out = &g->gp->plan->ptens[s->out];
    size_t n = (size_t)out->pixels * (size_t)out->channels;
    int to = s->sources[0].pten;
    if (!seeds.first)
        find_maxima(g, s);
    open_source(g, s, 0, seeds);
    for (int k = seeds.first; k < seeds.first + seeds.n; k++) {
        const float *x = bsr_gradient_at(g, s->out, k);
        float *y = bsr_gradient_at(g, to, k);
        for (size_t i = 0; i < n; i++)
            if (g->argmax[i] >= 0)
                y[g->argmax[i]] += x[i];
    }
    return BSR_OK;
}

static bsr_status average_back(bsr_gradients *g, int step, bsr_seeds seeds)
{
    const bsr_plan *plan = g->gp->plan;
    const bsr_step *s = &plan->steps[step];
    const bsr_source *src = &s->sources[0];
    int channels = s->core_channels, pixels = plan->ptens[s->out].pixels;
    open_source(g, s, 0, seeds);
    for (int k = seeds.first; k < seeds.first + seeds.n; k++) {
        float *x = bsr_gradient_at(g, s->out, k);
        float *y = bsr_gradient_at(g, src->pten, k);
        for (int p = 0; p < pixels; p++, x += channels) {
            for (int c = 0; c < channels; c++)
                x[c] /= s->divisor[p];
            for (int t = 0; t < src->map->taps; t++) {
                int32_t q = source_pixel(src, t, p);
                if (q < src->map->n_in)
                    add_floats(y + (size_t)q * (size_t)channels, x, (size_t)channels);
            }
        }
    }
    return BSR_OK;
}

/* Adds what a dense rule gave for one seed. */
static void give_dense(bsr_gradients *g, int pten, int k, int set, const float *part)
{
    const bsr_pten *p = &g->gp->plan->ptens[pten];
    size_t n = (size_t)p->pixels * (size_t)p->channels;
    if (set)
        memcpy(bsr_gradient_at(g, pten, k), part, n * sizeof *part);
    else
        add_floats(bsr_gradient_at(g, pten, k), part, n);
}

static bsr_status relayout_back(bsr_gradients *g, int step, bsr_seeds seeds)
{
    const bsr_plan *plan = g->gp->plan;
    const bsr_step *s = &plan->steps[step];
    int value = plan->ptens[s->out].value, to = s->sources[0].pten;
    bsr_layout held = plan->layout[value];
    for (int k = seeds.first; k < seeds.first + seeds.n; k++) {
        bsr_view part = bsr_plan_view(plan, value, g->dense);
        bsr_view from = bsr_layout_view(&plan->graph->values[value],
                                        held == BSR_ROW_MAJOR ? BSR_CHANNELS_LAST : BSR_ROW_MAJOR,
                                        bsr_gradient_at(g, s->out, k));
        part.dtype = from.dtype = BSR_F32;
        bsr_view_copy(&part, &from);
        give_dense(g, to, k, g->fresh[0], g->dense);
    }
    return BSR_OK;
}

/* Operands of a DENSE step's node for the operator's own rule. source[i]: that of input i,
 * -1: a constant, an omitted input, or one whose gradient nobody wants. */
typedef struct dense_node {
    bsr_view in[BSR_DENSE_OPERANDS], out[BSR_DENSE_OPERANDS];
    bsr_view grad_in[BSR_DENSE_OPERANDS], grad_out[BSR_DENSE_OPERANDS];
    int source[BSR_DENSE_OPERANDS];
} dense_node;

static bsr_view gradient_view(const bsr_plan *plan, int value, float *data)
{
    bsr_view v = bsr_plan_view(plan, value, data);
    v.dtype = BSR_F32;
    return v;
}

static void open_dense(dense_node *d, bsr_gradients *g, const bsr_step *s, const bsr_node *n)
{
    const bsr_plan *plan = g->gp->plan;
    float *part = g->dense;
    for (int i = 0, k = 0; i < n->n_in; i++) {
        d->source[i] = -1;
        if (n->in[i] < 0)
            continue;
        const bsr_value *v = &plan->graph->values[n->in[i]];
        if (v->constant) {
            d->in[i] = bsr_tensor_view(v->constant);
            continue;
        }
        int source = k++, pten = s->sources[source].pten;
        d->in[i] = bsr_plan_view(plan, n->in[i], (void *)(uintptr_t)bsr_gradient_value(g, pten));
        if (!g->needed[pten] || !is_data(v->dtype))
            continue;
        d->source[i] = source;
        d->grad_in[i] = gradient_view(plan, n->in[i], part);
        part += bsr_gradient_stride(&plan->ptens[pten]);
    }
    const char *out = bsr_gradient_value(g, s->out);
    d->out[s->dense_out] = bsr_plan_view(plan, n->out[s->dense_out], (void *)(uintptr_t)out);
}

static bsr_status dense_back(bsr_gradients *g, int step, bsr_seeds seeds)
{
    const bsr_plan *plan = g->gp->plan;
    const bsr_step *s = &plan->steps[step];
    const bsr_node *n = &plan->graph->nodes[s->node];
    const bsr_op *op;
    dense_node d = {0};
    BSR_TRY(bsr_gradient_rule(plan, s->node, &op));
    open_dense(&d, g, s, n);
    bsr_op_call forward = {.node = n,
                           .opset = plan->graph->opset,
                           .n_in = n->n_in,
                           .n_out = n->n_out,
                           .in = d.in,
                           .out = d.out};
    bsr_op_backward call = {&forward, d.grad_out, d.grad_in};
    for (int k = seeds.first; k < seeds.first + seeds.n; k++) {
        d.grad_out[s->dense_out] =
            gradient_view(plan, n->out[s->dense_out], bsr_gradient_at(g, s->out, k));
        BSR_TRY(op->backward(&call));
        for (int i = 0; i < n->n_in; i++)
            if (d.source[i] >= 0)
                give_dense(g, s->sources[d.source[i]].pten, k, g->fresh[d.source[i]],
                           d.grad_in[i].data);
    }
    return BSR_OK;
}

static bsr_status (*const rules[])(bsr_gradients *g, int step, bsr_seeds seeds) = {
    [BSR_CORE_COPY] = copy_back,          [BSR_CORE_CONV] = bsr_conv_back,
    [BSR_CORE_DEPTHWISE] = bsr_conv_back, [BSR_CORE_CONV_I8] = bsr_conv_back,
    [BSR_CORE_MAX_POOL] = max_back,       [BSR_CORE_AVG_POOL] = average_back,
    [BSR_CORE_DENSE] = dense_back,        [BSR_CORE_RELAYOUT] = relayout_back,
};

bsr_status bsr_core_check(const bsr_plan *plan, const bsr_step *s)
{
    const bsr_op *op;
    return s->core == BSR_CORE_DENSE ? bsr_gradient_rule(plan, s->node, &op) : BSR_OK;
}

void bsr_slopes_back(const bsr_gradients *g, int step, bsr_seeds seeds)
{
    int pten = g->gp->plan->steps[step].out;
    const bsr_pten *p = &g->gp->plan->ptens[pten];
    size_t n = (size_t)p->pixels * (size_t)p->channels;
    for (int k = seeds.first; k < seeds.first + seeds.n; k++) {
        float *restrict x = bsr_gradient_at(g, pten, k);
        const float *restrict slope = g->slopes;
        for (size_t i = 0; i < n; i++)
            x[i] = bsr_chain_f32(x[i], slope[i]);
    }
}

bsr_status bsr_core_back(bsr_gradients *g, int step, int ones)
{
    const bsr_plan *plan = g->gp->plan;
    const bsr_step *s = &plan->steps[step];
    for (int i = 0; i < s->n_sources; i++) {
        int pten = s->sources[i].pten;
        g->fresh[i] = !g->written[pten];
        g->written[pten] |= g->needed[pten] && is_data(plan->ptens[pten].dtype);
    }
    size_t bytes = bsr_gradient_stride(&plan->ptens[s->out]) * sizeof(float);
    int together = bytes < TOGETHER_BYTES ? (int)(TOGETHER_BYTES / bytes) : 1;
    for (int k = 0; k < g->seeds; k += together) {
        bsr_seeds seeds = {k, g->seeds - k < together ? g->seeds - k : together};
        if (!ones)
            bsr_slopes_back(g, step, seeds);
        BSR_TRY(rules[s->core](g, step, seeds));
    }
    return BSR_OK;
}
