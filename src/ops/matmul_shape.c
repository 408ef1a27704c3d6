#include "ops/matmul_shape.h"

#include <string.h>

#include "base/error.h"

static bsr_status mismatch(const bsr_infer *ctx, const bsr_value *a, const bsr_value *b)
{
    char left[96], right[96];
    return bsr_node_fail(ctx->node, BSR_EFORMAT, "shapes %s and %s do not multiply",
                         bsr_dims_text(left, sizeof left, a->rank, a->dims),
                         bsr_dims_text(right, sizeof right, b->rank, b->dims));
}

static int batch_rank(int rank)
{
    return rank > 2 ? rank - 2 : 0;
}

bsr_status bsr_matmul_set_output(bsr_infer *ctx, int ai, int bi, bsr_dtype dtype)
{
    const bsr_value *a = bsr_infer_in(ctx, ai), *b = bsr_infer_in(ctx, bi);
    if (a->rank < 1 || b->rank < 1)
        return mismatch(ctx, a, b);
    int64_t k = b->rank == 1 ? b->dims[0] : b->dims[b->rank - 2];
    if (a->dims[a->rank - 1] != k)
        return mismatch(ctx, a, b);

    const int a_batch = batch_rank(a->rank), b_batch = batch_rank(b->rank);
    const int rank = a_batch > b_batch ? a_batch : b_batch;
    int64_t dims[BSR_MAX_RANK];
    for (int d = 0; d < rank; d++) {
        int64_t da = d < rank - a_batch ? 1 : a->dims[d - (rank - a_batch)];
        int64_t db = d < rank - b_batch ? 1 : b->dims[d - (rank - b_batch)];
        if (da != db && da != 1 && db != 1)
            return mismatch(ctx, a, b);
        dims[d] = da == 1 ? db : da;
    }
    int out = rank;
    if (a->rank > 1)
        dims[out++] = a->dims[a->rank - 2];
    if (b->rank > 1)
        dims[out++] = b->dims[b->rank - 1];
    return bsr_infer_set(ctx, 0, dtype, out, dims);
}

/* Batch strides of an operand, its dimensions aligned at the end. */
static void batch_strides(int64_t *strides, int rank, const bsr_view *v)
{
    const int own = batch_rank(v->rank);
    memset(strides, 0, (size_t)rank * sizeof *strides);
    for (int d = 0; d < own; d++)
        if (v->dims[d] != 1)
            strides[rank - own + d] = v->strides[d];
}

void bsr_matmul_shape_of(bsr_matmul_shape *s, const bsr_view *a, const bsr_view *b,
                         const bsr_view *y)
{
    const int a_matrix = a->rank > 1, b_matrix = b->rank > 1;
    memset(s, 0, sizeof *s);
    s->rank = y->rank - a_matrix - b_matrix;
    for (int d = 0; d < s->rank; d++) {
        s->batch[d] = y->dims[d];
        s->y_batch[d] = y->strides[d];
    }
    batch_strides(s->a_batch, s->rank, a);
    batch_strides(s->b_batch, s->rank, b);
    s->m = a_matrix ? a->dims[a->rank - 2] : 1;
    s->k = a->dims[a->rank - 1];
    s->n = b_matrix ? b->dims[b->rank - 1] : 1;
    s->a_k = a->strides[a->rank - 1];
    s->b_k = b->strides[b_matrix ? b->rank - 2 : 0];
    if (a_matrix) {
        s->a_m = a->strides[a->rank - 2];
        s->y_m = y->strides[s->rank];
    }
    if (b_matrix) {
        s->b_n = b->strides[b->rank - 1];
        s->y_n = y->strides[y->rank - 1];
    }
}
