#include "stats/two_stage.h"

#include <math.h>

#include "base/error.h"
#include "stats/special.h"

typedef struct part {
    double weight, mean, variance, df;
    double seen, unseen; /* weights of observed values and of units that were not */
    int open;            /* nothing is known of how clusters differ */
} part;

/* Of the mean of n values that were all the same; as in stats/stratified.c. */
static double constant_floor(double n, double mean, double z)
{
    double share = (n * mean + z * z / 2) / (n + z * z);
    return share * (1 - share) / (n + z * z);
}

static part estimate(const bsr_clustered *s, double z)
{
    part p = {0};
    double m = 0, M = (double)s->count, n_units = 0, sum = 0, squares = 0, within = 0;
    for (size_t i = 0; i < s->count; i++) {
        const bsr_stratum *c = &s->clusters[i];
        double N = (double)c->units, n = (double)c->n, faults = (double)c->faults;
        p.weight += N * faults;
        p.unseen += (N - n) * faults;
        if (!c->n)
            continue;
        double mean = bsr_stratum_mean(c);
        p.seen += n * faults * mean;
        n_units += n;
        m++;
        sum += mean;
        squares += mean * mean;
        if (c->n < c->units)
            within += (1 - n / N) * (c->n > 1 ? bsr_stratum_variance(c) : mean * (1 - mean)) / n;
    }
    p.mean = m > 0 ? sum / m : NAN;
    p.open = m < M && m < 2;
    p.df = fmax(m - 1, 1);
    if (m > 1 && m < M)
        p.variance = (1 - m / M) * fmax(squares - m * p.mean * p.mean, 0) / (m - 1) / m;
    p.variance += within / (m * M);
    if (p.variance == 0 && p.unseen > 0)
        p.variance = p.unseen / p.weight * constant_floor(m < M ? m : n_units, p.mean, z);
    return p;
}

bsr_status bsr_two_stage(bsr_estimate *out, const bsr_clustered *strata, size_t n,
                         double confidence)
{
    double weight = 0, seen = 0, unseen = 0, df = 0;
    double below = 0, above = 0; /* of the strata about which nothing is known */
    *out = (bsr_estimate){.df = INFINITY};
    if (!n)
        return bsr_fail(BSR_EINVAL, "two-stage estimate: 0 strata, expected at least 1");
    if (!(confidence > 0 && confidence < 1))
        return bsr_fail(BSR_EINVAL,
                        "two-stage estimate: confidence is %g, expected between 0 and 1",
                        confidence);
    double z = bsr_normal_two_sided(confidence);
    for (size_t h = 0; h < n; h++)
        weight += estimate(&strata[h], z).weight;
    for (size_t h = 0; h < n; h++) {
        part p = estimate(&strata[h], z);
        if (isnan(p.mean))
            return bsr_fail(BSR_EINVAL, "stratum %zu: no cluster of %zu observed", h,
                            strata[h].count);
        double W = p.weight / weight, v = W * W * p.variance;
        out->mean += W * p.mean;
        seen += p.seen;
        unseen += p.unseen;
        if (p.open) {
            below += W * p.mean - p.seen / weight;
            above += (p.seen + p.unseen) / weight - W * p.mean;
            continue;
        }
        out->variance += v;
        df += v * v / p.df;
    }
    double least = seen / weight, most = (seen + unseen) / weight, half = 0;
    if (out->variance > 0) {
        out->df = out->variance * out->variance / df;
        half = bsr_student_quantile(confidence, out->df) * sqrt(out->variance);
    }
    out->ci.lo = fmin(fmax(out->mean - half - below, least), out->mean);
    out->ci.hi = fmax(fmin(out->mean + half + above, most), out->mean);
    return BSR_OK;
}
