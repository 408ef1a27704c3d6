/* What a run knows of each fault's effect, in a form that protections can be applied to. */
#ifndef BSR_CAMPAIGN_PROTECT_BASE_H
#define BSR_CAMPAIGN_PROTECT_BASE_H

#include "base/arena.h"
#include "bitseer/protect.h"
#include "campaign/record.h"
#include "stats/stratified.h"

/* In how many images a fault is critical, at least and at most. Those with hi == 0, which are most,
 * are not kept. */
typedef struct bsr_effect {
    uint64_t
        unit; /* site of its space; pairs: (site * images of the run + image) * classes + class */
    int variant;     /* position in the variants; n_variants: the word is read as 0 */
    uint32_t lo, hi; /* images */
} bsr_effect;

/* What says how the network does with 0 in place of a word (docs/theory/protection.md). */
typedef enum bsr_zero_source {
    BSR_ZERO_UNKNOWN,
    BSR_ZERO_SIGN,         /* at most as bad as a flip of the sign, of the same site */
    BSR_ZERO_SIGN_STRATUM, /* the same on average, as sites were not drawn with all their bits */
    BSR_ZERO_BOUNDS,       /* bounds: effects of variant n_variants */
} bsr_zero_source;

typedef struct bsr_base_space {
    const bsr_space *space;
    int width; /* of a code */
    int n_variants;
    int variants[BSR_MAX_VARIANTS]; /* lowest bit of each fault of a site */
    int n_strata;
    uint32_t strata[BSR_MAX_VARIANTS]; /* variants of each */
    bsr_zero_source zero;
    int sign;            /* variant that flips the sign, -1: none */
    int cells;           /* kinds of units that are counted: faults: by variant; else by stratum */
    uint64_t *observed;  /* [n_chosen][cells] units answered */
    bsr_effect *effects; /* ascending unit, variant; owned */
    size_t n_effects, cap;
} bsr_base_space;

typedef enum bsr_base_units {
    BSR_BASE_FAULTS,
    BSR_BASE_SITES, /* with all their faults */
    BSR_BASE_PAIRS, /* campaign/design.h */
} bsr_base_units;

typedef struct bsr_base {
    const bsr_record *r;
    bsr_base_units units;
    int whole_sites;     /* a site is answered with all its faults or not at all */
    int one_stratum;     /* drawn from all layers together */
    uint64_t images;     /* pairs of a fault in a unit */
    uint64_t times;      /* units of a fault: where units are for one image, one for each */
    uint64_t population; /* faults */
    int n;
    bsr_base_space *spaces;
} bsr_base;

/* The run as it was. EINVAL, naming path: what it holds has no single faults. Cleared with
 * bsr_base_clear, also on failure. */
bsr_status bsr_base_read(bsr_base *base, bsr_arena *arena, bsr_store *store, const bsr_record *r,
                         const char *path);
void bsr_base_clear(bsr_base *base);

/* The run as it would be with values stored in options->format and clipped, from its bounds and
 * fault-free values: what the bounds leave open makes lo and hi differ. was: bsr_base_read's. */
bsr_status bsr_base_what_if(bsr_base *base, bsr_arena *arena, bsr_store *store, const bsr_base *was,
                            const bsr_protect_options *options, const char *path);

/* Adds an effect, of units and variants in ascending order; hi == 0 adds nothing. */
bsr_status bsr_base_add(bsr_base_space *space, uint64_t unit, int variant, uint64_t lo,
                        uint64_t hi);

/* Position among the space's channels under test. */
uint64_t bsr_effect_channel(const bsr_base *base, const bsr_base_space *space, uint64_t unit);

/* Does the space's format put 0 on the same side of every value as the flip of its top bit, and no
 * further away? from_file: the codes are those of the model's file. */
int bsr_format_is_signed(const char *format, int from_file);

#endif
