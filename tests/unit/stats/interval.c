#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "stats/interval.h"

static void check(bsr_interval got, double lo, double hi, double tolerance)
{
    if (!(fabs(got.lo - lo) <= tolerance && fabs(got.hi - hi) <= tolerance))
        fail_msg("got [%.17g, %.17g], expected [%.17g, %.17g]", got.lo, got.hi, lo, hi);
}

/* R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in
 * Medicine 17, 1998, table I: methods 1 (Wald), 3 (Wilson), 5 (Clopper-Pearson), 95 %. */
static void test_stats_interval__newcombe(void **state)
{
    static const struct {
        double x, n, wald[2], wilson[2], exact[2];
    } t[] = {
        {81, 263, {0.2522, 0.3638}, {0.2553, 0.3662}, {0.2527, 0.3676}},
        {15, 148, {0.0527, 0.1500}, {0.0624, 0.1605}, {0.0578, 0.1617}},
        {0, 20, {0, 0}, {0, 0.1611}, {0, 0.1684}},
        {1, 29, {0, 0.1009}, {0.0061, 0.1718}, {0.0009, 0.1776}},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        check(bsr_wald(t[i].x, t[i].n, 0, 0.95), t[i].wald[0], t[i].wald[1], 0.00005001);
        check(bsr_wilson(t[i].x, t[i].n, 0, 0.95), t[i].wilson[0], t[i].wilson[1], 0.00005001);
        check(bsr_clopper_pearson(t[i].x, t[i].n, 0.95), t[i].exact[0], t[i].exact[1], 0.00005001);
    }
}

/* NIST/SEMATECH e-Handbook of Statistical Methods, 7.2.4.1: 4 defects in 20, 90 %, exact. */
static void test_stats_interval__nist(void **state)
{
    check(bsr_clopper_pearson(4, 20, 0.9), 0.071354, 0.401029, 0.0000011);
}

/* The formulas of the header in python3-mpmath 1.2.1 with 40 digits. */
static void test_stats_interval__digits(void **state)
{
    check(bsr_wilson(81, 263, 0, 0.95), 0.255288519878274226, 0.36620957698280007, 1e-14);
    check(bsr_wilson(1, 29, 0, 0.95), 0.00611321429276266052, 0.171755218793202881, 1e-14);
    check(bsr_wilson(30, 200, 1000, 0.95), 0.111035548978373109, 0.199568203951599203, 1e-14);
    check(bsr_wilson(0, 100, 150, 0.95), 0, 0.0127267434887932536, 1e-14);
    check(bsr_clopper_pearson(81, 263, 0.95), 0.252736745585271163, 0.367621922601351365, 1e-13);
    check(bsr_clopper_pearson(15, 148, 0.95), 0.0578440100834485595, 0.161650490349479008, 1e-13);
    /* x = 0: 1 - (alpha / 2)^(1 / n) */
    check(bsr_clopper_pearson(0, 20, 0.95), 0, 1 - pow(0.025, 1 / 20.0), 1e-14);
    check(bsr_clopper_pearson(20, 20, 0.95), pow(0.025, 1 / 20.0), 1, 1e-14);
    /* 0.1 +- 1.959963984540054 sqrt(0.09 / 100 * 900 / 999) */
    check(bsr_wald(10, 100, 1000, 0.95), 0.1 - 0.055809465, 0.1 + 0.055809465, 1e-9);
}

static void test_stats_interval__finite_population(void **state)
{
    check(bsr_wilson(3, 9, 9, 0.95), 3 / 9.0, 3 / 9.0, 0);
    check(bsr_wilson(1, 1, 1, 0.95), 1, 1, 0);
    check(bsr_wald(3, 9, 9, 0.95), 3 / 9.0, 3 / 9.0, 0);
    check(bsr_wald(1, 1, 1, 0.95), 1, 1, 0);
    /* 9 of 10 seen, 3 successes: the truth is 3/10 or 4/10, while the formula alone gives
     * 0.2403..0.4415 */
    check(bsr_wilson(3, 9, 10, 0.95), 0.3, 0.4, 1e-15);
    check(bsr_wilson(3, 9, INFINITY, 0.95), bsr_wilson(3, 9, 0, 0.95).lo,
          bsr_wilson(3, 9, 0, 0.95).hi, 0);
    double width = 1;
    for (double N = 1e6; N >= 100; N /= 2) { /* the smaller the rest, the narrower */
        bsr_interval ci = bsr_wilson(30, 100, N, 0.95);
        assert_true(ci.lo <= 0.3 && ci.hi >= 0.3 && ci.hi - ci.lo < width);
        width = ci.hi - ci.lo;
    }
}

