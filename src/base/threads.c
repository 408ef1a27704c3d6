#define _GNU_SOURCE /* sched_getaffinity */
#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

struct bsr_pool {
    pthread_mutex_t lock;
    pthread_cond_t wake; /* workers wait for a new job or for quitting */
    pthread_cond_t idle; /* the caller waits for the last worker */
    pthread_t *handles;
    int threads;
    int started;

    /* All below is protected by `lock`. */
    bsr_pool_fn fn;
    void *ctx;
    size_t items, next;
    unsigned long job; /* counts bsr_pool_run calls */
    int busy;
    int quit;
    bsr_status status;
    size_t failed_item;
    char message[512];
};

typedef struct worker_arg {
    bsr_pool *pool;
    int thread;
} worker_arg;

static void record_failure(bsr_pool *pool, bsr_status status, size_t item)
{
    pthread_mutex_lock(&pool->lock);
    if (pool->status == BSR_OK || item < pool->failed_item) {
        pool->status = status;
        pool->failed_item = item;
        strncpy(pool->message, bsr_error_message(), sizeof pool->message - 1);
    }
    pthread_mutex_unlock(&pool->lock);
}

static void work(bsr_pool *pool, int thread)
{
    for (;;) {
        pthread_mutex_lock(&pool->lock);
        size_t item = pool->next;
        int stop = item >= pool->items || pool->status != BSR_OK;
        if (!stop)
            pool->next++;
        pthread_mutex_unlock(&pool->lock);
        if (stop)
            return;
        bsr_status status = pool->fn(pool->ctx, item, thread);
        if (status != BSR_OK)
            record_failure(pool, status, item);
    }
}

static void *worker_main(void *p)
{
    worker_arg arg = *(worker_arg *)p;
    bsr_free(p);
    bsr_pool *pool = arg.pool;
    unsigned long seen = 0;
    for (;;) {
        pthread_mutex_lock(&pool->lock);
        while (!pool->quit && pool->job == seen)
            pthread_cond_wait(&pool->wake, &pool->lock);
        seen = pool->job;
        int quit = pool->quit;
        pthread_mutex_unlock(&pool->lock);
        if (quit)
            return NULL;
        work(pool, arg.thread);
        pthread_mutex_lock(&pool->lock);
        if (--pool->busy == 0)
            pthread_cond_signal(&pool->idle);
        pthread_mutex_unlock(&pool->lock);
    }
}

bsr_status bsr_pool_new(bsr_pool **out, int threads)
{
    *out = NULL;
    if (threads < 1 || threads > 1024)
        return bsr_fail(BSR_EINVAL, "threads is %d, expected 1 to 1024", threads);
    bsr_pool *pool = bsr_calloc_array(1, sizeof *pool);
    if (!pool)
        return BSR_ENOMEM;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->idle, NULL);
    pool->threads = threads;
    pool->handles = bsr_calloc_array((size_t)threads, sizeof *pool->handles);
    bsr_status status = pool->handles ? BSR_OK : BSR_ENOMEM;
    for (int i = 1; i < threads && status == BSR_OK; i++) {
        worker_arg *arg = bsr_alloc_array(1, sizeof *arg);
        if (!arg) {
            status = BSR_ENOMEM;
            break;
        }
        *arg = (worker_arg){pool, i};
        int err = pthread_create(&pool->handles[pool->started], NULL, worker_main, arg);
        if (err) {
            bsr_free(arg);
            status = bsr_fail(BSR_ELIMIT, "thread %d of %d cannot be started: %s", i + 1, threads,
                              strerror(err));
        } else {
            pool->started++;
        }
    }
    if (status != BSR_OK) {
        bsr_pool_free(pool);
        return status;
    }
    *out = pool;
    return BSR_OK;
}

void bsr_pool_free(bsr_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->quit = 1;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->handles[i], NULL);
    pthread_cond_destroy(&pool->idle);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    bsr_free(pool->handles);
    bsr_free(pool);
}

int bsr_pool_threads(const bsr_pool *pool)
{
    return pool->threads;
}

bsr_status bsr_pool_run(bsr_pool *pool, size_t items, bsr_pool_fn fn, void *ctx)
{
    pthread_mutex_lock(&pool->lock);
    pool->fn = fn;
    pool->ctx = ctx;
    pool->items = items;
    pool->next = 0;
    pool->status = BSR_OK;
    pool->busy = pool->started;
    pool->job++;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);

    work(pool, 0);

    pthread_mutex_lock(&pool->lock);
    while (pool->busy)
        pthread_cond_wait(&pool->idle, &pool->lock);
    bsr_status status = pool->status;
    pthread_mutex_unlock(&pool->lock);
    return status == BSR_OK ? BSR_OK : bsr_fail(status, "%s", pool->message);
}

int bsr_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? n : 1;
}

struct bsr_lock {
    pthread_mutex_t mutex;
};

bsr_status bsr_lock_new(bsr_lock **out)
{
    *out = bsr_alloc_array(1, sizeof **out);
    if (!*out)
        return BSR_ENOMEM;
    pthread_mutex_init(&(*out)->mutex, NULL);
    return BSR_OK;
}

void bsr_lock_free(bsr_lock *lock)
{
    if (!lock)
        return;
    pthread_mutex_destroy(&lock->mutex);
    bsr_free(lock);
}

void bsr_lock_acquire(bsr_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
}

void bsr_lock_release(bsr_lock *lock)
{
    pthread_mutex_unlock(&lock->mutex);
}
