#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "rng/philox.h"
#include "rng/sample.h"
#include "stats/paired.h"

#define IMAGES 100

static void assert_close(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * fabs(want)))
        fail_msg("got %.17g, expected %.17g", got, want);
}

/* Exact sums of binomial coefficients over powers of 2: python3 fractions. */
static void test_stats_paired__mcnemar(void **state)
{
    static const struct {
        uint64_t b;
        uint64_t c;
        double p;
        double mid;
    } known[] = {
        {0, 1, 1, 0.5},
        {1, 9, 0.021484375, 0.01171875},
        {10, 25, 0.016673847800120711327, 0.011330984183587133884},
        {59, 6, 4.964650327128616869e-12, 2.7258031986068798069e-12},
        {121, 59, 4.4344492637551766575e-6, 3.2666467957745923399e-6},
        {0, 30, 1.8626451492309570313e-9, 9.3132257461547851563e-10},
        {1000, 1100, 0.03072070786424229503, 0.029110633685909036613},
        {3, 3, 1, 1},
        {0, 0, 1, 1},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_close(bsr_mcnemar(known[i].b, known[i].c), known[i].p, 1e-11);
        assert_close(bsr_mcnemar(known[i].c, known[i].b), known[i].p, 1e-11);
        assert_close(bsr_mcnemar_mid_p(known[i].b, known[i].c), known[i].mid, 1e-11);
    }
    assert_true(isnan(bsr_mcnemar(1000000000, 1)) && isnan(bsr_mcnemar(UINT64_MAX, 2)));
    assert_true(isnan(bsr_mcnemar_mid_p(UINT64_MAX, 2)));
}

