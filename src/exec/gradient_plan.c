/* The backward form of a plan: what can be computed once for all images. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/gradient_state.h"

bsr_status bsr_gradient_rule(const bsr_plan *plan, int node, const bsr_op **op)
{
    const bsr_node *n = &plan->graph->nodes[node];
    *op = bsr_op_find(n->op_type);
    if (!*op || !(*op)->backward)
        return bsr_node_fail(n, BSR_EUNSUPPORTED, "has no rule for gradients");
    return BSR_OK;
}

/* First fit over the intervals of steps in which tensors are alive, as in a work record: the
 * gradient of a tensor is written by its readers and read by its producer. Items of no bytes have
 * no place. Returns the bytes in all. */
static size_t place(const bsr_plan *plan, const size_t *bytes, size_t *at)
{
    size_t all = 0;
    for (int i = 0; i < plan->n_ptens; i++) {
        const bsr_pten *p = &plan->ptens[i];
        at[i] = 0;
        for (int j = 0; j < i && bytes[i];) {
            const bsr_pten *q = &plan->ptens[j];
            int together = q->producer <= p->last_use && p->producer <= q->last_use;
            if (together && at[i] < at[j] + bytes[j] && at[j] < at[i] + bytes[i]) {
                at[i] = at[j] + bytes[j];
                j = 0;
            } else {
                j++;
            }
        }
        all = at[i] + bytes[i] > all ? at[i] + bytes[i] : all;
    }
    return all;
}

static bsr_status place_tensors(bsr_gradient_plan *gp)
{
    const bsr_plan *plan = gp->plan;
    size_t n = (size_t)plan->n_ptens;
    size_t *bytes = bsr_alloc_array(n, sizeof *bytes);
    gp->gradient_at = bsr_alloc_array(n, sizeof *gp->gradient_at);
    gp->value_at = bsr_alloc_array(n, sizeof *gp->value_at);
    if (!bytes || !gp->gradient_at || !gp->value_at) {
        bsr_free(bytes);
        return BSR_ENOMEM;
    }
    size_t seeds = (size_t)gp->seeds;
    for (size_t i = 0; i < n; i++)
        bytes[i] = (seeds * bsr_gradient_stride(&plan->ptens[i]) * sizeof(float) + 63) / 64 * 64;
    gp->gradient_bytes = place(plan, bytes, gp->gradient_at);
    for (size_t i = 0; i < n; i++)
        bytes[i] = plan->ptens[i].kept ? 0 : plan->ptens[i].image_bytes;
    gp->value_bytes = place(plan, bytes, gp->value_at);
    bsr_free(bytes);
    return BSR_OK;
}

/* A step's result reaches the output when the output is it, or when a step that reaches it reads
 * it; readers come later. */
static void find_reaches(bsr_gradient_plan *gp)
{
    const bsr_plan *plan = gp->plan;
    for (int i = plan->n_steps - 1; i >= 0; i--) {
        const bsr_step *s = &plan->steps[i];
        gp->steps[i].reaches |= s->out == plan->output;
        for (int k = 0; gp->steps[i].reaches && k < s->n_sources + s->n_stages; k++) {
            int pten = k < s->n_sources ? s->sources[k].pten : s->stages[k - s->n_sources].operand;
            if (pten >= 0 && plan->ptens[pten].producer >= 0)
                gp->steps[plan->ptens[pten].producer].reaches = 1;
        }
    }
}

static bsr_status make_step(bsr_gradient_plan *gp, int i)
{
    const bsr_plan *plan = gp->plan;
    const bsr_step *s = &plan->steps[i];
    bsr_back_step *back = &gp->steps[i];
    if (!back->reaches)
        return BSR_OK;
    BSR_TRY(bsr_stages_check(plan, s));
    BSR_TRY(bsr_core_check(plan, s));
    back->values = bsr_stages_need_values(s);
    back->clamp = bsr_stages_clamp(plan, s);
    if (s->n_stages > gp->max_stages)
        gp->max_stages = s->n_stages;
    if (s->core == BSR_CORE_DENSE || s->core == BSR_CORE_RELAYOUT) {
        size_t floats = 0;
        for (int k = 0; k < s->n_sources; k++)
            floats += bsr_gradient_stride(&plan->ptens[s->sources[k].pten]);
        gp->max_dense = floats > gp->max_dense ? floats : gp->max_dense;
    }
    size_t elements = bsr_gradient_stride(&plan->ptens[s->out]);
    if (s->n_stages && elements > gp->max_slopes)
        gp->max_slopes = elements;
    if (s->core == BSR_CORE_MAX_POOL && elements > gp->max_argmax)
        gp->max_argmax = elements;
    if (!s->weights)
        return BSR_OK;
    BSR_TRY(bsr_back_convs_new(back, plan, s));
    for (int k = 0; k < back->n_convs; k++) {
        const bsr_weights *w = back->convs[k].weights;
        size_t row = (size_t)w->taps * (size_t)w->cin;
        gp->max_gather = w->gather && row > gp->max_gather ? row : gp->max_gather;
    }
    return BSR_OK;
}

bsr_status bsr_gradient_plan_new(bsr_gradient_plan **out, const bsr_plan *plan)
{
    *out = NULL;
    bsr_gradient_plan *gp = bsr_calloc_array(1, sizeof *gp);
    if (!gp)
        return BSR_ENOMEM;
    int classes = bsr_plan_classes(plan);
    gp->plan = plan;
    gp->seeds = classes < BSR_MAX_RIVALS ? classes : BSR_MAX_RIVALS;
    gp->max_gather = plan->max_gather;
    gp->steps = bsr_calloc_array((size_t)plan->n_steps, sizeof *gp->steps);
    bsr_status status = gp->steps ? place_tensors(gp) : BSR_ENOMEM;
    if (status == BSR_OK)
        find_reaches(gp);
    for (int i = 0; i < plan->n_steps && status == BSR_OK; i++)
        status = make_step(gp, i);
    if (status != BSR_OK) {
        bsr_gradient_plan_free(gp);
        return status;
    }
    *out = gp;
    return BSR_OK;
}

void bsr_gradient_plan_free(bsr_gradient_plan *gp)
{
    if (!gp)
        return;
    for (int i = 0; gp->steps && i < gp->plan->n_steps; i++)
        bsr_back_convs_free(&gp->steps[i]);
    bsr_free(gp->steps);
    bsr_free(gp->gradient_at);
    bsr_free(gp->value_at);
    bsr_free(gp);
}
