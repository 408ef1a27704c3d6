/* Cases of the kernels that sum products. */
#include "check.h"

/* Filters from 1 x 1 to 7 x 7, and others for the loops that are not specialised. */
static int random_taps(check *c)
{
    static const int taps[] = {1, 1, 2, 3, 4, 8, 9, 9, 10, 25, 49};
    return taps[check_random(c, sizeof taps / sizeof *taps)];
}

/* A panel's row length and the columns in use: a full or half panel of the set, for the portable
 * kernels any. */
static void random_panel(check *c, int *width, int *cols)
{
    if (c->set->cpu == BSR_CPU_REF)
        *width = check_between(c, 1, BSR_MAX_NR);
    else
        *width = check_random(c, 2) ? c->set->nr : c->set->nr / 2;
    *cols = check_random(c, 3) ? check_between(c, 1, *width) : *width;
}

void check_gemm(check *c)
{
    check_start(c);
    int rows = check_between(c, 1, c->set->mr), taps = random_taps(c), width, cols;
    int channels = check_between(c, 1, taps > 10 ? 20 : CHECK_MAX_CHANNELS);
    random_panel(c, &width, &cols);
    size_t stride = check_stride(c, cols);
    check_label(c, "gemm: rows %d, columns %d of %d, taps %d, channels %d, stride %zu", rows, cols,
                width, taps, channels, stride);

    check_pixels x;
    check_make_pixels(c, &x, rows, taps, channels, 0);
    size_t n = (size_t)taps * (size_t)channels * (size_t)width;
    float *b = check_place(&c->weights, n * sizeof *b, 64);
    check_fill(c, b, n);
    const float *init = check_floats(c, &c->init, (size_t)width);
    check_output o;
    check_make_output(c, &o, rows, cols, stride);
    check_epilogue e;
    check_make_epilogue(c, &e, rows, cols);
    int plain = check_between(c, 0, 1);
    c->ref->gemm(rows, cols, width, taps, channels, NULL, x.address, x.stride, b, init,
                 plain ? NULL : &e.ref, (float *)o.ref, stride);
    c->set->gemm(rows, cols, width, taps, channels, x.base, x.off, x.stride, b, init,
                 plain ? NULL : &e.set, (float *)o.set, stride);
    check_compare(c, &o, 1);
}

/* Differences of 8-bit codes, the extreme ones more often. */
static void fill_int16(check *c, int16_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t pick = check_random(c, 8);
        p[i] = (int16_t)(pick == 0 ? 255 : pick == 1 ? -255 : check_between(c, -255, 255));
    }
}

void check_igemm(check *c)
{
    check_start(c);
    int rows = check_between(c, 1, CHECK_MAX_ROWS), pairs = check_between(c, 1, 300);
    int width, cols;
    random_panel(c, &width, &cols);
    size_t a_stride = 2 * (size_t)pairs + check_random(c, 9), stride = check_stride(c, cols);
    check_label(c, "igemm: rows %d, columns %d of %d, pairs %d, a_stride %zu, stride %zu", rows,
                cols, width, pairs, a_stride, stride);

    size_t n = (size_t)(rows - 1) * a_stride + 2 * (size_t)pairs;
    int16_t *a = check_place(&c->pixels[0], n * sizeof *a, sizeof *a);
    fill_int16(c, a, n);
    n = (size_t)pairs * (size_t)width * 2;
    int16_t *b = check_place(&c->weights, n * sizeof *b, 64);
    fill_int16(c, b, n);
    int32_t *init = check_place(&c->init, (size_t)width * sizeof *init, sizeof *init);
    for (int j = 0; j < width; j++)
        init[j] = (int32_t)check_random(c, UINT32_MAX); /* sums may wrap */
    check_output o;
    check_make_output(c, &o, rows, cols, stride);
    c->ref->igemm(rows, cols, width, pairs, a, a_stride, b, init, (int32_t *)o.ref, stride);
    c->set->igemm(rows, cols, width, pairs, a, a_stride, b, init, (int32_t *)o.set, stride);
    check_compare(c, &o, 0);
}

void check_depthwise(check *c)
{
    check_start(c);
    int rows = check_between(c, 1, CHECK_MAX_ROWS), taps = random_taps(c);
    int channels = check_between(c, 1, CHECK_MAX_CHANNELS);
    size_t stride = check_stride(c, channels);
    check_label(c, "depthwise: rows %d, taps %d, channels %d, stride %zu", rows, taps, channels,
                stride);

    check_pixels x;
    check_make_pixels(c, &x, rows, taps, channels, 0);
    const float *w = check_floats(c, &c->weights, (size_t)taps * (size_t)channels);
    const float *init = check_floats(c, &c->init, (size_t)channels);
    check_output o;
    check_make_output(c, &o, rows, channels, stride);
    check_epilogue e;
    check_make_epilogue(c, &e, rows, channels);
    int plain = check_between(c, 0, 1);
    c->ref->depthwise(rows, taps, channels, NULL, x.address, x.stride, w, init,
                      plain ? NULL : &e.ref, (float *)o.ref, stride);
    c->set->depthwise(rows, taps, channels, x.base, x.off, x.stride, w, init, plain ? NULL : &e.set,
                      (float *)o.set, stride);
    check_compare(c, &o, 1);
}

void check_depthwise_column(check *c)
{
    check_start(c);
    int rows = check_between(c, 1, CHECK_MAX_ROWS), taps = random_taps(c);
    int channels = check_between(c, 1, CHECK_MAX_CHANNELS);
    int channel = check_between(c, 0, channels - 1);
    size_t stride = check_stride(c, 1);
    check_label(c, "depthwise_column: rows %d, taps %d, channel %d of %d, stride %zu", rows, taps,
                channel, channels, stride);

    check_pixels x;
    check_make_pixels(c, &x, rows, taps, channels, 0);
    const float *w = check_floats(c, &c->weights, (size_t)taps);
    float init = check_value(c);
    check_output o;
    check_make_output(c, &o, rows, 1, stride);
    c->ref->depthwise_column(rows, taps, channel, NULL, x.address, x.stride, w, init,
                             (float *)o.ref, stride);
    c->set->depthwise_column(rows, taps, channel, x.base, x.off, x.stride, w, init, (float *)o.set,
                             stride);
    check_compare(c, &o, 1);
}
