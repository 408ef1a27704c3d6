#include "exec/plan.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/lower.h"

bsr_layout bsr_spatial_layout(const bsr_value *v)
{
    return v->rank >= 3 ? BSR_CHANNELS_LAST : BSR_ROW_MAJOR;
}

void bsr_pixel_shape(const bsr_value *v, bsr_layout layout, int64_t *pixels, int64_t *channels)
{
    int64_t n = bsr_count(v->rank, v->dims);
    *channels = v->rank == 0 ? 1 : v->dims[layout == BSR_CHANNELS_LAST ? 1 : v->rank - 1];
    *pixels = *channels ? n / *channels : 0;
}

bsr_status bsr_build_pten(bsr_builder *b, int value, bsr_layout layout, int producer, int *pten)
{
    const bsr_value *v = &b->graph->values[value];
    int64_t pixels, channels;
    bsr_pixel_shape(v, layout, &pixels, &channels);
    size_t esize = bsr_dtype_size(v->dtype);
    if (pixels <= 0 || channels <= 0 || pixels >= INT32_MAX || channels >= INT32_MAX)
        return bsr_fail(BSR_EUNSUPPORTED, "tensor '%s' is empty or too large to compute", v->name);
    bsr_plan *plan = b->plan;
    BSR_TRY(bsr_grow(&plan->ptens, &b->cap_ptens, (size_t)plan->n_ptens + 1, sizeof *plan->ptens));
    bsr_pten *p = &plan->ptens[plan->n_ptens];
    *p = (bsr_pten){.value = value,
                    .dtype = v->dtype,
                    .esize = esize,
                    .pixels = (int)pixels,
                    .channels = (int)channels,
                    .producer = producer};
    *pten = plan->n_ptens++;
    return BSR_OK;
}

bsr_status bsr_build_step(bsr_builder *b, bsr_core core, int node, int n_sources, bsr_step **out)
{
    bsr_plan *plan = b->plan;
    BSR_TRY(bsr_grow(&plan->steps, &b->cap_steps, (size_t)plan->n_steps + 1, sizeof *plan->steps));
    bsr_step *s = &plan->steps[plan->n_steps];
    *s = (bsr_step){.core = core, .node = node, .layer = -1, .out = -1, .max_taps = 1};
    s->sources = bsr_calloc_array((size_t)n_sources, sizeof *s->sources);
    if (!s->sources)
        return BSR_ENOMEM;
    s->n_sources = n_sources;
    plan->n_steps++;
    *out = s;
    return BSR_OK;
}

static void clear_step(bsr_step *s)
{
    for (int k = 0; k < s->n_stages; k++) {
        bsr_free(s->stages[k].scale);
        bsr_free(s->stages[k].shift);
        bsr_free(s->stages[k].zero);
    }
    bsr_free(s->stages);
    bsr_free(s->sources);
    bsr_free(s->divisor);
    bsr_weights_free(s->weights);
}

bsr_status bsr_build_stage(bsr_step *step, bsr_stage_kind kind, int node, bsr_stage **out)
{
    bsr_stage *stages = bsr_realloc_array(step->stages, (size_t)step->n_stages + 1, sizeof *stages);
    if (!stages)
        return BSR_ENOMEM;
    step->stages = stages;
    *out = &stages[step->n_stages++];
    **out = (bsr_stage){.kind = kind, .node = node, .operand = -1};
    return BSR_OK;
}

bsr_status bsr_build_map(bsr_builder *b, bsr_pixmap *map)
{
    bsr_plan *plan = b->plan;
    bsr_status status =
        bsr_grow(&plan->maps, &b->cap_maps, (size_t)plan->n_maps + 1, sizeof *plan->maps);
    if (status != BSR_OK) {
        bsr_pixmap_free(map);
        return status;
    }
    plan->maps[plan->n_maps++] = map;
    return BSR_OK;
}

bsr_status bsr_build_relayout(bsr_builder *b, int value, bsr_layout layout, int *pten)
{
    bsr_plan *plan = b->plan;
    *pten = plan->of_value[value];
    if (plan->layout[value] == layout || plan->ptens[*pten].pixels == 1)
        return BSR_OK;
    int from = *pten;
    bsr_step *s;
    BSR_TRY(bsr_build_step(b, BSR_CORE_RELAYOUT, b->graph->values[value].producer, 1, &s));
    s->sources[0].pten = from;
    BSR_TRY(bsr_build_pten(b, value, layout, plan->n_steps - 1, &s->out));
    s->core_channels = plan->ptens[s->out].channels;
    *pten = s->out;
    return BSR_OK;
}

