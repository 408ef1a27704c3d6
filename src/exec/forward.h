/* Whole inferences: the golden run, plain evaluation, and the full faulty inference that
 * differential execution is tested against. */
#ifndef BSR_EXEC_FORWARD_H
#define BSR_EXEC_FORWARD_H

#include "exec/step.h"

/* What was changed: one stored element. */
typedef enum bsr_fault_place {
    BSR_FAULT_WEIGHT, /* `where` = layer, element of the weight tensor */
    /* `where` = layer, element of the bias tensor; the output channel of a layer without one, whose
     * sums then start from the faulty value instead of 0. A layer's bias plus d is d added to all
     * sums of a channel. */
    BSR_FAULT_BIAS,
    BSR_FAULT_VALUE, /* `where` = graph value that the plan keeps */
    /* The copy of one operand that one multiplication of one output element reads: `where` = layer,
     * element = the weight of that multiplication, which names the output channel, the tap and the
     * input channel; `pixel` = the output pixel before any stage. The tap must not lie in the
     * padding (bsr_operand_windows). Nothing else reads the faulty copy. */
    BSR_FAULT_OPERAND_INPUT,
    BSR_FAULT_OPERAND_WEIGHT,
    /* `where` = graph value of a constant that is no layer's weight or bias. Lanes and
     * bsr_forward_faulty cannot: bsr_altered_run does. */
    BSR_FAULT_PARAMETER,
    /* The finished sum of one output element of a layer, before any stage: `where` = layer, element
     * = output channel, `pixel` = output pixel, `bits` = what is added to the sum: a float (one
     * float addition), or an int32 for layers on 8-bit codes (modulo 2^32). No stored element: what
     * many operand faults of one output element have in common (fault/neuron.h). */
    BSR_FAULT_SUM,
} bsr_fault_place;

typedef struct bsr_stored_fault {
    bsr_fault_place place;
    int where;
    int64_t element; /* row-major logical index */
    uint32_t bits;   /* the new stored bits, in the low bits for narrow types */
    int pixel;       /* operand and sum faults: output pixel of the layer; else -1 and not read */
} bsr_stored_fault;

/* An operand fault? */
static inline int bsr_is_operand(bsr_fault_place place)
{
    return place == BSR_FAULT_OPERAND_INPUT || place == BSR_FAULT_OPERAND_WEIGHT;
}

/* Does the fault show in one output element of a layer? */
static inline int bsr_is_one_output(bsr_fault_place place)
{
    return bsr_is_operand(place) || place == BSR_FAULT_SUM;
}

/* Workspace of one thread for whole inferences of up to `images` images at once. */
typedef struct bsr_forward bsr_forward;
bsr_status bsr_forward_new(bsr_forward **out, const bsr_plan *plan, int images);
void bsr_forward_free(bsr_forward *f);

/* Runs n <= images images. inputs[i]: pixels of the input tensor in the plan's layout (see
 * bsr_plan_view). records[i]: where all tensors of image i are kept (plan->golden_bytes each,
 * 64-byte aligned), or records == NULL when only logits are wanted. logits[i] (may be NULL): the
 * output's elements in logical order. */
bsr_status bsr_forward_run(bsr_forward *f, int n, const char *const *inputs, char *const *records,
                           float *const *logits);

/* What a run takes in place of the plan's weights, and whom it shows tensors to. */
typedef struct bsr_forward_changes {
    bsr_weights *weights; /* [layers], of the same form as the plan's; NULL: the plan's */
    /* Called for every image after a plan tensor is computed, the input included, and before it is
     * read; may change the pixels at `data`. NULL: never. */
    void (*computed)(void *ctx, int image, int pten, char *data);
    void *ctx;
} bsr_forward_changes;

/* bsr_forward_run under changes (NULL: none). */
bsr_status bsr_forward_run_changed(bsr_forward *f, int n, const char *const *inputs,
                                   char *const *records, float *const *logits,
                                   const bsr_forward_changes *changes);

/* One image under a fault, everything recomputed. A fault in a value that is the input changes the
 * input. `logits` as above. Costs one inference and, for weights, a copy of the layer's. */
bsr_status bsr_forward_faulty(bsr_forward *f, const char *input, const bsr_stored_fault *fault,
                              float *logits);

/* Elements of the network's output. */
int bsr_plan_classes(const bsr_plan *plan);

/* Copies the output tensor at `data` to logits in logical order. */
void bsr_read_logits(const bsr_plan *plan, const char *data, float *logits);

/* Class with the greatest logit; NaN counts as greatest, the lowest index wins ties. */
int bsr_top1(const float *logits, int n);

/* Is any logit NaN or infinite? */
int bsr_is_due(const float *logits, int n);

#endif
