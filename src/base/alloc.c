#include "base/alloc.h"

#if defined __GLIBC__ || defined __linux__
#include <malloc.h>
#endif
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static _Atomic long fail_countdown;

size_t bsr_memory_used(void)
{
#if defined __GLIBC__ && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
#else
    return 0;
#endif
}

void bsr_alloc_fail_after(long n)
{
    atomic_store(&fail_countdown, n);
}

int bsr_alloc_fail_pending(void)
{
    return atomic_load(&fail_countdown) > 0;
}

static int must_fail(void)
{
    /* The plain load keeps the usual case free of a contended write. */
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) <= 0)
        return 0;
    return atomic_fetch_sub(&fail_countdown, 1) == 1;
}

/* Product of n and size, or SIZE_MAX (which no allocator grants) on overflow. */
static size_t total(size_t n, size_t size)
{
    if (size && n > (SIZE_MAX / 2) / size)
        return SIZE_MAX;
    return n * size;
}

static void *checked(void *p, size_t bytes)
{
    if (!p)
        bsr_fail(BSR_ENOMEM, "out of memory: %zu bytes asked for", bytes);
    return p;
}

void *bsr_alloc_array(size_t n, size_t size)
{
    size_t bytes = total(n, size);
    if (bytes == SIZE_MAX || must_fail())
        return checked(NULL, bytes);
    return checked(malloc(bytes ? bytes : 1), bytes);
}

void *bsr_calloc_array(size_t n, size_t size)
{
    size_t bytes = total(n, size);
    if (bytes == SIZE_MAX || must_fail())
        return checked(NULL, bytes);
    return checked(calloc(1, bytes ? bytes : 1), bytes);
}

void *bsr_realloc_array(void *p, size_t n, size_t size)
{
    size_t bytes = total(n, size);
    if (bytes == SIZE_MAX || must_fail())
        return checked(NULL, bytes);
    return checked(realloc(p, bytes ? bytes : 1), bytes);
}

void *bsr_alloc_aligned(size_t n, size_t size)
{
    size_t bytes = total(n, size);
    if (bytes >= SIZE_MAX / 2 || must_fail())
        return checked(NULL, bytes);
    size_t padded = (bytes + BSR_EXTRA_BYTES + 63) / 64 * 64;
    char *p = aligned_alloc(64, padded);
    if (p)
        memset(p + bytes, 0, padded - bytes);
    return checked(p, bytes);
}

char *bsr_strndup(const char *s, size_t n)
{
    char *copy = bsr_alloc_array(n + 1, 1);
    if (copy) {
        memcpy(copy, s, n);
        copy[n] = 0;
    }
    return copy;
}

char *bsr_strdup(const char *s)
{
    return bsr_strndup(s, strlen(s));
}

void bsr_free(void *p)
{
    free(p);
}

bsr_status bsr_grow(void *array_address, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return BSR_OK;
    size_t n = *cap ? *cap : 8;
    while (n < need)
        n += n / 2 + 1;
    void *old;
    memcpy(&old, array_address, sizeof old);
    void *p = bsr_realloc_array(old, n, size);
    if (!p)
        return BSR_ENOMEM;
    memcpy(array_address, &p, sizeof p);
    *cap = n;
    return BSR_OK;
}
