#include "predict/layer_errors.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "predict/layer_run.h"

/* Elements of a tensor, in one image, that go into quantiles. */
#define QQ_ELEMENTS 1024

/* One thread's. */
typedef struct bsr_layer_bench {
    bsr_layer_run *run;
    bsr_chip *chip;
    char *input;
    float *planes;
    float *room;  /* [total] a tensor while it is compared */
    double *sums; /* [total][4] of powers of the disturbances over the patterns */
    /* Of the current run of the chip: */
    const bsr_chip_errors *errors; /* NULL: golden */
    size_t slot;                   /* of the image */
    float *sample;                 /* where the elements for quantiles go, NULL: nowhere */
} bench;

static size_t image_of(const bsr_layer_run *r, size_t slot)
{
    return slot * r->s->images / r->images;
}

static size_t stride_of(const bsr_watch *w)
{
    return (w->elements + QQ_ELEMENTS - 1) / QQ_ELEMENTS;
}

static void free_bench(bench *b)
{
    if (!b)
        return;
    bsr_chip_free(b->chip);
    bsr_free(b->input);
    bsr_free(b->planes);
    bsr_free(b->room);
    bsr_free(b->sums);
    bsr_free(b);
}

static bsr_status new_bench(bench **out, bsr_layer_run *r)
{
    const bsr_pten *in = &r->s->plan->ptens[r->s->plan->input];
    bench *b = *out = bsr_calloc_array(1, sizeof *b);
    if (!b)
        return BSR_ENOMEM;
    b->run = r;
    b->input = bsr_alloc_aligned(1, in->image_bytes);
    b->planes = bsr_alloc_aligned((size_t)in->pixels * (size_t)in->channels, sizeof *b->planes);
    size_t compared = r->patterns ? r->watches.total : 0;
    b->room = bsr_alloc_array(compared, sizeof *b->room);
    b->sums = bsr_alloc_array(compared, 4 * sizeof *b->sums);
    if (!b->input || !b->planes || !b->room || !b->sums)
        return BSR_ENOMEM;
    return bsr_chip_new(&b->chip, r->s->plan, 1);
}

/* The value has its flips by now: what is looked at is what its readers get. */
static void compare(bench *b, const bsr_watch *w)
{
    const float *golden = b->run->golden + b->slot * b->run->watches.total + w->at;
    double *sums = b->sums + 4 * w->at;
    size_t stride = stride_of(w);
    float *sample = b->sample ? b->sample + b->run->sample_at[w - b->run->watches.list] : NULL;
    for (size_t i = 0; i < w->elements; i++) {
        double d = (double)b->room[i] - (double)golden[i], power = 1;
        if (sample && i % stride == 0)
            *sample++ = (float)d;
        for (int k = 0; k < 4; k++)
            sums[4 * i + (size_t)k] += power *= d;
    }
}

static void see_tensor(void *ctx, int image, int value, char *data)
{
    bench *b = ctx;
    bsr_layer_run *r = b->run;
    int at = r->watches.of[value];
    if (b->errors && r->memory->of_value[value])
        bsr_memory_hit(r->memory, b->errors, image_of(r, b->slot), value, data);
    if (at < 0)
        return;
    const bsr_watch *w = &r->watches.list[at];
    if (!b->errors) {
        bsr_watch_read(&r->watches, at, data, r->golden + b->slot * r->watches.total + w->at);
        return;
    }
    bsr_watch_read(&r->watches, at, data, b->room);
    compare(b, w);
}

static bsr_status run_chip(bench *b)
{
    const char *inputs[1] = {b->input};
    float *logits[1] = {NULL};
    return bsr_chip_run(b->chip, 1, inputs, b->run->hit, see_tensor, b, logits);
}

static bsr_status read_image(bench *b, size_t slot)
{
    const bsr_session *s = b->run->s;
    b->slot = slot;
    BSR_TRY(bsr_dataset_image(s->data, image_of(b->run, slot), b->planes));
    bsr_input_layout(s->plan, b->planes, s->model->nhwc, b->input);
    return BSR_OK;
}

static bsr_status run_golden(void *ctx, size_t slot, int thread)
{
    bsr_layer_run *r = ctx;
    bench *b = r->benches[thread];
    b->errors = NULL;
    bsr_chip_reset(b->chip);
    BSR_TRY(read_image(b, slot));
    return run_chip(b);
}

static bsr_status new_tape(bsr_tape **out, bsr_tensor **image, const bench *b)
{
    const bsr_plan *plan = b->run->s->plan;
    const bsr_graph *g = plan->graph;
    int input = plan->ptens[plan->input].value;
    const bsr_value *v = &g->values[input];
    BSR_TRY(bsr_tensor_new(image, v->dtype, v->rank, v->dims));
    bsr_view to = bsr_tensor_view(*image), from = bsr_plan_view(plan, input, b->input);
    bsr_view_copy(&to, &from);
    const bsr_tensor **inputs = bsr_calloc_array((size_t)g->n_inputs, sizeof *inputs);
    if (!inputs)
        return BSR_ENOMEM;
    for (int i = 0; i < g->n_inputs; i++)
        inputs[i] = *image; /* the others are constants */
    bsr_status status = bsr_tape_new(out, g, inputs);
    bsr_free((void *)inputs);
    return status;
}

