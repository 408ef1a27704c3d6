#include "fault/storage.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "exec/golden.h"

typedef struct builder {
    bsr_storage *storage;
    const bsr_model *model;
    const bsr_format *formats[BSR_TARGETS]; /* NULL: as in the file */
} builder;

static bsr_status take_choices(builder *b, const bsr_storage_choice *choices, int n)
{
    for (int i = 0; i < n; i++) {
        int t = choices[i].target;
        int constant = t == BSR_TARGET_WEIGHT || t == BSR_TARGET_BIAS;
        const bsr_format *f = &choices[i].format;
        char text[64];
        if (!constant && t != BSR_TARGET_ACTIVATION && t != BSR_TARGET_INPUT)
            return bsr_fail(BSR_EINVAL, "target %d has no format", t);
        if (b->formats[t])
            return bsr_fail(BSR_EINVAL, "two formats for %s", bsr_target_name((bsr_target)t));
        if (!constant && f->per_channel)
            return bsr_fail(BSR_EINVAL,
                            "format '%s' for %s: scales by channel are for weights and biases",
                            bsr_format_text(text, f), bsr_target_name((bsr_target)t));
        b->formats[t] = f;
    }
    for (int t = 0; t < BSR_TARGETS; t++)
        if (b->formats[t] && b->formats[t]->kind == BSR_FORMAT_STORED)
            b->formats[t] = NULL;
    return BSR_OK;
}

/* Range of the elements of channel `c`. */
static void channel_range(const float *x, int64_t n, const bsr_stored *s, int c, double *lo,
                          double *hi)
{
    int64_t block = s->inner * s->channels;
    *lo = *hi = 0;
    for (int64_t at = c * s->inner; at < n; at += block) {
        double low, high;
        bsr_value_range(x + at, (size_t)s->inner, &low, &high);
        *lo = low < *lo ? low : *lo;
        *hi = high > *hi ? high : *hi;
    }
}

/* Rounds a constant in place and keeps its codes. */
static bsr_status store_elements(builder *b, bsr_stored *s, bsr_tensor *t)
{
    int64_t n = bsr_count(t->rank, t->dims);
    float *x = t->data;
    bsr_quantiser *q = bsr_arena_calloc(b->storage->arena, (size_t)s->channels, sizeof *q);
    uint32_t *codes = bsr_arena_calloc(b->storage->arena, (size_t)n, sizeof *codes);
    if (!q || !codes)
        return BSR_ENOMEM;
    for (int c = 0; c < s->channels; c++) {
        double lo, hi;
        channel_range(x, n, s, c, &lo, &hi);
        bsr_quantiser_init(&q[c], &s->format, lo, hi);
    }
    for (int64_t i = 0; i < n; i++) {
        const bsr_quantiser *of = &q[i / s->inner % s->channels];
        codes[i] = bsr_encode(of, x[i]);
        x[i] = bsr_decode(of, codes[i]);
    }
    s->quantisers = q;
    s->codes = codes;
    return BSR_OK;
}

static bsr_status store_constant(builder *b, int layer, bsr_target target)
{
    const bsr_layer *l = &b->model->plan->layers[layer];
    const bsr_weights *w = l->weights;
    const bsr_format *f = b->formats[target];
    int value = target == BSR_TARGET_BIAS ? w->bias_value : w->value;
    if (!f || value < 0)
        return BSR_OK;
    const bsr_node *node = &b->model->graph->nodes[l->node];
    const bsr_value *v = &b->storage->graph->values[value];
    char text[64];
    if (v->constant->dtype != BSR_F32)
        return bsr_node_fail(node, BSR_EUNSUPPORTED,
                             "'%s' is stored as %s codes, format '%s' is for float32", v->name,
                             bsr_dtype_name(v->constant->dtype), bsr_format_text(text, f));
    /* Output channels are the first dimension of Conv weights and of transposed matrices, the last
     * of plain ones. */
    int64_t elements = bsr_count(v->constant->rank, v->constant->dims);
    bsr_stored wanted = {.format = *f, .channels = 1, .inner = elements};
    if (f->per_channel) {
        wanted.channels = w->groups * w->cout;
        wanted.inner = target == BSR_TARGET_BIAS ? 1 : w->stride_m;
    }
    bsr_stored *s = &b->storage->of_value[value];
    if (!s->quantisers) {
        *s = wanted;
        return store_elements(b, s, v->constant);
    }
    if (!bsr_format_equal(&s->format, f) || s->channels != wanted.channels ||
        s->inner != wanted.inner)
        return bsr_node_fail(node, BSR_EUNSUPPORTED,
                             "'%s' is shared by layers that would store it differently", v->name);
    return BSR_OK;
}

