#include "report/bit_profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SINGLE       12
#define NEGLIGIBLE_SHARE 0.01

/* Higher VF first, NaN last, then the higher bit first. */
static int worse_bit(const void *a, const void *b)
{
    const bsr_part *x = a, *y = b;
    double u = isnan(x->vf.value) ? -1 : x->vf.value;
    double v = isnan(y->vf.value) ? -1 : y->vf.value;
    if (u != v)
        return u < v ? 1 : -1;
    return y->index - x->index;
}

static void name_bits(char *out, size_t room, const int *present, int n)
{
    size_t at = 0;
    out[0] = 0;
    for (int b = 0; b < BSR_BITS; b++) {
        if (!present[b])
            continue;
        int first = b;
        while (b + 1 < BSR_BITS && present[b + 1])
            b++;
        char range[32];
        snprintf(range, sizeof range, b > first ? "%s%d-%d" : "%s%d", at ? "," : "", first, b);
        if (at + strlen(range) + sizeof ",.. (64 bits)" > room) {
            at += (size_t)snprintf(out + at, room - at, ",..");
            break;
        }
        at += (size_t)snprintf(out + at, room - at, "%s", range);
    }
    if (n > 1)
        snprintf(out + at, room - at, " (%d bits)", n);
}

/* All bits of a site are observed together: the mean of their bounds is never too narrow. */
static bsr_share mean_share(const bsr_part *bits, int n)
{
    bsr_share sum = {0, 0, 0};
    int known = 0;
    for (int i = 0; i < n; i++) {
        if (isnan(bits[i].vf.value))
            continue;
        known++;
        sum.value += bits[i].vf.value;
        sum.lo += bits[i].vf.lo;
        sum.hi += bits[i].vf.hi;
    }
    return (bsr_share){sum.value / known, sum.lo / known, sum.hi / known}; /* NaN for none */
}

static void make_row(bsr_bit_row *row, const bsr_result *r, const bsr_part *bits, int n)
{
    int present[BSR_BITS] = {0};
    *row = (bsr_bit_row){.due_known = r->outcomes_known, .vf = mean_share(bits, n)};
    for (int i = 0; i < n; i++) {
        present[bits[i].index] = 1;
        row->faults += bits[i].faults;
        row->critical += bits[i].outcomes.critical;
        row->due += bits[i].outcomes.due;
    }
    name_bits(row->bits, sizeof row->bits, present, n);
}

int bsr_bit_profile(bsr_bit_row rows[BSR_BITS], const bsr_result *r)
{
    bsr_part bits[BSR_BITS];
    int n = 0, single = 0;
    for (int i = 0; i < r->n_bits && n < BSR_BITS; i++)
        if (r->bits[i].index >= 0 && r->bits[i].index < BSR_BITS)
            bits[n++] = r->bits[i];
    qsort(bits, (size_t)n, sizeof *bits, worse_bit);
    while (single < n && single < MAX_SINGLE && bits[single].vf.value > 0 &&
           bits[single].vf.value >= NEGLIGIBLE_SHARE * bits[0].vf.value)
        single++;
    for (int i = 0; i < single; i++)
        make_row(&rows[i], r, &bits[i], 1);
    if (single < n)
        make_row(&rows[single], r, &bits[single], n - single);
    return single + (single < n);
}
