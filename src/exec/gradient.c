#include "exec/gradient.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/gradient_state.h"

void bsr_margins_of(bsr_margins *m, const float *logits, int top1, int classes)
{
    *m = (bsr_margins){0};
    for (int c = 0; c < classes; c++) {
        if (c == top1)
            continue;
        int finite = isfinite(logits[top1]) && isfinite(logits[c]);
        float margin = finite ? logits[top1] - logits[c] : 0.0f;
        int at = m->n;
        while (at > 0 && m->margin[at - 1] > margin)
            at--;
        if (at == BSR_MAX_RIVALS)
            continue;
        int last = m->n < BSR_MAX_RIVALS ? m->n++ : BSR_MAX_RIVALS - 1;
        for (int i = last; i > at; i--) {
            m->margin[i] = m->margin[i - 1];
            m->rival[i] = m->rival[i - 1];
        }
        m->margin[at] = margin;
        m->rival[at] = c;
    }
}

void bsr_margin_seeds(float *seeds, const bsr_margins *m, int top1, int classes)
{
    memset(seeds, 0, (size_t)m->n * (size_t)classes * sizeof *seeds);
    for (int k = 0; k < m->n; k++, seeds += classes) {
        seeds[top1] = 1.0f;
        seeds[m->rival[k]] = -1.0f;
    }
}

bsr_status bsr_gradients_new(bsr_gradients **out, const bsr_gradient_plan *gp)
{
    *out = NULL;
    bsr_gradients *g = bsr_calloc_array(1, sizeof *g);
    if (!g)
        return BSR_ENOMEM;
    const bsr_plan *plan = gp->plan;
    g->gp = gp;
    size_t ptens = (size_t)plan->n_ptens, stages = (size_t)gp->max_stages;
    size_t rows = BSR_BLOCK * (size_t)plan->max_channels;
    /* Rows that convolutions gather on the way back may be longer. */
    bsr_plan wider = *plan;
    wider.max_gather = gp->max_gather;
    g->gradients = bsr_alloc_aligned(gp->gradient_bytes, 1);
    g->values = bsr_alloc_aligned(gp->value_bytes, 1);
    g->needed = bsr_calloc_array(ptens, 1);
    g->written = bsr_calloc_array(ptens, 1);
    g->computed = bsr_calloc_array(ptens, 1);
    g->fresh = bsr_calloc_array(stages + BSR_DENSE_OPERANDS, 1);
    g->rows = bsr_alloc_aligned((stages + 1) * rows, sizeof *g->rows);
    g->slopes = bsr_alloc_aligned(gp->max_slopes, sizeof *g->slopes);
    g->spare = bsr_alloc_aligned(rows, sizeof *g->spare);
    g->part = bsr_alloc_aligned(rows, sizeof *g->part);
    g->off = bsr_alloc_array((size_t)plan->max_taps * BSR_BLOCK, sizeof *g->off);
    g->dense = bsr_alloc_aligned(gp->max_dense, sizeof *g->dense);
    g->argmax = bsr_alloc_array(gp->max_argmax, sizeof *g->argmax);
    bsr_status status = bsr_scratch_new(&g->scratch, &wider);
    if (status != BSR_OK || !g->gradients || !g->values || !g->needed || !g->written ||
        !g->computed || !g->fresh || !g->rows || !g->slopes || !g->spare || !g->part || !g->off ||
        !g->dense || !g->argmax) {
        bsr_gradients_free(g);
        return BSR_ENOMEM;
    }
    *out = g;
    return BSR_OK;
}

size_t bsr_gradients_bytes(const bsr_gradient_plan *gp)
{
    return gp->gradient_bytes + gp->value_bytes;
}

void bsr_gradients_free(bsr_gradients *g)
{
    if (!g)
        return;
    void *const owned[] = {g->gradients, g->values, g->needed, g->written, g->computed,
                           g->fresh,     g->rows,   g->slopes, g->spare,   g->part,
                           g->off,       g->dense,  g->argmax};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        bsr_free(owned[i]);
    bsr_scratch_clear(&g->scratch);
    bsr_free(g);
}

/* A tensor that is not kept is made by a step from kept ones (plan.c, choose_kept). Its room is its
 * own from here to its producer's step, which ends the walk's interest in it. */
const char *bsr_gradient_value(bsr_gradients *g, int pten)
{
    const bsr_plan *plan = g->gp->plan;
    const bsr_pten *p = &plan->ptens[pten];
    const char *record = g->golden->records + (size_t)g->image * plan->golden_bytes;
    if (p->kept)
        return record + p->golden_at;
    char *data = g->values + g->gp->value_at[pten];
    if (g->computed[pten])
        return data;
    bsr_step_recompute(plan, pten, record, &g->scratch, data);
    g->computed[pten] = 1;
    return data;
}