/* A new value for the stored form of value `x`. */
static bsr_status add_value(bsr_graph *g, int x, const bsr_format *f, int *y)
{
    char text[64];
    const char *name = g->values[x].name;
    size_t room = strlen(name) + sizeof text + 16;
    char *longer = bsr_alloc_array(room, 1);
    if (!longer)
        return BSR_ENOMEM;
    snprintf(longer, room, "%s@%s", name, bsr_format_text(text, f));
    /* The file may use the name. */
    for (int i = 2; bsr_graph_find_value(g, longer) >= 0; i++)
        snprintf(longer, room, "%s@%s@%d", name, text, i);
    bsr_status status = bsr_graph_value(g, longer, y);
    bsr_free(longer);
    return status;
}

static bsr_status store_tensor(builder *b, int x, const bsr_format *f, const double *range)
{
    bsr_storage *storage = b->storage;
    bsr_graph *g = storage->graph;
    char text[64];
    int y;
    if (g->values[x].dtype != BSR_F32)
        return bsr_fail(
            BSR_EUNSUPPORTED, "tensor '%s' is stored as %s codes, format '%s' is for float32",
            g->values[x].name, bsr_dtype_name(g->values[x].dtype), bsr_format_text(text, f));
    if (!range && bsr_format_needs_range(f))
        return bsr_fail(BSR_EINVAL, "tensor '%s': format '%s' needs a range", g->values[x].name,
                        bsr_format_text(text, f));
    bsr_quantiser *q = bsr_arena_calloc(storage->arena, 1, sizeof *q);
    if (!q)
        return BSR_ENOMEM;
    bsr_quantiser_init(q, f, range ? range[0] : 0, range ? range[1] : 0);
    BSR_TRY(add_value(g, x, f, &y));
    for (int i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i].n_in; k++)
            if (g->nodes[i].in[k] == x)
                g->nodes[i].in[k] = y;
    BSR_TRY(bsr_op_add_store(g, g->values[y].name, x, y, q));
    storage->of_value[y] = (bsr_stored){
        .quantisers = q,
        .channels = 1,
        .inner = bsr_count(g->values[x].rank, g->values[x].dims),
        .format = *f,
    };
    storage->stored_as[x] = y;
    return BSR_OK;
}

static bsr_status store_tensors(builder *b, const unsigned char *tensors, const double (*ranges)[2])
{
    const bsr_model *m = b->model;
    for (int i = 0; i < m->n_tensors; i++) {
        int v = m->tensors[i];
        const bsr_format *f = b->formats[BSR_TARGET_ACTIVATION];
        if (f && !(tensors ? tensors[v] : bsr_model_is_default_tensor(m, v)))
            f = NULL;
        if (m->graph->values[v].is_input && b->formats[BSR_TARGET_INPUT])
            f = b->formats[BSR_TARGET_INPUT];
        if (f && !m->graph->values[v].is_output)
            BSR_TRY(store_tensor(b, v, f, ranges ? ranges[v] : NULL));
    }
    return bsr_graph_finish(b->storage->graph);
}

static bsr_status build(builder *b, const bsr_storage_choice *choices, int n,
                        const unsigned char *tensors, const double (*ranges)[2])
{
    bsr_storage *s = b->storage;
    const bsr_model *m = b->model;
    size_t values = (size_t)m->graph->n_values, tensors_most = (size_t)m->n_tensors;
    BSR_TRY(take_choices(b, choices, n));
    if (!(s->arena = bsr_arena_new()))
        return BSR_ENOMEM;
    BSR_TRY(bsr_graph_clone(&s->graph, m->graph));
    s->of_value = bsr_arena_calloc(s->arena, values + tensors_most, sizeof *s->of_value);
    s->stored_as = bsr_arena_calloc(s->arena, values, sizeof *s->stored_as);
    if (!s->of_value || !s->stored_as)
        return BSR_ENOMEM;
    for (size_t v = 0; v < values; v++)
        s->stored_as[v] = (int)v;
    for (int i = 0; i < m->plan->n_layers; i++) {
        BSR_TRY(store_constant(b, i, BSR_TARGET_WEIGHT));
        BSR_TRY(store_constant(b, i, BSR_TARGET_BIAS));
    }
    return store_tensors(b, tensors, ranges);
}

