#include "campaign/design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/rounds.h"
#include "campaign/shares.h"
#include "stats/sample_size.h"
#include "stats/special.h"

/* Streams of the draws: one for each stratum. */
#define STREAM_DRAWS ((uint64_t)4 << 32)

/* Streams of CHANNELS: of the channels of each layer, of the sites of each channel. */
#define STREAM_CHANNELS ((uint64_t)5 << 32)
#define STREAM_SITES    ((uint64_t)6 << 32)

/* Streams of picks: one for each stratum. */
#define STREAM_PICKS ((uint64_t)8 << 32)

static const struct {
    const char *name;
    int with_rays; /* one ray may serve all faults of a unit */
    int has_margin;
} kinds[] = {
    [BSR_DESIGN_EXHAUSTIVE] = {"exhaustive", 1, 0},
    [BSR_DESIGN_RANDOM] = {"random", 0, 0},
    [BSR_DESIGN_NETWORK_WISE] = {"network-wise", 0, 1},
    [BSR_DESIGN_LAYER_WISE] = {"layer-wise", 0, 1},
    [BSR_DESIGN_DATA_UNAWARE] = {"data-unaware", 1, 1},
    [BSR_DESIGN_DATA_AWARE] = {"data-aware", 0, 1},
    [BSR_DESIGN_ADAPTIVE] = {"adaptive", 1, 1},
    [BSR_DESIGN_SITES] = {"sites", 1, 0},
    [BSR_DESIGN_LIST] = {"list", 0, 0},
    [BSR_DESIGN_CHANNELS] = {"channels", 1, 0},
};

const char *bsr_design_name(bsr_design_kind kind)
{
    return kinds[kind].name;
}

int bsr_design_has_margin(bsr_design_kind kind)
{
    return kinds[kind].has_margin;
}

/* "random:N" and "sites:N". */
static int read_count(const char *text, const char *name, uint64_t *n)
{
    size_t len = strlen(name);
    if (strncmp(text, name, len) != 0 || text[len] != ':' || text[len + 1] < '0' ||
        text[len + 1] > '9')
        return 0;
    char *stop;
    unsigned long long v = strtoull(text + len + 1, &stop, 10);
    *n = v;
    return !*stop && v > 0 && v <= BSR_MAX_POPULATION;
}

/* "channels:R" with R above 0 up to 1. */
static int read_ratio(const char *text, double *ratio)
{
    char *stop;
    if (strncmp(text, "channels:", 9) != 0)
        return 0;
    *ratio = strtod(text + 9, &stop);
    return stop != text + 9 && !*stop && *ratio > 0 && *ratio <= 1;
}

static bsr_status parse(bsr_design *d, const char *text, uint64_t *count)
{
    *count = 0;
    if (read_ratio(text, &d->ratio)) {
        d->kind = BSR_DESIGN_CHANNELS;
        return BSR_OK;
    }
    if (read_count(text, "random", count)) {
        d->kind = BSR_DESIGN_RANDOM;
        return BSR_OK;
    }
    if (read_count(text, "sites", count)) {
        d->kind = BSR_DESIGN_SITES;
        return BSR_OK;
    }
    for (int k = 0; k <= BSR_DESIGN_ADAPTIVE; k++)
        if (k != BSR_DESIGN_RANDOM && strcmp(text, kinds[k].name) == 0) {
            d->kind = (bsr_design_kind)k;
            return BSR_OK;
        }
    return bsr_fail(BSR_EINVAL,
                    "plan '%s', expected exhaustive, random:N, network-wise, layer-wise, "
                    "data-unaware, data-aware, adaptive, sites:N with N above 0 or channels:R "
                    "with R above 0 up to 1",
                    text);
}

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

uint64_t bsr_planned_faults(const bsr_design *d, const bsr_spaces *all, const bsr_planned *p)
{
    if (!d->by_site)
        return 1;
    const bsr_space *s = &all->spaces[p->space];
    uint64_t n = 0;
    for (uint32_t v = bsr_class_variants(all, s, d->pairs ? p->variant : -1); v; v &= v - 1)
        n++;
    return n;
}

uint64_t bsr_design_channels(const bsr_design *d, const bsr_space *s)
{
    return (uint64_t)fmax(ceil(d->ratio * s->n_chosen - 1e-9), 1);
}

/* All of a filter's weights; of a channel's neurons their logarithm (Eq. 16). */
uint64_t bsr_design_channel_sites(const bsr_space *s)
{
    if (s->place == BSR_FAULT_WEIGHT || s->place == BSR_FAULT_BIAS || s->per_channel < 3)
        return s->per_channel;
    uint64_t n = 0;
    while (((uint64_t)1 << n) < s->per_channel)
        n++;
    return n;
}

