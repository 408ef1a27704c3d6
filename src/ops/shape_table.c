#include <limits.h>

#include "ops/backward.h"
#include "ops/families.h"
#include "ops/shape_ops.h"

const bsr_op bsr_ops_shape[] = {
    {"Concat", 1, -1, 1, "axis:i", bsr_infer_concat, bsr_run_concat, bsr_backward_move},
    {"DepthToSpace", 1, 1, 1, "blocksize:i mode:s", bsr_infer_depth_to_space,
     bsr_run_depth_to_space, bsr_backward_move},
    {"Expand", 2, 2, 1, "", bsr_infer_expand, bsr_run_expand, bsr_backward_move},
    {"Flatten", 1, 1, 1, "axis:i", bsr_infer_flatten, bsr_run_reshape, bsr_backward_move},
    {"Gather", 2, 2, 1, "axis:i", bsr_infer_gather, bsr_run_gather, bsr_backward_move},
    {"GatherElements", 2, 2, 1, "axis:i", bsr_infer_gather_elements, bsr_run_gather_elements,
     bsr_backward_move},
    {"Pad", 1, 4, 1, "mode:s pads:I value:f", bsr_infer_pad, bsr_run_pad, bsr_backward_move},
    {"Reshape", 2, 2, 1, "allowzero:i", bsr_infer_reshape, bsr_run_reshape, bsr_backward_move},
    {"Shape", 1, 1, 1, "start:i end:i", bsr_infer_shape, bsr_run_shape, NULL},
    {"Size", 1, 1, 1, "", bsr_infer_size, bsr_run_size, NULL},
    {"Slice", 1, 5, 1, "starts:I ends:I axes:I", bsr_infer_slice, bsr_run_slice, bsr_backward_move},
    {"SpaceToDepth", 1, 1, 1, "blocksize:i", bsr_infer_space_to_depth, bsr_run_space_to_depth,
     bsr_backward_move},
    {"Split", 1, 2, INT_MAX, "axis:i split:I num_outputs:i", bsr_infer_split, bsr_run_split,
     bsr_backward_move},
    {"Squeeze", 1, 2, 1, "axes:I", bsr_infer_squeeze, bsr_run_reshape, bsr_backward_move},
    {"Tile", 2, 2, 1, "", bsr_infer_tile, bsr_run_tile, bsr_backward_move},
    {"Transpose", 1, 1, 1, "perm:I", bsr_infer_transpose, bsr_run_transpose, bsr_backward_move},
    {"Unsqueeze", 1, 2, 1, "axes:I", bsr_infer_unsqueeze, bsr_run_reshape, bsr_backward_move},
};
const int bsr_ops_shape_count = sizeof bsr_ops_shape / sizeof bsr_ops_shape[0];
