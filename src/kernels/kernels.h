/* Inner loops on raw pointers. No allocation, no errors, no tensors.
 *
 * A kernel works on rows: a row is one output pixel, a vector of channels. Where a row reads its
 * input pixels is given by byte offsets, off[tap * off_stride + row] from `base`, so that one
 * kernel serves a whole image (offsets from a table made once), a faulty window (offsets that lead
 * to a golden or to a faulty pixel) and padding (an offset that leads to a zero pixel).
 *
 * Every kernel set gives the same bits: vectors run over output channels, sums run over taps and
 * channels in the one order of docs/design/numerics.md, and fused operations are explicit.
 * tests/checkkernels proves the sets equal. Rows and columns are at least 1. Buffers may be read
 * (never written) up to BSR_EXTRA_BYTES behind their end only where said. */
#ifndef BSR_KERNELS_KERNELS_H
#define BSR_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

/* Most rows one gemm call of any set takes, and the widest panel. */
#define BSR_MAX_MR 12
#define BSR_MAX_NR 32

/* Offset of a pooling tap that lies in the padding and is skipped. */
#define BSR_NO_PIXEL INT64_MIN

/* What may follow a sum while it is still in registers, in this order, each part optional:
 *   y = fma(x, scale[c], shift[c])   when scale
 *   y = y + add[r][c]                when add_off (float pixel at add_base + add_off[r])
 *   y = y > 0 || y is NaN ? y : +0   when relu == 1
 *   y = min(max(y, lo), hi)          when relu == 2; NaN stays NaN; lo > hi gives hi
 * c counts the columns of the call. */
typedef struct bsr_epilogue {
    const float *scale, *shift;
    const char *add_base;
    const int64_t *add_off;
    int relu;
    float lo, hi;
} bsr_epilogue;

typedef struct bsr_kernels {
    bsr_cpu cpu;
    int mr; /* rows of a full gemm tile */
    int nr; /* columns of a full panel; a last panel of at most nr / 2 columns may be nr / 2 wide */

    /* out[r][j] = chain over (tap, c) of fma(x[r][tap][c], b[tap * channels + c][j], acc), acc
     * starting at init[j]. x[r][tap] is the float pixel at base + off[tap * off_stride + r].
     * rows <= mr; width is the panel's row length (16 or 32, see nr); columns j < cols <= width are
     * stored to out + r * out_stride (floats). b: [taps * channels][width], 64-byte aligned;
     * init: [width]. e (NULL: none) is applied before storing. */
    void (*gemm)(int rows, int cols, int width, int taps, int channels, const char *base,
                 const int64_t *off, size_t off_stride, const float *b, const float *init,
                 const bsr_epilogue *e, float *out, size_t out_stride);

    /* The same on integers: out[r][j] = init[j] + sum over k of a[r * a_stride + k] * b[k][j],
     * modulo 2^32. |a| and |b| are at most 255, so that a pair's sum is exact. k runs over `pairs`
     * pairs; b holds [pairs][width][2], init [width]. Any number of rows. */
    void (*igemm)(int rows, int cols, int width, int pairs, const int16_t *a, size_t a_stride,
                  const int16_t *b, const int32_t *init, int32_t *out, size_t out_stride);

    /* Depthwise: out[r][c] = chain over taps of fma(x[r][tap][c], w[tap * channels + c], acc), acc
     * starting at init[c]; then e (NULL: none). */
    void (*depthwise)(int rows, int taps, int channels, const char *base, const int64_t *off,
                      size_t off_stride, const float *w, const float *init, const bsr_epilogue *e,
                      float *out, size_t out_stride);

    /* One channel of the same for faulty filters: out[r * out_stride] over taps of channel
     * `channel`, w[tap]. */
    void (*depthwise_column)(int rows, int taps, int channel, const char *base, const int64_t *off,
                             size_t off_stride, const float *w, float init, float *out,
                             size_t out_stride);

    /* e in place on x[rows][channels] (row length = channels). */
    void (*affine_add_clamp)(int rows, int channels, float *x, const bsr_epilogue *e);

    /* out[r][c] = maximum over taps (NaN wins, first operand kept on ties); a tap at BSR_NO_PIXEL
     * is skipped; no tap at all gives -Inf. */
    void (*max_pool)(int rows, int taps, int channels, const char *base, const int64_t *off,
                     size_t off_stride, float *out, size_t out_stride);

    /* out[r][c] = (sum over taps, from 0, in order) / divisor[r]; BSR_NO_PIXEL is skipped. */
    void (*avg_pool)(int rows, int taps, int channels, const char *base, const int64_t *off,
                     size_t off_stride, const float *divisor, float *out, size_t out_stride);

    /* 8-bit codes are signed char when is_signed, else unsigned char; their zero points are codes.
     *
     * out[r][c] = code of rint(x[r][c] / scale[c]) + zero[c], saturated; rint is half to even, NaN
     * gives the lowest code. The division is IEEE's, whatever the scale (0, Inf, NaN, negative).
     * Rows of x and out lie together. */
    void (*quantize)(int rows, int channels, const float *x, const float *scale,
                     const int32_t *zero, int is_signed, void *out);

    /* out[r][c] = (float)(x[r][c] - zero[c]) * scale[c] of codes at base + off[r]. */
    void (*dequantize)(int rows, int channels, const char *base, const int64_t *off,
                       const float *scale, const int32_t *zero, int is_signed, float *out);

    /* x[r][c] = (float)x[r][c] * scale[c] in place: int32 sums become floats. */
    void (*scale_sums)(int rows, int channels, void *x, const float *scale);

    /* Rows for igemm: out[r * out_stride + tap * channels + c] = x[r][tap][c] - zero of codes at
     * base + off[tap * off_stride + r]. Nothing else of a row is written. */
    void (*gather_codes)(int rows, int taps, int channels, const char *base, const int64_t *off,
                         size_t off_stride, int zero, int is_signed, int16_t *out,
                         size_t out_stride);

    /* Depthwise on codes: out[r][c] = init[c] + sum over taps of (x[r][tap][c] - zero) *
     * w[tap * channels + c], modulo 2^32. w holds whole numbers, |w| <= 255. The sum without init
     * is a chain of fma in float, exact up to 258 taps. */
    void (*depthwise_codes)(int rows, int taps, int channels, const char *base, const int64_t *off,
                            size_t off_stride, int zero, int is_signed, const float *w,
                            const int32_t *init, int32_t *out, size_t out_stride);

    /* Is any byte of a[0..n) and b[0..n) different? */
    int (*differ)(const void *a, const void *b, size_t n);
} bsr_kernels;

/* The set of `cpu`; NULL when this build or processor cannot run it. Static storage. */
const bsr_kernels *bsr_kernels_for(bsr_cpu cpu);

/* The sets themselves, for bsr_kernels_for. */
extern const bsr_kernels bsr_kernels_ref, bsr_kernels_avx2, bsr_kernels_avx512;

#endif
