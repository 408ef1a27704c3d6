/* Outcomes by fault rays: docs/theory/rays.md. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/sink.h"
#include "campaign/worker.h"

/* Stream of the draw of checked sites. */
#define STREAM_CHECK 1

/* One item in the current set of images. */
typedef struct item {
    bsr_work *w;
    bsr_worker *h;
    bsr_lanes *lanes;
    uint64_t first; /* unit of the block */
    int sites, entries;
} item;

/* What screening says of a unit in an image, put into its search. */
static void apply_screening(bsr_ray_entry *e, const bsr_screened *z)
{
    bsr_ray *ray = &e->ray;
    for (int k = 0; k < 2; k++) {
        bsr_ray_side *side = &ray->side[k];
        for (int i = z->harmless[k]; i < side->n; i++)
            e->skipped |= (uint32_t)1 << side->order[i];
        if (z->harmless[k] < side->harmless)
            side->harmless = z->harmless[k];
    }
    int n = 0;
    for (int i = 0; i < ray->n_nans; i++) {
        uint32_t bit = (uint32_t)1 << ray->nans[i];
        if (z->skip & bit)
            e->skipped |= bit;
        else
            ray->nans[n++] = ray->nans[i];
    }
    ray->n_nans = (uint8_t)n;
}

static void start_entry(const item *t, int site, int image)
{
    const bsr_work *w = t->w;
    bsr_ray_entry *e = &t->h->entries[t->entries];
    double values[BSR_MAX_VARIANTS];
    e->site = (uint16_t)site;
    e->image = (uint16_t)image;
    e->skipped = e->critical = 0;
    bsr_start_ray(&e->ray, values, &t->h->sites[site], w->s->golden, image);
    if (w->screening)
        apply_screening(e, bsr_screened_at(w->screening, t->first + (uint64_t)site, image));
}

/* Sites in all images of the set, image by image: neighbours then share the layer's input. Pairs
 * have one image each. */
static void start(item *t)
{
    const bsr_work *w = t->w;
    const bsr_record *r = w->record;
    const bsr_session *s = w->s;
    for (int i = 0; i < t->sites; i++)
        t->h->sites[i] = bsr_locate_site(r, w->block.units[t->first + (uint64_t)i]);
    if (r->design.pairs) {
        for (int i = 0; i < t->sites; i++, t->entries++) {
            uint64_t image = bsr_pair_image(r, w->block.units[t->first + (uint64_t)i]);
            start_entry(t, i, (int)(image - s->first_image));
        }
        return;
    }
    for (int b = 0; b < s->golden->images; b++)
        for (int i = 0; i < t->sites; i++, t->entries++)
            start_entry(t, i, b);
}

/* Asks all undecided searches their next questions. */
static size_t ask_all(const item *t)
{
    bsr_worker *h = t->h;
    size_t n = 0;
    for (int e = 0; e < t->entries; e++) {
        int fault[3], which[3];
        int k = bsr_ray_ask(&h->entries[e].ray, fault, which);
        for (int q = 0; q < k; q++)
            h->asked[n++] = (bsr_question){(uint32_t)e, (uint8_t)which[q], (uint8_t)fault[q]};
    }
    return n;
}

static bsr_status evaluate(const item *t, size_t n)
{
    bsr_worker *h = t->h;
    const bsr_golden *golden = t->w->s->golden;
    for (size_t k = 0; k < n; k++) {
        const bsr_ray_entry *e = &h->entries[h->asked[k].entry];
        const bsr_ray_site *s = &h->sites[e->site];
        h->jobs[k] = bsr_space_job(s->space, golden, e->image, s->at, s->change[h->asked[k].fault]);
    }
    return bsr_lanes_run(t->lanes, golden, h->jobs, n, h->results, NULL);
}

static bsr_status search(const item *t)
{
    bsr_worker *h = t->h;
    for (size_t n; (n = ask_all(t)) > 0;) {
        BSR_TRY(evaluate(t, n));
        for (size_t k = 0; k < n; k++)
            bsr_ray_tell(&h->entries[h->asked[k].entry].ray, h->asked[k].which,
                         h->results[k].critical);
    }
    for (int e = 0; e < t->entries; e++)
        h->entries[e].critical = bsr_ray_critical(&h->entries[e].ray);
    return BSR_OK;
}

