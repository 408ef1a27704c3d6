/* Rows that a run answers with: faults, corrupted networks, values, what the processes did. */
#include <math.h>
#include <stddef.h>

#include "base/error.h"
#include "store/row_table.h"

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

#define AT(field) offsetof(bsr_fault_row, field)
static const bsr_field fault_fields[] = {
    {"fault", BSR_FIELD_INT, AT(fault), 0},
    {"pairs", BSR_FIELD_INT, AT(pairs), 0},
    {"masked", BSR_FIELD_COUNT, AT(masked), 0},
    {"critical", BSR_FIELD_COUNT, AT(critical), 0},
    {"due", BSR_FIELD_COUNT, AT(due), 0},
    {"sdc", BSR_FIELD_COUNT, AT(sdc), 0},
    {"top5", BSR_FIELD_COUNT, AT(top5), 0},
    {"correct", BSR_FIELD_COUNT, AT(correct), 0},
    {"sse", BSR_FIELD_REAL, AT(sse), 0},
    {"critical_images", BSR_FIELD_BLOB, AT(critical_images), AT(critical_bytes)},
};
#undef AT
static const bsr_table faults = {
    "fault", fault_fields, COUNT_OF(fault_fields), sizeof(bsr_fault_row), "fault", NULL, 1,
};

#define AT(field) offsetof(bsr_masking_row, field)
static const bsr_field masking_fields[] = {
    {"layer", BSR_FIELD_INT, AT(layer), 0},
    {"at", BSR_FIELD_INT, AT(at), 0},
    {"pairs", BSR_FIELD_INT, AT(pairs), 0},
};
#undef AT
static const bsr_table maskings = {
    "masking",
    masking_fields,
    COUNT_OF(masking_fields),
    sizeof(bsr_masking_row),
    "layer, at",
    "ON CONFLICT(layer, at) DO UPDATE SET pairs = pairs + excluded.pairs",
    1,
};

#define AT(field) offsetof(bsr_pair_row, field)
static const bsr_field pair_fields[] = {
    {"unit", BSR_FIELD_INT, AT(unit), 0},
    {"critical", BSR_FIELD_INT, AT(critical), 0},
    {"errors", BSR_FIELD_COUNT, AT(errors), 0},
    {"by_bit", BSR_FIELD_BLOB, AT(by_bit), AT(by_bit_bytes)},
    {"bounds", BSR_FIELD_BLOB, AT(bounds), AT(bounds_bytes)},
};
#undef AT
static const bsr_table pairs = {
    "pair", pair_fields, COUNT_OF(pair_fields), sizeof(bsr_pair_row), "unit", NULL, 3,
};

#define AT(field) offsetof(bsr_bounds_row, field)
static const bsr_field bounds_fields[] = {
    {"site", BSR_FIELD_INT, AT(site), 0},
    {"bounds", BSR_FIELD_BLOB, AT(bounds), AT(bounds_bytes)},
};
#undef AT
static const bsr_table bounds = {
    "bounds", bounds_fields, COUNT_OF(bounds_fields), sizeof(bsr_bounds_row), "site", NULL, 3,
};

#define AT(field) offsetof(bsr_screening_row, field)
static const bsr_field screening_fields[] = {
    {"layer", BSR_FIELD_INT, AT(layer), 0},     {"pairs", BSR_FIELD_INT, AT(pairs), 0},
    {"skipped", BSR_FIELD_INT, AT(skipped), 0}, {"checked", BSR_FIELD_INT, AT(checked), 0},
    {"missed", BSR_FIELD_INT, AT(missed), 0},
};
#undef AT
static const bsr_table screenings = {
    "screening",
    screening_fields,
    COUNT_OF(screening_fields),
    sizeof(bsr_screening_row),
    "layer",
    "ON CONFLICT(layer) DO UPDATE SET pairs = pairs + excluded.pairs,"
    " skipped = skipped + excluded.skipped, checked = checked + excluded.checked,"
    " missed = missed + excluded.missed",
    3,
};

