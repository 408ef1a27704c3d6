/* checkkernels: are all kernel sets equal, bit for bit, and how fast are they? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { SKIPPED = 77 };

static const char usage[] =
    "usage: checkkernels [--bench] [--cpu ref|avx2|avx512] [--seed N]\n"
    "\n"
    "Runs every kernel of the sets that this processor can run on random cases and\n"
    "compares with the portable kernels, bit for bit (any NaN equals any NaN). Ends with\n"
    "status 1 when something differs or a kernel leaves its buffers.\n"
    "\n"
    "  --bench     print speeds instead\n"
    "  --cpu NAME  this set only; status 77 when the processor cannot run it\n"
    "  --seed N    other random cases (default 1)\n";

static const struct {
    const char *name;
    check_fn run;
    int cases;
} tests[] = {
    {"gemm", check_gemm, 4000},
    {"igemm", check_igemm, 2000},
    {"depthwise", check_depthwise, 2000},
    {"depthwise_column", check_depthwise_column, 2000},
    {"affine_add_clamp", check_affine_add_clamp, 4000},
    {"max_pool", check_max_pool, 2000},
    {"avg_pool", check_avg_pool, 2000},
    {"quantize", check_quantize, 4000},
    {"quantize (known)", check_quantize_known, 700},
    {"dequantize", check_dequantize, 2000},
    {"scale_sums", check_scale_sums, 2000},
    {"gather_codes", check_gather_codes, 2000},
    {"depthwise_codes", check_depthwise_codes, 2000},
    {"differ", check_differ, 4000},
};
enum { N_TESTS = sizeof tests / sizeof *tests };

typedef struct options {
    int bench;
    int cpu; /* -1: all */
    unsigned long long seed;
} options;

/* -1 to go on, else the exit status. */
static int parse(options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *value = i + 1 < argc ? argv[i + 1] : "", *end = value;
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        } else if (strcmp(argv[i], "--bench") == 0) {
            o->bench = 1;
        } else if (strcmp(argv[i], "--cpu") == 0 && (o->cpu = bsr_cpu_from_name(value)) >= 0) {
            i++;
        } else if (strcmp(argv[i], "--seed") == 0 && *value >= '0' && *value <= '9' &&
                   (errno = 0, o->seed = strtoull(value, &end, 0), !errno && !*end)) {
            i++;
        } else {
            fprintf(stderr, "checkkernels: bad argument '%s'\n%s", argv[i], usage);
            return 2;
        }
    }
    return -1;
}

/* Number of mismatches. */
static long check_set(const bsr_kernels *set, const options *o)
{
    check c = {.ref = bsr_kernels_for(BSR_CPU_REF), .set = set};
    long cases = 0, mismatches = 0;
    check_open(&c);
    for (int i = 0; i < N_TESTS; i++) {
        c.rng = o->seed * N_TESTS + (unsigned)i;
        c.cases = c.mismatches = 0;
        while (c.cases < tests[i].cases)
            tests[i].run(&c);
        if (c.mismatches)
            printf("%s %s: %ld of %ld cases differ\n", bsr_cpu_name(set->cpu), tests[i].name,
                   c.mismatches, c.cases);
        cases += c.cases;
        mismatches += c.mismatches;
    }
    check_close(&c);
    printf("%-6s %d tests, %ld cases, %ld mismatches\n", bsr_cpu_name(set->cpu), N_TESTS, cases,
           mismatches);
    return mismatches;
}

int main(int argc, char **argv)
{
    options o = {.cpu = -1, .seed = 1};
    int status = parse(&o, argc, argv);
    if (status >= 0)
        return status;

    const bsr_kernels *sets[BSR_CPU_AVX512 + 1];
    int n = 0;
    for (int cpu = BSR_CPU_REF; cpu <= BSR_CPU_AVX512; cpu++) {
        const bsr_kernels *set = bsr_kernels_for((bsr_cpu)cpu);
        if (set && (o.cpu < 0 || o.cpu == cpu))
            sets[n++] = set;
    }
    if (n == 0) {
        printf("skipped: this processor cannot run %s\n", bsr_cpu_name((bsr_cpu)o.cpu));
        return SKIPPED;
    }
    if (o.bench) {
        bench_kernels(sets, n);
        return 0;
    }
    long mismatches = 0;
    for (int i = 0; i < n; i++)
        mismatches += check_set(sets[i], &o);
    printf("checkkernels: %s (seed %llu)\n", mismatches ? "FAILED" : "all sets equal", o.seed);
    return mismatches != 0;
}
