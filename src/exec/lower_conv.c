/* Conv, Gemm and MatMul by constant weights, float or on 8-bit codes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/lower.h"

/* Below this many input channels the pixels of a window are first collected into one vector: the
 * kernel's inner loop over channels would be too short. */
#define GATHER_CHANNELS 8

static int is_depthwise(const bsr_weights *w)
{
    return w->groups > 1 && w->cin == 1 && w->cout == 1;
}

static bsr_status add_layer(bsr_builder *b, bsr_step *s)
{
    bsr_plan *plan = b->plan;
    BSR_TRY(
        bsr_grow(&plan->layers, &b->cap_layers, (size_t)plan->n_layers + 1, sizeof *plan->layers));
    s->layer = plan->n_layers;
    plan->layers[plan->n_layers++] =
        (bsr_layer){.step = (int)(s - plan->steps), .node = s->node, .weights = s->weights};
    return BSR_OK;
}

/* Appends the step: input `value` in `layout`, window (NULL: pixel by pixel), weights (owned by the
 * step from here on). `out` is the value the core makes. */
static bsr_status weight_step(bsr_builder *b, int node, bsr_core core, int value, bsr_layout layout,
                              const bsr_window *win, bsr_weights *w, int out, bsr_step **step)
{
    bsr_plan *plan = b->plan;
    bsr_step *s;
    int pten;
    bsr_status status = bsr_build_relayout(b, value, layout, &pten);
    if (status == BSR_OK)
        status = bsr_build_step(b, core, node, 1, &s);
    if (status != BSR_OK) {
        bsr_weights_free(w);
        return status;
    }
    s->weights = w;
    s->sources[0].pten = pten;
    BSR_TRY(bsr_weights_pack(w, plan->kernels, is_depthwise(w)));
    if (win) {
        int images = (int)b->graph->values[value].dims[0];
        size_t pixel_bytes = (size_t)plan->ptens[pten].channels * plan->ptens[pten].esize;
        bsr_pixmap *map;
        BSR_TRY(bsr_pixmap_window(&map, win, images, pixel_bytes, 0));
        BSR_TRY(bsr_build_map(b, map));
        s->sources[0].map = map;
        s->max_taps = map->taps;
    }
    bsr_layout out_layout = win ? bsr_spatial_layout(&b->graph->values[out]) : BSR_ROW_MAJOR;
    BSR_TRY(bsr_build_pten(b, out, out_layout, plan->n_steps - 1, &s->out));
    bsr_pten *p = &plan->ptens[s->out];
    s->core_channels = p->channels;
    s->macs = (double)p->pixels * p->channels * w->taps * w->cin;
    w->gather = core == BSR_CORE_CONV && w->cin < GATHER_CHANNELS && w->taps > 1;
    plan->of_value[out] = s->out;
    plan->layout[out] = out_layout;
    *step = s;
    return add_layer(b, s);
}

static bsr_status new_weights(bsr_weights **out, int value, int groups, int taps, int64_t cin,
                              int64_t cout)
{
    *out = bsr_calloc_array(1, sizeof **out);
    if (!*out)
        return BSR_ENOMEM;
    **out = (bsr_weights){.value = value,
                          .bias_value = -1,
                          .groups = groups,
                          .taps = taps,
                          .cin = (int)cin,
                          .cout = (int)cout,
                          .dtype = BSR_F32};
    return BSR_OK;
}

/* Weights [M, C/group, k...] of a Conv node, not packed yet. */
static bsr_status conv_weights(bsr_builder *b, int node, int value, const bsr_value *v,
                               bsr_weights **out, bsr_window *win)
{
    const bsr_node *n = &b->graph->nodes[node];
    const bsr_value *x = bsr_node_in(b, node, 0);
    BSR_TRY(bsr_window_resolve(win, n, x->rank - 2, x->dims + 2, v->dims + 2));
    int groups = (int)bsr_node_int(n, "group", 1);
    int taps = (int)bsr_count(v->rank - 2, v->dims + 2);
    BSR_TRY(new_weights(out, value, groups, taps, v->dims[1], v->dims[0] / groups));
    (*out)->stride_m = v->dims[1] * taps;
    (*out)->stride_c = taps;
    (*out)->stride_t = 1;
    return BSR_OK;
}

