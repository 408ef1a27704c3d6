/* Accelerated sweeps. */
#include "store/row_table.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

#define AT(field) offsetof(bsr_prediction_row, field)
static const bsr_field prediction_fields[] = {
    {"point", BSR_FIELD_INT, AT(point), 0},
    {"model", BSR_FIELD_TEXT, AT(model), 0},
    {"accuracy", BSR_FIELD_REAL, AT(accuracy), 0},
    {"accuracy_lo", BSR_FIELD_REAL, AT(accuracy_lo), 0},
    {"accuracy_hi", BSR_FIELD_REAL, AT(accuracy_hi), 0},
    {"critical", BSR_FIELD_REAL, AT(critical), 0},
    {"critical_lo", BSR_FIELD_REAL, AT(critical_lo), 0},
    {"critical_hi", BSR_FIELD_REAL, AT(critical_hi), 0},
    {"top5", BSR_FIELD_REAL, AT(top5), 0},
    {"top5_lo", BSR_FIELD_REAL, AT(top5_lo), 0},
    {"top5_hi", BSR_FIELD_REAL, AT(top5_hi), 0},
    {"rmse", BSR_FIELD_REAL, AT(rmse), 0},
    {"rmse_lo", BSR_FIELD_REAL, AT(rmse_lo), 0},
    {"rmse_hi", BSR_FIELD_REAL, AT(rmse_hi), 0},
};
#undef AT
static const bsr_table predictions = {
    "prediction",
    prediction_fields,
    COUNT_OF(prediction_fields),
    sizeof(bsr_prediction_row),
    "point",
    NULL,
    4,
};

#define AT(field) offsetof(bsr_guard_row, field)
static const bsr_field guard_fields[] = {
    {"point", BSR_FIELD_INT, AT(point), 0},          {"patterns", BSR_FIELD_INT, AT(patterns), 0},
    {"images", BSR_FIELD_INT, AT(images), 0},        {"measured", BSR_FIELD_REAL, AT(measured), 0},
    {"predicted", BSR_FIELD_REAL, AT(predicted), 0}, {"ratio", BSR_FIELD_REAL, AT(ratio), 0},
    {"ratio_lo", BSR_FIELD_REAL, AT(ratio_lo), 0},   {"ratio_hi", BSR_FIELD_REAL, AT(ratio_hi), 0},
    {"rescaled", BSR_FIELD_INT, AT(rescaled), 0},
};
#undef AT
static const bsr_table guards = {
    "guard", guard_fields, COUNT_OF(guard_fields), sizeof(bsr_guard_row), "point", NULL, 4,
};

bsr_status bsr_store_put_predictions(bsr_store *store, const bsr_prediction_row *rows, size_t n)
{
    return bsr_table_put_batch(store, &predictions, rows, n);
}

bsr_status bsr_store_predictions(bsr_store *store, bsr_prediction_fn fn, void *ctx)
{
    bsr_cursor cursor;
    bsr_prediction_row row;
    bsr_cursor_open(&cursor, store, &predictions, NULL);
    while (bsr_cursor_next(&cursor, &row))
        cursor.status = fn(ctx, &row);
    return bsr_cursor_close(&cursor);
}

bsr_status bsr_store_put_guards(bsr_store *store, const bsr_guard_row *rows, size_t n)
{
    return bsr_table_put_batch(store, &guards, rows, n);
}

bsr_status bsr_store_guards(bsr_store *store, bsr_guard_fn fn, void *ctx)
{
    bsr_cursor cursor;
    bsr_guard_row row;
    bsr_cursor_open(&cursor, store, &guards, NULL);
    while (bsr_cursor_next(&cursor, &row))
        cursor.status = fn(ctx, &row);
    return bsr_cursor_close(&cursor);
}
