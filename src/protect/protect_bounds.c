/* bsr_base_what_if: other formats and clipping, read off from the bounds of each site. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "protect/protect_base.h"
#include "tensor/format.h"

/* Fault-free value of one site with bounds. */
typedef struct known {
    int space;
    uint64_t site; /* of the space */
    float v;
} known;

/* Range of the fault-free values of a space, or of one of its channels. */
typedef struct range {
    double lo, hi;
    uint64_t n;
} range;

typedef struct what_if {
    bsr_base *base;
    const bsr_base *was;
    bsr_store *store;
    const bsr_protect_options *options;
    const char *path;
    bsr_format format;
    known *values;
    size_t n, cap, at;
    range *ranges;              /* [spaces] */
    range **channels;           /* [spaces][n_chosen] */
    bsr_quantiser **quantisers; /* [spaces][n_chosen] codes of what the network reads */
    size_t *next;               /* [spaces] effect of `was` that comes next */
} what_if;

static bsr_status note_value(void *ctx, const bsr_bounds_row *row)
{
    what_if *w = ctx;
    const bsr_record *r = w->was->r;
    uint64_t site = (uint64_t)row->site;
    double v;
    if (row->site < 0 || site >= r->spaces.sites ||
        row->bounds_bytes != r->images * sizeof(bsr_bounds))
        return bsr_fail(BSR_EFORMAT, "bounds of site %" PRId64 " of the database are impossible",
                        row->site);
    const bsr_space *sp = bsr_space_of_site(&r->spaces, &site);
    bsr_site at = bsr_space_site(sp, site);
    BSR_TRY(bsr_store_value(w->store, sp->id, at.element, at.pixel, &v));
    if (!isfinite(v))
        return bsr_fail(BSR_EINVAL,
                        "'%s' has no fault-free value of element %" PRId64
                        " of '%s': other formats and clipping need it",
                        w->path, at.element, sp->name);
    BSR_TRY(bsr_grow(&w->values, &w->cap, w->n + 1, sizeof *w->values));
    w->values[w->n++] = (known){sp->id, site, (float)v};
    uint64_t channel = site / sp->per_channel;
    range *both[] = {&w->ranges[sp->id], &w->channels[sp->id][channel]};
    for (int i = 0; i < 2; i++) {
        both[i]->lo = both[i]->n ? fmin(both[i]->lo, v) : v;
        both[i]->hi = both[i]->n ? fmax(both[i]->hi, v) : v;
        both[i]->n++;
    }
    w->base->spaces[sp->id].observed[channel]++;
    return BSR_OK;
}

/* Are all elements of the layer, not only of the channels under test, known? */
static int is_whole(const what_if *w, int space)
{
    const bsr_space *sp = w->was->spaces[space].space;
    return w->ranges[space].n == sp->sites && sp->n_chosen == sp->channels;
}

static bsr_status set_quantisers(what_if *w, int i)
{
    const bsr_space *sp = w->was->spaces[i].space;
    const bsr_format *f = &w->format;
    for (int k = 0; k < sp->n_chosen; k++) {
        const range *from = f->per_channel ? &w->channels[i][k] : &w->ranges[i];
        uint64_t all = f->per_channel ? sp->per_channel : sp->sites;
        int enough = f->per_channel ? from->n == all : is_whole(w, i);
        if (bsr_format_needs_range(f) && !enough)
            return bsr_fail(BSR_EINVAL,
                            "format '%s' takes its range from all values of '%s', of which '%s' "
                            "has %" PRIu64 " of %" PRIu64 ": give range=",
                            w->options->format, sp->name, w->path, from->n, all);
        bsr_quantiser_init(&w->quantisers[i][k], f, from->lo, from->hi);
    }
    return BSR_OK;
}

