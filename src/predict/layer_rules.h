/* What each operator does to the mean and variance of a disturbance: the diagonal recursion, which
 * takes the disturbances of different elements for independent, and for normal or rarely normal.
 *
 * Y. Huang, H. Liu et al., "Statistical modeling of soft error influence on neural networks", IEEE
 * TCAD 2023, for layers of equal elements; here element by element (formulas derived anew,
 * docs/theory/statistical-models.md). */
#ifndef BSR_PREDICT_LAYER_RULES_H
#define BSR_PREDICT_LAYER_RULES_H

#include "ops/graph_gradient.h"

/* Of the disturbance of one graph value, in the units of its elements (codes count steps): dense,
 * row-major. NULL, both: no disturbance. Owned. */
typedef struct bsr_moment {
    float *mean, *var; /* [elements] */
    /* Excess kurtosis of its elements: sum of fourth cumulants over sum of squared variances. Rare
     * flips make it large; then an element counts as disturbed with probability
     * 3 / (3 + excess), by a normal variable: the mixture that has this kurtosis. */
    double excess;
    int unknown; /* it comes out of an operator without a rule; both are NULL */
} bsr_moment;

typedef struct bsr_layer_pass {
    const bsr_graph *graph;
    const bsr_tape *tape; /* golden values of one image */
    bsr_moment *of;       /* [values] */
} bsr_layer_pass;

/* Makes room for a value that has no disturbance yet, zeros. ENOMEM. */
bsr_status bsr_moment_new(const bsr_layer_pass *p, int value);
void bsr_moment_clear(bsr_moment *m);

/* Disturbances of the node's outputs from those of its inputs, at least one of which has one.
 * Outputs are `unknown` where an input is or the operator has no rule. ENOMEM and errors of the
 * operators' evaluation. */
bsr_status bsr_layer_rule(const bsr_layer_pass *p, const bsr_node *node);

/* One operator's rule. *known is 1 when it is called; 0: not for this form of it. */
typedef bsr_status (*bsr_layer_rule_fn)(const bsr_layer_pass *p, const bsr_node *node, int *known);

/* Conv, Gemm, MatMul, QLinearConv, QLinearMatMul: bilinear. With independent disturbances of x and
 * w, dy = w dx + dw (x + dx): mean w m_x + m_w (x + m_x), variance (w + m_w)^2 v_x + ((x + m_x)^2 +
 * v_x) v_w, summed over the products of an element. */
bsr_status bsr_rule_conv(const bsr_layer_pass *p, const bsr_node *node, int *known);
bsr_status bsr_rule_matmul(const bsr_layer_pass *p, const bsr_node *node, int *known);

/* Element by element: layer_pointwise.c. Any other function of one element goes by quadrature. */
bsr_status bsr_rule_unary(const bsr_layer_pass *p, const bsr_node *node, int *known);
bsr_status bsr_rule_binary(const bsr_layer_pass *p, const bsr_node *node, int *known);
bsr_status bsr_rule_store(const bsr_layer_pass *p, const bsr_node *node, int *known);
bsr_status bsr_rule_quantise(const bsr_layer_pass *p, const bsr_node *node, int *known);
bsr_status bsr_rule_batch_norm(const bsr_layer_pass *p, const bsr_node *node, int *known);

int64_t bsr_value_elements(const bsr_layer_pass *p, int value);

/* The number that element i of a tensor (float32, codes, int32) is. */
double bsr_element(const bsr_tensor *t, int64_t i);

/* Sum of squared variances of n elements. */
double bsr_sum_squares(const float *var, int64_t n);

/* Changes mean and variance of a disturbance of y, by a normal variable with probability `share`,
 * to those of clip(y + d) - clip(y), the clip being to lo..hi. Infinite bounds are none. */
void bsr_moment_clip(double y, double lo, double hi, double share, double *mean, double *var);

/* The same behind storing as whole steps lo..hi; y and the moments count steps, y is not rounded
 * yet. */
void bsr_moment_round(double y, double lo, double hi, double share, double *mean, double *var);

/* Share for a tensor's disturbance. */
static inline double bsr_moment_share(const bsr_moment *m)
{
    return 3 / (3 + (m->excess > 0 ? m->excess : 0));
}

#endif
