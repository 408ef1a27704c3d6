#include "analysis/deepvigor.h"

#include <math.h>
#include <string.h>

#include "analysis/deepvigor_state.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "fault/neuron.h"

/* Search on one side of a target in one image. */
typedef struct side_search {
    bsr_vvss_walk walk;
    int steps, edge;
    int open;
} side_search;

/* Lanes at the start of a target in one image: probe and gradient, below and above 0. */
enum { PROBES = 4 };

struct bsr_vigor_worker {
    float *errors;
    side_search *search; /* [2 * images] */
    bsr_lane_job *jobs;  /* [PROBES * images] */
    bsr_lane_result *results;
    float *logits;
};

static void free_workers(bsr_vigor *r)
{
    for (int t = 0; r->workers && t < r->s->options.threads; t++) {
        bsr_free(r->workers[t].errors);
        bsr_free(r->workers[t].search);
        bsr_free(r->workers[t].jobs);
        bsr_free(r->workers[t].results);
        bsr_free(r->workers[t].logits);
    }
    bsr_free(r->workers);
}

static bsr_status make_workers(bsr_vigor *r)
{
    size_t images = r->s->images_at_once, classes = (size_t)bsr_plan_classes(r->s->plan),
           errors = 1;
    for (int i = 0; i < r->spaces.n; i++) {
        const bsr_space *sp = &r->spaces.spaces[i];
        size_t n = (size_t)sp->taps * (size_t)sp->cin * (size_t)sp->n_variants;
        errors = n > errors ? n : errors;
    }
    r->workers = bsr_calloc_array((size_t)r->s->options.threads, sizeof *r->workers);
    if (!r->workers)
        return BSR_ENOMEM;
    for (int t = 0; t < r->s->options.threads; t++) {
        bsr_vigor_worker *w = &r->workers[t];
        w->errors = bsr_alloc_array(errors, sizeof *w->errors);
        w->search = bsr_alloc_array(2 * images, sizeof *w->search);
        w->jobs = bsr_alloc_array(PROBES * images, sizeof *w->jobs);
        w->results = bsr_alloc_array(PROBES * images, sizeof *w->results);
        w->logits = bsr_alloc_array(PROBES * images * classes, sizeof *w->logits);
        if (!w->errors || !w->search || !w->jobs || !w->results || !w->logits)
            return BSR_ENOMEM;
    }
    return BSR_OK;
}

/* Adds the errors of a target in the images of the set to its map. */
static bsr_status map_item(void *ctx, size_t item, int thread)
{
    bsr_vigor *r = ctx;
    bsr_vigor_target *t = &r->work[item];
    const bsr_golden *golden = r->s->golden;
    float *errors = r->workers[thread].errors;
    int finite;
    bsr_neuron n = {.space = t->space, .channel = r->result->targets[item].channel};
    for (n.image = 0; n.image < golden->images; n.image++)
        for (int i = 0; i < t->pixels; i++) {
            n.pixel = r->pixels[t->first_pixel + i];
            size_t k = bsr_neuron_errors(&r->spaces, golden, &n, r->filters, errors, &finite) *
                       (size_t)t->space->n_variants;
            for (size_t e = 0; e < k; e++)
                t->map.bin[bsr_edm_bin(errors[e])]++;
        }
    return bsr_session_step(r->s, (uint64_t)golden->images, thread);
}

static bsr_lane_job make_job(const bsr_vigor *r, size_t item, int image, float delta)
{
    const bsr_vigor_target *t = &r->work[item];
    const bsr_deepvigor_target *target = &r->result->targets[item];
    const bsr_weights *w = r->s->plan->layers[t->space->where].weights;
    if (r->filters && w->bias)
        delta += ((const float *)w->bias)[target->channel];
    bsr_lane_job job = {.image = image,
                        .fault = {.place = r->filters ? BSR_FAULT_BIAS : BSR_FAULT_SUM,
                                  .where = t->space->where,
                                  .element = target->channel,
                                  .pixel = target->pixel}};
    memcpy(&job.fault.bits, &delta, sizeof delta);
    return job;
}

static int same_logits(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i] && !(isnan(a[i]) && isnan(b[i])))
            return 0;
    return 1;
}

