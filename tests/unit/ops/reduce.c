/* Reduce*, ArgMax, ArgMin. Expected values by hand and from numpy 1.24 (sum, mean, prod, amax,
 * amin, argmax) on [[1, -2, 3], [-4, 5, -6]]. */
#include <math.h>

#include "shape_case.h"

static const float X[6] = {1, -2, 3, -4, 5, -6};

/* `type` of X along the last axis, in opset 12, where every row takes its axes as an attribute. */
static op_case rows(const char *type, bsr_dtype dtype)
{
    char data[6 * 8];
    for (int i = 0; i < 6; i++) {
        if (dtype == BSR_F32)
            ((float *)data)[i] = X[i];
        else if (dtype == BSR_F64)
            ((double *)data)[i] = (double)X[i];
        else if (dtype == BSR_I32)
            ((int32_t *)data)[i] = (int32_t)X[i];
        else
            ((int64_t *)data)[i] = (int64_t)X[i];
    }
    op_case c = op_new(type, 12, 1);
    op_input(&c, dtype, DIMS(2, 3), data);
    op_ints(&c, "axes", DIMS(-1));
    return c;
}

static void test_ops_reduce__every_operator_and_type(void **state)
{
    const struct {
        const char *type;
        double want[2];
        int64_t want_int[2];
    } cases[] = {
        {"ReduceSum", {2, -5}, {2, -5}},
        {"ReduceMean", {2.0 / 3, -5.0 / 3}, {0, -1}}, /* truncated towards zero */
        {"ReduceProd", {-6, 120}, {-6, 120}},
        {"ReduceMax", {3, 5}, {3, 5}},
        {"ReduceMin", {-2, -6}, {-2, -6}},
        {"ReduceL1", {6, 15}, {6, 15}},
        {"ReduceSumSquare", {14, 77}, {14, 77}},
        {"ReduceL2", {3.7416573867739413, 8.774964387392123}, {0, 0}}, /* sqrt(14), sqrt(77) */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const double *want = cases[i].want;
        op_case c = rows(cases[i].type, BSR_F32);
        op_expect_f32(&c, DIMS(2, 1), (const float[]){(float)want[0], (float)want[1]}, 0);
        c = rows(cases[i].type, BSR_F64);
        op_run(&c);
        op_check_shape(&c, 0, BSR_F64, DIMS(2, 1));
        assert_memory_equal(c.out[0]->data, want, sizeof cases[i].want);
        op_free(&c);
        if (strcmp(cases[i].type, "ReduceL2") == 0)
            continue;
        c = rows(cases[i].type, BSR_I32);
        op_expect_ints(&c, BSR_I32, DIMS(2, 1), cases[i].want_int);
        c = rows(cases[i].type, BSR_I64);
        op_expect_ints(&c, BSR_I64, DIMS(2, 1), cases[i].want_int);
    }
}

static void test_ops_reduce__axes_and_keepdims(void **state)
{
    op_case c = op_new("ReduceMean", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 3), X);
    op_expect_f32(&c, DIMS(1, 1), (const float[]){-0.5f}, 0);
    c = op_new("ReduceMax", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 3), X);
    op_ints(&c, "axes", DIMS(0));
    op_int(&c, "keepdims", 0);
    op_expect_f32(&c, DIMS(3), (const float[]){1, 5, 3}, 0);
    c = op_new("ReduceSum", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 3), X);
    op_list(&c, DIMS(1, -2));
    op_int(&c, "keepdims", 0);
    op_expect_f32(&c, SCALAR, (const float[]){-3}, 0);
    /* 0..11 as 2x3x2: first and last axis. */
    c = op_new("ReduceSum", 13, 1);
    op_iota(&c, DIMS(2, 3, 2));
    op_list(&c, DIMS(2, 0));
    op_int(&c, "keepdims", 0);
    op_expect_i32(&c, DIMS(3), 0 + 1 + 6 + 7, 2 + 3 + 8 + 9, 4 + 5 + 10 + 11);
}

static void test_ops_reduce__no_axes(void **state)
{
    op_case c = op_new("ReduceSum", 13, 1);
    op_iota(&c, DIMS(2, 2));
    op_input(&c, BSR_I64, DIMS(0), NULL);
    op_expect_i32(&c, DIMS(1, 1), 6);
    c = op_new("ReduceSum", 13, 1);
    op_iota(&c, DIMS(2, 2));
    op_input(&c, BSR_I64, DIMS(0), NULL);
    op_int(&c, "noop_with_empty_axes", 1);
    op_expect_i32(&c, DIMS(2, 2), 0, 1, 2, 3);
    c = op_new("ReduceSum", 13, 1);
    op_iota(&c, SCALAR);
    op_expect_i32(&c, SCALAR, 0);
}

