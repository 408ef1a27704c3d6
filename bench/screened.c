/* What screening saves, and what rays and screening get wrong: ResNet-20, 10 images of each class.
 */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

enum { THREADS = 2 };

static const char no_data[] = "skipped: BITSEER_DATA is not set";

static bsr_result *inject(const network *net, const char *plan, double screen)
{
    bsr_run_options run = BSR_RUN_OPTIONS_INIT;
    bsr_result *r;
    run.threads = THREADS;
    run.plan = plan;
    run.screen = screen;
    must(bsr_inject(&r, net->model, net->data, &run));
    return r;
}

static double difference(uint64_t a, uint64_t b)
{
    return a > b ? (double)(a - b) : (double)(b - a);
}

/* Both runs draw the same faults, so that their counts differ by what screening missed. */
static void compare_counts(table *t, const bsr_result *direct, const bsr_result *screened)
{
    const bsr_outcomes *a = &direct->total, *b = &screened->total;
    double off = difference(a->critical, b->critical);
    off = fmax(off, difference(a->due, b->due));
    off = fmax(off, difference(a->sdc, b->sdc));
    double bound = floor(screened->screening.bound * (double)b->pairs);
    char note[160];
    snprintf(note, sizeof note, "critical %llu, %llu; DUE %llu, %llu; asked: the bound of the run",
             (unsigned long long)a->critical, (unsigned long long)b->critical,
             (unsigned long long)a->due, (unsigned long long)b->due);
    table_line(t, "  outcomes of 400000 pairs that differ, at most", off, NAN, "pairs",
               (target){"<=", bound}, note);
}

void bench_screened(table *t, const bench_options *o)
{
    enum { ROUNDS = 3, FAULTS = 4000 };
    static const char plan[] = "random:4000";
    network net;
    table_title(t, "Screened injection, ResNet-20");
    if (!network_open(&net, NET_RESNET20_CLASSES, o, NULL)) {
        table_remark(t, "weight faults", no_data);
        return;
    }
    samples rate = {0};
    bsr_result *screened = NULL;
    for (int round = 0; round < ROUNDS; round++) {
        bsr_result_free(screened);
        screened = inject(&net, plan, 0.1);
        add_sample(&rate, FAULTS / screened->performance.seconds);
    }
    bsr_result *direct = inject(&net, plan, 0);
    char note[96];
    snprintf(note, sizeof note, "%.1f %% of the pairs evaluated",
             100 * (double)screened->performance.evaluations / (double)screened->total.pairs);
    table_line(t, "weight faults on 100 images, screened, 2 threads", median(&rate),
               greatest(&rate), "faults/s", (target){">", 1400}, note);
    table_line(t, "  the same without screening", FAULTS / direct->performance.seconds, NAN,
               "faults/s", NO_TARGET, "");
    compare_counts(t, direct, screened);
    bsr_result_free(direct);
    bsr_result_free(screened);
    network_close(&net);
}

static bsr_result *analyze_layer(const network *net, int layer, int sites)
{
    bsr_run_options run = BSR_RUN_OPTIONS_INIT;
    bsr_result *r;
    char selector[16], plan[32];
    snprintf(selector, sizeof selector, "%d", layer);
    snprintf(plan, sizeof plan, "sites:%d", sites);
    run.threads = THREADS;
    run.layers = selector;
    run.plan = plan;
    must(bsr_analyze(&r, net->model, net->data, &run));
    return r;
}

/* A run of one site takes what every run takes, the backward pass above all; a larger one tells
 * what a site takes. */
static void exhaustive_extrapolated(table *t, const network *net)
{
    enum { SITES = 200 };
    double seconds = 0, sites = 0, evaluations = 0;
    int layers = bsr_model_get_info(net->model).layers;
    for (int i = 0; i < layers; i++) {
        bsr_result *one = analyze_layer(net, i, 1), *some = analyze_layer(net, i, SITES);
        double all = (double)some->layers[0].sites, n = (double)some->layers[0].sampled_sites;
        double fixed = one->performance.seconds;
        seconds += fixed + (some->performance.seconds - fixed) / (n - 1) * (all - 1);
        evaluations += (double)some->performance.evaluations / n * all;
        sites += all;
        bsr_result_free(one);
        bsr_result_free(some);
    }
    char note[128];
    snprintf(note, sizeof note,
             "EXTRAPOLATED from %d of each layer; %.2f evaluations a weight, image", SITES,
             evaluations / sites / (double)net->batch);
    table_line(t, "every bit of all weights, 2 threads", seconds / 60, NAN, "minutes",
               (target){"<", 55}, note);
}

