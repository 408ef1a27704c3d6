/* Each operator's rule, against calculations by hand. */
#include "unit/ops/op_case.h"

#include <math.h>

#include "predict/layer_rules.h"

typedef struct rule_case {
    op_case *c;
    bsr_tape *tape;
    bsr_moment of[2 * OP_CASE_MAX];
    bsr_layer_pass pass;
} rule_case;

/* Infers and evaluates the only node. */
static void rule_open(rule_case *r, op_case *c)
{
    *r = (rule_case){.c = c};
    if (op_infer(c) != BSR_OK || bsr_tape_new(&r->tape, c->graph, NULL) != BSR_OK)
        fail_msg("%s", bsr_error_message());
    assert_in_range(c->graph->n_values, 1, 2 * OP_CASE_MAX);
    r->pass = (bsr_layer_pass){c->graph, r->tape, r->of};
}

static void rule_close(rule_case *r)
{
    for (int v = 0; v < 2 * OP_CASE_MAX; v++)
        bsr_moment_clear(&r->of[v]);
    bsr_tape_free(r->tape);
    op_free(r->c);
}

/* Disturbs input i; NULL: mean 0. */
static void disturb(rule_case *r, int i, const float *mean, const float *var)
{
    int value = op_node(r->c)->in[i];
    assert_int_equal(bsr_moment_new(&r->pass, value), BSR_OK);
    size_t n = (size_t)bsr_value_elements(&r->pass, value);
    if (mean)
        memcpy(r->of[value].mean, mean, n * sizeof *mean);
    memcpy(r->of[value].var, var, n * sizeof *var);
}

static const bsr_moment *rule_run(rule_case *r)
{
    if (bsr_layer_rule(&r->pass, op_node(r->c)) != BSR_OK)
        fail_msg("%s", bsr_error_message());
    return &r->of[op_node(r->c)->out[0]];
}

static void near(const float *got, const float *want, int n, double tolerance)
{
    assert_non_null(got);
    for (int i = 0; i < n; i++)
        if (!(fabs((double)got[i] - (double)want[i]) <= tolerance * (1 + fabs((double)want[i]))))
            fail_msg("element %d is %.9g, expected %.9g", i, (double)got[i], (double)want[i]);
}

#define FLOATS(...)                                                                                \
    (const float[])                                                                                \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static void expect(rule_case *r, int n, const float *mean, const float *var)
{
    const bsr_moment *m = rule_run(r);
    assert_false(m->unknown);
    assert_int_equal(bsr_value_elements(&r->pass, op_node(r->c)->out[0]), n);
    near(m->mean, mean, n, 1e-5);
    near(m->var, var, n, 1e-5);
    rule_close(r);
}

/* x = (1, 2), W = ((1, 2), (3, 4)), y = 2 x W + 3 c. Disturbed: x by mean (0.5, -1) and variance
 * (0.25, 1), W[1][0] by 0.5 and 2, c by (1, 0) and (0, 4). Before the factors:
 * mean 0: 1 * 0.5 + 3 * -1 + 0.5 * (2 - 1) = -2; mean 1: 2 * 0.5 + 4 * -1 = -3;
 * variance 0: 1 * 0.25 + 3.5^2 * 1 + 2 * ((2 - 1)^2 + 1) = 16.5; variance 1: 4 * 0.25 + 16 = 17. */
static void test_predict_layer_rules__gemm_by_hand(void **state)
{
    op_case c = op_new("Gemm", 13, 1);
    rule_case r;
    op_input(&c, BSR_F32, DIMS(1, 2), FLOATS(1, 2));
    op_input(&c, BSR_F32, DIMS(2, 2), FLOATS(1, 2, 3, 4));
    op_input(&c, BSR_F32, DIMS(2), FLOATS(7, 7));
    op_float(&c, "alpha", 2);
    op_float(&c, "beta", 3);
    rule_open(&r, &c);
    disturb(&r, 0, FLOATS(0.5f, -1), FLOATS(0.25f, 1));
    disturb(&r, 1, FLOATS(0, 0, 0.5f, 0), FLOATS(0, 0, 2, 0));
    disturb(&r, 2, FLOATS(1, 0), FLOATS(0, 4));
    expect(&r, 2, FLOATS(-4 + 3, -6), FLOATS(4 * 16.5f, 4 * 17 + 36));
}

