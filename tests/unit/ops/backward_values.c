/* Backward rules against PyTorch, and what they do where the function has no slope. */
#include "backward_case.h"

#include "backward_reference.h"

/* PyTorch computes in float64; the forward values that some rules read are float32. */
#define TOLERANCE 1e-6

static void check(back_case b, const float *const *want, int n, double tolerance)
{
    unsigned wanted = 0;
    for (int i = 0; i < n; i++)
        wanted |= (unsigned)(want[i] != NULL) << i;
    back_ok(&b, wanted, 0);
    for (int i = 0; i < n; i++)
        if (want[i])
            back_expect(&b, i, want[i], tolerance);
    back_free(&b);
}

#define CHECK(b, tolerance, ...)                                                                   \
    check(b, (const float *const[]){__VA_ARGS__},                                                  \
          (int)(sizeof((const float *const[]){__VA_ARGS__}) / sizeof(float *)), tolerance)

static void test_ops_backward_values__conv(void **state)
{
    back_case b = back_new("Conv", 13, 1, "1x4x5x6 6x2x3x3 6", "group=2 strides=2,3 pads=1,2,1,2");
    CHECK(b, TOLERANCE, conv_grouped_x, conv_grouped_w, conv_grouped_b);
    b = back_new("Conv", 13, 1, "2x3x7x6 3x1x3x2",
                 "group=3 strides=1,2 pads=2,1,2,1 dilations=2,3");
    CHECK(b, TOLERANCE, conv_dilated_x, conv_dilated_w);
}

static void test_ops_backward_values__batch_norm(void **state)
{
    back_case b = back_new("BatchNormalization", 13, 1, "2x3x2x2 3 3 3 3@0.5:2", "epsilon=0.01");
    CHECK(b, TOLERANCE, batch_norm_x, batch_norm_scale, batch_norm_bias, batch_norm_mean,
          batch_norm_var);
}

static void test_ops_backward_values__pools(void **state)
{
    back_case b =
        back_new("MaxPool", 12, 1, "i8:1x2x5x5@-2:3", "kernel_shape=3,3 strides=2,2 pads=1,1,1,1");
    CHECK(b, 0.0, max_pool_x);
    b = back_new("AveragePool", 11, 1, "1x2x5x6", "kernel_shape=3,2 strides=2,2 pads=1,1,1,1");
    CHECK(b, TOLERANCE, average_pool_x);
    b = back_new("AveragePool", 11, 1, "1x2x5x6",
                 "kernel_shape=3,2 strides=2,2 pads=1,1,1,1 count_include_pad=1");
    CHECK(b, TOLERANCE, average_pool_padded_x);
}

static void test_ops_backward_values__softmax(void **state)
{
    CHECK(back_new("Softmax", 13, 1, "2x5x3", "axis=1"), TOLERANCE, softmax_x);
    CHECK(back_new("LogSoftmax", 13, 1, "2x5x3", "axis=1"), TOLERANCE, log_softmax_x);
}

/* A case of one input x of n numbers and the seed 1, -1, 1, ... */
static back_case at(const char *type, int opset, const char *inputs, const char *attrs,
                    const float *x)
{
    back_case b = back_new(type, opset, 1, inputs, attrs);
    back_set(back_constant(&b, 0), x);
    assert_int_equal(op_evaluate(&b.c, 0), BSR_OK);
    float *seed = b.seed[0]->data;
    for (int64_t k = 0; k < bsr_count(b.seed[0]->rank, b.seed[0]->dims); k++)
        seed[k] = k % 2 ? -1.0f : 1.0f;
    return b;
}

/* The seeds are 1, -1, ...: what is cut is +0, whatever the sign of the seed. */
static void test_ops_backward_values__cuts(void **state)
{
    const float x[6] = {0.0f, -0.0f, -1.0f, -INFINITY, 0x1p-149f, 2.0f};
    CHECK(at("Relu", 13, "6", "", x), 0.0, (const float[]){0, 0, 0, 0, 1, -1});
    CHECK(at("LeakyRelu", 13, "6", "alpha=0.5", x), 0.0,
          (const float[]){0.5f, -0.5f, 0.5f, -0.5f, 1, -1});
    CHECK(at("Abs", 13, "6", "", x), 0.0, (const float[]){0, 0, -1, 1, 1, -1});

    const float y[6] = {-1.0f, 2.0f, -1.5f, 2.5f, -0.5f, 1.5f};
    CHECK(at("Clip", 10, "6", "min=-1 max=2", y), 0.0, (const float[]){0, 0, 0, 0, 1, -1});
    CHECK(at("Clip", 13, "6 s@-1:-1 s@2:2", "", y), 0.0, (const float[]){0, 0, 0, 0, 1, -1},
          (const float[]){1}, (const float[]){-1});

    const float z[6] = {-3.0f, -4.0f, 5.0f, 3.0f, -2.5f, 2.5f};
    CHECK(at("HardSwish", 14, "6", "", z), 0x1p-23,
          (const float[]){0, 0, 1, -1, -2.5f / 3 + 0.5f, -2.5f / 3 - 0.5f});
    CHECK(at("HardSigmoid", 13, "6", "alpha=0.25 beta=0.25", z), 0.0,
          (const float[]){0, 0, 0, 0, 0, -0.25f});
}

