/* The demo network in other formats. Expectations marked "reference" are the output of
 * storage_reference.py (numpy 1.24.2, onnx 1.12.0). */
#include "unit/data/temp_files.h"

#include <math.h>

#include "base/sha256.h"
#include "bitseer/dataset.h"
#include "exec/golden.h"
#include "fault/storage.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define STEM_RELU    "/stem/relu/Relu_output_0"

static bsr_model *demo;
static bsr_dataset *images; /* three, as image() of the reference */
static bsr_pool *pool;

static void ok(bsr_status status)
{
    if (status != BSR_OK)
        fail_msg("%s", bsr_error_message());
}

static bsr_model *load(const char *path)
{
    bsr_model *model;
    ok(bsr_model_load(&model, path, NULL));
    return model;
}

static int setup(void **state)
{
    enum { N = 3, SIDE = 28, PIXELS = SIDE * SIDE };
    static unsigned char x[16 + N * PIXELS] = {0, 0, 8, 3,    0, 0, 0, N,
                                               0, 0, 0, SIDE, 0, 0, 0, SIDE};
    static const unsigned char y[8 + N] = {0, 0, 8, 1, 0, 0, 0, N};
    for (int i = 0; i < N; i++)
        for (int p = 0; p < PIXELS; p++)
            x[16 + i * PIXELS + p] = (unsigned char)((p * p / 7 + 37 * p + 101 * i) % 256);
    if (temp_setup(state))
        return -1;
    char spec[600];
    bsr_dataset_options options = BSR_DATASET_OPTIONS_INIT;
    snprintf(spec, sizeof spec, "idx:%s,%s", temp_put("x", x, sizeof x),
             temp_put("y", y, sizeof y));
    options.data = spec;
    demo = load("models/fashion_resnet.onnx");
    ok(bsr_dataset_open(&images, &options, 1, SIDE, SIDE));
    ok(bsr_pool_new(&pool, 1));
    return 0;
}

static int teardown(void **state)
{
    bsr_model_free(demo);
    bsr_dataset_free(images);
    bsr_pool_free(pool);
    return temp_teardown(state);
}

static bsr_storage_choice choice(bsr_target target, const char *format)
{
    bsr_storage_choice c = {.target = (int)target};
    ok(bsr_format_parse(&c.format, format));
    return c;
}

static bsr_storage *store(const bsr_storage_choice *choices, int n, const unsigned char *tensors)
{
    bsr_storage *s;
    ok(bsr_storage_new(&s, demo, choices, n, tensors, NULL));
    return s;
}

static int value_of(const bsr_graph *g, const char *name)
{
    int v = bsr_graph_find_value(g, name);
    if (v < 0)
        fail_msg("no value '%s'", name);
    return v;
}

/* Digests over all layers in order: the rounded values, and the codes of `size` bytes. */
static void digests(const bsr_storage *s, size_t size, char values[65], char codes[65])
{
    bsr_sha256 v, c;
    bsr_sha256_init(&v);
    bsr_sha256_init(&c);
    for (int i = 0; i < demo->plan->n_layers; i++) {
        int at = demo->plan->layers[i].weights->value;
        const bsr_tensor *t = s->graph->values[at].constant;
        const bsr_stored *stored = &s->of_value[at];
        int64_t n = bsr_count(t->rank, t->dims);
        bsr_sha256_update(&v, t->data, (size_t)n * sizeof(float));
        for (int64_t e = 0; e < n; e++) {
            const bsr_quantiser *q = &stored->quantisers[e / stored->inner % stored->channels];
            assert_true(((const float *)t->data)[e] == bsr_decode(q, stored->codes[e]));
            bsr_sha256_update(&c, &stored->codes[e], size);
        }
    }
    bsr_sha256_final(&v, values);
    bsr_sha256_final(&c, codes);
}

