#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "check.h"

#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { REGION_BYTES = 1 << 20, PRINTED_MISMATCHES = 20, PATTERN = 0x5aa5c33c };

/* Finite first, then Inf, then NaN, so that a case can stay below one of them. */
static const float specials[] = {
    0.0f,        -0.0f,    FLT_TRUE_MIN, -FLT_TRUE_MIN, FLT_MIN / 2, -FLT_MIN / 2, FLT_MIN,
    -FLT_MIN,    FLT_MAX,  -FLT_MAX,     1e38f,         -1e38f,      0x1p64f,      -0x1p64f,
    FLT_EPSILON, INFINITY, -INFINITY,    NAN,           -NAN,
};
enum { FINITE = 15, NO_NAN = 17, ALL = sizeof specials / sizeof *specials };

static check *running; /* for the signal handler */

static void on_bad_access(int sig)
{
    static const char text[] = ": access beyond a buffer\n";
    if (write(STDERR_FILENO, running->label, strlen(running->label)) >= 0 &&
        write(STDERR_FILENO, text, sizeof text - 1) >= 0)
        _exit(1);
    _exit(1);
}

static void map(region *r)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    r->size = REGION_BYTES;
    char *p =
        mmap(NULL, r->size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p + r->size, page, PROT_NONE) != 0) {
        perror("checkkernels: mmap");
        exit(1);
    }
    r->end = p + r->size;
}

static region *regions(check *c, int i)
{
    region *const all[] = {&c->pixels[0],   &c->pixels[1],  &c->weights, &c->init,
                           &c->extra,       &c->out_ref,    &c->out_set, &c->epilogue[0],
                           &c->epilogue[1], &c->epilogue[2]};
    return i < (int)(sizeof all / sizeof *all) ? all[i] : NULL;
}

void check_open(check *c)
{
    for (int i = 0; regions(c, i); i++)
        map(regions(c, i));
    running = c;
    signal(SIGSEGV, on_bad_access);
    signal(SIGBUS, on_bad_access);
}

void check_close(check *c)
{
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    for (int i = 0; regions(c, i); i++) {
        region *r = regions(c, i);
        munmap(r->end - r->size, r->size + (size_t)sysconf(_SC_PAGESIZE));
    }
}

