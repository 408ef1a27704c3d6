/* First-order maps: what a small change of any element of any tensor does to the logits, or to any
 * weighted sums of them. One backward pass through the plan per image, for several sums together.
 *
 * A sum is given by its seed, a weight for each logit. Seeds of margins give what faults do to the
 * distances between the golden class and its rivals, unit vectors what they do to each logit. The
 * gradient at a plan tensor is taken with respect to the elements as they are stored: for 8-bit
 * codes per step of the code. Rounding to codes counts as the identity inside the range of the
 * codes and as constant outside (straight-through); Relu and clamps have slope 0 where they cut, at
 * the cut too; of equal maxima the first is followed.
 *
 * The gradient at a plan tensor is what the steps that read it make of it. Where the plan holds a
 * value twice (in two layouts, or as codes and as the floats they stand for, when convolutions read
 * the codes), the tensor that the other is made from has the whole gradient, and the other that of
 * its own readers. How the pass works: docs/design/gradient.md. */
#ifndef BSR_EXEC_GRADIENT_H
#define BSR_EXEC_GRADIENT_H

#include "exec/lanes.h"

/* Rivals looked at: all of a network with few classes, else those with the smallest margins. */
#define BSR_MAX_RIVALS 10

/* Backward form of a plan: transposed packed weights and inverted pixel maps. Immutable, shared by
 * threads. The plan must outlive it. */
typedef struct bsr_gradient_plan bsr_gradient_plan;

/* EUNSUPPORTED, naming the node: an operator between the input and the output has no backward rule.
 * ENOMEM. Caller owns *out. Costs about the memory of the plan's weights again. */
bsr_status bsr_gradient_plan_new(bsr_gradient_plan **out, const bsr_plan *plan);
void bsr_gradient_plan_free(bsr_gradient_plan *gp);

/* Rivals of one image, nearest first (smaller class first of equal margins). A margin is (logit of
 * the golden class) - (logit of a rival), in the golden run. Logits that are not finite make their
 * margin 0. */
typedef struct bsr_margins {
    int n;
    int rival[BSR_MAX_RIVALS];
    float margin[BSR_MAX_RIVALS]; /* >= 0 */
} bsr_margins;
void bsr_margins_of(bsr_margins *m, const float *logits, int top1, int classes);

/* Seeds of the margins, [m->n][classes]: +1 at top1, -1 at the rival. */
void bsr_margin_seeds(float *seeds, const bsr_margins *m, int top1, int classes);

/* Workspace of one thread. */
typedef struct bsr_gradients bsr_gradients;
bsr_status bsr_gradients_new(bsr_gradients **out, const bsr_gradient_plan *gp);
void bsr_gradients_free(bsr_gradients *g);

/* Bytes that a workspace takes, about. */
size_t bsr_gradients_bytes(const bsr_gradient_plan *gp);

/* The gradient of every sum at plan tensor `pten`: seed k's at gradient + k * stride, as
 * [pixels][channels]; valid during the call. A tensor that cannot reach the output has zeros. */
typedef bsr_status (*bsr_gradient_fn)(void *ctx, int pten, const float *gradient, size_t stride);

/* The same at the sums that a layer makes: behind its core and bias, before any stage, as
 * [pixels][core_channels] of the layer's step. Of a layer on codes it is per unit of the int32
 * sums. */
typedef bsr_status (*bsr_layer_gradient_fn)(void *ctx, int layer, const float *gradient,
                                            size_t stride);

/* What a walk is for. */
typedef struct bsr_gradient_request {
    int n;                       /* seeds: 0 to BSR_MAX_RIVALS, and at most as many as classes */
    const float *seeds;          /* [n][classes]: sum k is that of seeds[k][c] * logit c */
    const unsigned char *wanted; /* [ptens], NULL: none */
    bsr_gradient_fn fn;          /* called for wanted tensors */
    const unsigned char *wanted_layers; /* [layers], NULL: none */
    bsr_layer_gradient_fn layer_fn;     /* called for wanted layers */
    void *ctx;
} bsr_gradient_request;

/* Walks the steps backwards for one image of the golden run (made with the same plan) and calls
 * r->fn for every wanted tensor and r->layer_fn for every wanted layer, later ones first, a layer's
 * output before the layer; stops behind the last wanted one. Tensors that the golden run does not
 * keep are computed again from kept ones. A status other than BSR_OK from a call ends the walk and
 * is returned; ENOMEM from operators' own rules (bsr_op.backward), nothing else allocates. Costs
 * about one inference per seed, and one more for what happens inside steps. Deterministic: the same
 * bits for every kernel set, number of threads and set of wanted tensors and layers. */
bsr_status bsr_gradients_run(bsr_gradients *g, const bsr_golden *golden, int image,
                             const bsr_gradient_request *r);

#endif
