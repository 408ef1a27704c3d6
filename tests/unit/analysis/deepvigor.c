/* Method deepvigor against an implementation of the paper's text in numpy and torch. Expectations
 * are the output of deepvigor_reference.py (numpy 1.24.2, torch 1.13.0, onnx 1.12.0) on the same
 * networks and images; EDMs, searches, gradients and counts are all its own. */
#include "unit/data/temp_files.h"

#include <math.h>

#include "analysis/deepvigor.h"
#include "base/threads.h"

enum { IMAGES = 6, ALL = 1000 };

typedef struct expected {
    const char *name;
    uint64_t targets, skipped, single, simulations;
    double lvf, cvf[3];
} expected;

typedef struct network {
    const char *path;
    int layers;
    expected filters[4], neurons[4];
} network;

/* grouped: strides, groups, two outputs per input channel, dilated depthwise, layers without bias.
 * squeeze_excite: the output of a layer goes three ways. */
static const network networks[] = {
    {"tests/engine/data/grouped.onnx",
     4,
     {{"n2", 6, 0, 0, 31, 0.0353235315393519, {0.0556911892361112, 0.03125, 0.03125}},
      {"n6",
       4,
       0,
       0,
       18,
       0.0134186921296296,
       {0.0129364390432098, 0.0129364390432098, 0.0139009452160493}},
      {"n9",
       8,
       0,
       0,
       27,
       0.00897894965277775,
       {0.00817418981481477, 0.00817418981481477, 0.0182291666666666}},
      {"n15",
       8,
       0,
       6,
       22,
       0.00774920428240741,
       {0.00405092592592593, 0.0092592592592593, 0.00896990740740744}}},
     {{"n2",
       384,
       13,
       0,
       2875,
       0.0527298538773148,
       {0.0556911892361111, 0.0521375868055556, 0.0521375868055556}},
      {"n6",
       64,
       1,
       0,
       422,
       0.0270137080439815,
       {0.0300353250385802, 0.0304392119984568, 0.0238112461419753}},
      {"n9",
       128,
       0,
       53,
       360,
       0.0132084599247685,
       {0.0116644965277778, 0.0116644965277778, 0.0282298900462963}},
      {"n15",
       128,
       0,
       92,
       357,
       0.0198465983072917,
       {0.00911458333333334, 0.0208333333333333, 0.0201822916666667}}}},
    {"tests/engine/data/squeeze_excite.onnx",
     3,
     {{"n3",
       4,
       0,
       0,
       18,
       0.026293844843107,
       {0.0262586805555556, 0.0262586805555556, 0.0262586805555556}},
      {"n8", 2, 0, 1, 5, 0.03125, {0.03125, 0.03125}},
      {"n12", 4, 0, 1, 11, 0.03125, {0.03125, 0.03125, 0.03125}}},
     {{"n3",
       256,
       3,
       0,
       2086,
       0.0519360514825264,
       {0.052099910783179, 0.0520433967496142, 0.0515116624871399}},
      {"n8", 2, 0, 2, 4, 0.03125, {0.03125, 0.03125}},
      {"n12", 4, 0, 1, 11, 0.03125, {0.03125, 0.03125, 0.03125}}}},
};

static void ok(bsr_status status)
{
    if (status != BSR_OK)
        fail_msg("%s: %s", bsr_status_name(status), bsr_error_message());
}

/* A .npy file of version 1.0: header padded to 128 bytes. */
static const char *put_npy(const char *name, const char *type, const char *shape, const void *data,
                           size_t bytes)
{
    unsigned char *file = bsr_calloc_array(128 + bytes, 1);
    assert_non_null(file);
    memcpy(file, "\x93NUMPY\x01\x00\x76\x00", 10);
    memset(file + 10, ' ', 118);
    char *text = (char *)file + 10;
    int n = snprintf(text, 117, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type,
                     shape);
    text[n] = ' ';
    file[127] = '\n';
    memcpy(file + 128, data, bytes);
    const char *path = temp_put(name, file, 128 + bytes);
    bsr_free(file);
    return path;
}

