#include "stats/stratified.h"

#include <inttypes.h>
#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "stats/special.h"

#define MAX_UNITS ((uint64_t)1 << 53)
#define MAX_OBSERVED                                                                               \
    ((uint64_t)1 << 32) /* with the largest denominator the cubes stay below 2^125 */

/* Weight of the pooled moments. In the simulations of tests/unit/stats/coverage.c small skewed
 * samples gain up to there and beyond, but at 16 well-behaved small samples begin to cover more
 * than the nominal share. */
#define PSEUDO_UNITS 8

/* Plans observe more units where more varies; beyond these a stratum must not make the others look
 * like it. */
#define MAX_WEIGHT 20

/* So many whole units must carry a stratum's mean (and as many what it lacks to 1) before the
 * variance of faults is taken for what was observed. */
#define CARRIERS 20

bsr_status bsr_stratum_init(bsr_stratum *s, uint64_t units, uint64_t denominator)
{
    *s = (bsr_stratum){.units = units, .denominator = denominator, .faults = 1};
    if (units < 1 || units > MAX_UNITS)
        return bsr_fail(BSR_EINVAL, "stratum: %" PRIu64 " units, expected 1..%" PRIu64, units,
                        MAX_UNITS);
    if (denominator < 1 || denominator > BSR_MAX_DENOMINATOR)
        return bsr_fail(BSR_EINVAL, "stratum: denominator is %" PRIu64 ", expected 1..%" PRIu64,
                        denominator, BSR_MAX_DENOMINATOR);
    return BSR_OK;
}

/* May `more` units be added? */
static bsr_status check_room(const bsr_stratum *s, uint64_t more)
{
    if (more > s->units - s->n)
        return bsr_fail(BSR_EINVAL, "stratum: %" PRIu64 " units observed, population is %" PRIu64,
                        s->n + more, s->units);
    if (more > MAX_OBSERVED - s->n)
        return bsr_fail(BSR_ELIMIT, "stratum: %" PRIu64 " units observed, limit is %" PRIu64,
                        s->n + more, MAX_OBSERVED);
    return BSR_OK;
}

bsr_status bsr_stratum_add(bsr_stratum *s, uint64_t count)
{
    if (count > s->denominator)
        return bsr_fail(BSR_EINVAL, "stratum: count is %" PRIu64 ", denominator is %" PRIu64, count,
                        s->denominator);
    BSR_TRY(check_room(s, 1));
    s->n++;
    s->sum += count;
    s->squares += count * count;
    s->cubes += (bsr_u128)(count * count) * count;
    return BSR_OK;
}

bsr_status bsr_stratum_merge(bsr_stratum *s, const bsr_stratum *from)
{
    if (s->units != from->units)
        return bsr_fail(BSR_EINVAL, "stratum: merging populations %" PRIu64 " and %" PRIu64,
                        s->units, from->units);
    if (s->denominator != from->denominator || s->faults != from->faults)
        return bsr_fail(BSR_EINVAL, "stratum: merging denominators %" PRIu64 " and %" PRIu64,
                        s->denominator, from->denominator);
    BSR_TRY(check_room(s, from->n));
    s->n += from->n;
    s->sum += from->sum;
    s->squares += from->squares;
    s->cubes += from->cubes;
    return BSR_OK;
}

double bsr_stratum_mean(const bsr_stratum *s)
{
    return (double)s->sum / ((double)s->n * (double)s->denominator);
}

/* Sums of the squared and cubed deviations of the observed values from their mean. */
typedef struct moments {
    double m2;
    double m3;
} moments;

static moments central(const bsr_stratum *s)
{
    /* About q, the whole part of the mean count, the sums are exact: whatever wraps on the way, the
     * results are below 2^127 in magnitude. The rest r / n < 1 of the mean is then taken off in
     * double, where nothing large cancels any more. */
    uint64_t q = s->sum / s->n;
    double rest = (double)(s->sum % s->n) / (double)s->n;
    bsr_u128 q2 = (bsr_u128)q * q;
    bsr_u128 second = s->squares - 2 * (bsr_u128)q * s->sum + q2 * s->n;
    bsr_u128 third = s->cubes - 3 * (s->squares * q) + 3 * (q2 * s->sum) - q2 * q * s->n;
    double a2 = (double)second;
    double a3 = third >> 127 ? -(double)-third : (double)third;
    double n = (double)s->n;
    double D = (double)s->denominator;
    return (moments){(a2 - n * rest * rest) / (D * D),
                     (a3 - 3 * rest * a2 + 2 * n * rest * rest * rest) / (D * D * D)};
}

double bsr_stratum_variance(const bsr_stratum *s)
{
    if (s->n < 2)
        return NAN;
    return central(s).m2 / (double)(s->n - 1);
}

