/* Setting the thread's error message. */
#ifndef BSR_BASE_ERROR_H
#define BSR_BASE_ERROR_H

#include "bitseer/status.h"

/* Stores a one-line message (cut at 511 bytes; control characters, which file names and tensor
 * names may hold, become '?') and returns `status`, so that a check reads
 * `return bsr_fail(BSR_EINVAL, "layer %d: ...", i);`. Allocates nothing. */
bsr_status bsr_fail(bsr_status status, const char *fmt, ...) BSR_PRINTF(2, 3);

/* Puts "PREFIX: " in front of the message stored last; keeps `status`. */
bsr_status bsr_fail_prefix(bsr_status status, const char *fmt, ...) BSR_PRINTF(2, 3);

/* Returns from the enclosing function when `expr` fails. Only where nothing needs freeing;
 * elsewhere `goto done`. */
#define BSR_TRY(expr)                                                                              \
    do {                                                                                           \
        bsr_status try_status_ = (expr);                                                           \
        if (try_status_ != BSR_OK)                                                                 \
            return try_status_;                                                                    \
    } while (0)

#endif