static bsr_status lower_float_conv(bsr_builder *b, int node, int *done)
{
    const bsr_node *n = &b->graph->nodes[node];
    const bsr_value *x = bsr_node_in(b, node, 0), *wv = bsr_node_in(b, node, 1);
    const bsr_value *bias = bsr_node_in(b, node, 2);
    if (x->constant || !wv->constant || (bias && !bias->constant))
        return BSR_OK;
    bsr_weights *w;
    bsr_window win;
    BSR_TRY(conv_weights(b, node, n->in[1], wv, &w, &win));
    w->data = wv->constant->data;
    if (bias) {
        w->bias = bias->constant->data;
        w->bias_value = n->in[2];
    }
    *done = 1;
    bsr_step *s;
    return weight_step(b, node, is_depthwise(w) ? BSR_CORE_DEPTHWISE : BSR_CORE_CONV, n->in[0],
                       bsr_spatial_layout(x), &win, w, n->out[0], &s);
}

static bsr_status lower_matmul(bsr_builder *b, int node, int *done)
{
    const bsr_node *n = &b->graph->nodes[node];
    const bsr_value *x = bsr_node_in(b, node, 0), *wv = bsr_node_in(b, node, 1);
    int gemm = strcmp(n->op_type, "Gemm") == 0, trans = (int)bsr_node_int(n, "transB", 0);
    const bsr_value *bias = gemm ? bsr_node_in(b, node, 2) : NULL;
    if (!gemm)
        trans = 0;
    if (x->constant || !wv->constant || wv->rank != 2 || x->rank < 2 || x->dtype != BSR_F32)
        return BSR_OK;
    int64_t k = wv->dims[trans ? 1 : 0], m = wv->dims[trans ? 0 : 1];
    if (gemm && (bsr_node_int(n, "transA", 0) || bsr_node_float(n, "alpha", 1.0f) != 1.0f))
        return BSR_OK;
    /* The bias joins as the starting value of the sum, which a row vector with beta 1 allows. */
    if (bias && (!bias->constant || bsr_node_float(n, "beta", 1.0f) != 1.0f ||
                 bsr_count(bias->rank, bias->dims) != m || bias->dims[bias->rank - 1] != m))
        return BSR_OK;
    bsr_weights *w;
    BSR_TRY(new_weights(&w, n->in[1], 1, 1, k, m));
    w->stride_m = trans ? k : 1;
    w->stride_c = trans ? 1 : m;
    w->stride_t = k * m;
    w->data = wv->constant->data;
    if (bias) {
        w->bias = bias->constant->data;
        w->bias_value = n->in[2];
    }
    *done = 1;
    bsr_step *s;
    return weight_step(b, node, BSR_CORE_CONV, n->in[0], BSR_ROW_MAJOR, NULL, w, n->out[0], &s);
}

bsr_status bsr_lower_conv(bsr_builder *b, int node, int *done)
{
    const char *type = b->graph->nodes[node].op_type;
    if (strcmp(type, "Conv") == 0)
        return lower_float_conv(b, node, done);
    if (strcmp(type, "Gemm") == 0 || strcmp(type, "MatMul") == 0)
        return lower_matmul(b, node, done);
    return BSR_OK;
}

/* Conv on 8-bit codes: the DequantizeLinear in front of each operand names the stored codes. */
typedef struct quant_conv {
    int x, w, bias; /* graph values of the codes; bias -1: none */
    float x_scale;
    int x_zero;
    const bsr_tensor *w_scale, *w_zero;
    float y_scale; /* QLinearConv */
    int y_zero;
    bsr_dtype y_type; /* BSR_NONE for a float result */
} quant_conv;

static int is_product(const bsr_node *n)
{
    return strcmp(n->op_type, "Gemm") == 0 || strcmp(n->op_type, "MatMul") == 0;
}

/* Dimension of the weights that counts the output channels. */
static int output_dim(const bsr_node *n)
{
    return is_product(n) && !bsr_node_int(n, "transB", 0) ? 1 : 0;
}

/* An infinite or NaN scale makes the float products of zero codes NaN, which a sum of codes that is
 * scaled afterwards cannot know. */
static int scales_are_finite(const quant_conv *q, int64_t scales)
{
    for (int64_t i = 0; i < scales; i++)
        if (!isfinite(q->x_scale * ((const float *)q->w_scale->data)[i]))
            return 0;
    return 1;
}

/* QDQ form: every operand comes from a DequantizeLinear with constant parameters, the bias (if any)
 * in int32 on the scale of the sum. */
