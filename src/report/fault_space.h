/* How many single-bit faults a network has. */
#ifndef BSR_REPORT_FAULT_SPACE_H
#define BSR_REPORT_FAULT_SPACE_H

#include <stdint.h>

#include "bitseer/model.h"

/* The kinds that a network's layers and tensors tell of: weight, bias, activation, input. */
#define BSR_SPACES 4

/* Everything one kind of fault can hit, in the order of bsr_target. */
typedef struct bsr_target_space {
    const char *target;
    uint64_t sites, faults;
} bsr_target_space;

/* Sums over all layers, over the tensors that activation faults hit when none is selected, and the
 * image. */
bsr_status bsr_fault_space(bsr_target_space out[BSR_SPACES], const bsr_model *model);

#endif