static bsr_dataset *open_images(const bsr_model *model)
{
    bsr_model_info info = bsr_model_get_info(model);
    static float x[IMAGES * 3 * 8 * 8];
    static const int32_t labels[IMAGES];
    size_t n = (size_t)(IMAGES * info.channels * info.height * info.width);
    char shape[64], spec[600];
    bsr_dataset *data;
    assert_true(n <= sizeof x / sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)((double)((i * 7919 + 13) % 1009) / 1009 * 6 - 3);
    snprintf(shape, sizeof shape, "%d, %d, %d, %d", IMAGES, info.channels, info.height, info.width);
    const char *images = put_npy("x.npy", "<f4", shape, x, n * sizeof *x);
    snprintf(shape, sizeof shape, "%d,", IMAGES);
    snprintf(spec, sizeof spec, "npy:%s,%s", images,
             put_npy("y.npy", "<i4", shape, labels, sizeof labels));
    bsr_dataset_options o = BSR_DATASET_OPTIONS_INIT;
    o.data = spec;
    ok(bsr_dataset_open(&data, &o, info.channels, info.height, info.width));
    return data;
}

typedef struct fixture {
    bsr_model *model;
    bsr_dataset *data;
} fixture;

static void open_fixture(fixture *x, const char *path)
{
    ok(bsr_model_load(&x->model, path, NULL));
    x->data = open_images(x->model);
}

static void close_fixture(fixture *x)
{
    bsr_dataset_free(x->data);
    bsr_model_free(x->model);
}

static size_t images_at_once; /* of the last run */

/* From options to result, as the caller of the method does it. */
static bsr_status run(bsr_deepvigor **out, const fixture *x, bsr_run_options o, double ratio,
                      int neurons)
{
    bsr_session s;
    bsr_deepvigor_options d = {.ratio = ratio, .neurons = neurons};
    bsr_status status = bsr_deepvigor_target_of(&o.target, o.target);
    *out = NULL;
    if (status != BSR_OK)
        return status;
    status = bsr_session_init(&s, x->model, x->data, &o, &o.target, 1);
    if (status == BSR_OK)
        status = bsr_session_lanes(&s);
    if (status == BSR_OK)
        status = bsr_deepvigor_run(out, &s, &d);
    images_at_once = s.images_at_once;
    bsr_session_clear(&s);
    return status;
}

static bsr_run_options options(bsr_target target)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.target = target;
    o.threads = 1;
    o.cpu = "ref";
    return o;
}

static void assert_near(double have, double want)
{
    if (!(fabs(have - want) <= 1e-12))
        fail_msg("%.15g, expected %.15g", have, want);
}

static void assert_layer(const bsr_deepvigor_layer *l, const expected *e)
{
    assert_string_equal(l->name, e->name);
    assert_int_equal(l->counts.targets, e->targets);
    assert_int_equal(l->counts.skipped, e->skipped);
    assert_int_equal(l->counts.single, e->single);
    assert_int_equal(l->counts.simulations, e->simulations);
    assert_near(l->lvf, e->lvf);
    for (int c = 0; c < 3 && c < l->n_chosen; c++)
        assert_near(l->cvf[c], e->cvf[c]);
}

static void compare(bsr_target target)
{
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        const network *net = &networks[i];
        fixture x;
        bsr_deepvigor *d;
        double sum = 0;
        open_fixture(&x, net->path);
        ok(run(&d, &x, options(target), 1, ALL));
        assert_int_equal(d->n_layers, net->layers);
        for (int l = 0; l < net->layers; l++) {
            const expected *e = target == BSR_TARGET_WEIGHT ? &net->filters[l] : &net->neurons[l];
            assert_layer(&d->layers[l], e);
            sum += e->lvf;
        }
        assert_near(d->mvf, sum / net->layers);
        bsr_deepvigor_free(d);
        close_fixture(&x);
    }
}

