#include "stats/normal_moments.h"

#include <math.h>

#include "stats/special.h"

#define PI      3.14159265358979323846
#define SQRT_PI 1.77245385090551602730
#define FAR     39.0 /* the normal density beyond is below the smallest double */

static const bsr_moments nothing = {NAN, NAN};

/* Of (Z - t)+, Z standard normal, t >= 0. */
typedef struct excess {
    double first, square; /* E[(Z - t)+], E[((Z - t)+)^2] */
    double lost;          /* E[Z^2] - E[min(Z, t)^2], which is square + 2 t first */
} excess;

static excess excess_above(double t)
{
    if (t > FAR)
        return (excess){0, 0, 0};
    excess e;
    double density = bsr_normal_pdf(t);
    if (t < 2) {
        double tail = bsr_normal_cdf(-t);
        e.first = density - t * tail;
        e.square = (1 + t * t) * tail - t * density;
    } else {
        /* The differences would cancel. The integrals I_n of the tail (I_0 = tail, I_1 = first,
         * 2 I_2 = square) have I_(n-1) = t I_n + (n + 1) I_(n+1), hence the ratios
         * r_n = I_n / I_(n-1) = 1 / (t + (n + 1) r_(n+1)) of positive terms (DLMF 7.18.7). */
        double r = 0, r1 = 0, r2 = 0;
        for (int n = 90; n >= 0; n--) {
            r2 = r1;
            r1 = r;
            r = 1 / (t + (n + 1) * r);
        }
        e.first = density * r * r1;
        e.square = 2 * e.first * r2;
    }
    e.lost = e.square + 2 * t * e.first;
    return e;
}

/* A variance of rounded terms. */
static double at_least_0(double variance)
{
    return variance < 0 ? 0 : variance;
}

bsr_moments bsr_moments_relu(double mean, double variance)
{
    if (isnan(mean) || !(variance >= 0))
        return nothing;
    if (variance == 0)
        return (bsr_moments){mean > 0 ? mean : 0, 0};
    double s = sqrt(variance);
    excess e = excess_above(fabs(mean) / s);
    if (mean < 0)
        return (bsr_moments){s * e.first, variance * (e.square - e.first * e.first)};
    return (bsr_moments){mean + s * e.first, variance * (1 - e.lost - e.first * e.first)};
}

/* For a mean nearer to lo than to hi. */
static bsr_moments clip_near_lo(double mean, double variance, double lo, double hi)
{
    double s = sqrt(variance);
    excess below = excess_above(fabs(mean - lo) / s), above = excess_above((hi - mean) / s);
    double shift = below.first - above.first;
    if (mean >= lo) {
        double square = 1 - below.lost - above.lost;
        return (bsr_moments){mean + s * shift, variance * at_least_0(square - shift * shift)};
    }
    double width = isinf(hi) ? 0 : 2 * (hi - lo) / s * above.first;
    double square = below.square - above.square - width;
    return (bsr_moments){lo + s * shift, variance * at_least_0(square - shift * shift)};
}

bsr_moments bsr_moments_clip(double mean, double variance, double lo, double hi)
{
    if (isnan(mean) || !(variance >= 0) || !(lo <= hi))
        return nothing;
    if (variance == 0 || lo == hi)
        return (bsr_moments){mean < lo ? lo : mean > hi ? hi : mean, 0};
    if (mean - lo <= hi - mean)
        return clip_near_lo(mean, variance, lo, hi);
    bsr_moments mirrored = clip_near_lo(-mean, variance, -hi, -lo);
    return (bsr_moments){-mirrored.mean, mirrored.variance};
}

bsr_moments bsr_disturbance_relu(double y, double mean, double variance)
{
    double disturbed = y + mean;
    if (isnan(disturbed) || !(variance >= 0))
        return nothing;
    /* Where neither is cut, the mean itself, which y + mean would round. */
    double shift =
        y >= 0 && disturbed >= 0 ? mean : (disturbed > 0 ? disturbed : 0) - (y > 0 ? y : 0);
    if (variance == 0)
        return (bsr_moments){shift, 0};
    double s = sqrt(variance);
    return (bsr_moments){shift + s * excess_above(fabs(disturbed) / s).first,
                         bsr_moments_relu(disturbed, variance).variance};
}

/* r - atan(r), r >= 0. */
static double minus_atan(double r)
{
    if (r < 0.4) { /* the difference would cancel; r^2 < 0.16 */
        double r2 = r * r, sum = 0;
        for (int k = 20; k >= 1; k--)
            sum = 1.0 / (2 * k + 1) - r2 * sum;
        return r * r2 * sum;
    }
    /* atan r = 4 atan q by halving the angle twice; q < tan(pi / 8) */
    double q = r;
    for (int i = 0; i < 2; i++)
        q = q / (1 + sqrt(1 + q * q));
    double q2 = q * q, sum = 0;
    for (int k = 22; k >= 0; k--)
        sum = 1.0 / (2 * k + 1) - q2 * sum;
    return r - 4 * q * sum;
}

double bsr_relu_layer_square(double signal, double noise)
{
    if (!(signal >= 0 && noise >= 0))
        return NAN;
    double r2 = noise / signal;
    if (noise == 0)
        return 0;
    if (r2 > 1e30) /* signal is 0, or next to the noise nothing */
        return noise / 2;
    return noise / 2 - signal / PI * minus_atan(sqrt(r2));
}

double bsr_relu_layer_mean(double signal, double noise)
{
    if (!(signal >= 0 && noise >= 0))
        return NAN;
    /* (sqrt(signal + noise) - sqrt(signal)) / sqrt(2 pi) */
    double roots = sqrt(signal + noise) + sqrt(signal);
    return noise == 0 ? 0 : noise / roots / (sqrt(2) * SQRT_PI);
}

bsr_moments bsr_moments_max2(bsr_moments a, bsr_moments b, double covariance)
{
    if (isnan(a.mean) || isnan(b.mean) || !(a.variance >= 0) || !(b.variance >= 0) ||
        isnan(covariance))
        return nothing;
    if (a.mean > b.mean) {
        bsr_moments greater = a;
        a = b;
        b = greater;
    }
    double variance = a.variance + b.variance - 2 * covariance;
    if (variance <= 0)
        return b;
    /* B + (A - B)+, and cov(B, (A - B)+) = cov(B, A - B) P(A > B), C. M. Stein: terms that stay
     * small where the means are large, unlike E[max^2] - E[max]^2. */
    double difference = a.mean - b.mean;
    bsr_moments gain = bsr_moments_relu(difference, variance);
    double p = bsr_normal_cdf(difference / sqrt(variance));
    double rest = b.variance - 2 * (b.variance - covariance) * p + gain.variance;
    return (bsr_moments){b.mean + gain.mean, at_least_0(rest)};
}

bsr_moments bsr_moments_max(const bsr_moments *x, int n, double covariance)
{
    bsr_moments greatest = x[0];
    /* Clark's eq. 6: the greatest of two has with a third the covariance c P + c (1 - P) = c. */
    for (int i = 1; i < n; i++)
        greatest = bsr_moments_max2(greatest, x[i], covariance);
    return greatest;
}