static void test_fault_storage__weights(void **state)
{
    /* reference */
    static const struct {
        const char *format;
        size_t size;
        int per_channel;
        const char *values, *codes;
    } rows[] = {
        {"fp16", 2, 0, "3b0b0418f1f0b3c1581b65de637ff5355d4aa96315a09da9435a0218f5329bce",
         "c27900c2239865ff0aa271a6e37f622c7a0157cc34d65ff2abad58af24a999ac"},
        {"int8", 1, 0, NULL, "af401d820db08d3fe31c17f5975ee90ad8be811d0852fe0285446052f5af8fd9"},
        {"int8/channel", 1, 1, NULL,
         "26b99d77d17a1d63d3897b472d5ecc324ebd9ab72eac48b49db2d220d1011b93"},
        /* The codes are the values. */
        {"fp32/range=0.25", 4, 0,
         "24c98410beedf1b9a7b4f62658ff85bef7f885689b7d1215a58114618d0707c5",
         "24c98410beedf1b9a7b4f62658ff85bef7f885689b7d1215a58114618d0707c5"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bsr_storage_choice c = choice(BSR_TARGET_WEIGHT, rows[i].format);
        bsr_storage *s = store(&c, 1, NULL);
        char values[65], codes[65];
        digests(s, rows[i].size, values, codes);
        assert_string_equal(codes, rows[i].codes);
        if (rows[i].values)
            assert_string_equal(values, rows[i].values);
        const bsr_weights *last = demo->plan->layers[demo->plan->n_layers - 1].weights;
        assert_int_equal(s->of_value[last->value].channels, rows[i].per_channel ? 10 : 1);
        assert_null(s->of_value[last->bias_value].quantisers);
        assert_int_equal(s->graph->n_nodes, demo->graph->n_nodes);
        bsr_storage_free(s);
    }
}

static bsr_golden *run(const bsr_graph *graph, const unsigned char *keep, bsr_plan **plan)
{
    bsr_golden *g;
    ok(bsr_plan_new(plan, graph, bsr_kernels_for(BSR_CPU_REF), keep));
    ok(bsr_golden_new(&g, *plan, pool, images, 0, 0, 3));
    return g;
}

static float element(const bsr_golden *g, int image, int value, int64_t e)
{
    const bsr_pten *p = &g->plan->ptens[g->plan->of_value[value]];
    int pixel, channel;
    float x;
    bsr_plan_locate(g->plan, value, e, &pixel, &channel);
    memcpy(&x,
           g->records + (size_t)image * g->plan->golden_bytes + p->golden_at +
               (size_t)pixel * p->pixel_bytes + (size_t)channel * p->esize,
           sizeof x);
    return x;
}

/* The same logits as a network whose constants were replaced by hand. */
static void test_fault_storage__forward(void **state)
{
    bsr_storage_choice c[2] = {choice(BSR_TARGET_WEIGHT, "int8"), choice(BSR_TARGET_BIAS, "q2.5")};
    bsr_storage *s = store(c, 2, NULL);
    bsr_model *changed = load("models/fashion_resnet.onnx");
    for (int i = 0; i < changed->plan->n_layers; i++) {
        const bsr_weights *w = changed->plan->layers[i].weights;
        const bsr_tensor *t = changed->graph->values[w->value].constant;
        float *x = t->data, most = 0;
        int64_t n = bsr_count(t->rank, t->dims);
        for (int64_t e = 0; e < n; e++)
            most = fmaxf(most, fabsf(x[e]));
        double scale = (double)(float)((double)most / 127);
        for (int64_t e = 0; e < n; e++)
            x[e] = (float)(rint((double)x[e] / scale) * scale);
        float *b = w->bias_value < 0 ? NULL : changed->graph->values[w->bias_value].constant->data;
        for (int m = 0; b && m < w->cout; m++)
            b[m] = rintf(b[m] * 32) / 32;
    }
    bsr_plan *plans[3];
    bsr_golden *ours = run(s->graph, NULL, &plans[0]);
    bsr_golden *theirs = run(changed->graph, NULL, &plans[1]);
    bsr_golden *before = run(demo->graph, NULL, &plans[2]);
    assert_memory_equal(ours->logits, theirs->logits, 3 * 10 * sizeof(float));
    assert_memory_not_equal(ours->logits, before->logits, 3 * 10 * sizeof(float));
    bsr_golden_free(ours);
    bsr_golden_free(theirs);
    bsr_golden_free(before);
    for (int i = 0; i < 3; i++)
        bsr_plan_free(plans[i]);
    bsr_model_free(changed);
    bsr_storage_free(s);
}

/* Only the storing node may read a stored tensor. */
static void assert_rewired(const bsr_storage *s, int x)
{
    int y = s->stored_as[x];
    const bsr_graph *g = s->graph;
    assert_true(y != x);
    assert_int_equal(g->values[x].n_consumers, 1);
    assert_int_equal(g->values[y].n_consumers, demo->graph->values[x].n_consumers);
    const bsr_node *node = &g->nodes[g->values[y].producer];
    assert_string_equal(node->op_type, "BitseerStore");
    assert_int_equal(node->in[0], x);
    for (int i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i].n_in; k++)
            if (g->nodes[i].in[k] == y)
                assert_true(i > g->values[y].producer);
}

