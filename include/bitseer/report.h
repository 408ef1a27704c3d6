/* Results as one page for a browser. */
#ifndef BITSEER_REPORT_H
#define BITSEER_REPORT_H

#include "bitseer/predict.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One run of a report; everything is borrowed. Exactly one of `result`, `sweep` and `prediction` is
 * set. */
typedef struct bsr_report_run {
    const char *name; /* of its database or file, or another name that tells it from the others */
    const char *command; /* the command line that made it, NULL: not known */
    int complete;        /* whether all of the run is done */
    const bsr_result *result;
    const bsr_sweep_result *sweep;
    const bsr_prediction *prediction; /* drawn over the sweeps */
} bsr_report_run;

#define BSR_REPORT_OPTIONS_VERSION 1

typedef struct bsr_report_options {
    int version;
    const char *title;      /* NULL: made of the names of the networks */
    const char *protection; /* JSON as bsr_protection_json writes it, drawn as MVF against added
                               storage; NULL: none. Other JSON is kept and not shown */
} bsr_report_options;

#define BSR_REPORT_OPTIONS_INIT                                                                    \
    {                                                                                              \
        BSR_REPORT_OPTIONS_VERSION, NULL, NULL                                                     \
    }

/* A self-contained HTML page in UTF-8 that shows the runs: no network, its script and style inside
 * and allowed by their SHA-256 in a Content-Security-Policy. Pictures and tables for readers
 * without script and for paper are in it too. Results without channels or worst sites leave these
 * out. The same runs give the same bytes, times (bsr_performance) apart. Caller frees *out with
 * bsr_text_free; NULL on failure. EINVAL: no run, more than BSR_REPORT_RUNS, a run without a result
 * or with two, `protection` is no JSON; ENOMEM. */
#define BSR_REPORT_RUNS 64
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_report_html(char **out, const bsr_report_run *runs,
                                                    int n_runs, const bsr_report_options *options);

#ifdef __cplusplus
}
#endif
#endif
