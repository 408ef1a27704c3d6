/* Injection and rays on the pretrained ResNet-20, 10 images of each class. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

enum { THREADS = 2 }; /* the most that is compared with one */

static const char no_data[] = "skipped: BITSEER_DATA is not set";

/* Published critical (bit flip, image) pairs of an exhaustive campaign on layer3.0.conv1. */
enum { LAYER = 13, LAYER_WEIGHTS = 18432, PUBLISHED_CRITICAL = 781309 };

static bsr_run_options run_options(int threads, const char *plan, uint64_t seed)
{
    bsr_run_options run = BSR_RUN_OPTIONS_INIT;
    run.screen = 0; /* section x has screening */
    run.threads = threads;
    run.plan = plan;
    run.seed = seed;
    return run;
}

static void speed_up(table *t, const char *name, const samples *one, const samples *two)
{
    samples ratio = {0};
    for (int i = 0; i < one->n; i++)
        add_sample(&ratio, one->v[i] / two->v[i]);
    table_line(t, name, median(&ratio), greatest(&ratio), "x", (target){">=", 1.85}, "");
}

/* Lines "NAME, 1 thread" and "NAME, 2 threads" of rates made from seconds; the target is for all
 * processors. */
static void rates(table *t, const char *name, const samples seconds[THREADS], double work,
                  const char *unit, target asked)
{
    char line[96];
    for (int k = 0; k < THREADS; k++) {
        snprintf(line, sizeof line, "%s, %d thread%s", name, k + 1, k ? "s" : "");
        table_line(t, line, work / median(&seconds[k]), work / least(&seconds[k]), unit,
                   k + 1 == THREADS ? asked : NO_TARGET, "");
    }
}

static double inject_seconds(const network *net, const bsr_run_options *run)
{
    bsr_result *r;
    must(bsr_inject(&r, net->model, net->data, run));
    double seconds = r->performance.seconds;
    bsr_result_free(r);
    return seconds;
}

static void bench_weight_faults(table *t, const network *net)
{
    enum { ROUNDS = 3, FAULTS = 1200 };
    static const char plan[] = "random:1200";
    samples seconds[THREADS] = {{0}}, cost[THREADS] = {{0}};
    for (int round = 0; round < ROUNDS; round++)
        for (int k = 0; k < THREADS; k++) {
            bsr_pool *pool;
            samples forward = {0};
            bsr_run_options run = run_options(k + 1, plan, (uint64_t)round);
            must(bsr_pool_new(&pool, k + 1));
            for (int i = 0; i < 4; i++)
                add_sample(&forward, forward_seconds(net, pool));
            add_sample(&seconds[k], inject_seconds(net, &run));
            for (int i = 0; i < 4; i++)
                add_sample(&forward, forward_seconds(net, pool));
            bsr_pool_free(pool);
            add_sample(&cost[k], seconds[k].v[round] / FAULTS / median(&forward));
        }
    for (int k = 0; k < THREADS; k++)
        table_line(t,
                   k ? "cost of a weight fault / plain inference, 2 threads"
                     : "cost of a weight fault / plain inference, 1 thread",
                   median(&cost[k]), least(&cost[k]), "", (target){"<=", 0.24}, "");
    rates(t, "weight faults on 100 images", seconds, FAULTS, "injections/s", (target){">", 100});
    table_line(t, "  PyTorchFI, 2 threads", 14.3, NAN, "injections/s", NO_TARGET,
               "published, on another machine");
    table_line(t, "  prefix and early stop by hand, PyTorch, 1 thread", 33.5, NAN, "injections/s",
               NO_TARGET, "published, on another machine");
    speed_up(t, "weight faults, two threads against one", &seconds[0], &seconds[1]);
}

static void bench_activation_faults(table *t, const bench_options *o)
{
    enum { ROUNDS = 5, FAULTS = 8000 };
    static const char plan[] = "random:8000";
    samples seconds[THREADS] = {{0}};
    for (int round = 0; round < ROUNDS; round++) {
        network net;
        char image[32];
        snprintf(image, sizeof image, "%d:%d", 20 * round, 20 * round + 1);
        if (!network_open(&net, NET_RESNET20_CLASSES, o, image))
            return;
        for (int k = 0; k < THREADS; k++) {
            bsr_run_options run = run_options(k + 1, plan, (uint64_t)round);
            run.target = BSR_TARGET_ACTIVATION;
            add_sample(&seconds[k], inject_seconds(&net, &run));
        }
        network_close(&net);
    }
    rates(t, "activation faults on one image", seconds, FAULTS, "faults/s", (target){">", 5000});
}

void bench_injection(table *t, const bench_options *o)
{
    network net;
    table_title(t, "Injection, ResNet-20");
    if (!network_open(&net, NET_RESNET20_CLASSES, o, NULL)) {
        table_remark(t, "weight and activation faults", no_data);
        return;
    }
    bench_weight_faults(t, &net);
    network_close(&net);
    bench_activation_faults(t, o);
}

