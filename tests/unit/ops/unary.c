#include "op_case.h"

#include <float.h>
#include <math.h>

#include "ops/mathf.h"

enum { N = 7 };
static const float X[N] = {-3.0f, -0.75f, -1e-6f, 0.0f, 0.3f, 2.5f, 7.0f};

/* The operator on X, dense and as the scalar function of bsr_op_unary: both must give `want`. */
static void expect(op_case *c, const float *want, float tolerance)
{
    float p[4];
    op_input(c, BSR_F32, DIMS(N), X);
    bsr_unary_fn fn = bsr_op_unary(c->graph, op_node(c), p);
    assert_non_null(fn);
    for (int i = 0; i < N; i++)
        assert_true(fabsf(fn(X[i], p) - want[i]) <= tolerance * fmaxf(1.0f, fabsf(want[i])));
    op_expect_f32(c, DIMS(N), want, tolerance * 8.0f);
}

/* PyTorch 1.13 in float64, rounded to float (hardswish divides by 6 where ONNX multiplies). */
static void test_ops_unary__activations(void **state)
{
    op_case c = op_new("Elu", 13, 1);
    op_float(&c, "alpha", 1.5f);
    expect(&c,
           (const float[N]){-1.42531943f, -0.791450143f, -1.49999926e-06f, 0.0f, 0.300000012f, 2.5f,
                            7.0f},
           1e-7f);
    c = op_new("Selu", 13, 1);
    expect(&c,
           (const float[N]){-1.6705687f, -0.927632034f, -1.75809851e-06f, 0.0f, 0.315210313f,
                            2.62675238f, 7.35490704f},
           1e-7f);
    c = op_new("HardSwish", 14, 1);
    expect(
        &c,
        (const float[N]){-0.0f, -0.28125f, -4.99999828e-07f, 0.0f, 0.165000007f, 2.29166675f, 7.0f},
        1e-7f);
    c = op_new("Softsign", 13, 1);
    expect(&c,
           (const float[N]){-0.75f, -0.428571433f, -9.99998974e-07f, 0.0f, 0.230769232f,
                            0.714285731f, 0.875f},
           1e-7f);
    c = op_new("LeakyRelu", 13, 1);
    op_float(&c, "alpha", 0.2f);
    expect(&c,
           (const float[N]){-0.600000024f, -0.150000006f, -2.00000002e-07f, 0.0f, 0.300000012f,
                            2.5f, 7.0f},
           0.0f);
    c = op_new("HardSigmoid", 13, 1);
    op_float(&c, "alpha", 0.25f);
    op_float(&c, "beta", 0.4f);
    expect(
        &c,
        (const float[N]){0.0f, 0.212500006f, 0.399999738f, 0.400000006f, 0.474999994f, 1.0f, 1.0f},
        1e-7f);
}

/* The functions of mathf.h have their own tests; here: which one each operator means. */
static void test_ops_unary__elementary(void **state)
{
    static const struct {
        const char *type;
        float (*fn)(float x);
    } pairs[] = {
        {"Sigmoid", bsr_sigmoidf},
        {"Tanh", bsr_tanhf},
        {"Softplus", bsr_softplusf},
        {"Erf", bsr_erff},
        {"Exp", bsr_expf},
        {"Sqrt", sqrtf},
        {"Abs", fabsf},
        {"Floor", floorf},
        {"Ceil", ceilf},
        {"Round", rintf},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        op_case c = op_new(pairs[i].type, 13, 1);
        float want[N], positive[N], p[4];
        for (int k = 0; k < N; k++) {
            positive[k] = fabsf(X[k]);
            want[k] = pairs[i].fn(positive[k]);
        }
        op_input(&c, BSR_F32, DIMS(N), positive);
        assert_float_equal(bsr_op_unary(c.graph, op_node(&c), p)(0.3f, p), pairs[i].fn(0.3f), 0.0);
        op_expect_f32(&c, DIMS(N), want, 0.0f);
    }
    op_case c = op_new("Log", 13, 1);
    op_input(&c, BSR_F32, DIMS(3), (const float[]){1.0f, 2.0f, 10.0f});
    op_expect_f32(&c, DIMS(3), (const float[]){0.0f, 0x1.62e43p-1f, 0x1.26bb1cp+1f}, 0.0f);
    c = op_new("Reciprocal", 13, 1);
    op_input(&c, BSR_F32, DIMS(3), (const float[]){4.0f, -0.0f, INFINITY});
    op_expect_f32(&c, DIMS(3), (const float[]){0.25f, -INFINITY, 0.0f}, 0.0f);
    c = op_new("Round", 13, 1); /* half to even, as the ONNX text says */
    op_input(&c, BSR_F32, DIMS(4), (const float[]){0.5f, 1.5f, -2.5f, -0.75f});
    op_expect_f32(&c, DIMS(4), (const float[]){0.0f, 2.0f, -2.0f, -1.0f}, 0.0f);
}

