/* Number formats against format_reference.py (exact fractions, numpy, torch), the table of the OCP
 * 8-bit Floating Point Specification 1.0, and ldexp arithmetic over every code. */
#include "tensor/format.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "unit/tensor/format_reference.h"

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

static bsr_format parsed(const char *text)
{
    bsr_format f;
    if (bsr_format_parse(&f, text) != BSR_OK)
        fail_msg("%s", bsr_error_message());
    return f;
}

static bsr_quantiser quantiser(const char *text, double lo, double hi)
{
    bsr_quantiser q;
    bsr_format f = parsed(text);
    bsr_quantiser_init(&q, &f, lo, hi);
    return q;
}

static void test_tensor_format__parse(void **state)
{
    static const struct {
        const char *text, *shortest;
        bsr_format f;
    } rows[] = {
        {"fp32", "fp32", {.kind = BSR_FORMAT_STORED, .bits = 32}},
        {"fp16", "fp16", {.kind = BSR_FORMAT_FP16, .bits = 16}},
        {"fp32/range=1",
         "fp32/range=1",
         {.kind = BSR_FORMAT_FP32, .bits = 32, .has_range = 1, .lo = -1, .hi = 1}},
        {"fp16/range=-2:2.0",
         "fp16/range=2",
         {.kind = BSR_FORMAT_FP16, .bits = 16, .has_range = 1, .lo = -2, .hi = 2}},
        {"bf16/range=-0:6",
         "bf16/range=0:6",
         {.kind = BSR_FORMAT_BF16, .bits = 16, .has_range = 1, .hi = 6}},
        {"e4m3/range=-0.25:0.1",
         "e4m3/range=-0.25:0.1",
         {.kind = BSR_FORMAT_E4M3, .bits = 8, .has_range = 1, .lo = -0.25, .hi = 0.1f}},
        {"e5m2/range=-3:0",
         "e5m2/range=-3:0",
         {.kind = BSR_FORMAT_E5M2, .bits = 8, .has_range = 1, .lo = -3}},
        {"bf16", "bf16", {.kind = BSR_FORMAT_BF16, .bits = 16}},
        {"e4m3", "e4m3", {.kind = BSR_FORMAT_E4M3, .bits = 8}},
        {"e5m2", "e5m2", {.kind = BSR_FORMAT_E5M2, .bits = 8}},
        {"int8", "int8", {.kind = BSR_FORMAT_INT, .bits = 8}},
        {"int2/sym/tensor", "int2", {.kind = BSR_FORMAT_INT, .bits = 2}},
        {"int16/channel/affine",
         "int16/affine/channel",
         {.kind = BSR_FORMAT_INT, .bits = 16, .affine = 1, .per_channel = 1}},
        {"uint8", "uint8", {.kind = BSR_FORMAT_UINT, .bits = 8, .affine = 1}},
        {"uint16/affine", "uint16", {.kind = BSR_FORMAT_UINT, .bits = 16, .affine = 1}},
        {"uint4/sym", "uint4/sym", {.kind = BSR_FORMAT_UINT, .bits = 4}},
        {"uint8/range=0:6",
         "uint8/range=6",
         {.kind = BSR_FORMAT_UINT, .bits = 8, .affine = 1, .has_range = 1, .hi = 6}},
        {"uint8/range=-0.5:6.0",
         "uint8/range=-0.5:6",
         {.kind = BSR_FORMAT_UINT, .bits = 8, .affine = 1, .has_range = 1, .lo = -0.5, .hi = 6}},
        {"int8/range=2.5",
         "int8/range=2.5",
         {.kind = BSR_FORMAT_INT, .bits = 8, .has_range = 1, .lo = -2.5, .hi = 2.5}},
        {"int8/range=0.1",
         "int8/range=0.1",
         {.kind = BSR_FORMAT_INT, .bits = 8, .has_range = 1, .lo = -0.1f, .hi = 0.1f}},
        {"q5.10", "q5.10", {.kind = BSR_FORMAT_FIXED, .bits = 16, .fraction = 10}},
        {"q0.1", "q0.1", {.kind = BSR_FORMAT_FIXED, .bits = 2, .fraction = 1}},
        {"q31.0", "q31.0", {.kind = BSR_FORMAT_FIXED, .bits = 32}},
        {"q0.31", "q0.31", {.kind = BSR_FORMAT_FIXED, .bits = 32, .fraction = 31}},
        {"binary", "binary", {.kind = BSR_FORMAT_BINARY, .bits = 1}},
        {"binary/channel",
         "binary/channel",
         {.kind = BSR_FORMAT_BINARY, .bits = 1, .per_channel = 1}},
        {"binary/range=0.5",
         "binary/range=0.5",
         {.kind = BSR_FORMAT_BINARY, .bits = 1, .has_range = 1, .lo = -0.5, .hi = 0.5}},
        /* Among the longest texts. */
        {"int16/affine/channel/range=-1.1754941e-38:1.1754942e-38",
         "int16/affine/channel/range=-1.1754941e-38:1.1754942e-38",
         {.kind = BSR_FORMAT_INT,
          .bits = 16,
          .affine = 1,
          .per_channel = 1,
          .has_range = 1,
          .lo = -1.1754941e-38f,
          .hi = 1.1754942e-38f}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[64];
        bsr_format f = parsed(rows[i].text);
        if (!bsr_format_equal(&f, &rows[i].f))
            fail_msg("%s is parsed as another format", rows[i].text);
        assert_string_equal(bsr_format_text(text, &f), rows[i].shortest);
        f = parsed(text);
        assert_true(bsr_format_equal(&f, &rows[i].f));
    }
}

#define UNKNOWN(name)                                                                              \
    "format '" name "' is not one of fp32, fp16, bf16, e4m3, e5m2, int2 to int16, uint2 to "       \
    "uint16, qI.F of 2 to 32 bits, binary"
#define NO_RANGE(text, option)                                                                     \
    "format '" text "': '" option "' is not a range: range=R with R > 0, or range=LO:HI with LO "  \
    "<= 0 <= HI, LO < HI"

static void test_tensor_format__parse_errors(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", UNKNOWN("")},
        {"FP16", UNKNOWN("FP16")},
        {"fp16 ", UNKNOWN("fp16 ")},
        {"int", UNKNOWN("int")},
        {"int1", UNKNOWN("int1")},
        {"int17", UNKNOWN("int17")},
        {"int008", UNKNOWN("int008")},
        {"int-8", UNKNOWN("int-8")},
        {"int8x", UNKNOWN("int8x")},
        {"uint1", UNKNOWN("uint1")},
        {"q", UNKNOWN("q")},
        {"q5", UNKNOWN("q5")},
        {"q5.", UNKNOWN("q5.")},
        {"q.5", UNKNOWN("q.5")},
        {"q0.0", UNKNOWN("q0.0")},
        {"q16.16", UNKNOWN("q16.16")},
        {"q5.10.1", UNKNOWN("q5.10.1")},
        {"fp16/channel",
         "format 'fp16/channel': option 'channel' is not one of range=R, range=LO:HI"},
        {"fp32/sym", "format 'fp32/sym': option 'sym' is not one of range=R, range=LO:HI"},
        {"fp32/range=-1", NO_RANGE("fp32/range=-1", "range=-1")},
        {"fp32/range=0", NO_RANGE("fp32/range=0", "range=0")},
        {"fp16/range=2:1", NO_RANGE("fp16/range=2:1", "range=2:1")},
        {"bf16/range=-2:-1", NO_RANGE("bf16/range=-2:-1", "range=-2:-1")},
        {"e4m3/range=inf", NO_RANGE("e4m3/range=inf", "range=inf")},
        {"e5m2/range=1/range=2",
         "format 'e5m2/range=1/range=2': option 'range=2' repeats or contradicts another"},
        {"q5.10/", "format 'q5.10/': q5.10 has no options"},
        {"int8/", "format 'int8/': option '' is not one of sym, affine, tensor, channel, range=R, "
                  "range=LO:HI"},
        {"int8/chanel", "format 'int8/chanel': option 'chanel' is not one of sym, affine, tensor, "
                        "channel, range=R, range=LO:HI"},
        {"binary/affine",
         "format 'binary/affine': option 'affine' is not one of tensor, channel, range=SCALE"},
        {"int8/sym/affine",
         "format 'int8/sym/affine': option 'affine' repeats or contradicts another"},
        {"int8/range=1/range=1",
         "format 'int8/range=1/range=1': option 'range=1' repeats or contradicts another"},
        {"int8/range=", NO_RANGE("int8/range=", "range=")},
        {"int8/range=0", NO_RANGE("int8/range=0", "range=0")},
        {"int8/range=-1", NO_RANGE("int8/range=-1", "range=-1")},
        {"int8/range=nan", NO_RANGE("int8/range=nan", "range=nan")},
        {"int8/range=inf", NO_RANGE("int8/range=inf", "range=inf")},
        {"int8/range=1e39", NO_RANGE("int8/range=1e39", "range=1e39")},
        {"int8/range= 1", NO_RANGE("int8/range= 1", "range= 1")},
        {"int8/range=1x", NO_RANGE("int8/range=1x", "range=1x")},
        {"uint8/range=1:6", NO_RANGE("uint8/range=1:6", "range=1:6")},
        {"uint8/range=-1:", NO_RANGE("uint8/range=-1:", "range=-1:")},
        {"uint8/range=0:6:7", NO_RANGE("uint8/range=0:6:7", "range=0:6:7")},
        {"int8/range=-1:2",
         "format 'int8/range=-1:2': range starts at -1, expected -2 without affine"},
        {"uint8/sym/range=-1:2",
         "format 'uint8/sym/range=-1:2': range starts at -1, expected 0 without affine"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bsr_format f = {.bits = 77};
        assert_int_equal(bsr_format_parse(&f, rows[i].text), BSR_EINVAL);
        assert_string_equal(bsr_error_message(), rows[i].message);
        assert_int_equal(f.bits, 77);
    }
    char longest[200];
    memset(longest, '0', sizeof longest);
    longest[sizeof longest - 1] = 0;
    bsr_format f;
    assert_int_equal(bsr_format_parse(&f, longest), BSR_EINVAL);
    assert_string_equal(bsr_error_message(),
                        "format '000000000000000000000000000000000000000000000000000000000000...' "
                        "is too long");
}

static void test_tensor_format__equal_and_needs_range(void **state)
{
    static const char *const texts[] = {
        "fp32",         "fp16",         "int8",         "int8/affine",  "int9",
        "q5.2",         "int8/channel", "int8/range=1", "uint8",        "q4.3",
        "int8/range=2", "binary",       "fp32/range=1", "fp16/range=1", "fp16/range=0:1"};
    for (size_t i = 0; i < COUNT(texts); i++)
        for (size_t j = 0; j < COUNT(texts); j++) {
            bsr_format a = parsed(texts[i]), b = parsed(texts[j]);
            assert_int_equal(bsr_format_equal(&a, &b), i == j);
        }
    static const char *const need[] = {"int8", "uint4/sym", "binary", "int8/channel"};
    static const char *const need_none[] = {"fp32",         "e4m3",           "q1.2",
                                            "int8/range=1", "binary/range=1", "fp32/range=1"};
    for (size_t i = 0; i < COUNT(need); i++) {
        bsr_format f = parsed(need[i]);
        assert_true(bsr_format_needs_range(&f));
    }
    for (size_t i = 0; i < COUNT(need_none); i++) {
        bsr_format f = parsed(need_none[i]);
        assert_false(bsr_format_needs_range(&f));
    }
}

/* Every bit of every format. */
static void test_tensor_format__flips(void **state)
{
    for (size_t i = 0; i < COUNT(flip_rows); i++) {
        const struct flip_row *r = &flip_rows[i];
        bsr_quantiser q = quantiser(r->format, r->lo, r->hi);
        uint32_t code = bsr_encode(&q, float_of(r->x));
        if (code != r->code)
            fail_msg("%s of %08x is %x, expected %x", r->format, r->x, code, r->code);
        if (bits_of(bsr_decode(&q, code)) != r->value)
            fail_msg("%s %x is %08x, expected %08x", r->format, code, bits_of(bsr_decode(&q, code)),
                     r->value);
        for (int b = 0; b < q.bits; b++) {
            uint32_t bits = bits_of(bsr_decode(&q, code ^ (1u << b)));
            if (bits != r->flipped[b])
                fail_msg("%s %x, bit %d flipped: %08x, expected %08x", r->format, code, b, bits,
                         r->flipped[b]);
        }
    }
}

static void test_tensor_format__rounding(void **state)
{
    for (size_t i = 0; i < COUNT(rounding_rows); i++) {
        const struct rounding_row *r = &rounding_rows[i];
        bsr_quantiser q = quantiser(r->format, r->lo, r->hi);
        uint32_t code = bsr_encode(&q, float_of(r->x));
        if (code != r->code)
            fail_msg("%s of %08x is %x, expected %x", r->format, r->x, code, r->code);
    }
}

/* Exponent bits, mantissa bits, bias, and does the top exponent hold infinity and NaN only? */
static const struct float_case {
    const char *name;
    int exponent, mantissa, bias, ieee;
} float_cases[] = {
    {"fp16", 5, 10, 15, 1}, {"bf16", 8, 7, 127, 1}, {"e4m3", 4, 3, 7, 0}, {"e5m2", 5, 2, 15, 1}};

static double formula(const struct float_case *f, int code)
{
    int e = code >> f->mantissa & ((1 << f->exponent) - 1), m = code & ((1 << f->mantissa) - 1);
    double sign = code >> (f->exponent + f->mantissa) ? -1 : 1;
    int top = e == (1 << f->exponent) - 1;
    if (top && f->ieee)
        return m ? (double)NAN : sign * (double)INFINITY;
    if (top && m == (1 << f->mantissa) - 1)
        return (double)NAN;
    int whole = e ? m + (1 << f->mantissa) : m;
    return sign * ldexp(whole, (e ? e : 1) - f->bias - f->mantissa);
}

static void test_tensor_format__every_float_code(void **state)
{
    for (size_t k = 0; k < COUNT(float_cases); k++) {
        const struct float_case *f = &float_cases[k];
        bsr_quantiser q = quantiser(f->name, 0, 0);
        assert_int_equal(q.bits, 1 + f->exponent + f->mantissa);
        for (int code = 0; code < 1 << q.bits; code++) {
            float x = bsr_decode(&q, (uint32_t)code);
            double expected = formula(f, code);
            if (isnan(expected) ? !isnan(x) : bits_of(x) != bits_of((float)expected))
                fail_msg("%s %x is %g, expected %g", f->name, code, (double)x, expected);
            /* Higher bits are ignored. */
            assert_int_equal(bits_of(bsr_decode(&q, (uint32_t)code | 5u << q.bits)), bits_of(x));
            if (!isnan(expected))
                assert_int_equal(bsr_encode(&q, x), code);
        }
    }
}

/* Half way between two neighbours the even code wins, just beside it the nearer one. */
static void test_tensor_format__midpoints(void **state)
{
    for (size_t k = 0; k < COUNT(float_cases); k++) {
        const struct float_case *f = &float_cases[k];
        bsr_quantiser q = quantiser(f->name, 0, 0);
        uint32_t sign = 1u << (q.bits - 1);
        for (uint32_t code = 0; isfinite(formula(f, (int)code + 1)); code++) {
            double lo = formula(f, (int)code), hi = formula(f, (int)code + 1);
            float middle = (float)((lo + hi) / 2);
            assert_true((double)middle == (lo + hi) / 2);
            uint32_t even = code + code % 2;
            assert_int_equal(bsr_encode(&q, middle), even);
            assert_int_equal(bsr_encode(&q, -middle), even | sign);
            assert_int_equal(bsr_encode(&q, nextafterf(middle, 0)), code);
            assert_int_equal(bsr_encode(&q, nextafterf(middle, INFINITY)), code + 1);
            assert_int_equal(bsr_encode(&q, -nextafterf(middle, INFINITY)), (code + 1) | sign);
        }
    }
}

/* OCP 8-bit Floating Point Specification 1.0, table 2, and the same rows of IEEE 754 binary16 and
 * of bfloat16: greatest, least normal, greatest and least subnormal value. */
static void test_tensor_format__published_limits(void **state)
{
    static const struct {
        const char *name;
        uint32_t code;
        double value;
    } rows[] = {
        {"e4m3", 0x7e, 448},
        {"e4m3", 0x08, 0x1p-6},
        {"e4m3", 0x07, 0.875 * 0x1p-6},
        {"e4m3", 0x01, 0x1p-9},
        {"e5m2", 0x7b, 57344},
        {"e5m2", 0x04, 0x1p-14},
        {"e5m2", 0x03, 0.75 * 0x1p-14},
        {"e5m2", 0x01, 0x1p-16},
        {"fp16", 0x7bff, 65504},
        {"fp16", 0x0400, 0x1p-14},
        {"fp16", 0x03ff, 0x1p-14 - 0x1p-24},
        {"fp16", 0x0001, 0x1p-24},
        {"bf16", 0x7f7f, 0x1.fep127},
        {"bf16", 0x0080, 0x1p-126},
        {"bf16", 0x0001, 0x1p-133},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bsr_quantiser q = quantiser(rows[i].name, 0, 0);
        assert_true((double)bsr_decode(&q, rows[i].code) == rows[i].value);
        assert_int_equal(bsr_encode(&q, (float)rows[i].value), rows[i].code);
    }
}

/* Codes of infinities, NaN and what is beyond the largest value, as format.h says. */
static void test_tensor_format__specials(void **state)
{
    static const struct {
        const char *format;
        uint32_t infinity, minus_infinity, nan, huge, minus_huge;
    } rows[] = {
        {"fp16", 0x7c00, 0xfc00, 0x7e00, 0x7bff, 0xfbff},
        {"bf16", 0x7f80, 0xff80, 0x7fc0, 0x7f7f, 0xff7f},
        {"e4m3", 0x7e, 0xfe, 0x7f, 0x7e, 0xfe},
        {"e5m2", 0x7c, 0xfc, 0x7e, 0x7b, 0xfb},
        {"int8", 127, 129, 0, 127, 129},
        {"int8/affine", 127, 128, 0, 127, 128},
        {"uint8", 255, 0, 128, 255, 0},
        {"uint8/sym", 255, 0, 0, 255, 0},
        {"q5.10", 0x7fff, 0x8000, 0, 0x7fff, 0x8000},
        {"q31.0", 0x7fffffff, 0x80000000, 0, 0x7fffffff, 0x80000000},
        {"binary", 1, 0, 1, 1, 0},
        {"fp32", 0x7f800000, 0xff800000, 0x7fc00000, 0x7f7fffff, 0xff7fffff},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        /* -128:127 in 255 steps of 1: zero point 0 of int8, 128 of uint8. */
        bsr_quantiser q = quantiser(rows[i].format, -128, 127);
        assert_int_equal(bsr_encode(&q, INFINITY), rows[i].infinity);
        assert_int_equal(bsr_encode(&q, -INFINITY), rows[i].minus_infinity);
        assert_int_equal(bsr_encode(&q, float_of(0x7fc00000)), rows[i].nan);
        assert_int_equal(bsr_encode(&q, FLT_MAX), rows[i].huge);
        assert_int_equal(bsr_encode(&q, -FLT_MAX), rows[i].minus_huge);
        if (q.kind != BSR_FORMAT_STORED) /* one code whatever sign and payload */
            assert_int_equal(bsr_encode(&q, float_of(0xffc00123)), rows[i].nan);
    }
}

/* By hand from the formulas of bsr_quantiser_init; decimal fractions that float32 rounds are
 * written as such. */
static void test_tensor_format__scales(void **state)
{
    static const struct {
        const char *format;
        double lo, hi;
        float scale;
        int zero, min, max;
    } rows[] = {
        {"int8", -1, 2, (float)(2 / 127.0), 0, -127, 127},
        {"int8", -254, 2, 2, 0, -127, 127},
        {"int8", 1, 127, 1, 0, -127, 127},
        {"int8", 0, 0, 1, 0, -127, 127},
        {"int8/range=254", -1, 2, 2, 0, -127, 127},
        {"int2", -3, 1, 3, 0, -1, 1},
        {"int4/affine", -3, 12, 1, -5, -8, 7},
        {"int4/affine", -15, -3, 1, 7, -8, 7},
        {"uint4", -3, 12, 1, 3, 0, 15},
        {"uint4", 3, 30, 2, 0, 0, 15},
        {"uint4", -0.5, 14.5, 1, 0, 0, 15}, /* 0.5 rounds to even */
        {"uint8/range=-1:254", 0, 3, 1, 1, 0, 255},
        {"uint4/sym", -3, 30, 2, 0, 0, 15},
        {"uint4/sym", -3, 0, 1, 0, 0, 15},
        {"int16", -32767, 5, 1, 0, -32767, 32767},
        {"int16", 0, 1e-45, FLT_TRUE_MIN, 0, -32767, 32767},
        {"q2.5", -9, 9, 0.03125f, 0, -128, 127},
        {"q0.1", 0, 0, 0.5f, 0, -2, 1},
        {"binary", -0.5, 0.25, 0.5f, 1, 0, 1},
        {"binary", 0, 0, 1, 1, 0, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bsr_quantiser q = quantiser(rows[i].format, rows[i].lo, rows[i].hi);
        if (q.scale != rows[i].scale || q.zero != rows[i].zero || q.min != rows[i].min ||
            q.max != rows[i].max)
            fail_msg("%s of %g:%g has scale %g, zero %d, codes %d..%d", rows[i].format, rows[i].lo,
                     rows[i].hi, (double)q.scale, (int)q.zero, (int)q.min, (int)q.max);
    }
}

/* Codes inside min..max come back, whatever the scale. */
static void test_tensor_format__every_integer_code(void **state)
{
    static const char *const texts[] = {"int2",         "int8",  "int8/affine", "int16",
                                        "uint2",        "uint8", "uint8/sym",   "uint16",
                                        "int16/affine", "q3.4",  "q0.15",       "q7.0"};
    for (size_t k = 0; k < COUNT(texts); k++) {
        bsr_quantiser q = quantiser(texts[k], -1.3, 2.7);
        for (int64_t code = q.min; code <= q.max; code++) {
            uint32_t bits = (uint32_t)code & ((1u << q.bits) - 1);
            float x = bsr_decode(&q, bits);
            assert_true(x == (float)((double)(code - q.zero) * (double)q.scale));
            assert_int_equal(bsr_encode(&q, x), bits);
        }
        assert_int_equal(bits_of(bsr_decode(&q, bsr_encode(&q, -0.0f))), 0);
    }
}

static void test_tensor_format__value_range(void **state)
{
    static const float x[] = {NAN, 3, -INFINITY, -2, INFINITY, 7};
    static const float none[] = {NAN, INFINITY};
    double lo, hi;
    bsr_value_range(x, 6, &lo, &hi);
    assert_true(lo == -2 && hi == 7);
    bsr_value_range(x, 2, &lo, &hi);
    assert_true(lo == 3 && hi == 3);
    bsr_value_range(none, 2, &lo, &hi);
    assert_true(lo == 0 && hi == 0);
    bsr_value_range(x, 0, &lo, &hi);
    assert_true(lo == 0 && hi == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tensor_format__parse),
        cmocka_unit_test(test_tensor_format__parse_errors),
        cmocka_unit_test(test_tensor_format__equal_and_needs_range),
        cmocka_unit_test(test_tensor_format__flips),
        cmocka_unit_test(test_tensor_format__rounding),
        cmocka_unit_test(test_tensor_format__every_float_code),
        cmocka_unit_test(test_tensor_format__midpoints),
        cmocka_unit_test(test_tensor_format__published_limits),
        cmocka_unit_test(test_tensor_format__specials),
        cmocka_unit_test(test_tensor_format__scales),
        cmocka_unit_test(test_tensor_format__every_integer_code),
        cmocka_unit_test(test_tensor_format__value_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
