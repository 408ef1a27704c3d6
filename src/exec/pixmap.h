/* Which input pixels an output pixel reads, and which output pixels an input pixel reaches. */
#ifndef BSR_EXEC_PIXMAP_H
#define BSR_EXEC_PIXMAP_H

#include <stddef.h>
#include <stdint.h>

#include "ops/op.h"

typedef struct bsr_pixmap {
    int taps, n_out, n_in;
    int skip; /* padding is BSR_NO_PIXEL, not the spare pixel */
    /* [taps][n_out]: input pixel, or n_in for a tap in the padding. */
    int32_t *forward;
    /* [taps][n_out]: the same as byte offsets for the input's pixel size (padding leads to the
     * spare pixel, or is BSR_NO_PIXEL when `skip` was asked). */
    int64_t *offset;
    /* Output pixels that read input pixel q: reach[reach_at[q] .. reach_at[q + 1]), each once. */
    int32_t *reach_at, *reach;
} bsr_pixmap;

/* Window map: `images` images of w->in pixels to w->out pixels each, pixel_bytes per input pixel.
 * skip: padding is BSR_NO_PIXEL. Caller owns *out. */
bsr_status bsr_pixmap_window(bsr_pixmap **out, const bsr_window *w, int images, size_t pixel_bytes,
                             int skip);

/* Map of one tap from an explicit table [n_out], entries 0..n_in (n_in: none, BSR_NO_PIXEL).
 * Copies it. */
bsr_status bsr_pixmap_table(bsr_pixmap **out, const int32_t *forward, int n_out, int n_in,
                            size_t pixel_bytes);

/* Every output pixel of an image reads all input pixels of the same image, in order. */
bsr_status bsr_pixmap_global(bsr_pixmap **out, int images, int n_in_per_image, size_t pixel_bytes);

void bsr_pixmap_free(bsr_pixmap *map);

#endif
