/* Every allocation of a whole run fails once: load, open, evaluate, inject, analyse, report. Each
 * failure must come back as ENOMEM with a message, or leave the report as it is without the failure
 * (where something else is tried then); and under the address sanitizer without a leak. Exhaustive
 * up to DENSE allocations; from there on in growing steps, so that long runs of like allocations
 * cost little. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bitseer/run.h"
#include "support/npy_data.h"

enum { DENSE = 1000, IMAGES = 2, PIXELS = 3 * 8 * 8 };

/* What a run does, so that a scenario is one row. */
typedef struct scenario {
    const char *name, *model;
    bsr_target target;
    int fold, analyze;
} scenario;

static const scenario scenarios[] = {
    {"injection into weights", "grouped", BSR_TARGET_WEIGHT, 0, 0},
    {"rays of weights, BatchNormalization folded", "hard_swish_pieces", BSR_TARGET_WEIGHT, 1, 1},
    {"injection into activations", "attention", BSR_TARGET_ACTIVATION, 0, 0},
    {"rays of activations", "squeeze_excite", BSR_TARGET_ACTIVATION, 0, 1},
    {"injection into shared weights", "shared_weight", BSR_TARGET_BIAS, 0, 0},
};

static int failures;

/* *json: the result's report, for bsr_text_free. */
static bsr_status report(char **json, const bsr_model *model, const bsr_eval_result *eval,
                         const bsr_result *result)
{
    char *text[6] = {NULL};
    bsr_status status = bsr_model_json(&text[0], model);
    if (status == BSR_OK)
        status = bsr_eval_json(&text[1], eval);
    if (status == BSR_OK)
        status = bsr_result_json(&text[2], result);
    if (status == BSR_OK)
        status = bsr_model_text(&text[3], model);
    if (status == BSR_OK)
        status = bsr_eval_text(&text[4], eval);
    if (status == BSR_OK)
        status = bsr_result_text(&text[5], result);
    *json = text[2];
    text[2] = NULL;
    for (int i = 0; i < 6; i++)
        bsr_text_free(text[i]);
    return status;
}

static bsr_status run(char **json, const scenario *s, const char *data_spec)
{
    *json = NULL;
    char path[256];
    bsr_model *model = NULL;
    bsr_dataset *data = NULL;
    bsr_eval_result *eval = NULL;
    bsr_result *result = NULL;
    bsr_model_options mo = BSR_MODEL_OPTIONS_INIT;
    bsr_dataset_options d = BSR_DATASET_OPTIONS_INIT;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    mo.fold_batch_norm = s->fold;
    d.data = data_spec;
    o.target = s->target;
    o.plan = s->analyze ? "sites:4" : "random:4";
    o.check = 2;
    o.per_channel = 1;
    o.threads = 2;
    snprintf(path, sizeof path, "tests/engine/data/%s.onnx", s->model);
    bsr_status status = bsr_model_load(&model, path, &mo);
    if (status == BSR_OK) {
        bsr_model_info info = bsr_model_get_info(model);
        status = bsr_dataset_open(&data, &d, info.channels, info.height, info.width);
        /* Half of the images at a time, so that every path of a split run is there. */
        o.max_memory = info.golden_bytes * 3 / 2;
    }
    if (status == BSR_OK)
        status = bsr_eval(&eval, model, data, &o);
    if (status == BSR_OK)
        status = s->analyze ? bsr_analyze(&result, model, data, &o)
                            : bsr_inject(&result, model, data, &o);
    if (status == BSR_OK)
        status = report(json, model, eval, result);
    bsr_result_free(result);
    bsr_eval_result_free(eval);
    bsr_dataset_free(data);
    bsr_model_free(model);
    return status;
}

/* Up to the part that may differ between two runs. */
static int same_report(const char *a, const char *b)
{
    const char *end = strstr(b, "\"performance\"");
    return end && strncmp(a, b, (size_t)(end - b)) == 0;
}

/* Makes the n-th allocation fail; 0 when there was none. */
static int fail_one(const scenario *s, const char *data_spec, long n, const char *reference)
{
    char *json;
    bsr_alloc_fail_after(n);
    bsr_status status = run(&json, s, data_spec);
    int fired = !bsr_alloc_fail_pending();
    bsr_alloc_fail_after(0);
    int ok = status == BSR_OK ? same_report(json, reference)
                              : fired && status == BSR_ENOMEM &&
                                    strstr(bsr_error_message(), "out of memory") != NULL;
    if (!ok) {
        printf("FAILED %s: allocation %ld %s, the run gives %s (%s)\n", s->name, n,
               fired ? "failed" : "was not reached", bsr_status_name(status), bsr_error_message());
        failures++;
    }
    bsr_text_free(json);
    return fired;
}

static void fail_each(const scenario *s, const char *data_spec)
{
    char *reference;
    if (run(&reference, s, data_spec) != BSR_OK) {
        printf("FAILED %s: %s\n", s->name, bsr_error_message());
        failures++;
        return;
    }
    long n = 1, tried = 0;
    for (; fail_one(s, data_spec, n, reference) && failures < 10; tried++)
        n += n < DENSE ? 1 : n / 40;
    bsr_text_free(reference);
    printf("%s: about %ld allocations, %ld made to fail\n", s->name, n, tried);
    if (tried < 100) {
        printf("FAILED %s: too few allocations\n", s->name);
        failures++;
    }
}

int main(void)
{
    static float x[IMAGES * PIXELS];
    const int32_t labels[IMAGES] = {0, 1};
    for (int i = 0; i < IMAGES * PIXELS; i++)
        x[i] = (float)(i * 37 % 101) / 50.0f - 1.0f;
    npy_data big, small;
    npy_data_write(&big, x, labels, IMAGES, 3, 8, 8);
    npy_data_write(&small, x, labels, IMAGES, 3, 4, 4);
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        fail_each(&scenarios[i],
                  strcmp(scenarios[i].model, "attention") == 0 ? small.spec : big.spec);
    npy_data_remove(&big);
    npy_data_remove(&small);
    return failures > 0;
}
