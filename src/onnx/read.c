/* ModelProto to bsr_graph. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "onnx/reader.h"

/* Looking for attributes given twice is quadratic in their number; no operator has over 20. */
enum { MAX_ATTRIBUTES = 256 };

enum { MIN_IR = 3, MAX_IR = 10, MIN_OPSET = 7, MAX_OPSET = 17 };

static const char *text_of(const char *s)
{
    return s ? s : "";
}

static int is_default_domain(const char *domain)
{
    return !domain || !*domain || strcmp(domain, "ai.onnx") == 0;
}

static bsr_status read_versions(bsr_graph *graph, const Onnx__ModelProto *model)
{
    if (!model->has_ir_version)
        return bsr_fail(BSR_EFORMAT, "not an ONNX model: no ir_version");
    if (model->ir_version < MIN_IR || model->ir_version > MAX_IR)
        return bsr_fail(BSR_EUNSUPPORTED, "ir_version is %lld, expected %d to %d",
                        (long long)model->ir_version, MIN_IR, MAX_IR);
    graph->ir_version = model->ir_version;
    int found = 0;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *import = model->opset_import[i];
        if (!is_default_domain(import->domain))
            continue;
        if (found && import->version != graph->opset)
            return bsr_fail(BSR_EFORMAT, "opset_import gives versions %lld and %lld of ai.onnx",
                            (long long)graph->opset, (long long)import->version);
        graph->opset = import->version;
        found = 1;
    }
    if (!found)
        return bsr_fail(BSR_EFORMAT, "opset_import has no entry for the domain ai.onnx");
    if (graph->opset < MIN_OPSET || graph->opset > MAX_OPSET)
        return bsr_fail(BSR_EUNSUPPORTED, "opset is %lld, expected %d to %d",
                        (long long)graph->opset, MIN_OPSET, MAX_OPSET);
    return BSR_OK;
}

/* Parts that change the meaning of a model and that bitseer does not know. */
static bsr_status refuse_parts(const Onnx__ModelProto *model)
{
    const Onnx__GraphProto *graph = model->graph;
    if (model->n_functions)
        return bsr_fail(BSR_EUNSUPPORTED, "local function '%s' (domain '%s')",
                        text_of(model->functions[0]->name), text_of(model->functions[0]->domain));
    if (model->n_training_info)
        return bsr_fail(BSR_EUNSUPPORTED, "the model holds training information");
    if (graph->n_sparse_initializer) {
        const Onnx__TensorProto *values = graph->sparse_initializer[0]->values;
        return bsr_fail(BSR_EUNSUPPORTED, "sparse initialiser '%s'",
                        values ? text_of(values->name) : "");
    }
    if (graph->n_quantization_annotation)
        return bsr_fail(BSR_EUNSUPPORTED, "quantisation annotation of tensor '%s'",
                        text_of(graph->quantization_annotation[0]->tensor_name));
    return BSR_OK;
}

static bsr_status read_initialiser(bsr_graph *graph, const Onnx__TensorProto *proto,
                                   size_t position, const char *dir)
{
    const char *name = text_of(proto->name);
    int index;
    if (!*name)
        return bsr_fail(BSR_EFORMAT, "initialiser %zu has no name", position);
    BSR_TRY(bsr_graph_value(graph, name, &index));
    bsr_value *v = &graph->values[index];
    if (v->constant)
        return bsr_fail(BSR_EFORMAT, "initialiser '%s' is there twice", name);
    BSR_TRY(bsr_onnx_tensor(&v->constant, proto, dir));
    v->dtype = v->constant->dtype;
    v->rank = v->constant->rank;
    memcpy(v->dims, v->constant->dims, sizeof v->dims);
    return BSR_OK;
}

static bsr_status read_shape(bsr_value *v, const Onnx__TensorShapeProto *shape)
{
    if (shape->n_dim > BSR_MAX_RANK)
        return bsr_fail(BSR_ELIMIT, "graph input '%s' has rank %zu, at most %d is supported",
                        v->name, shape->n_dim, BSR_MAX_RANK);
    v->rank = (int)shape->n_dim;
    for (int d = 0; d < v->rank; d++) {
        const Onnx__TensorShapeProto__Dimension *dim = shape->dim[d];
        int is_given = dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        v->dims[d] = is_given ? dim->dim_value : -1;
        /* Some exporters write -1 for a dimension that they leave open. */
        if (v->dims[d] < -1 || v->dims[d] > BSR_MAX_ELEMENTS)
            return bsr_fail(BSR_EFORMAT, "graph input '%s': dimension %d is %lld", v->name, d,
                            (long long)v->dims[d]);
    }
    return BSR_OK;
}

/* IR version 3 lists initialisers among the inputs; those are constants, not inputs. */
static bsr_status read_input(bsr_graph *graph, const Onnx__ValueInfoProto *proto, size_t position)
{
    const char *name = text_of(proto->name);
    int index;
    if (!*name)
        return bsr_fail(BSR_EFORMAT, "graph input %zu has no name", position);
    BSR_TRY(bsr_graph_value(graph, name, &index));
    bsr_value *v = &graph->values[index];
    if (v->constant)
        return BSR_OK;
    const Onnx__TypeProto *type = proto->type;
    if (!type || type->value_case == ONNX__TYPE_PROTO__VALUE__NOT_SET)
        return bsr_fail(BSR_EFORMAT, "graph input '%s' has no type", name);
    if (type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
        return bsr_fail(BSR_EUNSUPPORTED, "graph input '%s' is not a dense tensor", name);
    char text[24];
    v->dtype = (bsr_dtype)type->tensor_type->elem_type;
    if (!bsr_dtype_size(v->dtype))
        return bsr_fail(BSR_EUNSUPPORTED, "graph input '%s' has element type %s", name,
                        bsr_onnx_type_name(text, type->tensor_type->elem_type));
    if (type->tensor_type->shape)
        BSR_TRY(read_shape(v, type->tensor_type->shape));
    return bsr_graph_add_input(graph, index);
}

/* Value indices of a node's input or output names; "" is an omitted one. */
static bsr_status read_names(bsr_graph *graph, int **out, int *n_out, char **names, size_t n)
{
    int *list = bsr_alloc_array(n, sizeof *list);
    *out = list;
    if (!list)
        return BSR_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        list[i] = -1;
        if (*names[i])
            BSR_TRY(bsr_graph_value(graph, names[i], &list[i]));
    }
    *n_out = (int)n;
    return BSR_OK;
}

