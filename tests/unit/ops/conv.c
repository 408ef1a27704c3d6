/* Conv. Expectations marked "torch" are from torch 1.13 (Debian python3-torch) on the patterns of
 * op_case.h: torch.nn.functional.convNd after torch.nn.functional.pad. All values are multiples of
 * 1/16 and small, so the sums are exact whatever their order. */
#include "op_case.h"

#include <math.h>

static void test_ops_conv__by_hand(void **state)
{
    op_case c = op_new("Conv", 11, 1);
    op_input(&c, BSR_F32, DIMS(1, 1, 3, 3), (const float[]){1, 2, 3, 4, 5, 6, 7, 8, 9});
    op_input(&c, BSR_F32, DIMS(1, 1, 2, 2), (const float[]){1, 0, 0, -1});
    op_input(&c, BSR_F32, DIMS(1), (const float[]){0.5f});
    op_expect_f32(&c, DIMS(1, 1, 2, 2), (const float[]){-3.5f, -3.5f, -3.5f, -3.5f}, 0);
}

/* torch: conv2d(pad(x, (0, 1, 1, 2)), w, b, stride=(2, 3), groups=2) */
static void test_ops_conv__groups_strides_asymmetric_pads(void **state)
{
    static const float want[] = {
        0.375f,   2.875f,   -3.25f,  -3.125f, -2.625f,  -1.9375f, -1.5625f, -2.4375f, 1.3125f,
        1.125f,   5,        1.5f,    3,       -0.4375f, 0.1875f,  0.5f,     -1.1875f, 0.875f,
        -4.375f,  -5.125f,  1.5f,    4.9375f, 2.1875f,  2.25f,    6.125f,   2,        -1.875f,
        -2.1875f, -0.6875f, -1.375f, -4.625f, -3.1875f, 4.375f,   1.125f,   -1.25f,   -1.0625f};
    op_case c = op_new("Conv", 11, 1);
    op_pattern(&c, 7, 11, DIMS(1, 4, 5, 6));
    op_pattern(&c, 5, 13, DIMS(6, 2, 3, 2));
    op_pattern(&c, 3, 7, DIMS(6));
    op_ints(&c, "kernel_shape", DIMS(3, 2));
    op_ints(&c, "strides", DIMS(2, 3));
    op_ints(&c, "pads", DIMS(1, 0, 2, 1));
    op_int(&c, "group", 2);
    op_expect_f32(&c, DIMS(1, 6, 3, 2), want, 0);
}

/* torch: conv2d(x, w, None, stride=(2, 2), padding=1, dilation=(2, 1), groups=3) */
static void test_ops_conv__depthwise_dilated(void **state)
{
    static const float want[] = {
        1.3125f,  -2.5f,    1.1875f,  0.125f,   -1.5f,    1.0625f,  -0.8125f, 0.875f,   0.25f,
        -1.8125f, 0.625f,   0.625f,   -0.9375f, 2.125f,   -0.5625f, 1.25f,    1.375f,   -0.8125f,
        1.375f,   1.3125f,  1,        1.6875f,  -1.1875f, -1.5f,    0.6875f,  -1.25f,   -2.125f,
        0.6875f,  1.0625f,  -1,       1.6875f,  -1.5f,    -0.5f,    1.375f,   -2.6875f, 0.875f,
        1.25f,    -1.8125f, -0.3125f, -0.9375f, -0.9375f, 0.375f,   -1.8125f, 0.75f,    1.0625f,
        -0.8125f, 1.125f,   1,        0.125f,   2.3125f,  -0.75f,   1.3125f,  1.0625f,  -1.375f};
    op_case c = op_new("Conv", 11, 1);
    op_pattern(&c, 7, 11, DIMS(2, 3, 5, 5));
    op_pattern(&c, 5, 13, DIMS(3, 1, 2, 3));
    op_no_input(&c);
    op_ints(&c, "strides", DIMS(2, 2));
    op_ints(&c, "pads", DIMS(1, 1, 1, 1));
    op_ints(&c, "dilations", DIMS(2, 1));
    op_int(&c, "group", 3);
    op_expect_f32(&c, DIMS(2, 3, 3, 3), want, 0);
}

