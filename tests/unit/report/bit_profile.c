#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "report/bit_profile.h"

static void check(bsr_share got, double value, double lo, double hi)
{
    if (!(fabs(got.value - value) < 1e-6 && fabs(got.lo - lo) < 5e-5 && fabs(got.hi - hi) < 5e-5))
        fail_msg("got %.9g [%.9g, %.9g]", got.value, got.lo, got.hi);
}

/* Pooled over layers: 81 critical of 263, 15 of 148 and 0 of 20 faults on one image, far more
 * sites. The intervals are Newcombe's (1998, table I, method 3: Wilson). */
static void test_report_bit_profile__direct(void **state)
{
    bsr_part a[] = {{0, 1u << 30, 20, {20, 20, 0, 0, 0, 0}, {0, 0, 0}},
                    {5, 1u << 30, 48, {48, 0, 43, 5, 0, 5}, {0, 0, 0}},
                    {30, 1u << 30, 263, {263, 0, 182, 81, 7, 74}, {0, 0, 0}}};
    bsr_part b[] = {{5, 1u << 30, 100, {100, 0, 90, 10, 0, 10}, {0, 0, 0}}};
    bsr_layer_result layers[] = {{.n_bits = 3, .bits = a}, {.n_bits = 1, .bits = b}};
    bsr_result r = {
        .method = "direct", .images = 1, .confidence = 0.95, .n_layers = 2, .layers = layers};
    bsr_bit_row rows[BSR_BITS];
    assert_int_equal(bsr_bit_profile(rows, &r), 3);
    assert_string_equal(rows[0].bits, "30");
    check(rows[0].vf, 81.0 / 263, 0.2553, 0.3662);
    assert_int_equal(rows[0].due, 7);
    assert_string_equal(rows[1].bits, "5");
    check(rows[1].vf, 15.0 / 148, 0.0624, 0.1605);
    assert_int_equal(rows[1].critical, 15);
    assert_string_equal(rows[2].bits, "0");
    check(rows[2].vf, 0, 0, 0.1611);
}

/* By hand: weights 3/4 and 1/4, VF 0.75 * 0.4 + 0.25 * 0.8 = 0.5, below sqrt((0.75 * 0.04)^2 +
 * (0.25
 * * 0.16)^2) = 0.05, above sqrt((0.75 * 0.08)^2 + (0.25 * 0.32)^2) = 0.1. */
static void test_report_bit_profile__square_and_add(void **state)
{
    bsr_part a[] = {{30, 300, 9, {90, 0, 0, 36, 0, 0}, {0.4, 0.36, 0.48}}};
    bsr_part b[] = {{30, 100, 9, {90, 0, 0, 72, 0, 0}, {0.8, 0.64, 1.12}}};
    bsr_part c[] = {{30, 900, 0, {0, 0, 0, 0, 0, 0}, {NAN, 0, 1}}};
    bsr_layer_result layers[] = {
        {.n_bits = 1, .bits = a}, {.n_bits = 1, .bits = b}, {.n_bits = 1, .bits = c}};
    bsr_result r = {.method = "ray", .images = 10, .n_layers = 3, .layers = layers};
    bsr_bit_row rows[BSR_BITS];
    assert_int_equal(bsr_bit_profile(rows, &r), 1);
    check(rows[0].vf, 0.5, 0.45, 0.6);
    assert_int_equal(rows[0].faults, 18);
    assert_false(rows[0].due_known);
}

/* Bits below a hundredth of the worst share one row, with the mean of their bounds. */
static void test_report_bit_profile__groups(void **state)
{
    bsr_part a[32];
    for (int i = 0; i < 32; i++) {
        double v = i == 30 ? 0.5 : i == 24 ? 0.01 : 0.001;
        a[i] = (bsr_part){i, 10, 10, {100, 0, 0, 1, 0, 0}, {v, v / 2, v * 2}};
    }
    a[3].vf = (bsr_share){NAN, NAN, NAN};
    bsr_layer_result layer = {.n_bits = 32, .bits = a};
    bsr_result r = {.method = "ray", .images = 10, .n_layers = 1, .layers = &layer};
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
        a[i] = (bsr_part){i, 10, 10, {100, 100, 0, 0, 0, 0}, {0, 0, 0}};
    bsr_layer_result layer = {.n_bits = 64, .bits = a};
    bsr_result r = {.method = "ray", .images = 10, .n_layers = 1, .layers = &layer};
    bsr_bit_row rows[BSR_BITS];
    assert_int_equal(bsr_bit_profile(rows, &r), 1);
    assert_string_equal(rows[0].bits, "0-63 (64 bits)");
    for (int i = 0; i < 32; i++)
        a[i] = a[2 * i + 1];
    layer.n_bits = 32;
    assert_int_equal(bsr_bit_profile(rows, &r), 1);
    assert_int_equal(strncmp(rows[0].bits, "1,3,5,7,9,11,13,", 16), 0);
    assert_non_null(strstr(rows[0].bits, ",.. (32 bits)"));
    r.n_layers = 0;
    assert_int_equal(bsr_bit_profile(rows, &r), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_bit_profile__direct),
        cmocka_unit_test(test_report_bit_profile__square_and_add),
        cmocka_unit_test(test_report_bit_profile__groups),
        cmocka_unit_test(test_report_bit_profile__all_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