/* Of one weight drawn from the whole network. */
typedef struct ray_cost {
    double seconds, evaluations;
} ray_cost;

static bsr_layer_info layer_of(const network *net, int i)
{
    bsr_layer_info layer;
    must(bsr_model_layer(net->model, i, &layer));
    return layer;
}

/* The mean cost of a weight of the network is the sum over its layers of (share of the weights) *
 * (mean cost of a weight of the layer). Neighbours of equal size form one run, as their shares are
 * equal. The sites fill whole work items, in large layers for two threads. */
static ray_cost cost_of_rays(const network *net, int threads, uint64_t seed)
{
    enum { SITES = 64, SMALL = 5000 };
    int layers = bsr_model_get_info(net->model).layers;
    ray_cost sum = {0, 0};
    double weights = 0;
    for (int first = 0, end; first < layers; first = end) {
        int64_t size = layer_of(net, first).weights;
        for (end = first + 1; end < layers && layer_of(net, end).weights == size;)
            end++;
        char selector[32];
        snprintf(selector, sizeof selector, "%d:%d", first, end);
        char plan[32];
        snprintf(plan, sizeof plan, "sites:%d", size < SMALL ? SITES / 4 : SITES);
        bsr_run_options run = run_options(threads, plan, seed);
        run.layers = selector;
        bsr_result *r;
        must(bsr_analyze(&r, net->model, net->data, &run));
        double share = (double)size / (double)r->layers[0].sampled_sites;
        sum.seconds += share * r->performance.seconds;
        sum.evaluations += share * (double)r->performance.evaluations;
        weights += (double)size * (end - first);
        bsr_result_free(r);
    }
    return (ray_cost){sum.seconds / weights, sum.evaluations / weights};
}

void bench_rays(table *t, const bench_options *o)
{
    enum { ROUNDS = 2, BITS = 32 };
    network net;
    table_title(t, "Rays, ResNet-20");
    if (!network_open(&net, NET_RESNET20_CLASSES, o, NULL)) {
        table_remark(t, "rays", no_data);
        return;
    }
    samples seconds[THREADS] = {{0}}, evaluations = {0};
    for (int round = 0; round < ROUNDS; round++)
        for (int k = 0; k < THREADS; k++) {
            ray_cost c = cost_of_rays(&net, k + 1, (uint64_t)round);
            add_sample(&seconds[k], c.seconds);
            if (k == 0)
                add_sample(&evaluations, c.evaluations / (double)net.batch);
        }
    table_line(t, "evaluations for one weight and image", median(&evaluations), least(&evaluations),
               "", (target){"<=", 2.6}, "");
    rates(t, "exhaustive injections answered", seconds, BITS, "injections/s", (target){">", 1300});
    speed_up(t, "rays, two threads against one", &seconds[0], &seconds[1]);
    network_close(&net);
}

void bench_layer13(table *t, const bench_options *o)
{
    network net;
    table_title(t, "Every bit of a layer, ResNet-20");
    if (!network_open(&net, NET_RESNET20_CLASSES, o, NULL)) {
        table_remark(t, "layer 13", no_data);
        return;
    }
    if (layer_of(&net, LAYER).weights != LAYER_WEIGHTS) {
        table_remark(t, "layer 13", "skipped: another network");
        network_close(&net);
        return;
    }
    char plan[32] = "exhaustive";
    if (!o->long_runs)
        snprintf(plan, sizeof plan, "sites:%d", (LAYER_WEIGHTS + 19) / 20);
    bsr_run_options run = run_options(THREADS, plan, 0);
    run.layers = "13";
    bsr_result *r;
    must(bsr_analyze(&r, net.model, net.data, &run));
    double scale = LAYER_WEIGHTS / (double)r->layers[0].sampled_sites;
    const char *note = o->long_runs ? "complete" : "EXTRAPOLATED from 5 % of its weights";
    table_line(t, "layer 13 by rays, 2 threads", scale * r->performance.seconds / 60, NAN,
               "minutes", (target){"<", 10}, note);
    char interval[96] = "complete";
    double pairs = (double)r->layers[0].population * (double)net.batch;
    if (!o->long_runs)
        snprintf(interval, sizeof interval, "EXTRAPOLATED, 95 %% interval %.0f to %.0f",
                 r->layers[0].vf.lo * pairs, r->layers[0].vf.hi * pairs);
    table_line(t, "layer 13, critical (bit, image) pairs", scale * (double)r->total.critical, NAN,
               "", NO_TARGET, interval);
    table_line(t, "  exhaustive injection", PUBLISHED_CRITICAL, NAN, "", NO_TARGET,
               "published, another program");
    bsr_result_free(r);
    network_close(&net);
}
