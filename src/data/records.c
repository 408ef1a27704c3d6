/* Files of fixed-size records: label bytes, then channel planes of bytes. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/source.h"

typedef struct record_format {
    const char *kind;
    size_t label_bytes;
    int channels, height, width;
    int (*label)(const unsigned char *record); /* -1 when no record of this kind has it */
} record_format;

static int label_cifar10(const unsigned char *r)
{
    return r[0] < 10 ? r[0] : -1;
}

static int label_cifar100(const unsigned char *r)
{
    return r[0] < 20 && r[1] < 100 ? r[1] : -1;
}

static int label_planes16(const unsigned char *r)
{
    return r[0] | r[1] << 8;
}

/* Checks the length of a file and the label of each of its records. */
static bsr_status check_file(const record_format *f, size_t record, const unsigned char *data,
                             size_t n, const char *path)
{
    if (n == 0)
        return bsr_fail(BSR_EFORMAT, "%s: '%s' is empty", f->kind, path);
    if (n % record)
        return bsr_fail(BSR_EFORMAT, "%s: '%s' has %zu bytes, not a multiple of %zu", f->kind, path,
                        n, record);
    for (size_t i = 0; i < n / record; i++)
        if (f->label(data + i * record) < 0)
            return bsr_fail(BSR_EFORMAT, "%s: record %zu of '%s' starts with byte %d: no label",
                            f->kind, i, path, data[i * record]);
    return BSR_OK;
}

/* Appends the file at `path` to the blob of *bytes bytes. */
static bsr_status append_file(bsr_source *s, size_t *bytes, const record_format *f, size_t record,
                              const char *path)
{
    void *data;
    size_t n;
    BSR_TRY(bsr_file_read(&data, &n, path, BSR_MAX_DATA_BYTES - *bytes));
    bsr_status status = check_file(f, record, data, n, path);
    if (status == BSR_OK && !s->blob) {
        s->blob = data;
        data = NULL;
    } else if (status == BSR_OK) {
        unsigned char *grown = bsr_realloc_array(s->blob, *bytes + n, 1);
        status = grown ? BSR_OK : BSR_ENOMEM;
        if (grown) {
            s->blob = grown;
            memcpy(grown + *bytes, data, n);
        }
    }
    bsr_free(data);
    *bytes += n;
    return status;
}

static bsr_status open_records(bsr_source *s, const record_format *f, char *const *paths,
                               size_t n_paths)
{
    size_t plane = (size_t)f->height * (size_t)f->width;
    size_t record = f->label_bytes + (size_t)f->channels * plane;
    size_t bytes = 0;
    for (size_t i = 0; i < n_paths; i++)
        BSR_TRY(append_file(s, &bytes, f, record, paths[i]));

    s->count = bytes / record;
    s->labels = bsr_alloc_array(s->count, sizeof *s->labels);
    if (!s->labels)
        return BSR_ENOMEM;
    for (size_t i = 0; i < s->count; i++)
        s->labels[i] = f->label(s->blob + i * record);
    s->channels = f->channels;
    s->height = f->height;
    s->width = f->width;
    s->first = s->blob + f->label_bytes;
    s->strides[0] = record;
    s->strides[1] = plane;
    s->strides[2] = (size_t)f->width;
    s->strides[3] = 1;
    s->load = bsr_source_load_array;
    return BSR_OK;
}

bsr_status bsr_open_cifar10(bsr_source *s, char *const *paths, size_t n_paths, const bsr_want *want)
{
    static const record_format format = {"cifar10", 1, 3, 32, 32, label_cifar10};
    return open_records(s, &format, paths, n_paths);
}

bsr_status bsr_open_cifar100(bsr_source *s, char *const *paths, size_t n_paths,
                             const bsr_want *want)
{
    static const record_format format = {"cifar100", 2, 3, 32, 32, label_cifar100};
    return open_records(s, &format, paths, n_paths);
}

bsr_status bsr_open_planes16(bsr_source *s, char *const *paths, size_t n_paths,
                             const bsr_want *want)
{
    record_format format = {"planes16",   2,           want->channels,
                            want->height, want->width, label_planes16};
    return open_records(s, &format, paths, n_paths);
}
