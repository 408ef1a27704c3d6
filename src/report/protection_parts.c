#include "report/protection_parts.h"

#include <stdio.h>

bsr_bits_text bsr_bits_as_text(uint32_t bits)
{
    bsr_bits_text t = {""};
    size_t at = 0;
    for (int bit = 0; bit < 32; bit++) {
        int first = bit;
        if (!(bits >> bit & 1))
            continue;
        while (bit < 31 && bits >> (bit + 1) & 1)
            bit++;
        at += (size_t)snprintf(t.text + at, sizeof t.text - at, "%s%d", at ? "," : "", first);
        if (bit > first)
            at += (size_t)snprintf(t.text + at, sizeof t.text - at, "-%d", bit);
    }
    return t;
}

double bsr_overhead(int64_t bits, uint64_t stored)
{
    return (double)bits / (double)stored;
}

bsr_share bsr_range_share(const bsr_vf_range *r)
{
    return (bsr_share){r->high.value, r->low.lo, r->high.hi};
}
