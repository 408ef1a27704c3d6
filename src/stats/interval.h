/* Two-sided confidence intervals of a proportion from `successes` in n draws. Counts are doubles,
 * so sums of values in [0, 1] are welcome where a function says so. Invalid arguments (n < 0,
 * successes outside [0, n], confidence outside (0, 1), 0 < N < n, NaN) give {NaN, NaN}; n == 0
 * gives [0, 1]. Pure functions. */
#ifndef BSR_STATS_INTERVAL_H
#define BSR_STATS_INTERVAL_H

typedef struct bsr_interval {
    double lo;
    double hi;
} bsr_interval;

/* Score interval of E. B. Wilson, "Probable inference, the law of succession, and statistical
 * inference", JASA 22, 1927. N is the population drawn from without replacement, 0 for an infinite
 * one: n becomes n (N - 1) / (N - n), and the result is cut to what the n observed units leave
 * possible, [successes / N, 1 - (n - successes) / N]; n == N gives the point successes / n.
 * Coverage is the nominal one on average over p, not for every p: near p = 0 or 1 it oscillates and
 * may fall a few per cent short (about 0.84 at nominal 0.95 where n p is near 0.17); where that
 * matters use bsr_clopper_pearson. */
bsr_interval bsr_wilson(double successes, double n, double N, double confidence);

/* C. J. Clopper and E. S. Pearson, Biometrika 26, 1934: coverage is at least nominal for every p,
 * whole `successes` and n <= 1e9; conservative, and more so for a finite population. */
bsr_interval bsr_clopper_pearson(double successes, double n, double confidence);

/* One-sided: the greatest share that leaves a probability of 1 - confidence to see `successes` or
 * fewer in n draws (Clopper and Pearson); 1 for n == 0. */
double bsr_upper_share(double successes, double n, double confidence);

/* p +- z sqrt(p (1 - p) / n (N - n) / (N - 1)), cut to [0, 1]: the interval behind the sample sizes
 * of stats/sample_size.h. For comparison with published figures only: its width is 0 at p = 0. */
bsr_interval bsr_wald(double successes, double n, double N, double confidence);

#endif
