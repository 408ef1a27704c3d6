#define _POSIX_C_SOURCE 200809L
#include "store/store.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "store/store_private.h"

/* In every file's header, so that `file` and we know our own: "Bser". */
#define APPLICATION_ID 0x42736572

/* How long another program may keep the database locked before we give up. */
#define BUSY_MS 2000

static bsr_status new_store(bsr_store **out, const char *path, int write)
{
    *out = bsr_calloc_array(1, sizeof **out);
    if (!*out)
        return BSR_ENOMEM;
    (*out)->write = write;
    (*out)->path = bsr_strdup(path ? path : "(memory)");
    return (*out)->path ? BSR_OK : BSR_ENOMEM;
}

/* path NULL: in memory. A reader opens for writing too where it may: after a crash or a kill the
 * first to come, whoever it is, has to put the file in order from its log. */
static bsr_status open_database(bsr_store *store, const char *path)
{
    /* The prefix keeps SQLite from taking a file's name for ":memory:" or an URI. */
    char *name = path ? sqlite3_mprintf("%s%s", path[0] == '/' ? "" : "./", path)
                      : sqlite3_mprintf(":memory:");
    if (!name)
        return bsr_store_check(store, SQLITE_NOMEM);
    int code = sqlite3_open_v2(name, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    sqlite3_free(name);
    BSR_TRY(bsr_store_check(store, code));
    sqlite3_extended_result_codes(store->db, 1);
    sqlite3_busy_timeout(store->db, BUSY_MS);
    /* A file from elsewhere must not make us run what it brings along, nor believe its sizes. */
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, (int *)NULL);
    return bsr_store_exec(store, "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY");
}

bsr_status bsr_store_create(bsr_store **out, const char *path)
{
    bsr_store *store;
    *out = NULL;
    bsr_status status = new_store(&store, path, 1);
    if (status == BSR_OK && path)
        status = bsr_hold_open(&store->hold, path, BSR_HOLD_CREATE);
    if (status == BSR_OK)
        status = open_database(store, path);
    /* The application id goes first and alone: it is in the file itself, not only in the log, from
     * the beginning. */
    char sql[128];
    sqlite3_snprintf(sizeof sql, sql,
                     "PRAGMA application_id = %d; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE",
                     APPLICATION_ID);
    if (status == BSR_OK)
        status = bsr_store_exec(store, sql);
    if (status == BSR_OK)
        status = bsr_schema_upgrade(store);
    if (status == BSR_OK)
        *out = store;
    else
        bsr_store_close(store);
    return status;
}

/* Before SQLite sees the file: it would repair and tidy up another application's. */
static bsr_status check_header(const bsr_store *store)
{
    unsigned char h[100];
    size_t n = bsr_hold_peek(store->hold, h, sizeof h);
    if (n < sizeof h)
        return bsr_fail(BSR_EFORMAT, "'%s' is not a bitseer run: it has only %zu bytes",
                        store->path, n);
    if (memcmp(h, "SQLite format 3", 16) != 0)
        return bsr_fail(BSR_EFORMAT, "'%s' is not a bitseer run: no SQLite database", store->path);
    unsigned long id =
        (unsigned long)h[68] << 24 | (unsigned long)h[69] << 16 | (unsigned long)h[70] << 8 | h[71];
    if (id != APPLICATION_ID)
        return bsr_fail(BSR_EFORMAT,
                        "'%s' is not a bitseer run: its application id is 0x%08lx, expected 0x%08x",
                        store->path, id, APPLICATION_ID);
    return BSR_OK;
}

static bsr_status read_version(bsr_store *store)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(store->db, "PRAGMA user_version", -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    bsr_status status = bsr_store_check(store, code);
    if (code == SQLITE_ROW)
        store->version = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    BSR_TRY(status);
    if (store->version > bsr_schema_version())
        return bsr_fail(BSR_EUNSUPPORTED, "'%s' has schema version %d, this bitseer knows up to %d",
                        store->path, store->version, bsr_schema_version());
    if (store->version < 1)
        return bsr_fail(BSR_EFORMAT, "'%s' has no plan: the run that made it did not get that far",
                        store->path);
    return BSR_OK;
}

