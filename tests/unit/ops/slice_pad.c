/* Slice and Pad. Expected values from numpy 1.24: basic indexing of arange(24).reshape(2, 3, 4) and
 * numpy.pad. */
#include "shape_case.h"

/* Slice of 0..23 as 2x3x4; the lists of one length. */
static op_case slice(int n, const int64_t *starts, const int64_t *ends, const int64_t *axes,
                     const int64_t *steps)
{
    op_case c = op_new("Slice", 13, 1);
    op_iota(&c, DIMS(2, 3, 4));
    op_list(&c, n, starts);
    op_list(&c, n, ends);
    op_list(&c, n, axes);
    op_list(&c, n, steps);
    return c;
}

#define LIST(...)                                                                                  \
    (const int64_t[])                                                                              \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static void test_ops_slice_pad__slice_steps(void **state)
{
    /* x[:, 2:0:-1, 1:100:2] */
    op_case c = slice(2, LIST(2, 1), LIST(0, 100), LIST(1, -1), LIST(-1, 2));
    op_expect_i32(&c, DIMS(2, 2, 2), 9, 11, 5, 7, 21, 23, 17, 19);
    /* x[-1:, ::-2, -3:-1] */
    c = slice(3, LIST(-1, INT64_MAX, -3), LIST(INT64_MAX, INT64_MIN, -1), LIST(0, 1, 2),
              LIST(1, -2, 1));
    op_expect_i32(&c, DIMS(1, 2, 2), 21, 22, 13, 14);
}

static void test_ops_slice_pad__slice_clamps(void **state)
{
    op_case c = slice(1, LIST(INT64_MIN), LIST(INT64_MAX), LIST(0), LIST(INT64_MAX));
    op_expect_i32(&c, DIMS(1, 3, 4), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    c = slice(1, LIST(7), LIST(-9), LIST(0), LIST(INT64_MIN));
    op_expect_i32(&c, DIMS(1, 3, 4), 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
    c = slice(1, LIST(2), LIST(1), LIST(1), LIST(1));
    op_expect_i32(&c, DIMS(2, 0, 4), 0);
    c = slice(1, LIST(100), LIST(200), LIST(2), LIST(1));
    op_expect_i32(&c, DIMS(2, 3, 0), 0);
    /* An empty axis backwards: no first element to clamp to. */
    c = op_new("Slice", 13, 1);
    op_iota(&c, DIMS(0));
    op_list(&c, DIMS(-1));
    op_list(&c, DIMS(-5));
    op_no_input(&c);
    op_list(&c, DIMS(-1));
    op_expect_i32(&c, DIMS(0), 0);
}

static void test_ops_slice_pad__slice_attributes_before_opset_10(void **state)
{
    op_case c = op_new("Slice", 9, 1);
    op_iota(&c, DIMS(2, 3, 4));
    op_ints(&c, "starts", DIMS(1, -2));
    op_ints(&c, "ends", DIMS(2, 3));
    op_ints(&c, "axes", DIMS(0, 2));
    op_expect_i32(&c, DIMS(1, 3, 1), 14, 18, 22);
    c = op_new("Slice", 9, 1);
    op_iota(&c, DIMS(2, 3));
    op_ints(&c, "starts", DIMS(1));
    op_ints(&c, "ends", DIMS(9));
    op_expect_i32(&c, DIMS(1, 3), 3, 4, 5);
}

static void test_ops_slice_pad__slice_int32_lists(void **state)
{
    op_case c = op_new("Slice", 10, 1);
    op_iota(&c, DIMS(4));
    op_input(&c, BSR_I32, DIMS(1), (const int32_t[]){-3});
    op_input(&c, BSR_I32, DIMS(1), (const int32_t[]){INT32_MAX});
    op_expect_i32(&c, DIMS(3), 1, 2, 3);
}

static void test_ops_slice_pad__slice_refuses(void **state)
{
    op_case c = slice(1, LIST(0), LIST(1), LIST(3), LIST(1));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Slice): axis is 3, expected -3 to 2 for rank 3");
    c = slice(1, LIST(0), LIST(1), LIST(1), LIST(0));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Slice): step of axis 1 is 0");
    c = slice(2, LIST(0, 0), LIST(1, 1), LIST(1, -2), LIST(1, 1));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Slice): axis 1 is given twice");
    c = slice(1, LIST(0), LIST(1), LIST(1), LIST(1));
    op_not_constant(&c, 2);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (Slice): ends depends on the network's input, expected a constant");
    c = op_new("Slice", 13, 1);
    op_iota(&c, DIMS(4));
    op_list(&c, DIMS(0, 0));
    op_list(&c, DIMS(1, 1));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Slice): starts, ends, axes, steps have 2, 2, 0, 0 values for rank "
                    "1");
    c = op_new("Slice", 13, 1);
    op_iota(&c, DIMS(4));
    op_list(&c, DIMS(0));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Slice): ends is missing");
}

