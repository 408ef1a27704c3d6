/* Cases of the kernels on 8-bit codes. Outputs that are no 32-bit words end where a check_output
 * ends, so that the guards are right behind them; the bytes that fill up the first word must keep
 * what the reference leaves there, which is the pattern. */
#include <math.h>
#include <string.h>

#include "check.h"

/* Parameters of `n` channels. */
typedef struct parameters {
    const float *scale;
    const int32_t *zero;
    int is_signed;
} parameters;

static int random_zero(check *c, int is_signed)
{
    return (int)check_random(c, 256) - (is_signed ? 128 : 0);
}

static float random_scale(check *c, uint32_t kind)
{
    switch (kind) {
    case 0:
        return 1.0f;
    case 1: /* any power of two, down to the least denormal and up to the greatest */
        return ldexpf(check_random(c, 4) ? 1.0f : -1.0f, check_between(c, -149, 127));
    case 2: /* as networks have them */
        return ldexpf((float)check_between(c, 1 << 23, (1 << 24) - 1), -check_between(c, 18, 34));
    default:
        return check_value(c);
    }
}

/* One kind of scale for all channels, or a mixture; often one value for all. */
static parameters random_parameters(check *c, int n)
{
    parameters p = {.is_signed = check_between(c, 0, 1)};
    float *scale = check_place(&c->epilogue[0], (size_t)n * sizeof *scale, sizeof *scale);
    int32_t *zero = check_place(&c->epilogue[1], (size_t)n * sizeof *zero, sizeof *zero);
    uint32_t kind = check_random(c, 5);
    int uniform = check_between(c, 0, 1);
    for (int i = 0; i < n; i++) {
        scale[i] = random_scale(c, kind < 4 ? kind : check_random(c, 4));
        zero[i] = random_zero(c, p.is_signed);
        if (uniform) {
            scale[i] = scale[0];
            zero[i] = zero[0];
        }
    }
    p.scale = scale;
    p.zero = zero;
    return p;
}

/* Any value, or one close to the middle between two codes or on it. */
static float random_input(check *c, float scale)
{
    if (check_random(c, 4) == 0)
        return check_value(c);
    float x = (float)(((double)check_between(c, -400, 400) + 0.5) * (double)scale);
    static const float toward[] = {-INFINITY, 0.0f, INFINITY};
    uint32_t i = check_random(c, 4);
    return i < 3 ? nextafterf(x, toward[i]) : x;
}

/* `size` elements of `bytes` each, for both sets. */
static void make_packed_output(check *c, check_output *o, size_t size, size_t bytes, void **ref,
                               void **set)
{
    int words = (int)((size * bytes + 3) / 4);
    check_make_output(c, o, 1, words, (size_t)words);
    *ref = (char *)(o->ref + words) - size * bytes;
    *set = (char *)(o->set + words) - size * bytes;
}

/* As check_make_pixels. */
static void make_codes(check *c, check_pixels *p, int rows, int taps, int channels)
{
    enum { PIXELS = 40 };
    unsigned char *pool[2];
    for (int i = 0; i < 2; i++) {
        size_t n = (size_t)PIXELS * (size_t)channels;
        pool[i] = check_place(&c->pixels[i], n, 1);
        for (size_t k = 0; k < n; k++)
            pool[i][k] = (unsigned char)check_random(c, 256);
    }
    const char *const bases[] = {NULL, (const char *)pool[0], (const char *)pool[1],
                                 (const char *)pool[0] + channels * check_between(c, 1, 9)};
    p->base = bases[check_random(c, 4)];
    p->stride = (size_t)rows + check_random(c, 5);
    for (size_t t = 0; t < (size_t)taps; t++)
        for (size_t r = 0; r < (size_t)rows; r++) {
            const unsigned char *x =
                pool[check_random(c, 2)] + (int)check_random(c, PIXELS) * channels;
            p->address[t * p->stride + r] = (int64_t)(uintptr_t)x;
            p->off[t * p->stride + r] = (int64_t)((uintptr_t)x - (uintptr_t)p->base);
        }
}

