/* Gather, GatherElements, Expand, Tile. Expected values from numpy 1.24: take, take_along_axis,
 * broadcast_to, tile. */
#include "shape_case.h"

/* Gather or GatherElements from 0..11 as 3x4. */
static op_case gather(const char *type, int64_t axis, int rank, const int64_t *dims,
                      const int64_t *indices)
{
    op_case c = op_new(type, 13, 1);
    op_iota(&c, DIMS(3, 4));
    op_input(&c, BSR_I64, rank, dims, indices);
    op_int(&c, "axis", axis);
    return c;
}

static void test_ops_gather_expand__gather(void **state)
{
    op_case c = gather("Gather", 0, DIMS(2, 2), (const int64_t[]){2, -1, 0, 1});
    op_expect_i32(&c, DIMS(2, 2, 4), 8, 9, 10, 11, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7);
    c = gather("Gather", -1, DIMS(2), (const int64_t[]){-1, 1});
    op_expect_i32(&c, DIMS(3, 2), 3, 1, 7, 5, 11, 9);
    c = gather("Gather", 0, SCALAR, (const int64_t[]){-2});
    op_expect_i32(&c, DIMS(4), 4, 5, 6, 7);
    c = gather("Gather", 1, DIMS(0), NULL);
    op_expect_i32(&c, DIMS(3, 0), 0);
    c = op_new("Gather", 13, 1);
    op_iota(&c, DIMS(3));
    op_input(&c, BSR_I32, DIMS(1), (const int32_t[]){-3});
    op_expect_i32(&c, DIMS(1), 0);
}

static void test_ops_gather_expand__gather_elements(void **state)
{
    op_case c =
        gather("GatherElements", 0, DIMS(2, 4), (const int64_t[]){2, 0, -1, 1, -3, 1, 0, 0});
    op_expect_i32(&c, DIMS(2, 4), 8, 1, 10, 7, 0, 5, 2, 3);
    c = gather("GatherElements", 1, DIMS(3, 2), (const int64_t[]){3, -4, 0, 1, -1, 2});
    op_expect_i32(&c, DIMS(3, 2), 3, 0, 4, 5, 11, 10);
}

/* Indices may come from the network, so their range is checked when running. */
static void test_ops_gather_expand__index_outside(void **state)
{
    const char *const types[] = {"Gather", "GatherElements"};
    for (int i = 0; i < 2; i++) {
        char message[80];
        op_case c = gather(types[i], 0, DIMS(1, 1), (const int64_t[]){3});
        assert_int_equal(op_infer(&c), BSR_OK);
        assert_int_equal(op_evaluate(&c, 0), BSR_EFORMAT);
        snprintf(message, sizeof message, "node 'n' (%s): index 3 is outside -3 to 2", types[i]);
        assert_string_equal(bsr_error_message(), message);
        op_free(&c);
        c = gather(types[i], 1, DIMS(1, 1), (const int64_t[]){INT64_MIN});
        assert_int_equal(op_infer(&c), BSR_OK);
        assert_int_equal(op_evaluate(&c, 0), BSR_EFORMAT);
        op_free(&c);
    }
}

static void test_ops_gather_expand__gather_refuses(void **state)
{
    op_case c = op_new("Gather", 13, 1);
    op_iota(&c, DIMS(3));
    op_input(&c, BSR_F32, DIMS(1), NULL);
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Gather): indices are float32, expected int64 or int32");
    c = op_new("Gather", 13, 1);
    op_iota(&c, DIMS(1, 1, 1, 1, 1));
    op_input(&c, BSR_I64, DIMS(1, 1, 1, 1, 1), NULL);
    op_expect_error(&c, BSR_ELIMIT, "node 'n' (Gather): the result has rank 9, at most 8");
    c = gather("GatherElements", 0, DIMS(1, 5), NULL);
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (GatherElements): indices are 1x5 for data 3x4 and axis 0");
    c = gather("Gather", 2, DIMS(1), NULL);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Gather): axis is 2, expected -2 to 1 for rank 2");
}

static op_case expand(const char *type, int rank, const int64_t *dims, int n, const int64_t *list)
{
    op_case c = op_new(type, 13, 1);
    op_iota(&c, rank, dims);
    op_list(&c, n, list);
    return c;
}

static void test_ops_gather_expand__expand(void **state)
{
    op_case c = expand("Expand", DIMS(3, 1), DIMS(2, 1, 2));
    op_expect_i32(&c, DIMS(2, 3, 2), 0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2);
    c = expand("Expand", DIMS(2, 2), DIMS(1));
    op_expect_i32(&c, DIMS(2, 2), 0, 1, 2, 3);
    c = expand("Expand", SCALAR, DIMS(2));
    op_expect_i32(&c, DIMS(2), 0, 0);
    c = expand("Expand", DIMS(1), DIMS(0));
    op_expect_i32(&c, DIMS(0), 0);
    c = expand("Expand", DIMS(3, 2), DIMS(2, 2));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Expand): dimension 0 is 3, it cannot become 2");
    c = expand("Expand", DIMS(1), DIMS(INT64_MAX));
    op_expect_error(&c, BSR_ELIMIT,
                    "node 'n' (Expand): output 0 would be 9223372036854775807, more than "
                    "2147483648 elements");
}

static void test_ops_gather_expand__tile(void **state)
{
    op_case c = expand("Tile", DIMS(2, 3), DIMS(2, 2));
    op_expect_i32(&c, DIMS(4, 6), 0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5, 0, 1, 2, 0, 1, 2, 3, 4, 5, 3,
                  4, 5);
    c = expand("Tile", DIMS(2), DIMS(0));
    op_expect_i32(&c, DIMS(0), 0);
    c = expand("Tile", DIMS(2), DIMS(-1));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Tile): repeats value 0 is -1");
    c = expand("Tile", DIMS(2, 2), DIMS(2));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Tile): repeats has 1 values, expected 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_gather_expand__gather),
        cmocka_unit_test(test_ops_gather_expand__gather_elements),
        cmocka_unit_test(test_ops_gather_expand__index_outside),
        cmocka_unit_test(test_ops_gather_expand__gather_refuses),
        cmocka_unit_test(test_ops_gather_expand__expand),
        cmocka_unit_test(test_ops_gather_expand__tile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
