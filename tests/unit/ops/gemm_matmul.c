/* Gemm and MatMul. Expectations marked "torch" are from torch 1.13 (Debian python3-torch) on the
 * patterns of op_case.h; they are exact. */
#include "op_case.h"

/* torch: a @ b + c */
static void test_ops_gemm_matmul__gemm(void **state)
{
    op_case c = op_new("Gemm", 13, 1);
    op_pattern(&c, 7, 11, DIMS(3, 4));
    op_pattern(&c, 5, 13, DIMS(4, 2));
    op_pattern(&c, 3, 7, DIMS(2));
    op_expect_f32(&c, DIMS(3, 2), (const float[]){0.875f, 0, -1.625f, 2.1875f, 2.0625f, -1.8125f},
                  0);
}

/* torch: 0.5 * (a.T @ b.T) + 2 * c with c of shape 3x1 */
static void test_ops_gemm_matmul__gemm_attributes(void **state)
{
    op_case c = op_new("Gemm", 7, 1);
    op_pattern(&c, 7, 11, DIMS(4, 3));
    op_pattern(&c, 5, 13, DIMS(2, 4));
    op_pattern(&c, 3, 7, DIMS(3, 1));
    op_int(&c, "transA", 1);
    op_int(&c, "transB", 1);
    op_float(&c, "alpha", 0.5f);
    op_float(&c, "beta", 2);
    op_expect_f32(&c, DIMS(3, 2),
                  (const float[]){-0.59375f, -0.6875f, -0.28125f, 0.15625f, 2.09375f, 0.65625f}, 0);
}

/* By hand. 1e8 + 1 is 1e8: starting at c = 1 the chain 1, +1e8, -1e8 ends at 0; with beta != 1 it
 * starts at 0, and c comes last. */
static void test_ops_gemm_matmul__gemm_order(void **state)
{
    for (int scaled = 0; scaled < 2; scaled++) {
        op_case c = op_new("Gemm", 13, 1);
        op_input(&c, BSR_F32, DIMS(1, 2), (const float[]){1e8f, -1e8f});
        op_input(&c, BSR_F32, DIMS(2, 1), (const float[]){1, 1});
        op_input(&c, BSR_F32, SCALAR, (const float[]){1});
        op_float(&c, "beta", scaled ? 3 : 1);
        op_expect_f32(&c, DIMS(1, 1), (const float[]){scaled ? 3 : 0}, 0);
    }
    /* alpha != 1 without C: alpha * sum */
    op_case c = op_new("Gemm", 13, 1);
    op_input(&c, BSR_F32, DIMS(1, 2), (const float[]){1, 2});
    op_input(&c, BSR_F32, DIMS(2, 1), (const float[]){3, 4});
    op_float(&c, "alpha", -2);
    op_expect_f32(&c, DIMS(1, 1), (const float[]){-22}, 0);
}

static void test_ops_gemm_matmul__gemm_refusals(void **state)
{
    op_case c = op_new("Gemm", 13, 1);
    op_input(&c, BSR_F32, DIMS(3, 4), NULL);
    op_input(&c, BSR_F32, DIMS(5, 2), NULL);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Gemm): A has 4 columns, B has 5 rows");

    c = op_new("Gemm", 13, 1);
    op_input(&c, BSR_F32, DIMS(3, 4), NULL);
    op_input(&c, BSR_F32, DIMS(4, 2), NULL);
    op_input(&c, BSR_F32, DIMS(3), NULL);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (Gemm): C is 3, which does not broadcast to 3x2");

    c = op_new("Gemm", 13, 1);
    op_input(&c, BSR_F32, DIMS(1, 3, 4), NULL);
    op_input(&c, BSR_F32, DIMS(4, 2), NULL);
    op_expect_error(&c, BSR_EFORMAT,
                    "node 'n' (Gemm): A has 3 and B has 2 dimensions, expected 2 and 2");
}

/* torch: a @ b with batches 2x1 and 3 */
static void test_ops_gemm_matmul__batch_broadcast(void **state)
{
    static const float want[] = {2.25f,   -0.9375f, -1.8125f, -1.6875f, -0.625f, -0.5625f,
                                 -1.875f, 1.5f,     -0.25f,   2.25f,    1.3125f, -1.8125f,
                                 -1.75f,  -1.75f,   -1.6875f, -1.8125f, -1.75f,  1.5f,
                                 -1.625f, 1.5f,     1.5f,     -1.75f,   1.6875f, -1.6875f};
    op_case c = op_new("MatMul", 13, 1);
    op_pattern(&c, 7, 11, DIMS(2, 1, 2, 3));
    op_pattern(&c, 5, 13, DIMS(3, 3, 2));
    op_expect_f32(&c, DIMS(2, 3, 2, 2), want, 0);
}

/* torch: vector @ batch, batch @ vector; vector @ vector by hand */
static void test_ops_gemm_matmul__vectors(void **state)
{
    op_case c = op_new("MatMul", 13, 1);
    op_pattern(&c, 7, 11, DIMS(3));
    op_pattern(&c, 5, 13, DIMS(2, 3, 2));
    op_expect_f32(&c, DIMS(2, 2), (const float[]){2.25f, -0.9375f, -0.625f, -0.5625f}, 0);

    c = op_new("MatMul", 13, 1);
    op_pattern(&c, 5, 13, DIMS(2, 2, 3));
    op_pattern(&c, 7, 11, DIMS(3));
    op_expect_f32(&c, DIMS(2, 2), (const float[]){1.25f, 0.625f, 1.625f, 1}, 0);

    c = op_new("MatMul", 13, 1);
    op_input(&c, BSR_F32, DIMS(2), (const float[]){1, 2});
    op_input(&c, BSR_F32, DIMS(2), (const float[]){3, 4});
    op_expect_f32(&c, SCALAR, (const float[]){11}, 0);
}

static void test_ops_gemm_matmul__matmul_refusals(void **state)
{
    op_case c = op_new("MatMul", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 3), NULL);
    op_input(&c, BSR_F32, DIMS(2, 3), NULL);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (MatMul): shapes 2x3 and 2x3 do not multiply");

    c = op_new("MatMul", 13, 1);
    op_input(&c, BSR_F32, DIMS(2, 2, 3), NULL);
    op_input(&c, BSR_F32, DIMS(4, 3, 3), NULL);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (MatMul): shapes 2x2x3 and 4x3x3 do not multiply");

    c = op_new("MatMul", 13, 1);
    op_input(&c, BSR_F32, SCALAR, NULL);
    op_input(&c, BSR_F32, DIMS(3), NULL);
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (MatMul): shapes scalar and 3 do not multiply");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_gemm_matmul__gemm),
        cmocka_unit_test(test_ops_gemm_matmul__gemm_attributes),
        cmocka_unit_test(test_ops_gemm_matmul__gemm_order),
        cmocka_unit_test(test_ops_gemm_matmul__gemm_refusals),
        cmocka_unit_test(test_ops_gemm_matmul__batch_broadcast),
        cmocka_unit_test(test_ops_gemm_matmul__vectors),
        cmocka_unit_test(test_ops_gemm_matmul__matmul_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
