#include "ops/backward.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "ops/rows.h"

static void zero(const bsr_view *v)
{
    const float nothing = 0.0f;
    bsr_view one = {.dtype = BSR_F32, .data = (void *)(uintptr_t)&nothing}; /* only read */
    bsr_rows_copy(v, &one);
}

int bsr_backward_begin(const bsr_op_backward *call)
{
    int any = 0;
    for (int i = 0; i < call->forward->n_in; i++)
        if (call->grad_in[i].data)
            zero(&call->grad_in[i]);
    for (int i = 0; i < call->forward->n_out; i++)
        any |= call->grad_out[i].data != NULL;
    return any;
}

bsr_status bsr_backward_check_f32(const bsr_op_backward *call)
{
    bsr_dtype dtype = call->forward->in[0].dtype;
    if (dtype != BSR_F32)
        return bsr_node_fail(call->forward->node, BSR_EUNSUPPORTED,
                             "input 0 is %s, gradients need float32", bsr_dtype_name(dtype));
    return BSR_OK;
}

bsr_status bsr_backward_refuse(const bsr_op_backward *call, int first, int last)
{
    for (int i = first; i <= last; i++)
        if (bsr_backward_wants(call, i))
            return bsr_node_fail(call->forward->node, BSR_EUNSUPPORTED,
                                 "has no gradient of input %d", i);
    return BSR_OK;
}

bsr_status bsr_sums_new(bsr_view *sums, const bsr_view *shape, const bsr_view *grad)
{
    *sums = *shape;
    sums->dtype = BSR_F64;
    sums->data = NULL;
    bsr_row_major(sums->rank, sums->dims, sums->strides);
    if (!grad->data)
        return BSR_OK;
    sums->data = bsr_calloc_array((size_t)bsr_count(shape->rank, shape->dims), sizeof(double));
    return sums->data ? BSR_OK : BSR_ENOMEM;
}

static void round_row(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    for (int64_t i = 0; i < n; i++) {
        const double *sum = (const void *)(p[1] + i * step[1]);
        *(float *)(void *)(p[0] + i * step[0]) = (float)*sum;
    }
}

void bsr_sums_store(bsr_view *sums, const bsr_view *grad)
{
    if (sums->data)
        bsr_rows(grad, sums, 1, round_row, NULL);
    bsr_free(sums->data);
    sums->data = NULL;
}

/* `v` broadcast to the dimensions of `like`. */
static bsr_view broadcast(const bsr_view *v, const bsr_view *like)
{
    bsr_view r = *like;
    int shift = like->rank - v->rank;
    r.dtype = v->dtype;
    r.data = v->data;
    for (int d = 0; d < like->rank; d++)
        r.strides[d] = d < shift || v->dims[d - shift] == 1 ? 0 : v->strides[d - shift];
    return r;
}

static double load(const bsr_view *v, const int64_t *idx)
{
    if (!v->data)
        return 0.0;
    const char *p = bsr_view_at(v, idx, bsr_dtype_size(v->dtype));
    return bsr_is_float(v->dtype) ? bsr_load_float(v->dtype, p) : (double)bsr_load_int(v->dtype, p);
}

/* Operands of one walk; to[i] is the sums of input i seen in the output's shape. */
typedef struct pointwise {
    bsr_view *x, *to;
    double *at, *slope;
} pointwise;

static void walk(const pointwise *p, int n, const bsr_view *grad_out, bsr_slopes_fn fn,
                 const void *ctx)
{
    int64_t idx[BSR_MAX_RANK] = {0};
    if (bsr_count(grad_out->rank, grad_out->dims) == 0)
        return;
    do {
        double g = (double)*(const float *)bsr_view_at(grad_out, idx, sizeof(float));
        for (int i = 0; i < n; i++)
            p->at[i] = load(&p->x[i], idx);
        fn(p->slope, p->at, n, ctx);
        for (int i = 0; i < n; i++)
            if (p->to[i].data)
                *(double *)bsr_view_at(&p->to[i], idx, sizeof(double)) += bsr_chain(g, p->slope[i]);
    } while (bsr_next_index(grad_out->rank, grad_out->dims, idx));
}

bsr_status bsr_backward_pointwise(int n, const bsr_view *in, const bsr_view *grad_in,
                                  const bsr_view *grad_out, bsr_slopes_fn fn, const void *ctx)
{
    size_t count = (size_t)n;
    bsr_status status = BSR_ENOMEM;
    bsr_view *views = bsr_calloc_array(3 * count, sizeof *views), *sums = views;
    double *numbers = bsr_calloc_array(2 * count, sizeof *numbers);
    if (!views || !numbers)
        goto done;
    pointwise p = {views + n, views + 2 * n, numbers, numbers + n};
    for (int i = 0; i < n; i++) {
        status = bsr_sums_new(&sums[i], &in[i], &grad_in[i]);
        if (status != BSR_OK)
            goto done;
        p.x[i] = broadcast(&in[i], grad_out);
        p.to[i] = broadcast(&sums[i], grad_out);
    }
    walk(&p, n, grad_out, fn, ctx);
    for (int i = 0; i < n; i++)
        bsr_sums_store(&sums[i], &grad_in[i]);
done:
    for (int i = 0; views && i < n; i++)
        bsr_free(sums[i].data);
    bsr_free(views);
    bsr_free(numbers);
    return status;
}
