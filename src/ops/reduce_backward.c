/* Gradients of the Reduce* operators and of the global pools, which are reductions too. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "ops/backward.h"
#include "ops/reduce_ops.h"

/* What the slopes of one reduced part depend on besides the element. */
typedef struct summary {
    int64_t count, greatest, least; /* the latter: position of the first of equal ones, NaN wins */
    int64_t zeros;
    double norm;    /* root of the sum of squares */
    double product; /* of what is not 0 */
    double max, min;
} summary;

static void summarise(summary *s, const bsr_view *part)
{
    int64_t idx[BSR_MAX_RANK] = {0};
    *s = (summary){.product = 1.0, .max = (double)-INFINITY, .min = (double)INFINITY};
    do {
        double x = (double)*(const float *)bsr_view_at(part, idx, sizeof(float));
        if (x > s->max || isnan(x)) {
            s->max = x;
            s->greatest = s->count;
        }
        if (x < s->min || isnan(x)) {
            s->min = x;
            s->least = s->count;
        }
        s->norm += x * x;
        s->zeros += x == 0.0;
        s->product *= x == 0.0 ? 1.0 : x;
        s->count++;
    } while (bsr_next_index(part->rank, part->dims, idx));
    s->norm = sqrt(s->norm);
}

/* Slope of element x, the i-th of its part. */
typedef double (*reduce_slope)(const summary *s, double x, int64_t i);

static double sum_slope(const summary *s, double x, int64_t i)
{
    return 1.0;
}

static double mean_slope(const summary *s, double x, int64_t i)
{
    return 1.0 / (double)s->count;
}

static double max_slope(const summary *s, double x, int64_t i)
{
    return i == s->greatest ? 1.0 : 0.0;
}

static double min_slope(const summary *s, double x, int64_t i)
{
    return i == s->least ? 1.0 : 0.0;
}

static double l1_slope(const summary *s, double x, int64_t i)
{
    return x > 0.0 ? 1.0 : (x < 0.0 ? -1.0 : 0.0);
}

/* The norm has a kink at 0. */
static double l2_slope(const summary *s, double x, int64_t i)
{
    return s->norm == 0.0 ? 0.0 : x / s->norm;
}

static double square_slope(const summary *s, double x, int64_t i)
{
    return 2.0 * x;
}

/* The product of the others. */
static double product_slope(const summary *s, double x, int64_t i)
{
    if (x == 0.0)
        return s->zeros == 1 ? s->product : 0.0;
    return s->zeros ? 0.0 : s->product / x;
}

static const struct {
    const char *type;
    reduce_slope slope;
} slopes[] = {
    {"GlobalAveragePool", mean_slope},
    {"GlobalMaxPool", max_slope},
    {"ReduceL1", l1_slope},
    {"ReduceL2", l2_slope},
    {"ReduceMax", max_slope},
    {"ReduceMean", mean_slope},
    {"ReduceMin", min_slope},
    {"ReduceProd", product_slope},
    {"ReduceSum", sum_slope},
    {"ReduceSumSquare", square_slope},
};

static void reduce_part(const bsr_view *part, const bsr_view *to, double g, reduce_slope slope)
{
    int64_t idx[BSR_MAX_RANK] = {0}, i = 0;
    summary s;
    summarise(&s, part);
    do {
        double x = (double)*(const float *)bsr_view_at(part, idx, sizeof(float));
        *(float *)bsr_view_at(to, idx, sizeof(float)) = (float)bsr_chain(g, slope(&s, x, i++));
    } while (bsr_next_index(part->rank, part->dims, idx));
}

/* Every element belongs to one part, so there is nothing to add up. */
static void reduce(const bsr_op_backward *call, unsigned set, reduce_slope slope)
{
    const bsr_view *x = &call->forward->in[0], *gx = &call->grad_in[0];
    bsr_view from = bsr_view_pick(x, ~set), part = bsr_view_pick(x, set);
    bsr_view to = bsr_view_pick(gx, ~set), to_part = bsr_view_pick(gx, set);
    bsr_view g = bsr_view_results(&call->grad_out[0], x->rank, set);
    int64_t idx[BSR_MAX_RANK] = {0};
    if (bsr_count(x->rank, x->dims) == 0)
        return;
    do {
        part.data = bsr_view_at(&from, idx, sizeof(float));
        to_part.data = bsr_view_at(&to, idx, sizeof(float));
        reduce_part(&part, &to_part, (double)*(const float *)bsr_view_at(&g, idx, sizeof(float)),
                    slope);
    } while (bsr_next_index(from.rank, from.dims, idx));
}

static reduce_slope find_slope(const char *type)
{
    size_t i = 0;
    while (strcmp(slopes[i].type, type) != 0)
        i++;
    return slopes[i].slope;
}

bsr_status bsr_reduce_backward(const bsr_op_backward *call)
{
    const bsr_op_call *f = call->forward;
    unsigned set;
    BSR_TRY(bsr_backward_check_f32(call));
    BSR_TRY(bsr_reduce_axes(&set, f));
    if (!bsr_backward_begin(call) || !bsr_backward_wants(call, 0))
        return BSR_OK;
    int copies = set == 0 && bsr_node_int(f->node, "noop_with_empty_axes", 0);
    reduce(call, set, copies ? sum_slope : find_slope(f->node->op_type));
    return BSR_OK;
}

bsr_status bsr_global_pool_backward(const bsr_op_backward *call)
{
    unsigned spatial = ~3u;
    if (bsr_backward_begin(call) && bsr_backward_wants(call, 0))
        reduce(call, spatial, find_slope(call->forward->node->op_type));
    return BSR_OK;
}
