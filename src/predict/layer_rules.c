/* The table of rules, and those of operators that move and pool elements. */
#include "predict/layer_rules.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/backward.h"
#include "ops/conv_shape.h"

int64_t bsr_value_elements(const bsr_layer_pass *p, int value)
{
    const bsr_tensor *t = bsr_tape_value(p->tape, value);
    return bsr_count(t->rank, t->dims);
}

bsr_status bsr_moment_new(const bsr_layer_pass *p, int value)
{
    bsr_moment *m = &p->of[value];
    size_t n = (size_t)bsr_value_elements(p, value);
    m->mean = bsr_calloc_array(n, sizeof *m->mean);
    m->var = bsr_calloc_array(n, sizeof *m->var);
    return m->mean && m->var ? BSR_OK : BSR_ENOMEM;
}

void bsr_moment_clear(bsr_moment *m)
{
    bsr_free(m->mean);
    bsr_free(m->var);
    *m = (bsr_moment){0};
}

double bsr_element(const bsr_tensor *t, int64_t i)
{
    switch (t->dtype) {
    case BSR_U8:
        return ((const uint8_t *)t->data)[i];
    case BSR_I8:
        return ((const int8_t *)t->data)[i];
    case BSR_I32:
        return ((const int32_t *)t->data)[i];
    default:
        return (double)((const float *)t->data)[i];
    }
}

/* The operator's own evaluation with moments in place of values: for what adds or moves elements.
 * in, out: [inputs], [outputs]; NULL: the golden value, resp. not wanted. */
static bsr_status run_on(const bsr_layer_pass *p, const bsr_node *node, const float *const *in,
                         float *const *out)
{
    size_t n = (size_t)(node->n_in + node->n_out);
    bsr_view *views = bsr_calloc_array(n, sizeof *views);
    if (!views)
        return BSR_ENOMEM;
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i] < 0)
            continue;
        views[i] = bsr_tensor_view(bsr_tape_value(p->tape, node->in[i]));
        if (in[i]) {
            views[i].data = (void *)(uintptr_t)in[i];
            views[i].dtype = BSR_F32;
        }
    }
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i] < 0)
            continue;
        views[node->n_in + i] = bsr_tensor_view(bsr_tape_value(p->tape, node->out[i]));
        views[node->n_in + i].data = out[i];
        views[node->n_in + i].dtype = BSR_F32;
    }
    /* What is put around a tensor is not disturbed. */
    if (strcmp(node->op_type, "Pad") == 0 && node->n_in > 2)
        views[2] = (bsr_view){0};
    bsr_op_call call = {.node = node,
                        .opset = p->graph->opset,
                        .n_in = node->n_in,
                        .n_out = node->n_out,
                        .in = views,
                        .out = views + node->n_in};
    bsr_status status = bsr_op_find(node->op_type)->run(&call);
    bsr_free(views);
    return status;
}

static bsr_status new_outputs(const bsr_layer_pass *p, const bsr_node *node)
{
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] >= 0)
            BSR_TRY(bsr_moment_new(p, node->out[i]));
    return BSR_OK;
}

/* Inputs of a move that are data and not shapes or indices. */
static int is_data(const bsr_node *node, int i)
{
    return i == 0 || strcmp(node->op_type, "Concat") == 0;
}

static bsr_status run_moves(const bsr_layer_pass *p, const bsr_node *node, const float **in,
                            float **out, const float *zeros)
{
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < node->n_in; i++) {
            const bsr_moment *m = node->in[i] >= 0 ? &p->of[node->in[i]] : NULL;
            in[i] = !is_data(node, i) ? NULL : !m || !m->mean ? zeros : k ? m->var : m->mean;
        }
        for (int i = 0; i < node->n_out; i++) {
            const bsr_moment *m = node->out[i] >= 0 ? &p->of[node->out[i]] : NULL;
            out[i] = m ? (k ? m->var : m->mean) : NULL;
        }
        BSR_TRY(run_on(p, node, in, out));
    }
    return BSR_OK;
}

/* Elements keep what they have: the mean over all that go in. */
static void move_excess(const bsr_layer_pass *p, const bsr_node *node)
{
    double fourth = 0, squares = 0;
    for (int i = 0; i < node->n_in; i++) {
        const bsr_moment *m = node->in[i] >= 0 ? &p->of[node->in[i]] : NULL;
        if (!m || !m->mean)
            continue;
        double sum = bsr_sum_squares(m->var, bsr_value_elements(p, node->in[i]));
        fourth += m->excess * sum;
        squares += sum;
    }
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] >= 0)
            p->of[node->out[i]].excess = squares > 0 ? fourth / squares : 0;
}

static bsr_status rule_move(const bsr_layer_pass *p, const bsr_node *node, int *known)
{
    int64_t most = 1;
    *known = bsr_node_float(node, "value", 0) == 0; /* Pad of old opsets */
    for (int i = 0; i < node->n_in && *known; i++) {
        if (node->in[i] < 0)
            continue;
        *known = is_data(node, i) || !p->of[node->in[i]].mean;
        if (bsr_value_elements(p, node->in[i]) > most)
            most = bsr_value_elements(p, node->in[i]);
    }
    if (!*known)
        return BSR_OK;
    BSR_TRY(new_outputs(p, node));
    const float **in = bsr_calloc_array((size_t)node->n_in, sizeof *in);
    float **out = bsr_calloc_array((size_t)node->n_out, sizeof *out);
    float *zeros = bsr_calloc_array((size_t)most, sizeof *zeros);
    bsr_status status = in && out && zeros ? run_moves(p, node, in, out, zeros) : BSR_ENOMEM;
    move_excess(p, node);
    bsr_free((void *)in);
    bsr_free(out);
    bsr_free(zeros);
    return status;
}

