/* The operator that stores a tensor in a number format. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "ops/backward.h"
#include "ops/rows.h"
#include "ops/unary.h"

/* With p[3] limited to p[1]..p[2]. */
static float store_float(float x, const float *p, bsr_format_kind kind, int bits)
{
    bsr_quantiser q = {.kind = kind, .bits = bits, .bounded = p[3] != 0, .lo = p[1], .hi = p[2]};
    return bsr_decode(&q, bsr_encode(&q, x));
}

static float store_fp32(float x, const float *p)
{
    return store_float(x, p, BSR_FORMAT_FP32, 32);
}

static float store_fp16(float x, const float *p)
{
    return store_float(x, p, BSR_FORMAT_FP16, 16);
}

static float store_bf16(float x, const float *p)
{
    return store_float(x, p, BSR_FORMAT_BF16, 16);
}

static float store_e4m3(float x, const float *p)
{
    return store_float(x, p, BSR_FORMAT_E4M3, 8);
}

static float store_e5m2(float x, const float *p)
{
    return store_float(x, p, BSR_FORMAT_E5M2, 8);
}

static float store_stored(float x, const float *p)
{
    return x;
}

/* Steps from 0, limited to p[1]..p[2], times p[0]. A limit of more than 24 bits is rounded to a
 * power of two as float, but so is the value of the last code there. */
static float store_steps(float x, const float *p)
{
    double steps = x != x ? 0.0 : rint((double)x / (double)p[0]);
    if (steps < (double)p[1])
        steps = (double)p[1];
    if (steps > (double)p[2])
        steps = (double)p[2];
    return (float)((steps + 0.0) * (double)p[0]); /* + 0.0: no code stands for -0 */
}

static float store_binary(float x, const float *p)
{
    return x < 0.0f ? -p[0] : p[0];
}

static const bsr_unary_fn functions[] = {
    [BSR_FORMAT_STORED] = store_stored, [BSR_FORMAT_FP32] = store_fp32,
    [BSR_FORMAT_FP16] = store_fp16,     [BSR_FORMAT_BF16] = store_bf16,
    [BSR_FORMAT_E4M3] = store_e4m3,     [BSR_FORMAT_E5M2] = store_e5m2,
    [BSR_FORMAT_INT] = store_steps,     [BSR_FORMAT_UINT] = store_steps,
    [BSR_FORMAT_FIXED] = store_steps,   [BSR_FORMAT_BINARY] = store_binary,
};

bsr_unary_fn bsr_store_params(const bsr_node *node, float p[4])
{
    int64_t zero = bsr_node_int(node, "zero", 0);
    p[0] = bsr_node_float(node, "scale", 1.0f);
    p[1] = (float)(bsr_node_int(node, "min", 0) - zero);
    p[2] = (float)(bsr_node_int(node, "max", 0) - zero);
    p[3] = (float)bsr_node_int(node, "bounded", 0);
    if (p[3] != 0) {
        p[1] = bsr_node_float(node, "lo", 0.0f);
        p[2] = bsr_node_float(node, "hi", 0.0f);
    }
    return functions[bsr_node_int(node, "kind", BSR_FORMAT_STORED)];
}

/* A file may name any operator, but not this one. */
bsr_status bsr_store_infer(bsr_infer *ctx)
{
    if (!ctx->node->inserted)
        return bsr_node_fail(ctx->node, BSR_EUNSUPPORTED, "operator '%s' is not supported",
                             ctx->node->op_type);
    const bsr_value *x = bsr_infer_in(ctx, 0);
    return bsr_infer_set(ctx, 0, x->dtype, x->rank, x->dims);
}

typedef struct row_ctx {
    bsr_unary_fn fn;
    float p[4];
} row_ctx;

static void row(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    const row_ctx *c = ctx;
    for (int64_t i = 0; i < n; i++) {
        const float *x = (const void *)(p[1] + i * step[1]);
        *(float *)(void *)(p[0] + i * step[0]) = c->fn(*x, c->p);
    }
}

bsr_status bsr_store_run(const bsr_op_call *call)
{
    row_ctx c;
    c.fn = bsr_store_params(call->node, c.p);
    bsr_rows(&call->out[0], &call->in[0], 1, row, &c);
    return BSR_OK;
}

