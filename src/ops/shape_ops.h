/* Operators that move elements without changing them: the functions behind the rows of
 * shape_table.c. Every element type; infer and run as op.h says. Most are a bsr_view_copy between
 * adjusted views of input and output, O(elements copied), without allocation. */
#ifndef BSR_OPS_SHAPE_OPS_H
#define BSR_OPS_SHAPE_OPS_H

#include "ops/op.h"

/* shape_reshape.c. Reshape, Flatten, Squeeze and Unsqueeze share their run: the elements keep
 * their row-major order. */
bsr_status bsr_infer_reshape(bsr_infer *ctx);
bsr_status bsr_infer_flatten(bsr_infer *ctx);
bsr_status bsr_infer_squeeze(bsr_infer *ctx);
bsr_status bsr_infer_unsqueeze(bsr_infer *ctx);
bsr_status bsr_run_reshape(const bsr_op_call *call);

/* shape_query.c. Read no element of their input, which may have data == NULL. */
bsr_status bsr_infer_shape(bsr_infer *ctx);
bsr_status bsr_run_shape(const bsr_op_call *call);
bsr_status bsr_infer_size(bsr_infer *ctx);
bsr_status bsr_run_size(const bsr_op_call *call);

/* shape_transpose.c */
bsr_status bsr_infer_transpose(bsr_infer *ctx);
bsr_status bsr_run_transpose(const bsr_op_call *call);
bsr_status bsr_infer_depth_to_space(bsr_infer *ctx);
bsr_status bsr_run_depth_to_space(const bsr_op_call *call);
bsr_status bsr_infer_space_to_depth(bsr_infer *ctx);
bsr_status bsr_run_space_to_depth(const bsr_op_call *call);

/* shape_concat.c */
bsr_status bsr_infer_concat(bsr_infer *ctx);
bsr_status bsr_run_concat(const bsr_op_call *call);
bsr_status bsr_infer_split(bsr_infer *ctx);
bsr_status bsr_run_split(const bsr_op_call *call);

/* shape_slice.c */
bsr_status bsr_infer_slice(bsr_infer *ctx);
bsr_status bsr_run_slice(const bsr_op_call *call);

/* shape_pad.c */
bsr_status bsr_infer_pad(bsr_infer *ctx);
bsr_status bsr_run_pad(const bsr_op_call *call);

/* shape_gather.c. run fails with EFORMAT on an index outside -n..n-1. */
bsr_status bsr_infer_gather(bsr_infer *ctx);
bsr_status bsr_run_gather(const bsr_op_call *call);
bsr_status bsr_infer_gather_elements(bsr_infer *ctx);
bsr_status bsr_run_gather_elements(const bsr_op_call *call);

/* shape_expand.c */
bsr_status bsr_infer_expand(bsr_infer *ctx);
bsr_status bsr_run_expand(const bsr_op_call *call);
bsr_status bsr_infer_tile(bsr_infer *ctx);
bsr_status bsr_run_tile(const bsr_op_call *call);

/* The part of `v` with start <= index < start + n along `axis`; borrows v's data. */
bsr_view bsr_view_range(const bsr_view *v, int axis, int64_t start, int64_t n);

#endif
