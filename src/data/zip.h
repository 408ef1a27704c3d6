/* Members of a zip file in memory: what .npz needs, no more. */
#ifndef BSR_DATA_ZIP_H
#define BSR_DATA_ZIP_H

#include <stddef.h>

#include "bitseer/status.h"

/* Extracts the member `member` of the zip file data[0..n-1] (stored or deflated, its CRC-32
 * checked) into *out of *out_n bytes. Caller frees *out with bsr_free; NULL on failure. ENOTFOUND:
 * no such member; EFORMAT: damaged; EUNSUPPORTED: encrypted, several disks, zip64, another
 * method; ELIMIT: more than max_bytes; ENOMEM. Messages start with `name`. */
bsr_status bsr_zip_extract(unsigned char **out, size_t *out_n, const unsigned char *data, size_t n,
                           const char *member, size_t max_bytes, const char *name);

#endif
