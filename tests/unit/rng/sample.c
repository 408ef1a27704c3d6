#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "rng/sample.h"

/* Chi-square critical values, 0.1 % in each tail: Abramowitz & Stegun, table 26.8. */
#define CHI2_15_LOW  3.483
#define CHI2_15_HIGH 37.697
#define CHI2_19_LOW  5.407
#define CHI2_19_HIGH 43.820

static uint64_t *draw(uint64_t N, uint64_t n, uint64_t seed, uint64_t stream, int sorted)
{
    uint64_t *x;
    assert_int_equal(bsr_sample_indices(&x, N, n, seed, stream, sorted), BSR_OK);
    assert_non_null(x);
    return x;
}

static void check_distinct_ascending(const uint64_t *x, uint64_t n, uint64_t N)
{
    for (uint64_t i = 0; i < n; i++) {
        assert_true(x[i] < N);
        assert_true(i == 0 || x[i - 1] < x[i]);
    }
}

static void test_rng_sample__no_repeats(void **state)
{
    static const uint64_t sizes[][2] = {{1, 1},        {2, 1},         {2, 2},
                                        {10, 10},      {1000, 999},    {1000, 1000},
                                        {4096, 30},    {100000, 5000}, {UINT64_C(1) << 53, 3000},
                                        {12345678, 1}, {50, 0}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t *x = draw(sizes[i][0], sizes[i][1], 42, i, 1);
        check_distinct_ascending(x, sizes[i][1], sizes[i][0]);
        bsr_free(x);
    }
}

/* Sorted and complete means 0, 1, 2, ... */
static void test_rng_sample__all_is_a_permutation(void **state)
{
    uint64_t *x = draw(777, 777, 1, 1, 1);
    for (uint64_t i = 0; i < 777; i++)
        assert_true(x[i] == i);
    bsr_free(x);
    x = draw(1, 1, 1, 1, 0);
    assert_true(x[0] == 0);
    bsr_free(x);
}

static void test_rng_sample__prefix(void **state)
{
    uint64_t *longest = draw(5000, 5000, 3, 8, 0);
    for (uint64_t n = 0; n <= 5000; n += 613) {
        uint64_t *x = draw(5000, n, 3, 8, 0);
        assert_memory_equal(x, longest, n * sizeof *x);
        bsr_free(x);
    }
    bsr_sample *sample;
    assert_int_equal(bsr_sample_new(&sample, 5000, 3, 8), BSR_OK);
    for (uint64_t i = 0; i < 5000; i++) {
        uint64_t x;
        assert_true(bsr_sample_drawn(sample) == i);
        assert_int_equal(bsr_sample_next(sample, &x), BSR_OK);
        assert_true(x == longest[i]);
    }
    uint64_t unused;
    assert_int_equal(bsr_sample_next(sample, &unused), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "sample: all 5000 units are drawn");
    bsr_sample_free(sample);

    uint64_t *other = draw(5000, 5000, 3, 9, 0);
    assert_memory_not_equal(other, longest, 5000 * sizeof *other);
    bsr_free(other);
    bsr_free(longest);
}

/* Sum of (seen - expected)^2 / expected. */
static double chi_square(const int *seen, int cells, double expected)
{
    double sum = 0;
    for (int i = 0; i < cells; i++)
        sum += (seen[i] - expected) * (seen[i] - expected) / expected;
    return sum;
}

static void test_rng_sample__draws_are_uniform(void **state)
{
    enum { RUNS = 16000 };
    int first[16] = {0};
    int third[16] = {0};
    int included[16] = {0};
    for (uint64_t run = 0; run < RUNS; run++) {
        uint64_t *x = draw(16, 6, 99, run, 0);
        first[x[0]]++;
        third[x[2]]++;
        for (int i = 0; i < 6; i++)
            included[x[i]]++;
        bsr_free(x);
    }
    double chi2 = chi_square(first, 16, RUNS / 16.0);
    assert_true(chi2 > CHI2_15_LOW && chi2 < CHI2_15_HIGH);
    chi2 = chi_square(third, 16, RUNS / 16.0);
    assert_true(chi2 > CHI2_15_LOW && chi2 < CHI2_15_HIGH);
    /* Inclusions have variance RUNS f (1 - f), f = 6 / 16, and sum to a constant, so this multiple
     * is asymptotically chi-square with 15 degrees of freedom. */
    chi2 = chi_square(included, 16, RUNS * 6 / 16.0) * (15.0 / 16) / (1 - 6 / 16.0);
    assert_true(chi2 > CHI2_15_LOW && chi2 < CHI2_15_HIGH);
}

