/* checkkernels: every kernel set against the portable one, bit for bit, on random cases. */
#ifndef CHECKKERNELS_CHECK_H
#define CHECKKERNELS_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"

enum {
    CHECK_MAX_ROWS = 24,
    CHECK_MAX_TAPS = 49,
    CHECK_MAX_CHANNELS = 70,
    CHECK_MAX_GAP = 80, /* words between output rows */
    CHECK_GUARD = 64,   /* words around outputs that must keep their pattern */
};

/* Memory with an inaccessible page right behind its end. */
typedef struct region {
    char *end;
    size_t size;
} region;

typedef struct check {
    const bsr_kernels *ref; /* gives the expectation */
    const bsr_kernels *set; /* under test */
    uint64_t rng;

    int wide;             /* this case: values over 80 binades rather than in [-2, 2) */
    uint32_t special;     /* this case: so many of 256 values are drawn from the special ones */
    uint32_t special_set; /* this case: the first so many special values */

    region pixels[2], weights, init, extra, epilogue[3], out_ref, out_set;
    long cases, mismatches;
    char label[256]; /* the running case, for messages */
} check;

/* Pixels for the kernels that read by offset. The same pixels can be reached by absolute addresses
 * from a NULL base (for the reference) and by `off` from `base` (for the set under test), which is
 * NULL, the start of one of two separate buffers, or somewhere inside it. */
typedef struct check_pixels {
    size_t stride; /* off_stride of both tables */
    const char *base;
    int64_t address[CHECK_MAX_TAPS * (CHECK_MAX_ROWS + 4)];
    int64_t off[CHECK_MAX_TAPS * (CHECK_MAX_ROWS + 4)];
} check_pixels;

/* The same epilogue for both sets, reached by different addresses. */
typedef struct check_epilogue {
    bsr_epilogue ref, set;
    int64_t address[CHECK_MAX_ROWS], off[CHECK_MAX_ROWS];
} check_epilogue;

/* Random parts, parameters for `cols` columns, an operand for `rows` rows. */
void check_make_epilogue(check *c, check_epilogue *e, int rows, int cols);

/* An output of 32-bit words, once per set, with guards in front, between the rows and behind. */
typedef struct check_output {
    int rows, cols;
    size_t stride;
    uint32_t *ref, *set; /* element 0 */
    size_t behind;       /* guard words behind; 0: the inaccessible page follows at once */
} check_output;

/* Maps the regions; exits with a message when the system refuses. From then on an access beyond a
 * region ends the program with status 1 and the label of the case. */
void check_open(check *c);
void check_close(check *c);

/* Starts a case: chooses how values are drawn. */
void check_start(check *c);

/* "<set> <what>", where `fmt` describes the case. */
void check_label(check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Counts a mismatch and prints the first few: label, then `fmt`. */
void check_mismatch(check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Uniform in 0..n-1 (n > 0), and lo..hi. */
uint32_t check_random(check *c, uint32_t n);
int check_between(check *c, int lo, int hi);

/* A value as check_start chose, and n of them. */
float check_value(check *c);
void check_fill(check *c, float *p, size_t n);

/* The last `bytes` bytes of a region, rounded down to a multiple of `align`. */
void *check_place(const region *r, size_t bytes, size_t align);
float *check_floats(check *c, const region *r, size_t n); /* placed and filled */

/* skip: some taps get BSR_NO_PIXEL. */
void check_make_pixels(check *c, check_pixels *p, int rows, int taps, int channels, int skip);

/* Places both outputs, words from row to row `stride` >= cols, and fills them with the pattern. */
void check_make_output(check *c, check_output *o, int rows, int cols, size_t stride);
size_t check_stride(check *c, int cols); /* a random stride >= cols, often cols */

/* Elements equal (as floats two NaN are equal whatever their payload), guards untouched. */
void check_compare(check *c, const check_output *o, int as_float);

typedef void (*check_fn)(check *c);

/* One random case each. */
void check_gemm(check *c);
void check_igemm(check *c);
void check_depthwise(check *c);
void check_depthwise_column(check *c);
void check_affine_add_clamp(check *c);
void check_max_pool(check *c);
void check_avg_pool(check *c);
void check_quantize(check *c);
void check_quantize_known(check *c); /* against a table instead of the reference */
void check_dequantize(check *c);
void check_scale_sums(check *c);
void check_gather_codes(check *c);
void check_depthwise_codes(check *c);
void check_differ(check *c);

/* GFLOP/s of register-only fused multiply-adds with the registers of `cpu`, one thread; 0 when
 * this build has no such loop. The processor must be able to run `cpu`. */
double fma_peak(bsr_cpu cpu);

/* Prints GFLOP/s of typical layers for the sets; the last one is the machine's best. */
void bench_kernels(const bsr_kernels *const *sets, int n);

/* Seconds from some fixed moment. */
double bench_seconds(void);

#endif
