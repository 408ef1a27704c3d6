#include "predict/layer_watch.h"

#include <string.h>

#include "base/alloc.h"

/* Readers of codes, and where they have the scale and zero point of the input `at`. */
static const struct {
    const char *op;
    int at, scale, zero;
} readers[] = {
    {"DequantizeLinear", 0, 1, 2},
    {"QLinearConv", 0, 1, 2},
    {"QLinearMatMul", 0, 1, 2},
    {"QLinearMatMul", 3, 4, 5},
};

/* The one element of a constant, or `fallback`. */
static double constant(const bsr_graph *g, int value, double fallback)
{
    const bsr_tensor *t = value >= 0 ? g->values[value].constant : NULL;
    uint32_t bits = 0;
    if (!t || bsr_count(t->rank, t->dims) != 1)
        return fallback;
    memcpy(&bits, t->data, bsr_dtype_size(t->dtype));
    return bsr_stored_value(t->dtype, bits);
}

static void find_scale(bsr_watch *w, const bsr_graph *g)
{
    w->scale = 1;
    w->zero = 0;
    for (int i = 0; i < g->n_nodes; i++)
        for (size_t r = 0; r < sizeof readers / sizeof *readers; r++) {
            const bsr_node *n = &g->nodes[i];
            if (strcmp(n->op_type, readers[r].op) != 0 || n->in[readers[r].at] != w->value)
                continue;
            w->scale = constant(g, n->in[readers[r].scale], 1);
            w->zero = constant(g, readers[r].zero < n->n_in ? n->in[readers[r].zero] : -1, 0);
            return;
        }
}

/* A stored tensor goes by the name of the model's value that it stores. */
static void name_watch(bsr_watch *w, const bsr_session *s)
{
    const bsr_graph *g = s->model->graph;
    int value = w->value;
    for (int i = 0; s->storage && i < g->n_values; i++)
        if (s->storage->stored_as[i] == w->value)
            value = i;
    if (value >= g->n_values)
        g = s->plan->graph;
    const bsr_value *v = &g->values[value];
    w->name = v->name;
    w->op = v->producer >= 0 ? g->nodes[v->producer].op_type : "";
}

static void add_watch(bsr_watches *w, const bsr_session *s, int pten)
{
    const bsr_pten *t = &w->plan->ptens[pten];
    bsr_watch *to = &w->list[w->n];
    if (w->of[t->value] >= 0)
        return;
    *to = (bsr_watch){
        .value = t->value, .elements = (size_t)t->pixels * (size_t)t->channels, .at = w->total};
    find_scale(to, w->plan->graph);
    name_watch(to, s);
    w->total += to->elements;
    w->of[t->value] = w->n++;
}

bsr_status bsr_watches_init(bsr_watches *w, const bsr_session *s)
{
    const bsr_plan *plan = s->plan;
    *w = (bsr_watches){.plan = plan};
    w->list = bsr_calloc_array((size_t)plan->n_layers + 1, sizeof *w->list);
    w->of = bsr_alloc_array((size_t)plan->graph->n_values, sizeof *w->of);
    if (!w->list || !w->of)
        return BSR_ENOMEM;
    for (int v = 0; v < plan->graph->n_values; v++)
        w->of[v] = -1;
    for (int i = 0; i < plan->n_layers; i++)
        add_watch(w, s, plan->steps[plan->layers[i].step].sources[0].pten);
    add_watch(w, s, plan->output);
    return BSR_OK;
}

void bsr_watches_clear(bsr_watches *w)
{
    bsr_free(w->list);
    bsr_free(w->of);
    *w = (bsr_watches){0};
}

void bsr_watch_read(const bsr_watches *w, int i, const char *data, float *out)
{
    const bsr_watch *watch = &w->list[i];
    const bsr_pten *t = &w->plan->ptens[w->plan->of_value[watch->value]];
    for (int p = 0; p < t->pixels; p++)
        for (int c = 0; c < t->channels; c++) {
            uint32_t bits = 0;
            memcpy(&bits, data + (size_t)p * t->pixel_bytes + (size_t)c * t->esize, t->esize);
            *out++ = (float)(watch->scale * (bsr_stored_value(t->dtype, bits) - watch->zero));
        }
}
