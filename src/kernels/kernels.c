#include "kernels/kernels.h"

const bsr_kernels *bsr_kernels_for(bsr_cpu cpu)
{
    if (cpu > bsr_cpu_best())
        return NULL;
    switch (cpu) {
    case BSR_CPU_REF:
        return &bsr_kernels_ref;
#if defined(__x86_64__)
    case BSR_CPU_AVX2:
        return &bsr_kernels_avx2;
    case BSR_CPU_AVX512:
        return &bsr_kernels_avx512;
#else
    default:
        break;
#endif
    }
    return NULL;
}
