/* What the tests of stores share: files in a temporary folder, and SQLite past the store. Include
 * it first. */
#ifndef BSR_TESTS_STORE_FIXTURES_H
#define BSR_TESTS_STORE_FIXTURES_H

#include "unit/data/temp_files.h"

#include <errno.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "base/file.h"
#include "store/store.h"

static inline int file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Only the database itself, with neither log nor index of the log. */
static inline void assert_alone(const char *path)
{
    char beside[300];
    assert_true(file_exists(path));
    static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
    for (int i = 0; i < 3; i++) {
        snprintf(beside, sizeof beside, "%s%s", path, suffixes[i]);
        assert_false(file_exists(beside));
    }
}

static inline int count_files(void)
{
    int n = 0;
    char command[200], line[20];
    snprintf(command, sizeof command, "ls -A %s | wc -l", temp_folder);
    FILE *p = popen(command, "r");
    assert_non_null(fgets(line, sizeof line, p));
    n = atoi(line);
    pclose(p);
    return n;
}

/* Runs SQL by SQLite itself; the last row's first column as text, "" when there is none. */
static inline const char *direct_sql(const char *path, const char *sql)
{
    static char text[400];
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 2000);
    text[0] = 0;
    const char *rest = sql;
    while (*rest) {
        sqlite3_stmt *stmt = NULL;
        if (sqlite3_prepare_v2(db, rest, -1, &stmt, &rest) != SQLITE_OK)
            fail_msg("%s: %s", rest, sqlite3_errmsg(db));
        int code = SQLITE_DONE;
        while (stmt && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
            const char *value = (const char *)sqlite3_column_text(stmt, 0);
            snprintf(text, sizeof text, "%s", value ? value : "NULL");
        }
        if (code != SQLITE_DONE)
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        sqlite3_finalize(stmt);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return text;
}

/* A run with an empty plan, closed. */
static inline void make_run(const char *path)
{
    bsr_store *store;
    assert_int_equal(bsr_store_create(&store, path), BSR_OK);
    assert_int_equal(bsr_store_put_fact(store, "model", "m.onnx"), BSR_OK);
    assert_int_equal(bsr_store_commit_plan(store), BSR_OK);
    bsr_store_close(store);
}

/* Batch b: `n` faults from b * n on, all of whose pairs are b + 1, and n masked pairs. */
static inline bsr_status put_batch(bsr_store *store, int b, int n)
{
    bsr_fault_row *rows = calloc((size_t)n, sizeof *rows);
    for (int i = 0; i < n; i++)
        rows[i] = (bsr_fault_row){.fault = (int64_t)b * n + i, .pairs = b + 1, .sse = i + 0.5};
    bsr_masking_row masking = {.layer = 0, .at = 1, .pairs = n};
    bsr_status status = bsr_store_put_answers(
        store, &(bsr_answers){
                   .faults = rows, .n_faults = (size_t)n, .maskings = &masking, .n_maskings = 1});
    free(rows);
    return status;
}

static inline uint64_t count(bsr_store *store)
{
    uint64_t n;
    assert_int_equal(bsr_store_count_answers(store, &n), BSR_OK);
    return n;
}

typedef struct whole_batches {
    int n;          /* faults of a batch */
    int64_t faults; /* seen */
    int64_t masked;
    int wrong;
} whole_batches;

static inline bsr_status check_fault(void *ctx, const bsr_fault_row *row)
{
    whole_batches *w = ctx;
    w->wrong += row->fault != w->faults || row->pairs != w->faults / w->n + 1 ||
                row->sse != (double)(w->faults % w->n) + 0.5;
    w->faults++;
    return BSR_OK;
}

static inline bsr_status add_masked(void *ctx, const bsr_masking_row *row)
{
    ((whole_batches *)ctx)->masked += row->pairs;
    return BSR_OK;
}

/* The first batches of put_batch are there, whole, and nothing else; returns how many. */
static inline int assert_whole_batches(bsr_store *store, int n)
{
    whole_batches w = {.n = n};
    assert_int_equal(bsr_store_faults(store, 0, INT64_MAX, check_fault, &w), BSR_OK);
    assert_int_equal(bsr_store_maskings(store, add_masked, &w), BSR_OK);
    assert_int_equal(w.wrong, 0);
    assert_int_equal(w.faults % n, 0);
    assert_int_equal(w.masked, w.faults);
    assert_int_equal(count(store), w.faults);
    return (int)(w.faults / n);
}

/* Waits for a child that must have ended by itself with status 0. */
static inline void join_child(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#endif