/* Transposed factors, and a column of C. A' = ((1), (2)), B' = (3, 4). */
static void test_predict_layer_rules__gemm_transposes(void **state)
{
    op_case c = op_new("Gemm", 13, 1);
    rule_case r;
    op_input(&c, BSR_F32, DIMS(1, 2), FLOATS(1, 2));
    op_input(&c, BSR_F32, DIMS(2, 1), FLOATS(3, 4));
    op_input(&c, BSR_F32, DIMS(2, 1), FLOATS(0, 0));
    op_int(&c, "transA", 1);
    op_int(&c, "transB", 1);
    rule_open(&r, &c);
    disturb(&r, 0, NULL, FLOATS(1, 10));
    disturb(&r, 2, FLOATS(5, 6), FLOATS(0.5f, 0.25f));
    expect(&r, 4, FLOATS(5, 5, 6, 6), FLOATS(9.5f, 16.5f, 90.25f, 160.25f));
}

/* Strides, dilation, one-sided padding and groups, against Conv itself on squares. */
static void convolution(const float *x, const float *w, float *y)
{
    op_case c = op_new("Conv", 13, 1);
    op_input(&c, BSR_F32, DIMS(1, 4, 5, 6), x);
    op_input(&c, BSR_F32, DIMS(6, 2, 3, 2), w);
    op_ints(&c, "strides", DIMS(2, 1));
    op_ints(&c, "dilations", DIMS(1, 2));
    op_ints(&c, "pads", DIMS(1, 2, 0, 1));
    op_int(&c, "group", 2);
    op_run(&c);
    memcpy(y, c.out[0]->data, (size_t)bsr_count(c.out[0]->rank, c.out[0]->dims) * sizeof *y);
    op_free(&c);
}

static void square(const float *x, float *y, int n)
{
    for (int i = 0; i < n; i++)
        y[i] = x[i] * x[i];
}

static void test_predict_layer_rules__conv_agrees_with_conv_of_squares(void **state)
{
    enum { X = 120, W = 72, Y = 6 * 2 * 7 };
    float x[X], w[W], mx[X], vx[X], mw[W], vw[W], x2[X], w2[W], mean[Y], var[Y];
    rule_case r;
    for (int i = 0; i < X; i++) {
        x[i] = (float)(i * 7 % 11 - 5);
        mx[i] = (float)(i * 5 % 13 - 6);
        vx[i] = (float)(i * 3 % 7);
    }
    for (int i = 0; i < W; i++) {
        w[i] = (float)(i * 5 % 9 - 4);
        mw[i] = (float)(i * 7 % 5 - 2);
        vw[i] = (float)(i * 11 % 6);
    }
    for (int weights = 0; weights < 2; weights++) {
        op_case c = op_new("Conv", 13, 1);
        op_input(&c, BSR_F32, DIMS(1, 4, 5, 6), x);
        op_input(&c, BSR_F32, DIMS(6, 2, 3, 2), w);
        op_ints(&c, "strides", DIMS(2, 1));
        op_ints(&c, "dilations", DIMS(1, 2));
        op_ints(&c, "pads", DIMS(1, 2, 0, 1));
        op_int(&c, "group", 2);
        rule_open(&r, &c);
        square(x, x2, X);
        square(w, w2, W);
        if (weights) {
            convolution(x, mw, mean);
            convolution(x2, vw, var);
            disturb(&r, 1, mw, vw);
        } else {
            convolution(mx, w, mean);
            convolution(vx, w2, var);
            disturb(&r, 0, mx, vx);
        }
        expect(&r, Y, mean, var);
    }
}

/* y = N(0, 1) disturbance of 0: mean 1 / sqrt(2 pi), variance 1/2 - 1 / (2 pi). Of -1: mean
 * phi(1) - Phi(-1), mean square 2 Phi(-1) - phi(1). Far above the corner: unchanged; far below:
 * nothing is left. */
