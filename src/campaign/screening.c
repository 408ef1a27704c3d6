#include "campaign/screening.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/units.h"
#include "exec/lane_predict.h"
#include "rng/philox.h"

/* Streams of the checks: one for each unit. */
#define STREAM_CHECKS ((uint64_t)1 << 62)

/* Units predicted together, and their questions at once: a ray has two sides and single faults. */
#define BATCH 128
#define ASKED (BATCH * BSR_RAY_BITS)

/* Larger changes are not predicted: nothing first-order about them. */
#define FAR ((double)((int64_t)1 << 30))

/* A margin must be larger than so many standard deviations of what rounding to codes may do to it.
 */
#define ROUNDING 4

typedef struct query {
    uint8_t unit, which, fault; /* which: side 0, 1, or 2 for a fault outside the order */
} query;

/* Workspace of one thread. */
typedef struct screener {
    bsr_gradients *gradients;
    unsigned char *wanted; /* [plan tensors] of the current image */
    float *seeds;          /* [BSR_MAX_RIVALS][classes] of its margins */
    float *planes;
    bsr_lane_job *jobs; /* [ASKED] */
    float *share;
    query *asked;
    bsr_ray_site *site; /* [BATCH] */
    bsr_ray *ray;
} screener;

struct scope;
struct bsr_screening {
    bsr_session *s;
    const bsr_record *r;
    const bsr_gradient_plan *gradient_plan;
    int *watched; /* [spaces] plan tensor */
    screener *threads;
    bsr_screened *state; /* [units][images at once], pairs: [units] */
    bsr_status (*screen)(struct scope *c, uint64_t first, int n); /* units of one layer and image */
    const uint64_t *units;
    uint64_t n;
};

uint32_t bsr_screen_checks(const bsr_record *r, uint64_t unit, uint64_t image, int variants)
{
    uint32_t chosen = 0;
    bsr_rng rng = bsr_rng_make(r->seed, STREAM_CHECKS + unit);
    bsr_rng_seek(&rng, image * BSR_MAX_VARIANTS);
    double below = r->screen_check * 4294967296.0;
    for (int v = 0; v < variants; v++)
        chosen |= (uint32_t)((double)bsr_rng_u32(&rng) < below) << v;
    return chosen;
}

static bsr_screened *state_at(const bsr_screening *k, uint64_t index, int image)
{
    return k->r->design.pairs ? &k->state[index]
                              : &k->state[index * k->s->images_at_once + (uint64_t)image];
}

const bsr_screened *bsr_screened_at(const bsr_screening *k, uint64_t index, int image)
{
    return state_at(k, index, image);
}

/* What one callback works on: units [first, end) of one layer in one image. */
typedef struct scope {
    bsr_screening *k;
    screener *h;
    bsr_lanes *lanes;
    int image;
    uint64_t first, end; /* units in the image; for a layer a part of them */
    const bsr_slopes *slopes;
    double theta;
    double rounding[BSR_MAX_RIVALS]; /* variance of each margin, by the tensors seen so far */
} scope;

/* The ray's next questions of one unit, on top of the n that were asked: the largest fault of each
 * side that may need an evaluation, and all outside the order. */
static size_t ask(query *asked, size_t n, int unit, const bsr_ray *ray, bsr_screened *state,
                  const double *values, double v0, int first)
{
    for (int k = 0; k < 2; k++) {
        const bsr_ray_side *side = &ray->side[k];
        int at = state->harmless[k];
        if (at >= side->n || side->step == 0)
            continue;
        while (at < side->n && fabs(values[side->order[at]] - v0) > FAR)
            at++;
        state->harmless[k] = (uint8_t)at;
        if (at < side->n)
            asked[n++] = (query){(uint8_t)unit, (uint8_t)k, side->order[at]};
    }
    for (int i = 0; first && i < ray->n_nans; i++)
        if (fabs(values[ray->nans[i]] - v0) <= FAR)
            asked[n++] = (query){(uint8_t)unit, 2, ray->nans[i]};
    return n;
}

/* Rounds of questions to a batch of units: down each side until a fault stays below theta. A side
 * whose step is 0 is settled. */