bsr_status bsr_lower_dense(bsr_builder *b, int node)
{
    bsr_plan *plan = b->plan;
    const bsr_node *n = &b->graph->nodes[node];
    if (n->n_in + n->n_out > BSR_DENSE_OPERANDS)
        return bsr_node_fail(n, BSR_EUNSUPPORTED, "has %d operands, at most %d", n->n_in + n->n_out,
                             BSR_DENSE_OPERANDS);
    int sources = 0;
    for (int i = 0; i < n->n_in; i++)
        sources += n->in[i] >= 0 && !b->graph->values[n->in[i]].constant;
    for (int o = 0; o < n->n_out; o++) {
        if (n->out[o] < 0)
            continue;
        bsr_step *s;
        BSR_TRY(bsr_build_step(b, BSR_CORE_DENSE, node, sources, &s));
        const bsr_value *out = &b->graph->values[n->out[o]];
        bsr_layout layout = BSR_ROW_MAJOR;
        for (int i = 0, k = 0; i < n->n_in; i++) {
            if (n->in[i] < 0 || b->graph->values[n->in[i]].constant)
                continue;
            s->sources[k++].pten = plan->of_value[n->in[i]];
            /* Staying channels-last spares a conversion before the next spatial operator. */
            if (out->rank >= 3 && b->graph->values[n->in[i]].rank == out->rank)
                layout = plan->layout[n->in[i]];
        }
        s->dense_out = o;
        BSR_TRY(bsr_build_pten(b, n->out[o], layout, plan->n_steps - 1, &s->out));
        s->core_channels = plan->ptens[s->out].channels;
        plan->of_value[n->out[o]] = s->out;
        plan->layout[n->out[o]] = layout;
    }
    return BSR_OK;
}

static bsr_status lower_node(bsr_builder *b, int node)
{
    /* Order matters: the int8 family recognises DequantizeLinear -> Conv before Conv is taken as a
     * float convolution. */
    static const bsr_lower_fn families[] = {bsr_lower_alias, bsr_lower_conv_int8, bsr_lower_conv,
                                            bsr_lower_pool,  bsr_lower_pointwise, bsr_lower_copy};
    const bsr_node *n = &b->graph->nodes[node];
    if (n->n_out == 1 && b->graph->values[n->out[0]].constant)
        return BSR_OK;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        int done = 0;
        BSR_TRY(families[i](b, node, &done));
        if (done)
            return BSR_OK;
    }
    return bsr_lower_dense(b, node);
}

/* A network of NHWC images usually starts with the Transpose that makes NCHW; read row-major, its
 * input already is the channels-last tensor and the Transpose vanishes. */
static bsr_layout input_layout(const bsr_graph *g, int value)
{
    const bsr_value *v = &g->values[value];
    for (int i = 0; i < g->n_nodes; i++) {
        const bsr_node *n = &g->nodes[i];
        if (n->n_in < 1 || n->in[0] != value || strcmp(n->op_type, "Transpose") != 0)
            continue;
        const bsr_attr *perm = bsr_node_attr(n, "perm");
        if (perm && perm->n == (size_t)v->rank && v->rank >= 3 && perm->ints[0] == 0 &&
            perm->ints[1] == v->rank - 1)
            return BSR_ROW_MAJOR;
    }
    return bsr_spatial_layout(v);
}

static bsr_status lower_input(bsr_builder *b)
{
    const bsr_graph *g = b->graph;
    bsr_plan *plan = b->plan;
    if (g->n_inputs != 1)
        return bsr_fail(BSR_EUNSUPPORTED, "network has %d inputs, expected 1 (the image)",
                        g->n_inputs);
    int value = g->inputs[0];
    if (g->values[value].dtype != BSR_F32)
        return bsr_fail(BSR_EUNSUPPORTED, "input '%s' is %s, expected float32",
                        g->values[value].name, bsr_dtype_name(g->values[value].dtype));
    bsr_layout layout = input_layout(g, value);
    BSR_TRY(bsr_build_pten(b, value, layout, -1, &plan->input));
    plan->of_value[value] = plan->input;
    plan->layout[value] = layout;
    return BSR_OK;
}

