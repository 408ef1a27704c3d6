#include "report/bit_profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/outcomes.h"
#include "stats/interval.h"

#define MAX_SINGLE       12
#define NEGLIGIBLE_SHARE 0.01

typedef struct bit_sum {
    int bit;
    uint64_t sites, faults;
    bsr_outcomes outcomes;
    bsr_share vf;
} bit_sum;

static const bsr_part *find_bit(const bsr_layer_result *l, int bit)
{
    for (int i = 0; i < l->n_bits; i++)
        if (l->bits[i].index == bit)
            return &l->bits[i];
    return NULL;
}

/* Layers without an observation of the bit say nothing about it and are left out. */
static bsr_share share_over_layers(const bsr_result *r, int bit)
{
    double sites = 0, sum = 0, below = 0, above = 0;
    for (int i = 0; i < r->n_layers; i++) {
        const bsr_part *p = find_bit(&r->layers[i], bit);
        if (!p || isnan(p->vf.value))
            continue;
        double w = (double)p->sites;
        sites += w;
        sum += w * p->vf.value;
        below += w * w * (p->vf.value - p->vf.lo) * (p->vf.value - p->vf.lo);
        above += w * w * (p->vf.hi - p->vf.value) * (p->vf.hi - p->vf.value);
    }
    if (sites == 0)
        return (bsr_share){NAN, NAN, NAN};
    double v = sum / sites;
    return (bsr_share){v, fmax(0, v - sqrt(below) / sites), fmin(1, v + sqrt(above) / sites)};
}

static bsr_share pooled_share(const bsr_result *r, const bit_sum *s)
{
    if (!s->faults)
        return (bsr_share){NAN, NAN, NAN};
    double critical = (double)s->outcomes.critical, images = (double)r->images;
    bsr_interval ci =
        bsr_wilson(critical / images, (double)s->faults, (double)s->sites, r->confidence);
    return (bsr_share){critical / (images * (double)s->faults), ci.lo, ci.hi};
}

static void add_counts(bit_sum *s, uint64_t sites, uint64_t faults, const bsr_outcomes *o)
{
    s->sites += sites;
    s->faults += faults;
    s->outcomes.pairs += o->pairs;
    s->outcomes.masked += o->masked;
    s->outcomes.benign += o->benign;
    s->outcomes.critical += o->critical;
    s->outcomes.due += o->due;
}

static int is_direct(const bsr_result *r)
{
    return strcmp(r->method, "direct") == 0;
}

/* Returns whether any layer has the bit. */
static int sum_bit(bit_sum *s, const bsr_result *r, int bit)
{
    *s = (bit_sum){.bit = bit};
    int present = 0;
    for (int i = 0; i < r->n_layers; i++) {
        const bsr_part *p = find_bit(&r->layers[i], bit);
        if (p)
            add_counts(s, p->sites, p->faults, &p->outcomes);
        present |= p != NULL;
    }
    s->vf = is_direct(r) ? pooled_share(r, s) : share_over_layers(r, bit);
    return present;
}

/* Higher VF first, NaN last, then the higher bit first. */
static int worse_bit(const void *a, const void *b)
{
    const bit_sum *x = a, *y = b;
    double u = isnan(x->vf.value) ? -1 : x->vf.value;
    double v = isnan(y->vf.value) ? -1 : y->vf.value;
    if (u != v)
        return u < v ? 1 : -1;
    return y->bit - x->bit;
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

static bsr_share mean_share(const bit_sum *sums, int n)
{
    bsr_share sum = {0, 0, 0};
    int known = 0;
    for (int i = 0; i < n; i++) {
        if (isnan(sums[i].vf.value))
            continue;
        known++;
        sum.value += sums[i].vf.value;
        sum.lo += sums[i].vf.lo;
        sum.hi += sums[i].vf.hi;
    }
    return (bsr_share){sum.value / known, sum.lo / known, sum.hi / known}; /* NaN for none */
}

static void make_row(bsr_bit_row *row, const bsr_result *r, const bit_sum *sums, int n)
{
    int present[BSR_BITS] = {0};
    bit_sum all = {0};
    for (int i = 0; i < n; i++) {
        present[sums[i].bit] = 1;
        add_counts(&all, sums[i].sites, sums[i].faults, &sums[i].outcomes);
    }
    *row = (bsr_bit_row){.faults = all.faults,
                         .critical = all.outcomes.critical,
                         .due = all.outcomes.due,
                         .due_known = bsr_outcomes_known(&all.outcomes),
                         .vf = is_direct(r) ? pooled_share(r, &all) : mean_share(sums, n)};
    name_bits(row->bits, sizeof row->bits, present, n);
}

int bsr_bit_profile(bsr_bit_row rows[BSR_BITS], const bsr_result *r)
{
    bit_sum sums[BSR_BITS];
    int n = 0;
    for (int bit = 0; bit < BSR_BITS; bit++)
        n += sum_bit(&sums[n], r, bit);
    qsort(sums, (size_t)n, sizeof *sums, worse_bit);
    int single = 0;
    while (single < n && single < MAX_SINGLE && sums[single].vf.value > 0 &&
           sums[single].vf.value >= NEGLIGIBLE_SHARE * sums[0].vf.value)
        single++;
    for (int i = 0; i < single; i++)
        make_row(&rows[i], r, &sums[i], 1);
    if (single < n)
        make_row(&rows[single], r, &sums[single], n - single);
    return single + (single < n);
}
