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
#include "rng/sample.h"
#include "stats/adaptive.h"

#define IMAGES 100
#define MAX_H  32

static const bsr_adaptive usual = {0.01, INFINITY, 0.95, 50, 2, 0, 1, NULL};

static bsr_stratum stratum(uint64_t units, const uint64_t *counts, size_t n)
{
    bsr_stratum s;
    assert_int_equal(bsr_stratum_init(&s, units, IMAGES), BSR_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(bsr_stratum_add(&s, counts[i]), BSR_OK);
    return s;
}

static double half_width(const bsr_stratum *strata, size_t count)
{
    bsr_estimate e;
    assert_int_equal(bsr_stratified(&e, strata, count, 0.95), BSR_OK);
    return fmax(e.mean - e.ci.lo, e.ci.hi - e.mean);
}

/* z^2 / 0.01 = 384.15 units for a group: by weight 193 each of two equal strata. */
static void test_stats_adaptive__first_round(void **state)
{
    const uint64_t zeros[50] = {0};
    const bsr_stratum s[4] = {stratum(1000, zeros, 0), stratum(1000, zeros, 50),
                              stratum(30, zeros, 10), stratum(1000, zeros, 49)};
    const size_t group[4] = {0, 0, 1, 7};
    uint64_t more[4];
    assert_int_equal(bsr_adaptive_next(more, s, group, 4, &usual), BSR_OK);
    assert_int_equal(more[0], 193);
    assert_int_equal(more[1], 193 - 50);
    assert_int_equal(more[2], 20);
    assert_int_equal(more[3], 385 - 49);
    bsr_adaptive how = {INFINITY, 0.5, 0.95, 55, 2, 0, 1, NULL};
    assert_int_equal(bsr_adaptive_next(more, s, group, 4, &how), BSR_OK);
    assert_int_equal(more[0], 55);
    assert_int_equal(more[1], 5);
    assert_int_equal(more[2], 20);
    assert_int_equal(more[3], 6);
}

/* Two strata whose values vary by 0.1 and 0.3 about 0.5, equally large: Neyman gives 1 : 3 of a
 * total that is, the population being almost infinite, (0.1 + 0.3)^2 / (4 V). */
static void test_stats_adaptive__neyman(void **state)
{
    uint64_t a[400], b[400];
    for (int i = 0; i < 400; i++) {
        a[i] = i % 2 ? 40 : 60;
        b[i] = i % 2 ? 20 : 80;
    }
    const bsr_stratum s[2] = {stratum(UINT64_C(1) << 50, a, 400),
                              stratum(UINT64_C(1) << 50, b, 400)};
    const size_t group[2] = {3, 3};
    bsr_adaptive how = usual;
    how.growth = 1000;
    how.group_margin = 0.005;
    double v[2];
    assert_int_equal(bsr_stratified_variances(v, s, 2, 0.95, BSR_UNITS_SITES), BSR_OK);
    bsr_estimate e;
    assert_int_equal(bsr_stratified(&e, s, 2, 0.95), BSR_OK);
    double half = half_width(s, 2);
    double V = e.variance * (0.005 / half) * (0.005 / half);
    double S0 = sqrt(v[0]), S1 = sqrt(v[1]);
    assert_true(fabs(S1 - 0.3) < 0.001 && fabs(S0 - 0.1) < 0.01); /* pooling raises the smaller */
    double total = (S0 + S1) * (S0 + S1) / (4 * V);
    assert_true(fabs(total - 6147) < 400); /* 0.16 / 4 (1.96 / 0.005)^2 */
    uint64_t more[2];
    assert_int_equal(bsr_adaptive_next(more, s, group, 2, &how), BSR_OK);
    assert_true(fabs((double)more[0] + 400 - total * S0 / (S0 + S1)) <= 1.5);
    assert_true(fabs((double)more[1] + 400 - total * S1 / (S0 + S1)) <= 1.5);
    /* Cut to twice the 800 units there are, in the same proportion. */
    uint64_t cut[2];
    how.growth = 2;
    assert_int_equal(bsr_adaptive_next(cut, s, group, 2, &how), BSR_OK);
    assert_true(cut[0] + cut[1] >= 800 && cut[0] + cut[1] <= 802);
    assert_true(fabs((double)cut[0] / (double)more[0] - (double)cut[1] / (double)more[1]) < 0.02);
    /* Met, or not asked for: done. */
    how.group_margin = half * 1.001;
    assert_int_equal(bsr_adaptive_next(more, s, group, 2, &how), BSR_OK);
    assert_true(more[0] == 0 && more[1] == 0);
    how.group_margin = INFINITY;
    assert_int_equal(bsr_adaptive_next(more, s, group, 2, &how), BSR_OK);
    assert_true(more[0] == 0 && more[1] == 0);
    how.whole_margin = 0.005; /* the same demand by the other way */
    assert_int_equal(bsr_adaptive_next(more, s, group, 2, &how), BSR_OK);
    assert_true(more[0] == cut[0] && more[1] == cut[1]);
    /* As two groups only the second needs more. */
    how = usual;
    how.group_margin = half_width(&s[0], 1) * 1.001;
    const size_t apart[2] = {3, 4};
    assert_int_equal(bsr_adaptive_next(more, s, apart, 2, &how), BSR_OK);
    assert_true(more[0] == 0 && more[1] > 50);
}

/* Units asked for, of each of those that are there. */
static double ratio(const bsr_stratum s[2], const bsr_adaptive *how)
{
    const size_t group[2] = {0, 0};
    uint64_t more[2];
    assert_int_equal(bsr_adaptive_next(more, s, group, 2, how), BSR_OK);
    assert_true(more[0] > 0 && more[1] > 0);
    return (double)(more[1] + s[1].n) / (double)(more[0] + s[0].n);
}

/* Costs 1 and 1/4: the cheap stratum of the same variance gets twice the units. A stratum whose
 * units have nine faults weighs nine times as much and gets nine times the units; 9 / sqrt(1/4)
 * when it is cheap. */
static void test_stats_adaptive__costs_and_faults(void **state)
{
    uint64_t a[400], more[2];
    for (int i = 0; i < 400; i++)
        a[i] = i % 2 ? 20 : 80;
    bsr_stratum s[2] = {stratum(UINT64_C(1) << 40, a, 100), stratum(UINT64_C(1) << 40, a, 400)};
    const size_t group[2] = {0, 0};
    const double cost[2] = {1, 0.25};
    bsr_adaptive how = usual;
    how.growth = 1000;
    s[1].faults = 9;
    double by_faults = ratio(s, &how);
    how.cost = cost;
    double by_both = ratio(s, &how);
    how.group_margin = 0.005;
    s[0] = stratum(UINT64_C(1) << 40, a, 400);
    s[1].faults = 1;
    double by_cost = ratio(s, &how);
    if (fabs(by_faults / 9 - 1) > 0.02 || fabs(by_both / 18 - 1) > 0.02 ||
        fabs(by_cost / 2 - 1) > 0.01)
        fail_msg("%g, %g and %g, expected 9, 18 and 2", by_faults, by_both, by_cost);
    /* The first round: z^2 / margin = 769 units, a tenth and nine tenths of them. */
    s[0] = s[1] = stratum(1000000, a, 0);
    s[1].faults = 9;
    assert_int_equal(bsr_adaptive_next(more, s, group, 2, &how), BSR_OK);
    assert_int_equal(more[0], 77);
    assert_int_equal(more[1], 692);
}

/* A stratum that shows nothing still gets units, until its bound is small; a census ends it all. */
static void test_stats_adaptive__nothing_seen(void **state)
{
    const uint64_t zeros[1] = {0};
    const size_t group[1] = {0};
    bsr_stratum s = stratum(700, zeros, 0);
    bsr_adaptive how = usual;
    how.group_margin = 1e-9;
    int rounds = 0;
    for (;; rounds++) {
        uint64_t more;
        assert_int_equal(bsr_adaptive_next(&more, &s, group, 1, &how), BSR_OK);
        if (more == 0)
            break;
        assert_true(s.n == 0 || more <= s.n);
        s.n += more;
        assert_true(s.n <= s.units);
    }
    assert_true(s.n == 700 && rounds < 10);

    s = stratum(1000000, zeros, 0);
    for (rounds = 0;; rounds++) {
        uint64_t more;
        assert_int_equal(bsr_adaptive_next(&more, &s, group, 1, &usual), BSR_OK);
        if (more == 0)
            break;
        s.n += more;
    }
    /* Wilson's bound z^2 / (n + z^2) is 0.01 at n = 381; that of an unknown variance wants more. */
    assert_true(half_width(&s, 1) <= 0.01 && s.n > 381 && s.n < 800 && rounds < 10);
}

static void fails(bsr_adaptive how, size_t count, const char *message)
{
    const uint64_t zeros[1] = {0};
    const bsr_stratum s[2] = {stratum(10, zeros, 1), stratum(10, zeros, 1)};
    const size_t group[2] = {5, 4};
    uint64_t more[2];
    assert_int_equal(bsr_adaptive_next(more, s, group, count, &how), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), message);
}