static int step_reads(const bsr_step *s, int pten)
{
    for (int i = 0; i < s->n_sources; i++)
        if (s->sources[i].pten == pten)
            return 1;
    for (int i = 0; i < s->n_stages; i++)
        if (s->stages[i].operand == pten)
            return 1;
    return 0;
}

/* Places of the tensors in a work record: first fit over the intervals of steps in which each is
 * alive. The number of tensors is small, so quadratic is fine. */
static void place_work(bsr_plan *plan)
{
    for (int i = 0; i < plan->n_ptens; i++) {
        bsr_pten *p = &plan->ptens[i];
        size_t at = 0;
        for (int j = 0; j < i;) {
            const bsr_pten *q = &plan->ptens[j];
            int together = q->producer <= p->last_use && p->producer <= q->last_use;
            if (together && at < q->work_at + q->image_bytes && q->work_at < at + p->image_bytes) {
                at = q->work_at + q->image_bytes;
                j = 0;
            } else {
                j++;
            }
        }
        p->work_at = at;
        if (at + p->image_bytes > plan->work_bytes)
            plan->work_bytes = at + p->image_bytes;
    }
}

static bsr_status finish_pten(bsr_plan *plan, int i)
{
    bsr_pten *p = &plan->ptens[i];
    p->pixel_bytes = (size_t)p->channels * p->esize;
    p->image_bytes = (((size_t)p->pixels + 1) * p->pixel_bytes + 63) / 64 * 64;
    p->identity = bsr_alloc_array((size_t)p->pixels + 1, sizeof *p->identity);
    if (!p->identity)
        return BSR_ENOMEM;
    for (int q = 0; q <= p->pixels; q++)
        p->identity[q] = (int64_t)((size_t)q * p->pixel_bytes);
    p->last_use = p->producer;
    for (int s = 0; s < plan->n_steps; s++)
        if (step_reads(&plan->steps[s], i))
            p->last_use = s;
    if (i == plan->output)
        p->last_use = plan->n_steps;
    if (p->pixels > plan->max_pixels)
        plan->max_pixels = p->pixels;
    if (p->channels > plan->max_channels)
        plan->max_channels = p->channels;
    return BSR_OK;
}

/* Steps that nobody reads go away: a DequantizeLinear whose convolution reads the codes itself. */
static bsr_status drop_unread_steps(bsr_builder *b)
{
    bsr_plan *plan = b->plan;
    int *pten_to = bsr_calloc_array((size_t)plan->n_ptens, sizeof *pten_to);
    int *step_to = bsr_calloc_array((size_t)plan->n_steps, sizeof *step_to);
    if (!pten_to || !step_to) {
        bsr_free(pten_to);
        bsr_free(step_to);
        return BSR_ENOMEM;
    }
    pten_to[plan->input] = pten_to[plan->output] = 1;
    for (int v = 0; v < b->graph->n_values; v++)
        if (b->keep && b->keep[v] && plan->of_value[v] >= 0)
            pten_to[plan->of_value[v]] = 1;
    for (int i = plan->n_steps - 1; i >= 0; i--) {
        const bsr_step *s = &plan->steps[i];
        step_to[i] = pten_to[s->out];
        for (int k = 0; step_to[i] && k < s->n_sources; k++)
            pten_to[s->sources[k].pten] = 1;
        for (int k = 0; step_to[i] && k < s->n_stages; k++)
            if (s->stages[k].operand >= 0)
                pten_to[s->stages[k].operand] = 1;
    }
    int steps = 0, ptens = 0;
    for (int i = 0; i < plan->n_ptens; i++) {
        int stays = pten_to[i];
        pten_to[i] = stays ? ptens : -1;
        if (stays)
            plan->ptens[ptens++] = plan->ptens[i];
    }
    for (int i = 0; i < plan->n_steps; i++) {
        bsr_step s = plan->steps[i];
        if (!step_to[i]) {
            clear_step(&s);
            step_to[i] = -1;
            continue;
        }
        s.out = pten_to[s.out];
        for (int k = 0; k < s.n_sources; k++)
            s.sources[k].pten = pten_to[s.sources[k].pten];
        for (int k = 0; k < s.n_stages; k++)
            if (s.stages[k].operand >= 0)
                s.stages[k].operand = pten_to[s.stages[k].operand];
        step_to[i] = steps;
        plan->steps[steps++] = s;
    }
    plan->n_steps = steps;
    plan->n_ptens = ptens;
    int layers = 0;
    for (int i = 0; i < plan->n_layers; i++)
        if (step_to[plan->layers[i].step] >= 0) {
            plan->layers[layers] = plan->layers[i];
            plan->layers[layers].step = step_to[plan->layers[i].step];
            plan->steps[plan->layers[layers].step].layer = layers;
            layers++;
        }
    plan->n_layers = layers;
    for (int i = 0; i < ptens; i++)
        if (plan->ptens[i].producer >= 0)
            plan->ptens[i].producer = step_to[plan->ptens[i].producer];
    for (int v = 0; v < b->graph->n_values; v++)
        if (plan->of_value[v] >= 0)
            plan->of_value[v] = pten_to[plan->of_value[v]];
    plan->input = pten_to[plan->input];
    plan->output = pten_to[plan->output];
    bsr_free(pten_to);
    bsr_free(step_to);
    return BSR_OK;
}

