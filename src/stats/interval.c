#include "stats/interval.h"

#include <math.h>

#include "stats/special.h"

static const bsr_interval invalid = {NAN, NAN};

static int valid(double successes, double n, double N, double confidence)
{
    return n >= 0 && isfinite(n) && successes >= 0 && successes <= n && confidence > 0 &&
           confidence < 1 && (N == 0 || N >= n);
}

bsr_interval bsr_wilson(double successes, double n, double N, double confidence)
{
    if (!valid(successes, n, N, confidence))
        return invalid;
    if (n == 0)
        return (bsr_interval){0, 1};
    double p = successes / n;
    if (n == N)
        return (bsr_interval){p, p};
    int finite = N > 0 && !isinf(N);
    double z = bsr_normal_two_sided(confidence);
    double t = z * z / (finite ? n * ((N - 1) / (N - n)) : n);
    double centre = (p + t / 2) / (1 + t);
    double half = sqrt(t * (p * (1 - p) + t / 4)) / (1 + t);
    double lo = finite ? successes / N : 0;
    double hi = finite ? 1 - (n - successes) / N : 1;
    /* At the ends rounding must not leave a sliver between the bound and 0 or 1. */
    return (bsr_interval){successes > 0 ? fmax(centre - half, lo) : 0,
                          successes < n ? fmin(centre + half, hi) : 1};
}

bsr_interval bsr_clopper_pearson(double successes, double n, double confidence)
{
    if (!valid(successes, n, 0, confidence))
        return invalid;
    double tail = (1 - confidence) / 2;
    double lo = successes > 0 ? bsr_beta_quantile(tail, successes, n - successes + 1) : 0;
    double hi = successes < n ? bsr_beta_quantile(1 - tail, successes + 1, n - successes) : 1;
    return (bsr_interval){lo, hi};
}

bsr_interval bsr_wald(double successes, double n, double N, double confidence)
{
    if (!valid(successes, n, N, confidence))
        return invalid;
    if (n == 0)
        return (bsr_interval){0, 1};
    double p = successes / n;
    double variance = p * (1 - p) / n;
    if (N > 0 && !isinf(N))
        variance = n == N ? 0 : variance * ((N - n) / (N - 1));
    double half = bsr_normal_two_sided(confidence) * sqrt(variance);
    return (bsr_interval){fmax(p - half, 0), fmin(p + half, 1)};
}

double bsr_upper_share(double successes, double n, double confidence)
{
    if (!valid(successes, n, 0, confidence))
        return NAN;
    return successes >= n ? 1 : bsr_beta_quantile(confidence, successes + 1, n - successes);
}
