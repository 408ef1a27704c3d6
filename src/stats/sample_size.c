#include "stats/sample_size.h"

#include <inttypes.h>
#include <math.h>

#include "base/error.h"

bsr_status bsr_sample_size_real(double *n, double N, double e, double t, double p)
{
    *n = NAN;
    if (!(N == 0 || (N >= 1 && isfinite(N))))
        return bsr_fail(BSR_EINVAL, "sample size: population is %g, expected 1 or more", N);
    if (!(e > 0 && e < 1))
        return bsr_fail(BSR_EINVAL, "sample size: margin is %g, expected between 0 and 1", e);
    if (!(t > 0 && isfinite(t)))
        return bsr_fail(BSR_EINVAL, "sample size: t is %g, expected above 0", t);
    if (!(p > 0 && p < 1))
        return bsr_fail(BSR_EINVAL, "sample size: p is %g, expected between 0 and 1", p);
    double infinite = t * t * p * (1 - p) / (e * e);
    /* equation 4, divided through by what it is for an infinite population */
    *n = N == 0 ? infinite : N / (1 + (N - 1) / infinite);
    return BSR_OK;
}

bsr_status bsr_sample_size(uint64_t *n, uint64_t N, double e, double t, double p)
{
    *n = 0;
    double size;
    BSR_TRY(bsr_sample_size_real(&size, (double)N, e, t, p));
    /* 9604 must not become 9605 because 0.01 is not a binary fraction. */
    size = ceil(size * (1 - 1e-12));
    if (!(size < 0x1p63))
        return bsr_fail(BSR_ELIMIT, "sample size: %g draws for margin %g, limit is 2^63", size, e);
    *n = (uint64_t)fmax(size, 1);
    if (N > 0 && *n > N)
        *n = N;
    return BSR_OK;
}

bsr_status bsr_margin(double *e, uint64_t n, uint64_t N, double t, double p)
{
    *e = NAN;
    if (n == 0 || (N > 0 && n > N))
        return bsr_fail(BSR_EINVAL, "margin: %" PRIu64 " draws from a population of %" PRIu64, n,
                        N);
    if (!(t > 0 && isfinite(t)))
        return bsr_fail(BSR_EINVAL, "margin: t is %g, expected above 0", t);
    if (!(p >= 0 && p <= 1))
        return bsr_fail(BSR_EINVAL, "margin: p is %g, expected 0..1", p);
    double correction = 1;
    if (N > 0)
        correction = n == N ? 0 : (double)(N - n) / (double)(N - 1);
    *e = t * sqrt(p * (1 - p) / (double)n * correction);
    return BSR_OK;
}