/* The probes of all images, and the searches that they open. */
static bsr_status probe(bsr_vigor *r, size_t item, int thread)
{
    static const float deltas[PROBES] = {-1, -1.015625f, 1, 1.015625f};
    bsr_vigor_worker *w = &r->workers[thread];
    bsr_vigor_target *t = &r->work[item];
    int images = r->s->golden->images;
    size_t classes = (size_t)r->s->golden->classes;
    for (int i = 0; i < PROBES * images; i++)
        w->jobs[i] = make_job(r, item, i / PROBES, deltas[i % PROBES]);
    BSR_TRY(bsr_lanes_run(r->s->lanes[thread], r->s->golden, w->jobs, (size_t)(PROBES * images),
                          w->results, w->logits));
    for (int i = 0; i < 2 * images; i++) {
        const float *z = w->logits + (size_t)(2 * i) * classes;
        side_search *s = &w->search[i];
        int side = i % 2;
        *s = (side_search){.edge = side ? BSR_EDM_LAST : BSR_EDM_FIRST};
        if (same_logits(z, z + classes, classes))
            continue; /* no gradient: nothing to search */
        t->alive[side]++;
        bsr_vvss_walk_start(&s->walk, &t->values, side, w->results[2 * i].critical);
        s->open = 1;
    }
    t->evaluations += 2 * (uint64_t)images;
    return BSR_OK;
}

/* One value for every open search; *n becomes the number of them. */
static bsr_status step_searches(bsr_vigor *r, size_t item, int thread, size_t *n)
{
    bsr_vigor_worker *w = &r->workers[thread];
    int searches = 2 * r->s->golden->images;
    *n = 0;
    for (int i = 0; i < searches; i++) {
        side_search *s = &w->search[i];
        int edge = s->open ? bsr_vvss_walk_ask(&s->walk) : -1;
        if (edge >= 0)
            w->jobs[(*n)++] = make_job(r, item, i / 2, bsr_edm_edge(edge));
        else if (s->open)
            s->edge = s->walk.edge;
        s->open = edge >= 0;
    }
    if (!*n)
        return BSR_OK;
    BSR_TRY(bsr_lanes_run(r->s->lanes[thread], r->s->golden, w->jobs, *n, w->results, NULL));
    for (int i = 0, k = 0; i < searches; i++)
        if (w->search[i].open) {
            bsr_vvss_walk_tell(&w->search[i].walk, w->results[k++].critical);
            w->search[i].steps++;
        }
    return BSR_OK;
}

static bsr_status search_item(void *ctx, size_t item, int thread)
{
    bsr_vigor *r = ctx;
    bsr_vigor_target *t = &r->work[item];
    const bsr_vigor_worker *w = &r->workers[thread];
    int images = r->s->golden->images;
    bsr_vvss_init(&t->values, &t->map);
    BSR_TRY(probe(r, item, thread));
    for (size_t n = 1; n; t->evaluations += n)
        BSR_TRY(step_searches(r, item, thread, &n));
    for (int i = 0; i < images; i++)
        t->benign += bsr_edm_below(&t->map, w->search[2 * i + 1].edge) -
                     bsr_edm_below(&t->map, w->search[2 * i].edge);
    for (int i = 0; i < 2 * images; i++)
        if (w->search[i].steps > t->steps[i % 2])
            t->steps[i % 2] = w->search[i].steps;
    return bsr_session_step(r->s, (uint64_t)images, thread);
}

static void add_target(bsr_deepvigor_counts *to, const bsr_vigor_target *t)
{
    int skipped = !t->alive[0] && !t->alive[1], steps = t->steps[0] + t->steps[1];
    to->skipped += (uint64_t)skipped;
    to->single += (uint64_t)(!skipped && !steps);
    to->simulations += 2 + (uint64_t)steps;
    to->evaluations += t->evaluations;
}

/* All but the targets, which are known since they were chosen. */
static void add_work(bsr_deepvigor_counts *to, const bsr_deepvigor_counts *from)
{
    to->skipped += from->skipped;
    to->single += from->single;
    to->simulations += from->simulations;
    to->evaluations += from->evaluations;
}

