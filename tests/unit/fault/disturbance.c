/* What flips of stored codes do: the formulas of two's complement and unsigned codes, flips drawn,
 * and float formats against numpy (1.24.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "base/alloc.h"
#include "fault/disturbance.h"
#include "rng/bernoulli.h"
#include "rng/philox.h"

/* A space over constants in row-major order: [outer][channels][inner]. */
typedef struct fixture {
    bsr_space space;
    bsr_stored stored;
    bsr_quantiser quantisers[4];
    int chosen[4];
    char format[64];
} fixture;

static void ok(bsr_status status)
{
    if (status != BSR_OK)
        fail_msg("%s", bsr_error_message());
}

/* format NULL: codes of `dtype`. bits: those that may flip. */
static void make(fixture *f, const char *format, bsr_dtype dtype, uint32_t bits)
{
    static char name[] = "conv1";
    *f = (fixture){.space = {.place = BSR_FAULT_WEIGHT,
                             .dtype = dtype,
                             .name = name,
                             .format = f->format,
                             .esize = bsr_dtype_size(dtype),
                             .outer = 1,
                             .inner = 1,
                             .channels = 1,
                             .n_chosen = 1,
                             .chosen = f->chosen}};
    bsr_space *s = &f->space;
    s->width = (int)s->esize * 8;
    strcpy(f->format, bsr_dtype_name(dtype));
    if (format) {
        ok(bsr_format_parse(&f->stored.format, format));
        for (int c = 0; c < 4; c++)
            bsr_quantiser_init(&f->quantisers[c], &f->stored.format, -1 - c, 1 + c);
        f->stored.quantisers = f->quantisers;
        f->stored.channels = 1;
        s->stored = &f->stored;
        s->width = f->stored.format.bits;
        strcpy(f->format, format);
    }
    for (int b = 0; b < s->width; b++)
        if (bits >> b & 1)
            s->variants[s->n_variants++] = b;
}

static bsr_disturbances table(fixture *f)
{
    bsr_disturbances d;
    ok(bsr_disturbances_init(&d, &f->space));
    return d;
}

/* Standard normals by Box and Muller. */
static float normal(bsr_rng *rng)
{
    double u = bsr_rng_uniform(rng), v = bsr_rng_uniform(rng);
    return (float)(sqrt(-2 * log(u)) * cos(6.283185307179586 * v));
}

static void assert_close(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance * fabs(expected)))
        fail_msg("got %.9g, expected %.9g", got, expected);
}

static void assert_disturbance(bsr_disturbance got, double mean, double square, double fourth)
{
    assert_close((double)got.mean, mean, 1e-6);
    assert_close((double)got.square, square, 1e-6);
    assert_close((double)got.fourth, fourth, 1e-6);
}

/* B bits, steps of s: the mean of all flips is -s (1 + 2 q) with a sign and s (2^B - 1 - 2 q)
 * without, the square s^2 (4^B - 1) / 3, the fourth power s^4 (16^B - 1) / 15. */
static void test_fault_disturbance__whole_numbers(void **state)
{
    static const struct {
        const char *format; /* NULL: the type's own */
        bsr_dtype dtype;
        int bits, has_sign;
        double step;
    } rows[] = {
        {NULL, BSR_I8, 8, 1, 1},
        {NULL, BSR_U8, 8, 0, 1},
        {NULL, BSR_I32, 32, 1, 1},
        {"int8", BSR_F32, 8, 1, (double)(1.0f / 127)},
        {"int12/range=3", BSR_F32, 12, 1, (double)(3.0f / 2047)},
        {"int16/affine", BSR_F32, 16, 1, (double)(2.0f / 65535)},
        {"uint8/range=6", BSR_F32, 8, 0, (double)(6.0f / 255)},
        {"uint4/sym/range=6", BSR_F32, 4, 0, (double)(6.0f / 15)},
        {"q2.5", BSR_F32, 8, 1, 0x1p-5},
        {"q0.7", BSR_F32, 8, 1, 0x1p-7},
        {"q8.23", BSR_F32, 32, 1, 0x1p-23},
        {"binary", BSR_F32, 1, 0, 2},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        fixture f;
        make(&f, rows[r].format, rows[r].dtype, UINT32_MAX);
        bsr_disturbances d = table(&f);
        double top = ldexp(1, rows[r].bits), s = rows[r].step;
        double square = s * s * (top * top - 1) / 3;
        double fourth = s * s * s * s * (pow(top, 4) - 1) / 15;
        assert_true(d.uniform);
        for (double q = rows[r].has_sign ? -top / 2 : 0; q < (rows[r].has_sign ? top / 2 : top);
             q += rows[r].bits == 32 ? 123456789 : 1) {
            double mean = rows[r].has_sign ? -s * (1 + 2 * q) : s * (top - 1 - 2 * q);
            assert_disturbance(bsr_disturbance_of(&d, 0, (uint32_t)(int64_t)q), mean, square,
                               fourth);
        }
        assert_disturbance(bsr_disturbance_channel(&d, 0), 0, square, fourth);
        bsr_disturbances_clear(&d);
    }
}