/* All rates of one image, which share its golden values. */
static bsr_status predict_image(void *ctx, size_t slot, int thread)
{
    bsr_layer_run *r = ctx;
    bench *b = r->benches[thread];
    size_t n = (size_t)r->watches.n;
    double *to = r->predicted + slot * r->n_rates * n;
    bsr_tape *tape = NULL;
    bsr_tensor *image = NULL;
    int *values = bsr_alloc_array(n, sizeof *values);
    bsr_status status = values ? read_image(b, slot) : BSR_ENOMEM;
    for (size_t i = 0; i < n && status == BSR_OK; i++)
        values[i] = r->watches.list[i].value;
    if (status == BSR_OK)
        status = new_tape(&tape, &image, b);
    for (size_t i = 0; i < r->n_rates && status == BSR_OK; i++) {
        status = bsr_layer_moments(to + i * n, &r->flips, tape, r->rates[i], values, (int)n);
        for (size_t k = 0; k < n && status == BSR_OK; k++)
            to[i * n + k] *= r->watches.list[k].scale * r->watches.list[k].scale;
        if (status == BSR_OK)
            status = bsr_session_step(r->s, 1, thread);
    }
    bsr_tape_free(tape);
    bsr_tensor_free(image);
    bsr_free(values);
    return status;
}

/* Adds the k-statistics of one element to the cell. sums: of powers over n patterns. */
static void add_kurtosis(bsr_layer_cell *to, const double *sums, double n)
{
    double mean = sums[0] / n, square = mean * mean;
    double m2 = sums[1] / n - square;
    double m4 = (sums[3] - 4 * mean * sums[2] + 6 * square * sums[1]) / n - 3 * square * square;
    if (n < 4 || !(m2 > 0))
        return;
    double k2 = m2 * n / (n - 1);
    double k4 = n * n / ((n - 1) * (n - 2) * (n - 3)) * ((n + 1) * m4 - 3 * (n - 1) * m2 * m2);
    to->fourth += k4;
    to->squares += k2 * k2;
    to->sigma4 += (k2 * k2 - k4 / n) * (n - 1) / (n + 1);
}

static void fill_cells(const bench *b, bsr_layer_cell *to)
{
    const bsr_layer_run *r = b->run;
    double patterns = (double)r->patterns;
    for (int i = 0; i < r->watches.n; i++) {
        const bsr_watch *w = &r->watches.list[i];
        for (size_t e = w->at; e < w->at + w->elements; e++) {
            to[i].square += b->sums[4 * e + 1];
            add_kurtosis(&to[i], b->sums + 4 * e, patterns);
        }
        to[i].square /= patterns * (double)w->elements;
    }
}

/* One rate in one image: all patterns. */
static bsr_status measure(void *ctx, size_t item, int thread)
{
    bsr_layer_run *r = ctx;
    bench *b = r->benches[thread];
    size_t rate = item / r->images, slot = item % r->images;
    size_t sampled = r->sample_at[r->watches.n];
    BSR_TRY(read_image(b, slot));
    memset(b->sums, 0, r->watches.total * 4 * sizeof *b->sums);
    for (size_t i = 0; i < r->patterns; i++) {
        bsr_chip_errors e = {.point = (int64_t)rate,
                             .run = (int64_t)(BSR_MAX_RUNS - 1 - i),
                             .p0 = r->rates[rate],
                             .p1 = r->rates[rate],
                             .seed = r->s->options.seed};
        uint64_t flips;
        b->errors = &e;
        b->sample = NULL;
        if (rate == r->n_rates / 2)
            b->sample = r->samples + (slot * r->patterns + i) * sampled;
        bsr_chip_reset(b->chip);
        BSR_TRY(bsr_memory_store(r->memory, b->chip, &e, &flips));
        BSR_TRY(run_chip(b));
        BSR_TRY(bsr_session_step(r->s, 1, thread));
    }
    fill_cells(b, r->cells + item * (size_t)r->watches.n);
    return BSR_OK;
}

static bsr_status mark_hits(bsr_layer_run *r)
{
    size_t values = (size_t)r->s->plan->graph->n_values;
    r->hit = bsr_calloc_array(values, 1);
    if (!r->hit)
        return BSR_ENOMEM;
    for (size_t v = 0; v < values; v++)
        r->hit[v] = r->watches.of[v] >= 0 || r->memory->of_value[v];
    return BSR_OK;
}

