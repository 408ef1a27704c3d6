/* Who computed a result, from what, at what cost: the same for every kind of run. */
#ifndef BSR_CAMPAIGN_ACCOUNT_H
#define BSR_CAMPAIGN_ACCOUNT_H

#include "base/arena.h"
#include "campaign/record.h"

/* Copy of a text in the arena, "" for NULL. ENOMEM. */
bsr_status bsr_keep_text(bsr_arena *arena, const char **to, const char *text);

/* Fills both from the record and the work of all processes in the store (the last one's machine).
 * Texts live in the arena. */
bsr_status bsr_account_fill(bsr_performance *performance, bsr_provenance *provenance,
                            bsr_arena *arena, bsr_store *store, const bsr_record *r);

#endif
