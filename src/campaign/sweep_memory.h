/* The stored elements that error patterns go into, and putting a pattern there. */
#ifndef BSR_CAMPAIGN_SWEEP_MEMORY_H
#define BSR_CAMPAIGN_SWEEP_MEMORY_H

#include "analysis/session.h"
#include "campaign/sweep_pattern.h"
#include "exec/chip.h"

/* Weights, biases, activations, inputs. */
#define BSR_PATTERN_TARGETS 4

/* One run at one rate. */
typedef struct bsr_chip_errors {
    int64_t point, run;
    double p0, p1; /* probability that a stored 0 and that a stored 1 flips */
    uint64_t seed;
} bsr_chip_errors;

/* Immutable while chips run. */
typedef struct bsr_sweep_memory {
    const bsr_plan *plan;
    int n_targets;
    bsr_target targets[BSR_PATTERN_TARGETS];
    bsr_spaces sets[BSR_PATTERN_TARGETS]; /* of each target; variants are the selected bits */
    const bsr_space **of_value;           /* [graph values] the space of a tensor, NULL: none */
    bsr_target *target_of;                /* [graph values] its target */
    unsigned char *hit;                   /* [graph values]; NULL: no tensors */
    uint64_t constant_bits, tensor_bits;  /* tensor_bits: of one image */
} bsr_sweep_memory;

/* What options->layers, tensors, channels and bits select of each target. An element that two
 * layers or targets share is there once, where it comes first. EINVAL: a target whose elements are
 * not stored one by one, what leaves nothing to flip; ELIMIT: more than 2^53 bits, too many layers
 * or images for the streams; as bsr_spaces_init. The session must outlive it. Cleared with
 * bsr_memory_clear, also on failure. */
bsr_status bsr_memory_init(bsr_sweep_memory *m, const bsr_session *s, const bsr_target *targets,
                           int n_targets);
void bsr_memory_clear(bsr_sweep_memory *m);

/* Puts the pattern of the constants into a chip that is fault-free; *flips: bits flipped. ENOMEM.
 */
bsr_status bsr_memory_store(const bsr_sweep_memory *m, bsr_chip *chip, const bsr_chip_errors *e,
                            uint64_t *flips);

/* Puts the pattern of one tensor of an image (its number in the data set) at `data`, where the plan
 * keeps the tensor; returns the bits flipped. */
uint64_t bsr_memory_hit(const bsr_sweep_memory *m, const bsr_chip_errors *e, uint64_t image,
                        int value, char *data);

#endif
