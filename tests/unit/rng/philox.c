#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rng/philox.h"

/* Random123 1.14, tests/kat_vectors, lines "philox4x32 10". */
static void test_rng_philox__known_answers(void **state)
{
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } kat[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof kat / sizeof *kat; i++) {
        uint32_t out[4];
        bsr_philox4x32(kat[i].counter, kat[i].key, out);
        assert_memory_equal(out, kat[i].out, sizeof out);
    }
}

/* The same vectors through the stream: seed is the key, position / 4 and stream the counter. */
static void test_rng_philox__stream_layout(void **state)
{
    bsr_rng zero = bsr_rng_make(0, 0);
    assert_int_equal(bsr_rng_u32(&zero), 0x6627e8d5);
    assert_int_equal(bsr_rng_u32(&zero), 0xe169c58d);
    assert_true(bsr_rng_u64(&zero) == UINT64_C(0x9b00dbd8bc57ac4c));

    /* The counter of the third vector, with a block index that a stream can reach. */
    const uint32_t counter[4] = {0x243f6a88, 0x05a308d3, 0x13198a2e, 0x03707344};
    const uint32_t key[2] = {0xa4093822, 0x299f31d0};
    uint32_t out[4];
    bsr_philox4x32(counter, key, out);
    bsr_rng pi = bsr_rng_make(UINT64_C(0x299f31d0a4093822), UINT64_C(0x0370734413198a2e));
    bsr_rng_seek(&pi, UINT64_C(0x05a308d3243f6a88) * 4 + 2);
    assert_int_equal(bsr_rng_u32(&pi), out[2]);
    assert_int_equal(bsr_rng_u32(&pi), out[3]);
}

static void test_rng_philox__seek_equals_drawing(void **state)
{
    uint32_t drawn[41];
    bsr_rng rng = bsr_rng_make(7, 9);
    for (size_t i = 0; i < 41; i++)
        drawn[i] = bsr_rng_u32(&rng);
    for (size_t i = 41; i-- > 0;) {
        bsr_rng_seek(&rng, i);
        for (size_t j = i; j < 41; j++)
            assert_int_equal(bsr_rng_u32(&rng), drawn[j]);
    }
}

static void test_rng_philox__streams_differ(void **state)
{
    bsr_rng a = bsr_rng_make(1, 0);
    bsr_rng b = bsr_rng_make(0, 1);
    bsr_rng c = bsr_rng_make(1, UINT64_C(1) << 32);
    bsr_rng d = bsr_rng_make(UINT64_C(1) << 32, 0);
    uint64_t x[4] = {bsr_rng_u64(&a), bsr_rng_u64(&b), bsr_rng_u64(&c), bsr_rng_u64(&d)};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            assert_true(x[i] != x[j]);
}

/* Chi-square with 9 degrees of freedom: 0.1 % in each tail is below 1.152 or above 27.877
 * (Abramowitz & Stegun, table 26.8). */
static void test_rng_philox__below_is_uniform(void **state)
{
    enum { CELLS = 10, DRAWS = 100000 };
    bsr_rng rng = bsr_rng_make(20240101, 3);
    int seen[CELLS] = {0};
    for (int i = 0; i < DRAWS; i++) {
        uint64_t x = bsr_rng_below(&rng, CELLS);
        assert_true(x < CELLS);
        seen[x]++;
    }
    double chi2 = 0;
    for (int i = 0; i < CELLS; i++)
        chi2 += (seen[i] - DRAWS / CELLS) * (double)(seen[i] - DRAWS / CELLS) * CELLS / DRAWS;
    assert_true(chi2 > 1.152 && chi2 < 27.877);
}

/* n = 3 * 2^62: a quarter of the 64-bit values are rejected. Taking mod n without rejecting would
 * put half of the results into the lowest third; 12000 draws have a standard deviation of 52. */
static void test_rng_philox__below_rejects(void **state)
{
    const uint64_t third = UINT64_C(1) << 62;
    bsr_rng rng = bsr_rng_make(5, 5);
    int seen[3] = {0};
    for (int i = 0; i < 12000; i++)
        seen[bsr_rng_below(&rng, 3 * third) / third]++;
    for (int i = 0; i < 3; i++)
        assert_in_range(seen[i], 4000 - 4 * 52, 4000 + 4 * 52);
    /* 16000 tries expected, of two words each; standard deviation 73 tries */
    assert_in_range(rng.position, 2 * (16000 - 4 * 73), 2 * (16000 + 4 * 73));
}

static void test_rng_philox__below_one_and_powers(void **state)
{
    bsr_rng rng = bsr_rng_make(1, 2);
    assert_true(bsr_rng_below(&rng, 1) == 0);
    bsr_rng raw = bsr_rng_make(1, 2);
    bsr_rng_seek(&raw, 2);
    assert_true(bsr_rng_below(&rng, UINT64_C(1) << 63) == bsr_rng_u64(&raw) % (UINT64_C(1) << 63));
}

/* First vector: the 64 bits are e169c58d6627e8d5, so the value is (0xe169c58d6627e + 1/2) / 2^52.
 */
static void test_rng_philox__uniform(void **state)
{
    bsr_rng rng = bsr_rng_make(0, 0);
    assert_true(bsr_rng_uniform(&rng) == 0x1.c2d38b1acc4fdp-1);

    double sum = 0;
    for (int i = 0; i < 100000; i++) {
        double u = bsr_rng_uniform(&rng);
        assert_true(u > 0 && u < 1);
        sum += u;
    }
    /* standard deviation of the mean: sqrt(1 / 12 / 100000) = 0.00091 */
    assert_true(sum / 100000 > 0.5 - 4 * 0.00092 && sum / 100000 < 0.5 + 4 * 0.00092);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rng_philox__known_answers),
        cmocka_unit_test(test_rng_philox__stream_layout),
        cmocka_unit_test(test_rng_philox__seek_equals_drawing),
        cmocka_unit_test(test_rng_philox__streams_differ),
        cmocka_unit_test(test_rng_philox__below_is_uniform),
        cmocka_unit_test(test_rng_philox__below_rejects),
        cmocka_unit_test(test_rng_philox__below_one_and_powers),
        cmocka_unit_test(test_rng_philox__uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
