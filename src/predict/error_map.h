/* Everything that bit errors go into, element by element, with the moments of the errors. */
#ifndef BSR_PREDICT_ERROR_MAP_H
#define BSR_PREDICT_ERROR_MAP_H

#include "campaign/sweep_memory.h"
#include "fault/disturbance.h"

/* Errors of the elements of one space: of a constant, or of a tensor in one image. Elements are in
 * the order of the gradients at them: bsr_weight_gradient_at of weights, channels of biases,
 * [pixels][channels] of tensors. Elements that are not selected have 0. In the units of the
 * gradients: of values, or of codes where the network computes with codes. */
typedef struct bsr_errors {
    size_t n;
    const float *mean, *square, *fourth; /* per unit of BER */
} bsr_errors;

/* An element whose single flips are kept. */
typedef struct bsr_jump_site {
    size_t at; /* in the order of the gradients */
    bsr_site site;
} bsr_jump_site;

typedef struct bsr_error_map {
    const bsr_sweep_memory *memory;
    const bsr_plan *plan;
    int n;                           /* spaces of all targets */
    const bsr_space **spaces;        /* [n] */
    bsr_target *targets;             /* [n] */
    double *bits;                    /* [n] that can flip in one inference */
    bsr_errors *constants;           /* [n]; of tensors n alone */
    bsr_disturbances **disturbances; /* [n] */
    size_t *first_jump;              /* [n + 1] rows of the flips kept: one for each bit */
    bsr_jump_site **jump_sites;      /* [n] rows / bits of each */
    int *weight_space, *bias_space;  /* [layers] space that the layer reads, -1 */
    int **tensor_spaces;             /* [ptens] spaces in it, -1 at the end; NULL: none */
    size_t most_elements;
    bsr_space *reduced; /* [n] the spaces without the highest bits, when some are protected */
} bsr_error_map;

/* protected_bits: highest selected bits of every element that never flip. EUNSUPPORTED: errors
 * without usable moments (fault/disturbance.h); ENOMEM. memory must outlive it. Cleared with
 * bsr_error_map_clear, also on failure. */
bsr_status bsr_error_map_init(bsr_error_map *map, const bsr_sweep_memory *memory,
                              int protected_bits, uint64_t seed);
void bsr_error_map_clear(bsr_error_map *map);

/* Errors of tensor space `space` in image `image` of a golden run. room: [3 * most_elements]. */
void bsr_tensor_errors(bsr_errors *out, const bsr_error_map *map, int space,
                       const bsr_golden *golden, int image, float *room);

/* Rows of the tensor that holds a graph value, in a golden run that keeps it. */
const void *bsr_golden_rows(const bsr_golden *golden, int image, int value);

/* Place of an element (logical index) in the order of the gradients. */
size_t bsr_error_place(const bsr_error_map *map, int space, int64_t element);

#endif
