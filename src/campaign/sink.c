#include "campaign/sink.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* A batch is a transaction: some thousand rows make its cost small, half a second keeps what a kill
 * can lose small. */
#define BATCH_ROWS    8192
#define BATCH_SECONDS 0.5

bsr_status bsr_sink_init(bsr_sink *k, bsr_store *store, const bsr_record *record)
{
    *k = (bsr_sink){.store = store,
                    .spaces = (size_t)record->spaces.n,
                    .places = (size_t)record->network_layers + 1,
                    .last_write = bsr_seconds()};
    k->masked = bsr_calloc_array(k->spaces * k->places, sizeof *k->masked);
    k->screened = bsr_calloc_array(k->spaces, sizeof *k->screened);
    return k->masked && k->screened ? bsr_lock_new(&k->lock) : BSR_ENOMEM;
}

void bsr_sink_clear(bsr_sink *k)
{
    bsr_lock_free(k->lock);
    bsr_free(k->rows);
    bsr_free(k->pairs);
    bsr_free(k->bounds);
    bsr_free(k->values);
    bsr_free(k->masked);
    bsr_free(k->screened);
}

/* Counts since the last batch, as rows. */
static void gather_counts(const bsr_sink *k, bsr_masking_row *m, bsr_screening_row *z,
                          bsr_answers *a)
{
    a->maskings = m;
    a->screenings = z;
    for (size_t i = 0; i < k->spaces * k->places; i++)
        if (k->masked[i])
            m[a->n_maskings++] = (bsr_masking_row){.layer = (int64_t)(i / k->places),
                                                   .at = (int64_t)(i % k->places) - 1,
                                                   .pairs = (int64_t)k->masked[i]};
    for (size_t i = 0; i < k->spaces; i++)
        if (k->screened[i].pairs) {
            z[a->n_screenings] = k->screened[i];
            z[a->n_screenings++].layer = (int64_t)i;
        }
}

static bsr_status write_batch(bsr_sink *k)
{
    bsr_masking_row *m = bsr_alloc_array(k->spaces * k->places, sizeof *m);
    bsr_screening_row *z = bsr_alloc_array(k->spaces, sizeof *z);
    bsr_status status = m && z ? BSR_OK : BSR_ENOMEM;
    bsr_answers a = {.faults = k->rows,
                     .pairs = k->pairs,
                     .bounds = k->bounds,
                     .values = k->values,
                     .n_values = k->n_values,
                     .n_faults = k->n,
                     .n_pairs = k->n_pairs,
                     .n_bounds = k->n_bounds};
    if (status == BSR_OK)
        gather_counts(k, m, z, &a);
    if (status == BSR_OK && (a.n_faults || a.n_pairs || a.n_maskings))
        status = bsr_store_put_answers(k->store, &a);
    bsr_free(m);
    bsr_free(z);
    if (status != BSR_OK)
        return status;
    k->n = k->n_pairs = k->n_bounds = k->n_values = 0;
    memset(k->masked, 0, k->spaces * k->places * sizeof *k->masked);
    memset(k->screened, 0, k->spaces * sizeof *k->screened);
    k->last_write = bsr_seconds();
    return BSR_OK;
}

static bsr_status take_rows(bsr_sink *k, const bsr_block *b, uint64_t first, uint64_t n)
{
    const bsr_record *r = b->record;
    size_t from = b->row_at[first], to = b->row_at[first + n];
    BSR_TRY(bsr_grow(&k->rows, &k->cap, k->n + (to - from), sizeof *k->rows));
    for (size_t i = from; i < to; i++) {
        bsr_fault_row *row = &k->rows[k->n++];
        *row = b->rows[i];
        if (row->critical) {
            row->critical_images = b->bitmaps + i * b->bitmap_bytes;
            row->critical_bytes = b->bitmap_bytes;
        }
        if (!b->masked_at || row->masked <= 0)
            continue;
        uint64_t site;
        int variant;
        const bsr_space *sp =
            bsr_space_of(&r->spaces, (uint64_t)row->fault / r->design.images, &site, &variant);
        const uint16_t *at = b->masked_at + i * r->images;
        for (uint64_t image = 0; image < r->images; image++)
            if (at[image] != BSR_NOT_MASKED)
                k->masked[(size_t)sp->id * k->places + at[image]]++;
    }
    return BSR_OK;
}

