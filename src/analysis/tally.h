/* Counts of critical pairs per unit, and the estimates made from them. */
#ifndef BSR_ANALYSIS_TALLY_H
#define BSR_ANALYSIS_TALLY_H

#include "analysis/session.h"

/* What was observed: units drawn from the population and, for each, in how many images each of its
 * faults is critical. A unit is one fault (inject), or one site with all its selected bits
 * (analyze).
 */
typedef struct bsr_tally {
    int site_units;         /* units are sites */
    uint64_t n;             /* units observed */
    const uint64_t *index;  /* [n] ascending fault or site numbers, NULL: the whole population */
    const uint32_t *counts; /* [n], or [n][BSR_TALLY_BITS] for sites, in the order of the space's
                               bits */
    /* All outcomes by space and bit position [spaces][BSR_TALLY_BITS] and by space and channel
     * (spaces one after the other); NULL where only criticality is known. */
    const bsr_outcomes *bits, *channels;
    uint64_t nan_faults, violations, checked;
} bsr_tally;

#define BSR_TALLY_BITS 32

/* Builds the result of a run: estimates with intervals, worst sites, cost, provenance. Caller owns
 * *out. */
bsr_status bsr_tally_result(bsr_result **out, const bsr_session *s, const bsr_tally *t,
                            const char *command, const char *method, const char *sampling);

/* Adds counts. */
void bsr_outcomes_add(bsr_outcomes *to, const bsr_outcomes *from);

/* Number of the first channel of space i in `channels`; i == n gives the total. */
size_t bsr_tally_channel(const bsr_spaces *spaces, int i);

#endif
