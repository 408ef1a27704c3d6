/* Populations of the targets: bsr_spaces_init. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/altered.h"
#include "exec/operand.h"
#include "fault/selector.h"
#include "fault/space.h"

static const char *const target_names[BSR_TARGETS] = {
    "weight",         "bias", "activation", "input",      "operand",
    "operand-weight", "norm", "scale",      "zero-point", "output"};

const char *bsr_target_name(bsr_target target)
{
    return (int)target >= 0 && target < BSR_TARGETS ? target_names[target] : NULL;
}

typedef struct builder {
    bsr_spaces *out;
    const bsr_model *model;
    const bsr_plan *plan;
    const bsr_graph *graph; /* the plan's */
    const bsr_storage *storage;
    const bsr_run_options *options;
} builder;

/* What selectors name. */
static const char *layer_name(void *ctx, int i)
{
    const bsr_plan *plan = ctx;
    return plan->graph->nodes[plan->layers[i].node].name;
}

static const char *tensor_name(void *ctx, int i)
{
    const bsr_model *m = ctx;
    return m->graph->values[m->tensors[i]].name;
}

static int is_tensor_target(bsr_target t)
{
    return t == BSR_TARGET_ACTIVATION || t == BSR_TARGET_INPUT;
}

static int is_operand_target(bsr_target t)
{
    return t == BSR_TARGET_OPERAND || t == BSR_TARGET_OPERAND_WEIGHT;
}

/* Layers that the options select: *chosen [layers], owned by the caller. */
static bsr_status choose_layers(unsigned char **chosen, const bsr_plan *plan, const char *selector)
{
    *chosen = bsr_calloc_array((size_t)plan->n_layers + 1, 1);
    if (!*chosen)
        return BSR_ENOMEM;
    bsr_status status =
        bsr_select(*chosen, plan->n_layers, selector, "layer", layer_name, (void *)(uintptr_t)plan);
    if (status != BSR_OK) {
        bsr_free(*chosen);
        *chosen = NULL;
    }
    return status;
}

/* What layer i makes. */
static int output_value(const bsr_plan *plan, int i)
{
    return plan->graph->nodes[plan->layers[i].node].out[0];
}

/* The value that holds the stored form of a tensor of the model. */
static int stored_as(const bsr_storage *storage, int value)
{
    return storage ? storage->stored_as[value] : value;
}

static const bsr_stored *stored_of(const bsr_storage *storage, int value)
{
    return storage && storage->of_value[value].quantisers ? &storage->of_value[value] : NULL;
}

bsr_status bsr_spaces_tensors(unsigned char **chosen, const bsr_model *m, const bsr_run_options *o)
{
    unsigned char *on = bsr_calloc_array((size_t)m->n_tensors, 1);
    *chosen = bsr_calloc_array((size_t)m->graph->n_values, 1);
    bsr_status status = on && *chosen ? BSR_OK : BSR_ENOMEM;
    if (status == BSR_OK && o->target == BSR_TARGET_INPUT) {
        on[0] = 1;
    } else if (status == BSR_OK && o->target == BSR_TARGET_ACTIVATION && o->tensors) {
        status =
            bsr_select(on, m->n_tensors, o->tensors, "tensor", tensor_name, (void *)(uintptr_t)m);
    } else if (status == BSR_OK) {
        int any = 0;
        for (int i = 0; i < m->n_tensors; i++)
            any |= on[i] = (unsigned char)bsr_model_is_default_tensor(m, m->tensors[i]);
        if (!any)
            status = bsr_fail(BSR_ENOTFOUND, "the network has no Conv or Gemm layer");
    }
    for (int i = 0; i < m->n_tensors && status == BSR_OK; i++)
        (*chosen)[m->tensors[i]] = on[i];
    bsr_free(on);
    if (status != BSR_OK) {
        bsr_free(*chosen);
        *chosen = NULL;
    }
    return status;
}

