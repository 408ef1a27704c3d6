/* From the answers in a store to estimates with intervals. */
#ifndef BSR_CAMPAIGN_SUMMARY_H
#define BSR_CAMPAIGN_SUMMARY_H

#include "campaign/record.h"

/* Result of an injection or analysis, whose record this is, as far as it went. options may be NULL:
 * confidence, per_channel and worst as the run had them. Caller owns *out. */
bsr_status bsr_summarise(bsr_result **out, bsr_store *store, const bsr_record *record,
                         const bsr_run_options *options);

#endif