static bsr_status take_pairs(bsr_sink *k, const bsr_block *b, uint64_t first, uint64_t n)
{
    BSR_TRY(bsr_grow(&k->pairs, &k->cap_pairs, k->n_pairs + n, sizeof *k->pairs));
    for (uint64_t u = first; u < first + n; u++) {
        bsr_pair_row *row = &k->pairs[k->n_pairs++];
        *row = b->pairs[u];
        row->bounds = b->bounds ? &b->bounds[u] : NULL;
        row->bounds_bytes = b->bounds ? sizeof *b->bounds : 0;
    }
    return BSR_OK;
}

/* Bounds of whole sites; of constants with the value that they are about. */
static bsr_status take_bounds(bsr_sink *k, const bsr_block *b, uint64_t first, uint64_t n)
{
    BSR_TRY(bsr_grow(&k->values, &k->cap_values, k->n_values + n, sizeof *k->values));
    for (uint64_t u = first; u < first + n; u++) {
        uint64_t number = b->units[u];
        const bsr_space *sp = bsr_space_of_site(&b->record->spaces, &number);
        bsr_site at = bsr_space_site(sp, number);
        if (sp->data && !bsr_is_operand(sp->place))
            k->values[k->n_values++] =
                (bsr_value_row){.layer = sp->id,
                                .element = at.element,
                                .pixel = at.pixel,
                                .value = bsr_space_value(sp, at, bsr_space_code(sp, NULL, 0, at))};
    }
    size_t images = (size_t)b->record->images;
    BSR_TRY(bsr_grow(&k->bounds, &k->cap_bounds, k->n_bounds + n, sizeof *k->bounds));
    for (uint64_t u = first; u < first + n; u++)
        k->bounds[k->n_bounds++] = (bsr_bounds_row){.site = (int64_t)b->units[u],
                                                    .bounds = &b->bounds[u * images],
                                                    .bounds_bytes = images * sizeof *b->bounds};
    return BSR_OK;
}

static void take_counts(bsr_sink *k, const bsr_block *b, uint64_t first, uint64_t n)
{
    for (uint64_t u = first; u < first + n; u++) {
        const bsr_screened_counts *c = &b->screened[u];
        if (!c->pairs)
            continue;
        bsr_screening_row *z = &k->screened[bsr_unit_space(b->record, b->units[u])->id];
        z->pairs += c->pairs;
        z->skipped += c->skipped;
        z->checked += c->checked;
        z->missed += c->missed;
    }
}

static bsr_status take(bsr_sink *k, const bsr_block *b, uint64_t first, uint64_t n)
{
    int pairs = b->record->design.pairs;
    BSR_TRY(pairs ? take_pairs(k, b, first, n) : take_rows(k, b, first, n));
    if (b->bounds && !pairs)
        BSR_TRY(take_bounds(k, b, first, n));
    take_counts(k, b, first, n);
    return BSR_OK;
}

bsr_status bsr_sink_put(bsr_sink *k, const bsr_block *b, uint64_t first, uint64_t n)
{
    bsr_lock_acquire(k->lock);
    bsr_status status = take(k, b, first, n);
    if (status == BSR_OK &&
        (k->n + k->n_pairs >= BATCH_ROWS || bsr_seconds() - k->last_write > BATCH_SECONDS))
        status = write_batch(k);
    bsr_lock_release(k->lock);
    return status;
}

bsr_status bsr_sink_flush(bsr_sink *k)
{
    bsr_lock_acquire(k->lock);
    bsr_status status = write_batch(k);
    bsr_lock_release(k->lock);
    return status;
}
