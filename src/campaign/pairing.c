#include "campaign/pairing.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* Rows read at once where both runs number alike. */
#define AT_ONCE 16384

static int same_space(const bsr_space *a, const bsr_space *b)
{
    return a->index == b->index && a->place == b->place && a->width == b->width &&
           a->outer == b->outer && a->inner == b->inner && a->channels == b->channels &&
           a->n_chosen == b->n_chosen && a->n_variants == b->n_variants && a->sites == b->sites &&
           a->windows_bytes == b->windows_bytes && a->cin == b->cin &&
           memcmp(a->chosen, b->chosen, (size_t)a->n_chosen * sizeof *a->chosen) == 0 &&
           memcmp(a->variants, b->variants, (size_t)a->n_variants * sizeof *a->variants) == 0 &&
           (!a->windows_bytes || memcmp(a->windows, b->windows, a->windows_bytes) == 0);
}

static int same_numbers(const bsr_record *a, const bsr_record *b)
{
    if (a->design.kind == BSR_DESIGN_LIST || b->design.kind == BSR_DESIGN_LIST ||
        a->spaces.n != b->spaces.n || strcmp(a->fault, b->fault) != 0 ||
        (a->spaces.model.kind == BSR_FAULT_RANDOM && a->seed != b->seed))
        return 0;
    for (int i = 0; i < a->spaces.n; i++)
        if (!same_space(&a->spaces.spaces[i], &b->spaces.spaces[i]))
            return 0;
    return 1;
}

void bsr_pairing_init(bsr_pairing *p, bsr_store *store_a, const bsr_record *a, bsr_store *store_b,
                      const bsr_record *b)
{
    *p = (bsr_pairing){.a = {.r = a, .store = store_a},
                       .b = {.r = b, .store = store_b},
                       .same_numbers = same_numbers(a, b),
                       .bitmap_bytes = a->transient ? 1 : (size_t)(a->images + 7) / 8};
}

static void clear_reader(bsr_answer_reader *rd)
{
    bsr_free(rd->rows);
    bsr_free(rd->bitmaps);
}

void bsr_pairing_clear(bsr_pairing *p)
{
    clear_reader(&p->a);
    clear_reader(&p->b);
    *p = (bsr_pairing){0};
}

static uint64_t count_ones(const unsigned char *bits, size_t n)
{
    uint64_t ones = 0;
    for (size_t i = 0; i < n; i++)
        ones += (uint64_t)__builtin_popcount(bits[i]);
    return ones;
}

typedef struct filler {
    const bsr_pairing *p;
    bsr_answer_reader *rd;
} filler;

static bsr_status take_bitmap(const filler *f, bsr_answer *a, const bsr_fault_row *row)
{
    bsr_answer_reader *rd = f->rd;
    size_t n = f->p->bitmap_bytes;
    a->critical = (uint64_t)row->critical;
    if (!a->critical)
        return BSR_OK;
    if (row->critical_bytes != n || count_ones(row->critical_images, n) != a->critical)
        return bsr_fail(BSR_EFORMAT, "fault %lld of the database is impossible",
                        (long long)row->fault);
    BSR_TRY(bsr_grow(&rd->bitmaps, &rd->bitmap_cap, rd->bitmap_n + n, 1));
    memcpy(rd->bitmaps + rd->bitmap_n, row->critical_images, n);
    a->bitmap = rd->bitmap_n;
    rd->bitmap_n += n;
    return BSR_OK;
}

static bsr_status take_row(void *ctx, const bsr_fault_row *row)
{
    const filler *f = ctx;
    bsr_answer_reader *rd = f->rd;
    bsr_injected at;
    int variant;
    BSR_TRY(bsr_answer_fault(&at, &variant, rd->r, row));
    BSR_TRY(bsr_grow(&rd->rows, &rd->cap, rd->n + 1, sizeof *rd->rows));
    bsr_answer *a = &rd->rows[rd->n];
    *a = (bsr_answer){.space = at.space->id,
                      .variant = variant,
                      .layer = at.space->index,
                      .pixel = at.site.pixel,
                      .element = at.site.element,
                      .image = at.image,
                      .change = at.change,
                      .site = at.number,
                      .number = row->fault};
    a->change.keep |= ~bsr_code_mask(at.space);
    BSR_TRY(take_bitmap(f, a, row));
    rd->n++;
    rd->next = row->fault + 1;
    /* Ends the reading, and is no failure. */
    return f->p->same_numbers && rd->n == AT_ONCE ? BSR_ECANCELLED : BSR_OK;
}

#define COMPARE(x, y)                                                                              \
    do {                                                                                           \
        if ((x) != (y))                                                                            \
            return (x) < (y) ? -1 : 1;                                                             \
    } while (0)

static int compare_faults(const void *va, const void *vb)
{
    const bsr_answer *a = va, *b = vb;
    COMPARE(a->layer, b->layer);
    COMPARE(a->element, b->element);
    COMPARE(a->pixel, b->pixel);
    COMPARE(a->change.keep, b->change.keep);
    COMPARE(a->change.flip, b->change.flip);
    COMPARE(a->image, b->image);
    return 0;
}

static int compare_numbers(const bsr_answer *a, const bsr_answer *b)
{
    COMPARE(a->number, b->number);
    return 0;
}

/* Reads more rows where all were used. */
static bsr_status fill(const bsr_pairing *p, bsr_answer_reader *rd)
{
    filler f = {p, rd};
    if (rd->at < rd->n || rd->ended)
        return BSR_OK;
    rd->n = rd->at = rd->bitmap_n = 0;
    bsr_status status = bsr_store_faults(rd->store, rd->next, INT64_MAX, take_row, &f);
    if (status != BSR_OK && !(status == BSR_ECANCELLED && rd->n == AT_ONCE))
        return status;
    rd->ended = status == BSR_OK;
    if (!p->same_numbers && rd->n)
        qsort(rd->rows, rd->n, sizeof *rd->rows, compare_faults);
    return BSR_OK;
}

bsr_status bsr_pairing_next(bsr_pairing *p, const bsr_answer **a, const bsr_answer **b)
{
    *a = *b = NULL;
    for (;;) {
        BSR_TRY(fill(p, &p->a));
        BSR_TRY(fill(p, &p->b));
        const bsr_answer *x = p->a.at < p->a.n ? &p->a.rows[p->a.at] : NULL;
        const bsr_answer *y = p->b.at < p->b.n ? &p->b.rows[p->b.at] : NULL;
        if (!x && !y)
            return BSR_OK;
        int order = !x || !y          ? (x ? -1 : 1)
                    : p->same_numbers ? compare_numbers(x, y)
                                      : compare_faults(x, y);
        p->a.at += order <= 0;
        p->b.at += order >= 0;
        p->a.alone += order < 0;
        p->b.alone += order > 0;
        if (order == 0) {
            *a = x;
            *b = y;
            return BSR_OK;
        }
    }
}

uint64_t bsr_pairing_both(const bsr_pairing *p, const bsr_answer *a, const bsr_answer *b)
{
    uint64_t both = 0;
    if (!a->critical || !b->critical)
        return 0;
    const unsigned char *x = p->a.bitmaps + a->bitmap, *y = p->b.bitmaps + b->bitmap;
    for (size_t i = 0; i < p->bitmap_bytes; i++)
        both += (uint64_t)__builtin_popcount(x[i] & y[i]);
    return both;
}
