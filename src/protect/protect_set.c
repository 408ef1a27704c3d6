#include "protect/protect_set.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

typedef enum end { LOW, HIGH } end;

/* One side of a VF while it is gathered over one space. */
typedef struct gatherer {
    const bsr_base *base;
    const bsr_base_space *s;
    const bsr_guard *g;
    end which;
    int n_strata;
    uint32_t masks[BSR_MAX_VARIANTS]; /* variants that count in each stratum */
    bsr_stratum *strata;
    uint64_t *seen; /* as s->observed: units that are in the strata */
} gatherer;

/* `n` units of the same value at once. */
static bsr_status add_units(bsr_stratum *to, uint64_t n, uint64_t count)
{
    if (!n)
        return BSR_OK;
    bsr_stratum from = *to;
    from.n = n;
    from.sum = n * count;
    from.squares = (bsr_u128)n * count * count;
    from.cubes = from.squares * count;
    return bsr_stratum_merge(to, &from);
}

/* Images in which a word read as 0 is critical, given those of the unit's faults
 * (counts[n_variants] is that of 0 itself). */
static uint64_t zero_count(const gatherer *q, const uint64_t *counts, uint32_t answered)
{
    const bsr_base_space *s = q->s;
    if (s->zero == BSR_ZERO_BOUNDS)
        return counts[s->n_variants];
    if (q->which == LOW)
        return 0;
    return s->sign >= 0 && answered >> s->sign & 1 ? counts[s->sign] : q->base->images;
}

/* answered: variants that the unit has. */
static uint64_t fault_count(const gatherer *q, uint64_t channel, int v, const uint64_t *counts,
                            uint32_t answered)
{
    if (!bsr_guard_covers(q->g, channel) || !bsr_guard_hits(q->s, q->g, v))
        return counts[v];
    return q->g->by == BSR_PROTECT_PARITY ? zero_count(q, counts, answered) : 0;
}

/* The stratum that has a variant; -1: none has it any more. */
static int stratum_of(const gatherer *q, int v)
{
    for (int h = 0; h < q->n_strata; h++)
        if (q->masks[h] >> v & 1)
            return h;
    return -1;
}

/* `n` units of a stratum whose faults have these counts: sites, pairs. */
static bsr_status add_sums(gatherer *q, int h, uint64_t channel, const uint64_t *counts, uint64_t n)
{
    uint64_t sum = 0;
    for (int v = 0; v < q->s->n_variants; v++)
        if (q->masks[h] >> v & 1)
            sum += fault_count(q, channel, v, counts, q->s->strata[h]);
    return add_units(&q->strata[h], n, sum);
}

/* The effects of one unit; of one site where faults are units and sites are whole. */
static bsr_status add_unit(gatherer *q, const bsr_effect *e, size_t n)
{
    const bsr_base_space *s = q->s;
    uint64_t counts[BSR_MAX_VARIANTS + 1] = {0};
    uint64_t channel = bsr_effect_channel(q->base, s, e->unit);
    uint64_t *seen = &q->seen[channel * (uint64_t)s->cells];
    for (size_t i = 0; i < n; i++)
        counts[e[i].variant] = q->which == LOW ? e[i].lo : e[i].hi;
    if (q->base->units != BSR_BASE_FAULTS) {
        int h = q->base->units == BSR_BASE_PAIRS ? (int)(e->unit % BSR_CLASSES) : 0;
        seen[h]++;
        return add_sums(q, h, channel, counts, 1);
    }
    for (int v = 0; v < s->n_variants; v++) {
        int h = stratum_of(q, v);
        if (!q->base->whole_sites && v != e->variant)
            continue;
        uint32_t answered = q->base->whole_sites ? UINT32_MAX : (uint32_t)1 << v;
        seen[v]++;
        if (h >= 0)
            BSR_TRY(bsr_stratum_add(&q->strata[h], fault_count(q, channel, v, counts, answered)));
    }
    return BSR_OK;
}

