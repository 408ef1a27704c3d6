/* QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear: by hand from the ONNX text unless marked
 * "numpy" (Debian python3-numpy, float32). */
#include "op_case.h"

#include <math.h>

static void test_ops_quantize__rounds_half_to_even_and_saturates(void **state)
{
    static const float x[] = {0, 1, 3, 5, -1, -3, 2.5f, 1e9f, -1e9f, INFINITY, -INFINITY, NAN};
    op_case c = op_new("QuantizeLinear", 13, 1);
    op_input(&c, BSR_F32, DIMS(3, 4), x);
    op_input(&c, BSR_F32, SCALAR, (const float[]){2});
    op_input(&c, BSR_U8, SCALAR, (const uint8_t[]){10});
    op_expect_ints(&c, BSR_U8, DIMS(3, 4),
                   (const int64_t[]){10, 10, 12, 12, 10, 8, 11, 255, 0, 255, 0, 0});

    c = op_new("QuantizeLinear", 13, 1);
    op_input(&c, BSR_F32, DIMS(3, 4), x);
    op_input(&c, BSR_F32, DIMS(1), (const float[]){2});
    op_input(&c, BSR_I8, DIMS(1), (const int8_t[]){-100});
    op_expect_ints(
        &c, BSR_I8, DIMS(3, 4),
        (const int64_t[]){-100, -100, -98, -98, -100, -102, -99, 127, -128, 127, -128, -128});
}

/* The zero point is added after rounding: 0.5 + 1 rounded together would be 2. */
static void test_ops_quantize__adds_zero_point_after_rounding(void **state)
{
    op_case c = op_new("QuantizeLinear", 10, 1);
    op_input(&c, BSR_F32, DIMS(1), (const float[]){0.5f});
    op_input(&c, BSR_F32, SCALAR, (const float[]){1});
    op_input(&c, BSR_U8, SCALAR, (const uint8_t[]){1});
    op_expect_ints(&c, BSR_U8, DIMS(1), (const int64_t[]){1});
}

static void test_ops_quantize__along_an_axis(void **state)
{
    static const float x[] = {1, 2, 3, 4, 5, 6};
    static const float scales[] = {1, 0.5f, 2};
    op_case c = op_new("QuantizeLinear", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 3), x);
    op_input(&c, BSR_F32, DIMS(3), scales);
    op_input(&c, BSR_I8, DIMS(3), (const int8_t[]){0, 10, -10});
    op_expect_ints(&c, BSR_I8, DIMS(2, 3), (const int64_t[]){1, 14, -8, 4, 20, -7});

    c = op_new("QuantizeLinear", 13, 1);
    op_input(&c, BSR_F32, DIMS(3, 2), x);
    op_input(&c, BSR_F32, DIMS(3), scales);
    op_int(&c, "axis", -2);
    op_expect_ints(&c, BSR_U8, DIMS(3, 2), (const int64_t[]){1, 2, 6, 8, 2, 3});
}

static void test_ops_quantize__dequantize(void **state)
{
    op_case c = op_new("DequantizeLinear", 13, 1);
    op_input(&c, BSR_U8, DIMS(4), (const uint8_t[]){0, 3, 128, 255});
    op_input(&c, BSR_F32, SCALAR, (const float[]){0.5f});
    op_input(&c, BSR_U8, SCALAR, (const uint8_t[]){128});
    op_expect_f32(&c, DIMS(4), (const float[]){-64, -62.5f, 0, 63.5f}, 0);

    c = op_new("DequantizeLinear", 13, 1);
    op_input(&c, BSR_I8, DIMS(2, 2), (const int8_t[]){-128, 127, 1, 2});
    op_input(&c, BSR_F32, DIMS(2), (const float[]){2, 4});
    op_input(&c, BSR_I8, DIMS(2), (const int8_t[]){127, -1});
    op_int(&c, "axis", 0);
    op_expect_f32(&c, DIMS(2, 2), (const float[]){-510, 0, 8, 12}, 0);

    c = op_new("DequantizeLinear", 13, 1);
    op_input(&c, BSR_I32, DIMS(3), (const int32_t[]){INT32_MIN, 7, 16777217});
    op_input(&c, BSR_F32, SCALAR, (const float[]){0.25f});
    op_expect_f32(&c, DIMS(3), (const float[]){-536870912.0f, 1.75f, 4194304.0f}, 0);
}

