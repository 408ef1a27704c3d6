/* Outcomes by fault rays: docs/theory/rays.md. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/sink.h"
#include "campaign/worker.h"

/* Stream of the draw of checked sites. */
#define STREAM_CHECK 1

/* Rounding of the codes themselves breaks the order of small codes too often (6 in 1000 pairs of an
 * int8 ResNet-8). */
#define TRUSTED_BITS 9

typedef struct ray_site {
    const bsr_space *space;
    uint64_t number;
    bsr_site at;
    bsr_change change[BSR_MAX_VARIANTS];
} ray_site;

static ray_site locate(const bsr_record *r, uint64_t unit)
{
    ray_site s = {.number = unit};
    s.space = bsr_space_of_site(&r->spaces, &s.number);
    s.at = bsr_space_site(s.space, s.number);
    for (int v = 0; v < s.space->n_variants; v++)
        s.change[v] = bsr_space_change(&r->spaces, s.space, s.number, v);
    return s;
}

static void start_ray(bsr_ray *ray, const ray_site *s, const bsr_golden *golden, int image)
{
    double values[BSR_MAX_VARIANTS];
    const bsr_space *sp = s->space;
    uint32_t code = bsr_space_code(sp, golden, image, s->at);
    for (int v = 0; v < sp->n_variants; v++)
        values[v] = bsr_space_value(sp, s->at, bsr_change_apply(s->change[v], code));
    bsr_ray_init(ray, bsr_space_value(sp, s->at, code), values, sp->n_variants,
                 sp->width < TRUSTED_BITS);
}

/* Asks all undecided rays of the item their next questions, image by image. */
static size_t ask_all(const bsr_ray *ray, int sites, int images, bsr_question *asked)
{
    size_t n = 0;
    for (int b = 0; b < images; b++)
        for (int i = 0; i < sites; i++) {
            int fault[3], which[3];
            int k = bsr_ray_ask(&ray[b * sites + i], fault, which);
            for (int q = 0; q < k; q++)
                asked[n++] =
                    (bsr_question){(uint16_t)i, (uint16_t)b, (uint8_t)which[q], (uint8_t)fault[q]};
        }
    return n;
}

/* Adds the verdicts of the current images to the rows; returns the pairs answered. */
static uint64_t read_off(bsr_work *w, const ray_site *site, int sites, uint64_t first,
                         const bsr_ray *ray)
{
    uint64_t pairs = 0;
    const bsr_session *s = w->s;
    const bsr_block *b = &w->block;
    for (int i = 0; i < sites; i++) {
        size_t row = b->row_at[first + (uint64_t)i];
        for (int image = 0; image < s->golden->images; image++) {
            const bsr_ray *r = &ray[image * sites + i];
            size_t bit = s->first_image + (size_t)image;
            for (uint32_t c = bsr_ray_critical(r), v = 0; c; c >>= 1, v++)
                if (c & 1) {
                    b->rows[row + v].critical++;
                    b->bitmaps[(row + v) * b->bitmap_bytes + bit / 8] |=
                        (unsigned char)(1u << bit % 8);
                }
        }
        pairs += (uint64_t)site[i].space->n_variants * (uint64_t)s->golden->images;
    }
    return pairs;
}

bsr_status bsr_rays_item(void *ctx, size_t item, int thread)
{
    bsr_work *w = ctx;
    bsr_session *s = w->s;
    bsr_worker *h = w->workers[thread];
    uint64_t first = (uint64_t)item * BSR_ITEM_SITES, left = w->block.n - first;
    int sites = left < BSR_ITEM_SITES ? (int)left : BSR_ITEM_SITES, images = s->golden->images;
    ray_site site[BSR_ITEM_SITES];
    for (int i = 0; i < sites; i++) {
        site[i] = locate(w->record, w->block.units[first + (uint64_t)i]);
        for (int b = 0; b < images; b++)
            start_ray(&h->ray[b * sites + i], &site[i], s->golden, b);
    }
    for (size_t n; (n = ask_all(h->ray, sites, images, h->asked)) > 0;) {
        for (size_t k = 0; k < n; k++) {
            const bsr_question *q = &h->asked[k];
            const ray_site *at = &site[q->site];
            h->jobs[k] =
                bsr_space_job(at->space, s->golden, q->image, at->at, at->change[q->fault]);
        }
        BSR_TRY(bsr_lanes_run(s->lanes[thread], s->golden, h->jobs, n, h->results, NULL));
        for (size_t k = 0; k < n; k++)
            bsr_ray_tell(&h->ray[h->asked[k].image * sites + h->asked[k].site], h->asked[k].which,
                         h->results[k].critical);
    }
    uint64_t pairs = read_off(w, site, sites, first, h->ray);
    if (s->first_image + (size_t)images == s->images)
        BSR_TRY(bsr_sink_put(w->sink, &w->block, first, (uint64_t)sites));
    return bsr_session_step(s, pairs, thread);
}

typedef struct check {
    bsr_work *w;
    const uint64_t *units;
    _Atomic uint64_t violations, checked;
} check;

/* Every fault of one site directly, against the ray's verdicts, which are derived again. */
static bsr_status check_item(void *ctx, size_t item, int thread)
{
    check *c = ctx;
    bsr_session *s = c->w->s;
    bsr_worker *h = c->w->workers[thread];
    ray_site site = locate(c->w->record, c->units[item]);
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
        start_ray(&ray, &site, s->golden, b);
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
    uint64_t *drawn, *units;
    uint64_t sites = r->spaces.sites;
    n = n < sites ? n : sites;
    BSR_TRY(bsr_sample_indices(&drawn, sites, n, r->seed, STREAM_CHECK, 1));
    units = drawn;
    check c = {.w = w, .units = units};
    bsr_session_begin(w->s, "checking", n * w->s->images * BSR_RAY_BITS, 0);
    bsr_status status = bsr_session_run(w->s, (size_t)n, check_item, &c);
    w->record->violations = c.violations;
    w->record->checked = c.checked;
    bsr_free(drawn);
    return status;
}
