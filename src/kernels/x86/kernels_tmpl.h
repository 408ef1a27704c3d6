/* The x86 kernels over the vector type of vec_<isa>.h; included once by kernels_<isa>.c, which
 * defines MR (rows of a full gemm tile) and TABLE (name and label of the kernel table). */

#include <math.h>
#include <string.h>

#include "kernels/kernels.h"

static inline const float *pixel(const char *base, int64_t off)
{
    /* Offsets may lead from one buffer into another, so the sum is made on integers. */
    return (const float *)((uintptr_t)base + (uintptr_t)off);
}

/* rows and nv (vectors per row) are compile-time constants at every call, so that the accumulators
 * stay in registers. One broadcast of x serves nv vectors of weights, one load of weights serves
 * all rows. */
static inline __attribute__((always_inline)) void
gemm_tile(const int rows, const int nv, int cols, int taps, int channels, const char *base,
          const int64_t *off, size_t off_stride, const float *b, const float *init, float *out,
          size_t out_stride)
{
    vf acc[MR][2];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < nv; v++)
            acc[r][v] = v_load(init + v * VW);
    for (int t = 0; t < taps; t++, off += off_stride) {
        const float *x[MR];
        for (int r = 0; r < rows; r++)
            x[r] = pixel(base, off[r]);
        for (int c = 0; c < channels; c++, b += nv * VW) {
            vf w[2];
            for (int v = 0; v < nv; v++)
                w[v] = v_load(b + v * VW);
            for (int r = 0; r < rows; r++) {
                vf xv = v_set1(x[r][c]);
                for (int v = 0; v < nv; v++)
                    acc[r][v] = v_fma(xv, w[v], acc[r][v]);
            }
        }
    }
    for (int v = 0; v < nv; v++) {
        int n = cols - v * VW;
        if (n >= VW) {
            for (int r = 0; r < rows; r++)
                v_store(out + (size_t)r * out_stride + v * VW, acc[r][v]);
        } else if (n > 0) {
            vmask m = v_mask(n);
            for (int r = 0; r < rows; r++)
                v_storem(out + (size_t)r * out_stride + v * VW, m, acc[r][v]);
        }
    }
}

#define GEMM_CASE(n)                                                                               \
    static __attribute__((noinline)) void gemm_##n(                                                \
        int cols, int width, int taps, int channels, const char *base, const int64_t *off,         \
        size_t off_stride, const float *b, const float *init, float *out, size_t out_stride)       \
    {                                                                                              \
        if (width == VW)                                                                           \
            gemm_tile(n, 1, cols, taps, channels, base, off, off_stride, b, init, out,             \
                      out_stride);                                                                 \
        else                                                                                       \
            gemm_tile(n, 2, cols, taps, channels, base, off, off_stride, b, init, out,             \
                      out_stride);                                                                 \
    }

/* clang-format off */
GEMM_CASE(1) GEMM_CASE(2) GEMM_CASE(3) GEMM_CASE(4) GEMM_CASE(5) GEMM_CASE(6)
#if MR == 12
GEMM_CASE(7) GEMM_CASE(8) GEMM_CASE(9) GEMM_CASE(10) GEMM_CASE(11) GEMM_CASE(12)
#endif
/* clang-format on */

static void gemm(int rows, int cols, int width, int taps, int channels, const char *base,
                 const int64_t *off, size_t off_stride, const float *b, const float *init,
                 float *out, size_t out_stride)
{
    typedef void (*tile_fn)(int, int, int, int, const char *, const int64_t *, size_t,
                            const float *, const float *, float *, size_t);
    static const tile_fn tiles[MR + 1] = {
        NULL,
        gemm_1,
        gemm_2,
        gemm_3,
        gemm_4,
        gemm_5,
        gemm_6,
#if MR == 12
        gemm_7,
        gemm_8,
        gemm_9,
        gemm_10,
        gemm_11,
        gemm_12,
#endif
    };
    tiles[rows](cols, width, taps, channels, base, off, off_stride, b, init, out, out_stride);
}

