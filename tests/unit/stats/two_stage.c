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
#include "stats/two_stage.h"

static void assert_close(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * fabs(want)))
        fail_msg("got %.17g, expected %.17g", got, want);
}

static bsr_stratum cluster(uint64_t units, uint64_t denominator, const uint64_t *counts, size_t n)
{
    bsr_stratum s;
    assert_int_equal(bsr_stratum_init(&s, units, denominator), BSR_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(bsr_stratum_add(&s, counts[i]), BSR_OK);
    return s;
}

static const uint64_t low[] = {2, 4}, high[] = {5, 9}, flat[] = {1, 1};

/* Five clusters of four units, two units of each of three: means 0.3, 0.7 and 0.1, variances 0.02,
 * 0.08 and 0. By hand with Cochran 10.14, f1 = 3/5, f2 = 1/2: s1^2 = 7/75 of the means, s2^2 =
 * 1/30; variance = (1 - f1) s1^2 / 3 + f1 (1 - f2) s2^2 / (3 * 2) = 0.0124444 + 0.0016667. The
 * quantile of t with 2 degrees of freedom has a closed form: P(|T| <= t) = t / sqrt(2 + t^2), so
 * t^2 = 2/3 for one half. */
static void test_stats_two_stage__by_hand(void **state)
{
    const bsr_stratum c[5] = {cluster(4, 10, low, 2), cluster(4, 10, low, 0),
                              cluster(4, 10, high, 2), cluster(4, 10, flat, 2),
                              cluster(4, 10, low, 0)};
    const bsr_clustered s = {c, 5};
    const double variance = 0.4 * (7.0 / 75) / 3 + 0.3 / 30 / 6;
    bsr_estimate e;
    assert_int_equal(bsr_two_stage(&e, &s, 1, 0.5), BSR_OK);
    assert_close(e.mean, 1.1 / 3, 1e-14);
    assert_close(e.variance, variance, 1e-13);
    assert_close(e.df, 2, 1e-14);
    assert_close(e.ci.lo, 1.1 / 3 - sqrt(variance * 2 / 3), 1e-11);
    assert_close(e.ci.hi, 1.1 / 3 + sqrt(variance * 2 / 3), 1e-11);
    /* 0.95: t = 4.3, wider than what is possible: the six units seen add up to 2.2 of 20, and 14
     * may be 0 or 1. */
    assert_int_equal(bsr_two_stage(&e, &s, 1, 0.95), BSR_OK);
    assert_close(e.ci.lo, 0.11, 1e-14);
    assert_close(e.ci.hi, 0.81, 1e-14);
}

/* A second stratum, observed completely, of 10 units with three faults each: weights 20 and 30. Its
 * mean is 0.2; it adds no variance and no doubt. */
static void test_stats_two_stage__weights_of_strata(void **state)
{
    const uint64_t ones[] = {1, 1, 1, 1, 1}, threes[] = {3, 3, 3, 3, 3};
    const bsr_stratum open[5] = {cluster(4, 10, low, 2), cluster(4, 10, low, 0),
                                 cluster(4, 10, high, 2), cluster(4, 10, flat, 2),
                                 cluster(4, 10, low, 0)};
    bsr_stratum census[2] = {cluster(5, 10, ones, 5), cluster(5, 10, threes, 5)};
    census[0].faults = census[1].faults = 3;
    const bsr_clustered s[2] = {{open, 5}, {census, 2}};
    const double variance = 0.16 * (0.4 * (7.0 / 75) / 3 + 0.3 / 30 / 6);
    bsr_estimate e;
    assert_int_equal(bsr_two_stage(&e, s, 2, 0.5), BSR_OK);
    assert_close(e.mean, 0.4 * 1.1 / 3 + 0.6 * 0.2, 1e-14);
    assert_close(e.variance, variance, 1e-13);
    assert_close(e.df, 2, 1e-13);
    assert_close(e.ci.hi, 0.4 * 1.1 / 3 + 0.6 * 0.2 + sqrt(variance * 2 / 3), 1e-11);
    assert_int_equal(bsr_two_stage(&e, s + 1, 1, 0.95), BSR_OK);
    assert_true(e.variance == 0 && isinf(e.df));
    assert_close(e.mean, 0.2, 1e-14);
    assert_true(e.ci.lo == e.mean && e.ci.hi == e.mean);
}

/* Clusters that were drawn completely have no error of their own: the estimate is that of a plain
 * sample of as many units, the clusters' sums. */
static void test_stats_two_stage__whole_clusters_are_units(void **state)
{
    enum { M = 40, N = 25, DRAWN = 30 };
    bsr_stratum c[M], sums;
    bsr_rng rng = bsr_rng_make(7, 0);
    assert_int_equal(bsr_stratum_init(&sums, M, N * 32), BSR_OK);
    for (int i = 0; i < M; i++) {
        uint64_t most = 1 + bsr_rng_below(&rng, 32);
        c[i] = cluster(N, 32, NULL, 0);
        for (int u = 0; i < DRAWN && u < N; u++)
            assert_int_equal(bsr_stratum_add(&c[i], bsr_rng_below(&rng, most)), BSR_OK);
        if (i < DRAWN)
            assert_int_equal(bsr_stratum_add(&sums, c[i].sum), BSR_OK);
    }
    const bsr_clustered s = {c, M};
    bsr_estimate e, plain;
    assert_int_equal(bsr_two_stage(&e, &s, 1, 0.95), BSR_OK);
    assert_int_equal(bsr_stratified(&plain, &sums, 1, 0.95), BSR_OK);
    assert_close(e.mean, plain.mean, 1e-13);
    assert_close(e.variance, plain.variance, 1e-12);
    assert_close(e.df, plain.df, 1e-12);
    /* The score interval is moved towards the rare side, and as wide up to second order. */
    assert_close(e.ci.hi - e.ci.lo, plain.ci.hi - plain.ci.lo, 0.02);
}

/* Nothing is known of clusters when one was drawn, little when all were alike. */
static void test_stats_two_stage__no_variance_is_no_certainty(void **state)
{
    const uint64_t zeros[4] = {0};
    bsr_stratum c[16];
    const bsr_clustered s = {c, 16}, all = {c, 8};
    bsr_estimate e;
    for (int i = 0; i < 16; i++)
        c[i] = cluster(4, 10, i == 3 ? low : NULL, i == 3 ? 2 : 0);
    assert_int_equal(bsr_two_stage(&e, &s, 1, 0.95), BSR_OK);
    assert_close(e.ci.lo, 0.6 / 64, 1e-14);
    assert_close(e.ci.hi, (0.6 + 62) / 64, 1e-14);
    /* Eight of sixteen without a critical fault: Agresti-Coull's p is z^2 / 2 / (8 + z^2), and half
     * of the units are open. z^2 = 3.841458820694124, t with 7 degrees of freedom 2.364624251592784
     * (NIST/SEMATECH e-Handbook, 1.3.6.7.2: 2.365). */
    for (int i = 0; i < 16; i++)
        c[i] = cluster(4, 10, zeros, i < 8 ? 4 : 0);
    const double z2 = 3.841458820694124, p = z2 / 2 / (8 + z2);
    assert_int_equal(bsr_two_stage(&e, &s, 1, 0.95), BSR_OK);
    assert_true(e.mean == 0 && e.ci.lo == 0);
    assert_close(e.ci.hi, 2.364624251592784 * sqrt(p * (1 - p) / (8 + z2) / 2), 1e-10);
    /* All eight of them, two of four units each: sixteen units. */
    for (int i = 0; i < 8; i++)
        c[i] = cluster(4, 10, zeros, 2);
    const double q = z2 / 2 / (16 + z2);
    assert_int_equal(bsr_two_stage(&e, &all, 1, 0.95), BSR_OK);
    assert_close(e.ci.hi, 2.364624251592784 * sqrt(q * (1 - q) / (16 + z2) / 2), 1e-10);
}

static void expect(bsr_status got, const char *message)
{
    assert_int_equal(got, BSR_EINVAL);
    assert_string_equal(bsr_error_message(), message);
}

static void test_stats_two_stage__bad_arguments(void **state)
{
    const bsr_stratum c[2] = {cluster(4, 10, low, 2), cluster(4, 10, low, 2)};
    const bsr_stratum none[3] = {cluster(4, 10, low, 0), cluster(4, 10, low, 0),
                                 cluster(4, 10, low, 0)};
    const bsr_clustered s[2] = {{c, 2}, {none, 3}};
    bsr_estimate e;
    expect(bsr_two_stage(&e, s, 0, 0.95), "two-stage estimate: 0 strata, expected at least 1");
    expect(bsr_two_stage(&e, s, 1, 0),
           "two-stage estimate: confidence is 0, expected between 0 and 1");
    expect(bsr_two_stage(&e, s, 1, 1.5),
           "two-stage estimate: confidence is 1.5, expected between 0 and 1");
    expect(bsr_two_stage(&e, s, 2, 0.95), "stratum 1: no cluster of 3 observed");
}

/* A layer of `channels` channels of `sites` sites: about one bit of 32 of each is critical, more in
 * some channels. */
typedef struct layer {
    int channels, drawn;
    uint64_t sites, of_each;
} layer;

static double make_layer(const layer *l, uint64_t *counts, bsr_rng *rng)
{
    double sum = 0;
    for (int c = 0; c < l->channels; c++) {
        double p = 0.02 + 0.08 * bsr_rng_uniform(rng);
        for (uint64_t u = 0; u < l->sites; u++) {
            uint64_t count = 0;
            for (int bit = 0; bit < 32; bit++)
                count += bsr_rng_uniform(rng) < p;
            counts[(uint64_t)c * l->sites + u] = count;
            sum += (double)count / 32;
        }
    }
    return sum / ((double)l->channels * (double)l->sites);
}

static double coverage(const layer *l, uint64_t populations, uint64_t runs)
{
    uint64_t *counts = malloc((size_t)l->channels * l->sites * sizeof *counts), covered = 0;
    assert_non_null(counts);
    for (uint64_t i = 0; i < populations; i++) {
        bsr_rng rng = bsr_rng_make(11, i);
        double truth = make_layer(l, counts, &rng);
        for (uint64_t run = 0; run < runs; run++) {
            bsr_stratum c[64];
            uint64_t *channel, *site, stream = (i * runs + run) * 64;
            for (int k = 0; k < l->channels; k++)
                c[k] = cluster(l->sites, 32, NULL, 0);
            assert_int_equal(bsr_sample_indices(&channel, (uint64_t)l->channels, (uint64_t)l->drawn,
                                                12, stream, 0),
                             BSR_OK);
            for (int k = 0; k < l->drawn; k++) {
                uint64_t from = channel[k] * l->sites;
                assert_int_equal(
                    bsr_sample_indices(&site, l->sites, l->of_each, 13, stream + (uint64_t)k, 0),
                    BSR_OK);
                for (uint64_t u = 0; u < l->of_each; u++)
                    assert_int_equal(bsr_stratum_add(&c[channel[k]], counts[from + site[u]]),
                                     BSR_OK);
                bsr_free(site);
            }
            bsr_free(channel);
            bsr_estimate e;
            const bsr_clustered s = {c, (size_t)l->channels};
            assert_int_equal(bsr_two_stage(&e, &s, 1, 0.95), BSR_OK);
            covered += e.ci.lo <= truth && truth <= e.ci.hi;
        }
    }
    free(counts);
    return (double)covered / (double)(populations * runs);
}

/* From eight clusters on: 95 % intervals cover 93-97 %. */
static void test_stats_two_stage__coverage(void **state)
{
    static const layer layers[] = {
        {16, 8, 9, 9}, {64, 8, 144, 144}, {64, 8, 64, 6}, {32, 16, 144, 8}, {64, 32, 256, 8},
    };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        double share = coverage(&layers[i], 20, 100);
        if (getenv("BSR_COVERAGE_PRINT"))
            printf("%d of %d channels, %d of %d sites: %.4f\n", layers[i].drawn, layers[i].channels,
                   (int)layers[i].of_each, (int)layers[i].sites, share);
        if (!(share >= 0.93 && share <= 0.97))
            fail_msg("layer %zu: %.4f covered, expected 0.93 to 0.97", i, share);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_two_stage__by_hand),
        cmocka_unit_test(test_stats_two_stage__weights_of_strata),
        cmocka_unit_test(test_stats_two_stage__whole_clusters_are_units),
        cmocka_unit_test(test_stats_two_stage__no_variance_is_no_certainty),
        cmocka_unit_test(test_stats_two_stage__bad_arguments),
        cmocka_unit_test(test_stats_two_stage__coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