static void test_predict_layer_rules__relu_of_a_normal(void **state)
{
    op_case c = op_new("Relu", 13, 1);
    rule_case r;
    op_input(&c, BSR_F32, DIMS(4), FLOATS(0, -1, 1000, -1000));
    rule_open(&r, &c);
    disturb(&r, 0, FLOATS(0, 0, 0.5f, 0.5f), FLOATS(1, 1, 2, 2));
    expect(&r, 4, FLOATS(0.398942280f, 0.083315471f, 0.5f, 0),
           FLOATS(0.340845057f, 0.068398349f, 2, 0));
}

/* Excess 27: disturbed with probability 3 / 30, then by variance 0.1 / 0.1 = 1, which makes of -1 a
 * tenth of the mean and of the mean square above. */
static void test_predict_layer_rules__relu_of_rare_disturbances(void **state)
{
    op_case c = op_new("Relu", 13, 1);
    rule_case r;
    op_input(&c, BSR_F32, DIMS(2), FLOATS(-1, 1000));
    rule_open(&r, &c);
    disturb(&r, 0, NULL, FLOATS(0.1f, 0.1f));
    r.of[op_node(&c)->in[0]].excess = 27;
    expect(&r, 2, FLOATS(0.0083315471f, 0), FLOATS(0.00746456f, 0.1f));
}

/* Of n equal terms the excess is an n-th; fourth cumulants go with w^4: (16 + 81) / (4 + 9)^2. */
static void test_predict_layer_rules__sums_are_closer_to_normal(void **state)
{
    rule_case r;
    op_case c = op_new("MatMul", 13, 1);
    op_input(&c, BSR_F32, DIMS(1, 2), FLOATS(0, 0));
    op_input(&c, BSR_F32, DIMS(2, 1), FLOATS(2, -3));
    rule_open(&r, &c);
    disturb(&r, 0, NULL, FLOATS(1, 1));
    r.of[op_node(&c)->in[0]].excess = 6;
    assert_true(fabs(rule_run(&r)->excess - 6 * 97.0 / 169) < 1e-6);
    rule_close(&r);
    op_case add = op_new("Add", 13, 1);
    op_input(&add, BSR_F32, DIMS(2), FLOATS(0, 0));
    op_input(&add, BSR_F32, DIMS(2), FLOATS(0, 0));
    rule_open(&r, &add);
    for (int i = 0; i < 2; i++) {
        disturb(&r, i, NULL, FLOATS(1, 1));
        r.of[op_node(&add)->in[i]].excess = 6;
    }
    assert_true(fabs(rule_run(&r)->excess - 3) < 1e-6);
    rule_close(&r);
}

/* Between the bounds 0 and 6 as between two Relus; beyond them the disturbance only gets in. */
static void test_predict_layer_rules__clip(void **state)
{
    op_case c = op_new("Clip", 13, 1);
    rule_case r;
    op_input(&c, BSR_F32, DIMS(4), FLOATS(3, 6, 7, 60));
    op_input(&c, BSR_F32, SCALAR, FLOATS(0));
    op_input(&c, BSR_F32, SCALAR, FLOATS(6));
    rule_open(&r, &c);
    disturb(&r, 0, NULL, FLOATS(0.01f, 1e-4f, 1, 1));
    expect(&r, 4, FLOATS(0, -0.00398942280f, -0.083315471f, 0),
           FLOATS(0.01f, 0.340845057e-4f, 0.068398349f, 0));
}

/* Steps of 0.5, codes -128..127, zero point -128: x = -3 is far below the codes, and a disturbance
 * of variance 0 stays none also on the bound. 10.15 is 20.3 steps: a wide disturbance makes the
 * mean error of rounding, -0.3, vanish, and adds 1/12 of a step squared; one of 0.01 steps changes
 * nothing. */
