/* Networks of a few hundred bytes, noise as images, and what a prediction is made from. */
#ifndef BSR_TESTS_PREDICT_FIXTURE_H
#define BSR_TESTS_PREDICT_FIXTURE_H

#define _XOPEN_SOURCE 700 /* mkstemp */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/threads.h"
#include "campaign/sweep.h"
#include "predict/disturbed.h"
#include "predict/image_moments.h"
#include "rng/philox.h"

static inline void must(bsr_status status)
{
    if (status != BSR_OK)
        fail_msg("%s: %s", bsr_status_name(status), bsr_error_message());
}

/* Fields of protocol buffers. */
typedef struct message {
    unsigned char bytes[32768];
    size_t n;
} message;

static inline void put_varint(message *m, uint64_t v)
{
    for (; v > 127; v >>= 7)
        m->bytes[m->n++] = (unsigned char)(v & 127) | 128;
    m->bytes[m->n++] = (unsigned char)v;
}

static inline void put_int(message *m, unsigned field, uint64_t v)
{
    put_varint(m, field << 3);
    put_varint(m, v);
}

static inline void put_bytes(message *m, unsigned field, const void *data, size_t n)
{
    put_varint(m, field << 3 | 2);
    put_varint(m, n);
    assert_true(m->n + n < sizeof m->bytes);
    memcpy(m->bytes + m->n, data, n);
    m->n += n;
}

static inline void put_text(message *m, unsigned field, const char *text)
{
    put_bytes(m, field, text, strlen(text));
}

/* inputs: names with spaces between. */
static inline void put_node(message *graph, const char *op, const char *inputs, const char *output)
{
    message node = {.n = 0};
    char names[64], *rest = NULL;
    snprintf(names, sizeof names, "%s", inputs);
    for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
        put_text(&node, 1, name);
    put_text(&node, 2, output);
    put_text(&node, 3, output);
    put_text(&node, 4, op);
    put_bytes(graph, 1, node.bytes, node.n);
}

/* Graph input or output (field 11 or 12), float32. */
static inline void put_value(message *graph, unsigned field, const char *name, int rank,
                             const int *dims)
{
    message value = {.n = 0}, type = {.n = 0}, tensor = {.n = 0}, shape = {.n = 0};
    for (int d = 0; d < rank; d++) {
        message dim = {.n = 0};
        put_int(&dim, 1, (uint64_t)dims[d]);
        put_bytes(&shape, 1, dim.bytes, dim.n);
    }
    put_int(&tensor, 1, BSR_F32);
    put_bytes(&tensor, 2, shape.bytes, shape.n);
    put_bytes(&type, 1, tensor.bytes, tensor.n);
    put_text(&value, 1, name);
    put_bytes(&value, 2, type.bytes, type.n);
    put_bytes(graph, field, value.bytes, value.n);
}

/* A constant of random numbers in -size..size. */
static inline void put_weights(message *graph, const char *name, int rank, const int *dims,
                               double size)
{
    static float data[4096];
    message tensor = {.n = 0};
    bsr_rng rng = bsr_rng_make(7, (uint64_t)name[0] << 8 | (uint64_t)name[1]);
    size_t n = 1;
    for (int d = 0; d < rank; d++) {
        n *= (size_t)dims[d];
        put_int(&tensor, 1, (uint64_t)dims[d]);
    }
    assert_true(n <= sizeof data / sizeof *data);
    for (size_t i = 0; i < n; i++)
        data[i] = (float)(size * (2 * bsr_rng_uniform(&rng) - 1));
    put_int(&tensor, 2, BSR_F32);
    put_text(&tensor, 8, name);
    put_bytes(&tensor, 9, data, n * sizeof *data);
    put_bytes(graph, 5, tensor.bytes, tensor.n);
}

static inline bsr_model *finish_model(message *graph, int classes)
{
    static message file;
    message opset = {.n = 0};
    bsr_model *m;
    file.n = 0;
    put_text(graph, 2, "g");
    put_value(graph, 11, "x", 4, (const int[]){1, 2, 6, 5});
    put_value(graph, 12, "y", 2, (const int[]){1, classes});
    put_int(&opset, 2, 13);
    put_int(&file, 1, 7);
    put_bytes(&file, 7, graph->bytes, graph->n);
    put_bytes(&file, 8, opset.bytes, opset.n);
    must(bsr_model_load_bytes(&m, file.bytes, file.n, NULL));
    return m;
}

/* Linear: y = b + w x; with a convolution before, y = b + w (d + v * x), and then an op such as
 * Relu if there is one. */
