/* Moments of normals behind ReLU, clip and max. Values marked "mpmath": numeric integration of the
 * definitions (value times density, value squared times density) by python3-mpmath 1.2.1 with 40
 * digits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "stats/normal_moments.h"
#include "stats/normals.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_close(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance * fabs(expected)))
        fail_msg("got %.17g, expected %.17g", got, expected);
}

static void assert_moments(bsr_moments got, double mean, double variance, double tolerance)
{
    assert_close(got.mean, mean, tolerance);
    assert_close(got.variance, variance, tolerance);
}

static void assert_nan(bsr_moments got)
{
    assert_true(isnan(got.mean) && isnan(got.variance));
}

static void test_stats_normal_moments__relu(void **state)
{
    static const double rows[][4] = {
        /* mean, variance; mpmath */
        {0, 1, 0.39894228040143268, 0.34084505690810466},
        {1, 4, 1.3955931148026121, 2.2137628178142078},
        {-1, 4, 0.39559311480261206, 0.68206312762210292},
        {3, 0.25, 3.0000000000781785, 0.24999999951881762},
        {-3, 0.25, 7.8178489798548321e-11, 1.2111441857667695e-11},
        {-10, 1, 7.474560254589328e-25, 1.4529276957119803e-25},
        {-35, 1, 3.2088044826024768e-270, 1.8291375615393767e-271}, /* closed form, 80 digits */
        {10, 1, 10.0, 1.0},
        {1e6, 1, 1e6, 1.0},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_moments(bsr_moments_relu(rows[i][0], rows[i][1]), rows[i][2], rows[i][3], 1e-12);
    assert_moments(bsr_moments_relu(-1e6, 1), 0, 0, 0);
    assert_moments(bsr_moments_relu(-2, 0), 0, 0, 0);
    assert_moments(bsr_moments_relu(2, 0), 2, 0, 0);
    assert_nan(bsr_moments_relu(NAN, 1));
    assert_nan(bsr_moments_relu(1, NAN));
    assert_nan(bsr_moments_relu(1, -1));
}

/* A variance is never negative, falls with the mean, and the two ways to compute the tails meet. */
static void test_stats_normal_moments__relu_everywhere(void **state)
{
    double before = 2, mean_before = 1e9;
    for (double a = 45; a > -45; a -= 1.0 / 64) {
        bsr_moments m = bsr_moments_relu(a, 1);
        assert_true(m.variance >= 0 && m.mean >= 0);
        assert_true(m.variance <= before * (1 + 1e-13) && m.mean <= mean_before * (1 + 1e-13));
        before = m.variance;
        mean_before = m.mean;
    }
    static const double rows[][2] = {{2 - 1e-12, 2 + 1e-12}, {-2 - 1e-12, -2 + 1e-12}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bsr_moments m = bsr_moments_relu(rows[i][1], 1);
        assert_moments(bsr_moments_relu(rows[i][0], 1), m.mean, m.variance, 1e-11);
    }
    for (double scale = 1; scale < 1e7; scale *= 10)
        for (int sign = -1; sign <= 1; sign += 2) {
            bsr_moments m = bsr_moments_clip(sign * scale, 1, -1, 1);
            assert_true(m.variance >= 0 && m.variance <= 1 && fabs(m.mean) <= 1);
        }
}

static void test_stats_normal_moments__clip(void **state)
{
    static const double rows[][6] = {
        /* mean, variance, lo, hi; mpmath */
        {0.5, 0.09, 0, 6, 0.50594796550141725, 0.082689507251131998},
        {5.9, 1, 0, 6, 5.5490646690877528, 0.38157869413100423},
        {-2, 4, 0, 6, 0.16661665065850779, 0.27341417806363206},
        {9, 4, 0, 6, 5.941387800898882, 0.087934896651562751},
        {1, 100, 0, 0.5, 0.26494476818032041, 0.061447909926435562},
        {3, 1e-4, 0, 6, 3, 1e-4},
        {1, 4, 0, INFINITY, 1.3955931148026121, 2.2137628178142078},
        {-1, 4, -INFINITY, 0, -1.3955931148026121, 2.2137628178142078},
        {3, 4, -INFINITY, INFINITY, 3, 4},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const double *r = rows[i];
        assert_moments(bsr_moments_clip(r[0], r[1], r[2], r[3]), r[4], r[5], 1e-12);
    }
    bsr_moments even = bsr_moments_clip(0, 1, -1, 1);
    assert_true(fabs(even.mean) < 1e-15);
    assert_close(even.variance, 0.5160585509617133, 1e-13);
    assert_moments(bsr_moments_clip(7, 0, 0, 6), 6, 0, 0);
    assert_moments(bsr_moments_clip(7, 3, 2, 2), 2, 0, 0);
    assert_nan(bsr_moments_clip(0, 1, 1, 0));
    assert_nan(bsr_moments_clip(0, 1, NAN, 0));
}

