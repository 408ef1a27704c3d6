/* Operand rays: every operand fault of one neuron from few evaluations
 * (docs/theory/operand-rays.md).
 *
 * A neuron is one output element of a layer: an output channel and an output pixel. A faulty
 * operand of one of its multiplications changes its sum by e = (x' - x) * w, or (w' - w) * x, and
 * nothing else in the network: faults of equal e are one fault, and all of them lie on a line
 * through the sum. They are counted and sorted once; a search over the distinct errors decides them
 * all by a few lanes of BSR_FAULT_SUM, under the interval rule of fault/ray.h.
 *
 * Errors that are NaN or infinite have no place on the line; each of the three kinds is evaluated
 * once. Adding e to the finished sum rounds otherwise than the chain of multiplications with a
 * faulty factor does: verdicts are those of the operand fault but for boundary cases. */
#ifndef BSR_FAULT_NEURON_H
#define BSR_FAULT_NEURON_H

#include "fault/space.h"

typedef enum bsr_neuron_special {
    BSR_NEURON_NAN,
    BSR_NEURON_MINUS_INF,
    BSR_NEURON_PLUS_INF,
    BSR_NEURON_SPECIALS
} bsr_neuron_special;

/* One neuron in one image. */
typedef struct bsr_neuron {
    const bsr_space *space; /* place BSR_FAULT_OPERAND_INPUT or BSR_FAULT_OPERAND_WEIGHT */
    int channel, pixel;
    int image; /* index in the golden run */
} bsr_neuron;

/* Multiplications with a real input, each of which has space->n_variants faults. */
size_t bsr_neuron_operands(const bsr_space *space, int pixel);

/* Errors of all faults: errors[operand * n_variants + variant], operands in the order of the
 * space's sites, computed in double and rounded to float once; of layers on 8-bit codes whole
 * numbers on the scale of the sum. `padded`, for weights only: taps in the padding are operands
 * too, with the input 0. *finite: all factors of the golden run are. Returns the number of
 * operands, at most taps * cin. */
size_t bsr_neuron_errors(const bsr_spaces *all, const bsr_golden *golden, const bsr_neuron *neuron,
                         int padded, float *errors, int *finite);

/* Errors of one sign, by falling size. */
typedef struct bsr_neuron_side {
    size_t n;        /* distinct errors */
    uint32_t *first; /* [n + 1] faults of error k: fault[first[k]] .. fault[first[k + 1] - 1] */
    uint64_t *fault; /* private, see bsr_neuron_size and bsr_neuron_variant */
    float screened;  /* errors of at most this size are harmless, and not listed */
} bsr_neuron_side;

/* Faults of a neuron in one image by their errors. Variants are positions in the space's
 * `variants`: the bits of a single flip. */
typedef struct bsr_neuron_list {
    bsr_neuron_side side[2]; /* below 0, above 0 */
    uint32_t special[BSR_NEURON_SPECIALS][BSR_MAX_VARIANTS];
    uint32_t all[BSR_MAX_VARIANTS]; /* every fault, those without effect (e = 0) too */
    uint64_t faults;                /* sum of `all` */
    int n_variants;
    /* A factor of the golden run is not finite: errors mean nothing, faults must be injected as
     * they are. Nothing is listed then. */
    int direct;
    float *errors; /* [faults] of each fault, as bsr_neuron_errors gives them */
    size_t room;   /* private from here on */
    uint64_t *entries, *sorted;
    uint32_t *starts;
} bsr_neuron_list;

/* Room for any neuron of the spaces, which must all be operand spaces: about 28 bytes a fault of
 * the largest. ENOMEM. Caller owns *out. */
bsr_status bsr_neuron_list_new(bsr_neuron_list **out, const bsr_spaces *all);
void bsr_neuron_list_free(bsr_neuron_list *list);

/* Fills the list. screened (NULL: nothing known): errors with |e| <= screened[0] below 0, and <=
 * screened[1] above, are known to be harmless; they are counted in `all` and cost no sorting.
 * Allocates nothing. */
void bsr_neuron_list_fill(bsr_neuron_list *list, const bsr_spaces *all, const bsr_golden *golden,
                          const bsr_neuron *neuron, const float screened[2]);

/* |e| of distinct error k. */
static inline float bsr_neuron_size(const bsr_neuron_side *side, size_t k)
{
    union {
        uint32_t bits;
        float size;
    } u = {(uint32_t)(side->fault[side->first[k]] >> 8)};
    return u.size;
}

/* Variant of fault i. */
static inline int bsr_neuron_variant(const bsr_neuron_side *side, size_t i)
{
    return (int)(side->fault[i] & 255);
}

/* Search over a list, which must stay as it is. Errors before `critical` are critical, those from
 * `harmless` on are not. */
typedef struct bsr_neuron_search {
    const bsr_neuron_list *list;
    struct {
        size_t critical, harmless;
    } side[2];
    uint64_t slack; /* faults that may stay undecided on a side */
    unsigned char special_asked[BSR_NEURON_SPECIALS], special_critical[BSR_NEURON_SPECIALS];
} bsr_neuron_search;

/* tolerance: share of the neuron's faults that may stay undecided, half of it on each side. 0:
 * every fault is decided. */
void bsr_neuron_search_init(bsr_neuron_search *search, const bsr_neuron_list *list,
                            double tolerance);

#define BSR_NEURON_QUESTIONS (2 + BSR_NEURON_SPECIALS)

/* Errors to evaluate next, at most one per side and every special kind at once; returns how many
 * (0: decided). which[i] goes back to bsr_neuron_tell. A side starts with its largest error: if it
 * is harmless, so is the side. Then the bracket between critical and harmless is halved, by the
 * exponents of the errors while it is wider than a factor of 4, which finds the empty stretch
 * between flips of the top exponent bit and all others at once, and by position afterwards. */
int bsr_neuron_ask(const bsr_neuron_search *search, float error[BSR_NEURON_QUESTIONS],
                   int which[BSR_NEURON_QUESTIONS]);
void bsr_neuron_tell(bsr_neuron_search *search, int which, int critical);

/* The lane of an error. */
bsr_lane_job bsr_neuron_job(const bsr_golden *golden, const bsr_neuron *neuron, float error);

/* What a search found. */
typedef struct bsr_neuron_result {
    uint32_t critical[BSR_MAX_VARIANTS];  /* faults by variant */
    uint32_t undecided[BSR_MAX_VARIANTS]; /* the same; 0 at tolerance 0 */
    float nearest_critical[2];  /* smallest |e| known to be critical, infinite where none is */
    float farthest_harmless[2]; /* largest |e| known to be harmless, 0 where none is */
} bsr_neuron_result;
void bsr_neuron_read(const bsr_neuron_search *search, bsr_neuron_result *result);

#endif
