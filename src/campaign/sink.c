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
    return k->masked ? bsr_lock_new(&k->lock) : BSR_ENOMEM;
}

void bsr_sink_clear(bsr_sink *k)
{
    bsr_lock_free(k->lock);
    bsr_free(k->rows);
    bsr_free(k->masked);
}

static bsr_status write_batch(bsr_sink *k)
{
    size_t n = 0;
    bsr_masking_row *m = bsr_alloc_array(k->spaces * k->places, sizeof *m);
    if (!m)
        return BSR_ENOMEM;
    for (size_t i = 0; i < k->spaces * k->places; i++)
        if (k->masked[i])
            m[n++] = (bsr_masking_row){.layer = (int64_t)(i / k->places),
                                       .at = (int64_t)(i % k->places) - 1,
                                       .pairs = (int64_t)k->masked[i]};
    bsr_status status = BSR_OK;
    if (k->n || n)
        status = bsr_store_put_answers(
            k->store,
            &(bsr_answers){.faults = k->rows, .n_faults = k->n, .maskings = m, .n_maskings = n});
    bsr_free(m);
    if (status != BSR_OK)
        return status;
    k->n = 0;
    memset(k->masked, 0, k->spaces * k->places * sizeof *k->masked);
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

bsr_status bsr_sink_put(bsr_sink *k, const bsr_block *b, uint64_t first, uint64_t n)
{
    bsr_lock_acquire(k->lock);
    bsr_status status = take_rows(k, b, first, n);
    if (status == BSR_OK && (k->n >= BATCH_ROWS || bsr_seconds() - k->last_write > BATCH_SECONDS))
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
