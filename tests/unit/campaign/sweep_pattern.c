#define _POSIX_C_SOURCE 199309L /* clock_gettime */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "campaign/sweep_pattern.h"

/* A space of n sites of which the given bits may flip. */
static bsr_space space_of(uint64_t n, int n_variants, const int *variants)
{
    bsr_space s = {.place = BSR_FAULT_WEIGHT,
                   .sites = n,
                   .n_variants = n_variants,
                   .population = n * (uint64_t)n_variants};
    for (int v = 0; v < n_variants; v++)
        s.variants[v] = variants ? variants[v] : v;
    return s;
}

/* Fields from the header, put together by hand. */
static void test_campaign_sweep_pattern__streams_do_not_overlap(void **state)
{
    assert_true(bsr_pattern_stream(BSR_TARGET_WEIGHT, 0, 0, -1) == 0);
    assert_true(bsr_pattern_stream(BSR_TARGET_BIAS, 0, 0, -1) == 0x4000000000000000);
    assert_true(bsr_pattern_stream(BSR_TARGET_WEIGHT, 1, 0, -1) == 0x40000000000);
    assert_true(bsr_pattern_stream(BSR_TARGET_WEIGHT, 0, 1, -1) == 0x4000000);
    assert_true(bsr_pattern_stream(BSR_TARGET_ACTIVATION, 0, 0, 0) == 0x8000000000000001);
    assert_true(bsr_pattern_stream(BSR_TARGET_INPUT, BSR_MAX_RUNS - 1,
                                   (int)BSR_MAX_PATTERN_SPACE - 1,
                                   (int64_t)BSR_MAX_SWEEP_IMAGES - 1) == UINT64_MAX);
}

static void test_campaign_sweep_pattern__rate_1_flips_the_selected_bits(void **state)
{
    bsr_space s = space_of(5, 3, (const int[]){1, 4, 31});
    bsr_pattern p;
    bsr_site_errors e;
    bsr_pattern_init(&p, &s, 1, 1, 7, 3);
    for (uint64_t site = 0; site < 5; site++) {
        assert_int_equal(bsr_pattern_next(&p, &e), 1);
        assert_int_equal(e.site, site);
        assert_int_equal(e.if0, 0x80000012);
        assert_int_equal(e.if1, 0x80000012);
        assert_int_equal(bsr_errors_flip(&e, 0xffff), 0x80000012);
    }
    assert_int_equal(bsr_pattern_next(&p, &e), 0);
    bsr_pattern_init(&p, &s, 0, 0, 7, 3);
    assert_int_equal(bsr_pattern_next(&p, &e), 0);
}

static void test_campaign_sweep_pattern__rate_0_for_zeros_flips_ones_only(void **state)
{
    bsr_space s = space_of(1000, 8, NULL);
    bsr_pattern p;
    bsr_site_errors e;
    bsr_pattern_init(&p, &s, 0, 1, 7, 3);
    int n = 0;
    for (; bsr_pattern_next(&p, &e); n++) {
        assert_int_equal(e.if0, 0);
        assert_int_equal(bsr_errors_flip(&e, 0xa5), 0xa5);
    }
    assert_int_equal(n, 1000);
}

/* Unequal rates: shares of flipped zeros and ones within five standard deviations of p0 and p1, the
 * flips of zeros among those of p0 alone. */
static void test_campaign_sweep_pattern__two_rates(void **state)
{
    const double p0 = 0.01, p1 = 0.2;
    bsr_space s = space_of(100000, 8, NULL);
    bsr_pattern both, alone;
    bsr_site_errors e, f;
    double zeros = 0, ones = 0, half = 4 * 100000.0;
    bsr_pattern_init(&both, &s, p0, p1, 7, 3);
    bsr_pattern_init(&alone, &s, p0, p0, 7, 3);
    int more = bsr_pattern_next(&alone, &f);
    while (bsr_pattern_next(&both, &e)) {
        zeros += __builtin_popcount(e.if0 & 0xf0);
        ones += __builtin_popcount(e.if1 & 0x0f);
        if (more && f.site == e.site) {
            assert_int_equal(e.if0, f.if0);
            more = bsr_pattern_next(&alone, &f);
        } else {
            assert_int_equal(e.if0, 0);
        }
    }
    assert_int_equal(more, 0);
    assert_true(fabs(zeros - half * p0) < 5 * sqrt(half * p0 * (1 - p0)));
    assert_true(fabs(ones - half * p1) < 5 * sqrt(half * p1 * (1 - p1)));
}

/* Counts of 1000 runs in three spaces and in all: their sum of squared standard scores is
 * chi-square with 1000 degrees of freedom, standard deviation sqrt(2000). */
static void test_campaign_sweep_pattern__counts_are_binomial(void **state)
{
    enum { SPACES = 3, RUNS = 1000 };
    static const uint64_t sites[SPACES] = {432, 5000, 81};
    const double p = 0.003;
    double chi[SPACES + 1] = {0}, sum[SPACES + 1] = {0}, bits[SPACES + 1] = {0};
    for (uint64_t run = 0; run < RUNS; run++) {
        double total = 0;
        bits[SPACES] = 0;
        for (int i = 0; i < SPACES; i++) {
            bsr_space s = space_of(sites[i], 8, NULL);
            bsr_pattern walk;
            bsr_site_errors e;
            double n = 0;
            bits[i] = (double)s.population;
            bits[SPACES] += bits[i];
            bsr_pattern_init(&walk, &s, p, p, 11,
                             bsr_pattern_stream(BSR_TARGET_WEIGHT, run, i, -1));
            while (bsr_pattern_next(&walk, &e))
                n += __builtin_popcount(e.if0);
            chi[i] += (n - bits[i] * p) * (n - bits[i] * p) / (bits[i] * p * (1 - p));
            sum[i] += n;
            total += n;
        }
        double mean = bits[SPACES] * p;
        chi[SPACES] += (total - mean) * (total - mean) / (mean * (1 - p));
        sum[SPACES] += total;
    }
    for (int i = 0; i <= SPACES; i++) {
        double mean = RUNS * bits[i] * p;
        assert_true(fabs(chi[i] - RUNS) < 5 * sqrt(2.0 * RUNS));
        assert_true(fabs(sum[i] - mean) < 5 * sqrt(mean * (1 - p)));
    }
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The errors of 11 million float weights; the time is printed, not judged. */
static void test_campaign_sweep_pattern__large_network(void **state)
{
    const double p = 1e-3;
    bsr_space s = space_of(11000000, 32, NULL);
    bsr_pattern walk;
    bsr_site_errors e;
    double n = 0, bits = (double)s.population, start = now();
    bsr_pattern_init(&walk, &s, p, p, 1, 0);
    while (bsr_pattern_next(&walk, &e))
        n += __builtin_popcount(e.if0);
    print_message("%.0f flips in %.0f bits: %.1f ms\n", n, bits, 1e3 * (now() - start));
    assert_true(fabs(n - bits * p) < 5 * sqrt(bits * p * (1 - p)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_campaign_sweep_pattern__streams_do_not_overlap),
        cmocka_unit_test(test_campaign_sweep_pattern__rate_1_flips_the_selected_bits),
        cmocka_unit_test(test_campaign_sweep_pattern__rate_0_for_zeros_flips_ones_only),
        cmocka_unit_test(test_campaign_sweep_pattern__two_rates),
        cmocka_unit_test(test_campaign_sweep_pattern__counts_are_binomial),
        cmocka_unit_test(test_campaign_sweep_pattern__large_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
