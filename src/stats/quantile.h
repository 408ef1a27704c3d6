/* What a handful of runs say: order statistics of a sample, and the mean with its interval. */
#ifndef BSR_STATS_QUANTILE_H
#define BSR_STATS_QUANTILE_H

#include <stddef.h>
#include <stdint.h>

#include "bitseer/status.h"
#include "stats/interval.h"

/* The q-quantile, q in [0, 1], of n >= 1 ascending values: linear between the order statistics
 * around (n - 1) q, type 7 of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages",
 * The American Statistician 50, 1996 (the default of R and numpy). NaN for other arguments. */
double bsr_quantile(const double *ascending, size_t n, double q);

typedef struct bsr_summary {
    size_t n;
    double mean;
    double sd; /* divisor n - 1; NaN for n == 1, exactly 0 when all are equal */
    double min;
    double q05;
    double q25;
    double median;
    double q75;
    double q95;
    double max;
} bsr_summary;

/* Of n >= 1 finite values in any order, which does not change a bit of the result. mean and sd are
 * within a few ulp however close the values are (two passes, compensated). EINVAL: n is 0 or a
 * value is not finite; ENOMEM. */
bsr_status bsr_summary_of(bsr_summary *out, const double *values, size_t n);

typedef struct bsr_run_mean {
    double mean;
    double sd; /* of single runs */
    bsr_interval ci;
    int degenerate; /* the runs were all equal */
} bsr_run_mean;

/* Mean share over independent runs (fault patterns, chips), of which run r got counts[r] of
 * `denominator` images right, with a two-sided interval for the mean over all possible runs on the
 * same images, cut to [0, 1]. Each end is the farther one of Student's mean +- t sd / sqrt(runs)
 * and of the score interval of bsr_stratified: the first is exact for normal shares and misses too
 * often on the side of rare bad runs, where the second is wider.
 *
 * Coverage at nominal 95 %: 93-97 % for 5, 20 and 50 runs of normal or mildly skewed shares; 91 %
 * for 5 runs with exponential losses (table in docs/theory/estimators.md). Where one run in twenty
 * collapses, few runs may see no such run, and no interval from these runs is right.
 *
 * Runs that are all equal tell nothing about how runs differ: the interval is then the score
 * interval for `runs` units of 2^53, which is wide. EINVAL: fewer than 2 runs, denominator
 * outside 1..BSR_MAX_DENOMINATOR, a count above it, confidence outside (0, 1); ENOMEM. */
bsr_status bsr_mean_of_runs(bsr_run_mean *out, const uint64_t *counts, size_t runs,
                            uint64_t denominator, double confidence);

#endif
