/* PNG through libpng: 8-bit gray or RGB, as Pillow reads it. */
#include <setjmp.h>
#include <string.h>

#include <png.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/picture.h"

/* Everything that lives across a longjmp is in here, not in locals. */
typedef struct decoder {
    png_structp png;
    png_infop info;
    const unsigned char *at;
    size_t left;
    bsr_status status;
    const char *name;
    bsr_picture *out;
    png_bytep *rows;
} decoder;

static void on_error(png_structp png, png_const_charp text)
{
    decoder *d = png_get_error_ptr(png);
    /* An allocation that failed has set its own message. */
    if (d->status == BSR_OK)
        d->status = bsr_fail(BSR_EFORMAT, "%s: %s", d->name, text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
}

static png_voidp on_malloc(png_structp png, png_alloc_size_t n)
{
    void *p = bsr_alloc_array(n, 1);
    decoder *d = png_get_mem_ptr(png);
    if (!p)
        d->status = BSR_ENOMEM;
    return p;
}

static void on_free(png_structp png, png_voidp p)
{
    bsr_free(p);
}

static void on_read(png_structp png, png_bytep to, size_t n)
{
    decoder *d = png_get_io_ptr(png);
    if (n > d->left)
        png_error(png, "PNG file is truncated");
    memcpy(to, d->at, n);
    d->at += n;
    d->left -= n;
}

/* Asks for 8-bit gray or RGB without alpha whatever the file holds. */
static bsr_status set_output(decoder *d)
{
    int type = png_get_color_type(d->png, d->info);
    int bits = png_get_bit_depth(d->png, d->info);
    if (type == PNG_COLOR_TYPE_GRAY && bits == 16)
        return bsr_fail(BSR_EUNSUPPORTED, "%s: 16-bit gray PNG", d->name);
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(d->png);
    if (type == PNG_COLOR_TYPE_GRAY && bits < 8)
        png_set_expand_gray_1_2_4_to_8(d->png);
    if (bits == 16)
        png_set_strip_16(d->png);
    png_set_strip_alpha(d->png);
    png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
    int channels = png_get_channels(d->png, d->info);
    bsr_status status = bsr_picture_new(d->out, png_get_image_width(d->png, d->info),
                                        png_get_image_height(d->png, d->info), channels);
    return status == BSR_OK ? BSR_OK : bsr_fail_prefix(status, "%s", d->name);
}

static bsr_status read_png(decoder *d)
{
    if (setjmp(png_jmpbuf(d->png)))
        return d->status;
    d->info = png_create_info_struct(d->png);
    if (!d->info)
        return BSR_ENOMEM;
    png_set_read_fn(d->png, d, on_read);
    png_read_info(d->png, d->info);
    BSR_TRY(set_output(d));
    size_t stride = png_get_rowbytes(d->png, d->info);
    d->rows = bsr_alloc_array((size_t)d->out->height, sizeof *d->rows);
    if (!d->rows)
        return BSR_ENOMEM;
    for (int y = 0; y < d->out->height; y++)
        d->rows[y] = d->out->pixels + (size_t)y * stride;
    png_read_image(d->png, d->rows);
    png_read_end(d->png, NULL);
    return d->status; /* libpng may do without an ancillary chunk that found no memory */
}

bsr_status bsr_png_decode(bsr_picture *out, const unsigned char *data, size_t n, const char *name)
{
    memset(out, 0, sizeof *out);
    decoder d = {.at = data, .left = n, .name = name, .out = out};
    d.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &d, on_error, on_warning, &d, on_malloc,
                                     on_free);
    if (!d.png)
        return BSR_ENOMEM;
    bsr_status status = read_png(&d);
    png_destroy_read_struct(&d.png, &d.info, NULL);
    bsr_free(d.rows);
    if (status != BSR_OK)
        bsr_picture_free(out);
    return status;
}
