/* Moments of the logits against sums over all elements, in double, with the gradients of the
 * dense reference (ops/graph_gradient.h) and the formulas of whole-number codes. */
#include "predict_fixture.h"

#include "base/cpu.h"
#include "base/threads.h"
#include "ops/graph_gradient.h"

#define DEMO   "models/fashion_resnet.onnx"
#define SHARED "tests/engine/data/shared_weight.onnx"
#define CODES  "tests/engine/data/codes_qdq.onnx"

static bsr_model *load(const char *path)
{
    bsr_model *m;
    must(bsr_model_load(&m, path, NULL));
    return m;
}

/* Gradients of the followed logits at the values of all spaces, for one image. */
typedef struct reference {
    const bench *x;
    bsr_tape *tape;
    bsr_tensor *input;
    int *values;                          /* [spaces] */
    bsr_tensor **gradients[BSR_FOLLOWED]; /* [spaces] */
} reference;

static void open_reference(reference *r, const bench *x, const bsr_image_moments *m)
{
    const bsr_graph *g = x->s.plan->graph;
    const bsr_value *in = &g->values[g->inputs[0]], *out = &g->values[g->outputs[0]];
    size_t n = (size_t)x->map.n;
    bsr_tensor *seed;
    *r = (reference){.x = x};
    must(bsr_tensor_new(&r->input, BSR_F32, in->rank, in->dims));
    must(bsr_dataset_image(x->data, m->image, r->input->data));
    must(bsr_tape_new(&r->tape, g, (const bsr_tensor *const *)&r->input));
    r->values = bsr_alloc_array(n, sizeof *r->values);
    for (int i = 0; i < x->map.n; i++) {
        const bsr_space *s = x->map.spaces[i];
        r->values[i] = s->where;
        if (s->place == BSR_FAULT_WEIGHT)
            r->values[i] = x->s.plan->layers[s->where].weights->value;
        if (s->place == BSR_FAULT_BIAS)
            r->values[i] = x->s.plan->layers[s->where].weights->bias_value;
    }
    must(bsr_tensor_new(&seed, BSR_F32, out->rank, out->dims));
    for (int k = 0; k < x->followed.logits; k++) {
        memset(seed->data, 0, (size_t)x->followed.classes * sizeof(float));
        ((float *)seed->data)[m->order[k]] = 1;
        r->gradients[k] = bsr_calloc_array(n, sizeof **r->gradients);
        must(bsr_tape_gradient(r->tape, g->outputs[0], seed, x->map.n, r->values, r->gradients[k]));
    }
    bsr_tensor_free(seed);
}

static void close_reference(reference *r)
{
    for (int k = 0; k < r->x->followed.logits; k++) {
        for (int i = 0; i < r->x->map.n; i++)
            bsr_tensor_free(r->gradients[k][i]);
        bsr_free(r->gradients[k]);
    }
    bsr_free(r->values);
    bsr_tape_free(r->tape);
    bsr_tensor_free(r->input);
}

/* Step of an element, and sum of what its flips do: -s (1 + 2 q) of two's complement, s (2^B - 1 -
 * 2 q) of unsigned codes. */
static double step_of(const reference *r, int space, int64_t e, double *mean)
{
    const bsr_space *s = r->x->map.spaces[space];
    const bsr_tensor *t = bsr_tape_value(r->tape, r->values[space]);
    double top = ldexp(1, s->width), step = 1, q = 0;
    int has_sign = 1;
    if (s->stored) {
        int c = s->stored->channels > 1 ? bsr_element_channel(s, e) : 0;
        const bsr_quantiser *z = &s->stored->quantisers[c];
        step = (double)z->scale;
        q = rint((double)((const float *)t->data)[e] / step) + (double)z->zero;
        has_sign = z->kind != BSR_FORMAT_UINT;
    } else {
        has_sign = t->dtype != BSR_U8;
        q = t->dtype == BSR_U8   ? ((const uint8_t *)t->data)[e]
            : t->dtype == BSR_I8 ? ((const int8_t *)t->data)[e]
                                 : ((const int32_t *)t->data)[e];
    }
    *mean = has_sign ? -step * (1 + 2 * q) : step * (top - 1 - 2 * q);
    return step;
}

