/* The probability of the greatest logit against numeric integration and simulation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/alloc.h"
#include "stats/normal_top1.h"
#include "stats/normals.h"
#include "stats/special.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bsr_top1_rule *rule;

static int setup(void **state)
{
    return bsr_top1_rule_new(&rule);
}

static int teardown(void **state)
{
    bsr_top1_rule_free(rule);
    return 0;
}

static void assert_close(double got, double expected)
{
    if (!(fabs(got - expected) <= 3e-7 * expected))
        fail_msg("got %.17g, expected %.17g", got, expected);
}

/* Expectations: the integral by the trapezoidal rule with step 1/16 over -20..20 (which for such
 * functions converges exponentially), python3-mpmath 1.2.1 with 25 digits. */
static void test_stats_normal_top1__integral(void **state)
{
    static const float ten[] = {5, 4, 3, 2.5f, 2, 1, 0, 0, -1, -4};
    static const struct {
        int c;
        double sigma, p;
    } of_ten[] = {{0, 1.5, 0.56931954543005898},
                  {3, 1.5, 0.051735016853354714},
                  {9, 1.5, 4.2277729251224792e-8},
                  {9, 0.5, 3.3951362131881836e-48},
                  {0, 0.1, 0.99999999999923127}},
      of_thousand[] = {{0, 1, 0.066351833749903632},
                       {0, 0.25, 0.91464188014738787},
                       {50, 0.5, 0.0067819181531708148},
                       {999, 0.25, 1.2856410642689762e-11},
                       {999, 1, 0.00030212088936342809}};
    for (size_t i = 0; i < COUNT(of_ten); i++)
        assert_close(bsr_top1_probability(rule, ten, 10, of_ten[i].c, of_ten[i].sigma),
                     of_ten[i].p);
    float thousand[1000];
    for (int k = 0; k < 1000; k++)
        thousand[k] = k == 0 ? 1 : k < 100 ? 0 : -1;
    for (size_t i = 0; i < COUNT(of_thousand); i++)
        assert_close(
            bsr_top1_probability(rule, thousand, 1000, of_thousand[i].c, of_thousand[i].sigma),
            of_thousand[i].p);
    for (int k = 0; k < 1000; k++)
        thousand[k] = k == 0 ? -6 : k < 901 ? 0 : -9;
    assert_close(bsr_top1_probability(rule, thousand, 1000, 0, 1), 3.3282268592031581e-19);
    /* What the rule finds hardest: all rivals at one margin of 4 or 5. */
    for (int k = 1; k < 1000; k++)
        thousand[k] = -10.5;
    assert_close(bsr_top1_probability(rule, thousand, 1000, 0, 1), 0.88235399076088268);
}

static void test_stats_normal_top1__known(void **state)
{
    float z[1000] = {0};
    for (int n = 1; n <= 1000; n = n * 3 + 1)
        for (double sigma = 1e-3; sigma < 1e4; sigma *= 100)
            assert_close(bsr_top1_probability(rule, z, n, n / 2, sigma), 1.0 / n);
    /* Two classes: Phi(margin / (sigma sqrt 2)). */
    for (double margin = -40; margin < 60; margin += 0.75) {
        const float two[] = {(float)margin, 0};
        assert_close(bsr_top1_probability(rule, two, 2, 0, 1.25),
                     bsr_normal_cdf(margin / 1.25 / sqrt(2)));
    }
    /* All classes together are certain. */
    double sum = 0;
    for (int k = 0; k < 100; k++)
        z[k] = (float)(k * k % 37) / 7;
    for (int k = 0; k < 100; k++)
        sum += bsr_top1_probability(rule, z, 100, k, 0.8);
    assert_close(sum, 1);
}

static void test_stats_normal_top1__edges(void **state)
{
    static const struct {
        float z[3];
        double sigma, p[3];
    } rows[] = {
        {{1, 3, 3}, 0, {0, 1, 0}},
        {{1, 2, 3}, INFINITY, {1.0 / 3, 1.0 / 3, 1.0 / 3}},
        {{1, NAN, NAN}, 1, {0, 1, 0}},
        {{1, INFINITY, INFINITY}, 1, {0, 1, 0}},
        {{-INFINITY, 1, 1}, 1, {0, 0.5, 0.5}},
        {{-INFINITY, -INFINITY, -INFINITY}, 1, {1, 0, 0}},
        {{3e38f, -3e38f, 0}, 1e-30, {1, 0, 0}},
        {{1, 2, 3}, 1e-300, {0, 0, 1}},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int c = 0; c < 3; c++)
            assert_close(bsr_top1_probability(rule, rows[i].z, 3, c, rows[i].sigma), rows[i].p[c]);
    assert_true(isnan(bsr_top1_probability(rule, rows[0].z, 3, 0, NAN)));
    assert_true(isnan(bsr_top1_probability(rule, rows[0].z, 3, 0, -1)));
}

/* Noise drawn; five standard errors. */
static void test_stats_normal_top1__monte_carlo(void **state)
{
    enum { N = 100000, K = 7 };
    static const float z[K] = {0.3f, -0.4f, 1.1f, 0.9f, -2, 0, 0.2f};
    static float noise[N * K];
    bsr_normals *normals;
    assert_int_equal(bsr_normals_new(&normals), BSR_OK);
    bsr_normals_fill(normals, noise, N * K, 5, 3);
    bsr_normals_free(normals);
    int wins[K] = {0};
    for (int i = 0; i < N; i++) {
        int best = 0;
        for (int k = 1; k < K; k++)
            if (z[k] + 0.8f * noise[i * K + k] > z[best] + 0.8f * noise[i * K + best])
                best = k;
        wins[best]++;
    }
    for (int k = 0; k < K; k++) {
        double p = bsr_top1_probability(rule, z, K, k, 0.8);
        assert_true(fabs((double)wins[k] / N - p) < 5 * sqrt(p * (1 - p) / N));
    }
}

static void test_stats_normal_top1__no_memory(void **state)
{
    bsr_top1_rule *none;
    bsr_alloc_fail_after(1);
    assert_int_equal(bsr_top1_rule_new(&none), BSR_ENOMEM);
    assert_null(none);
    bsr_top1_rule_free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_normal_top1__integral),
        cmocka_unit_test(test_stats_normal_top1__known),
        cmocka_unit_test(test_stats_normal_top1__edges),
        cmocka_unit_test(test_stats_normal_top1__monte_carlo),
        cmocka_unit_test(test_stats_normal_top1__no_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
