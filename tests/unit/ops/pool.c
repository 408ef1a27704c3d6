/* MaxPool, AveragePool and the global pools. Expectations marked "torch" are from torch 1.13
 * (Debian python3-torch), torch.nn.functional, on the patterns of op_case.h. */
#include "op_case.h"

#include <math.h>

/* torch: max_pool2d(x, (3, 2), stride=2, padding=1, dilation=(1, 2), return_indices=True); torch
 * counts indices within a plane, ONNX within the tensor, hence 30 more for channel 1. */
static void test_ops_pool__max_dilated_with_indices(void **state)
{
    static const float want[] = {0.5f,  1.25f, 1.25f, 0,     0.75f, 1,     1.25f,  1.25f, 0.5f,
                                 0.75f, 1,     1,     0.25f, 1,     1.25f, -0.75f, 0,     0.75f};
    static const int64_t indices[] = {1,      3,      3,       7,       9,       17,
                                      25,     25,     23,      30 + 1,  30 + 9,  30 + 9,
                                      30 + 7, 30 + 9, 30 + 17, 30 + 19, 30 + 21, 30 + 23};
    op_case c = op_new("MaxPool", 12, 2);
    op_pattern(&c, 7, 11, DIMS(1, 2, 5, 6));
    op_ints(&c, "kernel_shape", DIMS(3, 2));
    op_ints(&c, "strides", DIMS(2, 2));
    op_ints(&c, "pads", DIMS(1, 1, 1, 1));
    op_ints(&c, "dilations", DIMS(1, 2));
    op_run(&c);
    op_check_ints(&c, 1, BSR_I64, DIMS(1, 2, 3, 3), indices);
    op_expect_f32(&c, DIMS(1, 2, 3, 3), want, 0);
}

/* torch: max_pool2d(x, 3, stride=(2, 4), ceil_mode=True); storage_order 1 counts h + w * 5 where
 * torch's index is h * 6 + w: 14 is (2, 2), 17 (2, 5), 6 (1, 0), 20 (3, 2). */
static void test_ops_pool__max_ceil_column_major(void **state)
{
    static const int64_t indices[] = {12, 27, 12, 27, 30 + 1, 30 + 27, 30 + 13, 30 + 27};
    op_case c = op_new("MaxPool", 10, 2);
    op_pattern(&c, 7, 11, DIMS(1, 2, 5, 6));
    op_ints(&c, "kernel_shape", DIMS(3, 3));
    op_ints(&c, "strides", DIMS(2, 4));
    op_int(&c, "ceil_mode", 1);
    op_int(&c, "storage_order", 1);
    op_run(&c);
    op_check_ints(&c, 1, BSR_I64, DIMS(1, 2, 2, 2), indices);
    op_expect_f32(&c, DIMS(1, 2, 2, 2), (const float[]){1.25f, 1, 1.25f, 1, 1.25f, 1.25f, 1, 1.25f},
                  0);
}

/* torch: max_pool1d(x, 3, 2, 1); max_pool3d(x, 2, (1, 2, 1)) */
static void test_ops_pool__max_other_ranks(void **state)
{
    op_case c = op_new("MaxPool", 12, 1);
    op_pattern(&c, 5, 17, DIMS(1, 1, 7));
    op_ints(&c, "kernel_shape", DIMS(3));
    op_ints(&c, "strides", DIMS(2));
    op_ints(&c, "pads", DIMS(1, 1));
    op_expect_f32(&c, DIMS(1, 1, 4), (const float[]){-0.75f, 1.75f, 1.75f, 1.25f}, 0);

    c = op_new("MaxPool", 12, 1);
    op_pattern(&c, 7, 31, DIMS(1, 1, 3, 4, 3));
    op_ints(&c, "kernel_shape", DIMS(2, 2, 2));
    op_ints(&c, "strides", DIMS(1, 2, 1));
    op_expect_f32(&c, DIMS(1, 1, 2, 2, 2),
                  (const float[]){3.5f, 3.5f, 3.75f, 3.75f, 3.5f, 3.5f, 3.75f, 3.75f}, 0);
}

static void test_ops_pool__max_of_codes(void **state)
{
    op_case c = op_new("MaxPool", 12, 1);
    op_input(&c, BSR_U8, DIMS(1, 1, 4), (const uint8_t[]){0, 200, 130, 255});
    op_ints(&c, "kernel_shape", DIMS(2));
    op_expect_ints(&c, BSR_U8, DIMS(1, 1, 3), (const int64_t[]){200, 200, 255});

    c = op_new("MaxPool", 12, 1);
    op_input(&c, BSR_I8, DIMS(1, 1, 4), (const int8_t[]){-128, -128, -3, -100});
    op_ints(&c, "kernel_shape", DIMS(2));
    op_ints(&c, "pads", DIMS(1, 0)); /* padding is not 0 */
    op_expect_ints(&c, BSR_I8, DIMS(1, 1, 4), (const int64_t[]){-128, -128, -3, -3});
}

