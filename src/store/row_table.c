#include "store/row_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* ---- writing ---- */

/* "[1,2,3]"; NULL on failure. Caller frees it with bsr_free. */
static char *ints_text(const int32_t *values, size_t n)
{
    enum { LONGEST = sizeof "-2147483648," - 1 };
    char *text = n < SIZE_MAX / LONGEST - 1 ? bsr_alloc_array(n * LONGEST + 3, 1) : NULL;
    if (!text)
        return NULL;
    char *at = text;
    *at++ = '[';
    for (size_t i = 0; i < n; i++)
        at += sprintf(at, i ? ",%d" : "%d", (int)values[i]);
    strcpy(at, "]");
    return text;
}

/* Text and blobs are borrowed until the statement is reset. */
static bsr_status bind_field(bsr_store *store, sqlite3_stmt *stmt, int parameter,
                             const bsr_field *field, const void *row)
{
    const void *at = (const char *)row + field->at;
    const void *n_at = (const char *)row + field->n_at;
    int code = SQLITE_OK;
    switch (field->kind) {
    case BSR_FIELD_COUNT:
        if (*(const int64_t *)at == -1) {
            code = sqlite3_bind_null(stmt, parameter);
            break;
        }
        /* fall through */
    case BSR_FIELD_INT:
        code = sqlite3_bind_int64(stmt, parameter, *(const int64_t *)at);
        break;
    case BSR_FIELD_REAL: /* NaN: SQLite makes it NULL */
        code = sqlite3_bind_double(stmt, parameter, *(const double *)at);
        break;
    case BSR_FIELD_TEXT:
        code = sqlite3_bind_text(stmt, parameter, *(const char *const *)at, -1, SQLITE_STATIC);
        break;
    case BSR_FIELD_INTS: {
        char *text = ints_text(*(const int32_t *const *)at, *(const size_t *)n_at);
        if (!text)
            return BSR_ENOMEM;
        code = sqlite3_bind_text64(stmt, parameter, text, strlen(text), bsr_free, SQLITE_UTF8);
        break;
    }
    case BSR_FIELD_BLOB: {
        size_t bytes = *(const size_t *)n_at;
        code = bytes ? sqlite3_bind_blob64(stmt, parameter, *(const void *const *)at, bytes,
                                           SQLITE_STATIC)
                     : sqlite3_bind_null(stmt, parameter);
        break;
    }
    }
    return bsr_store_check(store, code);
}

static bsr_status write_row(bsr_store *store, const bsr_table *table, sqlite3_stmt *stmt,
                            const void *row)
{
    for (size_t i = 0; i < table->n_fields; i++)
        BSR_TRY(bind_field(store, stmt, (int)i + 1, &table->fields[i], row));
    bsr_status status = bsr_store_check(store, sqlite3_step(stmt));
    sqlite3_reset(stmt);
    return status;
}

/* A comma-separated list of the columns, or of as many parameters. */
static void append_columns(sqlite3_str *sql, const bsr_table *table, int parameters)
{
    for (size_t i = 0; i < table->n_fields; i++)
        sqlite3_str_appendf(sql, "%s%s", i ? ", " : "", parameters ? "?" : table->fields[i].column);
}

bsr_status bsr_table_put(bsr_store *store, const bsr_table *table, const void *rows, size_t n)
{
    sqlite3_str *sql = sqlite3_str_new(store->db);
    sqlite3_str_appendf(sql, "INSERT %s INTO %s(", table->tail ? "" : "OR REPLACE", table->name);
    append_columns(sql, table, 0);
    sqlite3_str_appendall(sql, ") VALUES(");
    append_columns(sql, table, 1);
    sqlite3_str_appendf(sql, ") %s", table->tail ? table->tail : "");

    sqlite3_stmt *stmt;
    bsr_status status = bsr_store_prepare(store, &stmt, sql);
    for (size_t i = 0; status == BSR_OK && i < n; i++)
        status = write_row(store, table, stmt, (const char *)rows + i * table->row_bytes);
    sqlite3_finalize(stmt);
    return status;
}

