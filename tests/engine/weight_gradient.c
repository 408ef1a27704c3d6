/* Gradients at weights and biases against the reference gradients of the graph: the same bits
 * however they are computed; memory that ends. */
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
#include "exec/weight_gradient.h"
#include "ops/graph_gradient.h"
#include "rng/philox.h"
#include "support/gradient_bench.h"
#include "support/zoo.h"

/* Sums over a whole image round: how far they may be off, as a share of the largest. */
#define NEAR 1e-4

static const bsr_cpu sets[] = {BSR_CPU_REF, BSR_CPU_AVX2, BSR_CPU_AVX512};

/* Gradients of all seeds at every wanted layer, NULL for others. */
typedef struct layer_maps {
    const gradient_bench *b;
    bsr_weight_gradients *w;
    int n, last;
    float **weights, **bias; /* [layers] of [n][elements], in the layout of weight_gradient.h */
} layer_maps;

static size_t channels_of(const bsr_weights *w)
{
    return (size_t)w->groups * (size_t)w->cout;
}

static bsr_status take(void *ctx, int layer, const float *gradient, size_t stride)
{
    layer_maps *m = ctx;
    const bsr_weights *w = m->b->net.plan->layers[layer].weights;
    assert_null(m->weights[layer]);
    assert_true(layer < m->last);
    m->last = layer;
    size_t n = (size_t)m->n;
    float *weights = bsr_alloc_array(n * bsr_weight_gradient_count(w), sizeof *weights);
    float *bias = bsr_alloc_array(n * channels_of(w), sizeof *bias);
    bsr_weight_gradient(m->w, m->b->g, layer, gradient, stride, m->n, weights, bias);
    m->weights[layer] = weights;
    m->bias[layer] = bias;
    return BSR_OK;
}

/* wanted: [layers], NULL: all. */
static void layer_maps_new(layer_maps *m, const gradient_bench *b, int image, int n,
                           const float *seeds, const unsigned char *wanted)
{
    const bsr_plan *plan = b->net.plan;
    size_t layers = (size_t)plan->n_layers;
    *m = (layer_maps){.b = b, .n = n, .last = plan->n_layers};
    m->weights = bsr_calloc_array(layers, sizeof *m->weights);
    m->bias = bsr_calloc_array(layers, sizeof *m->bias);
    unsigned char *all = bsr_alloc_array(layers, 1);
    memset(all, 1, layers);
    bsr_gradient_request request = {
        .n = n, .seeds = seeds, .wanted_layers = wanted ? wanted : all, .layer_fn = take, .ctx = m};
    zoo_check(bsr_weight_gradients_new(&m->w, b->gp), "workspace");
    zoo_check(bsr_gradients_run(b->g, &b->golden, image, &request), "gradients");
    for (size_t i = 0; i < layers; i++)
        assert_int_equal(m->weights[i] != NULL, !wanted || wanted[i]);
    bsr_free(all);
}

static void layer_maps_free(layer_maps *m)
{
    for (int i = 0; i < m->b->net.plan->n_layers; i++) {
        bsr_free(m->weights[i]);
        bsr_free(m->bias[i]);
    }
    bsr_free(m->weights);
    bsr_free(m->bias);
    bsr_weight_gradients_free(m->w);
}

/* Seeds [n][classes] of the first logits, and of as many random sums of all of them. */
static int make_seeds(float **logits, float **sums, int classes)
{
    int n = classes < BSR_MAX_RIVALS ? classes : BSR_MAX_RIVALS;
    size_t count = (size_t)(n * classes);
    bsr_rng rng = bsr_rng_make(21, 0);
    *logits = bsr_calloc_array(count, sizeof **logits);
    *sums = bsr_alloc_array(count, sizeof **sums);
    for (int k = 0; k < n; k++)
        (*logits)[k * classes + k] = 1;
    for (size_t i = 0; i < count; i++)
        (*sums)[i] = (float)bsr_rng_below(&rng, 2001) / 1000 - 1;
    return n;
}

/* Adds what seed k gives the elements of graph value `value` by all layers that read it. */
static void gather(const layer_maps *m, int value, int k, double *sum)
{
    const bsr_plan *plan = m->b->net.plan;
    for (int i = 0; i < plan->n_layers; i++) {
        const bsr_weights *w = plan->layers[i].weights;
        size_t count = bsr_weight_gradient_count(w), channels = channels_of(w);
        for (size_t e = 0; w->value == value && e < count; e++) {
            int channel, tap, c;
            bsr_weights_locate(w, (int64_t)e, &channel, &tap, &c);
            size_t at = bsr_weight_gradient_at(w, channel, tap, c);
            sum[e] += (double)m->weights[i][(size_t)k * count + at];
        }
        for (size_t e = 0; w->bias_value == value && e < channels; e++)
            sum[e] += (double)m->bias[i][(size_t)k * channels + e];
    }
}