static void test_ops_pool__max_of_nan_and_infinity(void **state)
{
    op_case c = op_new("MaxPool", 12, 2);
    op_input(&c, BSR_F32, DIMS(1, 1, 5), (const float[]){-INFINITY, -INFINITY, 1, NAN, 2});
    op_ints(&c, "kernel_shape", DIMS(2));
    op_run(&c);
    const float *y = c.out[0]->data;
    assert_true(y[0] == -INFINITY && y[1] == 1 && isnan(y[2]) && isnan(y[3]));
    op_check_ints(&c, 1, BSR_I64, DIMS(1, 1, 4), (const int64_t[]){0, 2, 3, 3});
    op_free(&c);
}

/* torch: avg_pool2d(x, (2, 4), stride=2, padding=1, count_include_pad=...) */
static void test_ops_pool__average_pads(void **state)
{
    static const float want[2][18] = {
        {-0.416666657f, 0.375f, 0.25f, 0.208333328f, -0.03125f, -0.0416666679f, 0.125f, 0, -0.125f,
         -0.166666672f, -0.0625f, -0.416666657f, 0, -0.125f, 0.208333328f, -0.0833333358f,
         -0.09375f, 0.125f},
        {-0.15625f, 0.1875f, 0.09375f, 0.15625f, -0.03125f, -0.03125f, 0.09375f, 0, -0.09375f,
         -0.0625f, -0.03125f, -0.15625f, 0, -0.125f, 0.15625f, -0.0625f, -0.09375f, 0.09375f}};
    for (int include = 0; include < 2; include++) {
        op_case c = op_new("AveragePool", 11, 1);
        op_pattern(&c, 7, 11, DIMS(1, 2, 5, 6));
        op_ints(&c, "kernel_shape", DIMS(2, 4));
        op_ints(&c, "strides", DIMS(2, 2));
        op_ints(&c, "pads", DIMS(1, 1, 1, 1));
        op_int(&c, "count_include_pad", include);
        op_expect_f32(&c, DIMS(1, 2, 3, 3), want[include], 0x1p-25f);
    }
}

/* torch: avg_pool2d(x, 4, stride=(2, 3), padding=1, ceil_mode=True, count_include_pad=...): the
 * last windows reach beyond the padding, which counts in neither case. */
static void test_ops_pool__average_ceil(void **state)
{
    static const float want[2][18] = {
        {0, 0.020833334f, -0.333333343f, 0.166666672f, 0.015625f, 0.0625f, 0.125f, 0.03125f, 0.25f,
         -0.055555556f, -0.1875f, -0.0833333358f, -0.0416666679f, 0.09375f, 0.3125f, -0.0833333358f,
         0.28125f, 0.5f},
        {0, 0.015625f, -0.125f, 0.125f, 0.015625f, 0.03125f, 0.0625f, 0.020833334f, 0.0833333358f,
         -0.03125f, -0.140625f, -0.03125f, -0.03125f, 0.09375f, 0.15625f, -0.0416666679f, 0.1875f,
         0.166666672f}};
    for (int include = 0; include < 2; include++) {
        op_case c = op_new("AveragePool", 11, 1);
        op_pattern(&c, 7, 11, DIMS(1, 2, 5, 6));
        op_ints(&c, "kernel_shape", DIMS(4, 4));
        op_ints(&c, "strides", DIMS(2, 3));
        op_ints(&c, "pads", DIMS(1, 1, 1, 1));
        op_int(&c, "ceil_mode", 1);
        op_int(&c, "count_include_pad", include);
        op_expect_f32(&c, DIMS(1, 2, 3, 3), want[include], 0x1p-25f);
    }
}

/* torch: avg_pool3d(x, 2, (1, 2, 1)) */
static void test_ops_pool__average_three_dimensions(void **state)
{
    op_case c = op_new("AveragePool", 11, 1);
    op_pattern(&c, 7, 31, DIMS(1, 1, 3, 4, 3));
    op_ints(&c, "kernel_shape", DIMS(2, 2, 2));
    op_ints(&c, "strides", DIMS(1, 2, 1));
    op_expect_f32(
        &c, DIMS(1, 1, 2, 2, 2),
        (const float[]){0.5625f, 0.375f, -0.5625f, 0.21875f, 0.25f, 1.03125f, 0.09375f, -0.09375f},
        0);
}

/* By hand: SAME_UPPER with kernel 2, stride 2 on 3 elements pads one at the end. */
static void test_ops_pool__average_same(void **state)
{
    op_case c = op_new("AveragePool", 11, 1);
    op_input(&c, BSR_F32, DIMS(1, 1, 3), (const float[]){1, 2, 4});
    op_ints(&c, "kernel_shape", DIMS(2));
    op_ints(&c, "strides", DIMS(2));
    op_string(&c, "auto_pad", "SAME_UPPER");
    op_expect_f32(&c, DIMS(1, 1, 2), (const float[]){1.5f, 4}, 0);
}

