/* The vector type of kernels_tmpl.h, 16 floats. */
#ifndef BSR_KERNELS_X86_VEC_AVX512_H
#define BSR_KERNELS_X86_VEC_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#define VW 16
typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vmask; /* lanes switched on for a partial load or store */

static inline vmask v_mask(int n)
{
    return n >= 16 ? (__mmask16)0xffff : n <= 0 ? (__mmask16)0 : (__mmask16)((1u << n) - 1);
}

#define v_load(p)         _mm512_loadu_ps(p)
#define v_loadm(m, p)     _mm512_maskz_loadu_ps(m, p)
#define v_store(p, v)     _mm512_storeu_ps(p, v)
#define v_storem(p, m, v) _mm512_mask_storeu_ps(p, m, v)
#define v_set1(x)         _mm512_set1_ps(x)
#define v_zero()          _mm512_setzero_ps()
#define v_fma(a, b, c)    _mm512_fmadd_ps(a, b, c)
#define v_add(a, b)       _mm512_add_ps(a, b)
#define v_mul(a, b)       _mm512_mul_ps(a, b)
#define v_div(a, b)       _mm512_div_ps(a, b)
#define v_rint(x)         _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
/* Both return their second operand when one is NaN or both are zero. */
#define v_max(a, b) _mm512_max_ps(a, b)
#define v_min(a, b) _mm512_min_ps(a, b)

static inline vf v_relu(vf x)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NLE_UQ), x);
}

/* x > m or x is NaN: x, else m */
static inline vf v_pool_max(vf x, vf m)
{
    __mmask16 take = _mm512_cmp_ps_mask(x, m, _CMP_GT_OQ) | _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    return _mm512_mask_mov_ps(m, take, x);
}

/* Are all lanes of m zero? */
static inline int v_all_zero(vmask m, vf x)
{
    return _mm512_mask_cmp_ps_mask(m, x, _mm512_setzero_ps(), _CMP_NEQ_UQ) == 0;
}

#define vi_load(p)         _mm512_loadu_si512(p)
#define vi_loadm(m, p)     _mm512_maskz_loadu_epi32(m, p)
#define vi_storem(p, m, v) _mm512_mask_storeu_epi32(p, m, v)
#define vi_set1(x)         _mm512_set1_epi32(x)
#define vi_madd(a, b, acc) _mm512_add_epi32(acc, _mm512_madd_epi16(a, b))
#define vi_add(a, b)       _mm512_add_epi32(a, b)
#define vi_sub(a, b)       _mm512_sub_epi32(a, b)
#define vi_xor(a, b)       _mm512_xor_si512(a, b)
#define v_from_int(x)      _mm512_cvtepi32_ps(x)
#define v_to_int(x)        _mm512_cvtps_epi32(x)

/* n bytes (any n from 1 on, VW at most are read), zero-extended; m is v_mask(n). */
static inline vi vi_load_bytes(vmask m, int n, const void *p)
{
    return _mm512_cvtepu8_epi32(n >= 16 ? _mm_loadu_si128(p) : _mm_maskz_loadu_epi8(m, p));
}

/* The low bytes of n integers from -128 to 255; VW at most are written. */
static inline void vi_store_bytes(void *p, vmask m, int n, vi x)
{
    if (n >= 16)
        _mm_storeu_si128(p, _mm512_cvtepi32_epi8(x));
    else
        _mm_mask_storeu_epi8(p, m, _mm512_cvtepi32_epi8(x));
}

static inline int v_differ(const void *a, const void *b)
{
    return _mm512_cmpneq_epi32_mask(vi_load(a), vi_load(b)) != 0;
}

#endif
