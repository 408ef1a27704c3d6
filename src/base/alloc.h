/* Checked allocation. Every allocation of the library, and of the third-party libraries that take
 * an allocator, goes through here, so that a test can make the n-th one fail. */
#ifndef BSR_BASE_ALLOC_H
#define BSR_BASE_ALLOC_H

#include <stddef.h>

#include "bitseer/status.h"

/* Bytes that kernels may read (never write) behind the end of a buffer from bsr_alloc_aligned. */
#define BSR_EXTRA_BYTES 64

/* Returns NULL and sets the message on failure or when n * size overflows. `n == 0` gives a valid
 * pointer. Memory is uninitialised (alloc) or zero (calloc). Free with bsr_free. */
void *bsr_alloc_array(size_t n, size_t size);
void *bsr_calloc_array(size_t n, size_t size);

/* As realloc: the old block stays valid on failure. */
void *bsr_realloc_array(void *p, size_t n, size_t size);

/* 64-byte aligned, BSR_EXTRA_BYTES of zeroed tail; the rest uninitialised. */
void *bsr_alloc_aligned(size_t n, size_t size);

/* Copy of a C string or of its first n bytes; NULL on failure. */
char *bsr_strdup(const char *s);
char *bsr_strndup(const char *s, size_t n);

/* NULL is fine. */
void bsr_free(void *p);

/* Grows `*array` (capacity `*cap` items of `size` bytes) so that it holds at least `need` items. */
bsr_status bsr_grow(void *array_address, size_t *cap, size_t need, size_t size);

/* Bytes that the process holds by malloc; 0 where the C library cannot tell. */
size_t bsr_memory_used(void);

/* Test hook: the n-th allocation from now (n = 1 is the next) fails, once; 0 switches it off.
 * Process-wide and thread-safe. bsr_alloc_fail_pending() says whether it has not fired yet. */
BSR_PUBLIC void bsr_alloc_fail_after(long n);
BSR_PUBLIC int bsr_alloc_fail_pending(void);

#endif
