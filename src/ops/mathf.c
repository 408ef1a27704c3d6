#include "ops/mathf.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Every float function below is evaluated in double and rounded once, so the truncation and
 * rounding errors of the double sequence (below 2^-29 relative) move a result by less than 0.01 ulp
 * away from correct rounding. Only +, -, *, / and exact functions (rint, fabs, copysign) are used:
 * the compiler may not contract them (cmake/compiler.cmake), so the bits are the same everywhere.
 */

/* ln 2 = LN2_HI + LN2_LO, the first with 21 significant bits so that k * LN2_HI is exact for every
 * exponent k. */
#define LN2_HI    0x1.62e42p-1
#define LN2_LO    0x1.fdf473de6af28p-22
#define INV_LN2   0x1.71547652b82fep+0
#define SQRT_HALF 0x1.6a09e667f3bcdp-1
#define EXP_MAX   0x1.62e42fefa39efp+9    /* ln of the largest double */
#define EXP_MIN   (-0x1.74910d52d3053p+9) /* ln of the smallest subnormal, less one bit */
#define COUNT(a)  (int)(sizeof(a) / sizeof(a)[0])

static uint64_t bits_of(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static double from_bits(uint64_t u)
{
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* 2^k for a normal result, -1022 <= k <= 1023. */
static double power_of_two(int k)
{
    return from_bits((uint64_t)(k + 1023) << 52);
}

/* c[0] x^(n-1) + ... + c[n-1]. */
static double horner(double x, const double *c, int n)
{
    double y = c[0];
    for (int i = 1; i < n; i++)
        y = y * x + c[i];
    return y;
}

double bsr_exp(double x)
{
    /* (e^r - 1 - r) / r^2 = 1/2! + r/3! + ...; |r| <= ln(2)/2 makes the rest below 2^-57. */
    static const double taylor[] = {
        1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0,
        1.0 / 362880.0,     1.0 / 40320.0,     1.0 / 5040.0,     1.0 / 720.0,
        1.0 / 120.0,        1.0 / 24.0,        1.0 / 6.0,        1.0 / 2.0,
    };
    if (x != x)
        return x;
    if (x > EXP_MAX)
        return (double)INFINITY;
    if (x < EXP_MIN)
        return 0.0;
    double k = rint(x * INV_LN2);
    double hi = x - k * LN2_HI;
    double lo = k * LN2_LO;
    double r = hi - lo;
    double y = 1.0 + (hi - (lo - r * r * horner(r, taylor, COUNT(taylor))));
    /* Two steps: 2^1024 and the subnormal powers are no normal doubles. */
    int n = (int)k, half = n / 2;
    return y * power_of_two(half) * power_of_two(n - half);
}

double bsr_log(double x)
{
    /* log(1 + f) = 2 s + s R(s^2) with s = f / (2 + f), R(z) = 2 z/3 + 2 z^2/5 + ...;
     * 1 + f in [sqrt(1/2), sqrt(2)) gives z < 0.0295, the rest is below 2^-57. */
    static const double series[] = {
        2.0 / 23, 2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15, 2.0 / 13,
        2.0 / 11, 2.0 / 9,  2.0 / 7,  2.0 / 5,  2.0 / 3,
    };
    if (x != x || x == (double)INFINITY)
        return x;
    if (x == 0.0)
        return (double)-INFINITY;
    if (x < 0.0)
        return (double)NAN;
    int k = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        k = -54;
    }
    uint64_t u = bits_of(x);
    k += (int)(u >> 52) - 1022;
    double m = from_bits((u & 0x000fffffffffffffu) | 0x3fe0000000000000u); /* [1/2, 1) */
    if (m < SQRT_HALF) {
        m *= 2.0;
        k--;
    }
    double f = m - 1.0;
    double s = f / (2.0 + f);
    double z = s * s;
    double rest = z * horner(z, series, COUNT(series));
    /* 2 s = f - f^2/2 + s f^2/2 keeps f, which is exact, as the leading term. */
    double half_square = 0.5 * f * f;
    double dk = (double)k;
    return dk * LN2_HI - ((half_square - (s * (half_square + rest) + dk * LN2_LO)) - f);
}

float bsr_expf(float x)
{
    return (float)bsr_exp((double)x);
}

float bsr_logf(float x)
{
    return (float)bsr_log((double)x);
}

float bsr_sigmoidf(float x)
{
    return (float)(1.0 / (1.0 + bsr_exp(-(double)x)));
}

float bsr_tanhf(float x)
{
    double a = fabs((double)x);
    double y;
    if (a < 0x1p-10) /* the quotient would cancel; the next term is below 2^-42 */
        y = a * (1.0 - a * a / 3.0);
    else
        y = 1.0 - 2.0 / (bsr_exp(2.0 * a) + 1.0);
    return (float)copysign(y, (double)x);
}

float bsr_softplusf(float x)
{
    /* max(x, 0) + log(1 + t), t = e^-|x| in (0, 1]. u = 1 + t loses the low bits of t; the factor
     * t / (u - 1) puts them back. */
    double t = bsr_exp(-fabs((double)x));
    double u = 1.0 + t;
    double log1p_t = u == 1.0 ? t : bsr_log(u) * (t / (u - 1.0));
    return (float)(x > 0.0f ? (double)x + log1p_t : log1p_t);
}

float bsr_erff(float x)
{
    /* Chebyshev interpolation (mpmath.chebyfit, 40 digits), rounded to double:
     * erf(a) / a over a^2 in [0, 1], error below 4e-16, and
     * erfc(a) e^(a^2) over a - 2.5 in [-1.5, 1.5], error below 1.8e-9 (6.5e-10 after e^(-a^2)). */
    static const double near_zero[] = {
        9.4285969568341643e-9,  -1.5188281247335167e-7, 1.6310356513871741e-6,
        -1.4913300906316396e-5, 0.00012054681918310599, -0.00085483048717827406,
        0.0052239771541053047,  -0.026866170586496872,  0.11283791670580422,
        -0.376126389031744,     1.1283791670955122,
    };
    static const double tail[] = {
        1.0301512994682683e-7,  -4.264734348150259e-7,   9.7639015721739026e-7,
        -3.7472737729690637e-6, 1.6114106393804863e-5,   -5.9523157031741312e-5,
        0.00021091796377138611, -0.00073315296429098523, 0.0024670657614729185,
        -0.0080016938875954953, 0.024937994751043007,    -0.074347336742040678,
        0.21080636406114358,
    };
    if (x != x)
        return x;
    double a = fabs((double)x);
    double y = 1.0; /* erfc(4) = 1.5e-8 rounds away */
    if (a < 1.0)
        y = a * horner(a * a, near_zero, COUNT(near_zero));
    else if (a < 4.0)
        y = 1.0 - bsr_exp(-a * a) * horner(a - 2.5, tail, COUNT(tail));
    return (float)copysign(y, (double)x);
}

typedef enum parity { NOT_INTEGER, ODD, EVEN } parity;

/* The infinities and every double from 2^53 on are even. */
static parity parity_of(double y)
{
    double a = fabs(y);
    if (a >= 0x1p53)
        return EVEN;
    if (rint(a) != a)
        return NOT_INTEGER;
    return rint(a / 2.0) * 2.0 == a ? EVEN : ODD;
}

double bsr_pow(double x, double y)
{
    if (y == 0.0 || x == 1.0)
        return 1.0;
    if (x != x || y != y)
        return x + y;
    double a = fabs(x);
    if (a == 1.0 && fabs(y) == (double)INFINITY)
        return 1.0;
    parity p = parity_of(y);
    if (x < 0.0 && a != (double)INFINITY && p == NOT_INTEGER)
        return (double)NAN;
    /* log(0) = -inf and log(inf) = inf give the zeros and infinities of C99 Annex F through exp. */
    double power = bsr_exp(y * bsr_log(a));
    return signbit(x) && p == ODD ? -power : power;
}

float bsr_powf(float x, float y)
{
    return (float)bsr_pow((double)x, (double)y);
}