/* torch: conv1d(x, w, b, stride=3, padding=2, dilation=2) */
static void test_ops_conv__one_dimension(void **state)
{
    static const float want[] = {-3.5625f, -0.625f,  -0.375f,  -1.8125f, 0.3125f,  0.4375f,
                                 -2.5625f, -4.5625f, -4.3125f, -2.8125f, -2.6875f, -2.5625f};
    op_case c = op_new("Conv", 7, 1);
    op_pattern(&c, 7, 11, DIMS(2, 3, 9));
    op_pattern(&c, 5, 13, DIMS(2, 3, 3));
    op_pattern(&c, 3, 7, DIMS(2));
    op_ints(&c, "strides", DIMS(3));
    op_ints(&c, "pads", DIMS(2, 2));
    op_ints(&c, "dilations", DIMS(2));
    op_expect_f32(&c, DIMS(2, 2, 3), want, 0);
}

/* torch: conv3d(x, w, b, stride=(1, 2, 1), padding=(0, 1, 0)) */
static void test_ops_conv__three_dimensions(void **state)
{
    static const float want[] = {-2.75f,   -3.8125f, 0.9375f, -3.4375f, -3.8125f, 1.3125f,
                                 -3.4375f, -2.3125f, 3.8125f, -0.5625f, -3.375f,  8.1875f,
                                 -0.5625f, -1.5f,    8.1875f, -2.25f};
    op_case c = op_new("Conv", 11, 1);
    op_pattern(&c, 7, 11, DIMS(1, 2, 3, 4, 3));
    op_pattern(&c, 5, 13, DIMS(2, 2, 2, 3, 2));
    op_pattern(&c, 3, 7, DIMS(2));
    op_ints(&c, "strides", DIMS(1, 2, 1));
    op_ints(&c, "pads", DIMS(0, 1, 0, 0, 1, 0));
    op_expect_f32(&c, DIMS(1, 2, 2, 2, 2), want, 0);
}