/* Codes as they are in the run. */
static bsr_status own_quantisers(what_if *w, int i)
{
    const bsr_space *sp = w->was->spaces[i].space;
    bsr_format f = {.kind = BSR_FORMAT_STORED, .bits = 32};
    int is_float = strcmp(sp->format, "float32") == 0;
    int own_codes = !*w->was->r->format;
    if (!is_float &&
        (own_codes || bsr_format_parse(&f, sp->format) != BSR_OK || bsr_format_needs_range(&f)))
        return bsr_fail(BSR_EUNSUPPORTED,
                        "'%s' is stored as %s, whose scale the run does not keep: its codes cannot "
                        "be clipped",
                        sp->name, sp->format);
    for (int k = 0; k < sp->n_chosen; k++)
        bsr_quantiser_init(&w->quantisers[i][k], &f, 0, 0);
    return BSR_OK;
}

/* Adds what an added error s does in each image to lo and hi. */
static void count_error(uint64_t *lo, uint64_t *hi, double s, const bsr_bounds_row *row,
                        uint64_t images)
{
    for (uint64_t i = 0; i < images && s != 0; i++) {
        bsr_bounds b;
        memcpy(&b, (const char *)row->bounds + i * sizeof b, sizeof b);
        if (s >= b.harmless_below && s <= b.harmless_above)
            continue;
        ++*hi;
        /* A bound of infinity stands for none, or for the fault to infinity. */
        *lo += (s < 0 && s <= b.critical_below && isfinite(b.critical_below)) ||
               (s > 0 && s >= b.critical_above && isfinite(b.critical_above));
    }
}

/* What the run found for a variant of a site; sites come in ascending order. */
static uint64_t found(what_if *w, int space, uint64_t site, int variant)
{
    const bsr_base_space *s = &w->was->spaces[space];
    size_t *at = &w->next[space];
    while (*at < s->n_effects &&
           (s->effects[*at].unit < site ||
            (s->effects[*at].unit == site && s->effects[*at].variant < variant)))
        ++*at;
    const bsr_effect *e = &s->effects[*at];
    return *at < s->n_effects && e->unit == site && e->variant == variant ? e->hi : 0;
}

static uint32_t changed(const char *fault, uint32_t code, int bit)
{
    uint32_t mask = (uint32_t)1 << bit;
    return strcmp(fault, "stuck0") == 0   ? code & ~mask
           : strcmp(fault, "stuck1") == 0 ? code | mask
                                          : code ^ mask;
}

/* The value read as `read` in place of v: the nearest in the layer's range. */
static bsr_status add_fault(what_if *w, const bsr_bounds_row *row, const known *k, int variant,
                            float read)
{
    bsr_base_space *s = &w->base->spaces[k->space];
    uint64_t images = w->was->images, lo = 0, hi = 0;
    const range *in = &w->ranges[k->space];
    int same_codes = !w->options->format;
    uint64_t as_it_was = same_codes ? found(w, k->space, k->site, variant) : images;
    if (w->options->clip && (read < in->lo || read > in->hi)) {
        double clipped = fmin(fmax(read, in->lo), in->hi);
        count_error(&lo, &hi, clipped - (double)k->v, row, images);
        /* Values that the run did not look at may make the range wider. */
        if (!is_whole(w, k->space)) {
            uint64_t less = 0;
            hi = 0;
            count_error(&less, &hi, (double)read - (double)k->v, row, images);
        }
        if (hi > as_it_was)
            hi = as_it_was;
        if (lo > hi)
            lo = hi;
    } else if (same_codes) {
        lo = hi = as_it_was;
    } else if (isnan(read)) {
        hi = images;
    } else {
        count_error(&lo, &hi, (double)read - (double)k->v, row, images);
    }
    return bsr_base_add(s, k->site, variant, lo, hi);
}

static bsr_status add_site(void *ctx, const bsr_bounds_row *row)
{
    what_if *w = ctx;
    const known *k = &w->values[w->at++];
    const bsr_base_space *s = &w->base->spaces[k->space];
    uint64_t lo = 0, hi = 0;
    const bsr_quantiser *q = &w->quantisers[k->space][k->site / s->space->per_channel];
    uint32_t code = bsr_encode(q, k->v);
    for (int v = 0; v < s->n_variants; v++)
        BSR_TRY(add_fault(w, row, k, v,
                          bsr_decode(q, changed(w->was->r->fault, code, s->variants[v]))));
    count_error(&lo, &hi, -(double)k->v, row, w->was->images);
    return bsr_base_add(&w->base->spaces[k->space], k->site, s->n_variants, lo, hi);
}

