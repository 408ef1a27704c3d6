/* What the units of a design are: classes of faults, sites or neurons, channels. */
#include <math.h>
#include <string.h>

#include "campaign/design.h"
#include "fault/ray.h"

/* With at least 16 bits: faults of shorter codes are tried one by one anyway. */
static int is_float_format(const char *format)
{
    return strncmp(format, "float", 5) == 0 || strncmp(format, "fp", 2) == 0 ||
           strncmp(format, "bf", 2) == 0;
}

uint32_t bsr_class_variants(const bsr_spaces *all, const bsr_space *s, int class)
{
    uint32_t every = (uint32_t)(((uint64_t)1 << s->n_variants) - 1), top = 0;
    if (all->model.kind == BSR_FAULT_BITFLIP && is_float_format(s->format))
        for (int v = 0; v < s->n_variants; v++)
            if (s->variants[v] == s->width - 2)
                top = (uint32_t)1 << v;
    if (class < 0 || !top || top == every)
        return class > 0 ? 0 : every;
    return class == 0 ? top : every & ~top;
}

int bsr_class_count(const bsr_spaces *all, const bsr_space *s)
{
    return bsr_class_variants(all, s, 1) ? 2 : 1;
}

double bsr_design_largest(const bsr_design *d, const bsr_spaces *all)
{
    return d->neurons && all->spaces[0].width >= BSR_TRUSTED_BITS ? 0.125 : 1;
}

uint64_t bsr_design_sites(const bsr_design *d, const bsr_space *s)
{
    return d->neurons ? s->neurons : s->sites;
}

uint64_t bsr_design_first_site(const bsr_design *d, const bsr_space *s)
{
    return d->neurons ? s->first_neuron : s->first_site;
}

uint64_t bsr_design_per_channel(const bsr_design *d, const bsr_space *s)
{
    return d->neurons ? (uint64_t)s->pixels : s->per_channel;
}

uint64_t bsr_design_spread(const bsr_design *d)
{
    return d->neurons && d->kind != BSR_DESIGN_ADAPTIVE ? d->images : 1;
}

const bsr_space *bsr_design_space(const bsr_design *d, const bsr_spaces *all, uint64_t *site)
{
    const bsr_space *s = all->spaces;
    while (*site - bsr_design_first_site(d, s) >= bsr_design_sites(d, s))
        s++;
    *site -= bsr_design_first_site(d, s);
    return s;
}

uint64_t bsr_planned_faults(const bsr_design *d, const bsr_spaces *all, const bsr_planned *p)
{
    /* Neurons weigh alike, whatever their receptive fields hold. */
    if (!d->by_site || d->neurons)
        return 1;
    const bsr_space *s = &all->spaces[p->space];
    uint64_t n = 0;
    for (uint32_t v = bsr_class_variants(all, s, d->pairs ? p->variant : -1); v; v &= v - 1)
        n++;
    return n;
}

uint64_t bsr_unit_pairs(const bsr_design *d, const bsr_spaces *all, const bsr_planned *p,
                        uint64_t images)
{
    uint64_t faults =
        d->neurons ? (uint64_t)all->spaces[p->space].n_variants : bsr_planned_faults(d, all, p);
    return faults * (d->images > 1 ? bsr_design_spread(d) : images);
}

uint64_t bsr_planned_pairs(const bsr_design *d, const bsr_spaces *all, uint64_t images)
{
    uint64_t pairs = 0;
    for (int i = 0; i < d->n_strata; i++)
        pairs += d->strata[i].n * bsr_unit_pairs(d, all, &d->strata[i], images);
    return pairs;
}

bsr_units bsr_design_rules(const bsr_design *d)
{
    if (d->neurons || (d->by_site && !d->pairs))
        return BSR_UNITS_SITES;
    return d->pairs ? BSR_UNITS_MIXED : BSR_UNITS_FAULTS;
}

uint64_t bsr_design_channels(const bsr_design *d, const bsr_space *s)
{
    return (uint64_t)fmax(ceil(d->ratio * s->n_chosen - 1e-9), 1);
}

/* All of a filter's weights; of a channel's neurons their logarithm (Eq. 16). */
uint64_t bsr_design_channel_sites(const bsr_design *d, const bsr_space *s)
{
    uint64_t sites = bsr_design_per_channel(d, s), n = 0;
    if (s->place == BSR_FAULT_WEIGHT || s->place == BSR_FAULT_BIAS || sites < 3)
        return sites;
    while (((uint64_t)1 << n) < sites)
        n++;
    return n;
}
