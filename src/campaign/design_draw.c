/* Drawing the units of a design. */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/design.h"

/* Streams of the draws: one for each stratum. */
#define STREAM_DRAWS ((uint64_t)4 << 32)

/* Streams of CHANNELS: of the channels of each layer, of the sites of each channel. */
#define STREAM_CHANNELS ((uint64_t)5 << 32)
#define STREAM_SITES    ((uint64_t)6 << 32)

/* Streams of picks: one for each stratum. */
#define STREAM_PICKS ((uint64_t)8 << 32)

/* Unit number of index u of a stratum. */
static uint64_t unit_of(const bsr_design *d, const bsr_spaces *all, const bsr_planned *s,
                        uint64_t u)
{
    if (s->space < 0)
        return u;
    const bsr_space *sp = &all->spaces[s->space];
    uint64_t site = bsr_design_first_site(d, sp);
    if (bsr_design_spread(d) > 1)
        return (site + u) * d->images * BSR_CLASSES; /* in the first image */
    if (d->pairs)
        return (site * d->images + u) * BSR_CLASSES + (s->variant > 0);
    if (d->by_site)
        return sp->first_site + u;
    uint64_t image = u % d->images, fault = u / d->images;
    if (s->variant >= 0)
        fault = fault * (uint64_t)sp->n_variants + (uint64_t)s->variant;
    return (sp->first + fault) * d->images + image;
}

/* Units of the channels that CHANNELS draws of layer i. */
static bsr_status draw_channels(const bsr_design *d, const bsr_spaces *all, int i, uint64_t *out)
{
    const bsr_space *sp = &all->spaces[d->strata[i].space];
    uint64_t n = bsr_design_channels(d, sp), k = bsr_design_channel_sites(d, sp), *channels;
    uint64_t per_channel = bsr_design_per_channel(d, sp);
    BSR_TRY(bsr_sample_indices(&channels, (uint64_t)sp->n_chosen, n, d->seed,
                               STREAM_CHANNELS + (uint64_t)i, 1));
    bsr_status status = BSR_OK;
    for (uint64_t c = 0; c < n && status == BSR_OK; c++) {
        uint64_t *sites;
        uint64_t first = channels[c] * per_channel;
        status = bsr_sample_indices(&sites, per_channel, k, d->seed,
                                    STREAM_SITES + bsr_design_first_site(d, sp) + first, 1);
        for (uint64_t u = 0; u < k && status == BSR_OK; u++)
            *out++ = unit_of(d, all, &d->strata[i], first + sites[u]);
        if (status == BSR_OK)
            bsr_free(sites);
    }
    bsr_free(channels);
    return status;
}

