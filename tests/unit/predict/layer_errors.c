/* Disturbances of layers, predicted and measured, on networks of one Gemm of ones, whose statistics
 * are known in closed form, and on the demo network with noise as images. */
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
#include "predict/layer_errors.h"
#include "rng/philox.h"
#include "stats/special.h"

#define DEMO "models/fashion_resnet.onnx"

/* Fields of protocol buffers, for a model of a few hundred bytes. */
typedef struct message {
    unsigned char bytes[16384];
    size_t n;
} message;

static void put_varint(message *m, uint64_t v)
{
    for (; v > 127; v >>= 7)
        m->bytes[m->n++] = (unsigned char)(v & 127) | 128;
    m->bytes[m->n++] = (unsigned char)v;
}

static void put_int(message *m, unsigned field, uint64_t v)
{
    put_varint(m, field << 3);
    put_varint(m, v);
}

static void put_bytes(message *m, unsigned field, const void *data, size_t n)
{
    put_varint(m, field << 3 | 2);
    put_varint(m, n);
    assert_true(m->n + n < sizeof m->bytes);
    memcpy(m->bytes + m->n, data, n);
    m->n += n;
}

static void put_text(message *m, unsigned field, const char *text)
{
    put_bytes(m, field, text, strlen(text));
}

static void put_message(message *m, unsigned field, const message *sub)
{
    put_bytes(m, field, sub->bytes, sub->n);
}

static void put_node(message *graph, const char *op, const char *a, const char *b, const char *y)
{
    message node = {.n = 0};
    put_text(&node, 1, a);
    if (b)
        put_text(&node, 1, b);
    put_text(&node, 2, y);
    put_text(&node, 3, y);
    put_text(&node, 4, op);
    put_message(graph, 1, &node);
}

/* Graph input or output (field 11 or 12), float32. */
static void put_value(message *graph, unsigned field, const char *name, int rank, const int *dims)
{
    message value = {.n = 0}, type = {.n = 0}, tensor = {.n = 0}, shape = {.n = 0};
    for (int d = 0; d < rank; d++) {
        message dim = {.n = 0};
        put_int(&dim, 1, (uint64_t)dims[d]);
        put_message(&shape, 1, &dim);
    }
    put_int(&tensor, 1, BSR_F32);
    put_message(&tensor, 2, &shape);
    put_message(&type, 1, &tensor);
    put_text(&value, 1, name);
    put_message(&value, 2, &type);
    put_message(graph, field, &value);
}

/* Images of 1 x side x side; y = ones [side * side, 2] times the image, and what `last` makes of
 * it. */
static bsr_model *ones_model(int side, const char *last)
{
    static float ones[2 * 1024];
    message file = {.n = 0}, graph = {.n = 0}, weights = {.n = 0}, opset = {.n = 0};
    int n = side * side;
    for (int i = 0; i < 2 * n; i++)
        ones[i] = 1;
    put_node(&graph, "Flatten", "x", NULL, "flat");
    put_node(&graph, "Gemm", "flat", "w", last ? "sum" : "y");
    if (last)
        put_node(&graph, last, "sum", NULL, "y");
    put_text(&graph, 2, "ones");
    put_int(&weights, 1, (uint64_t)n);
    put_int(&weights, 1, 2);
    put_int(&weights, 2, BSR_F32);
    put_text(&weights, 8, "w");
    put_bytes(&weights, 9, ones, 2 * (size_t)n * sizeof *ones);
    put_message(&graph, 5, &weights);
    put_value(&graph, 11, "x", 4, (const int[]){1, 1, side, side});
    put_value(&graph, 12, "y", 2, (const int[]){1, 2});
    put_int(&opset, 2, 13);
    put_int(&file, 1, 7);
    put_message(&file, 7, &graph);
    put_message(&file, 8, &opset);
    bsr_model *m;
    if (bsr_model_load_bytes(&m, file.bytes, file.n, NULL) != BSR_OK)
        fail_msg("%s", bsr_error_message());
    return m;
}