static op_case pad(const char *mode, int rank, const int64_t *dims, const int64_t *pads)
{
    op_case c = op_new("Pad", 13, 1);
    op_iota(&c, rank, dims);
    op_list(&c, 2 * rank, pads);
    op_string(&c, "mode", mode);
    return c;
}

static void test_ops_slice_pad__pad_constant(void **state)
{
    op_case c = pad("constant", DIMS(2, 3), LIST(1, 2, 0, 1));
    op_input(&c, BSR_I32, SCALAR, (const int32_t[]){9});
    op_expect_i32(&c, DIMS(3, 6), 9, 9, 9, 9, 9, 9, 9, 9, 0, 1, 2, 9, 9, 9, 3, 4, 5, 9);
    c = pad("constant", DIMS(2), LIST(1, 0));
    op_expect_i32(&c, DIMS(3), 0, 0, 1);
    /* Nothing left of the input: only padding. */
    c = pad("constant", DIMS(2), LIST(-2, 1));
    op_input(&c, BSR_I32, DIMS(1), (const int32_t[]){7});
    op_expect_i32(&c, DIMS(1), 7);
    c = pad("constant", DIMS(0), LIST(1, 1));
    op_expect_i32(&c, DIMS(2), 0, 0);
}

static void test_ops_slice_pad__pad_value_attribute_before_opset_11(void **state)
{
    op_case c = op_new("Pad", 7, 1);
    op_input(&c, BSR_F32, DIMS(2), (const float[]){1, 2});
    op_ints(&c, "pads", DIMS(1, 2));
    op_float(&c, "value", -0.5f);
    op_expect_f32(&c, DIMS(5), (const float[]){-0.5f, 1, 2, -0.5f, -0.5f}, 0);
    c = op_new("Pad", 10, 1);
    op_iota(&c, DIMS(2));
    op_ints(&c, "pads", DIMS(1, 2));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Pad): input is int32, expected float32 or float64 before opset 11");
}

static void test_ops_slice_pad__pad_reflect(void **state)
{
    op_case c = pad("reflect", DIMS(2, 3), LIST(1, 2, 0, 2));
    op_expect_i32(&c, DIMS(3, 7), 5, 4, 3, 4, 5, 4, 3, 2, 1, 0, 1, 2, 1, 0, 5, 4, 3, 4, 5, 4, 3);
    c = pad("reflect", DIMS(3), LIST(5, 4));
    op_expect_i32(&c, DIMS(12), 1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2);
    c = pad("reflect", DIMS(1), LIST(2, 1));
    op_expect_i32(&c, DIMS(4), 0, 0, 0, 0);
}

static void test_ops_slice_pad__pad_edge(void **state)
{
    op_case c = pad("edge", DIMS(2, 3), LIST(1, 2, 2, 1));
    op_expect_i32(&c, DIMS(5, 6), 0, 0, 0, 1, 2, 2, 0, 0, 0, 1, 2, 2, 3, 3, 3, 4, 5, 5, 3, 3, 3, 4,
                  5, 5, 3, 3, 3, 4, 5, 5);
}