static void find_shared(bsr_plan *plan)
{
    for (int i = 0; i < plan->n_layers; i++)
        for (int j = 0; j < plan->n_layers; j++) {
            const bsr_weights *a = plan->layers[i].weights, *b = plan->layers[j].weights;
            if (i != j &&
                (a->value == b->value || (a->bias_value >= 0 && a->bias_value == b->bias_value)))
                plan->layers[i].shared = plan->shared_weights = 1;
        }
}

/* A tensor is not kept when it is large and one of its values costs few multiplications: the wide
 * tensors that 1x1 convolutions of few channels make. What it is made from must be kept, so that
 * recomputing it is one step. */
#define RECOMPUTE_DEPTH 32
#define RECOMPUTE_BYTES ((size_t)1 << 20)

static void choose_kept(bsr_builder *b)
{
    bsr_plan *plan = b->plan;
    for (int i = 0; i < plan->n_ptens; i++) {
        bsr_pten *p = &plan->ptens[i];
        p->kept = 1;
        if (p->producer < 0 || i == plan->output || (b->keep && b->keep[p->value]))
            continue;
        const bsr_step *s = &plan->steps[p->producer];
        if ((s->core != BSR_CORE_CONV && s->core != BSR_CORE_DEPTHWISE) ||
            s->weights->taps * s->weights->cin > RECOMPUTE_DEPTH ||
            p->image_bytes < RECOMPUTE_BYTES)
            continue;
        int from_kept = plan->ptens[s->sources[0].pten].kept;
        for (int k = 0; k < s->n_stages; k++)
            from_kept &= s->stages[k].operand < 0 || plan->ptens[s->stages[k].operand].kept;
        p->kept = !from_kept;
    }
    for (int i = 0; i < plan->n_ptens; i++) {
        bsr_pten *p = &plan->ptens[i];
        p->golden_at = plan->golden_bytes;
        plan->golden_bytes += p->kept ? p->image_bytes : 0;
        for (int k = 0; k < plan->n_steps && !p->kept; k++)
            plan->steps[k].touches_recomputed |=
                plan->steps[k].out == i || step_reads(&plan->steps[k], i);
    }
}

