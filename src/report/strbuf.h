/* Text that grows. The first failure sticks: later calls do nothing, and the one at the
 * end says.
 */
#ifndef BSR_REPORT_STRBUF_H
#define BSR_REPORT_STRBUF_H

#include <stdarg.h>
#include <stddef.h>

#include "bitseer/status.h"

/* Starts as {0}. text is NULL until something was added, else ends with a 0 at text[n]. */
typedef struct bsr_strbuf {
    char *text;
    size_t n, cap;
    bsr_status status;
} bsr_strbuf;

void bsr_strbuf_add(bsr_strbuf *b, const char *fmt, ...) BSR_PRINTF(2, 3);
void bsr_strbuf_vadd(bsr_strbuf *b, const char *fmt, va_list ap) BSR_PRINTF(2, 0);

/* Adds n bytes as they are. */
void bsr_strbuf_append(bsr_strbuf *b, const char *bytes, size_t n);

/* Adds a character `count` times. */
void bsr_strbuf_fill(bsr_strbuf *b, char c, size_t count);

/* Moves the text to *out, "" when nothing was added; the caller frees it with bsr_free. *out is
 * NULL on failure, and the buffer is empty either way. */
BSR_NODISCARD bsr_status bsr_strbuf_take(char **out, bsr_strbuf *b);

/* The same for text for people: bytes that are neither newline nor printable ASCII become '?', as
 * names from files could steer a terminal. */
BSR_NODISCARD bsr_status bsr_strbuf_take_ascii(char **out, bsr_strbuf *b);

#endif