/* All but ReduceSum take axes as an input from opset 18 on. */
static void test_ops_reduce__axes_form_follows_the_opset(void **state)
{
    op_case c = op_new("ReduceMax", 18, 1);
    op_iota(&c, DIMS(2, 2));
    op_list(&c, DIMS(0));
    op_expect_unchecked(&c, DIMS(1, 2), (const int64_t[]){2, 3});
    c = op_new("ReduceMax", 17, 1);
    op_iota(&c, DIMS(2, 2));
    op_list(&c, DIMS(0));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (ReduceMax): input axes is an attribute before opset 18, the model "
                    "has opset 17");
    c = op_new("ReduceSum", 13, 1);
    op_iota(&c, DIMS(2, 2));
    op_ints(&c, "axes", DIMS(0));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (ReduceSum): attribute axes is an input from opset 13 on, the model "
                    "has opset 13");
}

/* In float32, 1e8 + 1 is 1e8: left to right over rows, then columns, only the last 1 survives. */
static void test_ops_reduce__order_of_additions(void **state)
{
    op_case c = op_new("ReduceSum", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 2), (const float[]){1e8f, 1, -1e8f, 1});
    op_expect_f32(&c, DIMS(1, 1), (const float[]){1}, 0);
    c = op_new("ReduceSum", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 2), (const float[]){1e8f, -1e8f, 1, 1});
    op_expect_f32(&c, DIMS(1, 1), (const float[]){2}, 0);
}

static void check_f32(op_case *c, float want)
{
    op_run(c);
    float got = *(const float *)c->out[0]->data;
    assert_true(isnan(want) ? isnan(got) : got == want);
    op_free(c);
}

static void test_ops_reduce__nan_wins(void **state)
{
    const char *const types[] = {"ReduceMax", "ReduceMin"};
    for (int i = 0; i < 2; i++) {
        for (int at = 0; at < 3; at++) {
            float data[3] = {INFINITY, 1, -INFINITY};
            data[at] = NAN;
            op_case c = op_new(types[i], 13, 1);
            op_input(&c, BSR_F32, DIMS(3), data);
            check_f32(&c, NAN);
        }
    }
}

static void test_ops_reduce__no_elements(void **state)
{
    const struct {
        const char *type;
        float want;
    } cases[] = {{"ReduceSum", 0},
                 {"ReduceProd", 1},
                 {"ReduceMax", -INFINITY},
                 {"ReduceMin", INFINITY},
                 {"ReduceMean", NAN}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        op_case c = op_new(cases[i].type, 13, 1);
        op_input(&c, BSR_F32, DIMS(2, 0), NULL);
        check_f32(&c, cases[i].want);
    }
    op_case c = op_new("ReduceMean", 13, 1);
    op_input(&c, BSR_I32, DIMS(0), NULL);
    op_expect_error(&c, BSR_EUNSUPPORTED, "node 'n' (ReduceMean): integer mean of no elements");
    c = op_new("ReduceMean", 13, 1);
    op_input(&c, BSR_F32, DIMS(0, 2), NULL);
    op_ints(&c, "axes", DIMS(1));
    op_expect_f32(&c, DIMS(0, 1), NULL, 0);
}

static void test_ops_reduce__small_integers(void **state)
{
    op_case c = op_new("ReduceMax", 13, 1);
    op_input(&c, BSR_U8, DIMS(3), (const uint8_t[]){3, 255, 128});
    op_expect_ints(&c, BSR_U8, DIMS(1), (const int64_t[]){255});
    c = op_new("ReduceMin", 13, 1);
    op_input(&c, BSR_I8, DIMS(3), (const int8_t[]){3, -128, 127});
    op_expect_ints(&c, BSR_I8, DIMS(1), (const int64_t[]){-128});
    c = op_new("ReduceSum", 13, 1);
    op_input(&c, BSR_U8, DIMS(3), NULL);
    op_expect_error(&c, BSR_EUNSUPPORTED, "node 'n' (ReduceSum): input is uint8");
}

