#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bitseer/status.h"
#include "fault/fault_model.h"

static bsr_fault_model parse(const char *text)
{
    bsr_fault_model m;
    assert_int_equal(bsr_fault_model_parse(&m, text), BSR_OK);
    return m;
}

static uint32_t changed(const char *text, int width, int variant, uint32_t code)
{
    bsr_fault_model m = parse(text);
    return bsr_change_apply(bsr_fault_change(&m, width, variant, 0, 0), code);
}

/* Every bit of a 32-bit and of an 8-bit code, by hand. */
static void test_fault_model__single_bits(void **state)
{
    static const uint32_t codes[] = {0, 0xffffffff, 0x3f800000, 0xa5a5a5a5};
    for (size_t i = 0; i < 4; i++)
        for (int b = 0; b < 32; b++) {
            uint32_t bit = 1u << b, c = codes[i];
            assert_int_equal(changed("bitflip", 32, b, c), c & bit ? c - bit : c + bit);
            assert_int_equal(changed("stuck0", 32, b, c), c & bit ? c - bit : c);
            assert_int_equal(changed("stuck1", 32, b, c), c & bit ? c : c + bit);
        }
    assert_int_equal(changed("zero", 8, -1, 0x7f), 0);
}

static void test_fault_model__several_bits(void **state)
{
    assert_int_equal(changed("mbu:2", 8, 0, 0x00), 0x03);
    assert_int_equal(changed("mbu:3", 8, 5, 0xff), 0x1f);
    assert_int_equal(changed("mbu:32", 32, 0, 0x0f0f0f0f), 0xf0f0f0f0);
    assert_int_equal(changed("mbu:word8", 32, 16, 0x12345678), 0x12cb5678);
    assert_int_equal(changed("mask:c1", 8, -1, 0x55), 0x94);
    assert_int_equal(changed("mask:0x80000001", 32, -1, 0), 0x80000001);
}

static int variants(const char *text, int width, uint32_t bits, int selected, int v[32])
{
    int n;
    bsr_fault_model m = parse(text);
    assert_int_equal(bsr_fault_variants(&m, width, bits, selected, "w", v, &n), BSR_OK);
    return n;
}

static void test_fault_model__variants(void **state)
{
    int v[32];
    assert_int_equal(variants("bitflip", 32, 0xffffffff, 0, v), 32);
    assert_int_equal(v[31], 31);
    assert_int_equal(variants("stuck1", 8, 0x81, 1, v), 2);
    assert_int_equal(v[1], 7);
    assert_int_equal(variants("mbu:4", 32, 0xffffffff, 0, v), 29);
    assert_int_equal(variants("mbu:2", 8, 0x37, 1, v), 3); /* 0, 1 and 4: all bits selected */
    assert_int_equal(v[2], 4);
    assert_int_equal(variants("mbu:word8", 32, 0xffffffff, 0, v), 4);
    assert_int_equal(v[3], 24);
    assert_int_equal(variants("mask:3", 8, 0xff, 0, v), 1);
    assert_int_equal(v[0], -1);
    assert_int_equal(variants("random", 16, 0xffff, 0, v), 1);
}

static void refuse_variants(const char *text, int width, uint32_t bits, int selected,
                            const char *message)
{
    int v[32], n;
    bsr_fault_model m = parse(text);
    assert_int_equal(bsr_fault_variants(&m, width, bits, selected, "w", v, &n), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), message);
}

static void test_fault_model__variants_refused(void **state)
{
    refuse_variants("mask:100", 8, 0xff, 0, "'w': mask 100 has bits above its 8");
    refuse_variants("mbu:9", 8, 0xff, 0,
                    "'w': no 9 adjacent bits among the selected ones of its 8");
    refuse_variants("mbu:2", 8, 0x55, 1,
                    "'w': no 2 adjacent bits among the selected ones of its 8");
    refuse_variants("mbu:word8", 4, 0xf, 0,
                    "'w': no 8 adjacent bits among the selected ones of its 4");
    refuse_variants("zero", 8, 1, 1, "'w': bits cannot be chosen with this fault model");
}

static void test_fault_model__texts_refused(void **state)
{
    static const char *const texts[] = {
        "",          "bitflips",  "bitflip:1",  "mbu",       "mbu:",           "mbu:0",
        "mbu:33",    "mbu:-1",    "mbu:2x",     "mbu:word9", "mask",           "mask:",
        "mask:0",    "mask:g",    "mask:0x",    "mask:1 ",   "mask:123456789", "ber",
        "ber:",      "ber:-0.1",  "ber:1.1",    "ber:nan",   "ber:1e-3x",      "ber01:1",
        "ber01:.1,", "ber01:,.1", "ber01:.1,2", "stuck",     "stuck0:1",       "zero:0",
        "random:",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bsr_fault_model m;
        if (bsr_fault_model_parse(&m, texts[i]) != BSR_EINVAL)
            fail_msg("'%s' was taken", texts[i]);
        assert_non_null(strstr(bsr_error_message(), "expected bitflip, mbu:K"));
    }
    assert_true(parse("ber:1").p0 == 1 && parse("ber:0").p1 == 0);
    assert_true(parse("ber01:0.25,1e-3").p0 == 0.25 && parse("ber01:0.25,1e-3").p1 == 1e-3);
}

/* Codes of `random` are uniform over the width, depend on seed, space and site, and replace
 * whatever was stored. */
static void test_fault_model__random(void **state)
{
    enum { SITES = 64000 };
    bsr_fault_model m = parse("random");
    int count[16] = {0};
    m.seed = 4;
    for (uint64_t site = 0; site < SITES; site++) {
        bsr_change c = bsr_fault_change(&m, 4, -1, 0, site);
        assert_int_equal(bsr_change_apply(c, 0xffffffff), bsr_change_apply(c, 5));
        assert_true(c.flip < 16);
        count[c.flip]++;
    }
    double chi2 = 0;
    for (int i = 0; i < 16; i++)
        chi2 += (count[i] - SITES / 16.0) * (count[i] - SITES / 16.0) / (SITES / 16.0);
    assert_true(chi2 < 44.3); /* chi-square, 15 degrees of freedom, upper 0.0001 */
    int same_space = 0, same_seed = 0;
    bsr_fault_model other = m;
    other.seed = 5;
    for (uint64_t site = 0; site < 1000; site++) {
        uint32_t code = bsr_fault_change(&m, 32, -1, 0, site).flip;
        same_space += code == bsr_fault_change(&m, 32, -1, 1, site).flip;
        same_seed += code == bsr_fault_change(&other, 32, -1, 0, site).flip;
        assert_int_equal(code, bsr_fault_change(&m, 32, -1, 0, site).flip);
    }
    assert_int_equal(same_space + same_seed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_model__single_bits),
        cmocka_unit_test(test_fault_model__several_bits),
        cmocka_unit_test(test_fault_model__variants),
        cmocka_unit_test(test_fault_model__variants_refused),
        cmocka_unit_test(test_fault_model__texts_refused),
        cmocka_unit_test(test_fault_model__random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
