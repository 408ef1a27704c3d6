#include "data/source.h"

#include <string.h>

#include "base/alloc.h"

static void copy_row(unsigned char *out, const unsigned char *row, size_t stride, size_t size,
                     int width)
{
    if (stride == size) {
        memcpy(out, row, (size_t)width * size);
        return;
    }
    for (int x = 0; x < width; x++)
        memcpy(out + (size_t)x * size, row + (size_t)x * stride, size);
}

bsr_status bsr_source_load_array(const bsr_source *s, size_t i, void *out)
{
    size_t size = s->is_float ? sizeof(float) : 1;
    unsigned char *to = out;
    for (int c = 0; c < s->channels; c++)
        for (int y = 0; y < s->height; y++) {
            const unsigned char *row = s->first + i * s->strides[0] + (size_t)c * s->strides[1] +
                                       (size_t)y * s->strides[2];
            copy_row(to, row, s->strides[3], size, s->width);
            to += (size_t)s->width * size;
        }
    return BSR_OK;
}

void bsr_source_close(bsr_source *s)
{
    bsr_free(s->labels);
    bsr_free(s->blob);
    if (s->paths)
        for (size_t i = 0; i < s->count; i++)
            bsr_free(s->paths[i]);
    bsr_free(s->paths);
    memset(s, 0, sizeof *s);
}