static inline __attribute__((always_inline)) void
igemm_tile(const int rows, const int nv, int cols, int pairs, const int16_t *a, size_t a_stride,
           const int16_t *b, const int32_t *init, int32_t *out, size_t out_stride)
{
    vi acc[6][2];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < nv; v++)
            acc[r][v] = vi_load(init + v * VW);
    for (int k = 0; k < pairs; k++, b += nv * VW * 2) {
        vi w[2];
        for (int v = 0; v < nv; v++)
            w[v] = vi_load(b + v * VW * 2);
        for (int r = 0; r < rows; r++) {
            int32_t pair;
            memcpy(&pair, a + (size_t)r * a_stride + 2 * k, sizeof pair);
            vi xv = vi_set1(pair);
            for (int v = 0; v < nv; v++)
                acc[r][v] = vi_madd(xv, w[v], acc[r][v]);
        }
    }
    for (int v = 0; v < nv; v++) {
        vmask m = v_mask(cols - v * VW);
        for (int r = 0; r < rows; r++)
            vi_storem(out + (size_t)r * out_stride + v * VW, m, acc[r][v]);
    }
}

static void igemm(int rows, int cols, int width, int pairs, const int16_t *a, size_t a_stride,
                  const int16_t *b, const int32_t *init, int32_t *out, size_t out_stride)
{
    while (rows > 0) {
        int n = rows >= 6 ? 6 : rows >= 4 ? 4 : rows >= 2 ? 2 : 1;
#define IGEMM_CASE(r)                                                                              \
    case r:                                                                                        \
        if (width == VW)                                                                           \
            igemm_tile(r, 1, cols, pairs, a, a_stride, b, init, out, out_stride);                  \
        else                                                                                       \
            igemm_tile(r, 2, cols, pairs, a, a_stride, b, init, out, out_stride);                  \
        break;
        switch (n) {
            IGEMM_CASE(6)
            IGEMM_CASE(4)
            IGEMM_CASE(2)
            IGEMM_CASE(1)
        }
        a += (size_t)n * a_stride;
        out += (size_t)n * out_stride;
        rows -= n;
    }
}

/* One vector of channels at a time, its weights of up to 9 taps (3 x 3, nearly always) held in
 * registers over the rows. */
static inline __attribute__((always_inline)) void
depthwise_block(const int taps_known, int rows, int taps, int channels, const char *base,
                const int64_t *off, size_t off_stride, const float *w, const float *init,
                float *out, size_t out_stride, int c, vmask m)
{
    vf k[9], first = v_loadm(m, init + c);
    for (int t = 0; t < taps_known; t++)
        k[t] = v_loadm(m, w + (size_t)t * (size_t)channels + c);
    for (int r = 0; r < rows; r++) {
        vf acc = first;
        for (int t = 0; t < (taps_known ? taps_known : taps); t++) {
            vf x = v_loadm(m, pixel(base, off[(size_t)t * off_stride + (size_t)r]) + c);
            vf f = taps_known ? k[t] : v_loadm(m, w + (size_t)t * (size_t)channels + c);
            acc = v_fma(x, f, acc);
        }
        v_storem(out + (size_t)r * out_stride + c, m, acc);
    }
}

