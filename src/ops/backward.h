/* What the backward rules (bsr_op.backward) share.
 *
 * Every rule starts with bsr_backward_begin. Sums are taken in double, in an order that depends on
 * shapes only (row-major over the output where a rule says nothing else), and rounded to float32
 * once, so gradients have the same bits everywhere and for any strides. A term with a factor of 0
 * is left out, whatever the other factor is: what a Relu cuts off stays exactly +0 behind an
 * infinite weight too. */
#ifndef BSR_OPS_BACKWARD_H
#define BSR_OPS_BACKWARD_H

#include "ops/op.h"

/* Sets every wanted gradient to 0. Returns 0 when no output has a gradient: nothing is left to do.
 */
int bsr_backward_begin(const bsr_op_backward *call);

/* Is the gradient of input i wanted? */
static inline int bsr_backward_wants(const bsr_op_backward *call, int i)
{
    return i < call->forward->n_in && call->grad_in[i].data;
}

/* EUNSUPPORTED unless input 0 is float32. */
bsr_status bsr_backward_check_f32(const bsr_op_backward *call);

/* EUNSUPPORTED, naming it, when the gradient of one of inputs first..last is wanted. */
bsr_status bsr_backward_refuse(const bsr_op_backward *call, int first, int last);

/* A term of the chain rule. */
static inline double bsr_chain(double gradient, double slope)
{
    return gradient == 0.0 || slope == 0.0 ? 0.0 : gradient * slope;
}

/* float64 zeros, row-major, in the shape of `shape`, to add up terms for `grad`; data is NULL when
 * that of `grad` is. ENOMEM. Freed with bsr_free(sums->data), which bsr_sums_store does after
 * rounding the sums into `grad`. */
bsr_status bsr_sums_new(bsr_view *sums, const bsr_view *shape, const bsr_view *grad);
void bsr_sums_store(bsr_view *sums, const bsr_view *grad);

/* slope[i] = derivative of one output element with respect to the element x[i] of input i that it
 * is computed from, 0 <= i < n; x[i] is 0 for an omitted input. */
typedef void (*bsr_slopes_fn)(double *slope, const double *x, int n, const void *ctx);

/* Elementwise operators: the gradients of in[0..n-1], which are broadcast to the shape of grad_out
 * by ONNX's rules and have any numeric type; a broadcast element gets the sum of its copies. ENOMEM
 * only. O(n * elements of the output). */
bsr_status bsr_backward_pointwise(int n, const bsr_view *in, const bsr_view *grad_in,
                                  const bsr_view *grad_out, bsr_slopes_fn fn, const void *ctx);

/* The rule of all operators whose output elements are elements of their inputs: runs the operator
 * on the elements' numbers to see where each one goes. Data are the inputs of float and 8-bit
 * types; indices, shapes and conditions have none of these. */
bsr_status bsr_backward_move(const bsr_op_backward *call);

#endif
