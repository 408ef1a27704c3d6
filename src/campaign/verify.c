#include "campaign/verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/units.h"
#include "rng/sample.h"
#include "stats/stratified.h"

/* Streams that choose pairs: one for each stratum. */
#define STREAM_PAIRS ((uint64_t)7 << 32)

/* Injections of one item. */
#define ITEM_PAIRS 64

/* One (fault, image) pair that is looked at again. */
typedef struct probe {
    bsr_injected fault;
    uint64_t image;
    int stratum;
    unsigned char answered, direct; /* critical? */
} probe;

typedef struct verifier {
    bsr_session *s;
    bsr_record *r;
    bsr_store *store;
    probe *probes; /* [n], by image */
    size_t n;
    bsr_lane_job **jobs; /* [threads][ITEM_PAIRS] */
    bsr_lane_result **results;
    size_t first, end; /* probes of the current set of images */
} verifier;

static bsr_status read_fault(void *ctx, const bsr_fault_row *row)
{
    probe *p = ctx;
    const unsigned char *bits = row->critical_images;
    uint64_t bit = p->fault.image >= 0 ? 0 : p->image;
    if (bit / 8 < row->critical_bytes)
        p->answered = bits[bit / 8] >> bit % 8 & 1;
    return BSR_OK;
}

static bsr_status read_pair(void *ctx, const bsr_pair_row *row)
{
    *(int64_t *)ctx = row->critical;
    return BSR_OK;
}

/* Pair `pair` of those of a unit, and its answer. */
static bsr_status choose(verifier *v, probe *p, uint64_t unit, uint64_t pair)
{
    const bsr_record *r = v->r;
    if (!r->design.by_site) {
        p->fault = bsr_locate_unit(r, unit);
        p->image = p->fault.image >= 0 ? (uint64_t)p->fault.image : pair;
        return bsr_store_faults(v->store, (int64_t)unit, (int64_t)unit + 1, read_fault, p);
    }
    bsr_ray_site site = bsr_locate_site(r, unit);
    uint64_t faults = (uint64_t)__builtin_popcount(site.variants);
    uint32_t left = site.variants;
    for (uint64_t k = pair % faults; k > 0; k--)
        left &= left - 1;
    int variant = __builtin_ctz(left);
    p->fault = (bsr_injected){site.space, site.number, site.at, site.change[variant], -1};
    if (r->design.pairs) {
        int64_t critical = 0;
        p->image = bsr_pair_image(r, unit);
        BSR_TRY(bsr_store_pairs(v->store, (int64_t)unit, (int64_t)unit + 1, read_pair, &critical));
        p->answered = critical >> variant & 1;
        return BSR_OK;
    }
    p->image = pair / faults;
    int64_t fault = (int64_t)(site.space->first + site.number * (uint64_t)site.space->n_variants +
                              (uint64_t)variant);
    return bsr_store_faults(v->store, fault, fault + 1, read_fault, p);
}

/* (fault, image) pairs that a stratum stands for. */
static double weight_of(const bsr_record *r, const bsr_planned *p)
{
    return (double)p->population * (double)bsr_unit_pairs(&r->design, &r->spaces, p, r->images);
}

/* k random pairs of the sample of one stratum. */
static bsr_status choose_some(verifier *v, int i, uint64_t k)
{
    const bsr_design *d = &v->r->design;
    const bsr_planned *p = &d->strata[i];
    uint64_t *units = NULL, *pairs = NULL;
    uint64_t each = bsr_unit_pairs(d, &v->r->spaces, p, v->r->images);
    k = k > p->n * each ? p->n * each : k;
    bsr_status status =
        bsr_sample_indices(&pairs, p->n * each, k, v->r->seed, STREAM_PAIRS + (uint64_t)i, 0);
    int whole = p->n == p->population && d->kind != BSR_DESIGN_CHANNELS;
    if (status == BSR_OK && !whole) {
        units = bsr_alloc_array(p->n, sizeof *units);
        status = units ? bsr_design_pick(d, &v->r->spaces, i, p->n, units) : BSR_ENOMEM;
    }
    for (uint64_t j = 0; j < k && status == BSR_OK; j++) {
        uint64_t u = pairs[j] / each;
        uint64_t unit = whole ? bsr_design_unit(d, &v->r->spaces, i, u) : units[u];
        v->probes[v->n].stratum = i;
        status = choose(v, &v->probes[v->n++], unit, pairs[j] % each);
    }
    bsr_free(units);
    bsr_free(pairs);
    return status;
}

static bsr_status choose_all(verifier *v, uint64_t n)
{
    const bsr_design *d = &v->r->design;
    double all = 0;
    size_t most = 0;
    for (int i = 0; i < d->n_strata; i++)
        all += weight_of(v->r, &d->strata[i]);
    for (int i = 0; i < d->n_strata; i++)
        most += (size_t)ceil((double)n * weight_of(v->r, &d->strata[i]) / all) + 2;
    v->probes = bsr_calloc_array(most, sizeof *v->probes);
    bsr_status status = v->probes ? BSR_OK : BSR_ENOMEM;
    for (int i = 0; i < d->n_strata && status == BSR_OK; i++) {
        uint64_t k = (uint64_t)ceil((double)n * weight_of(v->r, &d->strata[i]) / all);
        status = choose_some(v, i, k < 2 ? 2 : k);
    }
    return status;
}

static int by_image(const void *a, const void *b)
{
    const probe *x = a, *y = b;
    return (x->image > y->image) - (x->image < y->image);
}

