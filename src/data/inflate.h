/* Decompression of a whole block through zlib. */
#ifndef BSR_DATA_INFLATE_H
#define BSR_DATA_INFLATE_H

#include <stddef.h>

#include "bitseer/status.h"

typedef enum bsr_wrapping {
    BSR_WRAP_NONE, /* a raw deflate stream, as in zip */
    BSR_WRAP_GZIP, /* one gzip member after the other */
} bsr_wrapping;

/* Inflates data[0..n-1] into *out of *out_n bytes; caller frees *out with bsr_free, NULL on
 * failure. EFORMAT: damaged, or it ends too early; ELIMIT: more than max_bytes; ENOMEM. Messages
 * start with `name`. */
bsr_status bsr_inflate(unsigned char **out, size_t *out_n, const unsigned char *data, size_t n,
                       bsr_wrapping wrapping, size_t max_bytes, const char *name);

#endif
