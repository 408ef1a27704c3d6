/* Protections and their storage; what each bit and each 0 has in the MVF. */
#include "protect/protect_set.h"

int bsr_protect_word_bits(bsr_protect_by by, int m)
{
    if (m <= 0)
        return 0;
    int r = 0;
    switch (by) {
    case BSR_PROTECT_PARITY:
        return 1;
    case BSR_PROTECT_SECDED:
        while ((1L << r) < m + r + 1)
            r++;
        return r + 1;
    case BSR_PROTECT_TMR:
        return 2 * m;
    default:
        return 0;
    }
}

static uint32_t code_mask(int width)
{
    return UINT32_MAX >> (32 - width);
}

int bsr_guard_covers(const bsr_guard *g, uint64_t channel)
{
    return g->by != BSR_PROTECT_NONE && (!g->channels || g->channels[channel]);
}

uint64_t bsr_guard_words(const bsr_base_space *s, const bsr_guard *g)
{
    uint64_t words = 0;
    if (!(g->bits & code_mask(s->width)))
        return 0;
    for (int k = 0; k < s->space->n_chosen; k++)
        words += bsr_guard_covers(g, (uint64_t)k) ? s->space->per_channel : 0;
    return words;
}

uint64_t bsr_guard_cost(const bsr_base_space *s, const bsr_guard *g)
{
    int m = __builtin_popcount(g->bits & code_mask(s->width));
    return bsr_guard_words(s, g) * (uint64_t)bsr_protect_word_bits(g->by, m);
}

int bsr_guard_hits(const bsr_base_space *s, const bsr_guard *g, int variant)
{
    uint32_t all = code_mask(s->width);
    int bit = s->variants[variant];
    return bit < 0 ? (g->bits & all) == all : (int)(g->bits >> bit & 1);
}

/* Units of a space that are answered, in one of its cells (-1: all) of the guard's channels. */
static uint64_t observed_in(const bsr_base_space *s, int cell, const bsr_guard *g)
{
    uint64_t n = 0;
    for (int k = 0; k < s->space->n_chosen; k++)
        for (int c = 0; c < s->cells; c++)
            if ((cell < 0 || c == cell) && bsr_guard_covers(g, (uint64_t)k))
                n += s->observed[k * s->cells + c];
    return n;
}

/* The cell that counts units with a variant. */
static int cell_of(const bsr_base *b, const bsr_base_space *s, int v)
{
    int h = 0;
    if (b->units == BSR_BASE_FAULTS)
        return v;
    while (!(s->strata[h] >> v & 1))
        h++;
    return h;
}

void bsr_zero_vf(double *lo, double *hi, const bsr_base *b, int space, const bsr_guard *g)
{
    const bsr_base_space *s = &b->spaces[space];
    uint64_t low = 0, high = 0;
    *lo = 0;
    *hi = 1;
    if (s->zero == BSR_ZERO_UNKNOWN)
        return;
    int of_bounds = s->zero == BSR_ZERO_BOUNDS, variant = of_bounds ? s->n_variants : s->sign;
    uint64_t n = observed_in(s, of_bounds ? 0 : cell_of(b, s, s->sign), g);
    for (size_t i = 0; i < s->n_effects; i++) {
        const bsr_effect *e = &s->effects[i];
        if (e->variant != variant || !bsr_guard_covers(g, bsr_effect_channel(b, s, e->unit)))
            continue;
        low += e->lo;
        high += e->hi;
    }
    if (!n)
        return;
    *hi = (double)high / ((double)n * (double)b->images);
    if (of_bounds)
        *lo = (double)low / ((double)n * (double)b->images);
}

void bsr_contributions(bsr_contribution *out, const bsr_base *b)
{
    static const bsr_guard whole = {BSR_PROTECT_PARITY, UINT32_MAX, NULL};
    double all = 0;
    for (int i = 0; i < b->n; i++)
        all += (double)observed_in(&b->spaces[i], -1, &whole);
    for (int i = 0; i < b->n; i++) {
        const bsr_base_space *s = &b->spaces[i];
        double sites = (double)s->space->sites / (double)b->population, lo, hi;
        int pooled = b->units == BSR_BASE_FAULTS && s->n_strata == 1;
        out[i] = (bsr_contribution){.zero = 0};
        for (size_t k = 0; k < s->n_effects; k++)
            if (s->effects[k].variant < s->n_variants)
                out[i].critical[s->effects[k].variant] += s->effects[k].hi;
        for (int v = 0; v < s->n_variants; v++) {
            double n = (double)observed_in(s, pooled ? -1 : cell_of(b, s, v), &whole);
            double weight = pooled ? sites * s->n_variants : sites;
            if (b->one_stratum) {
                n = all;
                weight = 1;
            }
            if (n > 0)
                out[i].critical[v] *= weight / (n * (double)b->images);
        }
        bsr_zero_vf(&lo, &hi, b, i, &whole);
        out[i].zero = sites * hi;
    }
}