static bsr_status screen_batch(scope *c, uint64_t first, int n)
{
    screener *h = c->h;
    const bsr_golden *golden = c->k->s->golden;
    double values[BATCH][BSR_MAX_VARIANTS], v0[BATCH];
    for (int i = 0; i < n; i++) {
        bsr_screened *state = state_at(c->k, first + (uint64_t)i, c->image);
        h->site[i] = bsr_locate_site(c->k->r, c->k->units[first + (uint64_t)i]);
        const bsr_space *sp = h->site[i].space;
        *state = (bsr_screened){{0, 0}, 0, {-1, -1}};
        bsr_start_ray(&h->ray[i], values[i], &h->site[i], golden, c->image);
        v0[i] =
            bsr_space_value(sp, h->site[i].at, bsr_space_code(sp, golden, c->image, h->site[i].at));
    }
    for (int round = 0;; round++) {
        size_t asked = 0;
        for (int i = 0; i < n; i++)
            asked =
                ask(h->asked, asked, i, &h->ray[i], state_at(c->k, first + (uint64_t)i, c->image),
                    values[i], v0[i], round == 0);
        if (!asked)
            return BSR_OK;
        for (size_t q = 0; q < asked; q++) {
            const bsr_ray_site *s = &h->site[h->asked[q].unit];
            h->jobs[q] =
                bsr_space_job(s->space, golden, c->image, s->at, s->change[h->asked[q].fault]);
        }
        BSR_TRY(bsr_lanes_predict(c->lanes, golden, h->jobs, asked, c->slopes, h->share));
        for (size_t q = 0; q < asked; q++) {
            const query *a = &h->asked[q];
            bsr_screened *state = state_at(c->k, first + a->unit, c->image);
            int below = h->share[q] < c->theta;
            if (a->which == 2)
                state->skip |= (uint32_t)below << a->fault;
            else if (below)
                h->ray[a->unit].side[a->which].step = 0;
            else
                state->harmless[a->which]++;
        }
    }
}

/* The same for units that are single faults. */
static bsr_status screen_faults(scope *c, uint64_t first, int n)
{
    screener *h = c->h;
    const bsr_golden *golden = c->k->s->golden;
    size_t asked = 0;
    for (int i = 0; i < n; i++) {
        bsr_injected f = bsr_locate_unit(c->k->r, c->k->units[first + (uint64_t)i]);
        bsr_screened *state = state_at(c->k, first + (uint64_t)i, c->image);
        *state = (bsr_screened){{0, 0}, 0, {-1, -1}};
        if (f.image >= 0 && (size_t)f.image != c->k->s->first_image + (size_t)c->image)
            continue;
        uint32_t code = bsr_space_code(f.space, golden, c->image, f.site);
        double v0 = bsr_space_value(f.space, f.site, code);
        double v = bsr_space_value(f.space, f.site, bsr_change_apply(f.change, code));
        if (!(fabs(v - v0) <= FAR))
            continue;
        h->asked[asked] = (query){(uint8_t)i, 0, 0};
        h->jobs[asked++] = bsr_space_job(f.space, golden, c->image, f.site, f.change);
    }
    BSR_TRY(bsr_lanes_predict(c->lanes, golden, h->jobs, asked, c->slopes, h->share));
    for (size_t q = 0; q < asked; q++) {
        bsr_screened *state = state_at(c->k, first + h->asked[q].unit, c->image);
        state->skip = h->share[q] < c->theta;
    }
    return BSR_OK;
}

/* Sizes of errors that are predicted for a neuron: 2^LARGEST down to 2^-SMALLEST, on both sides. */
#define LARGEST  6
#define SMALLEST 8
#define SIZES    (LARGEST + SMALLEST + 1)

/* The same for neurons: how large an error stays below theta, as do all smaller ones. */
static bsr_status screen_neurons(scope *c, uint64_t first, int n)
{
    screener *h = c->h;
    const bsr_golden *golden = c->k->s->golden;
    size_t asked = 0;
    for (int i = 0; i < n; i++) {
        bsr_neuron at =
            bsr_locate_neuron(c->k->r, c->k->units[first + (uint64_t)i], c->k->s->first_image);
        for (int k = 0; k < 2 * SIZES; k++)
            h->jobs[asked++] = bsr_neuron_job(golden, &at, ldexpf(k % 2 ? 1 : -1, LARGEST - k / 2));
    }
    BSR_TRY(bsr_lanes_predict(c->lanes, golden, h->jobs, asked, c->slopes, h->share));
    for (int i = 0; i < n; i++) {
        bsr_screened *state = state_at(c->k, first + (uint64_t)i, c->image);
        *state = (bsr_screened){{0, 0}, 0, {-1, -1}};
        for (int side = 0; side < 2; side++)
            for (int k = SIZES - 1; k >= 0; k--) {
                if (!(h->share[i * 2 * SIZES + 2 * k + side] < c->theta))
                    break;
                state->limit[side] = ldexpf(1, LARGEST - k);
            }
    }
    return BSR_OK;
}

