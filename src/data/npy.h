/* Arrays of NumPy's .npy format. */
#ifndef BSR_DATA_NPY_H
#define BSR_DATA_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "data/source.h"

#define BSR_NPY_MAX_RANK 8

typedef enum bsr_npy_type {
    BSR_NPY_U8,
    BSR_NPY_I32,
    BSR_NPY_I64,
    BSR_NPY_F32,
} bsr_npy_type;

/* Borrowed view of the bytes of a .npy file. */
typedef struct bsr_npy {
    bsr_npy_type type;
    size_t size; /* bytes of one element */
    int rank;
    size_t dims[BSR_NPY_MAX_RANK];
    size_t strides[BSR_NPY_MAX_RANK]; /* bytes; C or Fortran order */
    const unsigned char *elements;    /* little-endian, not aligned */
} bsr_npy;

/* Parses the n bytes of a .npy file of format version 1, 2 or 3. EFORMAT: damaged, or its length
 * is not what its shape asks for; EUNSUPPORTED: another element type. Messages start with `name`.
 */
bsr_status bsr_npy_parse(bsr_npy *out, const unsigned char *data, size_t n, const char *name);

/* The source over images X and labels Y, as two .npy files in memory; `x_file` becomes the
 * source's (also on failure), `y_file` stays the caller's. */
bsr_status bsr_npy_source(bsr_source *source, unsigned char *x_file, size_t x_n, const char *x_name,
                          const unsigned char *y_file, size_t y_n, const char *y_name);

#endif