/* Nothing was written before this. */
static bsr_status prepare_writing(bsr_store *store)
{
    if (sqlite3_db_readonly(store->db, "main"))
        return bsr_fail(BSR_EIO, "'%s' cannot be written: no permission", store->path);
    BSR_TRY(bsr_store_exec(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"));
    if (store->version < bsr_schema_version()) {
        BSR_TRY(bsr_store_begin(store));
        BSR_TRY(bsr_store_end(store, bsr_schema_upgrade(store)));
    }
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, (int *)NULL);
    return BSR_OK;
}

bsr_status bsr_store_open(bsr_store **out, const char *path, int write)
{
    bsr_store *store;
    *out = NULL;
    bsr_status status = new_store(&store, path, write);
    if (store)
        store->planned = 1;
    if (status == BSR_OK)
        status = bsr_hold_open(&store->hold, path, write ? BSR_HOLD_WRITE : BSR_HOLD_READ);
    if (status == BSR_OK)
        status = check_header(store);
    if (status == BSR_OK)
        status = open_database(store, path);
    if (status == BSR_OK) {
        /* Neither a reader nor a file that turns out not to be for us is a reason to tidy up. */
        sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
        status = read_version(store);
    }
    if (status == BSR_OK && write)
        status = prepare_writing(store);
    if (status == BSR_OK)
        *out = store;
    else
        bsr_store_close(store);
    return status;
}

static void remove_files(const char *database)
{
    static const char *const suffixes[] = {"-journal", "-wal", "-shm", ""};
    for (size_t i = 0; database && i < sizeof suffixes / sizeof *suffixes; i++) {
        char *path = sqlite3_mprintf("%s%s", database, suffixes[i]);
        if (path)
            unlink(path);
        sqlite3_free(path);
    }
}

/* Leaves one file that needs no other beside it and that can be read where nothing can be written.
 * Not possible while someone reads; then at least most of the log goes into the file. */
static void tidy(bsr_store *store)
{
    sqlite3_busy_timeout(store->db, 0);
    sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    sqlite3_exec(store->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
}

void bsr_store_close(bsr_store *store)
{
    if (!store)
        return;
    int abandoned = store->hold && !store->planned;
    char *database = NULL;
    if (store->db) {
        int untouched = 0;
        sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, -1, &untouched);
        if (store->write && store->planned && !untouched)
            tidy(store);
        /* SQLite's name for the file is absolute. */
        if (abandoned)
            database = sqlite3_mprintf("%s", sqlite3_db_filename(store->db, "main"));
        sqlite3_close(store->db);
    }
    if (abandoned)
        remove_files(database ? database : store->path);
    sqlite3_free(database);
    bsr_hold_release(store->hold, store->write ? BSR_HOLD_WRITE : BSR_HOLD_READ);
    bsr_free(store->path);
    bsr_free(store);
}

bsr_status bsr_store_begin(bsr_store *store)
{
    if (!store->write)
        return bsr_fail(BSR_EINVAL, "'%s' is open for reading only", store->path);
    if (!store->planned && sqlite3_get_autocommit(store->db))
        return bsr_fail(BSR_EIO, "'%s' lost its plan when a write failed", store->path);
    return bsr_store_exec(store, "SAVEPOINT batch");
}

bsr_status bsr_store_end(bsr_store *store, bsr_status status)
{
    if (status == BSR_OK)
        status = bsr_store_exec(store, "RELEASE batch");
    /* A full disk may have ended the transaction already. */
    if (status != BSR_OK && !sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK TO batch; RELEASE batch", NULL, NULL, NULL);
    return status;
}

bsr_status bsr_store_commit_plan(bsr_store *store)
{
    if (store->planned)
        return BSR_OK;
    BSR_TRY(bsr_store_begin(store));
    BSR_TRY(bsr_store_end(store, BSR_OK));
    /* SQLite's default until here, synchronous = FULL, is what puts the plan on the disk. */
    BSR_TRY(bsr_store_exec(store, "COMMIT"));
    store->planned = 1;
    return bsr_store_exec(store, "PRAGMA synchronous = NORMAL");
}
