/* Bit error rate runs: sweeps, and injections of whole error patterns. */
#ifndef BSR_CAMPAIGN_SWEEP_H
#define BSR_CAMPAIGN_SWEEP_H

#include "base/arena.h"
#include "bitseer/campaign.h"
#include "campaign/record.h"
#include "campaign/sweep_memory.h"

/* bsr_inject for the fault models ber:P and ber01:P,Q: plan random:N (default random:1000) gives N
 * error patterns of the whole selected target, whose rows are the chips of point 0. EINVAL also for
 * another plan or target, a list of faults, transient faults, method ray. */
bsr_status bsr_inject_patterns(bsr_result **out, const bsr_model *model, const bsr_dataset *data,
                               const bsr_run_options *options);

/* Result of such a run as far as it went: one layer, "all selected". A unit is a pattern, one of
 * practically infinitely many; which pairs were masked is not known, so that they count as benign
 * and neither share has a value. r: the record in the store; its confidence is used. Caller owns
 * *out. */
bsr_status bsr_patterns_result(bsr_result **out, bsr_store *store, const bsr_record *r);

/* Targets by their names with commas between, ascending; names: the same list in that order.
 * EINVAL: another target, or one twice. */
bsr_status bsr_sweep_targets(bsr_target targets[BSR_PATTERN_TARGETS], int *n, char names[64],
                             const char *text);

/* The options without those that mean nothing to error patterns, which must not make two equal
 * sweeps different. NULL: the defaults. */
bsr_run_options bsr_sweep_run_options(const bsr_run_options *options, const bsr_target *targets,
                                      int n);

/* What a sweep's database holds besides its record. Cleared with bsr_sweep_facts_clear. */
typedef struct bsr_sweep_facts {
    int points, runs;
    double *rates;         /* [points] ascending */
    char targets[64];      /* names with commas between */
    double bits;           /* that can flip in a run, each image for tensors */
    uint64_t top5_correct; /* fault-free */
} bsr_sweep_facts;
bsr_status bsr_sweep_facts_write(bsr_store *store, const bsr_sweep_facts *f);
bsr_status bsr_sweep_facts_read(bsr_sweep_facts *f, bsr_store *store);
void bsr_sweep_facts_clear(bsr_sweep_facts *f);

/* Points and guards of an accelerated sweep, over those of chips. EFORMAT; ENOMEM. */
bsr_status bsr_sweep_read_predicted(bsr_sweep_result *out, bsr_store *store);

/* Result of the sweep in a store as far as it went. EINVAL: no sweep; EFORMAT. Caller owns *out. */
bsr_status bsr_sweep_summarise(bsr_sweep_result **out, bsr_store *store);

#endif
