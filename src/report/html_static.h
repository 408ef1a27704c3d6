/* The part of the report that needs no script. */
#ifndef BSR_REPORT_HTML_STATIC_H
#define BSR_REPORT_HTML_STATIC_H

#include "bitseer/report.h"
#include "report/strbuf.h"

/* Adds pictures (as images, so that nothing in them reaches the page) and the text report of each
 * run. The script shows the pictures again where they belong, on paper. ENOMEM. */
BSR_NODISCARD bsr_status bsr_html_static(bsr_strbuf *b, const bsr_report_run *runs, int n_runs);

#endif