typedef struct range_ctx {
    bsr_format_kind kind;
    float p[4];
    double least, largest; /* finite values, of the float formats */
} range_ctx;

/* 1 in the range; binary: Hubara et al., Binarized Neural Networks (NIPS 2016), equation 4. */
static void in_range(double *slope, const double *x, int n, const void *ctx)
{
    const range_ctx *c = ctx;
    double steps;
    switch (c->kind) {
    case BSR_FORMAT_STORED:
        slope[0] = 1.0;
        break;
    case BSR_FORMAT_INT:
    case BSR_FORMAT_UINT:
    case BSR_FORMAT_FIXED:
        steps = rint(x[0] / (double)c->p[0]);
        slope[0] = steps >= (double)c->p[1] && steps <= (double)c->p[2];
        break;
    case BSR_FORMAT_BINARY:
        slope[0] = fabs(x[0]) <= (double)c->p[0];
        break;
    default:
        slope[0] = x[0] >= c->least && x[0] <= c->largest;
        break;
    }
}

bsr_status bsr_store_backward(const bsr_op_backward *call)
{
    const bsr_op_call *f = call->forward;
    range_ctx c;
    if (!bsr_backward_begin(call))
        return BSR_OK;
    bsr_unary_fn store = bsr_store_params(f->node, c.p);
    c.kind = (bsr_format_kind)bsr_node_int(f->node, "kind", BSR_FORMAT_STORED);
    c.least = (double)store(-FLT_MAX, c.p);
    c.largest = (double)store(FLT_MAX, c.p);
    return bsr_backward_pointwise(1, f->in, call->grad_in, call->grad_out, in_range, &c);
}

static bsr_status add_attr(bsr_node *node, bsr_attr attr, const char *name)
{
    attr.name = bsr_strdup(name);
    if (!attr.name)
        return BSR_ENOMEM;
    node->attr[node->n_attr++] = attr;
    return BSR_OK;
}

static bsr_status fill_node(bsr_node *node, int x, int y, const bsr_quantiser *q)
{
    const struct {
        const char *name;
        int64_t value;
    } ints[] = {{"kind", q->kind}, {"bits", q->bits}, {"zero", q->zero},
                {"min", q->min},   {"max", q->max},   {"bounded", q->bounded}};
    const struct {
        const char *name;
        float value;
    } floats[] = {{"scale", q->scale}, {"lo", q->lo}, {"hi", q->hi}};
    enum { N_INTS = sizeof ints / sizeof ints[0], N_FLOATS = sizeof floats / sizeof floats[0] };
    node->inserted = 1;
    node->in = bsr_alloc_array(1, sizeof *node->in);
    node->out = bsr_alloc_array(1, sizeof *node->out);
    node->attr = bsr_calloc_array(N_INTS + N_FLOATS, sizeof *node->attr);
    if (!node->in || !node->out || !node->attr)
        return BSR_ENOMEM;
    node->n_in = node->n_out = 1;
    node->in[0] = x;
    node->out[0] = y;
    for (size_t i = 0; i < N_INTS; i++)
        BSR_TRY(add_attr(node, (bsr_attr){.kind = BSR_ATTR_INT, .i = ints[i].value}, ints[i].name));
    for (size_t i = 0; i < N_FLOATS; i++)
        BSR_TRY(add_attr(node, (bsr_attr){.kind = BSR_ATTR_FLOAT, .f = floats[i].value},
                         floats[i].name));
    return BSR_OK;
}

bsr_status bsr_op_add_store(bsr_graph *graph, const char *name, int x, int y,
                            const bsr_quantiser *q)
{
    bsr_node *node = bsr_graph_add_node(graph, name, BSR_OP_STORE);
    if (!node)
        return BSR_ENOMEM;
    BSR_TRY(fill_node(node, x, y, q));
    const bsr_value *from = &graph->values[x];
    bsr_value *to = &graph->values[y];
    to->dtype = from->dtype;
    to->rank = from->rank;
    memcpy(to->dims, from->dims, sizeof to->dims);
    return BSR_OK;
}
