#include "protect/protect_plan.h"

#include <math.h>

#include "base/alloc.h"
#include "base/error.h"

/* Sums of tiny shares round: a target is reached within this. */
#define ROUNDING 1e-12

typedef struct chooser {
    const bsr_choices *groups;
    int n_groups;
    int *chosen; /* option of each group, -1: none */
    bsr_upgrade *steps;
    size_t n, cap;
    uint64_t cost;
    double gain;
} chooser;

static bsr_choice now(const chooser *c, int group)
{
    int at = c->chosen[group];
    return at < 0 ? (bsr_choice){0, 0} : c->groups[group].options[at];
}

static double slope(bsr_choice from, bsr_choice to)
{
    double cost = (double)to.cost - (double)from.cost, gain = to.gain - from.gain;
    return cost > 0 ? gain / cost : INFINITY;
}

/* The group's next vertex of the hull: the option of steepest rise from the present one, of equal
 * ones the farthest; -1 when nothing gains more. */
static int next_vertex(const chooser *c, int group)
{
    const bsr_choices *g = &c->groups[group];
    bsr_choice from = now(c, group);
    int best = -1;
    for (int i = 0; i < g->n; i++) {
        const bsr_choice *to = &g->options[i];
        if (to->cost < from.cost || to->gain <= from.gain)
            continue;
        if (best < 0) {
            best = i;
            continue;
        }
        double more = slope(from, *to) - slope(from, g->options[best]);
        if (more > 0 || (!(more < 0) && to->gain > g->options[best].gain))
            best = i;
    }
    return best;
}

static bsr_status take(chooser *c, int group, int option)
{
    bsr_choice from = now(c, group), to = c->groups[group].options[option];
    BSR_TRY(bsr_grow(&c->steps, &c->cap, c->n + 1, sizeof *c->steps));
    c->cost += to.cost - from.cost;
    c->gain += to.gain - from.gain;
    c->chosen[group] = option;
    c->steps[c->n++] = (bsr_upgrade){group, option, c->cost, c->gain};
    return BSR_OK;
}

/* Takes the last step back; `before` is the option its group had. */
static void untake(chooser *c, int before)
{
    c->n--;
    c->chosen[c->steps[c->n].group] = before;
    c->cost = c->n ? c->steps[c->n - 1].cost : 0;
    c->gain = c->n ? c->steps[c->n - 1].gain : 0;
}

/* The cheapest upgrade that gains at least `enough` in all. */
static bsr_status cheapest(chooser *c, double enough)
{
    int group = -1, option = -1;
    uint64_t least = UINT64_MAX;
    for (int g = 0; g < c->n_groups; g++)
        for (int i = 0; i < c->groups[g].n; i++) {
            bsr_choice from = now(c, g), to = c->groups[g].options[i];
            if (to.cost < from.cost || to.cost - from.cost >= least ||
                c->gain + to.gain - from.gain < enough)
                continue;
            least = to.cost - from.cost;
            group = g;
            option = i;
        }
    return group < 0 ? BSR_OK : take(c, group, option);
}

/* The upgrade of greatest gain that fits; *done: there is none. */
static bsr_status fill(chooser *c, uint64_t budget, int *done)
{
    int group = -1, option = -1;
    double most = 0;
    for (int g = 0; g < c->n_groups; g++)
        for (int i = 0; i < c->groups[g].n; i++) {
            bsr_choice from = now(c, g), to = c->groups[g].options[i];
            if (c->cost - from.cost + to.cost > budget || to.gain - from.gain <= most)
                continue;
            most = to.gain - from.gain;
            group = g;
            option = i;
        }
    *done = group < 0;
    return group < 0 ? BSR_OK : take(c, group, option);
}

static bsr_status choose(chooser *c, double enough, uint64_t budget)
{
    while (c->gain < enough) {
        int group = -1, option = -1;
        double steepest = 0;
        for (int g = 0; g < c->n_groups; g++) {
            int to = next_vertex(c, g);
            double s = to < 0 ? 0 : slope(now(c, g), c->groups[g].options[to]);
            if (s <= steepest)
                continue;
            steepest = s;
            group = g;
            option = to;
        }
        if (group < 0)
            return BSR_OK;
        if (c->cost - now(c, group).cost + c->groups[group].options[option].cost > budget)
            break;
        int before = c->chosen[group];
        BSR_TRY(take(c, group, option));
        if (c->gain >= enough) {
            untake(c, before);
            return cheapest(c, enough);
        }
    }
    for (int done = c->gain >= enough; !done;)
        BSR_TRY(fill(c, budget, &done));
    return BSR_OK;
}

bsr_status bsr_choose(bsr_upgrade **out, size_t *n, const bsr_choices *groups, int n_groups,
                      double enough, uint64_t budget)
{
    chooser c = {.groups = groups, .n_groups = n_groups};
    c.chosen = bsr_alloc_array((size_t)n_groups, sizeof *c.chosen);
    *out = NULL;
    *n = 0;
    if (!c.chosen)
        return BSR_ENOMEM;
    for (int g = 0; g < n_groups; g++)
        c.chosen[g] = -1;
    bsr_status status = choose(&c, isinf(enough) ? enough : enough - ROUNDING, budget);
    bsr_free(c.chosen);
    if (status != BSR_OK) {
        bsr_free(c.steps);
        return status;
    }
    *out = c.steps;
    *n = c.n;
    return BSR_OK;
}
