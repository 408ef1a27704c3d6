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

static bsr_status parse(bsr_design *d, const char *text, uint64_t *count)
{
    *count = 0;
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
                    "data-unaware, data-aware, adaptive or sites:N with N above 0",
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
        BSR_TRY(d->by_site ? add_layers(d, all, 0) : add_bits(d, all, NULL, 0));
        for (int i = 0; i < d->n_strata; i++)
            d->strata[i].n = 0;
        return bsr_first_round(d);
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
    if (by_site ? !kinds[d->kind].with_rays : d->kind == BSR_DESIGN_SITES)
        return bsr_fail(BSR_EINVAL,
                        by_site ? "plan %s draws single faults; method ray answers all faults of a "
                                  "site: exhaustive, data-unaware, adaptive or sites:N"
                                : "plan %s:N needs method ray",
                        kinds[d->kind].name);
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
    if (d->by_site)
        return sp->first_site + u;
    uint64_t image = u % d->images, fault = u / d->images;
    if (s->variant >= 0)
        fault = fault * (uint64_t)sp->n_variants + (uint64_t)s->variant;
    return (sp->first + fault) * d->images + image;
}

static bsr_status draw_stratum(bsr_design *d, const bsr_spaces *all, int i, uint64_t *out)
{
    const bsr_planned *s = &d->strata[i];
    int whole = s->n == s->population && !d->samples[i];
    if (!whole && !d->samples[i])
        BSR_TRY(bsr_sample_new(&d->samples[i], s->population, d->seed, STREAM_DRAWS + (uint64_t)i));
    for (; d->drawn[i] < s->n; d->drawn[i]++) {
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

bsr_status bsr_design_draw(bsr_design *d, const bsr_spaces *all, uint64_t **units, uint64_t *n)
{
    uint64_t population = 0;
    *n = 0;
    *units = NULL;
    for (int i = 0; i < d->n_strata; i++) {
        *n += d->strata[i].n - d->drawn[i];
        population += d->strata[i].population;
    }
    if (*n == population) {
        for (int i = 0; i < d->n_strata; i++)
            d->drawn[i] = d->strata[i].n;
        return BSR_OK;
    }
    *units = bsr_alloc_array(*n, sizeof **units);
    if (!*units)
        return BSR_ENOMEM;
    bsr_status status = BSR_OK;
    uint64_t at = 0;
    for (int i = 0; i < d->n_strata && status == BSR_OK; i++) {
        uint64_t more = d->strata[i].n - d->drawn[i];
        status = draw_stratum(d, all, i, *units + at);
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
