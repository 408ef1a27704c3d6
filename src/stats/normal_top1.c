#include "stats/normal_top1.h"

#include <math.h>

#include "base/alloc.h"
#include "base/fixed_math.h"
#include "stats/special.h"

#define HALF_LOG_2PI 0.91893853320467274178

/* Many rivals at one margin cut the integrand off on one side within less than the curvature at
 * its top tells: nodes closer than that rule places them lower the error from 7e-6 to 2e-7. */
#define NARROWER 0.75

enum { NODES = 64, CELLS = 128 /* of the table, per unit */, LEAST = -16, MOST = 9 };

/* log Phi and its derivative at LEAST + i / CELLS. */
typedef struct point {
    double value, slope;
} point;

struct bsr_top1_rule {
    double node[NODES];   /* ascending */
    double weight[NODES]; /* of values of the integrand itself: exp(x^2 / 2) is in it */
    point log_cdf[(MOST - LEAST) * CELLS + 1];
};

/* Orthonormal Hermite polynomial of degree NODES for the weight phi; *squares: the sum of squares
 * of those of lower degree. */
static double hermite(double x, double *squares)
{
    double before = 0, p = 1;
    *squares = 0;
    for (int k = 0; k < NODES; k++) {
        double next = (x * p - sqrt(k) * before) / sqrt(k + 1);
        *squares += p * p;
        before = p;
        p = next;
    }
    return p;
}

/* The positive roots lie between sqrt(NODES) / NODES and 2 sqrt(NODES), more than 0.3 apart. */
static void find_nodes(bsr_top1_rule *rule)
{
    const double step = 1.0 / 8;
    double squares, at = 0, p = hermite(at, &squares);
    for (int found = NODES / 2; found < NODES; at += step) {
        double low = at, high = at + step, p_high = hermite(high, &squares), p_low = p;
        p = p_high;
        if ((p_low < 0) == (p_high < 0))
            continue;
        for (int i = 0; i < 60; i++) {
            double middle = (low + high) / 2;
            *((hermite(middle, &squares) < 0) == (p_low < 0) ? &low : &high) = middle;
        }
        hermite(low, &squares);
        rule->node[found] = low;
        rule->node[NODES - 1 - found] = -low;
        /* Christoffel numbers are 1 / squares. */
        rule->weight[found] = bsr_fixed_exp(low * low / 2) / squares;
        rule->weight[NODES - 1 - found] = rule->weight[found];
        found++;
    }
}

/* log Phi(x), x < LEAST: Abramowitz & Stegun 26.2.12 up to 1 / x^12. */
static double log_cdf_far(double x)
{
    static const double c[] = {10395, -945, 105, -15, 3, -1};
    double r = 1 / (x * x), sum = 0;
    for (int i = 0; i < 6; i++)
        sum = (sum + c[i]) * r;
    return -x * x / 2 - HALF_LOG_2PI - bsr_fixed_log(-x) + bsr_fixed_log1p(sum);
}

bsr_status bsr_top1_rule_new(bsr_top1_rule **out)
{
    bsr_top1_rule *rule = bsr_alloc_array(1, sizeof *rule);
    *out = rule;
    if (!rule)
        return BSR_ENOMEM;
    find_nodes(rule);
    for (int i = 0; i <= (MOST - LEAST) * CELLS; i++) {
        double x = LEAST + (double)i / CELLS;
        double p = bsr_normal_cdf(x);
        rule->log_cdf[i].value = x < 0 ? bsr_fixed_log(p) : bsr_fixed_log1p(-bsr_normal_cdf(-x));
        rule->log_cdf[i].slope = bsr_normal_pdf(x) / p;
    }
    return BSR_OK;
}

void bsr_top1_rule_free(bsr_top1_rule *rule)
{
    bsr_free(rule);
}

/* log Phi(x), and its derivative where *slope is wanted. Cubic Hermite interpolation: the value is
 * off by less than 2e-12, the slope by less than 1e-8. */
static inline double log_cdf(const bsr_top1_rule *rule, double x, double *slope)
{
    if (x >= MOST) {
        if (slope)
            *slope = 0;
        return 0;
    }
    if (x <= LEAST) {
        if (slope)
            *slope = -x - 1 / x;
        return log_cdf_far(x);
    }
    double u = (x - LEAST) * CELLS;
    int i = (int)u;
    u -= i;
    const point *a = &rule->log_cdf[i], *b = a + 1;
    double rise = b->value - a->value, from = a->slope / CELLS, to = b->slope / CELLS;
    double c2 = 3 * rise - 2 * from - to, c3 = from + to - 2 * rise;
    if (slope)
        *slope = (from + u * (2 * c2 + u * 3 * c3)) * CELLS;
    return a->value + u * (from + u * (c2 + u * c3));
}

/* The class that bsr_top1 takes. */
static int greatest(const float *z, int n)
{
    int best = 0;
    for (int k = 1; k < n && !isnan(z[best]); k++)
        if (z[k] > z[best] || isnan(z[k]))
            best = k;
    return best;
}

/* Where the logarithm of the integrand is greatest, and 1 / sqrt(-second derivative) there. Its
 * first derivative is convex and falls, so that Newton's steps from 0 rise to the root. */
static double find_mode(const bsr_top1_rule *rule, const float *z, int n, int c, double sigma,
                        double *scale)
{
    double t = 0, step;
    int rounds = 0;
    do {
        double first = -t, second = -1;
        for (int k = 0; k < n; k++) {
            double x = t + ((double)z[c] - (double)z[k]) / sigma, slope;
            if (k == c || x >= MOST)
                continue;
            log_cdf(rule, x, &slope);
            first += slope;
            second -= slope * (x + slope);
        }
        *scale = 1 / sqrt(-second);
        step = first / -second;
        t += step;
    } while (step > 1e-3 * *scale && ++rounds < 100);
    return t;
}

double bsr_top1_probability(const bsr_top1_rule *rule, const float *z, int n, int c, double sigma)
{
    int top = greatest(z, n);
    if (!(sigma >= 0))
        return NAN;
    if (sigma == 0 || !isfinite(z[top]))
        return c == top;
    if (isinf(sigma))
        return 1.0 / n;
    /* P is at most Phi(-53 / sqrt(2)), which is below the smallest double. */
    if (((double)z[c] - (double)z[top]) / sigma < -53)
        return 0;
    double scale, mode = find_mode(rule, z, n, c, sigma, &scale), log_product[NODES] = {0};
    scale *= NARROWER;
    for (int k = 0; k < n; k++) {
        double margin = ((double)z[c] - (double)z[k]) / sigma;
        if (k == c || mode + scale * rule->node[0] + margin >= MOST)
            continue;
        for (int i = 0; i < NODES; i++)
            log_product[i] += log_cdf(rule, mode + scale * rule->node[i] + margin, NULL);
    }
    double sum = 0;
    for (int i = 0; i < NODES; i++) {
        double t = mode + scale * rule->node[i];
        sum += rule->weight[i] * bsr_fixed_exp(log_product[i] - t * t / 2);
    }
    sum *= scale;
    return sum < 1 ? sum : 1;
}
