/* MaxPool, AveragePool and GlobalAveragePool. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/lower.h"

/* DequantizeLinear -> GlobalAveragePool -> QuantizeLinear: the mean is taken over the differences
 * from the zero point, whole numbers with exact sums, and the two scales meet as one quotient in
 * the rounding. With the usual equal scales a mean half way between two codes then is a true tie;
 * in float the rounding of scale * difference would decide it. Builds the whole numbers as a tensor
 * of its own and gives the scale they are in units of; 0 when the pattern is not there. */
static bsr_status code_units(bsr_builder *b, int node, int *pten, float *unit)
{
    bsr_plan *plan = b->plan;
    const bsr_node *n = &b->graph->nodes[node];
    const bsr_node *dq = bsr_producer(b, n->in[0], "DequantizeLinear");
    const bsr_value *out = &b->graph->values[n->out[0]], *x = bsr_node_in(b, node, 0);
    int quantised = out->n_consumers == 1 && !out->is_output && !(b->keep && b->keep[n->out[0]]);
    for (int i = node + 1; quantised && i < b->graph->n_nodes; i++)
        if (b->graph->nodes[i].n_in && b->graph->nodes[i].in[0] == n->out[0])
            quantised = strcmp(b->graph->nodes[i].op_type, "QuantizeLinear") == 0;
    const bsr_tensor *scale = dq ? bsr_const_in(b, dq, 1) : NULL;
    if (!quantised || !bsr_is_scalar(scale) || !isfinite(*(const float *)scale->data) ||
        bsr_count(x->rank, x->dims) / x->dims[1] > 65536 || plan->of_value[dq->in[0]] < 0)
        return BSR_OK;
    const bsr_tensor *zero = bsr_const_in(b, dq, 2);
    int codes = plan->of_value[dq->in[0]], channels = plan->ptens[codes].channels;
    if (plan->layout[dq->in[0]] != bsr_spatial_layout(x) ||
        (dq->n_in > 2 && !bsr_is_scalar(zero)) || plan->ptens[codes].esize != 1)
        return BSR_OK;
    bsr_step *s;
    bsr_stage *stage;
    BSR_TRY(bsr_build_step(b, BSR_CORE_COPY, node, 1, &s));
    s->sources[0] = (bsr_source){.pten = codes, .count = channels};
    s->core_channels = channels;
    BSR_TRY(bsr_build_pten(b, n->in[0], bsr_spatial_layout(x), plan->n_steps - 1, pten));
    s->out = *pten;
    BSR_TRY(bsr_build_stage(s, BSR_STAGE_DEQUANT, node, &stage));
    stage->codes = plan->ptens[codes].dtype;
    stage->scale = bsr_alloc_aligned((size_t)channels, sizeof(float));
    stage->zero = bsr_alloc_aligned((size_t)channels, sizeof(int32_t));
    if (!stage->scale || !stage->zero)
        return BSR_ENOMEM;
    for (int c = 0; c < channels; c++) {
        stage->scale[c] = 1.0f;
        stage->zero[c] = bsr_scalar_code(zero);
    }
    *unit = *(const float *)scale->data;
    return BSR_OK;
}

bsr_status bsr_lower_pool(bsr_builder *b, int node, int *done)
{
    const bsr_node *n = &b->graph->nodes[node];
    bsr_plan *plan = b->plan;
    const bsr_value *x = bsr_node_in(b, node, 0);
    int max = strcmp(n->op_type, "MaxPool") == 0, average = strcmp(n->op_type, "AveragePool") == 0;
    int global = strcmp(n->op_type, "GlobalAveragePool") == 0;
    if ((!max && !average && !global) || x->constant || x->dtype != BSR_F32 ||
        (n->n_out > 1 && n->out[1] >= 0))
        return BSR_OK;
    /* Padding that counts, and windows that hang over the end, change divisors: left to the
     * operator's own evaluation. */
    if (average && (bsr_node_int(n, "count_include_pad", 0) || bsr_node_int(n, "ceil_mode", 0)))
        return BSR_OK;
    int pten;
    float unit = 0;
    if (global)
        BSR_TRY(code_units(b, node, &pten, &unit));
    if (unit == 0)
        BSR_TRY(bsr_build_relayout(b, n->in[0], bsr_spatial_layout(x), &pten));
    bsr_step *s;
    BSR_TRY(bsr_build_step(b, max ? BSR_CORE_MAX_POOL : BSR_CORE_AVG_POOL, node, 1, &s));
    s->unit = unit;
    int images = (int)x->dims[0], channels = plan->ptens[pten].channels;
    size_t pixel_bytes = (size_t)channels * sizeof(float);
    bsr_pixmap *map;
    if (global) {
        BSR_TRY(bsr_pixmap_global(&map, images, plan->ptens[pten].pixels / images, pixel_bytes));
    } else {
        bsr_window win;
        BSR_TRY(bsr_window_resolve(&win, n, x->rank - 2, x->dims + 2, NULL));
        BSR_TRY(bsr_pixmap_window(&map, &win, images, pixel_bytes, 1));
    }
    BSR_TRY(bsr_build_map(b, map));
    s->sources[0] = (bsr_source){.pten = pten, .map = map};
    s->max_taps = map->taps;
    if (!max) {
        s->divisor = bsr_calloc_array((size_t)map->n_out, sizeof *s->divisor);
        if (!s->divisor)
            return BSR_ENOMEM;
        for (int p = 0; p < map->n_out; p++)
            for (int t = 0; t < map->taps; t++)
                s->divisor[p] +=
                    map->forward[(size_t)t * (size_t)map->n_out + (size_t)p] < map->n_in;
    }
    bsr_layout layout = bsr_spatial_layout(&b->graph->values[n->out[0]]);
    BSR_TRY(bsr_build_pten(b, n->out[0], layout, plan->n_steps - 1, &s->out));
    s->core_channels = channels;
    plan->of_value[n->out[0]] = s->out;
    plan->layout[n->out[0]] = layout;
    *done = 1;
    return BSR_OK;
}
