#include "op_case.h"

/* An Op row that no family has, so that nothing but the check is under test. */
static const bsr_op row = {"Op", 1, 3, 2, "axis:i axes:I mode:s alpha:f", NULL, NULL, NULL};

static op_case new_case(int n_in, int n_out)
{
    op_case c = op_new("Relu", 13, n_out);
    for (int i = 0; i < n_in; i++)
        op_input(&c, BSR_F32, DIMS(1), NULL);
    return c;
}

/* Checks against the row and frees the case; message NULL: it must pass. */
static void expect(op_case *c, int64_t opset, bsr_status status, const char *message)
{
    assert_int_equal(bsr_op_check(op_node(c), &row, opset), status);
    if (message)
        assert_string_equal(bsr_error_message(), message);
    op_free(c);
}

static void test_ops_check__accepts(void **state)
{
    op_case c = new_case(3, 2);
    op_int(&c, "axis", 1);
    op_ints(&c, "axes", DIMS(1, 2));
    op_string(&c, "mode", "x");
    op_float(&c, "alpha", 0.5f);
    expect(&c, 13, BSR_OK, NULL);

    c = new_case(1, 1);
    op_no_input(&c);
    op_no_input(&c);
    expect(&c, 17, BSR_OK, NULL);
}

static void test_ops_check__inputs(void **state)
{
    op_case c = new_case(0, 1);
    expect(&c, 13, BSR_EFORMAT, "node 'n' (Relu): has 0 inputs, expected at least 1");
    c = new_case(4, 1);
    expect(&c, 13, BSR_EFORMAT, "node 'n' (Relu): has 4 inputs, expected at most 3");
    c = new_case(0, 1);
    op_no_input(&c);
    expect(&c, 13, BSR_EFORMAT, "node 'n' (Relu): input 0 is missing");
}

/* A variadic operator has no optional inputs. */
static void test_ops_check__variadic(void **state)
{
    static const bsr_op variadic = {"Op", 1, -1, 1, "", NULL, NULL, NULL};
    op_case c = new_case(5, 1);
    assert_int_equal(bsr_op_check(op_node(&c), &variadic, 13), BSR_OK);
    op_no_input(&c);
    assert_int_equal(bsr_op_check(op_node(&c), &variadic, 13), BSR_EFORMAT);
    assert_string_equal(bsr_error_message(), "node 'n' (Relu): input 5 is missing");
    op_free(&c);
}

static void test_ops_check__outputs(void **state)
{
    op_case c = new_case(1, 3);
    expect(&c, 13, BSR_EUNSUPPORTED, "node 'n' (Relu): output 2 is not supported");
    c = new_case(1, 3);
    op_node(&c)->out[2] = -1;
    expect(&c, 13, BSR_OK, NULL);
    c = new_case(1, 2);
    op_node(&c)->out[0] = -1;
    expect(&c, 13, BSR_EFORMAT, "node 'n' (Relu): output 0 is missing");
    c = new_case(1, 0);
    expect(&c, 13, BSR_EFORMAT, "node 'n' (Relu): output 0 is missing");
}

static void test_ops_check__attributes(void **state)
{
    op_case c = new_case(1, 1);
    op_int(&c, "axi", 1);
    expect(&c, 13, BSR_EUNSUPPORTED, "node 'n' (Relu): attribute 'axi' is not supported");
    c = new_case(1, 1);
    op_int(&c, "xis", 1);
    expect(&c, 13, BSR_EUNSUPPORTED, "node 'n' (Relu): attribute 'xis' is not supported");
    c = new_case(1, 1);
    op_float(&c, "axis", 1.0f);
    expect(&c, 13, BSR_EFORMAT, "node 'n' (Relu): attribute 'axis' is FLOAT, expected INT");
    c = new_case(1, 1);
    op_int(&c, "axes", 1);
    expect(&c, 13, BSR_EFORMAT, "node 'n' (Relu): attribute 'axes' is INT, expected INTS");
    c = new_case(1, 1);
    op_int(&c, "axis", 1);
    op_int(&c, "axis", 2);
    expect(&c, 13, BSR_EFORMAT, "node 'n' (Relu): attribute 'axis' is given twice");
}

static void test_ops_check__opset(void **state)
{
    op_case c = new_case(1, 1);
    expect(&c, 6, BSR_EUNSUPPORTED, "node 'n' (Relu): opset is 6, expected 7 to 17");
    c = new_case(1, 1);
    expect(&c, 18, BSR_EUNSUPPORTED, "node 'n' (Relu): opset is 18, expected 7 to 17");
}

/* Every row of the registry is complete, found by its name, and its attribute list well formed. */
static void test_ops_check__registry(void **state)
{
    for (int i = 0; i < bsr_op_count(); i++) {
        const bsr_op *op = bsr_op_at(i);
        assert_ptr_equal(bsr_op_find(op->type), op);
        assert_true(op->infer && op->run && op->max_out >= 1);
        assert_true(op->max_in == -1 || op->max_in >= op->min_in);
        for (const char *at = op->attrs; *at; at += strcspn(at, " "), at += *at == ' ') {
            size_t n = strcspn(at, ":");
            assert_true(n > 0 && at[n] == ':' && strchr("ifsIFSt", at[n + 1]));
            assert_true(at[n + 2] == 0 || (at[n + 2] == ' ' && at[n + 3] != 0));
        }
    }
    assert_true(bsr_op_count() > 60);
    assert_null(bsr_op_at(bsr_op_count()));
    assert_null(bsr_op_at(-1));
    assert_null(bsr_op_find("NoSuchOperator"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_check__accepts),    cmocka_unit_test(test_ops_check__inputs),
        cmocka_unit_test(test_ops_check__variadic),   cmocka_unit_test(test_ops_check__outputs),
        cmocka_unit_test(test_ops_check__attributes), cmocka_unit_test(test_ops_check__opset),
        cmocka_unit_test(test_ops_check__registry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
