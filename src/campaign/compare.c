/* bsr_compare: two runs over the faults that both answered. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "bitseer/campaign.h"
#include "campaign/cells.h"
#include "campaign/pairing.h"
#include "stats/paired.h"

/* What a layer's faults add up to. Units of a run by rays are sites, as long as every matched site
 * is there with all its faults; else faults. */
typedef struct layer {
    const bsr_space *a, *b;
    bsr_stratum *faults; /* [variants that are strata, or 1] */
    int n_strata;
    bsr_stratum sites;
    int whole_sites;
    uint64_t site, n, critical_a, critical_b; /* of the current site */
} layer;

typedef struct comparer {
    bsr_record a, b;
    bsr_store *store_a, *store_b;
    bsr_pairing pairing;
    bsr_comparison *out;
    bsr_arena *arena; /* for the time of the work */
    uint64_t images;  /* of one fault */
    uint64_t times;   /* units of one fault in the population: transient ones have one an image */
    int by_variant;   /* strata are variants: 1 of a, 2 of b, 0 not */
    int by_site;      /* 1: a's units are sites, 2: b's, 0: neither */
    layer *layers;    /* [out->n_layers] */
    int *of_space;    /* [spaces of a] position in layers, -1: not in b */
    layer *current;   /* of the current site */
    bsr_stratum all;
    bsr_stratum *room;
} comparer;

static bsr_status differ(const comparer *k, const char *what, const char *a, const char *b)
{
    return bsr_fail(BSR_EINVAL, "'%s' and '%s' cannot be compared: %s is '%s' and '%s'",
                    k->out->path_a, k->out->path_b, what, a, b);
}

/* Bit 14 of a float and bit 14 of a half are not the same fault. */
static bsr_status check_widths(const comparer *k)
{
    const bsr_space *a = &k->a.spaces.spaces[0], *b = &k->b.spaces.spaces[0];
    return a->width == b->width
               ? BSR_OK
               : bsr_fail(BSR_EINVAL,
                          "'%s' and '%s' cannot be compared: codes have %d bits (%s) and %d (%s)",
                          k->out->path_a, k->out->path_b, a->width, a->format, b->width, b->format);
}

static bsr_status check(const comparer *k)
{
    static const char *const kinds[] = {"lasting", "transient"};
    const bsr_record *a = &k->a, *b = &k->b;
    BSR_TRY(bsr_run_check_faults(a, k->out->path_a));
    BSR_TRY(bsr_run_check_faults(b, k->out->path_b));
    BSR_TRY(bsr_run_check_rows(a, k->out->path_a));
    BSR_TRY(bsr_run_check_rows(b, k->out->path_b));
    if (strcmp(a->target, b->target) != 0)
        return differ(k, "the target", a->target, b->target);
    if (strcmp(a->data_sha256, b->data_sha256) != 0 || a->images != b->images)
        return differ(k, "the data (SHA-256)", a->data_sha256, b->data_sha256);
    if (a->transient != b->transient)
        return differ(k, "the kind of faults", kinds[a->transient != 0], kinds[b->transient != 0]);
    return check_widths(k);
}

static bsr_status copy(const comparer *k, const char **to, const char *text)
{
    *to = bsr_arena_strdup(k->out->arena, text);
    return *to ? BSR_OK : BSR_ENOMEM;
}

static bsr_status add_layer(comparer *k, const bsr_space *a, const bsr_space *b)
{
    int at = k->out->n_layers++;
    layer *l = &k->layers[at];
    bsr_compared_layer *row = &k->out->layers[at];
    k->of_space[a->id] = at;
    *l = (layer){.a = a, .b = b, .whole_sites = 1};
    l->n_strata = k->by_variant == 1 ? a->n_variants : k->by_variant == 2 ? b->n_variants : 1;
    l->faults = bsr_arena_calloc(k->arena, (size_t)l->n_strata, sizeof *l->faults);
    if (!l->faults)
        return BSR_ENOMEM;
    /* The true populations are known at the end. */
    for (int i = 0; i < l->n_strata; i++)
        BSR_TRY(bsr_paired_init(&l->faults[i], BSR_MAX_POPULATION, k->images));
    uint64_t variants = (uint64_t)(k->by_site == 2 ? b : a)->n_variants;
    BSR_TRY(bsr_paired_init(&l->sites, BSR_MAX_POPULATION, k->images * variants));
    row->index = a->index;
    BSR_TRY(copy(k, &row->name_a, a->name));
    return copy(k, &row->name_b, b->name);
}