static bsr_status inject_item(void *ctx, size_t item, int thread)
{
    verifier *v = ctx;
    bsr_session *s = v->s;
    size_t first = v->first + item * ITEM_PAIRS, n = v->end - first;
    n = n < ITEM_PAIRS ? n : ITEM_PAIRS;
    for (size_t k = 0; k < n; k++) {
        const probe *p = &v->probes[first + k];
        v->jobs[thread][k] =
            bsr_space_job(p->fault.space, s->golden, (int)(p->image - s->first_image),
                          p->fault.site, p->fault.change);
    }
    BSR_TRY(
        bsr_lanes_run(s->lanes[thread], s->golden, v->jobs[thread], n, v->results[thread], NULL));
    for (size_t k = 0; k < n; k++)
        v->probes[first + k].direct = v->results[thread][k].critical;
    return bsr_session_step(s, n, thread);
}

static bsr_status inject_set(void *ctx)
{
    verifier *v = ctx;
    const bsr_session *s = v->s;
    uint64_t last = s->first_image + (uint64_t)s->golden->images;
    for (v->first = v->end; v->end < v->n && v->probes[v->end].image < last;)
        v->end++;
    size_t items = (v->end - v->first + ITEM_PAIRS - 1) / ITEM_PAIRS;
    return bsr_pool_run(s->pool, items, inject_item, v);
}

static bsr_status inject_all(verifier *v)
{
    size_t threads = (size_t)v->s->options.threads;
    v->jobs = bsr_calloc_array(threads, sizeof *v->jobs);
    v->results = bsr_calloc_array(threads, sizeof *v->results);
    if (!v->jobs || !v->results)
        return BSR_ENOMEM;
    for (size_t t = 0; t < threads; t++) {
        v->jobs[t] = bsr_alloc_array(ITEM_PAIRS, sizeof **v->jobs);
        v->results[t] = bsr_alloc_array(ITEM_PAIRS, sizeof **v->results);
        if (!v->jobs[t] || !v->results[t])
            return BSR_ENOMEM;
    }
    qsort(v->probes, v->n, sizeof *v->probes, by_image);
    bsr_session_begin(v->s, "verifying", v->n, 0);
    return bsr_session_sets(v->s, inject_set, v);
}

/* Share of the sample's pairs that differ in one direction: critical although answered harmless, or
 * the reverse. */
static bsr_status share_that(verifier *v, int critical, bsr_estimate *out)
{
    const bsr_design *d = &v->r->design;
    bsr_stratum *strata = bsr_alloc_array((size_t)d->n_strata, sizeof *strata);
    bsr_status status = strata ? BSR_OK : BSR_ENOMEM;
    for (int i = 0; i < d->n_strata && status == BSR_OK; i++)
        status = bsr_stratum_init(&strata[i], (uint64_t)weight_of(v->r, &d->strata[i]), 1);
    for (size_t k = 0; k < v->n && status == BSR_OK; k++) {
        const probe *p = &v->probes[k];
        status =
            bsr_stratum_add(&strata[p->stratum], p->direct == critical && p->answered != critical);
    }
    if (status == BSR_OK)
        status = bsr_stratified_faults(out, strata, (size_t)d->n_strata, v->r->confidence);
    bsr_free(strata);
    return status;
}

static double both(double a, double b)
{
    return sqrt(a * a + b * b);
}

/* Difference of the two shares. Few pairs differ, so that each has a score interval, and the halves
 * add in squares (R. G. Newcombe, Statistics in Medicine 17, 1998). */
static bsr_status estimate(verifier *v)
{
    bsr_correction *c = &v->r->correction;
    bsr_estimate missed, wrong;
    BSR_TRY(share_that(v, 1, &missed));
    BSR_TRY(share_that(v, 0, &wrong));
    *c = (bsr_correction){.pairs = v->n, .mean = missed.mean - wrong.mean};
    for (size_t k = 0; k < v->n; k++)
        c->differ += v->probes[k].direct != v->probes[k].answered;
    c->lo = c->mean - both(missed.mean - missed.ci.lo, wrong.ci.hi - wrong.mean);
    c->hi = c->mean + both(missed.ci.hi - missed.mean, wrong.mean - wrong.ci.lo);
    return BSR_OK;
}

bsr_status bsr_verify_check(const bsr_record *r)
{
    if (r->design.neurons)
        return bsr_fail(BSR_EINVAL,
                        "verify: not for operands by rays, which keep no single faults");
    for (int i = 0; i < r->design.n_strata; i++)
        if (r->design.strata[i].space < 0 || r->spaces.spaces[0].place == BSR_FAULT_PARAMETER)
            return bsr_fail(BSR_EINVAL,
                            "verify: not for plan %s of the whole network, nor for parameters",
                            bsr_design_name(r->design.kind));
    return BSR_OK;
}

bsr_status bsr_verify(bsr_session *s, bsr_record *r, bsr_store *store, uint64_t n)
{
    verifier v = {.s = s, .r = r, .store = store};
    bsr_status status = choose_all(&v, n);
    if (status == BSR_OK)
        status = inject_all(&v);
    if (status == BSR_OK)
        status = estimate(&v);
    for (int t = 0; t < s->options.threads; t++) {
        bsr_free(v.jobs ? v.jobs[t] : NULL);
        bsr_free(v.results ? v.results[t] : NULL);
    }
    bsr_free(v.jobs);
    bsr_free(v.results);
    bsr_free(v.probes);
    return status;
}
