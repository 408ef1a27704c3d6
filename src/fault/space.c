#include "fault/space.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "fault/selector.h"

/* Names for selectors. */
typedef struct name_list {
    const bsr_model *model;
} name_list;

static const char *layer_name(void *ctx, int i)
{
    const bsr_model *m = ((name_list *)ctx)->model;
    return m->graph->nodes[m->plan->layers[i].node].name;
}

static const char *tensor_name(void *ctx, int i)
{
    const bsr_model *m = ((name_list *)ctx)->model;
    return m->graph->values[m->tensors[i]].name;
}

/* Tensors selected among model->tensors: chosen [n_tensors]. */
static bsr_status choose_tensors(unsigned char *chosen, const bsr_model *m,
                                 const bsr_run_options *o)
{
    memset(chosen, 0, (size_t)m->n_tensors);
    if (o->target == BSR_TARGET_INPUT) {
        chosen[0] = 1;
        return BSR_OK;
    }
    if (o->tensors) {
        name_list names = {m};
        return bsr_select(chosen, m->n_tensors, o->tensors, "tensor", tensor_name, &names);
    }
    int any = 0;
    for (int i = 0; i < m->n_tensors; i++)
        any |= chosen[i] = (unsigned char)bsr_model_is_default_tensor(m, m->tensors[i]);
    return any ? BSR_OK : bsr_fail(BSR_ENOTFOUND, "the network has no Conv or Gemm layer");
}

bsr_status bsr_spaces_keep(unsigned char **keep, const bsr_model *m, const bsr_run_options *o)
{
    *keep = bsr_calloc_array((size_t)m->graph->n_values, 1);
    if (!*keep)
        return BSR_ENOMEM;
    if (o->target != BSR_TARGET_ACTIVATION && o->target != BSR_TARGET_INPUT)
        return BSR_OK;
    unsigned char *chosen = bsr_calloc_array((size_t)m->n_tensors, 1);
    bsr_status status = chosen ? choose_tensors(chosen, m, o) : BSR_ENOMEM;
    for (int i = 0; i < m->n_tensors && status == BSR_OK; i++)
        if (chosen[i])
            (*keep)[m->tensors[i]] = 1;
    bsr_free(chosen);
    if (status != BSR_OK) {
        bsr_free(*keep);
        *keep = NULL;
    }
    return status;
}

static bsr_status choose_channels(bsr_space *s, const char *selector)
{
    unsigned char *on = bsr_calloc_array((size_t)s->channels, 1);
    s->chosen = bsr_alloc_array((size_t)s->channels, sizeof *s->chosen);
    bsr_status status = BSR_ENOMEM;
    if (on && s->chosen)
        status = bsr_select(on, s->channels, selector, "channel", NULL, NULL);
    for (int c = 0; c < s->channels && status == BSR_OK; c++)
        if (on[c])
            s->chosen[s->n_chosen++] = c;
    bsr_free(on);
    return status == BSR_OK ? status : bsr_fail_prefix(status, "'%s'", s->name);
}

static bsr_status choose_bits(bsr_space *s, const char *selector)
{
    int width = (int)s->esize * 8;
    unsigned char on[64] = {0};
    bsr_status status = bsr_select(on, width, selector, "bit", NULL, NULL);
    if (status != BSR_OK)
        return bsr_fail_prefix(status, "'%s' (%s)", s->name, bsr_dtype_name(s->dtype));
    for (int b = 0; b < width && b < 32; b++)
        if (on[b])
            s->bits[s->n_bits++] = b;
    return BSR_OK;
}

static bsr_status finish_space(bsr_spaces *all, bsr_space *s, const bsr_run_options *o)
{
    s->esize = bsr_dtype_size(s->dtype);
    if (s->esize > 4)
        return bsr_fail(BSR_EUNSUPPORTED, "'%s' is %s, faults go into at most 32 bits", s->name,
                        bsr_dtype_name(s->dtype));
    BSR_TRY(choose_channels(s, o->channels));
    BSR_TRY(choose_bits(s, o->bits));
    s->per_channel = (uint64_t)(s->outer * s->inner);
    s->sites = s->per_channel * (uint64_t)s->n_chosen;
    s->population = s->sites * (uint64_t)s->n_bits;
    s->first = all->population;
    all->sites += s->sites;
    all->population += s->population;
    return BSR_OK;
}

