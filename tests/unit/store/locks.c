/* One writer among all processes, any number of readers. */
#include "unit/store/fixtures.h"

#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Two pipes: the child says what it did, the parent says go on. */
typedef struct child {
    pid_t pid;
    int said, tell;
} child;

/* In the child 0 is returned in pid. */
static child start_child(void)
{
    int said[2], tell[2];
    assert_int_equal(pipe(said), 0);
    assert_int_equal(pipe(tell), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    child c = {pid, pid ? said[0] : said[1], pid ? tell[1] : tell[0]};
    close(pid ? said[1] : said[0]);
    close(pid ? tell[0] : tell[1]);
    return c;
}

/* The child's side: says 'x' and waits. */
static void say_and_wait(const child *c, char x)
{
    if (write(c->said, &x, 1) != 1 || read(c->tell, &x, 1) != 1)
        _exit(9);
}

static char hear(const child *c)
{
    char x = '-';
    assert_int_equal(read(c->said, &x, 1), 1);
    return x;
}

static void go_on(const child *c)
{
    assert_int_equal(write(c->tell, "", 1), 1);
}

static void test_store_locks__second_writer(void **state)
{
    const char *path = temp_path("run.db");
    make_run(path);
    child c = start_child();
    if (c.pid == 0) {
        bsr_store *mine;
        bsr_status status = bsr_store_open(&mine, path, 1);
        if (status == BSR_OK)
            status = put_batch(mine, 0, 10);
        say_and_wait(&c, status == BSR_OK ? 'y' : 'n');
        bsr_store_close(mine);
        say_and_wait(&c, 'c');
        _exit(0);
    }
    assert_int_equal(hear(&c), 'y');
    bsr_store *store;
    double start = now();
    assert_fails(bsr_store_open(&store, path, 1), BSR_ELIMIT,
                 "/run.db' is being written by another process");
    assert_null(store);
    assert_true(now() - start < 1); /* at once, not after SQLite's two seconds */

    /* Readers see what is committed. */
    assert_int_equal(bsr_store_open(&store, path, 0), BSR_OK);
    assert_int_equal(assert_whole_batches(store, 10), 1);
    go_on(&c);
    assert_int_equal(hear(&c), 'c');
    bsr_store_close(store);

    assert_int_equal(bsr_store_open(&store, path, 1), BSR_OK);
    bsr_store_close(store);
    assert_alone(path);
    go_on(&c);
    join_child(c.pid);
}

/* A writer that was killed leaves no lock. */
static void test_store_locks__killed_writer(void **state)
{
    const char *path = temp_path("run.db");
    make_run(path);
    child c = start_child();
    if (c.pid == 0) {
        bsr_store *mine;
        say_and_wait(&c, bsr_store_open(&mine, path, 1) == BSR_OK ? 'y' : 'n');
        _exit(0); /* without closing */
    }
    assert_int_equal(hear(&c), 'y');
    go_on(&c);
    join_child(c.pid);
    bsr_store *store;
    assert_int_equal(bsr_store_open(&store, path, 1), BSR_OK);
    bsr_store_close(store);
}

static void test_store_locks__same_process(void **state)
{
    bsr_store *writer, *reader, *other;
    const char *path = temp_path("run.db");
    assert_int_equal(bsr_store_create(&writer, path), BSR_OK);
    assert_int_equal(bsr_store_commit_plan(writer), BSR_OK);
    assert_fails(bsr_store_open(&other, path, 1), BSR_ELIMIT,
                 "/run.db' is being written by this process");
    assert_int_equal(bsr_store_open(&reader, path, 0), BSR_OK);
    assert_int_equal(put_batch(writer, 0, 10), BSR_OK);
    assert_int_equal(assert_whole_batches(reader, 10), 1);

    /* The writer's end leaves the reader's locks alone: another process that closes the file as its
     * only user (it would then leave write-ahead mode) still sees the reader. */
    bsr_store_close(writer);
    child c = start_child();
    if (c.pid == 0) {
        /* exec, for a process that shares nothing with this one */
        char command[400];
        snprintf(command, sizeof command,
                 "[ \"$(sqlite3 '%s' 'PRAGMA journal_mode = DELETE' 2>/dev/null)\" != delete ]",
                 path);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(9);
    }
    join_child(c.pid);
    assert_int_equal(assert_whole_batches(reader, 10), 1);

    assert_int_equal(bsr_store_open(&writer, path, 1), BSR_OK);
    assert_int_equal(put_batch(writer, 1, 10), BSR_OK);
    assert_int_equal(assert_whole_batches(reader, 10), 2);
    bsr_store_close(reader);
    bsr_store_close(writer);
    assert_alone(path);
}

/* A program that does not know of the writer's lock: SQLite's own locks, for two seconds. */
static void test_store_locks__foreign_program(void **state)
{
    const char *path = temp_path("run.db");
    make_run(path);
    bsr_store *store;
    assert_int_equal(bsr_store_open(&store, path, 1), BSR_OK);
    child c = start_child();
    if (c.pid == 0) {
        sqlite3 *db;
        int ok = sqlite3_open(path, &db) == SQLITE_OK &&
                 sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK;
        say_and_wait(&c, ok ? 'y' : 'n');
        ok = sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK &&
             sqlite3_close(db) == SQLITE_OK;
        say_and_wait(&c, ok ? 'y' : 'n');
        _exit(0);
    }
    assert_int_equal(hear(&c), 'y');
    double start = now();
    assert_fails(put_batch(store, 0, 10), BSR_ELIMIT, "/run.db' is locked by another program");
    double seconds = now() - start;
    assert_true(seconds > 1.5 && seconds < 10);
    go_on(&c);
    assert_int_equal(hear(&c), 'y');

    /* Nothing of the failed batch, and the store goes on. */
    assert_int_equal(count(store), 0);
    assert_int_equal(put_batch(store, 0, 10), BSR_OK);
    assert_int_equal(assert_whole_batches(store, 10), 1);
    bsr_store_close(store);
    go_on(&c);
    join_child(c.pid);
    assert_alone(path);
}

/* The same before the store is open. */
static void test_store_locks__foreign_program_at_open(void **state)
{
    const char *path = temp_path("run.db");
    sqlite3 *db;
    bsr_store *store;
    make_run(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "SELECT * FROM fact", NULL, NULL, NULL), SQLITE_OK);
    /* A reader of the file at rest holds up a writer, which must change the kind of its log. */
    assert_fails(bsr_store_open(&store, path, 1), BSR_ELIMIT,
                 "/run.db' is locked by another program: database is locked");
    assert_int_equal(bsr_store_open(&store, path, 0), BSR_OK);
    bsr_store_close(store);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(bsr_store_open(&store, path, 1), BSR_OK);
    bsr_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_store_locks__second_writer, temp_setup, temp_teardown),
        cmocka_unit_test_setup_teardown(test_store_locks__killed_writer, temp_setup, temp_teardown),
        cmocka_unit_test_setup_teardown(test_store_locks__same_process, temp_setup, temp_teardown),
        cmocka_unit_test_setup_teardown(test_store_locks__foreign_program, temp_setup,
                                        temp_teardown),
        cmocka_unit_test_setup_teardown(test_store_locks__foreign_program_at_open, temp_setup,
                                        temp_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