typedef struct sample {
    int element;
    double value;
} sample;

/* Image and weights in fp16, the first activations in `format`: element e of image 1 is n steps. */
static void check_stem(const char *format, const char *name, const sample *samples, size_t n,
                       double step)
{
    bsr_storage_choice c[3] = {choice(BSR_TARGET_WEIGHT, "fp16"), choice(BSR_TARGET_INPUT, "fp16"),
                               choice(BSR_TARGET_ACTIVATION, format)};
    unsigned char *chosen = bsr_calloc_array((size_t)demo->graph->n_values, 1);
    int relu = value_of(demo->graph, STEM_RELU), image = demo->graph->inputs[0];
    chosen[relu] = 1;
    bsr_storage *s = store(c, 3, chosen);
    assert_int_equal(s->graph->n_values, demo->graph->n_values + 2);
    assert_string_equal(s->graph->values[s->stored_as[relu]].name, name);
    assert_string_equal(s->graph->values[s->stored_as[image]].name, "image@fp16");
    assert_rewired(s, relu);
    assert_rewired(s, image);
    unsigned char *keep = bsr_calloc_array((size_t)s->graph->n_values, 1);
    int stored = s->stored_as[relu];
    keep[relu] = keep[stored] = keep[s->stored_as[image]] = 1;
    bsr_plan *plan;
    bsr_golden *g = run(s->graph, keep, &plan);
    for (size_t i = 0; i < n; i++) {
        double expected = (double)(float)(samples[i].value * step);
        assert_true((double)element(g, 1, stored, samples[i].element) == expected);
    }
    const bsr_quantiser *q = s->of_value[stored].quantisers;
    for (int64_t e = 0; e < 16 * 14 * 14; e++)
        assert_true(element(g, 2, stored, e) ==
                    bsr_decode(q, bsr_encode(q, element(g, 2, relu, e))));
    bsr_golden_free(g);
    bsr_plan_free(plan);
    bsr_storage_free(s);
    bsr_free(keep);
    bsr_free(chosen);
}

static void test_fault_storage__activations(void **state)
{
    /* reference */
    static const sample int8[] = {{615, 34},  {676, 5},   {859, 14},  {920, 8},
                                  {1225, 5},  {1347, 28}, {1713, 0},  {1896, 2},
                                  {2079, 47}, {2323, 7},  {2384, 42}, {2506, 47},
                                  {2750, 8},  {2811, 3},  {2872, 4},  {2933, 41}};
    static const sample fp16[] = {{606, 0x1.92cp-4},  {673, 0x1.13cp-2},  {807, 0x1.19p-2},
                                  {874, 0x1.018p-4},  {1209, 0x1.204p-2}, {1276, 0x1.b44p-3},
                                  {1745, 0x1.298p-4}, {1812, 0x1.fd4p-6}, {1946, 0x1.31cp-3},
                                  {2080, 0x1.52cp-2}, {2348, 0x1.b7cp-6}, {2415, 0x1.7dp-2},
                                  {2482, 0x1.964p-2}, {2750, 0x1.0ecp-4}, {2817, 0x1.244p-4}};
    check_stem("int8/range=1", STEM_RELU "@int8/range=1", int8, COUNT(int8),
               (double)(float)(1 / 127.0));
    check_stem("fp16", STEM_RELU "@fp16", fp16, COUNT(fp16), 1);
    /* reference; the values above, limited to a power of two */
    static const sample beyond[] = {{1651, 0.25}, {2427, 0.25}, {2524, 0.25}};
    sample limited[COUNT(fp16)];
    for (size_t i = 0; i < COUNT(fp16); i++)
        limited[i] = (sample){fp16[i].element, fmin(fp16[i].value, 0.25)};
    check_stem("fp32/range=0.25", STEM_RELU "@fp32/range=0.25", beyond, COUNT(beyond), 1);
    check_stem("fp16/range=0.25", STEM_RELU "@fp16/range=0.25", limited, COUNT(limited), 1);
}

