/* Rows of C structs in and out of database tables, by a description of each table's columns. */
#ifndef BSR_STORE_ROW_TABLE_H
#define BSR_STORE_ROW_TABLE_H

#include "store/store_private.h"

/* C type of a field, and what it is in the database. */
typedef enum bsr_field_kind {
    BSR_FIELD_INT,   /* int64_t; INTEGER */
    BSR_FIELD_COUNT, /* int64_t; INTEGER, -1 is NULL */
    BSR_FIELD_REAL,  /* double; REAL, NaN is NULL */
    BSR_FIELD_TEXT,  /* const char *; TEXT */
    BSR_FIELD_INTS,  /* const int32_t * and size_t count; TEXT, a JSON array */
    BSR_FIELD_BLOB,  /* const void * and size_t bytes; BLOB, no bytes are NULL */
} bsr_field_kind;

typedef struct bsr_field {
    const char *column;
    bsr_field_kind kind;
    size_t at;   /* offset in the struct */
    size_t n_at; /* INTS, BLOB: offset of the count */
} bsr_field;

#define BSR_MAX_INTS_FIELDS 2

typedef struct bsr_table {
    const char *name;
    const bsr_field *fields;
    size_t n_fields, row_bytes;
    const char *order; /* columns to sort by */
    const char *tail;  /* of an INSERT that does not replace; NULL: INSERT OR REPLACE */
    int since;         /* schema version that brought it */
} bsr_table;

/* Writes n rows; inside the caller's bsr_store_begin and _end. */
bsr_status bsr_table_put(bsr_store *store, const bsr_table *table, const void *rows, size_t n);

/* The same in a batch of its own. */
bsr_status bsr_table_put_batch(bsr_store *store, const bsr_table *table, const void *rows,
                               size_t n);

/* Sets all fields of the row whose `id` this is; *found is 0 when there is none. */
bsr_status bsr_table_update(bsr_store *store, const bsr_table *table, int64_t id, const void *row,
                            int *found);

/* Reading: open, bind the parameters of `where` when there are some, next until it returns 0,
 * close. Failures wait in `status`, which the caller may set to stop; close returns it. */
typedef struct bsr_cursor {
    bsr_store *store;
    const bsr_table *table;
    sqlite3_stmt *stmt; /* NULL after a failure, and for a table this file does not have yet */
    bsr_status status;
    int32_t *ints[BSR_MAX_INTS_FIELDS]; /* of the current row */
    int n_ints;
} bsr_cursor;

/* where: NULL for all rows. */
void bsr_cursor_open(bsr_cursor *cursor, bsr_store *store, const bsr_table *table,
                     const char *where);
void bsr_cursor_bind_int(bsr_cursor *cursor, int parameter, int64_t value);
void bsr_cursor_bind_text(bsr_cursor *cursor, int parameter, const char *value);

/* 1 and the next row, or 0. What the row points to lives until the next call. EFORMAT: a column
 * holds something that was never put. */
int bsr_cursor_next(bsr_cursor *cursor, void *row);
bsr_status bsr_cursor_close(bsr_cursor *cursor);

#endif