static double gradient_at(const reference *r, int k, int space, int64_t e)
{
    return (double)((const float *)r->gradients[k][space]->data)[e];
}

/* The two functions with the greatest golden logits. */
static void nearest(const bench *x, const bsr_image_moments *m, int margin[2])
{
    const float *z = x->golden + m->image * (size_t)x->followed.classes;
    margin[0] = margin[1] = -1;
    for (int k = 0; k < x->followed.logits; k++)
        if (margin[0] < 0 || z[m->order[k]] > z[m->order[margin[0]]])
            margin[0] = k;
    for (int k = 0; k < x->followed.logits; k++)
        if (k != margin[0] && (margin[1] < 0 || z[m->order[k]] > z[m->order[margin[1]]]))
            margin[1] = k;
}

static void check_space(const reference *r, const bsr_image_moments *m, int space)
{
    const bench *x = r->x;
    const bsr_space_moments *got = &m->spaces[space];
    bsr_space_moments want = {.variance = 0};
    double most[BSR_FOLLOWED] = {0}, slopes[BSR_FOLLOWED] = {0}, mean;
    const bsr_tensor *t = bsr_tape_value(r->tape, r->values[space]);
    int margin[2], n = x->followed.logits;
    double bits = x->map.spaces[space]->width;
    nearest(x, m, margin);
    for (int64_t e = 0; e < bsr_count(t->rank, t->dims); e++) {
        double s = step_of(r, space, e, &mean), v = s * s * (pow(4, bits) - 1) / 3;
        double d = gradient_at(r, margin[0], space, e) - gradient_at(r, margin[1], space, e);
        for (int i = 0; i < n; i++) {
            double g = gradient_at(r, i, space, e);
            for (int j = 0; j <= i; j++)
                want.covariance[i * (i + 1) / 2 + j] += v * g * gradient_at(r, j, space, e);
            want.mean[i] += mean * g;
            want.slope[i] += s * g;
            most[i] += fabs(mean * g);
            slopes[i] += fabs(s * g);
        }
        want.variance += v * d * d;
        want.variance_squares += v * d * d * v * d * d;
        want.fourth += pow(s * d, 4) * (pow(16, bits) - 1) / 15;
    }
    for (int i = 0; i < n; i++) {
        double vi = want.covariance[i * (i + 1) / 2 + i];
        assert_true(vi > 0 || x->map.spaces[space]->place != BSR_FAULT_WEIGHT);
        for (int j = 0; j <= i; j++) {
            int at = i * (i + 1) / 2 + j;
            near_to(got->covariance[at], want.covariance[at],
                    1e-3 * sqrt(vi * want.covariance[j * (j + 1) / 2 + j]), "covariance");
        }
        near_to(got->mean[i], want.mean[i], 1e-4 * most[i], "mean");
        near_to(got->slope[i], want.slope[i], 1e-4 * slopes[i], "slope");
    }
    near_to(got->variance, want.variance, 1e-3 * want.variance, "variance");
    near_to(got->variance_squares, want.variance_squares, 1e-3 * want.variance_squares, "squares");
    near_to(got->fourth, want.fourth, 1e-3 * want.fourth, "fourth");
}

static double greatest_gradient(const reference *r, int k, int space)
{
    const bsr_tensor *t = r->gradients[k][space];
    double most = 0;
    for (int64_t e = 0; e < bsr_count(t->rank, t->dims); e++)
        most = fmax(most, fabs(gradient_at(r, k, space, e)));
    return most;
}

