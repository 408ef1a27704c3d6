/* Reads with SQLite itself, so that nothing of our reading is trusted. */
#include "campaign/dump.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"

static const char *const tables[] = {
    "SELECT * FROM fact ORDER BY name",       "SELECT * FROM setting ORDER BY 1",
    "SELECT * FROM layer ORDER BY id",        "SELECT * FROM stratum ORDER BY id",
    "SELECT * FROM listed ORDER BY fault",    "SELECT * FROM fault ORDER BY fault",
    "SELECT * FROM pair ORDER BY unit",       "SELECT * FROM bounds ORDER BY site",
    "SELECT * FROM screening ORDER BY layer", "SELECT * FROM masking ORDER BY layer, at",
    "SELECT * FROM chip ORDER BY point, run", "SELECT * FROM value ORDER BY layer, element, pixel",
};

static void give_up(sqlite3 *db, const char *what)
{
    printf("FAILED: %s: %s\n", what, sqlite3_errmsg(db));
    exit(1);
}

static void add_row(bsr_sha256 *h, sqlite3_stmt *q)
{
    for (int i = 0; i < sqlite3_column_count(q); i++) {
        int type = sqlite3_column_type(q, i);
        bsr_sha256_update(h, &type, sizeof type);
        if (type == SQLITE_INTEGER) {
            sqlite3_int64 v = sqlite3_column_int64(q, i);
            bsr_sha256_update(h, &v, sizeof v);
        } else if (type == SQLITE_FLOAT) {
            double v = sqlite3_column_double(q, i);
            bsr_sha256_update(h, &v, sizeof v);
        } else if (type != SQLITE_NULL) {
            const void *bytes = sqlite3_column_blob(q, i);
            bsr_sha256_update(h, bytes, (size_t)sqlite3_column_bytes(q, i));
        }
    }
}

void dump_hash(char hex[65], const char *path, uint64_t *answers)
{
    sqlite3 *db;
    bsr_sha256 h;
    *answers = 0;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        give_up(db, path);
    bsr_sha256_init(&h);
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        sqlite3_stmt *q;
        int answer = strstr(tables[t], "FROM fault ") || strstr(tables[t], "FROM pair ") ||
                     strstr(tables[t], "FROM chip ");
        if (sqlite3_prepare_v2(db, tables[t], -1, &q, NULL) != SQLITE_OK)
            give_up(db, tables[t]);
        int step;
        for (; (step = sqlite3_step(q)) == SQLITE_ROW; *answers += (uint64_t)answer)
            add_row(&h, q);
        if (step != SQLITE_DONE)
            give_up(db, tables[t]);
        sqlite3_finalize(q);
    }
    bsr_sha256_final(&h, hex);
    sqlite3_close(db);
}
