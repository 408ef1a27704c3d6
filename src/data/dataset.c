#include "bitseer/dataset.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "data/data_card.h"
#include "data/data_spec.h"
#include "data/image_selector.h"
#include "data/source.h"

/* mean and std of one channel. */
typedef struct norm {
    double mean, std;
} norm;

struct bsr_dataset {
    size_t count;
    int channels, height, width;
    int is_float;
    int bgr;
    int *labels;          /* count */
    unsigned char *store; /* count images in planes as the file has them: bytes or floats */
    norm *norms;          /* channels, in the file's order */
    float (*table)[256];  /* channels x byte, the value of each byte; NULL for floats */
};

/* The options after the card's values have been filled in; strings are borrowed. */
typedef bsr_dataset_options settings;

static bsr_status load_card(bsr_card **card, const char *path)
{
    void *text;
    size_t n;
    BSR_TRY(bsr_file_read(&text, &n, path, BSR_MAX_CARD_BYTES));
    bsr_status status = bsr_card_parse(card, text, n, path);
    bsr_free(text);
    return status;
}

/* Gives each setting that the caller left open the card's value. labels is not among them: its
 * path depends on where it came from. */
static void merge_card(settings *s, const bsr_card *c)
{
    s->data = c->data;
    if (s->mean_count == 0 && c->mean_count) {
        s->mean_count = (int)c->mean_count;
        memcpy(s->mean, c->mean, c->mean_count * sizeof *c->mean);
    }
    if (s->std_count == 0 && c->std_count) {
        s->std_count = (int)c->std_count;
        memcpy(s->std, c->std, c->std_count * sizeof *c->std);
    }
    if (!s->images)
        s->images = c->images;
    if (s->order == BSR_ORDER_DEFAULT)
        s->order = c->order;
    if (s->class_offset == BSR_CLASS_OFFSET_DEFAULT)
        s->class_offset = c->class_offset;
    if (s->resize == 0)
        s->resize = c->resize;
    if (s->crop == 0)
        s->crop = c->crop;
}

static void fill_defaults(settings *s)
{
    if (s->mean_count == 0) {
        s->mean_count = 1;
        s->mean[0] = 0.0;
    }
    if (s->std_count == 0) {
        s->std_count = 1;
        s->std[0] = 1.0;
    }
    if (!s->images)
        s->images = "";
    if (s->class_offset == BSR_CLASS_OFFSET_DEFAULT)
        s->class_offset = 0;
}

static bsr_status check_constants(const char *name, const double *v, int count, int channels,
                                  int positive)
{
    if (count != 1 && !(count == channels && count <= 3))
        return bsr_fail(BSR_EINVAL, "%s has %d values, the network has %d channels", name, count,
                        channels);
    for (int i = 0; i < count; i++)
        if (!isfinite(v[i]) || (positive && v[i] <= 0))
            return bsr_fail(BSR_EINVAL, "%s[%d] is %g, expected a finite value%s", name, i, v[i],
                            positive ? " above 0" : "");
    return BSR_OK;
}

static bsr_status check_settings(const settings *s, int channels, int height, int width)
{
    BSR_TRY(check_constants("mean", s->mean, s->mean_count, channels, 0));
    BSR_TRY(check_constants("std", s->std, s->std_count, channels, 1));
    if (s->order != BSR_ORDER_DEFAULT && s->order != BSR_ORDER_RGB && s->order != BSR_ORDER_BGR)
        return bsr_fail(BSR_EINVAL, "order is %d, expected one of bsr_channel_order",
                        (int)s->order);
    if (s->order == BSR_ORDER_BGR && channels != 3)
        return bsr_fail(BSR_EINVAL, "order is BGR, but the network has %d channels", channels);
    if (s->resize < 0 || s->resize > BSR_MAX_CARD_NUMBER)
        return bsr_fail(BSR_EINVAL, "resize is %d, expected 0 to %d", s->resize,
                        BSR_MAX_CARD_NUMBER);
    if (s->crop && (s->crop != height || s->crop != width))
        return bsr_fail(BSR_EINVAL, "crop is %d, the network takes images of %dx%d", s->crop,
                        height, width);
    return BSR_OK;
}

/* In double with one rounding at the end; the header promises this very sequence. */
static float normalise(double x, norm n)
{
    return (float)((x - n.mean) / n.std);
}

