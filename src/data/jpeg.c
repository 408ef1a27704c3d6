/* JPEG through libjpeg, with its defaults (slow integer DCT, fancy upsampling), as Pillow. */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h> /* its codes depend on the configuration in jpeglib.h */

#include "base/error.h"
#include "data/picture.h"

/* Everything that lives across a longjmp is in here, not in locals. */
typedef struct decoder {
    struct jpeg_error_mgr errors; /* first: libjpeg hands a pointer to it back */
    jmp_buf escape;
    struct jpeg_decompress_struct jpeg;
    bsr_status status;
    const char *name;
    bsr_picture *out;
} decoder;

static void fail_jpeg(j_common_ptr jpeg)
{
    decoder *d = (decoder *)jpeg->err;
    char text[JMSG_LENGTH_MAX];
    d->errors.format_message(jpeg, text);
    if (d->errors.msg_code == JERR_OUT_OF_MEMORY)
        d->status = bsr_fail(BSR_ENOMEM, "%s: %s", d->name, text);
    else
        d->status = bsr_fail(BSR_EFORMAT, "%s: %s", d->name, text);
    longjmp(d->escape, 1);
}

/* libjpeg makes pixels up where these data are missing or damaged; the other warnings are about
 * harmless oddities of encoders. Below 0 are warnings, the rest is tracing. */
static void on_message(j_common_ptr jpeg, int level)
{
    static const int damage[] = {JWRN_JPEG_EOF,    JWRN_HIT_MARKER,     JWRN_HUFF_BAD_CODE,
                                 JWRN_MUST_RESYNC, JWRN_NOT_SEQUENTIAL, JWRN_ARITH_BAD_CODE};
    if (level >= 0)
        return;
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++)
        if (jpeg->err->msg_code == damage[i])
            fail_jpeg(jpeg);
}

static bsr_status read_jpeg(decoder *d, const unsigned char *data, size_t n)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    if (setjmp(d->escape))
        return d->status;
    jpeg_create_decompress(jpeg);
    jpeg_mem_src(jpeg, data, n);
    jpeg_read_header(jpeg, TRUE);
    if (jpeg->num_components == 4)
        return bsr_fail(BSR_EUNSUPPORTED, "%s: CMYK JPEG", d->name);
    if (jpeg->num_components != 1 && jpeg->num_components != 3)
        return bsr_fail(BSR_EUNSUPPORTED, "%s: JPEG of %d components", d->name,
                        jpeg->num_components);
    jpeg->out_color_space = jpeg->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    d->status =
        bsr_picture_new(d->out, jpeg->image_width, jpeg->image_height, jpeg->num_components);
    if (d->status != BSR_OK)
        return bsr_fail_prefix(d->status, "%s", d->name);
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = d->out->pixels + (size_t)jpeg->output_scanline * (size_t)d->out->width *
                                            (size_t)d->out->channels;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_decompress(jpeg);
    return BSR_OK;
}

bsr_status bsr_jpeg_decode(bsr_picture *out, const unsigned char *data, size_t n, const char *name)
{
    decoder d;
    memset(&d, 0, sizeof d);
    memset(out, 0, sizeof *out);
    d.jpeg.err = jpeg_std_error(&d.errors);
    d.errors.error_exit = fail_jpeg;
    d.errors.emit_message = on_message;
    d.name = name;
    d.out = out;
    bsr_status status = read_jpeg(&d, data, n);
    jpeg_destroy_decompress(&d.jpeg);
    if (status != BSR_OK)
        bsr_picture_free(out);
    return status;
}