static void test_predict_layer_rules__quantise(void **state)
{
    op_case c = op_new("QuantizeLinear", 13, 1);
    rule_case r;
    const int8_t zero = -128;
    op_input(&c, BSR_F32, DIMS(4), FLOATS(-3, 0, 10.15f, 10.15f));
    op_input(&c, BSR_F32, SCALAR, FLOATS(0.5f));
    op_input(&c, BSR_I8, SCALAR, &zero);
    rule_open(&r, &c);
    disturb(&r, 0, NULL, FLOATS(0.01f, 0, 1, 2.5e-5f));
    const bsr_moment *m = rule_run(&r);
    near(m->mean, FLOATS(0, 0), 2, 0);
    near(m->var, FLOATS(0, 0), 2, 0);
    /* sd 2: P(|d| > 1/2) = 2 Phi(-1/4) = 0.80259, 4 + (1/12 + 0.19741 * 0.09) * 0.80259 */
    near(m->mean + 2, FLOATS(0.24078f, 0), 2, 1e-4);
    near(m->var + 2, FLOATS(4.08114f, 1e-4f), 2, 1e-4);
    rule_close(&r);
}

static void test_predict_layer_rules__dequantise_by_axis(void **state)
{
    op_case c = op_new("DequantizeLinear", 13, 1);
    rule_case r;
    op_input(&c, BSR_I8, DIMS(2, 2), (const int8_t[]){1, 2, 3, 4});
    op_input(&c, BSR_F32, DIMS(2), FLOATS(0.5f, 3));
    op_int(&c, "axis", 1);
    rule_open(&r, &c);
    disturb(&r, 0, FLOATS(1, 2, 3, 4), FLOATS(4, 4, 8, 8));
    expect(&r, 4, FLOATS(0.5f, 6, 1.5f, 12), FLOATS(1, 36, 2, 72));
}

/* One product of x = 0.5 * (6 - 2) = 2 and w = 0.25 * (3 - -5) = 2, and a bias of 8 * 0.125 = 1:
 * y = 5, 50 steps of 0.1. dx = 2 codes = 1 with variance 100 codes^2 = 25; w 4 codes^2 = 0.25.
 * Mean 2 * 1 = 2 or 20 steps; variance 4 * 25 + 0.25 * (9 + 25) = 108.5 or 10850 steps^2, which
 * saturation at -128 - 10 and 117 steps of the output cuts. */
static void test_predict_layer_rules__qlinear_conv_is_conv_and_saturation(void **state)
{
    op_case c = op_new("QLinearConv", 13, 1);
    rule_case r;
    const int8_t two = 2, five = -5, ten = 10;
    const int32_t bias = 8;
    op_input(&c, BSR_I8, DIMS(1, 1, 1, 1), (const int8_t[]){6});
    op_input(&c, BSR_F32, SCALAR, FLOATS(0.5f));
    op_input(&c, BSR_I8, SCALAR, &two);
    op_input(&c, BSR_I8, DIMS(1, 1, 1, 1), (const int8_t[]){3});
    op_input(&c, BSR_F32, SCALAR, FLOATS(0.25f));
    op_input(&c, BSR_I8, SCALAR, &five);
    op_input(&c, BSR_F32, SCALAR, FLOATS(0.1f));
    op_input(&c, BSR_I8, SCALAR, &ten);
    op_input(&c, BSR_I32, DIMS(1), &bias);
    rule_open(&r, &c);
    disturb(&r, 0, FLOATS(2), FLOATS(100));
    disturb(&r, 3, NULL, FLOATS(4));
    double mean = 20, var = 10850;
    bsr_moment_round(50, -138, 117, 1, &mean, &var);
    assert_true(mean < 20 && var < 10850);
    expect(&r, 1, FLOATS((float)mean), FLOATS((float)var));
}

static void test_predict_layer_rules__pooling(void **state)
{
    rule_case r;
    op_case max = op_new("MaxPool", 13, 1);
    op_input(&max, BSR_F32, DIMS(1, 1, 4), FLOATS(1, 3, 5, 2));
    op_ints(&max, "kernel_shape", DIMS(2));
    op_ints(&max, "strides", DIMS(2));
    rule_open(&r, &max);
    disturb(&r, 0, FLOATS(1, 2, 3, 4), FLOATS(10, 20, 30, 40));
    expect(&r, 2, FLOATS(2, 3), FLOATS(20, 30));
    for (int padded = 0; padded < 2; padded++) {
        op_case mean = op_new("AveragePool", 13, 1);
        float k = padded ? 2 : 1;
        op_input(&mean, BSR_F32, DIMS(1, 1, 3), FLOATS(0, 0, 0));
        op_ints(&mean, "kernel_shape", DIMS(2));
        op_ints(&mean, "strides", DIMS(2));
        op_ints(&mean, "pads", DIMS(1, 0));
        op_int(&mean, "count_include_pad", padded);
        rule_open(&r, &mean);
        disturb(&r, 0, FLOATS(8, 2, 4), FLOATS(16, 8, 4));
        expect(&r, 2, FLOATS(8 / k, 3), FLOATS(16 / k / k, 3));
    }
}

