/* A small pool of worker threads. Passed in where it is used; there is no global pool. */
#ifndef BSR_BASE_THREADS_H
#define BSR_BASE_THREADS_H

#include <stddef.h>

#include "bitseer/status.h"

typedef struct bsr_pool bsr_pool;

/* `threads` >= 1 workers in all; the caller of bsr_pool_run is one of them. Caller owns *out. */
bsr_status bsr_pool_new(bsr_pool **out, int threads);
void bsr_pool_free(bsr_pool *pool);
int bsr_pool_threads(const bsr_pool *pool);

/* Calls fn(ctx, item, thread) once for each item in 0..items-1, in ascending order of starting,
 * thread in 0..threads-1, and returns when all are done. The first failing call (lowest item) wins:
 * its status and message are returned, and items not yet started are skipped. Not reentrant. */
typedef bsr_status (*bsr_pool_fn)(void *ctx, size_t item, int thread);
bsr_status bsr_pool_run(bsr_pool *pool, size_t items, bsr_pool_fn fn, void *ctx);

/* One thread at a time between acquire and release. */
typedef struct bsr_lock bsr_lock;
bsr_status bsr_lock_new(bsr_lock **out);
void bsr_lock_free(bsr_lock *lock);
void bsr_lock_acquire(bsr_lock *lock);
void bsr_lock_release(bsr_lock *lock);

/* Processors this process may use; at least 1. */
int bsr_cpu_count(void);

#endif
