/* Accuracy against bit error rate: bits against models. */
#include <math.h>
#include <stdio.h>

#include "bench.h"
#include "bitseer/predict.h"

#define RATES                                                                                      \
    "1e-07,2.848e-07,8.111e-07,2.31e-06,6.579e-06,1.874e-05,5.337e-05,0.000152,0.0004329,"         \
    "0.001233,0.003511,0.01"
enum { N_RATES = 12, RUNS = 20, ROUNDS = 3, THREADS = 2 };

/* Seconds of the table by bits: inference of every image fault-free, and of every run. */
static double bits_seconds(const network *net, const bsr_run_options *run, const char *targets,
                           int runs)
{
    bsr_sweep_options sweep = BSR_SWEEP_OPTIONS_INIT;
    bsr_sweep_result *r;
    sweep.ber = RATES;
    sweep.runs = runs;
    sweep.targets = targets;
    must(bsr_sweep(&r, net->model, net->data, run, &sweep));
    double seconds = r->performance.golden_seconds + r->performance.seconds * RUNS / (double)runs;
    bsr_sweep_result_free(r);
    return seconds;
}

static void bench_target(table *t, const network *net, const bsr_run_options *run,
                         const char *targets, int runs)
{
    char what[64], note[96];
    samples predicted = {0}, accelerated = {0};
    bsr_sweep_options sweep = BSR_SWEEP_OPTIONS_INIT;
    bsr_predict_options predict = BSR_PREDICT_OPTIONS_INIT;
    sweep.ber = predict.ber = RATES;
    sweep.targets = predict.targets = targets;
    double bits = bits_seconds(net, run, targets, runs);
    unsigned long long inferences = 0;
    for (int i = 0; i < ROUNDS; i++) {
        bsr_prediction *p;
        bsr_sweep_result *r;
        double start = seconds_now();
        must(bsr_predict(&p, net->model, net->data, run, &predict));
        add_sample(&predicted, seconds_now() - start);
        inferences = (unsigned long long)p->disturbed;
        bsr_prediction_free(p);
        start = seconds_now();
        must(bsr_sweep_accelerated(&r, net->model, net->data, run, &sweep));
        add_sample(&accelerated, seconds_now() - start);
        bsr_sweep_result_free(r);
    }
    snprintf(what, sizeof what, "%s: by bits, %d rates x %d runs", targets, N_RATES, RUNS);
    table_line(t, what, bits, NAN, "s", NO_TARGET,
               runs == RUNS ? "complete" : "EXTRAPOLATED from 1 run of each rate");
    snprintf(note, sizeof note, "%llu disturbed inferences", inferences);
    table_line(t, "  predict", median(&predicted), least(&predicted), "s", NO_TARGET, note);
    table_line(t, "  sweep --accelerate", median(&accelerated), least(&accelerated), "s", NO_TARGET,
               "");
    table_line(t, "  bits / predict", bits / median(&predicted), bits / least(&predicted), "x",
               (target){">=", 100}, "");
    table_line(t, "  bits / accelerate", bits / median(&accelerated), bits / least(&accelerated),
               "x", (target){">=", 100}, "");
}

void bench_predict(table *t, const bench_options *o)
{
    static const char *const targets[] = {"weight", "activation", "weight,activation"};
    network net;
    table_title(t, "Statistical models, ResNet-20 int8, 1000 images");
    if (!network_open(&net, NET_RESNET20_INT8, o, "1000")) {
        table_remark(t, "predict", "BITSEER_DATA is not set");
        return;
    }
    bsr_run_options run = BSR_RUN_OPTIONS_INIT;
    run.threads = THREADS;
    for (int i = 0; i < 3; i++)
        bench_target(t, &net, &run, targets[i], o->long_runs ? RUNS : 1);
    network_close(&net);
}
