#include <math.h>
#include <string.h>

#include "base/error.h"
#include "ops/int_args.h"
#include "ops/reduce_ops.h"

/* State of one result while its elements pass. Integers are summed unsigned: they wrap. */
typedef union accumulator {
    float f;
    double d;
    int64_t i;
    uint64_t u;
} accumulator;

/* Takes in n elements at p, `step` elements apart. */
typedef void (*fold_fn)(accumulator *acc, const void *p, int64_t n, int64_t step);
/* Writes the result of `count` elements. */
typedef void (*store_fn)(void *out, const accumulator *acc, int64_t count);

#define FOLD(name, type, field, expression)                                                        \
    static void name(accumulator *acc, const void *p, int64_t n, int64_t step)                     \
    {                                                                                              \
        const type *at = p;                                                                        \
        accumulator r = *acc;                                                                      \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const type x = at[i * step];                                                           \
            r.field = expression;                                                                  \
        }                                                                                          \
        *acc = r;                                                                                  \
    }
#define STORE(name, type, expression)                                                              \
    static void name(void *out, const accumulator *acc, int64_t count)                             \
    {                                                                                              \
        *(type *)out = (type)(expression);                                                         \
    }

#define UNSIGNED(x)    ((uint64_t)(int64_t)(x))
#define MAGNITUDE(x)   (x < 0 ? -UNSIGNED(x) : UNSIGNED(x))
#define GREATER(r)     (x > r || isnan(x) ? x : r)
#define LESS(r)        (x < r || isnan(x) ? x : r)
#define INT_GREATER(r) (x > r ? x : r)
#define INT_LESS(r)    (x < r ? x : r)

FOLD(sum_f32, float, f, r.f + x)
FOLD(sum_f64, double, d, r.d + x)
FOLD(sum_i32, int32_t, u, r.u + UNSIGNED(x))
FOLD(sum_i64, int64_t, u, r.u + UNSIGNED(x))
FOLD(prod_f32, float, f, (r.f * x))
FOLD(prod_f64, double, d, (r.d * x))
FOLD(prod_i32, int32_t, u, (r.u * UNSIGNED(x)))
FOLD(prod_i64, int64_t, u, (r.u * UNSIGNED(x)))
FOLD(l1_f32, float, f, r.f + fabsf(x))
FOLD(l1_f64, double, d, r.d + fabs(x))
FOLD(l1_i32, int32_t, u, r.u + MAGNITUDE(x))
FOLD(l1_i64, int64_t, u, r.u + MAGNITUDE(x))
FOLD(square_f32, float, f, fmaf(x, x, r.f))
FOLD(square_f64, double, d, fma(x, x, r.d))
FOLD(square_i32, int32_t, u, r.u + UNSIGNED(x) * UNSIGNED(x))
FOLD(square_i64, int64_t, u, r.u + UNSIGNED(x) * UNSIGNED(x))
FOLD(max_f32, float, f, GREATER(r.f))
FOLD(max_f64, double, d, GREATER(r.d))
FOLD(max_i32, int32_t, i, INT_GREATER(r.i))
FOLD(max_i64, int64_t, i, INT_GREATER(r.i))
FOLD(max_i8, int8_t, i, INT_GREATER(r.i))
FOLD(max_u8, uint8_t, i, INT_GREATER(r.i))
FOLD(min_f32, float, f, LESS(r.f))
FOLD(min_f64, double, d, LESS(r.d))
FOLD(min_i32, int32_t, i, INT_LESS(r.i))
FOLD(min_i64, int64_t, i, INT_LESS(r.i))
FOLD(min_i8, int8_t, i, INT_LESS(r.i))
FOLD(min_u8, uint8_t, i, INT_LESS(r.i))

STORE(store_f32, float, acc->f)
STORE(store_f64, double, acc->d)
STORE(store_i32, int32_t, (uint32_t)acc->u)
STORE(store_i64, int64_t, acc->u)
STORE(store_i8, int8_t, acc->i)
STORE(store_u8, uint8_t, acc->i)
STORE(mean_f32, float, acc->f / (float)count)
STORE(mean_f64, double, acc->d / (double)count)
STORE(mean_i32, int32_t, acc->i / count)
STORE(mean_i64, int64_t, acc->i / count)
STORE(root_f32, float, sqrtf(acc->f))
STORE(root_f64, double, sqrt(acc->d))

