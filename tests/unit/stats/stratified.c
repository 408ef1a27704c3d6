#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "stats/stratified.h"

static void assert_close(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * fabs(want)))
        fail_msg("got %.17g, expected %.17g", got, want);
}

static bsr_stratum stratum(uint64_t units, uint64_t denominator, const uint64_t *counts, size_t n)
{
    bsr_stratum s;
    assert_int_equal(bsr_stratum_init(&s, units, denominator), BSR_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(bsr_stratum_add(&s, counts[i]), BSR_OK);
    return s;
}

/* By hand: 0.1, 0.1, 0.3, 0.3 has mean 0.2 and variance 0.04 / 3; 0.2, 0.2, 0.4, 0.4 the same
 * variance about 0.3, so pooling changes nothing, and both are symmetric. W = 1/4, 3/4:
 * mean = 0.05 + 0.225; variance = (0.0625 * 0.96 + 0.5625 * 296 / 300) * 0.04 / 12
 * = 0.0002 + 0.00185; df = 0.00205^2 * 3 / (0.0002^2 + 0.00185^2). t and the ends from
 * python3-mpmath 1.2.1. */
static void test_stats_stratified__by_hand(void **state)
{
    const uint64_t a[] = {1, 3, 1, 3};
    const uint64_t b[] = {4, 2, 2, 4};
    const bsr_stratum s[2] = {stratum(100, 10, a, 4), stratum(300, 10, b, 4)};
    assert_close(bsr_stratum_mean(&s[0]), 0.2, 1e-15);
    assert_close(bsr_stratum_variance(&s[1]), 0.04 / 3, 1e-14);
    bsr_estimate e;
    assert_int_equal(bsr_stratified(&e, s, 2, 0.95), BSR_OK);
    assert_close(e.mean, 0.275, 1e-15);
    assert_close(e.variance, 0.00205, 1e-13);
    assert_close(e.df, 3.64115523465703971, 1e-13);
    assert_close(e.ci.lo, 0.144251125686082465, 1e-11);
    assert_close(e.ci.hi, 0.405748874313917535, 1e-11);
    assert_int_equal(e.degenerate, 0);
}

/* The header's formulas in python3-mpmath with 40 digits, from the values (not from sums): skewed,
 * and the second stratum's variance is raised by pooling. */
static void test_stats_stratified__skewed_and_pooled(void **state)
{
    const uint64_t a[] = {0, 0, 1, 2, 3, 50};
    const uint64_t b[] = {0, 1, 1, 2, 2, 3, 4, 3};
    const bsr_stratum s[2] = {stratum(400, 100, a, 6), stratum(1600, 100, b, 8)};
    assert_close(bsr_stratum_variance(&s[0]), 0.0398266666666666667, 1e-14);
    assert_close(bsr_stratum_variance(&s[1]), 0.000171428571428571429, 1e-14);
    bsr_estimate e;
    assert_int_equal(bsr_stratified(&e, s, 2, 0.9), BSR_OK);
    assert_close(e.mean, 0.0346666666666666667, 1e-14);
    assert_close(e.variance, 0.000976631259259259259, 1e-13);
    assert_close(e.df, 10.9971211391258075, 1e-12);
    assert_close(e.ci.lo, 0.00528561046503737278, 1e-11);
    assert_close(e.ci.hi, 0.14187807055975247, 1e-11);
}

/* 20 zeros of 1000 units: variance, and the upper end, from the header's formulas in
 * python3-mpmath; wider than bsr_wilson(0, 20, 1000), which knows that the values are 0 or 1. */
static void test_stats_stratified__degenerate(void **state)
{
    const uint64_t zeros[20] = {0};
    bsr_stratum s = stratum(1000, 32, zeros, 20);
    assert_true(bsr_stratum_variance(&s) == 0);
    bsr_estimate e;
    assert_int_equal(bsr_stratified(&e, &s, 1, 0.95), BSR_OK);
    assert_true(e.mean == 0 && e.ci.lo == 0);
    assert_close(e.variance, 0.00304472999891578349, 1e-13);
    assert_close(e.ci.hi, 0.213523449422755358, 1e-11);
    assert_int_equal(e.degenerate, 1);
    assert_true(e.ci.hi > bsr_wilson(0, 20, 1000, 0.95).hi);

    uint64_t full[20];
    for (int i = 0; i < 20; i++)
        full[i] = 32;
    s = stratum(1000, 32, full, 20);
    assert_int_equal(bsr_stratified(&e, &s, 1, 0.95), BSR_OK);
    assert_true(e.mean == 1 && e.ci.hi == 1);
    assert_close(1 - e.ci.lo, 0.213523449422755358, 1e-11); /* the mirror image */
}

static void test_stats_stratified__never_zero_width(void **state)
{
    for (uint64_t n = 1; n < 40; n++)
        for (uint64_t c = 0; c <= 4; c++) {
            uint64_t counts[40];
            for (uint64_t i = 0; i < n; i++)
                counts[i] = c;
            bsr_stratum s = stratum(40, 4, counts, n);
            bsr_estimate e;
            assert_int_equal(bsr_stratified(&e, &s, 1, 0.95), BSR_OK);
            assert_true(e.ci.lo < e.ci.hi);
            assert_true(e.ci.lo <= e.mean && e.mean <= e.ci.hi);
            /* not beyond what 40 - n unobserved units can be */
            assert_true(e.ci.lo >= (double)(n * c) / 160 * (1 - 1e-15));
            assert_true(e.ci.hi <= (double)(n * c + (40 - n) * 4) / 160 * (1 + 1e-15));
        }
}

static void test_stats_stratified__census_is_a_point(void **state)
{
    const uint64_t a[] = {1, 2, 3};
    const uint64_t b[] = {7};
    const bsr_stratum s[2] = {stratum(3, 10, a, 3), stratum(1, 10, b, 1)};
    bsr_estimate e;
    assert_int_equal(bsr_stratified(&e, s, 2, 0.95), BSR_OK);
    assert_close(e.mean, 0.325, 1e-15);
    assert_true(e.variance == 0 && isinf(e.df) && e.degenerate == 0);
    assert_true(e.ci.lo == e.mean && e.ci.hi == e.mean);
}

/* Cochran: a complete stratum adds no variance, however it varies. */
static void test_stats_stratified__complete_stratum_adds_no_variance(void **state)
{
    const uint64_t a[] = {1, 3, 1, 3};
    const uint64_t b[] = {4, 2, 2, 4};
    const bsr_stratum s[2] = {stratum(100, 10, a, 4), stratum(4, 10, b, 4)};
    bsr_estimate e;
    assert_int_equal(bsr_stratified(&e, s, 2, 0.95), BSR_OK);
    double W = 100 / 104.0;
    assert_close(e.variance, W * W * 0.96 * 0.04 / 12, 1e-13);
    assert_close(e.df, 3, 1e-13);
}

static void test_stats_stratified__single_units(void **state)
{
    const uint64_t a[] = {3};
    const bsr_stratum s[2] = {stratum(100, 10, a, 1), stratum(50, 10, a, 1)};
    assert_true(isnan(bsr_stratum_variance(&s[0])));
    bsr_estimate e;
    assert_int_equal(bsr_stratified(&e, s, 2, 0.95), BSR_OK);
    assert_close(e.mean, 0.3, 1e-15);
    assert_true(e.ci.lo < 0.1 && e.ci.hi > 0.9);
    assert_int_equal(e.degenerate, 2);
}

/* 5 of 100 and 15 of 300, nothing seen: as one stratum, 20 of 400. The third part varies and keeps
 * its place. */
static void test_stats_stratified__collapsed(void **state)
{
    const uint64_t zeros[20] = {0};
    const uint64_t b[] = {4, 2, 2, 4};
    const bsr_stratum apart[3] = {stratum(100, 10, zeros, 5), stratum(300, 10, b, 4),
                                  stratum(300, 10, zeros, 15)};
    const bsr_stratum whole[2] = {stratum(400, 10, zeros, 20), stratum(300, 10, b, 4)};
    bsr_estimate e, w;
    assert_int_equal(bsr_stratified(&e, &apart[0], 1, 0.95), BSR_OK);
    assert_int_equal(e.degenerate, 1);
    for (size_t other = 0; other < 2; other++) { /* without and with the third part */
        const bsr_stratum in[3] = {apart[0], apart[2], apart[1]};
        assert_int_equal(bsr_stratified(&e, other ? apart : in, 2 + other, 0.95), BSR_OK);
        assert_int_equal(bsr_stratified(&w, whole, 1 + other, 0.95), BSR_OK);
        assert_int_equal(e.degenerate, 2);
        assert_int_equal(w.degenerate, 1);
        assert_close(e.mean, w.mean, 1e-15);
        assert_true(e.ci.lo <= e.mean && e.ci.lo < e.ci.hi);
        if (!other)
            assert_true(e.variance == w.variance && e.ci.hi == w.ci.hi);
    }
}

/* 4 of 100 rounds what 15 of 300 is to less than one unit; 7 of 100 or 4 of 300 make both strata
 * worth what the least observed is, and another value or denominator is not the same at all. */
static void test_stats_stratified__collapsed_only_when_alike(void **state)
{
    const uint64_t zeros[20] = {0};
    const uint64_t twos[20] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
    const bsr_stratum pairs[5][2] = {
        {stratum(300, 10, zeros, 15), stratum(100, 10, zeros, 4)},
        {stratum(300, 10, zeros, 15), stratum(100, 10, zeros, 7)},
        {stratum(300, 10, zeros, 15), stratum(300, 10, zeros, 4)},
        {stratum(300, 10, zeros, 15), stratum(300, 20, zeros, 15)},
        {stratum(300, 10, zeros, 15), stratum(300, 10, twos, 15)},
    };
    for (size_t i = 0; i < 5; i++) {
        bsr_stratum sum = pairs[i][0];
        sum.units += pairs[i][1].units;
        sum.n += pairs[i][1].n;
        bsr_estimate e, w;
        assert_int_equal(bsr_stratified(&e, pairs[i], 2, 0.95), BSR_OK);
        assert_int_equal(bsr_stratified(&w, &sum, 1, 0.95), BSR_OK);
        if (i == 0)
            assert_true(e.variance == w.variance);
        else
            assert_true(e.variance > 1.05 * w.variance);
        assert_int_equal(e.degenerate, 2);
    }
}

/* Equal values of unequal parts of strata: what the least observed part of the whole would be
 * worth. 15 of 300 and 7 of 100: 20 of 400; 15 of 300 and 4 of 300: 8 of 600; in any order. */
static void test_stats_stratified__collapsed_to_the_least_observed(void **state)
{
    const uint64_t zeros[20] = {0};
    const bsr_stratum pairs[4][2] = {{stratum(300, 10, zeros, 15), stratum(100, 10, zeros, 7)},
                                     {stratum(100, 10, zeros, 7), stratum(300, 10, zeros, 15)},
                                     {stratum(300, 10, zeros, 15), stratum(300, 10, zeros, 4)},
                                     {stratum(300, 10, zeros, 4), stratum(300, 10, zeros, 15)}};
    const bsr_stratum whole[2] = {stratum(400, 10, zeros, 20), stratum(600, 10, zeros, 8)};
    for (size_t i = 0; i < 4; i++) {
        bsr_estimate e, w;
        double v[2], alone;
        assert_int_equal(bsr_stratified(&e, pairs[i], 2, 0.95), BSR_OK);
        assert_int_equal(bsr_stratified(&w, &whole[i / 2], 1, 0.95), BSR_OK);
        assert_true(e.variance == w.variance && e.ci.hi == w.ci.hi && e.degenerate == 2);
        assert_int_equal(bsr_stratified_variances(v, pairs[i], 2, 0.95, BSR_UNITS_SITES), BSR_OK);
        assert_int_equal(bsr_stratified_variances(&alone, &whole[i / 2], 1, 0.95, BSR_UNITS_SITES),
                         BSR_OK);
        assert_true(v[0] == alone && v[1] == alone);
    }
}

/* Units of 31 faults in three layers, of which the third shows nothing: its variance is that of
 * 0-or-b units, b from the sizes of the others. The header's formulas in python3-mpmath 1.2.1;
 * b = 0.695. Alone, nothing is known of sizes. */
static void test_stats_stratified__unseen_units_are_like_seen_ones(void **state)
{
    const uint64_t a[] = {0, 1, 1, 0, 2, 0, 3, 0, 1, 2};
    const uint64_t b[] = {0, 0, 0, 0, 1, 0, 0, 4, 0, 0, 0, 1};
    const uint64_t zeros[20] = {0};
    bsr_stratum s[3] = {stratum(100, 31, a, 10), stratum(300, 31, b, 12),
                        stratum(500, 31, zeros, 20)};
    bsr_estimate e, alone;
    for (int i = 0; i < 3; i++)
        s[i].faults = 31;
    assert_int_equal(bsr_stratified_of(&e, s, 3, 0.95, BSR_UNITS_MIXED), BSR_OK);
    assert_close(e.mean, 0.00896057347670250896, 1e-14);
    assert_close(e.variance, 0.000458783043685557533, 1e-13);
    assert_close(e.df, 20.1772567017772429, 1e-12);
    assert_close(e.ci.lo, 16.0 / 31 / 900, 1e-12); /* what was seen */
    assert_close(e.ci.hi, 0.0890934550863863772, 1e-11);
    assert_int_equal(bsr_stratified_of(&e, &s[2], 1, 0.95, BSR_UNITS_MIXED), BSR_OK);
    assert_int_equal(bsr_stratified(&alone, &s[2], 1, 0.95), BSR_OK);
    assert_true(e.variance == alone.variance && e.ci.hi == alone.ci.hi);
}

/* Two layers of 100 and 300 sites, in each a kind of units of one fault and one of 31: weights
 * 1/128, 31/128, 3/128 and 93/128, so that the mean is by hand 5767/256000. The rest is the
 * header's formulas in python3-mpmath 1.2.1, each kind pooled by itself. Mixed, the first single
 * faults have seen 0.06 carriers of 20, and so nearly the variance of 0 or 1; as sites they have
 * what they showed. */
static void test_stats_stratified__faults_of_a_unit_weigh(void **state)
{
    const uint64_t a[] = {0, 3, 0, 0, 1, 0, 0, 0, 2, 0};
    const uint64_t b[] = {0, 1, 1, 0, 2, 0, 3, 0, 1, 2};
    const uint64_t c[] = {0, 0, 0, 50, 0, 0, 100, 0, 0, 0, 1, 0};
    const uint64_t d[] = {0, 0, 0, 0, 1, 0, 0, 4, 0, 0, 0, 1};
    bsr_stratum s[4] = {stratum(100, 100, a, 10), stratum(100, 31, b, 10), stratum(300, 100, c, 12),
                        stratum(300, 31, d, 12)};
    s[1].faults = s[3].faults = 31;
    bsr_estimate e;
    assert_int_equal(bsr_stratified_of(&e, s, 4, 0.95, BSR_UNITS_MIXED), BSR_OK);
    assert_close(e.mean, 5767.0 / 256000, 1e-14);
    assert_close(e.variance, 0.0000724148651710164935, 1e-13);
    assert_close(e.df, 15.7042000085856401, 1e-12);
    assert_close(e.ci.lo, 0.0115025723275152815, 1e-11);
    assert_close(e.ci.hi, 0.0521361975145844127, 1e-11);
    assert_int_equal(bsr_stratified(&e, s, 4, 0.95), BSR_OK);
    assert_close(e.mean, 5767.0 / 256000, 1e-14);
    assert_close(e.variance, 0.0000707605567124310662, 1e-13);
    assert_close(e.df, 15.0482779098148, 1e-12);
    assert_close(e.ci.lo, 0.0117846144949833895, 1e-11);
    assert_close(e.ci.hi, 0.0524351148303243561, 1e-11);
    bsr_stratum other = s[0];
    other.faults = 2;
    assert_int_equal(bsr_stratum_merge(&s[0], &other), BSR_EINVAL);
}

/* Constant strata of different kinds are not collapsed, and a census of one kind adds no variance:
 * what is left is the other's interval, scaled by its weight. */
static void test_stats_stratified__kinds_stay_apart(void **state)
{
    const uint64_t zeros[20] = {0}, all[] = {31, 0, 0, 0};
    bsr_stratum s[2] = {stratum(1000, 31, zeros, 20), stratum(1000, 31, zeros, 20)};
    bsr_estimate together, apart, one;
    assert_int_equal(bsr_stratified(&together, s, 2, 0.95), BSR_OK);
    s[1].faults = 2;
    assert_int_equal(bsr_stratified(&apart, s, 2, 0.95), BSR_OK);
    assert_int_equal(bsr_stratified(&one, s, 1, 0.95), BSR_OK);
    assert_close(apart.variance, one.variance * (1 + 4) / 9, 1e-13);
    assert_true(apart.variance > together.variance && apart.degenerate == 2);
    s[1] = stratum(4, 31, all, 4);
    s[1].faults = 500; /* weights 1000 and 2000 */
    assert_int_equal(bsr_stratified(&apart, s, 2, 0.95), BSR_OK);
    assert_close(apart.mean, 0.25 * 2 / 3, 1e-14);
    assert_close(apart.variance, one.variance / 9, 1e-13);
    assert_close(apart.ci.hi - apart.mean, (one.ci.hi - one.mean) / 3, 1e-12);
}

static void test_stats_stratified__allocation_may_fail(void **state)
{
    const uint64_t two[] = {1, 2};
    const bsr_stratum s = stratum(9, 32, two, 2);
    bsr_estimate e;
    bsr_alloc_fail_after(1);
    assert_int_equal(bsr_stratified(&e, &s, 1, 0.95), BSR_ENOMEM);
    assert_false(bsr_alloc_fail_pending());
    assert_true(strncmp(bsr_error_message(), "out of memory", 13) == 0);
}

static void test_stats_stratified__any_order_same_bits(void **state)
{
    enum { N = 1000 };
    uint64_t counts[N];
    for (uint64_t i = 0; i < N; i++)
        counts[i] = i * i * 7919 % 320001;
    bsr_stratum forward = stratum(4000, 320000, counts, N);
    bsr_stratum merged = stratum(4000, 320000, counts, 0);
    for (size_t part = 10; part-- > 0;) {
        bsr_stratum piece = stratum(4000, 320000, counts, 0);
        for (size_t i = N; i-- > 0;)
            if (i % 10 == part)
                assert_int_equal(bsr_stratum_add(&piece, counts[i]), BSR_OK);
        assert_int_equal(bsr_stratum_merge(&merged, &piece), BSR_OK);
    }
    bsr_estimate a, b;
    assert_int_equal(bsr_stratified(&a, &forward, 1, 0.95), BSR_OK);
    assert_int_equal(bsr_stratified(&b, &merged, 1, 0.95), BSR_OK);
    assert_true(a.mean == b.mean && a.variance == b.variance);
    assert_true(a.ci.lo == b.ci.lo && a.ci.hi == b.ci.hi);
}

/* D - 1 and D in turn, D = 2^31 - 1: sums of squares lose all digits of the variance in double, and
 * intermediate products pass 2^128. Variance of n = 2 m such values: m / (2 (2 m - 1)) / D^2. */
static void test_stats_stratified__exact_sums(void **state)
{
    const uint64_t D = BSR_MAX_DENOMINATOR;
    bsr_stratum s;
    assert_int_equal(bsr_stratum_init(&s, 1000000, D), BSR_OK);
    for (int i = 0; i < 2000; i++)
        assert_int_equal(bsr_stratum_add(&s, D - (uint64_t)(i % 2)), BSR_OK);
    assert_close(bsr_stratum_variance(&s), 1000.0 / (2 * 1999.0) / ((double)D * (double)D), 1e-14);
    assert_close(bsr_stratum_mean(&s), 1 - 0.5 / (double)D, 1e-15);
}

static void expect(bsr_status got, bsr_status want, const char *message)
{
    assert_int_equal(got, want);
    assert_string_equal(bsr_error_message(), message);
}

static void test_stats_stratified__bad_strata(void **state)
{
    bsr_stratum s;
    expect(bsr_stratum_init(&s, 0, 32), BSR_EINVAL,
           "stratum: 0 units, expected 1..9007199254740992");
    expect(bsr_stratum_init(&s, (UINT64_C(1) << 53) + 1, 32), BSR_EINVAL,
           "stratum: 9007199254740993 units, expected 1..9007199254740992");
    expect(bsr_stratum_init(&s, 5, 0), BSR_EINVAL,
           "stratum: denominator is 0, expected 1..2147483647");
    expect(bsr_stratum_init(&s, 5, UINT64_C(1) << 31), BSR_EINVAL,
           "stratum: denominator is 2147483648, expected 1..2147483647");
    const uint64_t two[] = {1, 2};
    s = stratum(2, 32, two, 2);
    expect(bsr_stratum_add(&s, 33), BSR_EINVAL, "stratum: count is 33, denominator is 32");
    expect(bsr_stratum_add(&s, 3), BSR_EINVAL, "stratum: 3 units observed, population is 2");
    assert_true(s.n == 2 && s.sum == 3);

    bsr_stratum other = stratum(2, 32, two, 1);
    expect(bsr_stratum_merge(&s, &other), BSR_EINVAL, "stratum: 3 units observed, population is 2");
    other = stratum(3, 32, two, 1);
    expect(bsr_stratum_merge(&s, &other), BSR_EINVAL, "stratum: merging populations 2 and 3");
    other = stratum(2, 31, two, 1);
    expect(bsr_stratum_merge(&s, &other), BSR_EINVAL, "stratum: merging denominators 32 and 31");

    bsr_stratum huge = stratum(UINT64_C(1) << 40, 32, two, 2);
    huge.n = UINT64_C(1) << 32;
    expect(bsr_stratum_add(&huge, 1), BSR_ELIMIT,
           "stratum: 4294967297 units observed, limit is 4294967296");
}

static void test_stats_stratified__bad_estimates(void **state)
{
    const uint64_t two[] = {1, 2};
    const bsr_stratum s[2] = {stratum(9, 32, two, 2), stratum(400, 32, two, 0)};
    bsr_estimate e;
    expect(bsr_stratified(&e, s, 0, 0.95), BSR_EINVAL,
           "stratified estimate: 0 strata, expected at least 1");
    expect(bsr_stratified(&e, s, 1, 1), BSR_EINVAL,
           "stratified estimate: confidence is 1, expected between 0 and 1");
    expect(bsr_stratified(&e, s, 2, 0.95), BSR_EINVAL, "stratum 1: none of 400 units observed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_stratified__by_hand),
        cmocka_unit_test(test_stats_stratified__skewed_and_pooled),
        cmocka_unit_test(test_stats_stratified__degenerate),
        cmocka_unit_test(test_stats_stratified__never_zero_width),
        cmocka_unit_test(test_stats_stratified__census_is_a_point),
        cmocka_unit_test(test_stats_stratified__complete_stratum_adds_no_variance),
        cmocka_unit_test(test_stats_stratified__single_units),
        cmocka_unit_test(test_stats_stratified__collapsed),
        cmocka_unit_test(test_stats_stratified__collapsed_only_when_alike),
        cmocka_unit_test(test_stats_stratified__collapsed_to_the_least_observed),
        cmocka_unit_test(test_stats_stratified__unseen_units_are_like_seen_ones),
        cmocka_unit_test(test_stats_stratified__faults_of_a_unit_weigh),
        cmocka_unit_test(test_stats_stratified__kinds_stay_apart),
        cmocka_unit_test(test_stats_stratified__allocation_may_fail),
        cmocka_unit_test(test_stats_stratified__any_order_same_bits),
        cmocka_unit_test(test_stats_stratified__exact_sums),
        cmocka_unit_test(test_stats_stratified__bad_strata),
        cmocka_unit_test(test_stats_stratified__bad_estimates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
