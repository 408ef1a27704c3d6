#include "report/svg_pictures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "report/text_parts.h"

typedef struct picture {
    const char *name, *missing; /* what a result without this picture lacks */
    bsr_status (*draw)(char **out, const bsr_result *r);
} picture;

static const picture pictures[BSR_PICTURES] = {
    [BSR_PICTURE_LAYERS] = {"layers", "layers", bsr_svg_layers},
    [BSR_PICTURE_BITS] = {"bits", "bit positions", bsr_svg_bits},
    [BSR_PICTURE_CHANNELS] = {"channels", "channels: they are reported when asked for",
                              bsr_svg_channels},
};

static const picture *find_picture(bsr_picture p)
{
    return (unsigned)p < BSR_PICTURES ? &pictures[p] : NULL;
}

const char *bsr_picture_name(bsr_picture p)
{
    const picture *found = find_picture(p);
    return found ? found->name : NULL;
}

int bsr_picture_possible(const bsr_result *r, bsr_picture p)
{
    int n = p == BSR_PICTURE_LAYERS ? r->n_layers : 0;
    for (int i = 0; i < r->n_bits && p == BSR_PICTURE_BITS; i++)
        n += r->bits[i].index >= 0;
    for (int i = 0; i < r->n_layers && p == BSR_PICTURE_CHANNELS; i++)
        n += r->layers[i].n_channels;
    return n > 0;
}

bsr_status bsr_picture_check(const bsr_result *r, bsr_picture p)
{
    const picture *found = find_picture(p);
    if (!found)
        return bsr_fail(BSR_EINVAL, "there is no picture %d, the last one is %d", (int)p,
                        BSR_PICTURES - 1);
    if (!bsr_picture_possible(r, p))
        return bsr_fail(BSR_EINVAL, "picture '%s': the result has no %s", found->name,
                        found->missing);
    return BSR_OK;
}

bsr_status bsr_result_svg(char **out, const bsr_result *r, bsr_picture p)
{
    *out = NULL;
    BSR_TRY(bsr_picture_check(r, p));
    return find_picture(p)->draw(out, r);
}

/* "net.onnx: single bit flips, target weight, sampling random, 100 images". */
static void describe_run(bsr_strbuf *b, const bsr_result *r)
{
    const char *path = r->provenance.model_path;
    if (path && *path)
        bsr_strbuf_add(b, "%s: ", bsr_short_name(bsr_file_name(path), BSR_PICTURE_FILE_WIDTH).text);
    bsr_strbuf_add(b, "%s, target %s", bsr_fault_text(r->fault).text, r->target);
    if (*r->format)
        bsr_strbuf_add(b, ", format %s", bsr_short_name(r->format, BSR_PICTURE_FORMAT_WIDTH).text);
    bsr_strbuf_add(b, ", sampling %s, %llu images%s", r->sampling, (unsigned long long)r->images,
                   r->complete ? "" : ", INCOMPLETE");
}

void bsr_picture_begin(bsr_svg *s, const bsr_result *r, const char *name, const char *title,
                       const char *what, double width, double height)
{
    bsr_strbuf run = {0}, desc = {0};
    describe_run(&run, r);
    bsr_strbuf_add(&desc, "%s The whole model: MVF %s.", what,
                   bsr_share_words(r->mvf, r->confidence).text);
    bsr_status status = run.status != BSR_OK ? run.status : desc.status;
    bsr_svg_begin(s, &(bsr_svg_head){.name = name,
                                     .title = title,
                                     .subtitle = status == BSR_OK ? run.text : "",
                                     .desc = status == BSR_OK ? desc.text : "",
                                     .width = width,
                                     .height = height});
    if (status != BSR_OK)
        s->b.status = status;
    bsr_free(run.text);
    bsr_free(desc.text);
}

int bsr_single_bits(const bsr_result *r)
{
    static const char *const faults[] = {"bitflip", "stuck0", "stuck1"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (strcmp(r->fault, faults[i]) == 0)
            return strcmp(r->sampling, "list") != 0;
    return 0;
}

const bsr_fields *bsr_float_fields(const bsr_result *r)
{
    static const bsr_fields fields[] = {
        {"float32", 8, 23}, {"fp32", 8, 23}, {"float16", 5, 10}, {"fp16", 5, 10},
        {"bf16", 8, 7},     {"e4m3", 4, 3},  {"e5m2", 5, 2},
    };
    for (int i = 1; i < r->n_layers; i++)
        if (strcmp(r->layers[i].format, r->layers[0].format) != 0)
            return NULL;
    size_t name = r->n_layers ? strcspn(r->layers[0].format, "/") : 0;
    for (size_t i = 0; r->n_layers && i < sizeof fields / sizeof *fields; i++)
        if (strlen(fields[i].format) == name &&
            memcmp(r->layers[0].format, fields[i].format, name) == 0)
            return &fields[i];
    return NULL;
}
