/* How many units to observe next, so that intervals become as narrow as wanted with few units:
 * Neyman's allocation (Cochran, Sampling Techniques, 5.5), repeated while the variances become
 * known. */
#ifndef BSR_STATS_ADAPTIVE_H
#define BSR_STATS_ADAPTIVE_H

#include <stddef.h>
#include <stdint.h>

#include "bitseer/status.h"
#include "stats/stratified.h"

typedef struct bsr_adaptive {
    double group_margin; /* wanted half-width of every group's mean; Inf: none wanted */
    double whole_margin; /* the same for the mean of all strata */
    double confidence;   /* that the final intervals will be read with, in (0, 1) */
    uint64_t first;      /* units per stratum in the first round, at least 2 */
    double growth;       /* a round at most multiplies the units of what is not done by this; > 1 */
    bsr_units units;     /* which rules the intervals follow */
    double largest;      /* value that units reach, 0: 1; rarer and larger ones may be missed */
    const double *cost;  /* [strata] of observing one unit, in any measure; NULL: all alike */
} bsr_adaptive;

/* more[h] = units to be observed next of stratum h; 0 everywhere when all margins are met or the
 * population is exhausted. group[h] ascends (equal numbers are one group, say a layer). A pure
 * function of what is observed.
 *
 * First every stratum gets `first` units, and at least W_h largest z^2 / margin for each margin it
 * is under, W_h its weight there: what a stratum without any observed variance would need, so that
 * no interval looks narrow only because the rare, large units were missed. Then, for each group and
 * for the whole, the half-width max(mean - lo, hi - mean) of bsr_stratified is compared with the
 * margin; where it is larger, the total that would do is worked out from the v_h of
 * bsr_stratified_variances, cut by `growth`, and divided in proportion to
 * N_h sqrt(v_h / cost_h), N_h counting the faults of the units. A stratum
 * gets the larger of its group's and the whole's demand.
 *
 * At the end 95 % intervals of what has a margin cover 93-97 % (skewed layers, margins 0.2 to 1 %,
 * tests/unit/stats/adaptive.c), and 98 % where strata without observed variance widen them. Without
 * the first rule, 50 first units gave 68 %.
 *
 * EINVAL: no strata, groups that do not ascend, a margin not above 0, confidence outside (0, 1),
 * first below 2, growth not above 1; ENOMEM. more[] is undefined then. O(count), times the
 * number of kinds of strata that show no variance. */
bsr_status bsr_adaptive_next(uint64_t *more, const bsr_stratum *strata, const size_t *group,
                             size_t count, const bsr_adaptive *how);

#endif