/* Answers the n questions in h->asked about skipped faults. */
static bsr_status answer_checks(const item *t, size_t n)
{
    bsr_worker *h = t->h;
    BSR_TRY(evaluate(t, n));
    for (size_t k = 0; k < n; k++) {
        bsr_ray_entry *e = &h->entries[h->asked[k].entry];
        bsr_screened_counts *c = &t->w->block.screened[t->first + e->site];
        c->checked++;
        c->missed += h->results[k].critical;
        if (h->results[k].critical)
            e->critical |= (uint32_t)1 << h->asked[k].fault;
    }
    return BSR_OK;
}

/* Evaluates a random part of what screening skipped. */
static bsr_status check_skipped(const item *t)
{
    bsr_worker *h = t->h;
    const bsr_work *w = t->w;
    size_t n = 0;
    for (int i = 0; i < t->entries; i++) {
        const bsr_ray_entry *e = &h->entries[i];
        if (n + BSR_RAY_BITS > h->room) {
            BSR_TRY(answer_checks(t, n));
            n = 0;
        }
        uint64_t unit = t->first + e->site;
        bsr_screened_counts *c = &w->block.screened[unit];
        uint32_t checks =
            bsr_screen_checks(w->record, w->block.units[unit], w->s->first_image + e->image,
                              h->sites[e->site].space->n_variants);
        c->pairs += (uint32_t)__builtin_popcount(h->sites[e->site].variants);
        c->skipped += (uint32_t)__builtin_popcount(e->skipped);
        for (checks &= e->skipped; checks; checks &= checks - 1)
            h->asked[n++] = (bsr_question){(uint32_t)i, 0, (uint8_t)__builtin_ctz(checks)};
    }
    return answer_checks(t, n);
}

/* The nearest critical fault of each side and the farthest harmless one before it. */
static bsr_bounds bounds_of(const bsr_ray_site *s, const bsr_golden *golden, const bsr_ray_entry *e)
{
    const bsr_space *sp = s->space;
    uint32_t code = bsr_space_code(sp, golden, e->image, s->at);
    double v0 = bsr_space_value(sp, s->at, code), critical[2] = {-INFINITY, INFINITY}, by[32];
    double harmless[2] = {0, 0};
    for (int v = 0; v < sp->n_variants; v++) {
        by[v] = bsr_space_value(sp, s->at, bsr_change_apply(s->change[v], code)) - v0;
        if (e->critical >> v & 1 && by[v] < 0)
            critical[0] = fmax(critical[0], by[v]);
        else if (e->critical >> v & 1 && by[v] > 0)
            critical[1] = fmin(critical[1], by[v]);
    }
    for (int v = 0; v < sp->n_variants; v++) {
        if (!(s->variants >> v & 1) || e->critical >> v & 1)
            continue;
        if (by[v] < 0 && by[v] > critical[0])
            harmless[0] = fmin(harmless[0], by[v]);
        else if (by[v] > 0 && by[v] < critical[1])
            harmless[1] = fmax(harmless[1], by[v]);
    }
    return (bsr_bounds){(float)critical[0], (float)harmless[0], (float)harmless[1],
                        (float)critical[1], (float)v0};
}

/* Adds the verdicts of the current images to the rows; returns the (fault, image) pairs. */
static uint64_t read_off(const item *t)
{
    const bsr_work *w = t->w;
    const bsr_session *s = w->s;
    const bsr_block *b = &w->block;
    uint64_t pairs = 0;
    for (int i = 0; i < t->entries; i++) {
        const bsr_ray_entry *e = &t->h->entries[i];
        const bsr_ray_site *site = &t->h->sites[e->site];
        uint64_t unit = t->first + e->site;
        pairs += (uint64_t)__builtin_popcount(site->variants);
        size_t image = s->first_image + e->image;
        if (b->bounds)
            b->bounds[w->record->design.pairs ? unit : unit * s->images + image] =
                bounds_of(site, s->golden, e);
        if (w->record->design.pairs) {
            b->pairs[unit].critical = e->critical;
            continue;
        }
        for (uint32_t c = e->critical; c; c &= c - 1) {
            size_t row = b->row_at[unit] + (size_t)__builtin_ctz(c);
            b->rows[row].critical++;
            b->bitmaps[row * b->bitmap_bytes + image / 8] |= (unsigned char)(1u << image % 8);
        }
    }
    return pairs;
}

