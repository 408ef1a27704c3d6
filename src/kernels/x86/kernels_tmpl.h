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

/* Columns [c, c + VW) that m switches on, of row r. */
static inline __attribute__((always_inline)) vf finish(vf y, const bsr_epilogue *e, int r, int c,
                                                       vmask m)
{
    if (e->scale)
        y = v_fma(y, v_loadm(m, e->scale + c), v_loadm(m, e->shift + c));
    if (e->add_off)
        y = v_add(y, v_loadm(m, pixel(e->add_base, e->add_off[r]) + c));
    if (e->relu == 1)
        y = v_relu(y);
    else if (e->relu == 2)
        y = v_min(v_set1(e->hi), v_max(v_set1(e->lo), y));
    return y;
}

/* rows and nv (vectors per row) are compile-time constants at every call, so that the accumulators
 * stay in registers. One broadcast of x serves nv vectors of weights, one load of weights serves
 * all rows. */
static inline __attribute__((always_inline)) void
gemm_tile(const int rows, const int nv, int cols, int taps, int channels, const char *base,
          const int64_t *off, size_t off_stride, const float *b, const float *init,
          const bsr_epilogue *e, float *out, size_t out_stride)
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
    for (int v = 0; e && v < nv; v++) {
        vmask m = v_mask(cols - v * VW);
        for (int r = 0; r < rows; r++)
            acc[r][v] = finish(acc[r][v], e, r, v * VW, m);
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
        size_t off_stride, const float *b, const float *init, const bsr_epilogue *e, float *out,   \
        size_t out_stride)                                                                         \
    {                                                                                              \
        if (width == VW)                                                                           \
            gemm_tile(n, 1, cols, taps, channels, base, off, off_stride, b, init, e, out,          \
                      out_stride);                                                                 \
        else                                                                                       \
            gemm_tile(n, 2, cols, taps, channels, base, off, off_stride, b, init, e, out,          \
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
                 const bsr_epilogue *e, float *out, size_t out_stride)
{
    typedef void (*tile_fn)(int, int, int, int, const char *, const int64_t *, size_t,
                            const float *, const float *, const bsr_epilogue *, float *, size_t);
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
    tiles[rows](cols, width, taps, channels, base, off, off_stride, b, init, e, out, out_stride);
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

/* nv vectors of channels at a time; their weights of up to 9 taps (3 x 3, nearly always) stay in
 * registers over the rows, and the offsets of a row serve all nv. */
static inline __attribute__((always_inline)) void
depthwise_block(const int taps_known, const int nv, int rows, int taps, int channels,
                const char *base, const int64_t *off, size_t off_stride, const float *w,
                const float *init, const bsr_epilogue *e, float *out, size_t out_stride, int c,
                vmask m)
{
    vf k[9][2], first[2];
    for (int v = 0; v < nv; v++) {
        first[v] = v_loadm(m, init + c + v * VW);
        for (int t = 0; t < taps_known; t++)
            k[t][v] = v_loadm(m, w + (size_t)t * (size_t)channels + c + v * VW);
    }
    for (int r = 0; r < rows; r++) {
        vf acc[2];
        for (int v = 0; v < nv; v++)
            acc[v] = first[v];
        for (int t = 0; t < (taps_known ? taps_known : taps); t++) {
            const float *x = pixel(base, off[(size_t)t * off_stride + (size_t)r]) + c;
            for (int v = 0; v < nv; v++) {
                vf f = taps_known ? k[t][v]
                                  : v_loadm(m, w + (size_t)t * (size_t)channels + c + v * VW);
                acc[v] = v_fma(v_loadm(m, x + v * VW), f, acc[v]);
            }
        }
        for (int v = 0; v < nv; v++) {
            if (e)
                acc[v] = finish(acc[v], e, r, c + v * VW, m);
            v_storem(out + (size_t)r * out_stride + c + v * VW, m, acc[v]);
        }
    }
}

static void depthwise(int rows, int taps, int channels, const char *base, const int64_t *off,
                      size_t off_stride, const float *w, const float *init, const bsr_epilogue *e,
                      float *out, size_t out_stride)
{
#define DEPTHWISE(known, nv)                                                                       \
    depthwise_block(known, nv, rows, taps, channels, base, off, off_stride, w, init, e, out,       \
                    out_stride, c, m)
    int c = 0;
    vmask m = v_mask(VW);
    for (; taps == 9 && VW == 16 && c + 2 * VW <= channels; c += 2 * VW)
        DEPTHWISE(9, 2);
    for (; c < channels; c += VW) {
        m = v_mask(channels - c);
        if (taps == 9)
            DEPTHWISE(9, 1);
        else
            DEPTHWISE(0, 1);
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
        for (int c = 0; c < channels; c += VW) {
            vmask m = v_mask(channels - c);
            v_storem(x + c, m, finish(v_loadm(m, x + c), e, r, c, m));
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

#include "kernels/x86/codes_tmpl.h"

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
    .quantize = quantize,
    .dequantize = dequantize,
    .scale_sums = scale_sums,
    .gather_codes = gather_codes,
    .depthwise_codes = depthwise_codes,
    .differ = differ,
};
