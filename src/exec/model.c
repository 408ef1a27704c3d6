#include "exec/model_state.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "exec/forward.h"
#include "graph/fold_batch_norm.h"
#include "graph/sink_dequantize.h"
#include "onnx/onnx.h"

/* Exporters fix the batch in Reshape targets too; the network is compiled for one image. */
static void unfix_batch(bsr_graph *g, int64_t batch)
{
    for (int i = 0; i < g->n_nodes; i++) {
        const bsr_node *n = &g->nodes[i];
        if (strcmp(n->op_type, "Reshape") != 0 || n->n_in < 2 || n->in[1] < 0)
            continue;
        const bsr_value *v = &g->values[n->in[1]];
        bsr_tensor *shape = v->constant;
        for (int k = 0; !shape && v->producer >= 0 && k < g->nodes[v->producer].n_attr; k++)
            shape = g->nodes[v->producer].attr[k].t;
        if (shape && shape->dtype == BSR_I64 && shape->rank == 1 && shape->dims[0] > 1 &&
            *(int64_t *)shape->data == batch)
            *(int64_t *)shape->data = 1;
    }
}

/* Fixes every dimension of the input: one image, the file's size or the caller's. */
static bsr_status fix_input(bsr_model *m, const bsr_model_options *o)
{
    bsr_graph *g = m->graph;
    if (g->n_inputs != 1)
        return bsr_fail(BSR_EUNSUPPORTED, "network has %d inputs, expected 1 (the image)",
                        g->n_inputs);
    bsr_value *v = &g->values[g->inputs[0]];
    if (v->rank != 4 && v->rank != 2)
        return bsr_fail(BSR_EUNSUPPORTED, "input '%s' has rank %d, expected 4 (images) or 2",
                        v->name, v->rank);
    if (v->dims[0] > 1)
        unfix_batch(g, v->dims[0]);
    v->dims[0] = 1;
    int64_t given[3] = {o->input_shape[0], o->input_shape[1], o->input_shape[2]};
    if (v->rank == 4) {
        /* NHWC files have few channels in the last place and not in the second. */
        m->nhwc = v->dims[3] > 0 && v->dims[3] <= 4 && !(v->dims[1] > 0 && v->dims[1] <= 4);
        static const int place[2][3] = {{1, 2, 3}, {3, 1, 2}};
        for (int k = 0; k < 3; k++) {
            int64_t *d = &v->dims[place[m->nhwc][k]];
            if (*d > 0 && given[k] > 0 && *d != given[k])
                return bsr_fail(BSR_EINVAL,
                                "input '%s' has %lld in place of the given shape's %lld", v->name,
                                (long long)*d, (long long)given[k]);
            if (*d < 0)
                *d = given[k];
            if (*d <= 0)
                return bsr_fail(BSR_EINVAL,
                                "input '%s': dimension %d is open in the file; give the input "
                                "shape C,H,W",
                                v->name, place[m->nhwc][k]);
        }
        m->channels = (int)v->dims[place[m->nhwc][0]];
        m->height = (int)v->dims[place[m->nhwc][1]];
        m->width = (int)v->dims[place[m->nhwc][2]];
        return BSR_OK;
    }
    if (v->dims[1] <= 0)
        return bsr_fail(BSR_EINVAL, "input '%s': dimension 1 is open in the file", v->name);
    /* A flat input of square size is a gray image for the data readers. */
    int side = 1;
    while ((int64_t)side * side < v->dims[1])
        side++;
    int square = (int64_t)side * side == v->dims[1];
    m->channels = 1;
    m->height = square ? side : 1;
    m->width = square ? side : (int)v->dims[1];
    return BSR_OK;
}

static bsr_status list_tensors(bsr_model *m)
{
    const bsr_graph *g = m->graph;
    m->tensors = bsr_alloc_array((size_t)g->n_values, sizeof *m->tensors);
    if (!m->tensors)
        return BSR_ENOMEM;
    m->tensors[m->n_tensors++] = g->inputs[0];
    for (int i = 0; i < g->n_nodes; i++)
        for (int o = 0; o < g->nodes[i].n_out; o++) {
            int v = g->nodes[i].out[o];
            if (v >= 0 && !g->values[v].constant)
                m->tensors[m->n_tensors++] = v;
        }
    return BSR_OK;
}

static bsr_status load(bsr_model *m, const void *bytes, size_t n, const char *dir,
                       const bsr_model_options *options)
{
    static const bsr_model_options defaults = BSR_MODEL_OPTIONS_INIT;
    const bsr_model_options *o = options ? options : &defaults;
    if (o->version != BSR_MODEL_OPTIONS_VERSION)
        return bsr_fail(BSR_EINVAL, "model options have version %d, expected %d", o->version,
                        BSR_MODEL_OPTIONS_VERSION);
    bsr_sha256 hash;
    bsr_sha256_init(&hash);
    bsr_sha256_update(&hash, bytes, n);
    bsr_sha256_final(&hash, m->sha256);
    BSR_TRY(bsr_onnx_read(&m->graph, bytes, n, dir));
    BSR_TRY(fix_input(m, o));
    BSR_TRY(bsr_ops_resolve(m->graph));
    BSR_TRY(bsr_graph_sink_dequantize(m->graph));
    if (o->fold_batch_norm)
        BSR_TRY(bsr_graph_fold_batch_norm(m->graph));
    BSR_TRY(bsr_plan_new(&m->plan, m->graph, bsr_kernels_for(BSR_CPU_REF), NULL));
    return list_tensors(m);
}