/* Of equal maxima the first is followed. */
static void test_ops_backward_values__equal_maxima(void **state)
{
    const float x[4] = {1.0f, 3.0f, 3.0f, 2.0f};
    CHECK(at("ReduceMax", 13, "1x1x4", "", x), 0.0, (const float[]){0, 1, 0, 0});
    CHECK(at("GlobalMaxPool", 13, "1x1x4", "", x), 0.0, (const float[]){0, 1, 0, 0});
    CHECK(at("MaxPool", 13, "1x1x4", "kernel_shape=3", x), 0.0, (const float[]){0, 0, 0, 0});
    const float least[4] = {1.0f, -3.0f, -3.0f, 2.0f};
    CHECK(at("ReduceMin", 13, "1x4", "", least), 0.0, (const float[]){0, 1, 0, 0});
    CHECK(at("Max", 13, "1 1@3:3", "", (const float[]){3}), 0.0, (const float[]){1},
          (const float[]){0});
    CHECK(at("Min", 13, "1 1@3:3", "", (const float[]){3}), 0.0, (const float[]){1},
          (const float[]){0});
}

/* Products of the others when one or two elements are 0. */
static void test_ops_backward_values__product(void **state)
{
    CHECK(at("ReduceProd", 13, "3", "", (const float[]){2, 0, 5}), 0.0, (const float[]){0, 10, 0});
    CHECK(at("ReduceProd", 13, "3", "", (const float[]){0, 0, 5}), 0.0, (const float[]){0, 0, 0});
    CHECK(at("ReduceL2", 13, "3", "", (const float[]){0, 0, 0}), 0.0, (const float[]){0, 0, 0});
}

/* Nothing comes in where the seed is 0, not even through an infinite weight or slope. */
static void test_ops_backward_values__dead(void **state)
{
    back_case b = back_new("Conv", 13, 1, "1x1x3 1x1x1 1", "");
    back_set(back_constant(&b, 1), (const float[]){INFINITY});
    back_set(b.seed[0], (const float[]){0, -0.0f, 0});
    CHECK(b, 0.0, (const float[]){0, 0, 0}, (const float[]){0}, (const float[]){0});
    b = back_new("MatMul", 13, 1, "1x2 2x1", "");
    back_set(back_constant(&b, 1), (const float[]){INFINITY, NAN});
    back_set(b.seed[0], (const float[]){0});
    CHECK(b, 0.0, (const float[]){0, 0}, (const float[]){0, 0});
    b = back_new("Sqrt", 13, 1, "2", "");
    back_set(back_constant(&b, 0), (const float[]){0, 4});
    back_set(b.seed[0], (const float[]){0, 1});
    CHECK(b, 0.0, (const float[]){0, 0.25f});
}

/* x / 0.5 + 128: codes 0 and 255 are inside, what would be -1 or 256 is not. -64.25 is code
 * rint(-128.5) + 128 = 0 (half to even), -64.5 is -1. The slope is 1 / 0.5. */
static void test_ops_backward_values__quantize(void **state)
{
    const float x[6] = {-64.0f, -64.25f, -64.5f, 63.5f, 63.9f, 0.2f};
    CHECK(at("QuantizeLinear", 13, "6 s@0.5:0.5 u8:s@128:128", "", x), 0.0,
          (const float[]){2, -2, 0, -2, 0, -2},
          /* -x / scale^2 times the seed: 256 - 257 - 254 * -1 + 0.8, and 1 - 1 - 1 - 1 */
          (const float[]){256 - 257 + 254 + 0.8f}, (const float[]){-2});
    CHECK(at("DequantizeLinear", 13, "i32:1 s@0.5:0.5", "", (const float[]){0x1p-142f}), 0.0,
          (const float[]){0.5f}, (const float[]){128}); /* the float's bits are the int 128 */
}