static void depthwise(int rows, int taps, int channels, const char *base, const int64_t *off,
                      size_t off_stride, const float *w, const float *init, float *out,
                      size_t out_stride)
{
    for (int c = 0; c < channels; c += VW) {
        vmask m = v_mask(channels - c);
        if (taps == 9)
            depthwise_block(9, rows, taps, channels, base, off, off_stride, w, init, out,
                            out_stride, c, m);
        else
            depthwise_block(0, rows, taps, channels, base, off, off_stride, w, init, out,
                            out_stride, c, m);
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

static inline __attribute__((always_inline)) void
affine_add_clamp_rows(const int with_affine, const int with_add, const int relu, int rows,
                      int channels, float *x, const float *scale, const float *shift,
                      const char *add_base, const int64_t *add_off, float lo, float hi)
{
    vf vlo = v_set1(lo), vhi = v_set1(hi);
    for (int r = 0; r < rows; r++, x += channels) {
        const float *add = with_add ? pixel(add_base, add_off[r]) : NULL;
        for (int c = 0; c < channels; c += VW) {
            vmask m = v_mask(channels - c);
            vf y = v_loadm(m, x + c);
            if (with_affine)
                y = v_fma(y, v_loadm(m, scale + c), v_loadm(m, shift + c));
            if (with_add)
                y = v_add(y, v_loadm(m, add + c));
            if (relu == 1)
                y = v_relu(y);
            else if (relu == 2)
                y = v_min(vhi, v_max(vlo, y));
            v_storem(x + c, m, y);
        }
    }
}

static void affine_add_clamp(int rows, int channels, float *x, const float *scale,
                             const float *shift, const char *add_base, const int64_t *add_off,
                             int relu, float lo, float hi)
{
#define AAC(affine, add, clamp)                                                                    \
    affine_add_clamp_rows(affine, add, clamp, rows, channels, x, scale, shift, add_base, add_off,  \
                          lo, hi)
    switch ((scale ? 1 : 0) + (add_off ? 2 : 0) + 4 * relu) {
    case 1:
        AAC(1, 0, 0);
        break;
    case 2:
        AAC(0, 1, 0);
        break;
    case 3:
        AAC(1, 1, 0);
        break;
    case 4:
        AAC(0, 0, 1);
        break;
    case 5:
        AAC(1, 0, 1);
        break;
    case 6:
        AAC(0, 1, 1);
        break;
    case 7:
        AAC(1, 1, 1);
        break;
    case 8:
        AAC(0, 0, 2);
        break;
    case 9:
        AAC(1, 0, 2);
        break;
    case 10:
        AAC(0, 1, 2);
        break;
    case 11:
        AAC(1, 1, 2);
        break;
    }
}

static void max_pool(int rows, int taps, int channels, const char *base, const int64_t *off,
                     size_t off_stride, float *out, size_t out_stride)
{
    for (int c = 0; c < channels; c += VW) {
        vmask m = v_mask(channels - c);
        for (int r = 0; r < rows; r++) {
            vf acc = v_set1(-INFINITY);
            for (int t = 0; t < taps; t++) {
                int64_t o = off[(size_t)t * off_stride + (size_t)r];
                if (o != BSR_NO_PIXEL)
                    acc = v_pool_max(v_loadm(m, pixel(base, o) + c), acc);
            }
            v_storem(out + (size_t)r * out_stride + c, m, acc);
        }
    }
}

static void avg_pool(int rows, int taps, int channels, const char *base, const int64_t *off,
                     size_t off_stride, const float *divisor, float *out, size_t out_stride)
{
    for (int c = 0; c < channels; c += VW) {
        vmask m = v_mask(channels - c);
        for (int r = 0; r < rows; r++) {
            vf acc = v_zero();
            for (int t = 0; t < taps; t++) {
                int64_t o = off[(size_t)t * off_stride + (size_t)r];
                if (o != BSR_NO_PIXEL)
                    acc = v_add(acc, v_loadm(m, pixel(base, o) + c));
            }
            v_storem(out + (size_t)r * out_stride + c, m, v_div(acc, v_set1(divisor[r])));
        }
    }
}

static int differ(const void *a, const void *b, size_t n)
{
    const char *x = a, *y = b;
    size_t i = 0;
    for (; i + sizeof(vf) <= n; i += sizeof(vf))
        if (v_differ(x + i, y + i))
            return 1;
    return i < n && memcmp(x + i, y + i, n - i) != 0;
}

const bsr_kernels TABLE = {
    .cpu = TABLE_CPU,
    .mr = MR,
    .nr = 2 * VW,
    .gemm = gemm,
    .igemm = igemm,
    .depthwise = depthwise,
    .depthwise_column = depthwise_column,
    .affine_add_clamp = affine_add_clamp,
    .max_pool = max_pool,
    .avg_pool = avg_pool,
    .differ = differ,
};
