/* MaxPool and AveragePool. Taps run row-major over the kernel; taps in the padding are skipped. */
#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/backward.h"
#include "ops/conv_shape.h"
#include "ops/nn.h"

static bsr_status resolve(bsr_window *w, const bsr_node *node, int rank, const int64_t *dims)
{
    if (rank < 3 || rank > 5)
        return bsr_node_fail(node, BSR_EUNSUPPORTED,
                             "input has %d dimensions, supported are 3 to 5", rank);
    return bsr_window_resolve(w, node, rank - 2, dims + 2, NULL);
}

/* Sets all wanted outputs: the pooled values and, for MaxPool, int64 indices. */
static bsr_status infer(bsr_infer *ctx)
{
    const bsr_value *x = bsr_infer_in(ctx, 0);
    bsr_dtype dtype = x->dtype;
    int64_t dims[5] = {0};
    char text[96];
    bsr_window w;
    BSR_TRY(resolve(&w, ctx->node, x->rank, x->dims));
    for (int d = 0; d < w.rank; d++) {
        const int64_t span = (w.kernel[d] - 1) * w.dilation[d] + 1;
        if (w.pad_begin[d] >= span || w.pad_end[d] >= span)
            return bsr_node_fail(ctx->node, BSR_EUNSUPPORTED,
                                 "pads %lld and %lld can hold a whole window of %lld elements",
                                 (long long)w.pad_begin[d], (long long)w.pad_end[d],
                                 (long long)span);
    }
    if (bsr_count(w.rank, w.kernel) < 0)
        return bsr_node_fail(ctx->node, BSR_ELIMIT, "kernel_shape %s has more than %lld elements",
                             bsr_dims_text(text, sizeof text, w.rank, w.kernel),
                             (long long)BSR_MAX_ELEMENTS);
    dims[0] = x->dims[0];
    dims[1] = x->dims[1];
    for (int d = 0; d < w.rank; d++)
        dims[2 + d] = w.out[d];
    BSR_TRY(bsr_infer_set(ctx, 0, dtype, w.rank + 2, dims));
    return bsr_infer_set(ctx, 1, BSR_I64, w.rank + 2, dims);
}

bsr_status bsr_max_pool_infer(bsr_infer *ctx)
{
    bsr_dtype dtype = bsr_infer_in(ctx, 0)->dtype;
    if (dtype != BSR_F32 && dtype != BSR_U8 && dtype != BSR_I8)
        return bsr_node_fail(ctx->node, BSR_EUNSUPPORTED,
                             "input is %s, supported are float32, uint8 and int8",
                             bsr_dtype_name(dtype));
    if (!bsr_nn_wants_output(ctx->node, 0))
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "output 0 is missing");
    return infer(ctx);
}

bsr_status bsr_average_pool_infer(bsr_infer *ctx)
{
    BSR_TRY(bsr_nn_check_dtype(ctx, 0, "input", BSR_F32));
    return infer(ctx);
}

/* Where a backward run takes gradients and puts their sums. */
typedef struct pool_grads {
    bsr_view sums; /* of x */
    const bsr_view *out;
} pool_grads;

/* One output pixel of all channels and images; tap offsets are element offsets in a plane of x. */
typedef struct pool_pixel {
    const bsr_op_call *call;
    const pool_grads *grads; /* NULL in the forward direction */
    const bsr_window *window;
    int64_t taps;
    const int64_t *off; /* [taps], BSR_NO_PIXEL in the padding */
    const int64_t *pixel;
    int64_t y_at; /* offset of the pixel in a plane of y */
    /* The same for grads->sums and grads->out. */
    const int64_t *sum_off;
    int64_t grad_at;
} pool_pixel;

typedef void (*pool_fn)(const pool_pixel *p);

