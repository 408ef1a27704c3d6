/* The `images` option: which images of a file are used. */
#ifndef BSR_DATA_IMAGE_SELECTOR_H
#define BSR_DATA_IMAGE_SELECTOR_H

#include <stddef.h>
#include <stdint.h>

#include "bitseer/status.h"

/* Writes the ascending positions that `spec` ("N", "A:B", "N/class" or "") selects of `count`
 * images with these labels. Caller frees *out with bsr_free; NULL on failure. EINVAL: no such
 * form, nothing selected, or something beyond the end (N/class: a class has fewer). ENOMEM.
 * O(count log count) for N/class. */
bsr_status bsr_select_images(size_t **out, size_t *n, const char *spec, const int64_t *labels,
                             size_t count);

#endif
