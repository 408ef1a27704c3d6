/* Adaptive analysis, what it takes of memory, and the backward pass behind its screening. */
#define _DEFAULT_SOURCE /* getrusage, fork, pipe */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "bench.h"
#include "exec/golden.h"
#include "exec/weight_gradient.h"

static const char no_data[] = "skipped: BITSEER_DATA is not set";

typedef struct adaptive {
    double seconds, pairs, evaluations;
} adaptive;

static adaptive analyze_adaptive(const network *net, bsr_target aim, double margin, int threads,
                                 uint64_t seed)
{
    bsr_run_options run = BSR_RUN_OPTIONS_INIT;
    bsr_result *r;
    run.target = aim;
    run.plan = "adaptive";
    run.margin = margin;
    run.threads = threads;
    run.seed = seed;
    must(bsr_analyze(&r, net->model, net->data, &run));
    adaptive a = {r->performance.seconds, (double)r->total.pairs,
                  (double)r->performance.evaluations};
    bsr_result_free(r);
    return a;
}

static void adaptive_line(table *t, const network *net, bsr_target aim, const char *name,
                          double bound)
{
    enum { ROUNDS = 2 };
    samples seconds = {0};
    adaptive a = {0};
    for (int round = 0; round < ROUNDS; round++) {
        a = analyze_adaptive(net, aim, 0.001, 1, (uint64_t)round);
        add_sample(&seconds, a.seconds);
    }
    char note[96];
    snprintf(note, sizeof note, "%.0f pairs, %.0f evaluations", a.pairs, a.evaluations);
    table_line(t, name, median(&seconds), least(&seconds), "s", (target){"<", bound}, note);
}

static void adaptive_resnet20(table *t, const bench_options *o)
{
    network net;
    if (!network_open(&net, NET_RESNET20_CLASSES, o, NULL)) {
        table_remark(t, "ResNet-20", no_data);
        return;
    }
    adaptive_line(t, &net, BSR_TARGET_WEIGHT, "ResNet-20, weights, margin 0.1 %, 1 thread", 12);
    table_line(t, "  DeepVigor+, 10 % of the filters, 1 thread", 333, NAN, "s", NO_TARGET,
               "published code; its CVFs off by 8 to 65 %");
    adaptive_line(t, &net, BSR_TARGET_ACTIVATION, "ResNet-20, activations, margin 0.1 %, 1 thread",
                  20);
    table_line(t, "  DeepVigor+, activations, 1 thread", 1800, NAN, "s", NO_TARGET,
               "published code; took longer than that");
    network_close(&net);
}

/* What a process of its own finds, so that its peak of memory is its own. */
typedef struct child_report {
    adaptive weights, activations;
    double peak_mib; /* resident */
} child_report;

