/* Nodes that only move pixels or channels: Slice, Pad, Concat, Split as copies by table; Reshape,
 * Flatten, Squeeze, Transpose and the like as aliases where the stored order does not change. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/lower.h"

/* One block of a copy: out[to + i] = in[from + i * step] for i in 0..count-1, per dimension. */
typedef struct block {
    int64_t from[BSR_MAX_RANK], to[BSR_MAX_RANK], step[BSR_MAX_RANK], count[BSR_MAX_RANK];
} block;

static int channel_dim(const bsr_value *v, bsr_layout layout)
{
    return layout == BSR_CHANNELS_LAST ? 1 : v->rank - 1;
}

/* Visits the pixel of a value: its non-channel dimensions in logical order. */
static int64_t pixel_at(const bsr_value *v, int channel, const int64_t *idx)
{
    int64_t p = 0;
    for (int d = 0; d < v->rank; d++)
        if (d != channel)
            p = p * v->dims[d] + idx[d];
    return p;
}

/* Fills the source's channel range and, when pixels move, its map from the block. */
static bsr_status add_block(bsr_builder *b, bsr_step *s, int i, int in, int out, const block *k)
{
    bsr_plan *plan = b->plan;
    const bsr_value *vi = &b->graph->values[in], *vo = &b->graph->values[out];
    int channel = channel_dim(vi, plan->layout[in]);
    bsr_pten *pi = &plan->ptens[plan->of_value[in]];
    int64_t pixels, channels;
    bsr_pixel_shape(vo, plan->layout[in], &pixels, &channels);
    s->sources[i] = (bsr_source){.pten = plan->of_value[in],
                                 .from = (int)k->from[channel],
                                 .to = (int)k->to[channel],
                                 .count = (int)k->count[channel]};
    int32_t *forward = bsr_alloc_array((size_t)pixels, sizeof *forward);
    if (!forward)
        return BSR_ENOMEM;
    for (int64_t p = 0; p < pixels; p++)
        forward[p] = pi->pixels;
    int64_t count[BSR_MAX_RANK], idx[BSR_MAX_RANK] = {0};
    memcpy(count, k->count, sizeof count);
    count[channel] = 1;
    if (bsr_count(vo->rank, count) > 0)
        do {
            int64_t from[BSR_MAX_RANK] = {0}, to[BSR_MAX_RANK] = {0};
            for (int d = 0; d < vo->rank; d++) {
                from[d] = k->from[d] + idx[d] * k->step[d];
                to[d] = k->to[d] + idx[d];
            }
            forward[pixel_at(vo, channel, to)] = (int32_t)pixel_at(vi, channel, from);
        } while (bsr_next_index(vo->rank, count, idx));
    int identity = pixels == pi->pixels;
    for (int64_t p = 0; p < pixels && identity; p++)
        identity = forward[p] == p;
    bsr_status status = BSR_OK;
    if (!identity) {
        bsr_pixmap *map;
        status = bsr_pixmap_table(&map, forward, (int)pixels, pi->pixels,
                                  (size_t)pi->channels * pi->esize);
        if (status == BSR_OK)
            status = bsr_build_map(b, map);
        if (status == BSR_OK)
            s->sources[i].map = map;
    }
    bsr_free(forward);
    return status;
}

static bsr_status new_copy(bsr_builder *b, int node, int n_sources, int in, int out, bsr_step **s)
{
    bsr_plan *plan = b->plan;
    BSR_TRY(bsr_build_step(b, BSR_CORE_COPY, node, n_sources, s));
    int pten;
    BSR_TRY(bsr_build_pten(b, out, plan->layout[in], plan->n_steps - 1, &pten));
    (*s)->out = pten;
    (*s)->core_channels = plan->ptens[pten].channels;
    plan->of_value[out] = pten;
    plan->layout[out] = plan->layout[in];
    return BSR_OK;
}

static void whole_block(block *k, const bsr_value *v)
{
    *k = (block){0};
    for (int d = 0; d < v->rank; d++) {
        k->step[d] = 1;
        k->count[d] = v->dims[d];
    }
}

/* Integers of input i (opset 10+) or of an attribute (before); *n is 0 when absent. */
static int read_ints(const bsr_builder *b, int node, int i, const char *attr, int64_t *out, int *n)
{
    *n = 0;
    const bsr_value *v = bsr_node_in(b, node, i);
    const bsr_attr *a = bsr_node_attr(&b->graph->nodes[node], attr);
    if (v) {
        const bsr_tensor *t = v->constant;
        if (!t || (t->dtype != BSR_I64 && t->dtype != BSR_I32) ||
            bsr_count(t->rank, t->dims) > BSR_MAX_RANK * 2)
            return 0;
        *n = (int)bsr_count(t->rank, t->dims);
        for (int k = 0; k < *n; k++)
            out[k] = t->dtype == BSR_I64 ? ((int64_t *)t->data)[k] : ((int32_t *)t->data)[k];
    } else if (a && a->kind == BSR_ATTR_INTS && a->n <= BSR_MAX_RANK * 2) {
        *n = (int)a->n;
        memcpy(out, a->ints, a->n * sizeof *out);
    }
    return 1;
}

