/* How often the intervals hold the truth. Proportions are enumerated exactly; the stratified
 * estimate is simulated with fixed seeds. BSR_COVERAGE_PRINT=1 prints the simulated figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "rng/philox.h"
#include "rng/sample.h"
#include "stats/interval.h"
#include "stats/special.h"
#include "stats/stratified.h"

typedef bsr_interval (*interval_fn)(double x, double n, double N);

static bsr_interval wilson(double x, double n, double N)
{
    return bsr_wilson(x, n, N, 0.95);
}

static bsr_interval exact(double x, double n, double N)
{
    return bsr_clopper_pearson(x, n, 0.95);
}

/* Probability that the interval from n binomial draws holds p. */
static double coverage(interval_fn interval, int n, double p)
{
    double sum = 0;
    for (int x = 0; x <= n; x++) {
        bsr_interval ci = interval(x, n, 0);
        if (ci.lo <= p && p <= ci.hi)
            sum += exp(lgamma(n + 1) - lgamma(x + 1) - lgamma(n - x + 1) + x * log(p) +
                       (n - x) * log1p(-p));
    }
    return sum;
}

static double log_choose(double n, double k)
{
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

/* The same for n draws without replacement from N units with K successes. */
static double finite_coverage(int n, int N, int K)
{
    double sum = 0;
    for (int x = n + K > N ? n + K - N : 0; x <= n && x <= K; x++) {
        bsr_interval ci = wilson(x, n, N);
        if (ci.lo <= (double)K / N && (double)K / N <= ci.hi)
            sum += exp(log_choose(K, x) + log_choose(N - K, n - x) - log_choose(N, n));
    }
    return sum;
}

static void assert_between(double x, double low, double high)
{
    if (!(x >= low && x <= high))
        fail_msg("%.5f is not in %.5f..%.5f", x, low, high);
}

/* L. D. Brown, T. T. Cai, A. DasGupta, "Interval estimation for a binomial proportion", Statistical
 * Science 16, 2001: Wilson's mean coverage over p is close to nominal for all n; the infimum near
 * the ends tends to 0.838 at n p = 0.1765. */
static void test_stats_coverage__wilson(void **state)
{
    static const int sizes[] = {20, 50, 100, 400};
    for (size_t i = 0; i < 4; i++) {
        int n = sizes[i];
        double mean = 0;
        for (int k = 1; k < 500; k++)
            mean += coverage(wilson, n, k / 500.0) / 499;
        assert_between(mean, 0.945, 0.96);
        for (double p = 0.2; p < 0.805; p += 0.01)
            assert_between(coverage(wilson, n, p), n < 50 ? 0.92 : 0.93, 0.98);
    }
    for (double p = 0.05; p < 0.5; p += 0.05)
        assert_between(coverage(wilson, 1000, p), 0.93, 0.97);
    assert_between(coverage(wilson, 1000, 0.1765 / 1000), 0.836, 0.84);
}

static void test_stats_coverage__clopper_pearson(void **state)
{
    for (int n = 5; n <= 80; n += 25)
        for (int k = 1; k < 200; k++)
            assert_between(coverage(exact, n, k / 200.0), 0.95, 1.0000001);
    assert_between(coverage(exact, 1000, 0.1765 / 1000), 0.95, 1.0000001);
}

static void test_stats_coverage__wilson_finite(void **state)
{
    static const int sizes[][2] = {{50, 100}, {200, 400}, {300, 400}, {100, 1000}, {400, 5000}};
    for (size_t i = 0; i < 5; i++) {
        int n = sizes[i][0];
        int N = sizes[i][1];
        double mean = 0;
        for (int K = 1; K < N; K++)
            mean += finite_coverage(n, N, K) / (N - 1);
        assert_between(mean, 0.94, 0.97);
    }
}

/* --- stratified estimate -----------------------------------------------------------------------
 */

#define STRATA 12
#define DENOM  3200 /* 32 bits of 100 images */

/* A network's layers as populations of sites: most sites have 0 or 1 critical bit, for a share of
 * the images, some 1 to 3, and a few (share `large`) 10 to 60 %. `spread` scales the share of large
 * sites from layer to layer. */
typedef struct setting {
    const char *name;
    double zero;
    double large;
    int spread;
    uint64_t n; /* sites per layer; 0: one in 70, but 20 to 400 */
    double low; /* bounds of the coverage at nominal 0.95 */
    double high;
} setting;

static const uint64_t layer_units[STRATA] = {432,  2304,  2304,  2304,  4608,  9216,
                                             9216, 18432, 36864, 36864, 36864, 640};

static uint64_t site_count(bsr_rng *rng, const setting *s, double large)
{
    double kind = bsr_rng_uniform(rng);
    double share = bsr_rng_uniform(rng);
    double value = share / 32;
    if (bsr_rng_uniform(rng) < large)
        value = 0.1 + 0.5 * share;
    else if (kind < s->zero)
        value = 0;
    else if (kind > 0.9)
        value = (1 + 2 * share) / 32;
    return (uint64_t)(value * DENOM + 0.5);
}

typedef struct layer {
    uint32_t *counts;
    uint64_t n;
} layer;

/* Fills the layers and returns the mean of all sites. */
static double make_population(layer *layers, const setting *s, uint64_t seed)
{
    double sum = 0;
    double units = 0;
    for (uint64_t h = 0; h < STRATA; h++) {
        uint64_t N = layer_units[h];
        bsr_rng rng = bsr_rng_make(seed, h);
        double large = s->large;
        if (s->spread)
            large *= 0.25 + 1.5 * bsr_rng_uniform(&rng);
        layers[h].counts = malloc(N * sizeof *layers[h].counts);
        assert_non_null(layers[h].counts);
        for (uint64_t i = 0; i < N; i++) {
            layers[h].counts[i] = (uint32_t)site_count(&rng, s, large);
            sum += layers[h].counts[i];
        }
        units += (double)N;
        uint64_t n = N / 70;
        layers[h].n = s->n ? s->n : n < 20 ? 20 : n > 400 ? 400 : n;
    }
    return sum / units / DENOM;
}

static void draw_layer(bsr_stratum *out, const layer *from, uint64_t N, uint64_t seed,
                       uint64_t stream)
{
    bsr_sample *sample;
    assert_int_equal(bsr_stratum_init(out, N, DENOM), BSR_OK);
    assert_int_equal(bsr_sample_new(&sample, N, seed, stream), BSR_OK);
    for (uint64_t i = 0; i < from->n; i++) {
        uint64_t unit;
        assert_int_equal(bsr_sample_next(sample, &unit), BSR_OK);
        assert_int_equal(bsr_stratum_add(out, from->counts[unit]), BSR_OK);
    }
    bsr_sample_free(sample);
}

/* Does the textbook interval (Cochran 5.15), mean +- t sqrt(variance) without any floor, hold the
 * truth? Printed for comparison. */
static int plain_covers(const bsr_stratum *strata, double truth)
{
    double units = 0;
    double mean = 0;
    double variance = 0;
    double df = 0;
    for (size_t h = 0; h < STRATA; h++)
        units += (double)strata[h].units;
    for (size_t h = 0; h < STRATA; h++) {
        double W = (double)strata[h].units / units;
        double n = (double)strata[h].n;
        double v = W * W * (1 - n / (double)strata[h].units) / n * bsr_stratum_variance(&strata[h]);
        mean += W * bsr_stratum_mean(&strata[h]);
        variance += v;
        df += v * v / (n - 1);
    }
    double t = variance > 0 ? bsr_student_quantile(0.95, variance * variance / df) : 0;
    return fabs(mean - truth) <= t * sqrt(variance);
}

static double simulate(const setting *s, uint64_t populations, uint64_t runs)
{
    uint64_t below = 0; /* intervals wholly below the truth, and above */
    uint64_t above = 0;
    double width = 0;
    uint64_t plain = 0;
    for (uint64_t seed = 1; seed <= populations; seed++) {
        layer layers[STRATA];
        double truth = make_population(layers, s, seed);
        for (uint64_t run = 0; run < runs; run++) {
            bsr_stratum strata[STRATA];
            for (uint64_t h = 0; h < STRATA; h++)
                draw_layer(&strata[h], &layers[h], layer_units[h], 1000 + seed, run * STRATA + h);
            bsr_estimate e;
            assert_int_equal(bsr_stratified(&e, strata, STRATA, 0.95), BSR_OK);
            below += e.ci.hi < truth;
            above += e.ci.lo > truth;
            width += e.ci.hi - e.ci.lo;
            plain += plain_covers(strata, truth);
        }
        for (size_t h = 0; h < STRATA; h++)
            free(layers[h].counts);
    }
    double total = (double)(populations * runs);
    double covered = 1 - (double)(below + above) / total;
    if (getenv("BSR_COVERAGE_PRINT"))
        printf("%-28s %.4f (below %.4f, above %.4f), width %.4f, plain t %.4f\n", s->name, covered,
               (double)below / total, (double)above / total, width / total, (double)plain / total);
    return covered;
}

/* With 4000 runs a coverage of 0.95 has a standard error of 0.0034. */
static void test_stats_coverage__stratified(void **state)
{
    static const setting settings[] = {
        {"proportional", 0.3, 0.01, 0, 0, 0.93, 0.97},
        {"proportional, uneven", 0.3, 0.01, 1, 0, 0.93, 0.97},
        {"proportional, sparse", 0.7, 0.01, 1, 0, 0.93, 0.97},
        {"proportional, many large", 0.3, 0.03, 1, 0, 0.93, 0.97},
        {"proportional, none large", 0.3, 0, 0, 0, 0.93, 0.97},
        {"200 each", 0.3, 0.01, 1, 200, 0.93, 0.97},
        {"60 each, many large", 0.3, 0.03, 1, 60, 0.93, 0.97},
        {"20 each, none large", 0.3, 0, 0, 20, 0.93, 0.97},
        /* Too few large sites are seen for any interval from the sample alone. */
        {"60 each", 0.3, 0.01, 1, 60, 0.88, 0.97},
        {"20 each", 0.3, 0.01, 1, 20, 0.88, 0.97},
        /* Layers without observed variance: too wide rather than too narrow. */
        {"20 each, nearly all zero", 1, 0.002, 0, 20, 0.93, 1},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        assert_between(simulate(&settings[i], 4, 1000), settings[i].low, settings[i].high);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_coverage__wilson),
        cmocka_unit_test(test_stats_coverage__clopper_pearson),
        cmocka_unit_test(test_stats_coverage__wilson_finite),
        cmocka_unit_test(test_stats_coverage__stratified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