#define AT(field) offsetof(bsr_score_row, field)
static const bsr_field score_fields[] = {
    {"layer", BSR_FIELD_INT, AT(layer), 0},
    {"channel", BSR_FIELD_INT, AT(channel), 0},
    {"vf", BSR_FIELD_REAL, AT(vf), 0},
    {"targets", BSR_FIELD_INT, AT(targets), 0},
    {"skipped", BSR_FIELD_INT, AT(skipped), 0},
    {"single", BSR_FIELD_INT, AT(single), 0},
    {"simulations", BSR_FIELD_INT, AT(simulations), 0},
    {"evaluations", BSR_FIELD_INT, AT(evaluations), 0},
};
#undef AT
static const bsr_table scores = {
    "score", score_fields, COUNT_OF(score_fields), sizeof(bsr_score_row), "layer, channel", NULL, 3,
};

#define AT(field) offsetof(bsr_chip_row, field)
static const bsr_field chip_fields[] = {
    {"point", BSR_FIELD_INT, AT(point), 0},
    {"run", BSR_FIELD_INT, AT(run), 0},
    {"ber", BSR_FIELD_REAL, AT(ber), 0},
    {"ber01", BSR_FIELD_REAL, AT(ber01), 0},
    {"weight_flips", BSR_FIELD_INT, AT(weight_flips), 0},
    {"activation_flips", BSR_FIELD_INT, AT(activation_flips), 0},
    {"images", BSR_FIELD_INT, AT(images), 0},
    {"correct", BSR_FIELD_INT, AT(correct), 0},
    {"critical", BSR_FIELD_INT, AT(critical), 0},
    {"due", BSR_FIELD_INT, AT(due), 0},
    {"sdc", BSR_FIELD_INT, AT(sdc), 0},
    {"top5", BSR_FIELD_INT, AT(top5), 0},
    {"sse", BSR_FIELD_REAL, AT(sse), 0},
};
#undef AT
static const bsr_table chips = {
    "chip", chip_fields, COUNT_OF(chip_fields), sizeof(bsr_chip_row), "point, run", NULL, 2,
};

#define AT(field) offsetof(bsr_value_row, field)
static const bsr_field value_fields[] = {
    {"layer", BSR_FIELD_INT, AT(layer), 0},
    {"element", BSR_FIELD_INT, AT(element), 0},
    {"pixel", BSR_FIELD_INT, AT(pixel), 0},
    {"value", BSR_FIELD_REAL, AT(value), 0},
};
#undef AT
static const bsr_table values = {
    "value",
    value_fields,
    COUNT_OF(value_fields),
    sizeof(bsr_value_row),
    "layer, element, pixel",
    NULL,
    1,
};

#define AT(field) offsetof(bsr_session_row, field)
static const bsr_field session_fields[] = {
    {"started", BSR_FIELD_TEXT, AT(started), 0},
    {"version", BSR_FIELD_TEXT, AT(version), 0},
    {"cpu", BSR_FIELD_TEXT, AT(cpu), 0},
    {"cpu_brand", BSR_FIELD_TEXT, AT(cpu_brand), 0},
    {"threads", BSR_FIELD_INT, AT(threads), 0},
    {"seconds", BSR_FIELD_REAL, AT(seconds), 0},
    {"golden_seconds", BSR_FIELD_REAL, AT(golden_seconds), 0},
    {"forward_seconds", BSR_FIELD_REAL, AT(forward_seconds), 0},
    {"evaluations", BSR_FIELD_INT, AT(evaluations), 0},
    {"injections", BSR_FIELD_INT, AT(injections), 0},
    {"forward_equivalents", BSR_FIELD_REAL, AT(forward_equivalents), 0},
};
#undef AT
static const bsr_table sessions = {
    "session", session_fields, COUNT_OF(session_fields), sizeof(bsr_session_row), "id", "", 1,
};

