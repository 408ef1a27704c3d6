/* How many faults to inject for a given margin: R. Leveugle, A. Calvez, P. Maistri, P. Vanhauwaert,
 * "Statistical fault injection: quantified error and confidence", DATE 2009, equation 4. The normal
 * approximation behind it is bsr_wald's. */
#ifndef BSR_STATS_SAMPLE_SIZE_H
#define BSR_STATS_SAMPLE_SIZE_H

#include <stdint.h>

#include "bitseer/status.h"

/* The literature's t for 95 % and 99 %. bsr_normal_two_sided (stats/special.h) gives the exact
 * 1.95996 and 2.57583; with those the sample sizes for 1 % are 9604 and 16588, not 16641. */
#define BSR_T95 1.96
#define BSR_T99 2.58

/* n = N / (1 + e^2 (N - 1) / (t^2 p (1 - p))), not rounded, 0 < n <= N: papers add such terms up
 * and round the sum. Population N >= 1, or 0 for an infinite one; margin e in (0, 1); t > 0 the
 * normal quantile of the confidence; assumed proportion p in (0, 1), 0.5 the worst case. EINVAL: an
 * argument out of its range; *n is then NaN. */
bsr_status bsr_sample_size_real(double *n, double N, double e, double t, double p);

/* Smallest n whose margin is at most e: the same rounded up. Papers often print the value cut to a
 * whole number, one less. EINVAL as above; ELIMIT: the result does not fit; *n is then 0. */
bsr_status bsr_sample_size(uint64_t *n, uint64_t N, double e, double t, double p);

/* The reverse: the margin t sqrt(p (1 - p) / n (N - n) / (N - 1)) that n of N give; 0 when n == N.
 * EINVAL also: n == 0 or n > N > 0. p may be 0 or 1 here. */
bsr_status bsr_margin(double *e, uint64_t n, uint64_t N, double t, double p);

#endif