/* Per-unit variance and third central moment a stratum is given. */
typedef struct spread {
    double variance;
    double third;
} spread;

/* Kinds of units whose pooled moments are remembered; more are worked out each time. */
#define KINDS 4

/* Both moments pooled over the strata with units like those of `like`, each with weight n_h - 1 but
 * at most MAX_WEIGHT; zero when none has two units. */
static spread pool(const bsr_stratum *strata, size_t count, const bsr_stratum *like)
{
    double m2 = 0;
    double m3 = 0;
    double df = 0;
    for (size_t h = 0; h < count; h++) {
        if (strata[h].faults != like->faults)
            continue;
        moments m = central(&strata[h]);
        double own = (double)(strata[h].n - 1);
        double share = own > MAX_WEIGHT ? MAX_WEIGHT / own : 1;
        m2 += share * m.m2;
        m3 += share * m.m3;
        df += share * own;
    }
    return df > 0 ? (spread){m2 / df, m3 / df} : (spread){0, 0};
}

/* bsr_units, and one more. */
typedef enum values {
    SITES = BSR_UNITS_SITES,
    FAULTS = BSR_UNITS_FAULTS,
    MIXED = BSR_UNITS_MIXED,
    DIFFERENCES,
} values;

/* The kind of one stratum's units. */
static values kind_of(const bsr_stratum *s, values kind)
{
    return kind != MIXED ? kind : s->faults == 1 ? FAULTS : SITES;
}

/* How far the observed variance can be trusted, 0 to 1. Faults may be critical for no image or for
 * all. A sample in which a few faults are critical for an image or two shows little variance and
 * says nothing of those that are critical for all of them. */
static double trust(const bsr_stratum *s)
{
    double mean = bsr_stratum_mean(s);
    return fmin((double)s->n * fmin(mean, 1 - mean) / CARRIERS, 1);
}

/* Nothing but one value seen (faults: too little of another), and something left to see? */
static int is_constant(const bsr_stratum *s, values kind)
{
    return s->n < s->units && (central(s).m2 == 0 || (kind_of(s, kind) == FAULTS && trust(s) < 1));
}

/* May the constant strata be taken for one that was sampled as a whole? Where n is what the other's
 * sampling fraction makes it, up to rounding, drawing in each is at least as good as drawing from
 * both together. */
static int alike(const bsr_stratum *a, const bsr_stratum *b, values kind)
{
    double apart = (double)a->n * (double)b->units - (double)b->n * (double)a->units;
    int same_side = (bsr_stratum_mean(a) < 0.5) == (bsr_stratum_mean(b) < 0.5);
    return a->denominator == b->denominator && a->faults == b->faults &&
           (kind_of(a, kind) == FAULTS ? same_side : a->sum / a->n == b->sum / b->n) &&
           fabs(apart) <= fmax((double)a->units, (double)b->units) && a->n <= MAX_OBSERVED - b->n &&
           a->units <= MAX_UNITS - b->units;
}

/* Did all units of both strata have the same value? Any part of them then shows what they show. */
static int show_the_same(const bsr_stratum *a, const bsr_stratum *b)
{
    return a->denominator == b->denominator && a->faults == b->faults && a->n && b->n &&
           a->sum % a->n == 0 && b->sum % b->n == 0 && a->sum / a->n == b->sum / b->n &&
           central(a).m2 == 0 && central(b).m2 == 0 && a->units <= MAX_UNITS - b->units;
}

/* Adds a stratum to a part that shows the same, as if both were sampled like the one of which less
 * was observed. */
static void join_constant(bsr_stratum *part, const bsr_stratum *s)
{
    uint64_t value = part->sum / part->n;
    double share = fmin((double)part->n / (double)part->units, (double)s->n / (double)s->units);
    part->units += s->units;
    part->n = (uint64_t)fmax(floor(share * (double)part->units * (1 + 1e-15)), 1);
    if (part->n > MAX_OBSERVED)
        part->n = MAX_OBSERVED;
    part->sum = part->n * value;
    part->squares = (bsr_u128)part->sum * value;
    part->cubes = part->squares * value;
}

/* Copies the strata to `parts`, the constant ones first and collapsed; returns how many parts there
 * are. `*constant` is the number of constant strata, part_of[h] (unless NULL) the part of each. */