bsr_status bsr_store_put_answers(bsr_store *store, const bsr_answers *a)
{
    const struct {
        const bsr_table *table;
        const void *rows;
        size_t n;
    } parts[] = {
        {&faults, a->faults, a->n_faults},       {&pairs, a->pairs, a->n_pairs},
        {&bounds, a->bounds, a->n_bounds},       {&values, a->values, a->n_values},
        {&maskings, a->maskings, a->n_maskings}, {&screenings, a->screenings, a->n_screenings}};
    BSR_TRY(bsr_store_begin(store));
    bsr_status status = BSR_OK;
    for (size_t i = 0; i < COUNT_OF(parts) && status == BSR_OK; i++)
        status = bsr_table_put(store, parts[i].table, parts[i].rows, parts[i].n);
    return bsr_store_end(store, status);
}

bsr_status bsr_store_forget(bsr_store *store, const bsr_answer_range *r)
{
    char sql[640];
    sqlite3_snprintf(sizeof sql, sql,
                     "DELETE FROM fault WHERE fault >= %lld AND fault < %lld;"
                     "DELETE FROM pair WHERE unit >= %lld AND unit < %lld;"
                     "DELETE FROM bounds WHERE site >= %lld AND site < %lld;"
                     "DELETE FROM masking WHERE layer = %lld;"
                     "DELETE FROM screening WHERE layer = %lld;",
                     (long long)r->first, (long long)r->end, (long long)r->first_unit,
                     (long long)r->end_unit, (long long)r->first_site, (long long)r->end_site,
                     (long long)r->layer, (long long)r->layer);
    BSR_TRY(bsr_store_begin(store));
    return bsr_store_end(store, bsr_store_exec(store, sql));
}

bsr_status bsr_store_faults(bsr_store *store, int64_t first, int64_t end, bsr_fault_fn fn,
                            void *ctx)
{
    bsr_cursor cursor;
    bsr_fault_row row;
    bsr_cursor_open(&cursor, store, &faults, "fault >= ? AND fault < ?");
    bsr_cursor_bind_int(&cursor, 1, first);
    bsr_cursor_bind_int(&cursor, 2, end);
    while (bsr_cursor_next(&cursor, &row))
        cursor.status = fn(ctx, &row);
    return bsr_cursor_close(&cursor);
}

bsr_status bsr_store_count_answers(bsr_store *store, uint64_t *n)
{
    sqlite3_stmt *stmt = NULL;
    const char *sql = store->version < pairs.since
                          ? "SELECT count(*) FROM fault"
                          : "SELECT (SELECT count(*) FROM fault) + (SELECT count(*) FROM pair)";
    *n = 0;
    int code = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    bsr_status status = bsr_store_check(store, code);
    if (code == SQLITE_ROW)
        *n = (uint64_t)sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return status;
}

bsr_status bsr_store_pairs(bsr_store *store, int64_t first, int64_t end, bsr_pair_fn fn, void *ctx)
{
    bsr_cursor cursor;
    bsr_pair_row row;
    bsr_cursor_open(&cursor, store, &pairs, "unit >= ? AND unit < ?");
    bsr_cursor_bind_int(&cursor, 1, first);
    bsr_cursor_bind_int(&cursor, 2, end);
    while (bsr_cursor_next(&cursor, &row))
        cursor.status = fn(ctx, &row);
    return bsr_cursor_close(&cursor);
}

bsr_status bsr_store_bounds(bsr_store *store, int64_t first, int64_t end, bsr_bounds_fn fn,
                            void *ctx)
{
    bsr_cursor cursor;
    bsr_bounds_row row;
    bsr_cursor_open(&cursor, store, &bounds, "site >= ? AND site < ?");
    bsr_cursor_bind_int(&cursor, 1, first);
    bsr_cursor_bind_int(&cursor, 2, end);
    while (bsr_cursor_next(&cursor, &row))
        cursor.status = fn(ctx, &row);
    return bsr_cursor_close(&cursor);
}