/* Number of the first unit from `from` on that lies behind layer `space`. */
static uint64_t end_of_space(const bsr_screening *k, uint64_t from, uint64_t end, int space)
{
    const bsr_record *r = k->r;
    const bsr_space *sp = &r->spaces.spaces[space];
    uint64_t last = r->design.pairs ? (sp->first_site + sp->sites) * r->design.images * BSR_CLASSES
                    : r->design.by_site ? sp->first_site + sp->sites
                                        : (sp->first + sp->population) * r->design.images;
    while (from < end) {
        uint64_t mid = from + (end - from) / 2;
        if (k->units[mid] < last)
            from = mid + 1;
        else
            end = mid;
    }
    return from;
}

/* The format that a tensor of floats is stored in, or NULL. */
static const bsr_quantiser *format_of(const bsr_screening *k, const bsr_pten *p)
{
    const bsr_storage *storage = k->s->storage;
    return storage && p->dtype == BSR_F32 ? storage->of_value[p->value].quantisers : NULL;
}

static int is_rounded(const bsr_screening *k, const bsr_pten *p)
{
    return p->dtype == BSR_U8 || p->dtype == BSR_I8 || format_of(k, p);
}

/* Distance of the values around x that the format has, at most; that of a code is 1. */
static double step_at(const bsr_quantiser *q, float x)
{
    switch (q ? q->kind : BSR_FORMAT_STORED) {
    case BSR_FORMAT_STORED:
        return 1;
    case BSR_FORMAT_FP32:
        return 0;
    case BSR_FORMAT_FP16:
        return fabs((double)x) / 1024;
    case BSR_FORMAT_BF16:
        return fabs((double)x) / 128;
    case BSR_FORMAT_E4M3:
        return fabs((double)x) / 8;
    case BSR_FORMAT_E5M2:
        return fabs((double)x) / 4;
    default:
        return (double)q->scale;
    }
}

/* First order knows nothing of rounding: the slightest change of what becomes a code may move the
 * code by one, and enough of them a small margin. The rounding errors of the faulty and of the
 * golden network differ by a variance of 1/12 + 1/12 for each code that changes: taken for all. */
static void add_rounding(scope *c, const bsr_pten *p, const float *gradient, size_t stride)
{
    const bsr_quantiser *q = format_of(c->k, p);
    const bsr_golden *golden = c->k->s->golden;
    const char *values = golden->records + (size_t)c->image * golden->plan->golden_bytes;
    size_t n = (size_t)p->pixels * (size_t)p->channels;
    if (!is_rounded(c->k, p) || (q && !p->kept))
        return;
    for (size_t i = 0; i < n; i++) {
        float x = 0;
        if (q)
            memcpy(&x, values + p->golden_at + i * sizeof x, sizeof x);
        double step = step_at(q, x);
        for (int rival = 0; rival < c->slopes->margins->n; rival++) {
            double g = step * (double)gradient[(size_t)rival * stride + i];
            c->rounding[rival] += g * g / 6;
        }
    }
}

/* What rounding leaves of the margins; none where that is not known. */
static void reduce_margins(bsr_margins *m, const scope *c)
{
    *m = *c->slopes->margins;
    for (int rival = 0; rival < m->n; rival++) {
        double left = (double)m->margin[rival] - ROUNDING * sqrt(c->rounding[rival]);
        m->margin[rival] = left > 0 ? (float)left : 0;
    }
}

/* The gradient at a tensor is there: all units of the layers that are watched at it. Tensors behind
 * it have had their turn. */
static bsr_status at_tensor(void *ctx, int pten, const float *gradient, size_t stride)
{
    scope *c = ctx;
    bsr_screening *k = c->k;
    const bsr_pten *p = &k->s->plan->ptens[pten];
    bsr_margins margins;
    bsr_slopes slopes = *c->slopes;
    size_t plane = (size_t)p->pixels * (size_t)p->channels;
    int turned = 0;
    reduce_margins(&margins, c);
    slopes.margins = &margins;
    uint64_t first = c->first;
    for (int i = 0; i < k->r->spaces.n; i++) {
        uint64_t end = end_of_space(k, first, c->end, i);
        if (end == first || k->watched[i] != pten || k->r->theta[i] <= 0) {
            first = end;
            continue;
        }
        for (int rival = 0; !turned && rival < slopes.margins->n; rival++)
            bsr_slope_planes(c->h->planes + (size_t)rival * plane,
                             gradient + (size_t)rival * stride, p->pixels, p->channels);
        turned = 1;
        slopes.pten = pten;
        slopes.planes = c->h->planes;
        slopes.stride = plane;
        scope here = *c;
        here.slopes = &slopes;
        here.theta = k->r->theta[i];
        for (; first < end; first += BATCH) {
            int n = end - first < BATCH ? (int)(end - first) : BATCH;
            BSR_TRY(k->screen(&here, first, n));
        }
        first = end;
    }
    add_rounding(c, p, gradient, stride);
    return BSR_OK;
}

