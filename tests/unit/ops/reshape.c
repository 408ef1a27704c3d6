/* Reshape, Flatten, Squeeze, Unsqueeze, Shape, Size. The order of elements is checked by running
 * on two storage orders (op_case.h); expected shapes are worked out by hand from the operators'
 * text. */
#include "shape_case.h"

static void expect_same_order(op_case *c, int rank, const int64_t *dims)
{
    int64_t want[64];
    for (int64_t i = 0; i < 64; i++)
        want[i] = i;
    op_expect_ints(c, BSR_I32, rank, dims, want);
}

static op_case reshape(int opset, int rank, const int64_t *dims, int n, const int64_t *shape)
{
    op_case c = op_new("Reshape", opset, 1);
    op_iota(&c, rank, dims);
    op_list(&c, n, shape);
    return c;
}

static void test_ops_reshape__zero_copies_and_minus_one_fills(void **state)
{
    op_case c = reshape(13, DIMS(2, 3, 4), DIMS(4, 6));
    expect_same_order(&c, DIMS(4, 6));
    c = reshape(7, DIMS(2, 3, 4), DIMS(0, -1));
    expect_same_order(&c, DIMS(2, 12));
    c = reshape(13, DIMS(2, 3, 4), DIMS(-1, 0, 2, 2));
    expect_same_order(&c, DIMS(2, 3, 2, 2));
    c = reshape(13, DIMS(1, 1), DIMS(-1));
    expect_same_order(&c, DIMS(1));
}

static void test_ops_reshape__scalar(void **state)
{
    op_case c = op_new("Reshape", 13, 1);
    op_iota(&c, DIMS(1, 1));
    op_input(&c, BSR_I64, DIMS(0), NULL);
    expect_same_order(&c, SCALAR);
    c = reshape(13, SCALAR, DIMS(1, 1));
    expect_same_order(&c, DIMS(1, 1));
}

static void test_ops_reshape__allowzero(void **state)
{
    op_case c = reshape(14, DIMS(0, 3), DIMS(3, 0));
    op_int(&c, "allowzero", 1);
    expect_same_order(&c, DIMS(3, 0));
    c = reshape(14, DIMS(0, 3), DIMS(3, 0));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Reshape): cannot reshape 0x3 to 3x3");
}

static void test_ops_reshape__refuses(void **state)
{
    op_case c = reshape(13, DIMS(2, 3), DIMS(4, 2));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Reshape): cannot reshape 2x3 to 4x2");
    c = reshape(13, DIMS(2, 3), DIMS(4, -1));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Reshape): shape has -1 where 6 elements do not divide by the other "
                    "dimensions' product 4");
    c = reshape(13, DIMS(2, 3), DIMS(-1, -1));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Reshape): shape value 1 is -1, a second -1");
    c = reshape(13, DIMS(2, 3), DIMS(-2));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Reshape): shape value 0 is -2, expected -1 or more");
    c = reshape(13, DIMS(2, 3), DIMS(2, 3, 0));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Reshape): shape value 2 is 0 (copy), but the input has rank 2");
    c = reshape(13, DIMS(0, 3), DIMS(0, -1));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Reshape): shape has -1 beside a dimension of 0");
    c = reshape(13, DIMS(1), DIMS(1, 1, 1, 1, 1, 1, 1, 1, 1));
    op_expect_error(&c, BSR_ELIMIT, "node 'n' (Reshape): shape has 9 values, at most 8");
    c = reshape(13, DIMS(1), DIMS(INT64_MAX, INT64_MAX, -1));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Reshape): shape has -1 where 1 elements do not divide by the other "
                    "dimensions' product -1");
}

static void test_ops_reshape__shape_must_be_a_constant_list(void **state)
{
    op_case c = reshape(13, DIMS(2, 3), DIMS(6));
    op_not_constant(&c, 1);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (Reshape): shape depends on the network's input, expected a "
                    "constant");
    c = op_new("Reshape", 13, 1);
    op_iota(&c, DIMS(2, 3));
    op_input(&c, BSR_F32, DIMS(1), NULL);
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Reshape): shape is float32, expected int64 or int32");
    c = op_new("Reshape", 13, 1);
    op_iota(&c, DIMS(2, 3));
    op_input(&c, BSR_I64, DIMS(1, 1), NULL);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Reshape): shape has rank 2, expected 1");
}

static op_case flatten(int64_t axis)
{
    op_case c = op_new("Flatten", 13, 1);
    op_iota(&c, DIMS(2, 3, 4));
    op_int(&c, "axis", axis);
    return c;
}

static void test_ops_reshape__flatten(void **state)
{
    const struct {
        int64_t axis, rows, columns;
    } cases[] = {{0, 1, 24}, {1, 2, 12}, {2, 6, 4}, {3, 24, 1}, {-1, 6, 4}, {-3, 1, 24}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        op_case c = flatten(cases[i].axis);
        expect_same_order(&c, DIMS(cases[i].rows, cases[i].columns));
    }
    op_case c = op_new("Flatten", 9, 1);
    op_iota(&c, DIMS(2, 3, 4));
    expect_same_order(&c, DIMS(2, 12));
    c = flatten(4);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Flatten): axis is 4, expected -3 to 3 for rank 3");
}

