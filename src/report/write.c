#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "bitseer/result.h"

void bsr_text_free(char *text)
{
    bsr_free(text);
}

bsr_status bsr_write_text(const char *path, const char *text)
{
    return bsr_file_write_atomic(path, text, strlen(text));
}

/* Version 1.0 of the format: magic, version, little-endian header length, header padded with blanks
 * so that the data start at a multiple of 64. */
#define NPY_HEADER_BYTES 128
#define NPY_PREFIX_BYTES 10

static void npy_header(char *out, size_t rows, size_t columns)
{
    memset(out, ' ', NPY_HEADER_BYTES);
    memcpy(out, "\x93NUMPY\x01\x00", 8);
    out[8] = NPY_HEADER_BYTES - NPY_PREFIX_BYTES;
    out[9] = 0;
    char text[NPY_HEADER_BYTES - NPY_PREFIX_BYTES];
    int n =
        snprintf(text, sizeof text,
                 "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }", rows, columns);
    memcpy(out + NPY_PREFIX_BYTES, text, (size_t)n);
    out[NPY_HEADER_BYTES - 1] = '\n';
}

bsr_status bsr_write_npy(const char *path, const float *x, size_t rows, size_t columns)
{
    size_t most = ((size_t)-1 / 2 - NPY_HEADER_BYTES) / sizeof *x;
    if (columns && rows > most / columns)
        return bsr_fail(BSR_ELIMIT, "'%s': an array of %zu x %zu is too large", path, rows,
                        columns);
    size_t bytes = rows * columns * sizeof *x;
    char *file = bsr_alloc_array(NPY_HEADER_BYTES + bytes, 1);
    if (!file)
        return BSR_ENOMEM;
    npy_header(file, rows, columns);
    if (bytes)
        memcpy(file + NPY_HEADER_BYTES, x, bytes); /* hosts are little-endian */
    bsr_status status = bsr_file_write_atomic(path, file, NPY_HEADER_BYTES + bytes);
    bsr_free(file);
    return status;
}