static bsr_status init_space(what_if *w, bsr_arena *arena, int i)
{
    const bsr_base_space *was = &w->was->spaces[i];
    bsr_base_space *s = &w->base->spaces[i];
    size_t channels = (size_t)was->space->n_chosen;
    *s = *was;
    s->effects = NULL;
    s->n_effects = s->cap = 0;
    s->zero = BSR_ZERO_BOUNDS;
    s->sign = -1;
    if (w->options->format) {
        s->width = s->n_variants = w->format.bits;
        for (int bit = 0; bit < s->width; bit++)
            s->variants[bit] = bit;
        s->strata[0] = UINT32_MAX >> (BSR_MAX_VARIANTS - s->n_variants);
    }
    w->base->population += s->space->sites * (uint64_t)s->n_variants;
    s->observed = bsr_arena_calloc(arena, channels, sizeof *s->observed);
    w->channels[i] = bsr_arena_calloc(arena, channels, sizeof **w->channels);
    w->quantisers[i] = bsr_arena_calloc(arena, channels, sizeof **w->quantisers);
    return s->observed && w->channels[i] && w->quantisers[i] ? BSR_OK : BSR_ENOMEM;
}

static bsr_status check(const what_if *w)
{
    const bsr_record *r = w->was->r;
    static const char *const kinds[] = {"bitflip", "stuck0", "stuck1"};
    int single = 0;
    for (int i = 0; i < 3; i++)
        single |= strcmp(r->fault, kinds[i]) == 0;
    if (!single)
        return bsr_fail(BSR_EINVAL,
                        "'%s' has fault '%s', other formats and clipping need bitflip, stuck0 or "
                        "stuck1",
                        w->path, r->fault);
    if (w->was->units != BSR_BASE_SITES)
        return bsr_fail(BSR_EINVAL,
                        "'%s' has no bounds of sites: other formats and clipping need a run by "
                        "rays that keeps them",
                        w->path);
    return BSR_OK;
}

static bsr_status run(what_if *w, bsr_arena *arena)
{
    bsr_base *b = w->base;
    size_t n = (size_t)w->was->n;
    BSR_TRY(check(w));
    b->spaces = bsr_arena_calloc(arena, n, sizeof *b->spaces);
    w->ranges = bsr_arena_calloc(arena, n, sizeof *w->ranges);
    w->channels = bsr_arena_calloc(arena, n, sizeof *w->channels);
    w->quantisers = bsr_arena_calloc(arena, n, sizeof *w->quantisers);
    w->next = bsr_arena_calloc(arena, n, sizeof *w->next);
    if (!b->spaces || !w->ranges || !w->channels || !w->quantisers || !w->next)
        return BSR_ENOMEM;
    for (; b->n < w->was->n; b->n++)
        BSR_TRY(init_space(w, arena, b->n));
    BSR_TRY(bsr_store_bounds(w->store, 0, INT64_MAX, note_value, w));
    if (!w->n)
        return bsr_fail(BSR_EINVAL,
                        "'%s' has no bounds of sites: other formats and clipping need a run by "
                        "rays that keeps them",
                        w->path);
    for (int i = 0; i < b->n; i++)
        BSR_TRY(w->options->format ? set_quantisers(w, i) : own_quantisers(w, i));
    return bsr_store_bounds(w->store, 0, INT64_MAX, add_site, w);
}

bsr_status bsr_base_what_if(bsr_base *b, bsr_arena *arena, bsr_store *store, const bsr_base *was,
                            const bsr_protect_options *options, const char *path)
{
    *b = *was;
    b->n = 0;
    b->population = 0;
    what_if w = {.base = b, .was = was, .store = store, .options = options, .path = path};
    if (options->format)
        BSR_TRY(bsr_format_parse(&w.format, options->format));
    bsr_status status = run(&w, arena);
    bsr_free(w.values);
    return status;
}
