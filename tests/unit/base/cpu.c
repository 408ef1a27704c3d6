#include "base/cpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_base_cpu__names(void **state)
{
    assert_string_equal(bsr_cpu_name(BSR_CPU_REF), "ref");
    assert_string_equal(bsr_cpu_name(BSR_CPU_AVX2), "avx2");
    assert_string_equal(bsr_cpu_name(BSR_CPU_AVX512), "avx512");
    for (int i = 0; i < 3; i++)
        assert_int_equal(bsr_cpu_from_name(bsr_cpu_name((bsr_cpu)i)), i);
    assert_int_equal(bsr_cpu_from_name("avx"), -1);
    assert_int_equal(bsr_cpu_from_name("AVX2"), -1);
    assert_int_equal(bsr_cpu_from_name(""), -1);
}

/* The value of the first line of /proc/cpuinfo that starts with `key`. */
static int cpuinfo(char *value, size_t n, const char *key)
{
    FILE *f = fopen("/proc/cpuinfo", "r");
    int found = 0;
    while (f && !found && fgets(value, (int)n, f))
        found = strncmp(value, key, strlen(key)) == 0;
    if (f)
        fclose(f);
    char *colon = found ? strchr(value, ':') : NULL;
    if (!colon)
        return 0;
    value[strcspn(value, "\n")] = 0;
    memmove(value, colon + 2, strlen(colon + 2) + 1);
    return 1;
}

static int has(const char *flags, const char *flag)
{
    size_t n = strlen(flag);
    for (const char *p = strstr(flags, flag); p; p = strstr(p + n, flag))
        if ((p == flags || p[-1] == ' ') && (p[n] == ' ' || p[n] == 0))
            return 1;
    return 0;
}

/* The kernel lists what processor and operating system support together. */
static void test_base_cpu__best_is_the_kernels(void **state)
{
    static char flags[8192];
    if (!cpuinfo(flags, sizeof flags, "flags"))
        skip();
    int best = BSR_CPU_REF;
    if (has(flags, "avx2") && has(flags, "fma"))
        best = BSR_CPU_AVX2;
    if (has(flags, "avx512f") && has(flags, "avx512bw") && has(flags, "avx512dq") &&
        has(flags, "avx512vl"))
        best = BSR_CPU_AVX512;
    assert_int_equal(bsr_cpu_best(), best);
}

static void test_base_cpu__brand(void **state)
{
    char buf[64], name[256];
    assert_ptr_equal(bsr_cpu_brand(buf), buf);
    assert_in_range(strlen(buf), 1, 48);
    if (cpuinfo(name, sizeof name, "model name"))
        assert_string_equal(buf, name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_cpu__names),
        cmocka_unit_test(test_base_cpu__best_is_the_kernels),
        cmocka_unit_test(test_base_cpu__brand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
