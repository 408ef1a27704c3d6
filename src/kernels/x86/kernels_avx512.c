#include "kernels/x86/vec_avx512.h"

/* 12 rows of 2 vectors are 24 of the 32 registers; more rows run out of address registers. */
#define MR        12
#define TABLE     bsr_kernels_avx512
#define TABLE_CPU BSR_CPU_AVX512
#include "kernels/x86/kernels_tmpl.h"
