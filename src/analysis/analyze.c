/* Vulnerability factors by fault rays: docs/theory/rays.md. */
#include <string.h>

#include "analysis/session.h"
#include "analysis/tally.h"
#include "base/alloc.h"
#include "base/error.h"
#include "fault/ray.h"
#include "rng/sample.h"

/* Sites of one work item: both sides of a ray in one image fill a panel of faulty columns. */
#define ITEM_SITES 16

/* Streams of the random numbers. */
#define STREAM_SITES 1000 /* + space */
#define STREAM_CHECK 1

typedef struct question {
    uint16_t site, image;
    uint8_t which, bit;
} question;

typedef struct rays {
    bsr_session *s;
    uint64_t n;       /* sites observed */
    uint64_t *index;  /* [n] site numbers over all spaces, ascending; NULL: all */
    uint32_t *counts; /* [n][BSR_TALLY_BITS] critical images */
    uint64_t *checks; /* positions among the observed sites that are injected directly as well */
    uint64_t n_checks;
    size_t room;   /* lanes of one wave: ITEM_SITES * images * 3 */
    bsr_ray **ray; /* [threads][ITEM_SITES * images] */
    question **asked;
    bsr_lane_job **jobs;
    bsr_lane_result **results;
    _Atomic uint64_t nan_faults, violations, checked;
} rays;

static const bsr_space *site_space(const rays *r, uint64_t i, uint64_t *site)
{
    const bsr_spaces *all = &r->s->spaces;
    *site = r->index ? r->index[i] : i;
    int k = 0;
    while (*site >= all->spaces[k].sites)
        *site -= all->spaces[k++].sites;
    return &all->spaces[k];
}

static bsr_lane_job make_job(const bsr_space *sp, int64_t element, uint32_t bits, int image)
{
    return (bsr_lane_job){image, {sp->place, sp->where, element, bits}};
}

/* Asks all undecided rays of the item their next questions, image by image. */
static size_t ask_all(const bsr_ray *ray, int sites, int images, question *asked)
{
    size_t n = 0;
    for (int b = 0; b < images; b++)
        for (int i = 0; i < sites; i++) {
            int bit[3], which[3];
            int k = bsr_ray_ask(&ray[b * sites + i], bit, which);
            for (int q = 0; q < k; q++)
                asked[n++] =
                    (question){(uint16_t)i, (uint16_t)b, (uint8_t)which[q], (uint8_t)bit[q]};
        }
    return n;
}

static bsr_status run_item(void *ctx, size_t item, int thread)
{
    rays *r = ctx;
    bsr_session *s = r->s;
    uint64_t first = (uint64_t)item * ITEM_SITES;
    int sites = r->n - first < ITEM_SITES ? (int)(r->n - first) : ITEM_SITES;
    int images = s->golden->images;
    const bsr_space *space[ITEM_SITES];
    uint64_t site[ITEM_SITES];
    int64_t element[ITEM_SITES];
    bsr_ray *ray = r->ray[thread];
    for (int i = 0; i < sites; i++) {
        space[i] = site_space(r, first + (uint64_t)i, &site[i]);
        element[i] = bsr_space_element(space[i], site[i]);
        for (int b = 0; b < images; b++)
            bsr_ray_init(&ray[b * sites + i], space[i]->dtype,
                         bsr_space_stored(space[i], s->golden, b, site[i]), space[i]->bits,
                         space[i]->n_bits);
    }
    question *asked = r->asked[thread];
    bsr_lane_job *jobs = r->jobs[thread];
    bsr_lane_result *results = r->results[thread];
    for (size_t n; (n = ask_all(ray, sites, images, asked)) > 0;) {
        for (size_t k = 0; k < n; k++) {
            const question *q = &asked[k];
            uint32_t stored = bsr_space_stored(space[q->site], s->golden, q->image, site[q->site]);
            jobs[k] = make_job(space[q->site], element[q->site], stored ^ (uint32_t)1 << q->bit,
                               q->image);
        }
        BSR_TRY(bsr_lanes_run(s->lanes[thread], s->golden, jobs, n, results, NULL));
        for (size_t k = 0; k < n; k++)
            bsr_ray_tell(&ray[asked[k].image * sites + asked[k].site], asked[k].which,
                         results[k].critical);
    }
    uint64_t pairs = 0, nans = 0;
    for (int i = 0; i < sites; i++)
        for (int b = 0; b < images; b++) {
            uint32_t critical = bsr_ray_critical(&ray[b * sites + i]);
            nans += space[i]->dtype == BSR_F32 ? ray[b * sites + i].n_nans : 0;
            for (int k = 0; k < space[i]->n_bits; k++)
                r->counts[(first + (uint64_t)i) * BSR_TALLY_BITS + (uint64_t)k] +=
                    critical >> space[i]->bits[k] & 1;
            pairs += (uint64_t)space[i]->n_bits;
        }
    r->nan_faults += nans;
    return bsr_session_step(s, pairs, thread);
}