static int match_qdq(const bsr_builder *b, const bsr_node *n, quant_conv *q)
{
    const bsr_node *dx = bsr_producer(b, n->in[0], "DequantizeLinear");
    const bsr_node *dw = bsr_producer(b, n->in[1], "DequantizeLinear");
    int has_bias = n->n_in > 2 && n->in[2] >= 0;
    const bsr_node *db = has_bias ? bsr_producer(b, n->in[2], "DequantizeLinear") : NULL;
    if (!dx || !dw || (has_bias && !db))
        return 0;
    const bsr_value *x = &b->graph->values[dx->in[0]], *w = &b->graph->values[dw->in[0]];
    const bsr_tensor *sx = bsr_const_in(b, dx, 1), *zx = bsr_const_in(b, dx, 2);
    q->w_scale = bsr_const_in(b, dw, 1);
    q->w_zero = bsr_const_in(b, dw, 2);
    if (x->constant || !w->constant || !bsr_is_scalar(sx) || (zx && !bsr_is_scalar(zx)) ||
        !q->w_scale || (x->dtype != BSR_I8 && x->dtype != BSR_U8) ||
        (w->dtype != BSR_I8 && w->dtype != BSR_U8))
        return 0;
    int dim = output_dim(n);
    if (w->rank <= dim)
        return 0;
    int64_t m = w->dims[dim], scales = bsr_count(q->w_scale->rank, q->w_scale->dims);
    int64_t axis = bsr_node_int(dw, "axis", 1);
    if (scales != 1 && (scales != m || (axis < 0 ? axis + w->rank : axis) != dim))
        return 0;
    *q = (quant_conv){.x = dx->in[0],
                      .w = dw->in[0],
                      .bias = -1,
                      .x_scale = *(float *)sx->data,
                      .x_zero = bsr_scalar_code(zx),
                      .w_scale = q->w_scale,
                      .w_zero = q->w_zero};
    if (!scales_are_finite(q, scales))
        return 0;
    if (!db)
        return 1;
    const bsr_tensor *codes = bsr_const_in(b, db, 0), *sb = bsr_const_in(b, db, 1);
    /* Gemm would broadcast a shorter one, or one along the rows. */
    if (!codes || codes->dtype != BSR_I32 || !sb || bsr_const_in(b, db, 2) ||
        bsr_count(codes->rank, codes->dims) != m || codes->dims[codes->rank - 1] != m)
        return 0;
    int64_t n_sb = bsr_count(sb->rank, sb->dims);
    for (int64_t c = 0; c < m; c++) {
        float want = q->x_scale * ((float *)q->w_scale->data)[scales == 1 ? 0 : c];
        float have = ((float *)sb->data)[n_sb == 1 ? 0 : c];
        if (!(fabsf(want - have) <= 1e-5f * fabsf(want)))
            return 0;
    }
    q->bias = db->in[0];
    return 1;
}

static int match_qlinear(const bsr_builder *b, const bsr_node *n, quant_conv *q)
{
    const bsr_value *x = &b->graph->values[n->in[0]], *w = &b->graph->values[n->in[3]];
    const bsr_tensor *sx = bsr_const_in(b, n, 1), *zx = bsr_const_in(b, n, 2);
    const bsr_tensor *sy = bsr_const_in(b, n, 6), *zy = bsr_const_in(b, n, 7);
    *q = (quant_conv){.x = n->in[0],
                      .w = n->in[3],
                      .bias = -1,
                      .w_scale = bsr_const_in(b, n, 4),
                      .w_zero = bsr_const_in(b, n, 5)};
    if (x->constant || !w->constant || !bsr_is_scalar(sx) || !bsr_is_scalar(zx) ||
        !bsr_is_scalar(sy) || !bsr_is_scalar(zy) || !q->w_scale || !q->w_zero)
        return 0;
    q->x_scale = *(float *)sx->data;
    q->x_zero = bsr_scalar_code(zx);
    q->y_scale = *(float *)sy->data;
    q->y_zero = bsr_scalar_code(zy);
    q->y_type = zy->dtype;
    if (n->n_in > 8 && n->in[8] >= 0) {
        if (!bsr_const_in(b, n, 8))
            return 0;
        q->bias = n->in[8];
    }
    return 1;
}