static bsr_status run(const bsr_op_call *call, pool_fn fn, const pool_grads *grads)
{
    const bsr_view *x = &call->in[0], *y = &call->out[0];
    bsr_window w;
    BSR_TRY(resolve(&w, call->node, x->rank, x->dims));
    if (bsr_count(y->rank, y->dims) == 0)
        return BSR_OK;
    int64_t pixel[3] = {0}, taps = bsr_window_taps(&w);
    int64_t *off = bsr_alloc_array(2 * (size_t)taps, sizeof *off);
    if (!off)
        return BSR_ENOMEM;
    int64_t *sum_off = off + taps;
    pool_pixel p = {call, grads, &w, taps, off, pixel, 0, sum_off, 0};
    do {
        bsr_window_offsets(&w, x->strides + 2, pixel, off);
        p.y_at = bsr_strided_offset(w.rank, y->strides + 2, pixel);
        if (grads) {
            bsr_window_offsets(&w, grads->sums.strides + 2, pixel, sum_off);
            p.grad_at = bsr_strided_offset(w.rank, grads->out->strides + 2, pixel);
        }
        fn(&p);
    } while (bsr_next_index(w.rank, w.out, pixel));
    bsr_free(off);
    return BSR_OK;
}

/* Exact for the 8-bit types. */
static float load(const bsr_view *v, int64_t at)
{
    if (v->dtype == BSR_F32)
        return ((const float *)v->data)[at];
    return v->dtype == BSR_U8 ? ((const uint8_t *)v->data)[at] : ((const int8_t *)v->data)[at];
}

static void store(const bsr_view *v, int64_t at, float value)
{
    if (v->dtype == BSR_F32)
        ((float *)v->data)[at] = value;
    else if (v->dtype == BSR_U8)
        ((uint8_t *)v->data)[at] = (uint8_t)value;
    else
        ((int8_t *)v->data)[at] = (int8_t)value;
}

/* The index that the Indices output gives for channel plane `plane` and kernel tap `tap`. */
static int64_t max_index(const pool_pixel *p, int64_t plane, int64_t tap)
{
    const bsr_window *w = p->window;
    int column_major = bsr_node_int(p->call->node, "storage_order", 0) != 0;
    int64_t i[3], index = 0, size = 1;
    for (int d = w->rank - 1; d >= 0; d--) {
        i[d] = p->pixel[d] * w->stride[d] - w->pad_begin[d] + tap % w->kernel[d] * w->dilation[d];
        tap /= w->kernel[d];
    }
    for (int j = 0; j < w->rank; j++) {
        int d = column_major ? j : w->rank - 1 - j;
        index += i[d] * size;
        size *= w->in[d];
    }
    return plane * size + index;
}

/* The tap with the maximum of the plane at x_at; -1, and the least value, when all are in the
 * padding. */
static int64_t best_tap(const pool_pixel *p, int64_t x_at, float *max)
{
    const bsr_view *x = &p->call->in[0];
    int64_t best = -1;
    *max = x->dtype == BSR_F32 ? -INFINITY : x->dtype == BSR_U8 ? 0 : -128;
    for (int64_t t = 0; t < p->taps; t++) {
        if (p->off[t] == BSR_NO_PIXEL)
            continue;
        float v = load(x, x_at + p->off[t]);
        if (v > *max || v != v || best < 0) {
            *max = v;
            best = t;
        }
    }
    return best;
}

static void max_pixel(const pool_pixel *p)
{
    const bsr_view *x = &p->call->in[0], *y = &p->call->out[0];
    const bsr_view *indices = p->call->n_out > 1 && p->call->out[1].data ? &p->call->out[1] : NULL;
    for (int64_t n = 0; n < x->dims[0]; n++)
        for (int64_t c = 0; c < x->dims[1]; c++) {
            float max;
            int64_t best = best_tap(p, n * x->strides[0] + c * x->strides[1], &max);
            store(y, n * y->strides[0] + c * y->strides[1] + p->y_at, max);
            if (indices) {
                int64_t at = bsr_strided_offset(p->window->rank, indices->strides + 2, p->pixel);
                at += n * indices->strides[0] + c * indices->strides[1];
                ((int64_t *)indices->data)[at] =
                    best < 0 ? -1 : max_index(p, n * x->dims[1] + c, best);
            }
        }
}

bsr_status bsr_max_pool_run(const bsr_op_call *call)
{
    return run(call, max_pixel, NULL);
}

/* Taps that the average counts: those on the input or, with count_include_pad, also those in the
 * padding. What ceil_mode adds behind the padding never counts. */
