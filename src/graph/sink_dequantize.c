#include "graph/sink_dequantize.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "graph/graph_private.h"

static int is_one_of(const bsr_node *node, const char *const *types, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(node->op_type, types[i]) == 0)
            return 1;
    return 0;
}

/* Does the node give the elements of its input 0, of any type, in another order or shape? */
static int is_move(const bsr_node *node)
{
    static const char *const types[] = {"Flatten", "Identity",  "Reshape",
                                        "Squeeze", "Transpose", "Unsqueeze"};
    return is_one_of(node, types, sizeof types / sizeof *types);
}

/* The DequantizeLinear that makes input i, or NULL. */
static const bsr_node *dequantize_of(const bsr_graph *graph, const bsr_node *node, int i)
{
    int value = i < node->n_in ? node->in[i] : -1;
    int producer = value < 0 ? -1 : graph->values[value].producer;
    const bsr_node *n = producer < 0 ? NULL : &graph->nodes[producer];
    return n && strcmp(n->op_type, "DequantizeLinear") == 0 ? n : NULL;
}

/* A layer whose weights are stored as codes. */
static int is_layer(const bsr_graph *graph, const bsr_node *node)
{
    static const char *const types[] = {"Conv", "Gemm", "MatMul"};
    if (!is_one_of(node, types, sizeof types / sizeof *types))
        return 0;
    const bsr_node *weights = dequantize_of(graph, node, 1);
    return weights && graph->values[weights->in[0]].constant;
}

static int is_scalar(const bsr_graph *graph, const bsr_node *node, int i)
{
    const bsr_tensor *t = graph->values[node->in[i]].constant;
    return t && bsr_count(t->rank, t->dims) == 1;
}

/* Computed codes with one scale and zero point: in whatever order, each gives the same float. */
static int is_uniform(const bsr_graph *graph, const bsr_node *dequantize)
{
    int has_zero = dequantize->n_in > 2 && dequantize->in[2] >= 0;
    return !graph->values[dequantize->in[0]].constant && is_scalar(graph, dequantize, 1) &&
           (!has_zero || is_scalar(graph, dequantize, 2));
}

/* A value for the codes behind `to`, of its shape. */
static bsr_status add_codes(bsr_graph *graph, int to, bsr_dtype dtype, int *codes)
{
    char *name = bsr_graph_new_name(graph, to, "_codes", "");
    bsr_status status = name ? bsr_graph_value(graph, name, codes) : BSR_ENOMEM;
    bsr_free(name);
    if (status != BSR_OK)
        return status;
    bsr_value *v = &graph->values[*codes];
    const bsr_value *like = &graph->values[to];
    v->dtype = dtype;
    v->rank = like->rank;
    memcpy(v->dims, like->dims, sizeof v->dims);
    return BSR_OK;
}

/* Appends a DequantizeLinear from `codes` to `to` with the parameters of node `like`. */
static bsr_status add_dequantize(bsr_graph *graph, int like, int codes, int to)
{
    const bsr_node *old = &graph->nodes[like];
    /* Adding moves the nodes, the texts and operands that they own stay where they are. */
    const int *parameters = old->in, n_in = old->n_in;
    bsr_node *node = bsr_graph_add_node(graph, old->name, old->op_type);
    if (!node)
        return BSR_ENOMEM;
    node->inserted = 1;
    node->in = bsr_alloc_array((size_t)n_in, sizeof *node->in);
    node->out = bsr_alloc_array(1, sizeof *node->out);
    if (!node->in || !node->out)
        return BSR_ENOMEM;
    memcpy(node->in, parameters, (size_t)n_in * sizeof *node->in);
    node->in[0] = codes;
    node->out[0] = to;
    node->n_in = n_in;
    node->n_out = 1;
    return BSR_OK;
}

/* The old DequantizeLinear stays for its other readers; without any it will be pruned. */
static bsr_status exchange(bsr_graph *graph, int move)
{
    int from = graph->nodes[move].in[0], to = graph->nodes[move].out[0], moved;
    int dequantize = graph->values[from].producer;
    int codes = graph->nodes[dequantize].in[0];
    BSR_TRY(add_codes(graph, to, graph->values[codes].dtype, &moved));
    BSR_TRY(add_dequantize(graph, dequantize, moved, to));
    graph->nodes[move].in[0] = codes;
    graph->nodes[move].out[0] = moved;
    graph->values[moved].producer = move;
    graph->values[to].producer = graph->n_nodes - 1;
    return BSR_OK;
}

bsr_status bsr_graph_sink_dequantize(bsr_graph *graph)
{
    int n_nodes = graph->n_nodes, any = 0;
    /* Values whose elements come to a layer by moves alone. */
    unsigned char *read = bsr_calloc_array((size_t)graph->n_values, 1);
    if (!read)
        return BSR_ENOMEM;
    for (int i = n_nodes - 1; i >= 0; i--) {
        const bsr_node *node = &graph->nodes[i];
        if (is_layer(graph, node) || (is_move(node) && read[node->out[0]]))
            read[node->in[0]] = 1;
    }
    bsr_status status = BSR_OK;
    for (int i = 0; i < n_nodes && status == BSR_OK; i++) {
        const bsr_node *node = &graph->nodes[i];
        const bsr_node *dequantize = is_move(node) ? dequantize_of(graph, node, 0) : NULL;
        if (!dequantize || !read[node->out[0]] || !is_uniform(graph, dequantize))
            continue;
        status = exchange(graph, i);
        any = 1;
    }
    bsr_free(read);
    if (status != BSR_OK || !any)
        return status;
    BSR_TRY(bsr_graph_finish(graph));
    return bsr_graph_prune(graph, NULL);
}
