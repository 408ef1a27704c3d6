#include "op_case.h"

/* A node to read attributes from; named "n", type Conv. */
static op_case conv(void)
{
    return op_new("Conv", 13, 1);
}

typedef struct expected {
    int64_t out[3], pad_begin[3], pad_end[3];
} expected;

static void expect(op_case *c, int rank, const int64_t *in, const int64_t *kernel_dims,
                   const expected *want)
{
    bsr_window w;
    if (bsr_window_resolve(&w, op_node(c), rank, in, kernel_dims) != BSR_OK)
        fail_msg("%s", bsr_error_message());
    assert_int_equal(w.rank, rank);
    for (int d = 0; d < rank; d++) {
        assert_int_equal(w.in[d], in[d]);
        assert_int_equal(w.out[d], want->out[d]);
        assert_int_equal(w.pad_begin[d], want->pad_begin[d]);
        assert_int_equal(w.pad_end[d], want->pad_end[d]);
    }
    op_free(c);
}

static void expect_fail(op_case *c, int rank, const int64_t *in, const int64_t *kernel_dims,
                        bsr_status status, const char *message)
{
    bsr_window w;
    assert_int_equal(bsr_window_resolve(&w, op_node(c), rank, in, kernel_dims), status);
    assert_string_equal(bsr_error_message(), message);
    op_free(c);
}

/* out = floor((in + pads - dilation (k - 1) - 1) / stride) + 1, by hand. */
static void test_ops_window__explicit_pads(void **state)
{
    op_case c = conv();
    expect(&c, DIMS(5, 7), (int64_t[]){3, 2}, &(expected){.out = {3, 6}});

    c = conv();
    op_ints(&c, "kernel_shape", DIMS(3, 3));
    op_ints(&c, "pads", DIMS(1, 0, 2, 1));
    op_ints(&c, "strides", DIMS(2, 3));
    op_ints(&c, "dilations", DIMS(1, 2));
    expect(&c, DIMS(32, 32), (int64_t[]){3, 3},
           &(expected){.out = {17, 10}, .pad_begin = {1, 0}, .pad_end = {2, 1}});

    c = conv();
    op_ints(&c, "kernel_shape", DIMS(7));
    op_ints(&c, "strides", DIMS(2));
    op_ints(&c, "pads", DIMS(3, 3));
    expect(&c, DIMS(224), NULL, &(expected){.out = {112}, .pad_begin = {3}, .pad_end = {3}});

    c = conv();
    expect(&c, DIMS(4, 5, 6), (int64_t[]){2, 2, 2}, &(expected){.out = {3, 4, 5}});
}

/* The ONNX text: SAME gives ceil(in / stride); total padding (out - 1) stride + span - in, the odd
 * element at the end (upper) or the begin (lower). */
static void test_ops_window__auto_pad(void **state)
{
    op_case c = conv();
    op_string(&c, "auto_pad", "SAME_UPPER");
    op_ints(&c, "strides", DIMS(2, 1));
    expect(&c, DIMS(5, 6), (int64_t[]){2, 4},
           &(expected){.out = {3, 6}, .pad_begin = {0, 1}, .pad_end = {1, 2}});

    c = conv();
    op_string(&c, "auto_pad", "SAME_LOWER");
    op_ints(&c, "strides", DIMS(2, 1));
    expect(&c, DIMS(5, 6), (int64_t[]){2, 4},
           &(expected){.out = {3, 6}, .pad_begin = {1, 2}, .pad_end = {0, 1}});

    c = conv(); /* windows shorter than the stride need no padding */
    op_string(&c, "auto_pad", "SAME_UPPER");
    op_ints(&c, "strides", DIMS(3));
    expect(&c, DIMS(7), (int64_t[]){1}, &(expected){.out = {3}});

    c = conv();
    op_string(&c, "auto_pad", "SAME_UPPER");
    op_ints(&c, "dilations", DIMS(2));
    expect(&c, DIMS(8), (int64_t[]){3}, &(expected){.out = {8}, .pad_begin = {2}, .pad_end = {2}});

    c = conv();
    op_string(&c, "auto_pad", "VALID");
    op_ints(&c, "pads", DIMS(0, 0));
    expect(&c, DIMS(8), (int64_t[]){3}, &(expected){.out = {6}});
}

/* torch.nn.functional.max_pool1d(torch.zeros(1, 1, n), k, s, p, d, ceil_mode=True).shape, PyTorch
 * 1.13; without its rule the second, fourth would have one window more, in the end padding. */
