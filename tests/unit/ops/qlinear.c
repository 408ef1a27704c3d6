/* ConvInteger, QLinearConv, MatMulInteger, QLinearMatMul. Expectations marked "torch" are sums of
 * torch 1.13 (Debian python3-torch, conv in float64 on centred codes, which is exact) that numpy
 * scaled in float32 as docs/design/numerics.md says: clip(rint(float32(sum) * (sx * sw / sy)) +
 * zy). No value is near a tie. */
#include "op_case.h"

static void add_scalar_f32(op_case *c, float value)
{
    op_input(c, BSR_F32, SCALAR, &value);
}

static void add_scalar_code(op_case *c, bsr_dtype dtype, int value)
{
    op_codes(c, dtype, 0, 1, value, SCALAR);
}

/* x, its scale and zero point; the same of the weights; scale and zero point of y. */
static void add_conv_uint8_int8(op_case *c)
{
    op_codes(c, BSR_U8, 37, 256, 0, DIMS(1, 4, 5, 4));
    add_scalar_f32(c, 0.02f);
    add_scalar_code(c, BSR_U8, 121);
    op_codes(c, BSR_I8, 29, 255, -127, DIMS(4, 2, 3, 3));
    op_input(c, BSR_F32, DIMS(4), (const float[]){0.01f, 0.02f, 0.005f, 0.03f});
    op_codes(c, BSR_I8, 0, 1, 0, DIMS(4));
    add_scalar_f32(c, 0.15f);
    add_scalar_code(c, BSR_U8, 100);
}

/* torch: conv2d(pad(x - 121, (1, 2, 0, 1)), w, bias, stride=2, groups=2) */
static void test_ops_qlinear__conv_per_channel_with_bias(void **state)
{
    op_case c = op_new("QLinearConv", 10, 1);
    add_conv_uint8_int8(&c);
    op_input(&c, BSR_I32, DIMS(4), (const int32_t[]){1000, -2000, 0, 77});
    op_ints(&c, "strides", DIMS(2, 2));
    op_ints(&c, "pads", DIMS(0, 1, 1, 2));
    op_int(&c, "group", 2);
    op_expect_ints(&c, BSR_U8, DIMS(1, 4, 2, 3),
                   (const int64_t[]){87, 139, 112, 122, 127, 112, 53,  163, 116, 131, 145, 115,
                                     99, 93,  105, 106, 103, 103, 118, 58,  128, 148, 116, 127});
}

/* torch: conv1d(pad(x + 3, (1, 1)), w - 130, groups=2, dilation=2) */
static void test_ops_qlinear__conv_depthwise_int8_uint8(void **state)
{
    op_case c = op_new("QLinearConv", 10, 1);
    op_codes(&c, BSR_I8, 37, 256, -128, DIMS(2, 2, 6));
    add_scalar_f32(&c, 0.05f);
    add_scalar_code(&c, BSR_I8, -3);
    op_codes(&c, BSR_U8, 29, 256, 0, DIMS(2, 1, 3));
    add_scalar_f32(&c, 0.01f);
    add_scalar_code(&c, BSR_U8, 130);
    add_scalar_f32(&c, 0.5f);
    add_scalar_code(&c, BSR_I8, -7);
    op_ints(&c, "pads", DIMS(1, 1));
    op_ints(&c, "dilations", DIMS(2));
    op_int(&c, "group", 2);
    op_expect_ints(
        &c, BSR_I8, DIMS(2, 2, 4),
        (const int64_t[]){3, 13, 2, -3, -6, -10, -1, -3, -11, 0, -11, 13, -10, -11, -9, -10});
}

/* torch: conv1d(pad(x - 9, (1, 0)), w - zero point of each output channel) */
static void test_ops_qlinear__conv_integer(void **state)
{
    op_case c = op_new("ConvInteger", 10, 1);
    op_codes(&c, BSR_U8, 37, 256, 0, DIMS(1, 2, 4));
    op_codes(&c, BSR_U8, 29, 256, 0, DIMS(3, 2, 2));
    add_scalar_code(&c, BSR_U8, 9);
    op_input(&c, BSR_U8, DIMS(3), (const uint8_t[]){128, 0, 255});
    op_ints(&c, "pads", DIMS(1, 0));
    op_expect_ints(&c, BSR_I32, DIMS(1, 3, 4),
                   (const int64_t[]){-4808, -18566, -31072, -33082, 26912, 62930, 86536, 58174,
                                     -24438, -71304, -96686, -72916});

    /* By hand, without zero points. */
    c = op_new("ConvInteger", 10, 1);
    op_input(&c, BSR_U8, DIMS(1, 1, 3), (const uint8_t[]){255, 1, 2});
    op_input(&c, BSR_I8, DIMS(1, 1, 2), (const int8_t[]){-128, 3});
    op_expect_ints(&c, BSR_I32, DIMS(1, 1, 2), (const int64_t[]){-32637, -122});
}

