#include "data/picture.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

void bsr_picture_free(bsr_picture *p)
{
    bsr_free(p->pixels);
    memset(p, 0, sizeof *p);
}

bsr_status bsr_picture_new(bsr_picture *p, size_t width, size_t height, int channels)
{
    memset(p, 0, sizeof *p);
    if (width == 0 || height == 0 || width > BSR_MAX_PIXELS / height)
        return bsr_fail(BSR_ELIMIT, "picture of %zux%zu pixels, expected 1 to %zu in all", width,
                        height, BSR_MAX_PIXELS);
    p->pixels = bsr_alloc_array(width * height, (size_t)channels);
    if (!p->pixels)
        return BSR_ENOMEM;
    p->width = (int)width;
    p->height = (int)height;
    p->channels = channels;
    return BSR_OK;
}

bsr_status bsr_picture_decode(bsr_picture *out, const unsigned char *data, size_t n,
                              const char *name)
{
    memset(out, 0, sizeof *out);
    if (n >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0)
        return bsr_jpeg_decode(out, data, n, name);
    if (n >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0)
        return bsr_png_decode(out, data, n, name);
    return bsr_fail(BSR_EUNSUPPORTED, "%s: neither JPEG nor PNG", name);
}

bsr_status bsr_picture_convert(bsr_picture *p, int channels)
{
    if (p->channels == channels)
        return BSR_OK;
    bsr_picture to;
    BSR_TRY(bsr_picture_new(&to, (size_t)p->width, (size_t)p->height, channels));
    size_t n = (size_t)p->width * (size_t)p->height;
    const unsigned char *from = p->pixels;
    if (channels == 1) {
        for (size_t i = 0; i < n; i++, from += 3)
            to.pixels[i] =
                (unsigned char)((from[0] * 19595 + from[1] * 38470 + from[2] * 7471 + 0x8000) >>
                                16);
    } else {
        for (size_t i = 0; i < n; i++)
            memset(to.pixels + 3 * i, from[i], 3);
    }
    bsr_picture_free(p);
    *p = to;
    return BSR_OK;
}

bsr_status bsr_picture_resize_short(bsr_picture *p, int size)
{
    long long shorter = p->width < p->height ? p->width : p->height;
    long long longer = p->width < p->height ? p->height : p->width;
    if (shorter == size)
        return BSR_OK;
    /* torchvision divides in double and cuts off: not always the integer quotient. */
    double scaled = (double)(size * longer) / (double)shorter;
    if (scaled * size > (double)BSR_MAX_PIXELS)
        return bsr_fail(BSR_ELIMIT, "%dx%d pixels scaled to a shorter side of %d: more than %zu",
                        p->width, p->height, size, BSR_MAX_PIXELS);
    int other = (int)scaled;
    return p->width < p->height ? bsr_picture_resize(p, size, other)
                                : bsr_picture_resize(p, other, size);
}

/* Python's round(surplus / 2.0): half to even. */
static int half_even(int surplus)
{
    int half = surplus / 2;
    return surplus % 2 && half % 2 ? half + 1 : half;
}

bsr_status bsr_picture_crop(const bsr_picture *p, int height, int width, unsigned char *out)
{
    if (p->width < width || p->height < height)
        return bsr_fail(BSR_EINVAL, "%dx%d pixels (height x width), the network takes %dx%d",
                        p->height, p->width, height, width);
    int top = half_even(p->height - height), left = half_even(p->width - width);
    for (int c = 0; c < p->channels; c++)
        for (int y = 0; y < height; y++) {
            size_t at = (size_t)(top + y) * (size_t)p->width + (size_t)left;
            const unsigned char *row = p->pixels + at * (size_t)p->channels + c;
            for (int x = 0; x < width; x++, row += p->channels)
                *out++ = *row;
        }
    return BSR_OK;
}
