#include "base/fixed_math.h"

#include <math.h>

#define LN2_HIGH 0x1.62e42fefa38p-1 /* 42 bits: times an exponent it is exact */
#define LN2_LOW  0x1.ef35793c7673p-45

double bsr_fixed_exp(double x)
{
    if (x < -745.2)
        return 0;
    if (x > 709.78)
        return INFINITY;
    if (isnan(x)) /* not to be converted to int below */
        return x;
    double k = rint(x * 1.4426950408889634);
    double r = fma(-k, LN2_HIGH, x) - k * LN2_LOW; /* |r| <= log(2) / 2 */
    double sum = 1;
    for (int i = 13; i >= 1; i--) /* Taylor; the first term left out is below 2^-57 */
        sum = fma(sum, r / i, 1);
    return ldexp(sum, (int)k);
}

double bsr_fixed_log(double x)
{
    if (!(x > 0))
        return x == 0 ? -INFINITY : NAN;
    if (isinf(x))
        return x;
    int k;
    double m = frexp(x, &k);
    if (m < 0.70710678118654752) {
        m *= 2;
        k--;
    }
    /* log m = 2 artanh(s), |s| < 0.172: 12 terms leave less than 2^-60 */
    double s = (m - 1) / (m + 1);
    double s2 = s * s;
    double tail = 0;
    for (int j = 11; j >= 1; j--)
        tail = s2 * (1.0 / (2 * j + 1) + tail);
    return k * LN2_HIGH + (k * LN2_LOW + 2 * (s + s * tail));
}

/* In both the rounding error of the inner result cancels in the quotient (W. Kahan). */
double bsr_fixed_log1p(double x)
{
    double u = 1 + x;
    if (u == 1 || isinf(u))
        return x;
    return bsr_fixed_log(u) * (x / (u - 1));
}

double bsr_fixed_expm1(double x)
{
    double u = bsr_fixed_exp(x);
    if (u == 1)
        return x;
    if (isinf(u) || u - 1 == -1)
        return u - 1;
    return (u - 1) * (x / bsr_fixed_log(u));
}