/* A stored tensor that anything but layers reads would be faulty for some readers only. */
static bsr_status check_readers(const bsr_model *m, int value, const char *layer)
{
    int known = 0;
    for (int i = 0; i < m->plan->n_layers; i++) {
        const bsr_weights *w = m->plan->layers[i].weights;
        known += (w->value == value) + (w->bias_value == value);
    }
    const bsr_value *v = &m->graph->values[value];
    return v->n_consumers <= known
               ? BSR_OK
               : bsr_fail(BSR_EUNSUPPORTED,
                          "layer '%s': other operators read '%s' too, which faults cannot follow",
                          layer, v->name);
}

static bsr_status constant_space(bsr_space *s, const bsr_model *m, int layer, int bias)
{
    const bsr_layer *l = &m->plan->layers[layer];
    const bsr_weights *w = l->weights;
    const bsr_node *node = &m->graph->nodes[l->node];
    int value = bias ? w->bias_value : w->value;
    BSR_TRY(check_readers(m, value, node->name));
    const bsr_tensor *t = m->graph->values[value].constant;
    int64_t n = bsr_count(t->rank, t->dims);
    s->place = bias ? BSR_FAULT_BIAS : BSR_FAULT_WEIGHT;
    s->where = s->index = layer;
    s->name = node->name;
    s->op = node->op_type;
    s->dtype = t->dtype;
    s->data = t->data;
    s->channels = w->groups * w->cout;
    /* Output channels are the first dimension of Conv weights and of transposed matrices, the last
     * of plain ones. */
    s->inner = bias ? 1 : w->stride_m;
    s->outer = n / (s->inner * s->channels);
    return BSR_OK;
}

static void tensor_space(bsr_space *s, const bsr_model *m, const bsr_plan *plan, int value)
{
    const bsr_value *v = &m->graph->values[value];
    s->place = BSR_FAULT_VALUE;
    s->where = value;
    s->name = v->name;
    s->op = v->producer >= 0 ? m->graph->nodes[v->producer].op_type : "";
    s->dtype = v->dtype;
    int channel = plan->layout[value] == BSR_CHANNELS_LAST ? 1 : v->rank - 1;
    s->channels = v->rank ? (int)v->dims[channel] : 1;
    s->outer = s->inner = 1;
    for (int d = 0; d < v->rank; d++) {
        if (d < channel)
            s->outer *= v->dims[d];
        if (d > channel)
            s->inner *= v->dims[d];
    }
}

static bsr_status layer_spaces(bsr_spaces *out, const bsr_model *m, const bsr_run_options *o)
{
    int layers = m->plan->n_layers, bias = o->target == BSR_TARGET_BIAS;
    unsigned char *chosen = bsr_calloc_array((size_t)layers + 1, 1);
    if (!chosen)
        return BSR_ENOMEM;
    name_list names = {m};
    bsr_status status = bsr_select(chosen, layers, o->layers, "layer", layer_name, &names);
    for (int i = 0; i < layers && status == BSR_OK; i++) {
        if (!chosen[i] || (bias && m->plan->layers[i].weights->bias_value < 0))
            continue;
        bsr_space *s = &out->spaces[out->n++];
        status = constant_space(s, m, i, bias);
        if (status == BSR_OK)
            status = finish_space(out, s, o);
    }
    bsr_free(chosen);
    if (status == BSR_OK && !out->n)
        return bsr_fail(BSR_ENOTFOUND, "no selected layer has a bias");
    return status;
}