/* Every bit of one observed site directly, against the ray's verdicts, which are derived again. */
static bsr_status check_item(void *ctx, size_t item, int thread)
{
    rays *r = ctx;
    bsr_session *s = r->s;
    uint64_t site;
    const bsr_space *sp = site_space(r, r->checks ? r->checks[item] : item, &site);
    int64_t element = bsr_space_element(sp, site);
    bsr_lane_job *jobs = r->jobs[thread];
    bsr_lane_result *results = r->results[thread];
    uint64_t violations = 0, pairs = 0;
    for (int b = 0; b < s->golden->images; b++) {
        uint32_t stored = bsr_space_stored(sp, s->golden, b, site), truth = 0;
        for (int k = 0; k < sp->n_bits; k++)
            jobs[k] = make_job(sp, element, stored ^ (uint32_t)1 << sp->bits[k], b);
        BSR_TRY(
            bsr_lanes_run(s->lanes[thread], s->golden, jobs, (size_t)sp->n_bits, results, NULL));
        for (int k = 0; k < sp->n_bits; k++)
            truth |= (uint32_t)results[k].critical << sp->bits[k];
        /* The search asks only about flips that were just answered. */
        bsr_ray ray;
        bsr_ray_init(&ray, sp->dtype, stored, sp->bits, sp->n_bits);
        int bit[3], which[3];
        for (int n; (n = bsr_ray_ask(&ray, bit, which)) > 0;)
            for (int q = 0; q < n; q++)
                bsr_ray_tell(&ray, which[q], truth >> bit[q] & 1);
        for (uint32_t wrong = truth ^ bsr_ray_critical(&ray); wrong; wrong &= wrong - 1)
            violations++;
        pairs += (uint64_t)sp->n_bits;
    }
    r->violations += violations;
    r->checked += pairs;
    return bsr_session_step(s, pairs, thread);
}

/* Up to `random` sites of every space. */
static bsr_status draw_sites(rays *r)
{
    const bsr_spaces *all = &r->s->spaces;
    uint64_t random = r->s->options.random, first = 0;
    r->n = all->sites;
    if (!random)
        return BSR_OK;
    r->n = 0;
    for (int i = 0; i < all->n; i++)
        r->n += random < all->spaces[i].sites ? random : all->spaces[i].sites;
    r->index = bsr_alloc_array(r->n, sizeof *r->index);
    if (!r->index)
        return BSR_ENOMEM;
    uint64_t at = 0;
    for (int i = 0; i < all->n; i++) {
        uint64_t sites = all->spaces[i].sites, n = random < sites ? random : sites, *drawn;
        BSR_TRY(bsr_sample_indices(&drawn, sites, n, r->s->options.seed, STREAM_SITES + (uint64_t)i,
                                   1));
        for (uint64_t k = 0; k < n; k++)
            r->index[at++] = first + drawn[k];
        bsr_free(drawn);
        first += sites;
    }
    return BSR_OK;
}

