/* Drawing without replacement. */
#ifndef BSR_RNG_SAMPLE_H
#define BSR_RNG_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "bitseer/status.h"

/* Largest population: indices stay exact in double. */
#define BSR_MAX_POPULATION ((uint64_t)1 << 53)

/* A sequence of distinct indices from 0..N-1, each uniform over those not yet drawn: the
 * Fisher-Yates shuffle (Durstenfeld, CACM 7(7), 1964) of 0..N-1, of which only the displaced
 * entries are stored. It depends on (N, seed, stream) only, and how many are drawn is not decided
 * in advance: the first n draws are the beginning of the first m > n. One thread at a time. */
typedef struct bsr_sample bsr_sample;

/* EINVAL: N outside 1..BSR_MAX_POPULATION. Caller owns *out. */
bsr_status bsr_sample_new(bsr_sample **out, uint64_t N, uint64_t seed, uint64_t stream);
void bsr_sample_free(bsr_sample *sample);

/* The next index. Expected O(1) and, after n draws, at most 64 n bytes (plus a constant).
 * EINVAL: all N are drawn; ENOMEM: nothing was drawn, the call may be repeated. */
bsr_status bsr_sample_next(bsr_sample *sample, uint64_t *index);

/* Draws so far. */
uint64_t bsr_sample_drawn(const bsr_sample *sample);

/* The first n draws in one array, in the order drawn or, where `sorted`, ascending. n may be 0.
 * EINVAL: N out of range or n > N. Caller owns *out (bsr_free). */
bsr_status bsr_sample_indices(uint64_t **out, uint64_t N, uint64_t n, uint64_t seed,
                              uint64_t stream, int sorted);

/* Index i of 0..n-1 with the chance below[i] - below[i - 1] (below[-1]: 0) of below[n - 1], for u
 * uniform on (0, 1). below: [n] not descending, n at least 1. O(log n). */
size_t bsr_sample_weighted(const double *below, size_t n, double u);

#endif
