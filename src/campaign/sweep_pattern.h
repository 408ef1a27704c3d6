/* Patterns of bit errors: which stored bits of a layer or tensor flip. */
#ifndef BSR_CAMPAIGN_SWEEP_PATTERN_H
#define BSR_CAMPAIGN_SWEEP_PATTERN_H

#include "fault/space.h"
#include "rng/bernoulli.h"

#define BSR_MAX_RUNS          ((uint64_t)1 << 20)
#define BSR_MAX_PATTERN_SPACE ((uint64_t)1 << 16)
#define BSR_MAX_SWEEP_IMAGES  (((uint64_t)1 << 26) - 1)

/* Random stream of a pattern, from the top: 2 bits weight, bias, activation or input; 20 bits run;
 * 16 bits index of the space; 26 bits 1 + image, 0 for constants, which hold for all images. The
 * rate is not in it, nor anything of the network but shapes: at another rate, or in another network
 * of the same shape, the same run is the same chip (rng/bernoulli.h: patterns are nested). */
uint64_t bsr_pattern_stream(bsr_target target, uint64_t run, int index, int64_t image);

/* A walk over the sites of a space that have errors, ascending. The bits of a space are numbered
 * site * n_variants + variant, variants being its selected bits. Plain value. */
typedef struct bsr_pattern {
    const bsr_space *space;
    struct bsr_pattern_walk {
        bsr_flips flips;
        uint64_t at; /* next bit; valid while `more` */
        int more;
    } common, rare; /* at the greater and the smaller rate; rare is not used for equal rates */
    double p0, p1;
} bsr_pattern;

/* p0, p1: probability that a 0 and that a 1 flips, in [0, 1]; space->population at most 2^53. */
void bsr_pattern_init(bsr_pattern *p, const bsr_space *space, double p0, double p1, uint64_t seed,
                      uint64_t stream);

/* What happens to one code: its zeros flip where if0 is set, its ones where if1 is. */
typedef struct bsr_site_errors {
    uint64_t site;
    uint32_t if0, if1;
} bsr_site_errors;

/* 1 and the next site, or 0 at the end. Amortised O(1) a flip. */
int bsr_pattern_next(bsr_pattern *p, bsr_site_errors *errors);

/* Bits of `code` that flip. */
static inline uint32_t bsr_errors_flip(const bsr_site_errors *e, uint32_t code)
{
    return (~code & e->if0) | (code & e->if1);
}

#endif