/* torch: adaptive_avg_pool2d(x, 1), adaptive_max_pool2d(x, 1) */
static void test_ops_pool__global(void **state)
{
    op_case c = op_new("GlobalAveragePool", 11, 1);
    op_pattern(&c, 7, 11, DIMS(1, 2, 5, 6));
    op_expect_f32(&c, DIMS(1, 2, 1, 1), (const float[]){0.0166666675f, -0.00833333377f}, 0x1p-29f);

    c = op_new("GlobalMaxPool", 11, 1);
    op_pattern(&c, 7, 11, DIMS(1, 2, 5, 6));
    op_expect_f32(&c, DIMS(1, 2, 1, 1), (const float[]){1.25f, 1.25f}, 0);
}

/* By hand: 1e8 + 1 - 1e8 + 0 is 0 from left to right, and NaN wins a maximum. */
static void test_ops_pool__global_order(void **state)
{
    op_case c = op_new("GlobalAveragePool", 11, 1);
    op_input(&c, BSR_F32, DIMS(1, 1, 2, 2), (const float[]){1e8f, 1, -1e8f, 0});
    op_expect_f32(&c, DIMS(1, 1, 1, 1), (const float[]){0}, 0);

    c = op_new("GlobalMaxPool", 11, 1);
    op_input(&c, BSR_F32, DIMS(1, 1, 3), (const float[]){1, NAN, 2});
    op_run(&c);
    assert_true(isnan(*(const float *)c.out[0]->data));
    op_free(&c);
}

static void test_ops_pool__refusals(void **state)
{
    op_case c = op_new("MaxPool", 12, 1);
    op_input(&c, BSR_F64, DIMS(1, 1, 4), NULL);
    op_ints(&c, "kernel_shape", DIMS(2));
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (MaxPool): input is float64, supported are float32, uint8 and int8");

    c = op_new("AveragePool", 11, 1);
    op_input(&c, BSR_U8, DIMS(1, 1, 4), NULL);
    op_ints(&c, "kernel_shape", DIMS(2));
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (AveragePool): input is uint8, supported is float32");

    c = op_new("AveragePool", 11, 1);
    op_input(&c, BSR_F32, DIMS(1, 1, 4), NULL);
    op_ints(&c, "kernel_shape", DIMS(2));
    op_ints(&c, "pads", DIMS(2, 0));
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (AveragePool): pads 2 and 0 can hold a whole window of 2 elements");

    c = op_new("MaxPool", 12, 1);
    op_input(&c, BSR_F32, DIMS(1, 4), NULL);
    op_ints(&c, "kernel_shape", DIMS(2));
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (MaxPool): input has 2 dimensions, supported are 3 to 5");

    c = op_new("MaxPool", 12, 1);
    op_input(&c, BSR_F32, DIMS(1, 1, 1, 1), NULL);
    op_ints(&c, "kernel_shape", DIMS(1000000, 1000000));
    op_ints(&c, "pads", DIMS(999999, 999999, 0, 0));
    op_expect_error(&c, BSR_ELIMIT,
                    "node 'n' (MaxPool): kernel_shape 1000000x1000000 has more than 2147483648 "
                    "elements");

    c = op_new("MaxPool", 12, 2);
    op_input(&c, BSR_F32, DIMS(1, 1, 4), NULL);
    op_ints(&c, "kernel_shape", DIMS(2));
    op_node(&c)->out[0] = -1;
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (MaxPool): output 0 is missing");

    c = op_new("GlobalMaxPool", 11, 1);
    op_input(&c, BSR_F32, DIMS(1, 2, 0), NULL);
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (GlobalMaxPool): input 1x2x0 has no spatial elements");
}

static void test_ops_pool__out_of_memory(void **state)
{
    op_case c = op_new("MaxPool", 12, 1);
    op_pattern(&c, 7, 11, DIMS(1, 1, 4));
    op_ints(&c, "kernel_shape", DIMS(2));
    op_expect_enomem(&c, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_pool__max_dilated_with_indices),
        cmocka_unit_test(test_ops_pool__max_ceil_column_major),
        cmocka_unit_test(test_ops_pool__max_other_ranks),
        cmocka_unit_test(test_ops_pool__max_of_codes),
        cmocka_unit_test(test_ops_pool__max_of_nan_and_infinity),
        cmocka_unit_test(test_ops_pool__average_pads),
        cmocka_unit_test(test_ops_pool__average_ceil),
        cmocka_unit_test(test_ops_pool__average_three_dimensions),
        cmocka_unit_test(test_ops_pool__average_same),
        cmocka_unit_test(test_ops_pool__global),
        cmocka_unit_test(test_ops_pool__global_order),
        cmocka_unit_test(test_ops_pool__refusals),
        cmocka_unit_test(test_ops_pool__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
