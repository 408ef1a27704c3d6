#include "ops/conv_shape.h"

#include "base/alloc.h"
#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/nn.h"

bsr_status bsr_conv_shape_of(bsr_conv_shape *shape, const bsr_node *node, int x_rank,
                             const int64_t *x, int w_rank, const int64_t *w)
{
    if (x_rank < 3 || x_rank > 5)
        return bsr_node_fail(node, BSR_EUNSUPPORTED,
                             "input has %d dimensions, supported are 3 to 5", x_rank);
    if (w_rank != x_rank)
        return bsr_node_fail(node, BSR_EFORMAT, "weights have %d dimensions, input has %d", w_rank,
                             x_rank);
    int64_t groups = bsr_node_int(node, "group", 1);
    if (groups < 1 || x[1] % groups || w[0] % groups)
        return bsr_node_fail(node, BSR_EFORMAT,
                             "group %lld does not divide %lld input and %lld output channels",
                             (long long)groups, (long long)x[1], (long long)w[0]);
    if (w[1] != x[1] / groups)
        return bsr_node_fail(node, BSR_EFORMAT,
                             "weights take %lld channels per group, input has %lld in %lld groups",
                             (long long)w[1], (long long)x[1], (long long)groups);
    BSR_TRY(bsr_window_resolve(&shape->window, node, x_rank - 2, x + 2, w + 2));
    shape->batch = x[0];
    shape->groups = groups;
    shape->group_in = w[1];
    shape->group_out = w[0] / groups;
    shape->taps = bsr_window_taps(&shape->window);
    return BSR_OK;
}

bsr_status bsr_conv_set_output(bsr_infer *ctx, const bsr_conv_shape *shape, bsr_dtype dtype)
{
    int64_t dims[5] = {shape->batch, shape->groups * shape->group_out};
    for (int d = 0; d < shape->window.rank; d++)
        dims[2 + d] = shape->window.out[d];
    return bsr_infer_set(ctx, 0, dtype, shape->window.rank + 2, dims);
}

bsr_status bsr_conv_check_bias(bsr_infer *ctx, const bsr_conv_shape *shape, int i, bsr_dtype dtype)
{
    const bsr_value *bias = bsr_infer_in(ctx, i);
    if (!bias)
        return BSR_OK;
    int64_t channels = shape->groups * shape->group_out;
    BSR_TRY(bsr_nn_check_dtype(ctx, i, "bias", dtype));
    return bsr_nn_check_vector(ctx, i, "bias", channels, "output channels");
}

int64_t bsr_window_taps(const bsr_window *w)
{
    int64_t taps = 1;
    for (int d = 0; d < w->rank; d++)
        taps *= w->kernel[d];
    return taps;
}

void bsr_window_offsets(const bsr_window *w, const int64_t *strides, const int64_t *pixel,
                        int64_t *off)
{
    int64_t k[3] = {0};
    do {
        int64_t at = 0;
        for (int d = 0; d < w->rank; d++) {
            int64_t i = pixel[d] * w->stride[d] - w->pad_begin[d] + k[d] * w->dilation[d];
            if (i < 0 || i >= w->in[d]) {
                at = BSR_NO_PIXEL;
                break;
            }
            at += i * strides[d];
        }
        *off++ = at;
    } while (bsr_next_index(w->rank, w->kernel, k));
}

int64_t bsr_strided_offset(int rank, const int64_t *strides, const int64_t *pixel)
{
    int64_t at = 0;
    for (int d = 0; d < rank; d++)
        at += pixel[d] * strides[d];
    return at;
}

void bsr_conv_weight_offsets(const bsr_conv_shape *shape, const bsr_view *w, int64_t *off)
{
    int64_t k[3] = {0};
    do {
        int64_t tap = bsr_strided_offset(shape->window.rank, w->strides + 2, k);
        for (int64_t c = 0; c < shape->group_in; c++)
            *off++ = tap + c * w->strides[1];
    } while (bsr_next_index(shape->window.rank, shape->window.kernel, k));
}

bsr_status bsr_conv_each_patch(const bsr_conv_shape *shape, const bsr_view *x, const bsr_view *y,
                               void (*fn)(void *ctx, const bsr_conv_patch *patch), void *ctx)
{
    const bsr_window *w = &shape->window;
    if (bsr_count(y->rank, y->dims) == 0)
        return BSR_OK;
    int64_t *off = bsr_alloc_array((size_t)shape->taps, sizeof *off);
    if (!off)
        return BSR_ENOMEM;
    int64_t pixel[3] = {0};
    do {
        bsr_window_offsets(w, x->strides + 2, pixel, off);
        int64_t y_at = bsr_strided_offset(w->rank, y->strides + 2, pixel);
        for (int64_t n = 0; n < shape->batch; n++)
            for (int64_t g = 0; g < shape->groups; g++) {
                bsr_conv_patch patch = {.off = off, .m = g * shape->group_out};
                patch.x_at = n * x->strides[0] + g * shape->group_in * x->strides[1];
                patch.y_at = n * y->strides[0] + patch.m * y->strides[1] + y_at;
                fn(ctx, &patch);
            }
    } while (bsr_next_index(w->rank, w->out, pixel));
    bsr_free(off);
    return BSR_OK;
}
