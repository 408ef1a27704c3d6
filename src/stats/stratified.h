/* Stratified estimate of the mean of units whose values are shares, counts over a common
 * denominator: W. G. Cochran, Sampling Techniques, 3rd edition, chapter 5. Here a unit is a site,
 * its value the share of its (bit, image) pairs that are critical, a stratum usually a layer, and
 * within a stratum units are drawn without replacement with equal chances. All bits and images of a
 * drawn unit are observed, so units, not pairs, are what varies between samples. */
#ifndef BSR_STATS_STRATIFIED_H
#define BSR_STATS_STRATIFIED_H

#include <stddef.h>
#include <stdint.h>

#include "bitseer/status.h"
#include "stats/interval.h"

#define BSR_MAX_DENOMINATOR (((uint64_t)1 << 31) - 1)

__extension__ typedef unsigned __int128 bsr_u128;

/* What is observed of one stratum, as exact integer sums: any order of adding and merging gives the
 * same bits. Plain value. */
typedef struct bsr_stratum {
    uint64_t units;       /* population N_h */
    uint64_t denominator; /* pairs per unit; a unit's value is count / denominator */
    uint64_t faults;      /* of a unit: its weight in the mean of several strata; 1 at first */
    uint64_t n;           /* units observed */
    uint64_t sum;         /* of counts */
    bsr_u128 squares;     /* of counts, summed */
    bsr_u128 cubes;
} bsr_stratum;

/* EINVAL: units or denominator 0, units above 2^53, denominator above BSR_MAX_DENOMINATOR. */
bsr_status bsr_stratum_init(bsr_stratum *s, uint64_t units, uint64_t denominator);

/* Adds one unit. EINVAL: count above the denominator, or all units are observed already; ELIMIT:
 * more than 2^32 units. The stratum is unchanged on failure. */
bsr_status bsr_stratum_add(bsr_stratum *s, uint64_t count);

/* Adds what `from` observed (other units of the same stratum). Errors as bsr_stratum_add; EINVAL
 * also when units or denominator differ. */
bsr_status bsr_stratum_merge(bsr_stratum *s, const bsr_stratum *from);

/* Mean of the observed values, in [0, 1] (NaN for n == 0), and their sample variance with divisor
 * n - 1 (NaN for n < 2; exactly 0 when all are equal). */
double bsr_stratum_mean(const bsr_stratum *s);
double bsr_stratum_variance(const bsr_stratum *s);

typedef struct bsr_estimate {
    double mean;     /* sum of W_h mean_h, W_h in proportion to N_h times `faults` of a unit */
    double variance; /* of `mean`: sum of W_h^2 (1 - n_h / N_h) v_h / n_h, v_h as below */
    double df;       /* Satterthwaite's degrees of freedom (Cochran 5.16); Inf when variance is 0 */
    bsr_interval ci; /* contains mean; a point only for a complete census */
    size_t degenerate; /* strata without observed variance that were not observed completely, before
                          they are collapsed */
} bsr_estimate;

/* Estimate and two-sided interval from `count` >= 1 strata. Strata whose units have different
 * numbers of faults are different kinds: they are neither pooled nor collapsed together.
 *
 * v_h is the sample variance, raised. (1) Units are skewed: most are 0 or near 1/32,
 * few are large, and a small sample that misses the large ones also sees too little variance. So
 * each stratum gets 8 pseudo-units with the variance pooled over all strata, where that raises it.
 * In the pool a stratum counts for at most 20 units, lest those observed most, because they vary
 * most, make all others look like them.
 * (2) A stratum without observed variance gets at least the variance of a 0-or-1 unit with the
 * Agresti-Coull proportion (n_h mean_h + z^2 / 2) / (n_h + z^2), over n_h + z^2; that is large on
 * purpose: such a stratum has shown nothing about how its units differ. (3) Before (2), strata
 * without observed variance, all with the same value and denominator, are collapsed: taken as one
 * stratum, of which as large a part was observed as of the least observed of them. Any part of
 * equal values shows the same, and sampled proportionally they are worth at least as much as a
 * sample of the whole; 23 bits with five units each would otherwise be 23 times ignorance. The mean
 * changes by no more than the rounding to whole units.
 *
 * The interval is the score interval, all mu with (mu - mean)^2 <= t^2 (variance + k (mu - mean)),
 * t Student's quantile. k is the slope of the estimated variance on the estimated mean, from the
 * third moments (M. S. Bartlett, Biometrika 40, 1953; for 0-or-1 units this is Wilson's interval up
 * to terms of order n^-2). Unlike mean +- t sqrt(variance), it misses about as often on either
 * side. It is cut to what the unobserved units, in [0, 1], leave possible.
 *
 * Coverage at nominal 95 % is 93-97 % when the sample holds about twenty or more units of the rare,
 * large kind, or when there are none; with fewer it falls to about 91 % (plain t: 83-89 %); strata
 * of case (2) push it towards 100 %. Table in docs/theory/estimators.md.
 *
 * Denominators may differ between strata. EINVAL: count 0, a stratum with n == 0, confidence
 * outside (0, 1); ENOMEM (it needs as much as the strata). */
bsr_status bsr_stratified(bsr_estimate *out, const bsr_stratum *strata, size_t count,
                          double confidence);

/* The same for units that are single faults, whose value is the share of images for which they are
 * critical. Most flips of a weight are critical for no image or for nearly all, few for some, and a
 * sample in which three are critical for one image each says nothing of the kind it has missed. So
 * rule (2) applies to every stratum by degrees: v_h is a mixture of the above and of the 0-or-1
 * variance, the weight of the former being min(n_h mean_h, n_h (1 - mean_h)) / 20 up to 1; and rule
 * (3) collapses strata whose weight is below 1 and whose means are on the same side of 1/2, with
 * the same denominator and sampling fraction. `degenerate` still counts those without variance.
 * With twenty critical faults' worth it is bsr_stratified's interval, with few Wilson's. */
bsr_status bsr_stratified_faults(bsr_estimate *out, const bsr_stratum *strata, size_t count,
                                 double confidence);

/* The same for values that stand for differences between -1 and 1 moved to 0..1 (stats/paired.h):
 * where strata showed one value only, rule (2) takes each unit for one that has it or, with the
 * Agresti-Coull proportion z^2 / 2 / (n_h + z^2), is as far off as can be. */
bsr_status bsr_stratified_differences(bsr_estimate *out, const bsr_stratum *strata, size_t count,
                                      double confidence);

/* What units are, and so which of the rules hold. */
typedef enum bsr_units {
    BSR_UNITS_SITES,  /* bsr_stratified */
    BSR_UNITS_FAULTS, /* bsr_stratified_faults */
    BSR_UNITS_MIXED,  /* the latter's where a stratum's units are one fault, the former's elsewhere
                       */
} bsr_units;

/* Estimate and interval by the rules of `units`. */
bsr_status bsr_stratified_of(bsr_estimate *out, const bsr_stratum *strata, size_t count,
                             double confidence, bsr_units units);

/* The v_h behind that interval, per unit, in v[0..count-1]: for collapsed strata that of the whole,
 * for complete ones 0. For planning what to observe next. Errors as bsr_stratified. */
bsr_status bsr_stratified_variances(double *v, const bsr_stratum *strata, size_t count,
                                    double confidence, bsr_units units);

#endif
