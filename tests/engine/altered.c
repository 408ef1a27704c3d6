/* Changed constants that are no layer's weights or bias, against files with the same change: loaded
 * and compiled anew they give the same bits, and so does the reference interpreter on their graphs.
 * Where sums run on codes in place of float nodes, the interpreter rounds elsewhere and the logits
 * are near (docs/design/numerics.md). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "exec/altered.h"
#include "rng/philox.h"
#include "support/compare_plan.h"
#include "support/interp.h"
#include "support/patch_onnx.h"
#include "support/whole.h"

enum { IMAGES = 2, CLASSES = 16 };

/* near: the interpreter's logits may be this far off, as a share of the largest; 0: same bits.
 * constants: how many can be altered, counted in the network's definition; -1: in no such place. */
typedef struct network {
    const char *name;
    int constants, rounds;
    float near;
} network;

/* Definitions: make_graphs.py. codes_qdq: of each of 4 pairs around activations scale and zero
 * point, of each of 3 layers the weights' scales and the bias's. codes_qop: one pair for the input,
 * 4 vectors and scalars for each convolution, 4 vectors of the normalization. */
static const network graphs[] = {
    {"attention", 1, 10, 0},         {"codes_qdq", 14, 10, .05f},   {"codes_qop", 14, 10, 0},
    {"flat_input", 5, 10, 0},        {"gemm_chw", 3, 10, 0},        {"grouped", 2, 10, 0},
    {"hard_swish_pieces", 9, 10, 0}, {"max_pool_border", 1, 10, 0}, {"nhwc", 1, 10, 0},
    {"pad_slice", 2, 10, 0},
};
static const network demo = {"fashion_resnet", -1, 3, 0};
static const network pretrained[] = {
    {"cifar10_resnet8_mlperftiny_int8_qdq", -1, 1, .2f},
    {"cifar10_resnet8_mlperftiny_int8_qop", -1, 1, .2f},
};

typedef struct bench {
    const network *def;
    void *bytes;
    size_t n;
    whole net;
    whole_images images;
    bsr_altered *altered;
} bench;

static void open_bench(bench *b, const char *path, const network *def)
{
    b->def = def;
    b->bytes = whole_read(path, &b->n);
    whole_open(&b->net, b->bytes, b->n, bsr_cpu_best(), WHOLE_KEEP_DEFAULT);
    assert_in_range(b->net.classes, 1, CLASSES);
    whole_images_new(&b->images, &b->net, IMAGES, 6);
    assert_int_equal(
        bsr_altered_new(&b->altered, b->net.model->graph, b->net.plan->kernels, b->net.keep),
        BSR_OK);
}

static void close_bench(bench *b)
{
    bsr_altered_free(b->altered);
    whole_images_free(&b->images);
    whole_close(&b->net);
    bsr_free(b->bytes);
}

static bsr_status run(const bench *b, int value, int64_t element, uint32_t bits, float *got)
{
    float *logits[IMAGES];
    for (int i = 0; i < IMAGES; i++)
        logits[i] = got + i * b->net.classes;
    return bsr_altered_run(b->altered, value, element, bits, IMAGES,
                           (const char *const *)b->images.pixels, logits);
}

static int is_layer_parameter(const bsr_plan *plan, int value)
{
    for (int i = 0; i < plan->n_layers; i++)
        if (plan->layers[i].weights->value == value || plan->layers[i].weights->bias_value == value)
            return 1;
    return 0;
}

static uint32_t stored(const bsr_tensor *t, int64_t element)
{
    uint32_t bits = 0;
    size_t esize = bsr_dtype_size(t->dtype);
    memcpy(&bits, (const char *)t->data + (size_t)element * esize, esize);
    return bits;
}

/* The i-th change of a float: its sign, its highest exponent bit, special values, then any flip. */
static uint32_t new_bits(bsr_rng *rng, int i, uint32_t bits, size_t esize)
{
    static const uint32_t special[] = {0x7f800000, 0x7fc00000, 0x00000000, 0x00000001, 0x7f7fffff};
    if (esize == 4 && i < 2)
        return bits ^ (uint32_t)1 << (31 - i);
    if (esize == 4 && i < 7)
        return special[i - 2];
    return bits ^ (uint32_t)1 << bsr_rng_below(rng, esize * 8);
}

