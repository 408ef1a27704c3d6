#include "ops/graph_gradient.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

struct bsr_tape {
    const bsr_graph *graph;
    const bsr_tensor **values; /* per value; borrowed */
    bsr_tensor **results;      /* per value: what a node made, owned; else NULL */
};

void bsr_tape_free(bsr_tape *tape)
{
    if (!tape)
        return;
    for (int v = 0; tape->results && v < tape->graph->n_values; v++)
        bsr_tensor_free(tape->results[v]);
    bsr_free(tape->results);
    bsr_free((void *)tape->values);
    bsr_free(tape);
}

const bsr_tensor *bsr_tape_value(const bsr_tape *tape, int value)
{
    return tape->values[value];
}

static int same_shape(const bsr_tensor *t, int rank, const int64_t *dims)
{
    return t->rank == rank && memcmp(t->dims, dims, (size_t)rank * sizeof *dims) == 0;
}

static bsr_status bind_inputs(bsr_tape *tape, const bsr_tensor *const *inputs)
{
    for (int i = 0; i < tape->graph->n_inputs; i++) {
        int at = tape->graph->inputs[i];
        const bsr_value *v = &tape->graph->values[at];
        const bsr_tensor *t = inputs[i];
        char have[96], want[96];
        if (v->constant)
            continue;
        if (t->dtype != v->dtype || !same_shape(t, v->rank, v->dims))
            return bsr_fail(
                BSR_EINVAL, "input '%s' is %s %s, expected %s %s", v->name,
                bsr_dtype_name(t->dtype), bsr_dims_text(have, sizeof have, t->rank, t->dims),
                bsr_dtype_name(v->dtype), bsr_dims_text(want, sizeof want, v->rank, v->dims));
        tape->values[at] = t;
    }
    return BSR_OK;
}

/* The node's call on the values of the tape; views has room for its inputs and outputs. */
static bsr_op_call node_call(const bsr_tape *tape, const bsr_node *node, bsr_view *views)
{
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] >= 0)
            views[i] = bsr_tensor_view(tape->values[node->in[i]]);
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] >= 0)
            views[node->n_in + i] = bsr_tensor_view(tape->values[node->out[i]]);
    return (bsr_op_call){.node = node,
                         .opset = tape->graph->opset,
                         .n_in = node->n_in,
                         .n_out = node->n_out,
                         .in = views,
                         .out = views + node->n_in};
}

static bsr_status run_node(bsr_tape *tape, const bsr_node *node)
{
    for (int i = 0; i < node->n_out; i++) {
        int at = node->out[i];
        if (at < 0)
            continue;
        const bsr_value *v = &tape->graph->values[at];
        BSR_TRY(bsr_tensor_new(&tape->results[at], v->dtype, v->rank, v->dims));
        tape->values[at] = tape->results[at];
    }
    bsr_view *views = bsr_calloc_array((size_t)(node->n_in + node->n_out), sizeof *views);
    if (!views)
        return BSR_ENOMEM;
    bsr_op_call call = node_call(tape, node, views);
    bsr_status status = bsr_op_find(node->op_type)->run(&call);
    bsr_free(views);
    return status;
}

bsr_status bsr_tape_new(bsr_tape **out, const bsr_graph *graph, const bsr_tensor *const *inputs)
{
    bsr_status status = BSR_ENOMEM;
    *out = NULL;
    bsr_tape *tape = bsr_calloc_array(1, sizeof *tape);
    if (!tape)
        return BSR_ENOMEM;
    tape->graph = graph;
    tape->values = bsr_calloc_array((size_t)graph->n_values, sizeof *tape->values);
    tape->results = bsr_calloc_array((size_t)graph->n_values, sizeof *tape->results);
    if (!tape->values || !tape->results)
        goto done;
    for (int v = 0; v < graph->n_values; v++)
        tape->values[v] = graph->values[v].constant;
    status = bind_inputs(tape, inputs);
    for (int i = 0; status == BSR_OK && i < graph->n_nodes; i++)
        status = run_node(tape, &graph->nodes[i]);
    if (status != BSR_OK)
        goto done;
    *out = tape;
    tape = NULL;
done:
    bsr_tape_free(tape);
    return status;
}

