#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "report/svg_axis.h"

static void check_ticks(bsr_axis a, int n, const double *ticks)
{
    assert_int_equal(a.n_ticks, n);
    for (int i = 0; i < n; i++)
        if (a.ticks[i] != ticks[i])
            fail_msg("tick %d is %.17g, expected %.17g", i, a.ticks[i], ticks[i]);
}

/* By hand: the least step of 1, 2, 5 times a power of ten that is at least a fifth of the range. */
static void test_report_svg_axis__linear(void **state)
{
    bsr_axis a = bsr_axis_linear(0, 0.0343, 5, 1);
    check_ticks(a, 5, (const double[]){0, 0.01, 0.02, 0.03, 0.04});
    assert_int_equal(a.decimals, 0);
    a = bsr_axis_linear(0, 1, 5, 1);
    check_ticks(a, 6, (const double[]){0, 0.2, 0.4, 0.6, 0.8, 1});
    a = bsr_axis_linear(0, 0.0004, 5, 1);
    check_ticks(a, 5, (const double[]){0, 1e-4, 2e-4, 3e-4, 4e-4});
    assert_int_equal(a.decimals, 2);
    a = bsr_axis_linear(-3, 12, 5, 0);
    check_ticks(a, 5, (const double[]){-5, 0, 5, 10, 15});
    assert_int_equal(a.decimals, 0);
    a = bsr_axis_linear(0, 0, 5, 1);
    assert_true(a.lo == 0 && a.hi == 0.01);
}

static void test_report_svg_axis__log(void **state)
{
    bsr_axis a = bsr_axis_log(1e-6, 1e-3, 0);
    check_ticks(a, 4, (const double[]){1e-6, 1e-5, 1e-4, 1e-3});
    a.from = 10;
    a.to = 40;
    a.zero = 2;
    assert_true(fabs(bsr_axis_at(&a, 1e-5) - 20) < 1e-9);
    assert_true(fabs(bsr_axis_at(&a, sqrt(1e-9)) - 25) < 1e-9);
    assert_true(bsr_axis_at(&a, 1e-9) == 10);
    assert_true(bsr_axis_at(&a, 0) == 2);
    a = bsr_axis_log(3e-4, 0.44, 1);
    assert_true(a.lo == 2e-4 && a.hi == 0.5);
    check_ticks(a, 3, (const double[]){1e-3, 1e-2, 1e-1});
    a = bsr_axis_log(3, 8, 0);
    check_ticks(a, 3, (const double[]){2, 5, 10});
    a = bsr_axis_log(1, 1, 0);
    check_ticks(a, 2, (const double[]){1, 2});
    a = bsr_axis_log(1e-20, 1, 0); /* 21 powers: every third */
    assert_int_equal(a.n_ticks, 7);
    assert_true(a.ticks[6] == 1 && a.ticks[5] == 1e-3 && a.ticks[0] == 1e-18);
}

/* Every power of ten is a tick of itself, whatever the logarithm rounds to. */
static void test_report_svg_axis__powers(void **state)
{
    static const double powers[] = {1e-22, 1e-15, 1e-9, 1e-5, 1e-3, 1e-1, 1, 1e1, 1e6, 1e15, 1e22};
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++) {
        bsr_axis a = bsr_axis_log(powers[i], powers[i] * 1.5, 0);
        assert_true(a.lo == powers[i]);
        assert_true(a.ticks[0] == powers[i]);
        assert_int_equal(a.n_ticks, 2);
    }
}

static void test_report_svg_axis__choice(void **state)
{
    bsr_spread s = BSR_SPREAD_INIT;
    bsr_spread_add(&s, (bsr_share){NAN, 0, 1});
    assert_true(s.highest == 0 && s.zeros == 0);
    bsr_spread_add(&s, (bsr_share){0.3, 0.2, 0.4});
    bsr_spread_add(&s, (bsr_share){0.01, 0.01, 0.01});
    assert_int_equal(s.intervals, 1);
    assert_false(bsr_axis_for(&s, 5).log);
    assert_true(bsr_axis_for(&s, 5).hi == 0.4);
    bsr_spread_add(&s, (bsr_share){0.004, 1e-6, 0.02});
    bsr_axis a = bsr_axis_for(&s, 5);
    assert_true(a.log && a.lo == 2e-4 && a.hi == 0.5); /* 0.0004, a decade below, rounded down */
    assert_int_equal(s.zeros, 0);
    bsr_spread_add(&s, (bsr_share){0, 0, 0.5});
    assert_int_equal(s.zeros, 2);
    assert_true(bsr_axis_for(&s, 5).hi == 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_svg_axis__linear),
        cmocka_unit_test(test_report_svg_axis__log),
        cmocka_unit_test(test_report_svg_axis__powers),
        cmocka_unit_test(test_report_svg_axis__choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