static void test_analysis_deepvigor__filters_are_those_of_the_reference(void **state)
{
    compare(BSR_TARGET_WEIGHT);
}

static void test_analysis_deepvigor__neurons_are_those_of_the_reference(void **state)
{
    compare(BSR_TARGET_OPERAND);
}

static void assert_same(const bsr_deepvigor *a, const bsr_deepvigor *b)
{
    assert_int_equal(a->counts.targets, b->counts.targets);
    assert_memory_equal(&a->counts, &b->counts, sizeof a->counts);
    assert_true(a->mvf == b->mvf);
    for (size_t i = 0; i < a->counts.targets; i++) {
        assert_int_equal(a->targets[i].pixel, b->targets[i].pixel);
        assert_true(a->targets[i].vf == b->targets[i].vf);
    }
}

/* Threads, kernels, and a memory limit that splits the images into sets. */
static void test_analysis_deepvigor__the_result_depends_on_nothing_else(void **state)
{
    static const bsr_target targets[] = {BSR_TARGET_WEIGHT, BSR_TARGET_OPERAND};
    fixture x;
    open_fixture(&x, networks[0].path);
    for (int i = 0; i < 2; i++) {
        bsr_deepvigor *first, *other;
        bsr_run_options o = options(targets[i]);
        o.seed = 5;
        ok(run(&first, &x, o, 0.5, 0));
        o.threads = 3;
        o.cpu = NULL;
        ok(run(&other, &x, o, 0.5, 0));
        assert_same(first, other);
        bsr_deepvigor_free(other);
        o.max_memory = 20000;
        ok(run(&other, &x, o, 0.5, 0));
        assert_in_range(images_at_once, 1, IMAGES - 1);
        assert_same(first, other);
        bsr_deepvigor_free(other);
        bsr_deepvigor_free(first);
    }
    close_fixture(&x);
}

/* Eq. 16: half of 6, 4, 8 and 8 channels; 64 pixels give 6 neurons, 16 give 4. */
static void test_analysis_deepvigor__samples_are_as_large_as_equation_16_says(void **state)
{
    static const int channels[] = {3, 2, 4, 4}, neurons[] = {6, 4, 4, 4};
    fixture x;
    bsr_deepvigor *d;
    open_fixture(&x, networks[0].path);
    ok(run(&d, &x, options(BSR_TARGET_OPERAND), 0.5, 0));
    for (int l = 0; l < 4; l++) {
        const bsr_deepvigor_layer *layer = &d->layers[l];
        assert_int_equal(layer->n_chosen, channels[l]);
        assert_int_equal(layer->counts.targets, channels[l] * neurons[l]);
        const bsr_deepvigor_target *t = d->targets + layer->first_target;
        for (int c = 0; c < channels[l]; c++)
            for (int k = 0; k < neurons[l]; k++, t++) {
                assert_int_equal(t->channel, layer->chosen[c]);
                assert_true(t->pixel >= 0 && t->pixel < (int)layer->neurons / layer->channels);
                assert_true(k == 0 || t->pixel > t[-1].pixel);
            }
    }
    bsr_deepvigor_free(d);
    /* ceil(0.1 * 6) = 1 ... */
    ok(run(&d, &x, options(BSR_TARGET_WEIGHT), 0.1, 0));
    for (int l = 0; l < 4; l++)
        assert_int_equal(d->layers[l].n_chosen, 1);
    assert_int_equal(d->targets[0].pixel, -1);
    bsr_deepvigor_free(d);
    close_fixture(&x);
}

/* Layer sizes of grouped.onnx: 3 inputs of 64 pixels and 6 x 3 weights; 6 of 64, 4 x 27; 4 of 16,
 * 8 x 9; 8 of 16, 8 x 9. */