static bsr_status set_norms(bsr_dataset *ds, const settings *s)
{
    ds->norms = bsr_alloc_array((size_t)ds->channels, sizeof *ds->norms);
    if (!ds->norms)
        return BSR_ENOMEM;
    for (int c = 0; c < ds->channels; c++)
        ds->norms[c] =
            (norm){s->mean[s->mean_count == 1 ? 0 : c], s->std[s->std_count == 1 ? 0 : c]};
    if (ds->is_float)
        return BSR_OK;
    ds->table = bsr_alloc_array((size_t)ds->channels, sizeof *ds->table);
    if (!ds->table)
        return BSR_ENOMEM;
    for (int c = 0; c < ds->channels; c++)
        for (int p = 0; p < 256; p++)
            ds->table[c][p] = normalise(p / 255.0, ds->norms[c]);
    return BSR_OK;
}

static size_t image_values(const bsr_dataset *ds)
{
    return (size_t)ds->channels * (size_t)ds->height * (size_t)ds->width;
}

static size_t image_bytes(const bsr_dataset *ds)
{
    return image_values(ds) * (ds->is_float ? sizeof(float) : 1);
}

static bsr_status check_geometry(const bsr_source *source, const bsr_dataset *ds, const char *kind)
{
    if (source->channels == ds->channels && source->height == ds->height &&
        source->width == ds->width)
        return BSR_OK;
    return bsr_fail(BSR_EINVAL, "%s: images are %dx%dx%d, the network takes %dx%dx%d", kind,
                    source->channels, source->height, source->width, ds->channels, ds->height,
                    ds->width);
}

static bsr_status load_images(bsr_dataset *ds, const bsr_source *source, const size_t *chosen,
                              int class_offset)
{
    size_t size = image_bytes(ds);
    if (ds->count > BSR_MAX_DATA_BYTES / size)
        return bsr_fail(BSR_ELIMIT, "%zu images of %zu bytes, at most %zu bytes in all are loaded",
                        ds->count, size, BSR_MAX_DATA_BYTES);
    ds->store = bsr_alloc_array(ds->count, size);
    ds->labels = bsr_alloc_array(ds->count, sizeof *ds->labels);
    if (!ds->store || !ds->labels)
        return BSR_ENOMEM;
    for (size_t i = 0; i < ds->count; i++) {
        int64_t label = source->labels[chosen[i]];
        if (label < INT32_MIN || label > INT32_MAX || label + class_offset < INT32_MIN ||
            label + class_offset > INT32_MAX)
            return bsr_fail(BSR_EFORMAT, "image %zu: label %lld is out of range", chosen[i],
                            (long long)label);
        ds->labels[i] = (int)(label + class_offset);
        BSR_TRY(source->load(source, chosen[i], ds->store + i * size));
    }
    return BSR_OK;
}

static bsr_status fill(bsr_dataset *ds, const bsr_source *source, const char *kind,
                       const settings *s)
{
    BSR_TRY(check_geometry(source, ds, kind));
    ds->is_float = source->is_float;
    ds->bgr = s->order == BSR_ORDER_BGR;
    BSR_TRY(set_norms(ds, s));
    size_t *chosen;
    BSR_TRY(bsr_select_images(&chosen, &ds->count, s->images, source->labels, source->count));
    bsr_status status = load_images(ds, source, chosen, s->class_offset);
    bsr_free(chosen);
    return status;
}

/* Everything after the card: `card_path` (or NULL) is where the paths of s->data start. */
static bsr_status open_settings(bsr_dataset *ds, settings *s, const char *card_path)
{
    fill_defaults(s);
    BSR_TRY(check_settings(s, ds->channels, ds->height, ds->width));
    bsr_want want = {ds->channels, ds->height, ds->width, s->resize, s->labels_file};
    bsr_source source;
    const char *kind;
    BSR_TRY(bsr_spec_open(&source, &kind, s->data, card_path, &want));
    bsr_status status = fill(ds, &source, kind, s);
    bsr_source_close(&source);
    return status;
}

static bsr_status open_card(bsr_dataset *ds, settings *s)
{
    const char *path = s->data;
    bsr_card *card;
    char *labels = NULL;
    BSR_TRY(load_card(&card, path));
    bsr_status status = BSR_OK;
    merge_card(s, card);
    if (!s->labels_file && card->labels) {
        labels = bsr_path_beside(path, card->labels);
        s->labels_file = labels;
        status = labels ? BSR_OK : BSR_ENOMEM;
    }
    if (status == BSR_OK)
        status = open_settings(ds, s, path);
    bsr_free(labels);
    bsr_card_free(card);
    return status;
}

