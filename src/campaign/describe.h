/* What a run says about itself, and its place in a database. */
#ifndef BSR_CAMPAIGN_DESCRIBE_H
#define BSR_CAMPAIGN_DESCRIBE_H

#include "campaign/work.h"

/* One-line spec: everything of the options that decides the numbers. Caller frees. */
bsr_status bsr_run_spec(char **out, const char *command, const bsr_run_options *o,
                        const char *more);

/* Facts of a run of this session; `more` joins the spec. Cleared with bsr_record_clear. */
bsr_status bsr_run_describe(bsr_record *r, const bsr_session *s, const char *command,
                            const char *more);

/* The store that the options ask for: new and with the record and settings in it, or the one that
 * is resumed, whose record takes the place of *r. In memory without a path. */
bsr_status bsr_run_open(bsr_store **store, bsr_record *r, const bsr_run_options *o);

/* Row about this process; seconds and evaluations are filled in at the end. */
typedef struct bsr_run_log {
    int64_t id;
    char started[32];
} bsr_run_log;
bsr_status bsr_run_log_start(bsr_run_log *log, bsr_store *store, const bsr_session *s);
bsr_status bsr_run_log_end(const bsr_run_log *log, bsr_store *store, const bsr_session *s,
                           uint64_t evaluations, uint64_t injections, double macs);

#endif
