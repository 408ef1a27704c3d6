/* Fault rays: every bit of a site from few evaluations (docs/theory/rays.md).
 *
 * All flips of a stored value v lie on a line, v + s. On each side of 0 the flips are tried from
 * the largest |s| down; one that keeps the golden class vouches for all smaller ones of its side.
 * Flips to NaN have no place on the line and are tried one by one, as are all flips of 8-bit codes.
 */
#ifndef BSR_FAULT_RAY_H
#define BSR_FAULT_RAY_H

#include <stdint.h>

#include "tensor/tensor.h"

#define BSR_RAY_BITS 32

/* Search of one side: flips order[0 .. n-1] from the largest |s| down. Flips before `critical` are
 * critical; flips from `harmless` on are not; when the two meet the side is decided. */
typedef struct bsr_ray_side {
    uint8_t order[BSR_RAY_BITS];
    uint8_t n, critical, harmless;
    uint8_t step; /* of the galloping search */
} bsr_ray_side;

/* One site in one image. */
typedef struct bsr_ray {
    bsr_ray_side side[2]; /* values below v, values above v */
    uint8_t nans[BSR_RAY_BITS];
    uint8_t n_nans, nan_done;
    uint32_t nan_critical; /* bit i: flip of nans[i] is critical */
} bsr_ray;

/* Starts the search over the flips of `bits` (positions in 0..31) of stored value `stored`. Flips
 * that do not change the value (the sign of 0) count as harmless. */
void bsr_ray_init(bsr_ray *ray, bsr_dtype dtype, uint32_t stored, const int *bits, int n_bits);

/* Bit positions to evaluate next: at most one per side and one NaN; returns how many (0: decided).
 * which[i] goes back to bsr_ray_tell. */
int bsr_ray_ask(const bsr_ray *ray, int bit[3], int which[3]);

/* The answer to question `which`. */
void bsr_ray_tell(bsr_ray *ray, int which, int critical);

/* After the search: bit b of the result is set when flipping bit b is critical. */
uint32_t bsr_ray_critical(const bsr_ray *ray);

#endif