/* By hand: 1 + 2147483647 is -2147483648 modulo 2^32, which saturates to the lower end. */
static void test_ops_qlinear__conv_wraps(void **state)
{
    op_case c = op_new("QLinearConv", 10, 1);
    op_codes(&c, BSR_U8, 0, 1, 1, DIMS(1, 1, 1));
    add_scalar_f32(&c, 1);
    add_scalar_code(&c, BSR_U8, 0);
    op_codes(&c, BSR_I8, 0, 1, 1, DIMS(1, 1, 1));
    add_scalar_f32(&c, 1);
    add_scalar_code(&c, BSR_I8, 0);
    add_scalar_f32(&c, 1);
    add_scalar_code(&c, BSR_I8, 0);
    op_input(&c, BSR_I32, DIMS(1), (const int32_t[]){INT32_MAX});
    op_expect_ints(&c, BSR_I8, DIMS(1, 1, 1), (const int64_t[]){-128});
}

static void test_ops_qlinear__conv_refusals(void **state)
{
    static const int64_t n_scales[] = {3}, n_bias[] = {5};
    op_case c = op_new("QLinearConv", 10, 1);
    op_codes(&c, BSR_U8, 37, 256, 0, DIMS(1, 4, 5, 4));
    add_scalar_f32(&c, 0.02f);
    add_scalar_code(&c, BSR_U8, 121);
    op_codes(&c, BSR_I8, 29, 255, -127, DIMS(4, 4, 3, 3));
    op_input(&c, BSR_F32, 1, n_scales, NULL);
    add_scalar_code(&c, BSR_I8, 0);
    add_scalar_f32(&c, 1);
    add_scalar_code(&c, BSR_U8, 0);
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (QLinearConv): weight scale has 3 values, weights have 4 output "
                    "channels");

    c = op_new("QLinearConv", 10, 1);
    add_conv_uint8_int8(&c);
    op_input(&c, BSR_I32, 1, n_bias, NULL);
    op_int(&c, "group", 2);
    op_expect_error(
        &c, BSR_EFORMAT,
        "node 'n' (QLinearConv): bias is 5, expected one value for each of 4 output channels");

    c = op_new("QLinearConv", 10, 1);
    add_conv_uint8_int8(&c);
    op_input(&c, BSR_F32, DIMS(4), NULL);
    op_int(&c, "group", 2);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (QLinearConv): bias is float32, supported is int32");

    c = op_new("ConvInteger", 10, 1);
    op_codes(&c, BSR_U8, 37, 256, 0, DIMS(1, 1, 4));
    op_input(&c, BSR_F32, DIMS(1, 1, 2), NULL);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (ConvInteger): weight is float32, supported are uint8 and int8");

    c = op_new("ConvInteger", 10, 1);
    op_codes(&c, BSR_U8, 37, 256, 0, DIMS(1, 1, 4));
    op_codes(&c, BSR_U8, 37, 256, 0, DIMS(1, 1, 2));
    op_codes(&c, BSR_U8, 0, 1, 0, DIMS(2));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (ConvInteger): input zero point has 2 values, expected 1");

    c = op_new("ConvInteger", 10, 1);
    op_codes(&c, BSR_U8, 37, 256, 0, DIMS(1, 1, 4));
    op_codes(&c, BSR_U8, 37, 256, 0, DIMS(1, 1, 2));
    op_codes(&c, BSR_I8, 0, 1, 0, SCALAR);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (ConvInteger): input zero point is int8, expected uint8");
}

