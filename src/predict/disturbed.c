#include "predict/disturbed.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/chip.h"
#include "predict/trial_noise.h"

/* Images that run at once. */
#define MOST_TOGETHER 64

/* One thread's. */
typedef struct bench {
    bsr_chip *chip;
    char *inputs;
    float *planes, *logits;
    bsr_trial_noise *noise; /* NULL: bits */
    /* The images that run now: */
    const struct run *run;
    bsr_chip_errors errors;
    const size_t *trials; /* [together] */
} bench;

typedef struct run {
    const bsr_disturbed_job *job;
    bsr_trial_result *results;
    double ber;
    size_t together;
    size_t first, end;
    size_t *order;  /* [end - first] trials by pattern */
    size_t *groups; /* [n_groups + 1] first of each pattern */
    size_t n_groups;
    bench *benches;
} run;

static void hit(void *ctx, int image, int value, char *data)
{
    bench *b = ctx;
    const bsr_disturbed_job *job = b->run->job;
    size_t trial = b->trials[image];
    if (b->noise)
        bsr_trial_noise_tensor(b->noise, b->run->ber, trial, value, data);
    else
        (void)bsr_memory_hit(job->map->memory, &b->errors, job->trials[trial].image, value, data);
}

static void judge(bsr_trial_result *out, const bsr_disturbed_job *job, size_t image, const float *z)
{
    const bsr_followed *f = &job->followed;
    const float *golden = job->golden + image * (size_t)f->classes;
    int order[BSR_FOLLOWED];
    double sum = 0;
    bsr_followed_classes(order, f, golden);
    for (int i = 0; i < f->logits; i++)
        out->logits[i] = z[order[i]];
    out->other = bsr_greatest_other(z, f, order);
    for (int c = 0; c < f->classes; c++)
        sum += ((double)z[c] - (double)golden[c]) * ((double)z[c] - (double)golden[c]);
    out->square = sum / f->classes;
    out->finite = !bsr_is_due(z, f->classes) && isfinite(sum);
}

static bsr_status run_images(bench *b, const size_t *trials, size_t n)
{
    const bsr_disturbed_job *job = b->run->job;
    const bsr_session *s = job->s;
    const char *inputs[MOST_TOGETHER] = {NULL};
    float *logits[MOST_TOGETHER] = {NULL};
    size_t bytes = s->plan->ptens[s->plan->input].image_bytes;
    for (size_t i = 0; i < n; i++) {
        char *input = b->inputs + i * bytes;
        BSR_TRY(bsr_dataset_image(s->data, job->trials[trials[i]].image, b->planes));
        bsr_input_layout(s->plan, b->planes, s->model->nhwc, input);
        inputs[i] = input;
        logits[i] = b->logits + i * (size_t)job->followed.classes;
    }
    b->trials = trials;
    BSR_TRY(bsr_chip_run(b->chip, (int)n, inputs, job->map->memory->hit, hit, b, logits));
    for (size_t i = 0; i < n; i++)
        judge(&b->run->results[trials[i]], job, job->trials[trials[i]].image, logits[i]);
    return BSR_OK;
}

static uint64_t pattern_of(const bsr_disturbed_job *job, size_t trial)
{
    return job->trials[trial].pattern / job->share * job->share;
}

/* All trials of one pattern. */
static bsr_status run_group(void *ctx, size_t group, int thread)
{
    run *r = ctx;
    const bsr_disturbed_job *job = r->job;
    bench *b = &r->benches[thread];
    size_t at = r->groups[group], end = r->groups[group + 1];
    uint64_t flips, pattern = pattern_of(job, r->order[at]);
    b->errors = (bsr_chip_errors){
        .run = (int64_t)pattern, .p0 = r->ber, .p1 = r->ber, .seed = job->s->options.seed};
    bsr_chip_reset(b->chip);
    if (b->noise)
        BSR_TRY(bsr_trial_noise_store(b->noise, r->ber, pattern, b->chip));
    else
        BSR_TRY(bsr_memory_store(job->map->memory, b->chip, &b->errors, &flips));
    while (at < end) {
        size_t n = end - at < r->together ? end - at : r->together;
        BSR_TRY(run_images(b, r->order + at, n));
        BSR_TRY(bsr_session_step(job->s, n, thread));
        at += n;
    }
    return BSR_OK;
}

/* Trials of each pattern, in the order of their first ones. */
static bsr_status group_trials(run *r)
{
    const bsr_disturbed_job *job = r->job;
    size_t n = 0, all = r->end - r->first;
    r->order = bsr_alloc_array(all, sizeof *r->order);
    r->groups = bsr_alloc_array(all + 1, sizeof *r->groups);
    unsigned char *taken = bsr_calloc_array(all, 1);
    bsr_status status = r->order && r->groups && taken ? BSR_OK : BSR_ENOMEM;
    for (size_t i = r->first; i < r->end && status == BSR_OK; i++) {
        if (taken[i - r->first])
            continue;
        r->groups[r->n_groups++] = n;
        for (size_t k = i; k < r->end; k++)
            if (!taken[k - r->first] && pattern_of(job, k) == pattern_of(job, i)) {
                taken[k - r->first] = 1;
                r->order[n++] = k;
            }
    }
    if (status == BSR_OK)
        r->groups[r->n_groups] = n;
    bsr_free(taken);
    return status;
}

static bsr_status new_bench(bench *b, const run *r)
{
    const bsr_disturbed_job *job = r->job;
    const bsr_plan *plan = job->s->plan;
    const bsr_pten *in = &plan->ptens[plan->input];
    b->run = r;
    b->inputs = bsr_alloc_aligned(r->together, in->image_bytes);
    b->planes = bsr_alloc_aligned((size_t)in->pixels * (size_t)in->channels, sizeof(float));
    b->logits = bsr_alloc_array(r->together * (size_t)job->followed.classes, sizeof(float));
    if (!b->inputs || !b->planes || !b->logits)
        return BSR_ENOMEM;
    if (job->noise)
        BSR_TRY(bsr_trial_noise_new(&b->noise, job));
    return bsr_chip_new(&b->chip, plan, (int)r->together);
}

bsr_status bsr_disturbed_run(bsr_trial_result *results, const bsr_disturbed_job *job, double ber,
                             size_t first, size_t end)
{
    run r = {.job = job, .results = results, .ber = ber, .first = first, .end = end};
    int threads = bsr_pool_threads(job->s->pool);
    r.together = bsr_images_together(job->s->plan);
    r.together = r.together < MOST_TOGETHER ? r.together : MOST_TOGETHER;
    r.benches = bsr_calloc_array((size_t)threads, sizeof *r.benches);
    bsr_status status = r.benches ? group_trials(&r) : BSR_ENOMEM;
    for (int t = 0; t < threads && status == BSR_OK; t++)
        status = new_bench(&r.benches[t], &r);
    if (status == BSR_OK)
        status = bsr_pool_run(job->s->pool, r.n_groups, run_group, &r);
    for (int t = 0; r.benches && t < threads; t++) {
        bench *b = &r.benches[t];
        bsr_chip_free(b->chip);
        bsr_trial_noise_free(b->noise);
        bsr_free(b->inputs);
        bsr_free(b->planes);
        bsr_free(b->logits);
    }
    bsr_free(r.benches);
    bsr_free(r.order);
    bsr_free(r.groups);
    return status;
}
