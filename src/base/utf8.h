/* Text in UTF-8 (RFC 3629). */
#ifndef BSR_BASE_UTF8_H
#define BSR_BASE_UTF8_H

#include <stddef.h>

/* Bytes of the character that starts at s, which ends with a 0 byte: 1 to 4; 0 where there is none,
 * as in overlong forms and surrogates. Reads no further than the first byte that does not fit. */
size_t bsr_utf8_bytes(const char *s);

#endif
