/* Which bits matter, over all layers of a result. */
#ifndef BSR_REPORT_BIT_PROFILE_H
#define BSR_REPORT_BIT_PROFILE_H

#include "bitseer/result.h"

#define BSR_BITS 64

/* One bit, or a group of bits that hardly matter. */
typedef struct bsr_bit_row {
    char bits[96]; /* "30", or "0-22,24 (24 bits)" */
    uint64_t faults, critical, due;
    int due_known;
    bsr_share vf; /* NaN where nothing was observed */
} bsr_bit_row;

/* Fills rows worst first and returns their number: at most 12 bits with at least a hundredth of the
 * worst bit's VF, then one row for the others.
 *
 * Direct injection draws faults evenly from everything: VF is critical / pairs over all layers,
 * with Wilson's interval for the number of faults, which is on the safe side for shares of images.
 *
 * Rays draw sites layer by layer: the VF of a bit is sum w_l VF_l with w_l the layer's part of the
 * sites that have the bit, and the interval the square-and-add one, v - sqrt(sum w_l^2 (VF_l -
 * lo_l)^2) and the same upwards (G. Y. Zou, A. Donner, Statistics in Medicine 27, 2008, equation
 * 4). All bits of a site are observed together, so a group of bits has the mean of their bounds,
 * which is never too narrow. */
int bsr_bit_profile(bsr_bit_row rows[BSR_BITS], const bsr_result *r);

#endif
