/* Cases of the kernels without products of inputs: affine, pooling, comparison. */
#include <math.h>
#include <string.h>

#include "check.h"

/* Bounds as networks have them (ReLU6), any others, and lo > hi, which ONNX defines. */
static void random_bounds(check *c, float *lo, float *hi)
{
    *lo = 0.0f;
    *hi = 6.0f;
    switch (check_random(c, 4)) {
    case 0:
        *lo = -INFINITY;
        *hi = check_value(c);
        break;
    case 1:
        *lo = check_value(c);
        *hi = check_value(c);
        break;
    case 2:
        *lo = -1.0f;
        *hi = 1.0f;
        break;
    }
}

void check_make_epilogue(check *c, check_epilogue *e, int rows, int cols)
{
    *e = (check_epilogue){{0}, {0}, {0}, {0}};
    const float *add = check_floats(c, &c->epilogue[2], (size_t)rows * (size_t)cols);
    if (check_between(c, 0, 1)) {
        e->ref.scale = check_floats(c, &c->epilogue[0], (size_t)cols);
        e->ref.shift = check_floats(c, &c->epilogue[1], (size_t)cols);
    }
    e->ref.relu = check_between(c, 0, 2);
    random_bounds(c, &e->ref.lo, &e->ref.hi);
    e->set = e->ref;
    for (int r = 0; r < rows; r++) {
        e->off[r] = (int64_t)((size_t)(rows - 1 - r) * (size_t)cols * sizeof *add);
        e->address[r] = (int64_t)(uintptr_t)add + e->off[r];
    }
    if (check_between(c, 0, 1)) {
        e->ref.add_off = e->address;
        e->set.add_off = e->off;
        e->set.add_base = (const char *)add;
    }
}

void check_affine_add_clamp(check *c)
{
    check_start(c);
    int rows = check_between(c, 1, CHECK_MAX_ROWS);
    int channels = check_between(c, 1, CHECK_MAX_CHANNELS);
    check_epilogue e;
    check_make_epilogue(c, &e, rows, channels);
    check_label(
        c, "affine_add_clamp: rows %d, channels %d, affine %d, add %d, relu %d, lo %g, hi %g", rows,
        channels, e.ref.scale != NULL, e.ref.add_off != NULL, e.ref.relu, e.ref.lo, e.ref.hi);
    check_output o;
    check_make_output(c, &o, rows, channels, (size_t)channels);
    check_fill(c, (float *)o.ref, (size_t)rows * (size_t)channels);
    memcpy(o.set, o.ref, (size_t)rows * (size_t)channels * sizeof(float));
    c->ref->affine_add_clamp(rows, channels, (float *)o.ref, &e.ref);
    c->set->affine_add_clamp(rows, channels, (float *)o.set, &e.set);
    check_compare(c, &o, 1);
}

static void check_pool(check *c, const char *name, int average)
{
    check_start(c);
    int rows = check_between(c, 1, CHECK_MAX_ROWS), taps = check_between(c, 1, CHECK_MAX_TAPS);
    int channels = check_between(c, 1, CHECK_MAX_CHANNELS);
    size_t stride = check_stride(c, channels);
    check_label(c, "%s: rows %d, taps %d, channels %d, stride %zu", name, rows, taps, channels,
                stride);

    check_pixels x;
    check_make_pixels(c, &x, rows, taps, channels, 1);
    float *divisor = check_place(&c->extra, (size_t)rows * sizeof *divisor, sizeof *divisor);
    for (int r = 0; r < rows; r++)
        divisor[r] = (float)check_between(c, 1, taps);
    check_output o;
    check_make_output(c, &o, rows, channels, stride);
    float *ref = (float *)o.ref, *set = (float *)o.set;
    if (average) {
        c->ref->avg_pool(rows, taps, channels, NULL, x.address, x.stride, divisor, ref, stride);
        c->set->avg_pool(rows, taps, channels, x.base, x.off, x.stride, divisor, set, stride);
    } else {
        c->ref->max_pool(rows, taps, channels, NULL, x.address, x.stride, ref, stride);
        c->set->max_pool(rows, taps, channels, x.base, x.off, x.stride, set, stride);
    }
    check_compare(c, &o, 1);
}

void check_max_pool(check *c)
{
    check_pool(c, "max_pool", 0);
}

void check_avg_pool(check *c)
{
    check_pool(c, "avg_pool", 1);
}

void check_differ(check *c)
{
    check_start(c);
    size_t n = check_random(c, 400), shift = check_random(c, 8);
    check_label(c, "differ: %zu bytes, %zu before the end of memory", n, shift);

    unsigned char *a = check_place(&c->pixels[0], n + shift, 1);
    unsigned char *b = check_place(&c->pixels[1], n, 1);
    for (size_t i = 0; i < n; i++)
        a[i] = (unsigned char)check_random(c, 256);
    memcpy(b, a, n);
    int changed = n && check_random(c, 2);
    if (changed)
        b[check_random(c, (uint32_t)n)] ^= (unsigned char)(1 << check_random(c, 8));
    int ref = c->ref->differ(a, b, n) != 0, set = c->set->differ(a, b, n) != 0;
    if (ref != changed || set != changed)
        check_mismatch(c, "says %d, reference %d, true is %d", set, ref, changed);
}