static bsr_status prepare(bsr_layer_run *r)
{
    BSR_TRY(bsr_watches_init(&r->watches, r->s));
    BSR_TRY(mark_hits(r));
    size_t n = (size_t)r->watches.n, cells = r->n_rates * r->images * n;
    r->golden = bsr_alloc_array(r->images, r->watches.total * sizeof *r->golden);
    r->predicted = bsr_alloc_array(cells, sizeof *r->predicted);
    r->cells = bsr_calloc_array(cells, sizeof *r->cells);
    r->sample_at = bsr_calloc_array(n + 1, sizeof *r->sample_at);
    r->benches = bsr_calloc_array((size_t)r->s->options.threads, sizeof *r->benches);
    if (!r->golden || !r->predicted || !r->cells || !r->sample_at || !r->benches)
        return BSR_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const bsr_watch *w = &r->watches.list[i];
        r->sample_at[i + 1] = r->sample_at[i] + (w->elements + stride_of(w) - 1) / stride_of(w);
    }
    r->samples = bsr_alloc_array(r->images * r->patterns, r->sample_at[n] * sizeof *r->samples);
    bsr_status status = r->samples ? BSR_OK : BSR_ENOMEM;
    for (int t = 0; t < r->s->options.threads && status == BSR_OK; t++)
        status = new_bench(&r->benches[t], r);
    return status;
}

static void clear(bsr_layer_run *r)
{
    for (int t = 0; r->benches && t < r->s->options.threads; t++)
        free_bench(r->benches[t]);
    bsr_free(r->benches);
    bsr_watches_clear(&r->watches);
    bsr_layer_flips_clear(&r->flips);
    bsr_free(r->hit);
    bsr_free(r->golden);
    bsr_free(r->predicted);
    bsr_free(r->cells);
    bsr_free(r->samples);
    bsr_free(r->sample_at);
}

static bsr_status run_all(bsr_layer_run *r)
{
    bsr_session *s = r->s;
    BSR_TRY(bsr_pool_run(s->pool, r->images, run_golden, r));
    BSR_TRY(bsr_layer_flips_init(&r->flips, r->memory));
    bsr_session_begin(s, "predicting layers", r->images * r->n_rates, 0);
    BSR_TRY(bsr_pool_run(s->pool, r->images, predict_image, r));
    BSR_TRY(bsr_session_end(s));
    if (!r->patterns)
        return BSR_OK;
    bsr_session_begin(s, "measuring layers", r->images * r->n_rates * r->patterns, 0);
    BSR_TRY(bsr_pool_run(s->pool, r->images * r->n_rates, measure, r));
    return bsr_session_end(s);
}

static bsr_status check(const bsr_session *s, const double *rates, int n_rates, int images,
                        int patterns)
{
    if (images < 1 || !s->images)
        return bsr_fail(BSR_EINVAL, "layer statistics of %d images, expected at least 1",
                        s->images ? images : 0);
    if (n_rates < 1)
        return bsr_fail(BSR_EINVAL, "layer statistics at %d rates, expected at least 1", n_rates);
    if (patterns < 0)
        return bsr_fail(BSR_EINVAL, "layer statistics of %d error patterns, expected 0 or more",
                        patterns);
    if ((uint64_t)patterns > BSR_MAX_RUNS)
        return bsr_fail(BSR_ELIMIT, "layer statistics of %d error patterns, at most %llu", patterns,
                        (unsigned long long)BSR_MAX_RUNS);
    for (int i = 0; i < n_rates; i++)
        if (!(rates[i] > 0 && rates[i] <= 1))
            return bsr_fail(BSR_EINVAL, "bit error rate %g is not in (0, 1]", rates[i]);
    return BSR_OK;
}

bsr_status bsr_layer_statistics_run(bsr_layer_statistics **out, int *n, bsr_arena *arena,
                                    bsr_session *s, const bsr_sweep_memory *memory,
                                    const double *rates, int n_rates, int images, int patterns)
{
    *out = NULL;
    *n = 0;
    BSR_TRY(check(s, rates, n_rates, images, patterns));
    bsr_layer_run r = {.s = s,
                       .memory = memory,
                       .rates = rates,
                       .n_rates = (size_t)n_rates,
                       .images = (size_t)images < s->images ? (size_t)images : s->images,
                       .patterns = (size_t)patterns};
    bsr_status status = prepare(&r);
    if (status == BSR_OK)
        status = run_all(&r);
    if (status == BSR_OK) {
        *out = bsr_arena_calloc(arena, (size_t)r.watches.n, sizeof **out);
        status = *out ? BSR_OK : BSR_ENOMEM;
    }
    for (int w = 0; w < r.watches.n && status == BSR_OK; w++)
        status = bsr_layer_summary(&r, (size_t)w, arena, &(*out)[w]);
    *n = status == BSR_OK ? r.watches.n : 0;
    clear(&r);
    return status;
}