/* By default what layers read, the image included; all of them: not the output. */
static void test_fault_storage__which_tensors(void **state)
{
    bsr_storage_choice c[2] = {choice(BSR_TARGET_ACTIVATION, "bf16"),
                               choice(BSR_TARGET_INPUT, "fp32")};
    bsr_storage *s = store(c, 2, NULL);
    int image = demo->graph->inputs[0];
    /* The image; the stem's Relu and five of the blocks' six, a shortcut reading the same tensor
     * as its block; the pooled vector. */
    int n = 0;
    for (int v = 0; v < demo->graph->n_values; v++) {
        n += s->stored_as[v] != v;
        assert_int_equal(s->stored_as[v] != v, bsr_model_is_default_tensor(demo, v));
    }
    assert_int_equal(n, 8);
    assert_int_equal(s->of_value[s->stored_as[image]].format.kind, BSR_FORMAT_BF16);
    bsr_storage_free(s);
    unsigned char *all = bsr_alloc_array((size_t)demo->graph->n_values, 1);
    memset(all, 1, (size_t)demo->graph->n_values);
    s = store(c, 1, all);
    int logits = demo->graph->outputs[0];
    assert_int_equal(s->stored_as[logits], logits);
    assert_int_equal(s->graph->outputs[0], logits);
    assert_int_equal(s->graph->n_values, demo->graph->n_values + demo->n_tensors - 1);
    bsr_plan *plan;
    bsr_golden *g = run(s->graph, NULL, &plan);
    assert_int_equal(g->classes, 10);
    bsr_golden_free(g);
    bsr_plan_free(plan);
    bsr_free(all);
    bsr_storage_free(s);
}

static void test_fault_storage__fp32_changes_nothing(void **state)
{
    bsr_storage_choice c[2] = {choice(BSR_TARGET_WEIGHT, "fp32"),
                               choice(BSR_TARGET_ACTIVATION, "fp32")};
    bsr_storage *s = store(c, 2, NULL);
    assert_int_equal(s->graph->n_values, demo->graph->n_values);
    for (int v = 0; v < demo->graph->n_values; v++) {
        assert_null(s->of_value[v].quantisers);
        assert_int_equal(s->stored_as[v], v);
    }
    bsr_storage_free(s);
}

static void test_fault_storage__errors(void **state)
{
    bsr_storage *s;
    bsr_storage_choice c[2] = {choice(BSR_TARGET_WEIGHT, "int8"),
                               choice(BSR_TARGET_WEIGHT, "fp16")};
    assert_fails(bsr_storage_new(&s, demo, c, 2, NULL, NULL), BSR_EINVAL, "two formats for weight");
    assert_null(s);
    c[0].target = 99;
    assert_fails(bsr_storage_new(&s, demo, c, 1, NULL, NULL), BSR_EINVAL,
                 "target 99 has no format");
    c[0] = choice(BSR_TARGET_INPUT, "int8/channel");
    assert_fails(bsr_storage_new(&s, demo, c, 1, NULL, NULL), BSR_EINVAL,
                 "format 'int8/channel' for input: scales by channel are for weights and biases");
    c[0] = choice(BSR_TARGET_ACTIVATION, "int8");
    assert_fails(bsr_storage_new(&s, demo, c, 1, NULL, NULL), BSR_EINVAL,
                 "tensor 'image': format 'int8' needs a range");
    assert_null(s);
}

