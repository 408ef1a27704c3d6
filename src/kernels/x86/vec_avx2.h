/* The vector type of kernels_tmpl.h, 8 floats. */
#ifndef BSR_KERNELS_X86_VEC_AVX2_H
#define BSR_KERNELS_X86_VEC_AVX2_H

#include <immintrin.h>
#include <stdint.h>

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
#define v_div(a, b)       _mm256_div_ps(a, b)
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

#define vi_load(p)         _mm256_loadu_si256((const __m256i *)(p))
#define vi_loadm(m, p)     _mm256_maskload_epi32(p, m)
#define vi_storem(p, m, v) _mm256_maskstore_epi32(p, m, v)
#define vi_set1(x)         _mm256_set1_epi32(x)
#define vi_madd(a, b, acc) _mm256_add_epi32(acc, _mm256_madd_epi16(a, b))

static inline int v_differ(const void *a, const void *b)
{
    vi x = _mm256_xor_si256(vi_load(a), vi_load(b));
    return !_mm256_testz_si256(x, x);
}

#endif
