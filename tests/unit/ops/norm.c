/* BatchNormalization and LRN. Expectations marked "torch" and "numpy" are from Debian's
 * python3-torch 1.13 and python3-numpy in float64, on the patterns of op_case.h. */
#include "op_case.h"

#include <math.h>

static void add_parameters(op_case *c)
{
    op_input(c, BSR_F32, DIMS(3), (const float[]){1.5f, -0.5f, 2});
    op_input(c, BSR_F32, DIMS(3), (const float[]){0.25f, 1, -1});
    op_input(c, BSR_F32, DIMS(3), (const float[]){0.5f, -0.25f, 0.125f});
    op_input(c, BSR_F32, DIMS(3), (const float[]){2, 0.5f, 1.25f});
}

/* torch: batch_norm(x, mean, var, scale, bias, False, 0, 1e-3) */
static void test_ops_norm__batch(void **state)
{
    static const float want[] = {
        -1.60569144f, 0.25f,         -0.810395106f, 1.04529633f,    0.646799633f, 1.35320037f,
        0.116999083f, 0.823399817f,  -3.01165668f,  0.117587043f,   -1.67055223f, -3.4586915f,
        0.25f,        -0.810395106f, 1.04529633f,   -0.0150987765f, 1.35320037f,  0.116999083f,
        0.823399817f, 1.52980055f,   0.117587043f,  -1.67055223f,   -3.4586915f,  -0.329447774f};
    op_case c = op_new("BatchNormalization", 9, 1);
    op_pattern(&c, 7, 11, DIMS(2, 3, 2, 2));
    add_parameters(&c);
    op_float(&c, "epsilon", 1e-3f);
    op_float(&c, "momentum", 0.9f);
    op_expect_f32(&c, DIMS(2, 3, 2, 2), want, 0x1p-20f);

    /* The first element of each channel, as 2-D input. */
    c = op_new("BatchNormalization", 15, 1);
    op_input(&c, BSR_F32, DIMS(1, 3), (const float[]){-1.25f, 0.25f, -1});
    add_parameters(&c);
    op_float(&c, "epsilon", 1e-3f);
    op_expect_f32(&c, DIMS(1, 3), (const float[]){-1.60569144f, 0.646799633f, -3.01165668f},
                  0x1p-20f);
}

/* By hand, scale 1, variance + epsilon = 1: s = 1, t = fma(-mean, s, bias), y = fma(x, s, t).
 * With mean 1e8, bias 1: t = -1e8 (1 is lost), so x = 1e8 gives 0, where (x - mean) + bias is 1. */
static void test_ops_norm__batch_folds_mean_first(void **state)
{
    op_case c = op_new("BatchNormalization", 15, 1);
    op_input(&c, BSR_F32, DIMS(1, 1, 1), (const float[]){1e8f});
    op_input(&c, BSR_F32, DIMS(1), (const float[]){1});
    op_input(&c, BSR_F32, DIMS(1), (const float[]){1});
    op_input(&c, BSR_F32, DIMS(1), (const float[]){1e8f});
    op_input(&c, BSR_F32, DIMS(1), (const float[]){1});
    op_float(&c, "epsilon", 0);
    op_expect_f32(&c, DIMS(1, 1, 1), (const float[]){0}, 0);
}

static void test_ops_norm__batch_refusals(void **state)
{
    op_case c = op_new("BatchNormalization", 15, 1);
    op_pattern(&c, 7, 11, DIMS(2, 3, 2));
    add_parameters(&c);
    op_int(&c, "training_mode", 1);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (BatchNormalization): training_mode is 1, supported is 0");

    c = op_new("BatchNormalization", 7, 1);
    op_pattern(&c, 7, 11, DIMS(2, 3, 2));
    add_parameters(&c);
    op_int(&c, "spatial", 0);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (BatchNormalization): spatial is 0, supported is 1");

    c = op_new("BatchNormalization", 9, 3);
    op_pattern(&c, 7, 11, DIMS(2, 3, 2));
    add_parameters(&c);
    op_expect_error(&c, BSR_EUNSUPPORTED,
                    "node 'n' (BatchNormalization): output 1 exists in training only, supported "
                    "is inference");

    c = op_new("BatchNormalization", 9, 1);
    op_pattern(&c, 7, 11, DIMS(2, 4, 2));
    add_parameters(&c);
    op_expect_error(
        &c, BSR_EFORMAT,
        "node 'n' (BatchNormalization): scale is 3, expected one value for each of 4 channels");
}

/* torch: local_response_norm(x, 5, 0.02, 0.75, 1.5) */
static void test_ops_norm__lrn_odd(void **state)
{
    static const float want[] = {-0.918791613f, 0.367151381f,  -0.366786963f, 0.917878453f,
                                 0.183030326f,  -0.550112205f, 0.734393986f,  0,
                                 -0.734759144f, 0.552099202f};
    op_case c = op_new("LRN", 13, 1);
    op_pattern(&c, 7, 11, DIMS(1, 5, 1, 2));
    op_int(&c, "size", 5);
    op_float(&c, "alpha", 0.02f);
    op_float(&c, "bias", 1.5f);
    op_expect_f32(&c, DIMS(1, 5, 1, 2), want, 0x1p-23f);
}

/* numpy: the ONNX text's window c - floor((size - 1) / 2) .. c + ceil((size - 1) / 2), size 4 */
static void test_ops_norm__lrn_even(void **state)
{
    static const float want[] = {-0.917935463f, 0.366718728f,  -0.366264588f, 0.916796821f,
                                 0.183387794f,  -0.549652105f, 0.734006469f,  0,
                                 -0.734120395f, 0.552564099f};
    op_case c = op_new("LRN", 13, 1);
    op_pattern(&c, 7, 11, DIMS(1, 5, 1, 2));
    op_int(&c, "size", 4);
    op_float(&c, "alpha", 0.02f);
    op_float(&c, "bias", 1.5f);
    op_expect_f32(&c, DIMS(1, 5, 1, 2), want, 0x1p-23f);
}

static void test_ops_norm__lrn_refusals(void **state)
{
    op_case c = op_new("LRN", 13, 1);
    op_pattern(&c, 7, 11, DIMS(1, 5, 1, 2));
    op_expect_error(&c, BSR_EFORMAT, "node 'n' (LRN): size is 0, expected at least 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_norm__batch),
        cmocka_unit_test(test_ops_norm__batch_folds_mean_first),
        cmocka_unit_test(test_ops_norm__batch_refusals),
        cmocka_unit_test(test_ops_norm__lrn_odd),
        cmocka_unit_test(test_ops_norm__lrn_even),
        cmocka_unit_test(test_ops_norm__lrn_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
