#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "rng/bernoulli.h"

/* Chi-square critical values, 0.1 % in each tail: Abramowitz & Stegun, table 26.8. */
#define CHI2_9_LOW   1.152
#define CHI2_9_HIGH  27.877
#define CHI2_19_LOW  5.407
#define CHI2_19_HIGH 43.820

static bsr_flips start(uint64_t n, double p, uint64_t seed, uint64_t stream)
{
    bsr_flips f;
    assert_int_equal(bsr_flips_init(&f, n, p, seed, stream), BSR_OK);
    return f;
}

static void expect(uint64_t n, double p, uint64_t seed, uint64_t stream, const uint64_t *want,
                   size_t count)
{
    bsr_flips f = start(n, p, seed, stream);
    uint64_t at;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(bsr_flips_next(&f, &at), 1);
        assert_true(at == want[i]);
    }
    assert_int_equal(bsr_flips_next(&f, &at), 0);
    assert_int_equal(bsr_flips_next(&f, &at), 0);
}

#define EXPECT(n, p, seed, stream, ...)                                                            \
    do {                                                                                           \
        static const uint64_t want_[] = {__VA_ARGS__};                                             \
        expect(n, p, seed, stream, want_, sizeof want_ / sizeof *want_);                           \
    } while (0)

/* Printed by bernoulli.py beside this file, which shares no code with us. */
static void test_rng_bernoulli__known_positions(void **state)
{
    EXPECT(UINT64_C(40), 0.3, UINT64_C(0x1), UINT64_C(0x2), 0, 3, 7, 13, 14, 16, 20, 21, 22, 33, 34,
           35, 38);
    EXPECT(UINT64_C(1000000), 1e-05, UINT64_C(0x2a), UINT64_C(0x7), 33254, 82661, 88628, 331538,
           346746, 455867, 459180, 514681, 628313, 852310, 993235);
    EXPECT(UINT64_C(9007199254740992), 1e-15, UINT64_C(0xfedcba9876543210),
           UINT64_C(0x123456789abcdef0), UINT64_C(382436258063840), UINT64_C(1333436528923571),
           UINT64_C(2126141571909702), UINT64_C(3655982636118680), UINT64_C(4408525067407132),
           UINT64_C(5129592151160160), UINT64_C(5859501564326820), UINT64_C(7466874131616019));
    EXPECT(UINT64_C(9007199254740992), 1e-16, UINT64_C(0x3), UINT64_C(0x0),
           UINT64_C(5320446072647510), UINT64_C(7286607349816924));
    EXPECT(UINT64_C(12), 0.999, UINT64_C(0x5), UINT64_C(0x5), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
}

static void test_rng_bernoulli__edges(void **state)
{
    uint64_t at = 77;
    bsr_flips f = start(1000, 0, 1, 1);
    assert_int_equal(bsr_flips_next(&f, &at), 0);
    f = start(0, 0.5, 1, 1);
    assert_int_equal(bsr_flips_next(&f, &at), 0);
    f = start(0, 1, 1, 1);
    assert_int_equal(bsr_flips_next(&f, &at), 0);
    f = start(UINT64_C(1) << 40, 5e-324, 1, 1);
    assert_int_equal(bsr_flips_next(&f, &at), 0);
    assert_int_equal(at, 77);
    EXPECT(5, 1, 1, 1, 0, 1, 2, 3, 4);
    /* The largest p below 1: a bit stays with probability 2^-53. */
    EXPECT(5, 1 - 0x1p-53, 1, 1, 0, 1, 2, 3, 4);
}

static void test_rng_bernoulli__bad_arguments(void **state)
{
    bsr_flips f;
    uint64_t at;
    assert_int_equal(bsr_flips_init(&f, (UINT64_C(1) << 53) + 1, 0.1, 1, 1), BSR_EINVAL);
    assert_string_equal(bsr_error_message(),
                        "flips: 9007199254740993 bits, limit is 9007199254740992");
    assert_int_equal(bsr_flips_next(&f, &at), 0);
    assert_int_equal(bsr_flips_init(&f, 10, -0.25, 1, 1), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "flips: probability is -0.25, expected 0..1");
    assert_int_equal(bsr_flips_init(&f, 10, NAN, 1, 1), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "flips: probability is nan, expected 0..1");
    assert_int_equal(bsr_flips_next(&f, &at), 0);
}

/* Sum of (seen - expected)^2 / expected. */
static double chi_square(const uint64_t *seen, const double *expected, size_t cells)
{
    double sum = 0;
    for (size_t i = 0; i < cells; i++)
        sum += ((double)seen[i] - expected[i]) * ((double)seen[i] - expected[i]) / expected[i];
    return sum;
}

/* How many of n bits flip, over many streams: binomial. n p is 9; ten cells, up to 4, 5, ... 12,
 * and 13 or more. */
static void check_count(uint64_t n, double p)
{
    enum { RUNS = 40000, CELLS = 10, FIRST = 4 };
    uint64_t seen[CELLS] = {0};
    double expected[CELLS] = {0};
    double pmf = exp((double)n * log1p(-p));
    expected[CELLS - 1] = RUNS;
    for (uint64_t k = 0; k < FIRST + CELLS - 1; k++) {
        expected[k < FIRST ? 0 : k - FIRST] += RUNS * pmf;
        expected[CELLS - 1] -= RUNS * pmf;
        pmf *= (double)(n - k) / (double)(k + 1) * p / (1 - p);
    }
    for (uint64_t run = 0; run < RUNS; run++) {
        bsr_flips f = start(n, p, 11, run);
        uint64_t at, count = 0;
        while (bsr_flips_next(&f, &at))
            count++;
        uint64_t cell = count < FIRST ? 0 : count - FIRST;
        seen[cell < CELLS ? cell : CELLS - 1]++;
    }
    double chi2 = chi_square(seen, expected, CELLS);
    if (!(chi2 > CHI2_9_LOW && chi2 < CHI2_9_HIGH))
        fail_msg("n %llu, p %g: chi-square %g", (unsigned long long)n, p, chi2);
}

static void test_rng_bernoulli__counts_are_binomial(void **state)
{
    check_count(30, 0.3);
    check_count(90, 0.1); /* rate just inside a band */
    check_count(16000, 1 / 1800.0);
    check_count(UINT64_C(9000000000000), 1e-12);
}

/* The distance between flips is geometric: P(gap >= k) = (1 - p)^k. Cells by deciles. */
static void check_gaps(double p)
{
    uint64_t seen[10] = {0};
    double expected[10];
    double edge[11];
    bsr_flips f = start(UINT64_C(1) << 53, p, 5, 1);
    uint64_t last = UINT64_MAX;
    for (int i = 0; i <= 10; i++) /* whole numbers near the quantiles */
        edge[i] = i < 10 ? floor(log1p(-i / 10.0) / log1p(-p)) : INFINITY;
    for (int i = 0; i < 10; i++)
        expected[i] = 100000 * (exp(edge[i] * log1p(-p)) - exp(edge[i + 1] * log1p(-p)));
    for (int i = 0; i < 100000; i++) {
        uint64_t at;
        assert_int_equal(bsr_flips_next(&f, &at), 1);
        double gap = (double)(at - last - 1);
        last = at;
        int cell = 0;
        while (gap >= edge[cell + 1])
            cell++;
        seen[cell]++;
    }
    double chi2 = chi_square(seen, expected, 10);
    if (!(chi2 > CHI2_9_LOW && chi2 < CHI2_9_HIGH))
        fail_msg("p %g: chi-square %g", p, chi2);
}

static void test_rng_bernoulli__gaps_are_geometric(void **state)
{
    check_gaps(0.01);
    check_gaps(1e-3);
    check_gaps(1e-6);
    check_gaps(7e-11);
}

static void test_rng_bernoulli__positions_are_uniform(void **state)
{
    const uint64_t n = 1000003;
    uint64_t seen[20] = {0};
    double expected[20];
    uint64_t total = 0;
    for (uint64_t run = 0; run < 20; run++) {
        bsr_flips f = start(n, 2e-3, run, 0);
        uint64_t at, last = 0;
        for (int i = 0; bsr_flips_next(&f, &at); i++) {
            assert_true(at < n && (i == 0 || at > last));
            last = at;
            seen[at * 20 / n]++;
            total++;
        }
    }
    for (int i = 0; i < 20; i++)
        expected[i] = (double)total / 20;
    double chi2 = chi_square(seen, expected, 20);
    assert_true(chi2 > CHI2_19_LOW && chi2 < CHI2_19_HIGH);
}

/* Correlations of counts are 0 between two halves of one walk, between neighbouring streams, and
 * between neighbouring bits; a correlation of R independent pairs has standard error R^-1/2. */
static void test_rng_bernoulli__parts_are_independent(void **state)
{
    enum { RUNS = 20000, N = 64 };
    double halves = 0, streams = 0, bits = 0, before = 0;
    const double p = 0.2, variance = p * (1 - p);
    for (uint64_t run = 0; run < RUNS; run++) {
        bsr_flips f = start(N, p, 9, run);
        double bit[N] = {0}, half[2] = {0};
        uint64_t at;
        while (bsr_flips_next(&f, &at))
            bit[at] = 1;
        for (int i = 0; i < N; i++)
            half[i / (N / 2)] += bit[i] - p;
        for (int i = 0; i + 1 < N; i++)
            bits += (bit[i] - p) * (bit[i + 1] - p) / variance / (N - 1);
        halves += half[0] * half[1] / (variance * N / 2);
        streams += before * (half[0] + half[1]) / (variance * N);
        before = half[0] + half[1];
    }
    assert_true(fabs(halves / RUNS) < 3.3 / sqrt(RUNS));
    assert_true(fabs(streams / RUNS) < 3.3 / sqrt(RUNS));
    assert_true(fabs(bits / RUNS) < 3.3 / sqrt((double)RUNS * (N - 1)));
}

/* Every position at a smaller p, or below a smaller n, is among those at the larger. */
static void test_rng_bernoulli__nested(void **state)
{
    static const double ps[] = {1e-9, 1e-6, 1.5e-6, 1e-3, 1.01e-3, 0.02, 0.3, 0.31, 0.9, 0.999, 1};
    const uint64_t n = 200000;
    for (size_t i = 0; i + 1 < sizeof ps / sizeof *ps; i++) {
        bsr_flips few = start(n, ps[i], 3, 4);
        bsr_flips many = start(n, ps[i + 1], 3, 4);
        bsr_flips shorter = start(n / 3, ps[i], 3, 4);
        uint64_t at, other, third;
        while (bsr_flips_next(&few, &at)) {
            do
                assert_int_equal(bsr_flips_next(&many, &other), 1);
            while (other < at);
            assert_true(other == at);
            assert_int_equal(bsr_flips_next(&shorter, &third), at < n / 3);
            assert_true(at >= n / 3 || third == at);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rng_bernoulli__known_positions),
        cmocka_unit_test(test_rng_bernoulli__edges),
        cmocka_unit_test(test_rng_bernoulli__bad_arguments),
        cmocka_unit_test(test_rng_bernoulli__counts_are_binomial),
        cmocka_unit_test(test_rng_bernoulli__gaps_are_geometric),
        cmocka_unit_test(test_rng_bernoulli__positions_are_uniform),
        cmocka_unit_test(test_rng_bernoulli__parts_are_independent),
        cmocka_unit_test(test_rng_bernoulli__nested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
