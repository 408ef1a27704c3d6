/* What the files of src/store share. */
#ifndef BSR_STORE_PRIVATE_H
#define BSR_STORE_PRIVATE_H

#include <sqlite3.h>

#include "store/file_hold.h"
#include "store/store.h"

struct bsr_store {
    sqlite3 *db;
    char *path;     /* as given, for messages; "(memory)" */
    bsr_hold *hold; /* NULL in memory */
    int write;
    int planned; /* the plan is committed; until then one transaction is open */
    int version; /* of the schema in the file */
};

/* Turns a result code of SQLite into a status and a message that names the file; BSR_OK for
 * SQLITE_OK, SQLITE_ROW and SQLITE_DONE. */
bsr_status bsr_store_check(bsr_store *store, int code);

bsr_status bsr_store_exec(bsr_store *store, const char *sql);

/* Takes `sql` and frees it. *out is finalised by the caller; NULL on failure. */
bsr_status bsr_store_prepare(bsr_store *store, sqlite3_stmt **out, sqlite3_str *sql);

/* Version that files are written in; user_version of SQLite. */
int bsr_schema_version(void);

/* Brings the schema from store->version to the newest, inside the caller's transaction. */
bsr_status bsr_schema_upgrade(bsr_store *store);

#endif
