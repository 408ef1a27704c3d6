/* Decoded pictures: from JPEG or PNG, between gray and RGB, to another size. */
#ifndef BSR_DATA_PICTURE_H
#define BSR_DATA_PICTURE_H

#include <stddef.h>

#include "bitseer/status.h"

/* Most pixels a picture may have, before and after scaling. */
#define BSR_MAX_PIXELS ((size_t)1 << 26)

/* Rows from the top, pixels of `channels` bytes: 1 (gray) or 3 (R,G,B). Start from all zero. */
typedef struct bsr_picture {
    int width, height, channels;
    unsigned char *pixels; /* owned */
} bsr_picture;

void bsr_picture_free(bsr_picture *picture);

/* Sets the geometry and allocates the pixels (uninitialised). ELIMIT, ENOMEM. */
bsr_status bsr_picture_new(bsr_picture *picture, size_t width, size_t height, int channels);

/* Decodes a JPEG or PNG file of n bytes, told apart by their first bytes. Pixels equal Pillow's: an
 * alpha channel is dropped, 16 bits become 8 by dropping the low byte. EFORMAT: damaged or
 * truncated; EUNSUPPORTED: neither of both, CMYK, 16-bit gray; ELIMIT, ENOMEM. `out` is all zero on
 * failure. Messages start with `name`. */
bsr_status bsr_picture_decode(bsr_picture *out, const unsigned char *data, size_t n,
                              const char *name);

/* As above, for one format each. */
bsr_status bsr_jpeg_decode(bsr_picture *out, const unsigned char *data, size_t n, const char *name);
bsr_status bsr_png_decode(bsr_picture *out, const unsigned char *data, size_t n, const char *name);

/* Converts to 1 or 3 channels in place, as Pillow's convert("L") and convert("RGB"): luma is
 * (19595 R + 38470 G + 7471 B + 32768) >> 16 (ITU-R 601-2). ENOMEM. */
bsr_status bsr_picture_convert(bsr_picture *picture, int channels);

/* Scales to width x height in place with Pillow's antialiased bilinear filter: a triangle of
 * support max(1, scale), rows first, both passes rounded to 8 bits, coefficients in 22-bit fixed
 * point. ELIMIT, ENOMEM. */
bsr_status bsr_picture_resize(bsr_picture *picture, int width, int height);

/* Scales so that the shorter side is `size` and the longer floor(size * long / short), as
 * torchvision's Resize(size); nothing happens when the shorter side is `size` already. */
bsr_status bsr_picture_resize_short(bsr_picture *picture, int size);

/* Writes the centre of height x width as channel planes, as torchvision's CenterCrop: the offset is
 * half the surplus, rounded half to even. EINVAL: the picture is smaller. */
bsr_status bsr_picture_crop(const bsr_picture *picture, int height, int width, unsigned char *out);

#endif
