/* Shape inference over a whole graph, with constant folding. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "ops/op.h"

/* Largest folded result: a few bytes of an Expand or ConstantOfShape can ask for gigabytes. */
#define MAX_FOLDED_BYTES ((int64_t)256 << 20)

const bsr_value *bsr_infer_in(const bsr_infer *ctx, int i)
{
    if (i >= ctx->node->n_in || ctx->node->in[i] < 0)
        return NULL;
    return &ctx->graph->values[ctx->node->in[i]];
}

const bsr_tensor *bsr_infer_const(const bsr_infer *ctx, int i)
{
    const bsr_value *v = bsr_infer_in(ctx, i);
    return v ? v->constant : NULL;
}

/* What the file declared for the value before is replaced: declarations of inner values are hints,
 * and those of outputs may be for another batch size. */
bsr_status bsr_infer_set(bsr_infer *ctx, int i, bsr_dtype dtype, int rank, const int64_t *dims)
{
    const bsr_node *node = ctx->node;
    if (i >= node->n_out || node->out[i] < 0)
        return BSR_OK;
    bsr_value *v = &ctx->graph->values[node->out[i]];
    char text[192];
    if (rank < 0 || rank > BSR_MAX_RANK)
        return bsr_node_fail(node, BSR_EUNSUPPORTED, "output %d has rank %d, expected 0 to %d", i,
                             rank, BSR_MAX_RANK);
    if (bsr_count(rank, dims) < 0)
        return bsr_node_fail(node, BSR_ELIMIT, "output %d would be %s, more than %lld elements", i,
                             bsr_dims_text(text, sizeof text, rank, dims),
                             (long long)BSR_MAX_ELEMENTS);
    v->dtype = dtype;
    v->rank = rank;
    for (int d = 0; d < rank; d++)
        v->dims[d] = dims[d];
    return BSR_OK;
}

static bsr_status check_inputs(const bsr_graph *graph)
{
    for (int i = 0; i < graph->n_inputs; i++) {
        const bsr_value *v = &graph->values[graph->inputs[i]];
        if (v->constant)
            continue;
        char text[192];
        if (v->dtype == BSR_NONE || v->rank < 0)
            return bsr_fail(BSR_EINVAL, "graph input '%s' has no element type or shape", v->name);
        if (bsr_count(v->rank, v->dims) < 0)
            return bsr_fail(BSR_EINVAL, "graph input '%s' has shape %s, expected fixed dimensions",
                            v->name, bsr_dims_text(text, sizeof text, v->rank, v->dims));
    }
    return BSR_OK;
}

/* Constants carry their shapes; the values that hold them repeat them for the families. */
static void copy_constant_shapes(bsr_graph *graph)
{
    for (int i = 0; i < graph->n_values; i++) {
        bsr_value *v = &graph->values[i];
        if (!v->constant)
            continue;
        v->dtype = v->constant->dtype;
        v->rank = v->constant->rank;
        memcpy(v->dims, v->constant->dims, sizeof v->dims);
    }
}

/* The row says nothing about it, but these two read no element of their input. */
static int reads_shape_only(const bsr_node *node)
{
    return strcmp(node->op_type, "Shape") == 0 || strcmp(node->op_type, "Size") == 0;
}

static int can_fold(const bsr_graph *graph, const bsr_node *node)
{
    if (reads_shape_only(node))
        return 1;
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] >= 0 && !graph->values[node->in[i]].constant)
            return 0;
    return 1;
}

/* A view of a value's shape, with its constant's elements or without any. */
static bsr_view value_view(const bsr_value *v)
{
    if (v->constant)
        return bsr_tensor_view(v->constant);
    bsr_view view = {.dtype = v->dtype, .rank = v->rank};
    memcpy(view.dims, v->dims, sizeof view.dims);
    bsr_row_major(view.rank, view.dims, view.strides);
    return view;
}

static bsr_status new_result(bsr_tensor **out, const bsr_node *node, const bsr_value *v)
{
    int64_t bytes = bsr_count(v->rank, v->dims) * (int64_t)bsr_dtype_size(v->dtype);
    if (bytes > MAX_FOLDED_BYTES)
        return bsr_node_fail(node, BSR_ELIMIT, "constant result has %lld bytes, the limit is %lld",
                             (long long)bytes, (long long)MAX_FOLDED_BYTES);
    return bsr_tensor_new(out, v->dtype, v->rank, v->dims);
}

/* Evaluates a node; its outputs become constants of their values. */
static bsr_status fold(bsr_graph *graph, const bsr_node *node, const bsr_op *op)
{
    bsr_status status = BSR_ENOMEM;
    size_t n_in = (size_t)node->n_in, n_out = (size_t)node->n_out;
    bsr_view *views = bsr_calloc_array(n_in + n_out, sizeof *views);
    bsr_tensor **results = bsr_calloc_array(n_out, sizeof *results);
    if (!views || !results)
        goto done;
    for (size_t i = 0; i < n_in; i++)
        if (node->in[i] >= 0)
            views[i] = value_view(&graph->values[node->in[i]]);
    for (size_t i = 0; i < n_out; i++) {
        if (node->out[i] < 0)
            continue;
        status = new_result(&results[i], node, &graph->values[node->out[i]]);
        if (status != BSR_OK)
            goto done;
        views[n_in + i] = bsr_tensor_view(results[i]);
    }
    bsr_op_call call = {
        .node = node,
        .opset = graph->opset,
        .n_in = node->n_in,
        .n_out = node->n_out,
        .in = views,
        .out = views + n_in,
    };
    status = op->run(&call);
    for (size_t i = 0; status == BSR_OK && i < n_out; i++) {
        if (!results[i])
            continue;
        graph->values[node->out[i]].constant = results[i];
        results[i] = NULL;
    }
done:
    for (size_t i = 0; results && i < n_out; i++)
        bsr_tensor_free(results[i]);
    bsr_free(results);
    bsr_free(views);
    return status;
}

static bsr_status resolve_node(bsr_graph *graph, bsr_node *node)
{
    const bsr_op *op = bsr_op_find(node->op_type);
    if (!op)
        return bsr_node_fail(node, BSR_EUNSUPPORTED, "operator '%s' is not supported",
                             node->op_type);
    BSR_TRY(bsr_op_check(node, op, graph->opset));
    bsr_infer ctx = {.graph = graph, .node = node};
    BSR_TRY(op->infer(&ctx));
    if (!can_fold(graph, node))
        return BSR_OK;
    /* The codes behind a constant are what is stored and what faults hit, so the executor must find
     * them; their float values serve everything else. */
    node->keep = strcmp(node->op_type, "DequantizeLinear") == 0;
    return fold(graph, node, op);
}

/* Frees folded constants that only folded nodes read. Initialisers go the same way. */
static void drop_unread_constants(bsr_graph *graph)
{
    for (int i = 0; i < graph->n_values; i++) {
        bsr_value *v = &graph->values[i];
        if (v->constant && v->n_consumers == 0 && !v->is_output && !v->is_input) {
            bsr_tensor_free(v->constant);
            v->constant = NULL;
        }
    }
}

bsr_status bsr_ops_resolve(bsr_graph *graph)
{
    BSR_TRY(check_inputs(graph));
    copy_constant_shapes(graph);
    for (int i = 0; i < graph->n_nodes; i++)
        BSR_TRY(resolve_node(graph, &graph->nodes[i]));
    BSR_TRY(bsr_graph_prune(graph, NULL));
    drop_unread_constants(graph);
    return BSR_OK;
}