/* numpy: (a - za) @ (b - zb), za per row and zb per column */
static void test_ops_qlinear__matmul_integer(void **state)
{
    op_case c = op_new("MatMulInteger", 10, 1);
    op_codes(&c, BSR_U8, 37, 256, 0, DIMS(2, 3, 4));
    op_codes(&c, BSR_I8, 29, 255, -127, DIMS(4, 3));
    op_input(&c, BSR_U8, DIMS(3), (const uint8_t[]){128, 0, 200});
    op_input(&c, BSR_I8, DIMS(3), (const int8_t[]){0, 5, -100});
    op_expect_ints(&c, BSR_I32, DIMS(2, 3, 3),
                   (const int64_t[]){19415, 12455, -26405, -16125, -2733, 72039, 27127, 17095,
                                     -38917, -6949, -8149, -14849, -30713, -17705, 54923, 11003,
                                     587, -57569});

    /* By hand, without zero points. */
    c = op_new("MatMulInteger", 10, 1);
    op_input(&c, BSR_U8, DIMS(2), (const uint8_t[]){255, 2});
    op_input(&c, BSR_I8, DIMS(2, 1), (const int8_t[]){-128, 3});
    op_expect_ints(&c, BSR_I32, DIMS(1), (const int64_t[]){-32634});
}

/* numpy: the same sums, scaled */
static void test_ops_qlinear__matmul_per_row_and_column(void **state)
{
    op_case c = op_new("QLinearMatMul", 10, 1);
    op_codes(&c, BSR_U8, 37, 256, 0, DIMS(2, 3, 4));
    op_input(&c, BSR_F32, DIMS(3), (const float[]){0.01f, 0.02f, 0.015f});
    op_input(&c, BSR_U8, DIMS(3), (const uint8_t[]){128, 0, 200});
    op_codes(&c, BSR_I8, 29, 255, -127, DIMS(4, 3));
    op_input(&c, BSR_F32, DIMS(3), (const float[]){0.1f, 0.05f, 0.025f});
    op_input(&c, BSR_I8, DIMS(3), (const int8_t[]){0, 5, -100});
    add_scalar_f32(&c, 2);
    add_scalar_code(&c, BSR_I8, -10);
    op_expect_ints(&c, BSR_I8, DIMS(2, 3, 3),
                   (const int64_t[]){0, -7, -13, -26, -11, 8, 10, -4, -17, -13, -12, -12, -41, -19,
                                     4, -2, -10, -21});
}

static void test_ops_qlinear__matmul_refusals(void **state)
{
    op_case c = op_new("MatMulInteger", 10, 1);
    op_codes(&c, BSR_U8, 37, 256, 0, DIMS(2, 3));
    op_codes(&c, BSR_U8, 37, 256, 0, DIMS(3, 4));
    op_codes(&c, BSR_U8, 0, 1, 0, DIMS(3));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (MatMulInteger): A zero point has 3 values, A has 2 rows");

    c = op_new("MatMulInteger", 10, 1);
    op_codes(&c, BSR_U8, 37, 256, 0, DIMS(2, 3));
    op_codes(&c, BSR_U8, 37, 256, 0, DIMS(2, 3));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (MatMulInteger): shapes 2x3 and 2x3 do not multiply");
}

static void test_ops_qlinear__out_of_memory(void **state)
{
    op_case c = op_new("QLinearConv", 10, 1);
    add_conv_uint8_int8(&c);
    op_int(&c, "group", 2);
    op_expect_enomem(&c, 4);

    c = op_new("MatMulInteger", 10, 1);
    op_codes(&c, BSR_U8, 37, 256, 0, DIMS(2, 3));
    op_codes(&c, BSR_U8, 37, 256, 0, DIMS(3, 4));
    op_expect_enomem(&c, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_qlinear__conv_per_channel_with_bias),
        cmocka_unit_test(test_ops_qlinear__conv_depthwise_int8_uint8),
        cmocka_unit_test(test_ops_qlinear__conv_integer),
        cmocka_unit_test(test_ops_qlinear__conv_wraps),
        cmocka_unit_test(test_ops_qlinear__conv_refusals),
        cmocka_unit_test(test_ops_qlinear__matmul_integer),
        cmocka_unit_test(test_ops_qlinear__matmul_per_row_and_column),
        cmocka_unit_test(test_ops_qlinear__matmul_refusals),
        cmocka_unit_test(test_ops_qlinear__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