static void test_stats_adaptive__bad_arguments(void **state)
{
    fails(usual, 0, "adaptive sampling: 0 strata, expected at least 1");
    fails(usual, 2, "adaptive sampling: stratum 1 has group 4 after 5");
    bsr_adaptive how = usual;
    how.whole_margin = 0;
    fails(how, 1, "adaptive sampling: margins are 0.01 and 0, expected above 0");
    how = usual;
    how.confidence = 1;
    fails(how, 1, "adaptive sampling: confidence is 1, expected between 0 and 1");
    how = usual;
    how.first = 1;
    fails(how, 1, "adaptive sampling: 1 first units, expected at least 2");
    how = usual;
    how.growth = 1;
    fails(how, 1, "adaptive sampling: growth is 1, expected above 1");
}

static void test_stats_adaptive__every_allocation_may_fail(void **state)
{
    uint64_t counts[400];
    for (uint64_t i = 0; i < 400; i++)
        counts[i] = i * 37 % 101;
    const bsr_stratum s[2] = {stratum(5000, counts, 400), stratum(5000, counts, 390)};
    const size_t group[2] = {0, 1};
    uint64_t want[2], more[2];
    assert_int_equal(bsr_adaptive_next(want, s, group, 2, &usual), BSR_OK);
    for (long n = 1;; n++) {
        bsr_alloc_fail_after(n);
        bsr_status status = bsr_adaptive_next(more, s, group, 2, &usual);
        if (bsr_alloc_fail_pending()) {
            bsr_alloc_fail_after(0);
            assert_int_equal(status, BSR_OK);
            assert_memory_equal(more, want, sizeof want);
            assert_true(n > 3);
            break;
        }
        assert_int_equal(status, BSR_ENOMEM);
    }
}

