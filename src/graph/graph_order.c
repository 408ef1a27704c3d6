/* Checking, sorting and pruning. */
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "graph/graph_private.h"

/* Values of visit.next[node] besides "the input to look at next". */
enum { UNVISITED = -1, DONE = INT_MAX };

/* A depth-first walk with its own stack: a chain of a million nodes must not use the C stack. */
typedef struct visit {
    int *next;  /* per node */
    int *stack; /* nodes being visited, each at most once */
    int *order; /* finished nodes */
    int n_order;
} visit;

static bsr_status check_output(const bsr_graph *graph, int node, const bsr_value *v)
{
    const bsr_node *n = &graph->nodes[node];
    if (v->producer >= 0) {
        const bsr_node *other = &graph->nodes[v->producer];
        return bsr_fail(BSR_EFORMAT, "value '%s' has two producers: node '%s' (%s), node '%s' (%s)",
                        v->name, other->name, other->op_type, n->name, n->op_type);
    }
    /* A node that was folded and kept (bsr_ops_resolve) makes a constant rightly. */
    if (v->is_input || (v->constant && !n->keep))
        return bsr_fail(BSR_EFORMAT, "node '%s' (%s): output '%s' is also %s", n->name, n->op_type,
                        v->name, v->is_input ? "a graph input" : "an initialiser");
    return BSR_OK;
}

static bsr_status set_producers(bsr_graph *graph)
{
    for (int i = 0; i < graph->n_values; i++)
        graph->values[i].producer = -1;
    for (int i = 0; i < graph->n_nodes; i++) {
        const bsr_node *node = &graph->nodes[i];
        for (int k = 0; k < node->n_out; k++) {
            if (node->out[k] < 0)
                continue;
            bsr_value *v = &graph->values[node->out[k]];
            BSR_TRY(check_output(graph, i, v));
            v->producer = i;
        }
    }
    return BSR_OK;
}

static int dangles(const bsr_value *v)
{
    return v->producer < 0 && !v->is_input && !v->constant;
}

static bsr_status check_sources(const bsr_graph *graph)
{
    for (int i = 0; i < graph->n_inputs; i++) {
        const bsr_value *v = &graph->values[graph->inputs[i]];
        if (v->constant)
            return bsr_fail(BSR_EFORMAT, "graph input '%s' is also an initialiser", v->name);
    }
    for (int i = 0; i < graph->n_nodes; i++) {
        const bsr_node *node = &graph->nodes[i];
        for (int k = 0; k < node->n_in; k++) {
            if (node->in[k] >= 0 && dangles(&graph->values[node->in[k]]))
                return bsr_fail(BSR_EFORMAT,
                                "node '%s' (%s): input %d '%s' dangles: no node, graph input or "
                                "initialiser gives it",
                                node->name, node->op_type, k, graph->values[node->in[k]].name);
        }
    }
    for (int i = 0; i < graph->n_outputs; i++) {
        const bsr_value *v = &graph->values[graph->outputs[i]];
        if (dangles(v))
            return bsr_fail(BSR_EFORMAT,
                            "graph output '%s' dangles: no node, graph input or initialiser "
                            "gives it",
                            v->name);
    }
    return BSR_OK;
}

/* Appends `root` to the order, after the producers of its inputs that are not there yet. In a
 * sorted file there never are any, so that its order is kept. */
static bsr_status visit_from(visit *w, const bsr_graph *graph, int root)
{
    int depth = 0;
    w->stack[0] = root;
    w->next[root] = 0;
    while (depth >= 0) {
        int at = w->stack[depth];
        const bsr_node *node = &graph->nodes[at];
        if (w->next[at] == node->n_in) {
            w->next[at] = DONE;
            w->order[w->n_order++] = at;
            depth--;
            continue;
        }
        int value = node->in[w->next[at]++];
        int from = value < 0 ? -1 : graph->values[value].producer;
        if (from < 0 || w->next[from] == DONE)
            continue;
        if (w->next[from] != UNVISITED)
            return bsr_fail(BSR_EFORMAT, "node '%s' (%s) is on a cycle through its input '%s'",
                            node->name, node->op_type, graph->values[value].name);
        w->next[from] = 0;
        w->stack[++depth] = from;
    }
    return BSR_OK;
}