static bsr_status quant_stages(bsr_builder *b, bsr_step *s, int node, const quant_conv *q)
{
    int channels = s->core_channels;
    int64_t scales = bsr_count(q->w_scale->rank, q->w_scale->dims);
    const float *ws = q->w_scale->data;
    bsr_stage *stage;
    BSR_TRY(bsr_build_stage(s, BSR_STAGE_SCALE_I32, node, &stage));
    if (!(stage->scale = bsr_alloc_aligned((size_t)channels, sizeof(float))))
        return BSR_ENOMEM;
    for (int m = 0; m < channels; m++) {
        float scale = q->x_scale * ws[scales == 1 ? 0 : m];
        stage->scale[m] = q->y_type != BSR_NONE ? scale / q->y_scale : scale;
    }
    if (q->y_type == BSR_NONE)
        return BSR_OK;
    BSR_TRY(bsr_build_stage(s, BSR_STAGE_QUANT, node, &stage));
    stage->codes = q->y_type;
    stage->scale = bsr_alloc_aligned((size_t)channels, sizeof(float));
    stage->zero = bsr_alloc_aligned((size_t)channels, sizeof(int32_t));
    if (!stage->scale || !stage->zero)
        return BSR_ENOMEM;
    for (int m = 0; m < channels; m++) {
        stage->scale[m] = 1.0f;
        stage->zero[m] = q->y_zero;
    }
    return BSR_OK;
}

static bsr_status matmul_weights(bsr_builder *b, int node, const quant_conv *q, bsr_weights **w)
{
    const bsr_value *v = &b->graph->values[q->w];
    int trans = (int)bsr_node_int(&b->graph->nodes[node], "transB", 0);
    int64_t k = v->dims[trans ? 1 : 0], m = v->dims[trans ? 0 : 1];
    BSR_TRY(new_weights(w, q->w, 1, 1, k, m));
    (*w)->stride_m = trans ? k : 1;
    (*w)->stride_c = trans ? 1 : m;
    (*w)->stride_t = k * m;
    return BSR_OK;
}

bsr_status bsr_lower_conv_int8(bsr_builder *b, int node, int *done)
{
    const bsr_node *n = &b->graph->nodes[node];
    quant_conv q = {0};
    int qlinear = strcmp(n->op_type, "QLinearConv") == 0, product = is_product(n);
    if (!qlinear && !product && strcmp(n->op_type, "Conv") != 0)
        return BSR_OK;
    if (qlinear ? !match_qlinear(b, n, &q) : !match_qdq(b, n, &q))
        return BSR_OK;
    const bsr_value *x = &b->graph->values[q.x], *wv = &b->graph->values[q.w];
    if (product && (x->rank < 2 || wv->rank != 2 || bsr_node_int(n, "transA", 0) ||
                    bsr_node_float(n, "alpha", 1) != 1 || bsr_node_float(n, "beta", 1) != 1))
        return BSR_OK;
    bsr_weights *w;
    bsr_window win;
    if (product)
        BSR_TRY(matmul_weights(b, node, &q, &w));
    else
        BSR_TRY(conv_weights(b, node, q.w, wv, &w, &win));
    w->data = wv->constant->data;
    w->dtype = wv->dtype;
    w->x_zero = q.x_zero;
    w->bias_value = q.bias;
    w->bias = q.bias < 0 ? NULL : b->graph->values[q.bias].constant->data;
    int channels = w->groups * w->cout;
    w->w_zero = bsr_calloc_array((size_t)channels, sizeof *w->w_zero);
    if (!w->w_zero) {
        bsr_weights_free(w);
        return BSR_ENOMEM;
    }
    int64_t zeros = q.w_zero ? bsr_count(q.w_zero->rank, q.w_zero->dims) : 0;
    for (int m = 0; m < channels && zeros; m++)
        w->w_zero[m] = q.w_zero->dtype == BSR_I8
                           ? ((const int8_t *)q.w_zero->data)[zeros == 1 ? 0 : m]
                           : ((const uint8_t *)q.w_zero->data)[zeros == 1 ? 0 : m];
    /* Depthwise sums run in float on whole numbers, exact below 2^24. */
    int exact = !is_depthwise(w) || w->taps <= 256;
    int held = b->plan->of_value[q.x];
    if (!exact ||
        (b->plan->ptens[held].pad_set && b->plan->ptens[held].pad_code != (q.x_zero & 255))) {
        bsr_weights_free(w);
        return BSR_OK;
    }
    *done = 1;
    bsr_step *s;
    BSR_TRY(weight_step(b, node, BSR_CORE_CONV_I8, q.x,
                        product ? BSR_ROW_MAJOR : bsr_spatial_layout(x), product ? NULL : &win, w,
                        n->out[0], &s));
    bsr_pten *codes = &b->plan->ptens[s->sources[0].pten];
    codes->pad_code = (unsigned char)q.x_zero;
    codes->pad_set = 1;
    return quant_stages(b, s, node, &q);
}
