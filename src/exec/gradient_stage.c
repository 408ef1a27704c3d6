/* Stages backwards. All are pointwise, so what lies between a core's result and a step's output is
 * one factor for each element, the same for all seeds: the product of the stages' slopes. It is
 * made once for a block of rows, from the last stage to the first, and given out on the way to the
 * tensors that stages add or combine. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "exec/gradient_state.h"

/* Rows [first, first + n) of a step. slope: d output / d result of the stages gone through so far
 * (`ones`: all 1, and not filled in). */
typedef struct block {
    bsr_gradients *g;
    const bsr_step *step;
    int first, n, channels;
    size_t count;                  /* elements */
    float *slope, *spare, *result; /* result: where the slope goes in the end */
    int ones;
    const char *golden; /* these rows of the output tensor */
    size_t stage_rows;  /* floats from the rows that one stage read to the next one's */
} block;

static const float *stage_input(const block *b, int i)
{
    return b->g->rows + (size_t)i * b->stage_rows;
}

/* The result of an AFFINE_ADD_CLAMP is what the next stage read or, of the last, the tensor. */
static const float *stage_output(const block *b, int i)
{
    return i == b->step->n_stages - 1 ? (const float *)(const void *)b->golden
                                      : stage_input(b, i + 1);
}

static void fill_ones(block *b)
{
    for (size_t i = 0; b->ones && i < b->count; i++)
        b->slope[i] = 1.0f;
    b->ones = 0;
}

static void give_operand(const block *b, int i, const float *slope)
{
    const bsr_gradients *g = b->g;
    size_t at = (size_t)b->first * (size_t)b->channels;
    int to = b->step->stages[i].operand, set = b->g->fresh[i];
    for (int k = 0; k < g->seeds && g->needed[to]; k++) {
        const float *restrict x = bsr_gradient_at(g, b->step->out, k) + at;
        float *restrict y = bsr_gradient_at(g, to, k) + at;
        if (!slope && set)
            memcpy(y, x, b->count * sizeof *y);
        else if (!slope)
            for (size_t e = 0; e < b->count; e++)
                y[e] += x[e];
        else if (set)
            for (size_t e = 0; e < b->count; e++)
                y[e] = bsr_chain_f32(x[e], slope[e]);
        else
            for (size_t e = 0; e < b->count; e++)
                y[e] += bsr_chain_f32(x[e], slope[e]);
    }
}

static void scale_slope(block *b, const float *scale, int inverse)
{
    fill_ones(b);
    float *s = b->slope;
    for (int r = 0; r < b->n; r++, s += b->channels)
        for (int c = 0; c < b->channels; c++)
            s[c] = inverse ? s[c] / scale[c] : s[c] * scale[c];
}

static bsr_status affine_back(block *b, int i)
{
    const bsr_stage *s = &b->step->stages[i];
    if (s->relu) {
        const float *restrict y = stage_output(b, i);
        float *restrict slope = b->slope;
        float lo = s->relu == 1 ? 0.0f : s->lo;
        fill_ones(b);
        for (size_t e = 0; e < b->count; e++)
            slope[e] = y[e] > lo ? slope[e] : 0.0f;
        for (size_t e = 0; e < b->count && s->relu == 2; e++)
            slope[e] = y[e] < s->hi ? slope[e] : 0.0f;
    }
    if (s->operand >= 0)
        give_operand(b, i, b->ones ? NULL : b->slope);
    if (s->scale)
        scale_slope(b, s->scale, 0);
    return BSR_OK;
}

static bsr_status scale_back(block *b, int i)
{
    scale_slope(b, b->step->stages[i].scale, 0);
    return BSR_OK;
}

/* Straight through where rounding does not saturate. Adding and taking away 1.5 * 2^23 rounds to
 * a whole number, half to even, what is that small. */
static bsr_status quant_back(block *b, int i)
{
    const float whole = 12582912.0f;
    const bsr_stage *s = &b->step->stages[i];
    const float *x = stage_input(b, i);
    float least = s->codes == BSR_I8 ? -128.0f : 0.0f, most = least + 255.0f;
    float *slope = b->slope;
    const bsr_hidden_clamp *clamp = &b->g->gp->steps[b->step - b->g->gp->plan->steps].clamp;
    fill_ones(b);
    for (int r = 0; r < b->n; r++, x += b->channels, slope += b->channels) {
        for (int c = 0; c < b->channels; c++) {
            float zero = (float)s->zero[c], u = x[c] / s->scale[c];
            float code = ((u + whole) - whole) + zero, part = slope[c] / s->scale[c];
            float inside = code >= least && code <= most ? part : 0.0f;
            slope[c] = u > -1024.0f && u < 1024.0f ? inside : 0.0f;
        }
        for (int c = 0; clamp->unit && c < b->channels; c++) {
            float y = x[c] / s->scale[c] * clamp->unit[c * clamp->unit_stride];
            slope[c] = y > clamp->lo && y < clamp->hi ? slope[c] : 0.0f;
        }
    }
    return BSR_OK;
}

