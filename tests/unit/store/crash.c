/* Killed, or out of room: whole batches are kept and nothing else. */
#include "unit/store/fixtures.h"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "store/store_private.h"

enum { BATCH = 300 };

/* Children killed at moments spread over what forty batches take. */
static void test_store_crash__kill_between_and_in_batches(void **state)
{
    const char *path = temp_path("run.db");
    make_run(path);
    int batches = 0, grown = 0;
    for (int kill_no = 0; kill_no < 40; kill_no++) {
        pid_t child = fork();
        if (child == 0) {
            bsr_store *mine;
            if (bsr_store_open(&mine, path, 1) != BSR_OK)
                _exit(1);
            for (int b = batches;; b++)
                if (put_batch(mine, b, BATCH) != BSR_OK)
                    _exit(2);
        }
        nanosleep(&(struct timespec){0, (kill_no * 7 % 40 + 1) * 1000000L}, NULL);
        assert_int_equal(kill(child, SIGKILL), 0);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

        bsr_store *store;
        bsr_status opened = bsr_store_open(&store, path, kill_no % 2);
        if (opened != BSR_OK)
            fail_msg("kill %d: %s", kill_no, bsr_error_message());
        int n = assert_whole_batches(store, BATCH);
        assert_true(n >= batches);
        grown += n > batches;
        batches = n;
        bsr_store_close(store);
        if (kill_no % 2)
            assert_alone(path);
    }
    assert_true(grown > 5); /* else this tested nothing */
    assert_string_equal(direct_sql(path, "PRAGMA integrity_check"), "ok");
}

/* Before its plan is committed a run is nothing; what a kill leaves of it is named as such. */
static void test_store_crash__kill_while_planning(void **state)
{
    const char *path = temp_path("run.db");
    pid_t child = fork();
    if (child == 0) {
        bsr_store *mine;
        if (bsr_store_create(&mine, path) != BSR_OK ||
            bsr_store_put_fact(mine, "model", "m") != BSR_OK)
            _exit(1);
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    bsr_store *store;
    for (int write = 0; write < 2; write++)
        assert_fails(bsr_store_open(&store, path, write), BSR_EFORMAT,
                     "/run.db' has no plan: the run that made it did not get that far");
    assert_fails(bsr_store_create(&store, path), BSR_EINVAL, "/run.db' exists already");
}

/* No file of this process grows beyond `bytes`. */
static void limit_files(rlim_t bytes)
{
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){bytes, RLIM_INFINITY});
}

/* Batches until one fails; returns how many there are then, or -1. */
static int fill(bsr_store *store)
{
    for (int b = 0; b < 1000; b++)
        if (put_batch(store, b, BATCH) != BSR_OK)
            return b;
    return -1;
}

/* A quota, or a limit of the process, while the log is written. */
static void test_store_crash__file_limit(void **state)
{
    const char *path = temp_path("run.db");
    make_run(path);
    pid_t child = fork();
    if (child == 0) {
        bsr_store *mine;
        limit_files(200000);
        if (bsr_store_open(&mine, path, 1) != BSR_OK)
            _exit(1);
        int b = fill(mine);
        if (b < 3 || !strstr(bsr_error_message(), "/run.db' cannot be written, disk full: "))
            _exit(2);
        if (put_batch(mine, b, BATCH) != BSR_EIO)
            _exit(3);
        /* Room again: the same store goes on. */
        limit_files(RLIM_INFINITY);
        if (put_batch(mine, b, BATCH) != BSR_OK || assert_whole_batches(mine, BATCH) != b + 1)
            _exit(4);
        /* And out of room when it is closed, when the log goes into the file. */
        limit_files(200000);
        bsr_store_close(mine);
        _exit(0);
    }
    join_child(child);
    bsr_store *store;
    assert_int_equal(bsr_store_open(&store, path, 1), BSR_OK);
    assert_true(assert_whole_batches(store, BATCH) >= 4);
    bsr_store_close(store);
    assert_alone(path);
    assert_string_equal(direct_sql(path, "PRAGMA integrity_check"), "ok");
}

/* SQLite's own limit, which it reports as it reports ENOSPC. */
static void test_store_crash__disk_full(void **state)
{
    const char *path = temp_path("run.db");
    make_run(path);
    bsr_store *store;
    assert_int_equal(bsr_store_open(&store, path, 1), BSR_OK);
    assert_int_equal(bsr_store_exec(store, "PRAGMA max_page_count = 60"), BSR_OK);
    int b = fill(store);
    assert_true(b > 3);
    assert_fails(put_batch(store, b, BATCH), BSR_EIO,
                 "/run.db' cannot be written, disk full: database or disk is full");
    assert_int_equal(assert_whole_batches(store, BATCH), b);
    bsr_store_close(store);
    assert_int_equal(bsr_store_open(&store, path, 0), BSR_OK);
    assert_int_equal(assert_whole_batches(store, BATCH), b);
    bsr_store_close(store);
}

/* While planning: the whole plan is lost, which later calls say, and no file stays. */
static void test_store_crash__disk_full_while_planning(void **state)
{
    const char *path = temp_path("run.db");
    bsr_store *store;
    assert_int_equal(bsr_store_create(&store, path), BSR_OK);
    assert_int_equal(bsr_store_exec(store, "PRAGMA max_page_count = 60"), BSR_OK);
    assert_true(fill(store) > 3);
    assert_non_null(strstr(bsr_error_message(), "disk full"));
    if (sqlite3_get_autocommit(store->db))
        assert_fails(bsr_store_commit_plan(store), BSR_EIO, "lost its plan when a write failed");
    bsr_store_close(store);
    assert_int_equal(count_files(), 0);

    pid_t child = fork();
    if (child == 0) {
        limit_files(60000);
        if (bsr_store_create(&store, path) != BSR_OK)
            _exit(1);
        int32_t *many = calloc(20000, sizeof *many);
        bsr_status status = BSR_OK;
        for (int i = 0; i < 5 && status == BSR_OK; i++)
            status = bsr_store_put_layer(store, &(bsr_layer_row){.id = i,
                                                                 .name = "",
                                                                 .op = "",
                                                                 .format = "",
                                                                 .chosen = many,
                                                                 .n_chosen = 20000});
        if (status == BSR_OK)
            status = bsr_store_commit_plan(store);
        free(many);
        if (status != BSR_EIO || !strstr(bsr_error_message(), "cannot be written, disk full"))
            _exit(2);
        bsr_store_close(store);
        _exit(0);
    }
    join_child(child);
    assert_int_equal(count_files(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_store_crash__kill_between_and_in_batches, temp_setup,
                                        temp_teardown),
        cmocka_unit_test_setup_teardown(test_store_crash__kill_while_planning, temp_setup,
                                        temp_teardown),
        cmocka_unit_test_setup_teardown(test_store_crash__file_limit, temp_setup, temp_teardown),
        cmocka_unit_test_setup_teardown(test_store_crash__disk_full, temp_setup, temp_teardown),
        cmocka_unit_test_setup_teardown(test_store_crash__disk_full_while_planning, temp_setup,
                                        temp_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
