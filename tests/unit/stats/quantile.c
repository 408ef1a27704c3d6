#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "rng/philox.h"
#include "stats/quantile.h"
#include "stats/special.h"

static void assert_close(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * fabs(want)))
        fail_msg("got %.17g, expected %.17g", got, want);
}

/* python3-numpy 1.24.2: mean(), std(ddof=1), quantile(). */
static void test_stats_quantile__like_numpy(void **state)
{
    static const double a[] = {0.91, 0.87, 0.9, 0.92, 0.1, 0.89, 0.905};
    static const double b[] = {3, 1, 2, 10};
    bsr_summary s;
    assert_int_equal(bsr_summary_of(&s, a, 7), BSR_OK);
    assert_int_equal(s.n, 7);
    assert_close(s.mean, 0.785, 1e-15);
    assert_close(s.sd, 0.30247589435633815, 1e-14);
    assert_true(s.min == 0.1 && s.median == 0.9 && s.max == 0.92);
    assert_close(s.q05, 0.33100000000000007, 1e-15);
    assert_close(s.q25, 0.88, 1e-15);
    assert_close(s.q75, 0.9075, 1e-15);
    assert_close(s.q95, 0.917, 1e-15);
    assert_int_equal(bsr_summary_of(&s, b, 4), BSR_OK);
    assert_close(s.mean, 4, 1e-15);
    assert_close(s.sd, 4.08248290463863, 1e-14);
    assert_close(s.q05, 1.15, 1e-15);
    assert_close(s.q25, 1.75, 1e-15);
    assert_close(s.median, 2.5, 1e-15);
    assert_close(s.q75, 4.75, 1e-15);
    assert_close(s.q95, 8.95, 1e-15);
}

/* 1e9 + (1, 2, 3, 4) / 8: exact in double; mean 1e9 + 5 / 16, variance 5 / 3 / 64. In any order. */
static void test_stats_quantile__close_values(void **state)
{
    static const double orders[3][4] = {{1e9 + 0.125, 1e9 + 0.25, 1e9 + 0.375, 1e9 + 0.5},
                                        {1e9 + 0.5, 1e9 + 0.25, 1e9 + 0.375, 1e9 + 0.125},
                                        {1e9 + 0.25, 1e9 + 0.5, 1e9 + 0.125, 1e9 + 0.375}};
    bsr_summary first, s;
    assert_int_equal(bsr_summary_of(&first, orders[0], 4), BSR_OK);
    assert_true(first.mean == 1e9 + 0.3125);
    assert_close(first.sd, sqrt(5.0 / 3 / 64), 1e-15);
    for (int i = 1; i < 3; i++) {
        assert_int_equal(bsr_summary_of(&s, orders[i], 4), BSR_OK);
        assert_memory_equal(&s, &first, sizeof s);
    }
}

static void test_stats_quantile__small_samples(void **state)
{
    static const double same[] = {0.3, 0.3, 0.3};
    bsr_summary s;
    assert_int_equal(bsr_summary_of(&s, same, 1), BSR_OK);
    assert_true(s.mean == 0.3 && isnan(s.sd) && s.q05 == 0.3 && s.median == 0.3 && s.max == 0.3);
    assert_int_equal(bsr_summary_of(&s, same, 3), BSR_OK);
    assert_true(s.mean == 0.3 && s.sd == 0 && s.q25 == 0.3 && s.q95 == 0.3);
    assert_true(bsr_quantile(same, 3, 0) == 0.3 && bsr_quantile(same, 3, 1) == 0.3);
    assert_true(isnan(bsr_quantile(same, 0, 0.5)) && isnan(bsr_quantile(same, 3, 1.5)));
    assert_true(isnan(bsr_quantile(same, 3, NAN)));
}

static void test_stats_quantile__bad_values(void **state)
{
    const double x[] = {1, 2, NAN};
    bsr_summary s;
    assert_int_equal(bsr_summary_of(&s, x, 0), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "summary: 0 values, expected at least 1");
    assert_int_equal(bsr_summary_of(&s, x, 3), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "summary: value 2 is nan, expected a finite one");
    bsr_alloc_fail_after(1);
    assert_int_equal(bsr_summary_of(&s, x, 2), BSR_ENOMEM);
    assert_false(bsr_alloc_fail_pending());
}

/* python3-mpmath: t of 4 degrees of freedom is 2.776445. The first shares are symmetric, where both
 * intervals agree; of the second, Student's is 0.748064, 0.975936 and the score interval, with
 * k = m3 / (R s^2), 0.656542, 0.925183. */