static bsr_status keep_outputs(unsigned char *keep, const bsr_plan *plan, const char *layers)
{
    unsigned char *chosen;
    BSR_TRY(choose_layers(&chosen, plan, layers));
    for (int i = 0; i < plan->n_layers; i++)
        if (chosen[i])
            keep[output_value(plan, i)] = 1;
    bsr_free(chosen);
    return BSR_OK;
}

bsr_status bsr_spaces_keep(unsigned char **keep, const bsr_model *m, const bsr_storage *storage,
                           const bsr_run_options *o)
{
    const bsr_graph *graph = storage ? storage->graph : m->graph;
    unsigned char *chosen = NULL;
    *keep = bsr_calloc_array((size_t)graph->n_values, 1);
    if (!*keep)
        return BSR_ENOMEM;
    bsr_status status = BSR_OK;
    if (is_tensor_target(o->target))
        status = bsr_spaces_tensors(&chosen, m, o);
    for (int v = 0; chosen && v < m->graph->n_values; v++)
        if (chosen[v])
            (*keep)[stored_as(storage, v)] = 1;
    if (o->target == BSR_TARGET_OUTPUT)
        status = keep_outputs(*keep, m->plan, o->layers);
    for (int i = 0; is_operand_target(o->target) && i < m->plan->n_layers; i++)
        (*keep)[stored_as(storage, bsr_operand_value(m->plan, i))] = 1;
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

static bsr_status choose_variants(builder *b, bsr_space *s)
{
    unsigned char on[32] = {0};
    bsr_status status = bsr_select(on, s->width, b->options->bits, "bit", NULL, NULL);
    if (status != BSR_OK)
        return bsr_fail_prefix(status, "'%s' (%s)", s->name, s->format);
    uint32_t bits = 0;
    int all = 1;
    for (int i = 0; i < s->width; i++) {
        bits |= (uint32_t)on[i] << i;
        all &= on[i];
    }
    return bsr_fault_variants(&b->out->model, s->width, bits, !all, s->name, s->variants,
                              &s->n_variants);
}

/* Names, format, channels, variants, counts. */
static bsr_status add_space(builder *b, bsr_space *s, const char *name, const char *op)
{
    char text[64];
    b->out->n++;
    s->esize = bsr_dtype_size(s->dtype);
    s->width = s->stored ? s->stored->format.bits : (int)s->esize * 8;
    s->name = bsr_strdup(name);
    s->op = bsr_strdup(op);
    s->format = bsr_strdup(s->stored ? bsr_format_text(text, &s->stored->format)
                                     : bsr_dtype_name(s->dtype));
    if (!s->name || !s->op || !s->format)
        return BSR_ENOMEM;
    if (s->esize > 4 || s->dtype == BSR_BOOL)
        return bsr_fail(BSR_EUNSUPPORTED, "'%s' is %s, faults go into numbers of at most 32 bits",
                        s->name, bsr_dtype_name(s->dtype));
    BSR_TRY(choose_channels(s, b->options->channels));
    BSR_TRY(choose_variants(b, s));
    return bsr_space_finish(b->out, s);
}

/* A stored tensor that anything but layers reads would be faulty for some readers only. */
static bsr_status check_readers(const bsr_plan *plan, int value, const char *layer)
{
    int known = 0;
    for (int i = 0; i < plan->n_layers; i++) {
        const bsr_weights *w = plan->layers[i].weights;
        known += (w->value == value) + (w->bias_value == value);
    }
    const bsr_value *v = &plan->graph->values[value];
    return v->n_consumers <= known
               ? BSR_OK
               : bsr_fail(BSR_EUNSUPPORTED,
                          "layer '%s': other operators read '%s' too, which faults cannot follow",
                          layer, v->name);
}

static bsr_status operand_windows(bsr_space *s, const bsr_plan *plan, int layer)
{
    const bsr_layer *l = &plan->layers[layer];
    s->pixels = plan->ptens[plan->steps[l->step].out].pixels;
    s->taps = l->weights->taps;
    s->cin = l->weights->cin;
    s->windows_bytes = bsr_operand_windows(plan, layer, NULL);
    s->windows = bsr_calloc_array(s->windows_bytes, 1);
    if (!s->windows)
        return BSR_ENOMEM;
    bsr_operand_windows(plan, layer, s->windows);
    return BSR_OK;
}

/* Weight, bias and operand faults of one layer. */
static bsr_status layer_space(builder *b, int layer)
{
    static const bsr_fault_place places[BSR_TARGETS] = {
        [BSR_TARGET_WEIGHT] = BSR_FAULT_WEIGHT,
        [BSR_TARGET_BIAS] = BSR_FAULT_BIAS,
        [BSR_TARGET_OPERAND] = BSR_FAULT_OPERAND_INPUT,
        [BSR_TARGET_OPERAND_WEIGHT] = BSR_FAULT_OPERAND_WEIGHT,
    };
    const bsr_layer *l = &b->plan->layers[layer];
    const bsr_weights *w = l->weights;
    const bsr_node *node = &b->graph->nodes[l->node];
    bsr_space *s = &b->out->spaces[b->out->n];
    bsr_target target = b->options->target;
    int bias = target == BSR_TARGET_BIAS, value = bias ? w->bias_value : w->value;
    if (!is_operand_target(target))
        BSR_TRY(check_readers(b->plan, value, node->name));
    s->place = places[target];
    s->where = s->index = layer;
    s->channels = w->groups * w->cout;
    const bsr_tensor *t = b->graph->values[value].constant;
    s->dtype = t->dtype;
    s->data = t->data;
    if (target == BSR_TARGET_OPERAND) {
        value = bsr_operand_value(b->plan, layer);
        s->dtype = b->graph->values[value].dtype;
        s->data = NULL;
    }
    s->stored = stored_of(b->storage, value);
    /* Output channels are the first dimension of Conv weights and of transposed matrices, the last
     * of plain ones. */
    s->inner = bias ? 1 : w->stride_m;
    s->outer = bsr_count(t->rank, t->dims) / (s->inner * s->channels);
    if (is_operand_target(target))
        BSR_TRY(operand_windows(s, b->plan, layer));
    return add_space(b, s, node->name, node->op_type);
}

static bsr_status layer_spaces(builder *b)
{
    int layers = b->plan->n_layers, bias = b->options->target == BSR_TARGET_BIAS;
    unsigned char *chosen;
    BSR_TRY(choose_layers(&chosen, b->plan, b->options->layers));
    bsr_status status = BSR_OK;
    for (int i = 0; i < layers && status == BSR_OK; i++)
        if (chosen[i] && !(bias && b->plan->layers[i].weights->bias_value < 0))
            status = layer_space(b, i);
    bsr_free(chosen);
    if (status == BSR_OK && !b->out->n)
        return bsr_fail(BSR_ENOTFOUND, "no selected layer has a bias");
    return status;
}

static bsr_status tensor_space(builder *b, int value, const char *name, const char *op)
{
    bsr_space *s = &b->out->spaces[b->out->n];
    const bsr_value *v = &b->graph->values[value];
    s->index = b->out->n;
    s->place = BSR_FAULT_VALUE;
    s->where = value;
    s->dtype = v->dtype;
    s->stored = stored_of(b->storage, value);
    int channel = b->plan->layout[value] == BSR_CHANNELS_LAST ? 1 : v->rank - 1;
    s->channels = v->rank ? (int)v->dims[channel] : 1;
    s->outer = s->inner = 1;
    for (int d = 0; d < v->rank; d++) {
        if (d < channel)
            s->outer *= v->dims[d];
        if (d > channel)
            s->inner *= v->dims[d];
    }
    return add_space(b, s, name, op);
}

static bsr_status tensor_spaces(builder *b)
{
    const bsr_model *m = b->model;
    const bsr_run_options *o = b->options;
    unsigned char *chosen;
    BSR_TRY(bsr_spaces_tensors(&chosen, m, o));
    bsr_status status = BSR_OK;
    for (int i = 0; i < m->n_tensors && status == BSR_OK; i++) {
        const bsr_value *v = &m->graph->values[m->tensors[i]];
        int value = stored_as(b->storage, m->tensors[i]);
        if (!chosen[m->tensors[i]])
            continue;
        if (b->plan->of_value[value] >= 0)
            status = tensor_space(b, value, v->name,
                                  v->producer >= 0 ? m->graph->nodes[v->producer].op_type : "");
        else if (o->tensors && strcmp(o->tensors, "all") != 0)
            /* Part of an operation that is computed as one: it is never stored. */
            status =
                bsr_fail(BSR_EUNSUPPORTED,
                         "tensor '%s' is not stored: it lies inside an integer operation", v->name);
    }
    bsr_free(chosen);
    return status;
}

/* Raw outputs of the layers, which are their index. */
static bsr_status output_spaces(builder *b)
{
    unsigned char *chosen;
    BSR_TRY(choose_layers(&chosen, b->plan, b->options->layers));
    bsr_status status = BSR_OK;
    for (int i = 0; i < b->plan->n_layers && status == BSR_OK; i++) {
        const bsr_node *node = &b->graph->nodes[b->plan->layers[i].node];
        int value = output_value(b->plan, i);
        if (!chosen[i])
            continue;
        if (b->plan->of_value[value] < 0) {
            status = bsr_fail(BSR_EUNSUPPORTED,
                              "layer '%s': its output is not stored: it lies inside an integer "
                              "operation",
                              node->name);
            break;
        }
        status = tensor_space(b, value, node->name, node->op_type);
        b->out->spaces[b->out->n - 1].index = i;
    }
    bsr_free(chosen);
    return status;
}

/* Inputs of a node type that are parameters of a target: bit i is input i. */
static const struct {
    const char *op;
    bsr_target target;
    unsigned inputs;
} parameters[] = {
    {"BatchNormalization", BSR_TARGET_NORM, 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4},
    {"QuantizeLinear", BSR_TARGET_SCALE, 1u << 1},
    {"DequantizeLinear", BSR_TARGET_SCALE, 1u << 1},
    {"QLinearConv", BSR_TARGET_SCALE, 1u << 1 | 1u << 4 | 1u << 6},
    {"QLinearMatMul", BSR_TARGET_SCALE, 1u << 1 | 1u << 4 | 1u << 6},
    {"QuantizeLinear", BSR_TARGET_ZERO_POINT, 1u << 2},
    {"DequantizeLinear", BSR_TARGET_ZERO_POINT, 1u << 2},
    {"QLinearConv", BSR_TARGET_ZERO_POINT, 1u << 2 | 1u << 5 | 1u << 7},
    {"QLinearMatMul", BSR_TARGET_ZERO_POINT, 1u << 2 | 1u << 5 | 1u << 7},
};

static unsigned parameter_inputs(const bsr_node *n, bsr_target target)
{
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
        if (parameters[i].target == target && strcmp(parameters[i].op, n->op_type) == 0)
            return parameters[i].inputs;
    return 0;
}

typedef struct parameter_list {
    const bsr_graph *graph;
    int n;
    int *value;      /* each once, in the order of the nodes */
    const char **op; /* of the first reader */
} parameter_list;

static const char *parameter_name(void *ctx, int i)
{
    const parameter_list *l = ctx;
    return l->graph->values[l->value[i]].name;
}

static bsr_status list_parameters(parameter_list *l, const bsr_graph *g, bsr_target target)
{
    l->graph = g;
    l->value = bsr_alloc_array((size_t)g->n_values, sizeof *l->value);
    l->op = bsr_alloc_array((size_t)g->n_values, sizeof *l->op);
    if (!l->value || !l->op)
        return BSR_ENOMEM;
    for (int i = 0; i < g->n_nodes; i++) {
        const bsr_node *n = &g->nodes[i];
        unsigned inputs = parameter_inputs(n, target);
        for (int k = 0; k < n->n_in; k++) {
            if (!(inputs >> k & 1) || n->in[k] < 0 || !bsr_altered_can(g, n->in[k]))
                continue;
            int j = 0;
            while (j < l->n && l->value[j] != n->in[k])
                j++;
            if (j < l->n)
                continue;
            l->value[l->n] = n->in[k];
            l->op[l->n++] = n->op_type;
        }
    }
    return l->n ? BSR_OK
                : bsr_fail(BSR_ENOTFOUND, "the network has no %s parameters stored as constants",
                           target == BSR_TARGET_NORM ? "BatchNormalization" : "quantisation");
}

static bsr_status parameter_space(builder *b, const parameter_list *l, int i)
{
    bsr_space *s = &b->out->spaces[b->out->n];
    const bsr_tensor *t = b->graph->values[l->value[i]].constant;
    s->index = b->out->n;
    s->place = BSR_FAULT_PARAMETER;
    s->where = l->value[i];
    s->dtype = t->dtype;
    s->data = t->data;
    s->outer = s->inner = 1;
    s->channels = (int)bsr_count(t->rank, t->dims);
    return add_space(b, s, b->graph->values[l->value[i]].name, l->op[i]);
}

static bsr_status parameter_spaces(builder *b)
{
    parameter_list l = {0};
    unsigned char *chosen = NULL;
    bsr_status status = list_parameters(&l, b->graph, b->options->target);
    if (status == BSR_OK && !(chosen = bsr_calloc_array((size_t)l.n, 1)))
        status = BSR_ENOMEM;
    if (status == BSR_OK)
        status = bsr_select(chosen, l.n, b->options->tensors, "parameter", parameter_name, &l);
    for (int i = 0; i < l.n && status == BSR_OK; i++)
        if (chosen[i])
            status = parameter_space(b, &l, i);
    bsr_free(chosen);
    bsr_free(l.value);
    bsr_free(l.op);
    return status;
}

bsr_status bsr_spaces_init(bsr_spaces *out, const bsr_model *m, const bsr_plan *plan,
                           const bsr_storage *storage, const bsr_run_options *o)
{
    static bsr_status (*const build[BSR_TARGETS])(builder *) = {
        [BSR_TARGET_WEIGHT] = layer_spaces,         [BSR_TARGET_BIAS] = layer_spaces,
        [BSR_TARGET_OPERAND] = layer_spaces,        [BSR_TARGET_OPERAND_WEIGHT] = layer_spaces,
        [BSR_TARGET_ACTIVATION] = tensor_spaces,    [BSR_TARGET_INPUT] = tensor_spaces,
        [BSR_TARGET_NORM] = parameter_spaces,       [BSR_TARGET_SCALE] = parameter_spaces,
        [BSR_TARGET_ZERO_POINT] = parameter_spaces, [BSR_TARGET_OUTPUT] = output_spaces,
    };
    *out = (bsr_spaces){0};
    builder b = {out, m, plan, plan->graph, storage, o};
    if (!bsr_target_name(o->target))
        return bsr_fail(BSR_EINVAL, "target %d does not exist", (int)o->target);
    BSR_TRY(bsr_fault_model_parse(&out->model, o->fault ? o->fault : "bitflip"));
    out->model.seed = o->seed;
    out->spaces = bsr_calloc_array((size_t)plan->n_layers + (size_t)plan->graph->n_values + 1,
                                   sizeof *out->spaces);
    if (!out->spaces)
        return BSR_ENOMEM;
    bsr_status status = build[o->target](&b);
    if (status == BSR_OK && !out->population)
        status = bsr_fail(BSR_EINVAL, "the selection holds no fault");
    if (status != BSR_OK)
        bsr_spaces_clear(out);
    return status;
}