typedef struct fixture {
    bsr_model *model;
    bsr_dataset *data;
    bsr_session s;
    bsr_sweep_memory memory;
    bsr_arena *arena;
    bsr_layer_statistics *layers;
    int n;
} fixture;

/* n images of random bytes, values 0..1. */
static void open_data(fixture *x, int n)
{
    char path[] = "/tmp/bsr_layers_XXXXXX", spec[64];
    bsr_model_info info = bsr_model_get_info(x->model);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "wb");
    bsr_rng rng = bsr_rng_make(3, 0);
    for (int i = 0; i < n; i++) {
        putc(0, f);
        putc(0, f);
        for (int k = 0; k < info.channels * info.height * info.width; k++)
            putc((int)bsr_rng_below(&rng, 256), f);
    }
    assert_int_equal(fclose(f), 0);
    snprintf(spec, sizeof spec, "planes16:%s", path);
    bsr_dataset_options o = BSR_DATASET_OPTIONS_INIT;
    o.data = spec;
    if (bsr_dataset_open(&x->data, &o, info.channels, info.height, info.width) != BSR_OK)
        fail_msg("%s", bsr_error_message());
    remove(path);
}

static bsr_status open_session(fixture *x, const char *format, bsr_target target, int threads)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.format = format;
    o.threads = threads;
    x->arena = bsr_arena_new();
    BSR_TRY(bsr_session_init(&x->s, x->model, x->data, &o, &target, 1));
    return bsr_memory_init(&x->memory, &x->s, &target, 1);
}

static void close_session(fixture *x)
{
    bsr_memory_clear(&x->memory);
    bsr_session_clear(&x->s);
    bsr_arena_free(x->arena);
    x->memory = (bsr_sweep_memory){0};
    x->s = (bsr_session){0};
}

static void open_fixture(fixture *x, bsr_model *model, int images, const char *format,
                         bsr_target target)
{
    *x = (fixture){.model = model};
    open_data(x, images);
    if (open_session(x, format, target, 2) != BSR_OK)
        fail_msg("%s", bsr_error_message());
}

static void close_fixture(fixture *x)
{
    close_session(x);
    bsr_dataset_free(x->data);
    bsr_model_free(x->model);
}

static bsr_status run(fixture *x, const double *rates, int n_rates, int images, int patterns)
{
    return bsr_layer_statistics_run(&x->layers, &x->n, x->arena, &x->s, &x->memory, rates, n_rates,
                                    images, patterns);
}

static void must_run(fixture *x, const double *rates, int n_rates, int images, int patterns)
{
    if (run(x, rates, n_rates, images, patterns) != BSR_OK)
        fail_msg("%s", bsr_error_message());
}

static void near(double got, double want, double relative)
{
    if (!(fabs(got - want) <= relative * fabs(want)))
        fail_msg("%.9g, expected %.9g within %g of it", got, want, relative);
}

/* Expected mean square of what flips with probability p do to images of bytes stored in int8 steps
 * of 1/127 (docs/theory/statistical-models.md): of one element, or of the sum of all. By the code
 * q: mean -p s (1 + 2 q), variance p (1 - p) s^2 (4^8 - 1) / 3. */
static double mean_square(const fixture *x, int images, double p, int of_sum)
{
    float pixel[1024];
    size_t n = (size_t)(bsr_dataset_height(x->data) * bsr_dataset_width(x->data));
    double s = 1.0 / 127, var = p * (1 - p) * s * s * (65536 - 1) / 3, square = 0;
    for (int i = 0; i < images; i++) {
        double sum = 0, squares = 0;
        assert_int_equal(bsr_dataset_image(x->data, (size_t)i, pixel), BSR_OK);
        for (size_t k = 0; k < n; k++) {
            double mean = -p * s * (1 + 2 * rint((double)pixel[k] * 127));
            sum += mean;
            squares += mean * mean;
        }
        square += of_sum ? sum * sum + (double)n * var : squares / (double)n + var;
    }
    return square / images;
}

/* Sums of 256 elements, 2 of them, the same: 8 images and 1500 patterns are 12,000 independent
 * sums. Standard error of the RMSE: 1/2 sqrt((2 + kurtosis) / 12000), of the kurtosis some 0.1. */
