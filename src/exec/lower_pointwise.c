/* Elementwise nodes: stages at the end of the step before them, or of a bare copy. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/lower.h"

/* Can stages be appended to the step that makes `value`, so that `value` itself need not exist? */
static bsr_step *host(const bsr_builder *b, int value)
{
    const bsr_plan *plan = b->plan;
    const bsr_value *v = &b->graph->values[value];
    int pten = plan->of_value[value];
    if (pten < 0 || plan->ptens[pten].producer < 0 || v->n_consumers != 1 || v->is_output ||
        (b->keep && b->keep[value]) || plan->ptens[pten].value != value)
        return NULL;
    bsr_step *s = &plan->steps[plan->ptens[pten].producer];
    if (s->core == BSR_CORE_DENSE || s->core == BSR_CORE_RELAYOUT)
        return NULL;
    if (s->n_stages && s->stages[s->n_stages - 1].kind == BSR_STAGE_QUANT)
        return NULL;
    return s;
}

/* The step to which `node`, reading `value` as its main operand, appends its stage; its output
 * becomes `out`. `other` (plan tensor or -1) must be computed before that step. */
static bsr_status open_chain(bsr_builder *b, int node, int value, int other, bsr_step **step)
{
    bsr_plan *plan = b->plan;
    int out = b->graph->nodes[node].out[0];
    bsr_step *s = host(b, value);
    if (s && (other < 0 || plan->ptens[other].producer < (int)(s - plan->steps))) {
        bsr_pten *p = &plan->ptens[s->out];
        p->value = out;
        p->dtype = b->graph->values[out].dtype;
        p->esize = bsr_dtype_size(p->dtype);
        plan->of_value[value] = -1;
    } else {
        int from = plan->of_value[value];
        BSR_TRY(bsr_build_step(b, BSR_CORE_COPY, node, 1, &s));
        s->core_channels = plan->ptens[from].channels;
        s->sources[0] = (bsr_source){.pten = from, .count = s->core_channels};
        BSR_TRY(bsr_build_pten(b, out, plan->layout[value], plan->n_steps - 1, &s->out));
    }
    plan->of_value[out] = s->out;
    plan->layout[out] = plan->layout[value];
    *step = s;
    return BSR_OK;
}

