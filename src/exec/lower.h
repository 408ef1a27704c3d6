/* Building a plan: shared by the lower_*.c files, which turn graph nodes into steps. */
#ifndef BSR_EXEC_LOWER_H
#define BSR_EXEC_LOWER_H

#include <string.h>

#include "exec/plan.h"

typedef struct bsr_builder {
    bsr_plan *plan;
    const bsr_graph *graph;
    const unsigned char *keep;
    size_t cap_ptens, cap_steps, cap_layers, cap_maps;
} bsr_builder;

/* Lowers one node. Sets *done when this family takes the node; a family that does not leaves the
 * plan untouched. */
typedef bsr_status (*bsr_lower_fn)(bsr_builder *b, int node, int *done);
bsr_status bsr_lower_conv(bsr_builder *b, int node, int *done);      /* Conv, Gemm, MatMul */
bsr_status bsr_lower_conv_int8(bsr_builder *b, int node, int *done); /* QDQ and QLinearConv */
bsr_status bsr_lower_pool(bsr_builder *b, int node, int *done);
bsr_status bsr_lower_pointwise(bsr_builder *b, int node, int *done);
bsr_status bsr_lower_copy(bsr_builder *b, int node, int *done);  /* Slice, Pad, Concat, Split */
bsr_status bsr_lower_alias(bsr_builder *b, int node, int *done); /* Reshape and the like */
bsr_status bsr_lower_dense(bsr_builder *b, int node);

/* New plan tensor for graph value `value` in `layout`, produced by step `producer`. */
bsr_status bsr_build_pten(bsr_builder *b, int value, bsr_layout layout, int producer, int *pten);

/* New step with room for n_sources sources, appended; the pointer moves with the next append. */
bsr_status bsr_build_step(bsr_builder *b, bsr_core core, int node, int n_sources, bsr_step **out);

/* Appends a stage (zeroed, operand -1) to a step. */
bsr_status bsr_build_stage(bsr_step *step, bsr_stage_kind kind, int node, bsr_stage **out);

/* Takes ownership of a map. */
bsr_status bsr_build_map(bsr_builder *b, bsr_pixmap *map);

/* Plan tensor that holds `value` in `layout`, through a RELAYOUT step where it is held otherwise.
 */
bsr_status bsr_build_relayout(bsr_builder *b, int value, bsr_layout layout, int *pten);

/* How `value` would split into pixels and channels in `layout`. */
void bsr_pixel_shape(const bsr_value *v, bsr_layout layout, int64_t *pixels, int64_t *channels);

/* The layout kernels over space want: channels last from rank 3 on. */
bsr_layout bsr_spatial_layout(const bsr_value *v);

static inline const bsr_value *bsr_node_in(const bsr_builder *b, int node, int i)
{
    const bsr_node *n = &b->graph->nodes[node];
    return i < n->n_in && n->in[i] >= 0 ? &b->graph->values[n->in[i]] : NULL;
}

/* Constant of input i, NULL when it is omitted or computed. */
static inline const bsr_tensor *bsr_node_const(const bsr_builder *b, int node, int i)
{
    const bsr_value *v = bsr_node_in(b, node, i);
    return v ? v->constant : NULL;
}

/* Node of operator `type` that makes `value`, or NULL. */
static inline const bsr_node *bsr_producer(const bsr_builder *b, int value, const char *type)
{
    int p = value < 0 ? -1 : b->graph->values[value].producer;
    const bsr_node *n = p < 0 ? NULL : &b->graph->nodes[p];
    return n && strcmp(n->op_type, type) == 0 ? n : NULL;
}

/* Value of a scalar 8-bit constant, 0 for none. */
static inline int bsr_scalar_code(const bsr_tensor *t)
{
    return !t ? 0 : t->dtype == BSR_I8 ? *(const int8_t *)t->data : *(const uint8_t *)t->data;
}

/* Constant of input i of any node. */
static inline const bsr_tensor *bsr_const_in(const bsr_builder *b, const bsr_node *n, int i)
{
    return i < n->n_in && n->in[i] >= 0 ? b->graph->values[n->in[i]].constant : NULL;
}

static inline int bsr_is_scalar(const bsr_tensor *t)
{
    return t && bsr_count(t->rank, t->dims) == 1;
}

/* Weights: packing for the plan's kernels. `w` has groups, taps, cin, cout, strides, data, bias
 * set; fills the rest. */
bsr_status bsr_weights_pack(bsr_weights *w, const bsr_kernels *kernels, int depthwise);
void bsr_weights_free(bsr_weights *w);

#endif
