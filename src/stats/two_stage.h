/* Two-stage sampling: some clusters of a stratum, some units of each (W. G. Cochran, Sampling
 * Techniques, 3rd edition, chapter 10). Here a stratum is a layer, a cluster a channel, a unit a
 * site: DeepVigor+'s sampling (Eq. 16). */
#ifndef BSR_STATS_TWO_STAGE_H
#define BSR_STATS_TWO_STAGE_H

#include "stats/stratified.h"

/* One stratum: clusters of the same size, of which those with n > 0 were drawn, with equal chances
 * and without replacement; and so were the units of each. */
typedef struct bsr_clustered {
    const bsr_stratum *clusters; /* [count], all of the stratum */
    size_t count;
} bsr_clustered;

/* Weighted mean of the strata and its interval, weights being units times faults. The variance of a
 * stratum's mean is (1 - m/M) s_b^2 / m + sum over the m drawn clusters of (1 - n/N) s_w^2 / n
 * / (m M) (Cochran 10.14), s_b^2 being that between the means of clusters and s_w^2 that within
 * one, and the interval mean +- t sqrt(variance), cut to what units that were not observed leave
 * possible. Where one cluster of several was drawn nothing is known of how they differ, and the
 * interval takes all that is possible in that stratum; where several showed one value only, their
 * mean has the variance of rule (2) of stats/stratified.h, a cluster (or, where all were drawn, a
 * unit) taken for 0 or 1. EINVAL: no strata, or one without an observed unit, confidence outside
 * (0, 1). */
bsr_status bsr_two_stage(bsr_estimate *out, const bsr_clustered *strata, size_t n,
                         double confidence);

#endif