/* Is x as near to y as the network asks? What is not finite must be the same. */
static int is_near(const bench *b, const float *x, const float *y)
{
    float most = 0, off = 0;
    for (int i = 0; i < b->net.classes; i++) {
        if (same_floats(&x[i], &y[i], 1)) {
            most = isfinite(y[i]) ? fmaxf(most, fabsf(y[i])) : most;
            continue;
        }
        if (!isfinite(x[i]) || !isfinite(y[i]))
            return 0;
        most = fmaxf(most, fabsf(y[i]));
        off = fmaxf(off, fabsf(x[i] - y[i]));
    }
    return off <= b->def->near * most;
}

static void compare_change(const bench *b, int value, int64_t element, uint32_t bits)
{
    const bsr_value *v = &b->net.model->graph->values[value];
    char *bytes = bsr_alloc_array(b->n, 1);
    assert_non_null(bytes);
    memcpy(bytes, b->bytes, b->n);
    size_t esize = bsr_dtype_size(v->constant->dtype);
    assert_int_equal(patch_onnx(bytes, b->n, v->name, element, esize, bits), 1);
    whole changed;
    interp *p;
    float got[IMAGES * CLASSES], want[IMAGES * CLASSES];
    whole_open(&changed, bytes, b->n, bsr_cpu_best(), WHOLE_KEEP_DEFAULT);
    whole_logits(&changed, (const char *const *)b->images.pixels, IMAGES, want);
    assert_int_equal(run(b, value, element, bits, got), BSR_OK);
    int ok = same_floats(got, want, (size_t)(IMAGES * b->net.classes));
    assert_int_equal(interp_new(&p, changed.model->graph), BSR_OK);
    for (int i = 0; i < IMAGES && ok; i++) {
        assert_int_equal(interp_run(p, (const bsr_tensor *const[]){b->images.tensors[i]}), BSR_OK);
        ok = is_near(b, got + i * b->net.classes, interp_output(p, 0)->data);
        for (int c = 0; c < b->net.classes && !ok; c++)
            print_error("%g %g\n", (double)got[i * b->net.classes + c],
                        (double)((float *)interp_output(p, 0)->data)[c]);
    }
    if (!ok)
        fail_msg("%s: '%s', element %lld, bits %08x", b->def->name, v->name, (long long)element,
                 bits);
    interp_free(p);
    whole_close(&changed);
    bsr_free(bytes);
}

/* Changes rounds [first, first + n) of every constant that may; how many constants there are. */
static int change_all(const bench *b, int first, int n)
{
    const bsr_graph *g = b->net.model->graph;
    int constants = 0;
    for (int v = 0; v < g->n_values; v++) {
        if (!bsr_altered_can(g, v) || is_layer_parameter(b->net.plan, v))
            continue;
        constants++;
        const bsr_tensor *t = g->values[v].constant;
        bsr_rng rng = bsr_rng_make((uint64_t)first, (uint64_t)v);
        for (int i = first; i < first + n; i++) {
            int64_t element = (int64_t)bsr_rng_below(&rng, (uint64_t)bsr_count(t->rank, t->dims));
            uint32_t bits = new_bits(&rng, i, stored(t, element), bsr_dtype_size(t->dtype));
            compare_change(b, v, element, bits);
        }
    }
    return constants;
}

/* Twice round all constants, so that what a change left behind would show in the next ones. */
static void changes_of(const char *path, const network *def)
{
    bench b;
    open_bench(&b, path, def);
    const bsr_graph *g = b.net.model->graph;
    int constants = change_all(&b, 0, def->rounds);
    change_all(&b, def->rounds, def->rounds);
    if (def->constants >= 0)
        assert_int_equal(constants, def->constants);
    else
        assert_true(constants > 0);
    float golden[IMAGES * CLASSES], got[IMAGES * CLASSES];
    whole_logits(&b.net, (const char *const *)b.images.pixels, IMAGES, golden);
    int v = 0;
    while (!bsr_altered_can(g, v))
        v++;
    assert_int_equal(run(&b, v, 0, stored(g->values[v].constant, 0), got), BSR_OK);
    assert_true(same_floats(got, golden, (size_t)(IMAGES * b.net.classes)));
    close_bench(&b);
}