static bsr_stratum stratum(uint64_t units, uint64_t denominator, const uint64_t (*counts)[2],
                           size_t n)
{
    bsr_stratum s;
    assert_int_equal(bsr_paired_init(&s, units, denominator), BSR_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(bsr_paired_add(&s, counts[i][0], counts[i][1]), BSR_OK);
    return s;
}

/* Differences .4, 0, .2, -.2, .3, -.1: mean .1, s^2 = .056, and symmetric, so that the interval is
 * mean +- t sqrt(0.94 * .056 / 6) with t of 5 degrees of freedom; python3-mpmath. */
static void test_stats_paired__by_hand(void **state)
{
    static const uint64_t counts[][2] = {{9, 5}, {3, 3}, {2, 0}, {1, 3}, {10, 7}, {0, 1}};
    bsr_stratum s = stratum(100, 10, counts, 6);
    bsr_difference d;
    assert_int_equal(bsr_paired(&d, &s, 1, 0.95), BSR_OK);
    assert_close(d.mean, 0.1, 1e-14);
    assert_close(d.variance, 0.00877333333333333333, 1e-13);
    assert_close(d.df, 5, 1e-12);
    assert_close(d.ci.lo, -0.14077630727009712947, 1e-11);
    assert_close(d.ci.hi, 0.34077630727009712947, 1e-11);
    assert_int_equal(d.degenerate, 0);
}

/* Nothing differs in n of N units: variance n p (1 - p) / (n + z^2) / n (1 - n / N), p = z^2 / 2 /
 * (n + z^2), with n = 100, N = 1000 in python3: p = 0.018496749, variance 1.573471e-4; symmetric.
 * All units observed: a point. */
static void test_stats_paired__nothing_differs(void **state)
{
    bsr_stratum s = stratum(1000, IMAGES, NULL, 0);
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(bsr_paired_add(&s, i, i), BSR_OK);
    bsr_difference d;
    assert_int_equal(bsr_paired(&d, &s, 1, 0.95), BSR_OK);
    assert_true(d.mean == 0);
    assert_close(d.variance, 1.573471484708147e-4, 1e-12);
    assert_true(fabs(d.ci.lo + d.ci.hi) < 1e-15 && d.ci.hi > 0.02 && d.ci.hi < 0.03);
    assert_int_equal(d.degenerate, 1);
    for (uint64_t i = 0; i < 900; i++)
        assert_int_equal(bsr_paired_add(&s, i % 7, i % 7), BSR_OK);
    assert_int_equal(bsr_paired(&d, &s, 1, 0.95), BSR_OK);
    assert_true(d.mean == 0 && d.ci.lo == 0 && d.ci.hi == 0 && d.degenerate == 0);
}

/* The same observations the other way round. */
static void test_stats_paired__antisymmetric(void **state)
{
    static const uint64_t ab[][2] = {{9, 5}, {3, 3}, {8, 0}, {1, 3}, {10, 0}};
    static const uint64_t ba[][2] = {{5, 9}, {3, 3}, {0, 8}, {3, 1}, {0, 10}};
    const bsr_stratum s[2] = {stratum(100, 10, ab, 5), stratum(300, 10, ab, 3)};
    const bsr_stratum r[2] = {stratum(100, 10, ba, 5), stratum(300, 10, ba, 3)};
    bsr_difference x, y;
    assert_int_equal(bsr_paired(&x, s, 2, 0.9), BSR_OK);
    assert_int_equal(bsr_paired(&y, r, 2, 0.9), BSR_OK);
    assert_close(x.mean, -y.mean, 1e-14);
    assert_close(x.variance, y.variance, 1e-13);
    assert_close(x.ci.lo, -y.ci.hi, 1e-12);
    assert_close(x.ci.hi, -y.ci.lo, 1e-12);
}

static void expect(bsr_status got, const char *message)
{
    assert_int_equal(got, BSR_EINVAL);
    assert_string_equal(bsr_error_message(), message);
}

static void test_stats_paired__errors(void **state)
{
    bsr_stratum s;
    bsr_difference d;
    expect(bsr_paired_init(&s, 5, 1 << 30),
           "paired stratum: denominator is 1073741824, expected 1..1073741823");
    expect(bsr_paired_init(&s, 0, 10), "stratum: 0 units, expected 1..9007199254740992");
    s = stratum(1, 10, NULL, 0);
    expect(bsr_paired_add(&s, 11, 3), "paired stratum: counts are 11 and 3, denominator is 10");
    expect(bsr_paired_add(&s, 3, 11), "paired stratum: counts are 3 and 11, denominator is 10");
    expect(bsr_paired(&d, &s, 1, 0.95), "stratum 0: none of 1 units observed");
    assert_int_equal(bsr_paired_add(&s, 1, 3), BSR_OK);
    expect(bsr_paired_add(&s, 1, 3), "stratum: 2 units observed, population is 1");
    bsr_alloc_fail_after(1);
    assert_int_equal(bsr_paired(&d, &s, 1, 0.95), BSR_ENOMEM);
    assert_false(bsr_alloc_fail_pending());
}

/* Shares of units that became better by 10 to 60 %, or up to 10 % better or worse. */
typedef struct setting {
    const char *name;
    double large;
    double small;
    double high;
} setting;

#define STRATA 4
static const uint64_t sizes[STRATA] = {2000, 8000, 8000, 20000};

static void make_stratum(signed char *d, uint64_t units, const setting *set, bsr_rng *rng)
{
    for (uint64_t i = 0; i < units; i++) {
        double u = bsr_rng_uniform(rng);
        double share = bsr_rng_uniform(rng);
        double value = u < set->large                ? 10 + 50 * share
                       : u < set->large + set->small ? 20 * share - 10
                                                     : 0;
        d[i] = (signed char)rint(value);
    }
}

static int covers(signed char *const d[], double truth, uint64_t seed)
{
    bsr_stratum strata[STRATA];
    for (uint64_t h = 0; h < STRATA; h++) {
        bsr_sample *sample;
        strata[h] = stratum(sizes[h], IMAGES, NULL, 0);
        assert_int_equal(bsr_sample_new(&sample, sizes[h], seed, h), BSR_OK);
        for (int i = 0; i < 300; i++) {
            uint64_t unit;
            assert_int_equal(bsr_sample_next(sample, &unit), BSR_OK);
            int x = d[h][unit];
            assert_int_equal(
                bsr_paired_add(&strata[h], x > 0 ? (uint64_t)x : 0, x < 0 ? (uint64_t)-x : 0),
                BSR_OK);
        }
        bsr_sample_free(sample);
    }
    bsr_difference e;
    assert_int_equal(bsr_paired(&e, strata, STRATA, 0.95), BSR_OK);
    return e.ci.lo <= truth && truth <= e.ci.hi;
}

/* 2000 runs a row: standard error 0.5 %. */
static void test_stats_paired__coverage(void **state)
{
    static const setting settings[] = {{"many", 0.1, 0.2, 0.97},
                                       {"few", 0.03, 0.1, 0.97},
                                       {"small only", 0, 0.1, 0.97},
                                       {"none", 0, 0, 1}};
    for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) {
        int covered = 0;
        for (uint64_t p = 0; p < 4; p++) {
            signed char *d[STRATA];
            double sum = 0, units = 0;
            for (uint64_t h = 0; h < STRATA; h++) {
                bsr_rng rng = bsr_rng_make(p, h);
                d[h] = malloc(sizes[h]);
                assert_non_null(d[h]);
                make_stratum(d[h], sizes[h], &settings[k], &rng);
                for (uint64_t i = 0; i < sizes[h]; i++)
                    sum += d[h][i];
                units += (double)sizes[h];
            }
            for (uint64_t run = 0; run < 500; run++)
                covered += covers(d, sum / units / IMAGES, 100 + p * 500 + run);
            for (uint64_t h = 0; h < STRATA; h++)
                free(d[h]);
        }
        double share = covered / 2000.0;
        if (getenv("BSR_COVERAGE_PRINT"))
            printf("%-12s %.4f\n", settings[k].name, share);
        if (!(share >= 0.93 && share <= settings[k].high))
            fail_msg("%s: covered %g", settings[k].name, share);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_paired__mcnemar),
        cmocka_unit_test(test_stats_paired__by_hand),
        cmocka_unit_test(test_stats_paired__nothing_differs),
        cmocka_unit_test(test_stats_paired__antisymmetric),
        cmocka_unit_test(test_stats_paired__errors),
        cmocka_unit_test(test_stats_paired__coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