/* The layers of both runs: those with the same index. */
static bsr_status add_layers(comparer *k)
{
    const bsr_spaces *a = &k->a.spaces, *b = &k->b.spaces;
    size_t strata = 1;
    k->layers = bsr_arena_calloc(k->arena, (size_t)a->n, sizeof *k->layers);
    k->of_space = bsr_arena_calloc(k->arena, (size_t)a->n, sizeof *k->of_space);
    k->out->layers = bsr_arena_calloc(k->out->arena, (size_t)a->n, sizeof *k->out->layers);
    if (!k->layers || !k->of_space || !k->out->layers)
        return BSR_ENOMEM;
    for (int i = 0; i < a->n; i++) {
        k->of_space[i] = -1;
        for (int j = 0; j < b->n; j++)
            if (b->spaces[j].index == a->spaces[i].index)
                BSR_TRY(add_layer(k, &a->spaces[i], &b->spaces[j]));
        if (k->of_space[i] >= 0)
            strata += (size_t)k->layers[k->of_space[i]].n_strata;
    }
    k->room = bsr_arena_calloc(k->arena, strata, sizeof *k->room);
    return k->room ? bsr_paired_init(&k->all, BSR_MAX_POPULATION, k->images) : BSR_ENOMEM;
}

static bsr_status end_site(comparer *k)
{
    layer *l = k->current;
    k->current = NULL;
    if (!l || !l->n)
        return BSR_OK;
    uint64_t faults = l->n;
    l->n = 0;
    if (faults * k->images != l->sites.denominator / 2)
        l->whole_sites = 0;
    return l->whole_sites ? bsr_paired_add(&l->sites, l->critical_b, l->critical_a) : BSR_OK;
}

static bsr_status add_to_site(comparer *k, layer *l, const bsr_answer *a, const bsr_answer *b)
{
    uint64_t site = k->by_site == 2 ? b->site : a->site;
    if (l != k->current || site != l->site) {
        BSR_TRY(end_site(k));
        k->current = l;
        l->site = site;
        l->critical_a = l->critical_b = 0;
    }
    l->n++;
    l->critical_a += a->critical;
    l->critical_b += b->critical;
    return BSR_OK;
}

static void count(bsr_compared_layer *row, uint64_t pairs, uint64_t a, uint64_t b, uint64_t both)
{
    row->faults++;
    row->pairs += pairs;
    row->critical_a += a;
    row->critical_b += b;
    row->only_a += a - both;
    row->only_b += b - both;
}

static bsr_status read_pairs(comparer *k)
{
    const bsr_answer *a, *b;
    for (;;) {
        BSR_TRY(bsr_pairing_next(&k->pairing, &a, &b));
        if (!a)
            break;
        int at = k->of_space[a->space];
        layer *l = &k->layers[at];
        uint64_t both = bsr_pairing_both(&k->pairing, a, b);
        int stratum = k->by_variant == 1 ? a->variant : k->by_variant == 2 ? b->variant : 0;
        count(&k->out->layers[at], k->images, a->critical, b->critical, both);
        count(&k->out->total, k->images, a->critical, b->critical, both);
        BSR_TRY(bsr_paired_add(&l->faults[stratum], b->critical, a->critical));
        BSR_TRY(bsr_paired_add(&k->all, b->critical, a->critical));
        if (k->by_site)
            BSR_TRY(add_to_site(k, l, a, b));
    }
    return end_site(k);
}

/* A list is a sample of what the other run drew from if it holds all of that; else, say chosen by
 * hand, it stands for itself alone. */
static int is_census(const comparer *k)
{
    int list_a = k->a.design.kind == BSR_DESIGN_LIST, list_b = k->b.design.kind == BSR_DESIGN_LIST;
    return (list_a && (list_b || k->pairing.b.alone)) || (list_b && k->pairing.a.alone);
}

/* Faults of the layer from which both runs drew. */
static uint64_t population(const comparer *k, const layer *l)
{
    if (k->a.design.kind == BSR_DESIGN_LIST)
        return l->b->population;
    if (k->b.design.kind == BSR_DESIGN_LIST)
        return l->a->population;
    return l->a->population < l->b->population ? l->a->population : l->b->population;
}

/* Sets the populations of the layer's strata and appends those with matched faults to `to`: bits or
 * layers that only one run selected are no part of the comparison. */
static size_t gather(const comparer *k, const layer *l, bsr_stratum *to)
{
    size_t n = 0;
    int census = is_census(k);
    if (k->by_site && l->whole_sites && l->sites.n) {
        to[0] = l->sites;
        to[0].units = census ? to[0].n : (k->by_site == 2 ? l->b : l->a)->sites;
        return 1;
    }
    const bsr_space *drawn = k->by_variant == 2 ? l->b : l->a;
    uint64_t units = (k->by_variant ? drawn->sites : population(k, l)) * k->times;
    for (int i = 0; i < l->n_strata; i++) {
        if (!l->faults[i].n)
            continue;
        to[n] = l->faults[i];
        to[n++].units = census ? l->faults[i].n : units;
    }
    return n;
}

static bsr_status difference(const comparer *k, bsr_share *out, const bsr_stratum *st, size_t n)
{
    *out = (bsr_share){NAN, -1, 1};
    if (!n)
        return BSR_OK;
    bsr_difference d;
    BSR_TRY(bsr_paired(&d, st, n, k->out->confidence));
    *out = (bsr_share){d.mean, d.ci.lo, d.ci.hi};
    /* What was answered first is no random part of the sample: only the bounds are certain. */
    if (!k->a.complete || !k->b.complete)
        *out = (bsr_share){d.mean, -1, 1};
    return BSR_OK;
}

