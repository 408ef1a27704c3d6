#include "op_case.h"

#include <math.h>

/* a (2, 1, 3), b (2, 1): the shapes broadcast to (2, 2, 3). */
static const float A[6] = {1.0f, 2.0f, 3.0f, -4.0f, -5.0f, -6.0f};
static const float B[2] = {10.0f, 0.5f};

static op_case float_case(const char *type)
{
    op_case c = op_new(type, 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 1, 3), A);
    op_input(&c, BSR_F32, DIMS(2, 1), B);
    return c;
}

/* By hand: rows A[0..2], A[3..5] with 10 and then with 0.5. */
static void test_ops_binary__broadcast(void **state)
{
    op_case c = float_case("Add");
    op_expect_f32(&c, DIMS(2, 2, 3),
                  (const float[]){11, 12, 13, 1.5f, 2.5f, 3.5f, 6, 5, 4, -3.5f, -4.5f, -5.5f},
                  0.0f);
    c = float_case("Sub");
    op_expect_f32(&c, DIMS(2, 2, 3),
                  (const float[]){-9, -8, -7, 0.5f, 1.5f, 2.5f, -14, -15, -16, -4.5f, -5.5f, -6.5f},
                  0.0f);
    c = float_case("Mul");
    op_expect_f32(&c, DIMS(2, 2, 3),
                  (const float[]){10, 20, 30, 0.5f, 1, 1.5f, -40, -50, -60, -2, -2.5f, -3}, 0.0f);
    c = float_case("Div");
    op_expect_f32(&c, DIMS(2, 2, 3),
                  (const float[]){0.1f, 0.2f, 0.3f, 2, 4, 6, -0.4f, -0.5f, -0.6f, -8, -10, -12},
                  0.0f);
    c = float_case("Max");
    op_expect_f32(&c, DIMS(2, 2, 3),
                  (const float[]){10, 10, 10, 1, 2, 3, 10, 10, 10, 0.5f, 0.5f, 0.5f}, 0.0f);
    c = float_case("Min");
    op_expect_f32(&c, DIMS(2, 2, 3),
                  (const float[]){1, 2, 3, 0.5f, 0.5f, 0.5f, -4, -5, -6, -4, -5, -6}, 0.0f);
}

static void test_ops_binary__shapes(void **state)
{
    op_case c = op_new("Add", 13, 1); /* scalars */
    op_input(&c, BSR_F32, SCALAR, A);
    op_input(&c, BSR_F32, SCALAR, B);
    op_expect_f32(&c, SCALAR, (const float[]){11.0f}, 0.0f);
    c = op_new("Add", 13, 1); /* no elements */
    op_input(&c, BSR_F32, DIMS(0, 3), NULL);
    op_input(&c, BSR_F32, DIMS(1), B);
    op_expect_f32(&c, DIMS(0, 3), B, 0.0f);
    c = op_new("Add", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 3), NULL);
    op_input(&c, BSR_F32, DIMS(2), NULL);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Add): cannot broadcast 2x3 with 2 of input 1");
    c = op_new("Add", 13, 1);
    op_input(&c, BSR_F32, DIMS(3), NULL);
    op_input(&c, BSR_I32, DIMS(3), NULL);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Add): input 0 is float32, input 1 is int32");
    c = op_new("And", 13, 1);
    op_input(&c, BSR_I32, DIMS(3), NULL);
    op_input(&c, BSR_I32, DIMS(3), NULL);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (And): input 0 is int32, which is not supported");
}

/* NaN wins at either side and is not forgotten by a third operand. */
static void test_ops_binary__nan(void **state)
{
    static const char *const types[] = {"Max", "Min"};
    for (int t = 0; t < 2; t++) {
        bsr_binary_fn fn = bsr_op_binary(types[t]);
        assert_true(isnan(fn(NAN, 1.0f)) && isnan(fn(1.0f, NAN)));
        op_case c = op_new(types[t], 13, 1);
        op_input(&c, BSR_F32, DIMS(1), (const float[]){1.0f});
        op_input(&c, BSR_F32, DIMS(1), (const float[]){NAN});
        op_input(&c, BSR_F32, DIMS(1), (const float[]){2.0f});
        op_run(&c);
        assert_true(isnan(*(const float *)c.out[0]->data));
        op_free(&c);
    }
    assert_true(isnan(bsr_op_binary("PRelu")(NAN, 2.0f)));
}

