/* Gradients at a layer's weights and bias, from the gradient at its sums: what a backward pass
 * (gradient.h) shows for a wanted layer, times the inputs that each weight meets.
 *
 * They are with respect to the elements as they are stored: of weights in 8-bit codes per step of
 * the code, of an int32 bias per unit. A layer whose weights another reads too (bsr_layer.shared)
 * gets its own share of their gradient. */
#ifndef BSR_EXEC_WEIGHT_GRADIENT_H
#define BSR_EXEC_WEIGHT_GRADIENT_H

#include "exec/gradient.h"

/* Workspace of one thread. */
typedef struct bsr_weight_gradients bsr_weight_gradients;

/* ENOMEM. Caller owns *out; gp must outlive it. Takes about the memory of the largest input of a
 * layer, as floats, and 256 pixels of the widest result of one for all seeds. */
bsr_status bsr_weight_gradients_new(bsr_weight_gradients **out, const bsr_gradient_plan *gp);
void bsr_weight_gradients_free(bsr_weight_gradients *w);

/* Elements of a layer's weights, and the place among them of output channel m, tap and input
 * channel c of m's group: [groups][taps][cin][cout], depthwise [taps][groups]. */
size_t bsr_weight_gradient_count(const bsr_weights *w);
size_t bsr_weight_gradient_at(const bsr_weights *w, int m, int tap, int c);

/* To be called from bsr_layer_gradient_fn, with the g of that walk and what the function was given
 * of its n seeds. Fills out [n][bsr_weight_gradient_count] and bias [n][groups * cout] (NULL: not
 * wanted); a layer without a bias has the gradient that one of zeros would have.
 *
 * An element is the sum over output pixels, in ascending order, of gradient times input: a chain of
 * fused operations from 0 over each 256 pixels, and the chains added in order (depthwise one chain
 * of all pixels). Padding counts as an input of 0, so that an infinite gradient beside it gives
 * NaN. The same bits for every kernel set, number of threads and number of seeds. Allocates
 * nothing. Costs about one inference of the layer per seed. */
void bsr_weight_gradient(bsr_weight_gradients *w, bsr_gradients *g, int layer,
                         const float *gradient, size_t stride, int n, float *out, float *bias);

#endif
