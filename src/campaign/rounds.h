/* Adaptive plans: sizes of the next round from the answers so far. */
#ifndef BSR_CAMPAIGN_ROUNDS_H
#define BSR_CAMPAIGN_ROUNDS_H

#include "campaign/record.h"
#include "stats/stratified.h"

/* Raises the sizes of the strata for the next round from what is observed of each [n_strata]; *more
 * is 0 when every layer's and the model's half-width is at most the margin (or everything is
 * observed). ENOMEM. */
bsr_status bsr_plan_round(bsr_design *d, const bsr_stratum *observed, int *more);

/* Sizes of the first round. */
bsr_status bsr_first_round(bsr_design *d, const bsr_spaces *spaces);

/* The same for a run: reads the store's answers, on which alone it depends, and writes the sizes in
 * one transaction. */
bsr_status bsr_next_round(bsr_store *store, bsr_record *r, int *more);

#endif
