#include "stats/adaptive.h"

#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "stats/special.h"

/* A round adds at least one in so many, since every look at the interval is another chance to stop
 * at a sample that saw too little. */
#define MIN_STEP 16

static bsr_status check(const size_t *group, size_t count, const bsr_adaptive *how)
{
    if (count == 0)
        return bsr_fail(BSR_EINVAL, "adaptive sampling: 0 strata, expected at least 1");
    if (!(how->group_margin > 0 && how->whole_margin > 0))
        return bsr_fail(BSR_EINVAL, "adaptive sampling: margins are %g and %g, expected above 0",
                        how->group_margin, how->whole_margin);
    if (!(how->confidence > 0 && how->confidence < 1))
        return bsr_fail(BSR_EINVAL, "adaptive sampling: confidence is %g, expected between 0 and 1",
                        how->confidence);
    if (how->first < 2)
        return bsr_fail(BSR_EINVAL, "adaptive sampling: %d first units, expected at least 2",
                        (int)how->first);
    if (!(how->growth > 1))
        return bsr_fail(BSR_EINVAL, "adaptive sampling: growth is %g, expected above 1",
                        how->growth);
    for (size_t h = 1; h < count; h++)
        if (group[h] < group[h - 1])
            return bsr_fail(BSR_EINVAL, "adaptive sampling: stratum %zu has group %zu after %zu", h,
                            group[h], group[h - 1]);
    return BSR_OK;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Of a stratum in the mean, not normalised. */
static double weight(const bsr_stratum *s)
{
    return (double)s->units * (double)s->faults;
}

/* Raises more[] to the first round's units for one group or the whole with that margin: those of
 * rare, large units that would matter are to be seen before anything is concluded. A stratum that
 * shows nothing in n units may hold z^2 / (n + z^2) of them (Wilson), which may move the mean by
 * its weight times that. */
static void first_round(uint64_t *more, const bsr_stratum *strata, size_t count, double margin,
                        const bsr_adaptive *how)
{
    double z = bsr_normal_two_sided(how->confidence);
    double N = 0;
    for (size_t h = 0; h < count; h++)
        N += weight(&strata[h]);
    for (size_t h = 0; h < count; h++) {
        double units = (double)strata[h].units;
        double largest = how->largest > 0 ? how->largest : 1;
        double least = fmin(ceil(z * z * largest * weight(&strata[h]) / N / margin), units);
        uint64_t want = min_u64(how->first, strata[h].units);
        want = least > (double)want ? (uint64_t)least : want;
        if (want > strata[h].n && want - strata[h].n > more[h])
            more[h] = want - strata[h].n;
    }
}

/* Raises more[] to Neyman's allocation that has variance `target`, v[] being the variances per
 * unit: n_h = w_h S_h / sqrt(c_h) (sum w_i S_i sqrt(c_i)) / (target + sum w_i^2 S_i^2 / N_i) for
 * weights w and costs c (Cochran 5.5). */
static void allocate(uint64_t *more, const bsr_stratum *strata, size_t count, const double *v,
                     const double *cost, double target, double growth)
{
    double N = 0, sum = 0, finite = 0, n = 0;
    for (size_t h = 0; h < count; h++) {
        double w = weight(&strata[h]);
        N += w;
        n += (double)strata[h].n;
        sum += w * sqrt(v[h] * (cost ? cost[h] : 1));
        finite += w * v[h] * (double)strata[h].faults;
    }
    double k = sum / (target * N * N + finite);
    double added = 0;
    for (size_t h = 0; h < count; h++) {
        double want = fmin(k * weight(&strata[h]) * sqrt(v[h] / (cost ? cost[h] : 1)),
                           (double)strata[h].units);
        added += fmax(want - (double)strata[h].n, 0);
    }
    double share = fmin(fmax(added, n / MIN_STEP), (growth - 1) * n) / fmax(added, 1);
    for (size_t h = 0; h < count; h++) {
        uint64_t open = strata[h].units - strata[h].n;
        double want = k * weight(&strata[h]) * sqrt(v[h] / (cost ? cost[h] : 1));
        want -= (double)strata[h].n;
        want = fmin(fmax(want, 0), (double)open);
        uint64_t asked = min_u64((uint64_t)ceil(share * want), open);
        more[h] = asked > more[h] ? asked : more[h];
    }
}

/* Variances fall with every unit where nothing varies and rise where something shows up, so the
 * rule may ask for nothing although the margin is not met: then the unit that helps most. */
static void add_one(uint64_t *more, const bsr_stratum *strata, size_t count, const double *v)
{
    size_t best = count;
    double gain = 0;
    for (size_t h = 0; h < count; h++) {
        double w = weight(&strata[h]);
        double n = (double)strata[h].n;
        double here = w * w * v[h] / (n * (n + 1));
        if (strata[h].n < strata[h].units && (best == count || here > gain)) {
            best = h;
            gain = here;
        }
        if (more[h] > 0)
            return;
    }
    if (best < count)
        more[best] = 1;
}

/* What one group or the whole needs. v[] is room for count values. */
typedef struct planner {
    const bsr_adaptive *how;
    double *v;
    int first; /* in the first round */
} planner;

static bsr_status demand(uint64_t *more, const bsr_stratum *strata, const double *cost,
                         size_t count, double margin, const planner *plan)
{
    const bsr_adaptive *how = plan->how;
    bsr_estimate e;
    if (plan->first) {
        first_round(more, strata, count, margin, how);
        return BSR_OK;
    }
    if (isinf(margin))
        return BSR_OK;
    BSR_TRY(bsr_stratified_of(&e, strata, count, how->confidence, how->units));
    double half = fmax(e.mean - e.ci.lo, e.ci.hi - e.mean);
    if (half <= margin)
        return BSR_OK;
    BSR_TRY(bsr_stratified_variances(plan->v, strata, count, how->confidence, how->units));
    double ratio = margin / half;
    allocate(more, strata, count, plan->v, cost, e.variance * ratio * ratio, how->growth);
    add_one(more, strata, count, plan->v);
    return BSR_OK;
}

static bsr_status demand_all(uint64_t *more, const bsr_stratum *strata, const size_t *group,
                             size_t count, const planner *plan)
{
    const double *cost = plan->how->cost;
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && group[to] == group[from]; to++)
            ;
        BSR_TRY(demand(more + from, strata + from, cost ? cost + from : NULL, to - from,
                       plan->how->group_margin, plan));
    }
    return demand(more, strata, cost, count, plan->how->whole_margin, plan);
}

bsr_status bsr_adaptive_next(uint64_t *more, const bsr_stratum *strata, const size_t *group,
                             size_t count, const bsr_adaptive *how)
{
    BSR_TRY(check(group, count, how));
    planner plan = {.how = how, .v = bsr_alloc_array(count, sizeof *plan.v), .first = 1};
    if (!plan.v)
        return BSR_ENOMEM;
    for (size_t h = 0; h < count; h++)
        more[h] = 0;
    bsr_status status = demand_all(more, strata, group, count, &plan);
    int any = 0;
    for (size_t h = 0; h < count; h++)
        any |= more[h] > 0;
    plan.first = 0;
    if (status == BSR_OK && !any)
        status = demand_all(more, strata, group, count, &plan);
    bsr_free(plan.v);
    return status;
}