static void check_scalar(const char *type, float x, float want)
{
    float p[4];
    op_case c = op_new(type, 10, 1);
    op_input(&c, BSR_F32, DIMS(1), &x);
    float got = bsr_op_unary(c.graph, op_node(&c), p)(x, p);
    if (isnan(want) ? !isnan(got) : memcmp(&got, &want, sizeof got) != 0)
        fail_msg("%s(%a) is %a, expected %a", type, (double)x, (double)got, (double)want);
    op_free(&c);
}

/* NaN stays NaN wherever a comparison could lose it. */
static void test_ops_unary__special_values(void **state)
{
    static const char *const keep_nan[] = {
        "Relu", "LeakyRelu", "Clip",       "Elu",   "Selu", "Sigmoid", "HardSigmoid", "HardSwish",
        "Tanh", "Sign",      "Softplus",   "Erf",   "Neg",  "Abs",     "Sqrt",        "Exp",
        "Log",  "Identity",  "Reciprocal", "Floor", "Ceil", "Round",   "Softsign",    "Dropout",
    };
    for (size_t i = 0; i < sizeof keep_nan / sizeof keep_nan[0]; i++)
        check_scalar(keep_nan[i], NAN, NAN);
    check_scalar("Relu", -0.0f, 0.0f);
    check_scalar("Relu", -INFINITY, 0.0f);
    check_scalar("Relu", INFINITY, INFINITY);
    check_scalar("Sign", -0.0f, 0.0f);
    check_scalar("Sign", -INFINITY, -1.0f);
    check_scalar("Sign", 0x1p-149f, 1.0f);
    check_scalar("Neg", 0.0f, -0.0f);
    check_scalar("Clip", INFINITY, FLT_MAX); /* the default bounds are the finite range */
    check_scalar("Elu", -INFINITY, -1.0f);
    check_scalar("Sqrt", -1.0f, NAN);
}

static void test_ops_unary__clip(void **state)
{
    static const float lo = -1.0f, hi = 2.0f;
    static const float want[N] = {-1.0f, -0.75f, -1e-6f, 0.0f, 0.3f, 2.0f, 2.0f};
    float p[4];
    op_case c = op_new("Clip", 10, 1);
    op_float(&c, "min", lo);
    op_float(&c, "max", hi);
    expect(&c, want, 0.0f);

    c = op_new("Clip", 11, 1);
    op_input(&c, BSR_F32, DIMS(N), X);
    op_input(&c, BSR_F32, SCALAR, &lo);
    op_input(&c, BSR_F32, SCALAR, &hi);
    assert_float_equal(bsr_op_unary(c.graph, op_node(&c), p)(7.0f, p), 2.0, 0.0);
    op_expect_f32(&c, DIMS(N), want, 0.0f);

    c = op_new("Clip", 13, 1); /* only max; crossed bounds give max */
    op_input(&c, BSR_F32, DIMS(2), (const float[]){-9.0f, 9.0f});
    op_no_input(&c);
    op_input(&c, BSR_F32, SCALAR, &lo);
    op_expect_f32(&c, DIMS(2), (const float[]){-9.0f, -1.0f}, 0.0f);
    c = op_new("Clip", 13, 1);
    op_input(&c, BSR_F32, DIMS(2), (const float[]){-9.0f, 9.0f});
    op_input(&c, BSR_F32, SCALAR, &hi);
    op_input(&c, BSR_F32, SCALAR, &lo);
    op_expect_f32(&c, DIMS(2), (const float[]){-1.0f, -1.0f}, 0.0f);

    c = op_new("Clip", 13, 1);
    op_input(&c, BSR_U8, DIMS(3), (const uint8_t[]){0, 100, 255});
    op_no_input(&c);
    op_input(&c, BSR_U8, SCALAR, (const uint8_t[]){200});
    op_expect_ints(&c, BSR_U8, DIMS(3), (const int64_t[]){0, 100, 200});
}

static void test_ops_unary__clip_errors(void **state)
{
    op_case c = op_new("Clip", 11, 1);
    op_input(&c, BSR_F32, DIMS(N), X);
    op_float(&c, "max", 6.0f);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Clip): attribute 'max' ended with opset 10");
    c = op_new("Clip", 10, 1);
    op_input(&c, BSR_F32, DIMS(N), X);
    op_input(&c, BSR_F32, SCALAR, NULL);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Clip): has 2 inputs, expected 1 before opset 11");
    c = op_new("Clip", 11, 1);
    op_input(&c, BSR_F32, DIMS(N), X);
    op_input(&c, BSR_F32, DIMS(2), NULL);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Clip): min has shape 2, expected a scalar");
    c = op_new("Clip", 11, 1);
    op_input(&c, BSR_F32, DIMS(N), X);
    op_no_input(&c);
    op_input(&c, BSR_F64, SCALAR, NULL);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Clip): max is float64, the input is float32");
}

