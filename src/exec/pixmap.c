#include "exec/pixmap.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "kernels/kernels.h"

static bsr_status new_map(bsr_pixmap **out, int taps, int n_out, int n_in)
{
    *out = NULL;
    bsr_pixmap *map = bsr_calloc_array(1, sizeof *map);
    if (!map)
        return BSR_ENOMEM;
    map->taps = taps;
    map->n_out = n_out;
    map->n_in = n_in;
    size_t n = (size_t)taps * (size_t)n_out;
    map->forward = bsr_alloc_array(n, sizeof *map->forward);
    map->offset = bsr_alloc_array(n, sizeof *map->offset);
    map->reach_at = bsr_calloc_array((size_t)n_in + 2, sizeof *map->reach_at);
    map->reach = bsr_alloc_array(n, sizeof *map->reach);
    if (!map->forward || !map->offset || !map->reach_at || !map->reach) {
        bsr_pixmap_free(map);
        return BSR_ENOMEM;
    }
    *out = map;
    return BSR_OK;
}

/* Offsets and the reverse lists from the forward table. */
static void complete(bsr_pixmap *map, size_t pixel_bytes, int skip)
{
    size_t n = (size_t)map->taps * (size_t)map->n_out;
    map->skip = skip;
    for (size_t i = 0; i < n; i++)
        map->offset[i] = skip && map->forward[i] == map->n_in
                             ? BSR_NO_PIXEL
                             : (int64_t)map->forward[i] * (int64_t)pixel_bytes;
    /* Counting sort by input pixel; a pixel read by two taps of one output is listed twice only if
     * a window wraps onto it, which no operator here does. */
    int32_t *at = map->reach_at;
    for (size_t i = 0; i < n; i++)
        if (map->forward[i] < map->n_in)
            at[map->forward[i] + 2]++;
    for (int q = 0; q < map->n_in; q++)
        at[q + 2] += at[q + 1];
    for (int p = 0; p < map->n_out; p++)
        for (int t = 0; t < map->taps; t++) {
            int32_t q = map->forward[(size_t)t * (size_t)map->n_out + (size_t)p];
            if (q < map->n_in)
                map->reach[at[q + 1]++] = p;
        }
}

/* Input pixel of output position `o` and kernel position `k`, -1 in the padding. */
static int64_t tap_pixel(const bsr_window *w, const int64_t *o, const int64_t *k)
{
    int64_t q = 0;
    for (int d = 0; d < w->rank; d++) {
        int64_t i = o[d] * w->stride[d] - w->pad_begin[d] + k[d] * w->dilation[d];
        if (i < 0 || i >= w->in[d])
            return -1;
        q = q * w->in[d] + i;
    }
    return q;
}

bsr_status bsr_pixmap_window(bsr_pixmap **out, const bsr_window *w, int images, size_t pixel_bytes,
                             int skip)
{
    int64_t taps = bsr_count(w->rank, w->kernel);
    int64_t n_in = bsr_count(w->rank, w->in), n_out = bsr_count(w->rank, w->out);
    if (taps <= 0 || n_in < 0 || n_out < 0 || n_in * images >= INT32_MAX ||
        n_out * images >= INT32_MAX || taps > INT32_MAX / (n_out * images + 1))
        return bsr_fail(BSR_ELIMIT, "window of %lld taps on %lld output pixels is too large",
                        (long long)taps, (long long)n_out);
    BSR_TRY(new_map(out, (int)taps, (int)(n_out * images), (int)(n_in * images)));
    bsr_pixmap *map = *out;
    int64_t k[3] = {0};
    for (int t = 0; t < map->taps; t++) {
        int64_t o[3] = {0};
        for (int64_t p = 0; p < n_out; p++) {
            int64_t q = tap_pixel(w, o, k);
            for (int b = 0; b < images; b++)
                map->forward[(int64_t)t * map->n_out + b * n_out + p] =
                    q < 0 ? map->n_in : (int32_t)(b * n_in + q);
            bsr_next_index(w->rank, w->out, o);
        }
        bsr_next_index(w->rank, w->kernel, k);
    }
    complete(map, pixel_bytes, skip);
    return BSR_OK;
}

bsr_status bsr_pixmap_table(bsr_pixmap **out, const int32_t *forward, int n_out, int n_in,
                            size_t pixel_bytes)
{
    BSR_TRY(new_map(out, 1, n_out, n_in));
    memcpy((*out)->forward, forward, (size_t)n_out * sizeof *forward);
    complete(*out, pixel_bytes, 1);
    return BSR_OK;
}

bsr_status bsr_pixmap_global(bsr_pixmap **out, int images, int n_in_per_image, size_t pixel_bytes)
{
    BSR_TRY(new_map(out, n_in_per_image, images, images * n_in_per_image));
    for (int t = 0; t < n_in_per_image; t++)
        for (int b = 0; b < images; b++)
            (*out)->forward[t * images + b] = b * n_in_per_image + t;
    complete(*out, pixel_bytes, 0);
    return BSR_OK;
}

void bsr_pixmap_free(bsr_pixmap *map)
{
    if (!map)
        return;
    bsr_free(map->forward);
    bsr_free(map->offset);
    bsr_free(map->reach_at);
    bsr_free(map->reach);
    bsr_free(map);
}
