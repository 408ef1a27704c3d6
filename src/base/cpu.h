/* Which kernel sets this processor can run. */
#ifndef BSR_BASE_CPU_H
#define BSR_BASE_CPU_H

/* Kernel sets, worst to best. Every set gives the same bits; they differ in speed only. */
typedef enum bsr_cpu {
    BSR_CPU_REF = 0, /* portable C, fmaf */
    BSR_CPU_AVX2 = 1,
    BSR_CPU_AVX512 = 2,
} bsr_cpu;

/* The best set this processor and this build support. */
bsr_cpu bsr_cpu_best(void);

/* "ref", "avx2", "avx512". */
const char *bsr_cpu_name(bsr_cpu cpu);

/* The reverse; -1 for an unknown name. */
int bsr_cpu_from_name(const char *name);

/* The processor's brand string for provenance records, "unknown" where there is none. */
const char *bsr_cpu_brand(char buf[64]);

#endif
