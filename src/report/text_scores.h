/* What method deepvigor says in place of counts of pairs. */
#ifndef BSR_REPORT_TEXT_SCORES_H
#define BSR_REPORT_TEXT_SCORES_H

#include "report/table.h"

/* "21 filters of 10 layers on 100 images". */
void bsr_print_scored(bsr_strbuf *b, const bsr_result *r);

/* Layers with their VFs and searches. */
void bsr_print_scores(bsr_strbuf *b, const bsr_result *r);

/* Numbers of simulations, as the paper's Tables V and VI have them. */
void bsr_print_searches(bsr_strbuf *b, const bsr_result *r);

#endif