/* Units of which no fault is critical. */
static bsr_status add_rest(gatherer *q)
{
    static const uint64_t none[BSR_MAX_VARIANTS + 1];
    const bsr_base_space *s = q->s;
    for (int k = 0; k < s->space->n_chosen; k++)
        for (int cell = 0; cell < s->cells; cell++) {
            size_t at = (size_t)(k * s->cells + cell);
            uint64_t n = s->observed[at] - q->seen[at];
            if (q->base->units != BSR_BASE_FAULTS) {
                BSR_TRY(add_sums(q, cell, (uint64_t)k, none, n));
                continue;
            }
            uint32_t answered = q->base->whole_sites ? UINT32_MAX : (uint32_t)1 << cell;
            int h = stratum_of(q, cell);
            if (h >= 0)
                BSR_TRY(
                    add_units(&q->strata[h], n, fault_count(q, (uint64_t)k, cell, none, answered)));
        }
    return BSR_OK;
}

/* Parity where 0 is not answered for each unit, but the sign has been sampled: the upper end of
 * every protected fault is on average what the sign's is. So the sign's units stand for those
 * faults too, whose own are left out: one sample that counts several times, not several samples.
 * faults[h]: what a unit of the stratum stands for. */
static void sign_for_zero(gatherer *q, uint64_t faults[BSR_MAX_VARIANTS])
{
    const bsr_base_space *s = q->s;
    int home = s->zero == BSR_ZERO_SIGN_STRATUM ? stratum_of(q, s->sign) : -1;
    if (home < 0 || q->which == LOW || q->g->by != BSR_PROTECT_PARITY || q->g->channels)
        return;
    for (int v = 0; v < s->n_variants; v++) {
        int h = stratum_of(q, v);
        /* Strata of one variant only can be given up. */
        if (h == home || !bsr_guard_hits(s, q->g, v) || q->masks[h] != (uint32_t)1 << v)
            continue;
        q->masks[h] = 0;
        faults[h] = 0;
        faults[home]++;
        if (q->base->units == BSR_BASE_PAIRS)
            q->masks[home] |= (uint32_t)1 << v;
    }
}

/* Variants whose faults the guard removes, whatever was observed. */
static uint32_t removed(const bsr_base_space *s, const bsr_guard *g)
{
    uint32_t bits = 0;
    if (g->channels || (g->by != BSR_PROTECT_SECDED && g->by != BSR_PROTECT_TMR))
        return 0;
    for (int v = 0; v < s->n_variants; v++)
        bits |= (uint32_t)bsr_guard_hits(s, g, v) << v;
    return bits;
}

/* Takes out of the strata what is certain to be harmless. Where a stratum's units are faults of any
 * variant, that is all of it or nothing. */
static void leave_out(gatherer *q, uint64_t faults[BSR_MAX_VARIANTS])
{
    uint32_t gone = removed(q->s, q->g);
    int mixed = q->base->units == BSR_BASE_FAULTS && q->n_strata == 1;
    for (int h = 0; h < q->n_strata; h++) {
        if (mixed && (q->base->one_stratum || q->masks[h] & ~gone))
            continue;
        q->masks[h] &= ~gone;
        if (q->base->units != BSR_BASE_FAULTS || !q->masks[h])
            faults[h] = (uint64_t)__builtin_popcount(q->masks[h]);
    }
}

/* As the run's own cells are made. */
static bsr_status init_strata(gatherer *q)
{
    const bsr_base *b = q->base;
    const bsr_base_space *s = q->s;
    uint64_t faults[BSR_MAX_VARIANTS];
    int single = b->units == BSR_BASE_FAULTS;
    q->n_strata = s->n_strata;
    for (int h = 0; h < s->n_strata; h++) {
        q->masks[h] = s->strata[h];
        faults[h] = single ? 1 : (uint64_t)__builtin_popcount(s->strata[h]);
    }
    leave_out(q, faults);
    sign_for_zero(q, faults);
    uint64_t units =
        s->space->sites * b->times * (single && s->n_strata == 1 ? (uint64_t)s->n_variants : 1);
    for (int h = 0; h < s->n_strata; h++) {
        uint64_t sum = single || !faults[h] ? 1 : faults[h];
        BSR_TRY(bsr_stratum_init(&q->strata[h], units, sum * b->images));
        q->strata[h].faults = faults[h];
    }
    return BSR_OK;
}