/* One fixed bit, and the kurtosis of one uniform bit: 4.80 for 8 bits. */
static void test_fault_disturbance__some_bits(void **state)
{
    fixture f;
    for (int bit = 0; bit < 8; bit++) {
        make(&f, NULL, BSR_I8, 1u << bit);
        bsr_disturbances d = table(&f);
        double w = bit == 7 ? -128 : 1 << bit;
        for (uint32_t code = 0; code < 256; code++)
            assert_disturbance(bsr_disturbance_of(&d, 0, code), code >> bit & 1 ? -w : w, w * w,
                               w * w * w * w);
        bsr_disturbances_clear(&d);
    }
    make(&f, NULL, BSR_I8, 0xff);
    bsr_disturbances d = table(&f);
    bsr_disturbance of = bsr_disturbance_channel(&d, 0);
    double square = (double)of.square / 8, fourth = (double)of.fourth / 8;
    assert_close(square, 2730.625, 1e-6);
    assert_close(fourth / (square * square), 4.80, 1e-3);
    /* rms of one flip over full scale: 0.408 */
    assert_close(sqrt(square) / 128, 0.408, 1e-3);
    bsr_disturbances_clear(&d);
}

/* Flips drawn in int8 codes: mean and variance of one code's error, kurtosis of sums of n. */
static void test_fault_disturbance__drawn(void **state)
{
    enum { SUMS = 300000, N = 100 };
    const double p = 1e-3;
    fixture f;
    make(&f, NULL, BSR_I8, 0xff);
    bsr_disturbances d = table(&f);
    bsr_flips flips;
    uint64_t at, last = UINT64_MAX;
    double sum = 0, first = 0, second = 0, fourth = 0, mean = 0;
    for (uint32_t code = 0; code < N; code++)
        mean += p * (double)bsr_disturbance_of(&d, 0, 2 * code).mean;
    ok(bsr_flips_init(&flips, (uint64_t)SUMS * N * 8, p, 3, 1));
    int more = 1;
    for (uint64_t done = 0; done < SUMS;) {
        more = more && bsr_flips_next(&flips, &at);
        uint64_t of = more ? at / (8 * N) : SUMS;
        for (; done < of; done++, sum = 0) {
            double x = sum - mean;
            first += x / SUMS;
            second += x * x / SUMS;
            fourth += x * x * x * x / SUMS;
        }
        if (!more)
            break;
        int bit = (int)(at % 8);
        uint32_t code = 2 * (uint32_t)(at / 8 % N);
        uint32_t flipped = code ^ 1u << bit;
        sum += (int8_t)flipped - (int8_t)code;
        assert_true(at != last);
        last = at;
    }
    bsr_disturbance of = bsr_disturbance_channel(&d, 0);
    double variance = N * p * (1 - p) * (double)of.square;
    assert_true(fabs(first) < 5 * sqrt(variance / SUMS));
    assert_close(second, variance, 0.03);
    /* 9/15 (16^8 - 1) / (4^8 - 1)^2 / (n p): 6.0 */
    double excess = (double)of.fourth / ((double)of.square * (double)of.square) / (N * p);
    assert_close(excess, 0.6 * (pow(16, 8) - 1) / pow(pow(4, 8) - 1, 2) / (N * p), 1e-5);
    assert_close(fourth / (second * second) - 3, excess, 0.05);
    bsr_disturbances_clear(&d);
}