static bsr_status tensor_spaces(bsr_spaces *out, const bsr_model *m, const bsr_plan *plan,
                                const bsr_run_options *o)
{
    unsigned char *chosen = bsr_calloc_array((size_t)m->n_tensors, 1);
    bsr_status status = chosen ? choose_tensors(chosen, m, o) : BSR_ENOMEM;
    for (int i = 0; i < m->n_tensors && status == BSR_OK; i++) {
        int value = m->tensors[i];
        if (!chosen[i])
            continue;
        if (plan->of_value[value] < 0) {
            /* Part of an operation that is computed as one: it is never stored. */
            status =
                o->tensors && strcmp(o->tensors, "all") != 0
                    ? bsr_fail(BSR_EUNSUPPORTED,
                               "tensor '%s' is not stored: it lies inside an integer operation",
                               m->graph->values[value].name)
                    : BSR_OK;
            continue;
        }
        bsr_space *s = &out->spaces[out->n];
        tensor_space(s, m, plan, value);
        s->index = out->n++;
        status = finish_space(out, s, o);
    }
    bsr_free(chosen);
    return status;
}

bsr_status bsr_spaces_init(bsr_spaces *out, const bsr_model *m, const bsr_plan *plan,
                           const bsr_run_options *o)
{
    *out = (bsr_spaces){0};
    int most = m->plan->n_layers > m->n_tensors ? m->plan->n_layers : m->n_tensors;
    out->spaces = bsr_calloc_array((size_t)most + 1, sizeof *out->spaces);
    if (!out->spaces)
        return BSR_ENOMEM;
    bsr_status status = o->target == BSR_TARGET_WEIGHT || o->target == BSR_TARGET_BIAS
                            ? layer_spaces(out, m, o)
                            : tensor_spaces(out, m, plan, o);
    if (status == BSR_OK && !out->population)
        status = bsr_fail(BSR_EINVAL, "the selection holds no fault");
    if (status != BSR_OK)
        bsr_spaces_clear(out);
    return status;
}

void bsr_spaces_clear(bsr_spaces *spaces)
{
    for (int i = 0; i < spaces->n; i++)
        bsr_free(spaces->spaces[i].chosen);
    bsr_free(spaces->spaces);
    *spaces = (bsr_spaces){0};
}

const bsr_space *bsr_space_of(const bsr_spaces *spaces, uint64_t index, uint64_t *site, int *bit)
{
    int lo = 0, hi = spaces->n - 1;
    while (lo < hi) {
        int mid = (lo + hi + 1) / 2;
        if (spaces->spaces[mid].first <= index)
            lo = mid;
        else
            hi = mid - 1;
    }
    const bsr_space *s = &spaces->spaces[lo];
    uint64_t local = index - s->first;
    *site = local / (uint64_t)s->n_bits;
    *bit = s->bits[local % (uint64_t)s->n_bits];
    return s;
}

int64_t bsr_space_element(const bsr_space *s, uint64_t site)
{
    int64_t c = s->chosen[site / s->per_channel], r = (int64_t)(site % s->per_channel);
    return (r / s->inner * s->channels + c) * s->inner + r % s->inner;
}

uint32_t bsr_space_stored(const bsr_space *s, const bsr_golden *golden, int image, uint64_t site)
{
    int64_t element = bsr_space_element(s, site);
    const char *at = (const char *)s->data + (size_t)element * s->esize;
    if (!s->data) {
        const bsr_plan *plan = golden->plan;
        const bsr_pten *p = &plan->ptens[plan->of_value[s->where]];
        int pixel, channel;
        bsr_plan_locate(plan, s->where, element, &pixel, &channel);
        at = golden->records + (size_t)image * plan->golden_bytes + p->golden_at +
             (size_t)pixel * p->pixel_bytes + (size_t)channel * p->esize;
    }
    uint32_t bits = 0;
    memcpy(&bits, at, s->esize);
    return bits;
}

double bsr_stored_value(bsr_dtype dtype, uint32_t bits)
{
    float f;
    switch (dtype) {
    case BSR_F32:
        memcpy(&f, &bits, sizeof f);
        return f;
    case BSR_I8:
        return (int8_t)(bits & 255);
    case BSR_I32:
        return (int32_t)bits;
    default:
        return bits;
    }
}
