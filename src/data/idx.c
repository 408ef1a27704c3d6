/* IDX, the format of MNIST: big-endian header 0, 0, type, rank, dims; then the elements. */
#include <limits.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/inflate.h"
#include "data/source.h"

#define IDX_UBYTE 0x08

typedef struct idx_array {
    unsigned char *file; /* owned */
    int rank;
    size_t dims[4];
    const unsigned char *elements;
} idx_array;

/* Checks the header against the length n. */
static bsr_status parse_idx(idx_array *a, size_t n, const char *path)
{
    const unsigned char *p = a->file;
    if (n < 4 || p[0] || p[1])
        return bsr_fail(BSR_EFORMAT, "idx: '%s' is no IDX file", path);
    if (p[2] != IDX_UBYTE)
        return bsr_fail(
            BSR_EUNSUPPORTED,
            "idx: '%s' has elements of type 0x%02x, only unsigned bytes (0x08) are read", path,
            p[2]);
    a->rank = p[3];
    if (a->rank < 1 || a->rank > 4)
        return bsr_fail(BSR_EFORMAT, "idx: '%s' has %d dimensions, expected 1 to 4", path, a->rank);
    size_t header = 4 + 4 * (size_t)a->rank;
    if (n < header)
        return bsr_fail(BSR_EFORMAT, "idx: '%s' has %zu bytes, its header alone has %zu", path, n,
                        header);
    size_t total = 1;
    for (int d = 0; d < a->rank; d++) {
        const unsigned char *q = p + 4 + 4 * d;
        a->dims[d] = (size_t)q[0] << 24 | (size_t)q[1] << 16 | (size_t)q[2] << 8 | q[3];
        if (a->dims[d] && total > BSR_MAX_DATA_BYTES / a->dims[d])
            return bsr_fail(BSR_ELIMIT, "idx: '%s' claims more than %zu elements", path,
                            BSR_MAX_DATA_BYTES);
        total *= a->dims[d];
    }
    if (n - header != total)
        return bsr_fail(BSR_EFORMAT, "idx: '%s' has %zu bytes behind its header, expected %zu",
                        path, n - header, total);
    a->elements = p + header;
    return BSR_OK;
}

static bsr_status read_idx(idx_array *a, const char *path)
{
    void *file;
    size_t n;
    BSR_TRY(bsr_file_read(&file, &n, path, BSR_MAX_DATA_BYTES));
    a->file = file;
    if (n >= 2 && a->file[0] == 0x1f && a->file[1] == 0x8b) {
        char name[512];
        snprintf(name, sizeof name, "idx: '%s'", path);
        unsigned char *plain;
        BSR_TRY(bsr_inflate(&plain, &n, file, n, BSR_WRAP_GZIP, BSR_MAX_DATA_BYTES, name));
        bsr_free(file);
        a->file = plain;
    }
    return parse_idx(a, n, path);
}

static bsr_status read_labels(bsr_source *s, const idx_array *a, const char *path,
                              const char *images_path)
{
    if (a->rank != 1)
        return bsr_fail(BSR_EFORMAT, "idx: '%s' has %d dimensions, labels have 1", path, a->rank);
    if (a->dims[0] != s->count)
        return bsr_fail(BSR_EFORMAT, "idx: '%s' has %zu labels for the %zu images of '%s'", path,
                        a->dims[0], s->count, images_path);
    s->labels = bsr_alloc_array(s->count, sizeof *s->labels);
    if (!s->labels)
        return BSR_ENOMEM;
    for (size_t i = 0; i < s->count; i++)
        s->labels[i] = a->elements[i];
    return BSR_OK;
}

bsr_status bsr_open_idx(bsr_source *s, char *const *paths, size_t n_paths, const bsr_want *want)
{
    idx_array images = {0}, labels = {0};
    bsr_status status = read_idx(&images, paths[0]);
    s->blob = images.file;
    if (status != BSR_OK)
        return status;
    if (images.rank < 3)
        return bsr_fail(BSR_EFORMAT, "idx: '%s' has %d dimensions, images have 3 or 4", paths[0],
                        images.rank);
    const size_t *hw = images.dims + images.rank - 2;
    size_t channels = images.rank == 4 ? images.dims[1] : 1;
    if (channels > INT_MAX || hw[0] > INT_MAX || hw[1] > INT_MAX)
        return bsr_fail(BSR_ELIMIT, "idx: '%s' holds images of %zux%zux%zu", paths[0], channels,
                        hw[0], hw[1]);
    s->count = images.dims[0];
    s->channels = (int)channels;
    s->height = (int)hw[0];
    s->width = (int)hw[1];
    s->first = images.elements;
    s->strides[3] = 1;
    s->strides[2] = hw[1];
    s->strides[1] = hw[0] * hw[1];
    s->strides[0] = channels * s->strides[1];
    s->load = bsr_source_load_array;

    status = read_idx(&labels, paths[1]);
    if (status == BSR_OK)
        status = read_labels(s, &labels, paths[1], paths[0]);
    bsr_free(labels.file);
    return status;
}
