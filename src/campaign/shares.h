/* Expected share of critical faults of each bit, for data-aware plans. */
#ifndef BSR_CAMPAIGN_SHARES_H
#define BSR_CAMPAIGN_SHARES_H

#include "fault/space.h"

/* Least share that a plan assumes of any bit. */
#define BSR_LEAST_SHARE 1e-4

/* shares[b] for bit position b, in (0, 0.5]; other entries are not written.
 *
 * text NULL or "minmax": from the mean distance D(b) that a flip of bit b moves a stored constant,
 * p(b) = 0.5 (D(b) - min D) / (max D - min D), after A. Ruospo et al., "Assessing Convolutional
 * Neural Networks Reliability through Statistical Fault Injections", DATE 2023 (reconstructed: the
 * formula is from memory of the paper, the rule for outliers is ours). A bit whose D is not finite
 * or above Q3 + 3 (Q3 - Q1) of log2 D gets 0.5 and does not count for the maximum. Shares below
 * BSR_LEAST_SHARE are raised to it. Weights whose flip gives NaN or Inf are left out of the mean.
 * "run:FILE": the critical shares that the run in this database measured for each bit over all its
 * layers; errors of bsr_run_result. Otherwise: numbers in (0, 1) with commas between, one for each
 * bit, lowest first; above 0.5 counts as 0.5, which asks for the largest sample. EINVAL: a text
 * that is none of these, spaces of different width, faults other than bit flips, tensors (minmax).
 */
bsr_status bsr_find_shares(double shares[BSR_MAX_VARIANTS], const bsr_spaces *all,
                           const char *text);

#endif
