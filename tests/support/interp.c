#include "support/interp.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "ops/op.h"

bsr_status interp_new(interp **out, const bsr_graph *graph)
{
    size_t n = (size_t)graph->n_values;
    *out = NULL;
    interp *p = bsr_calloc_array(1, sizeof *p);
    if (!p)
        return BSR_ENOMEM;
    p->graph = graph;
    p->values = bsr_calloc_array(n, sizeof *p->values);
    p->results = bsr_calloc_array(n, sizeof *p->results);
    if (!p->values || !p->results) {
        interp_free(p);
        return BSR_ENOMEM;
    }
    for (size_t v = 0; v < n; v++)
        p->values[v] = graph->values[v].constant;
    *out = p;
    return BSR_OK;
}

void interp_free(interp *p)
{
    if (!p)
        return;
    for (int v = 0; p->results && v < p->graph->n_values; v++)
        bsr_tensor_free(p->results[v]);
    bsr_free(p->results);
    bsr_free((void *)p->values);
    bsr_free(p);
}

static bsr_status set_inputs(interp *p, const bsr_tensor *const *inputs)
{
    for (int i = 0; i < p->graph->n_inputs; i++) {
        int at = p->graph->inputs[i];
        const bsr_value *v = &p->graph->values[at];
        if (v->constant)
            continue;
        int same = v->dtype == inputs[i]->dtype && v->rank == inputs[i]->rank &&
                   memcmp(v->dims, inputs[i]->dims, (size_t)v->rank * sizeof *v->dims) == 0;
        if (!same)
            return bsr_fail(BSR_EINVAL, "input '%s' has another type or shape than the graph's",
                            v->name);
        p->values[at] = inputs[i];
    }
    return BSR_OK;
}

/* Views of the node's operands; its results are allocated. */
static bsr_status bind(interp *p, const bsr_node *node, bsr_view *in, bsr_view *out)
{
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] >= 0)
            in[i] = bsr_tensor_view(p->values[node->in[i]]);
    for (int i = 0; i < node->n_out; i++) {
        int at = node->out[i];
        if (at < 0)
            continue;
        const bsr_value *v = &p->graph->values[at];
        bsr_tensor_free(p->results[at]);
        BSR_TRY(bsr_tensor_new(&p->results[at], v->dtype, v->rank, v->dims));
        p->values[at] = p->results[at];
        out[i] = bsr_tensor_view(p->results[at]);
    }
    return BSR_OK;
}

static bsr_status run_node(interp *p, const bsr_node *node)
{
    bsr_view *views = bsr_calloc_array((size_t)(node->n_in + node->n_out), sizeof *views);
    if (!views)
        return BSR_ENOMEM;
    bsr_op_call call = {
        .node = node,
        .opset = p->graph->opset,
        .n_in = node->n_in,
        .n_out = node->n_out,
        .in = views,
        .out = views + node->n_in,
    };
    bsr_status status = bind(p, node, views, views + node->n_in);
    if (status == BSR_OK)
        status = bsr_op_find(node->op_type)->run(&call);
    bsr_free(views);
    return status;
}

bsr_status interp_run(interp *p, const bsr_tensor *const *inputs)
{
    BSR_TRY(set_inputs(p, inputs));
    for (int i = 0; i < p->graph->n_nodes; i++) {
        const bsr_node *node = &p->graph->nodes[i];
        BSR_TRY(run_node(p, node));
        for (int k = 0; p->computed && k < node->n_out; k++)
            if (node->out[k] >= 0)
                p->computed(p->ctx, node->out[k], p->results[node->out[k]]);
    }
    return BSR_OK;
}

const bsr_tensor *interp_output(const interp *p, int i)
{
    return p->values[p->graph->outputs[i]];
}