static void test_ops_window__ceil_mode(void **state)
{
    static const struct {
        int64_t in, kernel, stride, pad, dilation, out;
    } cases[] = {
        {4, 3, 2, 0, 1, 2}, {5, 2, 4, 1, 1, 2}, {6, 3, 2, 1, 1, 4},
        {7, 2, 2, 1, 1, 4}, {9, 2, 3, 0, 2, 3}, {3, 2, 3, 1, 1, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        op_case c = conv();
        int64_t pads[2] = {cases[i].pad, cases[i].pad};
        op_ints(&c, "kernel_shape", 1, &cases[i].kernel);
        op_ints(&c, "strides", 1, &cases[i].stride);
        op_ints(&c, "dilations", 1, &cases[i].dilation);
        op_ints(&c, "pads", 2, pads);
        op_int(&c, "ceil_mode", 1);
        expect(&c, 1, &cases[i].in, NULL,
               &(expected){.out = {cases[i].out}, .pad_begin = {pads[0]}, .pad_end = {pads[1]}});
    }
}

static void test_ops_window__list_errors(void **state)
{
    static const int64_t in[2] = {8, 8}, kernel[2] = {3, 3};
    op_case c = conv();
    op_ints(&c, "pads", DIMS(1, 1, 1));
    expect_fail(&c, 2, in, kernel, BSR_EFORMAT, "node 'n' (Conv): pads has 3 values, expected 4");
    c = conv();
    op_ints(&c, "strides", DIMS(1));
    expect_fail(&c, 2, in, kernel, BSR_EFORMAT,
                "node 'n' (Conv): strides has 1 values, expected 2");
    c = conv();
    op_ints(&c, "strides", DIMS(1, 0));
    expect_fail(&c, 2, in, kernel, BSR_EFORMAT,
                "node 'n' (Conv): strides[1] is 0, expected 1 to 2147483648");
    c = conv();
    op_ints(&c, "pads", DIMS(0, 0, -1, 0));
    expect_fail(&c, 2, in, kernel, BSR_EFORMAT,
                "node 'n' (Conv): pads[2] is -1, expected 0 to 2147483648");
    c = conv();
    op_ints(&c, "dilations", DIMS(INT64_MAX, 1));
    expect_fail(&c, 2, in, kernel, BSR_EFORMAT,
                "node 'n' (Conv): dilations[0] is 9223372036854775807, expected 1 to 2147483648");
}

static void test_ops_window__errors(void **state)
{
    static const int64_t in[2] = {8, 8}, kernel[2] = {3, 3};
    op_case c = conv();
    expect_fail(&c, 2, in, NULL, BSR_EFORMAT,
                "node 'n' (Conv): attribute 'kernel_shape' is missing");
    c = conv();
    op_ints(&c, "kernel_shape", DIMS(3, 5));
    expect_fail(&c, 2, in, kernel, BSR_EFORMAT,
                "node 'n' (Conv): kernel_shape is 3x5, the weight has 3x3");
    c = conv();
    expect_fail(&c, 2, in, (int64_t[]){3, 0}, BSR_EFORMAT,
                "node 'n' (Conv): the weight has spatial dimensions 3x0");
    c = conv();
    op_string(&c, "auto_pad", "SAME");
    expect_fail(&c, 2, in, kernel, BSR_EFORMAT,
                "node 'n' (Conv): auto_pad is 'SAME', expected NOTSET, SAME_UPPER, SAME_LOWER or "
                "VALID");
    c = conv();
    op_string(&c, "auto_pad", "VALID");
    op_ints(&c, "pads", DIMS(0, 0, 0, 1));
    expect_fail(&c, 2, in, kernel, BSR_EFORMAT,
                "node 'n' (Conv): pads and auto_pad VALID are both given");
    c = conv();
    op_ints(&c, "dilations", DIMS(1, 5));
    expect_fail(&c, 2, in, kernel, BSR_EFORMAT,
                "node 'n' (Conv): window spans 11 elements of spatial dimension 1, the padded "
                "input has 8");
    c = conv();
    expect_fail(&c, 4, (int64_t[]){8, 8, 8, 8}, kernel, BSR_EUNSUPPORTED,
                "node 'n' (Conv): has 4 spatial dimensions, expected 1 to 3");
    c = conv();
    expect_fail(&c, 0, in, kernel, BSR_EUNSUPPORTED,
                "node 'n' (Conv): has 0 spatial dimensions, expected 1 to 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_window__explicit_pads),
        cmocka_unit_test(test_ops_window__auto_pad),
        cmocka_unit_test(test_ops_window__ceil_mode),
        cmocka_unit_test(test_ops_window__list_errors),
        cmocka_unit_test(test_ops_window__errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
