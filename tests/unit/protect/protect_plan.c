#include "unit/store/fixtures.h"

#include <math.h>

#include "base/alloc.h"
#include "protect/protect_plan.h"

/* Three groups, by hand: group 0 has (2, 6) and (5, 7); group 1 (1, 1), (3, 6); group 2 (4, 4).
 * Hulls: 0: slopes 3, 1/3; 1: the vertex (3, 6) of slope 2 hides (1, 1); 2: slope 1. */
static const bsr_choice a[] = {{2, 6}, {5, 7}}, b[] = {{1, 1}, {3, 6}}, c[] = {{4, 4}};
static const bsr_choices three[] = {{a, 2}, {b, 2}, {c, 1}};

static void assert_step(const bsr_upgrade *s, int group, int option, uint64_t cost, double gain)
{
    assert_int_equal(s->group, group);
    assert_int_equal(s->option, option);
    assert_int_equal(s->cost, cost);
    assert_true(fabs(s->gain - gain) < 1e-9);
}

static void test_protect_plan__by_hand(void **state)
{
    bsr_upgrade *s;
    size_t n;
    assert_int_equal(bsr_choose(&s, &n, three, 3, INFINITY, UINT64_MAX / 2), BSR_OK);
    assert_int_equal(n, 4);
    assert_step(&s[0], 0, 0, 2, 6);
    assert_step(&s[1], 1, 1, 5, 12);
    assert_step(&s[2], 2, 0, 9, 16);
    assert_step(&s[3], 0, 1, 12, 17);
    bsr_free(s);

    /* 7 is reached for 3 bits by (2, 6) and (1, 1), cheaper than the hull's 5. */
    assert_int_equal(bsr_choose(&s, &n, three, 3, 7, UINT64_MAX / 2), BSR_OK);
    assert_int_equal(n, 2);
    assert_step(&s[0], 0, 0, 2, 6);
    assert_step(&s[1], 1, 0, 3, 7);
    bsr_free(s);

    /* 4 bits: after (2, 6) the hull's step to (3, 6) does not fit, (1, 1) does. */
    assert_int_equal(bsr_choose(&s, &n, three, 3, INFINITY, 4), BSR_OK);
    assert_int_equal(n, 2);
    assert_step(&s[1], 1, 0, 3, 7);
    bsr_free(s);

    assert_int_equal(bsr_choose(&s, &n, three, 3, 0, UINT64_MAX / 2), BSR_OK);
    assert_int_equal(n, 0);
    bsr_free(s);
    assert_int_equal(bsr_choose(&s, &n, three, 3, 100, UINT64_MAX / 2), BSR_OK);
    assert_int_equal(n, 4);
    bsr_free(s);
}

#define GROUPS  4
#define OPTIONS 3

/* All choices: the greatest gain for at most `budget`, the least cost of at least `enough`. */
static void search(const bsr_choices *g, uint64_t budget, double enough, double *most,
                   uint64_t *least)
{
    *most = 0;
    *least = UINT64_MAX;
    for (int code = 0; code < 256; code++) {
        uint64_t cost = 0;
        double gain = 0;
        for (int i = 0, rest = code; i < GROUPS; i++, rest /= 4)
            if (rest % 4 < OPTIONS) {
                cost += g[i].options[rest % 4].cost;
                gain += g[i].options[rest % 4].gain;
            }
        if (cost <= budget && gain > *most)
            *most = gain;
        if (gain >= enough - 1e-9 && cost < *least)
            *least = cost;
    }
}

/* The greatest cost and gain of one option bound what greedy can lose. */
static void test_protect_plan__against_exhaustive(void **state)
{
    uint32_t seed = 7;
    int exact = 0, trials = 0;
    for (int round = 0; round < 300; round++) {
        bsr_choice options[GROUPS][OPTIONS];
        bsr_choices g[GROUPS];
        double top_gain = 0, all = 0;
        uint64_t top_cost = 0;
        for (int i = 0; i < GROUPS; i++) {
            double best = 0;
            for (int k = 0; k < OPTIONS; k++) {
                seed = seed * 1664525u + 1013904223u;
                options[i][k] = (bsr_choice){1 + (seed >> 24) % 30, 1 + (seed >> 12) % 50};
                top_cost = options[i][k].cost > top_cost ? options[i][k].cost : top_cost;
                best = fmax(best, options[i][k].gain);
            }
            top_gain = fmax(top_gain, best);
            all += best;
            g[i] = (bsr_choices){options[i], OPTIONS};
        }
        for (int part = 1; part <= 4; part++) {
            bsr_upgrade *s;
            size_t n;
            double most, enough = floor(all * part / 4);
            uint64_t least, budget = (uint64_t)(10 * part);
            search(g, budget, enough, &most, &least);
            assert_int_equal(bsr_choose(&s, &n, g, GROUPS, INFINITY, budget), BSR_OK);
            assert_true(n == 0 || s[n - 1].cost <= budget);
            double got = n ? s[n - 1].gain : 0;
            assert_true(got <= most + 1e-9 && got > most - top_gain - 1e-9);
            bsr_free(s);
            assert_int_equal(bsr_choose(&s, &n, g, GROUPS, enough, UINT64_MAX / 2), BSR_OK);
            assert_true(n && s[n - 1].gain >= enough - 1e-9);
            assert_true(s[n - 1].cost >= least && s[n - 1].cost < least + top_cost);
            exact += s[n - 1].cost == least;
            trials++;
            bsr_free(s);
        }
        /* Every step of the hull is the best choice for what it costs. */
        bsr_upgrade *s;
        size_t n;
        assert_int_equal(bsr_choose(&s, &n, g, GROUPS, INFINITY, UINT64_MAX / 2), BSR_OK);
        for (size_t i = 0; i < n; i++) {
            double most;
            uint64_t least;
            search(g, s[i].cost, s[i].gain, &most, &least);
            assert_true(fabs(most - s[i].gain) < 1e-9);
        }
        bsr_free(s);
    }
    /* Far more than a bound would tell. */
    assert_true(exact > trials * 3 / 4);
}

static void test_protect_plan__allocation_fails(void **state)
{
    bsr_upgrade *s;
    size_t n;
    int failed = 0;
    for (long at = 1;; at++) {
        bsr_alloc_fail_after(at);
        bsr_status status = bsr_choose(&s, &n, three, 3, INFINITY, UINT64_MAX / 2);
        int pending = bsr_alloc_fail_pending();
        bsr_alloc_fail_after(0);
        if (pending) {
            assert_int_equal(status, BSR_OK);
            bsr_free(s);
            break;
        }
        assert_int_equal(status, BSR_ENOMEM);
        assert_null(s);
        failed++;
    }
    assert_true(failed >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_protect_plan__by_hand),
        cmocka_unit_test(test_protect_plan__against_exhaustive),
        cmocka_unit_test(test_protect_plan__allocation_fails),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
