/* Shared by the files of the unary family; the table itself is in unary.c. */
#ifndef BSR_OPS_UNARY_H
#define BSR_OPS_UNARY_H

#include "ops/op.h"

/* Clip: p[0] lower, p[1] upper bound; the upper one wins where they cross, NaN stays. */
float bsr_clip_f32(float x, const float *p);

/* Fills p with a Clip node's bounds; 0 when an input that gives one is not constant. */
int bsr_clip_params(const bsr_graph *graph, const bsr_node *node, float p[4]);

/* BitseerStore: y = decode(encode(x)) of a number format (tensor/format.h), whose quantiser the
 * attributes hold. Only bsr_op_add_store makes such nodes; those of files are refused. */
#define BSR_STORE_ATTRS "kind:i bits:i scale:f zero:i min:i max:i"
bsr_unary_fn bsr_store_params(const bsr_node *node, float p[4]);
bsr_status bsr_store_infer(bsr_infer *ctx);
bsr_status bsr_store_run(const bsr_op_call *call);

bsr_status bsr_clip_infer(bsr_infer *ctx);
bsr_status bsr_clip_run(const bsr_op_call *call);
bsr_status bsr_dropout_infer(bsr_infer *ctx);
bsr_status bsr_dropout_run(const bsr_op_call *call);

#endif