static int64_t count_taps(const pool_pixel *p)
{
    const bsr_window *w = p->window;
    int64_t count = 1;
    int padding = bsr_node_int(p->call->node, "count_include_pad", 0) != 0;
    for (int d = 0; d < w->rank; d++) {
        int64_t first = padding ? -w->pad_begin[d] : 0;
        int64_t end = padding ? w->in[d] + w->pad_end[d] : w->in[d], n = 0;
        for (int64_t k = 0; k < w->kernel[d]; k++) {
            int64_t i = p->pixel[d] * w->stride[d] - w->pad_begin[d] + k * w->dilation[d];
            n += i >= first && i < end;
        }
        count *= n;
    }
    return count;
}

static void average_pixel(const pool_pixel *p)
{
    const bsr_view *x = &p->call->in[0], *y = &p->call->out[0];
    const float count = (float)count_taps(p);
    for (int64_t n = 0; n < x->dims[0]; n++)
        for (int64_t c = 0; c < x->dims[1]; c++) {
            const float *plane = (const float *)x->data + n * x->strides[0] + c * x->strides[1];
            float sum = 0.0f;
            for (int64_t t = 0; t < p->taps; t++)
                if (p->off[t] != BSR_NO_PIXEL)
                    sum += plane[p->off[t]];
            ((float *)y->data)[n * y->strides[0] + c * y->strides[1] + p->y_at] = sum / count;
        }
}

bsr_status bsr_average_pool_run(const bsr_op_call *call)
{
    return run(call, average_pixel, NULL);
}

/* Gradient of the pixel in plane (n, c) of the output. */
static double pixel_gradient(const pool_pixel *p, int64_t n, int64_t c)
{
    const bsr_view *g = p->grads->out;
    return (double)((const float *)g->data)[n * g->strides[0] + c * g->strides[1] + p->grad_at];
}

static double *sums_plane(const pool_pixel *p, int64_t n, int64_t c)
{
    const bsr_view *sums = &p->grads->sums;
    return (double *)sums->data + n * sums->strides[0] + c * sums->strides[1];
}

static void max_pixel_backward(const pool_pixel *p)
{
    const bsr_view *x = &p->call->in[0];
    float max;
    for (int64_t n = 0; n < x->dims[0]; n++)
        for (int64_t c = 0; c < x->dims[1]; c++) {
            int64_t best = best_tap(p, n * x->strides[0] + c * x->strides[1], &max);
            if (best >= 0)
                sums_plane(p, n, c)[p->sum_off[best]] += pixel_gradient(p, n, c);
        }
}

static void average_pixel_backward(const pool_pixel *p)
{
    const bsr_view *x = &p->call->in[0];
    const double count = (double)count_taps(p);
    for (int64_t n = 0; n < x->dims[0]; n++)
        for (int64_t c = 0; c < x->dims[1]; c++) {
            double *plane = sums_plane(p, n, c), share = pixel_gradient(p, n, c) / count;
            for (int64_t t = 0; t < p->taps; t++)
                if (p->sum_off[t] != BSR_NO_PIXEL)
                    plane[p->sum_off[t]] += share;
        }
}

static bsr_status run_backward(const bsr_op_backward *call, pool_fn fn)
{
    const bsr_op_call *f = call->forward;
    pool_grads grads = {.out = &call->grad_out[0]};
    /* MaxPool's indices are no function of x that has a slope. */
    if (!bsr_backward_begin(call) || !grads.out->data || !bsr_backward_wants(call, 0))
        return BSR_OK;
    BSR_TRY(bsr_sums_new(&grads.sums, &f->in[0], &call->grad_in[0]));
    bsr_status status = run(f, fn, &grads);
    if (status == BSR_OK)
        bsr_sums_store(&grads.sums, &call->grad_in[0]);
    bsr_free(grads.sums.data);
    return status;
}

bsr_status bsr_max_pool_backward(const bsr_op_backward *call)
{
    return run_backward(call, max_pixel_backward);
}

bsr_status bsr_average_pool_backward(const bsr_op_backward *call)
{
    return run_backward(call, average_pixel_backward);
}
