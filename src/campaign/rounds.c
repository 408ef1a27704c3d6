#include "campaign/rounds.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "campaign/cells.h"
#include "stats/adaptive.h"

/* Units of a stratum in the first round, and how fast the sample may grow: see stats/adaptive.h. */
#define FIRST_UNITS 50
#define GROWTH      2.0

/* Evaluations of a pair, about: a top exponent bit needs one, what screening settles few. */
#define COST_OF_REST 0.2

bsr_status bsr_plan_round(bsr_design *d, const bsr_stratum *observed, int *more)
{
    size_t n = (size_t)d->n_strata;
    bsr_arena *arena = bsr_arena_new();
    size_t *group = arena ? bsr_arena_calloc(arena, n, sizeof *group) : NULL;
    uint64_t *add = group ? bsr_arena_calloc(arena, n, sizeof *add) : NULL;
    double *cost = add ? bsr_arena_calloc(arena, n, sizeof *cost) : NULL;
    bsr_status status = cost ? BSR_OK : BSR_ENOMEM;
    for (size_t i = 0; i < n && status == BSR_OK; i++) {
        group[i] = (size_t)d->strata[i].space;
        cost[i] = d->pairs && d->strata[i].variant > 0 ? COST_OF_REST : 1;
    }
    bsr_adaptive how = {.group_margin = d->margin,
                        .whole_margin = d->margin,
                        .confidence = d->confidence,
                        .first = FIRST_UNITS,
                        .units = bsr_design_rules(d),
                        .largest = d->largest,
                        .cost = cost,
                        .growth = GROWTH};
    if (status == BSR_OK)
        status = bsr_adaptive_next(add, observed, group, n, &how);
    *more = 0;
    for (size_t i = 0; i < n && status == BSR_OK; i++) {
        d->strata[i].n += add[i];
        *more |= add[i] > 0;
    }
    bsr_arena_free(arena);
    return status;
}

bsr_status bsr_first_round(bsr_design *d, const bsr_spaces *all)
{
    int more;
    bsr_stratum *none = bsr_alloc_array((size_t)d->n_strata, sizeof *none);
    bsr_status status = none ? BSR_OK : BSR_ENOMEM;
    for (int i = 0; i < d->n_strata && status == BSR_OK; i++) {
        status = bsr_stratum_init(&none[i], d->strata[i].population, 1);
        none[i].faults = bsr_planned_faults(d, all, &d->strata[i]);
    }
    if (status == BSR_OK)
        status = bsr_plan_round(d, none, &more);
    bsr_free(none);
    return status;
}

bsr_status bsr_next_round(bsr_store *store, bsr_record *r, int *more)
{
    bsr_cells cells;
    bsr_arena *arena = bsr_arena_new();
    bsr_status status = arena ? bsr_cells_read(&cells, arena, store, r, NULL) : BSR_ENOMEM;
    size_t n = (size_t)r->design.n_strata;
    bsr_stratum *seen = status == BSR_OK ? bsr_arena_calloc(arena, n, sizeof *seen) : NULL;
    if (status == BSR_OK && !seen)
        status = BSR_ENOMEM;
    for (size_t i = 0; i < n && status == BSR_OK; i++)
        seen[i] = bsr_cells_stratum(&cells, &r->design.strata[i])->metrics[BSR_METRIC_CRITICAL];
    if (status == BSR_OK)
        status = bsr_plan_round(&r->design, seen, more);
    bsr_arena_free(arena);
    return status == BSR_OK && *more ? bsr_record_update(store, r) : status;
}