/* Puts nodes[order[i]] at place i. */
static bsr_status reorder(bsr_graph *graph, const int *order)
{
    bsr_node *sorted = bsr_alloc_array((size_t)graph->n_nodes, sizeof *sorted);
    if (!sorted)
        return BSR_ENOMEM;
    for (int i = 0; i < graph->n_nodes; i++)
        sorted[i] = graph->nodes[order[i]];
    bsr_free(graph->nodes);
    graph->nodes = sorted;
    graph->cap_nodes = (size_t)graph->n_nodes;
    return BSR_OK;
}

static bsr_status sort_nodes(bsr_graph *graph)
{
    size_t n = (size_t)graph->n_nodes;
    bsr_status status = BSR_ENOMEM;
    visit w = {.next = bsr_alloc_array(n, sizeof *w.next),
               .stack = bsr_alloc_array(n, sizeof *w.stack),
               .order = bsr_alloc_array(n, sizeof *w.order)};
    if (!w.next || !w.stack || !w.order)
        goto done;
    for (size_t i = 0; i < n; i++)
        w.next[i] = UNVISITED;
    for (int i = 0; i < graph->n_nodes; i++) {
        if (w.next[i] == DONE)
            continue;
        status = visit_from(&w, graph, i);
        if (status != BSR_OK)
            goto done;
    }
    status = reorder(graph, w.order);
done:
    bsr_free(w.next);
    bsr_free(w.stack);
    bsr_free(w.order);
    return status;
}

/* producer and n_consumers of every value from the nodes as they stand. */
static void recount(bsr_graph *graph)
{
    for (int i = 0; i < graph->n_values; i++) {
        graph->values[i].producer = -1;
        graph->values[i].n_consumers = 0;
    }
    for (int i = 0; i < graph->n_nodes; i++) {
        const bsr_node *node = &graph->nodes[i];
        for (int k = 0; k < node->n_in; k++)
            if (node->in[k] >= 0)
                graph->values[node->in[k]].n_consumers++;
        for (int k = 0; k < node->n_out; k++)
            if (node->out[k] >= 0 && (node->keep || !graph->values[node->out[k]].constant))
                graph->values[node->out[k]].producer = i;
    }
}

bsr_status bsr_graph_finish(bsr_graph *graph)
{
    BSR_TRY(set_producers(graph));
    BSR_TRY(check_sources(graph));
    BSR_TRY(sort_nodes(graph));
    recount(graph);
    return BSR_OK;
}

static int is_needed(const bsr_graph *graph, const bsr_node *node, const unsigned char *needed)
{
    for (int k = 0; k < node->n_out; k++) {
        int value = node->out[k];
        if (value >= 0 && needed[value] && (node->keep || !graph->values[value].constant))
            return 1;
    }
    return 0;
}

bsr_status bsr_graph_prune(bsr_graph *graph, const unsigned char *keep)
{
    size_t n_values = (size_t)graph->n_values, n_nodes = (size_t)graph->n_nodes;
    unsigned char *needed = bsr_calloc_array(n_values + n_nodes, 1);
    if (!needed)
        return BSR_ENOMEM;
    unsigned char *stays = needed + n_values;
    if (keep && n_values)
        memcpy(needed, keep, n_values);
    for (int i = 0; i < graph->n_outputs; i++)
        needed[graph->outputs[i]] = 1;
    /* Consumers stand behind their producers, so one sweep from the back sees them first. */
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        const bsr_node *node = &graph->nodes[i];
        stays[i] = (unsigned char)is_needed(graph, node, needed);
        for (int k = 0; stays[i] && k < node->n_in; k++)
            if (node->in[k] >= 0)
                needed[node->in[k]] = 1;
    }
    int n = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        if (stays[i])
            graph->nodes[n++] = graph->nodes[i];
        else
            bsr_node_clear(&graph->nodes[i]);
    }
    graph->n_nodes = n;
    recount(graph);
    bsr_free(needed);
    return BSR_OK;
}