/* One row per operator and element type. */
static const struct fold {
    const char *op;
    bsr_dtype dtype;
    accumulator start;
    fold_fn fold;
    store_fn store;
} folds[] = {
    {"ReduceL1", BSR_F32, {.f = 0}, l1_f32, store_f32},
    {"ReduceL1", BSR_F64, {.d = 0}, l1_f64, store_f64},
    {"ReduceL1", BSR_I32, {.u = 0}, l1_i32, store_i32},
    {"ReduceL1", BSR_I64, {.u = 0}, l1_i64, store_i64},
    {"ReduceL2", BSR_F32, {.f = 0}, square_f32, root_f32},
    {"ReduceL2", BSR_F64, {.d = 0}, square_f64, root_f64},
    {"ReduceMax", BSR_F32, {.f = -INFINITY}, max_f32, store_f32},
    {"ReduceMax", BSR_F64, {.d = -INFINITY}, max_f64, store_f64},
    {"ReduceMax", BSR_I32, {.i = INT32_MIN}, max_i32, store_i32},
    {"ReduceMax", BSR_I64, {.i = INT64_MIN}, max_i64, store_i64},
    {"ReduceMax", BSR_I8, {.i = INT8_MIN}, max_i8, store_i8},
    {"ReduceMax", BSR_U8, {.i = 0}, max_u8, store_u8},
    {"ReduceMean", BSR_F32, {.f = 0}, sum_f32, mean_f32},
    {"ReduceMean", BSR_F64, {.d = 0}, sum_f64, mean_f64},
    {"ReduceMean", BSR_I32, {.u = 0}, sum_i32, mean_i32},
    {"ReduceMean", BSR_I64, {.u = 0}, sum_i64, mean_i64},
    {"ReduceMin", BSR_F32, {.f = INFINITY}, min_f32, store_f32},
    {"ReduceMin", BSR_F64, {.d = INFINITY}, min_f64, store_f64},
    {"ReduceMin", BSR_I32, {.i = INT32_MAX}, min_i32, store_i32},
    {"ReduceMin", BSR_I64, {.i = INT64_MAX}, min_i64, store_i64},
    {"ReduceMin", BSR_I8, {.i = INT8_MAX}, min_i8, store_i8},
    {"ReduceMin", BSR_U8, {.i = UINT8_MAX}, min_u8, store_u8},
    {"ReduceProd", BSR_F32, {.f = 1}, prod_f32, store_f32},
    {"ReduceProd", BSR_F64, {.d = 1}, prod_f64, store_f64},
    {"ReduceProd", BSR_I32, {.u = 1}, prod_i32, store_i32},
    {"ReduceProd", BSR_I64, {.u = 1}, prod_i64, store_i64},
    {"ReduceSum", BSR_F32, {.f = 0}, sum_f32, store_f32},
    {"ReduceSum", BSR_F64, {.d = 0}, sum_f64, store_f64},
    {"ReduceSum", BSR_I32, {.u = 0}, sum_i32, store_i32},
    {"ReduceSum", BSR_I64, {.u = 0}, sum_i64, store_i64},
    {"ReduceSumSquare", BSR_F32, {.f = 0}, square_f32, store_f32},
    {"ReduceSumSquare", BSR_F64, {.d = 0}, square_f64, store_f64},
    {"ReduceSumSquare", BSR_I32, {.u = 0}, square_i32, store_i32},
    {"ReduceSumSquare", BSR_I64, {.u = 0}, square_i64, store_i64},
};

static const struct fold *find_fold(const char *op, bsr_dtype dtype)
{
    for (size_t i = 0; i < sizeof folds / sizeof folds[0]; i++)
        if (folds[i].dtype == dtype && !strcmp(folds[i].op, op))
            return &folds[i];
    return NULL;
}