static void test_stats_normal_moments__disturbance(void **state)
{
    static const double rows[][5] = {
        /* y, mean, variance; mpmath */
        {2, 0, 1, 0.0084907026168296375, 0.96019637078723408},
        {-2, 0, 1, 0.0084907026168296375, 0.0056966346835924944},
        {0.5, -0.2, 0.04, -0.19413864124747908, 0.035534948797063646},
        {-0.5, 0.2, 0.04, 0.0058613587525209267, 0.00087952489857229144},
        {3, 1e-9, 1e-4, 1e-9, 1e-4},
        {-3, 0, 0, 0, 0},
        {-3, 4, 0, 1, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const double *r = rows[i];
        assert_moments(bsr_disturbance_relu(r[0], r[1], r[2]), r[3], r[4], 1e-12);
    }
    assert_nan(bsr_disturbance_relu(NAN, 0, 1));
    assert_nan(bsr_disturbance_relu(0, 0, -1));
}

static void test_stats_normal_moments__layer(void **state)
{
    static const double rows[][4] = {
        /* signal, noise; the angular integral of the two correlated normals, mpmath */
        {1, 1, 0.43169011381620933, 0.16524730314632361},
        {1, 1e-6, 4.9989389676826731e-7, 1.9947109033295621e-7},
        {1, 100, 47.28517562073154, 3.6103780176392999},
        {4, 0.25, 0.11860663532568663, 0.024556019507077264},
        {1e-3, 10, 4.968665828388856, 1.2490136751361507},
        {0, 2, 1.0, 0.56418958354775629},
        {3, 0, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_close(bsr_relu_layer_square(rows[i][0], rows[i][1]), rows[i][2], 1e-12);
        assert_close(bsr_relu_layer_mean(rows[i][0], rows[i][1]), rows[i][3], 1e-12);
    }
    assert_true(isnan(bsr_relu_layer_square(-1, 1)) && isnan(bsr_relu_layer_mean(1, NAN)));
}

/* The layer's averages are the averages of what single neurons have. */
static void test_stats_normal_moments__layer_of_neurons(void **state)
{
    double square = 0, mean = 0, weight = 0;
    for (double y = -12; y <= 12; y += 1.0 / 512) { /* trapezoidal rule over N(0, 1) */
        bsr_moments d = bsr_disturbance_relu(y, 0, 0.3);
        double w = exp(-y * y / 2);
        square += w * (d.variance + d.mean * d.mean);
        mean += w * d.mean;
        weight += w;
    }
    /* d has a kink at y = 0, where the rule is only second order. */
    assert_close(bsr_relu_layer_square(1, 0.3), square / weight, 1e-4);
    assert_close(bsr_relu_layer_mean(1, 0.3), mean / weight, 1e-4);
}

static void test_stats_normal_moments__max2(void **state)
{
    static const double rows[][7] = {
        /* means and variances, covariance; mpmath, conditional on the difference */
        {0, 1, 0, 1, 0, 0.56418958354775629, 0.68169011381620933},
        {1, 1, 0, 2, .5, 1.1996412283742457, 1.0002522126524534},
        {-3, .5, 2, 1, -.4, 2.0001952970060592, 0.99877908313598535},
        {1000, 1, 1001, 1, .9, 1001.0019713232232, 0.99802479066155735},
        {0, 1, 6, .01, 0, 6.0000000001895363, 0.010000000035582071},
        {1, 2, 3, 2, 2, 3, 2},
        {1, 0, 3, 0, 0, 3, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const double *r = rows[i];
        bsr_moments a = {r[0], r[1]}, b = {r[2], r[3]};
        assert_moments(bsr_moments_max2(a, b, r[4]), r[5], r[6], 1e-12);
        assert_moments(bsr_moments_max2(b, a, r[4]), r[5], r[6], 1e-12);
    }
    assert_nan(bsr_moments_max2((bsr_moments){NAN, 1}, (bsr_moments){0, 1}, 0));
    assert_nan(bsr_moments_max2((bsr_moments){0, 1}, (bsr_moments){0, -1}, 0));
}

/* Expected greatest of n standard normals: 0.8462843753, 1.0293753730, 1.4850131622 for n = 3, 4, 9
 * (D. Teichroew, "Tables of expected values of order statistics", Annals of Mathematical Statistics
 * 27, 1956), variances 0.5594672038, 0.4917152369, 0.3573533264 (H. Ruben, Biometrika 41, 1954). */
static void test_stats_normal_moments__max(void **state)
{
    const bsr_moments z = {0, 1};
    const bsr_moments nine[9] = {z, z, z, z, z, z, z, z, z};
    static const double rows[][3] = {{3, 0.8462843753, 0.5594672038},
                                     {4, 1.0293753730, 0.4917152369},
                                     {9, 1.4850131622, 0.3573533264}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bsr_moments m = bsr_moments_max(nine, (int)rows[i][0], 0);
        assert_close(m.mean, rows[i][1], 0.002);
        assert_close(m.variance, rows[i][2], 0.12);
        /* Variables with covariance 1/2 are sqrt(1/2) independent ones and one in common. */
        bsr_moments shared = bsr_moments_max(nine, (int)rows[i][0], 0.5);
        assert_close(shared.mean, m.mean * sqrt(0.5), 1e-12);
        assert_close(shared.variance, m.variance / 2 + 0.5, 1e-12);
    }
    assert_moments(bsr_moments_max(&z, 1, 0), 0, 1, 0);
}

/* ReLU6 and a maximum of three, drawn; six standard errors. */
static void test_stats_normal_moments__monte_carlo(void **state)
{
    enum { N = 300000 };
    static float z[3 * N];
    bsr_normals *normals;
    assert_int_equal(bsr_normals_new(&normals), 0);
    bsr_normals_fill(normals, z, 3 * N, 11, 0);
    bsr_normals_free(normals);
    double sum[2] = {0}, square[2] = {0};
    for (int i = 0; i < N; i++) {
        double relu6 = fmin(fmax(4.5 + 2 * (double)z[3 * i], 0), 6);
        double greatest = fmax(fmax((double)z[3 * i], 0.5 + 0.7 * (double)z[3 * i + 1]),
                               (double)z[3 * i + 2] - 1);
        const double x[2] = {relu6, greatest};
        for (int k = 0; k < 2; k++) {
            sum[k] += x[k];
            square[k] += x[k] * x[k];
        }
    }
    const bsr_moments three[] = {{0, 1}, {0.5, 0.49}, {-1, 1}};
    const bsr_moments expected[2] = {bsr_moments_clip(4.5, 4, 0, 6), bsr_moments_max(three, 3, 0)};
    for (int k = 0; k < 2; k++) {
        double mean = sum[k] / N, variance = square[k] / N - mean * mean;
        assert_true(fabs(mean - expected[k].mean) < 6 * sqrt(variance / N) + 0.01 * k);
        assert_close(variance, expected[k].variance, 0.015 + 0.03 * k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_normal_moments__relu),
        cmocka_unit_test(test_stats_normal_moments__relu_everywhere),
        cmocka_unit_test(test_stats_normal_moments__clip),
        cmocka_unit_test(test_stats_normal_moments__disturbance),
        cmocka_unit_test(test_stats_normal_moments__layer),
        cmocka_unit_test(test_stats_normal_moments__layer_of_neurons),
        cmocka_unit_test(test_stats_normal_moments__max2),
        cmocka_unit_test(test_stats_normal_moments__max),
        cmocka_unit_test(test_stats_normal_moments__monte_carlo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