static size_t collapse(bsr_stratum *parts, size_t *constant, size_t *part_of,
                       const bsr_stratum *strata, size_t count, values kind)
{
    size_t used = 0;
    *constant = 0;
    for (size_t h = 0; h < count; h++) {
        if (!is_constant(&strata[h], kind))
            continue;
        *constant += central(&strata[h]).m2 == 0;
        size_t k = 0;
        while (k < used && !alike(&parts[k], &strata[h], kind) &&
               !show_the_same(&parts[k], &strata[h]))
            k++;
        if (part_of)
            part_of[h] = k;
        if (k == used) {
            parts[used++] = strata[h];
            continue;
        }
        if (!alike(&parts[k], &strata[h], kind)) {
            join_constant(&parts[k], &strata[h]);
            continue;
        }
        parts[k].units += strata[h].units;
        parts[k].n += strata[h].n;
        parts[k].sum += strata[h].sum;
        parts[k].squares += strata[h].squares;
        parts[k].cubes += strata[h].cubes;
    }
    for (size_t h = 0; h < count; h++) {
        if (is_constant(&strata[h], kind))
            continue;
        if (part_of)
            part_of[h] = used;
        parts[used++] = strata[h];
    }
    return used;
}

/* How strata are estimated. */
typedef struct rules {
    const bsr_stratum *strata; /* all that were observed */
    size_t count;
    double z;
    values kind; /* DIFFERENCES: values stand for differences of shares, 1/2 for none */
    size_t n_pools;
    struct {
        uint64_t faults;
        spread pooled;
    } pools[KINDS];
} rules;

static spread pool_of(rules *r, const bsr_stratum *like)
{
    for (size_t i = 0; i < r->n_pools; i++)
        if (r->pools[i].faults == like->faults)
            return r->pools[i].pooled;
    spread pooled = pool(r->strata, r->count, like);
    if (r->n_pools < KINDS) {
        r->pools[r->n_pools].faults = like->faults;
        r->pools[r->n_pools++].pooled = pooled;
    }
    return pooled;
}

/* The least variance of n units that all had the value `mean`. A share may be 0 for all others or
 * 1; a difference that is the same for all seen may for some others be as large as it can. */
static spread constant_floor(const rules *r, double n, double mean)
{
    double scale = n / (n + r->z * r->z);
    double range = 1;
    if (r->kind == DIFFERENCES) {
        range = fmax(mean, 1 - mean);
        mean = 0;
    }
    double p = (n * mean + r->z * r->z / 2) / (n + r->z * r->z);
    double binomial = p * (1 - p) * scale * range * range;
    return (spread){binomial,
                    r->kind == DIFFERENCES ? 0 : p * (1 - p) * (1 - 2 * p) * scale * scale};
}

/* How large a share of a unit's faults can be critical where none was seen to be: as large as where
 * units of the same kind had any, if there were enough of them; else all of it. Size-biased twice,
 * so that the large ones decide. */
static double unseen_size(const rules *r, const bsr_stratum *like)
{
    double sum = 0, squares = 0, cubes = 0;
    for (size_t h = 0; h < r->count; h++) {
        const bsr_stratum *s = &r->strata[h];
        double D = (double)s->denominator;
        if (s->faults != like->faults)
            continue;
        sum += (double)s->sum / D;
        squares += (double)s->squares / (D * D);
        cubes += (double)s->cubes / (D * D * D);
    }
    if (!(squares > 0))
        return 1;
    double known = fmin(sum * sum / squares / CARRIERS, 1);
    return known * (cubes / squares) + (1 - known);
}

/* The floors of the header. */
static spread raised(const bsr_stratum *s, rules *r)
{
    const double k = PSEUDO_UNITS;
    double n = (double)s->n;
    moments m = central(s);
    spread v = {n > 1 ? m.m2 / (n - 1) : 0, m.m3 / n};
    spread pooled = pool_of(r, s);
    double shrunk = (m.m2 + k * pooled.variance) / (n - 1 + k);
    if (shrunk > v.variance)
        v = (spread){shrunk, (m.m3 + k * pooled.third) / (n + k)};
    double trusted = kind_of(s, r->kind) == FAULTS ? trust(s) : m.m2 > 0;
    spread least = constant_floor(r, n, bsr_stratum_mean(s));
    if (r->kind == MIXED && s->faults > 1 && s->sum == 0) {
        double size = unseen_size(r, s);
        least = (spread){least.variance * size * size, least.third * size * size * size};
    }
    if (least.variance <= v.variance)
        return v;
    return (spread){trusted * v.variance + (1 - trusted) * least.variance,
                    trusted * v.third + (1 - trusted) * least.third};
}

static bsr_status check(const bsr_stratum *strata, size_t count, double confidence)
{
    if (count == 0)
        return bsr_fail(BSR_EINVAL, "stratified estimate: 0 strata, expected at least 1");
    if (!(confidence > 0 && confidence < 1))
        return bsr_fail(BSR_EINVAL,
                        "stratified estimate: confidence is %g, expected between 0 and 1",
                        confidence);
    for (size_t h = 0; h < count; h++)
        if (strata[h].n == 0)
            return bsr_fail(BSR_EINVAL, "stratum %zu: none of %" PRIu64 " units observed", h,
                            strata[h].units);
    return BSR_OK;
}