static bsr_status load_new(bsr_model **out, const char *path, const void *bytes, size_t n,
                           const char *dir, const bsr_model_options *options)
{
    *out = NULL;
    bsr_model *m = bsr_calloc_array(1, sizeof *m);
    if (!m)
        return BSR_ENOMEM;
    m->path = bsr_strdup(path);
    bsr_status status = m->path ? load(m, bytes, n, dir, options) : BSR_ENOMEM;
    if (status != BSR_OK) {
        bsr_model_free(m);
        return status;
    }
    *out = m;
    return BSR_OK;
}

bsr_status bsr_model_load_bytes(bsr_model **out, const void *bytes, size_t n,
                                const bsr_model_options *options)
{
    return load_new(out, "", bytes, n, NULL, options);
}

bsr_status bsr_model_load(bsr_model **out, const char *path, const bsr_model_options *options)
{
    *out = NULL;
    void *bytes;
    size_t n;
    BSR_TRY(bsr_file_read(&bytes, &n, path, BSR_ONNX_MAX_BYTES));
    const char *slash = strrchr(path, '/');
    char *dir =
        slash ? bsr_strndup(path, slash > path ? (size_t)(slash - path) : 1) : bsr_strdup(".");
    bsr_status status = dir ? load_new(out, path, bytes, n, dir, options) : BSR_ENOMEM;
    bsr_free(dir);
    bsr_free(bytes);
    return status == BSR_OK ? status : bsr_fail_prefix(status, "'%s'", path);
}

void bsr_model_free(bsr_model *model)
{
    if (!model)
        return;
    bsr_plan_free(model->plan);
    bsr_graph_free(model->graph);
    bsr_free(model->tensors);
    bsr_free(model->path);
    bsr_free(model);
}

bsr_model_info bsr_model_get_info(const bsr_model *m)
{
    const bsr_graph *g = m->graph;
    return (bsr_model_info){.path = m->path,
                            .sha256 = m->sha256,
                            .name = g->name ? g->name : "",
                            .producer = g->producer ? g->producer : "",
                            .ir_version = g->ir_version,
                            .opset = g->opset,
                            .input = g->values[g->inputs[0]].name,
                            .output = g->values[g->outputs[0]].name,
                            .channels = m->channels,
                            .height = m->height,
                            .width = m->width,
                            .nhwc = m->nhwc,
                            .classes = bsr_plan_classes(m->plan),
                            .nodes = g->n_nodes,
                            .layers = m->plan->n_layers,
                            .tensors = m->n_tensors,
                            .macs = m->plan->macs,
                            .golden_bytes = m->plan->golden_bytes};
}

bsr_status bsr_model_layer(const bsr_model *m, int i, bsr_layer_info *info)
{
    const bsr_plan *plan = m->plan;
    if (i < 0 || i >= plan->n_layers)
        return bsr_fail(BSR_ENOTFOUND, "layer %d does not exist, the network has %d", i,
                        plan->n_layers);
    const bsr_layer *l = &plan->layers[i];
    const bsr_weights *w = l->weights;
    const bsr_step *s = &plan->steps[l->step];
    const bsr_value *values = m->graph->values;
    const bsr_pten *in = &plan->ptens[s->sources[0].pten], *out = &plan->ptens[s->out];
    int channels = w->groups * w->cout;
    *info = (bsr_layer_info){.name = m->graph->nodes[l->node].name,
                             .op = m->graph->nodes[l->node].op_type,
                             .weight_name = values[w->value].name,
                             .bias_name = w->bias_value >= 0 ? values[w->bias_value].name : "",
                             .weights = (int64_t)channels * w->cin * w->taps,
                             .biases = w->bias_value >= 0 ? channels : 0,
                             .weight_bits = (int)bsr_dtype_size(w->dtype) * 8,
                             .bias_bits = 32,
                             .channels = channels,
                             .outputs = (int64_t)out->pixels * out->channels,
                             .input = values[in->value].name,
                             .inputs = (int64_t)in->pixels * in->channels,
                             .input_bits = (int)in->esize * 8,
                             .macs = s->macs};
    return BSR_OK;
}

int bsr_model_is_default_tensor(const bsr_model *m, int value)
{
    for (int i = 0; i < m->plan->n_layers; i++) {
        const bsr_step *s = &m->plan->steps[m->plan->layers[i].step];
        if (m->plan->of_value[value] == s->sources[0].pten &&
            m->plan->ptens[s->sources[0].pten].value == value)
            return 1;
    }
    return 0;
}

bsr_status bsr_model_tensor(const bsr_model *m, int i, bsr_tensor_info *info)
{
    if (i < 0 || i >= m->n_tensors)
        return bsr_fail(BSR_ENOTFOUND, "tensor %d does not exist, the network has %d", i,
                        m->n_tensors);
    const bsr_value *v = &m->graph->values[m->tensors[i]];
    *info = (bsr_tensor_info){.name = v->name,
                              .op = v->producer >= 0 ? m->graph->nodes[v->producer].op_type : "",
                              .dtype = bsr_dtype_name(v->dtype),
                              .rank = v->rank,
                              .elements = bsr_count(v->rank, v->dims),
                              .bits = (int)bsr_dtype_size(v->dtype) * 8,
                              .is_default = bsr_model_is_default_tensor(m, m->tensors[i])};
    memcpy(info->dims, v->dims, sizeof info->dims);
    return BSR_OK;
}
