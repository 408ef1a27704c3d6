/* What bit flips of stored codes do to their values, to first order in the bit error rate. */
#ifndef BSR_FAULT_DISTURBANCE_H
#define BSR_FAULT_DISTURBANCE_H

#include "fault/space.h"

/* Of one stored element with value v, over the bits i that may flip, v^(i) being the value with bit
 * i flipped: the sums of v^(i) - v, of its square and of its fourth power. Where every such bit
 * flips on its own with a small probability p, p times them are the mean, the variance and the
 * fourth cumulant of the element's disturbance, up to terms in p^2; for whole numbers and fixed
 * point the mean is exact for every p and the variance is exactly p (1 - p) square. Y. Huang, H.
 * Liu et al., "Statistical modeling of soft error influence on neural networks", IEEE TCAD 2023;
 * formulas reconstructed (docs/theory/statistical-models.md).
 *
 * Units are those of the elements that the network computes with: floats, or steps of 8-bit and
 * int32 codes. `fourth` may be infinite for floats with a range above 1e9. */
typedef struct bsr_disturbance {
    float mean, square, fourth;
} bsr_disturbance;

/* The disturbances of one space's elements. Immutable and shared by threads; the space must outlive
 * it. */
typedef struct bsr_disturbances {
    const bsr_space *space;
    int uniform; /* whole numbers, fixed point and binary: square and fourth are the same for all
                    elements of a channel, those of bsr_disturbance_channel */
    bsr_disturbance step; /* uniform: square and fourth in units of `unit`; mean is 0 */
    float *unit; /* [channels] that sums for codes are in; 0: the channel is not selected */
    /* [2^width] by code, in units; NULL above 16 bits, square and fourth also where uniform */
    float *mean, *square, *fourth;
    /* Stored in whole steps: what is multiplied with values, and the code of 0. */
    double inverse;
    int64_t zero;
    int has_sign;
} bsr_disturbances;

/* Where to write; NULL: not wanted. */
typedef struct bsr_disturbance_arrays {
    float *mean, *square, *fourth;
} bsr_disturbance_arrays;

/* For a space of fault model bitflip, whose `variants` are the bits that may flip; not read back
 * from a database. EUNSUPPORTED: operands, which are not stored; a float format in which one of the
 * bits makes a NaN or an infinity of some finite value (float32: bits 23 to 30), unless it has a
 * range. EINVAL: another fault model. ENOMEM. 2^width * variants steps up to 16 bits. Clear with
 * bsr_disturbances_clear. */
bsr_status bsr_disturbances_init(bsr_disturbances *out, const bsr_space *space);
void bsr_disturbances_clear(bsr_disturbances *d);

/* Of an element in `channel` that is stored as `code`; 0 where the code is a NaN or an infinity,
 * and in channels not selected. Up to 16 bits O(1), else O(variants). */
bsr_disturbance bsr_disturbance_of(const bsr_disturbances *d, int channel, uint32_t code);

/* What the elements of a channel have in common, `mean` 0; d->uniform only. */
bsr_disturbance bsr_disturbance_channel(const bsr_disturbances *d, int channel);

/* Of all elements of a constant: arrays [outer * channels * inner], in row-major logical order. */
void bsr_disturbances_constant(const bsr_disturbances *d, bsr_disturbance_arrays out);

/* Of all elements of a tensor in one image, `pixels` rows of `channels` elements as the plan lays
 * them out (exec/plan.h; the order of bsr_plan_locate: pixel * channels + channel), values of the
 * format as a golden run has them. Arrays [pixels * channels]. An element takes some 3 ns with
 * codes of 8 bits, 7 ns with floats of 16 bits and 130 ns with fp32. */
void bsr_disturbances_tensor(const bsr_disturbances *d, const void *rows, int pixels,
                             bsr_disturbance_arrays out);

#endif
