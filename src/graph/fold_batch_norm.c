#include "graph/fold_batch_norm.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "graph/graph_private.h"

/* A place to fold: indices into the graph. */
typedef struct place {
    int conv, norm;      /* nodes */
    int weights, bias;   /* values; bias -1 for none */
    int64_t channels;    /* of the output */
    const float *par[4]; /* of the normalization: scale, shift, mean, var */
} place;

/* The constant that input i stores as itself: not the result of a node that was kept because its
 * codes are what is stored. -1 where there is none. */
static int stored_input(const bsr_graph *graph, const bsr_node *node, int i)
{
    int value = i < node->n_in ? node->in[i] : -1;
    if (value < 0)
        return -1;
    const bsr_value *v = &graph->values[value];
    return v->constant && v->producer < 0 && v->constant->dtype == BSR_F32 ? value : -1;
}

static int64_t count_of(const bsr_tensor *t)
{
    return bsr_count(t->rank, t->dims);
}

/* The vectors of the normalization; 0 when one is not a constant of `channels` values. */
static int read_parameters(place *p, const bsr_graph *graph, const bsr_node *norm)
{
    for (int i = 0; i < 4; i++) {
        int value = stored_input(graph, norm, 1 + i);
        if (value < 0 || count_of(graph->values[value].constant) != p->channels)
            return 0;
        p->par[i] = graph->values[value].constant->data;
    }
    return 1;
}

/* Has the node no result but its first? */
static int one_result(const bsr_node *node)
{
    for (int i = 1; i < node->n_out; i++)
        if (node->out[i] >= 0)
            return 0;
    return node->n_out > 0 && node->out[0] >= 0;
}

static int find_place(place *p, const bsr_graph *graph, int node)
{
    const bsr_node *norm = &graph->nodes[node];
    if (strcmp(norm->op_type, "BatchNormalization") != 0 || norm->n_in < 5 || norm->in[0] < 0 ||
        !one_result(norm) || bsr_node_int(norm, "training_mode", 0))
        return 0;
    const bsr_value *x = &graph->values[norm->in[0]];
    if (x->producer < 0 || x->n_consumers != 1 || x->is_output)
        return 0;
    const bsr_node *conv = &graph->nodes[x->producer];
    if (strcmp(conv->op_type, "Conv") != 0)
        return 0;
    *p = (place){.conv = x->producer, .norm = node, .bias = -1};
    p->weights = stored_input(graph, conv, 1);
    if (p->weights < 0 || graph->values[p->weights].n_consumers != 1)
        return 0;
    const bsr_tensor *w = graph->values[p->weights].constant;
    p->channels = w->rank > 0 ? w->dims[0] : 0;
    if (p->channels < 1)
        return 0;
    if (conv->n_in > 2 && conv->in[2] >= 0) {
        p->bias = stored_input(graph, conv, 2);
        if (p->bias < 0 || count_of(graph->values[p->bias].constant) != p->channels)
            return 0;
    }
    return read_parameters(p, graph, norm);
}

static void scale_constants(bsr_tensor *weights, bsr_tensor *bias, const place *p,
                            const bsr_graph *graph)
{
    const float *w = graph->values[p->weights].constant->data;
    const float *b = p->bias < 0 ? NULL : graph->values[p->bias].constant->data;
    float *to = weights->data, *shifted = bias->data;
    double epsilon = bsr_node_float(&graph->nodes[p->norm], "epsilon", 1e-5f);
    int64_t size = count_of(weights) / p->channels;
    for (int64_t m = 0; m < p->channels; m++) {
        double k = p->par[0][m] / sqrt(p->par[3][m] + epsilon);
        for (int64_t i = m * size; i < (m + 1) * size; i++)
            to[i] = (float)(w[i] * k);
        shifted[m] = (float)(((b ? b[m] : 0.0) - p->par[2][m]) * k + p->par[1][m]);
    }
}

/* A value for `tensor`, without the tensor itself. */
static bsr_status add_value(bsr_graph *graph, const bsr_tensor *tensor, int of, const char *suffix,
                            int *value)
{
    char *name = bsr_graph_new_name(graph, of, "_folded", suffix);
    bsr_status status = name ? bsr_graph_value(graph, name, value) : BSR_ENOMEM;
    bsr_free(name);
    if (status != BSR_OK)
        return status;
    bsr_value *v = &graph->values[*value];
    v->dtype = tensor->dtype;
    v->rank = tensor->rank;
    memcpy(v->dims, tensor->dims, sizeof v->dims);
    return BSR_OK;
}

/* The convolution takes the new constants and makes the normalization's result; the latter's node
 * has none left and will be pruned. */
static void rewire(bsr_graph *graph, const place *p, int *in, int weights, int bias)
{
    bsr_node *conv = &graph->nodes[p->conv], *norm = &graph->nodes[p->norm];
    in[0] = conv->in[0];
    in[1] = weights;
    in[2] = bias;
    bsr_free(conv->in);
    conv->in = in;
    conv->n_in = 3;
    conv->out[0] = norm->out[0];
    norm->out[0] = -1;
}

static bsr_status fold(bsr_graph *graph, const place *p)
{
    const bsr_tensor *old = graph->values[p->weights].constant;
    bsr_tensor *weights = NULL, *bias = NULL;
    int weights_value, bias_value;
    int *in = bsr_alloc_array(3, sizeof *in);
    bsr_status status = in ? BSR_OK : BSR_ENOMEM;
    if (status == BSR_OK)
        status = bsr_tensor_new(&weights, BSR_F32, old->rank, old->dims);
    if (status == BSR_OK)
        status = bsr_tensor_new(&bias, BSR_F32, 1, &p->channels);
    if (status == BSR_OK)
        status = add_value(graph, weights, p->weights, "", &weights_value);
    if (status == BSR_OK)
        status = add_value(graph, bias, p->weights, "_bias", &bias_value);
    if (status != BSR_OK) {
        bsr_free(in);
        bsr_tensor_free(weights);
        bsr_tensor_free(bias);
        return status;
    }
    scale_constants(weights, bias, p, graph);
    graph->values[weights_value].constant = weights;
    graph->values[bias_value].constant = bias;
    rewire(graph, p, in, weights_value, bias_value);
    return BSR_OK;
}

static void free_unread_constants(bsr_graph *graph)
{
    for (int i = 0; i < graph->n_values; i++) {
        bsr_value *v = &graph->values[i];
        if (v->constant && v->n_consumers == 0 && v->producer < 0 && !v->is_output &&
            !v->is_input) {
            bsr_tensor_free(v->constant);
            v->constant = NULL;
        }
    }
}

bsr_status bsr_graph_fold_batch_norm(bsr_graph *graph)
{
    place p;
    for (int i = 0; i < graph->n_nodes; i++)
        if (find_place(&p, graph, i))
            BSR_TRY(fold(graph, &p));
    BSR_TRY(bsr_graph_prune(graph, NULL));
    free_unread_constants(graph);
    return BSR_OK;
}
