#include "ops/rows.h"

#include <string.h>

#include "base/error.h"

/* Dimensions of a walk, outermost first; step[k][d] in bytes. */
typedef struct walk {
    int rank, n;
    int64_t dims[BSR_MAX_RANK];
    int64_t step[BSR_ROWS_MAX][BSR_MAX_RANK];
} walk;

static void add_operand(walk *w, const bsr_view *v)
{
    int64_t size = (int64_t)bsr_dtype_size(v->dtype);
    int shift = w->rank - v->rank;
    for (int d = 0; d < w->rank; d++) {
        int from = d - shift;
        int repeats = from < 0 || v->dims[from] == 1;
        w->step[w->n][d] = repeats ? 0 : v->strides[from] * size;
    }
    w->n++;
}

static void swap_dims(walk *w, int a, int b)
{
    int64_t t = w->dims[a];
    w->dims[a] = w->dims[b];
    w->dims[b] = t;
    for (int k = 0; k < w->n; k++) {
        t = w->step[k][a];
        w->step[k][a] = w->step[k][b];
        w->step[k][b] = t;
    }
}

/* Puts the dimensions in the order in which the output is stored, whatever its logical order. */
static void sort_dims(walk *w)
{
    for (int i = 1; i < w->rank; i++)
        for (int d = i; d > 0 && w->step[0][d - 1] < w->step[0][d]; d--)
            swap_dims(w, d - 1, d);
}

static int fits_behind(const walk *w, int outer, int inner)
{
    for (int k = 0; k < w->n; k++)
        if (w->step[k][outer] != w->step[k][inner] * w->dims[inner])
            return 0;
    return 1;
}

/* Drops dimensions of one element and merges those that lie behind each other everywhere. */
static void merge_dims(walk *w)
{
    int at = -1; /* the last dimension kept */
    for (int d = 0; d < w->rank; d++) {
        if (w->dims[d] == 1)
            continue;
        int64_t outer = 1;
        if (at >= 0 && fits_behind(w, at, d))
            outer = w->dims[at];
        else
            at++;
        w->dims[at] = outer * w->dims[d];
        for (int k = 0; k < w->n; k++)
            w->step[k][at] = w->step[k][d];
    }
    w->rank = at + 1;
}

void bsr_rows(const bsr_view *out, const bsr_view *in, int n_in, bsr_row_fn fn, const void *ctx)
{
    if (bsr_count(out->rank, out->dims) <= 0)
        return;
    walk w = {.rank = out->rank};
    memcpy(w.dims, out->dims, sizeof w.dims);
    add_operand(&w, out);
    for (int k = 0; k < n_in; k++)
        add_operand(&w, &in[k]);
    sort_dims(&w);
    merge_dims(&w);

    int last = w.rank - 1;
    int64_t n = w.rank ? w.dims[last] : 1;
    int64_t idx[BSR_MAX_RANK] = {0}, step[BSR_ROWS_MAX] = {0};
    for (int k = 0; k < w.n && w.rank; k++)
        step[k] = w.step[k][last];
    do {
        char *p[BSR_ROWS_MAX] = {0};
        for (int k = 0; k < w.n; k++) {
            p[k] = k ? in[k - 1].data : out->data;
            for (int d = 0; d < last; d++)
                p[k] += idx[d] * w.step[k][d];
        }
        fn(n, p, step, ctx);
    } while (bsr_next_index(last < 0 ? 0 : last, w.dims, idx));
}

static void copy_row(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    size_t size = *(const size_t *)ctx;
    if (step[0] == (int64_t)size && step[1] == (int64_t)size) {
        memcpy(p[0], p[1], (size_t)n * size);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        memcpy(p[0] + i * step[0], p[1] + i * step[1], size);
}

void bsr_rows_copy(const bsr_view *out, const bsr_view *in)
{
    size_t size = bsr_dtype_size(out->dtype);
    bsr_rows(out, in, 1, copy_row, &size);
}

/* Broadcasts dims with v's; 0 when they do not fit. */
static int join_dims(int *rank, int64_t *dims, const bsr_value *v)
{
    int shift = v->rank - *rank;
    if (shift > 0) {
        memmove(dims + shift, dims, (size_t)*rank * sizeof *dims);
        for (int d = 0; d < shift; d++)
            dims[d] = 1;
        *rank = v->rank;
        shift = 0;
    }
    for (int d = 0; d < v->rank; d++) {
        int64_t *have = &dims[d - shift];
        if (*have == 1)
            *have = v->dims[d];
        else if (v->dims[d] != 1 && v->dims[d] != *have)
            return 0;
    }
    return 1;
}

bsr_status bsr_infer_broadcast(const bsr_infer *ctx, int first, int *rank, int64_t *dims)
{
    *rank = 0;
    for (int i = first; i < ctx->node->n_in; i++) {
        const bsr_value *v = bsr_infer_in(ctx, i);
        if (!v)
            continue;
        char have[192], other[192];
        bsr_dims_text(have, sizeof have, *rank, dims);
        if (!join_dims(rank, dims, v))
            return bsr_node_fail(ctx->node, BSR_EFORMAT, "cannot broadcast %s with %s of input %d",
                                 have, bsr_dims_text(other, sizeof other, v->rank, v->dims), i);
    }
    return BSR_OK;
}

bsr_status bsr_infer_same_dtype(const bsr_infer *ctx, int first)
{
    const bsr_value *a = bsr_infer_in(ctx, first);
    for (int i = first + 1; i < ctx->node->n_in; i++) {
        const bsr_value *b = bsr_infer_in(ctx, i);
        if (b && b->dtype != a->dtype)
            return bsr_node_fail(ctx->node, BSR_EFORMAT, "input %d is %s, input %d is %s", first,
                                 bsr_dtype_name(a->dtype), i, bsr_dtype_name(b->dtype));
    }
    return BSR_OK;
}

bsr_status bsr_infer_dtype(const bsr_infer *ctx, int i, unsigned types)
{
    bsr_dtype dtype = bsr_infer_in(ctx, i)->dtype;
    if (!(types & BSR_TYPES(dtype)))
        return bsr_node_fail(ctx->node, BSR_EUNSUPPORTED, "input %d is %s, which is not supported",
                             i, bsr_dtype_name(dtype));
    return BSR_OK;
}
