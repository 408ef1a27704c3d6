/* The numbers of a run depend on the model, the data, the selection and the seed only: not on the
 * number of threads, on how many images fit into memory, or on the kernel set. Compares whole JSON
 * reports without their "performance" part, for every target, by injection and by rays. Then: are
 * random faults drawn from all layers and bits evenly? Exit 77 without Debian's Fashion-MNIST. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bitseer/run.h"
#include "support/zoo.h"

static int failures;

/* One way of computing the same thing. images: golden activations kept at once, 0: all. */
static const struct way {
    const char *name;
    int threads;
    size_t images;
    const char *cpu;
} ways[] = {
    {"one thread", 1, 0, NULL},
    {"two threads", 2, 0, NULL},
    {"three threads", 3, 0, NULL},
    {"five images at once", 1, 5, NULL},
    {"one image at once", 2, 1, NULL},
    {"portable kernels", 2, 0, "ref"},
    {"avx2", 2, 0, "avx2"},
    {"avx512", 2, 7, "avx512"},
};

typedef bsr_status (*run_fn)(bsr_result **, const bsr_model *, const bsr_dataset *,
                             const bsr_run_options *);

/* Cuts the object "performance" out of the report. */
static void drop_performance(char *json)
{
    char *start = strstr(json, "\"performance\": {");
    char *end = start ? strchr(start, '}') : NULL;
    if (!end) {
        fprintf(stderr, "the report has no performance part\n");
        exit(1);
    }
    memmove(start, end, strlen(end) + 1);
}

/* NULL where this processor has not the kernel set. */
static char *run(run_fn fn, const bsr_model *model, const bsr_dataset *data, bsr_run_options o,
                 const struct way *way)
{
    bsr_result *r;
    char *json;
    o.threads = way->threads;
    o.cpu = way->cpu;
    if (way->images)
        /* Kept activations may need more than the model's own figure. */
        o.max_memory = way->images * bsr_model_get_info(model).golden_bytes * 5 / 4;
    bsr_status status = fn(&r, model, data, &o);
    if (status == BSR_EUNSUPPORTED && way->cpu)
        return NULL;
    zoo_check(status, way->name);
    zoo_check(bsr_result_json(&json, r), way->name);
    bsr_result_free(r);
    drop_performance(json);
    return json;
}

static void first_difference(const char *a, const char *b)
{
    size_t i = 0;
    while (a[i] && a[i] == b[i])
        i++;
    size_t from = i < 200 ? 0 : i - 200;
    printf("  expected ...%.300s\n  got ...%.300s\n", a + from, b + from);
}

static void run_all_ways(const char *network, run_fn fn, const bsr_model *model,
                         const bsr_dataset *data, const bsr_run_options *o)
{
    static const char *const targets[] = {"weight", "bias", "activation", "input"};
    char *first = run(fn, model, data, *o, &ways[0]);
    for (size_t i = 1; i < sizeof ways / sizeof *ways; i++) {
        char *json = run(fn, model, data, *o, &ways[i]);
        if (json && strcmp(first, json) != 0) {
            printf("FAILED %s, %s, %s: other report with %s\n", network,
                   fn == bsr_inject ? "injection" : "rays", targets[o->target], ways[i].name);
            first_difference(first, json);
            failures++;
        }
        bsr_text_free(json);
    }
    bsr_text_free(first);
}

static void same_every_way(const char *name, uint64_t faults, uint64_t sites)
{
    const zoo_network *net = zoo_find(name);
    if (!zoo_exists(net)) {
        printf("%s skipped: not there\n", name);
        return;
    }
    bsr_model *model;
    bsr_dataset *data;
    zoo_open(net, "6", &model, &data);
    for (int target = BSR_TARGET_WEIGHT; target <= BSR_TARGET_INPUT; target++) {
        bsr_run_options o = BSR_RUN_OPTIONS_INIT;
        o.target = (bsr_target)target;
        o.seed = 5;
        o.per_channel = target == BSR_TARGET_WEIGHT;
        /* The demo network has 10 biases: all of them. */
        int few = target == BSR_TARGET_BIAS && bsr_model_get_info(model).channels == 1;
        char plan[32];
        snprintf(plan, sizeof plan, few ? "exhaustive" : "random:%llu", (unsigned long long)faults);
        o.plan = plan;
        run_all_ways(name, bsr_inject, model, data, &o);
        snprintf(plan, sizeof plan, few ? "exhaustive" : "sites:%llu", (unsigned long long)sites);
        run_all_ways(name, bsr_analyze, model, data, &o);
    }
    bsr_dataset_free(data);
    bsr_model_free(model);
}

/* Upper 0.0001 point of chi-square (Wilson and Hilferty, PNAS 17, 1931). */
static double chi_square_limit(int df)
{
    double k = 2.0 / (9.0 * df);
    return df * pow(1 - k + 3.719 * sqrt(k), 3);
}

/* Draws without replacement have a smaller variance: (N - n) / (N - 1) of that with. */
static void layers_evenly(void)
{
    bsr_model *model;
    bsr_dataset *data;
    zoo_open(zoo_find("fashion_resnet"), "1", &model, &data);
    for (uint64_t seed = 0; seed < 3; seed++) {
        bsr_run_options o = BSR_RUN_OPTIONS_INIT;
        bsr_result *r;
        const double drawn_faults = 10000;
        o.plan = "random:10000";
        o.seed = seed;
        zoo_check(bsr_inject(&r, model, data, &o), "chi-square");
        double population = 0, layers = 0, bits = 0, drawn[32] = {0};
        for (int i = 0; i < r->n_layers; i++)
            population += (double)r->layers[i].population;
        for (int i = 0; i < r->n_layers; i++) {
            const bsr_layer_result *l = &r->layers[i];
            double want = drawn_faults * (double)l->population / population;
            layers += ((double)l->faults - want) * ((double)l->faults - want) / want;
            for (int b = 0; b < l->n_bits; b++)
                drawn[l->bits[b].index] += (double)l->bits[b].faults;
        }
        for (int b = 0; b < 32; b++) {
            double want = drawn_faults / 32;
            bits += (drawn[b] - want) * (drawn[b] - want) / want;
        }
        double correction = (population - 1) / (population - drawn_faults);
        printf("seed %d: chi-square %.1f over %d layers, %.1f over 32 bits\n", (int)seed,
               layers * correction, r->n_layers, bits * correction);
        if (layers * correction > chi_square_limit(r->n_layers - 1) ||
            bits * correction > chi_square_limit(31)) {
            printf("FAILED: the draws are not even\n");
            failures++;
        }
        bsr_result_free(r);
    }
    bsr_dataset_free(data);
    bsr_model_free(model);
}

int main(void)
{
    if (!zoo_exists(zoo_find("fashion_resnet"))) {
        printf("skipped: Debian's dataset-fashion-mnist is not there\n");
        return 77;
    }
    layers_evenly();
    same_every_way("fashion_resnet", 100, 4);
    same_every_way("cifar10_resnet8_mlperftiny_int8_qdq", 100, 4);
    printf("%zu ways of computing the same: %d failures\n", sizeof ways / sizeof *ways, failures);
    return failures > 0;
}
