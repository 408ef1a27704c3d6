#include "stats/special.h"

#include <math.h>

#include "base/fixed_math.h"

#define SQRT_2PI     2.5066282746310005
#define HALF_LOG_2PI 0.91893853320467274178
#define MAX_SHAPE    1e9

/* log_gamma(z) - ((z - 1/2) log z - z + log(2 pi) / 2), z > 0: DLMF 5.11.1, after stepping up to
 * where eight terms are enough. */
static double stirling_error(double z)
{
    static const double c[] = {1.0 / 12,   -1.0 / 360,        1.0 / 1260, -1.0 / 1680,
                               1.0 / 1188, -691.0 / 360360.0, 1.0 / 156,  -3617.0 / 122400};
    double steps = 0;
    for (; z < 12; z += 1)
        steps += (z + 0.5) * bsr_fixed_log1p(1 / z) - 1;
    double r2 = 1 / (z * z);
    double sum = 0;
    for (int i = 7; i >= 0; i--)
        sum = fma(sum, r2, c[i]);
    return steps + sum / z;
}

double bsr_log_gamma(double x)
{
    if (!(x >= 0))
        return NAN;
    if (x == 0 || isinf(x))
        return INFINITY;
    if (x < 0.5) /* the terms of Stirling's formula would cancel */
        return bsr_log_gamma(1 + x) - bsr_fixed_log(x);
    return ((x - 0.5) * bsr_fixed_log(x) - x) + HALF_LOG_2PI + stirling_error(x);
}

double bsr_normal_pdf(double z)
{
    return bsr_fixed_exp(-z * z / 2) / SQRT_2PI;
}

double bsr_normal_cdf(double z)
{
    double t = fabs(z);
    if (isnan(z))
        return NAN;
    if (t > 39)
        return z > 0;
    double density = bsr_normal_pdf(t);
    if (t < 2) { /* Abramowitz & Stegun 26.2.11: positive terms only */
        double term = t;
        double sum = t;
        for (int k = 3; k < 80; k += 2)
            sum += term *= t * t / k;
        return z < 0 ? 0.5 - density * sum : 0.5 + density * sum;
    }
    double fraction = t; /* Abramowitz & Stegun 26.2.14 */
    for (int k = 80; k >= 1; k--)
        fraction = t + k / fraction;
    double upper = density / fraction;
    return z < 0 ? upper : 1 - upper;
}

static double ratio(const double num[8], const double den[8], double r)
{
    double n = num[7];
    double d = den[7];
    for (int i = 6; i >= 0; i--) {
        n = n * r + num[i];
        d = d * r + den[i];
    }
    return n / d;
}