static bsr_status finish_plan(bsr_builder *b)
{
    bsr_plan *plan = b->plan;
    int value = b->graph->outputs[0];
    plan->output = plan->of_value[value];
    if (plan->output < 0)
        return bsr_fail(BSR_EUNSUPPORTED, "output '%s' does not depend on the input",
                        b->graph->values[value].name);
    if (b->graph->values[value].dtype != BSR_F32)
        return bsr_fail(BSR_EUNSUPPORTED, "output '%s' is %s, expected float32 logits",
                        b->graph->values[value].name,
                        bsr_dtype_name(b->graph->values[value].dtype));
    BSR_TRY(drop_unread_steps(b));
    for (int i = 0; i < plan->n_ptens; i++)
        BSR_TRY(finish_pten(plan, i));
    choose_kept(b);
    place_work(plan);
    find_shared(plan);
    plan->max_taps = 1;
    plan->max_dense = plan->ptens[plan->output].image_bytes;
    for (int i = 0; i < plan->n_steps; i++) {
        const bsr_step *s = &plan->steps[i];
        plan->macs += s->macs;
        if (s->max_taps > plan->max_taps)
            plan->max_taps = s->max_taps;
        if (s->core_channels > plan->max_channels)
            plan->max_channels = s->core_channels;
        size_t dense = 0;
        for (int k = 0; k < s->n_sources; k++)
            dense += plan->ptens[s->sources[k].pten].image_bytes;
        if ((s->core == BSR_CORE_DENSE || s->core == BSR_CORE_RELAYOUT) && dense > plan->max_dense)
            plan->max_dense = dense;
        if (!s->weights)
            continue;
        /* Depthwise codes are gathered with all channels, everything else group by group. */
        size_t row = (size_t)s->weights->taps * (size_t)s->weights->cin *
                     (size_t)(s->weights->n_panels ? 1 : s->weights->groups);
        if (row > plan->max_gather)
            plan->max_gather = row;
        if (s->weights->packed_bytes > plan->max_weight_bytes)
            plan->max_weight_bytes = s->weights->packed_bytes;
    }
    return BSR_OK;
}

bsr_status bsr_plan_new(bsr_plan **out, const bsr_graph *graph, const bsr_kernels *kernels,
                        const unsigned char *keep)
{
    *out = NULL;
    bsr_plan *plan = bsr_calloc_array(1, sizeof *plan);
    if (!plan)
        return BSR_ENOMEM;
    plan->graph = graph;
    plan->kernels = kernels;
    bsr_builder b = {.plan = plan, .graph = graph, .keep = keep};
    bsr_status status = BSR_ENOMEM;
    plan->of_value = bsr_alloc_array((size_t)graph->n_values, sizeof *plan->of_value);
    plan->layout = bsr_calloc_array((size_t)graph->n_values, sizeof *plan->layout);
    if (plan->of_value && plan->layout) {
        for (int i = 0; i < graph->n_values; i++)
            plan->of_value[i] = -1;
        status = lower_input(&b);
        for (int i = 0; i < graph->n_nodes && status == BSR_OK; i++)
            status = lower_node(&b, i);
        if (status == BSR_OK)
            status = finish_plan(&b);
    }
    if (status != BSR_OK) {
        bsr_plan_free(plan);
        return status;
    }
    *out = plan;
    return BSR_OK;
}

void bsr_plan_free(bsr_plan *plan)
{
    if (!plan)
        return;
    for (int i = 0; i < plan->n_steps; i++)
        clear_step(&plan->steps[i]);
    for (int i = 0; i < plan->n_ptens; i++)
        bsr_free(plan->ptens[i].identity);
    for (int i = 0; i < plan->n_maps; i++)
        bsr_pixmap_free(plan->maps[i]);
    bsr_free(plan->maps);
    bsr_free(plan->ptens);
    bsr_free(plan->steps);
    bsr_free(plan->layers);
    bsr_free(plan->of_value);
    bsr_free(plan->layout);
    bsr_free(plan);
}

bsr_view bsr_layout_view(const bsr_value *v, bsr_layout layout, void *data)
{
    bsr_view view = {.dtype = v->dtype, .rank = v->rank, .data = data};
    memcpy(view.dims, v->dims, sizeof view.dims);
    bsr_row_major(v->rank, v->dims, view.strides);
    if (layout == BSR_CHANNELS_LAST) {
        int64_t step = 1;
        view.strides[1] = step;
        step = v->dims[1];
        for (int d = v->rank - 1; d >= 0; d--)
            if (d != 1) {
                view.strides[d] = step;
                step *= v->dims[d];
            }
    }
    return view;
}

bsr_view bsr_plan_view(const bsr_plan *plan, int value, void *data)
{
    return bsr_layout_view(&plan->graph->values[value], plan->layout[value], data);
}

void bsr_plan_locate(const bsr_plan *plan, int value, int64_t element, int *pixel, int *channel)
{
    bsr_view v = bsr_plan_view(plan, value, NULL);
    int64_t at = 0;
    for (int d = v.rank - 1; d >= 0; d--) {
        at += element % v.dims[d] * v.strides[d];
        element /= v.dims[d];
    }
    int channels = plan->ptens[plan->of_value[value]].channels;
    *pixel = (int)(at / channels);
    *channel = (int)(at % channels);
}
