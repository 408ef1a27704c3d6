/* Cast, Constant, ConstantOfShape. Expectations by hand. */
#include "op_case.h"

#include <math.h>

static op_case cast_case(bsr_dtype from, int64_t n, const void *data, int64_t to)
{
    op_case c = op_new("Cast", 13, 1);
    op_input(&c, from, 1, &n, data);
    op_int(&c, "to", to);
    return c;
}

static void test_ops_constant__cast_float_to_int(void **state)
{
    static const float x[8] = {2.9f, -2.9f, 300.0f, -300.0f, NAN, INFINITY, -INFINITY, 3e9f};
    op_case c = cast_case(BSR_F32, 8, x, BSR_I32);
    op_expect_ints(&c, BSR_I32, DIMS(8),
                   (int64_t[]){2, -2, 300, -300, 0, INT32_MAX, INT32_MIN, INT32_MAX});
    c = cast_case(BSR_F32, 8, x, BSR_I64);
    op_expect_ints(&c, BSR_I64, DIMS(8),
                   (int64_t[]){2, -2, 300, -300, 0, INT64_MAX, INT64_MIN, 3000000000});
    c = cast_case(BSR_F32, 8, x, BSR_I8);
    op_expect_ints(&c, BSR_I8, DIMS(8), (int64_t[]){2, -2, 127, -128, 0, 127, -128, 127});
    c = cast_case(BSR_F32, 8, x, BSR_U8);
    op_expect_ints(&c, BSR_U8, DIMS(8), (int64_t[]){2, 0, 255, 0, 0, 255, 0, 255});
}

static void test_ops_constant__cast_int(void **state)
{
    static const int64_t x[4] = {300, -1, 0, ((int64_t)1 << 32) + 7};
    op_case c = cast_case(BSR_I64, 4, x, BSR_U8);
    op_expect_ints(&c, BSR_U8, DIMS(4), (int64_t[]){44, 255, 0, 7});
    c = cast_case(BSR_I64, 4, x, BSR_I32);
    op_expect_ints(&c, BSR_I32, DIMS(4), (int64_t[]){300, -1, 0, 7});
    c = cast_case(BSR_I64, 4, x, BSR_F32);
    op_expect_f32(&c, DIMS(4), (float[]){300, -1, 0, 4294967296.0f}, 0.0f);
    c = cast_case(BSR_U8, 2, (uint8_t[]){200, 1}, BSR_I8);
    op_expect_ints(&c, BSR_I8, DIMS(2), (int64_t[]){-56, 1});
}

static void test_ops_constant__cast_bool(void **state)
{
    op_case c = cast_case(BSR_F32, 4, (float[]){0.0f, -0.0f, 0.5f, NAN}, BSR_BOOL);
    op_run(&c);
    op_check_shape(&c, 0, BSR_BOOL, DIMS(4));
    assert_memory_equal(c.out[0]->data, "\0\0\1\1", 4);
    op_free(&c);
    c = cast_case(BSR_I64, 2, (int64_t[]){256, 0}, BSR_BOOL);
    op_run(&c);
    assert_memory_equal(c.out[0]->data, "\1\0", 2);
    op_free(&c);
    c = cast_case(BSR_BOOL, 2, "\1\0", BSR_F32);
    op_expect_f32(&c, DIMS(2), (float[]){1.0f, 0.0f}, 0.0f);
    c = cast_case(BSR_F64, 2, (double[]){0.1, 1e300}, BSR_F32);
    op_expect_f32(&c, DIMS(2), (float[]){0.1f, INFINITY}, 0.0f);
}

static void test_ops_constant__cast_errors(void **state)
{
    op_case c = cast_case(BSR_F32, 1, NULL, 10);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (Cast): cast to element type 10 is not supported");
    c = cast_case(BSR_F32, 1, NULL, INT64_MAX);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (Cast): cast to element type 9223372036854775807 is not supported");
    c = op_new("Cast", 13, 1);
    op_input(&c, BSR_F32, SCALAR, NULL);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Cast): attribute 'to' is missing");
}

