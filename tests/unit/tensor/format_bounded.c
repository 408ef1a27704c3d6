/* Float formats with a range. Expectations marked "reference" are the output of
 * format_bounded_reference.py (numpy 1.24.2, torch 1.13.1). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha256.h"
#include "tensor/format.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The data's range is of no matter. */
static bsr_quantiser quantiser(const char *text)
{
    bsr_quantiser q;
    bsr_format f;
    if (bsr_format_parse(&f, text) != BSR_OK)
        fail_msg("%s", bsr_error_message());
    bsr_quantiser_init(&q, &f, -77, 99);
    return q;
}

/* Every exponent, both signs, eight mantissas; NaN and infinities are among them. */
enum { SAMPLES = 8 * 512 };
static float sample(uint32_t i)
{
    static const uint32_t mantissas[] = {0,        1,        0x400000, 0x7fffff,
                                         0x2aaaaa, 0x600000, 0x123456, 0x7ffffe};
    return float_of(i >> 3 << 23 | mantissas[i & 7]);
}

/* Every code of 16 bits; of 32 bits those of the samples. */
static void test_tensor_format_bounded__decode(void **state)
{
    /* reference */
    static const struct {
        const char *format, *digest;
    } rows[] = {
        {"fp32/range=1", "aa1adc41ab0030f27cfb233a03e3906504877f8ae8fb7c750844cf1e9345a031"},
        {"fp32/range=-0.1:3", "42b260ebfe9c608a2279cab8ad0170d419870b0dab763c37351bcbf745be9bca"},
        {"fp16/range=0.7", "0a43b84dcb74e57bacb7e65ffe4611c5fa605b95a02e14c790094c5fe0d85131"},
        {"bf16/range=-2:0.3", "7d274fbe1e3adf063ca230c98f343974e631e45b52fd61f5c6e52ac5cc0a4f70"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bsr_quantiser q = quantiser(rows[i].format);
        bsr_sha256 h;
        char digest[65];
        bsr_sha256_init(&h);
        for (uint32_t k = 0; k < (q.bits == 16 ? 65536u : (uint32_t)SAMPLES); k++) {
            float x = bsr_decode(&q, q.bits == 16 ? k : bits_of(sample(k)));
            bsr_sha256_update(&h, &x, sizeof x);
        }
        bsr_sha256_final(&h, digest);
        assert_string_equal(digest, rows[i].digest);
    }
}

static void test_tensor_format_bounded__store(void **state)
{
    /* reference */
    static const struct {
        const char *format, *digest;
    } rows[] = {
        {"fp32/range=1", "aa1adc41ab0030f27cfb233a03e3906504877f8ae8fb7c750844cf1e9345a031"},
        {"fp16/range=0.75", "64e088a4e149698e28911a5ebe2f3d17f6ed241d2b80907aa6e5f36287c816fa"},
        {"bf16/range=-2:0.5", "f1002c39e3772d1f276233117b84a892282847c7d6fbd20011f2eba61219f410"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bsr_quantiser q = quantiser(rows[i].format);
        bsr_sha256 h;
        char digest[65];
        bsr_sha256_init(&h);
        for (uint32_t k = 0; k < SAMPLES; k++) {
            float x = bsr_decode(&q, bsr_encode(&q, sample(k)));
            bsr_sha256_update(&h, &x, sizeof x);
        }
        bsr_sha256_final(&h, digest);
        assert_string_equal(digest, rows[i].digest);
    }
}

/* reference: bits 23 and 30 would make 1.5 and 2.55e38. */
static void test_tensor_format_bounded__flips(void **state)
{
    static const uint32_t flipped[32] = {
        0x3f400001, 0x3f400002, 0x3f400004, 0x3f400008, 0x3f400010, 0x3f400020, 0x3f400040,
        0x3f400080, 0x3f400100, 0x3f400200, 0x3f400400, 0x3f400800, 0x3f401000, 0x3f402000,
        0x3f404000, 0x3f408000, 0x3f410000, 0x3f420000, 0x3f440000, 0x3f480000, 0x3f500000,
        0x3f600000, 0x3f000000, 0x3f800000, 0x3e400000, 0x3d400000, 0x3b400000, 0x37400000,
        0x2f400000, 0x1f400000, 0x3f800000, 0xbf400000};
    bsr_quantiser q = quantiser("fp32/range=1");
    assert_int_equal(q.bits, 32);
    assert_int_equal(bsr_encode(&q, 0.75f), 0x3f400000);
    for (int b = 0; b < 32; b++)
        assert_int_equal(bits_of(bsr_decode(&q, 0x3f400000u ^ 1u << b)), flipped[b]);
}

/* By hand. Values of e4m3 around 0.3: 0.28125 (0x29) and 0.3125 (0x2a), around 0.6: 0.5625 (0x31)
 * and 0.625 (0x32); of fp16 around 0.7: 0x1.664p-1 (0x3999) and 0x1.668p-1 (0x399a). The code is
 * the last inside the range, also for what would be rounded out of it; flips reach the bound. */
static void test_tensor_format_bounded__by_hand(void **state)
{
    static const struct {
        const char *format;
        float x;
        uint32_t code;
        float read;
    } rows[] = {
        {"e4m3/range=0.3", 0.3f, 0x29, 0.28125f},
        {"e4m3/range=0.3", 448, 0x29, 0.28125f},
        {"e4m3/range=0.3", -INFINITY, 0xa9, -0.28125f},
        {"e4m3/range=0.3", 0.25f, 0x28, 0.25f},
        {"e4m3/range=-0.6:0.3", -7, 0xb1, -0.5625f},
        {"e4m3/range=-0.6:0.3", -0.59f, 0xb1, -0.5625f},
        {"e4m3/range=0:1", -3, 0, 0},
        {"e4m3/range=0:1", -1e-9f, 0, 0},
        {"e4m3/range=0:1", -0.0f, 0x80, -0.0f},
        {"e4m3/range=1e-9", 5, 0, 0},
        {"e4m3/range=1e9", INFINITY, 0x7e, 448},
        {"e4m3/range=0.3", NAN, 0, 0},
        {"fp16/range=0.7", 0.7f, 0x3999, 0x1.664p-1f},
        {"fp16/range=0.7", INFINITY, 0x3999, 0x1.664p-1f},
        {"fp16/range=1e9", INFINITY, 0x7bff, 65504},
        {"fp16/range=0.7", NAN, 0, 0},
        {"fp32/range=1", 1.5f, 0x3f800000, 1},
        {"fp32/range=1", -INFINITY, 0xbf800000, -1},
        {"fp32/range=1", 1e-45f, 1, 1e-45f},
        {"fp32/range=1", NAN, 0, 0},
        {"fp32/range=-1:0", 0.5f, 0, 0},
    };
    static const struct {
        const char *format;
        uint32_t code;
        float read;
    } codes[] = {
        {"e4m3/range=0.3", 0x2a, 0.3f},    {"e4m3/range=0.3", 0x7f, 0},
        {"e4m3/range=-0.6:0.3", 0xff, 0},  {"e4m3/range=-0.6:0.3", 0xfe, -0.6f},
        {"e5m2/range=2", 0x7c, 2},         {"e5m2/range=2", 0xfc, -2},
        {"e5m2/range=2", 0x7d, 0},         {"fp16/range=0.7", 0x399a, 0.7f},
        {"fp16/range=0.7", 0xfc00, -0.7f}, {"fp16/range=0.7", 0xfe00, 0},
        {"bf16/range=1", 0x3f80, 1},       {"bf16/range=1", 0x3f81, 1},
        {"bf16/range=1", 0x7f81, 0},       {"fp32/range=0:6", 0xbf800000, 0},
        {"fp32/range=1", 0xff800001, 0},   {"fp32/range=1", 0xff800000, -1},
        {"fp32/range=1", 0x3f800001, 1},   {"fp32/range=1", 0x3f7fffff, 0x1.fffffep-1f},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bsr_quantiser q = quantiser(rows[i].format);
        uint32_t code = bsr_encode(&q, rows[i].x);
        if (code != rows[i].code)
            fail_msg("%s of %g is %x, expected %x", rows[i].format, (double)rows[i].x, code,
                     rows[i].code);
        assert_int_equal(bits_of(bsr_decode(&q, code)), bits_of(rows[i].read));
    }
    for (size_t i = 0; i < COUNT(codes); i++) {
        bsr_quantiser q = quantiser(codes[i].format);
        if (bits_of(bsr_decode(&q, codes[i].code)) != bits_of(codes[i].read))
            fail_msg("%s %x is %.9g, expected %.9g", codes[i].format, codes[i].code,
                     (double)bsr_decode(&q, codes[i].code), (double)codes[i].read);
    }
}

/* No code inside the range is nearer to the value limited to it. */
static void check_nearest(const char *text, const bsr_quantiser *q, float x)
{
    bsr_quantiser raw = *q;
    raw.bounded = 0;
    double wanted = fmin(fmax((double)x, (double)q->lo), (double)q->hi);
    double stored = (double)bsr_decode(&raw, bsr_encode(q, x));
    if (!(stored >= (double)q->lo && stored <= (double)q->hi))
        fail_msg("%s of %g is stored as %g", text, (double)x, stored);
    for (uint32_t code = 0; code < 256; code++) {
        double other = (double)bsr_decode(&raw, code);
        if (other >= (double)q->lo && other <= (double)q->hi &&
            fabs(other - wanted) < fabs(stored - wanted))
            fail_msg("%s of %g is stored as %g, not %g", text, (double)x, stored, other);
    }
}

static void test_tensor_format_bounded__nearest(void **state)
{
    static const char *const texts[] = {
        "e4m3/range=1", "e4m3/range=0.3", "e4m3/range=0:7.3",  "e4m3/range=-0.6:0.003",
        "e5m2/range=1", "e5m2/range=0.3", "e5m2/range=-7.3:0", "e5m2/range=-1e-5:60000"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        bsr_quantiser q = quantiser(texts[i]);
        for (uint32_t k = 0; k < SAMPLES; k++)
            if (!isnan(sample(k)))
                check_nearest(texts[i], &q, sample(k));
        for (int k = -1000; k <= 1000; k++)
            check_nearest(texts[i], &q, (float)k / 125);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tensor_format_bounded__decode),
        cmocka_unit_test(test_tensor_format_bounded__store),
        cmocka_unit_test(test_tensor_format_bounded__flips),
        cmocka_unit_test(test_tensor_format_bounded__by_hand),
        cmocka_unit_test(test_tensor_format_bounded__nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
