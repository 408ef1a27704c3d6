/* Sampling plans through shared rays against injection in PyTorch, and sweeps. */
#define _POSIX_C_SOURCE 200809L /* popen, setenv */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bitseer/campaign.h"
#include "rng/bernoulli.h"

enum { THREADS = 2 };

static const char no_data[] = "skipped: BITSEER_DATA is not set";

/* Milliseconds of one fault on 100 images in PyTorch: median; 0 when it cannot run. */
static double torch_fault(const bench_options *o, double *best)
{
    char line[512] = "";
    double mid = 0;
    setenv("BENCH_DATA", o->data, 1);
    FILE *pipe = popen("exec /usr/bin/python3 bench/peers/torch_weight_faults.py \"$BENCH_DATA\" "
                       "--threads 2 2>/dev/null",
                       "r");
    if (!pipe)
        return 0;
    int got = fgets(line, sizeof line, pipe) != NULL;
    got = pclose(pipe) == 0 && got;
    const char *a = strstr(line, "\"median_ms\":"), *b = strstr(line, "\"min_ms\":");
    if (!got || !a || !b || sscanf(a, "\"median_ms\":%lf", &mid) != 1 ||
        sscanf(b, "\"min_ms\":%lf", best) != 1)
        return 0;
    return mid;
}

void bench_plans(table *t, const bench_options *o)
{
    network net;
    table_title(t, "Data-unaware plan through shared rays, ResNet-20");
    if (!network_open(&net, NET_RESNET20, o, NULL)) {
        table_remark(t, "plan", no_data);
        return;
    }
    bsr_run_options run = BSR_RUN_OPTIONS_INIT;
    bsr_plan_result *plan;
    run.threads = THREADS;
    run.plan = "data-unaware";
    must(bsr_make_plan(&plan, net.model, &run));
    double planned = (double)plan->n;
    bsr_plan_result_free(plan);
    /* A wider margin has fewer weights in the same proportions, nearly: the rate is what counts. */
    run.method = "ray";
    run.margin = o->long_runs ? 0.01 : 0.12;
    samples rate = {0}, torch = {0}, torch_best = {0};
    for (int round = 0; round < (o->long_runs ? 1 : 2); round++) {
        bsr_result *r;
        run.seed = (uint64_t)round;
        must(bsr_inject(&r, net.model, net.data, &run));
        uint64_t faults = 0;
        for (int i = 0; i < r->n_layers; i++)
            faults += r->layers[i].faults;
        add_sample(&rate, (double)faults / r->performance.seconds);
        bsr_result_free(r);
        double best, mid = torch_fault(o, &best);
        if (mid > 0) {
            add_sample(&torch, mid);
            add_sample(&torch_best, best);
        }
    }
    table_line(t, "injections of the plan (margin 1 %, 95 %)", planned, NAN, "", NO_TARGET, "");
    table_line(t, "shared rays, 2 threads", median(&rate), greatest(&rate), "injections/s",
               NO_TARGET, o->long_runs ? "the whole plan" : "margin 12 %");
    table_line(t, "  time of the plan", planned / median(&rate) / 60, NAN, "minutes", NO_TARGET,
               o->long_runs ? "measured" : "EXTRAPOLATED");
    if (!torch.n) {
        table_remark(t, "PyTorch, one weight at a time", "peer not available");
    } else {
        table_line(t, "PyTorch, one weight at a time, 2 threads", 1e3 / median(&torch),
                   1e3 / least(&torch_best), "injections/s", NO_TARGET, "the loop PyTorchFI runs");
        table_line(t, "ours / PyTorch", median(&rate) * median(&torch) / 1e3,
                   greatest(&rate) * least(&torch_best) / 1e3, "x", (target){">=", 50}, "");
    }
    network_close(&net);
}

static void bench_placement(table *t)
{
    /* Bits of 11 million float32 weights. */
    const uint64_t bits = (uint64_t)11000000 * 32;
    samples ms = {0};
    uint64_t flips = 0;
    for (int round = 0; round < 7; round++) {
        bsr_flips f;
        uint64_t at, sum = 0;
        double start = seconds_now();
        flips = 0;
        must(bsr_flips_init(&f, bits, 1e-3, 0, (uint64_t)round));
        while (bsr_flips_next(&f, &at)) {
            sum += at;
            flips++;
        }
        add_sample(&ms, 1e3 * (seconds_now() - start) + (sum == 1 ? 1 : 0));
    }
    char note[64];
    snprintf(note, sizeof note, "%llu flips", (unsigned long long)flips);
    table_line(t, "placing errors, 11 million floats, BER 1e-3", median(&ms), least(&ms), "ms",
               (target){"<", 50}, note);
}

void bench_sweep(table *t, const bench_options *o)
{
    network net;
    table_title(t, "Bit error rate sweep, ResNet-20 int8, 1000 images");
    bench_placement(t);
    if (!network_open(&net, NET_RESNET20_INT8, o, "1000")) {
        table_remark(t, "sweep", no_data);
        return;
    }
    bsr_run_options run = BSR_RUN_OPTIONS_INIT;
    bsr_sweep_options sweep = BSR_SWEEP_OPTIONS_INIT;
    bsr_sweep_result *r;
    run.threads = THREADS;
    sweep.ber = "1e-7,3e-7,1e-6,3e-6,1e-5,3e-5,1e-4,3e-4,1e-3,3e-3,1e-2,3e-2";
    sweep.runs = o->long_runs ? 20 : 1;
    must(bsr_sweep(&r, net.model, net.data, &run, &sweep));
    double scale = 20.0 / sweep.runs;
    table_line(t, "12 rates x 20 runs, weights, 2 threads", scale * r->performance.seconds, NAN,
               "s", (target){"<", 180},
               o->long_runs ? "complete" : "EXTRAPOLATED from 1 run of each rate");
    table_line(t, "  corrupted inferences", 12e3 * sweep.runs / r->performance.seconds, NAN,
               "images/s", NO_TARGET, "");
    bsr_sweep_result_free(r);
    network_close(&net);
}
