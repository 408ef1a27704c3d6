/* The same campaign by one and two threads, every kernel set, images at once and in sets: the same
 * database but for what processes say of themselves. Exit 77 without Debian's Fashion-MNIST. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "bitseer/campaign.h"
#include "campaign/dump.h"
#include "support/zoo.h"

static int failures, lowered; /* layers whose theta the last run lowered */

static void run(const bsr_model *model, const bsr_dataset *data, const bsr_run_options *o,
                const char *sweep, char hash[65], uint64_t *answers)
{
    bsr_result *r = NULL;
    bsr_sweep_result *sr = NULL;
    remove(o->store);
    if (sweep) {
        bsr_sweep_options so = BSR_SWEEP_OPTIONS_INIT;
        so.ber = "1e-4,1e-3";
        so.runs = 3;
        so.targets = sweep;
        zoo_check(bsr_sweep(&sr, model, data, o, &so), "sweep");
    } else {
        zoo_check(bsr_inject(&r, model, data, o), "inject");
    }
    if (r)
        lowered = r->screening.lowered;
    dump_hash(hash, o->store, answers);
    bsr_result_free(r);
    bsr_sweep_result_free(sr);
    remove(o->store);
}

static void every_way(const char *name, const char *network, bsr_run_options o, const char *sweep)
{
    const zoo_network *net = zoo_find(network);
    if (!zoo_exists(net)) {
        printf("%-34s skipped: no %s\n", name, network);
        return;
    }
    bsr_model *model;
    bsr_dataset *data;
    char want[65], got[65];
    uint64_t answers, count;
    zoo_open(net, "7", &model, &data);
    size_t one_image = bsr_model_get_info(model).golden_bytes;
    run(model, data, &o, sweep, want, &answers);
    int ways = 0;
    for (int cpu = BSR_CPU_REF; cpu <= (int)bsr_cpu_best(); cpu++)
        for (int threads = 1; threads <= 2; threads++)
            for (int split = 0; split < 2; split++) {
                /* Formats of tensors add some to what an image takes. */
                o.cpu = bsr_cpu_name((bsr_cpu)cpu);
                o.threads = threads;
                o.max_memory = split ? 5 * one_image : (size_t)2 << 30;
                /* The portable kernels are slow: once. */
                if (cpu == BSR_CPU_REF && (threads > 1 || !split))
                    continue;
                run(model, data, &o, sweep, got, &count);
                ways++;
                if (strcmp(want, got) != 0) {
                    printf("FAILED: %s differs: %s, %d threads, %s\n", name, o.cpu, threads,
                           split ? "sets of images" : "images at once");
                    failures++;
                }
            }
    printf("%-34s %6llu answers the same in %d ways\n", name, (unsigned long long)answers, ways);
    bsr_dataset_free(data);
    bsr_model_free(model);
}

