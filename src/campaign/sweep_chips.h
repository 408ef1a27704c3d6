/* Running the network with error patterns over all images. */
#ifndef BSR_CAMPAIGN_SWEEP_CHIPS_H
#define BSR_CAMPAIGN_SWEEP_CHIPS_H

#include "campaign/sweep_memory.h"
#include "store/store.h"

/* What the workers share. */
typedef struct bsr_sweep_chips {
    bsr_session *s;
    bsr_sweep_memory memory;
    float *golden;                 /* [images][classes] fault-free logits */
    uint64_t top5_correct;         /* fault-free: the label is among the five greatest logits */
    char *inputs;                  /* [images] in the plan's layout; NULL: more than max_memory */
    size_t slices;                 /* of the images; one slice of one chip is an item of work */
    size_t together;               /* images that are run at once */
    struct bsr_chip_bench **bench; /* [threads] */
    uint64_t done;                 /* chips finished by this process */
} bsr_sweep_chips;

/* Fault-free inference, which fills s->correct, and workspaces. Errors as bsr_memory_init. Cleared
 * with bsr_chips_clear, also on failure. */
bsr_status bsr_chips_init(bsr_sweep_chips *c, bsr_session *s, const bsr_target *targets,
                          int n_targets);
void bsr_chips_clear(bsr_sweep_chips *c);

/* rates[point]: probability that a stored 0 flips, and that a stored 1 does. Runs every chip
 * (point, run), 0 <= run < runs, that the store has no row of, and writes the rows. A row depends
 * on the point's rates, the run and the seed alone: not on threads, other chips or what was there.
 * When it fails, the chips that were finished are in the store. */
bsr_status bsr_chips_run(bsr_sweep_chips *c, bsr_store *store, const double (*rates)[2], int points,
                         int runs);

#endif