/* Codes stay what they are; what is float32 beside them can be stored. */
static void test_fault_storage__codes(void **state)
{
    bsr_model *model = load("tests/engine/data/codes_qdq.onnx");
    bsr_storage *s;
    bsr_plan *plan;
    bsr_storage_choice c = choice(BSR_TARGET_WEIGHT, "fp16");
    assert_fails(bsr_storage_new(&s, model, &c, 1, NULL, NULL), BSR_EUNSUPPORTED,
                 "node 'n11' (Conv)", "is stored as int8 codes, format 'fp16' is for float32");
    c = choice(BSR_TARGET_BIAS, "fp16");
    assert_fails(bsr_storage_new(&s, model, &c, 1, NULL, NULL), BSR_EUNSUPPORTED,
                 "is stored as int32 codes, format 'fp16' is for float32");
    c = choice(BSR_TARGET_ACTIVATION, "fp16");
    assert_fails(bsr_storage_new(&s, model, &c, 1, NULL, NULL), BSR_EUNSUPPORTED, "tensor 'v3' is",
                 "codes, format 'fp16' is for float32");
    c = choice(BSR_TARGET_INPUT, "fp16");
    ok(bsr_storage_new(&s, model, &c, 1, NULL, NULL));
    ok(bsr_plan_new(&plan, s->graph, bsr_kernels_for(BSR_CPU_REF), NULL));
    assert_int_equal(plan->n_layers, model->plan->n_layers);
    assert_int_equal(plan->layers[0].weights->dtype, BSR_I8);
    bsr_plan_free(plan);
    bsr_storage_free(s);
    bsr_model_free(model);
}

static void test_fault_storage__calibrate(void **state)
{
    size_t n = (size_t)demo->graph->n_values;
    double(*ranges)[2] = bsr_calloc_array(n, sizeof *ranges);
    double(*best)[2] = bsr_calloc_array(n, sizeof *best);
    assert_true(ranges && best);
    int relu = value_of(demo->graph, STEM_RELU), image = demo->graph->inputs[0];
    ok(bsr_calibrate(ranges, demo, images, 100, pool, bsr_kernels_for(BSR_CPU_REF)));
    /* All bytes from 0 to 255 occur. */
    assert_true(ranges[image][0] == 0 && ranges[image][1] == 1);
    /* reference */
    assert_true(ranges[relu][0] == 0);
    assert_true(fabs(ranges[relu][1] - 0.8828095056136452) < 1e-6);
    ok(bsr_calibrate(best, demo, images, 3, pool, bsr_kernels_for(bsr_cpu_best())));
    assert_memory_equal(ranges, best, n * sizeof *ranges);
    bsr_storage_choice c = choice(BSR_TARGET_ACTIVATION, "uint8");
    bsr_storage *s;
    ok(bsr_storage_new(&s, demo, &c, 1, NULL, (const double(*)[2])ranges));
    const bsr_quantiser *q = s->of_value[s->stored_as[relu]].quantisers;
    assert_true(fabs((double)q->scale - 0.8828095056136452 / 255) < 1e-8);
    assert_int_equal(q->zero, 0);
    bsr_storage_free(s);
    ok(bsr_calibrate(best, demo, images, 1, pool, bsr_kernels_for(BSR_CPU_REF)));
    for (size_t v = 0; v < n; v++)
        assert_true(best[v][0] >= ranges[v][0] && best[v][1] <= ranges[v][1]);
    assert_memory_not_equal(ranges, best, n * sizeof *ranges);
    bsr_free(ranges);
    bsr_free(best);
}

static bsr_status make_and_free(const bsr_storage_choice *c)
{
    bsr_storage *s;
    bsr_status status = bsr_storage_new(&s, demo, c, 2, NULL, NULL);
    bsr_storage_free(s);
    return status;
}

static bsr_status calibrate(double (*ranges)[2])
{
    return bsr_calibrate(ranges, demo, images, 1, pool, bsr_kernels_for(BSR_CPU_REF));
}

static void test_fault_storage__out_of_memory(void **state)
{
    bsr_storage_choice c[2] = {choice(BSR_TARGET_BIAS, "int8/channel"),
                               choice(BSR_TARGET_ACTIVATION, "fp16")};
    double(*ranges)[2] = bsr_calloc_array((size_t)demo->graph->n_values, sizeof *ranges);
    assert_non_null(ranges);
    assert_survives_no_memory(make_and_free(c));
    assert_survives_no_memory(calibrate(ranges));
    bsr_free(ranges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_storage__weights),
        cmocka_unit_test(test_fault_storage__forward),
        cmocka_unit_test(test_fault_storage__activations),
        cmocka_unit_test(test_fault_storage__which_tensors),
        cmocka_unit_test(test_fault_storage__fp32_changes_nothing),
        cmocka_unit_test(test_fault_storage__errors),
        cmocka_unit_test(test_fault_storage__codes),
        cmocka_unit_test(test_fault_storage__calibrate),
        cmocka_unit_test(test_fault_storage__out_of_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
