/* Shapes of the convolutions (Conv, ConvInteger, QLinearConv) and where their windows read. */
#ifndef BSR_OPS_CONV_SHAPE_H
#define BSR_OPS_CONV_SHAPE_H

#include "ops/op.h"

typedef struct bsr_conv_shape {
    bsr_window window;
    int64_t batch;               /* N */
    int64_t groups;              /* G */
    int64_t group_in, group_out; /* channels of one group: C / G and M / G */
    int64_t taps;                /* product of window.kernel */
} bsr_conv_shape;

/* Shape of node's convolution of x [N, C, spatial...] with w [M, C / G, kernel...], 1 to 3 spatial
 * dimensions. EFORMAT for shapes that contradict each other, EUNSUPPORTED for another number of
 * dimensions; the message names the node. */
bsr_status bsr_conv_shape_of(bsr_conv_shape *shape, const bsr_node *node, int x_rank,
                             const int64_t *x, int w_rank, const int64_t *w);

/* Sets the node's only output to dtype and [N, M, spatial...]. */
bsr_status bsr_conv_set_output(bsr_infer *ctx, const bsr_conv_shape *shape, bsr_dtype dtype);

/* Checks that optional input i is a vector of one value per output channel. */
bsr_status bsr_conv_check_bias(bsr_infer *ctx, const bsr_conv_shape *shape, int i, bsr_dtype dtype);

/* Product of the window's kernel dimensions. */
int64_t bsr_window_taps(const bsr_window *w);

/* off[tap] = element offset, within one channel plane with these spatial strides, of what each tap
 * (row-major over the kernel) reads for output position pixel[0..rank-1]; BSR_NO_PIXEL
 * (kernels/kernels.h) for a tap in the padding. */
void bsr_window_offsets(const bsr_window *w, const int64_t *strides, const int64_t *pixel,
                        int64_t *off);

/* Element offset of pixel[0..rank-1] within a plane. */
int64_t bsr_strided_offset(int rank, const int64_t *strides, const int64_t *pixel);

/* off[tap * group_in + c] = element offset within a filter of w: the order of a convolution's sum,
 * row-major taps, then channels of the group. */
void bsr_conv_weight_offsets(const bsr_conv_shape *shape, const bsr_view *w, int64_t *off);

/* What the output channels of one group read for one output pixel of one image. */
typedef struct bsr_conv_patch {
    const int64_t *off; /* [taps], relative to x_at; BSR_NO_PIXEL in the padding */
    int64_t x_at;       /* offset of the group's first channel plane in x */
    int64_t y_at;       /* offset of the pixel in the group's first channel plane of y */
    int64_t m;          /* first output channel of the group */
} bsr_conv_patch;

/* Calls fn once for every group of every output pixel of every image. ENOMEM only. */
bsr_status bsr_conv_each_patch(const bsr_conv_shape *shape, const bsr_view *x, const bsr_view *y,
                               void (*fn)(void *ctx, const bsr_conv_patch *patch), void *ctx);

/* Where the gradients of a convolution go; data NULL: not wanted. */
typedef struct bsr_conv_grads {
    bsr_view x, w, bias;
} bsr_conv_grads;

/* Gradients of node's convolution of float32 x and w, whose strides are used, from that of its
 * output (conv_backward.c). Errors of bsr_conv_shape_of; ENOMEM. */
bsr_status bsr_conv_gradients(const bsr_node *node, const bsr_view *x, const bsr_view *w,
                              const bsr_view *grad_out, const bsr_conv_grads *to);

#endif
