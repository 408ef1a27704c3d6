/* Rows that say what was asked and what is planned. */
#include <stddef.h>

#include "base/alloc.h"
#include "base/error.h"
#include "store/row_table.h"

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

/* A fact or a setting. */
typedef struct pair {
    const char *name, *value;
} pair;

static const bsr_field pair_fields[] = {
    {"name", BSR_FIELD_TEXT, offsetof(pair, name), 0},
    {"value", BSR_FIELD_TEXT, offsetof(pair, value), 0},
};

static const bsr_table facts = {
    "fact", pair_fields, COUNT_OF(pair_fields), sizeof(pair), "name", NULL, 1,
};
static const bsr_table settings = {
    "setting", pair_fields, COUNT_OF(pair_fields), sizeof(pair), "id", "", 1,
};

#define AT(field) offsetof(bsr_layer_row, field)
static const bsr_field layer_fields[] = {
    {"id", BSR_FIELD_INT, AT(id), 0},
    {"number", BSR_FIELD_INT, AT(index), 0},
    {"name", BSR_FIELD_TEXT, AT(name), 0},
    {"op", BSR_FIELD_TEXT, AT(op), 0},
    {"format", BSR_FIELD_TEXT, AT(format), 0},
    {"place", BSR_FIELD_INT, AT(place), 0},
    {"width", BSR_FIELD_INT, AT(width), 0},
    {"outer_size", BSR_FIELD_INT, AT(outer), 0},
    {"inner_size", BSR_FIELD_INT, AT(inner), 0},
    {"channels", BSR_FIELD_INT, AT(channels), 0},
    {"per_channel", BSR_FIELD_INT, AT(per_channel), 0},
    {"sites", BSR_FIELD_INT, AT(sites), 0},
    {"population", BSR_FIELD_INT, AT(population), 0},
    {"first", BSR_FIELD_INT, AT(first), 0},
    {"chosen", BSR_FIELD_INTS, AT(chosen), AT(n_chosen)},
    {"variants", BSR_FIELD_INTS, AT(variants), AT(n_variants)},
    {"windows", BSR_FIELD_BLOB, AT(windows), AT(windows_bytes)},
    {"pixels", BSR_FIELD_INT, AT(pixels), 0},
    {"taps", BSR_FIELD_INT, AT(taps), 0},
    {"cin", BSR_FIELD_INT, AT(cin), 0},
};
#undef AT
static const bsr_table layers = {
    "layer", layer_fields, COUNT_OF(layer_fields), sizeof(bsr_layer_row), "id", NULL, 1,
};

#define AT(field) offsetof(bsr_stratum_row, field)
static const bsr_field stratum_fields[] = {
    {"id", BSR_FIELD_INT, AT(id), 0},
    {"layer", BSR_FIELD_COUNT, AT(layer), 0},
    {"variant", BSR_FIELD_COUNT, AT(variant), 0},
    {"population", BSR_FIELD_INT, AT(population), 0},
    {"planned", BSR_FIELD_INT, AT(planned), 0},
    {"p", BSR_FIELD_REAL, AT(p), 0},
};
#undef AT
static const bsr_table strata = {
    "stratum", stratum_fields, COUNT_OF(stratum_fields), sizeof(bsr_stratum_row), "id", NULL, 1,
};

#define AT(field) offsetof(bsr_listed_row, field)
static const bsr_field listed_fields[] = {
    {"fault", BSR_FIELD_INT, AT(fault), 0},     {"layer", BSR_FIELD_INT, AT(layer), 0},
    {"element", BSR_FIELD_INT, AT(element), 0}, {"pixel", BSR_FIELD_INT, AT(pixel), 0},
    {"keep", BSR_FIELD_INT, AT(keep), 0},       {"flip", BSR_FIELD_INT, AT(flip), 0},
};
#undef AT
static const bsr_table listed = {
    "listed", listed_fields, COUNT_OF(listed_fields), sizeof(bsr_listed_row), "fault", NULL, 1,
};

bsr_status bsr_store_put_fact(bsr_store *store, const char *name, const char *value)
{
    return bsr_table_put_batch(store, &facts, &(pair){name, value}, 1);
}

bsr_status bsr_store_get_fact(bsr_store *store, const char *name, char **value)
{
    bsr_cursor cursor;
    pair row;
    *value = NULL;
    bsr_cursor_open(&cursor, store, &facts, "name = ?");
    bsr_cursor_bind_text(&cursor, 1, name);
    if (bsr_cursor_next(&cursor, &row)) {
        *value = bsr_strdup(row.value);
        cursor.status = *value ? BSR_OK : BSR_ENOMEM;
    }
    BSR_TRY(bsr_cursor_close(&cursor));
    return *value ? BSR_OK : bsr_fail(BSR_ENOTFOUND, "'%s' has no fact '%s'", store->path, name);
}

bsr_status bsr_store_add_setting(bsr_store *store, const char *name, const char *value)
{
    return bsr_table_put_batch(store, &settings, &(pair){name, value}, 1);
}

bsr_status bsr_store_settings(bsr_store *store, bsr_setting_fn fn, void *ctx)
{
    bsr_cursor cursor;
    pair row;
    bsr_cursor_open(&cursor, store, &settings, NULL);
    while (bsr_cursor_next(&cursor, &row))
        cursor.status = fn(ctx, row.name, row.value);
    return bsr_cursor_close(&cursor);
}

bsr_status bsr_store_put_layer(bsr_store *store, const bsr_layer_row *row)
{
    return bsr_table_put_batch(store, &layers, row, 1);
}

bsr_status bsr_store_layers(bsr_store *store, bsr_layer_fn fn, void *ctx)
{
    bsr_cursor cursor;
    bsr_layer_row row;
    bsr_cursor_open(&cursor, store, &layers, NULL);
    while (bsr_cursor_next(&cursor, &row))
        cursor.status = fn(ctx, &row);
    return bsr_cursor_close(&cursor);
}

bsr_status bsr_store_put_stratum(bsr_store *store, const bsr_stratum_row *row)
{
    return bsr_table_put_batch(store, &strata, row, 1);
}

bsr_status bsr_store_strata(bsr_store *store, bsr_stratum_fn fn, void *ctx)
{
    bsr_cursor cursor;
    bsr_stratum_row row;
    bsr_cursor_open(&cursor, store, &strata, NULL);
    while (bsr_cursor_next(&cursor, &row))
        cursor.status = fn(ctx, &row);
    return bsr_cursor_close(&cursor);
}

bsr_status bsr_store_put_listed(bsr_store *store, const bsr_listed_row *rows, size_t n)
{
    return bsr_table_put_batch(store, &listed, rows, n);
}

bsr_status bsr_store_listed(bsr_store *store, bsr_listed_fn fn, void *ctx)
{
    bsr_cursor cursor;
    bsr_listed_row row;
    bsr_cursor_open(&cursor, store, &listed, NULL);
    while (bsr_cursor_next(&cursor, &row))
        cursor.status = fn(ctx, &row);
    return bsr_cursor_close(&cursor);
}
