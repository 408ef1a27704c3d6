/* Comparing two variants (a network and its protected version, two formats) on the same faults and
 * images: only what differs counts, so paired tests need far fewer observations than two separate
 * estimates. */
#ifndef BSR_STATS_PAIRED_H
#define BSR_STATS_PAIRED_H

#include <stddef.h>
#include <stdint.h>

#include "bitseer/status.h"
#include "stats/stratified.h"

/* McNemar's test in its exact form (Q. McNemar, Psychometrika 12, 1947): of independent pairs, b
 * were critical in A only and c in B only. The two-sided p-value of the hypothesis that both are
 * equally likely, min(1, 2 P(X <= min(b, c))), X binomial (b + c, 1/2); 1 when b == c. Relative
 * error below 1e-10 for b + c <= 1e6; NaN when b + c exceeds 1e9. Pairs of one site or one image
 * are not independent: for those use bsr_paired. */
double bsr_mcnemar(uint64_t b, uint64_t c);

/* The same with half of P(X = min(b, c)) (H. O. Lancaster, JASA 56, 1961): less conservative, its
 * level is near the nominal one (M. W. Fagerland et al., BMC Med. Res. Methodol. 13:91, 2013). */
double bsr_mcnemar_mid_p(uint64_t b, uint64_t c);

/* A stratum of units, each observed in A and in B with the same `denominator` of pairs. Kept as a
 * bsr_stratum of values (count_a - count_b + denominator) over 2 denominator; merge with
 * bsr_stratum_merge. EINVAL: as bsr_stratum_init, and denominator above 2^30 - 1. */
bsr_status bsr_paired_init(bsr_stratum *s, uint64_t units, uint64_t denominator);

/* Adds one unit. EINVAL: a count above the denominator, or all units observed; ELIMIT. Unchanged on
 * failure. */
bsr_status bsr_paired_add(bsr_stratum *s, uint64_t count_a, uint64_t count_b);

typedef struct bsr_difference {
    double mean;     /* of share A - share B over all units, in [-1, 1] */
    double variance; /* of `mean` */
    double df;
    bsr_interval ci;
    size_t degenerate; /* strata in which all differences were equal, not complete */
} bsr_difference;

/* Mean difference with a two-sided interval, the units clusters drawn without replacement:
 * bsr_stratified_differences. For symmetric differences it is Student's mean +- t sqrt(variance).
 * 95 % intervals cover 93-97 % when some twenty or more units differ, and more when nearly none
 * does. Errors as bsr_stratified. */
bsr_status bsr_paired(bsr_difference *out, const bsr_stratum *strata, size_t count,
                      double confidence);

#endif