/* One backward pass. */
typedef struct pass {
    const bsr_tape *tape;
    unsigned char *depends; /* per value: it is wanted or computed from a wanted one */
    bsr_tensor **sums;      /* per value: its gradient as far as known, NULL for zeros */
} pass;

/* Values of these types pass no gradient on: they are indices, shapes and conditions. */
static int is_discrete(bsr_dtype dtype)
{
    return dtype == BSR_I64 || dtype == BSR_BOOL;
}

static bsr_status check(const bsr_tape *tape, int from, const bsr_tensor *seed, int n,
                        const int *wanted)
{
    const bsr_tensor *y = tape->values[from];
    const char *name = tape->graph->values[from].name;
    char have[96], want[96];
    if (!y)
        return bsr_fail(BSR_EINVAL, "value '%s' has no elements", name);
    if (seed->dtype != BSR_F32 || !same_shape(seed, y->rank, y->dims))
        return bsr_fail(BSR_EINVAL, "seed is %s %s, expected float32 %s for value '%s'",
                        bsr_dtype_name(seed->dtype),
                        bsr_dims_text(have, sizeof have, seed->rank, seed->dims),
                        bsr_dims_text(want, sizeof want, y->rank, y->dims), name);
    for (int i = 0; i < n; i++) {
        const bsr_tensor *x = tape->values[wanted[i]];
        name = tape->graph->values[wanted[i]].name;
        if (!x)
            return bsr_fail(BSR_EINVAL, "value '%s' has no elements", name);
        if (is_discrete(x->dtype))
            return bsr_fail(BSR_EINVAL, "value '%s' is %s, which has no gradient", name,
                            bsr_dtype_name(x->dtype));
    }
    return BSR_OK;
}

static void find_dependents(pass *p, int n, const int *wanted)
{
    const bsr_graph *graph = p->tape->graph;
    for (int i = 0; i < n; i++)
        p->depends[wanted[i]] = 1;
    for (int i = 0; i < graph->n_nodes; i++) {
        const bsr_node *node = &graph->nodes[i];
        int any = 0;
        for (int k = 0; k < node->n_in; k++)
            any |= node->in[k] >= 0 && p->depends[node->in[k]];
        for (int k = 0; any && k < node->n_out; k++)
            if (node->out[k] >= 0 && !is_discrete(p->tape->values[node->out[k]]->dtype))
                p->depends[node->out[k]] = 1;
    }
}

static void add(bsr_tensor *sum, const bsr_tensor *term)
{
    float *to = sum->data;
    const float *from = term->data;
    for (int64_t i = 0, n = bsr_count(sum->rank, sum->dims); i < n; i++)
        to[i] += from[i];
}

static bsr_tensor *gradient_like(const bsr_tensor *t)
{
    bsr_tensor *g;
    return bsr_tensor_new(&g, BSR_F32, t->rank, t->dims) == BSR_OK ? g : NULL;
}

/* Runs the node's rule and adds what it gives to the sums of its inputs. `views` and `terms` have
 * room for its inputs and outputs, the former twice. */
