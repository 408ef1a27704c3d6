/* What the reports about protections have in common. */
#ifndef BSR_REPORT_PROTECTION_PARTS_H
#define BSR_REPORT_PROTECTION_PARTS_H

#include "bitseer/protect.h"

/* Set bits as a selector: "0-7,30"; "" for none. */
typedef struct bsr_bits_text {
    char text[96];
} bsr_bits_text;
bsr_bits_text bsr_bits_as_text(uint32_t bits);

/* bits / stored. */
double bsr_overhead(int64_t bits, uint64_t stored);

/* From the lowest end to the highest, the value being the higher estimate. */
bsr_share bsr_range_share(const bsr_vf_range *range);

#endif