static void test_altered__graphs(void **state)
{
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        char path[256];
        snprintf(path, sizeof path, "tests/engine/data/%s.onnx", graphs[i].name);
        changes_of(path, &graphs[i]);
    }
}

static void test_altered__demo(void **state)
{
    changes_of("models/fashion_resnet.onnx", &demo);
}

static void test_altered__pretrained(void **state)
{
    const char *folder = getenv("BITSEER_DATA");
    if (!folder)
        skip();
    for (size_t i = 0; i < sizeof pretrained / sizeof *pretrained; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/models/%s.onnx", folder, pretrained[i].name);
        changes_of(path, &pretrained[i]);
    }
}

static void expect_refusal(const bench *b, int value, int64_t element, const char *format, ...)
    BSR_PRINTF(4, 5);

static void expect_refusal(const bench *b, int value, int64_t element, const char *format, ...)
{
    float got[IMAGES * CLASSES];
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    assert_int_equal(run(b, value, element, 0, got), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), message);
}

static void test_altered__refuses(void **state)
{
    bench b;
    open_bench(&b, "tests/engine/data/pad_slice.onnx", &graphs[9]);
    const bsr_graph *g = b.net.model->graph;
    int starts = -1;
    for (int v = 0; v < g->n_values; v++)
        if (g->values[v].constant && g->values[v].constant->dtype == BSR_I64)
            starts = v;
    assert_true(starts >= 0);
    expect_refusal(&b, starts, 0, "'%s' is not a constant whose elements are data",
                   g->values[starts].name);
    expect_refusal(&b, g->inputs[0], 0, "'x' is not a constant whose elements are data");
    int weights = g->nodes[0].in[1]; /* 4 channels of 3 inputs and one tap */
    expect_refusal(&b, weights, 12, "'%s' has 12 elements, element 12 does not exist",
                   g->values[weights].name);
    expect_refusal(&b, weights, -1, "'%s' has 12 elements, element -1 does not exist",
                   g->values[weights].name);
    close_bench(&b);
}

/* Every allocation in turn fails: an error, no leak, and the change undone. */
static void test_altered__out_of_memory(void **state)
{
    bench b;
    open_bench(&b, "tests/engine/data/codes_qdq.onnx", &graphs[1]);
    const bsr_graph *g = b.net.model->graph;
    float golden[IMAGES * CLASSES], got[IMAGES * CLASSES];
    whole_logits(&b.net, (const char *const *)b.images.pixels, IMAGES, golden);
    for (long n = 1, fired = 1; fired; n++) {
        bsr_altered *a = (bsr_altered *)1;
        bsr_alloc_fail_after(n);
        bsr_status status = bsr_altered_new(&a, g, b.net.plan->kernels, b.net.keep);
        fired = !bsr_alloc_fail_pending();
        bsr_alloc_fail_after(0);
        assert_int_equal(status, fired ? BSR_ENOMEM : BSR_OK);
        if (fired)
            assert_null(a);
        bsr_altered_free(a);
    }
    int scale = g->nodes[0].in[1];
    const bsr_tensor *t = g->values[scale].constant;
    for (long n = 1, fired = 1; fired; n++) {
        bsr_alloc_fail_after(n);
        bsr_status status = run(&b, scale, 0, 0x40000000, got);
        fired = !bsr_alloc_fail_pending();
        bsr_alloc_fail_after(0);
        assert_int_equal(status, fired ? BSR_ENOMEM : BSR_OK);
        assert_int_equal(run(&b, scale, 0, stored(t, 0), got), BSR_OK);
        assert_true(same_floats(got, golden, (size_t)(IMAGES * b.net.classes)));
    }
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_altered__graphs),        cmocka_unit_test(test_altered__demo),
        cmocka_unit_test(test_altered__pretrained),    cmocka_unit_test(test_altered__refuses),
        cmocka_unit_test(test_altered__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
