#define _GNU_SOURCE /* sched_getaffinity */
#include "base/threads.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"

enum { MAX_ITEMS = 1000, MAX_THREADS = 8 };

/* Plain counters, so that the thread sanitizer sees an item that runs twice at once, or a run that
 * returns before its workers are done. */
typedef struct tally {
    int times[MAX_ITEMS];
    atomic_int bad_thread;
    int threads;
} tally;

static bsr_status count(void *ctx, size_t item, int thread)
{
    tally *t = ctx;
    t->times[item]++;
    if (thread < 0 || thread >= t->threads)
        atomic_store(&t->bad_thread, 1);
    return BSR_OK;
}

static void test_base_threads__each_item_once(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 3, 7, 64, MAX_ITEMS};
    for (int threads = 1; threads <= MAX_THREADS; threads++) {
        bsr_pool *pool;
        assert_int_equal(bsr_pool_new(&pool, threads), BSR_OK);
        assert_int_equal(bsr_pool_threads(pool), threads);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            tally t = {.threads = threads};
            assert_int_equal(bsr_pool_run(pool, sizes[s], count, &t), BSR_OK);
            for (size_t i = 0; i < MAX_ITEMS; i++)
                assert_int_equal(t.times[i], i < sizes[s]);
            assert_false(t.bad_thread);
        }
        bsr_pool_free(pool);
    }
    bsr_pool_free(NULL);
}

/* A worker that wakes late must not take part in the next run with the last one's state. */
static void test_base_threads__many_short_runs(void **state)
{
    for (int threads = 1; threads <= MAX_THREADS; threads++) {
        bsr_pool *pool;
        assert_int_equal(bsr_pool_new(&pool, threads), BSR_OK);
        tally t = {.threads = threads};
        for (int run = 0; run < 500; run++)
            assert_int_equal(bsr_pool_run(pool, (size_t)run % 5, count, &t), BSR_OK);
        /* Of 500 runs, 100 each have 0, 1, 2, 3 and 4 items. */
        for (int i = 0; i < 5; i++)
            assert_int_equal(t.times[i], 100 * (4 - i));
        bsr_pool_free(pool);
    }
}

/* Items that fail; `started` tells what ran. */
typedef struct failing {
    const char *fails; /* '1' for each failing item */
    atomic_int started[16];
    atomic_int released; /* with slow_first: item 0 waits for another failure */
    int slow_first;
} failing;

static bsr_status fail_some(void *ctx, size_t item, int thread)
{
    failing *f = ctx;
    atomic_fetch_add(&f->started[item], 1);
    if (f->fails[item] != '1')
        return BSR_OK;
    if (f->slow_first && item == 0)
        while (!atomic_load(&f->released))
            sched_yield();
    bsr_status status = bsr_fail(item % 2 ? BSR_EIO : BSR_EINVAL, "item %zu", item);
    atomic_store(&f->released, 1);
    return status;
}

static void test_base_threads__lowest_failure_wins(void **state)
{
    static const struct {
        const char *fails, *message;
        bsr_status status;
    } cases[] = {
        {"1111111111", "item 0", BSR_EINVAL}, {"0111111111", "item 1", BSR_EIO},
        {"0000000001", "item 9", BSR_EIO},    {"0000101000", "item 4", BSR_EINVAL},
        {"0001000001", "item 3", BSR_EIO},
    };
    for (int threads = 1; threads <= MAX_THREADS; threads++) {
        bsr_pool *pool;
        assert_int_equal(bsr_pool_new(&pool, threads), BSR_OK);
        for (int run = 0; run < 100; run++) {
            size_t c = (size_t)run % (sizeof cases / sizeof *cases);
            failing f = {.fails = cases[c].fails};
            bsr_fail(BSR_EIO, "stale");
            assert_int_equal(bsr_pool_run(pool, 10, fail_some, &f), cases[c].status);
            assert_string_equal(bsr_error_message(), cases[c].message);
        }
        tally t = {.threads = threads};
        assert_int_equal(bsr_pool_run(pool, 3, count, &t), BSR_OK);
        bsr_pool_free(pool);
    }
}

/* Item 0 fails after item 1 has: it still wins. */
static void test_base_threads__late_lower_failure_wins(void **state)
{
    bsr_pool *pool;
    assert_int_equal(bsr_pool_new(&pool, 2), BSR_OK);
    for (int run = 0; run < 50; run++) {
        failing f = {.fails = "11", .slow_first = 1};
        assert_int_equal(bsr_pool_run(pool, 2, fail_some, &f), BSR_EINVAL);
        assert_string_equal(bsr_error_message(), "item 0");
    }
    bsr_pool_free(pool);
}

static void test_base_threads__stops_after_failure(void **state)
{
    bsr_pool *pool;
    failing f = {.fails = "001000"};
    assert_int_equal(bsr_pool_new(&pool, 1), BSR_OK);
    assert_int_equal(bsr_pool_run(pool, 6, fail_some, &f), BSR_EINVAL);
    for (int i = 0; i < 6; i++)
        assert_int_equal(f.started[i], i <= 2);
    bsr_pool_free(pool);
}

static void test_base_threads__limits(void **state)
{
    static const int bad[] = {-1, 0, 1025};
    for (int i = 0; i < 3; i++) {
        char message[64];
        bsr_pool *pool;
        snprintf(message, sizeof message, "threads is %d, expected 1 to 1024", bad[i]);
        assert_int_equal(bsr_pool_new(&pool, bad[i]), BSR_EINVAL);
        assert_string_equal(bsr_error_message(), message);
        assert_null(pool);
    }
}

static void test_base_threads__no_memory(void **state)
{
    bsr_status status = BSR_ENOMEM;
    int n;
    for (n = 1; status != BSR_OK; n++) {
        bsr_pool *pool;
        bsr_alloc_fail_after(n);
        status = bsr_pool_new(&pool, 4);
        if (status != BSR_OK) {
            assert_int_equal(status, BSR_ENOMEM);
            assert_non_null(strstr(bsr_error_message(), "out of memory"));
            assert_null(pool);
        }
        bsr_pool_free(pool);
    }
    assert_true(n > 5); /* the pool, the handles and an argument for each of three workers */
    bsr_alloc_fail_after(0);
}

static void test_base_threads__cpu_count(void **state)
{
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    assert_int_equal(bsr_cpu_count(), CPU_COUNT(&set));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_threads__each_item_once),
        cmocka_unit_test(test_base_threads__many_short_runs),
        cmocka_unit_test(test_base_threads__lowest_failure_wins),
        cmocka_unit_test(test_base_threads__late_lower_failure_wins),
        cmocka_unit_test(test_base_threads__stops_after_failure),
        cmocka_unit_test(test_base_threads__limits),
        cmocka_unit_test(test_base_threads__no_memory),
        cmocka_unit_test(test_base_threads__cpu_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
