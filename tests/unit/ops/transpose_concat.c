/* Transpose, DepthToSpace, SpaceToDepth, Concat, Split. Expected values from numpy 1.24: transpose,
 * and the reshape-transpose-reshape of the operators' text. */
#include "shape_case.h"

static void test_ops_transpose_concat__transpose(void **state)
{
    op_case c = op_new("Transpose", 13, 1);
    op_iota(&c, DIMS(2, 3, 4));
    op_ints(&c, "perm", DIMS(1, 2, 0));
    op_expect_i32(&c, DIMS(3, 4, 2), 0, 12, 1, 13, 2, 14, 3, 15, 4, 16, 5, 17, 6, 18, 7, 19, 8, 20,
                  9, 21, 10, 22, 11, 23);
    c = op_new("Transpose", 13, 1);
    op_iota(&c, DIMS(2, 3, 4));
    op_expect_i32(&c, DIMS(4, 3, 2), 0, 12, 4, 16, 8, 20, 1, 13, 5, 17, 9, 21, 2, 14, 6, 18, 10, 22,
                  3, 15, 7, 19, 11, 23);
    c = op_new("Transpose", 13, 1);
    op_iota(&c, SCALAR);
    op_expect_i32(&c, SCALAR, 0);
}

static void test_ops_transpose_concat__every_element_type(void **state)
{
    const bsr_dtype dtypes[] = {BSR_F32, BSR_F64, BSR_U8, BSR_I8, BSR_I32, BSR_I64, BSR_BOOL};
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++) {
        size_t size = bsr_dtype_size(dtypes[i]);
        char data[4 * 8] = {0};
        for (size_t k = 0; k < 4; k++)
            data[k * size] = (char)(k & 1);
        op_case c = op_new("Transpose", 13, 1);
        op_input(&c, dtypes[i], DIMS(2, 2), data);
        op_run(&c);
        op_check_shape(&c, 0, dtypes[i], DIMS(2, 2));
        const char *got = c.out[0]->data;
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(got[k * size], k / 2);
        op_free(&c);
    }
}

static void test_ops_transpose_concat__transpose_refuses(void **state)
{
    op_case c = op_new("Transpose", 13, 1);
    op_iota(&c, DIMS(2, 3, 4));
    op_ints(&c, "perm", DIMS(1, 0));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Transpose): perm has 2 values, expected 3");
    c = op_new("Transpose", 13, 1);
    op_iota(&c, DIMS(2, 3));
    op_ints(&c, "perm", DIMS(1, 1));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Transpose): axis 1 is given twice");
    c = op_new("Transpose", 13, 1);
    op_iota(&c, DIMS(2, 3));
    op_ints(&c, "perm", DIMS(0, 2));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Transpose): axis is 2, expected -2 to 1 for rank 2");
}

static op_case blocks(const char *type, int64_t blocksize, int rank, const int64_t *dims)
{
    op_case c = op_new(type, 13, 1);
    op_iota(&c, rank, dims);
    op_int(&c, "blocksize", blocksize);
    return c;
}

static void test_ops_transpose_concat__depth_to_space(void **state)
{
    op_case c = blocks("DepthToSpace", 2, DIMS(1, 8, 1, 2));
    op_expect_i32(&c, DIMS(1, 2, 2, 4), 0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15);
    c = blocks("DepthToSpace", 2, DIMS(1, 8, 1, 2));
    op_string(&c, "mode", "CRD");
    op_expect_i32(&c, DIMS(1, 2, 2, 4), 0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15);
    c = blocks("SpaceToDepth", 2, DIMS(1, 2, 2, 4));
    op_expect_i32(&c, DIMS(1, 8, 1, 2), 0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15);
}

static void test_ops_transpose_concat__depth_to_space_refuses(void **state)
{
    op_case c = blocks("DepthToSpace", 2, DIMS(1, 6, 1, 2));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (DepthToSpace): 6 channels do not divide by blocksize 2 squared");
    c = blocks("DepthToSpace", 2, DIMS(1, 4, 1, 1));
    op_string(&c, "mode", "RCD");
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (DepthToSpace): mode is 'RCD', expected DCR or CRD");
    c = blocks("SpaceToDepth", 2, DIMS(1, 1, 2, 3));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (SpaceToDepth): 2x3 pixels do not divide by blocksize 2");
    c = blocks("SpaceToDepth", 0, DIMS(1, 1, 2, 3));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (SpaceToDepth): blocksize is 0, expected 1 to 32768");
    c = blocks("SpaceToDepth", 2, DIMS(2, 4));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (SpaceToDepth): input has rank 2, expected 4");
}

static op_case concat(int64_t axis)
{
    op_case c = op_new("Concat", 13, 1);
    op_int(&c, "axis", axis);
    return c;
}

