/* Portable kernels: the definition of every result. */
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

static const float *pixel(const char *base, int64_t off)
{
    /* Offsets may lead from one buffer into another, so the sum is made on integers. */
    return (const float *)((uintptr_t)base + (uintptr_t)off);
}

static int code(const char *base, int64_t off, int c, int is_signed)
{
    const unsigned char *x = (const unsigned char *)((uintptr_t)base + (uintptr_t)off);
    return is_signed ? (signed char)x[c] : x[c];
}

static float finish(float y, const bsr_epilogue *e, int r, int c)
{
    if (e->scale)
        y = fmaf(y, e->scale[c], e->shift[c]);
    if (e->add_off)
        y = y + pixel(e->add_base, e->add_off[r])[c];
    if (e->relu == 1)
        y = y <= 0.0f ? 0.0f : y;
    else if (e->relu == 2) {
        y = y < e->lo ? e->lo : y;
        y = y > e->hi ? e->hi : y;
    }
    return y;
}

static void gemm(int rows, int cols, int width, int taps, int channels, const char *base,
                 const int64_t *off, size_t off_stride, const float *b, const float *init,
                 const bsr_epilogue *e, float *out, size_t out_stride)
{
    for (int r = 0; r < rows; r++) {
        float acc[BSR_MAX_NR];
        memcpy(acc, init, (size_t)cols * sizeof *acc);
        const float *w = b;
        for (int t = 0; t < taps; t++) {
            const float *x = pixel(base, off[(size_t)t * off_stride + (size_t)r]);
            for (int c = 0; c < channels; c++, w += width)
                for (int j = 0; j < cols; j++)
                    acc[j] = fmaf(x[c], w[j], acc[j]);
        }
        for (int j = 0; j < cols; j++)
            out[(size_t)r * out_stride + (size_t)j] = e ? finish(acc[j], e, r, j) : acc[j];
    }
}

static void igemm(int rows, int cols, int width, int pairs, const int16_t *a, size_t a_stride,
                  const int16_t *b, const int32_t *init, int32_t *out, size_t out_stride)
{
    for (int r = 0; r < rows; r++) {
        const int16_t *x = a + (size_t)r * a_stride;
        for (int j = 0; j < cols; j++) {
            uint32_t acc = (uint32_t)init[j]; /* unsigned: a faulty bias may make the sum wrap */
            for (int k = 0; k < pairs; k++) {
                const int16_t *w = b + ((size_t)k * (size_t)width + (size_t)j) * 2;
                acc += (uint32_t)(x[2 * k] * w[0] + x[2 * k + 1] * w[1]);
            }
            out[(size_t)r * out_stride + (size_t)j] = (int32_t)acc;
        }
    }
}

static void depthwise(int rows, int taps, int channels, const char *base, const int64_t *off,
                      size_t off_stride, const float *w, const float *init, const bsr_epilogue *e,
                      float *out, size_t out_stride)
{
    for (int r = 0; r < rows; r++) {
        float *y = out + (size_t)r * out_stride;
        memcpy(y, init, (size_t)channels * sizeof *y);
        for (int t = 0; t < taps; t++) {
            const float *x = pixel(base, off[(size_t)t * off_stride + (size_t)r]);
            for (int c = 0; c < channels; c++)
                y[c] = fmaf(x[c], w[(size_t)t * (size_t)channels + (size_t)c], y[c]);
        }
        for (int c = 0; e && c < channels; c++)
            y[c] = finish(y[c], e, r, c);
    }
}

static void depthwise_column(int rows, int taps, int channel, const char *base, const int64_t *off,
                             size_t off_stride, const float *w, float init, float *out,
                             size_t out_stride)
{
    for (int r = 0; r < rows; r++) {
        float acc = init;
        for (int t = 0; t < taps; t++)
            acc = fmaf(pixel(base, off[(size_t)t * off_stride + (size_t)r])[channel], w[t], acc);
        out[(size_t)r * out_stride] = acc;
    }
}

static void affine_add_clamp(int rows, int channels, float *x, const bsr_epilogue *e)
{
    for (int r = 0; r < rows; r++, x += channels)
        for (int c = 0; c < channels; c++)
            x[c] = finish(x[c], e, r, c);
}

