/* Mean and variance of normal variables behind piecewise linear functions: how the disturbance of a
 * neuron passes ReLU, clipping and pooling. Fixed sequences of IEEE operations: the same bits on
 * every machine. NaN, or a variance below 0, gives NaN. Thread-safe, O(1) unless said.
 *
 * Formulas and where they come from: docs/theory/statistical-models.md. */
#ifndef BSR_STATS_NORMAL_MOMENTS_H
#define BSR_STATS_NORMAL_MOMENTS_H

typedef struct bsr_moments {
    double mean, variance;
} bsr_moments;

/* Of max(Y, 0), Y ~ N(mean, variance). Relative error of both below 1e-12, however far the mean is
 * from 0; variance 0 is exact. */
bsr_moments bsr_moments_relu(double mean, double variance);

/* Of Y clipped to [lo, hi], lo <= hi (else NaN), either may be infinite. Absolute errors below
 * 1e-14 standard deviations of Y, or that squared, beyond the rounding of the mean; exact for
 * variance 0. */
bsr_moments bsr_moments_clip(double mean, double variance, double lo, double hi);

/* Of max(y + D, 0) - max(y, 0), D ~ N(mean, variance): the disturbance behind a ReLU of a neuron
 * whose golden value is y. Its mean square error is variance + mean^2. Relative error of the
 * variance below 1e-12. */
bsr_moments bsr_disturbance_relu(double y, double mean, double variance);

/* Averages of the latter over a layer whose golden values are N(0, signal), for disturbances of
 * mean 0 and variance `noise`: mean square error and mean. Of two rectified correlated normals, as
 * in Y. Cho, L. K. Saul, "Kernel methods for deep learning", NIPS 2009, eq. 6. Relative error below
 * 1e-12; infinite arguments give NaN. */
double bsr_relu_layer_square(double signal, double noise);
double bsr_relu_layer_mean(double signal, double noise);

/* Of max(A, B), A and B normal with the covariance given: C. E. Clark, "The greatest of a finite
 * set of random variables", Operations Research 9(2), 1961, eqs. 2 to 5. Exact up to rounding.
 * Where variance(A - B) is not above 0, A and B differ by a constant and the one with the greater
 * mean is the greatest. */
bsr_moments bsr_moments_max2(bsr_moments a, bsr_moments b, double covariance);

/* Of the greatest of n normals, n >= 1, of which every two have the same covariance (0:
 * independent), taken for normal after every step (Clark's recursion, from the first to the last):
 * for four equal independent ones the mean is 0.2 % too great and the variance 4 % too small, for
 * nine 0.1 % and 11 %. O(n). */
bsr_moments bsr_moments_max(const bsr_moments *x, int n, double covariance);

#endif