static bsr_view rows_view(const block *b, const float *x, int repeat)
{
    return (bsr_view){.dtype = BSR_F32,
                      .rank = 2,
                      .dims = {b->n, b->channels},
                      .strides = {repeat ? 0 : b->channels, 1},
                      .data = (void *)(uintptr_t)x};
}

/* The operator's own rule on the block's rows, input `main` from the chain and the other from a
 * constant or a tensor. The slope so far goes in as the gradient. */
static bsr_status operator_back(block *b, int i)
{
    const bsr_gradients *g = b->g;
    const bsr_plan *plan = g->gp->plan;
    const bsr_stage *s = &b->step->stages[i];
    const bsr_node *node = &plan->graph->nodes[s->node];
    bsr_view in[BSR_DENSE_OPERANDS] = {{0}}, grad_in[BSR_DENSE_OPERANDS] = {{0}};
    float *operand_part = b->g->part;
    int two = s->kind != BSR_STAGE_UNARY, main = two && s->swap;
    fill_ones(b);
    in[main] = rows_view(b, stage_input(b, i), 0);
    grad_in[main] = rows_view(b, b->spare, 0);
    if (s->kind == BSR_STAGE_BINARY_CONST) {
        in[1 - main] = rows_view(b, s->scale, 1);
    } else if (s->kind == BSR_STAGE_BINARY_ROWS) {
        const char *data = bsr_gradient_value(b->g, s->operand);
        const float *y = (const float *)(const void *)data;
        in[1 - main] = rows_view(b, y + (size_t)b->first * (size_t)b->channels, 0);
        grad_in[1 - main] = rows_view(b, operand_part, 0);
    }
    bsr_view out = rows_view(b, stage_output(b, i), 0), grad_out = rows_view(b, b->slope, 0);
    bsr_op_call forward = {.node = node,
                           .opset = plan->graph->opset,
                           .n_in = two ? 2 : node->n_in,
                           .n_out = 1,
                           .in = in,
                           .out = &out};
    bsr_op_backward call = {&forward, &grad_out, grad_in};
    const bsr_op *op;
    bsr_status status = bsr_gradient_rule(plan, s->node, &op);
    if (status == BSR_OK)
        status = op->backward(&call);
    if (status == BSR_OK && s->operand >= 0)
        give_operand(b, i, operand_part);
    float *done = b->slope;
    b->slope = b->spare;
    b->spare = done;
    return status;
}

static const struct {
    bsr_status (*back)(block *b, int i);
    int values;   /* needs what the stage read */
    int operator; /* has the rule of its node */
} rules[] = {
    [BSR_STAGE_AFFINE_ADD_CLAMP] = {affine_back, 0, 0},
    [BSR_STAGE_UNARY] = {operator_back, 1, 1},
    [BSR_STAGE_BINARY_CONST] = {operator_back, 1, 1},
    [BSR_STAGE_BINARY_ROWS] = {operator_back, 1, 1},
    [BSR_STAGE_SCALE_I32] = {scale_back, 0, 0},
    [BSR_STAGE_DEQUANT] = {scale_back, 0, 0},
    [BSR_STAGE_QUANT] = {quant_back, 1, 0},
};

bsr_status bsr_stages_check(const bsr_plan *plan, const bsr_step *s)
{
    const bsr_op *op;
    for (int i = 0; i < s->n_stages; i++)
        if (rules[s->stages[i].kind].operator)
            BSR_TRY(bsr_gradient_rule(plan, s->stages[i].node, &op));
    return BSR_OK;
}

/* A clamp's slope can be told from its result, which the output tensor holds if it is the last. */
int bsr_stages_need_values(const bsr_step *s)
{
    for (int i = 0; i < s->n_stages; i++)
        if (rules[s->stages[i].kind].values || (s->stages[i].relu && i < s->n_stages - 1))
            return 1;
    return 0;
}