/* Single flips: bit i of a code is worth 2^i steps, the sign's less than nothing. */
static void check_jumps(const reference *r, const bsr_image_moments *m, int space)
{
    const bsr_error_map *map = &r->x->map;
    const bsr_space *s = map->spaces[space];
    const bsr_tensor *t = bsr_tape_value(r->tape, r->values[space]);
    size_t n = (size_t)r->x->followed.n, bits = (size_t)s->width;
    size_t rows = map->first_jump[space + 1] - map->first_jump[space];
    assert_true(rows > 0 && rows % bits == 0);
    double most[BSR_FOLLOWED];
    for (int k = 0; k < r->x->followed.logits; k++)
        most[k] = greatest_gradient(r, k, space);
    int has_sign =
        !(s->stored ? s->stored->quantisers[0].kind == BSR_FORMAT_UINT : t->dtype == BSR_U8);
    for (size_t i = 0; i < rows; i++) {
        int64_t e = map->jump_sites[space][i / bits].site.element;
        double mean, step = step_of(r, space, e, &mean), worth = ldexp(step, (int)(i % bits));
        /* The code by the mean of its flips. */
        double q = has_sign ? (-mean / step - 1) / 2 : (ldexp(1, (int)bits) - 1 - mean / step) / 2;
        int is_set = (int)((int64_t)rint(q) >> (i % bits) & 1);
        if (has_sign && i % bits == bits - 1)
            worth = -worth;
        for (int k = 0; k < r->x->followed.logits; k++) {
            double want = (is_set ? -worth : worth) * gradient_at(r, k, space, e);
            near_to((double)m->jumps[(map->first_jump[space] + i) * n + (size_t)k], want,
                    1e-4 * fabs(worth) * most[k], "jump");
        }
    }
}

static void expect_reference(const char *path, const char *targets, const char *format, int spaces)
{
    const size_t images[] = {1, 0};
    bench x;
    bsr_image_moments *m;
    reference r;
    open_bench(&x, path ? load(path) : small_model(14, 1, "Relu"), 2, targets, format);
    assert_int_equal(x.map.n, spaces);
    const bsr_error_map *map = &x.map;
    bsr_moments_job job = moments_job(&x, &map, images, 2);
    must(bsr_image_moments_new(&m, &job));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(m[i].image, images[i]);
        open_reference(&r, &x, &m[i]);
        for (int s = 0; s < x.map.n; s++) {
            check_space(&r, &m[i], s);
            check_jumps(&r, &m[i], s);
        }
        close_reference(&r);
    }
    bsr_image_moments_free(m, 2);
    close_bench(&x);
}

/* 9 convolutions and a Gemm; the image, the tensors between, and one bias. */
static void test_predict_image_moments__demo_network(void **state)
{
    expect_reference(DEMO, "weight,bias", "weight=int8,bias=q3.12", 11);
    expect_reference(DEMO, "activation", "int8", 8);
    expect_reference(DEMO, "input", "uint8/affine", 1);
    expect_reference(DEMO, "weight,activation", "q4.7", 18);
}

/* Two convolutions read one tensor of weights: their gradients are added. */
static void test_predict_image_moments__shared_weights(void **state)
{
    expect_reference(SHARED, "weight", "int8/channel", 2);
    expect_reference(SHARED, "weight,activation,bias", "q3.12", 7);
}

static void test_predict_image_moments__codes(void **state)
{
    expect_reference(CODES, "weight,activation", NULL, 6);
}

/* 14 classes: the 8 greatest logits, and two sums of all. */
static void test_predict_image_moments__many_classes(void **state)
{
    expect_reference(NULL, "weight,bias,activation", "int8", 6);
}

/* Probes are random, with the mean square of the logits' as expectation: of 600 images, with two
 * each. */
static void test_predict_image_moments__probes(void **state)
{
    enum { IMAGES = 600, CLASSES = 14 };
    size_t images[IMAGES];
    bench x;
    bsr_image_moments *m;
    open_bench(&x, small_model(CLASSES, 0, NULL), IMAGES, "bias", "int8");
    for (size_t i = 0; i < IMAGES; i++)
        images[i] = i;
    const bsr_error_map *map = &x.map;
    bsr_moments_job job = moments_job(&x, &map, images, IMAGES);
    must(bsr_image_moments_new(&m, &job));
    /* y = b + ...: every logit has the variance of its own bias, the same for all; a probe's is
     * exactly that too. The means are those of the codes, with random signs. */
    double variance = m[0].spaces[0].covariance[0], squares = 0, probes = 0;
    for (size_t i = 0; i < IMAGES; i++)
        for (int k = x.followed.logits; k < x.followed.n; k++) {
            near_to(m[i].spaces[0].covariance[k * (k + 1) / 2 + k], variance, 1e-4 * variance,
                    "probe");
            probes += m[i].spaces[0].mean[k] * m[i].spaces[0].mean[k] / (2.0 * IMAGES);
        }
    const bsr_errors *e = &x.map.constants[0];
    for (size_t k = 0; k < e->n; k++)
        squares += (double)e->mean[k] * (double)e->mean[k] / CLASSES;
    /* A square of a sum of random signs has at most twice its square as variance. */
    near_to(probes, squares, 5 * sqrt(2.0 / (2 * IMAGES)) * squares, "squares of means");
    bsr_image_moments_free(m, IMAGES);
    close_bench(&x);
}

