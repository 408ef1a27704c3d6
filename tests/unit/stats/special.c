#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "stats/special.h"

/* Unless a comment names a table, expectations were computed with Debian's python3-mpmath 1.2.1 at
 * 40 digits (ncdf, loggamma, betainc, quad for large shapes; quantiles by bisection on those). */

static void assert_close(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * fabs(want)))
        fail_msg("got %.17g, expected %.17g", got, want);
}

static void test_stats_special__log_gamma(void **state)
{
    static const double t[][2] = {
        {1e-5, 11.5129196928958256},  {0.1, 2.2527126517342059},      {0.5, 0.572364942924700087},
        {1.5, -0.120782237635245222}, {3.7, 1.42807232666538813},     {11.5, 16.2920004765672413},
        {12.5, 18.7343475119364457},  {1000.25, 5906.94726827111718}, {1e9, 19723265827.5037168},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        assert_close(bsr_log_gamma(t[i][0]), t[i][1], 2e-14);
    assert_true(fabs(bsr_log_gamma(1)) < 1e-14);
    assert_true(fabs(bsr_log_gamma(2)) < 1e-14);
    double factorial = 1;
    for (int n = 3; n < 20; n++) {
        factorial *= n - 1;
        assert_close(bsr_log_gamma(n), log(factorial), 2e-14);
    }
    assert_true(bsr_log_gamma(0) == INFINITY);
    assert_true(isnan(bsr_log_gamma(-1)));
}

/* Rows 0.5, 1 and 2 agree with Abramowitz & Stegun, table 26.1 (15 decimals). */
static void test_stats_special__normal_cdf(void **state)
{
    static const double t[][2] = {
        {-37.5, 4.60535300958195484e-308}, {-10, 7.61985302416052607e-24},
        {-5, 2.86651571879193912e-7},      {-2, 0.0227501319481792072},
        {-1, 0.158655253931457051},        {0, 0.5},
        {0.5, 0.691462461274013104},       {1, 0.841344746068542949},
        {2, 0.977249868051820793},         {3, 0.998650101968369905},
        {6, 0.999999999013412355},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        assert_close(bsr_normal_cdf(t[i][0]), t[i][1], 1e-13);
    assert_true(bsr_normal_cdf(-INFINITY) == 0);
    assert_true(bsr_normal_cdf(INFINITY) == 1);
    assert_true(isnan(bsr_normal_cdf(NAN)));
}

/* 0.25, 0.001 and 1e-20 are the test values printed with AS 241. */
static void test_stats_special__normal_quantile(void **state)
{
    static const double t[][2] = {
        {1e-300, -37.0470962993611992}, {1e-20, -9.26234008979840758},
        {0.001, -3.09023230616781354},  {0.005, -2.57582930354890075},
        {0.025, -1.95996398454005421},  {0.25, -0.674489750196081743},
        {0.6, 0.253347103135799741},    {0.975, 1.95996398454005386},
        {0.9995, 3.29052673149192578},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        assert_close(bsr_normal_quantile(t[i][0]), t[i][1], 2e-15);
    assert_true(bsr_normal_quantile(0.5) == 0);
    assert_true(bsr_normal_quantile(0) == -INFINITY);
    assert_true(bsr_normal_quantile(1) == INFINITY);
    assert_true(isnan(bsr_normal_quantile(1.5)));
    assert_true(isnan(bsr_normal_quantile(NAN)));
}

static void test_stats_special__beta_cdf(void **state)
{
    static const double t[][4] = {
        {0.3, 0.5, 0.5, 0.369010119565545375},
        {0.1, 2.5, 7.25, 0.108415785830984495},
        {0.5, 50, 60, 0.830907293901669414},
        {0.01, 3, 500, 0.878281801639268934},
        {0.9, 20, 1.5, 0.234127110294933242},
        {0.03, 300, 9700, 0.507327974461218235},
        {0.97, 9700, 300, 0.492672025538775276},
        {0.2495, 250000, 750000, 0.124080169673620814},
        {0.9005, 900000, 100000, 0.952367317720022373},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        assert_close(bsr_beta_cdf(t[i][0], t[i][1], t[i][2]), t[i][3], 1e-12);
    for (int i = 1; i < 20; i++) { /* closed forms: I_x(a, 1) = x^a, I_x(1, b) = 1 - (1 - x)^b,
                                      I_x(2, 2) = x^2 (3 - 2 x) */
        double x = i / 20.0;
        assert_close(bsr_beta_cdf(x, 7, 1), pow(x, 7), 1e-14);
        assert_close(bsr_beta_cdf(x, 1, 7), 1 - pow(1 - x, 7), 1e-14);
        assert_close(bsr_beta_cdf(x, 2, 2), x * x * (3 - 2 * x), 1e-14);
    }
    assert_true(bsr_beta_cdf(0, 2, 3) == 0);
    assert_true(bsr_beta_cdf(1, 2, 3) == 1);
    assert_true(isnan(bsr_beta_cdf(-0.1, 2, 3)));
    assert_true(isnan(bsr_beta_cdf(0.5, 0, 3)));
    assert_true(isnan(bsr_beta_cdf(0.5, 2, 2e9)));
}

static void test_stats_special__beta_quantile(void **state)
{
    static const double t[][4] = {
        {0.025, 1, 10, 0.00252857854446178464},      {0.975, 2, 9, 0.445016117028195359},
        {0.05, 4, 17, 0.0713538843086181859},        {0.95, 5, 16, 0.401028117331974597},
        {0.975, 0.5, 0.5, 0.998458666866563985},     {0.025, 1000, 9000, 0.0941966612469715628},
        {0.995, 11, 99990, 0.000213966080735471742},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        assert_close(bsr_beta_quantile(t[i][0], t[i][1], t[i][2]), t[i][3], 1e-12);
    /* for small x, I_x(1/2, 3) = 15/8 sqrt(x) (1 - O(x)) */
    assert_close(bsr_beta_quantile(1e-9, 0.5, 3), 64 / 225.0 * 1e-18, 1e-12);
    assert_true(bsr_beta_quantile(0, 2, 3) == 0);
    assert_true(bsr_beta_quantile(1, 2, 3) == 1);
    assert_true(isnan(bsr_beta_quantile(2, 2, 3)));
}

/* Abramowitz & Stegun, table 26.10 (3 decimals), and the closed forms for 1 and 2 degrees of
 * freedom: tan(pi c / 2) and c sqrt(2 / (1 - c^2)). */
static void test_stats_special__student_quantile(void **state)
{
    static const double table[][2] = {{1, 12.706}, {2, 4.303},  {5, 2.571},
                                      {10, 2.228}, {30, 2.042}, {120, 1.980}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_true(fabs(bsr_student_quantile(0.95, table[i][0]) - table[i][1]) < 0.0005001);
    for (int i = 1; i < 100; i++) {
        double c = i / 100.0;
        assert_close(bsr_student_quantile(c, 1), tan(acos(0) * c), 1e-12);
        assert_close(bsr_student_quantile(c, 2), c * sqrt(2 / (1 - c * c)), 1e-12);
    }
    assert_close(bsr_student_quantile(0.95, 10), 2.22813885198627475, 1e-12);
    assert_close(bsr_student_quantile(0.99, 2.5), 7.16372813894878552, 1e-12);
    assert_close(bsr_student_quantile(0.95, 1000), 1.96233908082640848, 1e-12);
    assert_close(bsr_student_quantile(0.5, 3), 0.764892328404345281, 1e-12);
    assert_close(bsr_student_quantile(0.95, INFINITY), 1.95996398454005424, 1e-14);
    assert_true(isnan(bsr_student_quantile(1, 3)));
    assert_true(isnan(bsr_student_quantile(0.5, 0)));
}

/* Two-sided 95 % and 99 %: python3-mpmath, sqrt(2) erfinv(confidence). */
static void test_stats_special__normal_two_sided(void **state)
{
    assert_true(fabs(bsr_normal_two_sided(0.95) - 1.9599639845400542355) < 4e-15);
    assert_true(fabs(bsr_normal_two_sided(0.99) - 2.5758293035489007610) < 1e-14);
    assert_true(isnan(bsr_normal_two_sided(0)) && isnan(bsr_normal_two_sided(1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_special__log_gamma),
        cmocka_unit_test(test_stats_special__normal_cdf),
        cmocka_unit_test(test_stats_special__normal_quantile),
        cmocka_unit_test(test_stats_special__beta_cdf),
        cmocka_unit_test(test_stats_special__beta_quantile),
        cmocka_unit_test(test_stats_special__student_quantile),
        cmocka_unit_test(test_stats_special__normal_two_sided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
