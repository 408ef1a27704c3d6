#include "campaign/rounds.h"

#include "base/arena.h"
#include "base/error.h"
#include "campaign/cells.h"
#include "stats/adaptive.h"

/* Units of a stratum in the first round, and how fast the sample may grow: see stats/adaptive.h. */
#define FIRST_UNITS 50
#define GROWTH      2.0

/* Evaluations of a pair, about: a top exponent bit needs one, what screening settles few. */
#define COST_OF_REST 0.2

/* Raises the sizes by what the next round asks for; cells NULL: nothing is observed. */
static bsr_status add_round(bsr_arena *arena, bsr_design *d, const bsr_spaces *all,
                            const bsr_cells *cells, int *more)
{
    size_t n = (size_t)d->n_strata;
    bsr_stratum *strata = bsr_arena_calloc(arena, n, sizeof *strata);
    size_t *group = bsr_arena_calloc(arena, n, sizeof *group);
    uint64_t *add = bsr_arena_calloc(arena, n, sizeof *add);
    double *cost = bsr_arena_calloc(arena, n, sizeof *cost);
    if (!strata || !group || !add || !cost)
        return BSR_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const bsr_planned *p = &d->strata[i];
        group[i] = (size_t)p->space;
        cost[i] = d->pairs && p->variant > 0 ? COST_OF_REST : 1;
        if (cells) {
            strata[i] = bsr_cells_stratum(cells, p)->metrics[BSR_METRIC_CRITICAL];
        } else {
            BSR_TRY(bsr_stratum_init(&strata[i], p->population, 1));
            strata[i].faults = bsr_planned_faults(d, all, p);
        }
    }
    bsr_adaptive how = {.group_margin = d->margin,
                        .whole_margin = d->margin,
                        .confidence = d->confidence,
                        .first = FIRST_UNITS,
                        .units = d->pairs ? BSR_UNITS_MIXED : BSR_UNITS_FAULTS,
                        .cost = cost,
                        .growth = GROWTH};
    BSR_TRY(bsr_adaptive_next(add, strata, group, n, &how));
    *more = 0;
    for (size_t i = 0; i < n; i++) {
        d->strata[i].n += add[i];
        *more |= add[i] > 0;
    }
    return BSR_OK;
}

bsr_status bsr_first_round(bsr_design *d, const bsr_spaces *all)
{
    int more;
    bsr_arena *arena = bsr_arena_new();
    bsr_status status = arena ? add_round(arena, d, all, NULL, &more) : BSR_ENOMEM;
    bsr_arena_free(arena);
    return status;
}

bsr_status bsr_next_round(bsr_store *store, bsr_record *r, int *more)
{
    bsr_cells cells;
    bsr_arena *arena = bsr_arena_new();
    bsr_status status = arena ? bsr_cells_read(&cells, arena, store, r, NULL) : BSR_ENOMEM;
    if (status == BSR_OK)
        status = add_round(arena, &r->design, &r->spaces, &cells, more);
    bsr_arena_free(arena);
    return status == BSR_OK && *more ? bsr_record_update(store, r) : status;
}
