/* Walking the answers of two runs together, fault by fault. */
#ifndef BSR_CAMPAIGN_PAIRING_H
#define BSR_CAMPAIGN_PAIRING_H

#include "campaign/answers.h"

/* One answer of a run. */
typedef struct bsr_answer {
    int space, variant; /* positions */
    int layer;          /* index, as users see it */
    int pixel;
    int64_t element;
    int64_t image;     /* of a transient fault, else -1 */
    bsr_change change; /* bits of `keep` above the code's width are 1, so that widths compare */
    uint64_t site;     /* in its space */
    int64_t number;    /* as in the database */
    uint64_t critical; /* images */
    size_t bitmap;     /* place of their bitmap, when there are any */
} bsr_answer;

/* The answers of one run, a part of them at a time. */
typedef struct bsr_answer_reader {
    const bsr_record *r;
    bsr_store *store;
    bsr_answer *rows;
    size_t n, cap, at;
    unsigned char *bitmaps;
    size_t bitmap_n, bitmap_cap;
    int64_t next;   /* fault number to go on from */
    int ended;      /* nothing follows the rows that are there */
    uint64_t alone; /* answers that the other run does not have */
} bsr_answer_reader;

typedef struct bsr_pairing {
    bsr_answer_reader a, b;
    int same_numbers; /* both runs number the same faults alike: read in pieces; else both are read
                         whole and sorted */
    size_t bitmap_bytes;
} bsr_pairing;

/* Records and stores must outlive it. Cleared with bsr_pairing_clear. */
void bsr_pairing_init(bsr_pairing *p, bsr_store *store_a, const bsr_record *a, bsr_store *store_b,
                      const bsr_record *b);
void bsr_pairing_clear(bsr_pairing *p);

/* The next fault that both runs answered; *a is NULL when there is none. The answers are valid
 * until the next call. The answers of one site come one after the other. EFORMAT: impossible rows.
 */
bsr_status bsr_pairing_next(bsr_pairing *p, const bsr_answer **a, const bsr_answer **b);

/* Images in which both answers are critical. */
uint64_t bsr_pairing_both(const bsr_pairing *p, const bsr_answer *a, const bsr_answer *b);

#endif
