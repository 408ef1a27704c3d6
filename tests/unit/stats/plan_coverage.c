/* Coverage of layer intervals under the plans of statistical fault injection, by simulation with
 * fixed seeds. BSR_COVERAGE_PRINT=1 prints the figures of docs/theory/estimators.md.
 *
 * A unit is a (weight, bit); its value is the share of 100 images for which its flip is critical.
 * Of the flips of bit i a share 2 p(i) is critical for some images, uniformly many; p(i) is what
 * the sample sizes published with A. Ruospo et al., DATE 2023, give away. So bits 22 to 0 are
 * critical once in 10000, bit 30 half of the time, and a layer's share is about 1.7 %. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "rng/philox.h"
#include "stats/sample_size.h"
#include "stats/stratified.h"

#define BITS   32
#define IMAGES 100

/* Of ResNet-20's layers. */
static const uint64_t layer_weights[] = {432, 2304, 9216, 36864};

#define LAYERS (sizeof layer_weights / sizeof *layer_weights)

static double bit_p(int bit)
{
    static const double p[10] = {0.000105, 0.00036, 0.0052,  0.0277, 0.0034,
                                 0.00047,  0.00045, 0.00045, 0.5,    0.00214};
    return p[bit < 23 ? 0 : bit - 22];
}

/* The critical units of one layer and bit; all others have count 0. */
typedef struct cell {
    uint64_t units;
    uint64_t critical;
    unsigned char *counts;
} cell;

static void make_layer(cell cells[BITS], uint64_t weights, uint64_t seed)
{
    bsr_rng rng = bsr_rng_make(seed, weights);
    for (int bit = 0; bit < BITS; bit++) {
        cells[bit] = (cell){.units = weights, .counts = malloc(weights)};
        assert_non_null(cells[bit].counts);
        for (uint64_t i = 0; i < weights; i++) {
            double u = bsr_rng_uniform(&rng);
            uint64_t count = bsr_rng_below(&rng, IMAGES + 1);
            if (u < 2 * bit_p(bit) && count > 0)
                cells[bit].counts[cells[bit].critical++] = (unsigned char)count;
        }
    }
}

/* Observes n of the units of `count` cells taken together. Selection sampling (Knuth, TAOCP 2,
 * 3.4.2, algorithm S) with the critical units first, so that the others need not be visited. */
static bsr_stratum observe(const cell *cells, int count, uint64_t n, bsr_rng *rng)
{
    uint64_t units = 0;
    for (int i = 0; i < count; i++)
        units += cells[i].units;
    bsr_stratum s;
    assert_int_equal(bsr_stratum_init(&s, units, IMAGES), BSR_OK);
    uint64_t left = units;
    for (int i = 0; i < count; i++)
        for (uint64_t k = 0; k < cells[i].critical; k++, left--)
            if (bsr_rng_uniform(rng) * (double)left < (double)(n - s.n))
                assert_int_equal(bsr_stratum_add(&s, cells[i].counts[k]), BSR_OK);
    s.n = n; /* the rest are zeros */
    return s;
}

typedef enum plan { LAYER_WISE, DATA_UNAWARE, DATA_AWARE } plan;

static uint64_t size_of(uint64_t N, double p, double margin)
{
    uint64_t n;
    assert_int_equal(bsr_sample_size(&n, N, margin, BSR_T95, fmax(p, 1e-4)), BSR_OK);
    return n;
}

typedef struct tally {
    int runs;
    int below; /* intervals wholly below the truth, and above */
    int above;
    double width;
    double n;
} tally;

static void run_layer(tally *t, const cell cells[BITS], plan what, double margin, double truth,
                      bsr_rng *rng)
{
    bsr_stratum strata[BITS];
    size_t count = BITS;
    if (what == LAYER_WISE) {
        strata[0] = observe(cells, BITS, size_of(BITS * cells[0].units, 0.5, margin), rng);
        count = 1;
    }
    for (int bit = 0; what != LAYER_WISE && bit < BITS; bit++) {
        double p = what == DATA_AWARE ? bit_p(bit) : 0.5;
        strata[bit] = observe(&cells[bit], 1, size_of(cells[bit].units, p, margin), rng);
    }
    bsr_estimate e;
    assert_int_equal(bsr_stratified_faults(&e, strata, count, 0.95), BSR_OK);
    t->runs++;
    t->below += e.ci.hi < truth;
    t->above += e.ci.lo > truth;
    t->width += e.ci.hi - e.ci.lo;
    for (size_t i = 0; i < count; i++)
        t->n += (double)strata[i].n;
}

static double simulate(plan what, double margin, uint64_t weights, int populations, int runs,
                       double *width)
{
    tally t = {0};
    double mean = 0;
    for (int p = 0; p < populations; p++) {
        cell cells[BITS];
        make_layer(cells, weights, (uint64_t)p);
        double truth = 0;
        for (int bit = 0; bit < BITS; bit++)
            for (uint64_t k = 0; k < cells[bit].critical; k++)
                truth += cells[bit].counts[k];
        truth /= (double)weights * BITS * IMAGES;
        mean += truth / populations;
        bsr_rng rng = bsr_rng_make(1000 + (uint64_t)p, (uint64_t)what);
        for (int run = 0; run < runs; run++)
            run_layer(&t, cells, what, margin, truth, &rng);
        for (int bit = 0; bit < BITS; bit++)
            free(cells[bit].counts);
    }
    if (getenv("BSR_COVERAGE_PRINT"))
        printf("plan %d, margin %.2f, %6d weights: n %7.0f, mean %.4f, covered %.3f (below %.3f, "
               "above %.3f), "
               "width %.5f\n",
               (int)what, margin, (int)weights, t.n / t.runs, mean,
               1 - (double)(t.below + t.above) / t.runs, (double)t.below / t.runs,
               (double)t.above / t.runs, t.width / t.runs);
    *width = t.width / t.runs;
    return 1 - (double)(t.below + t.above) / t.runs;
}

/* With 800 runs or more a coverage of 0.95 has a standard error below 0.008. The data-aware plan
 * draws five units of each of 23 bits and sees nothing: what they leave open decides, and the
 * interval is wide. Were they not collapsed, it would be half as wide again. */
static void test_stats_plan_coverage__layers(void **state)
{
    for (plan what = LAYER_WISE; what <= DATA_AWARE; what++)
        for (size_t i = 0; i < LAYERS; i++) {
            double width;
            int runs = layer_weights[i] > 10000 ? 200 : 500;
            double covered = simulate(what, 0.01, layer_weights[i], 4, runs, &width);
            assert_true(covered >= 0.93);
            assert_true(covered <= (what == DATA_AWARE ? 1 : 0.97));
            assert_true(width < (what == LAYER_WISE ? 0.005 : what == DATA_UNAWARE ? 5e-4 : 0.045));
        }
}

/* Wide margins draw few faults. Where less than about twenty critical faults are expected the
 * interval may cover more than it says, never much less. */
static void test_stats_plan_coverage__few_faults(void **state)
{
    static const double margins[] = {0.02, 0.05, 0.1};
    for (plan what = LAYER_WISE; what <= DATA_AWARE; what++)
        for (size_t m = 0; m < sizeof margins / sizeof *margins; m++)
            for (size_t i = 0; i < LAYERS; i += 2) {
                double width;
                assert_true(simulate(what, margins[m], layer_weights[i], 4, 250, &width) >= 0.93);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_plan_coverage__few_faults),
        cmocka_unit_test(test_stats_plan_coverage__layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