static inline bsr_model *small_model(int classes, int convolution, const char *op)
{
    static message graph;
    const char *last = "x";
    int pixels = 60;
    graph.n = 0;
    if (convolution) {
        put_node(&graph, "Conv", "x v d", "c");
        put_weights(&graph, "v", 4, (const int[]){3, 2, 3, 3}, 0.4);
        put_weights(&graph, "d", 1, (const int[]){3}, 0.4);
        last = "c";
        pixels = 36;
    }
    if (op) {
        put_node(&graph, op, last, "r");
        last = "r";
    }
    put_node(&graph, "Flatten", last, "f");
    put_node(&graph, "Gemm", "f w b", "y");
    put_weights(&graph, "w", 2, (const int[]){pixels, classes}, 0.4);
    put_weights(&graph, "b", 1, (const int[]){classes}, 0.4);
    return finish_model(&graph, classes);
}

typedef struct bench {
    bsr_model *model;
    bsr_dataset *data;
    bsr_session s;
    bsr_sweep_memory memory;
    bsr_error_map map;
    bsr_gradient_plan *gradients;
    bsr_normals *normals;
    bsr_followed followed;
    float *golden;
} bench;

/* n images of random bytes, values 0..1, labels 0 to 2. */
static inline void open_noise(bench *x, int n)
{
    char path[] = "/tmp/bsr_predict_XXXXXX", spec[64];
    bsr_model_info info = bsr_model_get_info(x->model);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "wb");
    bsr_rng rng = bsr_rng_make(3, 0);
    for (int i = 0; i < n; i++) {
        putc((int)bsr_rng_below(&rng, 3), f);
        putc(0, f);
        for (int k = 0; k < info.channels * info.height * info.width; k++)
            putc((int)bsr_rng_below(&rng, 256), f);
    }
    assert_int_equal(fclose(f), 0);
    snprintf(spec, sizeof spec, "planes16:%s", path);
    bsr_dataset_options o = BSR_DATASET_OPTIONS_INIT;
    o.data = spec;
    must(bsr_dataset_open(&x->data, &o, info.channels, info.height, info.width));
    remove(path);
}

/* The rest of a bench with model and data. */
static inline void open_map(bench *x, const char *targets, const bsr_run_options *options)
{
    bsr_target list[BSR_PATTERN_TARGETS];
    char names[64];
    int n;
    uint64_t correct;
    must(bsr_sweep_targets(list, &n, names, targets));
    bsr_run_options o = bsr_sweep_run_options(options, list, n);
    must(bsr_session_init(&x->s, x->model, x->data, &o, list, n));
    must(bsr_memory_init(&x->memory, &x->s, list, n));
    must(bsr_error_map_init(&x->map, &x->memory, 0, x->s.options.seed));
    must(bsr_gradient_plan_new(&x->gradients, x->s.plan));
    must(bsr_normals_new(&x->normals));
    x->followed = bsr_followed_of(bsr_plan_classes(x->s.plan));
    x->golden = bsr_alloc_array(x->s.images * (size_t)x->followed.classes, sizeof *x->golden);
    assert_non_null(x->golden);
    must(bsr_session_accuracy(&x->s, x->s.plan, x->golden, &correct));
}

static inline void open_bench(bench *x, bsr_model *model, int images, const char *targets,
                              const char *format)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.format = format;
    o.threads = 2;
    *x = (bench){.model = model};
    open_noise(x, images);
    open_map(x, targets, &o);
}

static inline void close_map(bench *x)
{
    bsr_free(x->golden);
    bsr_normals_free(x->normals);
    bsr_gradient_plan_free(x->gradients);
    bsr_error_map_clear(&x->map);
    bsr_memory_clear(&x->memory);
    bsr_session_clear(&x->s);
}

static inline void close_bench(bench *x)
{
    close_map(x);
    bsr_dataset_free(x->data);
    bsr_model_free(x->model);
}

/* map: one that outlives the job. */
static inline bsr_moments_job moments_job(const bench *x, const bsr_error_map *const *map,
                                          const size_t *images, size_t n)
{
    return (bsr_moments_job){.s = (bsr_session *)(uintptr_t)&x->s,
                             .gradients = x->gradients,
                             .maps = map,
                             .n_maps = 1,
                             .followed = x->followed,
                             .images = images,
                             .n = n,
                             .slopes = 1,
                             .seed = 5};
}

static inline void near_to(double got, double want, double tolerance, const char *what)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s: %.9g, expected %.9g within %g", what, got, want, tolerance);
}

#endif