static bsr_status differentiate(pass *p, const bsr_node *node, bsr_view *views, bsr_tensor **terms)
{
    const bsr_op *op = bsr_op_find(node->op_type);
    bsr_view *grad_in = views + node->n_in + node->n_out, *grad_out = grad_in + node->n_in;
    bsr_op_call forward = node_call(p->tape, node, views);
    if (!op->backward)
        return bsr_node_fail(node, BSR_EUNSUPPORTED, "operator '%s' has no backward rule",
                             node->op_type);
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] >= 0 && p->sums[node->out[i]])
            grad_out[i] = bsr_tensor_view(p->sums[node->out[i]]);
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i] < 0 || !p->depends[node->in[i]])
            continue;
        terms[i] = gradient_like(p->tape->values[node->in[i]]);
        if (!terms[i])
            return BSR_ENOMEM;
        grad_in[i] = bsr_tensor_view(terms[i]);
    }
    BSR_TRY(op->backward(&(bsr_op_backward){&forward, grad_out, grad_in}));
    for (int i = 0; i < node->n_in; i++) {
        if (!terms[i])
            continue;
        bsr_tensor **sum = &p->sums[node->in[i]];
        if (*sum) {
            add(*sum, terms[i]);
            continue;
        }
        *sum = terms[i];
        terms[i] = NULL;
    }
    return BSR_OK;
}

/* Does a gradient come in, and is one of what the node computes it from asked for? */
static int is_on_path(const pass *p, const bsr_node *node)
{
    int in = 0, out = 0;
    for (int i = 0; i < node->n_in; i++)
        in |= node->in[i] >= 0 && p->depends[node->in[i]];
    for (int i = 0; i < node->n_out; i++)
        out |= node->out[i] >= 0 && p->depends[node->out[i]] && p->sums[node->out[i]];
    return in && out;
}

static bsr_status walk_back(pass *p)
{
    const bsr_graph *graph = p->tape->graph;
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        const bsr_node *node = &graph->nodes[i];
        if (!is_on_path(p, node))
            continue;
        size_t n = (size_t)(node->n_in + node->n_out);
        bsr_status status = BSR_ENOMEM;
        bsr_view *views = bsr_calloc_array(2 * n, sizeof *views);
        bsr_tensor **terms = bsr_calloc_array(n, sizeof *terms);
        if (views && terms)
            status = differentiate(p, node, views, terms);
        for (int k = 0; terms && k < node->n_in; k++)
            bsr_tensor_free(terms[k]);
        bsr_free(terms);
        bsr_free(views);
        BSR_TRY(status);
    }
    return BSR_OK;
}

static bsr_status copy_wanted(const pass *p, int n, const int *wanted, bsr_tensor **gradients)
{
    for (int i = 0; i < n; i++) {
        gradients[i] = gradient_like(p->tape->values[wanted[i]]);
        if (!gradients[i])
            return BSR_ENOMEM;
        if (p->sums[wanted[i]])
            add(gradients[i], p->sums[wanted[i]]);
    }
    return BSR_OK;
}

bsr_status bsr_tape_gradient(const bsr_tape *tape, int from, const bsr_tensor *seed, int n,
                             const int *wanted, bsr_tensor **gradients)
{
    const size_t count = (size_t)tape->graph->n_values;
    pass p = {.tape = tape};
    for (int i = 0; i < n; i++)
        gradients[i] = NULL;
    BSR_TRY(check(tape, from, seed, n, wanted));
    bsr_status status = BSR_ENOMEM;
    p.depends = bsr_calloc_array(count, sizeof *p.depends);
    p.sums = bsr_calloc_array(count, sizeof *p.sums);
    if (!p.depends || !p.sums)
        goto done;
    find_dependents(&p, n, wanted);
    p.sums[from] = gradient_like(seed);
    if (!p.sums[from])
        goto done;
    add(p.sums[from], seed);
    status = walk_back(&p);
    if (status == BSR_OK)
        status = copy_wanted(&p, n, wanted, gradients);
done:
    for (int i = 0; status != BSR_OK && i < n; i++) {
        bsr_tensor_free(gradients[i]);
        gradients[i] = NULL;
    }
    for (size_t v = 0; p.sums && v < count; v++)
        bsr_tensor_free(p.sums[v]);
    bsr_free(p.sums);
    bsr_free(p.depends);
    return status;
}