bsr_hidden_clamp bsr_stages_clamp(const bsr_plan *plan, const bsr_step *s)
{
    const bsr_graph *graph = plan->graph;
    bsr_hidden_clamp clamp = {.hi = INFINITY};
    if (s->core != BSR_CORE_CONV_I8 || s->n_stages != 2 || s->stages[1].kind != BSR_STAGE_QUANT)
        return clamp;
    const bsr_node *quant = &graph->nodes[s->stages[1].node];
    int producer = graph->values[quant->in[0]].producer;
    const bsr_node *n = producer < 0 ? NULL : &graph->nodes[producer];
    if (strcmp(quant->op_type, "QuantizeLinear") != 0 || !n)
        return clamp;
    float p[4];
    if (strcmp(n->op_type, "Clip") == 0 && bsr_op_unary(graph, n, p)) {
        clamp.lo = p[0];
        clamp.hi = p[1];
    } else if (strcmp(n->op_type, "Relu") != 0) {
        return clamp;
    }
    const bsr_tensor *unit = graph->values[quant->in[1]].constant;
    clamp.unit = unit->data;
    clamp.unit_stride = bsr_count(unit->rank, unit->dims) > 1;
    return clamp;
}

/* What each stage read, computed again from the golden tensors. */
static void compute_rows(block *b)
{
    bsr_gradients *g = b->g;
    const bsr_plan *plan = g->gp->plan;
    const bsr_step *s = b->step;
    bsr_access access[BSR_DENSE_OPERANDS] = {{0}};
    for (int k = 0; k < s->n_sources + s->n_stages; k++) {
        const bsr_source *src = k < s->n_sources ? &s->sources[k] : NULL;
        int pten = src ? src->pten : s->stages[k - s->n_sources].operand;
        if (pten < 0)
            continue;
        const bsr_pixmap *map = src ? src->map : NULL;
        access[k] = (bsr_access){bsr_gradient_value(g, pten),
                                 (map ? map->offset : plan->ptens[pten].identity) + b->first,
                                 map ? (size_t)map->n_out : 0};
    }
    bsr_core_rows(plan, s, s->weights ? s->weights->packed : NULL, b->n, access, NULL,
                  s->divisor ? s->divisor + b->first : NULL, &g->scratch, g->rows);
    for (int i = 0; i < s->n_stages && s->stages[i].kind != BSR_STAGE_QUANT; i++) {
        bsr_step one = *s;
        float *to = g->rows + (size_t)(i + 1) * b->stage_rows;
        one.n_stages = i + 1;
        memcpy(to, stage_input(b, i), b->count * sizeof *to);
        bsr_stage_rows(plan, &one, i, b->n, b->channels, to, access + s->n_sources);
    }
}

static bsr_status block_back(block *b)
{
    if (b->g->gp->steps[b->step - b->g->gp->plan->steps].values)
        compute_rows(b);
    for (int i = b->step->n_stages - 1; i >= 0; i--)
        BSR_TRY(rules[b->step->stages[i].kind].back(b, i));
    if (!b->ones && b->slope != b->result)
        memcpy(b->result, b->slope, b->count * sizeof *b->result);
    return BSR_OK;
}

bsr_status bsr_stages_back(bsr_gradients *g, int step, int *ones)
{
    const bsr_plan *plan = g->gp->plan;
    const bsr_step *s = &plan->steps[step];
    const bsr_pten *to = &plan->ptens[s->out];
    *ones = 1;
    if (!s->n_stages)
        return BSR_OK;
    const char *golden = bsr_gradient_value(g, s->out);
    /* The same tensor may be the operand of two stages. */
    for (int i = s->n_stages - 1; i >= 0; i--) {
        int operand = s->stages[i].operand;
        g->fresh[i] = operand >= 0 && !g->written[operand];
        if (operand >= 0)
            g->written[operand] = g->needed[operand];
    }
    for (int first = 0; first < to->pixels; first += BSR_BLOCK) {
        float *slopes = g->slopes + (size_t)first * (size_t)s->core_channels;
        block b = {.g = g,
                   .step = s,
                   .first = first,
                   .n = to->pixels - first < BSR_BLOCK ? to->pixels - first : BSR_BLOCK,
                   .channels = s->core_channels,
                   .slope = slopes,
                   .spare = g->spare,
                   .result = slopes,
                   .ones = 1,
                   .golden = golden + (size_t)first * to->pixel_bytes,
                   .stage_rows = BSR_BLOCK * (size_t)plan->max_channels};
        b.count = (size_t)b.n * (size_t)b.channels;
        BSR_TRY(block_back(&b));
        *ones = b.ones;
    }
    return BSR_OK;
}