bsr_status bsr_storage_new(bsr_storage **out, const bsr_model *model,
                           const bsr_storage_choice *choices, int n, const unsigned char *tensors,
                           const double (*ranges)[2])
{
    *out = NULL;
    bsr_storage *s = bsr_calloc_array(1, sizeof *s);
    if (!s)
        return BSR_ENOMEM;
    builder b = {.storage = s, .model = model};
    bsr_status status = build(&b, choices, n, tensors, ranges);
    if (status != BSR_OK) {
        bsr_storage_free(s);
        return status;
    }
    *out = s;
    return BSR_OK;
}

void bsr_storage_free(bsr_storage *storage)
{
    if (!storage)
        return;
    bsr_graph_free(storage->graph);
    bsr_arena_free(storage->arena);
    bsr_free(storage);
}

/* Calibration */

/* Room for the tensors of the images that are run at once. */
#define CALIBRATION_BYTES ((size_t)256 << 20)

static void widen(double range[2], const bsr_plan *plan, int value, const char *records, size_t n)
{
    if (plan->of_value[value] < 0)
        return;
    const bsr_pten *p = &plan->ptens[plan->of_value[value]];
    for (size_t i = 0; i < n; i++) {
        const void *x = records + i * plan->golden_bytes + p->golden_at;
        double lo, hi;
        bsr_value_range(x, (size_t)p->pixels * (size_t)p->channels, &lo, &hi);
        range[0] = lo < range[0] ? lo : range[0];
        range[1] = hi > range[1] ? hi : range[1];
    }
}

static bsr_status find_ranges(double (*ranges)[2], const bsr_model *m, const bsr_plan *plan,
                              const bsr_dataset *data, size_t images, bsr_pool *pool)
{
    size_t at_once = CALIBRATION_BYTES / plan->golden_bytes;
    at_once = at_once < 1 ? 1 : at_once < images ? at_once : images;
    char *records = bsr_alloc_aligned(at_once, plan->golden_bytes);
    float *logits = bsr_alloc_array(at_once * (size_t)bsr_plan_classes(plan), sizeof *logits);
    bsr_status status = records && logits ? BSR_OK : BSR_ENOMEM;
    for (size_t first = 0; first < images && status == BSR_OK; first += at_once) {
        size_t n = images - first < at_once ? images - first : at_once;
        status = bsr_infer_images(plan, pool, data, m->nhwc, first, n, records, logits);
        for (int i = 0; i < m->n_tensors && status == BSR_OK; i++)
            if (m->graph->values[m->tensors[i]].dtype == BSR_F32)
                widen(ranges[m->tensors[i]], plan, m->tensors[i], records, n);
    }
    bsr_free(records);
    bsr_free(logits);
    return status;
}

bsr_status bsr_calibrate(double (*ranges)[2], const bsr_model *model, const bsr_dataset *data,
                         size_t images, bsr_pool *pool, const bsr_kernels *kernels)
{
    size_t values = (size_t)model->graph->n_values, most = bsr_dataset_count(data);
    bsr_plan *plan = NULL;
    memset(ranges, 0, values * sizeof *ranges);
    unsigned char *keep = bsr_calloc_array(values, 1);
    if (!keep)
        return BSR_ENOMEM;
    for (int i = 0; i < model->n_tensors; i++)
        keep[model->tensors[i]] = model->graph->values[model->tensors[i]].dtype == BSR_F32;
    images = images < 1 ? 1 : images < most ? images : most;
    bsr_status status = bsr_plan_new(&plan, model->graph, kernels, keep);
    if (status == BSR_OK)
        status = find_ranges(ranges, model, plan, data, images, pool);
    bsr_plan_free(plan);
    bsr_free(keep);
    return status;
}