/* numpy.pad of arange(12).reshape(3, 4)[1:, :3] with ((0, 1), (1, 0)). */
static void test_ops_slice_pad__negative_pads_crop_first(void **state)
{
    op_case c = pad("constant", DIMS(3, 4), LIST(-1, 1, 1, -1));
    op_expect_i32(&c, DIMS(3, 4), 0, 4, 5, 6, 0, 8, 9, 10, 0, 0, 0, 0);
    c = pad("reflect", DIMS(3, 4), LIST(-1, 1, 1, -1));
    op_expect_i32(&c, DIMS(3, 4), 5, 4, 5, 6, 9, 8, 9, 10, 5, 4, 5, 6);
}

/* By hand, the periodic continuation: numpy before 1.25 restarts it in pads longer than the input.
 */
static void test_ops_slice_pad__pad_wrap_and_axes(void **state)
{
    op_case c = pad("wrap", DIMS(2, 3), LIST(1, 2, 1, 4));
    c.graph->opset = 19;
    op_expect_unchecked(&c, DIMS(4, 9),
                        LIST(4, 5, 3, 4, 5, 3, 4, 5, 3, 1, 2, 0, 1, 2, 0, 1, 2, 0, 4, 5, 3, 4, 5, 3,
                             4, 5, 3, 1, 2, 0, 1, 2, 0, 1, 2, 0));
    c = op_new("Pad", 18, 1);
    op_iota(&c, DIMS(2, 2));
    op_list(&c, DIMS(1, 0));
    op_no_input(&c);
    op_list(&c, DIMS(-1));
    op_expect_unchecked(&c, DIMS(2, 3), LIST(0, 0, 1, 0, 2, 3));
    c = pad("wrap", DIMS(2), LIST(1, 1));
    op_expect_error(&c, BSR_EUNSUPPORTED, "node 'n' (Pad): mode is 'wrap' in opset 13");
}

static void test_ops_slice_pad__pad_refuses(void **state)
{
    op_case c = pad("mirror", DIMS(2), LIST(1, 1));
    op_expect_error(&c, BSR_EUNSUPPORTED, "node 'n' (Pad): mode is 'mirror' in opset 13");
    c = pad("constant", DIMS(2), LIST(-3, 0));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Pad): pads of axis 0 are -3 and 0 for 2 elements");
    c = pad("constant", DIMS(3), LIST(-2, -2));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Pad): pads of axis 0 are -2 and -2 and remove more than its 3 "
                    "elements");
    c = pad("edge", DIMS(2), LIST(-2, 1));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Pad): axis 0 is empty, only mode constant can extend it");
    c = pad("constant", DIMS(2), LIST(INT64_MAX, 0));
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Pad): pads of axis 0 are 9223372036854775807 and 0 for 2 elements");
    c = pad("constant", DIMS(2), LIST(1, 1));
    op_input(&c, BSR_F32, SCALAR, NULL);
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Pad): constant_value is float32 scalar, expected one int32");
    c = op_new("Pad", 13, 1);
    op_iota(&c, DIMS(2));
    op_list(&c, DIMS(1));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Pad): pads has 1 values, expected 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_slice_pad__slice_steps),
        cmocka_unit_test(test_ops_slice_pad__slice_clamps),
        cmocka_unit_test(test_ops_slice_pad__slice_attributes_before_opset_10),
        cmocka_unit_test(test_ops_slice_pad__slice_int32_lists),
        cmocka_unit_test(test_ops_slice_pad__slice_refuses),
        cmocka_unit_test(test_ops_slice_pad__pad_constant),
        cmocka_unit_test(test_ops_slice_pad__pad_value_attribute_before_opset_11),
        cmocka_unit_test(test_ops_slice_pad__pad_reflect),
        cmocka_unit_test(test_ops_slice_pad__pad_edge),
        cmocka_unit_test(test_ops_slice_pad__negative_pads_crop_first),
        cmocka_unit_test(test_ops_slice_pad__pad_wrap_and_axes),
        cmocka_unit_test(test_ops_slice_pad__pad_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