/* 2^31 - 1 + 1 = -2^31 modulo 2^32; |-2^31| = 2^31 is -2^31 as well. */
static void test_ops_reduce__integers_wrap(void **state)
{
    op_case c = op_new("ReduceSum", 13, 1);
    op_input(&c, BSR_I32, DIMS(2), (const int32_t[]){INT32_MAX, 1});
    op_expect_ints(&c, BSR_I32, DIMS(1), (const int64_t[]){INT32_MIN});
    c = op_new("ReduceSum", 13, 1);
    op_input(&c, BSR_I64, DIMS(2), (const int64_t[]){INT64_MAX, 1});
    op_expect_ints(&c, BSR_I64, DIMS(1), (const int64_t[]){INT64_MIN});
    c = op_new("ReduceL1", 13, 1);
    op_input(&c, BSR_I32, DIMS(1), (const int32_t[]){INT32_MIN});
    op_expect_ints(&c, BSR_I32, DIMS(1), (const int64_t[]){INT32_MIN});
    c = op_new("ReduceProd", 13, 1);
    op_input(&c, BSR_I64, DIMS(2), (const int64_t[]){INT64_MIN, 3});
    op_expect_ints(&c, BSR_I64, DIMS(1), (const int64_t[]){INT64_MIN});
}

static op_case arg(const char *type, int last, int n, const float *data)
{
    int64_t dims[1] = {n};
    op_case c = op_new(type, 13, 1);
    op_input(&c, BSR_F32, 1, dims, data);
    op_int(&c, "select_last_index", last);
    return c;
}

static void test_ops_reduce__arg_ties_and_nan(void **state)
{
    const float ties[] = {1, 3, 3, 1}, nans[] = {1, NAN, INFINITY, NAN, -INFINITY};
    const struct {
        const char *type;
        int last;
        int64_t tie, nan;
    } cases[] = {
        {"ArgMax", 0, 1, 1}, {"ArgMax", 1, 2, 3}, {"ArgMin", 0, 0, 1}, {"ArgMin", 1, 3, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        op_case c = arg(cases[i].type, cases[i].last, 4, ties);
        op_expect_ints(&c, BSR_I64, DIMS(1), &cases[i].tie);
        c = arg(cases[i].type, cases[i].last, 5, nans);
        op_expect_ints(&c, BSR_I64, DIMS(1), &cases[i].nan);
    }
}

static void test_ops_reduce__arg_axes(void **state)
{
    op_case c = op_new("ArgMax", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 3), X);
    op_expect_ints(&c, BSR_I64, DIMS(1, 3), (const int64_t[]){0, 1, 0});
    c = op_new("ArgMin", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 3), X);
    op_int(&c, "axis", -1);
    op_int(&c, "keepdims", 0);
    op_expect_ints(&c, BSR_I64, DIMS(2), (const int64_t[]){1, 2});
    c = op_new("ArgMax", 13, 1);
    op_input(&c, BSR_I64, DIMS(2), (const int64_t[]){INT64_MAX - 1, INT64_MAX});
    op_expect_ints(&c, BSR_I64, DIMS(1), (const int64_t[]){1});
}

static void test_ops_reduce__arg_refuses(void **state)
{
    op_case c = arg("ArgMax", 0, 0, NULL);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (ArgMax): axis 0 has no elements");
    c = op_new("ArgMax", 13, 1);
    op_input(&c, BSR_BOOL, DIMS(2), NULL);
    op_expect_error(&c, BSR_EUNSUPPORTED, "node 'n' (ArgMax): input is bool");
    c = op_new("ArgMax", 13, 1);
    op_iota(&c, DIMS(2));
    op_int(&c, "axis", 1);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (ArgMax): axis is 1, expected -1 to 0 for rank 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_reduce__every_operator_and_type),
        cmocka_unit_test(test_ops_reduce__axes_and_keepdims),
        cmocka_unit_test(test_ops_reduce__no_axes),
        cmocka_unit_test(test_ops_reduce__axes_form_follows_the_opset),
        cmocka_unit_test(test_ops_reduce__order_of_additions),
        cmocka_unit_test(test_ops_reduce__nan_wins),
        cmocka_unit_test(test_ops_reduce__no_elements),
        cmocka_unit_test(test_ops_reduce__small_integers),
        cmocka_unit_test(test_ops_reduce__integers_wrap),
        cmocka_unit_test(test_ops_reduce__arg_ties_and_nan),
        cmocka_unit_test(test_ops_reduce__arg_axes),
        cmocka_unit_test(test_ops_reduce__arg_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