static void test_predict_layer_errors__gemm_of_equal_weights(void **state)
{
    enum { IMAGES = 8, PATTERNS = 1500, N = 256 };
    const double rates[] = {2e-3, 0.05};
    fixture x;
    open_fixture(&x, ones_model(16, NULL), IMAGES, "input=int8/range=1", BSR_TARGET_INPUT);
    must_run(&x, rates, 2, IMAGES, PATTERNS);
    assert_int_equal(x.n, 2);
    assert_string_equal(x.layers[0].name, "flat");
    assert_string_equal(x.layers[0].op, "Flatten");
    assert_string_equal(x.layers[1].name, "y");
    assert_string_equal(x.layers[1].op, "Gemm");
    for (int r = 0; r < 2; r++)
        for (int w = 0; w < 2; w++) {
            const bsr_layer_rmse *got = &x.layers[w].rates[r];
            double want = sqrt(mean_square(&x, IMAGES, rates[r], w == 1));
            assert_true(got->ber == rates[r]);
            near(got->predicted, want, 1e-5);
            near(got->measured, want, 0.03);
            assert_true(isnan(got->kurtosis_expected));
        }
    /* Fourth cumulants of independent bits of worth 2^i add up, as their variances do. */
    for (int r = 0; r < 2; r++) {
        double p = rates[r], q = p * (1 - p);
        double bit4 = (4294967296.0 - 1) / 15 * q * (1 - 6 * q), bit2 = (65536.0 - 1) / 3 * q;
        double want = bit4 / (bit2 * bit2) / N;
        double got = x.layers[1].rates[r].kurtosis;
        if (!(fabs(got - want) < 0.15))
            fail_msg("kurtosis %g, expected %g", got, want);
        if (r == 0)
            near(want, 0.6 / (N * p), 0.02);
    }
    /* Near to normal at the greater rate, where the quantiles were taken. */
    assert_true(x.layers[1].qq_ber == 0.05);
    for (int i = 0; i < BSR_QQ_POINTS; i++)
        assert_true(fabs(x.layers[1].qq[i] - bsr_normal_quantile((i + 0.5) / BSR_QQ_POINTS)) <
                    0.12);
    close_fixture(&x);
}

/* Weights of 1 in int8 are code 127: flips of the input's weights change a sum by x times what they
 * change the weight by. */
static void test_predict_layer_errors__flipped_weights(void **state)
{
    enum { IMAGES = 6, N = 256 };
    const double rates[] = {1e-2};
    fixture x;
    float pixel[N];
    open_fixture(&x, ones_model(16, NULL), IMAGES, "weight=int8", BSR_TARGET_WEIGHT);
    must_run(&x, rates, 1, IMAGES, 2000);
    double s = 1.0 / 127, p = rates[0], square = 0;
    double mean = -p * s * 255, var = p * (1 - p) * s * s * (65536 - 1) / 3;
    for (int i = 0; i < IMAGES; i++) {
        double sum = 0, squares = 0;
        assert_int_equal(bsr_dataset_image(x.data, (size_t)i, pixel), BSR_OK);
        for (int k = 0; k < N; k++) {
            sum += (double)pixel[k];
            squares += (double)pixel[k] * (double)pixel[k];
        }
        square += mean * mean * sum * sum + var * squares;
    }
    near(x.layers[1].rates[0].predicted, sqrt(square / IMAGES), 1e-4);
    /* Images share the patterns: 4,000 independent sums. */
    near(x.layers[1].rates[0].measured, sqrt(square / IMAGES), 0.05);
    assert_true(x.layers[0].rates[0].predicted == 0 && x.layers[0].rates[0].measured == 0);
    assert_true(isnan(x.layers[0].rates[0].kurtosis));
    close_fixture(&x);
}

/* The recursion is exact where the image is hit, and too low by at most 45 % at the inputs of
 * the convolutions behind; global pooling averages errors that share their causes, so that it is
 * too low there and in the logits. */