static void test_stats_interval__ends_are_exact(void **state)
{
    for (double n = 1; n < 300; n++) {
        assert_true(bsr_wilson(0, n, 0, 0.99).lo == 0);
        assert_true(bsr_wilson(n, n, 0, 0.99).hi == 1);
        assert_true(bsr_clopper_pearson(0, n, 0.99).lo == 0);
        assert_true(bsr_clopper_pearson(n, n, 0.99).hi == 1);
    }
    check(bsr_wilson(0, 0, 0, 0.95), 0, 1, 0);
    check(bsr_wilson(0, 0, 100, 0.95), 0, 1, 0);
    check(bsr_clopper_pearson(0, 0, 0.95), 0, 1, 0);
    check(bsr_wald(0, 0, 100, 0.95), 0, 1, 0);
}

/* One-sided limits of 95 % are two-sided ones of 90 %, those of NIST above. 0 in n: 0.05^(1/n) is
 * the share that shows nothing in n with 5 %, about 1 - 3 / n: the rule of three of J. A. Hanley
 * and A. Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249, 1983. */
static void test_stats_interval__upper_share(void **state)
{
    assert_true(fabs(bsr_upper_share(4, 20, 0.95) - 0.401029) < 0.0000011);
    for (int n = 1; n <= 100000; n *= 10)
        assert_true(fabs(bsr_upper_share(0, n, 0.95) - (1 - pow(0.05, 1.0 / n))) < 1e-14);
    assert_true(fabs(bsr_upper_share(0, 1000, 0.95) - 3.0 / 1000) < 1e-5);
    assert_true(fabs(bsr_upper_share(1, 2, 0.75) - sqrt(0.75)) < 1e-14); /* P(X <= 1) = 1 - p^2 */
    assert_true(bsr_upper_share(0, 0, 0.95) == 1 && bsr_upper_share(7, 7, 0.95) == 1);
    assert_true(isnan(bsr_upper_share(-1, 5, 0.95)) && isnan(bsr_upper_share(6, 5, 0.95)));
    assert_true(isnan(bsr_upper_share(1, 5, 1)) && isnan(bsr_upper_share(NAN, 5, 0.95)));
}

static void assert_invalid(bsr_interval ci)
{
    assert_true(isnan(ci.lo) && isnan(ci.hi));
}

static void test_stats_interval__invalid(void **state)
{
    static const double t[][4] = {
        {-1, 10, 0, 0.95}, {11, 10, 0, 0.95},  {NAN, 10, 0, 0.95},     {1, NAN, 0, 0.95},
        {1, 10, 9, 0.95},  {1, 10, NAN, 0.95}, {1, 10, -5, 0.95},      {1, 10, 0, 0},
        {1, 10, 0, 1},     {1, 10, 0, NAN},    {1, INFINITY, 0, 0.95}, {0, -1, 0, 0.95},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        assert_invalid(bsr_wilson(t[i][0], t[i][1], t[i][2], t[i][3]));
        assert_invalid(bsr_wald(t[i][0], t[i][1], t[i][2], t[i][3]));
        if (t[i][2] == 0)
            assert_invalid(bsr_clopper_pearson(t[i][0], t[i][1], t[i][3]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_interval__newcombe),
        cmocka_unit_test(test_stats_interval__nist),
        cmocka_unit_test(test_stats_interval__digits),
        cmocka_unit_test(test_stats_interval__finite_population),
        cmocka_unit_test(test_stats_interval__ends_are_exact),
        cmocka_unit_test(test_stats_interval__upper_share),
        cmocka_unit_test(test_stats_interval__invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
