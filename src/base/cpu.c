#include "base/cpu.h"

#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const char *const names[] = {"ref", "avx2", "avx512"};

bsr_cpu bsr_cpu_best(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return BSR_CPU_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return BSR_CPU_AVX2;
#endif
    return BSR_CPU_REF;
}

const char *bsr_cpu_name(bsr_cpu cpu)
{
    return names[cpu];
}

int bsr_cpu_from_name(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

const char *bsr_cpu_brand(char buf[64])
{
    strcpy(buf, "unknown");
#if defined(__x86_64__)
    unsigned regs[12];
    unsigned max = __get_cpuid_max(0x80000000u, NULL);
    if (max >= 0x80000004u) {
        for (unsigned i = 0; i < 3; i++)
            __get_cpuid(0x80000002u + i, &regs[4 * i], &regs[4 * i + 1], &regs[4 * i + 2],
                        &regs[4 * i + 3]);
        memcpy(buf, regs, sizeof regs);
        buf[sizeof regs] = 0;
        for (size_t n = strlen(buf); n && buf[n - 1] == ' '; n--)
            buf[n - 1] = 0;
    }
#endif
    return buf;
}
