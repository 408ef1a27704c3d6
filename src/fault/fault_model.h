/* What a fault does to the stored code of its site. */
#ifndef BSR_FAULT_FAULT_MODEL_H
#define BSR_FAULT_FAULT_MODEL_H

#include <stdint.h>

#include "bitseer/status.h"

#define BSR_MAX_VARIANTS 32

typedef enum bsr_fault_kind {
    BSR_FAULT_BITFLIP,
    BSR_FAULT_MBU,
    BSR_FAULT_WORD8,
    BSR_FAULT_MASK,
    BSR_FAULT_STUCK0,
    BSR_FAULT_STUCK1,
    BSR_FAULT_RANDOM,
    BSR_FAULT_ZERO,
    BSR_FAULT_BER,    /* many sites at once; variants and changes do not apply */
    BSR_FAULT_LISTED, /* each fault has its own change, see fault/fault_list.h; not parsed */
} bsr_fault_kind;

/* Plain value. */
typedef struct bsr_fault_model {
    bsr_fault_kind kind;
    int k;         /* MBU: bits */
    uint32_t mask; /* MASK */
    double p0, p1; /* BER: probability of a flip for bits that are 0 and that are 1 */
    uint64_t seed; /* RANDOM */
} bsr_fault_model;

/* Text as in bsr_run_options. EINVAL names what was expected; rates outside 0..1 are. */
bsr_status bsr_fault_model_parse(bsr_fault_model *out, const char *text);

/* The faults of one site whose code has `width` bits, of which `bits` (bit i: position i) may be
 * hit: variants[i] is the lowest bit that fault i changes, -1 when the model has no positions.
 * selected: the user chose bits. EINVAL: the model does not fit the width or the selection, or
 * takes none; `name` is the layer's or tensor's, for messages. */
bsr_status bsr_fault_variants(const bsr_fault_model *m, int width, uint32_t bits, int selected,
                              const char *name, int variants[BSR_MAX_VARIANTS], int *n);

/* A changed code is (code & keep) ^ flip. */
typedef struct bsr_change {
    uint32_t keep, flip;
} bsr_change;

/* Change by fault `variant` (its lowest bit) of site `site` of the population's space `space`. */
bsr_change bsr_fault_change(const bsr_fault_model *m, int width, int variant, int space,
                            uint64_t site);

static inline uint32_t bsr_change_apply(bsr_change c, uint32_t code)
{
    return (code & c.keep) ^ c.flip;
}

#endif