static double largest(const bsr_tensor *t)
{
    double most = 0;
    for (int64_t e = 0; t && e < bsr_count(t->rank, t->dims); e++)
        most = fmax(most, fabs((double)((const float *)t->data)[e]));
    return most;
}

/* Differences are measured by the layer's largest gradient: that of a bias may be 0 but for
 * rounding. */
static void compare(const layer_maps *m, const char *path, const bsr_tensor *want, int value, int k,
                    double most)
{
    size_t count = (size_t)bsr_count(want->rank, want->dims);
    double *got = bsr_calloc_array(count, sizeof *got), off = 0;
    gather(m, value, k, got);
    for (size_t e = 0; e < count; e++) {
        double x = (double)((const float *)want->data)[e];
        off = fmax(off, isfinite(x) && isfinite(got[e]) ? fabs(x - got[e]) : INFINITY);
    }
    if (!(off <= NEAR * most))
        fail_msg("%s, seed %d, '%s': off by %g of %g", path, k,
                 m->b->net.plan->graph->values[value].name, off, most);
    bsr_free(got);
}

/* Seed k at the weights and the bias of a layer. */
static void compare_layer(const layer_maps *m, const char *path, const bsr_tape *tape,
                          const bsr_tensor *seed, int layer, int k)
{
    const bsr_plan *plan = m->b->net.plan;
    const bsr_weights *w = plan->layers[layer].weights;
    const int values[2] = {w->value, w->bias_value};
    int n = w->bias_value < 0 ? 1 : 2;
    bsr_tensor *want[2] = {NULL, NULL};
    zoo_check(bsr_tape_gradient(tape, plan->graph->outputs[0], seed, n, values, want), path);
    double most = fmax(largest(want[0]), largest(want[1]));
    for (int v = 0; v < n; v++)
        compare(m, path, want[v], values[v], k, most);
    bsr_tensor_free(want[0]);
    bsr_tensor_free(want[1]);
}

static void expect_seeds(const gradient_bench *b, const char *path, int image, int n,
                         const float *seeds)
{
    const bsr_plan *plan = b->net.plan;
    const bsr_value *z = &plan->graph->values[plan->graph->outputs[0]];
    const bsr_tensor *input = b->images.tensors[image];
    bsr_tensor *seed;
    bsr_tape *tape;
    layer_maps m;
    layer_maps_new(&m, b, image, n, seeds, NULL);
    zoo_check(bsr_tape_new(&tape, plan->graph, &input), path);
    zoo_check(bsr_tensor_new(&seed, BSR_F32, z->rank, z->dims), "seed");
    for (int k = 0; k < n; k++) {
        memcpy(seed->data, seeds + k * b->net.classes, (size_t)b->net.classes * sizeof(float));
        for (int i = 0; i < plan->n_layers; i++)
            compare_layer(&m, path, tape, seed, i, k);
    }
    bsr_tensor_free(seed);
    bsr_tape_free(tape);
    layer_maps_free(&m);
}

/* seeds: of each kind, at most. */
static void expect_reference(const char *path, whole_keep keep, int images, int seeds)
{
    gradient_bench b;
    float *logits, *sums;
    gradient_bench_open(&b, path, bsr_cpu_best(), keep, images);
    int n = make_seeds(&logits, &sums, b.net.classes);
    n = n < seeds ? n : seeds;
    for (int i = 0; i < images; i++) {
        expect_seeds(&b, path, i, n, logits);
        expect_seeds(&b, path, i, n, sums);
    }
    bsr_free(logits);
    bsr_free(sums);
    gradient_bench_close(&b);
}

static void test_weight_gradient__follows_the_reference(void **state)
{
    for (const gradient_network *net = gradient_float_networks; net->path; net++)
        expect_reference(net->path, WHOLE_KEEP_DEFAULT, 2, BSR_MAX_RIVALS);
    for (const gradient_network *net = gradient_code_networks; net->path; net++)
        expect_reference(net->path, WHOLE_KEEP_DEFAULT, 4, BSR_MAX_RIVALS);
}

/* The input of a layer may have to be made again. */
static void test_weight_gradient__inputs_that_are_not_kept(void **state)
{
    expect_reference("tests/engine/data/wide.onnx", WHOLE_KEEP_NONE, 2, BSR_MAX_RIVALS);
}