/* Units of an image: all, or the pairs of that image. */
static void units_of_image(const bsr_screening *k, uint64_t image, uint64_t *first, uint64_t *end)
{
    *first = 0;
    *end = k->n;
    if (!k->r->design.pairs)
        return;
    uint64_t *bound[2] = {first, end};
    for (int side = 0; side < 2; side++) {
        uint64_t lo = 0, hi = k->n;
        while (lo < hi) {
            uint64_t mid = lo + (hi - lo) / 2;
            if (bsr_pair_image(k->r, k->units[mid]) < image + (uint64_t)side)
                lo = mid + 1;
            else
                hi = mid;
        }
        *bound[side] = lo;
    }
}

/* Does any fault of the unit change the stored value by so little that it can be predicted? */
static int is_predictable(const scope *c, uint64_t unit)
{
    const bsr_record *r = c->k->r;
    const bsr_golden *golden = c->k->s->golden;
    if (r->design.neurons)
        return 1;
    bsr_ray_site s = {0};
    if (r->design.by_site) {
        s = bsr_locate_site(r, unit);
    } else {
        bsr_injected f = bsr_locate_unit(r, unit);
        s = (bsr_ray_site){.space = f.space, .variants = 1, .at = f.site, .change = {f.change}};
    }
    uint32_t code = bsr_space_code(s.space, golden, c->image, s.at);
    double v0 = bsr_space_value(s.space, s.at, code);
    for (uint32_t left = s.variants; left; left &= left - 1) {
        uint32_t now = bsr_change_apply(s.change[__builtin_ctz(left)], code);
        if (fabs(bsr_space_value(s.space, s.at, now) - v0) <= FAR)
            return 1;
    }
    return 0;
}

/* Marks the tensors whose slopes the image's units need, and those behind them that are rounded;
 * 0 when there are none. A backward pass reaches no further than it must. */
static int want_tensors(scope *c)
{
    const bsr_screening *k = c->k;
    const bsr_plan *plan = k->s->plan;
    int nearest = plan->n_steps; /* step that makes the first of them */
    uint64_t first = c->first;
    memset(c->h->wanted, 0, (size_t)plan->n_ptens);
    for (int i = 0; i < k->r->spaces.n; i++) {
        uint64_t end = end_of_space(k, first, c->end, i);
        while (k->r->theta[i] > 0 && first < end && !is_predictable(c, k->units[first]))
            first++;
        if (k->r->theta[i] > 0 && first < end) {
            int producer = plan->ptens[k->watched[i]].producer;
            c->h->wanted[k->watched[i]] = 1;
            nearest = producer < nearest ? producer : nearest;
        }
        first = end;
    }
    for (int i = 0; i < plan->n_ptens; i++)
        c->h->wanted[i] |= is_rounded(k, &plan->ptens[i]) && plan->ptens[i].producer > nearest;
    return nearest < plan->n_steps;
}

static bsr_status screen_image(void *ctx, size_t item, int thread)
{
    bsr_screening *k = ctx;
    const bsr_golden *g = k->s->golden;
    bsr_margins margins;
    bsr_slopes slopes = {.margins = &margins};
    scope c = {.k = k,
               .h = &k->threads[thread],
               .lanes = k->s->lanes[thread],
               .image = (int)item,
               .slopes = &slopes};
    units_of_image(k, k->s->first_image + item, &c.first, &c.end);
    if (c.first == c.end)
        return BSR_OK;
    for (uint64_t u = c.first; u < c.end; u++) {
        bsr_screened *state = state_at(k, u, c.image);
        *state =
            (bsr_screened){{UINT8_MAX, UINT8_MAX}, 0, {-1, -1}}; /* unless a layer says otherwise */
    }
    bsr_margins_of(&margins, g->logits + item * (size_t)g->classes, g->top1[item], g->classes);
    if (want_tensors(&c)) {
        bsr_margin_seeds(c.h->seeds, &margins, g->top1[item], g->classes);
        bsr_gradient_request request = {
            .n = margins.n, .seeds = c.h->seeds, .wanted = c.h->wanted, .fn = at_tensor, .ctx = &c};
        BSR_TRY(bsr_gradients_run(c.h->gradients, g, c.image, &request));
    }
    return bsr_session_step(k->s, 0, thread);
}