/* Enough for a first look, and all of a small population. */
static const char *default_plan(const bsr_spaces *all, int by_site)
{
    return by_site || all->population <= 1000 ? "exhaustive" : "random:1000";
}

static bsr_status add(bsr_design *d, int space, int variant, uint64_t faults, double p)
{
    bsr_planned *s = &d->strata[d->n_strata++];
    *s = (bsr_planned){.space = space, .variant = variant, .p = p};
    s->population = faults * d->images;
    if (s->population > BSR_MAX_POPULATION || faults > BSR_MAX_POPULATION / d->images)
        return bsr_fail(BSR_ELIMIT, "a population of %llu faults in %llu images is more than 2^53",
                        (unsigned long long)faults, (unsigned long long)d->images);
    if (p > 0)
        return bsr_sample_size(&s->n, s->population, d->margin, d->t, p);
    s->n = s->population;
    return BSR_OK;
}

/* One stratum for each layer (p > 0: by sample size). */
static bsr_status add_layers(bsr_design *d, const bsr_spaces *all, double p)
{
    for (int i = 0; i < all->n; i++)
        BSR_TRY(add(d, i, -1, d->by_site ? all->spaces[i].sites : all->spaces[i].population, p));
    return BSR_OK;
}

/* One for each fault of a site of each layer, with the bits' shares or p for all. */
static bsr_status add_bits(bsr_design *d, const bsr_spaces *all, const double *shares, double p)
{
    for (int i = 0; i < all->n; i++)
        for (int v = 0; v < all->spaces[i].n_variants; v++) {
            int bit = all->spaces[i].variants[v];
            BSR_TRY(add(d, i, v, all->spaces[i].sites, shares && bit >= 0 ? shares[bit] : p));
        }
    return BSR_OK;
}

/* One for each class of faults of each layer; units are pairs. */
static bsr_status add_classes(bsr_design *d, const bsr_spaces *all)
{
    for (int i = 0; i < all->n; i++) {
        int classes = bsr_class_count(all, &all->spaces[i]);
        for (int c = 0; c < classes; c++)
            BSR_TRY(add(d, i, classes > 1 ? c : -1, all->spaces[i].sites, 0));
    }
    return BSR_OK;
}

static bsr_status add_channels(bsr_design *d, const bsr_spaces *all)
{
    BSR_TRY(add_layers(d, all, 0));
    for (int i = 0; i < d->n_strata; i++)
        d->strata[i].n =
            bsr_design_channels(d, &all->spaces[i]) * bsr_design_channel_sites(&all->spaces[i]);
    return BSR_OK;
}

static bsr_status add_counted(bsr_design *d, const bsr_spaces *all, uint64_t count)
{
    if (d->kind == BSR_DESIGN_RANDOM) {
        BSR_TRY(add(d, -1, -1, all->population, 0));
        if (count > d->strata[0].population)
            return bsr_fail(BSR_EINVAL, "plan random:%llu, but the population has %llu faults",
                            (unsigned long long)count, (unsigned long long)d->strata[0].population);
        d->strata[0].n = count;
        return BSR_OK;
    }
    BSR_TRY(add_layers(d, all, 0));
    for (int i = 0; i < d->n_strata; i++)
        if (d->strata[i].n > count)
            d->strata[i].n = count;
    return BSR_OK;
}

static bsr_status fill(bsr_design *d, const bsr_spaces *all, const bsr_run_options *o,
                       uint64_t count)
{
    double shares[BSR_MAX_VARIANTS];
    switch (d->kind) {
    case BSR_DESIGN_RANDOM:
    case BSR_DESIGN_SITES:
        return add_counted(d, all, count);
    case BSR_DESIGN_NETWORK_WISE:
        return add(d, -1, -1, all->population, 0.5);
    case BSR_DESIGN_LAYER_WISE:
        return add_layers(d, all, 0.5);
    case BSR_DESIGN_DATA_UNAWARE:
        return d->by_site ? add_layers(d, all, 0.5) : add_bits(d, all, NULL, 0.5);
    case BSR_DESIGN_DATA_AWARE:
        BSR_TRY(bsr_find_shares(shares, all, o->shares));
        return add_bits(d, all, shares, 0.5);
    case BSR_DESIGN_ADAPTIVE:
        BSR_TRY(d->pairs ? add_classes(d, all) : add_bits(d, all, NULL, 0));
        for (int i = 0; i < d->n_strata; i++)
            d->strata[i].n = 0;
        return bsr_first_round(d, all);
    case BSR_DESIGN_CHANNELS:
        return add_channels(d, all);
    default:
        return d->by_site ? add_layers(d, all, 0) : add(d, -1, -1, all->population, 0);
    }
}

