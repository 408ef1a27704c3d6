#define _POSIX_C_SOURCE 199309L /* clock_gettime */
#include "analysis/session.h"

#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"

#define REPORT_SECONDS 0.1

/* Rows on their way to the store, and what else has no size of its own. */
#define BLOCK_BYTES ((size_t)96 << 20)

double bsr_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bsr_status check_options(bsr_session *s)
{
    bsr_run_options *o = &s->options;
    if (o->version != BSR_RUN_OPTIONS_VERSION)
        return bsr_fail(BSR_EINVAL, "run options have version %d, expected %d", o->version,
                        BSR_RUN_OPTIONS_VERSION);
    if (!(o->confidence > 0 && o->confidence < 1))
        return bsr_fail(BSR_EINVAL, "confidence is %g, expected a value between 0 and 1",
                        o->confidence);
    if (o->threads < 0 || o->threads > 1024)
        return bsr_fail(BSR_EINVAL, "threads is %d, expected 0 (all processors) to 1024",
                        o->threads);
    if (o->threads == 0)
        o->threads = bsr_cpu_count();
    if (!(o->margin > 0 && o->margin < 1))
        return bsr_fail(BSR_EINVAL, "margin is %g, expected a value between 0 and 1", o->margin);
    if (!s->data)
        return BSR_OK;
    bsr_model_info info = bsr_model_get_info(s->model);
    if (bsr_dataset_channels(s->data) != info.channels ||
        bsr_dataset_height(s->data) != info.height || bsr_dataset_width(s->data) != info.width)
        return bsr_fail(BSR_EINVAL, "images are %dx%dx%d, the network wants %dx%dx%d",
                        bsr_dataset_channels(s->data), bsr_dataset_height(s->data),
                        bsr_dataset_width(s->data), info.channels, info.height, info.width);
    return bsr_dataset_check_labels(s->data, info.classes);
}

static bsr_status choose_kernels(bsr_session *s)
{
    int cpu = s->options.cpu ? bsr_cpu_from_name(s->options.cpu) : (int)bsr_cpu_best();
    if (cpu < 0)
        return bsr_fail(BSR_EINVAL, "kernel set '%s' does not exist: ref, avx2, avx512",
                        s->options.cpu);
    s->kernels = bsr_kernels_for((bsr_cpu)cpu);
    return s->kernels ? BSR_OK
                      : bsr_fail(BSR_EUNSUPPORTED, "this processor cannot run kernel set '%s'",
                                 s->options.cpu);
}

/* What is there already and what will be leaves the rest, but at least half of all, to the golden
 * activations; sets of images are of equal size, about. */
static bsr_status fit_memory(bsr_session *s)
{
    size_t most = s->options.max_memory;
    size_t besides = bsr_memory_used() + s->reserve + BLOCK_BYTES +
                     (size_t)s->options.threads * bsr_lanes_bytes(s->plan);
    size_t left = besides < most / 2 ? most - besides : most / 2;
    size_t fit = left / s->plan->golden_bytes;
    if (fit == 0)
        fit = most / s->plan->golden_bytes > 0;
    if (!fit)
        return bsr_fail(BSR_ELIMIT, "one image needs %zu bytes of golden activations, %zu allowed",
                        s->plan->golden_bytes, s->options.max_memory);
    size_t sets = (s->images + fit - 1) / fit;
    s->images_at_once = (s->images + sets - 1) / sets;
    return BSR_OK;
}

bsr_status bsr_session_accuracy(bsr_session *s, const bsr_plan *plan, float *logits,
                                uint64_t *correct)
{
    enum { AT_ONCE = 1024 };
    int classes = bsr_plan_classes(plan);
    size_t row = (size_t)classes;
    float *room = logits ? NULL : bsr_alloc_array(AT_ONCE * row, sizeof *room);
    bsr_status status = logits || room ? BSR_OK : BSR_ENOMEM;
    *correct = 0;
    for (size_t first = 0; first < s->images && status == BSR_OK; first += AT_ONCE) {
        size_t left = s->images - first, n = left < AT_ONCE ? left : AT_ONCE;
        float *z = logits ? logits + first * row : room;
        status = bsr_infer_images(plan, s->pool, s->data, s->model->nhwc, first, n, NULL, z);
        for (size_t i = 0; i < n && status == BSR_OK; i++)
            *correct += bsr_top1(z + i * row, classes) == bsr_dataset_label(s->data, first + i);
    }
    bsr_free(room);
    return status;
}

bsr_status bsr_session_golden(bsr_session *s)
{
    /* The price of one inference of all images, in this process on these threads: the better of
     * two. */
    for (int i = 0; i < 2; i++) {
        double start = bsr_seconds();
        BSR_TRY(bsr_session_accuracy(s, s->plan, NULL, &s->correct));
        double t = bsr_seconds() - start;
        if (i == 0 || t < s->forward_seconds)
            s->forward_seconds = t;
    }
    return BSR_OK;
}

/* The formats that the option asks for. */
typedef struct choice_list {
    const char *text; /* of the option from the current item on, for messages */
    bsr_storage_choice choices[BSR_TARGETS];
    int n;
} choice_list;