/* The mean square error of weights N(0, 0.03^2) per unit of bit error rate. Floats: mean over
 * 400000 drawn weights with numpy's float16 and float32 codes, values clipped to -1..1, NaN 0. */
static void test_fault_disturbance__weights(void **state)
{
    static const struct {
        const char *format;
        double square, fourth, tolerance;
    } rows[] = {
        {"q2.5", 21.333, 0, 1e-3},
        {"q0.7", 1.3333, 0, 1e-3},
        {"fp32/range=1", 1.2860, 1.1189, 0.01},
        {"fp16/range=1", 1.2827, 1.1184, 0.01},
        {"bf16/range=1", 1.2856, 0, 0.01},
    };
    enum { N = 40000 };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        fixture f;
        make(&f, rows[r].format, BSR_F32, UINT32_MAX);
        bsr_disturbances d = table(&f);
        double square = 0, fourth = 0;
        bsr_rng rng = bsr_rng_make(4, 4);
        for (int i = 0; i < N; i++) {
            uint32_t code = bsr_encode(f.quantisers, 0.03f * normal(&rng));
            bsr_disturbance of = bsr_disturbance_of(&d, 0, code);
            square += (double)of.square / N;
            fourth += (double)of.fourth / N;
        }
        assert_close(square, rows[r].square, rows[r].tolerance);
        if (rows[r].fourth > 0)
            assert_close(fourth, rows[r].fourth, rows[r].tolerance);
        bsr_disturbances_clear(&d);
    }
}

static void test_fault_disturbance__floats_without_range(void **state)
{
    static const struct {
        const char *format;
        uint32_t bits;
        const char *message;
    } rows[] = {
        {NULL, UINT32_MAX,
         "'conv1' is stored as float32: a flip of bit 30 makes NaN or values up "
         "to 3e+38, so that errors have no usable variance; give the format a "
         "range (fp32/range=R), or choose other bits"},
        {NULL, 1u << 23, "bit 23 makes"},
        {"fp16", 0xffff,
         "'conv1' is stored as fp16: a flip of bit 14 makes NaN or values up to "
         "7e+04, so that errors have no usable variance; give the format a range "
         "(fp16/range=R), or choose other bits"},
        {"fp16", 0x0400, "bit 10 makes"},
        {"bf16", 0xffff, "bit 14 makes NaN or values up to 3e+38"},
        {"e5m2", 0x7f, "bit 6 makes NaN or values up to 6e+04"},
        {"e4m3", 0x01, "bit 0 makes NaN or values up to 4e+02"}, /* 448 and NaN differ in it */
        {NULL, 0x807fffff, NULL},
        {"fp16", 0x83ff, NULL},
        {"bf16", 0x807f, NULL},
        {"e5m2", 0x83, NULL},
        {"e4m3", 0x80, NULL},
        {"e4m3/range=16", 0xff, NULL},
        {"e5m2/range=16", 0xff, NULL},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        fixture f;
        bsr_disturbances d;
        make(&f, rows[r].format, BSR_F32, rows[r].bits);
        bsr_status status = bsr_disturbances_init(&d, &f.space);
        if (rows[r].message) {
            assert_int_equal(status, BSR_EUNSUPPORTED);
            if (!strstr(bsr_error_message(), rows[r].message))
                fail_msg("%s", bsr_error_message());
            assert_null(d.unit);
        } else {
            ok(status);
            assert_false(d.uniform);
        }
        bsr_disturbances_clear(&d);
    }
}

