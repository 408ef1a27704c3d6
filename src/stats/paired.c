#include "stats/paired.h"

#include <inttypes.h>
#include <math.h>

#include "base/error.h"
#include "stats/special.h"

#define MAX_PAIRS 1000000000

/* P(X <= k), X binomial (n, 1/2), 0 <= k < n: DLMF 8.17.5. NaN for n beyond the beta function's
 * range. */
static double lower_tail(uint64_t k, uint64_t n)
{
    return n <= MAX_PAIRS ? bsr_beta_cdf(0.5, (double)(n - k), (double)k + 1) : NAN;
}

static uint64_t pairs(uint64_t b, uint64_t c)
{
    return b > MAX_PAIRS || c > MAX_PAIRS ? UINT64_MAX : b + c;
}

double bsr_mcnemar(uint64_t b, uint64_t c)
{
    if (b == c)
        return 1;
    double p = 2 * lower_tail(b < c ? b : c, pairs(b, c));
    return p > 1 ? 1 : p;
}

double bsr_mcnemar_mid_p(uint64_t b, uint64_t c)
{
    if (b == c)
        return 1;
    uint64_t n = pairs(b, c);
    uint64_t least = b < c ? b : c;
    return lower_tail(least, n) + (least > 0 ? lower_tail(least - 1, n) : 0);
}

bsr_status bsr_paired_init(bsr_stratum *s, uint64_t units, uint64_t denominator)
{
    if (denominator > BSR_MAX_DENOMINATOR / 2)
        return bsr_fail(BSR_EINVAL,
                        "paired stratum: denominator is %" PRIu64 ", expected 1..%" PRIu64,
                        denominator, BSR_MAX_DENOMINATOR / 2);
    return bsr_stratum_init(s, units, 2 * denominator);
}

bsr_status bsr_paired_add(bsr_stratum *s, uint64_t count_a, uint64_t count_b)
{
    uint64_t denominator = s->denominator / 2;
    if (count_a > denominator || count_b > denominator)
        return bsr_fail(BSR_EINVAL,
                        "paired stratum: counts are %" PRIu64 " and %" PRIu64
                        ", denominator is %" PRIu64,
                        count_a, count_b, denominator);
    return bsr_stratum_add(s, count_a + denominator - count_b);
}

bsr_status bsr_paired(bsr_difference *out, const bsr_stratum *strata, size_t count,
                      double confidence)
{
    *out = (bsr_difference){.df = INFINITY};
    bsr_estimate e;
    BSR_TRY(bsr_stratified_differences(&e, strata, count, confidence));
    /* y = (d + 1) / 2 */
    *out = (bsr_difference){.mean = 2 * e.mean - 1,
                            .variance = 4 * e.variance,
                            .df = e.df,
                            .ci = {2 * e.ci.lo - 1, 2 * e.ci.hi - 1},
                            .degenerate = e.degenerate};
    return BSR_OK;
}