static void critical_line(table *t, const bsr_result *r, int layer, double published)
{
    char name[64];
    snprintf(name, sizeof name, "  layer %d, critical (bit, image) pairs", layer);
    table_line(t, name, (double)r->layers[layer].outcomes.critical, NAN, "", NO_TARGET, "");
    table_line(t, "    exhaustive injection", published, NAN, "", NO_TARGET,
               "published, another program");
}

/* Published counts: docs/guide/benchmarks.md. */
static void exhaustive_whole(table *t, const network *net)
{
    enum { LAYERS = 20 };
    char folder[] = "/tmp/bitseer-bench-XXXXXX", store[64];
    if (!mkdtemp(folder)) {
        table_remark(t, "every bit of all weights", "skipped: no temporary folder");
        return;
    }
    snprintf(store, sizeof store, "%s/run.db", folder);
    bsr_run_options run = BSR_RUN_OPTIONS_INIT;
    bsr_result *r;
    run.threads = THREADS;
    run.plan = "exhaustive";
    run.store = store;
    must(bsr_analyze(&r, net->model, net->data, &run));
    char note[96];
    snprintf(note, sizeof note, "complete, in a database; at most %.0f pairs missed",
             r->screening.bound * (double)r->total.pairs);
    table_line(t, "every bit of all weights, 2 threads", r->performance.seconds / 60, NAN,
               "minutes", (target){"<", 55}, note);
    if (r->n_layers == LAYERS) {
        critical_line(t, r, 13, 781309);
        critical_line(t, r, 19, 28406);
    }
    bsr_result_free(r);
    unlink(store);
    rmdir(folder);
}

void bench_exhaustive(table *t, const bench_options *o)
{
    network net;
    table_title(t, "Every bit by screened rays, ResNet-20");
    if (!network_open(&net, NET_RESNET20_CLASSES, o, NULL)) {
        table_remark(t, "every bit of all weights", no_data);
        return;
    }
    (o->long_runs ? exhaustive_whole : exhaustive_extrapolated)(t, &net);
    network_close(&net);
}

typedef struct place {
    const char *layer, *channel;
} place;

static double channel_vf(const network *net, place p, int direct)
{
    bsr_run_options run = BSR_RUN_OPTIONS_INIT;
    bsr_result *r;
    run.threads = THREADS;
    run.plan = "exhaustive";
    run.layers = p.layer;
    run.channels = p.channel;
    run.screen = direct ? 0 : -1;
    must((direct ? bsr_inject : bsr_analyze)(&r, net->model, net->data, &run));
    double vf = r->layers[0].vf.value;
    bsr_result_free(r);
    return vf;
}

void bench_accuracy(table *t, const bench_options *o)
{
    /* From layers of different sizes, all with few weights a channel. */
    static const place places[] = {{"0", "3"}, {"4", "11"}, {"7", "20"}, {"13", "40"}, {"19", "6"}};
    enum { PLACES = sizeof places / sizeof *places };
    network net;
    table_title(t, "Screened rays against injection, ResNet-20");
    if (!network_open(&net, NET_RESNET20_CLASSES, o, "5/class")) {
        table_remark(t, "five channels", no_data);
        return;
    }
    double points = 0, relative = 0;
    char note[128] = "";
    for (int i = 0; i < PLACES; i++) {
        double truth = channel_vf(&net, places[i], 1), rays = channel_vf(&net, places[i], 0);
        points += 100 * fabs(rays - truth) / PLACES;
        relative += 100 * fabs(rays - truth) / truth / PLACES;
        size_t used = strlen(note);
        snprintf(note + used, sizeof note - used, "%s%.3f", i ? ", " : "CVFs % ", 100 * truth);
    }
    table_line(t, "CVFs of five channels, mean error", points, NAN, "points", (target){"<", 0.02},
               note);
    table_line(t, "  relative", relative, NAN, "%", (target){"<", 2}, "");
    network_close(&net);
}
