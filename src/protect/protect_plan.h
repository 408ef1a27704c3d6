/* Which protections to buy: one option at most of each group, the most gain for the least cost. */
#ifndef BSR_CAMPAIGN_PROTECT_PLAN_H
#define BSR_CAMPAIGN_PROTECT_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "bitseer/status.h"

typedef struct bsr_choice {
    uint64_t cost;
    double gain;
} bsr_choice;

typedef struct bsr_choices {
    const bsr_choice *options;
    int n;
} bsr_choices;

/* A group's option takes the place of the one it had. */
typedef struct bsr_upgrade {
    int group, option;
    uint64_t cost; /* of everything chosen so far */
    double gain;
} bsr_upgrade;

/* Multiple-choice knapsack, greedily along the upper convex hull of each group's options (P. Sinha,
 * A. A. Zoltners, Operations Research 27, 1979): steepest step first, so no choice that costs as
 * much as the first k hull steps gains more. Stops when the gain is at least `enough` (infinite:
 * never) or the next step would cost more than `budget`. Then, for `enough`, the cheapest single
 * upgrade that reaches it takes the place of the last step; for a budget, what is left is spent on
 * the upgrades that still fit, of greatest gain first. So the cost of `enough` is less than one
 * hull step above the least possible, and the gain of a budget less than one below the greatest.
 * *out [*n], steps in order, is the caller's (bsr_free); ENOMEM. Time O(options * steps). */
bsr_status bsr_choose(bsr_upgrade **out, size_t *n, const bsr_choices *groups, int n_groups,
                      double enough, uint64_t budget);

#endif