/* Means of k elements: v / k. */
static bsr_status rule_mean(const bsr_layer_pass *p, const bsr_node *node, int *known)
{
    int sum = strcmp(node->op_type, "ReduceSum") == 0;
    const bsr_moment *x = &p->of[node->in[0]];
    *known = x->mean != NULL;
    if (!*known)
        return BSR_OK;
    BSR_TRY(new_outputs(p, node));
    bsr_moment *y = &p->of[node->out[0]];
    const float *in[2] = {x->mean};
    float *out[1] = {y->mean};
    BSR_TRY(run_on(p, node, in, out));
    in[0] = x->var;
    out[0] = y->var;
    BSR_TRY(run_on(p, node, in, out));
    int64_t n = bsr_value_elements(p, node->out[0]);
    int64_t each = bsr_value_elements(p, node->in[0]) / (n ? n : 1);
    float k = sum ? 1.0f : (float)each;
    y->excess = x->excess / (double)each;
    for (int64_t i = 0; i < n; i++)
        y->var[i] /= k;
    return BSR_OK;
}

typedef struct pooling {
    const bsr_window *window;
    const int64_t *off; /* [taps] */
    int64_t taps;
    int max, all; /* all: padding counts */
} pooling;

/* One element: the greatest golden one's disturbance, as if it stayed the greatest; or the mean. */
static void pool_one(const pooling *q, const float *x, bsr_moment in, float *mean, float *var)
{
    int64_t best = -1, k = 0;
    float m = 0, v = 0;
    for (int64_t t = 0; t < q->taps; t++) {
        int64_t at = q->off[t];
        if (at == BSR_NO_PIXEL)
            continue;
        k++;
        m += in.mean[at];
        v += in.var[at];
        if (best < 0 || (q->max && x[at] > x[best]))
            best = at;
    }
    float n = (float)(q->all ? q->taps : k);
    *mean = q->max ? (best < 0 ? 0 : in.mean[best]) : m / n;
    *var = q->max ? (best < 0 ? 0 : in.var[best]) : v / (n * n);
}

static bsr_status rule_pool(const bsr_layer_pass *p, const bsr_node *node, int *known)
{
    const bsr_tensor *x = bsr_tape_value(p->tape, node->in[0]);
    bsr_window w;
    int64_t strides[BSR_MAX_RANK], pixel[3] = {0};
    *known = x->dtype == BSR_F32;
    if (!*known)
        return BSR_OK;
    BSR_TRY(bsr_moment_new(p, node->out[0]));
    BSR_TRY(bsr_window_resolve(&w, node, x->rank - 2, x->dims + 2, NULL));
    bsr_row_major(x->rank, x->dims, strides);
    int64_t taps = bsr_window_taps(&w), planes = x->dims[0] * x->dims[1];
    int64_t *off = bsr_alloc_array((size_t)taps, sizeof *off);
    if (!off)
        return BSR_ENOMEM;
    pooling q = {&w, off, taps, strcmp(node->op_type, "MaxPool") == 0,
                 bsr_node_int(node, "count_include_pad", 0) != 0};
    bsr_moment in = p->of[node->in[0]], *y = &p->of[node->out[0]];
    y->excess = in.excess / (q.max ? 1.0 : (double)taps);
    int64_t to = 0, size = bsr_count(w.rank, w.out), plane = bsr_count(w.rank, w.in);
    do {
        bsr_window_offsets(&w, strides + 2, pixel, off);
        for (int64_t c = 0; c < planes; c++) {
            bsr_moment from = {in.mean + c * plane, in.var + c * plane, 0, 0};
            pool_one(&q, (const float *)x->data + c * plane, from, &y->mean[c * size + to],
                     &y->var[c * size + to]);
        }
        to++;
    } while (bsr_next_index(w.rank, w.out, pixel));
    bsr_free(off);
    return BSR_OK;
}

/* Operators whose own backward rule says that they move elements need no row. */
static const struct {
    const char *op;
    bsr_layer_rule_fn fn;
} rules[] = {
    {"Add", bsr_rule_binary},
    {"AveragePool", rule_pool},
    {"BatchNormalization", bsr_rule_batch_norm},
    {BSR_OP_STORE, bsr_rule_store},
    {"Conv", bsr_rule_conv},
    {"DequantizeLinear", bsr_rule_quantise},
    {"Div", bsr_rule_binary},
    {"Gemm", bsr_rule_matmul},
    {"GlobalAveragePool", rule_mean},
    {"MatMul", bsr_rule_matmul},
    {"MaxPool", rule_pool},
    {"Mul", bsr_rule_binary},
    {"QLinearConv", bsr_rule_conv},
    {"QLinearMatMul", bsr_rule_matmul},
    {"QuantizeLinear", bsr_rule_quantise},
    {"ReduceMean", rule_mean},
    {"ReduceSum", rule_mean},
    {"Sub", bsr_rule_binary},
};

static bsr_layer_rule_fn find_rule(const bsr_node *node)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].op, node->op_type) == 0)
            return rules[i].fn;
    return bsr_op_find(node->op_type)->backward == bsr_backward_move ? rule_move : bsr_rule_unary;
}

bsr_status bsr_layer_rule(const bsr_layer_pass *p, const bsr_node *node)
{
    int known = 1;
    for (int i = 0; i < node->n_in; i++)
        known &= node->in[i] < 0 || !p->of[node->in[i]].unknown;
    if (known)
        BSR_TRY(find_rule(node)(p, node, &known));
    for (int i = 0; i < node->n_out && !known; i++)
        if (node->out[i] >= 0)
            p->of[node->out[i]].unknown = 1;
    return BSR_OK;
}
