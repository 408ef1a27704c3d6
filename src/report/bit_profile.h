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
 * worst bit's VF, then one row for the others. A group has the mean of its bits' VFs and of their
 * bounds. Parts without a position (index -1) are left out. */
int bsr_bit_profile(bsr_bit_row rows[BSR_BITS], const bsr_result *r);

#endif