bsr_status bsr_design_method(const bsr_run_options *o, int *by_site)
{
    *by_site = strcmp(o->method, "ray") == 0;
    if (!*by_site && strcmp(o->method, "direct") != 0)
        return bsr_fail(BSR_EINVAL, "method '%s', expected direct or ray", o->method);
    return *by_site && (o->transient || o->faults)
               ? bsr_fail(BSR_EINVAL, "method ray answers all images of a site: no transient "
                                      "faults and no fault lists")
               : BSR_OK;
}

bsr_status bsr_design_init(bsr_design *d, const bsr_spaces *all, const bsr_run_options *o,
                           int by_site, uint64_t images)
{
    *d = (bsr_design){.by_site = by_site,
                      .images = o->transient ? images : 1,
                      .margin = o->margin,
                      .confidence = o->confidence,
                      .seed = o->seed};
    d->t = bsr_normal_quantile(0.5 + o->confidence / 2);
    uint64_t count = 0;
    if (all->model.kind == BSR_FAULT_LISTED)
        d->kind = BSR_DESIGN_LIST;
    else
        BSR_TRY(parse(d, o->plan ? o->plan : default_plan(all, by_site), &count));
    int needs_rays = d->kind == BSR_DESIGN_SITES || d->kind == BSR_DESIGN_CHANNELS;
    if (by_site ? !kinds[d->kind].with_rays : needs_rays)
        return bsr_fail(BSR_EINVAL,
                        by_site ? "plan %s draws single faults; method ray answers all faults of a "
                                  "site: exhaustive, data-unaware, adaptive, sites:N or channels:R"
                                : "plan %s needs method ray",
                        by_site                       ? kinds[d->kind].name
                        : d->kind == BSR_DESIGN_SITES ? "sites:N"
                                                      : "channels:R");
    if (by_site && d->kind == BSR_DESIGN_ADAPTIVE) {
        d->pairs = 1;
        d->images = images;
    }
    if (by_site && all->spaces[0].place == BSR_FAULT_PARAMETER)
        return bsr_fail(
            BSR_EINVAL,
            "method ray cannot change parameters (norm, scale, zero-point); use direct");
    if (o->shares && d->kind != BSR_DESIGN_DATA_AWARE)
        return bsr_fail(BSR_EINVAL, "shares '%.80s' are for plan data-aware, not %s", o->shares,
                        kinds[d->kind].name);
    size_t most = 1;
    for (int i = 0; i < all->n; i++)
        most += (size_t)all->spaces[i].n_variants;
    d->strata = bsr_alloc_array(most, sizeof *d->strata);
    d->samples = bsr_calloc_array(most, sizeof *d->samples);
    d->drawn = bsr_calloc_array(most, sizeof *d->drawn);
    return d->strata && d->samples && d->drawn ? fill(d, all, o, count) : BSR_ENOMEM;
}

void bsr_design_clear(bsr_design *d)
{
    for (int i = 0; d->samples && i < d->n_strata; i++)
        bsr_sample_free(d->samples[i]);
    bsr_free(d->samples);
    bsr_free(d->strata);
    bsr_free(d->drawn);
    *d = (bsr_design){0};
}

uint64_t bsr_design_planned(const bsr_design *d)
{
    uint64_t n = 0;
    for (int i = 0; i < d->n_strata; i++)
        n += d->strata[i].n;
    return n;
}

/* Unit number of index u of a stratum. */
static uint64_t unit_of(const bsr_design *d, const bsr_spaces *all, const bsr_planned *s,
                        uint64_t u)
{
    if (s->space < 0)
        return u;
    const bsr_space *sp = &all->spaces[s->space];
    if (d->pairs)
        return (sp->first_site * d->images + u) * BSR_CLASSES + (s->variant > 0);
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
    uint64_t n = bsr_design_channels(d, sp), k = bsr_design_channel_sites(sp), *channels;
    BSR_TRY(bsr_sample_indices(&channels, (uint64_t)sp->n_chosen, n, d->seed,
                               STREAM_CHANNELS + (uint64_t)i, 1));
    bsr_status status = BSR_OK;
    for (uint64_t c = 0; c < n && status == BSR_OK; c++) {
        uint64_t *sites;
        status =
            bsr_sample_indices(&sites, sp->per_channel, k, d->seed,
                               STREAM_SITES + sp->first_site + channels[c] * sp->per_channel, 1);
        for (uint64_t u = 0; u < k && status == BSR_OK; u++)
            *out++ = sp->first_site + channels[c] * sp->per_channel + sites[u];
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
    *units = bsr_alloc_array(*n, sizeof **units);
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
    qsort(*units, *n, sizeof **units, ascending);
    return BSR_OK;
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
