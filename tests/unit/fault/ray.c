#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "fault/ray.h"
#include "rng/philox.h"

static uint32_t bits_of(float x)
{
    uint32_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

static float value_of(uint32_t b)
{
    float x;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* Starts a ray over the single flips of a stored float. */
static void start(bsr_ray *ray, float v)
{
    double flipped[32];
    for (int b = 0; b < 32; b++)
        flipped[b] = value_of(bits_of(v) ^ (uint32_t)1 << b);
    bsr_ray_init(ray, v, flipped, 32, 0);
}

/* A network that keeps its class on (below, above) around v, and loses it for NaN if asked. */
typedef struct line {
    float v, below, above;
    int nan_critical;
} line;

static int is_critical(const line *l, int bit)
{
    float w = value_of(bits_of(l->v) ^ (uint32_t)1 << bit);
    if (isnan(w))
        return l->nan_critical;
    return w <= l->below || w >= l->above;
}

/* Runs the search; returns the questions asked. */
static int search(const line *l, uint32_t *critical)
{
    bsr_ray ray;
    int asked = 0, bit[3], which[3];
    start(&ray, l->v);
    for (int n; (n = bsr_ray_ask(&ray, bit, which)) > 0; asked += n)
        for (int i = 0; i < n; i++)
            bsr_ray_tell(&ray, which[i], is_critical(l, bit[i]));
    *critical = bsr_ray_critical(&ray);
    return asked;
}

static uint32_t truth(const line *l)
{
    uint32_t set = 0;
    for (int b = 0; b < 32; b++)
        set |= (uint32_t)is_critical(l, b) << b;
    return set;
}

/* Where the interval rule holds, the search finds exactly the critical flips, whatever the bounds.
 */
static void test_fault_ray__random_intervals(void **state)
{
    bsr_rng rng = bsr_rng_make(3, 0);
    for (int i = 0; i < 20000; i++) {
        float v = (float)ldexp(bsr_rng_uniform(&rng) * 2 - 1, (int)bsr_rng_below(&rng, 40) - 30);
        double reach = ldexp(1, (int)bsr_rng_below(&rng, 260) - 130);
        line l = {v, (float)(v - reach * bsr_rng_uniform(&rng)),
                  (float)(v + reach * bsr_rng_uniform(&rng)), i & 1};
        uint32_t found;
        int asked = search(&l, &found);
        if (l.below < v && l.above > v && found != truth(&l))
            fail_msg("v %g in (%g, %g): found %08x, is %08x", v, l.below, l.above, found,
                     truth(&l));
        assert_true(asked <= 32);
    }
}

/* The usual weight: harmless but for the top exponent bit. One question per side and one more below
 * the critical one; no question at all where nothing can be critical. */
static void test_fault_ray__cost(void **state)
{
    uint32_t found;
    line harmless = {0.05f, -INFINITY, INFINITY, 0}, usual = {0.05f, -10.0f, 10.0f, 0};
    assert_int_equal(search(&harmless, &found), 2);
    assert_int_equal(found, 0);
    assert_int_equal(search(&usual, &found), 3);
    assert_int_equal(found, (uint32_t)1 << 30);
}

/* From IEEE 754: 1.5 has exponent 127; flipping bit 30 gives exponent 255 with a fraction, a NaN,
 * and no other flip does. NaNs are asked one by one. */
static void test_fault_ray__nan(void **state)
{
    uint32_t found;
    line l = {1.5f, -1e30f, 1e30f, 1};
    assert_true(isnan(value_of(bits_of(1.5f) ^ (uint32_t)1 << 30)));
    search(&l, &found);
    assert_int_equal(found, (uint32_t)1 << 30);
    l.nan_critical = 0;
    search(&l, &found);
    assert_int_equal(found, 0);
}

/* The sign of zero changes no value and is never asked for. A stored infinity has no line through
 * it: all 32 flips are asked. */
static void test_fault_ray__special_values(void **state)
{
    bsr_ray ray;
    int bit[3], which[3];
    const double minus_zero = -0.0;
    bsr_ray_init(&ray, 0.0, &minus_zero, 1, 0);
    assert_int_equal(bsr_ray_ask(&ray, bit, which), 0);
    assert_int_equal(bsr_ray_critical(&ray), 0);
    start(&ray, INFINITY);
    assert_int_equal(ray.n_nans, 32);
}

/* Values given in any order are tried from the farthest on each side; where no order is trusted,
 * one by one. */
static void test_fault_ray__order(void **state)
{
    static const double values[] = {-2, -3, 5, 1, -9, 2, -1};
    bsr_ray ray;
    bsr_ray_init(&ray, -1, values, 7, 0);
    static const uint8_t below[] = {4, 1, 0}, above[] = {2, 5, 3};
    assert_int_equal(ray.side[0].n, 3);
    assert_memory_equal(ray.side[0].order, below, sizeof below);
    assert_int_equal(ray.side[1].n, 3);
    assert_memory_equal(ray.side[1].order, above, sizeof above);
    assert_int_equal(ray.n_nans, 0); /* the last changes nothing */
    bsr_ray_init(&ray, -1, values, 7, 1);
    assert_int_equal(ray.n_nans, 7);
    int fault[3], which[3], asked = 0;
    for (; bsr_ray_ask(&ray, fault, which) == 1; asked++)
        bsr_ray_tell(&ray, which[0], fault[0] == 2 || fault[0] == 4);
    assert_int_equal(asked, 7);
    assert_int_equal(bsr_ray_critical(&ray), 0x14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_ray__random_intervals),
        cmocka_unit_test(test_fault_ray__cost),
        cmocka_unit_test(test_fault_ray__nan),
        cmocka_unit_test(test_fault_ray__special_values),
        cmocka_unit_test(test_fault_ray__order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
