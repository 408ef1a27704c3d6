/* Which of n bits flip when each flips on its own with probability p: bit errors of a memory at low
 * voltage, soft errors at a given rate. */
#ifndef BSR_RNG_BERNOULLI_H
#define BSR_RNG_BERNOULLI_H

#include <stdint.h>

#include "bitseer/status.h"

#define BSR_FLIPS_BANDS 54

/* A walk over the flipped positions of 0..n-1, ascending, hence distinct. Plain value, may be
 * copied; owns nothing.
 *
 * The pattern is a pure function of (n, p, seed, stream): every model, thread and machine gets the
 * same. Moreover it is nested: bit i flips at p when p >= u_i, where u_i depends on (seed, stream,
 * i) only. So
 *  - for p1 < p2 the positions at p1 are among those at p2, like the cells of one memory chip
 *    whose voltage is lowered (D. Stutz et al., "Bit error robustness for energy-efficient DNN
 *    accelerators", MLSys 2021), and a sweep over p follows one chip per stream;
 *  - for n1 < n2 the positions at n1 are those at n2 that are below n1.
 *
 * How: each bit has an exponential time T_i, and flips at p when T_i <= lambda = -log(1 - p). The
 * times are cut into bands, [0, 2^-47) and then one for each factor of 2. The bits whose T_i falls
 * into a band are found by geometric gaps, the whole part of E / width with E exponential (L.
 * Devroye, Non-Uniform Random Variate Generation, 1986, X.2); in the band that holds lambda each
 * gets its T_i, and those above lambda are left out. A bit flips when some band flips it. Bands
 * are independent, so the flips are independent and each has probability p, up to the 2^-52 grain
 * of a double. */
typedef struct bsr_flips {
    uint64_t n;
    uint64_t seed;
    uint64_t stream;
    uint64_t counted; /* p is 1: positions returned */
    double keep;      /* share of the uppermost band that is below lambda */
    int uppermost;    /* that band, or -1 */
    int all;          /* p is 1 */
    unsigned count;   /* bands not at their end */
    struct bsr_flips_band {
        uint64_t next;  /* position found and not yet returned; ascending over the bands */
        uint64_t drawn; /* random blocks used */
        int band;
    } bands[BSR_FLIPS_BANDS];
} bsr_flips;

/* Starts the walk. n may be 0. Uses words of the stream in a way of its own: draw nothing else from
 * (seed, stream). EINVAL: n above 2^53, p outside [0, 1] or NaN; then there are no flips. */
bsr_status bsr_flips_init(bsr_flips *f, uint64_t n, double p, uint64_t seed, uint64_t stream);

/* 1 and the next position, or 0 at the end (and ever after). The cost of a whole walk is
 * proportional to the flips, each some 100 ns, plus a constant; it does not depend on n. */
int bsr_flips_next(bsr_flips *f, uint64_t *position);

#endif
