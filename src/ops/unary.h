/* Shared by the files of the unary family; the table itself is in unary.c. */
#ifndef BSR_OPS_UNARY_H
#define BSR_OPS_UNARY_H

#include "ops/op.h"

/* Parameters p[0..1] of a node of the table in unary.c: alpha, then beta or gamma; p[2..3] are 0.
 */
void bsr_unary_params(const bsr_node *node, float p[4]);

/* unary_backward.c: every row of that table but Not. */
bsr_status bsr_unary_backward(const bsr_op_backward *call);

/* Clip: p[0] lower, p[1] upper bound; the upper one wins where they cross, NaN stays. */
float bsr_clip_f32(float x, const float *p);

/* Fills p with a Clip node's bounds; 0 when an input that gives one is not constant. */
int bsr_clip_params(const bsr_graph *graph, const bsr_node *node, float p[4]);

/* BitseerStore: y = decode(encode(x)) of a number format (tensor/format.h), whose quantiser the
 * attributes hold. Only bsr_op_add_store makes such nodes; those of files are refused. */
#define BSR_STORE_ATTRS "kind:i bits:i scale:f zero:i min:i max:i bounded:i lo:f hi:f"
bsr_unary_fn bsr_store_params(const bsr_node *node, float p[4]);
bsr_status bsr_store_infer(bsr_infer *ctx);
bsr_status bsr_store_run(const bsr_op_call *call);
/* Straight through: slope 1 where x rounds to a code of an integer format, is finite in a float
 * format, or is within -scale..scale of a binary one; 0 beyond. */
bsr_status bsr_store_backward(const bsr_op_backward *call);

bsr_status bsr_clip_infer(bsr_infer *ctx);
bsr_status bsr_clip_run(const bsr_op_call *call);
bsr_status bsr_clip_backward(const bsr_op_backward *call);
bsr_status bsr_dropout_infer(bsr_infer *ctx);
bsr_status bsr_dropout_run(const bsr_op_call *call);
bsr_status bsr_dropout_backward(const bsr_op_backward *call);

#endif