/* --- coverage at the end of a sequential run ----------------------------------------------------
 */

/* Layers of sites, or of one stratum for each of some bits. A share `large` of a stratum's units is
 * 0.1 to 0.6, a share `small` up to 1/32, the others are 0. */
typedef struct kind {
    uint64_t units;
    size_t group;
    double small;
    double large;
} kind;

typedef struct setting {
    const char *name;
    const kind *kinds;
    size_t count;
    bsr_adaptive how;
    double high;
} setting;

static uint64_t unit_count(const kind *k, uint64_t h, uint64_t population, uint64_t unit)
{
    bsr_rng rng = bsr_rng_make(population, h);
    bsr_rng_seek(&rng, unit * 4);
    double u = bsr_rng_uniform(&rng);
    double share = bsr_rng_uniform(&rng);
    double value = u < k->large ? 0.1 + 0.5 * share : u < k->large + k->small ? share / 32 : 0;
    return (uint64_t)(value * IMAGES + 0.5);
}

typedef struct tally {
    int intervals;
    int covered;
    int whole_covered;
    int runs;
    int rounds;
    double units;
} tally;

static void run(tally *t, const setting *set, unsigned char *const counts[], const double *truth,
                double whole, uint64_t seed)
{
    bsr_stratum strata[MAX_H];
    bsr_sample *samples[MAX_H];
    size_t group[MAX_H];
    for (size_t h = 0; h < set->count; h++) {
        assert_int_equal(bsr_stratum_init(&strata[h], set->kinds[h].units, IMAGES), BSR_OK);
        assert_int_equal(bsr_sample_new(&samples[h], set->kinds[h].units, seed, h), BSR_OK);
        group[h] = set->kinds[h].group;
    }
    for (uint64_t asked = 1; asked > 0; t->rounds++) {
        uint64_t more[MAX_H];
        assert_int_equal(bsr_adaptive_next(more, strata, group, set->count, &set->how), BSR_OK);
        asked = 0;
        for (size_t h = 0; h < set->count; h++) {
            asked += more[h];
            for (uint64_t i = 0; i < more[h]; i++) {
                uint64_t unit;
                assert_int_equal(bsr_sample_next(samples[h], &unit), BSR_OK);
                assert_int_equal(bsr_stratum_add(&strata[h], counts[h][unit]), BSR_OK);
            }
        }
    }
    bsr_estimate e;
    for (size_t from = 0, to; from < set->count; from = to) {
        for (to = from + 1; to < set->count && group[to] == group[from]; to++)
            ;
        assert_int_equal(bsr_stratified(&e, &strata[from], to - from, 0.95), BSR_OK);
        assert_true(fmax(e.mean - e.ci.lo, e.ci.hi - e.mean) <= set->how.group_margin);
        t->intervals++;
        t->covered += e.ci.lo <= truth[group[from]] && truth[group[from]] <= e.ci.hi;
    }
    assert_int_equal(bsr_stratified(&e, strata, set->count, 0.95), BSR_OK);
    assert_true(fmax(e.mean - e.ci.lo, e.ci.hi - e.mean) <= set->how.whole_margin);
    t->whole_covered += e.ci.lo <= whole && whole <= e.ci.hi;
    t->runs++;
    for (size_t h = 0; h < set->count; h++) {
        t->units += (double)strata[h].n;
        bsr_sample_free(samples[h]);
    }
}