static void test_ops_reshape__squeeze(void **state)
{
    op_case c = op_new("Squeeze", 11, 1);
    op_iota(&c, DIMS(1, 3, 1, 2));
    op_ints(&c, "axes", DIMS(-2));
    expect_same_order(&c, DIMS(1, 3, 2));
    c = op_new("Squeeze", 13, 1);
    op_iota(&c, DIMS(1, 3, 1, 2));
    op_list(&c, DIMS(2, 0));
    expect_same_order(&c, DIMS(3, 2));
    c = op_new("Squeeze", 13, 1);
    op_iota(&c, DIMS(1, 3, 1, 2));
    expect_same_order(&c, DIMS(3, 2));
    c = op_new("Squeeze", 13, 1);
    op_iota(&c, DIMS(1, 3));
    op_list(&c, DIMS(1));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Squeeze): axis 1 has 3 elements, expected 1");
}

static void test_ops_reshape__unsqueeze(void **state)
{
    op_case c = op_new("Unsqueeze", 11, 1);
    op_iota(&c, DIMS(3, 2));
    op_ints(&c, "axes", DIMS(0, 3));
    expect_same_order(&c, DIMS(1, 3, 2, 1));
    c = op_new("Unsqueeze", 13, 1);
    op_iota(&c, DIMS(3, 2));
    op_list(&c, DIMS(-1, 1));
    expect_same_order(&c, DIMS(3, 1, 2, 1));
    c = op_new("Unsqueeze", 13, 1);
    op_iota(&c, DIMS(3, 2));
    op_list(&c, DIMS(1, -3));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Unsqueeze): axis 1 is given twice");
    c = op_new("Unsqueeze", 13, 1);
    op_iota(&c, DIMS(3, 2));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Unsqueeze): axes is missing");
    c = op_new("Unsqueeze", 13, 1);
    op_iota(&c, DIMS(1, 1, 1, 1, 1, 1, 1));
    op_list(&c, DIMS(0, 1));
    op_expect_error(&c, BSR_ELIMIT, "node 'n' (Unsqueeze): rank 7 and 2 axes make a rank above 8");
}

static void test_ops_reshape__axes_form_follows_the_opset(void **state)
{
    op_case c = op_new("Unsqueeze", 13, 1);
    op_iota(&c, DIMS(3));
    op_ints(&c, "axes", DIMS(0));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Unsqueeze): attribute axes is an input from opset 13 on, the model "
                    "has opset 13");
    c = op_new("Unsqueeze", 12, 1);
    op_iota(&c, DIMS(3));
    op_list(&c, DIMS(0));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Unsqueeze): input axes is an attribute before opset 13, the model "
                    "has opset 12");
}

static op_case shape(int64_t start, int64_t end)
{
    op_case c = op_new("Shape", 15, 1);
    op_iota(&c, DIMS(2, 3, 4));
    op_int(&c, "start", start);
    op_int(&c, "end", end);
    return c;
}

static void test_ops_reshape__shape_and_size(void **state)
{
    op_case c = op_new("Shape", 13, 1);
    op_iota(&c, DIMS(2, 3, 4));
    op_expect_ints(&c, BSR_I64, DIMS(3), (const int64_t[]){2, 3, 4});
    c = shape(-2, 2);
    op_expect_ints(&c, BSR_I64, DIMS(1), (const int64_t[]){3});
    c = shape(-10, 10);
    op_expect_ints(&c, BSR_I64, DIMS(3), (const int64_t[]){2, 3, 4});
    c = shape(2, 1);
    op_expect_ints(&c, BSR_I64, DIMS(0), NULL);
    c = op_new("Size", 13, 1);
    op_iota(&c, DIMS(2, 3, 4));
    op_expect_ints(&c, BSR_I64, SCALAR, (const int64_t[]){24});
    c = op_new("Size", 13, 1);
    op_iota(&c, DIMS(2, 0));
    op_expect_ints(&c, BSR_I64, SCALAR, (const int64_t[]){0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_reshape__zero_copies_and_minus_one_fills),
        cmocka_unit_test(test_ops_reshape__scalar),
        cmocka_unit_test(test_ops_reshape__allowzero),
        cmocka_unit_test(test_ops_reshape__refuses),
        cmocka_unit_test(test_ops_reshape__shape_must_be_a_constant_list),
        cmocka_unit_test(test_ops_reshape__flatten),
        cmocka_unit_test(test_ops_reshape__squeeze),
        cmocka_unit_test(test_ops_reshape__unsqueeze),
        cmocka_unit_test(test_ops_reshape__axes_form_follows_the_opset),
        cmocka_unit_test(test_ops_reshape__shape_and_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