static uint64_t next(check *c)
{
    /* SplitMix64 */
    uint64_t z = c->rng += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t check_random(check *c, uint32_t n)
{
    return (uint32_t)((next(c) >> 32) * n >> 32);
}

int check_between(check *c, int lo, int hi)
{
    return lo + (int)check_random(c, (uint32_t)(hi - lo + 1));
}

void check_start(check *c)
{
    static const uint32_t shares[] = {0, 0, 0, 2, 16, 128};
    static const uint32_t sets[] = {FINITE, NO_NAN, ALL};
    c->wide = check_random(c, 3) == 0;
    c->special = shares[check_random(c, sizeof shares / sizeof *shares)];
    c->special_set = sets[check_random(c, sizeof sets / sizeof *sets)];
    c->cases++;
}

void check_label(check *c, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = snprintf(c->label, sizeof c->label, "%s ", bsr_cpu_name(c->set->cpu));
    vsnprintf(c->label + n, sizeof c->label - (size_t)n, fmt, args);
    va_end(args);
}

void check_mismatch(check *c, const char *fmt, ...)
{
    if (++c->mismatches > PRINTED_MISMATCHES)
        return;
    va_list args;
    va_start(args, fmt);
    printf("%s, case %ld: ", c->label, c->cases);
    vprintf(fmt, args);
    putchar('\n');
    va_end(args);
}

float check_value(check *c)
{
    uint64_t bits = next(c);
    if ((bits & 255) < c->special)
        return specials[(bits >> 8 & 0xffff) % c->special_set];
    float unit = 1.0f + (float)(bits >> 41) * 0x1p-23f; /* [1, 2) */
    if (c->wide)
        return ldexpf(bits & 1 << 8 ? unit : -unit, (int)(bits >> 9 & 0xffff) % 80 - 40);
    return 4.0f * (unit - 1.5f);
}

void check_fill(check *c, float *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = check_value(c);
}

void *check_place(const region *r, size_t bytes, size_t align)
{
    return r->end - (bytes + align - 1) / align * align;
}

float *check_floats(check *c, const region *r, size_t n)
{
    float *p = check_place(r, n * sizeof *p, sizeof *p);
    check_fill(c, p, n);
    return p;
}

void check_make_pixels(check *c, check_pixels *p, int rows, int taps, int channels, int skip)
{
    enum { PIXELS = 40 }; /* per buffer; so that pixels are shared, as in a convolution */
    const float *pool[2];
    for (int i = 0; i < 2; i++)
        pool[i] = check_floats(c, &c->pixels[i], (size_t)PIXELS * (size_t)channels);
    const char *const bases[] = {NULL, (const char *)pool[0], (const char *)pool[1],
                                 (const char *)(pool[0] + channels * check_between(c, 1, 9))};
    p->base = bases[check_random(c, 4)];
    p->stride = (size_t)rows + check_random(c, 5);
    uint32_t skipped = skip ? (uint32_t)check_between(c, 0, 4) : 0; /* quarters */
    for (size_t t = 0; t < (size_t)taps; t++)
        for (size_t r = 0; r < (size_t)rows; r++) {
            const float *x = pool[check_random(c, 2)] + (int)check_random(c, PIXELS) * channels;
            size_t i = t * p->stride + r;
            p->address[i] = (int64_t)(uintptr_t)x;
            p->off[i] = (int64_t)((uintptr_t)x - (uintptr_t)p->base);
            if (check_random(c, 4) < skipped)
                p->address[i] = p->off[i] = BSR_NO_PIXEL;
        }
}

size_t check_stride(check *c, int cols)
{
    return (size_t)cols + (check_random(c, 2) ? check_random(c, CHECK_MAX_GAP) : 0);
}

static size_t words(const check_output *o)
{
    return CHECK_GUARD + (size_t)(o->rows - 1) * o->stride + (size_t)o->cols + o->behind;
}

void check_make_output(check *c, check_output *o, int rows, int cols, size_t stride)
{
    o->rows = rows;
    o->cols = cols;
    o->stride = stride;
    o->behind = check_random(c, 4) ? CHECK_GUARD : 0;
    uint32_t *ref = check_place(&c->out_ref, words(o) * sizeof *ref, sizeof *ref);
    uint32_t *set = check_place(&c->out_set, words(o) * sizeof *set, sizeof *set);
    for (size_t i = 0; i < words(o); i++)
        ref[i] = set[i] = PATTERN;
    o->ref = ref + CHECK_GUARD;
    o->set = set + CHECK_GUARD;
}

static int is_nan(uint32_t bits)
{
    return (bits & 0x7fffffffu) > 0x7f800000u;
}

void check_compare(check *c, const check_output *o, int as_float)
{
    const uint32_t *ref = o->ref - CHECK_GUARD, *set = o->set - CHECK_GUARD;
    for (size_t i = 0; i < words(o); i++) {
        size_t at = i - CHECK_GUARD; /* huge in the front guard */
        if (at / o->stride < (size_t)o->rows && at % o->stride < (size_t)o->cols) {
            if (ref[i] == set[i] || (as_float && is_nan(ref[i]) && is_nan(set[i])))
                continue;
            check_mismatch(c, "row %zu column %zu is 0x%08x, reference 0x%08x", at / o->stride,
                           at % o->stride, (unsigned)set[i], (unsigned)ref[i]);
            return;
        }
        if (ref[i] != PATTERN || set[i] != PATTERN) {
            check_mismatch(c, "%s wrote outside its output, word %td",
                           set[i] != PATTERN ? "the set" : "the reference", (ptrdiff_t)at);
            return;
        }
    }
}
