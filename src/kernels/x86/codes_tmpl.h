/* The part of kernels_tmpl.h that works on 8-bit codes. A signed code s is read as the unsigned
 * byte s + 128, so that one sequence serves both kinds with the zero point moved likewise. */

static inline const unsigned char *codes_at(const char *base, int64_t off)
{
    return (const unsigned char *)((uintptr_t)base + (uintptr_t)off);
}

/* Channels [0, n) of rows that lie `channels` elements apart. by: scales or, when exact, their
 * reciprocals. */
static inline __attribute__((always_inline)) void quantize_block(const int exact, int rows,
                                                                 int channels, int n,
                                                                 const float *x, vf by, vf zero,
                                                                 int is_signed, char *out)
{
    vmask m = v_mask(n);
    vf lo = v_set1(is_signed ? -128.0f : 0.0f), hi = v_set1(is_signed ? 127.0f : 255.0f);
    for (int r = 0; r < rows; r++, x += channels, out += channels) {
        vf v = v_loadm(m, x);
        v = v_add(v_rint(exact ? v_mul(v, by) : v_div(v, by)), zero);
        v = v_min(v_max(v, lo), hi); /* NaN gives lo */
        vi_store_bytes(out, m, n, v_to_int(v));
    }
}

static void quantize(int rows, int channels, const float *x, const float *scale,
                     const int32_t *zero, int is_signed, void *out)
{
    for (int c = 0; c < channels; c += VW) {
        int n = channels - c;
        vmask m = v_mask(n);
        vf s = v_loadm(m, scale + c), z = v_from_int(vi_loadm(m, zero + c));
        vf inverse = v_div(v_set1(1.0f), s);
        /* s * inverse is 1 without rounding only where s is a power of two and its reciprocal a
         * number: there, and only there, the product is the quotient. Most scales here are 1. */
        if (v_all_zero(m, v_fma(s, inverse, v_set1(-1.0f))))
            quantize_block(1, rows, channels, n, x + c, inverse, z, is_signed, (char *)out + c);
        else
            quantize_block(0, rows, channels, n, x + c, s, z, is_signed, (char *)out + c);
    }
}

static void dequantize(int rows, int channels, const char *base, const int64_t *off,
                       const float *scale, const int32_t *zero, int is_signed, float *out)
{
    int flip = is_signed ? 128 : 0;
    for (int c = 0; c < channels; c += VW) {
        int n = channels - c;
        vmask m = v_mask(n);
        vf s = v_loadm(m, scale + c);
        vi f = vi_set1(flip), z = vi_add(vi_loadm(m, zero + c), f);
        for (int r = 0; r < rows; r++) {
            vi x = vi_xor(vi_load_bytes(m, n, codes_at(base, off[r]) + c), f);
            v_storem(out + (size_t)r * (size_t)channels + c, m, v_mul(v_from_int(vi_sub(x, z)), s));
        }
    }
}

static void scale_sums(int rows, int channels, void *x, const float *scale)
{
    float *y = x;
    for (int r = 0; r < rows; r++, y += channels)
        for (int c = 0; c < channels; c += VW) {
            vmask m = v_mask(channels - c);
            v_storem(y + c, m, v_mul(v_from_int(vi_loadm(m, (int *)y + c)), v_loadm(m, scale + c)));
        }
}

/* 256 bits in every set: most pixels have a multiple of 16 or 8 channels, and few of 32. */
static void gather_codes(int rows, int taps, int channels, const char *base, const int64_t *off,
                         size_t off_stride, int zero, int is_signed, int16_t *out,
                         size_t out_stride)
{
    int flip = is_signed ? 128 : 0;
    const __m128i f = _mm_set1_epi8((char)flip);
    const __m256i z = _mm256_set1_epi16((int16_t)(zero + flip));
    for (int r = 0; r < rows; r++) {
        int16_t *to = out + (size_t)r * out_stride;
        for (int t = 0; t < taps; t++, to += channels) {
            const unsigned char *x = codes_at(base, off[(size_t)t * off_stride + (size_t)r]);
            int c = 0;
            for (; c + 16 <= channels; c += 16) {
                __m128i bytes = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(x + c)), f);
                _mm256_storeu_si256((__m256i *)(to + c),
                                    _mm256_sub_epi16(_mm256_cvtepu8_epi16(bytes), z));
            }
            for (; c + 8 <= channels; c += 8) {
                __m128i bytes = _mm_xor_si128(_mm_loadl_epi64((const __m128i *)(x + c)), f);
                _mm_storeu_si128((__m128i *)(to + c), _mm_sub_epi16(_mm_cvtepu8_epi16(bytes),
                                                                    _mm256_castsi256_si128(z)));
            }
            for (; c < channels; c++)
                to[c] = (int16_t)((x[c] ^ flip) - flip - zero);
        }
    }
}

/* As depthwise_block. */
static inline __attribute__((always_inline)) void
depthwise_codes_block(const int taps_known, int rows, int taps, int channels, int n,
                      const char *base, const int64_t *off, size_t off_stride, int zero, int flip,
                      const float *w, const int32_t *init, int32_t *out, size_t out_stride)
{
    vmask m = v_mask(n);
    vi f = vi_set1(flip), z = vi_set1(zero + flip), first = vi_loadm(m, init);
    vf k[9];
    for (int t = 0; t < taps_known; t++)
        k[t] = v_loadm(m, w + (size_t)t * (size_t)channels);
    for (int r = 0; r < rows; r++) {
        vf acc = v_zero();
        for (int t = 0; t < (taps_known ? taps_known : taps); t++) {
            const unsigned char *p = codes_at(base, off[(size_t)t * off_stride + (size_t)r]);
            vf x = v_from_int(vi_sub(vi_xor(vi_load_bytes(m, n, p), f), z));
            acc = v_fma(x, taps_known ? k[t] : v_loadm(m, w + (size_t)t * (size_t)channels), acc);
        }
        vi_storem(out + (size_t)r * out_stride, m, vi_add(v_to_int(acc), first));
    }
}

static void depthwise_codes(int rows, int taps, int channels, const char *base, const int64_t *off,
                            size_t off_stride, int zero, int is_signed, const float *w,
                            const int32_t *init, int32_t *out, size_t out_stride)
{
    int flip = is_signed ? 128 : 0;
    for (int c = 0; c < channels; c += VW) {
        const char *from = (const char *)((uintptr_t)base + (uintptr_t)c);
#define DEPTHWISE_CODES(known)                                                                     \
    depthwise_codes_block(known, rows, taps, channels, channels - c, from, off, off_stride, zero,  \
                          flip, w + c, init + c, out + c, out_stride)
        if (taps == 9)
            DEPTHWISE_CODES(9);
        else
            DEPTHWISE_CODES(0);
    }
}