/* Sign and one fraction bit of 1.5 and of infinity, by hand. */
static void test_fault_disturbance__float_bits(void **state)
{
    fixture f;
    static const struct {
        const char *format;
        uint32_t bits, code, infinite;
    } rows[] = {{NULL, 1u << 31 | 1u << 22 | 1u << 21, 0x3fc00000, 0x7f800000},
                {"fp16", 0x8300, 0x3e00, 0x7c00}};
    for (size_t r = 0; r < 2; r++) {
        make(&f, rows[r].format, BSR_F32, rows[r].bits);
        bsr_disturbances d = table(&f);
        /* 1.5 to -1.5, 1 and 1.75 */
        assert_disturbance(bsr_disturbance_of(&d, 0, rows[r].code), -3.25, 9.3125, 81.06640625);
        assert_disturbance(bsr_disturbance_of(&d, 0, rows[r].infinite), 0, 0, 0);
        bsr_disturbances_clear(&d);
    }
}

static void test_fault_disturbance__refusals(void **state)
{
    fixture f;
    bsr_disturbances d;
    make(&f, NULL, BSR_I8, 1);
    f.space.variants[0] = -1;
    assert_int_equal(bsr_disturbances_init(&d, &f.space), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "'conv1': error statistics need fault model bitflip");
    make(&f, NULL, BSR_I8, 1);
    f.space.place = BSR_FAULT_OPERAND_WEIGHT;
    assert_int_equal(bsr_disturbances_init(&d, &f.space), BSR_EUNSUPPORTED);
    assert_string_equal(bsr_error_message(),
                        "'conv1': operands are not stored, their errors have no model");
}

/* Arrays hold what the definition gives for each element, with bsr_space_value. */
static void check_arrays(const fixture *f, const uint32_t *codes, int64_t n,
                         bsr_disturbance_arrays got)
{
    const bsr_space *s = &f->space;
    for (int64_t e = 0; e < n; e++) {
        bsr_site site = {e, -1, bsr_element_channel(s, e)};
        double sum[3] = {0}, value = bsr_space_value(s, site, codes[e]);
        int selected = 0;
        for (int i = 0; i < s->n_chosen; i++)
            selected |= s->chosen[i] == site.channel;
        for (int i = 0; selected && i < s->n_variants; i++) {
            double change = bsr_space_value(s, site, codes[e] ^ 1u << s->variants[i]) - value;
            sum[0] += change;
            sum[1] += change * change;
            sum[2] += change * change * change * change;
        }
        /* What is read is rounded to float32, which differences of steps are not. */
        assert_true(fabs((double)got.mean[e] - sum[0]) <= 1e-6 * sqrt(sum[1]) * 3);
        assert_close((double)got.square[e], sum[1], 2e-6);
        assert_close((double)got.fourth[e], sum[2], 4e-6);
    }
}

enum { MOST = 3 * 4 * 300 };

static uint32_t codes[MOST];
static float mean[MOST], square[MOST], fourth[MOST];
static const bsr_disturbance_arrays arrays = {mean, square, fourth};

static void test_fault_disturbance__constant(void **state)
{
    static const struct {
        const char *format;
        bsr_dtype dtype;
        int64_t outer, inner;
    } rows[] = {
        {"int8/channel", BSR_F32, 1, 300},
        {"int8/channel", BSR_F32, 300, 1},
        {"int16/affine", BSR_F32, 3, 7},
        {"fp32/range=2", BSR_F32, 2, 5},
        {"fp16/range=2", BSR_F32, 1, 300},
        {"binary/channel", BSR_F32, 2, 5},
        {"q8.23", BSR_F32, 5, 2},
        {NULL, BSR_I8, 3, 300},
        {NULL, BSR_I32, 5, 1},
    };
    bsr_rng rng = bsr_rng_make(9, 9);
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        fixture f;
        static int8_t bytes[MOST];
        make(&f, rows[r].format, rows[r].dtype, 0xfffffff7);
        bsr_space *s = &f.space;
        s->outer = rows[r].outer;
        s->inner = rows[r].inner;
        s->channels = 4;
        s->n_chosen = 3;
        memcpy(f.chosen, (int[]){0, 1, 3}, 3 * sizeof(int));
        int64_t n = s->outer * 4 * s->inner;
        for (int64_t e = 0; e < n; e++) {
            float x = (float)(bsr_rng_uniform(&rng) * 2 - 1);
            codes[e] = s->stored ? bsr_encode(f.quantisers, x) : bsr_rng_u32(&rng) >> 1;
            bytes[e] = (int8_t)(codes[e] & 255);
        }
        f.stored.codes = codes;
        s->data = rows[r].dtype == BSR_I8 ? (void *)bytes : codes;
        if (s->stored)
            f.stored.channels = f.stored.format.per_channel ? 4 : 1;
        if (rows[r].dtype == BSR_I8)
            for (int64_t e = 0; e < n; e++)
                codes[e] = (uint8_t)bytes[e];
        bsr_disturbances d = table(&f);
        bsr_disturbances_constant(&d, arrays);
        check_arrays(&f, codes, n, arrays);
        bsr_disturbances_constant(&d, (bsr_disturbance_arrays){0});
        bsr_disturbances_clear(&d);
    }
}