void bsr_gradient_open(bsr_gradients *g, int pten)
{
    size_t bytes = bsr_gradient_stride(&g->gp->plan->ptens[pten]) * sizeof(float);
    if (!g->written[pten])
        memset(bsr_gradient_at(g, pten, 0), 0, (size_t)g->seeds * bytes);
    g->written[pten] = 1;
}

static int is_wanted(const bsr_gradient_request *r, int pten)
{
    return r->wanted && r->wanted[pten];
}

static int is_wanted_layer(const bsr_gradient_request *r, const bsr_step *s)
{
    return r->wanted_layers && s->layer >= 0 && r->wanted_layers[s->layer];
}

/* Gradients must come as far as what is wanted, by every way: a tensor's is complete when all its
 * readers gave their share. */
static void find_needed(bsr_gradients *g, const bsr_gradient_request *r)
{
    const bsr_plan *plan = g->gp->plan;
    for (int i = 0; i < plan->n_ptens; i++)
        g->needed[i] = (unsigned char)is_wanted(r, i);
    for (int i = 0; i < plan->n_steps; i++) {
        const bsr_step *s = &plan->steps[i];
        g->needed[s->out] |= (unsigned char)is_wanted_layer(r, s);
        for (int k = 0; k < s->n_sources; k++)
            g->needed[s->out] |= g->needed[s->sources[k].pten];
        for (int k = 0; k < s->n_stages; k++)
            if (s->stages[k].operand >= 0)
                g->needed[s->out] |= g->needed[s->stages[k].operand];
    }
}

static int reads_needed(const bsr_gradients *g, const bsr_step *s, int *core)
{
    int any = 0;
    *core = 0;
    for (int k = 0; k < s->n_sources; k++)
        *core |= g->needed[s->sources[k].pten];
    for (int k = 0; k < s->n_stages; k++)
        any |= s->stages[k].operand >= 0 && g->needed[s->stages[k].operand];
    return any | *core;
}

static void plant(bsr_gradients *g, const float *seeds)
{
    const bsr_plan *plan = g->gp->plan;
    int channels = plan->ptens[plan->output].channels, value = plan->graph->outputs[0];
    int classes = g->golden->classes;
    bsr_gradient_open(g, plan->output);
    for (int c = 0; c < classes; c++) {
        int pixel, channel;
        bsr_plan_locate(plan, value, c, &pixel, &channel);
        for (int k = 0; k < g->seeds; k++)
            bsr_gradient_at(g, plan->output, k)[pixel * channels + channel] +=
                seeds[(size_t)k * (size_t)classes + (size_t)c];
    }
}

static bsr_status show(bsr_gradients *g, int pten, const bsr_gradient_request *r)
{
    if (!is_wanted(r, pten))
        return BSR_OK;
    bsr_gradient_open(g, pten);
    return r->fn(r->ctx, pten, bsr_gradient_at(g, pten, 0),
                 bsr_gradient_stride(&g->gp->plan->ptens[pten]));
}

static bsr_status show_layer(bsr_gradients *g, const bsr_step *s, const bsr_gradient_request *r)
{
    bsr_gradient_open(g, s->out);
    return r->layer_fn(r->ctx, s->layer, bsr_gradient_at(g, s->out, 0),
                       bsr_gradient_stride(&g->gp->plan->ptens[s->out]));
}

static bsr_status step_back(bsr_gradients *g, int step, const bsr_gradient_request *r)
{
    const bsr_step *s = &g->gp->plan->steps[step];
    int layer = is_wanted_layer(r, s), core, ones = 1;
    BSR_TRY(show(g, s->out, r));
    if (!g->written[s->out] || !g->gp->steps[step].reaches)
        return layer ? show_layer(g, s, r) : BSR_OK;
    if (!reads_needed(g, s, &core) && !layer)
        return BSR_OK;
    BSR_TRY(bsr_stages_back(g, step, &ones));
    if (layer) {
        if (!ones)
            bsr_slopes_back(g, step, (bsr_seeds){0, g->seeds});
        ones = 1;
        BSR_TRY(show_layer(g, s, r));
    }
    return core ? bsr_core_back(g, step, ones) : BSR_OK;
}

bsr_status bsr_gradients_run(bsr_gradients *g, const bsr_golden *golden, int image,
                             const bsr_gradient_request *r)
{
    const bsr_plan *plan = g->gp->plan;
    size_t ptens = (size_t)plan->n_ptens;
    g->golden = golden;
    g->image = image;
    g->seeds = r->n;
    memset(g->written, 0, ptens);
    memset(g->computed, 0, ptens);
    find_needed(g, r);
    if (g->needed[plan->output])
        plant(g, r->seeds);
    for (int i = plan->n_steps - 1; i >= 0; i--)
        if (g->needed[plan->steps[i].out])
            BSR_TRY(step_back(g, i, r));
    return show(g, plan->input, r);
}
