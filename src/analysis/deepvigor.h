/* Method `deepvigor`: vulnerability factors as DeepVigor+ has them (Ahmadilivani et al., arXiv
 * 2410.15742), by the paper's text and without the defects of its published code; for comparison
 * with fault rays. docs/theory/deepvigor.md says what is the paper's and what had to be decided.
 *
 * Filters (target weight): an error is a uniform change of a channel's sums. Neurons (target
 * operand): a change of one sum. Error distribution map and search space are those of all images
 * together; the search is done for each image. An error e is benign in an image iff d- <= e < d+.
 */
#ifndef BSR_ANALYSIS_DEEPVIGOR_H
#define BSR_ANALYSIS_DEEPVIGOR_H

#include "analysis/session.h"

typedef struct bsr_deepvigor_options {
    double ratio; /* of the channels of a layer, in (0, 1]: ceil(ratio * channels) are analysed */
    int neurons;  /* of a channel, all when there are fewer; 0: max(1, floor(log2(all))), Eq. 16 */
} bsr_deepvigor_options;

/* One filter or neuron. */
typedef struct bsr_deepvigor_target {
    int layer; /* position among the result's layers */
    int channel;
    int pixel; /* of the layer's output; -1: a filter */
    double vf; /* 1 - mean over images of (F(d+) - F(d-)) */
    int simulations;
} bsr_deepvigor_target;

typedef struct bsr_deepvigor_layer {
    const char *name, *op;
    int index;                            /* of the layer in the network */
    int channels;                         /* output channels */
    uint64_t neurons;                     /* output elements */
    uint64_t inputs;                      /* input elements: N_l of Eq. 15 */
    uint64_t weights;                     /* W_l */
    int n_chosen;                         /* channels analysed */
    const int *chosen;                    /* [n_chosen] ascending */
    const double *cvf;                    /* [n_chosen] of the filter, or the mean of its neurons */
    const bsr_deepvigor_counts *searches; /* [n_chosen] sums over the channel's targets */
    double lvf;                           /* mean of cvf */
    size_t first_target;                  /* the layer's targets, by channel and pixel */
    bsr_deepvigor_counts counts;
} bsr_deepvigor_layer;

typedef struct bsr_deepvigor {
    int n_layers;
    bsr_deepvigor_layer *layers;
    bsr_deepvigor_target *targets; /* [counts.targets] */
    bsr_deepvigor_counts counts;
    double mvf;  /* mean of the layers' */
    void *arena; /* private */
} bsr_deepvigor;

/* What a session must be opened for, by its options and as its only target: the operands of a
 * filter's multiplications, or of a neuron's. Only weight and operand; else EINVAL. */
bsr_status bsr_deepvigor_target_of(bsr_target *session_target, bsr_target target);

/* Analyses the layers, channels and faults that the session's options select; every Conv when they
 * name no layer. The session was opened for what bsr_deepvigor_target_of says, and has lanes
 * (bsr_session_lanes). Draws come from the options' seed. The result does not depend on threads,
 * memory or kernels.
 *
 * The gradient of the paper's loss, sum over the classes of sigmoid(logit of the golden class -
 * logit), at a probe is taken to be zero when the logits at the probe and a little farther out (1 +
 * 2^-6 instead of 1) are the same bits. These lanes are no simulations, like gradient passes in the
 * paper. Unlike a gradient in float32 it does not vanish where sigmoids saturate.
 *
 * EINVAL: ratio or neurons, no Conv, a fault model without single sites. EUNSUPPORTED: a layer on
 * 8-bit codes, or one that shares its bias. ECANCELLED; ENOMEM. Caller owns *out. Costs per target
 * and image two lanes to learn the gradients and two to some ten to search. */
bsr_status bsr_deepvigor_run(bsr_deepvigor **out, bsr_session *session,
                             const bsr_deepvigor_options *options);

/* The layers, channels and targets of that, with factors and counts but `targets` 0, at no cost;
 * needs no lanes. The same errors, so that nothing is begun that cannot be done. */
bsr_status bsr_deepvigor_plan(bsr_deepvigor **out, bsr_session *session,
                              const bsr_deepvigor_options *options);
void bsr_deepvigor_free(bsr_deepvigor *result);

/* Both targets together, Eq. 15: mean over the layers of (N_l LVF_operand + W_l LVF_weight) / (N_l
 * + W_l). EINVAL: the results are not of the same layers. */
bsr_status bsr_deepvigor_total(double *mvf, const bsr_deepvigor *operand,
                               const bsr_deepvigor *weight);

#endif
