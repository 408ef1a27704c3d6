#define _POSIX_C_SOURCE 199309L /* clock_gettime */
#include "analysis/session.h"

#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"

#define REPORT_SECONDS 0.1

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
    bsr_model_info info = bsr_model_get_info(s->model);
    if (bsr_dataset_channels(s->data) != info.channels ||
        bsr_dataset_height(s->data) != info.height || bsr_dataset_width(s->data) != info.width)
        return bsr_fail(BSR_EINVAL, "images are %dx%dx%d, the network wants %dx%dx%d",
                        bsr_dataset_channels(s->data), bsr_dataset_height(s->data),
                        bsr_dataset_width(s->data), info.channels, info.height, info.width);
    return bsr_dataset_check_labels(s->data, info.classes);
}

static bsr_status choose_kernels(const bsr_session *s, const bsr_kernels **kernels)
{
    int cpu = s->options.cpu ? bsr_cpu_from_name(s->options.cpu) : (int)bsr_cpu_best();
    if (cpu < 0)
        return bsr_fail(BSR_EINVAL, "kernel set '%s' does not exist: ref, avx2, avx512",
                        s->options.cpu);
    *kernels = bsr_kernels_for((bsr_cpu)cpu);
    return *kernels ? BSR_OK
                    : bsr_fail(BSR_EUNSUPPORTED, "this processor cannot run kernel set '%s'",
                               s->options.cpu);
}

static bsr_status fit_memory(bsr_session *s)
{
    size_t fit = s->options.max_memory / s->plan->golden_bytes;
    if (!fit)
        return bsr_fail(BSR_ELIMIT, "one image needs %zu bytes of golden activations, %zu allowed",
                        s->plan->golden_bytes, s->options.max_memory);
    s->images_at_once = fit < s->images ? fit : s->images;
    return BSR_OK;
}

/* The price of one fault-free inference of all images, in this process on these threads. */
static bsr_status measure_forward(bsr_session *s)
{
    size_t n = s->images_at_once;
    float *logits = bsr_alloc_array(n * (size_t)bsr_plan_classes(s->plan), sizeof *logits);
    if (!logits)
        return BSR_ENOMEM;
    bsr_status status = BSR_OK;
    for (int i = 0; i < 2 && status == BSR_OK; i++) {
        double start = bsr_seconds();
        status = bsr_infer_images(s->plan, s->pool, s->data, s->model->nhwc, 0, n, NULL, logits);
        double t = (bsr_seconds() - start) * (double)s->images / (double)n;
        if (i == 0 || t < s->forward_seconds)
            s->forward_seconds = t;
    }
    bsr_free(logits);
    return status;
}

/* Everything but the plan. */
static bsr_status start(bsr_session *s, const bsr_model *model, const bsr_dataset *data,
                        const bsr_run_options *options, const bsr_kernels **kernels)
{
    static const bsr_run_options defaults = BSR_RUN_OPTIONS_INIT;
    memset(s, 0, sizeof *s);
    s->model = model;
    s->data = data;
    s->options = options ? *options : defaults;
    s->images = bsr_dataset_count(data);
    BSR_TRY(check_options(s));
    BSR_TRY(choose_kernels(s, kernels));
    return bsr_pool_new(&s->pool, s->options.threads);
}

bsr_status bsr_session_init_plain(bsr_session *s, const bsr_model *model, const bsr_dataset *data,
                                  const bsr_run_options *options)
{
    const bsr_kernels *kernels;
    BSR_TRY(start(s, model, data, options, &kernels));
    return bsr_plan_new(&s->plan, model->graph, kernels, NULL);
}

bsr_status bsr_session_init(bsr_session *s, const bsr_model *model, const bsr_dataset *data,
                            const bsr_run_options *options)
{
    const bsr_kernels *kernels;
    BSR_TRY(start(s, model, data, options, &kernels));
    unsigned char *keep;
    BSR_TRY(bsr_spaces_keep(&keep, model, &s->options));
    bsr_status status = bsr_plan_new(&s->plan, model->graph, kernels, keep);
    bsr_free(keep);
    BSR_TRY(status);
    BSR_TRY(bsr_spaces_init(&s->spaces, model, s->plan, &s->options));
    BSR_TRY(fit_memory(s));
    s->lanes = bsr_calloc_array((size_t)s->options.threads, sizeof *s->lanes);
    if (!s->lanes)
        return BSR_ENOMEM;
    for (int t = 0; t < s->options.threads; t++)
        BSR_TRY(bsr_lanes_new(&s->lanes[t], s->plan));
    return measure_forward(s);
}

void bsr_session_clear(bsr_session *s)
{
    for (int t = 0; s->lanes && t < s->options.threads; t++)
        bsr_lanes_free(s->lanes[t]);
    bsr_free(s->lanes);
    bsr_golden_free(s->golden);
    bsr_free(s->first_record);
    bsr_pool_free(s->pool);
    bsr_spaces_clear(&s->spaces);
    bsr_plan_free(s->plan);
}

static bsr_status report(bsr_session *s)
{
    if (!s->options.progress)
        return BSR_OK;
    double now = bsr_seconds();
    bsr_progress p = {
        .phase = s->phase, .done = s->done, .total = s->total, .seconds = now - s->phase_start};
    p.rate = p.seconds > 0 ? (double)p.done / p.seconds : 0;
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
    /* Reports show values of image 0, whose set is gone by then. */
    if (n < s->images && !s->first_record) {
        s->first_record = bsr_alloc_array(s->plan->golden_bytes, 1);
        if (!s->first_record)
            return BSR_ENOMEM;
        memcpy(s->first_record, s->golden->records, s->plan->golden_bytes);
    }
    for (; s->counted < first + n; s->counted++)
        s->correct += s->golden->top1[s->counted - first] == bsr_dataset_label(s->data, s->counted);
    s->golden_seconds += bsr_seconds() - start;
    return BSR_OK;
}

bsr_status bsr_session_run(bsr_session *s, const char *phase, uint64_t pairs, size_t items,
                           bsr_pool_fn fn, void *ctx)
{
    s->phase = phase;
    s->total = pairs;
    s->done = 0;
    s->phase_start = bsr_seconds();
    for (size_t first = 0; first < s->images; first += s->images_at_once) {
        /* One set serves several phases. */
        if (!s->golden || s->first_image != first)
            BSR_TRY(start_set(s, first));
        double start = bsr_seconds();
        BSR_TRY(bsr_pool_run(s->pool, items, fn, ctx));
        s->seconds += bsr_seconds() - start;
    }
    return report(s);
}