static void test_stats_quantile__mean_of_runs(void **state)
{
    static const uint64_t even[] = {88, 94, 92, 90, 96};
    static const uint64_t skewed[] = {90, 92, 88, 91, 70};
    bsr_run_mean m;
    assert_int_equal(bsr_mean_of_runs(&m, even, 5, 100, 0.95), BSR_OK);
    assert_close(m.mean, 0.92, 1e-15);
    assert_close(m.sd, 0.0316227766016837933, 1e-13);
    assert_close(m.ci.lo, 0.880735136770448846, 1e-12);
    assert_close(m.ci.hi, 0.959264863229551154, 1e-12);
    assert_int_equal(m.degenerate, 0);
    assert_int_equal(bsr_mean_of_runs(&m, skewed, 5, 100, 0.95), BSR_OK);
    assert_close(m.mean, 0.862, 1e-15);
    assert_close(m.sd, 0.0917605579756356974, 1e-13);
    assert_close(m.ci.lo, 0.656541854684791554, 1e-12);
    assert_close(m.ci.hi, 0.975935781293436158, 1e-12);
}

static void test_stats_quantile__equal_runs(void **state)
{
    static const uint64_t same[20] = {91, 91, 91, 91, 91, 91, 91, 91, 91, 91,
                                      91, 91, 91, 91, 91, 91, 91, 91, 91, 91};
    bsr_run_mean few, many;
    assert_int_equal(bsr_mean_of_runs(&few, same, 3, 100, 0.95), BSR_OK);
    assert_int_equal(bsr_mean_of_runs(&many, same, 20, 100, 0.95), BSR_OK);
    assert_true(few.degenerate == 1 && few.sd == 0);
    assert_close(few.mean, 0.91, 1e-15);
    assert_true(few.ci.lo < many.ci.lo && many.ci.lo < 0.9 && many.ci.hi > 0.92);
    assert_true(few.ci.hi >= many.ci.hi && few.ci.hi <= 1 && few.ci.lo >= 0);
}

static void runs_fail(const uint64_t *counts, size_t runs, uint64_t denominator, double confidence,
                      const char *message)
{
    bsr_run_mean m;
    assert_int_equal(bsr_mean_of_runs(&m, counts, runs, denominator, confidence), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), message);
}

static void test_stats_quantile__bad_runs(void **state)
{
    static const uint64_t counts[] = {7, 11, 3};
    runs_fail(counts, 1, 100, 0.95, "mean of runs: 1 runs, expected at least 2");
    runs_fail(counts, 3, 0, 0.95, "stratum: denominator is 0, expected 1..2147483647");
    runs_fail(counts, 3, 10, 0.95, "stratum: count is 11, denominator is 10");
    runs_fail(counts, 3, 20, 0, "mean of runs: confidence is 0, expected between 0 and 1");
    bsr_run_mean m;
    bsr_alloc_fail_after(1);
    assert_int_equal(bsr_mean_of_runs(&m, counts, 3, 20, 0.95), BSR_ENOMEM);
    assert_false(bsr_alloc_fail_pending());
}

/* Right answers among 1000 images: normal about 0.8; at most 0.92 with small losses; a loss in
 * three runs of ten only. The means are 0.8, 0.92 - 0.1 / 4 and 0.92 - 0.3 * 0.05 / 2. */
static const double true_means[3] = {0.8, 0.895, 0.9125};

static uint64_t draw_run(int law, bsr_rng *rng)
{
    double u = bsr_rng_uniform(rng);
    double w = bsr_rng_uniform(rng);
    double share = law == 0   ? 0.8 + 0.03 * bsr_normal_quantile(u)
                   : law == 1 ? 0.92 - 0.1 * u * w
                              : 0.92 - (u < 0.3 ? 0.05 * w : 0);
    return (uint64_t)(share * 1000 + 0.5);
}

/* 20000 repetitions: standard error 0.15 %. The last law, whose shares lie in two lumps, is covered
 * a little too often by many runs. */
static void test_stats_quantile__coverage(void **state)
{
    static const size_t sizes[3] = {5, 20, 50};
    for (int law = 0; law < 3; law++)
        for (int k = 0; k < 3; k++) {
            bsr_rng rng = bsr_rng_make(21, (uint64_t)(law * 3 + k));
            int covered = 0;
            for (int i = 0; i < 20000; i++) {
                uint64_t counts[50];
                for (size_t r = 0; r < sizes[k]; r++)
                    counts[r] = draw_run(law, &rng);
                bsr_run_mean m;
                assert_int_equal(bsr_mean_of_runs(&m, counts, sizes[k], 1000, 0.95), BSR_OK);
                covered += m.ci.lo <= true_means[law] && true_means[law] <= m.ci.hi;
            }
            double share = covered / 20000.0;
            if (getenv("BSR_COVERAGE_PRINT"))
                printf("law %d, %zu runs: %.4f\n", law, sizes[k], share);
            if (!(share >= 0.93 && share <= (law < 2 ? 0.97 : 0.98)))
                fail_msg("law %d, %zu runs: covered %g", law, sizes[k], share);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_quantile__like_numpy),
        cmocka_unit_test(test_stats_quantile__close_values),
        cmocka_unit_test(test_stats_quantile__small_samples),
        cmocka_unit_test(test_stats_quantile__bad_values),
        cmocka_unit_test(test_stats_quantile__mean_of_runs),
        cmocka_unit_test(test_stats_quantile__equal_runs),
        cmocka_unit_test(test_stats_quantile__bad_runs),
        cmocka_unit_test(test_stats_quantile__coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
