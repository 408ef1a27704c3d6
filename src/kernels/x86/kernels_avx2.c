#include "kernels/x86/vec_avx2.h"

/* 6 rows of 2 vectors are 12 of the 16 registers. */
#define MR        6
#define TABLE     bsr_kernels_avx2
#define TABLE_CPU BSR_CPU_AVX2
#include "kernels/x86/kernels_tmpl.h"