static bsr_status new_rays(rays *r)
{
    bsr_session *s = r->s;
    size_t threads = (size_t)s->options.threads;
    if (s->images_at_once > UINT16_MAX)
        s->images_at_once = UINT16_MAX;
    BSR_TRY(draw_sites(r));
    r->n_checks = s->options.check < r->n ? s->options.check : r->n;
    if (r->n_checks && r->n_checks < r->n)
        BSR_TRY(
            bsr_sample_indices(&r->checks, r->n, r->n_checks, s->options.seed, STREAM_CHECK, 1));
    r->room = ITEM_SITES * s->images_at_once * 3;
    if (r->room < BSR_RAY_BITS)
        r->room = BSR_RAY_BITS;
    r->counts = bsr_calloc_array(r->n * BSR_TALLY_BITS, sizeof *r->counts);
    r->ray = bsr_calloc_array(threads, sizeof *r->ray);
    r->asked = bsr_calloc_array(threads, sizeof *r->asked);
    r->jobs = bsr_calloc_array(threads, sizeof *r->jobs);
    r->results = bsr_calloc_array(threads, sizeof *r->results);
    if (!r->counts || !r->ray || !r->asked || !r->jobs || !r->results)
        return BSR_ENOMEM;
    for (size_t t = 0; t < threads; t++) {
        r->ray[t] = bsr_alloc_array(ITEM_SITES * s->images_at_once, sizeof **r->ray);
        r->asked[t] = bsr_alloc_array(r->room, sizeof **r->asked);
        r->jobs[t] = bsr_alloc_array(r->room, sizeof **r->jobs);
        r->results[t] = bsr_alloc_array(r->room, sizeof **r->results);
        if (!r->ray[t] || !r->asked[t] || !r->jobs[t] || !r->results[t])
            return BSR_ENOMEM;
    }
    return BSR_OK;
}

static void clear_rays(rays *r)
{
    for (int t = 0; t < r->s->options.threads; t++) {
        bsr_free(r->ray ? r->ray[t] : NULL);
        bsr_free(r->asked ? r->asked[t] : NULL);
        bsr_free(r->jobs ? r->jobs[t] : NULL);
        bsr_free(r->results ? r->results[t] : NULL);
    }
    bsr_free(r->ray);
    bsr_free(r->asked);
    bsr_free(r->jobs);
    bsr_free(r->results);
    bsr_free(r->counts);
    bsr_free(r->checks);
    bsr_free(r->index);
}

static uint64_t all_pairs(const rays *r)
{
    uint64_t pairs = 0, site;
    for (uint64_t i = 0; i < r->n; i++)
        pairs += (uint64_t)site_space(r, i, &site)->n_bits * r->s->images;
    return pairs;
}

bsr_status bsr_analyze(bsr_result **out, const bsr_model *model, const bsr_dataset *data,
                       const bsr_run_options *options)
{
    *out = NULL;
    bsr_session s;
    rays r = {.s = &s};
    bsr_status status = bsr_session_init(&s, model, data, options);
    if (status == BSR_OK)
        status = new_rays(&r);
    if (status == BSR_OK)
        status = bsr_session_run(&s, "rays", all_pairs(&r),
                                 (size_t)((r.n + ITEM_SITES - 1) / ITEM_SITES), run_item, &r);
    if (status == BSR_OK) {
        bsr_tally t = {.site_units = 1, .n = r.n, .index = r.index, .counts = r.counts};
        t.nan_faults = r.nan_faults;
        status = bsr_tally_result(out, &s, &t, "analyze", "ray",
                                  r.n < s.spaces.sites ? "random" : "complete");
    }
    /* The check comes last, so that the cost above is the analysis's own. */
    if (status == BSR_OK && r.n_checks) {
        uint64_t pairs = r.n_checks * s.images * BSR_RAY_BITS;
        status = bsr_session_run(&s, "checking", pairs, (size_t)r.n_checks, check_item, &r);
        if (status == BSR_OK) {
            (*out)->violations = r.violations;
            (*out)->checked = r.checked;
        } else {
            bsr_result_free(*out);
            *out = NULL;
        }
    }
    clear_rays(&r);
    bsr_session_clear(&s);
    return status;
}
