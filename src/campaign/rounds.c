#include "campaign/rounds.h"

#include "base/arena.h"
#include "base/error.h"
#include "campaign/cells.h"
#include "stats/adaptive.h"

/* Units of a stratum in the first round, and how fast the sample may grow: see stats/adaptive.h. */
#define FIRST_UNITS 50
#define GROWTH      2.0

/* Raises the sizes by what the next round asks for; cells NULL: nothing is observed. */
static bsr_status add_round(bsr_arena *arena, bsr_design *d, const bsr_cells *cells, int *more)
{
    size_t n = (size_t)d->n_strata;
    bsr_stratum *strata = bsr_arena_calloc(arena, n, sizeof *strata);
    size_t *group = bsr_arena_calloc(arena, n, sizeof *group);
    uint64_t *add = bsr_arena_calloc(arena, n, sizeof *add);
    if (!strata || !group || !add)
        return BSR_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const bsr_planned *p = &d->strata[i];
        const bsr_space_cells *c = cells ? &cells->spaces[p->space] : NULL;
        group[i] = (size_t)p->space;
        if (c)
            strata[i] = (p->variant >= 0 ? &c->variants[p->variant] : &c->all)->metrics[0];
        else
            BSR_TRY(bsr_stratum_init(&strata[i], p->population, 1));
    }
    bsr_adaptive how = {.group_margin = d->margin,
                        .whole_margin = d->margin,
                        .confidence = d->confidence,
                        .first = FIRST_UNITS,
                        .units = d->by_site ? BSR_UNITS_SITES : BSR_UNITS_FAULTS,
                        .growth = GROWTH};
    BSR_TRY(bsr_adaptive_next(add, strata, group, n, &how));
    *more = 0;
    for (size_t i = 0; i < n; i++) {
        d->strata[i].n += add[i];
        *more |= add[i] > 0;
    }
    return BSR_OK;
}

bsr_status bsr_first_round(bsr_design *d)
{
    int more;
    bsr_arena *arena = bsr_arena_new();
    bsr_status status = arena ? add_round(arena, d, NULL, &more) : BSR_ENOMEM;
    bsr_arena_free(arena);
    return status;
}

bsr_status bsr_next_round(bsr_store *store, bsr_record *r, int *more)
{
    bsr_cells cells;
    bsr_arena *arena = bsr_arena_new();
    bsr_status status = arena ? bsr_cells_read(&cells, arena, store, r, NULL) : BSR_ENOMEM;
    if (status == BSR_OK)
        status = add_round(arena, &r->design, &cells, more);
    bsr_arena_free(arena);
    return status == BSR_OK && *more ? bsr_record_update(store, r) : status;
}