/* numpy: scale = (max - min) / 255 with 0 in the range, zero point = rint(-min / scale) */
static void test_ops_quantize__dynamic(void **state)
{
    op_case c = op_new("DynamicQuantizeLinear", 11, 3);
    op_input(&c, BSR_F32, DIMS(2, 3), (const float[]){0, 2, -3, -2.5f, 1.34f, 0.5f});
    op_run(&c);
    op_check_ints(&c, 0, BSR_U8, DIMS(2, 3), (const int64_t[]){153, 255, 0, 26, 221, 179});
    op_check_shape(&c, 1, BSR_F32, SCALAR);
    assert_true(*(const float *)c.out[1]->data == 0.0196078438f);
    op_check_ints(&c, 2, BSR_U8, SCALAR, (const int64_t[]){153});
    op_free(&c);

    /* Nothing but zeros has no range: scale 1. */
    c = op_new("DynamicQuantizeLinear", 11, 3);
    op_input(&c, BSR_F32, DIMS(2), NULL);
    op_run(&c);
    assert_true(*(const float *)c.out[1]->data == 1.0f);
    op_check_ints(&c, 0, BSR_U8, DIMS(2), (const int64_t[]){0, 0});
    op_free(&c);
}

static void test_ops_quantize__refusals(void **state)
{
    op_case c = op_new("QuantizeLinear", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 3), NULL);
    op_input(&c, BSR_F32, DIMS(2), NULL);
    op_expect_error(
        &c, BSR_EFORMAT,
        "node 'n' (QuantizeLinear): scale has 2 values, input has 3 slices on its axis");

    c = op_new("QuantizeLinear", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 3), NULL);
    op_input(&c, BSR_F32, DIMS(3), NULL);
    op_input(&c, BSR_U8, SCALAR, NULL);
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (QuantizeLinear): zero point has 1 values, scale has 3");

    c = op_new("QuantizeLinear", 13, 1);
    op_input(&c, BSR_F32, DIMS(3), NULL);
    op_input(&c, BSR_F32, DIMS(3), NULL);
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (QuantizeLinear): axis is 1, input has 1 dimensions");

    c = op_new("QuantizeLinear", 13, 1);
    op_input(&c, BSR_F32, DIMS(3), NULL);
    op_input(&c, BSR_F32, SCALAR, NULL);
    op_input(&c, BSR_I32, SCALAR, NULL);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (QuantizeLinear): zero point is int32, supported are uint8 and int8");

    c = op_new("DequantizeLinear", 13, 1);
    op_input(&c, BSR_I8, DIMS(3), NULL);
    op_input(&c, BSR_F32, SCALAR, NULL);
    op_input(&c, BSR_U8, SCALAR, NULL);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (DequantizeLinear): zero point is uint8, expected int8");

    c = op_new("DequantizeLinear", 13, 1);
    op_input(&c, BSR_I32, DIMS(3), NULL);
    op_input(&c, BSR_F32, SCALAR, NULL);
    op_input(&c, BSR_I32, SCALAR, (const int32_t[]){5});
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (DequantizeLinear): zero point of int32 input is 5, expected 0");

    c = op_new("DequantizeLinear", 13, 1);
    op_input(&c, BSR_I8, DIMS(3, 2), NULL);
    op_input(&c, BSR_F32, DIMS(3, 1), NULL);
    op_expect_error(
        &c, BSR_EUNSUPPORTED,
        "node 'n' (DequantizeLinear): scale is 3x1, supported are a scalar and a vector");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_quantize__rounds_half_to_even_and_saturates),
        cmocka_unit_test(test_ops_quantize__adds_zero_point_after_rounding),
        cmocka_unit_test(test_ops_quantize__along_an_axis),
        cmocka_unit_test(test_ops_quantize__dequantize),
        cmocka_unit_test(test_ops_quantize__dynamic),
        cmocka_unit_test(test_ops_quantize__refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
