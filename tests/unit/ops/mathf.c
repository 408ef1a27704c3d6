#include "ops/mathf.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Reference values: Python mpmath 1.2 at 300 bits, rounded to nearest. */

typedef struct value_f32 {
    float (*fn)(float x);
    float x, want;
} value_f32;

static const value_f32 values_f32[] = {
    {bsr_expf, 0x1.ad7f2ap-24f, 0x1.000002p+0f},
    {bsr_expf, -0x1.ad7f2ap-24f, 0x1.fffffcp-1f},
    {bsr_expf, 0x1p-1f, 0x1.a61298p+0f},
    {bsr_expf, -0x1p-1f, 0x1.368b3p-1f},
    {bsr_expf, 0x1p+0f, 0x1.5bf0a8p+1f},
    {bsr_expf, -0x1p+0f, 0x1.78b564p-2f},
    {bsr_expf, 0x1.921fb6p+1f, 0x1.72404ap+4f},
    {bsr_expf, 0x1.48p+3f, 0x1.b9ea2ap+14f},
    {bsr_expf, -0x1.48p+4f, 0x1.57a3bp-30f},
    {bsr_expf, 0x1.ep+5f, 0x1.79dbcap+86f},
    {bsr_expf, 0x1.62e148p+6f, 0x1.fe8c9p+127f},
    {bsr_expf, -0x1.5d999ap+6f, 0x1.e085p-127f},
    {bsr_expf, -0x1.9p+6f, 0x1.bp-145f},
    {bsr_expf, -0x1.9f999ap+6f, 0x1p-149f},
    {bsr_logf, 0x1.000002p+0f, 0x1.fffffep-24f},
    {bsr_logf, 0x1.fffffep-1f, -0x1p-24f},
    {bsr_logf, 0x1p-1f, -0x1.62e43p-1f},
    {bsr_logf, 0x1p+1f, 0x1.62e43p-1f},
    {bsr_logf, 0x1.8p+1f, 0x1.193ea8p+0f},
    {bsr_logf, 0x1.6a09e6p-1f, -0x1.62e432p-2f},
    {bsr_logf, 0x1.4p+3f, 0x1.26bb1cp+1f},
    {bsr_logf, 0x1.2a05f2p+33f, 0x1.7069e2p+4f},
    {bsr_logf, 0x1.b7cdfep-34f, -0x1.7069e2p+4f},
    {bsr_logf, 0x1.2ced32p+126f, 0x1.5dfe3p+6f},
    {bsr_logf, 0x1.b38fb8p-127f, -0x1.5dfe3p+6f},
    {bsr_logf, 0x1.65p-140f, -0x1.82d50ap+6f},
    {bsr_logf, 0x1p-149f, -0x1.9d1dap+6f},
    {bsr_logf, 0x1.fffffep+127f, 0x1.62e43p+6f},
    {bsr_tanhf, 0x1.65p-140f, 0x1.65p-140f},
    {bsr_tanhf, 0x1.b7cdfep-34f, 0x1.b7cdfep-34f},
    {bsr_tanhf, 0x1.a36e2ep-14f, 0x1.a36e2ep-14f},
    {bsr_tanhf, 0x1.fc8f32p-11f, 0x1.fc8f28p-11f},
    {bsr_tanhf, 0x1.00e6bp-10f, 0x1.00e6aap-10f},
    {bsr_tanhf, -0x1.47ae14p-7f, -0x1.47ab48p-7f},
    {bsr_tanhf, 0x1.99999ap-4f, 0x1.983d78p-4f},
    {bsr_tanhf, 0x1p-1f, 0x1.d9353ep-2f},
    {bsr_tanhf, -0x1p+0f, -0x1.85efacp-1f},
    {bsr_tanhf, 0x1p+1f, 0x1.ed9506p-1f},
    {bsr_tanhf, 0x1.4p+2f, 0x1.fff41ap-1f},
    {bsr_tanhf, 0x1.1cccccp+3f, 0x1.fffffep-1f},
    {bsr_tanhf, 0x1.2051ecp+3f, 0x1.fffffep-1f},
    {bsr_tanhf, -0x1.4p+4f, -0x1p+0f},
    {bsr_erff, 0x1.65p-140f, 0x1.93p-140f},
    {bsr_erff, 0x1.b7cdfep-34f, 0x1.f04434p-34f},
    {bsr_erff, 0x1.a36e2ep-14f, 0x1.d946cap-14f},
    {bsr_erff, 0x1.99999ap-4f, 0x1.cca5eap-4f},
    {bsr_erff, -0x1p-1f, -0x1.0a7ef6p-1f},
    {bsr_erff, 0x1.fffffep-1f, 0x1.af767ap-1f},
    {bsr_erff, 0x1p+0f, 0x1.af767ap-1f},
    {bsr_erff, 0x1.000002p+0f, 0x1.af767cp-1f},
    {bsr_erff, 0x1.8p+0f, 0x1.eea556p-1f},
    {bsr_erff, -0x1p+1f, -0x1.fd9ae2p-1f},
    {bsr_erff, 0x1.6p+1f, 0x1.fff2dp-1f},
    {bsr_erff, 0x1.cp+1f, 0x1.ffffe8p-1f},
    {bsr_erff, 0x1.f33334p+1f, 0x1.fffffep-1f},
    {bsr_erff, 0x1p+2f, 0x1p+0f},
    {bsr_sigmoidf, 0x1.b7cdfep-34f, 0x1p-1f},
    {bsr_sigmoidf, -0x1.b7cdfep-34f, 0x1p-1f},
    {bsr_sigmoidf, 0x1p-2f, 0x1.1fd59ap-1f},
    {bsr_sigmoidf, -0x1p-2f, 0x1.c054cep-2f},
    {bsr_sigmoidf, 0x1p+0f, 0x1.764d5p-1f},
    {bsr_sigmoidf, -0x1p+0f, 0x1.136562p-2f},
    {bsr_sigmoidf, 0x1p+2f, 0x1.f6ca82p-1f},
    {bsr_sigmoidf, -0x1p+2f, 0x1.26afa2p-6f},
    {bsr_sigmoidf, 0x1.4p+3f, 0x1.fffa0cp-1f},
    {bsr_sigmoidf, -0x1.4p+3f, 0x1.7cd32ep-15f},
    {bsr_sigmoidf, 0x1.08p+4f, 0x1.fffffep-1f},
    {bsr_sigmoidf, -0x1.ep+4f, 0x1.a56e0cp-44f},
    {bsr_sigmoidf, -0x1.6p+6f, 0x1.07b71p-127f},
    {bsr_sigmoidf, -0x1.9p+6f, 0x1.bp-145f},
    {bsr_softplusf, 0x1.b7cdfep-34f, 0x1.62e43p-1f},
    {bsr_softplusf, -0x1.b7cdfep-34f, 0x1.62e43p-1f},
    {bsr_softplusf, 0x1p-2f, 0x1.a6e188p-1f},
    {bsr_softplusf, -0x1p-2f, 0x1.26e188p-1f},
    {bsr_softplusf, 0x1p+0f, 0x1.5031eap+0f},
    {bsr_softplusf, -0x1p+0f, 0x1.40c7acp-2f},
    {bsr_softplusf, 0x1p+2f, 0x1.01295ep+2f},
    {bsr_softplusf, -0x1p+2f, 0x1.295e5p-6f},
    {bsr_softplusf, 0x1.4p+3f, 0x1.40006p+3f},
    {bsr_softplusf, -0x1.4p+3f, 0x1.7cd564p-15f},
    {bsr_softplusf, 0x1.48p+4f, 0x1.48p+4f},
    {bsr_softplusf, -0x1.ep+4f, 0x1.a56e0cp-44f},
    {bsr_softplusf, -0x1.6p+6f, 0x1.07b71p-127f},
    {bsr_softplusf, -0x1.9p+6f, 0x1.bp-145f},
    {bsr_softplusf, 0x1.e848p+19f, 0x1.e848p+19f},
};

