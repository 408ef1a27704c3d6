/* What a reader of one kind of data gives: labels of all images, and each image on demand. */
#ifndef BSR_DATA_SOURCE_H
#define BSR_DATA_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "bitseer/status.h"

/* Limit of a data file (after decompression) and of the selected images. */
#define BSR_MAX_DATA_BYTES ((size_t)1 << 31)

/* What the network takes, and the options that only `folder` knows. */
typedef struct bsr_want {
    int channels, height, width;
    int resize;              /* 0: not given */
    const char *labels_file; /* NULL: not given */
} bsr_want;

typedef struct bsr_source bsr_source;

/* All zero before opening; bsr_source_close frees what is there at any moment. */
struct bsr_source {
    size_t count;
    int64_t *labels;             /* count, owned */
    int channels, height, width; /* of what `load` writes */
    int is_float;                /* float32 values instead of bytes */

    /* Writes image i as dense planes C,H,W of bytes or floats. */
    bsr_status (*load)(const bsr_source *source, size_t i, void *out);

    /* An array in memory: strides in bytes of image, channel, row and column. */
    unsigned char *blob; /* owned */
    const unsigned char *first;
    size_t strides[4];

    /* Picture files. */
    char **paths; /* count, owned */
    bsr_want want;
};

/* One reader's way to open its files: n_paths is within the limits of the table in data_spec.c.
 * A failure's message names the file; the caller closes the source either way. */
typedef bsr_status bsr_source_open(bsr_source *source, char *const *paths, size_t n_paths,
                                   const bsr_want *want);

bsr_source_open bsr_open_cifar10, bsr_open_cifar100, bsr_open_planes16, bsr_open_idx, bsr_open_npy,
    bsr_open_npz, bsr_open_folder;

/* The `load` of sources that are an array in memory. */
bsr_status bsr_source_load_array(const bsr_source *source, size_t i, void *out);

void bsr_source_close(bsr_source *source);

#endif
