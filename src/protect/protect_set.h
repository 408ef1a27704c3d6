/* Protections applied to what a run knows, and what is left of its VF. */
#ifndef BSR_CAMPAIGN_PROTECT_SET_H
#define BSR_CAMPAIGN_PROTECT_SET_H

#include "protect/protect_base.h"

/* The protection of one space. */
typedef struct bsr_guard {
    bsr_protect_by by;
    uint32_t bits;
    const unsigned char *channels; /* [n_chosen], NULL: all */
} bsr_guard;

/* Does it protect a channel (position among those under test)? A variant's faults, in the channels
 * that it protects? Faults without a position can change any bit, so all must be protected. */
int bsr_guard_covers(const bsr_guard *guard, uint64_t channel);
int bsr_guard_hits(const bsr_base_space *space, const bsr_guard *guard, int variant);

/* Words that the guard protects, and bits that it adds to all of them. */
uint64_t bsr_guard_words(const bsr_base_space *space, const bsr_guard *guard);
uint64_t bsr_guard_cost(const bsr_base_space *space, const bsr_guard *guard);

/* VF of one space (0..n-1) or, with -1, of the model under guards [base->n], estimated as the run's
 * own result is. */
bsr_status bsr_guarded_vf(bsr_vf_range *out, const bsr_base *base, const bsr_guard *guards,
                          int space, double confidence);

/* What each variant of each space has in the MVF's upper estimate, which is the sum of all, and
 * what it would have if its word were read as 0. */
typedef struct bsr_contribution {
    double critical[BSR_MAX_VARIANTS];
    double zero; /* of any one variant */
} bsr_contribution;
void bsr_contributions(bsr_contribution *out, const bsr_base *base);

/* Bounds of the mean VF of words of the space read as 0, over the protected channels. */
void bsr_zero_vf(double *lo, double *hi, const bsr_base *base, int space, const bsr_guard *guard);

#endif
