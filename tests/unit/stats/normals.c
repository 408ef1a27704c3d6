/* Values and moments of the table of normals, and how they follow from the Philox stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rng/philox.h"
#include "stats/normals.h"

enum { N = 1 << 22 };

static bsr_normals *normals;
static float *x;

static int setup(void **state)
{
    x = malloc(N * sizeof *x);
    return x ? bsr_normals_new(&normals) : -1;
}

static int teardown(void **state)
{
    bsr_normals_free(normals);
    free(x);
    return 0;
}

static int ascending(const void *a, const void *b)
{
    float d = *(const float *)a - *(const float *)b;
    return (d > 0) - (d < 0);
}

/* Every one of the 65536 values appears among 2^22 draws (each is missing with probability e^-64),
 * so that sorting finds the table. Its numbers: torch 1.13.1 (special.ndtri, float64). */
static void test_stats_normals__values(void **state)
{
    bsr_normals_fill(normals, x, N, 1, 2);
    qsort(x, N, sizeof *x, ascending);
    size_t n = 0;
    for (size_t i = 0; i < N; i++)
        if (n == 0 || x[i] != x[n - 1])
            x[n++] = x[i];
    assert_int_equal(n, 65536);
    double moment[7] = {0};
    for (size_t i = 0; i < n; i++) {
        double power = 1;
        for (int k = 0; k < 7; k++, power *= (double)x[i])
            moment[k] += power / 65536;
        assert_true(x[i] == -x[n - 1 - i]);
    }
    assert_true(fabs(moment[2] - 1) < 1e-7);
    assert_true(fabs(moment[4] - 3 + 0.00016770416) < 1e-7);
    assert_true(fabs(moment[6] - 14.9911575302) < 1e-6);
    assert_true(fabs((double)x[65535] - 4.387514637315186) < 1e-6);
    assert_true(fabs((double)x[65534] - 4.080433596963331) < 1e-6);
    assert_true(fabs((double)x[32768] - 1.9124068390687257e-05) < 1e-11);
}

static void test_stats_normals__moments(void **state)
{
    bsr_normals_fill(normals, x, N, 7, 9);
    double sum[5] = {0}, lag = 0, squares = 0;
    for (size_t i = 0; i < N; i++) {
        double v = (double)x[i], power = 1;
        for (int k = 0; k < 5; k++, power *= v)
            sum[k] += power / N;
        double next = (double)x[(i + 1) % N];
        lag += v * next / N;
        squares += (v * v - 1) * (next * next - 1) / N;
    }
    /* Five standard errors: the variances of z, z^2, z^3, z^4 are 1, 2, 15, 96. */
    double error = 5 / sqrt(N);
    assert_true(fabs(sum[1]) < error);
    assert_true(fabs(sum[2] - 1) < error * sqrt(2));
    assert_true(fabs(sum[3]) < error * sqrt(15));
    assert_true(fabs(sum[4] - 3) < error * sqrt(96));
    assert_true(fabs(lag) < error);
    assert_true(fabs(squares) < error * 2);
}

/* Half word h of block b is word h / 2 of it; 15 bits ascend in value, the sixteenth is the sign.
 */
static void test_stats_normals__stream(void **state)
{
    enum { LONG = 1201 };
    static float first[LONG], part[LONG];
    static uint32_t bits[LONG + 1];
    bsr_normals_fill(normals, first, LONG, 42, 17);
    bsr_rng rng = bsr_rng_make(42, 17);
    for (int i = 0; i < LONG; i += 2) {
        uint32_t word = bsr_rng_u32(&rng);
        bits[i] = word & 0xffff;
        bits[i + 1] = word >> 16;
    }
    for (int i = 0; i < LONG; i++) {
        assert_int_equal(signbit(first[i]) != 0, bits[i] >> 15);
        for (int j = 0; j < LONG; j++)
            if ((bits[i] & 0x7fff) < (bits[j] & 0x7fff))
                assert_true(fabsf(first[i]) < fabsf(first[j]));
    }
    for (size_t n = 0; n < LONG; n += n < 20 ? 1 : 117) {
        memset(part, 0x55, sizeof part);
        bsr_normals_fill(normals, part, n, 42, 17);
        assert_memory_equal(part, first, n * sizeof *part);
        assert_true(part[n] > 1e12f); /* untouched */
    }
}

static void test_stats_normals__no_memory(void **state)
{
    bsr_normals *none;
    for (long n = 1; n <= 2; n++) {
        bsr_alloc_fail_after(n);
        assert_int_equal(bsr_normals_new(&none), BSR_ENOMEM);
        assert_null(none);
    }
    bsr_normals_free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_normals__values),
        cmocka_unit_test(test_stats_normals__moments),
        cmocka_unit_test(test_stats_normals__stream),
        cmocka_unit_test(test_stats_normals__no_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