static int same_dims(const bsr_value *a, const bsr_value *b)
{
    return a->rank == b->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

/* The step that owns the plan tensor would be produced last: that operand's chain takes the node,
 * so that the other operand exists by then. */
static int producer_of(const bsr_builder *b, int value)
{
    int pten = b->plan->of_value[value];
    return pten < 0 ? -1 : b->plan->ptens[pten].producer;
}

/* Per-channel vector from constant `t` broadcast to `like` held in `layout`: *vec (owned by the
 * caller) or NULL when the constant varies along another dimension. */
static bsr_status channel_vector(const bsr_tensor *t, const bsr_value *like, bsr_layout layout,
                                 float **vec)
{
    *vec = NULL;
    if (t->rank > like->rank || t->dtype != BSR_F32)
        return BSR_OK;
    int channel = layout == BSR_CHANNELS_LAST ? 1 : like->rank - 1;
    int64_t n = like->rank ? like->dims[channel] : 1, have = 1;
    for (int d = 0; d < t->rank; d++) {
        int at = like->rank - t->rank + d;
        if (t->dims[d] == 1)
            continue;
        if (at != channel || t->dims[d] != n)
            return BSR_OK;
        have = n;
    }
    float *x = bsr_alloc_aligned((size_t)n, sizeof *x);
    if (!x)
        return BSR_ENOMEM;
    const float *src = t->data;
    for (int64_t c = 0; c < n; c++)
        x[c] = src[have == 1 ? 0 : c];
    *vec = x;
    return BSR_OK;
}

static bsr_status constant_vector(float **vec, int n, float x)
{
    *vec = bsr_alloc_aligned((size_t)n, sizeof **vec);
    if (!*vec)
        return BSR_ENOMEM;
    for (int i = 0; i < n; i++)
        (*vec)[i] = x;
    return BSR_OK;
}

/* Last stage when it is an affine_add_clamp that a further part (scale: 1, add: 2, clamp: 4) may
 * join in the kernel's order, else a new one. */
static bsr_status affine_stage(bsr_step *s, int node, int part, bsr_stage **out)
{
    if (s->n_stages) {
        bsr_stage *last = &s->stages[s->n_stages - 1];
        int have = (last->scale ? 1 : 0) + (last->operand >= 0 ? 2 : 0) + (last->relu ? 4 : 0);
        if (last->kind == BSR_STAGE_AFFINE_ADD_CLAMP && have < part) {
            *out = last;
            return BSR_OK;
        }
    }
    return bsr_build_stage(s, BSR_STAGE_AFFINE_ADD_CLAMP, node, out);
}

static bsr_status lower_batch_norm(bsr_builder *b, int node, int *done)
{
    const bsr_node *n = &b->graph->nodes[node];
    const bsr_tensor *t[5] = {0};
    for (int i = 1; i < 5; i++)
        if (!(t[i] = bsr_node_const(b, node, i)))
            return BSR_OK;
    int channels = (int)bsr_count(t[1]->rank, t[1]->dims);
    int in = n->in[0];
    int pten = b->plan->of_value[in];
    if (b->plan->layout[in] != bsr_spatial_layout(&b->graph->values[in]) ||
        b->plan->ptens[pten].channels != channels)
        return BSR_OK;
    float *scale = NULL, *shift = NULL;
    BSR_TRY(constant_vector(&scale, channels, 0));
    bsr_status status = constant_vector(&shift, channels, 0);
    bsr_step *s;
    bsr_stage *stage = NULL;
    if (status == BSR_OK)
        status = open_chain(b, node, in, -1, &s);
    if (status == BSR_OK)
        status = affine_stage(s, node, 1, &stage);
    if (status != BSR_OK) {
        bsr_free(scale);
        bsr_free(shift);
        return status;
    }
    const float *gamma = t[1]->data, *beta = t[2]->data, *mean = t[3]->data, *var = t[4]->data;
    float epsilon = bsr_node_float(n, "epsilon", 1e-5f);
    for (int c = 0; c < channels; c++) {
        scale[c] = gamma[c] / sqrtf(var[c] + epsilon);
        shift[c] = fmaf(-mean[c], scale[c], beta[c]);
    }
    stage->scale = scale;
    stage->shift = shift;
    *done = 1;
    return BSR_OK;
}

static bsr_status lower_unary(bsr_builder *b, int node, bsr_unary_fn fn, const float p[4])
{
    const bsr_node *n = &b->graph->nodes[node];
    bsr_step *s;
    bsr_stage *stage;
    BSR_TRY(open_chain(b, node, n->in[0], -1, &s));
    if (strcmp(n->op_type, "Relu") == 0) {
        BSR_TRY(affine_stage(s, node, 4, &stage));
        stage->relu = 1;
    } else if (strcmp(n->op_type, "Clip") == 0) {
        BSR_TRY(affine_stage(s, node, 4, &stage));
        stage->relu = 2;
        stage->lo = p[0];
        stage->hi = p[1];
    } else {
        BSR_TRY(bsr_build_stage(s, BSR_STAGE_UNARY, node, &stage));
        stage->unary = fn;
        memcpy(stage->p, p, sizeof stage->p);
    }
    return BSR_OK;
}

/* x + v, x * v, x - v as fma with exact neutral elements (fma(x, 1, v) and fma(x, v, -0) round
 * once, like the plain operation, signed zeros included). Takes vec on success. */
static bsr_status add_constant(bsr_step *s, int node, const char *type, bsr_binary_fn fn, int swap,
                               float *vec, int channels)
{
    bsr_stage *stage;
    int add = strcmp(type, "Add") == 0, mul = strcmp(type, "Mul") == 0;
    int sub = strcmp(type, "Sub") == 0 && !swap;
    if (!add && !mul && !sub) {
        BSR_TRY(bsr_build_stage(s, BSR_STAGE_BINARY_CONST, node, &stage));
        stage->binary = fn;
        stage->swap = swap;
        stage->scale = vec;
        return BSR_OK;
    }
    float *other;
    BSR_TRY(constant_vector(&other, channels, mul ? -0.0f : 1.0f));
    bsr_status status = affine_stage(s, node, 1, &stage);
    if (status != BSR_OK) {
        bsr_free(other);
        return status;
    }
    if (sub)
        for (int c = 0; c < channels; c++)
            vec[c] = -vec[c];
    stage->scale = mul ? vec : other;
    stage->shift = mul ? other : vec;
    return BSR_OK;
}

static bsr_status lower_binary(bsr_builder *b, int node, bsr_binary_fn fn, int *done)
{
    const bsr_node *n = &b->graph->nodes[node];
    const bsr_value *out = &b->graph->values[n->out[0]];
    const bsr_value *in[2] = {bsr_node_in(b, node, 0), bsr_node_in(b, node, 1)};
    if (in[0]->constant || in[1]->constant) {
        int main = in[0]->constant ? 1 : 0;
        int value = n->in[main];
        if (!same_dims(in[main], out))
            return BSR_OK;
        float *vec;
        BSR_TRY(channel_vector(in[1 - main]->constant, in[main], b->plan->layout[value], &vec));
        if (!vec)
            return BSR_OK;
        bsr_step *s;
        bsr_status status = open_chain(b, node, value, -1, &s);
        if (status == BSR_OK)
            status = add_constant(s, node, n->op_type, fn, main == 1, vec, s->core_channels);
        if (status != BSR_OK)
            bsr_free(vec);
        *done = 1;
        return status;
    }
    if (!same_dims(in[0], out) || !same_dims(in[1], out) ||
        b->plan->layout[n->in[0]] != b->plan->layout[n->in[1]] || in[0]->dtype != BSR_F32)
        return BSR_OK;
    int main = producer_of(b, n->in[0]) >= producer_of(b, n->in[1]) ? 0 : 1;
    int other = b->plan->of_value[n->in[1 - main]];
    bsr_step *s;
    bsr_stage *stage;
    BSR_TRY(open_chain(b, node, n->in[main], other, &s));
    if (strcmp(n->op_type, "Add") == 0 || strcmp(n->op_type, "Sum") == 0) {
        BSR_TRY(affine_stage(s, node, 2, &stage));
    } else {
        BSR_TRY(bsr_build_stage(s, BSR_STAGE_BINARY_ROWS, node, &stage));
        stage->binary = fn;
        stage->swap = main == 1;
    }
    stage->operand = other;
    *done = 1;
    return BSR_OK;
}

/* Scale and zero point of a QuantizeLinear or DequantizeLinear as per-channel vectors; *ok is 0
 * when they are not constant or lie along another dimension. */
static bsr_status quant_vectors(const bsr_builder *b, int node, bsr_layout layout, float **scale,
                                int32_t **zero, int *ok)
{
    *scale = NULL;
    *zero = NULL;
    *ok = 0;
    const bsr_tensor *s = bsr_node_const(b, node, 1), *z = bsr_node_const(b, node, 2);
    const bsr_value *x = bsr_node_in(b, node, 0);
    if (!s || (bsr_node_in(b, node, 2) && !z))
        return BSR_OK;
    int64_t pixels, channels, n = bsr_count(s->rank, s->dims);
    bsr_pixel_shape(x, layout, &pixels, &channels);
    int64_t axis = bsr_node_int(&b->graph->nodes[node], "axis", 1);
    axis += axis < 0 ? x->rank : 0;
    if (n != 1 && (n != channels || axis != (layout == BSR_CHANNELS_LAST ? 1 : x->rank - 1)))
        return BSR_OK;
    *scale = bsr_alloc_aligned((size_t)channels, sizeof **scale);
    *zero = bsr_alloc_aligned((size_t)channels, sizeof **zero);
    if (!*scale || !*zero) {
        bsr_free(*scale);
        bsr_free(*zero);
        return BSR_ENOMEM;
    }
    for (int64_t c = 0; c < channels; c++) {
        int64_t i = n == 1 ? 0 : c;
        (*scale)[c] = ((const float *)s->data)[i];
        (*zero)[c] = !z                   ? 0
                     : z->dtype == BSR_I8 ? ((const int8_t *)z->data)[i]
                                          : ((const uint8_t *)z->data)[i];
    }
    *ok = 1;
    return BSR_OK;
}

static int is_code(bsr_dtype t)
{
    return t == BSR_I8 || t == BSR_U8;
}

/* A clamp that saturation to the codes' range repeats. */
static int clamp_is_range(const bsr_stage *s, const float *scale, const int32_t *zero,
                          bsr_dtype codes, int channels)
{
    float least = codes == BSR_I8 ? -128.0f : 0.0f, most = least + 255.0f;
    for (int c = 0; c < channels; c++) {
        float lo = s->relu == 1 ? 0.0f : s->lo, z = (float)zero[c];
        if (!(scale[c] > 0) || rintf(lo / scale[c]) + z > least ||
            (s->relu == 2 && rintf(s->hi / scale[c]) + z < most))
            return 0;
    }
    return s->kind == BSR_STAGE_AFFINE_ADD_CLAMP && s->relu && !s->scale && s->operand < 0;
}

/* Sum of codes -> (clamp) -> QuantizeLinear is one requantisation, as in QLinearConv: the three
 * scales meet in one factor. `quant` is the last stage. */
static void requantise(bsr_step *s, const float *scale, const int32_t *zero, bsr_dtype codes)
{
    int n = s->n_stages;
    if (s->core != BSR_CORE_CONV_I8 || n < 2 || n > 3 ||
        (n == 3 && !clamp_is_range(&s->stages[1], scale, zero, codes, s->core_channels)))
        return;
    /* A sum of 0 would become NaN. */
    for (int c = 0; c < s->core_channels; c++)
        if (!isfinite(s->stages[0].scale[c] / scale[c]))
            return;
    bsr_stage *quant = &s->stages[n - 1];
    for (int c = 0; c < s->core_channels; c++) {
        s->stages[0].scale[c] /= scale[c];
        quant->scale[c] = 1.0f;
    }
    s->stages[1] = *quant;
    s->n_stages = 2;
}

static bsr_status lower_quantize(bsr_builder *b, int node, int *done)
{
    const bsr_node *n = &b->graph->nodes[node];
    int quant = strcmp(n->op_type, "QuantizeLinear") == 0;
    const bsr_value *x = bsr_node_in(b, node, 0);
    bsr_dtype codes = quant ? b->graph->values[n->out[0]].dtype : x->dtype;
    if (!is_code(codes) || (quant && x->dtype != BSR_F32))
        return BSR_OK;
    float *scale;
    int32_t *zero;
    int ok;
    BSR_TRY(quant_vectors(b, node, b->plan->layout[n->in[0]], &scale, &zero, &ok));
    if (!ok)
        return BSR_OK;
    bsr_step *s;
    bsr_stage *stage;
    bsr_status status = open_chain(b, node, n->in[0], -1, &s);
    if (status == BSR_OK)
        status = bsr_build_stage(s, quant ? BSR_STAGE_QUANT : BSR_STAGE_DEQUANT, node, &stage);
    if (status != BSR_OK) {
        bsr_free(scale);
        bsr_free(zero);
        return status;
    }
    stage->scale = scale;
    stage->zero = zero;
    stage->codes = codes;
    for (int c = 0; c < s->core_channels && s->unit != 0; c++)
        scale[c] /= s->unit;
    if (quant)
        requantise(s, scale, zero, codes);
    *done = 1;
    return BSR_OK;
}

bsr_status bsr_lower_pointwise(bsr_builder *b, int node, int *done)
{
    const bsr_node *n = &b->graph->nodes[node];
    const bsr_value *x = bsr_node_in(b, node, 0);
    if (!x || n->n_out < 1)
        return BSR_OK;
    for (int o = 1; o < n->n_out; o++)
        if (n->out[o] >= 0 && b->graph->values[n->out[o]].n_consumers)
            return BSR_OK;
    if (strcmp(n->op_type, "QuantizeLinear") == 0 || strcmp(n->op_type, "DequantizeLinear") == 0)
        return x->constant ? BSR_OK : lower_quantize(b, node, done);
    if (b->graph->values[n->out[0]].dtype != BSR_F32)
        return BSR_OK;
    if (strcmp(n->op_type, "BatchNormalization") == 0)
        return lower_batch_norm(b, node, done);
    float p[4];
    bsr_unary_fn unary = bsr_op_unary(b->graph, n, p);
    if (unary && !x->constant && x->dtype == BSR_F32) {
        *done = 1;
        return lower_unary(b, node, unary, p);
    }
    int two_in_sum = strcmp(n->op_type, "Sum") == 0 && n->n_in == 2;
    bsr_binary_fn binary = bsr_op_binary(two_in_sum ? "Add" : n->op_type);
    if (binary && n->n_in == 2 && x->dtype == BSR_F32 && bsr_node_in(b, node, 1)->dtype == BSR_F32)
        return lower_binary(b, node, binary, done);
    return BSR_OK;
}