int main(void)
{
    if (!zoo_exists(zoo_find("fashion_resnet"))) {
        printf("skipped: Debian's dataset-fashion-mnist is not there\n");
        return 77;
    }
    char folder[] = "/tmp/bitseer-ways-XXXXXX", path[64];
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/run.db", folder);
    static const struct {
        const char *name;
        bsr_target target;
        const char *plan, *fault, *format, *method, *sweep;
        int transient, bounds;
        double screen;
        uint64_t checks; /* of what is skipped */
    } list[] = {
        {.name = "weights, adjacent bits", .plan = "random:200", .fault = "mbu:3"},
        {.name = "weights in int8 by channel", .plan = "random:200", .format = "int8/channel"},
        {.name = "weights in q2.5, rays", .plan = "sites:3", .format = "q2.5", .method = "ray"},
        {.name = "weights in fp32 with a range, rays",
         .plan = "sites:3",
         .format = "fp32/range=1",
         .method = "ray"},
        {.name = "activations in fp16 with a range",
         .target = BSR_TARGET_ACTIVATION,
         .plan = "random:200",
         .format = "fp16/range=0:4"},
        {.name = "activations in e4m3",
         .target = BSR_TARGET_ACTIVATION,
         .plan = "random:200",
         .fault = "random",
         .format = "e4m3"},
        {.name = "transient activations",
         .target = BSR_TARGET_ACTIVATION,
         .plan = "random:2000",
         .fault = "stuck1",
         .transient = 1},
        {.name = "operands", .target = BSR_TARGET_OPERAND, .plan = "random:200"},
        {.name = "operand weights in fp16",
         .target = BSR_TARGET_OPERAND_WEIGHT,
         .plan = "random:200",
         .format = "fp16"},
        {.name = "norm parameters", .target = BSR_TARGET_NORM, .plan = "random:40"},
        {.name = "layer-wise", .plan = "layer-wise"},
        {.name = "data-aware", .plan = "data-aware"},
        {.name = "adaptive", .plan = "adaptive", .method = "ray"},
        {.name = "adaptive, screened", .plan = "adaptive", .method = "ray", .screen = 0.1},
        {.name = "adaptive activations, screened",
         .target = BSR_TARGET_ACTIVATION,
         .plan = "adaptive",
         .format = "bf16",
         .method = "ray",
         .screen = 0.1},
        {.name = "adaptive, theta lowered",
         .plan = "adaptive",
         .format = "q2.5",
         .method = "ray",
         .screen = 50,
         .checks = 3000},
        {.name = "sites, theta lowered, bounds",
         .plan = "sites:4",
         .method = "ray",
         .screen = 50,
         .checks = 5000,
         .bounds = 1},
        {.name = "injection, screened", .plan = "random:400", .screen = 0.1},
        {.name = "injection, theta lowered",
         .plan = "random:400",
         .format = "q2.5",
         .screen = 50,
         .checks = 2000},
        {.name = "transient, screened",
         .target = BSR_TARGET_ACTIVATION,
         .plan = "random:2000",
         .transient = 1,
         .screen = 0.1},
        {.name = "operands, screened",
         .target = BSR_TARGET_OPERAND,
         .plan = "random:200",
         .screen = 0.1},
        {.name = "channels, bounds", .plan = "channels:0.01", .method = "ray", .bounds = 1},
        {.name = "channels of tensors, screened",
         .target = BSR_TARGET_ACTIVATION,
         .plan = "channels:0.2",
         .format = "fp16",
         .method = "ray",
         .screen = 0.1,
         .bounds = 1},
        {.name = "patterns", .plan = "random:10", .fault = "ber:1e-4"},
        {.name = "sweep", .format = "int8", .sweep = "weight,activation"},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        bsr_run_options o = BSR_RUN_OPTIONS_INIT;
        o.store = path;
        o.target = list[i].target;
        o.plan = list[i].plan;
        o.fault = list[i].fault;
        o.format = list[i].format;
        o.method = list[i].method;
        o.transient = list[i].transient;
        o.screen = list[i].screen;
        o.screen_checks = list[i].checks;
        o.bounds = list[i].bounds;
        o.margin = 0.3;
        o.seed = 3;
        every_way(list[i].name, "fashion_resnet", o, list[i].sweep);
        if (list[i].screen > 1 && !lowered) {
            printf("FAILED: %s: no theta was lowered\n", list[i].name);
            failures++;
        }
    }
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.store = path;
    o.plan = "random:200";
    every_way("int8 weight codes", "cifar10_resnet8_mlperftiny_int8_qdq", o, NULL);
    o.screen = 0.1;
    every_way("int8 weight codes, screened", "cifar10_resnet8_mlperftiny_int8_qdq", o, NULL);
    o.screen = 0;
    o.target = BSR_TARGET_SCALE;
    o.plan = "random:10";
    every_way("int8 scales", "cifar10_resnet8_mlperftiny_int8_qdq", o, NULL);
    o.target = BSR_TARGET_ZERO_POINT;
    every_way("int8 zero points", "cifar10_resnet8_mlperftiny_int8_qdq", o, NULL);
    rmdir(folder);
    printf("%d failures\n", failures);
    return failures > 0;
}
