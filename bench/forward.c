/* Plain inference of a batch against ONNX Runtime's, in turns. */
#define _POSIX_C_SOURCE 200809L /* popen, setenv */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { ROUNDS = 5, RUNS = 12 };
#define ROUND_SECONDS 0.4

/* Median and best milliseconds of one round of the peer; 0 when it cannot run. */
static int peer_round(const network *net, int threads, const bench_options *o, double *mid,
                      double *best)
{
    char command[256], line[1024] = "";
    /* Through the environment, so that no file name can be taken for shell syntax. */
    setenv("BENCH_PEER", o->peer, 1);
    setenv("BENCH_MODEL", net->path, 1);
    snprintf(command, sizeof command,
             "exec node \"$BENCH_PEER\" \"$BENCH_MODEL\" --batch %zu --threads %d --runs %d "
             "--seconds %g 2>/dev/null",
             net->batch, threads, RUNS, ROUND_SECONDS);
    FILE *pipe = popen(command, "r");
    if (!pipe)
        return 0;
    int got = fgets(line, sizeof line, pipe) != NULL;
    got = pclose(pipe) == 0 && got;
    const char *a = strstr(line, "\"median_ms\":"), *b = strstr(line, "\"min_ms\":");
    return got && a && b && sscanf(a, "\"median_ms\":%lf", mid) == 1 &&
           sscanf(b, "\"min_ms\":%lf", best) == 1;
}

/* The peer's input lies ready, so what it takes to read the images is taken off; returns that. */
static double our_round(const network *net, bsr_pool *pool, samples *ms)
{
    double end = seconds_now() + ROUND_SECONDS;
    forward_seconds(net, pool);
    samples prepare = {0};
    for (int i = 0; i < 5; i++)
        add_sample(&prepare, 1e3 * prepare_seconds(net) / bsr_pool_threads(pool));
    for (int i = 0; i < RUNS && (i == 0 || seconds_now() < end); i++)
        add_sample(ms, 1e3 * forward_seconds(net, pool) - least(&prepare));
    return least(&prepare);
}

static void compare(table *t, const bench_options *o, const network *net, int threads)
{
    samples ours = {0}, ours_least = {0}, peer = {0}, peer_least = {0}, ratio = {0}, prepare = {0};
    bsr_pool *pool;
    must(bsr_pool_new(&pool, threads));
    int has_peer = o->peer != NULL;
    for (int i = 0; i < ROUNDS; i++) {
        samples round = {0};
        double mid, best;
        add_sample(&prepare, our_round(net, pool, &round));
        add_sample(&ours, median(&round));
        add_sample(&ours_least, least(&round));
        if (has_peer && (has_peer = peer_round(net, threads, o, &mid, &best))) {
            add_sample(&peer, mid);
            add_sample(&peer_least, best);
            add_sample(&ratio, median(&round) / mid);
        }
    }
    bsr_pool_free(pool);

    char title[96], name[128], note[96];
    snprintf(title, sizeof title, "%s, %zu images, %d thread%s", net->name, net->batch, threads,
             threads > 1 ? "s" : "");
    double gflop = 2e-9 * net->plan->macs * (double)net->batch;
    snprintf(note, sizeof note, "and %.2f ms to read the images", median(&prepare));
    snprintf(name, sizeof name, "%s", title);
    table_line(t, name, median(&ours), least(&ours_least), "ms", NO_TARGET, note);
    snprintf(name, sizeof name, "%s: speed", title);
    table_line(t, name, 1e3 * gflop / median(&ours), 1e3 * gflop / least(&ours_least), "GFLOP/s",
               NO_TARGET, "");
    snprintf(name, sizeof name, "%s: ONNX Runtime", title);
    if (!has_peer) {
        table_remark(t, name, "peer not available");
        return;
    }
    table_line(t, name, median(&peer), least(&peer_least), "ms", NO_TARGET, "");
    snprintf(name, sizeof name, "%s: ours / peer", title);
    table_line(t, name, median(&ratio), least(&ours_least) / least(&peer_least), "",
               (target){"<=", 1}, "");
}

void bench_forward(table *t, const bench_options *o)
{
    static const network_id ids[] = {NET_DEMO, NET_RESNET20, NET_MOBILENET};
    table_title(t, "Plain inference");
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        network net;
        if (!network_open(&net, ids[i], o, NULL)) {
            table_remark(t, network_name(ids[i]), "skipped: BITSEER_DATA is not set");
            continue;
        }
        for (int threads = 1; threads <= 2; threads++)
            compare(t, o, &net, threads);
        network_close(&net);
    }
}

void bench_memory(table *t, const bench_options *o)
{
    network net;
    table_title(t, "Memory");
    if (!network_open(&net, NET_MOBILENET, o, NULL)) {
        table_remark(t, "golden run of MobileNetV2", "skipped: BITSEER_DATA is not set");
        return;
    }
    double mib = (double)net.plan->golden_bytes / (1 << 20);
    table_line(t, "golden run of MobileNetV2, one image", mib, NAN, "MiB", NO_TARGET, "");
    table_line(t, "golden run of MobileNetV2, 100 images", 100 * mib, NAN, "MiB",
               (target){"<=", 2048}, "");
    network_close(&net);
}