static void test_analysis_deepvigor__both_targets_are_weighted_by_equation_15(void **state)
{
    static const double inputs[] = {192, 384, 64, 128}, weights[] = {18, 108, 72, 72};
    fixture x;
    bsr_deepvigor *a, *w;
    double mvf, want = 0;
    open_fixture(&x, networks[0].path);
    ok(run(&a, &x, options(BSR_TARGET_OPERAND), 1, ALL));
    ok(run(&w, &x, options(BSR_TARGET_WEIGHT), 1, ALL));
    ok(bsr_deepvigor_total(&mvf, a, w));
    for (int l = 0; l < 4; l++)
        want += (inputs[l] * networks[0].neurons[l].lvf + weights[l] * networks[0].filters[l].lvf) /
                (inputs[l] + weights[l]);
    assert_near(mvf, want / 4);
    bsr_deepvigor_free(w);
    bsr_run_options o = options(BSR_TARGET_WEIGHT);
    o.layers = "0-2";
    ok(run(&w, &x, o, 1, 1));
    assert_fails(bsr_deepvigor_total(&mvf, a, w), BSR_EINVAL, "operands of 4 layers, weights of 3");
    bsr_deepvigor_free(w);
    o.layers = "1-4";
    ok(run(&w, &x, o, 1, 1));
    assert_fails(bsr_deepvigor_total(&mvf, a, w), BSR_EINVAL,
                 "operands of layer 0 ('n2'), weights of layer 1 ('n6')");
    bsr_deepvigor_free(a);
    bsr_deepvigor_free(w);
    close_fixture(&x);
}

static void test_analysis_deepvigor__wrong_options_are_named(void **state)
{
    fixture x, codes;
    bsr_deepvigor *d;
    open_fixture(&x, networks[0].path);
    bsr_run_options o = options(BSR_TARGET_WEIGHT);
    assert_fails(run(&d, &x, o, 0, 0), BSR_EINVAL,
                 "ratio is 0, expected more than 0 and at most 1");
    assert_fails(run(&d, &x, o, 1.5, 0), BSR_EINVAL, "ratio is 1.5");
    assert_fails(run(&d, &x, o, 1, -1), BSR_EINVAL,
                 "neurons is -1, expected 0 (by Eq. 16) or more");
    o.fault = "ber:0.001";
    assert_fails(run(&d, &x, o, 1, 0), BSR_EINVAL, "single sites, not 'ber:0.001'");
    assert_fails(run(&d, &x, options(BSR_TARGET_BIAS), 1, 0), BSR_EINVAL,
                 "targets weight and operand, not bias");
    open_fixture(&codes, "tests/engine/data/codes_qdq.onnx");
    assert_fails(run(&d, &codes, options(BSR_TARGET_OPERAND), 1, 0), BSR_EUNSUPPORTED,
                 "computes on 8-bit codes, method deepvigor is for float32 sums");
    assert_null(d);
    close_fixture(&codes);
    close_fixture(&x);
}

/* One layer that the run is told to take, whose weights are stored in 8 bits. */
static bsr_status small_run(const fixture *x)
{
    bsr_deepvigor *d;
    bsr_run_options o = options(BSR_TARGET_WEIGHT);
    o.layers = "4";
    o.format = "int8/range=2";
    bsr_status status = run(&d, x, o, 1, 0);
    bsr_deepvigor_free(d);
    return status;
}

static void test_analysis_deepvigor__every_allocation_may_fail(void **state)
{
    fixture x;
    open_fixture(&x, networks[0].path);
    assert_survives_no_memory(small_run(&x));
    close_fixture(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_analysis_deepvigor__filters_are_those_of_the_reference),
        cmocka_unit_test(test_analysis_deepvigor__neurons_are_those_of_the_reference),
        cmocka_unit_test(test_analysis_deepvigor__the_result_depends_on_nothing_else),
        cmocka_unit_test(test_analysis_deepvigor__samples_are_as_large_as_equation_16_says),
        cmocka_unit_test(test_analysis_deepvigor__both_targets_are_weighted_by_equation_15),
        cmocka_unit_test(test_analysis_deepvigor__wrong_options_are_named),
        cmocka_unit_test(test_analysis_deepvigor__every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