static void test_predict_layer_rules__means(void **state)
{
    static const struct {
        const char *op;
        float mean, var;
    } rows[] = {{"GlobalAveragePool", 2.5f, 25}, {"ReduceMean", 2.5f, 25}, {"ReduceSum", 10, 400}};
    for (int i = 0; i < 3; i++) {
        op_case c = op_new(rows[i].op, i == 2 ? 11 : 13, 1);
        rule_case r;
        op_input(&c, BSR_F32, DIMS(1, 1, 2, 2), FLOATS(1, 2, 3, 4));
        if (i > 0)
            op_ints(&c, "axes", DIMS(2, 3));
        rule_open(&r, &c);
        disturb(&r, 0, FLOATS(1, 2, 3, 4), FLOATS(100, 100, 100, 100));
        expect(&r, 1, FLOATS(rows[i].mean), FLOATS(rows[i].var));
    }
}

static void test_predict_layer_rules__moves(void **state)
{
    rule_case r;
    op_case t = op_new("Transpose", 13, 1);
    op_input(&t, BSR_F32, DIMS(2, 2), FLOATS(9, 9, 9, 9));
    rule_open(&r, &t);
    disturb(&r, 0, FLOATS(1, 2, 3, 4), FLOATS(5, 6, 7, 8));
    expect(&r, 4, FLOATS(1, 3, 2, 4), FLOATS(5, 7, 6, 8));
    op_case cat = op_new("Concat", 13, 1);
    op_input(&cat, BSR_F32, DIMS(2), FLOATS(9, 9));
    op_input(&cat, BSR_F32, DIMS(1), FLOATS(9));
    op_int(&cat, "axis", 0);
    rule_open(&r, &cat);
    disturb(&r, 1, FLOATS(2), FLOATS(3));
    expect(&r, 3, FLOATS(0, 0, 2), FLOATS(0, 0, 3));
    /* Codes, and what is put around them is no disturbance. */
    op_case pad = op_new("Pad", 13, 1);
    const int64_t pads[] = {1, 0};
    const int8_t seven = 7;
    op_input(&pad, BSR_I8, DIMS(2), (const int8_t[]){1, 2});
    op_input(&pad, BSR_I64, DIMS(2), pads);
    op_input(&pad, BSR_I8, SCALAR, &seven);
    rule_open(&r, &pad);
    disturb(&r, 0, FLOATS(1, 2), FLOATS(3, 4));
    expect(&r, 3, FLOATS(0, 1, 2), FLOATS(0, 3, 4));
}

/* a = 3 with 1 and 2, b = (5, 7) with (0, 1) and (0, 4), broadcast. a b: mean 4 * 5 - 15 = 5 and
 * 4 * 8 - 21 = 11; variance 25 * 2 and 64 * 2 + 16 * 4 + 2 * 4 = 200. */
static void test_predict_layer_rules__arithmetic(void **state)
{
    static const struct {
        const char *op;
        float mean[2], var[2];
    } rows[] = {{"Add", {1, 2}, {2, 6}}, {"Sub", {1, 0}, {2, 6}}, {"Mul", {5, 11}, {50, 200}}};
    rule_case r;
    for (int i = 0; i < 3; i++) {
        op_case c = op_new(rows[i].op, 13, 1);
        op_input(&c, BSR_F32, DIMS(1), FLOATS(3));
        op_input(&c, BSR_F32, DIMS(1, 2), FLOATS(5, 7));
        rule_open(&r, &c);
        disturb(&r, 0, FLOATS(1), FLOATS(2));
        disturb(&r, 1, FLOATS(0, 1), FLOATS(0, 4));
        expect(&r, 2, rows[i].mean, rows[i].var);
    }
    op_case c = op_new("Div", 13, 1);
    op_input(&c, BSR_F32, DIMS(1), FLOATS(3));
    op_input(&c, BSR_F32, DIMS(1), FLOATS(4));
    rule_open(&r, &c);
    disturb(&r, 0, FLOATS(1), FLOATS(2));
    expect(&r, 1, FLOATS(0.25f), FLOATS(0.125f));
}