bsr_status bsr_rays_item(void *ctx, size_t number, int thread)
{
    bsr_work *w = ctx;
    bsr_session *s = w->s;
    item t = {.w = w, .h = w->workers[thread], .lanes = s->lanes[thread]};
    uint64_t end;
    if (w->record->design.pairs) {
        t.first = w->item_at[number];
        end = w->item_at[number + 1];
    } else {
        t.first = (uint64_t)number * BSR_ITEM_SITES;
        end = t.first + BSR_ITEM_SITES < w->block.n ? t.first + BSR_ITEM_SITES : w->block.n;
    }
    t.sites = (int)(end - t.first);
    start(&t);
    BSR_TRY(search(&t));
    if (w->screening)
        BSR_TRY(check_skipped(&t));
    uint64_t pairs = read_off(&t);
    if (w->record->design.pairs || s->first_image + (size_t)s->golden->images == s->images)
        BSR_TRY(bsr_sink_put(w->sink, &w->block, t.first, (uint64_t)t.sites));
    return bsr_session_step(s, pairs, thread);
}

typedef struct check {
    bsr_work *w;
    const uint64_t *units; /* sites */
    _Atomic uint64_t violations, checked;
} check;

/* A site by its number over all spaces, with all its faults, whatever the units are. */
static bsr_ray_site whole_site(const bsr_record *r, uint64_t number)
{
    uint64_t units = r->design.pairs ? r->design.images * BSR_CLASSES : 1;
    bsr_ray_site site = bsr_locate_site(r, number * units);
    site.variants = bsr_class_variants(&r->spaces, site.space, -1);
    return site;
}

/* Every fault of one site directly, against the ray's verdicts, which are derived again. */
static bsr_status check_item(void *ctx, size_t number, int thread)
{
    check *c = ctx;
    bsr_session *s = c->w->s;
    bsr_worker *h = c->w->workers[thread];
    bsr_ray_site site = whole_site(c->w->record, c->units[number]);
    int n = site.space->n_variants;
    uint64_t violations = 0, pairs = 0;
    for (int b = 0; b < s->golden->images; b++) {
        uint32_t truth = 0;
        for (int v = 0; v < n; v++)
            h->jobs[v] = bsr_space_job(site.space, s->golden, b, site.at, site.change[v]);
        BSR_TRY(bsr_lanes_run(s->lanes[thread], s->golden, h->jobs, (size_t)n, h->results, NULL));
        for (int v = 0; v < n; v++)
            truth |= (uint32_t)h->results[v].critical << v;
        /* The search asks only about faults that were just answered. */
        bsr_ray ray;
        double values[BSR_MAX_VARIANTS];
        bsr_start_ray(&ray, values, &site, s->golden, b);
        int fault[3], which[3];
        for (int k; (k = bsr_ray_ask(&ray, fault, which)) > 0;)
            for (int q = 0; q < k; q++)
                bsr_ray_tell(&ray, which[q], truth >> fault[q] & 1);
        for (uint32_t wrong = truth ^ bsr_ray_critical(&ray); wrong; wrong &= wrong - 1)
            violations++;
        pairs += (uint64_t)n;
    }
    c->violations += violations;
    c->checked += pairs;
    return bsr_session_step(s, pairs, thread);
}

bsr_status bsr_work_check(bsr_work *w, uint64_t n)
{
    const bsr_record *r = w->record;
    uint64_t *drawn;
    uint64_t sites = r->spaces.sites;
    n = n < sites ? n : sites;
    BSR_TRY(bsr_sample_indices(&drawn, sites, n, r->seed, STREAM_CHECK, 1));
    check c = {.w = w, .units = drawn};
    bsr_session_begin(w->s, "checking", n * w->s->images * BSR_RAY_BITS, 0);
    bsr_status status = bsr_session_run(w->s, (size_t)n, check_item, &c);
    w->record->violations = c.violations;
    w->record->checked = c.checked;
    bsr_free(drawn);
    return status;
}