bsr_status bsr_reduce_axes(unsigned *set, const bsr_op_call *call)
{
    int64_t since = strcmp(call->node->op_type, "ReduceSum") ? 18 : 13;
    int rank = call->in[0].rank;
    bsr_ints list;
    int axes[BSR_MAX_RANK];
    BSR_TRY(bsr_call_ints(&list, call, "axes", 1, since));
    BSR_TRY(bsr_call_axes(axes, call, &list, rank));
    *set = 0;
    if (list.n == 0 && !bsr_node_int(call->node, "noop_with_empty_axes", 0))
        *set = (1u << rank) - 1;
    for (int64_t i = 0; i < list.n; i++)
        *set |= 1u << axes[i];
    return BSR_OK;
}

bsr_status bsr_infer_reduce(bsr_infer *ctx)
{
    bsr_view in[BSR_CALL_INPUTS];
    bsr_op_call call;
    bsr_infer_call(ctx, &call, in);
    const struct fold *fold = find_fold(ctx->node->op_type, in[0].dtype);
    if (!fold)
        return bsr_node_fail(ctx->node, BSR_EUNSUPPORTED, "input is %s",
                             bsr_dtype_name(in[0].dtype));
    unsigned set;
    BSR_TRY(bsr_reduce_axes(&set, &call));
    int keepdims = bsr_node_int(ctx->node, "keepdims", 1) != 0, rank = 0;
    int64_t dims[BSR_MAX_RANK], count = 1;
    for (int d = 0; d < in[0].rank; d++) {
        int reduced = set >> d & 1;
        if (reduced)
            count = in[0].dims[d] ? count : 0;
        if (!reduced || keepdims)
            dims[rank++] = reduced ? 1 : in[0].dims[d];
    }
    if (count == 0 && (fold->store == mean_i32 || fold->store == mean_i64))
        return bsr_node_fail(ctx->node, BSR_EUNSUPPORTED, "integer mean of no elements");
    return bsr_infer_set(ctx, 0, in[0].dtype, rank, dims);
}

bsr_view bsr_view_pick(const bsr_view *v, unsigned dims)
{
    bsr_view r = {.dtype = v->dtype, .data = v->data};
    for (int d = 0; d < v->rank; d++)
        if (dims >> d & 1) {
            r.dims[r.rank] = v->dims[d];
            r.strides[r.rank++] = v->strides[d];
        }
    return r;
}

bsr_view bsr_view_results(const bsr_view *out, int in_rank, unsigned reduced)
{
    return out->rank == in_rank ? bsr_view_pick(out, ~reduced) : *out;
}

/* Folds all elements of v, the innermost dimension as a plain loop. */
static void fold_view(const struct fold *fold, accumulator *acc, const bsr_view *v, size_t size)
{
    bsr_view rows = *v;
    int64_t n = 1, step = 1;
    if (rows.rank) {
        n = v->dims[--rows.rank];
        step = v->strides[rows.rank];
    }
    int64_t idx[BSR_MAX_RANK] = {0};
    do {
        fold->fold(acc, bsr_view_at(&rows, idx, size), n, step);
    } while (bsr_next_index(rows.rank, rows.dims, idx));
}

bsr_status bsr_run_reduce(const bsr_op_call *call)
{
    const bsr_view *in = &call->in[0], *out = &call->out[0];
    const struct fold *fold = find_fold(call->node->op_type, in->dtype);
    size_t size = bsr_dtype_size(in->dtype);
    unsigned set;
    BSR_TRY(bsr_reduce_axes(&set, call));
    if (bsr_count(out->rank, out->dims) == 0)
        return BSR_OK;
    if (set == 0 && bsr_node_int(call->node, "noop_with_empty_axes", 0)) {
        bsr_view_copy(out, in);
        return BSR_OK;
    }
    bsr_view from = bsr_view_pick(in, ~set), part = bsr_view_pick(in, set);
    bsr_view to = bsr_view_results(out, in->rank, set);
    int64_t count = bsr_count(part.rank, part.dims), idx[BSR_MAX_RANK] = {0};
    do {
        accumulator acc = fold->start;
        part.data = bsr_view_at(&from, idx, size);
        if (count)
            fold_view(fold, &acc, &part, size);
        fold->store(bsr_view_at(&to, idx, size), &acc, count);
    } while (bsr_next_index(from.rank, from.dims, idx));
    return BSR_OK;
}
