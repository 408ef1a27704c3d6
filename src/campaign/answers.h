/* Reading a run's database: the record, and each answer with the fault it belongs to. */
#ifndef BSR_CAMPAIGN_ANSWERS_H
#define BSR_CAMPAIGN_ANSWERS_H

#include "campaign/units.h"

/* Opens the database for reading and reads its record. Messages name the file. On failure *store is
 * NULL and *r clear; else the caller closes and clears both. */
bsr_status bsr_run_read(bsr_store **store, bsr_record *r, const char *path);

/* Was the run one of error patterns (fault models ber and ber01, sweeps)? It has no faults. */
int bsr_record_of_patterns(const bsr_record *r);

/* Was its method deepvigor? It has factors and no answers to single faults. */
int bsr_record_of_scores(const bsr_record *r);

/* EINVAL, naming the file, for a run that has no answers to single faults: sweeps, error patterns,
 * method deepvigor. */
bsr_status bsr_run_check_faults(const bsr_record *r, const char *path);

/* EINVAL: the run has no row for each fault, or error pattern. */
bsr_status bsr_run_check_rows(const bsr_record *r, const char *path);

/* What was injected, and its variant (position in the space's variants), of a row of the run.
 * EFORMAT: the run has no such fault, or its counts are impossible. */
bsr_status bsr_answer_fault(bsr_injected *fault, int *variant, const bsr_record *r,
                            const bsr_fault_row *row);

/* Mean squared error of a logit over the pairs that are no DUE, from their sum over all logits; NaN
 * when there is none or `due` is not known (-1). */
double bsr_mean_square(double sse, int64_t pairs, int64_t due, int classes);

#endif