/* The sums over parts of a stratified estimate. */
static bsr_estimate estimate(const bsr_stratum *parts, size_t count, rules *r, double confidence)
{
    bsr_estimate out = {.df = INFINITY};
    double N = 0;
    for (size_t h = 0; h < count; h++)
        N += (double)parts[h].units * (double)parts[h].faults;

    double df_sum = 0;     /* of the squared variances over their degrees of freedom */
    double covariance = 0; /* of the estimated mean and the estimated variance */
    double least = 0;      /* sum over all units if those not observed were 0 */
    double unobserved = 0;
    for (size_t h = 0; h < count; h++) {
        const bsr_stratum *s = &parts[h];
        double n = (double)s->n;
        double weight = (double)s->units * (double)s->faults;
        double W = weight / N;
        double mean = bsr_stratum_mean(s);
        /* divided by N at the end: N_h mean_h <= N_h, so the mean cannot round to above 1 */
        out.mean += weight * mean;
        least += n * (double)s->faults * mean;
        if (s->n == s->units)
            continue;
        spread v = raised(s, r);
        double open = (double)(s->units - s->n);
        double g = W * (open / (double)s->units);
        double variance = W * g * v.variance / n;
        out.variance += variance;
        covariance += W * g * g * v.third / (n * n);
        df_sum += variance * variance / (n > 1 ? n - 1 : 1);
        unobserved += open * (double)s->faults;
    }
    out.mean /= N;
    if (out.variance == 0) {
        out.ci = (bsr_interval){out.mean, out.mean};
        return out;
    }
    out.df = out.variance * out.variance / df_sum;
    double t = bsr_student_quantile(confidence, out.df);
    double shift = t * t * (covariance / out.variance) / 2;
    double half = sqrt(shift * shift + t * t * out.variance);
    out.ci.lo = fmin(fmax(out.mean + shift - half, least / N), out.mean);
    out.ci.hi = fmax(fmin(out.mean + shift + half, (least + unobserved) / N), out.mean);
    return out;
}

static bsr_status run(bsr_estimate *out, const bsr_stratum *strata, size_t count, double confidence,
                      values kind)
{
    *out = (bsr_estimate){.df = INFINITY};
    BSR_TRY(check(strata, count, confidence));
    bsr_stratum *parts = bsr_alloc_array(count, sizeof *parts);
    if (!parts)
        return BSR_ENOMEM;
    size_t constant;
    size_t used = collapse(parts, &constant, NULL, strata, count, kind);
    rules r = {
        .strata = strata, .count = count, .z = bsr_normal_two_sided(confidence), .kind = kind};
    *out = estimate(parts, used, &r, confidence);
    out->degenerate = constant;
    bsr_free(parts);
    return BSR_OK;
}

bsr_status bsr_stratified(bsr_estimate *out, const bsr_stratum *strata, size_t count,
                          double confidence)
{
    return run(out, strata, count, confidence, SITES);
}

bsr_status bsr_stratified_faults(bsr_estimate *out, const bsr_stratum *strata, size_t count,
                                 double confidence)
{
    return run(out, strata, count, confidence, FAULTS);
}

bsr_status bsr_stratified_of(bsr_estimate *out, const bsr_stratum *strata, size_t count,
                             double confidence, bsr_units units)
{
    return run(out, strata, count, confidence, (values)units);
}

bsr_status bsr_stratified_differences(bsr_estimate *out, const bsr_stratum *strata, size_t count,
                                      double confidence)
{
    return run(out, strata, count, confidence, DIFFERENCES);
}

bsr_status bsr_stratified_variances(double *v, const bsr_stratum *strata, size_t count,
                                    double confidence, bsr_units units)
{
    values kind = (values)units;
    BSR_TRY(check(strata, count, confidence));
    bsr_stratum *parts = bsr_alloc_array(count, sizeof *parts);
    size_t *part_of = bsr_alloc_array(count, sizeof *part_of);
    if (parts && part_of) {
        rules r = {
            .strata = strata, .count = count, .z = bsr_normal_two_sided(confidence), .kind = kind};
        size_t constant;
        collapse(parts, &constant, part_of, strata, count, kind);
        for (size_t h = 0; h < count; h++) {
            const bsr_stratum *part = &parts[part_of[h]];
            v[h] = part->n == part->units ? 0 : raised(part, &r).variance;
        }
    }
    bsr_status status = parts && part_of ? BSR_OK : BSR_ENOMEM;
    bsr_free(parts);
    bsr_free(part_of);
    return status;
}
