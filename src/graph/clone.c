/* Deep copies. Every loop counts what it has copied, so that a copy that ran out of memory can be
 * freed as any other graph. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "graph/graph.h"

/* n * size bytes; NULL stays NULL. */
static bsr_status copy_array(void *out_address, const void *from, size_t n, size_t size)
{
    if (!from)
        return BSR_OK;
    void *copy = bsr_alloc_array(n, size);
    if (!copy)
        return BSR_ENOMEM;
    if (n)
        memcpy(copy, from, n * size);
    memcpy(out_address, &copy, sizeof copy);
    return BSR_OK;
}

static bsr_status copy_string(char **out, const char *from)
{
    return copy_array(out, from, from ? strlen(from) + 1 : 0, 1);
}

static bsr_status copy_tensor(bsr_tensor **out, const bsr_tensor *from)
{
    if (!from)
        return BSR_OK;
    BSR_TRY(bsr_tensor_new(out, from->dtype, from->rank, from->dims));
    size_t n = (size_t)bsr_count(from->rank, from->dims);
    memcpy((*out)->data, from->data, n * bsr_dtype_size(from->dtype));
    return BSR_OK;
}

static bsr_status copy_attr(bsr_attr *out, const bsr_attr *from)
{
    out->kind = from->kind;
    out->i = from->i;
    out->f = from->f;
    out->n = from->n;
    BSR_TRY(copy_string(&out->name, from->name));
    BSR_TRY(copy_string(&out->s, from->s));
    BSR_TRY(copy_array(&out->ints, from->ints, from->n, sizeof *from->ints));
    BSR_TRY(copy_array(&out->floats, from->floats, from->n, sizeof *from->floats));
    if (from->strings) {
        out->strings = bsr_calloc_array(from->n, sizeof *out->strings);
        if (!out->strings)
            return BSR_ENOMEM;
        for (size_t i = 0; i < from->n; i++)
            BSR_TRY(copy_string(&out->strings[i], from->strings[i]));
    }
    return copy_tensor(&out->t, from->t);
}

static bsr_status copy_node(bsr_graph *out, const bsr_node *from)
{
    bsr_node *node = bsr_graph_add_node(out, from->name, from->op_type);
    if (!node)
        return BSR_ENOMEM;
    node->keep = from->keep;
    node->inserted = from->inserted;
    BSR_TRY(copy_array(&node->in, from->in, (size_t)from->n_in, sizeof *from->in));
    node->n_in = from->n_in;
    BSR_TRY(copy_array(&node->out, from->out, (size_t)from->n_out, sizeof *from->out));
    node->n_out = from->n_out;
    if (!from->attr)
        return BSR_OK;
    node->attr = bsr_calloc_array((size_t)from->n_attr, sizeof *node->attr);
    if (!node->attr)
        return BSR_ENOMEM;
    for (; node->n_attr < from->n_attr; node->n_attr++) {
        bsr_status status = copy_attr(&node->attr[node->n_attr], &from->attr[node->n_attr]);
        if (status != BSR_OK) {
            node->n_attr++; /* what it holds so far is freed too */
            return status;
        }
    }
    return BSR_OK;
}

static bsr_status copy_value(bsr_graph *out, const bsr_value *from)
{
    int index;
    BSR_TRY(bsr_graph_value(out, from->name, &index));
    bsr_value *v = &out->values[index];
    char *name = v->name;
    *v = *from;
    v->name = name;
    v->constant = NULL;
    /* Set again as the lists of inputs and outputs are made. */
    v->is_input = v->is_output = 0;
    return copy_tensor(&v->constant, from->constant);
}

static bsr_status copy_graph(bsr_graph *out, const bsr_graph *from)
{
    out->ir_version = from->ir_version;
    out->opset = from->opset;
    BSR_TRY(copy_string(&out->name, from->name));
    BSR_TRY(copy_string(&out->producer, from->producer));
    for (int i = 0; i < from->n_values; i++)
        BSR_TRY(copy_value(out, &from->values[i]));
    for (int i = 0; i < from->n_nodes; i++)
        BSR_TRY(copy_node(out, &from->nodes[i]));
    for (int i = 0; i < from->n_inputs; i++)
        BSR_TRY(bsr_graph_add_input(out, from->inputs[i]));
    for (int i = 0; i < from->n_outputs; i++)
        BSR_TRY(bsr_graph_add_output(out, from->outputs[i]));
    for (int i = 0; i < from->n_values; i++) {
        out->values[i].is_input = from->values[i].is_input;
        out->values[i].is_output = from->values[i].is_output;
    }
    return BSR_OK;
}

bsr_status bsr_graph_clone(bsr_graph **out, const bsr_graph *graph)
{
    *out = NULL;
    bsr_graph *copy;
    BSR_TRY(bsr_graph_new(&copy));
    bsr_status status = copy_graph(copy, graph);
    if (status != BSR_OK) {
        bsr_graph_free(copy);
        return status;
    }
    *out = copy;
    return BSR_OK;
}