static bsr_status draw_stratum(bsr_design *d, const bsr_spaces *all, int i, uint64_t end,
                               int in_parts, uint64_t *out)
{
    const bsr_planned *s = &d->strata[i];
    if (d->kind == BSR_DESIGN_CHANNELS) {
        if (d->drawn[i] == s->n)
            return BSR_OK;
        d->drawn[i] = s->n;
        return draw_channels(d, all, i, out);
    }
    int whole = s->n == s->population && !d->samples[i] && !in_parts;
    if (!whole && !d->samples[i])
        BSR_TRY(bsr_sample_new(&d->samples[i], s->population, d->seed, STREAM_DRAWS + (uint64_t)i));
    for (; d->drawn[i] < end; d->drawn[i]++) {
        uint64_t u = d->drawn[i];
        if (!whole)
            BSR_TRY(bsr_sample_next(d->samples[i], &u));
        *out++ = unit_of(d, all, s, u);
    }
    return BSR_OK;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Draws that stratum i is to have after this call, `left` being what all have left. */
static uint64_t end_of_draw(const bsr_design *d, int i, uint64_t left, uint64_t most)
{
    uint64_t open = d->strata[i].n - d->drawn[i];
    if (!most || left <= most || d->kind == BSR_DESIGN_CHANNELS)
        return d->strata[i].n;
    return d->drawn[i] + (uint64_t)ceil((double)open * (double)most / (double)left);
}

bsr_status bsr_design_draw(bsr_design *d, const bsr_spaces *all, uint64_t most, uint64_t **units,
                           uint64_t *n)
{
    uint64_t population = 0, left = 0;
    *n = 0;
    *units = NULL;
    for (int i = 0; i < d->n_strata; i++) {
        left += d->strata[i].n - d->drawn[i];
        population += d->strata[i].population;
    }
    if (left == population && !d->pairs && !most) {
        for (int i = 0; i < d->n_strata; i++)
            d->drawn[i] = d->strata[i].n;
        *n = left;
        return BSR_OK;
    }
    for (int i = 0; i < d->n_strata; i++)
        *n += end_of_draw(d, i, left, most) - d->drawn[i];
    if (!*n)
        return BSR_OK;
    uint64_t spread = bsr_design_spread(d);
    *units = bsr_alloc_array(*n * spread, sizeof **units);
    if (!*units)
        return BSR_ENOMEM;
    bsr_status status = BSR_OK;
    uint64_t at = 0;
    for (int i = 0; i < d->n_strata && status == BSR_OK; i++) {
        uint64_t end = end_of_draw(d, i, left, most), more = end - d->drawn[i];
        status = draw_stratum(d, all, i, end, most > 0, *units + at);
        at += more;
    }
    if (status != BSR_OK) {
        bsr_free(*units);
        *units = NULL;
        return status;
    }
    /* From the back, so that what is spread does not overwrite what is to be. */
    for (uint64_t u = *n; spread > 1 && u-- > 0;)
        for (uint64_t image = spread; image-- > 0;)
            (*units)[u * spread + image] = (*units)[u] + image * BSR_CLASSES;
    *n *= spread;
    qsort(*units, *n, sizeof **units, ascending);
    return BSR_OK;
}

uint64_t bsr_design_unit(const bsr_design *d, const bsr_spaces *all, int i, uint64_t u)
{
    return unit_of(d, all, &d->strata[i], u);
}

bsr_status bsr_design_pick(const bsr_design *d, const bsr_spaces *all, int i, uint64_t k,
                           uint64_t *units)
{
    const bsr_planned *s = &d->strata[i];
    uint64_t *drawn = NULL, *picked = NULL;
    if (d->kind != BSR_DESIGN_CHANNELS) {
        /* The first draws are as good as any, also where all of the stratum is drawn. */
        BSR_TRY(
            bsr_sample_indices(&drawn, s->population, k, d->seed, STREAM_DRAWS + (uint64_t)i, 0));
        for (uint64_t j = 0; j < k; j++)
            units[j] = unit_of(d, all, s, drawn[j]);
        bsr_free(drawn);
        return BSR_OK;
    }
    drawn = bsr_alloc_array(s->n, sizeof *drawn);
    bsr_status status = drawn ? draw_channels(d, all, i, drawn) : BSR_ENOMEM;
    if (status == BSR_OK)
        status = bsr_sample_indices(&picked, s->n, k, d->seed, STREAM_PICKS + (uint64_t)i, 0);
    for (uint64_t j = 0; j < k && status == BSR_OK; j++)
        units[j] = drawn[picked[j]];
    bsr_free(drawn);
    bsr_free(picked);
    return status;
}

void bsr_design_stop(bsr_design *d)
{
    for (int i = 0; i < d->n_strata; i++)
        d->strata[i].n = d->drawn[i];
}

void bsr_design_redraw(bsr_design *d)
{
    for (int i = 0; i < d->n_strata; i++) {
        bsr_sample_free(d->samples[i]);
        d->samples[i] = NULL;
        d->drawn[i] = 0;
    }
}

uint64_t bsr_design_drawn(const bsr_design *d)
{
    uint64_t n = 0;
    for (int i = 0; i < d->n_strata; i++)
        n += d->drawn[i];
    return n;
}
