/* Special functions of the interval estimates. Fixed sequences of IEEE double operations (+ - * /,
 * sqrt and base/fixed_math.h; no exp, log or lgamma of the C library), so that a report has the
 * same bits on every machine. Arguments outside a domain, and NaN, give NaN. Thread-safe. */
#ifndef BSR_STATS_SPECIAL_H
#define BSR_STATS_SPECIAL_H

/* log of the gamma function for x > 0; error below 1e-14 * max(1, |result|). +Inf at 0. */
double bsr_log_gamma(double x);

/* exp(-z^2 / 2) / sqrt(2 pi): the standard normal density; relative error below 1e-15 * (1 + z^2).
 * 0 at infinity. */
double bsr_normal_pdf(double z);

/* P(Z <= z), standard normal; relative error below 1e-13 down to z = -37. */
double bsr_normal_cdf(double z);

/* The z with P(Z <= z) = p, p in [0, 1] (-Inf and Inf at the ends); relative error below 1e-15 or
 * so. M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied
 * Statistics 37(3), 1988, PPND16. */
double bsr_normal_quantile(double p);

/* The t with P(|Z| <= t) = confidence in (0, 1): 1.959964 for 0.95, 2.575829 for 0.99. Relative
 * error as bsr_normal_quantile. */
double bsr_normal_two_sided(double confidence);

/* Regularised incomplete beta function I_x(a, b), x in [0, 1], a and b in (0, 1e9]: the beta
 * distribution function. Relative error below 1e-12 for a + b <= 1e6. Continued fraction DLMF
 * 8.17.22 with the saddle-point prefactor of C. Loader, "Fast and accurate computation of binomial
 * probabilities" (2000), which does not cancel for large a and b; O(sqrt(max(a, b))). */
double bsr_beta_cdf(double x, double a, double b);

/* The x with I_x(a, b) = p, p in [0, 1]: Newton steps kept inside a shrinking bracket. Relative
 * error below 1e-12 where p is not within 1e-4 of 0 or 1 and a + b <= 1e6. */
double bsr_beta_quantile(double p, double a, double b);

/* The t with P(|T| <= t) = confidence in (0, 1), Student's T with df > 0 degrees of freedom, which
 * need not be whole (above 1e9: the normal value). */
double bsr_student_quantile(double confidence, double df);

#endif
