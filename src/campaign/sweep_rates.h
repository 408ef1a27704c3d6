/* Bit error rates as users write them. */
#ifndef BSR_CAMPAIGN_SWEEP_RATES_H
#define BSR_CAMPAIGN_SWEEP_RATES_H

#include "bitseer/status.h"

#define BSR_MAX_RATES 1000

/* Reads rates in 0..1 and ranges LO:HI/N with commas between: N rates a decade from LO on, LO *
 * 10^(k/N) with 15 digits, so that decades are exact, and HI. *rates [*n] is ascending; owned by
 * the caller (bsr_free). EINVAL: not a rate, LO of 0 or not below HI, N outside 1..100, a rate
 * twice, more than BSR_MAX_RATES; ENOMEM. */
bsr_status bsr_rates_parse(double **rates, int *n, const char *text);

/* The rates as a list that reads back to the same. Caller frees with bsr_free. */
bsr_status bsr_rates_text(char **out, const double *rates, int n);

#endif