bsr_status bsr_store_screenings(bsr_store *store, bsr_screening_fn fn, void *ctx)
{
    bsr_cursor cursor;
    bsr_screening_row row;
    bsr_cursor_open(&cursor, store, &screenings, NULL);
    while (bsr_cursor_next(&cursor, &row))
        cursor.status = fn(ctx, &row);
    return bsr_cursor_close(&cursor);
}

bsr_status bsr_store_maskings(bsr_store *store, bsr_masking_fn fn, void *ctx)
{
    bsr_cursor cursor;
    bsr_masking_row row;
    bsr_cursor_open(&cursor, store, &maskings, NULL);
    while (bsr_cursor_next(&cursor, &row))
        cursor.status = fn(ctx, &row);
    return bsr_cursor_close(&cursor);
}

bsr_status bsr_store_put_scores(bsr_store *store, const bsr_score_row *rows, size_t n)
{
    return bsr_table_put_batch(store, &scores, rows, n);
}

bsr_status bsr_store_scores(bsr_store *store, bsr_score_fn fn, void *ctx)
{
    bsr_cursor cursor;
    bsr_score_row row;
    bsr_cursor_open(&cursor, store, &scores, NULL);
    while (bsr_cursor_next(&cursor, &row))
        cursor.status = fn(ctx, &row);
    return bsr_cursor_close(&cursor);
}

bsr_status bsr_store_put_chips(bsr_store *store, const bsr_chip_row *rows, size_t n)
{
    return bsr_table_put_batch(store, &chips, rows, n);
}

bsr_status bsr_store_chips(bsr_store *store, bsr_chip_row_fn fn, void *ctx)
{
    bsr_cursor cursor;
    bsr_chip_row row;
    bsr_cursor_open(&cursor, store, &chips, NULL);
    while (bsr_cursor_next(&cursor, &row))
        cursor.status = fn(ctx, &row);
    return bsr_cursor_close(&cursor);
}

bsr_status bsr_store_put_values(bsr_store *store, const bsr_value_row *rows, size_t n)
{
    return bsr_table_put_batch(store, &values, rows, n);
}

bsr_status bsr_store_value(bsr_store *store, int64_t layer, int64_t element, int64_t pixel,
                           double *value)
{
    bsr_cursor cursor;
    bsr_value_row row;
    bsr_cursor_open(&cursor, store, &values, "layer = ? AND element = ? AND pixel = ?");
    bsr_cursor_bind_int(&cursor, 1, layer);
    bsr_cursor_bind_int(&cursor, 2, element);
    bsr_cursor_bind_int(&cursor, 3, pixel);
    *value = bsr_cursor_next(&cursor, &row) ? row.value : (double)NAN;
    return bsr_cursor_close(&cursor);
}

bsr_status bsr_store_add_session(bsr_store *store, const bsr_session_row *row, int64_t *id)
{
    BSR_TRY(bsr_store_begin(store));
    bsr_status status = bsr_table_put(store, &sessions, row, 1);
    *id = sqlite3_last_insert_rowid(store->db);
    return bsr_store_end(store, status);
}

bsr_status bsr_store_update_session(bsr_store *store, int64_t id, const bsr_session_row *row)
{
    int found;
    BSR_TRY(bsr_table_update(store, &sessions, id, row, &found));
    return found ? BSR_OK
                 : bsr_fail(BSR_ENOTFOUND, "'%s' has no session %lld", store->path, (long long)id);
}

bsr_status bsr_store_sessions(bsr_store *store, bsr_session_fn fn, void *ctx)
{
    bsr_cursor cursor;
    bsr_session_row row;
    bsr_cursor_open(&cursor, store, &sessions, NULL);
    while (bsr_cursor_next(&cursor, &row))
        cursor.status = fn(ctx, &row);
    return bsr_cursor_close(&cursor);
}