/* 0 without the network. */
static int in_child(child_report *report, double margin, const bench_options *o)
{
    int ends[2];
    fflush(stdout);
    if (pipe(ends) != 0)
        return 0;
    pid_t child = fork();
    if (child == 0) {
        network net;
        struct rusage usage;
        if (!network_open(&net, NET_MOBILENET, o, "100"))
            _exit(1);
        report->weights = analyze_adaptive(&net, BSR_TARGET_WEIGHT, margin, 2, 0);
        report->activations = analyze_adaptive(&net, BSR_TARGET_ACTIVATION, margin, 2, 0);
        getrusage(RUSAGE_SELF, &usage);
        report->peak_mib = (double)usage.ru_maxrss / 1024;
        _exit(write(ends[1], report, sizeof *report) != sizeof *report);
    }
    close(ends[1]);
    int got = child > 0 && read(ends[0], report, sizeof *report) == sizeof *report;
    close(ends[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    return got;
}

/* The margin that the target is about takes five minutes; a wider one has less than a proportional
 * part of the pairs, so its time says nothing about the target. */
static void adaptive_mobilenet(table *t, const bench_options *o)
{
    child_report r;
    double margin = o->long_runs ? 0.002 : 0.005;
    if (!o->data || !in_child(&r, margin, o)) {
        table_remark(t, "MobileNetV2", no_data);
        return;
    }
    char name[96], note[96];
    snprintf(name, sizeof name, "MobileNetV2, weights + activations, margin %g %%", 100 * margin);
    snprintf(note, sizeof note, "2 threads; %.1f s + %.1f s, %.0f + %.0f evaluations",
             r.weights.seconds, r.activations.seconds, r.weights.evaluations,
             r.activations.evaluations);
    table_line(t, name, r.weights.seconds + r.activations.seconds, NAN, "s",
               o->long_runs ? (target){"<", 300} : NO_TARGET, note);
    table_line(t, "  peak memory of the process", r.peak_mib, NAN, "MiB", (target){"<", 2048}, "");
}

void bench_adaptive(table *t, const bench_options *o)
{
    table_title(t, "Adaptive analysis, 100 images");
    adaptive_resnet20(t, o);
    adaptive_mobilenet(t, o);
}

/* What a thread needs for gradients of one network, and where those at weights go. */
typedef struct gradient_work {
    const bsr_golden *golden;
    bsr_gradient_plan *gp;
    bsr_gradients *g;
    bsr_weight_gradients *w;
    unsigned char *all; /* ones, for tensors and for layers */
    int n;              /* seeds of the walk: `seeds` [n][classes] */
    float *seeds, *weights;
} gradient_work;

static bsr_status ignore(void *ctx, int pten, const float *gradient, size_t stride)
{
    (void)ctx, (void)pten, (void)gradient, (void)stride;
    return BSR_OK;
}

static bsr_status take_weights(void *ctx, int layer, const float *gradient, size_t stride)
{
    const gradient_work *k = ctx;
    bsr_weight_gradient(k->w, k->g, layer, gradient, stride, k->n, k->weights, NULL);
    return BSR_OK;
}

static void open_gradients(gradient_work *k, const bsr_plan *plan, const bsr_golden *golden)
{
    size_t most = 0, ones = (size_t)(plan->n_ptens + plan->n_layers);
    for (int i = 0; i < plan->n_layers; i++) {
        size_t count = bsr_weight_gradient_count(plan->layers[i].weights);
        most = count > most ? count : most;
    }
    *k = (gradient_work){.golden = golden};
    k->all = bsr_alloc_array(ones, 1);
    k->seeds = bsr_calloc_array(BSR_MAX_RIVALS * (size_t)golden->classes, sizeof *k->seeds);
    k->weights = bsr_alloc_array(BSR_MAX_RIVALS * most, sizeof *k->weights);
    if (!k->all || !k->seeds || !k->weights)
        must(BSR_ENOMEM);
    memset(k->all, 1, ones);
    must(bsr_gradient_plan_new(&k->gp, plan));
    must(bsr_gradients_new(&k->g, k->gp));
    must(bsr_weight_gradients_new(&k->w, k->gp));
}

static void close_gradients(gradient_work *k)
{
    bsr_weight_gradients_free(k->w);
    bsr_gradients_free(k->g);
    bsr_gradient_plan_free(k->gp);
    bsr_free(k->weights);
    bsr_free(k->seeds);
    bsr_free(k->all);
}

/* Of the margins at every tensor, one thread: seconds an image and rival. */
static double margin_seconds(gradient_work *k)
{
    double start = seconds_now();
    int rivals = 0, classes = k->golden->classes;
    for (int i = 0; i < k->golden->images; i++) {
        bsr_margins m;
        int top1 = k->golden->top1[i];
        bsr_margins_of(&m, k->golden->logits + (size_t)i * (size_t)classes, top1, classes);
        bsr_margin_seeds(k->seeds, &m, top1, classes);
        bsr_gradient_request r = {.n = m.n, .seeds = k->seeds, .wanted = k->all, .fn = ignore};
        must(bsr_gradients_run(k->g, k->golden, i, &r));
        rivals += m.n;
    }
    return (seconds_now() - start) / rivals;
}

/* Of the first logits, at every tensor or at every weight: seconds an image. */
static double logit_seconds(gradient_work *k, int weights)
{
    size_t classes = (size_t)k->golden->classes;
    k->n = classes < BSR_MAX_RIVALS ? (int)classes : BSR_MAX_RIVALS;
    memset(k->seeds, 0, (size_t)k->n * classes * sizeof *k->seeds);
    for (size_t c = 0; c < (size_t)k->n; c++)
        k->seeds[c * classes + c] = 1;
    bsr_gradient_request r = {.n = k->n,
                              .seeds = k->seeds,
                              .wanted = weights ? NULL : k->all,
                              .fn = ignore,
                              .wanted_layers = weights ? k->all : NULL,
                              .layer_fn = take_weights,
                              .ctx = k};
    double start = seconds_now();
    for (int i = 0; i < k->golden->images; i++)
        must(bsr_gradients_run(k->g, k->golden, i, &r));
    return (seconds_now() - start) / k->golden->images;
}

static void gradient_lines(table *t, const bench_options *o, network_id id)
{
    enum { ROUNDS = 5 };
    network net;
    if (!network_open(&net, id, o, NULL)) {
        table_remark(t, network_name(id), no_data);
        return;
    }
    bsr_pool *pool;
    bsr_golden *golden;
    gradient_work k;
    must(bsr_pool_new(&pool, 1));
    must(bsr_golden_new(&golden, net.plan, pool, net.data, net.model->nhwc, 0, net.batch));
    open_gradients(&k, net.plan, golden);
    samples forward = {0}, rival = {0}, tensors = {0}, weights = {0}, ratio = {0};
    for (int round = 0; round < ROUNDS; round++) {
        double plain = 1e3 * (forward_seconds(&net, pool) - prepare_seconds(&net));
        add_sample(&forward, plain / (double)net.batch);
        add_sample(&rival, 1e3 * margin_seconds(&k));
        add_sample(&ratio, rival.v[round] / forward.v[round]);
        add_sample(&tensors, 1e3 * logit_seconds(&k, 0));
        add_sample(&weights, 1e3 * logit_seconds(&k, 1));
    }
    char name[96], note[64];
    snprintf(name, sizeof name, "%s, one image and rival, 1 thread", net.name);
    table_line(t, name, median(&rival), least(&rival), "ms", NO_TARGET, "");
    snprintf(note, sizeof note, "inference %.2f ms", median(&forward));
    table_line(t, "  over plain inference of an image", median(&ratio),
               least(&rival) / least(&forward), "", NO_TARGET, note);
    snprintf(name, sizeof name, "  %d logits of an image, all tensors", k.n);
    table_line(t, name, median(&tensors), least(&tensors), "ms", NO_TARGET, "");
    snprintf(name, sizeof name, "  %d logits of an image, all weights", k.n);
    table_line(t, name, median(&weights), least(&weights), "ms", NO_TARGET, "");
    close_gradients(&k);
    bsr_golden_free(golden);
    bsr_pool_free(pool);
    network_close(&net);
}

void bench_gradients(table *t, const bench_options *o)
{
    table_title(t, "Gradients at every tensor and every weight");
    gradient_lines(t, o, NET_RESNET20);
    gradient_lines(t, o, NET_RESNET20_INT8);
    gradient_lines(t, o, NET_MOBILENET);
}
