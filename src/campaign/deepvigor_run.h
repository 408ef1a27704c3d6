/* Method deepvigor as a run (docs/theory/deepvigor.md): what analysis/deepvigor.h finds, its row
 * for every channel in a store, and a bsr_result of these. */
#ifndef BSR_CAMPAIGN_DEEPVIGOR_RUN_H
#define BSR_CAMPAIGN_DEEPVIGOR_RUN_H

#include "campaign/record.h"

/* bsr_analyze for method deepvigor: target weight or operand; plan channels:R (default
 * channels:0.1) or exhaustive, which is all channels. The store has the run's record from the start
 * and all of the answers at the end: a run that was stopped starts again when it is resumed. EINVAL
 * also for options that mean nothing here. */
bsr_status bsr_analyze_deepvigor(bsr_result **out, const bsr_model *model, const bsr_dataset *data,
                                 const bsr_run_options *options);

/* Result of such a run; before its end no factor is known (NaN). options may be NULL; of them
 * confidence, which has no use here but to be told, and per_channel. Caller owns *out. */
bsr_status bsr_deepvigor_result(bsr_result **out, bsr_store *store, const bsr_record *r,
                                const bsr_run_options *options);

#endif
