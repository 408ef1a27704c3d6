/* Counter-based random streams: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC'11). A stream is a pure function of (seed, stream, position): who draws it, in which
 * thread and after what makes no difference, so give every unit of work a stream id of its own.
 * Neither function here allocates or fails; an object is used by one thread at a time. */
#ifndef BSR_RNG_PHILOX_H
#define BSR_RNG_PHILOX_H

#include <stddef.h>
#include <stdint.h>

/* The bijection itself: out = Philox4x32-10 of counter under key. Words in Random123's order. */
void bsr_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* 4 * blocks words of a stream from word 4 * first on, as bsr_rng below gives them; 2 ns a word. */
void bsr_philox_fill(uint32_t *out, size_t blocks, uint64_t first, uint64_t seed, uint64_t stream);

/* A position in one stream of 2^64 words of 32 bits; plain value, may be copied. Word w of the
 * stream is word w % 4 of the block with key = (low, high half of seed) and
 * counter = (low, high half of w / 4, low, high half of stream). */
typedef struct bsr_rng {
    uint64_t seed;
    uint64_t stream;
    uint64_t position; /* index of the next 32-bit word */
    uint32_t block[4]; /* the words of position / 4, valid where position % 4 != 0 */
} bsr_rng;

/* At position 0. */
bsr_rng bsr_rng_make(uint64_t seed, uint64_t stream);

/* Goes to the given 32-bit word; O(1). */
void bsr_rng_seek(bsr_rng *rng, uint64_t position);

/* The next word; the next two words, first one low. */
uint32_t bsr_rng_u32(bsr_rng *rng);
uint64_t bsr_rng_u64(bsr_rng *rng);

/* Exactly uniform on 0..n-1, n >= 1: 64-bit values below 2^64 mod n are rejected (so that what is
 * left is a multiple of n), the rest taken mod n. Uses two words, and two more for each rejection,
 * which has probability below n / 2^64. */
uint64_t bsr_rng_below(bsr_rng *rng, uint64_t n);

/* Uniform on the open interval (0, 1): the midpoints of 2^52 equal cells, each exact in double.
 * Uses two words. */
double bsr_rng_uniform(bsr_rng *rng);

#endif
