/* Direct injection: every fault of the plan in every image. */
#include <string.h>

#include "analysis/session.h"
#include "analysis/tally.h"
#include "base/alloc.h"
#include "base/error.h"
#include "rng/sample.h"

/* Faults of one work item: a full panel of faulty columns for each image. */
#define ITEM_FAULTS 32

typedef struct injection {
    bsr_session *s;
    uint64_t n;          /* faults of the plan */
    uint64_t *index;     /* [n] fault numbers, NULL: all */
    uint32_t *counts;    /* [n] critical images */
    bsr_lane_job **jobs; /* [threads][ITEM_FAULTS * images_at_once] */
    bsr_lane_result **results;
    bsr_outcomes **bits, **channels; /* [threads] of all spaces */
    size_t n_channels;
} injection;

static bsr_lane_job make_job(const bsr_session *s, const bsr_space *sp, uint64_t site, int bit,
                             int image)
{
    bsr_lane_job job = {.image = image};
    job.fault.place = sp->place;
    job.fault.where = sp->where;
    job.fault.element = bsr_space_element(sp, site);
    job.fault.bits = bsr_space_stored(sp, s->golden, image, site) ^ (uint32_t)1 << bit;
    return job;
}

static void count(bsr_outcomes *o, const bsr_lane_result *r)
{
    o->pairs++;
    o->masked += r->masked;
    o->critical += r->critical;
    o->benign += !r->masked && !r->critical;
    o->due += r->due;
    o->sdc += r->critical && !r->due;
}

static bsr_status run_item(void *ctx, size_t item, int thread)
{
    injection *in = ctx;
    bsr_session *s = in->s;
    uint64_t first = (uint64_t)item * ITEM_FAULTS;
    int faults = in->n - first < ITEM_FAULTS ? (int)(in->n - first) : ITEM_FAULTS;
    int images = s->golden->images;
    const bsr_space *space[ITEM_FAULTS];
    uint64_t site[ITEM_FAULTS];
    int bit[ITEM_FAULTS];
    for (int f = 0; f < faults; f++) {
        uint64_t i = first + (uint64_t)f;
        space[f] = bsr_space_of(&s->spaces, in->index ? in->index[i] : i, &site[f], &bit[f]);
    }
    /* Image by image: neighbours then share the layer's input. */
    bsr_lane_job *jobs = in->jobs[thread];
    bsr_lane_result *results = in->results[thread];
    for (int b = 0; b < images; b++)
        for (int f = 0; f < faults; f++)
            jobs[b * faults + f] = make_job(s, space[f], site[f], bit[f], b);
    size_t n = (size_t)images * (size_t)faults;
    BSR_TRY(bsr_lanes_run(s->lanes[thread], s->golden, jobs, n, results, NULL));
    for (int f = 0; f < faults; f++) {
        int at = (int)(space[f] - s->spaces.spaces);
        bsr_outcomes *by_bit = &in->bits[thread][at * BSR_TALLY_BITS + bit[f]];
        bsr_outcomes *by_channel = &in->channels[thread][bsr_tally_channel(&s->spaces, at) +
                                                         (size_t)(site[f] / space[f]->per_channel)];
        for (int b = 0; b < images; b++) {
            const bsr_lane_result *r = &results[b * faults + f];
            in->counts[first + (uint64_t)f] += r->critical;
            count(by_bit, r);
            count(by_channel, r);
        }
    }
    return bsr_session_step(s, n, thread);
}

static void merge(bsr_outcomes *to, const bsr_outcomes *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bsr_outcomes_add(&to[i], &from[i]);
}

static bsr_status new_injection(injection *in)
{
    bsr_session *s = in->s;
    size_t threads = (size_t)s->options.threads, lanes = ITEM_FAULTS * s->images_at_once;
    in->n_channels = bsr_tally_channel(&s->spaces, s->spaces.n);
    in->n = s->spaces.population;
    if (s->options.random && s->options.random < in->n) {
        in->n = s->options.random;
        BSR_TRY(bsr_sample_indices(&in->index, s->spaces.population, in->n, s->options.seed, 0, 1));
    }
    in->counts = bsr_calloc_array(in->n, sizeof *in->counts);
    in->jobs = bsr_calloc_array(threads, sizeof *in->jobs);
    in->results = bsr_calloc_array(threads, sizeof *in->results);
    in->bits = bsr_calloc_array(threads, sizeof *in->bits);
    in->channels = bsr_calloc_array(threads, sizeof *in->channels);
    if (!in->counts || !in->jobs || !in->results || !in->bits || !in->channels)
        return BSR_ENOMEM;
    for (size_t t = 0; t < threads; t++) {
        in->jobs[t] = bsr_alloc_array(lanes, sizeof **in->jobs);
        in->results[t] = bsr_alloc_array(lanes, sizeof **in->results);
        in->bits[t] = bsr_calloc_array((size_t)s->spaces.n * BSR_TALLY_BITS, sizeof **in->bits);
        in->channels[t] = bsr_calloc_array(in->n_channels, sizeof **in->channels);
        if (!in->jobs[t] || !in->results[t] || !in->bits[t] || !in->channels[t])
            return BSR_ENOMEM;
    }
    return BSR_OK;
}

static void clear_injection(injection *in)
{
    for (int t = 0; t < in->s->options.threads; t++) {
        bsr_free(in->jobs ? in->jobs[t] : NULL);
        bsr_free(in->results ? in->results[t] : NULL);
        bsr_free(in->bits ? in->bits[t] : NULL);
        bsr_free(in->channels ? in->channels[t] : NULL);
    }
    bsr_free(in->jobs);
    bsr_free(in->results);
    bsr_free(in->bits);
    bsr_free(in->channels);
    bsr_free(in->counts);
    bsr_free(in->index);
}

bsr_status bsr_inject(bsr_result **out, const bsr_model *model, const bsr_dataset *data,
                      const bsr_run_options *options)
{
    *out = NULL;
    bsr_session s;
    injection in = {.s = &s};
    bsr_status status = bsr_session_init(&s, model, data, options);
    if (status == BSR_OK)
        status = new_injection(&in);
    if (status == BSR_OK)
        status = bsr_session_run(&s, "injecting", in.n * s.images,
                                 (size_t)((in.n + ITEM_FAULTS - 1) / ITEM_FAULTS), run_item, &in);
    if (status == BSR_OK) {
        for (int t = 1; t < s.options.threads; t++) {
            merge(in.bits[0], in.bits[t], (size_t)s.spaces.n * BSR_TALLY_BITS);
            merge(in.channels[0], in.channels[t], in.n_channels);
        }
        bsr_tally t = {.n = in.n,
                       .index = in.index,
                       .counts = in.counts,
                       .bits = in.bits[0],
                       .channels = in.channels[0]};
        status =
            bsr_tally_result(out, &s, &t, "inject", "direct", in.index ? "random" : "exhaustive");
    }
    clear_injection(&in);
    bsr_session_clear(&s);
    return status;
}
