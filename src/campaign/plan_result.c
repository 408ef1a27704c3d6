/* bsr_make_plan: the design of a run as it would be, without images. */
#include <string.h>

#include "analysis/session.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "bitseer/campaign.h"
#include "campaign/design.h"
#include "campaign/fault_list.h"

typedef struct planner {
    bsr_session s;
    bsr_spaces spaces;
    bsr_fault_list list;
    bsr_design design;
    bsr_plan_result *out;
} planner;

static bsr_status check(const bsr_run_options *o, int *by_site)
{
    BSR_TRY(bsr_design_method(o, by_site));
    if (o->fault && strncmp(o->fault, "ber", 3) == 0)
        return bsr_fail(BSR_EINVAL,
                        "fault model '%s': error patterns of the whole target have no "
                        "sampling plan",
                        o->fault);
    return BSR_OK;
}

static bsr_status copy(const planner *p, const char **to, const char *text)
{
    *to = bsr_arena_strdup(p->out->arena, text);
    return *to ? BSR_OK : BSR_ENOMEM;
}

/* How many of the faults that are drawn from all layers together hit each. */
static bsr_status count_drawn(planner *p)
{
    const bsr_spaces *all = &p->spaces;
    bsr_plan_result *r = p->out;
    uint64_t *units, n;
    BSR_TRY(bsr_design_draw(&p->design, all, 0, &units, &n));
    for (int i = 0; !units && i < r->n_layers; i++)
        r->layers[i].n = r->layers[i].population;
    for (uint64_t u = 0; units && u < n; u++) {
        uint64_t site;
        int variant;
        r->layers[bsr_space_of(all, units[u], &site, &variant)->id].n++;
    }
    bsr_free(units);
    return BSR_OK;
}

static bsr_status fill_strata(planner *p)
{
    const bsr_design *d = &p->design;
    bsr_plan_result *r = p->out;
    r->strata = bsr_arena_calloc(r->arena, (size_t)d->n_strata, sizeof *r->strata);
    if (!r->strata)
        return BSR_ENOMEM;
    r->n_strata = d->n_strata;
    for (int i = 0; i < d->n_strata; i++) {
        const bsr_planned *s = &d->strata[i];
        const bsr_space *sp = s->space >= 0 ? &p->spaces.spaces[s->space] : NULL;
        uint64_t faults = bsr_planned_faults(d, &p->spaces, s);
        int by_bit = s->variant >= 0 && !d->pairs;
        r->strata[i] = (bsr_plan_stratum){.layer = s->space,
                                          .bit = by_bit ? sp->variants[s->variant] : -1,
                                          .p = s->p,
                                          .population = s->population * faults,
                                          .n = s->n * faults};
        r->n += s->n * faults;
        r->sites += d->by_site ? s->n : 0;
        if (sp)
            r->layers[s->space].n += s->n * faults;
    }
    return d->n_strata && d->strata[0].space < 0 ? count_drawn(p) : BSR_OK;
}

static bsr_status fill_layers(planner *p)
{
    bsr_plan_result *r = p->out;
    r->n_layers = p->spaces.n;
    r->layers = bsr_arena_calloc(r->arena, (size_t)p->spaces.n, sizeof *r->layers);
    if (!r->layers)
        return BSR_ENOMEM;
    for (int i = 0; i < p->spaces.n; i++) {
        const bsr_space *s = &p->spaces.spaces[i];
        r->layers[i] =
            (bsr_plan_layer){.index = s->index, .sites = s->sites, .population = s->population};
        BSR_TRY(copy(p, &r->layers[i].name, s->name));
        BSR_TRY(copy(p, &r->layers[i].op, s->op));
    }
    return BSR_OK;
}

static bsr_status make(planner *p)
{
    const bsr_run_options *o = &p->s.options;
    bsr_plan_result *r = p->out;
    int by_site;
    BSR_TRY(check(o, &by_site));
    BSR_TRY(bsr_spaces_init(&p->spaces, p->s.model, p->s.plan, p->s.storage, o));
    if (o->faults)
        BSR_TRY(bsr_fault_list_read(&p->list, o->faults, &p->spaces, o));
    /* How many images there will be is not known: transient faults are planned as for one. */
    BSR_TRY(bsr_design_init(&p->design, &p->spaces, o, by_site, 1));
    r->margin = p->design.margin;
    r->confidence = p->design.confidence;
    r->t = p->design.t;
    r->population = p->spaces.population;
    r->target = bsr_target_name(o->target);
    BSR_TRY(copy(p, &r->plan, o->plan && !o->faults ? o->plan : bsr_design_name(p->design.kind)));
    BSR_TRY(copy(p, &r->fault, o->fault ? o->fault : "bitflip"));
    BSR_TRY(copy(p, &r->method, o->method));
    BSR_TRY(fill_layers(p));
    return fill_strata(p);
}

bsr_status bsr_make_plan(bsr_plan_result **out, const bsr_model *model,
                         const bsr_run_options *options)
{
    static const bsr_run_options defaults = BSR_RUN_OPTIONS_INIT;
    bsr_run_options o = options ? *options : defaults;
    *out = NULL;
    if (!o.method)
        o.method = "direct";
    bsr_arena *arena = bsr_arena_new();
    planner p = {.out = arena ? bsr_arena_calloc(arena, 1, sizeof *p.out) : NULL};
    if (!p.out) {
        bsr_arena_free(arena);
        return BSR_ENOMEM;
    }
    p.out->arena = arena;
    bsr_status status = bsr_session_init(&p.s, model, NULL, &o, &o.target, 1);
    if (status == BSR_OK)
        status = make(&p);
    bsr_design_clear(&p.design);
    bsr_fault_list_clear(&p.list);
    bsr_spaces_clear(&p.spaces);
    bsr_session_clear(&p.s);
    if (status == BSR_OK)
        *out = p.out;
    else
        bsr_arena_free(arena);
    return status;
}

void bsr_plan_result_free(bsr_plan_result *plan)
{
    if (plan)
        bsr_arena_free(plan->arena);
}