static bsr_status lower_slice(bsr_builder *b, int node, int *done)
{
    const bsr_node *n = &b->graph->nodes[node];
    const bsr_value *v = bsr_node_in(b, node, 0), *o = &b->graph->values[n->out[0]];
    int64_t starts[16], axes[16], steps[16];
    int n_starts, n_axes, n_steps;
    if (!read_ints(b, node, 1, "starts", starts, &n_starts) ||
        !read_ints(b, node, 3, "axes", axes, &n_axes) ||
        !read_ints(b, node, 4, "steps", steps, &n_steps))
        return BSR_OK;
    block k;
    whole_block(&k, o);
    for (int i = 0; i < n_starts; i++) {
        int64_t d = n_axes ? axes[i] : i;
        d += d < 0 ? v->rank : 0;
        int64_t size = v->dims[d], step = n_steps ? steps[i] : 1;
        int64_t start = starts[i] + (starts[i] < 0 ? size : 0);
        int64_t most = step < 0 ? size - 1 : size;
        k.from[d] = start < 0 ? 0 : start > most ? most : start;
        k.step[d] = step;
    }
    if (k.step[channel_dim(v, b->plan->layout[n->in[0]])] != 1)
        return BSR_OK;
    bsr_step *s;
    BSR_TRY(new_copy(b, node, 1, n->in[0], n->out[0], &s));
    *done = 1;
    return add_block(b, s, 0, n->in[0], n->out[0], &k);
}

static bsr_status lower_pad(bsr_builder *b, int node, int *done)
{
    const bsr_node *n = &b->graph->nodes[node];
    const bsr_value *v = bsr_node_in(b, node, 0), *fill = bsr_node_in(b, node, 2);
    int64_t pads[16];
    int n_pads;
    if (strcmp(bsr_node_string(n, "mode", "constant"), "constant") != 0 ||
        !read_ints(b, node, 1, "pads", pads, &n_pads) || n_pads != 2 * v->rank ||
        v->dtype != BSR_F32 || (fill && !fill->constant))
        return BSR_OK;
    block k;
    whole_block(&k, v);
    for (int d = 0; d < v->rank; d++) {
        int64_t cut = pads[d] < 0 ? -pads[d] : 0;
        int64_t cut_end = pads[v->rank + d] < 0 ? -pads[v->rank + d] : 0;
        k.from[d] = cut;
        k.to[d] = pads[d] > 0 ? pads[d] : 0;
        k.count[d] -= cut + cut_end;
        if (k.count[d] < 0)
            return BSR_OK;
    }
    bsr_step *s;
    BSR_TRY(new_copy(b, node, 1, n->in[0], n->out[0], &s));
    s->fill = fill ? *(const float *)fill->constant->data : bsr_node_float(n, "value", 0.0f);
    *done = 1;
    return add_block(b, s, 0, n->in[0], n->out[0], &k);
}

static bsr_status lower_concat(bsr_builder *b, int node, int *done)
{
    const bsr_node *n = &b->graph->nodes[node];
    for (int i = 0; i < n->n_in; i++)
        if (bsr_node_in(b, node, i)->constant ||
            b->plan->layout[n->in[i]] != b->plan->layout[n->in[0]])
            return BSR_OK;
    const bsr_value *v = bsr_node_in(b, node, 0);
    int64_t axis = bsr_node_int(n, "axis", 1);
    axis += axis < 0 ? v->rank : 0;
    bsr_step *s;
    BSR_TRY(new_copy(b, node, n->n_in, n->in[0], n->out[0], &s));
    *done = 1;
    int64_t at = 0;
    for (int i = 0; i < n->n_in; i++) {
        const bsr_value *part = bsr_node_in(b, node, i);
        block k;
        whole_block(&k, part);
        k.to[axis] = at;
        at += part->dims[axis];
        BSR_TRY(add_block(b, s, i, n->in[i], n->out[0], &k));
    }
    return BSR_OK;
}

