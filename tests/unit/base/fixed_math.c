#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/fixed_math.h"

typedef struct pair {
    double x;
    double y;
} pair;

/* Relative error at most `tolerance` in all of n pairs. */
static void check(double (*f)(double), const pair *pairs, size_t n, double tolerance)
{
    for (size_t i = 0; i < n; i++) {
        double got = f(pairs[i].x);
        if (!(fabs(got - pairs[i].y) <= tolerance * fabs(pairs[i].y)))
            fail_msg("at %.17g got %.17g, expected %.17g", pairs[i].x, got, pairs[i].y);
    }
}

#define CHECK(f, pairs, tolerance) check(f, pairs, sizeof pairs / sizeof *pairs, tolerance)

/* All values: python3-mpmath 1.2.1 with 200 bits, at the exact double arguments. */
static void test_base_fixed_math__exp(void **state)
{
    static const pair pairs[] = {
        {0.5, 1.6487212707001281468},          {-0.5, 0.6065306597126334236},
        {1.0, 2.7182818284590452354},          {10.25, 28282.54192033497909},
        {-20.125, 1.8189616875530459008e-9},   {100.5, 4.431955909845895416e+43},
        {-700.75, 4.6573814201172454024e-305}, {709.5, 1.3549863193146328309e+308}};
    CHECK(bsr_fixed_exp, pairs, 0x1p-51);
    assert_true(bsr_fixed_exp(0) == 1);
    assert_true(bsr_fixed_exp(-746) == 0 && bsr_fixed_exp(-INFINITY) == 0);
    assert_true(isinf(bsr_fixed_exp(710)) && isinf(bsr_fixed_exp(INFINITY)));
    assert_true(isnan(bsr_fixed_exp(NAN)));
}

static void test_base_fixed_math__log(void **state)
{
    static const pair pairs[] = {{0.5, -0.69314718055994530942},
                                 {0.1, -2.3025850929940456285},
                                 {3.0, 1.0986122886681096914},
                                 {0.7071067811865475, -0.34657359027997274336},
                                 {0.7071067811865476, -0.34657359027997258635},
                                 {1.0000000000000002, 2.2204460492503128343e-16},
                                 {0.9999999999999999, -1.1102230246251566021e-16},
                                 {1e300, 690.77552789821370526},
                                 {5e-324, -744.44007192138126231}};
    CHECK(bsr_fixed_log, pairs, 0x1p-51);
    assert_true(bsr_fixed_log(1) == 0 && isinf(bsr_fixed_log(INFINITY)));
    assert_true(bsr_fixed_log(0) == -INFINITY);
    assert_true(isnan(bsr_fixed_log(-1)) && isnan(bsr_fixed_log(NAN)));
}

static void test_base_fixed_math__log1p(void **state)
{
    static const pair pairs[] = {
        {1e-20, 9.9999999999999994515e-21}, {1e-9, 9.9999999950000006261e-10},
        {-1e-3, -0.001000500333583533521},  {0.5, 0.40546510810816438198},
        {-0.5, -0.69314718055994530942},    {-0.9999999, -16.118095651484675636},
        {1e10, 23.02585093004045684},       {-1e-12, -1.0000000000004999799e-12}};
    CHECK(bsr_fixed_log1p, pairs, 1e-15);
    assert_true(bsr_fixed_log1p(0) == 0 && bsr_fixed_log1p(-1) == -INFINITY);
    assert_true(bsr_fixed_log1p(INFINITY) == INFINITY);
    assert_true(isnan(bsr_fixed_log1p(-2)) && isnan(bsr_fixed_log1p(NAN)));
}

static void test_base_fixed_math__expm1(void **state)
{
    static const pair pairs[] = {
        {1e-20, 9.9999999999999994516e-21},  {1e-9, 1.0000000005000000624e-9},
        {-1e-3, -0.00099950016662500835274}, {0.5, 0.64872127070012814685},
        {-0.5, -0.3934693402873665764},      {-36.0, -0.99999999999999976805},
        {5.0, 147.41315910257660342},        {-1e-12, -9.9999999999949997989e-13}};
    CHECK(bsr_fixed_expm1, pairs, 1e-15);
    assert_true(bsr_fixed_expm1(0) == 0 && bsr_fixed_expm1(-INFINITY) == -1);
    assert_true(bsr_fixed_expm1(-100) == -1 && bsr_fixed_expm1(1000) == INFINITY);
    assert_true(isnan(bsr_fixed_expm1(NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_fixed_math__exp),
        cmocka_unit_test(test_base_fixed_math__log),
        cmocka_unit_test(test_base_fixed_math__log1p),
        cmocka_unit_test(test_base_fixed_math__expm1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
