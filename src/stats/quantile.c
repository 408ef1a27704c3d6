#include "stats/quantile.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "stats/special.h"
#include "stats/stratified.h"

double bsr_quantile(const double *ascending, size_t n, double q)
{
    if (n == 0 || !(q >= 0 && q <= 1))
        return NAN;
    double at = (double)(n - 1) * q;
    size_t below = (size_t)at;
    if (below + 1 >= n)
        return ascending[n - 1];
    double low = ascending[below];
    double high = ascending[below + 1];
    return fmin(low + (high - low) * (at - (double)below), high);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A. Neumaier's compensated sum. */
typedef struct sum {
    double total;
    double lost;
} sum;

static void add(sum *s, double x)
{
    double t = s->total + x;
    s->lost += fabs(s->total) >= fabs(x) ? (s->total - t) + x : (x - t) + s->total;
    s->total = t;
}

bsr_status bsr_summary_of(bsr_summary *out, const double *values, size_t n)
{
    *out = (bsr_summary){.n = n};
    if (n == 0)
        return bsr_fail(BSR_EINVAL, "summary: 0 values, expected at least 1");
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return bsr_fail(BSR_EINVAL, "summary: value %zu is %g, expected a finite one", i,
                            values[i]);
    double *x = bsr_alloc_array(n, sizeof *x);
    if (!x)
        return BSR_ENOMEM;
    memcpy(x, values, n * sizeof *x);
    qsort(x, n, sizeof *x, compare);

    /* Relative to the median, so that values that agree in most digits lose none. */
    double origin = x[n / 2];
    sum first = {0, 0};
    for (size_t i = 0; i < n; i++)
        add(&first, x[i] - origin);
    double shift = (first.total + first.lost) / (double)n;
    sum squares = {0, 0};
    for (size_t i = 0; i < n; i++)
        add(&squares, (x[i] - origin - shift) * (x[i] - origin - shift));
    out->mean = origin + shift;
    out->sd = n > 1 ? sqrt((squares.total + squares.lost) / (double)(n - 1)) : NAN;
    out->min = x[0];
    out->q05 = bsr_quantile(x, n, 0.05);
    out->q25 = bsr_quantile(x, n, 0.25);
    out->median = bsr_quantile(x, n, 0.5);
    out->q75 = bsr_quantile(x, n, 0.75);
    out->q95 = bsr_quantile(x, n, 0.95);
    out->max = x[n - 1];
    bsr_free(x);
    return BSR_OK;
}

bsr_status bsr_mean_of_runs(bsr_run_mean *out, const uint64_t *counts, size_t runs,
                            uint64_t denominator, double confidence)
{
    *out = (bsr_run_mean){.sd = NAN};
    if (runs < 2)
        return bsr_fail(BSR_EINVAL, "mean of runs: %zu runs, expected at least 2", runs);
    if (!(confidence > 0 && confidence < 1))
        return bsr_fail(BSR_EINVAL, "mean of runs: confidence is %g, expected between 0 and 1",
                        confidence);
    bsr_stratum s; /* exact sums, and the checks of the arguments */
    BSR_TRY(bsr_stratum_init(&s, UINT64_C(1) << 53, denominator));
    for (size_t r = 0; r < runs; r++)
        BSR_TRY(bsr_stratum_add(&s, counts[r]));
    out->mean = bsr_stratum_mean(&s);
    out->sd = sqrt(bsr_stratum_variance(&s));
    out->degenerate = out->sd == 0;
    bsr_estimate e;
    BSR_TRY(bsr_stratified(&e, &s, 1, confidence));
    out->ci = e.ci;
    if (out->degenerate)
        return BSR_OK;
    double t = bsr_student_quantile(confidence, (double)(runs - 1));
    double half = t * out->sd / sqrt((double)runs);
    out->ci.lo = fmax(fmin(e.ci.lo, out->mean - half), 0);
    out->ci.hi = fmin(fmax(e.ci.hi, out->mean + half), 1);
    return BSR_OK;
}