/* All 5 * 4 ordered pairs of first and second draw. */
static void test_rng_sample__pairs_are_uniform(void **state)
{
    int seen[25] = {0};
    for (uint64_t run = 0; run < 20000; run++) {
        uint64_t *x = draw(5, 2, run, 0, 0);
        seen[x[0] * 5 + x[1]]++;
        bsr_free(x);
    }
    int pairs[20];
    int n = 0;
    for (int i = 0; i < 25; i++)
        if (i % 6 == 0)
            assert_int_equal(seen[i], 0);
        else
            pairs[n++] = seen[i];
    double chi2 = chi_square(pairs, 20, 1000);
    assert_true(chi2 > CHI2_19_LOW && chi2 < CHI2_19_HIGH);
}

static void test_rng_sample__bad_arguments(void **state)
{
    uint64_t *x;
    bsr_sample *sample;
    assert_int_equal(bsr_sample_indices(&x, 10, 11, 0, 0, 0), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "sample: 11 of 10 units asked for");
    assert_null(x);
    assert_int_equal(bsr_sample_indices(&x, 0, 0, 0, 0, 0), BSR_EINVAL);
    assert_string_equal(bsr_error_message(),
                        "sample: population is 0, expected 1..9007199254740992");
    assert_int_equal(bsr_sample_new(&sample, (UINT64_C(1) << 53) + 1, 0, 0), BSR_EINVAL);
    assert_string_equal(bsr_error_message(),
                        "sample: population is 9007199254740993, expected 1..9007199254740992");
    assert_null(sample);
    bsr_sample_free(NULL);
}

static void test_rng_sample__every_allocation_may_fail(void **state)
{
    uint64_t *want = draw(1000, 100, 6, 6, 0);
    int failed = 0;
    for (long n = 1;; n++) {
        uint64_t *x;
        bsr_alloc_fail_after(n);
        bsr_status status = bsr_sample_indices(&x, 1000, 100, 6, 6, 0);
        if (bsr_alloc_fail_pending()) {
            bsr_alloc_fail_after(0);
            assert_int_equal(status, BSR_OK);
            assert_memory_equal(x, want, 100 * sizeof *x);
            bsr_free(x);
            break;
        }
        assert_int_equal(status, BSR_ENOMEM);
        assert_true(strncmp(bsr_error_message(), "out of memory", 13) == 0);
        assert_null(x);
        failed++;
    }
    assert_true(failed > 3);
    bsr_free(want);
}

static void test_rng_sample__a_failed_draw_may_be_repeated(void **state)
{
    uint64_t *want = draw(1000, 100, 6, 6, 0);
    bsr_sample *sample;
    assert_int_equal(bsr_sample_new(&sample, 1000, 6, 6), BSR_OK);
    int failed = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t x;
        bsr_alloc_fail_after(1);
        bsr_status status = bsr_sample_next(sample, &x);
        bsr_alloc_fail_after(0);
        if (status != BSR_OK) {
            failed++;
            assert_int_equal(status, BSR_ENOMEM);
            assert_int_equal(bsr_sample_next(sample, &x), BSR_OK);
        }
        assert_true(x == want[i]);
    }
    assert_true(failed > 0);
    bsr_sample_free(sample);
    bsr_free(want);
}

static void test_rng_sample__weighted(void **state)
{
    static const double below[] = {0, 1, 1, 4}; /* chances 0, 1/4, 0, 3/4 */
    assert_true(bsr_sample_weighted(below, 4, 1e-12) == 1);
    assert_true(bsr_sample_weighted(below, 4, 0.25) == 1);
    assert_true(bsr_sample_weighted(below, 4, 0.2500001) == 3);
    assert_true(bsr_sample_weighted(below, 4, 0.9999999) == 3);
    assert_true(bsr_sample_weighted(below, 1, 0.5) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rng_sample__no_repeats),
        cmocka_unit_test(test_rng_sample__all_is_a_permutation),
        cmocka_unit_test(test_rng_sample__prefix),
        cmocka_unit_test(test_rng_sample__draws_are_uniform),
        cmocka_unit_test(test_rng_sample__pairs_are_uniform),
        cmocka_unit_test(test_rng_sample__bad_arguments),
        cmocka_unit_test(test_rng_sample__every_allocation_may_fail),
        cmocka_unit_test(test_rng_sample__a_failed_draw_may_be_repeated),
        cmocka_unit_test(test_rng_sample__weighted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