static void simulate(const setting *set, uint64_t populations, uint64_t runs)
{
    tally t = {0};
    for (uint64_t p = 0; p < populations; p++) {
        unsigned char *counts[MAX_H];
        double truth[MAX_H] = {0}, units[MAX_H] = {0}, whole = 0, all = 0;
        for (size_t h = 0; h < set->count; h++) {
            const kind *k = &set->kinds[h];
            counts[h] = malloc(k->units);
            assert_non_null(counts[h]);
            for (uint64_t i = 0; i < k->units; i++) {
                counts[h][i] = (unsigned char)unit_count(k, h, p, i);
                truth[k->group] += counts[h][i] / (double)IMAGES;
            }
            units[k->group] += (double)k->units;
        }
        for (size_t g = 0; g < MAX_H; g++) {
            whole += truth[g];
            all += units[g];
            truth[g] /= fmax(units[g], 1);
        }
        for (uint64_t r = 0; r < runs; r++)
            run(&t, set, counts, truth, whole / all, 1000 + p * runs + r);
        for (size_t h = 0; h < set->count; h++)
            free(counts[h]);
    }
    double covered = (double)t.covered / t.intervals;
    double whole_covered = (double)t.whole_covered / t.runs;
    if (getenv("BSR_COVERAGE_PRINT"))
        printf("%-22s groups %.4f, whole %.4f, %.0f units in %.1f rounds\n", set->name, covered,
               whole_covered, t.units / t.runs, (double)t.rounds / t.runs);
    if (!isinf(set->how.group_margin) && !(covered >= 0.93 && covered <= set->high))
        fail_msg("%s: groups covered %g", set->name, covered);
    if (!isinf(set->how.whole_margin) && !(whole_covered >= 0.93 && whole_covered <= set->high))
        fail_msg("%s: whole covered %g", set->name, whole_covered);
}

/* 4000 group intervals a row in the first two, 800 of the whole in the third: standard errors 0.35
 * and 0.8 %. A stratum of bits in which nothing is critical widens the intervals of its group. */
static void test_stats_adaptive__coverage(void **state)
{
    static const kind sites[] = {{2304, 0, 0.6, 0.03},
                                 {4608, 1, 0.6, 0.02},
                                 {9216, 2, 0.3, 0.04},
                                 {18432, 3, 0.6, 0.02},
                                 {36864, 4, 0.6, 0.01}};
    static const kind bits[] = {{2304, 0, 1, 0},     {2304, 0, 0.5, 0.5}, {2304, 0, 0, 0.02},
                                {2304, 0, 0, 0},     {18432, 1, 1, 0},    {18432, 1, 0.5, 0.5},
                                {18432, 1, 0, 0.02}, {18432, 1, 0, 0}};
    static const setting settings[] = {
        {"sites, 0.5 %", sites, 5, {0.005, INFINITY, 0.95, 50, 2, 0, 1, NULL}, 0.97},
        {"sites, 1 %", sites, 5, {0.01, INFINITY, 0.95, 50, 2, 0, 1, NULL}, 0.97},
        {"sites, whole 0.2 %", sites, 5, {INFINITY, 0.002, 0.95, 50, 2, 0, 1, NULL}, 0.97},
        {"bits, 1 %", bits, 8, {0.01, INFINITY, 0.95, 50, 2, 0, 1, NULL}, 1},
        {"bits, 0.5 %", bits, 8, {0.005, 0.005, 0.95, 50, 2, 0, 1, NULL}, 1},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        simulate(&settings[i], 4, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_adaptive__first_round),
        cmocka_unit_test(test_stats_adaptive__neyman),
        cmocka_unit_test(test_stats_adaptive__costs_and_faults),
        cmocka_unit_test(test_stats_adaptive__nothing_seen),
        cmocka_unit_test(test_stats_adaptive__bad_arguments),
        cmocka_unit_test(test_stats_adaptive__every_allocation_may_fail),
        cmocka_unit_test(test_stats_adaptive__coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
