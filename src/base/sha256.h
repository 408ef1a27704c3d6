/* SHA-256 (FIPS 180-4), for provenance records. */
#ifndef BSR_BASE_SHA256_H
#define BSR_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct bsr_sha256 {
    uint32_t state[8];
    uint64_t bytes; /* hashed so far; the last bytes % 64 of them wait in block */
    unsigned char block[64];
} bsr_sha256;

void bsr_sha256_init(bsr_sha256 *h);
void bsr_sha256_update(bsr_sha256 *h, const void *data, size_t n);

/* Writes the digest as 64 lower-case hexadecimal digits and a 0. `h` must be initialised again
 * before it is used again. */
void bsr_sha256_final(bsr_sha256 *h, char hex[65]);

#endif