static void test_ops_unary__integers(void **state)
{
    op_case c = op_new("Neg", 13, 1);
    op_input(&c, BSR_I8, DIMS(3), (const int8_t[]){5, 0, -128});
    op_expect_ints(&c, BSR_I8, DIMS(3), (const int64_t[]){-5, 0, -128});
    c = op_new("Abs", 13, 1);
    op_input(&c, BSR_I32, DIMS(3), (const int32_t[]){-5, 7, INT32_MIN});
    op_expect_ints(&c, BSR_I32, DIMS(3), (const int64_t[]){5, 7, INT32_MIN});
    c = op_new("Sign", 13, 1);
    op_input(&c, BSR_I64, DIMS(3), (const int64_t[]){-5, 0, INT64_MAX});
    op_expect_ints(&c, BSR_I64, DIMS(3), (const int64_t[]){-1, 0, 1});
    c = op_new("Relu", 14, 1);
    op_input(&c, BSR_I8, DIMS(3), (const int8_t[]){-5, 0, 9});
    op_expect_ints(&c, BSR_I8, DIMS(3), (const int64_t[]){0, 0, 9});
}

static void test_ops_unary__float64(void **state)
{
    op_case c = op_new("Exp", 13, 1);
    op_input(&c, BSR_F64, DIMS(2), (const double[]){0.0, 1.0});
    op_run(&c);
    const double *y = c.out[0]->data;
    assert_true(y[0] == 1.0 && fabs(y[1] - 0x1.5bf0a8b145769p+1) <= 0x1p-51);
    op_free(&c);
}

static void test_ops_unary__types(void **state)
{
    op_case c = op_new("Sigmoid", 13, 1);
    op_input(&c, BSR_F64, DIMS(2), NULL);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (Sigmoid): input 0 is float64, which is not supported");
    c = op_new("Not", 13, 1);
    op_input(&c, BSR_BOOL, DIMS(2), (const uint8_t[]){0, 1});
    op_run(&c);
    op_check_shape(&c, 0, BSR_BOOL, DIMS(2));
    assert_memory_equal(c.out[0]->data, ((const uint8_t[]){1, 0}), 2);
    op_free(&c);
}

static void test_ops_unary__dropout(void **state)
{
    float p[4];
    op_case c = op_new("Dropout", 10, 2);
    op_input(&c, BSR_F32, DIMS(N), X);
    op_float(&c, "ratio", 0.5f);
    assert_null(bsr_op_unary(c.graph, op_node(&c), p)); /* the mask is wanted */
    op_run(&c);
    op_check_shape(&c, 1, BSR_BOOL, DIMS(N));
    assert_memory_equal(c.out[0]->data, X, sizeof X);
    assert_memory_equal(c.out[1]->data, "\1\1\1\1\1\1\1", N);
    op_free(&c);

    c = op_new("Dropout", 7, 2);
    op_input(&c, BSR_F32, DIMS(1), X);
    op_run(&c);
    op_check_shape(&c, 1, BSR_F32, DIMS(1));
    assert_true(*(const float *)c.out[1]->data == 1.0f);
    op_free(&c);

    c = op_new("Dropout", 13, 1);
    op_input(&c, BSR_F32, DIMS(N), X);
    op_no_input(&c);
    op_input(&c, BSR_BOOL, SCALAR, "\1");
    op_expect_error(&c, BSR_EUNSUPPORTED, "node 'n' (Dropout): training_mode is true");
}

/* What is not a unary float node. */
static void test_ops_unary__not_scalar(void **state)
{
    float p[4];
    op_case c = op_new("Relu", 14, 1);
    op_input(&c, BSR_I8, DIMS(2), NULL);
    assert_null(bsr_op_unary(c.graph, op_node(&c), p));
    op_free(&c);
    c = op_new("Add", 14, 1);
    op_input(&c, BSR_F32, DIMS(2), NULL);
    assert_null(bsr_op_unary(c.graph, op_node(&c), p));
    op_free(&c);
    c = op_new("Clip", 11, 1); /* a bound that is not constant */
    op_input(&c, BSR_F32, DIMS(2), NULL);
    op_input(&c, BSR_F32, SCALAR, NULL);
    bsr_value *bound = &c.graph->values[op_node(&c)->in[1]];
    bsr_tensor_free(bound->constant);
    bound->constant = NULL;
    assert_null(bsr_op_unary(c.graph, op_node(&c), p));
    op_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_unary__activations),
        cmocka_unit_test(test_ops_unary__elementary),
        cmocka_unit_test(test_ops_unary__special_values),
        cmocka_unit_test(test_ops_unary__clip),
        cmocka_unit_test(test_ops_unary__clip_errors),
        cmocka_unit_test(test_ops_unary__integers),
        cmocka_unit_test(test_ops_unary__float64),
        cmocka_unit_test(test_ops_unary__types),
        cmocka_unit_test(test_ops_unary__dropout),
        cmocka_unit_test(test_ops_unary__not_scalar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