void check_quantize(check *c)
{
    check_start(c);
    int rows = check_between(c, 1, CHECK_MAX_ROWS);
    int channels = check_between(c, 1, CHECK_MAX_CHANNELS);
    parameters p = random_parameters(c, channels);
    check_label(c, "quantize: rows %d, channels %d, signed %d", rows, channels, p.is_signed);

    size_t n = (size_t)rows * (size_t)channels;
    float *x = check_place(&c->pixels[0], n * sizeof *x, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = random_input(c, p.scale[i % (size_t)channels]);
    check_output o;
    void *ref, *set;
    make_packed_output(c, &o, n, 1, &ref, &set);
    c->ref->quantize(rows, channels, x, p.scale, p.zero, p.is_signed, ref);
    c->set->quantize(rows, channels, x, p.scale, p.zero, p.is_signed, set);
    check_compare(c, &o, 0);
}

/* Ties, quotients that a reciprocal gets wrong, saturation, and what ONNX leaves to IEEE. Codes
 * from NumPy 1.24: clip(rint(float32(x) / float32(scale)) + float32(zero)), NaN to the lower end.
 * The unsigned code belongs to a zero point of max(zero, 0). */
static const struct known {
    float x, scale;
    int zero, as_signed, as_unsigned;
} known[] = {
    {1.0f, 2.0f, 0, 0, 0},
    {3.0f, 2.0f, 0, 2, 2},
    {5.0f, 2.0f, 0, 2, 2},
    {-3.0f, 2.0f, 0, -2, 0},
    {-5.0f, 2.0f, 0, -2, 0},
    {0.5f, 1.0f, 1, 1, 1},
    {1.5f, 1.0f, 1, 3, 3},
    {0x1.a00002p+1f, 0x1.99999ap-4f, 0, 32, 32},   /* times the reciprocal: 33 */
    {0x1.84ccccp+3f, 0x1.99999ap-4f, 0, 121, 121}, /* 122 */
    {-0x1.32p+5f, 0x1.333334p-2f, 0, -127, 0},     /* -128 */
    {10.0f, -4.0f, 5, 3, 3},
    {6.0f, -4.0f, 5, 3, 3},
    {126.5f, 1.0f, 0, 126, 126},
    {127.5f, 1.0f, 0, 127, 128},
    {-129.5f, 1.0f, 0, -128, 0},
    {254.5f, 1.0f, 0, 127, 254},
    {255.5f, 1.0f, 0, 127, 255},
    {200.0f, 1.0f, -100, 100, 200},
    {-200.0f, 1.0f, 127, -73, 0},
    {0x1p24f, 1.0f, -128, 127, 255},
    {-1e10f, 1.0f, 127, -128, 0},
    {3e38f, 0.5f, 3, 127, 255},
    {-3e38f, 0x1p-149f, 3, -128, 0},
    {0x1.8p-148f, 0x1p-148f, 0, 2, 2},
    {0x1.8p127f, 0x1p127f, 0, 2, 2},
    {1e-40f, 3e-41f, 0, 3, 3},
    {NAN, 1.0f, 3, -128, 0},
    {INFINITY, 1.0f, 3, 127, 255},
    {-INFINITY, 1.0f, 3, -128, 0},
    {1.0f, 0.0f, 3, 127, 255},
    {-1.0f, 0.0f, 3, -128, 0},
    {0.0f, 0.0f, 3, -128, 0},
    {1.0f, INFINITY, 7, 7, 7},
    {INFINITY, INFINITY, 7, -128, 0},
    {1.0f, NAN, 7, -128, 0},
};

void check_quantize_known(check *c)
{
    check_start(c);
    const struct known *k = &known[(size_t)(c->cases - 1) % (sizeof known / sizeof *known)];
    int channels = check_between(c, 1, CHECK_MAX_CHANNELS), is_signed = check_between(c, 0, 1);
    check_label(c, "quantize: %a, scale %a, zero %d, channels %d, signed %d", (double)k->x,
                (double)k->scale, k->zero, channels, is_signed);
    float x[CHECK_MAX_CHANNELS], scale[CHECK_MAX_CHANNELS];
    int32_t zero[CHECK_MAX_CHANNELS];
    unsigned char out[CHECK_MAX_CHANNELS];
    for (int i = 0; i < channels; i++) {
        x[i] = k->x;
        scale[i] = k->scale;
        zero[i] = !is_signed && k->zero < 0 ? 0 : k->zero;
    }
    c->set->quantize(1, channels, x, scale, zero, is_signed, out);
    int expected = is_signed ? k->as_signed : k->as_unsigned;
    for (int i = 0; i < channels; i++)
        if ((is_signed ? (signed char)out[i] : out[i]) != expected) {
            check_mismatch(c, "channel %d is 0x%02x, expected %d", i, out[i], expected);
            return;
        }
}

void check_dequantize(check *c)
{
    check_start(c);
    int rows = check_between(c, 1, CHECK_MAX_ROWS);
    int channels = check_between(c, 1, CHECK_MAX_CHANNELS);
    parameters p = random_parameters(c, channels);
    check_label(c, "dequantize: rows %d, channels %d, signed %d", rows, channels, p.is_signed);

    check_pixels x;
    make_codes(c, &x, rows, 1, channels);
    check_output o;
    check_make_output(c, &o, rows, channels, (size_t)channels);
    c->ref->dequantize(rows, channels, NULL, x.address, p.scale, p.zero, p.is_signed,
                       (float *)o.ref);
    c->set->dequantize(rows, channels, x.base, x.off, p.scale, p.zero, p.is_signed, (float *)o.set);
    check_compare(c, &o, 1);
}

void check_scale_sums(check *c)
{
    check_start(c);
    int rows = check_between(c, 1, CHECK_MAX_ROWS);
    int channels = check_between(c, 1, CHECK_MAX_CHANNELS);
    parameters p = random_parameters(c, channels);
    check_label(c, "scale_sums: rows %d, channels %d", rows, channels);

    check_output o;
    check_make_output(c, &o, rows, channels, (size_t)channels);
    int bits = check_between(c, 0, 31); /* beyond 24 the conversion rounds */
    for (int i = 0; i < rows * channels; i++)
        o.ref[i] = o.set[i] = (uint32_t)((int32_t)check_random(c, UINT32_MAX) >> bits);
    c->ref->scale_sums(rows, channels, o.ref, p.scale);
    c->set->scale_sums(rows, channels, o.set, p.scale);
    check_compare(c, &o, 1);
}

static int random_taps(check *c)
{
    return check_between(c, 0, 1) ? 9 : check_between(c, 1, CHECK_MAX_TAPS);
}

void check_gather_codes(check *c)
{
    check_start(c);
    int rows = check_between(c, 1, CHECK_MAX_ROWS), taps = random_taps(c);
    int channels = check_between(c, 1, CHECK_MAX_CHANNELS);
    int is_signed = check_between(c, 0, 1), zero = random_zero(c, is_signed);
    size_t stride = check_stride(c, taps * channels);
    check_label(c, "gather_codes: rows %d, taps %d, channels %d, zero %d, signed %d, stride %zu",
                rows, taps, channels, zero, is_signed, stride);

    check_pixels x;
    make_codes(c, &x, rows, taps, channels);
    check_output o;
    void *ref, *set;
    size_t n = (size_t)(rows - 1) * stride + (size_t)(taps * channels);
    make_packed_output(c, &o, n, sizeof(int16_t), &ref, &set);
    c->ref->gather_codes(rows, taps, channels, NULL, x.address, x.stride, zero, is_signed, ref,
                         stride);
    c->set->gather_codes(rows, taps, channels, x.base, x.off, x.stride, zero, is_signed, set,
                         stride);
    check_compare(c, &o, 0);
}

void check_depthwise_codes(check *c)
{
    check_start(c);
    int rows = check_between(c, 1, CHECK_MAX_ROWS), taps = random_taps(c);
    int channels = check_between(c, 1, CHECK_MAX_CHANNELS);
    int is_signed = check_between(c, 0, 1), zero = random_zero(c, is_signed);
    size_t stride = check_stride(c, channels), n = (size_t)taps * (size_t)channels;
    check_label(c, "depthwise_codes: rows %d, taps %d, channels %d, zero %d, signed %d, stride %zu",
                rows, taps, channels, zero, is_signed, stride);

    check_pixels x;
    make_codes(c, &x, rows, taps, channels);
    float *w = check_place(&c->weights, n * sizeof *w, sizeof *w);
    for (size_t i = 0; i < n; i++)
        w[i] = (float)check_between(c, -255, 255);
    int32_t *init = check_place(&c->init, (size_t)channels * sizeof *init, sizeof *init);
    for (int i = 0; i < channels; i++)
        init[i] = (int32_t)check_random(c, UINT32_MAX); /* sums may wrap */
    check_output o;
    check_make_output(c, &o, rows, channels, stride);
    c->ref->depthwise_codes(rows, taps, channels, NULL, x.address, x.stride, zero, is_signed, w,
                            init, (int32_t *)o.ref, stride);
    c->set->depthwise_codes(rows, taps, channels, x.base, x.off, x.stride, zero, is_signed, w, init,
                            (int32_t *)o.set, stride);
    check_compare(c, &o, 0);
}
