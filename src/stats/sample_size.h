/* How many faults to inject for a given margin: R. Leveugle, A. Calvez, P. Maistri, P. Vanhauwaert,
 * "Statistical fault injection: quantified error and confidence", DATE 2009, equation 4. The normal
 * approximation behind it is bsr_wald's. */
#ifndef BSR_STATS_SAMPLE_SIZE_H
#define BSR_STATS_SAMPLE_SIZE_H

#include <stdint.h>

#include "bitseer/status.h"

/* Smallest n whose margin is at most e: N / (1 + e^2 (N - 1) / (t^2 p (1 - p))), rounded up, for a
 * population of N (0: infinite), margin e in (0, 1), t > 0 the normal quantile of the confidence
 * (1.96 for 95 %, 2.58 for 99 %) and assumed proportion p in (0, 1) (0.5 is the worst case). Papers
 * often print the value cut to a whole number, one less. EINVAL: an argument out of its range;
 * ELIMIT: the result does not fit. */
bsr_status bsr_sample_size(uint64_t *n, uint64_t N, double e, double t, double p);

/* The reverse: the margin t sqrt(p (1 - p) / n (N - n) / (N - 1)) that n of N give; 0 when n == N.
 * EINVAL also: n == 0 or n > N > 0. p may be 0 or 1 here. */
bsr_status bsr_margin(double *e, uint64_t n, uint64_t N, double t, double p);

#endif