/* Vulnerability factors from the sums, upwards. */
static void summarise(bsr_vigor *r)
{
    bsr_deepvigor *d = r->result;
    double images = (double)r->s->images, models = 0;
    size_t at = 0;
    for (int i = 0; i < d->n_layers; i++) {
        bsr_deepvigor_layer *l = &d->layers[i];
        double layers = 0, *cvf = (double *)(uintptr_t)l->cvf;
        bsr_deepvigor_counts *searches = (bsr_deepvigor_counts *)(uintptr_t)l->searches;
        for (int c = 0; c < l->n_chosen; c++) {
            double sum = 0;
            size_t first = at;
            for (; at < d->counts.targets && d->targets[at].layer == i &&
                   d->targets[at].channel == l->chosen[c];
                 at++) {
                const bsr_vigor_target *t = &r->work[at];
                bsr_deepvigor_target *target = &d->targets[at];
                /* A neuron whose window lies in the padding has no fault at all. */
                double all = (double)bsr_edm_total(&t->map) * images;
                target->vf = all > 0 ? 1 - (double)t->benign / all : 0;
                target->simulations = 2 + t->steps[0] + t->steps[1];
                sum += target->vf;
                add_target(&searches[c], t);
            }
            cvf[c] = sum / (double)(at - first);
            layers += cvf[c];
            add_work(&l->counts, &searches[c]);
        }
        add_work(&d->counts, &l->counts);
        l->lvf = layers / l->n_chosen;
        models += l->lvf;
    }
    d->mvf = models / d->n_layers;
}

static bsr_status analyse(bsr_vigor *r)
{
    bsr_session *s = r->s;
    BSR_TRY(make_workers(r));
    size_t n = r->result->counts.targets;
    bsr_session_begin(s, "error distributions", n * s->images, 0);
    BSR_TRY(bsr_session_run(s, n, map_item, r));
    bsr_session_begin(s, "searching", n * s->images, 0);
    BSR_TRY(bsr_session_run(s, n, search_item, r));
    summarise(r);
    return bsr_session_end(s);
}

/* Chooses what to analyse and, where there is one, does `work`. */
static bsr_status make_result(bsr_deepvigor **out, bsr_session *s, const bsr_deepvigor_options *o,
                              bsr_status (*work)(bsr_vigor *))
{
    bsr_vigor r = {.s = s, .options = o, .filters = s->options.target == BSR_TARGET_OPERAND_WEIGHT};
    bsr_status status = BSR_ENOMEM;
    *out = NULL;
    r.result = bsr_calloc_array(1, sizeof *r.result);
    if (r.result && (r.result->arena = bsr_arena_new()))
        status = bsr_vigor_choose(&r);
    if (status == BSR_OK && work)
        status = work(&r);
    bsr_spaces_clear(&r.spaces);
    free_workers(&r);
    bsr_free(r.work);
    bsr_free(r.pixels);
    if (status == BSR_OK)
        *out = r.result;
    else
        bsr_deepvigor_free(r.result);
    return status;
}

bsr_status bsr_deepvigor_run(bsr_deepvigor **out, bsr_session *s, const bsr_deepvigor_options *o)
{
    return make_result(out, s, o, analyse);
}

bsr_status bsr_deepvigor_plan(bsr_deepvigor **out, bsr_session *s, const bsr_deepvigor_options *o)
{
    return make_result(out, s, o, NULL);
}

void bsr_deepvigor_free(bsr_deepvigor *d)
{
    if (!d)
        return;
    bsr_free(d->targets);
    bsr_arena_free(d->arena);
    bsr_free(d);
}

bsr_status bsr_deepvigor_total(double *mvf, const bsr_deepvigor *operand,
                               const bsr_deepvigor *weight)
{
    double sum = 0;
    if (operand->n_layers != weight->n_layers)
        return bsr_fail(BSR_EINVAL, "operands of %d layers, weights of %d", operand->n_layers,
                        weight->n_layers);
    for (int i = 0; i < weight->n_layers; i++) {
        const bsr_deepvigor_layer *a = &operand->layers[i], *w = &weight->layers[i];
        if (a->index != w->index)
            return bsr_fail(BSR_EINVAL, "operands of layer %d ('%s'), weights of layer %d ('%s')",
                            a->index, a->name, w->index, w->name);
        double n = (double)a->inputs, k = (double)w->weights;
        sum += (n * a->lvf + k * w->lvf) / (n + k);
    }
    *mvf = sum / weight->n_layers;
    return BSR_OK;
}
