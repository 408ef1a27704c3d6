/* What became of faults, over all layers, as text. */
#ifndef BSR_REPORT_TEXT_OUTCOMES_H
#define BSR_REPORT_TEXT_OUTCOMES_H

#include "bitseer/result.h"
#include "report/strbuf.h"

/* A table of the model's metrics; nothing where only the VF is known. */
void bsr_print_outcomes(bsr_strbuf *b, const bsr_result *r);

/* The line "RMSE"; nothing where it is NaN. */
void bsr_print_rmse(bsr_strbuf *b, bsr_share rmse);

/* The line "masked at" with the layers where most masked pairs of all layers ended; nothing where
 * none did. */
void bsr_print_maskings(bsr_strbuf *b, const bsr_result *r);

#endif