static void test_predict_layer_errors__recursion_against_bits(void **state)
{
    const double rates[] = {1e-4, 1e-3};
    const bsr_target targets[] = {BSR_TARGET_ACTIVATION, BSR_TARGET_WEIGHT};
    for (int t = 0; t < 2; t++) {
        fixture x;
        bsr_model *model;
        assert_int_equal(bsr_model_load(&model, DEMO, NULL), BSR_OK);
        open_fixture(&x, model, 4, "int8", targets[t]);
        must_run(&x, rates, 2, 4, t ? 300 : 60);
        assert_true(x.n >= 5);
        for (int i = 0; i < x.n; i++) {
            const bsr_layer_rmse *r = &x.layers[i].rates[1];
            int pooled = strstr(x.layers[i].op, "Pool") || i == x.n - 1;
            double ratio = r->predicted / r->measured;
            if (t == 1 && i == 0)
                assert_true(r->predicted == 0 && r->measured == 0);
            else if (!pooled)
                assert_true(ratio > 0.55 && ratio < 1.1);
            else
                assert_true(ratio > 0.2 && ratio < 1.1);
            if (t == 0 && i == 0)
                near(ratio, 1, 0.05);
        }
        close_fixture(&x);
    }
}

/* Bits of floats do not add up, but two flips in one element are rare. 8,000 independent sums. */
static void test_predict_layer_errors__floats_with_a_range(void **state)
{
    const double rate = 1e-3;
    fixture x;
    open_fixture(&x, ones_model(16, NULL), 8, "input=fp16/range=1", BSR_TARGET_INPUT);
    must_run(&x, &rate, 1, 8, 1000);
    near(x.layers[0].rates->measured, x.layers[0].rates->predicted, 0.03);
    near(x.layers[1].rates->measured, x.layers[1].rates->predicted, 0.05);
    close_fixture(&x);
}

static void assert_same(double a, double b)
{
    assert_true(a == b || (isnan(a) && isnan(b)));
}

static void test_predict_layer_errors__the_same_for_any_threads(void **state)
{
    const double rates[] = {1e-4, 1e-3};
    fixture x, y;
    bsr_model *model;
    assert_int_equal(bsr_model_load(&model, DEMO, NULL), BSR_OK);
    open_fixture(&x, model, 5, "int8", BSR_TARGET_ACTIVATION);
    must_run(&x, rates, 2, 3, 5);
    y = x;
    assert_int_equal(open_session(&y, "int8", BSR_TARGET_ACTIVATION, 1), BSR_OK);
    must_run(&y, rates, 2, 3, 5);
    assert_int_equal(x.n, y.n);
    for (int i = 0; i < x.n; i++) {
        assert_same(x.layers[i].rms, y.layers[i].rms);
        for (int r = 0; r < 2; r++) {
            assert_same(x.layers[i].rates[r].predicted, y.layers[i].rates[r].predicted);
            assert_same(x.layers[i].rates[r].measured, y.layers[i].rates[r].measured);
            assert_same(x.layers[i].rates[r].kurtosis, y.layers[i].rates[r].kurtosis);
        }
        for (int k = 0; k < BSR_QQ_POINTS; k++)
            assert_same(x.layers[i].qq[k], y.layers[i].qq[k]);
    }
    close_session(&y);
    close_fixture(&x);
}

/* Without patterns nothing is measured; behind an operator without a rule, and where float32 bits
 * flip, nothing is predicted. */
static void test_predict_layer_errors__what_is_not_known_is_nan(void **state)
{
    const double rate = 1e-3;
    fixture x;
    open_fixture(&x, ones_model(4, "Softmax"), 2, "input=int8/range=1", BSR_TARGET_INPUT);
    must_run(&x, &rate, 1, 2, 0);
    assert_true(x.layers[0].rates->predicted > 0 && isnan(x.layers[1].rates->predicted));
    assert_true(isnan(x.layers[0].rates->measured) && isnan(x.layers[0].rates->kurtosis));
    assert_true(isnan(x.layers[0].qq[0]) && isnan(x.layers[0].qq_ber));
    assert_string_equal(x.layers[1].op, "Softmax");
    must_run(&x, &rate, 1, 2, 3);
    assert_true(isfinite(x.layers[1].rates->measured));
    assert_true(isnan(x.layers[1].rates->kurtosis));
    close_fixture(&x);
    open_fixture(&x, ones_model(4, NULL), 2, NULL, BSR_TARGET_INPUT);
    must_run(&x, &rate, 1, 2, 0);
    assert_true(isnan(x.layers[0].rates->predicted) && isnan(x.layers[1].rates->predicted));
    close_fixture(&x);
}

