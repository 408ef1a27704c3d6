/* Finding the outcomes of a block of units, set of images by set of images. */
#ifndef BSR_CAMPAIGN_WORK_H
#define BSR_CAMPAIGN_WORK_H

#include "analysis/session.h"
#include "campaign/record.h"
#include "campaign/screening.h"

/* No masked fault, or not masked. */
#define BSR_NOT_MASKED UINT16_MAX

/* Units that are worked on together: their rows are complete, and written, once every set of images
 * went over them. Ascending; pairs image by image, and ascending in each. */
typedef struct bsr_block {
    const bsr_session *s;
    const bsr_record *record;
    uint64_t n;            /* units */
    const uint64_t *units; /* [n] */
    size_t *row_at;        /* [n + 1] first row of each unit */
    bsr_fault_row *rows;
    unsigned char *bitmaps; /* [rows][bitmap_bytes] of critical images */
    size_t bitmap_bytes;
    uint16_t *masked_at; /* [rows][images]: 1 + network layer where a pair was masked; direct, and
                                 not parameters */
    bsr_pair_row *pairs; /* [n] designs by pairs, in place of rows */
    uint32_t *by_bit;    /* [n][BSR_MAX_VARIANTS] neurons: critical errors */
    bsr_bounds *bounds;  /* [n][images], pairs: [n]; NULL: not kept */
    bsr_screened_counts *screened; /* [n] */
} bsr_block;

/* Where finished rows go; see campaign/sink.h. */
typedef struct bsr_sink bsr_sink;

/* What the workers of a run share. */
typedef struct bsr_work {
    bsr_session *s;
    bsr_record *record;
    bsr_block block;
    bsr_sink *sink;
    bsr_screening *screening; /* NULL: off */
    size_t item_units;        /* units of one item, at most */
    bsr_pool_fn fn;           /* finds the outcomes of an item in the current set of images */
    uint64_t *item_at;        /* pairs: first unit of each item of the current set, and the end */
    size_t items;
    uint64_t *order;             /* pairs: the block's units by image */
    struct bsr_worker **workers; /* [threads] workspaces */
} bsr_work;

/* Workspaces for the record's method and target; gradients: of the session's plan, where the record
 * screens, borrowed until bsr_work_clear, which is due also on failure. */
bsr_status bsr_work_init(bsr_work *w, bsr_session *s, bsr_record *record, bsr_sink *sink,
                         const bsr_gradient_plan *gradients);
void bsr_work_clear(bsr_work *w);

/* Answers the units (ascending) and hands their rows to the sink. */
bsr_status bsr_work_block(bsr_work *w, const uint64_t *units, uint64_t n);

/* Units of a block, at most, for this number of images. */
uint64_t bsr_work_block_units(const bsr_work *w);

/* Directly injects every fault of n sites (drawn from the whole population; designs by site) and
 * counts rays that break the rule into record->checked and record->violations. */
bsr_status bsr_work_check(bsr_work *w, uint64_t n);

#endif
