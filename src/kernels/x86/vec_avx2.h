/* The vector type of kernels_tmpl.h, 8 floats. */
#ifndef BSR_KERNELS_X86_VEC_AVX2_H
#define BSR_KERNELS_X86_VEC_AVX2_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define VW 8
typedef __m256 vf;
typedef __m256i vi;
typedef __m256i vmask; /* lanes switched on for a partial load or store */

static inline vmask v_mask(int n)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane);
}

#define v_load(p)         _mm256_loadu_ps(p)
#define v_loadm(m, p)     _mm256_maskload_ps(p, m)
#define v_store(p, v)     _mm256_storeu_ps(p, v)
#define v_storem(p, m, v) _mm256_maskstore_ps(p, m, v)
#define v_set1(x)         _mm256_set1_ps(x)
#define v_zero()          _mm256_setzero_ps()
#define v_fma(a, b, c)    _mm256_fmadd_ps(a, b, c)
#define v_add(a, b)       _mm256_add_ps(a, b)
#define v_mul(a, b)       _mm256_mul_ps(a, b)
#define v_div(a, b)       _mm256_div_ps(a, b)
#define v_rint(x)         _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
/* Both return their second operand when one is NaN or both are zero. */
#define v_max(a, b) _mm256_max_ps(a, b)
#define v_min(a, b) _mm256_min_ps(a, b)

static inline vf v_relu(vf x)
{
    return _mm256_and_ps(_mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_NLE_UQ), x);
}

/* x > m or x is NaN: x, else m */
static inline vf v_pool_max(vf x, vf m)
{
    vf take = _mm256_or_ps(_mm256_cmp_ps(x, m, _CMP_GT_OQ), _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    return _mm256_blendv_ps(m, x, take);
}

/* Are all lanes of m zero? */
static inline int v_all_zero(vmask m, vf x)
{
    vf other = _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_NEQ_UQ);
    return _mm256_testz_si256(_mm256_castps_si256(other), m);
}

#define vi_load(p)         _mm256_loadu_si256((const __m256i *)(p))
#define vi_loadm(m, p)     _mm256_maskload_epi32(p, m)
#define vi_storem(p, m, v) _mm256_maskstore_epi32(p, m, v)
#define vi_set1(x)         _mm256_set1_epi32(x)
#define vi_madd(a, b, acc) _mm256_add_epi32(acc, _mm256_madd_epi16(a, b))
#define vi_add(a, b)       _mm256_add_epi32(a, b)
#define vi_sub(a, b)       _mm256_sub_epi32(a, b)
#define vi_xor(a, b)       _mm256_xor_si256(a, b)
#define v_from_int(x)      _mm256_cvtepi32_ps(x)
#define v_to_int(x)        _mm256_cvtps_epi32(x)

/* n bytes (any n from 1 on, VW at most are read), zero-extended; m is v_mask(n). */
static inline vi vi_load_bytes(vmask m, int n, const void *p)
{
    (void)m;
    if (n >= 8)
        return _mm256_cvtepu8_epi32(_mm_loadl_epi64(p));
    uint64_t bytes = 0;
    memcpy(&bytes, p, (size_t)n);
    return _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)bytes));
}

/* The low bytes of n integers from -128 to 255; VW at most are written. */
static inline void vi_store_bytes(void *p, vmask m, int n, vi x)
{
    (void)m;
    const __m128i low = _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, -1, -1, -1, -1, -1, -1, -1, -1);
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    __m128i bytes = _mm_shuffle_epi8(words, low);
    if (n >= 8) {
        _mm_storel_epi64(p, bytes);
    } else {
        uint64_t v = (uint64_t)_mm_cvtsi128_si64(bytes);
        memcpy(p, &v, (size_t)n);
    }
}

static inline int v_differ(const void *a, const void *b)
{
    vi x = _mm256_xor_si256(vi_load(a), vi_load(b));
    return !_mm256_testz_si256(x, x);
}

#endif