static void max_pool(int rows, int taps, int channels, const char *base, const int64_t *off,
                     size_t off_stride, float *out, size_t out_stride)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < channels; c++) {
            float m = -INFINITY;
            for (int t = 0; t < taps; t++) {
                int64_t o = off[(size_t)t * off_stride + (size_t)r];
                if (o == BSR_NO_PIXEL)
                    continue;
                float x = pixel(base, o)[c];
                m = x > m || x != x ? x : m;
            }
            out[(size_t)r * out_stride + (size_t)c] = m;
        }
}

static void avg_pool(int rows, int taps, int channels, const char *base, const int64_t *off,
                     size_t off_stride, const float *divisor, float *out, size_t out_stride)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < channels; c++) {
            float sum = 0.0f;
            for (int t = 0; t < taps; t++) {
                int64_t o = off[(size_t)t * off_stride + (size_t)r];
                if (o != BSR_NO_PIXEL)
                    sum = sum + pixel(base, o)[c];
            }
            out[(size_t)r * out_stride + (size_t)c] = sum / divisor[r];
        }
}

static void quantize(int rows, int channels, const float *x, const float *scale,
                     const int32_t *zero, int is_signed, void *out)
{
    float lo = is_signed ? -128.0f : 0.0f, hi = is_signed ? 127.0f : 255.0f;
    unsigned char *to = out;
    for (int r = 0; r < rows; r++, x += channels, to += channels)
        for (int c = 0; c < channels; c++) {
            float v = rintf(x[c] / scale[c]) + (float)zero[c];
            v = v > lo ? (v < hi ? v : hi) : lo; /* NaN gives lo */
            to[c] = (unsigned char)(int)v;
        }
}

static void dequantize(int rows, int channels, const char *base, const int64_t *off,
                       const float *scale, const int32_t *zero, int is_signed, float *out)
{
    for (int r = 0; r < rows; r++, out += channels)
        for (int c = 0; c < channels; c++)
            out[c] = (float)(code(base, off[r], c, is_signed) - zero[c]) * scale[c];
}

static void scale_sums(int rows, int channels, void *x, const float *scale)
{
    char *at = x;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < channels; c++, at += sizeof(float)) {
            int32_t sum;
            memcpy(&sum, at, sizeof sum);
            float y = (float)sum * scale[c];
            memcpy(at, &y, sizeof y);
        }
}

static void gather_codes(int rows, int taps, int channels, const char *base, const int64_t *off,
                         size_t off_stride, int zero, int is_signed, int16_t *out,
                         size_t out_stride)
{
    for (int r = 0; r < rows; r++) {
        int16_t *to = out + (size_t)r * out_stride;
        for (int t = 0; t < taps; t++)
            for (int c = 0; c < channels; c++)
                *to++ =
                    (int16_t)(code(base, off[(size_t)t * off_stride + (size_t)r], c, is_signed) -
                              zero);
    }
}

static void depthwise_codes(int rows, int taps, int channels, const char *base, const int64_t *off,
                            size_t off_stride, int zero, int is_signed, const float *w,
                            const int32_t *init, int32_t *out, size_t out_stride)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < channels; c++) {
            float sum = 0.0f;
            for (int t = 0; t < taps; t++) {
                int x = code(base, off[(size_t)t * off_stride + (size_t)r], c, is_signed) - zero;
                sum = fmaf((float)x, w[(size_t)t * (size_t)channels + (size_t)c], sum);
            }
            /* unsigned: a faulty bias may make the sum wrap */
            out[(size_t)r * out_stride + (size_t)c] =
                (int32_t)((uint32_t)(int32_t)sum + (uint32_t)init[c]);
        }
}

static int differ(const void *a, const void *b, size_t n)
{
    return memcmp(a, b, n) != 0;
}

const bsr_kernels bsr_kernels_ref = {
    .cpu = BSR_CPU_REF,
    .mr = 4,
    .nr = 16,
    .gemm = gemm,
    .igemm = igemm,
    .depthwise = depthwise,
    .depthwise_column = depthwise_column,
    .affine_add_clamp = affine_add_clamp,
    .max_pool = max_pool,
    .avg_pool = avg_pool,
    .quantize = quantize,
    .dequantize = dequantize,
    .scale_sums = scale_sums,
    .gather_codes = gather_codes,
    .depthwise_codes = depthwise_codes,
    .differ = differ,
};