static void test_ops_binary__variadic(void **state)
{
    static const struct {
        const char *type;
        float want[6];
    } cases[] = {
        {"Sum", {12, 13, 14, 9, 10, 11}},
        {"Mean", {4, 13.0f / 3.0f, 14.0f / 3.0f, 3, 10.0f / 3.0f, 11.0f / 3.0f}},
        {"Max", {10, 10, 10, 7, 7, 7}},
        {"Min", {1, 1, 1, 1, 1, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        op_case c = op_new(cases[i].type, 8, 1);
        op_input(&c, BSR_F32, DIMS(3), (const float[]){1, 2, 3});
        op_input(&c, BSR_F32, DIMS(1, 1), (const float[]){1});
        op_input(&c, BSR_F32, DIMS(2, 1), (const float[]){10, 7});
        op_expect_f32(&c, DIMS(2, 3), cases[i].want, 0.0f);
    }
    op_case c = op_new("Sum", 13, 1);
    op_input(&c, BSR_F32, DIMS(2), B);
    op_expect_f32(&c, DIMS(2), B, 0.0f);
}

/* Wrapping, truncation, and no trap on the two divisions that C leaves undefined. */
static void test_ops_binary__integers(void **state)
{
    op_case c = op_new("Div", 13, 1);
    op_input(&c, BSR_I32, DIMS(5), (const int32_t[]){7, -7, 7, INT32_MIN, 5});
    op_input(&c, BSR_I32, DIMS(5), (const int32_t[]){2, 2, -2, -1, 0});
    op_expect_ints(&c, BSR_I32, DIMS(5), (const int64_t[]){3, -3, -3, INT32_MIN, 0});
    c = op_new("Div", 13, 1);
    op_input(&c, BSR_I64, DIMS(1), (const int64_t[]){INT64_MIN});
    op_input(&c, BSR_I64, DIMS(1), (const int64_t[]){-1});
    op_expect_ints(&c, BSR_I64, DIMS(1), (const int64_t[]){INT64_MIN});
    c = op_new("Sub", 14, 1);
    op_input(&c, BSR_U8, DIMS(2), (const uint8_t[]){3, 200});
    op_input(&c, BSR_U8, DIMS(2), (const uint8_t[]){5, 100});
    op_expect_ints(&c, BSR_U8, DIMS(2), (const int64_t[]){254, 100});
    c = op_new("Mul", 14, 1);
    op_input(&c, BSR_I8, DIMS(2), (const int8_t[]){100, -128});
    op_input(&c, BSR_I8, DIMS(2), (const int8_t[]){3, -1});
    op_expect_ints(&c, BSR_I8, DIMS(2), (const int64_t[]){44, -128});
    c = op_new("Add", 14, 1);
    op_input(&c, BSR_I64, DIMS(1), (const int64_t[]){INT64_MAX});
    op_input(&c, BSR_I64, DIMS(1), (const int64_t[]){1});
    op_expect_ints(&c, BSR_I64, DIMS(1), (const int64_t[]){INT64_MIN});
}

static void test_ops_binary__prelu(void **state)
{
    op_case c = op_new("PRelu", 9, 1);
    op_input(&c, BSR_F32, DIMS(2, 1, 3), A);
    op_input(&c, BSR_F32, DIMS(3), (const float[]){0.5f, 2, -1});
    op_expect_f32(&c, DIMS(2, 1, 3), (const float[]){1, 2, 3, -2, -10, 6}, 0.0f);
    c = float_case("PRelu");
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (PRelu): cannot broadcast 2x1 of input 1 to 2x1x3");
}

static void expect_bools(op_case *c, int n, const char *want)
{
    op_run(c);
    assert_int_equal(c->out[0]->dtype, BSR_BOOL);
    assert_memory_equal(c->out[0]->data, want, (size_t)n);
    op_free(c);
}

static void test_ops_binary__comparisons(void **state)
{
    static const float a[5] = {1, 2, 3, NAN, -0.0f}, b[5] = {2, 2, 2, NAN, 0.0f};
    static const int64_t big[2] = {((int64_t)1 << 53) + 1, -1}, other[2] = {(int64_t)1 << 53, 1};
    static const struct {
        const char *type, *floats, *ints;
    } cases[] = {
        {"Equal", "\0\1\0\0\1", "\0\0"},       {"Greater", "\0\0\1\0\0", "\1\0"},
        {"Less", "\1\0\0\0\0", "\0\1"},        {"GreaterOrEqual", "\0\1\1\0\1", "\1\0"},
        {"LessOrEqual", "\1\1\0\0\1", "\0\1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        op_case c = op_new(cases[i].type, 13, 1);
        op_input(&c, BSR_F32, DIMS(5), a);
        op_input(&c, BSR_F32, DIMS(5), b);
        expect_bools(&c, 5, cases[i].floats);
        c = op_new(cases[i].type, 13, 1);
        op_input(&c, BSR_I64, DIMS(2), big);
        op_input(&c, BSR_I64, DIMS(2), other);
        expect_bools(&c, 2, cases[i].ints);
    }
}

static void test_ops_binary__logic(void **state)
{
    static const struct {
        const char *type, *want;
    } cases[] = {{"And", "\0\0\0\1"}, {"Or", "\0\1\1\1"}, {"Xor", "\0\1\1\0"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        op_case c = op_new(cases[i].type, 13, 1);
        op_input(&c, BSR_BOOL, DIMS(2, 1), "\0\1");
        op_input(&c, BSR_BOOL, DIMS(2), "\0\1");
        expect_bools(&c, 4, cases[i].want);
    }
}

static void test_ops_binary__where(void **state)
{
    op_case c = op_new("Where", 13, 1);
    op_input(&c, BSR_BOOL, DIMS(2, 1), "\1\0");
    op_input(&c, BSR_F32, DIMS(3), (const float[]){1, 2, 3});
    op_input(&c, BSR_F32, SCALAR, (const float[]){9});
    op_expect_f32(&c, DIMS(2, 3), (const float[]){1, 2, 3, 9, 9, 9}, 0.0f);
    c = op_new("Where", 13, 1);
    op_input(&c, BSR_I32, DIMS(2), NULL);
    op_input(&c, BSR_F32, DIMS(2), NULL);
    op_input(&c, BSR_F32, DIMS(2), NULL);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (Where): input 0 is int32, which is not supported");
}

static void test_ops_binary__pow(void **state)
{
    op_case c = op_new("Pow", 13, 1);
    op_input(&c, BSR_F32, DIMS(3), (const float[]){2, 9, -2});
    op_input(&c, BSR_F32, DIMS(3), (const float[]){10, 0.5f, 3});
    op_expect_f32(&c, DIMS(3), (const float[]){1024, 3, -8}, 0.0f);
    c = op_new("Pow", 13, 1);
    op_input(&c, BSR_I64, DIMS(5), (const int64_t[]){3, -1, 2, 0, 7});
    op_input(&c, BSR_I32, DIMS(5), (const int32_t[]){39, -3, -1, 0, 2});
    op_expect_ints(&c, BSR_I64, DIMS(5), (const int64_t[]){4052555153018976267, -1, 0, 1, 49});
    c = op_new("Pow", 13, 1);
    op_input(&c, BSR_I32, DIMS(4), (const int32_t[]){3, 4, 10, 2});
    op_input(&c, BSR_F32, DIMS(4), (const float[]){6, 0.5f, 20, 0.5f});
    op_expect_ints(&c, BSR_I32, DIMS(4), (const int64_t[]){729, 2, INT32_MAX, 1});
    c = op_new("Pow", 7, 1);
    op_input(&c, BSR_F32, DIMS(1), NULL);
    op_input(&c, BSR_I32, DIMS(1), NULL);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Pow): input 0 is float32, input 1 is int32");
}

static void test_ops_binary__functions(void **state)
{
    assert_true(bsr_op_binary("Add")(1.0f, 2.0f) == 3.0f);
    assert_true(bsr_op_binary("Sub")(1.0f, 2.0f) == -1.0f);
    assert_true(bsr_op_binary("Mul")(3.0f, 2.0f) == 6.0f);
    assert_true(bsr_op_binary("Div")(3.0f, 2.0f) == 1.5f);
    assert_true(bsr_op_binary("Pow")(3.0f, 2.0f) == 9.0f);
    assert_true(bsr_op_binary("PRelu")(-3.0f, 2.0f) == -6.0f);
    static const char *const none[] = {"Equal", "And", "Sum", "Mean", "Where", "Relu"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_null(bsr_op_binary(none[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_binary__broadcast),   cmocka_unit_test(test_ops_binary__shapes),
        cmocka_unit_test(test_ops_binary__nan),         cmocka_unit_test(test_ops_binary__variadic),
        cmocka_unit_test(test_ops_binary__integers),    cmocka_unit_test(test_ops_binary__prelu),
        cmocka_unit_test(test_ops_binary__comparisons), cmocka_unit_test(test_ops_binary__logic),
        cmocka_unit_test(test_ops_binary__where),       cmocka_unit_test(test_ops_binary__pow),
        cmocka_unit_test(test_ops_binary__functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