double bsr_normal_quantile(double p)
{
    /* AS 241's a/b (centre), c/d (tail) and e/f (far tail). */
    static const double a[8] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                                1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                3.3430575583588128105e+4, 2.5090809287301226727e+3};
    static const double b[8] = {1.0,
                                4.2313330701600911252e+1,
                                6.8718700749205790830e+2,
                                5.3941960214247511077e+3,
                                2.1213794301586595867e+4,
                                3.9307895800092710610e+4,
                                2.8729085735721942674e+4,
                                5.2264952788528545610e+3};
    static const double c[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                5.76949722146069140550e0,  3.64784832476320460504e0,
                                1.27045825245236838258e0,  2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double d[8] = {1.0,
                                2.05319162663775882187e0,
                                1.67638483018380384940e0,
                                6.89767334985100004550e-1,
                                1.48103976427480074590e-1,
                                1.51986665636164571966e-2,
                                5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
    static const double e[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                1.78482653991729133580e0,  2.96560571828504891230e-1,
                                2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double f[8] = {1.0,
                                5.99832206555887937690e-1,
                                1.36929880922735805310e-1,
                                1.48753612908506148525e-2,
                                7.86869131145613259100e-4,
                                1.84631831751005468180e-5,
                                1.42151175831644588870e-7,
                                2.04426310338993978564e-15};
    if (!(p >= 0 && p <= 1))
        return NAN;
    if (p == 0 || p == 1)
        return p == 0 ? -INFINITY : INFINITY;
    double q = p - 0.5;
    if (fabs(q) <= 0.425)
        return q * ratio(a, b, 0.180625 - q * q);
    double r = sqrt(-bsr_fixed_log(q < 0 ? p : 1 - p));
    double z = r <= 5 ? ratio(c, d, r - 1.6) : ratio(e, f, r - 5);
    return q < 0 ? -z : z;
}

double bsr_normal_two_sided(double confidence)
{
    if (!(confidence > 0 && confidence < 1))
        return NAN;
    return -bsr_normal_quantile((1 - confidence) / 2);
}

/* Loader's deviance a log(a / m) + m - a, with d = a - m computed by the caller without
 * cancellation. */
static double deviance(double a, double m, double d)
{
    if (fabs(d) >= 0.1 * (a + m))
        return a * bsr_fixed_log(a / m) - d;
    double v = d / (a + m);
    double v2 = v * v;
    double term = 2 * a * v;
    double sum = d * v;
    for (int j = 1; j < 12; j++) { /* v2 <= 0.01 */
        term *= v2;
        sum += term / (2 * j + 1);
    }
    return sum;
}

/* x^a (1 - x)^b / B(a, b), 0 < x < 1. */
static double beta_prefactor(double x, double a, double b)
{
    double n = a + b;
    double mean = n * x;
    double d = fma(-n, x, a);
    double exponent = stirling_error(n) - stirling_error(a) - stirling_error(b) -
                      deviance(a, mean, d) - deviance(b, n - mean, -d);
    return sqrt(a / n * b) / SQRT_2PI * bsr_fixed_exp(exponent);
}

/* The continued fraction DLMF 8.17.22 by the modified Lentz method, for x below the mean. */
static double beta_fraction(double x, double a, double b)
{
    const double tiny = 1e-300;
    double c = 1;
    double d = 1 / (1 - (a + b) * x / (a + 1));
    double h = d;
    for (int m = 1; m < 200000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        const double step[2] = {even, odd};
        double change = 1;
        for (int i = 0; i < 2; i++) {
            d = 1 + step[i] * d;
            c = 1 + step[i] / c;
            d = 1 / (d == 0 ? tiny : d);
            c = c == 0 ? tiny : c;
            change = d * c;
            h *= change;
        }
        if (fabs(change - 1) < 0x1p-52)
            break;
    }
    return h;
}

double bsr_beta_cdf(double x, double a, double b)
{
    if (!(x >= 0 && x <= 1 && a > 0 && b > 0 && a <= MAX_SHAPE && b <= MAX_SHAPE))
        return NAN;
    if (x == 0 || x == 1)
        return x;
    double prefactor = beta_prefactor(x, a, b);
    if (x < (a + 1) / (a + b + 2))
        return prefactor * beta_fraction(x, a, b) / a;
    return 1 - prefactor * beta_fraction(1 - x, b, a) / b;
}

double bsr_beta_quantile(double p, double a, double b)
{
    if (!(p >= 0 && p <= 1 && a > 0 && b > 0 && a <= MAX_SHAPE && b <= MAX_SHAPE))
        return NAN;
    if (p == 0 || p == 1)
        return p;
    double low = 0;
    double high = 1;
    double x = a / (a + b);
    /* 1100 halvings reach the smallest double; Newton takes over long before for usual shapes. */
    for (int i = 0; i < 1200; i++) {
        double excess = bsr_beta_cdf(x, a, b) - p;
        if (excess == 0)
            break;
        *(excess < 0 ? &low : &high) = x;
        double next = x - excess * x * (1 - x) / beta_prefactor(x, a, b);
        if (!(next > low && next < high))
            next = (low + high) / 2;
        int settled = fabs(next - x) <= 0x1p-51 * x || next == low || next == high;
        x = next;
        if (settled)
            break;
    }
    return x;
}

double bsr_student_quantile(double confidence, double df)
{
    if (!(confidence > 0 && confidence < 1 && df > 0))
        return NAN;
    if (df > MAX_SHAPE)
        return bsr_normal_two_sided(confidence);
    /* P(T^2 <= t^2) = I_y(1/2, df/2), y = t^2 / (df + t^2): DLMF 8.17 and A&S 26.7.1 */
    double y = bsr_beta_quantile(confidence, 0.5, df / 2);
    return sqrt(df * y / (1 - y));
}