/* gamma 3, variance 4 less epsilon: slope 1.5. A small disturbance takes a sigmoid's slope at 0,
 * 1/4. */
static void test_predict_layer_rules__slopes(void **state)
{
    rule_case r;
    op_case norm = op_new("BatchNormalization", 13, 1);
    op_input(&norm, BSR_F32, DIMS(1, 1, 2), FLOATS(0, 0));
    op_input(&norm, BSR_F32, DIMS(1), FLOATS(3));
    op_input(&norm, BSR_F32, DIMS(1), FLOATS(0));
    op_input(&norm, BSR_F32, DIMS(1), FLOATS(0));
    op_input(&norm, BSR_F32, DIMS(1), FLOATS(3.5f));
    op_float(&norm, "epsilon", 0.5f);
    rule_open(&r, &norm);
    disturb(&r, 0, FLOATS(2, 0), FLOATS(4, 1));
    expect(&r, 2, FLOATS(3, 0), FLOATS(9, 2.25f));
    op_case c = op_new("Sigmoid", 13, 1);
    op_input(&c, BSR_F32, DIMS(1), FLOATS(0));
    rule_open(&r, &c);
    disturb(&r, 0, NULL, FLOATS(1e-4f));
    expect(&r, 1, FLOATS(0), FLOATS(1e-4f / 16));
}

static void test_predict_layer_rules__operators_without_a_rule(void **state)
{
    rule_case r;
    op_case c = op_new("Softmax", 13, 1);
    op_input(&c, BSR_F32, DIMS(1, 2), FLOATS(0, 1));
    rule_open(&r, &c);
    disturb(&r, 0, NULL, FLOATS(1, 1));
    const bsr_moment *m = rule_run(&r);
    assert_true(m->unknown && !m->mean && !m->var);
    rule_close(&r);
    /* What is behind one has none either, whatever it is. */
    op_case relu = op_new("Relu", 13, 1);
    op_input(&relu, BSR_F32, DIMS(2), FLOATS(0, 1));
    rule_open(&r, &relu);
    r.of[op_node(&relu)->in[0]].unknown = 1;
    assert_true(rule_run(&r)->unknown);
    rule_close(&r);
    /* A divisor that is disturbed may be 0. */
    op_case div = op_new("Div", 13, 1);
    op_input(&div, BSR_F32, DIMS(1), FLOATS(3));
    op_input(&div, BSR_F32, DIMS(1), FLOATS(4));
    rule_open(&r, &div);
    disturb(&r, 1, NULL, FLOATS(1));
    assert_true(rule_run(&r)->unknown);
    rule_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predict_layer_rules__gemm_by_hand),
        cmocka_unit_test(test_predict_layer_rules__gemm_transposes),
        cmocka_unit_test(test_predict_layer_rules__conv_agrees_with_conv_of_squares),
        cmocka_unit_test(test_predict_layer_rules__relu_of_a_normal),
        cmocka_unit_test(test_predict_layer_rules__relu_of_rare_disturbances),
        cmocka_unit_test(test_predict_layer_rules__sums_are_closer_to_normal),
        cmocka_unit_test(test_predict_layer_rules__clip),
        cmocka_unit_test(test_predict_layer_rules__quantise),
        cmocka_unit_test(test_predict_layer_rules__dequantise_by_axis),
        cmocka_unit_test(test_predict_layer_rules__qlinear_conv_is_conv_and_saturation),
        cmocka_unit_test(test_predict_layer_rules__pooling),
        cmocka_unit_test(test_predict_layer_rules__means),
        cmocka_unit_test(test_predict_layer_rules__moves),
        cmocka_unit_test(test_predict_layer_rules__arithmetic),
        cmocka_unit_test(test_predict_layer_rules__slopes),
        cmocka_unit_test(test_predict_layer_rules__operators_without_a_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