/* Kernel sets, which layers are wanted, and what other seeds there are must not matter. */
static void expect_same_bits(const gradient_network *net)
{
    gradient_bench first, b;
    layer_maps all, m;
    float *logits, *sums;
    gradient_bench_open(&first, net->path, BSR_CPU_REF, WHOLE_KEEP_DEFAULT, 1);
    const bsr_plan *plan = first.net.plan;
    int n = make_seeds(&logits, &sums, first.net.classes);
    layer_maps_new(&all, &first, 0, n, sums, NULL);
    unsigned char *wanted = bsr_alloc_array((size_t)plan->n_layers, 1);
    bsr_rng rng = bsr_rng_make(5, 0);
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        if (!bsr_kernels_for(sets[s]))
            continue;
        gradient_bench_open(&b, net->path, sets[s], WHOLE_KEEP_DEFAULT, 1);
        for (int round = 0; round < 4; round++) {
            size_t from = round ? bsr_rng_below(&rng, (uint64_t)n) : 0, some = (size_t)n - from;
            for (int i = 0; i < plan->n_layers; i++)
                wanted[i] = !round || bsr_rng_below(&rng, 2) == 0;
            layer_maps_new(&m, &b, 0, (int)some, sums + from * (size_t)b.net.classes, wanted);
            for (int i = 0; i < plan->n_layers; i++) {
                const bsr_weights *w = plan->layers[i].weights;
                size_t count = bsr_weight_gradient_count(w), channels = channels_of(w);
                if (wanted[i] && (memcmp(m.weights[i], all.weights[i] + from * count,
                                         some * count * sizeof(float)) ||
                                  memcmp(m.bias[i], all.bias[i] + from * channels,
                                         some * channels * sizeof(float))))
                    fail_msg("%s, layer %d: other bits with kernels %s", net->path, i,
                             bsr_cpu_name(sets[s]));
            }
            layer_maps_free(&m);
        }
        gradient_bench_close(&b);
    }
    bsr_free(wanted);
    bsr_free(logits);
    bsr_free(sums);
    layer_maps_free(&all);
    gradient_bench_close(&first);
}

static void test_weight_gradient__same_bits_however_computed(void **state)
{
    for (const gradient_network *net = gradient_float_networks; net->path; net++)
        expect_same_bits(net);
    for (const gradient_network *net = gradient_code_networks; net->path; net++)
        expect_same_bits(net);
}

/* Every element has a place of its own. */
static void test_weight_gradient__places(void **state)
{
    static const char *const paths[] = {
        "tests/engine/data/grouped.onnx", "tests/engine/data/codes_qdq.onnx",
        "tests/engine/data/codes_moved.onnx", "tests/engine/data/gemm_chw.onnx"};
    for (size_t p = 0; p < sizeof paths / sizeof *paths; p++) {
        gradient_bench b;
        gradient_bench_open(&b, paths[p], bsr_cpu_best(), WHOLE_KEEP_DEFAULT, 1);
        for (int i = 0; i < b.net.plan->n_layers; i++) {
            const bsr_weights *w = b.net.plan->layers[i].weights;
            const bsr_value *v = &b.net.plan->graph->values[w->value];
            size_t count = bsr_weight_gradient_count(w);
            assert_int_equal(count, bsr_count(v->rank, v->dims));
            unsigned char *taken = bsr_calloc_array(count, 1);
            for (size_t e = 0; e < count; e++) {
                int m, tap, c;
                bsr_weights_locate(w, (int64_t)e, &m, &tap, &c);
                size_t at = bsr_weight_gradient_at(w, m, tap, c);
                assert_in_range(at, 0, count - 1);
                assert_int_equal(taken[at]++, 0);
            }
            bsr_free(taken);
        }
        gradient_bench_close(&b);
    }
}

static void test_weight_gradient__out_of_memory(void **state)
{
    gradient_bench b;
    gradient_bench_open(&b, "tests/engine/data/grouped.onnx", bsr_cpu_best(), WHOLE_KEEP_DEFAULT,
                        1);
    for (long n = 1, fired = 1; fired; n++) {
        bsr_weight_gradients *w = (bsr_weight_gradients *)1;
        bsr_alloc_fail_after(n);
        bsr_status status = bsr_weight_gradients_new(&w, b.gp);
        fired = !bsr_alloc_fail_pending();
        bsr_alloc_fail_after(0);
        assert_int_equal(status, fired ? BSR_ENOMEM : BSR_OK);
        if (fired)
            assert_null(w);
        bsr_weight_gradients_free(w);
    }
    gradient_bench_close(&b);
}

/* Real networks, on noise. */
static void test_weight_gradient__pretrained(void **state)
{
    static const char *const names[] = {
        "cifar10_resnet20_akamaster_bn", "cifar10_resnet8_mlperftiny_float", "mnist_cntk_opset8",
        "cifar10_resnet20_akamaster_int8_qdq", "cifar10_resnet8_mlperftiny_int8_qop"};
    if (!getenv("BITSEER_DATA"))
        skip();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[4096], file[128];
        snprintf(file, sizeof file, "%s.onnx", names[i]);
        expect_reference(zoo_path(path, "models", file), WHOLE_KEEP_NONE, 1, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weight_gradient__follows_the_reference),
        cmocka_unit_test(test_weight_gradient__inputs_that_are_not_kept),
        cmocka_unit_test(test_weight_gradient__same_bits_however_computed),
        cmocka_unit_test(test_weight_gradient__places),
        cmocka_unit_test(test_weight_gradient__out_of_memory),
        cmocka_unit_test(test_weight_gradient__pretrained),
    };
    return cmocka_run_group_tests_name("weight_gradient", tests, NULL, NULL);
}
