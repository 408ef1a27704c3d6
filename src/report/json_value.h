/* The pieces JSON reports are made of. Constructors return NULL on failure and take NULL for their
 * parts, as jansson's do, so that a whole tree is built in one expression and checked at its end.
 */
#ifndef BSR_REPORT_JSON_VALUE_H
#define BSR_REPORT_JSON_VALUE_H

#include <jansson.h>
#include <stdint.h>

#include "bitseer/result.h"
#include "report/strbuf.h"

/* Before the first value: jansson allocates through base/alloc.h. Thread-safe. */
void bsr_json_setup(void);

/* Any bytes: text that is not UTF-8 has '?' for its non-ASCII bytes. NULL gives null. */
json_t *bsr_json_text(const char *s);

/* null for NaN and Inf, which JSON does not have. */
json_t *bsr_json_real(double x);

/* A string of digits above 2^63 - 1, which readers would not take as a whole number. */
json_t *bsr_json_count(uint64_t n);

/* [lo, hi] */
json_t *bsr_json_interval(bsr_share share);

/* one(items + i * size, ctx) for each item, in order. */
typedef json_t *(*bsr_json_item)(const void *item, const void *ctx);
json_t *bsr_json_array(const void *items, size_t n, size_t size, bsr_json_item one,
                       const void *ctx);

/* Adds `value` at the end of `object`; both are the caller's no more. Returns the object. */
json_t *bsr_json_add(json_t *object, const char *key, json_t *value);

/* Adds one value on one line to b, where failure sticks. Frees the value. */
void bsr_json_append(bsr_strbuf *b, json_t *value);

/* The tree as indented text with a final newline, numbers with as few digits as read back to the
 * same double. Frees the tree. ENOMEM, also for a NULL tree. */
BSR_NODISCARD bsr_status bsr_json_dump(char **out, json_t *root);

#endif