bsr_status bsr_table_put_batch(bsr_store *store, const bsr_table *table, const void *rows, size_t n)
{
    BSR_TRY(bsr_store_begin(store));
    return bsr_store_end(store, bsr_table_put(store, table, rows, n));
}

bsr_status bsr_table_update(bsr_store *store, const bsr_table *table, int64_t id, const void *row,
                            int *found)
{
    BSR_TRY(bsr_store_begin(store));
    sqlite3_str *sql = sqlite3_str_new(store->db);
    sqlite3_str_appendf(sql, "UPDATE %s SET (", table->name);
    append_columns(sql, table, 0);
    sqlite3_str_appendall(sql, ") = (");
    append_columns(sql, table, 1);
    sqlite3_str_appendf(sql, ") WHERE id = %lld", (sqlite3_int64)id);

    sqlite3_stmt *stmt;
    bsr_status status = bsr_store_prepare(store, &stmt, sql);
    if (status == BSR_OK)
        status = write_row(store, table, stmt, row);
    *found = status == BSR_OK && sqlite3_changes(store->db) == 1;
    sqlite3_finalize(stmt);
    return bsr_store_end(store, status);
}

/* ---- reading ---- */

void bsr_cursor_open(bsr_cursor *cursor, bsr_store *store, const bsr_table *table,
                     const char *where)
{
    *cursor = (bsr_cursor){.store = store, .table = table};
    if (store->version < table->since)
        return;
    sqlite3_str *sql = sqlite3_str_new(store->db);
    sqlite3_str_appendall(sql, "SELECT ");
    append_columns(sql, table, 0);
    sqlite3_str_appendf(sql, " FROM %s WHERE %s ORDER BY %s", table->name, where ? where : "1",
                        table->order);
    cursor->status = bsr_store_prepare(store, &cursor->stmt, sql);
}

void bsr_cursor_bind_int(bsr_cursor *cursor, int parameter, int64_t value)
{
    if (cursor->stmt && cursor->status == BSR_OK)
        cursor->status =
            bsr_store_check(cursor->store, sqlite3_bind_int64(cursor->stmt, parameter, value));
}

void bsr_cursor_bind_text(bsr_cursor *cursor, int parameter, const char *value)
{
    if (cursor->stmt && cursor->status == BSR_OK)
        cursor->status = bsr_store_check(
            cursor->store, sqlite3_bind_text(cursor->stmt, parameter, value, -1, SQLITE_STATIC));
}

static bsr_status fail_column(const bsr_cursor *cursor, const bsr_field *field, const char *want)
{
    return bsr_fail(BSR_EFORMAT, "'%s' is damaged: a %s.%s is not %s", cursor->store->path,
                    cursor->table->name, field->column, want);
}

/* The reverse of ints_text. 0 when it is something else. */
static int parse_ints(int32_t *values, size_t *n, const char *text)
{
    *n = 0;
    if (strcmp(text, "[]") == 0)
        return 1;
    if (*text != '[')
        return 0;
    do {
        char *end;
        long long value = strtoll(++text, &end, 10);
        if (end == text || value < INT32_MIN || value > INT32_MAX)
            return 0;
        values[(*n)++] = (int32_t)value;
        text = end;
    } while (*text == ',');
    return strcmp(text, "]") == 0;
}

static bsr_status read_ints(bsr_cursor *cursor, int column, const bsr_field *field, char *row)
{
    const char *text = (const char *)sqlite3_column_text(cursor->stmt, column);
    if (!text)
        return bsr_store_check(cursor->store, SQLITE_NOMEM);
    size_t most = 1;
    for (const char *at = text; (at = strchr(at, ',')) != NULL; at++)
        most++;
    int32_t *values = bsr_alloc_array(most, sizeof *values);
    if (!values)
        return BSR_ENOMEM;
    cursor->ints[cursor->n_ints++] = values;
    *(const int32_t **)(void *)(row + field->at) = values;
    if (!parse_ints(values, (size_t *)(void *)(row + field->n_at), text))
        return fail_column(cursor, field, "an array of whole numbers");
    return BSR_OK;
}

