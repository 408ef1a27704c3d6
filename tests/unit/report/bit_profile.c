#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "report/bit_profile.h"
#include "result_fixture.h"

static void check(bsr_share got, double value, double lo, double hi)
{
    if (!(fabs(got.value - value) < 1e-6 && fabs(got.lo - lo) < 5e-5 && fabs(got.hi - hi) < 5e-5))
        fail_msg("got %.9g [%.9g, %.9g]", got.value, got.lo, got.hi);
}

/* Worst first, whatever the order; nothing observed comes last, and no position is no bit. */
static void test_report_bit_profile__order(void **state)
{
    bsr_part a[] = {part(0, 10, 20, outcomes(20, 20, 0, 0), (bsr_share){0, 0, 0.2}),
                    part(5, 10, 148, outcomes(148, 0, 15, 0), (bsr_share){0.1, 0.06, 0.16}),
                    part(-1, 10, 9, outcomes(9, 0, 9, 9), (bsr_share){1, 1, 1}),
                    part(9, 10, 0, outcomes(0, 0, 0, 0), (bsr_share){NAN, 0, 1}),
                    part(30, 10, 263, outcomes(263, 0, 81, 7), (bsr_share){0.3, 0.25, 0.37})};
    bsr_result r = {.method = "direct", .outcomes_known = 1, .n_bits = 5, .bits = a};
    bsr_bit_row rows[BSR_BITS];
    assert_int_equal(bsr_bit_profile(rows, &r), 3);
    assert_string_equal(rows[0].bits, "30");
    check(rows[0].vf, 0.3, 0.25, 0.37);
    assert_int_equal(rows[0].due, 7);
    assert_true(rows[0].due_known);
    assert_string_equal(rows[1].bits, "5");
    assert_int_equal(rows[1].critical, 15);
    assert_string_equal(rows[2].bits, "0,9 (2 bits)");
    check(rows[2].vf, 0, 0, 0.2);
}

/* Bits below a hundredth of the worst share one row, with the mean of their bounds. */
static void test_report_bit_profile__groups(void **state)
{
    bsr_part a[32];
    for (int i = 0; i < 32; i++) {
        double v = i == 30 ? 0.5 : i == 24 ? 0.01 : 0.001;
        a[i] = part(i, 10, 10, outcomes(100, 0, 1, 0), (bsr_share){v, v / 2, v * 2});
    }
    a[3].vf = (bsr_share){NAN, NAN, NAN};
    bsr_result r = {.method = "ray", .images = 10, .n_bits = 32, .bits = a};
    bsr_bit_row rows[BSR_BITS];
    assert_int_equal(bsr_bit_profile(rows, &r), 3);
    assert_string_equal(rows[0].bits, "30");
    assert_string_equal(rows[1].bits, "24");
    assert_string_equal(rows[2].bits, "0-23,25-29,31 (30 bits)");
    check(rows[2].vf, 0.001, 0.0005, 0.002);
    assert_int_equal(rows[2].faults, 300);
    assert_int_equal(rows[2].critical, 30);
}

/* Nothing critical at all: one row of everything. */
static void test_report_bit_profile__all_harmless(void **state)
{
    bsr_part a[64];
    for (int i = 0; i < 64; i++)
        a[i] = part(i, 10, 10, outcomes(100, 100, 0, 0), exact(0));
    bsr_result r = {.method = "ray", .images = 10, .n_bits = 64, .bits = a};
    bsr_bit_row rows[BSR_BITS];
    assert_int_equal(bsr_bit_profile(rows, &r), 1);
    assert_string_equal(rows[0].bits, "0-63 (64 bits)");
    for (int i = 0; i < 32; i++)
        a[i] = a[2 * i + 1];
    r.n_bits = 32;
    assert_int_equal(bsr_bit_profile(rows, &r), 1);
    assert_int_equal(strncmp(rows[0].bits, "1,3,5,7,9,11,13,", 16), 0);
    assert_non_null(strstr(rows[0].bits, ",.. (32 bits)"));
    r.n_bits = 0;
    assert_int_equal(bsr_bit_profile(rows, &r), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_bit_profile__order),
        cmocka_unit_test(test_report_bit_profile__groups),
        cmocka_unit_test(test_report_bit_profile__all_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