static const struct {
    float x, y, want;
} powers[] = {
    {0x1p+1f, 0x1p-1f, 0x1.6a09e6p+0f},
    {0x1p+1f, -0x1.2ap+7f, 0x1p-149f},
    {0x1.4p+3f, 0x1.34p+5f, 0x1.dbce82p+127f},
    {0x1.4p+3f, -0x1.6p+5f, 0x1.cp-147f},
    {0x1.000002p+0f, 0x1.7d784p+26f, 0x1.25b692p+17f},
    {0x1.fffffep-1f, 0x1.dcd65p+29f, 0x1.018b2p-86f},
    {0x1.8p+1f, 0x1.8p+2f, 0x1.6c8p+9f},
    {-0x1.8p+1f, 0x1.8p+1f, -0x1.bp+4f},
    {-0x1.8p+1f, 0x1p+2f, 0x1.44p+6f},
    {0x1.99999ap-4f, -0x1.4p+4f, 0x1.5af1dp+66f},
    {0x1.ep+2f, -0x1.54fdf4p-2f, 0x1.05be2p-1f},
    {0x1.b38fb8p-127f, 0x1p-1f, 0x1.d83c94p-64f},
    {0x1.65p-140f, -0x1.ccccccp-1f, 0x1.7b900ep+125f},
    {0x1.edd2f2p+6f, 0x1p+1f, 0x1.dc4b12p+13f},
};