static void expect_refusal(fixture *x, double rate, int n_rates, int images, int patterns,
                           const char *want)
{
    assert_int_equal(run(x, &rate, n_rates, images, patterns), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), want);
    assert_null(x->layers);
    assert_int_equal(x->n, 0);
}

static void test_predict_layer_errors__refusals(void **state)
{
    fixture x;
    open_fixture(&x, ones_model(4, NULL), 2, NULL, BSR_TARGET_INPUT);
    expect_refusal(&x, 1e-3, 1, 0, 1, "layer statistics of 0 images, expected at least 1");
    expect_refusal(&x, 1e-3, 0, 1, 1, "layer statistics at 0 rates, expected at least 1");
    expect_refusal(&x, 1e-3, 1, 1, -1, "layer statistics of -1 error patterns, expected 0 or more");
    expect_refusal(&x, 0, 1, 1, 1, "bit error rate 0 is not in (0, 1]");
    expect_refusal(&x, 1.5, 1, 1, 1, "bit error rate 1.5 is not in (0, 1]");
    const double rate = 1e-3;
    assert_int_equal(run(&x, &rate, 1, 1, (1 << 20) + 1), BSR_ELIMIT);
    assert_string_equal(bsr_error_message(),
                        "layer statistics of 1048577 error patterns, at most 1048576");
    close_fixture(&x);
}

static int stop(void *ctx, const bsr_progress *p)
{
    return strcmp(p->phase, ctx) == 0;
}

static void test_predict_layer_errors__the_caller_may_stop_it(void **state)
{
    static char *const phases[] = {"predicting layers", "measuring layers"};
    const double rate = 1e-3;
    fixture x;
    open_fixture(&x, ones_model(4, NULL), 2, "int8", BSR_TARGET_INPUT);
    for (int i = 0; i < 2; i++) {
        x.s.options.progress = stop;
        x.s.options.progress_ctx = phases[i];
        assert_int_equal(run(&x, &rate, 1, 2, 3), BSR_ECANCELLED);
        assert_string_equal(bsr_error_message(), "stopped by the caller");
    }
    close_fixture(&x);
}

static void test_predict_layer_errors__out_of_memory(void **state)
{
    const double rates[] = {1e-3, 1e-2};
    fixture x;
    open_fixture(&x, ones_model(4, "Relu"), 2, "int8", BSR_TARGET_INPUT);
    bsr_status status = BSR_ENOMEM;
    for (long n = 1; status == BSR_ENOMEM; n++) {
        bsr_alloc_fail_after(n);
        status = run(&x, rates, 2, 2, 2);
        if (bsr_alloc_fail_pending())
            break;
        assert_int_equal(status, BSR_ENOMEM);
        assert_int_equal(x.n, 0);
    }
    bsr_alloc_fail_after(0);
    assert_int_equal(status, BSR_OK);
    close_fixture(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predict_layer_errors__gemm_of_equal_weights),
        cmocka_unit_test(test_predict_layer_errors__flipped_weights),
        cmocka_unit_test(test_predict_layer_errors__recursion_against_bits),
        cmocka_unit_test(test_predict_layer_errors__floats_with_a_range),
        cmocka_unit_test(test_predict_layer_errors__the_same_for_any_threads),
        cmocka_unit_test(test_predict_layer_errors__what_is_not_known_is_nan),
        cmocka_unit_test(test_predict_layer_errors__refusals),
        cmocka_unit_test(test_predict_layer_errors__the_caller_may_stop_it),
        cmocka_unit_test(test_predict_layer_errors__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