static bsr_status add_choice(choice_list *l, bsr_target target, const char *format)
{
    /* An operand is a copy of what its tensor stores. */
    if (target == BSR_TARGET_OPERAND)
        target = BSR_TARGET_ACTIVATION;
    if (target == BSR_TARGET_OPERAND_WEIGHT)
        target = BSR_TARGET_WEIGHT;
    if (target != BSR_TARGET_WEIGHT && target != BSR_TARGET_BIAS &&
        target != BSR_TARGET_ACTIVATION && target != BSR_TARGET_INPUT)
        return bsr_fail(BSR_EINVAL,
                        "format '%s': only weight, bias, activation and input can be stored in "
                        "another format (TARGET=FORMAT)",
                        l->text);
    for (int i = 0; i < l->n; i++)
        if (l->choices[i].target == (int)target)
            return bsr_fail(BSR_EINVAL, "format '%s': two formats for %s", l->text,
                            bsr_target_name(target));
    l->choices[l->n].target = (int)target;
    return bsr_format_parse(&l->choices[l->n++].format, format);
}

/* One "[TARGET=]FORMAT"; without a target it is for all of the run's. */
static bsr_status add_item(choice_list *l, const char *text, size_t len, const bsr_target *targets,
                           int n_targets)
{
    char item[96];
    l->text = text;
    if (len >= sizeof item)
        return bsr_fail(BSR_EINVAL, "format '%.60s...' is too long", text);
    memcpy(item, text, len);
    item[len] = 0;
    /* "range=" has an equals sign too. */
    char *equals = strchr(item, '='), *slash = strchr(item, '/');
    if (equals && !(slash && slash < equals)) {
        int target = 0;
        *equals = 0;
        while (target < BSR_TARGETS && strcmp(bsr_target_name((bsr_target)target), item) != 0)
            target++;
        return add_choice(l, (bsr_target)target, equals + 1);
    }
    for (int t = 0; t < n_targets; t++)
        BSR_TRY(add_choice(l, targets[t], item));
    return BSR_OK;
}

static bsr_status parse_formats(choice_list *l, const bsr_run_options *o, const bsr_target *targets,
                                int n_targets)
{
    *l = (choice_list){0};
    for (const char *p = o->format; p;) {
        size_t len = strcspn(p, ",");
        BSR_TRY(add_item(l, p, len, n_targets ? targets : &o->target, n_targets ? n_targets : 1));
        p = p[len] ? p + len + 1 : NULL;
    }
    return BSR_OK;
}

/* Ranges of the tensors that are to be stored in a format without one. */
static bsr_status find_ranges(bsr_session *s, const bsr_storage_choice *choices, int n,
                              double (**ranges)[2])
{
    int needed = 0;
    for (int i = 0; i < n; i++)
        needed |= choices[i].target != BSR_TARGET_WEIGHT && choices[i].target != BSR_TARGET_BIAS &&
                  bsr_format_needs_range(&choices[i].format);
    *ranges = NULL;
    if (!needed)
        return BSR_OK;
    size_t values = (size_t)s->model->graph->n_values;
    if (!(*ranges = bsr_calloc_array(values, sizeof **ranges)))
        return BSR_ENOMEM;
    if (s->data)
        return bsr_calibrate(*ranges, s->model, s->data, s->options.calibrate, s->pool, s->kernels);
    for (size_t v = 0; v < values; v++) {
        (*ranges)[v][0] = -1; /* only the width of the codes matters */
        (*ranges)[v][1] = 1;
    }
    return BSR_OK;
}

static bsr_status store_in_formats(bsr_session *s, const bsr_target *targets, int n_targets)
{
    choice_list l;
    double(*ranges)[2] = NULL;
    unsigned char *tensors = NULL;
    bsr_run_options o = s->options;
    BSR_TRY(parse_formats(&l, &s->options, targets, n_targets));
    if (!l.n)
        return BSR_OK;
    o.target = BSR_TARGET_ACTIVATION;
    bsr_status status = find_ranges(s, l.choices, l.n, &ranges);
    if (status == BSR_OK && s->options.target == BSR_TARGET_ACTIVATION)
        status = bsr_spaces_tensors(&tensors, s->model, &o);
    if (status == BSR_OK)
        status = bsr_storage_new(&s->storage, s->model, l.choices, l.n, tensors,
                                 (const double(*)[2])ranges);
    bsr_free(tensors);
    bsr_free(ranges);
    return status;
}

static bsr_status compile(bsr_session *s, const bsr_target *targets, int n_targets)
{
    const bsr_graph *graph = s->storage ? s->storage->graph : s->model->graph;
    s->keep = bsr_calloc_array((size_t)graph->n_values, 1);
    if (!s->keep)
        return BSR_ENOMEM;
    for (int t = 0; t < n_targets; t++) {
        bsr_run_options o = s->options;
        unsigned char *keep;
        o.target = targets[t];
        BSR_TRY(bsr_spaces_keep(&keep, s->model, s->storage, &o));
        for (int v = 0; v < graph->n_values; v++)
            s->keep[v] |= keep[v];
        bsr_free(keep);
    }
    return bsr_plan_new(&s->plan, graph, s->kernels, s->keep);
}

