/* Pillow's bilinear resize, bit for bit: the 8-bit path of its ImagingResample. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/picture.h"

/* Coefficients are multiples of 2^-22: 32 bits hold a sign, 8 bits of pixel, 1 spare, and these. */
#define PRECISION_BITS 22

/* For each output position: its first input position, how many follow, and their weights. */
typedef struct filter {
    int *first, *count;
    int32_t *weights; /* `taps` for each output position */
    int taps;
} filter;

static void filter_free(filter *f)
{
    bsr_free(f->first);
    bsr_free(f->count);
    bsr_free(f->weights);
}

static double triangle(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

/* Weights of output position i; `w` has room for f->taps. */
static void filter_row(filter *f, int i, int in, double scale, double support, double *w)
{
    double center = (i + 0.5) * scale;
    int first = (int)(center - support + 0.5);
    int last = (int)(center + support + 0.5);
    first = first < 0 ? 0 : first;
    last = last > in ? in : last;
    int n = last - first;
    double sum = 0.0, inverse = 1.0 / support;
    for (int k = 0; k < n; k++) {
        w[k] = triangle((k + first - center + 0.5) * inverse);
        sum += w[k];
    }
    int32_t *fixed = f->weights + (size_t)i * (size_t)f->taps;
    for (int k = 0; k < n; k++) {
        double v = sum != 0.0 ? w[k] / sum : w[k];
        fixed[k] = (int32_t)(0.5 + v * (1 << PRECISION_BITS)); /* a triangle is never negative */
    }
    f->first[i] = first;
    f->count[i] = n;
}

static bsr_status filter_new(filter *f, int in, int out)
{
    double scale = (double)in / out;
    double support = scale < 1.0 ? 1.0 : scale;
    f->taps = (int)ceil(support) * 2 + 1;
    f->first = bsr_alloc_array((size_t)out, sizeof *f->first);
    f->count = bsr_alloc_array((size_t)out, sizeof *f->count);
    f->weights = bsr_alloc_array((size_t)out * (size_t)f->taps, sizeof *f->weights);
    double *w = bsr_alloc_array((size_t)f->taps, sizeof *w);
    bsr_status status = f->first && f->count && f->weights && w ? BSR_OK : BSR_ENOMEM;
    if (status == BSR_OK)
        for (int i = 0; i < out; i++)
            filter_row(f, i, in, scale, support, w);
    bsr_free(w);
    return status;
}

static unsigned char clip8(int32_t sum)
{
    sum >>= PRECISION_BITS;
    return (unsigned char)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* One output value: taps `step` bytes apart. */
static unsigned char weigh(const filter *f, int i, const unsigned char *p, size_t step)
{
    const int32_t *w = f->weights + (size_t)i * (size_t)f->taps;
    int32_t sum = 1 << (PRECISION_BITS - 1);
    p += (size_t)f->first[i] * step;
    for (int k = 0; k < f->count[i]; k++, p += step)
        sum += *p * w[k];
    return clip8(sum);
}

static void scale_rows(bsr_picture *to, const bsr_picture *from, const filter *f)
{
    size_t ch = (size_t)to->channels;
    unsigned char *out = to->pixels;
    for (int y = 0; y < to->height; y++) {
        const unsigned char *row = from->pixels + (size_t)y * (size_t)from->width * ch;
        for (int x = 0; x < to->width; x++)
            for (size_t c = 0; c < ch; c++)
                *out++ = weigh(f, x, row + c, ch);
    }
}

static void scale_columns(bsr_picture *to, const bsr_picture *from, const filter *f)
{
    size_t row = (size_t)to->width * (size_t)to->channels;
    unsigned char *out = to->pixels;
    for (int y = 0; y < to->height; y++)
        for (size_t x = 0; x < row; x++)
            *out++ = weigh(f, y, from->pixels + x, row);
}

/* Replaces the picture by one of another width (along_rows) or height. */
static bsr_status pass(bsr_picture *p, int size, int along_rows)
{
    int in = along_rows ? p->width : p->height;
    if (in == size)
        return BSR_OK;
    filter f = {0};
    bsr_picture to = {0};
    bsr_status status = filter_new(&f, in, size);
    if (status == BSR_OK)
        status = bsr_picture_new(&to, (size_t)(along_rows ? size : p->width),
                                 (size_t)(along_rows ? p->height : size), p->channels);
    if (status == BSR_OK) {
        (along_rows ? scale_rows : scale_columns)(&to, p, &f);
        bsr_picture_free(p);
        *p = to;
    }
    filter_free(&f);
    return status;
}

bsr_status bsr_picture_resize(bsr_picture *p, int width, int height)
{
    BSR_TRY(pass(p, width, 1));
    return pass(p, height, 0);
}