/* sum = (x - 0) * w with w = 100, scale 1: x = 2 saturates int8, x = 1 does not. */
static void test_ops_backward_values__qlinear_saturates(void **state)
{
    static const char inputs[] = "i8:1x1x2@1:3 !s@1:1 !i8:s@0:0 i8:1x1x1@100:100 !s@1:1 !i8:s@0:0 "
                                 "!s@1:1 !i8:s@0:0";
    back_case b = back_new("QLinearConv", 13, 1, inputs, "");
    assert_memory_equal(b.c.out[0]->data, ((const int8_t[]){100, 127}), 2);
    back_set(b.seed[0], (const float[]){2, 3});
    CHECK(b, 0.0, (const float[]){200, 0}, NULL, NULL, (const float[]){2});

    b = back_new("QLinearConv", 13, 1, inputs, "");
    bsr_status status;
    back_run(&b, 1u << 1, 0, 0, &status);
    assert_int_equal(status, BSR_EUNSUPPORTED);
    assert_string_equal(bsr_error_message(), "node 'n' (QLinearConv): has no gradient of input 1");
    back_free(&b);
}

/* Largest finite values: IEEE 754 binary16 65504; OCP e4m3 448 and e5m2 57344. kind numbers are
 * bsr_format_kind. int: -100..100 steps of 0.5 around a zero point of 10. */
static void test_ops_backward_values__store(void **state)
{
    const float x[6] = {65504.0f, -65505.0f, 448.0f, -449.0f, 57344.0f, 57345.0f};
    const float steps[6] = {45.0f, 45.2f, 45.4f, -55.2f, -55.4f, 0.1f};
    const float signs[6] = {0.5f, -0.5f, 0.6f, -0.6f, 0.0f, NAN};
    CHECK(at(BSR_OP_STORE, 13, "6", "kind=2 bits=16", x), 0.0, (const float[]){1, 0, 1, -1, 1, -1});
    CHECK(at(BSR_OP_STORE, 13, "6", "kind=4 bits=8", x), 0.0, (const float[]){0, 0, 1, 0, 0, 0});
    CHECK(at(BSR_OP_STORE, 13, "6", "kind=5 bits=8", x), 0.0, (const float[]){0, 0, 1, -1, 1, 0});
    CHECK(at(BSR_OP_STORE, 13, "6", "kind=6 bits=8 scale=0.5 zero=10 min=-100 max=100", steps), 0.0,
          (const float[]){1, -1, 0, -1, 0, -1});
    CHECK(at(BSR_OP_STORE, 13, "6", "kind=9 bits=1 scale=0.5", signs), 0.0,
          (const float[]){1, -1, 0, 0, 1, 0});
    /* Ranges -0.5:0.6 of fp32 and, of e4m3, -0.5:0.6, whose last value inside is 0.5625. */
    const float near[6] = {0.6f, 0.58f, -0.5f, -0.51f, 0.5625f, NAN};
    CHECK(at(BSR_OP_STORE, 13, "6", "kind=1 bits=32 bounded=1 lo=-0.5 hi=0.6", near), 0.0,
          (const float[]){1, -1, 1, 0, 1, 0});
    CHECK(at(BSR_OP_STORE, 13, "6", "kind=4 bits=8 bounded=1 lo=-0.5 hi=0.6", near), 0.0,
          (const float[]){0, 0, 1, 0, 1, 0});
}

static void test_ops_backward_values__refusals(void **state)
{
    static const struct {
        const char *type, *inputs, *message;
    } cases[] = {
        {"Abs", "i8:2", "node 'n' (Abs): input 0 is int8, gradients need float32"},
        {"Add", "i32:2 i32:2", "node 'n' (Add): input 0 is int32, gradients need float32"},
        {"Clip", "i8:2", "node 'n' (Clip): input 0 is int8, gradients need float32"},
        {"ReduceSum", "i32:2", "node 'n' (ReduceSum): input 0 is int32, gradients need float32"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        back_case b = back_new(cases[i].type, 13, 1, cases[i].inputs, "");
        bsr_status status;
        back_run(&b, 1, 0, 0, &status);
        assert_int_equal(status, BSR_EUNSUPPORTED);
        assert_string_equal(bsr_error_message(), cases[i].message);
        back_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_backward_values__conv),
        cmocka_unit_test(test_ops_backward_values__batch_norm),
        cmocka_unit_test(test_ops_backward_values__pools),
        cmocka_unit_test(test_ops_backward_values__softmax),
        cmocka_unit_test(test_ops_backward_values__cuts),
        cmocka_unit_test(test_ops_backward_values__equal_maxima),
        cmocka_unit_test(test_ops_backward_values__product),
        cmocka_unit_test(test_ops_backward_values__dead),
        cmocka_unit_test(test_ops_backward_values__quantize),
        cmocka_unit_test(test_ops_backward_values__qlinear_saturates),
        cmocka_unit_test(test_ops_backward_values__store),
        cmocka_unit_test(test_ops_backward_values__refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
