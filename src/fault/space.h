/* The population of faults: which stored elements can be hit, and how. */
#ifndef BSR_FAULT_SPACE_H
#define BSR_FAULT_SPACE_H

#include "bitseer/run.h"
#include "exec/golden.h"
#include "exec/model_state.h"
#include "fault/fault_model.h"
#include "fault/storage.h"

/* Sites of one layer, one tensor or one parameter. Site s lies in channel chosen[s / per_channel];
 * sites are numbered channel by channel. Fault number of variant v of site s: first + s *
 * n_variants + v. A space read back from a run's database has no model behind it: `data` and
 * `stored` are NULL, and everything but stored values works. */
typedef struct bsr_space {
    int id; /* position in the population */
    bsr_fault_place place;
    int where;                /* layer, or graph value */
    char *name;               /* node or tensor */
    char *op;                 /* operator; "" for the image */
    char *format;             /* of the stored codes: "float32", "int8", "q2.5", ... */
    int index;                /* layer index, or position among the analysed tensors */
    int width;                /* bits of a code */
    bsr_dtype dtype;          /* of the elements the network computes with */
    size_t esize;             /* their bytes */
    const void *data;         /* elements of constants, NULL for tensors of the golden run */
    const bsr_stored *stored; /* format and codes, NULL: the elements' own bits */
    int64_t outer, inner;     /* logical index = (o * channels + c) * inner + i; not operands */
    int channels, n_chosen;
    int *chosen; /* ascending */
    int n_variants;
    int variants[BSR_MAX_VARIANTS]; /* lowest bit that each fault of a site changes, or -1 */
    uint64_t per_channel, sites, population;
    uint64_t first; /* faults of the spaces before */
    uint64_t first_site;
    uint64_t neurons, first_neuron; /* operand places: output elements, channel by channel */
    /* Operand places: taps that read a real input, for each output pixel (exec/operand.h). */
    int pixels, taps, cin;
    unsigned char *windows;
    size_t windows_bytes;
    uint32_t *window_at; /* [pixels + 1] real taps of the pixels before */
} bsr_space;

/* Everything a run may hit. */
typedef struct bsr_spaces {
    int n;
    bsr_space *spaces;
    uint64_t sites, population, neurons;
    bsr_fault_model model;
} bsr_spaces;

/* Builds the population the options select. plan: compiled, from storage's graph where there is a
 * storage, with the tensors kept (bsr_spaces_keep). ENOTFOUND: a layer, tensor, channel or bit that
 * does not exist; EINVAL; EUNSUPPORTED; ENOMEM. Cleared with bsr_spaces_clear. plan and storage
 * must outlive it. */
bsr_status bsr_spaces_init(bsr_spaces *out, const bsr_model *model, const bsr_plan *plan,
                           const bsr_storage *storage, const bsr_run_options *options);
void bsr_spaces_clear(bsr_spaces *spaces);

/* Frees what one space owns, for who takes it out of its population. */
void bsr_space_clear(bsr_space *space);

/* Tensors that the options select for activation (default: inputs of layers) and input faults:
 * *chosen [model->graph->n_values], owned by the caller. */
bsr_status bsr_spaces_tensors(unsigned char **chosen, const bsr_model *model,
                              const bsr_run_options *options);

/* Graph values that the plan must keep: *keep [values of storage's graph, or the model's], owned by
 * the caller. */
bsr_status bsr_spaces_keep(unsigned char **keep, const bsr_model *model, const bsr_storage *storage,
                           const bsr_run_options *options);

/* Completes what follows from the other fields: per_channel, sites, population, window_at, and the
 * numbers of the spaces after it. Spaces must be finished in order. */
bsr_status bsr_space_finish(bsr_spaces *all, bsr_space *space);

/* Space, site and variant (position in `variants`) of fault `index` of the population. */
const bsr_space *bsr_space_of(const bsr_spaces *spaces, uint64_t index, uint64_t *site,
                              int *variant);

/* Space of a site numbered over all spaces; *site becomes its number within the space. */
const bsr_space *bsr_space_of_site(const bsr_spaces *spaces, uint64_t *site);

/* Where a site is. */
typedef struct bsr_site {
    int64_t element; /* logical index in its tensor; operands: of the weight multiplied with */
    int pixel;       /* operands: output pixel; else -1 */
    int channel;
} bsr_site;
bsr_site bsr_space_site(const bsr_space *space, uint64_t site);

/* Channel of a logical index. */
static inline int bsr_element_channel(const bsr_space *space, int64_t element)
{
    return (int)(element / space->inner % space->channels);
}

/* Code stored at a site: of the constant, or of the golden tensor of `image`. Not for spaces read
 * back. */
uint32_t bsr_space_code(const bsr_space *space, const bsr_golden *golden, int image, bsr_site site);

/* Code of an element by the bits that the network computes with; bsr_space_bits is the reverse. */
uint32_t bsr_space_encode(const bsr_space *space, bsr_site site, uint32_t bits);

/* Number that a code at a site stands for. */
double bsr_space_value(const bsr_space *space, bsr_site site, uint32_t code);

/* The same as bits of the element that the network computes with. */
uint32_t bsr_space_bits(const bsr_space *space, bsr_site site, uint32_t code);

/* Change by variant `variant` (position in `variants`) of a site. */
bsr_change bsr_space_change(const bsr_spaces *all, const bsr_space *space, uint64_t site,
                            int variant);

/* The lane of a site's changed code in one image. */
bsr_lane_job bsr_space_job(const bsr_space *space, const bsr_golden *golden, int image,
                           bsr_site site, bsr_change change);

/* Number that stored bits of this type stand for. */
double bsr_stored_value(bsr_dtype dtype, uint32_t bits);

#endif