static bsr_status lower_split(bsr_builder *b, int node, int *done)
{
    const bsr_node *n = &b->graph->nodes[node];
    const bsr_value *v = bsr_node_in(b, node, 0);
    int64_t axis = bsr_node_int(n, "axis", 0), at = 0;
    axis += axis < 0 ? v->rank : 0;
    for (int o = 0; o < n->n_out; o++) {
        const bsr_value *part = &b->graph->values[n->out[o]];
        block k;
        whole_block(&k, part);
        k.from[axis] = at;
        at += part->dims[axis];
        bsr_step *s;
        BSR_TRY(new_copy(b, node, 1, n->in[0], n->out[o], &s));
        BSR_TRY(add_block(b, s, 0, n->in[0], n->out[o], &k));
    }
    *done = 1;
    return BSR_OK;
}

bsr_status bsr_lower_copy(bsr_builder *b, int node, int *done)
{
    static const struct {
        const char *type;
        bsr_lower_fn lower;
    } rows[] = {{"Slice", lower_slice},
                {"Pad", lower_pad},
                {"Concat", lower_concat},
                {"Split", lower_split}};
    const bsr_value *v = bsr_node_in(b, node, 0);
    if (!v || v->constant || v->rank < 1)
        return BSR_OK;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(b->graph->nodes[node].op_type, rows[i].type) == 0)
            return rows[i].lower(b, node, done);
    return BSR_OK;
}

/* Layout in which `out` holds the same pixels and channels in the same order as a row-major (or
 * single-pixel) tensor of that shape; -1 when there is none. */
static int alias_layout(const bsr_value *out, const bsr_pten *p)
{
    for (int layout = BSR_CHANNELS_LAST; layout >= BSR_ROW_MAJOR; layout--) {
        if (layout == BSR_CHANNELS_LAST && out->rank < 3)
            continue;
        int64_t pixels, channels;
        bsr_pixel_shape(out, (bsr_layout)layout, &pixels, &channels);
        if (channels == p->channels && pixels == p->pixels &&
            (layout == BSR_ROW_MAJOR || pixels == 1))
            return layout;
    }
    return -1;
}

static int transposed_layout(const bsr_builder *b, const bsr_node *n)
{
    const bsr_value *out = &b->graph->values[n->out[0]];
    const bsr_attr *perm = bsr_node_attr(n, "perm");
    bsr_view in = bsr_plan_view(b->plan, n->in[0], NULL);
    for (int layout = BSR_CHANNELS_LAST; layout >= BSR_ROW_MAJOR; layout--) {
        if (layout == BSR_CHANNELS_LAST && out->rank < 3)
            continue;
        bsr_layout before = b->plan->layout[n->out[0]];
        b->plan->layout[n->out[0]] = (bsr_layout)layout;
        bsr_view v = bsr_plan_view(b->plan, n->out[0], NULL);
        b->plan->layout[n->out[0]] = before;
        int same = 1;
        for (int d = 0; d < out->rank; d++) {
            int64_t from = perm ? perm->ints[d] : out->rank - 1 - d;
            same &= v.dims[d] == 1 || v.strides[d] == in.strides[from];
        }
        int64_t pixels, channels;
        bsr_pixel_shape(out, (bsr_layout)layout, &pixels, &channels);
        if (same && channels == b->plan->ptens[b->plan->of_value[n->in[0]]].channels)
            return layout;
    }
    return -1;
}

bsr_status bsr_lower_alias(bsr_builder *b, int node, int *done)
{
    static const char *const types[] = {"Reshape",   "Flatten",  "Squeeze", "Unsqueeze",
                                        "Transpose", "Identity", "Dropout", "Expand"};
    const bsr_node *n = &b->graph->nodes[node];
    const bsr_value *v = bsr_node_in(b, node, 0), *out = &b->graph->values[n->out[0]];
    int known = 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        known |= strcmp(n->op_type, types[i]) == 0;
    for (int o = 1; o < n->n_out; o++)
        known &= n->out[o] < 0 || b->graph->values[n->out[o]].n_consumers == 0;
    if (!known || !v || v->constant ||
        bsr_count(v->rank, v->dims) != bsr_count(out->rank, out->dims))
        return BSR_OK;
    int pten = b->plan->of_value[n->in[0]], layout = -1;
    bsr_layout have = b->plan->layout[n->in[0]];
    if (v->rank == out->rank &&
        memcmp(v->dims, out->dims, (size_t)v->rank * sizeof *v->dims) == 0 &&
        strcmp(n->op_type, "Transpose") != 0)
        layout = have;
    else if (strcmp(n->op_type, "Transpose") == 0)
        layout = transposed_layout(b, n);
    else if (have == BSR_ROW_MAJOR || b->plan->ptens[pten].pixels == 1)
        layout = alias_layout(out, &b->plan->ptens[pten]);
    if (layout < 0)
        return BSR_OK;
    b->plan->of_value[n->out[0]] = pten;
    b->plan->layout[n->out[0]] = (bsr_layout)layout;
    *done = 1;
    return BSR_OK;
}
