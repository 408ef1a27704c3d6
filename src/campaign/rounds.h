/* Adaptive plans: sizes of the next round from the answers so far. */
#ifndef BSR_CAMPAIGN_ROUNDS_H
#define BSR_CAMPAIGN_ROUNDS_H

#include "campaign/record.h"

/* Sizes of the first round. */
bsr_status bsr_first_round(bsr_design *d, const bsr_spaces *spaces);

/* Raises the sizes of the record's strata for the next round and writes them to the store in one
 * transaction; *more is 0 when every layer's and the model's half-width is at most the margin (or
 * everything is observed). Depends on the answers alone. */
bsr_status bsr_next_round(bsr_store *store, bsr_record *r, int *more);

#endif
