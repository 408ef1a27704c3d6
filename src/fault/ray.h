/* Fault rays: every fault of a site from few evaluations (docs/theory/rays.md).
 *
 * All faults of a stored value v lie on a line, v + s. On each side of 0 they are tried from the
 * largest |s| down; one that keeps the golden class vouches for all smaller ones of its side.
 * Faults to NaN have no place on the line and are tried one by one, as are all faults of codes of
 * at most 8 bits. */
#ifndef BSR_FAULT_RAY_H
#define BSR_FAULT_RAY_H

#include <stdint.h>

#include "fault/fault_model.h"

/* Codes of fewer bits are tried one by one: their rounding on the way breaks the order of faults
 * too often (6 in 1000 pairs of an int8 ResNet-8). */
#define BSR_TRUSTED_BITS 9

/* Faults of one site at most. */
#define BSR_RAY_BITS BSR_MAX_VARIANTS

/* Search of one side: faults order[0 .. n-1] from the largest |s| down. Those before `critical` are
 * critical; those from `harmless` on are not; when the two meet the side is decided. */
typedef struct bsr_ray_side {
    uint8_t order[BSR_RAY_BITS];
    uint8_t n, critical, harmless;
    uint8_t step;      /* of the galloping search */
    uint8_t bracketed; /* a harmless one was found: halve from here on */
} bsr_ray_side;

/* One site in one image. */
typedef struct bsr_ray {
    bsr_ray_side side[2]; /* values below v, values above v */
    uint8_t nans[BSR_RAY_BITS];
    uint8_t n_nans, nan_done;
    uint32_t nan_critical; /* bit i: fault nans[i] is critical */
} bsr_ray;

/* Starts the search over n <= BSR_RAY_BITS faults of stored value v, which is read as values[i]
 * under fault i. Faults that do not change the value (the sign of 0) count as harmless. one_by_one:
 * trust no order. */
void bsr_ray_init(bsr_ray *ray, double v, const double *values, int n, int one_by_one);

/* Faults to evaluate next: at most one per side and one NaN; returns how many (0: decided).
 * which[i] goes back to bsr_ray_tell. */
int bsr_ray_ask(const bsr_ray *ray, int fault[3], int which[3]);

/* The answer to question `which`. */
void bsr_ray_tell(bsr_ray *ray, int which, int critical);

/* After the search: bit i of the result is set when fault i is critical. */
uint32_t bsr_ray_critical(const bsr_ray *ray);

#endif