static void expect_same(const bench *x, const bsr_image_moments *a, const bsr_image_moments *b,
                        size_t n)
{
    size_t spaces = (size_t)x->map.n * sizeof *a->spaces;
    size_t jumps = x->map.first_jump[x->map.n] * (size_t)x->followed.n * sizeof(float);
    for (size_t i = 0; i < n; i++) {
        assert_memory_equal(a[i].order, b[i].order, (size_t)x->followed.logits * sizeof(int));
        assert_memory_equal(a[i].spaces, b[i].spaces, spaces);
        assert_memory_equal(a[i].jumps, b[i].jumps, jumps);
    }
}

static void test_predict_image_moments__same_bits_for_threads_and_kernels(void **state)
{
    static const char *const models[] = {DEMO, SHARED};
    const size_t images[] = {0, 1, 2, 3};
    for (int net = 0; net < 2; net++) {
        bench x;
        bsr_image_moments *first, *m;
        open_bench(&x, load(models[net]), 4, "weight,bias,activation,input", "int8");
        const bsr_error_map *map = &x.map;
        bsr_moments_job job = moments_job(&x, &map, images, 4);
        must(bsr_image_moments_new(&first, &job));
        for (int cpu = BSR_CPU_REF; cpu <= (int)bsr_cpu_best(); cpu++) {
            bench y = {.model = x.model, .data = x.data};
            bsr_run_options o = BSR_RUN_OPTIONS_INIT;
            o.format = "int8";
            o.threads = 1;
            o.cpu = bsr_cpu_name((bsr_cpu)cpu);
            open_map(&y, "weight,bias,activation,input", &o);
            const bsr_error_map *other = &y.map;
            job = moments_job(&y, &other, images, 4);
            must(bsr_image_moments_new(&m, &job));
            expect_same(&x, first, m, 4);
            bsr_image_moments_free(m, 4);
            close_map(&y);
        }
        bsr_image_moments_free(first, 4);
        close_bench(&x);
    }
}

static void test_predict_image_moments__no_memory(void **state)
{
    const size_t images[] = {0, 1};
    bench x;
    open_bench(&x, load(SHARED), 2, "weight,activation", "int8");
    const bsr_error_map *map = &x.map;
    bsr_moments_job job = moments_job(&x, &map, images, 2);
    bsr_status status = BSR_ENOMEM;
    for (long n = 1; status == BSR_ENOMEM; n++) {
        bsr_image_moments *m;
        bsr_alloc_fail_after(n);
        status = bsr_image_moments_new(&m, &job);
        assert_true(status == BSR_ENOMEM || bsr_alloc_fail_pending());
        assert_true((status == BSR_OK) == (m != NULL));
        bsr_image_moments_free(m, 2);
    }
    bsr_alloc_fail_after(0);
    assert_int_equal(status, BSR_OK);
    close_bench(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predict_image_moments__demo_network),
        cmocka_unit_test(test_predict_image_moments__shared_weights),
        cmocka_unit_test(test_predict_image_moments__codes),
        cmocka_unit_test(test_predict_image_moments__many_classes),
        cmocka_unit_test(test_predict_image_moments__probes),
        cmocka_unit_test(test_predict_image_moments__same_bits_for_threads_and_kernels),
        cmocka_unit_test(test_predict_image_moments__no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