/* Rows of pixels; the logical order of a space with outer = pixels and inner = 1 is the same. */
static void test_fault_disturbance__tensor(void **state)
{
    static const struct {
        const char *format;
        bsr_dtype dtype;
    } rows[] = {{"int8/range=1.7", BSR_F32}, {"uint8/affine/range=-0.3:2", BSR_F32},
                {"int16", BSR_F32},          {"q2.5", BSR_F32},
                {"binary", BSR_F32},         {"fp16/range=4", BSR_F32},
                {"fp32/range=4", BSR_F32},   {NULL, BSR_U8}};
    enum { PIXELS = 33, N = PIXELS * 4 };
    bsr_rng rng = bsr_rng_make(9, 10);
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        fixture f;
        float x[N];
        uint8_t bytes[N];
        make(&f, rows[r].format, rows[r].dtype, UINT32_MAX);
        bsr_space *s = &f.space;
        s->place = BSR_FAULT_VALUE;
        s->outer = PIXELS;
        s->channels = 4;
        s->n_chosen = 2;
        memcpy(f.chosen, (int[]){1, 2}, 2 * sizeof(int));
        for (int e = 0; e < N; e++) {
            codes[e] = bytes[e] = (uint8_t)bsr_rng_u32(&rng);
            if (!s->stored)
                continue;
            codes[e] = bsr_encode(f.quantisers, (float)(bsr_rng_uniform(&rng) * 5 - 2));
            x[e] = bsr_decode(f.quantisers, codes[e]);
        }
        bsr_disturbances d = table(&f);
        bsr_disturbances_tensor(&d, s->stored ? (void *)x : bytes, PIXELS, arrays);
        check_arrays(&f, codes, N, arrays);
        bsr_disturbances_clear(&d);
    }
}

static void test_fault_disturbance__no_memory(void **state)
{
    static const char *const formats[] = {"int8", "fp16/range=1", "fp32/range=1"};
    for (size_t i = 0; i < 3; i++) {
        fixture f;
        bsr_disturbances d;
        make(&f, formats[i], BSR_F32, UINT32_MAX);
        bsr_status status = BSR_ENOMEM;
        for (long n = 1; status != BSR_OK; n++) {
            assert_true(n < 10);
            bsr_alloc_fail_after(n);
            status = bsr_disturbances_init(&d, &f.space);
            assert_true(status == BSR_OK || (status == BSR_ENOMEM && !d.unit && !d.mean));
        }
        bsr_alloc_fail_after(0);
        bsr_disturbances_clear(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_disturbance__whole_numbers),
        cmocka_unit_test(test_fault_disturbance__some_bits),
        cmocka_unit_test(test_fault_disturbance__drawn),
        cmocka_unit_test(test_fault_disturbance__weights),
        cmocka_unit_test(test_fault_disturbance__floats_without_range),
        cmocka_unit_test(test_fault_disturbance__float_bits),
        cmocka_unit_test(test_fault_disturbance__refusals),
        cmocka_unit_test(test_fault_disturbance__constant),
        cmocka_unit_test(test_fault_disturbance__tensor),
        cmocka_unit_test(test_fault_disturbance__no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
