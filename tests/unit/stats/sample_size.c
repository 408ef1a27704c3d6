#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "stats/sample_size.h"

static uint64_t size(uint64_t N, double e, double t, double p)
{
    uint64_t n;
    assert_int_equal(bsr_sample_size(&n, N, e, t, p), BSR_OK);
    return n;
}

static void test_stats_sample_size__published(void **state)
{
    /* Leveugle et al. 2009: the limits for large N at a 1 % margin, 95 % and 99 %. */
    assert_int_equal(size(0, 0.01, 1.96, 0.5), 9604);
    assert_int_equal(size(0, 0.01, 2.58, 0.5), 16641);
    assert_int_equal(size(0, 0.05, 1.96, 0.5), 385); /* 384.16 */
    /* A. Ruospo et al., "Assessing convolutional neural networks reliability through statistical
     * fault injections", DATE 2023, ResNet-20: 16,624 of N = 17,174,144. That is the whole part of
     * 16624.89; we round up. */
    assert_int_equal(size(17174144, 0.01, 2.58, 0.5), 16625);
}

/* Equation 4 by hand: 1000 / (1 + 999 / 9604) = 905.78;
 * 100 / (1 + 99 / 384.16) = 79.51; p = 0.1: 1.96^2 * 0.09 / 0.0001 = 3457.44, and
 * 5000 / (1 + 4999 / 3457.44) = 2044.27. */
static void test_stats_sample_size__by_hand(void **state)
{
    assert_int_equal(size(1000, 0.01, 1.96, 0.5), 906);
    assert_int_equal(size(100, 0.05, 1.96, 0.5), 80);
    assert_int_equal(size(0, 0.01, 1.96, 0.1), 3458);
    assert_int_equal(size(5000, 0.01, 1.96, 0.1), 2045);
    assert_int_equal(size(1, 0.01, 1.96, 0.5), 1);
    assert_int_equal(size(0, 0.9, 0.1, 0.5), 1);
}

static void test_stats_sample_size__not_rounded(void **state)
{
    double n;
    assert_int_equal(bsr_sample_size_real(&n, 0, 0.01, BSR_T95, 0.5), BSR_OK);
    assert_true(fabs(n - 9604) < 1e-9);
    /* 1000 / (1 + 999 / 9604) = 9604000 / 10603, the same for 17174144 and 16641 */
    assert_int_equal(bsr_sample_size_real(&n, 1000, 0.01, BSR_T95, 0.5), BSR_OK);
    assert_true(fabs(n - 9604000.0 / 10603) < 1e-9);
    assert_int_equal(bsr_sample_size_real(&n, 17174144, 0.01, BSR_T99, 0.5), BSR_OK);
    assert_true(fabs(n - 17174144 * 16641.0 / (16641 + 17174143)) < 1e-8);
    assert_int_equal(bsr_sample_size_real(&n, 1, 0.01, BSR_T99, 0.5), BSR_OK);
    assert_true(n == 1);
    assert_int_equal(bsr_sample_size_real(&n, 0.5, 0.01, 2, 0.5), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "sample size: population is 0.5, expected 1 or more");
    assert_true(isnan(n));
}

static void test_stats_sample_size__is_the_smallest(void **state)
{
    for (uint64_t N = 2; N < 10000000; N = N * 3 + 1) {
        uint64_t n = size(N, 0.02, 2.58, 0.3);
        double e;
        assert_true(n <= N);
        assert_int_equal(bsr_margin(&e, n, N, 2.58, 0.3), BSR_OK);
        assert_true(e <= 0.02);
        if (n > 1) {
            assert_int_equal(bsr_margin(&e, n - 1, N, 2.58, 0.3), BSR_OK);
            assert_true(e > 0.02);
        }
    }
}

static void test_stats_sample_size__margin(void **state)
{
    double e;
    assert_int_equal(bsr_margin(&e, 9604, 0, 1.96, 0.5), BSR_OK);
    assert_true(fabs(e - 0.01) < 1e-15);
    /* 1.96 sqrt(0.09 / 100 * 900 / 999), python3-mpmath */
    assert_int_equal(bsr_margin(&e, 100, 1000, 1.96, 0.1), BSR_OK);
    assert_true(fabs(e - 0.0558104901502469409) < 1e-15);
    assert_int_equal(bsr_margin(&e, 16624, 17174144, 2.58, 0.5), BSR_OK);
    assert_true(fabs(e - 0.0100002685941048346) < 1e-15);
    assert_int_equal(bsr_margin(&e, 50, 50, 1.96, 0.5), BSR_OK);
    assert_true(e == 0);
    assert_int_equal(bsr_margin(&e, 1, 1, 1.96, 0.5), BSR_OK);
    assert_true(e == 0);
    assert_int_equal(bsr_margin(&e, 10, 0, 1.96, 0), BSR_OK);
    assert_true(e == 0);
}

static void size_fails(double e, double t, double p, bsr_status want, const char *message)
{
    uint64_t n = 7;
    assert_int_equal(bsr_sample_size(&n, 0, e, t, p), want);
    assert_string_equal(bsr_error_message(), message);
    assert_int_equal(n, 0);
}

static void margin_fails(uint64_t n, uint64_t N, double t, double p, const char *message)
{
    double e = 7;
    assert_int_equal(bsr_margin(&e, n, N, t, p), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), message);
    assert_true(isnan(e));
}

static void test_stats_sample_size__bad_arguments(void **state)
{
    size_fails(0, 1.96, 0.5, BSR_EINVAL, "sample size: margin is 0, expected between 0 and 1");
    size_fails(1, 1.96, 0.5, BSR_EINVAL, "sample size: margin is 1, expected between 0 and 1");
    size_fails(NAN, 1.96, 0.5, BSR_EINVAL, "sample size: margin is nan, expected between 0 and 1");
    size_fails(0.01, 0, 0.5, BSR_EINVAL, "sample size: t is 0, expected above 0");
    size_fails(0.01, INFINITY, 0.5, BSR_EINVAL, "sample size: t is inf, expected above 0");
    size_fails(0.01, 1.96, 0, BSR_EINVAL, "sample size: p is 0, expected between 0 and 1");
    size_fails(0.01, 1.96, 1, BSR_EINVAL, "sample size: p is 1, expected between 0 and 1");
    size_fails(1e-12, 2, 0.5, BSR_ELIMIT,
               "sample size: 1e+24 draws for margin 1e-12, limit is 2^63");
    margin_fails(0, 10, 1.96, 0.5, "margin: 0 draws from a population of 10");
    margin_fails(11, 10, 1.96, 0.5, "margin: 11 draws from a population of 10");
    margin_fails(5, 10, -1, 0.5, "margin: t is -1, expected above 0");
    margin_fails(5, 10, 1.96, 1.5, "margin: p is 1.5, expected 0..1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_sample_size__published),
        cmocka_unit_test(test_stats_sample_size__by_hand),
        cmocka_unit_test(test_stats_sample_size__not_rounded),
        cmocka_unit_test(test_stats_sample_size__is_the_smallest),
        cmocka_unit_test(test_stats_sample_size__margin),
        cmocka_unit_test(test_stats_sample_size__bad_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
