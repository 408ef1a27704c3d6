/* First-order screening of a block of units: which faults need no evaluation because to first order
 * they eat less than theta of every margin (docs/theory/screening.md).
 *
 * Where tensors behind a fault are rounded to codes or stored in a format, what rounding may do to
 * a margin is taken off it first.
 *
 * It is a rule, not a proof. So of what is skipped a random part is evaluated all the same, and
 * where too much of it turns out critical the layer is answered again with half the theta. */
#ifndef BSR_CAMPAIGN_SCREENING_H
#define BSR_CAMPAIGN_SCREENING_H

#include "analysis/session.h"
#include "campaign/units.h"
#include "exec/gradient.h"

/* Share of a margin below which a fault is taken for harmless, where nothing else is asked for. */
#define BSR_SCREEN_DEFAULT 0.1

/* A layer is done again when more of its faults than this were missed, as a share of all. */
#define BSR_SCREEN_TOLERANCE 1e-5

/* The answers without evaluation of one unit in one image. */
typedef struct bsr_screened {
    /* Rays: on each side the faults from this position of its order on. */
    uint8_t harmless[2];
    uint32_t skip;  /* rays: bit i: fault i of those outside the order; a single fault: 1 */
    float limit[2]; /* neurons: errors up to this size below 0, above 0; -1: none */
} bsr_screened;

/* (fault, image) pairs of a unit. */
typedef struct bsr_screened_counts {
    uint32_t pairs, skipped, checked, missed;
} bsr_screened_counts;

typedef struct bsr_screening bsr_screening;

/* Codes of fewer bits are tried one by one: their rounding on the way breaks the order of faults
 * too often (6 in 1000 pairs of an int8 ResNet-8). */
#define BSR_TRUSTED_BITS 9

/* For the record's theta, which is not 0. ENOMEM. Caller owns *out; session, record and gradients
 * (of the session's plan) must outlive it. */
bsr_status bsr_screening_new(bsr_screening **out, bsr_session *s, const bsr_record *record,
                             const bsr_gradient_plan *gradients, uint64_t most_units);
void bsr_screening_free(bsr_screening *screening);

/* Bytes that screening of a network takes, about. */
size_t bsr_screening_bytes(const bsr_gradient_plan *gradients, const bsr_plan *plan, int threads);

/* Predicts for n units in the session's current set of images, on all threads. Pairs: units lie
 * image by image. */
bsr_status bsr_screen_units(bsr_screening *screening, const uint64_t *units, uint64_t n);

/* Of unit `index` in image `image` of the current set (pairs: their own image). */
const bsr_screened *bsr_screened_at(const bsr_screening *screening, uint64_t index, int image);

/* Which of the variants of `unit` in an image (of the data set) are evaluated although they are
 * skipped: bit i. */
uint32_t bsr_screen_checks(const bsr_record *record, uint64_t unit, uint64_t image, int variants);

#endif