static bsr_status read_attributes(bsr_node *node, const Onnx__NodeProto *proto, const char *dir)
{
    if (proto->n_attribute > MAX_ATTRIBUTES)
        return bsr_fail(BSR_ELIMIT, "node '%s' (%s) has %zu attributes, at most %d are read",
                        node->name, node->op_type, proto->n_attribute, MAX_ATTRIBUTES);
    node->attr = bsr_calloc_array(proto->n_attribute, sizeof *node->attr);
    if (!node->attr)
        return BSR_ENOMEM;
    node->n_attr = 0;
    for (size_t i = 0; i < proto->n_attribute; i++) {
        bsr_attr *attr = &node->attr[node->n_attr++];
        bsr_status status = bsr_onnx_attribute(attr, proto->attribute[i], dir);
        if (status == BSR_OK && bsr_node_attr(node, attr->name) != attr)
            status = bsr_fail(BSR_EFORMAT, "attribute '%s' is there twice", attr->name);
        if (status == BSR_ENOMEM)
            return status;
        if (status != BSR_OK)
            return bsr_fail_prefix(status, "node '%s' (%s)", node->name, node->op_type);
    }
    return BSR_OK;
}

static bsr_status read_node(bsr_graph *graph, const Onnx__NodeProto *proto, size_t position,
                            const char *dir)
{
    const char *op_type = text_of(proto->op_type);
    char *made_name = NULL;
    bsr_status status = BSR_ENOMEM;
    if (!*op_type)
        return bsr_fail(BSR_EFORMAT, "node %zu ('%s') has no op_type", position,
                        text_of(proto->name));
    if (!proto->name || !*proto->name) {
        size_t room = strlen(op_type) + 24;
        made_name = bsr_alloc_array(room, 1);
        if (!made_name)
            goto done;
        snprintf(made_name, room, "%s_%zu", op_type, position);
    }
    bsr_node *node = bsr_graph_add_node(graph, made_name ? made_name : proto->name, op_type);
    if (!node)
        goto done;
    if (!is_default_domain(proto->domain)) {
        status = bsr_fail(BSR_EUNSUPPORTED, "node '%s' (%s): operator domain '%s'", node->name,
                          op_type, proto->domain);
        goto done;
    }
    status = read_names(graph, &node->in, &node->n_in, proto->input, proto->n_input);
    if (status == BSR_OK)
        status = read_names(graph, &node->out, &node->n_out, proto->output, proto->n_output);
    if (status == BSR_OK)
        status = read_attributes(node, proto, dir);
done:
    bsr_free(made_name);
    return status;
}

static bsr_status read_graph(bsr_graph *graph, const Onnx__GraphProto *proto, const char *dir)
{
    graph->name = bsr_strdup(text_of(proto->name));
    if (!graph->name)
        return BSR_ENOMEM;
    for (size_t i = 0; i < proto->n_initializer; i++)
        BSR_TRY(read_initialiser(graph, proto->initializer[i], i, dir));
    for (size_t i = 0; i < proto->n_input; i++)
        BSR_TRY(read_input(graph, proto->input[i], i));
    for (size_t i = 0; i < proto->n_node; i++)
        BSR_TRY(read_node(graph, proto->node[i], i, dir));
    if (!proto->n_output)
        return bsr_fail(BSR_EFORMAT, "graph '%s' has no outputs", graph->name);
    for (size_t i = 0; i < proto->n_output; i++) {
        int index;
        if (!*text_of(proto->output[i]->name))
            return bsr_fail(BSR_EFORMAT, "graph output %zu has no name", i);
        BSR_TRY(bsr_graph_value(graph, proto->output[i]->name, &index));
        BSR_TRY(bsr_graph_add_output(graph, index));
    }
    return bsr_graph_finish(graph);
}

bsr_status bsr_onnx_read(bsr_graph **out, const void *bytes, size_t n, const char *dir)
{
    *out = NULL;
    bsr_graph *graph = NULL;
    ProtobufCMessage *message;
    BSR_TRY(bsr_onnx_unpack(&message, &onnx__model_proto__descriptor, bytes, n));
    const Onnx__ModelProto *model = (const Onnx__ModelProto *)message;
    bsr_status status = bsr_graph_new(&graph);
    if (status == BSR_OK)
        status = read_versions(graph, model);
    if (status == BSR_OK && !model->graph)
        status = bsr_fail(BSR_EFORMAT, "the model has no graph");
    if (status == BSR_OK)
        status = refuse_parts(model);
    if (status == BSR_OK) {
        graph->producer = bsr_strdup(text_of(model->producer_name));
        status = graph->producer ? read_graph(graph, model->graph, dir) : BSR_ENOMEM;
    }
    bsr_onnx_release(message);
    if (status != BSR_OK) {
        bsr_graph_free(graph);
        return status;
    }
    *out = graph;
    return BSR_OK;
}