/* torch: conv2d(pad(x, (0, 0, 1, 2)), w, stride=2); SAME_LOWER pads (0, 0, 2, 1) */
static void test_ops_conv__auto_pad(void **state)
{
    static const struct {
        const char *mode;
        float want[6];
    } cases[] = {
        {"SAME_UPPER", {-1.75f, -2.3125f, -1.4375f, -0.5625f, -2.375f, -0.9375f}},
        {"SAME_LOWER", {-0.25f, 1.25f, 3, -0.9375f, 3.625f, 0.1875f}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        op_case c = op_new("Conv", 11, 1);
        op_pattern(&c, 7, 11, DIMS(1, 1, 5, 4));
        op_pattern(&c, 5, 13, DIMS(1, 1, 4, 2));
        op_ints(&c, "strides", DIMS(2, 2));
        op_string(&c, "auto_pad", cases[i].mode);
        op_expect_f32(&c, DIMS(1, 1, 3, 2), cases[i].want, 0);
    }
}

/* By hand: x is [channel][pixel] = {1e8, 1}, {-1e8, 0}. Taps outside, channels inside add 1e8,
 * -1e8, 1, 0 and give 1; channels outside would lose the 1 beside 1e8 and give 0. */
static void test_ops_conv__adds_taps_then_channels(void **state)
{
    op_case c = op_new("Conv", 11, 1);
    op_input(&c, BSR_F32, DIMS(1, 2, 1, 2), (const float[]){1e8f, 1, -1e8f, 0});
    op_input(&c, BSR_F32, DIMS(1, 2, 1, 2), (const float[]){1, 1, 1, 1});
    op_expect_f32(&c, DIMS(1, 1, 1, 1), (const float[]){1}, 0);
}

/* By hand: (1 + 2^-12)^2 - (1 + 2^-11) is 2^-24 when the product is not rounded, else 0. */
static void test_ops_conv__starts_at_bias_and_fuses(void **state)
{
    const float x = 1 + 0x1p-12f;
    op_case c = op_new("Conv", 11, 1);
    op_input(&c, BSR_F32, DIMS(1, 1, 1), &x);
    op_input(&c, BSR_F32, DIMS(1, 1, 1), &x);
    op_input(&c, BSR_F32, DIMS(1), (const float[]){-(1 + 0x1p-11f)});
    op_expect_f32(&c, DIMS(1, 1, 1), (const float[]){0x1p-24f}, 0);
}

static void test_ops_conv__padding_is_zero_not_absent(void **state)
{
    op_case c = op_new("Conv", 11, 1);
    op_input(&c, BSR_F32, DIMS(1, 1, 2), (const float[]){1, 2});
    op_input(&c, BSR_F32, DIMS(1, 1, 2), (const float[]){INFINITY, 1});
    op_ints(&c, "pads", DIMS(1, 0));
    op_run(&c);
    const float *y = c.out[0]->data;
    assert_true(isnan(y[0])); /* 0 * Inf */
    assert_true(y[1] == INFINITY);
    op_free(&c);
}

static void test_ops_conv__empty_batch(void **state)
{
    op_case c = op_new("Conv", 11, 1);
    op_input(&c, BSR_F32, DIMS(0, 1, 3), NULL);
    op_input(&c, BSR_F32, DIMS(2, 1, 2), NULL);
    op_run(&c);
    op_check_shape(&c, 0, BSR_F32, DIMS(0, 2, 2));
    op_free(&c);
}

/* x, w, bias and group; -1 ends a shape. */
static void expect_refusal(const int64_t *x, const int64_t *w, int64_t bias, int64_t group,
                           bsr_status status, const char *message)
{
    int x_rank = 0, w_rank = 0;
    while (x[x_rank] >= 0)
        x_rank++;
    while (w[w_rank] >= 0)
        w_rank++;
    op_case c = op_new("Conv", 11, 1);
    op_input(&c, BSR_F32, x_rank, x, NULL);
    op_input(&c, BSR_F32, w_rank, w, NULL);
    if (bias)
        op_input(&c, BSR_F32, 1, &bias, NULL);
    op_int(&c, "group", group);
    op_expect_error(&c, status, message);
}

#define SHAPE(...) ((const int64_t[]){__VA_ARGS__, -1})

static void test_ops_conv__refuses_contradictions(void **state)
{
    expect_refusal(SHAPE(1, 4), SHAPE(2, 4), 0, 1, BSR_EUNSUPPORTED,
                   "node 'n' (Conv): input has 2 dimensions, supported are 3 to 5");
    expect_refusal(SHAPE(1, 4, 5, 5), SHAPE(2, 4, 3), 0, 1, BSR_EFORMAT,
                   "node 'n' (Conv): weights have 3 dimensions, input has 4");
    expect_refusal(SHAPE(1, 4, 5, 5), SHAPE(2, 3, 3, 3), 0, 1, BSR_EFORMAT,
                   "node 'n' (Conv): weights take 3 channels per group, input has 4 in 1 groups");
    expect_refusal(SHAPE(1, 4, 5, 5), SHAPE(6, 1, 3, 3), 0, 4, BSR_EFORMAT,
                   "node 'n' (Conv): group 4 does not divide 4 input and 6 output channels");
    expect_refusal(SHAPE(1, 4, 5, 5), SHAPE(6, 4, 3, 3), 0, 0, BSR_EFORMAT,
                   "node 'n' (Conv): group 0 does not divide 4 input and 6 output channels");
    expect_refusal(SHAPE(1, 4, 5, 5), SHAPE(6, 4, 3, 3), 4, 1, BSR_EFORMAT,
                   "node 'n' (Conv): bias is 4, expected one value for each of 6 output channels");
}

static void test_ops_conv__refuses_dtypes(void **state)
{
    op_case c = op_new("Conv", 11, 1);
    op_input(&c, BSR_F32, DIMS(1, 1, 3), NULL);
    op_input(&c, BSR_F64, DIMS(1, 1, 1), NULL);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (Conv): weights is float64, supported is float32");
}

static void test_ops_conv__out_of_memory(void **state)
{
    op_case c = op_new("Conv", 11, 1);
    op_pattern(&c, 7, 11, DIMS(1, 2, 3, 3));
    op_pattern(&c, 5, 13, DIMS(2, 2, 2, 2));
    op_expect_enomem(&c, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_conv__by_hand),
        cmocka_unit_test(test_ops_conv__groups_strides_asymmetric_pads),
        cmocka_unit_test(test_ops_conv__depthwise_dilated),
        cmocka_unit_test(test_ops_conv__one_dimension),
        cmocka_unit_test(test_ops_conv__three_dimensions),
        cmocka_unit_test(test_ops_conv__auto_pad),
        cmocka_unit_test(test_ops_conv__adds_taps_then_channels),
        cmocka_unit_test(test_ops_conv__starts_at_bias_and_fuses),
        cmocka_unit_test(test_ops_conv__padding_is_zero_not_absent),
        cmocka_unit_test(test_ops_conv__empty_batch),
        cmocka_unit_test(test_ops_conv__refuses_contradictions),
        cmocka_unit_test(test_ops_conv__refuses_dtypes),
        cmocka_unit_test(test_ops_conv__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