static const struct {
    double (*fn)(double x);
    double x, want;
} values_f64[] = {
    {bsr_exp, 0x1.b7cdfd9d7bdbbp-34, 0x1.000000006df38p+0},
    {bsr_exp, -0x1.3333333333333p-2, 0x1.7b4c869c37c05p-1},
    {bsr_exp, 0x1.6666666666666p-2, 0x1.6b4802c805decp+0},
    {bsr_exp, 0x1p+0, 0x1.5bf0a8b145769p+1},
    {bsr_exp, -0x1p+0, 0x1.78b56362cef38p-2},
    {bsr_exp, 0x1.48p+4, 0x1.7d6c4f0bcdd5cp+29},
    {bsr_exp, -0x1.9p+5, 0x1.d257d547e083fp-73},
    {bsr_exp, 0x1.2c1999999999ap+8, 0x1.ef839024b01d7p+432},
    {bsr_exp, 0x1.62d999999999ap+9, 0x1.d75ae7a50ee14p+1023},
    {bsr_exp, -0x1.5ep+9, 0x1.14f2b0fb9307fp-1010},
    {bsr_exp, -0x1.748p+9, 0x0.0000000000001p-1022},
    {bsr_log, 0x1.0000000000001p+0, 0x1.fffffffffffffp-53},
    {bsr_log, 0x1.fffffffffffffp-1, -0x1p-53},
    {bsr_log, 0x1p-1, -0x1.62e42fefa39efp-1},
    {bsr_log, 0x1.6a161e4f765fep-1, -0x1.62c1a17840101p-2},
    {bsr_log, 0x1.6a0902de00d1bp+0, 0x1.62e1ac5b1d181p-2},
    {bsr_log, 0x1.8p+1, 0x1.193ea7aad030bp+0},
    {bsr_log, 0x1.2a05f2p+33, 0x1.7069e2aa2aa5bp+4},
    {bsr_log, 0x1.7e43c8800759cp+996, 0x1.5963447f87fb5p+9},
    {bsr_log, 0x0.0000000000001p-1022, -0x1.74385446d71c3p+9},
    {bsr_log, 0x0.012688b70e62bp-1022, -0x1.64e69394d9508p+9},
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Position on the number line, so that neighbours differ by 1. */
static int64_t order_f32(float x)
{
    int32_t i;
    memcpy(&i, &x, sizeof i);
    return i < 0 ? (int64_t)INT32_MIN - i : i;
}

static int64_t order_f64(double x)
{
    int64_t i;
    memcpy(&i, &x, sizeof i);
    return i < 0 ? INT64_MIN - i : i;
}

static void expect_f32(float x, float got, float want, int64_t ulps)
{
    if (isnan(want) ? isnan(got) : llabs(order_f32(got) - order_f32(want)) <= ulps)
        return;
    fail_msg("f(%a) is %a, expected %a", (double)x, (double)got, (double)want);
}

static void expect_f64(double x, double got, double want, int64_t ulps)
{
    if (isnan(want) ? isnan(got) : llabs(order_f64(got) - order_f64(want)) <= ulps)
        return;
    fail_msg("f(%a) is %a, expected %a", x, got, want);
}

static void test_ops_mathf__reference_values(void **state)
{
    for (size_t i = 0; i < COUNT(values_f32); i++) {
        const value_f32 *v = &values_f32[i];
        expect_f32(v->x, v->fn(v->x), v->want, 1);
    }
    for (size_t i = 0; i < COUNT(powers); i++)
        expect_f32(powers[i].x, bsr_powf(powers[i].x, powers[i].y), powers[i].want, 1);
    for (size_t i = 0; i < COUNT(values_f64); i++)
        expect_f64(values_f64[i].x, values_f64[i].fn(values_f64[i].x), values_f64[i].want, 2);
}

/* C99 Annex F, to the bit (NaN: any). */
static void test_ops_mathf__special_values(void **state)
{
    static const value_f32 cases[] = {
        {bsr_expf, 0.0f, 1.0f},
        {bsr_expf, -0.0f, 1.0f},
        {bsr_expf, INFINITY, INFINITY},
        {bsr_expf, -INFINITY, 0.0f},
        {bsr_expf, NAN, NAN},
        {bsr_expf, 0x1.62e42ep+6f, 0x1.ffff08p+127f}, /* the last finite result */
        {bsr_expf, 0x1.62e43p+6f, INFINITY},
        {bsr_expf, -104.0f, 0.0f},
        {bsr_expf, -FLT_MAX, 0.0f},
        {bsr_expf, FLT_MAX, INFINITY},
        {bsr_logf, 0.0f, -INFINITY},
        {bsr_logf, -0.0f, -INFINITY},
        {bsr_logf, 1.0f, 0.0f},
        {bsr_logf, -1.0f, NAN},
        {bsr_logf, -INFINITY, NAN},
        {bsr_logf, INFINITY, INFINITY},
        {bsr_logf, NAN, NAN},
        {bsr_tanhf, 0.0f, 0.0f},
        {bsr_tanhf, -0.0f, -0.0f},
        {bsr_tanhf, INFINITY, 1.0f},
        {bsr_tanhf, -INFINITY, -1.0f},
        {bsr_tanhf, FLT_MAX, 1.0f},
        {bsr_tanhf, NAN, NAN},
        {bsr_erff, 0.0f, 0.0f},
        {bsr_erff, -0.0f, -0.0f},
        {bsr_erff, INFINITY, 1.0f},
        {bsr_erff, -INFINITY, -1.0f},
        {bsr_erff, NAN, NAN},
        {bsr_sigmoidf, 0.0f, 0.5f},
        {bsr_sigmoidf, INFINITY, 1.0f},
        {bsr_sigmoidf, -INFINITY, 0.0f},
        {bsr_sigmoidf, -FLT_MAX, 0.0f},
        {bsr_sigmoidf, NAN, NAN},
        {bsr_softplusf, INFINITY, INFINITY},
        {bsr_softplusf, -INFINITY, 0.0f},
        {bsr_softplusf, FLT_MAX, FLT_MAX},
        {bsr_softplusf, NAN, NAN},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        expect_f32(cases[i].x, cases[i].fn(cases[i].x), cases[i].want, 0);
    expect_f64(0.0, bsr_exp(0x1.62e42fefa39efp+9), 0x1.fffffffffff2ap+1023, 2);
    expect_f64(0.0, bsr_exp(0x1.62e42fefa39fp+9), (double)INFINITY, 0);
    expect_f64(0.0, bsr_exp(-746.0), 0.0, 0);
    expect_f64(0.0, bsr_log(-0.0), (double)-INFINITY, 0);
    expect_f64(0.0, bsr_log((double)INFINITY), (double)INFINITY, 0);
    expect_f64(0.0, bsr_log(-1.0), (double)NAN, 0);
}

/* All pairs of these: the C library is the reference for Annex F's rules. */
static void test_ops_mathf__pow_special_values(void **state)
{
    static const float v[] = {
        0.0f,
        -0.0f,
        1.0f,
        -1.0f,
        0.5f,
        -0.5f,
        2.0f,
        -2.0f,
        3.0f,
        -3.0f,
        2.5f,
        INFINITY,
        -INFINITY,
        NAN,
        0x1p24f,
        0x1.000002p+24f,
        -0x1.fffffep+23f,
        FLT_MAX,
        -FLT_MAX,
        FLT_MIN,
        0x1p-149f,
        -0x1p-149f,
    };
    for (size_t i = 0; i < COUNT(v); i++)
        for (size_t k = 0; k < COUNT(v); k++)
            expect_f32(v[i], bsr_powf(v[i], v[k]), (float)pow((double)v[i], (double)v[k]), 1);
}

static double sigmoid_reference(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double softplus_reference(double x)
{
    return x > 0.0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* A million floats of all signs and exponents against the C library's double functions. */
static void test_ops_mathf__sweep(void **state)
{
    static const struct {
        float (*fn)(float x);
        double (*reference)(double x);
    } pairs[] = {
        {bsr_expf, exp},
        {bsr_logf, log},
        {bsr_tanhf, tanh},
        {bsr_erff, erf},
        {bsr_sigmoidf, sigmoid_reference},
        {bsr_softplusf, softplus_reference},
    };
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 4099) {
        uint32_t low = (uint32_t)bits;
        float x;
        memcpy(&x, &low, sizeof x);
        for (size_t i = 0; i < COUNT(pairs); i++)
            expect_f32(x, pairs[i].fn(x), (float)pairs[i].reference((double)x), 1);
    }
}

/* Where the functions are neither constant nor the identity. */
static void test_ops_mathf__dense_sweep(void **state)
{
    for (int i = -400000; i <= 400000; i++) {
        float x = (float)i * 0x1.0624p-12f;
        expect_f32(x, bsr_expf(x), (float)exp((double)x), 1);
        expect_f32(x, bsr_tanhf(x), (float)tanh((double)x), 1);
        expect_f32(x, bsr_erff(x), (float)erf((double)x), 1);
        expect_f64((double)x, bsr_exp((double)x), exp((double)x), 2);
        if (i > 0)
            expect_f64((double)x, bsr_log((double)x), log((double)x), 2);
        float y = (float)(i % 997) * 0.04f;
        expect_f32(x, bsr_powf(fabsf(x), y), (float)pow(fabs((double)x), (double)y), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_mathf__reference_values),
        cmocka_unit_test(test_ops_mathf__special_values),
        cmocka_unit_test(test_ops_mathf__pow_special_values),
        cmocka_unit_test(test_ops_mathf__sweep),
        cmocka_unit_test(test_ops_mathf__dense_sweep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