/* Strata of one space that have faults left: *n of them. */
static bsr_status gather_space(bsr_stratum *strata, size_t *n, const bsr_base *b, int space,
                               const bsr_guard *g, end which)
{
    const bsr_base_space *s = &b->spaces[space];
    gatherer q = {.base = b, .s = s, .g = g, .which = which, .strata = strata};
    q.seen = bsr_calloc_array((size_t)s->space->n_chosen * (size_t)s->cells, sizeof *q.seen);
    if (!q.seen)
        return BSR_ENOMEM;
    int grouped = b->whole_sites || b->units == BSR_BASE_PAIRS;
    bsr_status status = init_strata(&q);
    for (size_t i = 0, to; i < s->n_effects && status == BSR_OK; i = to) {
        to = i + 1;
        while (grouped && to < s->n_effects && s->effects[to].unit == s->effects[i].unit)
            to++;
        status = add_unit(&q, &s->effects[i], to - i);
    }
    if (status == BSR_OK)
        status = add_rest(&q);
    *n = 0;
    for (int h = 0; h < s->n_strata && status == BSR_OK; h++)
        if (strata[h].faults)
            strata[(*n)++] = strata[h];
    bsr_free(q.seen);
    return status;
}

/* As bsr_summarise: nothing observed in a stratum, or a run that is not complete, says nothing. The
 * strata are `part` of the faults; the others are harmless for certain. */
static bsr_status share_of(bsr_share *out, const bsr_base *b, const bsr_stratum *st, size_t n,
                           double part, double confidence)
{
    static const bsr_units kinds[] = {[BSR_BASE_FAULTS] = BSR_UNITS_FAULTS,
                                      [BSR_BASE_SITES] = BSR_UNITS_SITES,
                                      [BSR_BASE_PAIRS] = BSR_UNITS_MIXED};
    *out = n ? (bsr_share){NAN, 0, part} : (bsr_share){0, 0, 0};
    for (size_t i = 0; i < n; i++)
        if (!st[i].n)
            return BSR_OK;
    if (!n)
        return BSR_OK;
    bsr_estimate e;
    BSR_TRY(bsr_stratified_of(&e, st, n, confidence, kinds[b->units]));
    out->value = part * e.mean;
    if (b->r->complete)
        *out = (bsr_share){part * e.mean, part * e.ci.lo, part * e.ci.hi};
    return BSR_OK;
}

/* Layers that were drawn from together are one stratum. */
static bsr_status join(bsr_stratum *st, size_t *n, const bsr_base *b)
{
    if (!b->one_stratum)
        return BSR_OK;
    st[0].units = b->population * b->times;
    for (size_t i = 1; i < *n; i++) {
        st[i].units = st[0].units;
        BSR_TRY(bsr_stratum_merge(&st[0], &st[i]));
    }
    *n = 1;
    return BSR_OK;
}

static bsr_status one_end(bsr_share *out, bsr_stratum *room, const bsr_base *b,
                          const bsr_guard *guards, int space, end which, double confidence)
{
    size_t n = 0, more;
    double all = 0, left = 0;
    int anything = 0;
    for (int i = 0; i < b->n; i++) {
        const bsr_base_space *s = &b->spaces[i];
        if (space >= 0 && i != space)
            continue;
        BSR_TRY(gather_space(room + n, &more, b, i, &guards[i], which));
        all += (double)(s->space->sites * (uint64_t)s->n_variants * b->times);
        for (size_t k = n; k < n + more; k++)
            left += (double)(room[k].units * room[k].faults);
        anything |= removed(s, &guards[i]) != UINT32_MAX >> (BSR_MAX_VARIANTS - s->n_variants);
        n += more;
    }
    if (space < 0)
        BSR_TRY(join(room, &n, b));
    return share_of(out, b, room, anything ? n : 0, left / all, confidence);
}

bsr_status bsr_guarded_vf(bsr_vf_range *out, const bsr_base *b, const bsr_guard *guards, int space,
                          double confidence)
{
    bsr_stratum *room = bsr_alloc_array((size_t)b->n * BSR_MAX_VARIANTS, sizeof *room);
    if (!room)
        return BSR_ENOMEM;
    bsr_status status = one_end(&out->low, room, b, guards, space, LOW, confidence);
    if (status == BSR_OK)
        status = one_end(&out->high, room, b, guards, space, HIGH, confidence);
    bsr_free(room);
    return status;
}
