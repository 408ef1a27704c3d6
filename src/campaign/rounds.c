#include "campaign/rounds.h"

#include "base/arena.h"
#include "base/error.h"
#include "campaign/cells.h"
#include "stats/adaptive.h"

/* Units of a stratum in the first round, and how fast the sample may grow: see stats/adaptive.h. */
#define FIRST_UNITS 50
#define GROWTH      2.0

static bsr_status next_sizes(bsr_arena *arena, bsr_store *store, bsr_record *r, int *more)
{
    bsr_design *d = &r->design;
    size_t n = (size_t)d->n_strata;
    bsr_cells cells;
    bsr_stratum *strata = bsr_arena_calloc(arena, n, sizeof *strata);
    size_t *group = bsr_arena_calloc(arena, n, sizeof *group);
    uint64_t *add = bsr_arena_calloc(arena, n, sizeof *add);
    if (!strata || !group || !add)
        return BSR_ENOMEM;
    BSR_TRY(bsr_cells_read(&cells, arena, store, r));
    for (size_t i = 0; i < n; i++) {
        const bsr_planned *p = &d->strata[i];
        const bsr_space_cells *c = &cells.spaces[p->space];
        group[i] = (size_t)p->space;
        strata[i] = (p->variant >= 0 ? &c->variants[p->variant] : &c->all)->metrics[0];
    }
    bsr_adaptive how = {.group_margin = d->margin,
                        .whole_margin = d->margin,
                        .confidence = d->confidence,
                        .first = FIRST_UNITS,
                        .growth = GROWTH};
    BSR_TRY(bsr_adaptive_next(add, strata, group, n, &how));
    *more = 0;
    for (size_t i = 0; i < n; i++) {
        d->strata[i].n += add[i];
        *more |= add[i] > 0;
    }
    return *more ? bsr_record_update(store, r) : BSR_OK;
}

bsr_status bsr_plan_round(bsr_store *store, bsr_record *r, int *more)
{
    bsr_arena *arena = bsr_arena_new();
    bsr_status status = arena ? next_sizes(arena, store, r, more) : BSR_ENOMEM;
    bsr_arena_free(arena);
    return status;
}
