/* Softmax and LogSoftmax. Expected values from numpy 1.24 in double: e = exp(x - max), e / sum(e)
 * and (x - max) - log(sum(e)). */
#include <math.h>

#include "shape_case.h"

/* [0, 1, ..., 7] / 4 as 2x2x2. */
static const float CUBE[8] = {0, 0.25f, 0.5f, 0.75f, 1, 1.25f, 1.5f, 1.75f};

static op_case cube(const char *type, int opset, int64_t axis)
{
    op_case c = op_new(type, opset, 1);
    op_input(&c, BSR_F32, DIMS(2, 2, 2), CUBE);
    op_int(&c, "axis", axis);
    return c;
}

static const float AXIS_0[8] = {0.26894142f, 0.26894142f, 0.26894142f, 0.26894142f,
                                0.73105858f, 0.73105858f, 0.73105858f, 0.73105858f};
static const float AXIS_1[8] = {0.37754067f, 0.37754067f, 0.62245933f, 0.62245933f,
                                0.37754067f, 0.37754067f, 0.62245933f, 0.62245933f};
static const float AXIS_2[8] = {0.43782350f, 0.56217650f, 0.43782350f, 0.56217650f,
                                0.43782350f, 0.56217650f, 0.43782350f, 0.56217650f};
static const float AXES_1_2[8] = {0.16529618f, 0.21224449f, 0.27252732f, 0.34993201f,
                                  0.16529618f, 0.21224449f, 0.27252732f, 0.34993201f};
static const float LOG_AXIS_1[8] = {-0.97407698f, -0.97407698f, -0.47407698f, -0.47407698f,
                                    -0.97407698f, -0.97407698f, -0.47407698f, -0.47407698f};
static const float LOG_AXES_1_2[8] = {-1.80001640f, -1.55001640f, -1.30001640f, -1.05001640f,
                                      -1.80001640f, -1.55001640f, -1.30001640f, -1.05001640f};

/* Two roundings after the exponential: a few units in the last place of 1. */
#define TOLERANCE 2e-7f

static void test_ops_softmax__one_axis_from_opset_13(void **state)
{
    const float *const want[] = {AXIS_0, AXIS_1, AXIS_2};
    for (int axis = 0; axis < 3; axis++) {
        op_case c = cube("Softmax", 13, axis);
        op_expect_f32(&c, DIMS(2, 2, 2), want[axis], TOLERANCE);
        c = cube("Softmax", 13, axis - 3);
        op_expect_f32(&c, DIMS(2, 2, 2), want[axis], TOLERANCE);
    }
    op_case c = op_new("Softmax", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 2, 2), CUBE);
    op_expect_f32(&c, DIMS(2, 2, 2), AXIS_2, TOLERANCE);
    c = cube("LogSoftmax", 13, 1);
    op_expect_f32(&c, DIMS(2, 2, 2), LOG_AXIS_1, TOLERANCE);
}

static void test_ops_softmax__matrix_before_opset_13(void **state)
{
    op_case c = op_new("Softmax", 12, 1);
    op_input(&c, BSR_F32, DIMS(2, 2, 2), CUBE);
    op_expect_f32(&c, DIMS(2, 2, 2), AXES_1_2, TOLERANCE);
    c = cube("Softmax", 11, -1);
    op_expect_f32(&c, DIMS(2, 2, 2), AXIS_2, TOLERANCE);
    c = cube("LogSoftmax", 7, 1);
    op_expect_f32(&c, DIMS(2, 2, 2), LOG_AXES_1_2, TOLERANCE);
    /* Axis at the end: columns of one element each. */
    c = op_new("Softmax", 12, 1);
    op_input(&c, BSR_F32, DIMS(3), CUBE);
    op_expect_f32(&c, DIMS(3), (const float[]){1, 1, 1}, 0);
}

static void test_ops_softmax__large_numbers(void **state)
{
    const float x[8] = {0, 1, 2, 3, 10, 10, 10, 10000};
    op_case c = op_new("Softmax", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 4), x);
    op_expect_f32(&c, DIMS(2, 4),
                  (const float[]){0.03205860f, 0.08714432f, 0.23688282f, 0.64391426f, 0, 0, 0, 1},
                  TOLERANCE);
    c = op_new("LogSoftmax", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 4), x);
    op_expect_f32(&c, DIMS(2, 4),
                  (const float[]){-3.44018970f, -2.44018970f, -1.44018970f, -0.44018970f, -9990,
                                  -9990, -9990, 0},
                  2 * TOLERANCE);
}

static void test_ops_softmax__float64(void **state)
{
    const double x[3] = {1, 2, 3};
    const double want[3] = {0.09003057317038043, 0.24472847105479767, 0.6652409557748218};
    const double want_log[3] = {-2.4076059644443806, -1.4076059644443804, -0.40760596444438035};
    op_case c = op_new("Softmax", 13, 1);
    op_input(&c, BSR_F64, DIMS(3), x);
    op_run(&c);
    for (int i = 0; i < 3; i++)
        assert_true(fabs(((const double *)c.out[0]->data)[i] - want[i]) < 1e-15);
    op_free(&c);
    c = op_new("LogSoftmax", 13, 1);
    op_input(&c, BSR_F64, DIMS(3), x);
    op_run(&c);
    for (int i = 0; i < 3; i++)
        assert_true(fabs(((const double *)c.out[0]->data)[i] - want_log[i]) < 2e-15);
    op_free(&c);
}

/* Inf - Inf is NaN, so +Inf spoils its row as NaN does, and a row of -Inf has no maximum; the other
 * row is not touched. */
static void test_ops_softmax__nan_and_inf(void **state)
{
    const float bad[][2] = {{NAN, 1}, {1, NAN}, {INFINITY, 1}, {-INFINITY, -INFINITY}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        op_case c = op_new("Softmax", 13, 1);
        op_input(&c, BSR_F32, DIMS(2, 2), (const float[]){bad[i][0], bad[i][1], 5, 5});
        op_run(&c);
        const float *got = c.out[0]->data;
        assert_true(isnan(bad[i][0]) || isinf(bad[i][0]) ? isnan(got[0]) : isnan(got[1]));
        assert_true(got[2] == 0.5f && got[3] == 0.5f);
        op_free(&c);
    }
    op_case c = op_new("Softmax", 13, 1);
    op_input(&c, BSR_F32, DIMS(2), (const float[]){-INFINITY, 1});
    op_expect_f32(&c, DIMS(2), (const float[]){0, 1}, 0);
}

static void test_ops_softmax__empty(void **state)
{
    op_case c = op_new("Softmax", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 0), NULL);
    op_expect_f32(&c, DIMS(2, 0), NULL, 0);
}

static void test_ops_softmax__refuses(void **state)
{
    op_case c = cube("Softmax", 13, 3);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Softmax): axis is 3, expected -3 to 2 for rank 3");
    c = cube("LogSoftmax", 12, 4);
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (LogSoftmax): axis is 4, expected -3 to 2 for rank 3");
    c = op_new("Softmax", 13, 1);
    op_iota(&c, DIMS(2));
    op_expect_error(&c, BSR_EUNSUPPORTED, "node 'n' (Softmax): input is int32");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_softmax__one_axis_from_opset_13),
        cmocka_unit_test(test_ops_softmax__matrix_before_opset_13),
        cmocka_unit_test(test_ops_softmax__large_numbers),
        cmocka_unit_test(test_ops_softmax__float64),
        cmocka_unit_test(test_ops_softmax__nan_and_inf),
        cmocka_unit_test(test_ops_softmax__empty),
        cmocka_unit_test(test_ops_softmax__refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