bsr_status bsr_screen_units(bsr_screening *k, const uint64_t *units, uint64_t n)
{
    k->units = units;
    k->n = n;
    return bsr_pool_run(k->s->pool, (size_t)k->s->golden->images, screen_image, k);
}

static bsr_status new_screener(screener *h, const bsr_screening *k, size_t planes)
{
    size_t classes = (size_t)bsr_plan_classes(k->s->plan);
    h->wanted = bsr_alloc_array((size_t)k->s->plan->n_ptens, 1);
    h->seeds = bsr_alloc_array(BSR_MAX_RIVALS * classes, sizeof *h->seeds);
    h->planes = bsr_alloc_array(planes, sizeof *h->planes);
    h->jobs = bsr_alloc_array(ASKED, sizeof *h->jobs);
    h->share = bsr_alloc_array(ASKED, sizeof *h->share);
    h->asked = bsr_alloc_array(ASKED, sizeof *h->asked);
    h->site = bsr_alloc_array(BATCH, sizeof *h->site);
    h->ray = bsr_alloc_array(BATCH, sizeof *h->ray);
    if (!h->wanted || !h->seeds || !h->planes || !h->jobs || !h->share || !h->asked || !h->site ||
        !h->ray)
        return BSR_ENOMEM;
    return bsr_gradients_new(&h->gradients, k->gradient_plan);
}

static void clear_screener(screener *h)
{
    bsr_free(h->wanted);
    bsr_free(h->seeds);
    bsr_free(h->planes);
    bsr_free(h->jobs);
    bsr_free(h->share);
    bsr_free(h->asked);
    bsr_free(h->site);
    bsr_free(h->ray);
    bsr_gradients_free(h->gradients);
}

/* Where the faults of a layer first show, and from there behind what is pointwise. */
static int watched_of(const bsr_plan *plan, const bsr_space *sp)
{
    bsr_stored_fault f = {.place = sp->place, .where = sp->where};
    return bsr_watched_pten(plan, bsr_source_pten(plan, &f));
}

static bsr_status init(bsr_screening *k, uint64_t most_units)
{
    const bsr_plan *plan = k->s->plan;
    size_t threads = (size_t)k->s->options.threads, planes = 0;
    uint64_t images = k->r->design.pairs ? 1 : k->s->images_at_once;
    k->watched = bsr_alloc_array((size_t)k->r->spaces.n, sizeof *k->watched);
    k->threads = bsr_calloc_array(threads, sizeof *k->threads);
    k->state = bsr_alloc_array(most_units * images, sizeof *k->state);
    if (!k->watched || !k->threads || !k->state)
        return BSR_ENOMEM;
    for (int i = 0; i < k->r->spaces.n; i++) {
        k->watched[i] = watched_of(plan, &k->r->spaces.spaces[i]);
        const bsr_pten *p = &plan->ptens[k->watched[i]];
        size_t n = (size_t)p->pixels * (size_t)p->channels;
        planes = n > planes ? n : planes;
    }
    for (size_t t = 0; t < threads; t++)
        BSR_TRY(new_screener(&k->threads[t], k, planes * BSR_MAX_RIVALS));
    return BSR_OK;
}

bsr_status bsr_screening_new(bsr_screening **out, bsr_session *s, const bsr_record *r,
                             const bsr_gradient_plan *gradients, uint64_t most_units)
{
    bsr_screening *k = *out = bsr_calloc_array(1, sizeof *k);
    if (!k)
        return BSR_ENOMEM;
    k->s = s;
    k->r = r;
    k->gradient_plan = gradients;
    k->screen = r->design.neurons   ? screen_neurons
                : r->design.by_site ? screen_batch
                                    : screen_faults;
    bsr_status status = init(k, most_units);
    if (status != BSR_OK) {
        bsr_screening_free(k);
        *out = NULL;
    }
    return status;
}

size_t bsr_screening_bytes(const bsr_gradient_plan *gradients, const bsr_plan *plan, int threads)
{
    size_t planes = 0;
    for (int i = 0; i < plan->n_ptens; i++) {
        size_t n = (size_t)plan->ptens[i].pixels * (size_t)plan->ptens[i].channels;
        planes = n > planes ? n : planes;
    }
    return (size_t)threads *
           (bsr_gradients_bytes(gradients) + planes * BSR_MAX_RIVALS * sizeof(float));
}

void bsr_screening_free(bsr_screening *k)
{
    if (!k)
        return;
    for (int t = 0; k->threads && t < k->s->options.threads; t++)
        clear_screener(&k->threads[t]);
    bsr_free(k->watched);
    bsr_free(k->threads);
    bsr_free(k->state);
    bsr_free(k);
}