/* A damaged page can hold any type in any column. */
static bsr_status check_type(const bsr_cursor *cursor, int column, const bsr_field *field)
{
    static const struct {
        int types[3]; /* of SQLite, all > 0 */
        const char *name;
    } allowed[] = {
        [BSR_FIELD_INT] = {{SQLITE_INTEGER}, "a whole number"},
        [BSR_FIELD_COUNT] = {{SQLITE_INTEGER, SQLITE_NULL}, "a whole number or NULL"},
        [BSR_FIELD_REAL] = {{SQLITE_FLOAT, SQLITE_INTEGER, SQLITE_NULL}, "a number or NULL"},
        [BSR_FIELD_TEXT] = {{SQLITE_TEXT}, "a text"},
        [BSR_FIELD_INTS] = {{SQLITE_TEXT}, "a text"},
        [BSR_FIELD_BLOB] = {{SQLITE_BLOB, SQLITE_NULL}, "a blob or NULL"},
    };
    int type = sqlite3_column_type(cursor->stmt, column);
    for (int i = 0; i < 3; i++)
        if (allowed[field->kind].types[i] == type)
            return BSR_OK;
    return fail_column(cursor, field, allowed[field->kind].name);
}

static bsr_status read_field(bsr_cursor *cursor, int column, const bsr_field *field, char *row)
{
    BSR_TRY(check_type(cursor, column, field));
    sqlite3_stmt *stmt = cursor->stmt;
    int null = sqlite3_column_type(stmt, column) == SQLITE_NULL;
    void *at = row + field->at;
    switch (field->kind) {
    case BSR_FIELD_INT:
    case BSR_FIELD_COUNT:
        *(int64_t *)at = null ? -1 : sqlite3_column_int64(stmt, column);
        return BSR_OK;
    case BSR_FIELD_REAL:
        *(double *)at = null ? NAN : sqlite3_column_double(stmt, column);
        return BSR_OK;
    case BSR_FIELD_INTS:
        return read_ints(cursor, column, field, row);
    case BSR_FIELD_TEXT:
        *(const char **)at = (const char *)sqlite3_column_text(stmt, column);
        if (!*(const char **)at)
            return bsr_store_check(cursor->store, SQLITE_NOMEM);
        return BSR_OK;
    case BSR_FIELD_BLOB:
        *(const void **)at = sqlite3_column_blob(stmt, column);
        *(size_t *)(void *)(row + field->n_at) = (size_t)sqlite3_column_bytes(stmt, column);
        /* A blob in an overflow page that cannot be read comes back as NULL. */
        if (!null && !*(const void **)at && sqlite3_column_bytes(stmt, column) > 0)
            return bsr_store_check(cursor->store, SQLITE_NOMEM);
        return BSR_OK;
    }
    return BSR_OK;
}

static void free_ints(bsr_cursor *cursor)
{
    while (cursor->n_ints > 0)
        bsr_free(cursor->ints[--cursor->n_ints]);
}

int bsr_cursor_next(bsr_cursor *cursor, void *row)
{
    free_ints(cursor);
    if (cursor->status != BSR_OK || !cursor->stmt)
        return 0;
    int code = sqlite3_step(cursor->stmt);
    cursor->status = bsr_store_check(cursor->store, code);
    if (code != SQLITE_ROW)
        return 0;
    memset(row, 0, cursor->table->row_bytes);
    for (size_t i = 0; cursor->status == BSR_OK && i < cursor->table->n_fields; i++)
        cursor->status = read_field(cursor, (int)i, &cursor->table->fields[i], row);
    return cursor->status == BSR_OK;
}

bsr_status bsr_cursor_close(bsr_cursor *cursor)
{
    free_ints(cursor);
    sqlite3_finalize(cursor->stmt);
    cursor->stmt = NULL;
    return cursor->status;
}