static void test_ops_constant__constant(void **state)
{
    op_case c = op_new("Constant", 13, 1);
    op_float(&c, "value_float", 2.5f);
    op_expect_f32(&c, SCALAR, (float[]){2.5f}, 0.0f);
    c = op_new("Constant", 13, 1);
    op_int(&c, "value_int", -3);
    op_expect_ints(&c, BSR_I64, SCALAR, (int64_t[]){-3});
    c = op_new("Constant", 13, 1);
    op_ints(&c, "value_ints", DIMS(4, 5, 6));
    op_expect_ints(&c, BSR_I64, DIMS(3), (int64_t[]){4, 5, 6});
    c = op_new("Constant", 13, 1);
    bsr_attr *list = op_attr(&c, "value_floats", BSR_ATTR_FLOATS);
    list->n = 2;
    list->floats = bsr_alloc_array(2, sizeof *list->floats);
    memcpy(list->floats, (float[]){1.0f, 2.0f}, 8);
    op_expect_f32(&c, DIMS(2), (float[]){1.0f, 2.0f}, 0.0f);
    c = op_new("Constant", 13, 1);
    bsr_attr *value = op_attr(&c, "value", BSR_ATTR_TENSOR);
    assert_int_equal(bsr_tensor_new(&value->t, BSR_U8, DIMS(2, 1)), BSR_OK);
    memcpy(value->t->data, "\3\4", 2);
    op_expect_ints(&c, BSR_U8, DIMS(2, 1), (int64_t[]){3, 4});
}

static void test_ops_constant__constant_errors(void **state)
{
    op_case c = op_new("Constant", 13, 1);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Constant): has 0 value attributes, expected 1");
    c = op_new("Constant", 13, 1);
    op_string(&c, "value_string", "x");
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (Constant): attribute 'value_string' is not supported");
}

static void test_ops_constant__of_shape(void **state)
{
    op_case c = op_new("ConstantOfShape", 9, 1);
    op_input(&c, BSR_I64, DIMS(2), (int64_t[]){2, 3});
    op_expect_f32(&c, DIMS(2, 3), (float[6]){0}, 0.0f);
    c = op_new("ConstantOfShape", 9, 1);
    op_input(&c, BSR_I64, DIMS(1), (int64_t[]){3});
    bsr_attr *value = op_attr(&c, "value", BSR_ATTR_TENSOR);
    assert_int_equal(bsr_tensor_new(&value->t, BSR_I64, DIMS(1)), BSR_OK);
    *(int64_t *)value->t->data = 8;
    op_expect_ints(&c, BSR_I64, DIMS(3), (int64_t[]){8, 8, 8});
    c = op_new("ConstantOfShape", 9, 1); /* an empty list is a scalar */
    op_input(&c, BSR_I64, DIMS(0), NULL);
    op_expect_f32(&c, SCALAR, (float[]){0.0f}, 0.0f);
}

static void test_ops_constant__of_shape_errors(void **state)
{
    op_case c = op_new("ConstantOfShape", 9, 1);
    op_input(&c, BSR_I64, DIMS(2), (int64_t[]){2, -3});
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (ConstantOfShape): shape[1] is -3, expected at least 0");
    c = op_new("ConstantOfShape", 9, 1);
    op_input(&c, BSR_I32, DIMS(2), NULL);
    op_expect_error(
        &c, BSR_EFORMAT,
        "node 'n' (ConstantOfShape): shape is a rank 1 int32, expected a list of int64");
    c = op_new("ConstantOfShape", 9, 1);
    op_input(&c, BSR_I64, DIMS(9), NULL);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (ConstantOfShape): shape has 9 values, expected at most 8");
    c = op_new("ConstantOfShape", 9, 1);
    op_input(&c, BSR_I64, DIMS(1), NULL);
    bsr_attr *value = op_attr(&c, "value", BSR_ATTR_TENSOR);
    assert_int_equal(bsr_tensor_new(&value->t, BSR_I64, DIMS(2)), BSR_OK);
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (ConstantOfShape): value has 2 elements, expected 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_constant__cast_float_to_int),
        cmocka_unit_test(test_ops_constant__cast_int),
        cmocka_unit_test(test_ops_constant__cast_bool),
        cmocka_unit_test(test_ops_constant__cast_errors),
        cmocka_unit_test(test_ops_constant__constant),
        cmocka_unit_test(test_ops_constant__constant_errors),
        cmocka_unit_test(test_ops_constant__of_shape),
        cmocka_unit_test(test_ops_constant__of_shape_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