static bsr_status check_arguments(const bsr_dataset_options *o, int channels, int height, int width)
{
    if (o->version != BSR_DATASET_OPTIONS_VERSION)
        return bsr_fail(BSR_EINVAL, "dataset options have version %d, expected %d", o->version,
                        BSR_DATASET_OPTIONS_VERSION);
    if (!o->data || !*o->data)
        return bsr_fail(BSR_EINVAL, "no data given");
    if (o->mean_count < 0 || o->mean_count > 3 || o->std_count < 0 || o->std_count > 3)
        return bsr_fail(BSR_EINVAL, "mean has %d values and std %d, expected 0 to 3", o->mean_count,
                        o->std_count);
    if (channels < 1 || height < 1 || width < 1 ||
        (size_t)height * (size_t)width > BSR_MAX_DATA_BYTES / (size_t)channels)
        return bsr_fail(BSR_EINVAL, "the network takes images of %dx%dx%d, which cannot be",
                        channels, height, width);
    return BSR_OK;
}

bsr_status bsr_dataset_open(bsr_dataset **out, const bsr_dataset_options *options, int channels,
                            int height, int width)
{
    *out = NULL;
    BSR_TRY(check_arguments(options, channels, height, width));
    bsr_dataset *ds = bsr_calloc_array(1, sizeof *ds);
    if (!ds)
        return BSR_ENOMEM;
    ds->channels = channels;
    ds->height = height;
    ds->width = width;
    settings s = *options;
    bsr_status status = bsr_spec_is_card(s.data) ? open_card(ds, &s) : open_settings(ds, &s, NULL);
    if (status != BSR_OK) {
        bsr_dataset_free(ds);
        return status;
    }
    *out = ds;
    return BSR_OK;
}

void bsr_dataset_free(bsr_dataset *ds)
{
    if (!ds)
        return;
    bsr_free(ds->labels);
    bsr_free(ds->store);
    bsr_free(ds->norms);
    bsr_free(ds->table);
    bsr_free(ds);
}

size_t bsr_dataset_count(const bsr_dataset *ds)
{
    return ds->count;
}

int bsr_dataset_channels(const bsr_dataset *ds)
{
    return ds->channels;
}

int bsr_dataset_height(const bsr_dataset *ds)
{
    return ds->height;
}

int bsr_dataset_width(const bsr_dataset *ds)
{
    return ds->width;
}

int bsr_dataset_label(const bsr_dataset *ds, size_t i)
{
    return ds->labels[i];
}

bsr_status bsr_dataset_check_labels(const bsr_dataset *ds, int classes)
{
    for (size_t i = 0; i < ds->count; i++)
        if (ds->labels[i] < 0 || ds->labels[i] >= classes)
            return bsr_fail(BSR_EINVAL, "image %zu has label %d, the network has classes 0 to %d",
                            i, ds->labels[i], classes - 1);
    return BSR_OK;
}

bsr_status bsr_dataset_image(const bsr_dataset *ds, size_t i, float *out)
{
    if (i >= ds->count)
        return bsr_fail(BSR_EINVAL, "image %zu, the dataset has %zu", i, ds->count);
    size_t plane = (size_t)ds->height * (size_t)ds->width;
    const unsigned char *image = ds->store + i * image_bytes(ds);
    for (int c = 0; c < ds->channels; c++, out += plane) {
        size_t from = (size_t)(ds->bgr ? 2 - c : c);
        if (ds->is_float) {
            memcpy(out, image + from * plane * sizeof *out, plane * sizeof *out);
            for (size_t k = 0; k < plane; k++)
                out[k] = normalise(out[k], ds->norms[from]);
        } else {
            const unsigned char *p = image + from * plane;
            for (size_t k = 0; k < plane; k++)
                out[k] = ds->table[from][p[k]];
        }
    }
    return BSR_OK;
}

/* Little-endian bytes of 4-byte values, in place. */
static void to_little_endian(void *values, size_t n)
{
    unsigned char *p = values;
    for (size_t i = 0; i < n; i++, p += 4) {
        uint32_t v;
        memcpy(&v, p, 4);
        for (int b = 0; b < 4; b++)
            p[b] = (unsigned char)(v >> 8 * b);
    }
}

bsr_status bsr_dataset_sha256(const bsr_dataset *ds, char hex[65])
{
    size_t n = image_values(ds);
    float *values = bsr_alloc_array(n, sizeof *values);
    if (!values)
        return BSR_ENOMEM;
    bsr_sha256 h;
    bsr_sha256_init(&h);
    for (size_t i = 0; i < ds->count; i++) {
        int32_t label = ds->labels[i];
        bsr_status status = bsr_dataset_image(ds, i, values);
        if (status != BSR_OK) {
            bsr_free(values);
            return status;
        }
        to_little_endian(values, n);
        to_little_endian(&label, 1);
        bsr_sha256_update(&h, values, n * sizeof *values);
        bsr_sha256_update(&h, &label, sizeof label);
    }
    bsr_sha256_final(&h, hex);
    bsr_free(values);
    return BSR_OK;
}