/* Strata count as many units as they have: sites of layers with different numbers of faults must
 * weigh by their faults. */
static bsr_status weigh_sites(comparer *k, size_t n, int *exact)
{
    const bsr_comparison *c = k->out;
    int mixed = 0;
    *exact = 1;
    for (size_t i = 0; i < n; i++) {
        mixed |= k->room[i].denominator != k->room[0].denominator;
        *exact &= k->room[i].n == k->room[i].units;
    }
    if (!mixed) {
        *exact = 0;
        return BSR_OK;
    }
    for (size_t i = 0; i < n; i++)
        k->room[i].units *= k->room[i].denominator / 2 / k->images;
    if (*exact) {
        double d =
            ((double)c->total.critical_b - (double)c->total.critical_a) / (double)c->total.pairs;
        k->out->total.difference = (bsr_share){d, d, d};
    }
    return BSR_OK;
}

static int drew_from_all(const bsr_record *r)
{
    return r->design.n_strata == 1 && r->design.strata[0].space < 0;
}

static bsr_status fill_differences(comparer *k)
{
    bsr_comparison *c = k->out;
    size_t n = 0;
    uint64_t units = 0;
    for (int i = 0; i < c->n_layers; i++) {
        size_t more = gather(k, &k->layers[i], k->room + n);
        units += population(k, &k->layers[i]) * k->times;
        BSR_TRY(difference(k, &c->layers[i].difference, k->room + n, more));
        n += more;
    }
    if (drew_from_all(&k->a) && drew_from_all(&k->b)) {
        k->all.units = is_census(k) ? k->all.n : units;
        return difference(k, &c->total.difference, &k->all, 1);
    }
    int exact = 0;
    if (k->by_site)
        BSR_TRY(weigh_sites(k, n, &exact));
    return exact && k->a.complete && k->b.complete
               ? BSR_OK
               : difference(k, &c->total.difference, k->room, n);
}

static bsr_status compare(comparer *k)
{
    bsr_comparison *c = k->out;
    BSR_TRY(check(k));
    k->images = k->a.transient ? 1 : k->a.images;
    k->times = k->a.transient ? k->a.images : 1;
    k->by_variant = bsr_design_by_variant(&k->a.design)   ? 1
                    : bsr_design_by_variant(&k->b.design) ? 2
                                                          : 0;
    k->by_site = k->a.design.by_site ? 1 : k->b.design.by_site ? 2 : 0;
    c->images = k->a.images;
    BSR_TRY(copy(k, &c->total.name_a, "all"));
    BSR_TRY(copy(k, &c->total.name_b, "all"));
    BSR_TRY(add_layers(k));
    bsr_pairing_init(&k->pairing, k->store_a, &k->a, k->store_b, &k->b);
    BSR_TRY(read_pairs(k));
    if (!c->total.faults)
        return bsr_fail(BSR_EINVAL, "'%s' and '%s' have no fault in common", c->path_a, c->path_b);
    c->left_out_a = k->pairing.a.alone;
    c->left_out_b = k->pairing.b.alone;
    c->p_value = bsr_mcnemar(c->total.only_a, c->total.only_b);
    return fill_differences(k);
}

static bsr_status open_both(comparer *k, const char *path_a, const char *path_b)
{
    BSR_TRY(copy(k, &k->out->path_a, path_a));
    BSR_TRY(copy(k, &k->out->path_b, path_b));
    BSR_TRY(bsr_run_read(&k->store_a, &k->a, path_a));
    BSR_TRY(bsr_run_read(&k->store_b, &k->b, path_b));
    return compare(k);
}

bsr_status bsr_compare(bsr_comparison **out, const char *path_a, const char *path_b,
                       double confidence)
{
    *out = NULL;
    if (!(confidence > 0 && confidence < 1))
        return bsr_fail(BSR_EINVAL, "confidence is %g, expected a value between 0 and 1",
                        confidence);
    comparer k = {.arena = bsr_arena_new()};
    bsr_arena *arena = k.arena ? bsr_arena_new() : NULL;
    bsr_status status = BSR_ENOMEM;
    if (arena)
        k.out = bsr_arena_calloc(arena, 1, sizeof *k.out);
    if (k.out) {
        k.out->arena = arena;
        k.out->confidence = confidence;
        k.out->total.index = -1;
        status = open_both(&k, path_a, path_b);
    }
    bsr_pairing_clear(&k.pairing);
    bsr_record_clear(&k.a);
    bsr_record_clear(&k.b);
    bsr_store_close(k.store_a);
    bsr_store_close(k.store_b);
    bsr_arena_free(k.arena);
    if (status == BSR_OK)
        *out = k.out;
    else
        bsr_arena_free(arena);
    return status;
}

void bsr_comparison_free(bsr_comparison *comparison)
{
    if (comparison)
        bsr_arena_free(comparison->arena);
}
