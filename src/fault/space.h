/* The population of faults: which stored elements can be hit, and in which bits. */
#ifndef BSR_FAULT_SPACE_H
#define BSR_FAULT_SPACE_H

#include "bitseer/run.h"
#include "exec/golden.h"
#include "exec/model_state.h"

/* Sites of one layer (weight, bias) or one tensor (activation, input). Site s of `sites` lies in
 * channel chosen[s / per_channel]; sites are numbered channel by channel. */
typedef struct bsr_space {
    bsr_fault_place place;
    int where;        /* layer, or graph value */
    const char *name; /* node or tensor, borrowed from the model */
    const char *op;
    int index; /* layer index, or position among the analysed tensors */
    bsr_dtype dtype;
    size_t esize;
    const void *data;     /* stored elements of constants, NULL for tensors of the golden run */
    int64_t outer, inner; /* logical index = (o * channels + c) * inner + i */
    int channels, n_chosen;
    int *chosen; /* ascending */
    int n_bits;
    int bits[32]; /* ascending */
    uint64_t per_channel, sites, population;
    uint64_t first; /* faults of the spaces before */
} bsr_space;

/* Everything a run may hit. */
typedef struct bsr_spaces {
    int n;
    bsr_space *spaces;
    uint64_t sites, population;
} bsr_spaces;

/* Builds the population the options select. plan: compiled with the tensors kept (see
 * bsr_spaces_keep). ENOTFOUND: a layer, tensor, channel or bit that does not exist; EINVAL; ENOMEM.
 * Cleared with bsr_spaces_clear. */
bsr_status bsr_spaces_init(bsr_spaces *out, const bsr_model *model, const bsr_plan *plan,
                           const bsr_run_options *options);
void bsr_spaces_clear(bsr_spaces *spaces);

/* Graph values that the plan must keep for these options: *keep [graph values], owned by the
 * caller. */
bsr_status bsr_spaces_keep(unsigned char **keep, const bsr_model *model,
                           const bsr_run_options *options);

/* Space, site and bit position of fault `index` of the population. */
const bsr_space *bsr_space_of(const bsr_spaces *spaces, uint64_t index, uint64_t *site, int *bit);

/* Logical element index of a site. */
int64_t bsr_space_element(const bsr_space *space, uint64_t site);

/* Stored bits of a site: of the constant, or of the golden tensor of `image`. */
uint32_t bsr_space_stored(const bsr_space *space, const bsr_golden *golden, int image,
                          uint64_t site);

/* Number that stored bits of this type stand for. */
double bsr_stored_value(bsr_dtype dtype, uint32_t bits);

#endif
