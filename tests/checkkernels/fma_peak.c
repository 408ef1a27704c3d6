/* How many fused multiply-adds one core can do when nothing has to be loaded. */
#include "check.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* Twelve independent chains: 4 cycles of latency on two units need eight. In assembly, so that the
 * compiler can neither fold the loop nor move the chains to memory. */
#define CHAIN(i) "vfmadd231ps %[x], %[x], %" #i "\n\t"
#define CHAINS                                                                                     \
    CHAIN(0)                                                                                       \
    CHAIN(1)                                                                                       \
    CHAIN(2) CHAIN(3) CHAIN(4) CHAIN(5) CHAIN(6) CHAIN(7) CHAIN(8) CHAIN(9) CHAIN(10) CHAIN(11)
#define RUN(vector, zero, one)                                                                     \
    vector a0 = zero, a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0,      \
           a9 = a0, a10 = a0, a11 = a0, x = one;                                                   \
    for (long i = 0; i < n; i++)                                                                   \
    __asm__ volatile(CHAINS                                                                        \
                     : "+v"(a0), "+v"(a1), "+v"(a2), "+v"(a3), "+v"(a4), "+v"(a5), "+v"(a6),       \
                       "+v"(a7), "+v"(a8), "+v"(a9), "+v"(a10), "+v"(a11)                          \
                     : [x] "v"(x))

static __attribute__((target("avx2,fma"))) void run_avx2(long n)
{
    RUN(__m256, _mm256_setzero_ps(), _mm256_set1_ps(1.0f));
}

static __attribute__((target("avx512f"))) void run_avx512(long n)
{
    RUN(__m512, _mm512_setzero_ps(), _mm512_set1_ps(1.0f));
}

static const struct {
    void (*run)(long n);
    int lanes;
} loops[] = {[BSR_CPU_AVX2] = {run_avx2, 8}, [BSR_CPU_AVX512] = {run_avx512, 16}};

double fma_peak(bsr_cpu cpu)
{
    enum { N = 1000000, REPEATS = 60 };
    if (!loops[cpu].run)
        return 0.0;
    double best = 1e9;
    for (int i = 0; i < REPEATS; i++) {
        double start = bench_seconds();
        loops[cpu].run(N);
        double seconds = bench_seconds() - start;
        best = seconds < best ? seconds : best;
    }
    return 2.0 * 12 * loops[cpu].lanes * N / best / 1e9;
}
#else
double fma_peak(bsr_cpu cpu)
{
    (void)cpu;
    return 0.0;
}
#endif
