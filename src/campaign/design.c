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

/* Enough for a first look, and all of a small population. */
static const char *default_plan(const bsr_spaces *all, int by_site)
{
    return by_site || all->population <= 1000 ? "exhaustive" : "random:1000";
}

static bsr_status add(bsr_design *d, int space, int variant, uint64_t faults, double p)
{
    bsr_planned *s = &d->strata[d->n_strata++];
    *s = (bsr_planned){.space = space, .variant = variant, .p = p};
    uint64_t images = bsr_design_spread(d) > 1 ? 1 : d->images;
    s->population = faults * images;
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
        BSR_TRY(add(d, i, -1,
                    d->by_site ? bsr_design_sites(d, &all->spaces[i]) : all->spaces[i].population,
                    p));
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
        int classes = d->neurons ? 1 : bsr_class_count(all, &all->spaces[i]);
        for (int c = 0; c < classes; c++)
            BSR_TRY(add(d, i, classes > 1 ? c : -1, bsr_design_sites(d, &all->spaces[i]), 0));
    }
    return BSR_OK;
}

static bsr_status add_channels(bsr_design *d, const bsr_spaces *all)
{
    BSR_TRY(add_layers(d, all, 0));
    for (int i = 0; i < d->n_strata; i++)
        d->strata[i].n =
            bsr_design_channels(d, &all->spaces[i]) * bsr_design_channel_sites(d, &all->spaces[i]);
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
    if (o->bounds && !*by_site)
        return bsr_fail(BSR_EINVAL, "bounds of errors (vvr) are found by method ray, not direct");
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
    d->neurons = by_site && bsr_is_operand(all->spaces[0].place);
    if (by_site && (d->neurons || d->kind == BSR_DESIGN_ADAPTIVE)) {
        d->pairs = 1;
        d->largest = bsr_design_largest(d, all);
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
