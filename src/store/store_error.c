#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "store/store_private.h"

typedef struct meaning {
    int code; /* primary result code */
    bsr_status status;
    const char *text; /* follows the file's name */
} meaning;

/* The SQL is fixed and was tested, so that an error in it means that the file has other tables. */
static const meaning meanings[] = {
    {SQLITE_BUSY, BSR_ELIMIT, "is locked by another program"},
    {SQLITE_LOCKED, BSR_ELIMIT, "is locked by another program"},
    {SQLITE_FULL, BSR_EIO, "cannot be written, disk full"},
    {SQLITE_IOERR, BSR_EIO, "cannot be read or written"},
    {SQLITE_READONLY, BSR_EIO, "cannot be written"},
    {SQLITE_CANTOPEN, BSR_EIO, "cannot be opened"},
    {SQLITE_PERM, BSR_EIO, "cannot be opened"},
    {SQLITE_NOMEM, BSR_ENOMEM, "cannot be read or written"},
    {SQLITE_TOOBIG, BSR_ELIMIT, "cannot take the row"},
    {SQLITE_CONSTRAINT, BSR_EINVAL, "cannot take the row"},
    {SQLITE_MISUSE, BSR_EINVAL, "is not used as it must be"},
    {SQLITE_CORRUPT, BSR_EFORMAT, "is damaged"},
    {SQLITE_NOTADB, BSR_EFORMAT, "is not a bitseer run"},
    {SQLITE_ERROR, BSR_EFORMAT, "is damaged or not a bitseer run"},
};

static meaning find_meaning(int code)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].code == code)
            return meanings[i];
    return (meaning){code, BSR_EIO, "cannot be used"};
}

bsr_status bsr_store_check(bsr_store *store, int code)
{
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
        return BSR_OK;
    int err = errno;
    meaning m = find_meaning(code == SQLITE_IOERR_NOMEM ? SQLITE_NOMEM : code & 0xff);
    const char *detail = store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(code);
    /* When a COMMIT cannot write, SQLite does not note the reason. */
    if (m.code != SQLITE_IOERR || !store->db)
        err = 0;
    else if (code != SQLITE_IOERR_WRITE || sqlite3_system_errno(store->db))
        err = sqlite3_system_errno(store->db);
    /* SQLite knows only ENOSPC as a full disk; a quota or a limit of the process is one too. */
    if (err == EFBIG || err == EDQUOT)
        m = find_meaning(SQLITE_FULL);
    if (err)
        return bsr_fail(m.status, "'%s' %s: %s", store->path, m.text, strerror(err));
    return bsr_fail(m.status, "'%s' %s: %s", store->path, m.text, detail);
}

bsr_status bsr_store_exec(bsr_store *store, const char *sql)
{
    return bsr_store_check(store, sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

bsr_status bsr_store_prepare(bsr_store *store, sqlite3_stmt **out, sqlite3_str *sql)
{
    *out = NULL;
    char *text = sqlite3_str_finish(sql);
    if (!text)
        return bsr_store_check(store, SQLITE_NOMEM);
    int code = sqlite3_prepare_v2(store->db, text, -1, out, NULL);
    sqlite3_free(text);
    return bsr_store_check(store, code);
}
