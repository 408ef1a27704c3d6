/* What a plan chooses from, and what it chose. */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "protect/protect_plan.h"
#include "protect/protector.h"

/* Methods and sizes of a layer's protection that a plan chooses from. */
#define MAX_OPTIONS (2 + 2 * BSR_MAX_VARIANTS)

/* Equal shares that were added up in another order differ by less. */
#define ROUNDING 1e-9

/* Protections of one layer: what each costs and takes from the MVF. */
typedef struct menu {
    int n;
    bsr_choice choices[MAX_OPTIONS];
    bsr_guard guards[MAX_OPTIONS];
} menu;

static void offer(menu *m, const bsr_protector *p, int i, bsr_protect_by by, uint32_t bits,
                  double gain)
{
    bsr_guard *g = &m->guards[m->n];
    if ((p->by != BSR_PROTECT_NONE && by != p->by) || !bits)
        return;
    *g = (bsr_guard){.by = by, .bits = bits};
    m->choices[m->n++] = (bsr_choice){bsr_guard_cost(&p->base.spaces[i], g), gain};
}

/* For each number of bits the most critical ones, as all bits of a layer cost the same. Parity
 * costs one bit of storage however many it covers: all that are worse than a 0. */
static void fill_menu(menu *m, const bsr_protector *p, int i)
{
    const bsr_base_space *s = &p->base.spaces[i];
    const bsr_contribution *c = &p->share[i];
    uint32_t bits = 0, worse = 0;
    double gain = 0, by_parity = 0;
    m->n = 0;
    if (!p->layers[i])
        return;
    for (int v = 0; v < s->n_variants; v++)
        if (c->critical[v] > c->zero * (1 + ROUNDING)) {
            worse |= (uint32_t)1 << s->variants[v];
            by_parity += c->critical[v] - c->zero;
        }
    offer(m, p, i, BSR_PROTECT_PARITY, worse, by_parity);
    for (;;) {
        int best = -1;
        for (int v = 0; v < s->n_variants; v++)
            if (!(bits >> s->variants[v] & 1) && c->critical[v] > 0 &&
                (best < 0 || c->critical[v] >= c->critical[best]))
                best = v;
        if (best < 0)
            return;
        bits |= (uint32_t)1 << s->variants[best];
        gain += c->critical[best];
        offer(m, p, i, BSR_PROTECT_TMR, bits, gain);
        offer(m, p, i, BSR_PROTECT_SECDED, bits, gain);
    }
}

static bsr_status read_budget(int64_t *bits, const char *text, uint64_t stored)
{
    char *stop;
    double x = strtod(text, &stop);
    int percent = *stop == '%';
    if (stop == text || stop[percent] || !(x >= 0 && x < 9e15))
        return bsr_fail(BSR_EINVAL, "budget '%s', expected bits or a percentage such as 12.5%%",
                        text);
    x = percent ? x / 100 * (double)stored : x;
    *bits = x < 9e15 ? (int64_t)x : (int64_t)9e15;
    return BSR_OK;
}

static bsr_status add_steps(bsr_protector *p, const menu *menus, const bsr_upgrade *steps, size_t n,
                            int64_t already)
{
    bsr_protection *out = p->out;
    out->steps = bsr_arena_calloc(out->arena, n + 1, sizeof *out->steps);
    if (!out->steps)
        return BSR_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        bsr_protect_step *step = &out->steps[out->n_steps++];
        const bsr_guard *g = &menus[steps[i].group].guards[steps[i].option];
        p->guards[steps[i].group] = *g;
        *step = (bsr_protect_step){.layer = steps[i].group,
                                   .by = g->by,
                                   .bits = g->bits,
                                   .added_bits = already + (int64_t)steps[i].cost};
        BSR_TRY(bsr_guarded_vf(&step->mvf, &p->base, p->guards, -1, p->confidence));
    }
    return BSR_OK;
}

bsr_status bsr_protector_plan(bsr_protector *p, int64_t already)
{
    size_t n_groups = (size_t)p->base.n, n;
    menu *menus = bsr_arena_calloc(p->arena, n_groups, sizeof *menus);
    bsr_choices *groups = bsr_arena_calloc(p->arena, n_groups, sizeof *groups);
    bsr_upgrade *steps;
    bsr_vf_range now;
    double enough = INFINITY;
    uint64_t budget = UINT64_MAX / 2;
    if (!menus || !groups)
        return BSR_ENOMEM;
    for (int i = 0; i < p->base.n; i++) {
        fill_menu(&menus[i], p, i);
        groups[i] = (bsr_choices){menus[i].choices, menus[i].n};
    }
    BSR_TRY(bsr_guarded_vf(&now, &p->base, p->guards, -1, p->confidence));
    if (isnan(now.high.value))
        return bsr_fail(BSR_EINVAL,
                        "'%s' has no answers for a part of the network: nothing to plan", p->path);
    if (p->o->budget) {
        BSR_TRY(read_budget(&p->out->budget, p->o->budget, p->out->stored_bits));
        int64_t left = p->out->budget - already;
        budget = left > 0 ? (uint64_t)left : 0;
    } else {
        enough = now.high.value - p->o->target_vf;
    }
    p->out->planned = 1;
    BSR_TRY(bsr_choose(&steps, &n, groups, p->base.n, enough, budget));
    bsr_status status = add_steps(p, menus, steps, n, already);
    bsr_free(steps);
    return status;
}