static void test_ops_transpose_concat__concat(void **state)
{
    op_case c = concat(-1);
    op_iota(&c, DIMS(2, 2));
    op_iota(&c, DIMS(2, 0));
    op_iota(&c, DIMS(2, 3));
    op_expect_i32(&c, DIMS(2, 5), 0, 1, 0, 1, 2, 2, 3, 3, 4, 5);
    c = concat(0);
    op_iota(&c, DIMS(1, 2));
    op_iota(&c, DIMS(2, 2));
    op_expect_i32(&c, DIMS(3, 2), 0, 1, 0, 1, 2, 3);
}

static void test_ops_transpose_concat__concat_refuses(void **state)
{
    op_case c = concat(0);
    op_iota(&c, DIMS(1, 2));
    op_iota(&c, DIMS(2, 3));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Concat): input 1 is int32 2x3, input 0 is int32 1x2: only axis 0 "
                    "may differ");
    c = concat(0);
    op_iota(&c, DIMS(2));
    op_input(&c, BSR_F32, DIMS(2), NULL);
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Concat): input 1 is float32 2, input 0 is int32 2: only axis 0 may "
                    "differ");
    c = concat(1);
    op_iota(&c, DIMS(2));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Concat): axis is 1, expected -1 to 0 for rank 1");
    c = op_new("Concat", 13, 1);
    op_iota(&c, DIMS(2));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Concat): attribute axis is missing");
}

static void test_ops_transpose_concat__split_equal(void **state)
{
    op_case c = op_new("Split", 13, 2);
    op_iota(&c, DIMS(2, 4));
    op_int(&c, "axis", -1);
    op_run(&c);
    op_check_ints(&c, 0, BSR_I32, DIMS(2, 2), (const int64_t[]){0, 1, 4, 5});
    op_check_ints(&c, 1, BSR_I32, DIMS(2, 2), (const int64_t[]){2, 3, 6, 7});
    op_free(&c);
    c = op_new("Split", 13, 3);
    op_iota(&c, DIMS(4));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Split): 4 elements cannot be split into 3 equal parts");
}

static void check_1_0_2(op_case *c)
{
    op_run(c);
    op_check_ints(c, 0, BSR_I32, DIMS(1), (const int64_t[]){0});
    op_check_ints(c, 1, BSR_I32, DIMS(0), NULL);
    op_check_ints(c, 2, BSR_I32, DIMS(2), (const int64_t[]){1, 2});
    op_free(c);
}

static void test_ops_transpose_concat__split_by_list(void **state)
{
    op_case c = op_new("Split", 11, 3);
    op_iota(&c, DIMS(3));
    op_ints(&c, "split", DIMS(1, 0, 2));
    check_1_0_2(&c);
    c = op_new("Split", 13, 3);
    op_iota(&c, DIMS(3));
    op_list(&c, DIMS(1, 0, 2));
    check_1_0_2(&c);
}

/* Opset 18: parts of ceil(5 / 3), the last one smaller. */
static void test_ops_transpose_concat__split_uneven(void **state)
{
    op_case c = op_new("Split", 18, 3);
    op_iota(&c, DIMS(5));
    op_int(&c, "num_outputs", 3);
    bsr_infer ctx = {c.graph, op_node(&c)};
    assert_int_equal(c.op->infer(&ctx), BSR_OK);
    assert_int_equal(op_evaluate(&c, 0), BSR_OK);
    op_check_ints(&c, 1, BSR_I32, DIMS(2), (const int64_t[]){2, 3});
    op_check_ints(&c, 2, BSR_I32, DIMS(1), (const int64_t[]){4});
    op_free(&c);
}

static void test_ops_transpose_concat__split_refuses(void **state)
{
    op_case c = op_new("Split", 13, 2);
    op_iota(&c, DIMS(3));
    op_list(&c, DIMS(1, 1, 1));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Split): split has 3 values, expected 2");
    c = op_new("Split", 13, 2);
    op_iota(&c, DIMS(3));
    op_list(&c, DIMS(1, 1));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Split): split adds up to 2, expected 3");
    c = op_new("Split", 13, 2);
    op_iota(&c, DIMS(3));
    op_list(&c, DIMS(2, INT64_MAX));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Split): split value 1 is 9223372036854775807, 1 of 3 elements are "
                    "left");
    c = op_new("Split", 13, 2);
    op_iota(&c, DIMS(4));
    op_int(&c, "num_outputs", 3);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Split): num_outputs is 3, the node has 2 outputs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_transpose_concat__transpose),
        cmocka_unit_test(test_ops_transpose_concat__every_element_type),
        cmocka_unit_test(test_ops_transpose_concat__transpose_refuses),
        cmocka_unit_test(test_ops_transpose_concat__depth_to_space),
        cmocka_unit_test(test_ops_transpose_concat__depth_to_space_refuses),
        cmocka_unit_test(test_ops_transpose_concat__concat),
        cmocka_unit_test(test_ops_transpose_concat__concat_refuses),
        cmocka_unit_test(test_ops_transpose_concat__split_equal),
        cmocka_unit_test(test_ops_transpose_concat__split_by_list),
        cmocka_unit_test(test_ops_transpose_concat__split_uneven),
        cmocka_unit_test(test_ops_transpose_concat__split_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
