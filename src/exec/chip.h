/* A chip: the network with many stored elements changed at once, executed whole.
 *
 * Where lanes compute what one fault changes, a chip runs every step, on a private copy of the
 * packed weights and biases in which any number of stored elements may be set, and hands tensors
 * out while they are computed. A run costs what bsr_forward_run costs. */
#ifndef BSR_EXEC_CHIP_H
#define BSR_EXEC_CHIP_H

#include "exec/forward.h"

/* One thread's. */
typedef struct bsr_chip bsr_chip;

/* The fault-free network, ready for runs of up to `images` images at once. Copies all packed
 * weights and biases. The plan must outlive the chip. ENOMEM. Caller owns *out. */
bsr_status bsr_chip_new(bsr_chip **out, const bsr_plan *plan, int images);
void bsr_chip_free(bsr_chip *chip);

/* Back to the fault-free network. Costs what was stored since the last reset. */
void bsr_chip_reset(bsr_chip *chip);

/* Sets the stored bits of an element (places WEIGHT and BIAS), in all layers that read the tensor;
 * of several stores to one element the last counts. Layer and element must exist (the fault module
 * checks). Amortised O(1) for a tensor of one layer. EINVAL: another place; ENOMEM, nothing stored.
 */
bsr_status bsr_chip_store(bsr_chip *chip, const bsr_stored_fault *fault);

/* Called for every image once the tensor of graph value `value` is computed (the input included)
 * and before anything reads it. May change its elements in place, which lie where bsr_plan_locate
 * and bsr_plan_view say. */
typedef void (*bsr_chip_fn)(void *ctx, int image, int value, char *data);

/* Runs n images, n at most those given to bsr_chip_new. inputs and logits as in bsr_forward_run.
 * hit: [graph values], not 0 where `fn` is called; NULL: nowhere, and fn is not used. Values that
 * are hit must be plan tensors, which `keep` of bsr_plan_new ensures (EINVAL otherwise). Allocates
 * nothing. */
bsr_status bsr_chip_run(bsr_chip *chip, int n, const char *const *inputs, const unsigned char *hit,
                        bsr_chip_fn fn, void *ctx, float *const *logits);

#endif
