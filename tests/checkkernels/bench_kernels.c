/* GFLOP/s of the kernels on layers as networks have them. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "check.h"

enum { SIDE = 16, PIXELS = SIDE * SIDE };

typedef enum kind { CONV, DEPTHWISE, IGEMM } kind;

static const struct layer {
    const char *name;
    kind kind;
    int taps, in, out; /* channels; IGEMM: `in` products per output */
} layers[] = {
    {"conv 3x3 16 -> 16", CONV, 9, 16, 16},     {"conv 3x3 32 -> 32", CONV, 9, 32, 32},
    {"conv 3x3 64 -> 64", CONV, 9, 64, 64},     {"conv 3x3 128 -> 128", CONV, 9, 128, 128},
    {"conv 1x1 96 -> 24", CONV, 1, 96, 24},     {"conv 1x1 960 -> 160", CONV, 1, 960, 160},
    {"depthwise 3x3 96", DEPTHWISE, 9, 96, 96}, {"igemm 576 -> 64", IGEMM, 1, 576, 64},
};

/* An image with a zero pixel behind it for the padding, weights of any layout, and results. */
typedef struct bench {
    float *x, *w, *init, *y;
    int64_t *off;
} bench;

double bench_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *zeroed(size_t n, size_t size)
{
    void *p = aligned_alloc(64, (n * size + 127) / 64 * 64);
    if (!p) {
        fputs("checkkernels: out of memory\n", stderr);
        exit(1);
    }
    for (size_t i = 0; i < n * size; i++)
        ((char *)p)[i] = 0;
    return p;
}

static void open_bench(bench *b, const struct layer *l)
{
    size_t in = (size_t)l->in, out = (size_t)(l->out + BSR_MAX_NR);
    b->x = zeroed((PIXELS + 1) * in, sizeof *b->x);
    b->w = zeroed((size_t)l->taps * in * out, sizeof *b->w);
    b->init = zeroed(out, sizeof *b->init);
    b->y = zeroed(PIXELS * out, sizeof *b->y);
    b->off = zeroed((size_t)l->taps * PIXELS, sizeof *b->off);
    for (size_t i = 0; l->kind != IGEMM && i < PIXELS * in; i++)
        b->x[i] = (float)(i % 13) / 13.0f;
    int side = l->taps == 9 ? 3 : 1;
    for (int t = 0; t < l->taps; t++)
        for (int p = 0; p < PIXELS; p++) {
            int y = p / SIDE + t / side - side / 2, x = p % SIDE + t % side - side / 2;
            int inside = y >= 0 && y < SIDE && x >= 0 && x < SIDE;
            b->off[t * PIXELS + p] =
                (int64_t)sizeof(float) * l->in * (inside ? y * SIDE + x : PIXELS);
        }
}

static void close_bench(bench *b)
{
    free(b->x);
    free(b->w);
    free(b->init);
    free(b->y);
    free(b->off);
}

/* Panels outside, rows inside: the image is read again for each panel, the weights once. */
static void run_panels(const bsr_kernels *k, const struct layer *l, const bench *b)
{
    const float *w = b->w;
    for (int j = 0; j < l->out; j += k->nr) {
        int left = l->out - j, width = left <= k->nr / 2 ? k->nr / 2 : k->nr;
        int cols = left < width ? left : width;
        for (int r = 0; r < PIXELS; r += k->mr) {
            int rows = PIXELS - r < k->mr ? PIXELS - r : k->mr;
            float *y = b->y + r * l->out + j;
            if (l->kind == CONV)
                k->gemm(rows, cols, width, l->taps, l->in, (const char *)b->x, b->off + r, PIXELS,
                        w, b->init + j, NULL, y, (size_t)l->out);
            else
                k->igemm(rows, cols, width, l->in / 2, (const int16_t *)b->x + r * l->in,
                         (size_t)l->in, (const int16_t *)w, (const int32_t *)b->init + j,
                         (int32_t *)y, (size_t)l->out);
        }
        w += l->taps * l->in * width / (l->kind == CONV ? 1 : 2);
    }
}

static void run_layer(const bsr_kernels *k, const struct layer *l, const bench *b)
{
    if (l->kind == DEPTHWISE)
        k->depthwise(PIXELS, l->taps, l->in, (const char *)b->x, b->off, PIXELS, b->w, b->init,
                     NULL, b->y, (size_t)l->out);
    else
        run_panels(k, l, b);
}

/* The best of many short runs: other programs only ever make a run slower. */
static double gflops(const bsr_kernels *k, const struct layer *l)
{
    bench b;
    open_bench(&b, l);
    double best = 1e9, end = bench_seconds() + 0.2;
    for (int runs = 0; runs < 3 || bench_seconds() < end; runs++) {
        double start = bench_seconds();
        run_layer(k, l, &b);
        double seconds = bench_seconds() - start;
        best = seconds < best ? seconds : best;
    }
    close_bench(&b);
    double products = (double)PIXELS * l->taps * l->out * (l->kind == DEPTHWISE ? 1 : l->in);
    return 2.0 * products / best / 1e9;
}

void bench_kernels(const bsr_kernels *const *sets, int n)
{
    double peak = 0.0;
    for (int i = 0; i < n; i++) {
        double p = fma_peak(sets[i]->cpu);
        if (p > 0.0)
            printf("peak of %s fused multiply-adds in registers, one core: %.1f GFLOP/s\n",
                   bsr_cpu_name(sets[i]->cpu), p);
        peak = p > peak ? p : peak;
    }
    printf("\n%-22s", "GFLOP/s, % of peak");
    for (int i = 0; i < n; i++)
        printf("%16s", bsr_cpu_name(sets[i]->cpu));
    putchar('\n');
    for (size_t l = 0; l < sizeof layers / sizeof *layers; l++) {
        printf("%-22s", layers[l].name);
        for (int i = 0; i < n; i++) {
            double g = gflops(sets[i], &layers[l]);
            if (peak > 0.0)
                printf("%10.1f %4.0f%%", g, 100.0 * g / peak);
            else
                printf("%16.1f", g);
        }
        putchar('\n');
        fflush(stdout);
    }
}
