/* Direct injection of a random part of a sample, against its answers: what rays and screening got
 * wrong, and an unbiased correction of the VF by it (two-phase difference estimator: W. G. Cochran,
 * Sampling Techniques, 3rd edition, chapter 12). */
#ifndef BSR_CAMPAIGN_VERIFY_H
#define BSR_CAMPAIGN_VERIFY_H

#include "analysis/session.h"
#include "campaign/record.h"

/* EINVAL: the design keeps no single faults, or its strata are not layers. */
bsr_status bsr_verify_check(const bsr_record *record);

/* Injects about n (fault, image) pairs of the complete sample in `store`, spread over its strata in
 * proportion to their faults, at least two each, and sets record->correction. Depends on the spec
 * alone. bsr_verify_check must have passed. Errors of the store; ENOMEM. */
bsr_status bsr_verify(bsr_session *s, bsr_record *record, bsr_store *store, uint64_t n);

#endif