/* What the formats alone cost. */
static bsr_status measure_format_loss(bsr_session *s)
{
    bsr_plan *given;
    uint64_t before, after;
    BSR_TRY(bsr_plan_new(&given, s->model->graph, s->kernels, NULL));
    bsr_status status = bsr_session_accuracy(s, given, NULL, &before);
    if (status == BSR_OK)
        status = bsr_session_accuracy(s, s->plan, NULL, &after);
    if (status == BSR_OK)
        s->format_loss = ((double)before - (double)after) / (double)s->images;
    bsr_plan_free(given);
    return status;
}

bsr_status bsr_session_init(bsr_session *s, const bsr_model *model, const bsr_dataset *data,
                            const bsr_run_options *options, const bsr_target *targets,
                            int n_targets)
{
    static const bsr_run_options defaults = BSR_RUN_OPTIONS_INIT;
    memset(s, 0, sizeof *s);
    s->model = model;
    s->data = data;
    s->options = options ? *options : defaults;
    s->images = data ? bsr_dataset_count(data) : 0;
    BSR_TRY(check_options(s));
    BSR_TRY(choose_kernels(s));
    BSR_TRY(bsr_pool_new(&s->pool, s->options.threads));
    BSR_TRY(store_in_formats(s, targets, n_targets));
    BSR_TRY(compile(s, targets, n_targets));
    return s->storage && n_targets ? measure_format_loss(s) : BSR_OK;
}

bsr_status bsr_session_lanes(bsr_session *s)
{
    BSR_TRY(fit_memory(s));
    s->lanes = bsr_calloc_array((size_t)s->options.threads, sizeof *s->lanes);
    if (!s->lanes)
        return BSR_ENOMEM;
    for (int t = 0; t < s->options.threads; t++)
        BSR_TRY(bsr_lanes_new(&s->lanes[t], s->plan));
    return bsr_session_golden(s);
}

void bsr_session_clear(bsr_session *s)
{
    for (int t = 0; s->lanes && t < s->options.threads; t++)
        bsr_lanes_free(s->lanes[t]);
    bsr_free(s->lanes);
    bsr_golden_free(s->golden);
    bsr_pool_free(s->pool);
    bsr_plan_free(s->plan);
    bsr_free(s->keep);
    bsr_storage_free(s->storage);
}

static bsr_status report(bsr_session *s)
{
    if (!s->options.progress)
        return BSR_OK;
    double now = bsr_seconds();
    bsr_progress p = {
        .phase = s->phase, .done = s->done, .total = s->total, .seconds = now - s->phase_start};
    p.rate = p.seconds > 0 ? (double)(p.done - s->done_before) / p.seconds : 0;
    s->last_report = now;
    return s->options.progress(s->options.progress_ctx, &p)
               ? bsr_fail(BSR_ECANCELLED, "stopped by the caller")
               : BSR_OK;
}

bsr_status bsr_session_step(bsr_session *s, uint64_t pairs, int thread)
{
    s->done += pairs;
    /* Thread 0 is the caller's. */
    if (thread != 0 || !s->options.progress || bsr_seconds() - s->last_report < REPORT_SECONDS)
        return BSR_OK;
    return report(s);
}

static bsr_status start_set(bsr_session *s, size_t first)
{
    size_t left = s->images - first, n = left < s->images_at_once ? left : s->images_at_once;
    double start = bsr_seconds();
    bsr_golden_free(s->golden);
    s->golden = NULL;
    s->first_image = first;
    BSR_TRY(bsr_golden_new(&s->golden, s->plan, s->pool, s->data, s->model->nhwc, first, n));
    s->golden_seconds += bsr_seconds() - start;
    return BSR_OK;
}

void bsr_session_begin(bsr_session *s, const char *phase, uint64_t total, uint64_t done)
{
    s->phase = phase;
    s->total = total;
    s->done = done;
    s->done_before = done;
    s->phase_start = bsr_seconds();
}

bsr_status bsr_session_end(bsr_session *s)
{
    return report(s);
}

bsr_status bsr_session_sets(bsr_session *s, bsr_status (*fn)(void *ctx), void *ctx)
{
    for (size_t first = 0; first < s->images; first += s->images_at_once) {
        if (!s->golden || s->first_image != first)
            BSR_TRY(start_set(s, first));
        double start = bsr_seconds();
        bsr_status status = fn(ctx);
        s->seconds += bsr_seconds() - start;
        BSR_TRY(status);
    }
    return BSR_OK;
}

typedef struct items {
    bsr_pool *pool;
    size_t n;
    bsr_pool_fn fn;
    void *ctx;
} items;

static bsr_status run_items(void *ctx)
{
    const items *i = ctx;
    return bsr_pool_run(i->pool, i->n, i->fn, i->ctx);
}

bsr_status bsr_session_run(bsr_session *s, size_t n, bsr_pool_fn fn, void *ctx)
{
    items i = {s->pool, n, fn, ctx};
    return bsr_session_sets(s, run_items, &i);
}
