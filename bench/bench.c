/* bench: how fast is bitseer on this machine, against its targets and against other programs?
 * docs/guide/benchmarks.md explains every line. */
#define _DEFAULT_SOURCE /* getloadavg */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "bench.h"

/* Somebody else is computing on this machine. */
#define BUSY_LOAD 0.5

static const char usage[] =
    "usage: bench [--json] [--long] [--only LETTERS] [--peer SCRIPT] [--checkkernels PROGRAM]\n"
    "\n"
    "Prints what this machine does, one figure a line, beside what is asked of it. A missed\n"
    "target does not fail: figures depend on the machine. Start it in the top folder; see\n"
    "bench/run.sh. BITSEER_DATA names the folder of the pretrained networks.\n"
    "\n"
    "  --json                  one JSON object a line\n"
    "  --long                  also whole campaigns on ResNet-20 (hours)\n"
    "  --only LETTERS          these sections: k kernels, f plain inference, i injection,\n"
    "                          r rays, l layer 13, p plans, s sweep, m memory, a adaptive\n"
    "                          analysis, g gradients, x screened injection, e every bit, c check\n"
    "                          of rays against injection, y statistical models\n"
    "  --peer SCRIPT           times ONNX Runtime (bench/peers/ort_forward.mjs)\n"
    "  --checkkernels PROGRAM  measures the kernels\n";

static const struct {
    char letter;
    void (*run)(table *t, const bench_options *o);
} sections[] = {
    {'k', bench_kernels},  {'f', bench_forward},   {'i', bench_injection}, {'r', bench_rays},
    {'l', bench_layer13},  {'p', bench_plans},     {'s', bench_sweep},     {'m', bench_memory},
    {'a', bench_adaptive}, {'g', bench_gradients}, {'x', bench_screened},  {'e', bench_exhaustive},
    {'c', bench_accuracy}, {'y', bench_predict},
};

/* -1 to go on, else the exit status. */
static int parse(bench_options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        } else if (strcmp(argv[i], "--json") == 0) {
            o->json = 1;
        } else if (strcmp(argv[i], "--long") == 0) {
            o->long_runs = 1;
        } else if (strcmp(argv[i], "--only") == 0 && value) {
            o->only = argv[++i];
        } else if (strcmp(argv[i], "--peer") == 0 && value) {
            o->peer = argv[++i];
        } else if (strcmp(argv[i], "--checkkernels") == 0 && value) {
            o->checkkernels = argv[++i];
        } else {
            fprintf(stderr, "bench: bad argument '%s'\n%s", argv[i], usage);
            return 2;
        }
    }
    return -1;
}

static void print_machine(const table *t)
{
    char brand[64], remark[160];
    snprintf(remark, sizeof remark, "%s, %d processors, kernels %s", bsr_cpu_brand(brand),
             bsr_cpu_count(), bsr_cpu_name(bsr_cpu_best()));
    table_remark(t, "machine", remark);
    double load;
    if (getloadavg(&load, 1) != 1)
        return;
    snprintf(remark, sizeof remark, "%.2f%s", load,
             load > BUSY_LOAD ? "  WARNING: other programs are running, trust the best column only"
                              : "");
    table_remark(t, "load average before", remark);
}

int main(int argc, char **argv)
{
    bench_options o = {.data = getenv("BITSEER_DATA")};
    int status = parse(&o, argc, argv);
    if (status >= 0)
        return status;
    if (o.data && !*o.data)
        o.data = NULL;
    table t = {.json = o.json};
    double start = seconds_now();
    print_machine(&t);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (!o.only || strchr(o.only, sections[i].letter))
            sections[i].run(&t, &o);
    char remark[96];
    snprintf(remark, sizeof remark, "%d targets met, %d missed, %.0f s", t.met, t.missed,
             seconds_now() - start);
    if (!t.json)
        putchar('\n');
    table_remark(&t, "summary", remark);
    return 0;
}
