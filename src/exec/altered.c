#include "exec/altered.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/forward.h"

/* Images run at once: their tensors should stay in cache between two steps. */
#define IMAGES_TOGETHER 8

struct bsr_altered {
    bsr_graph *graph;
    const bsr_kernels *kernels;
    unsigned char *keep;  /* [graph values] or NULL */
    unsigned char *stale; /* [graph values] constants made of the changed one, and itself */
};

bsr_status bsr_altered_new(bsr_altered **out, const bsr_graph *graph, const bsr_kernels *kernels,
                           const unsigned char *keep)
{
    *out = NULL;
    bsr_altered *a = bsr_calloc_array(1, sizeof *a);
    if (!a)
        return BSR_ENOMEM;
    size_t values = (size_t)graph->n_values;
    a->kernels = kernels;
    a->stale = bsr_calloc_array(values, 1);
    a->keep = keep ? bsr_alloc_array(values, 1) : NULL;
    bsr_status status = BSR_ENOMEM;
    if (a->stale && (a->keep || !keep))
        status = bsr_graph_clone(&a->graph, graph);
    if (status != BSR_OK) {
        bsr_altered_free(a);
        return status;
    }
    if (keep)
        memcpy(a->keep, keep, values);
    *out = a;
    return BSR_OK;
}

void bsr_altered_free(bsr_altered *a)
{
    if (!a)
        return;
    bsr_graph_free(a->graph);
    bsr_free(a->keep);
    bsr_free(a->stale);
    bsr_free(a);
}

/* Does the node read int32 elements as numbers, not as a shape or an index? */
static int takes_int32_as_data(const bsr_node *node)
{
    static const char *const types[] = {"DequantizeLinear", "QLinearConv"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(node->op_type, types[i]) == 0)
            return 1;
    return 0;
}

int bsr_altered_can(const bsr_graph *graph, int value)
{
    const bsr_value *v = &graph->values[value];
    if (!v->constant || v->producer >= 0)
        return 0;
    bsr_dtype t = v->constant->dtype;
    if (t != BSR_I32)
        return t == BSR_F32 || t == BSR_I8 || t == BSR_U8;
    for (int i = 0; i < graph->n_nodes; i++)
        for (int k = 0; k < graph->nodes[i].n_in; k++)
            if (graph->nodes[i].in[k] == value && !takes_int32_as_data(&graph->nodes[i]))
                return 0;
    return 1;
}

/* Evaluates a node whose operands and results are all constants, into the tensors that are there.
 */
static bsr_status evaluate(const bsr_graph *g, const bsr_node *n)
{
    bsr_view views[BSR_DENSE_OPERANDS] = {{0}};
    if (n->n_in + n->n_out > BSR_DENSE_OPERANDS)
        return bsr_node_fail(n, BSR_EUNSUPPORTED, "has %d operands, at most %d", n->n_in + n->n_out,
                             BSR_DENSE_OPERANDS);
    for (int i = 0; i < n->n_in + n->n_out; i++) {
        int value = i < n->n_in ? n->in[i] : n->out[i - n->n_in];
        if (value >= 0)
            views[i] = bsr_tensor_view(g->values[value].constant);
    }
    bsr_op_call call = {.node = n,
                        .opset = g->opset,
                        .n_in = n->n_in,
                        .n_out = n->n_out,
                        .in = views,
                        .out = views + n->n_in};
    return bsr_op_find(n->op_type)->run(&call);
}

/* The constants that nodes make of `value`: resolving keeps such nodes where an executor wants the
 * operands (a DequantizeLinear of stored codes); all others are folded and gone. */
static bsr_status update_constants(bsr_altered *a, int value)
{
    const bsr_graph *g = a->graph;
    memset(a->stale, 0, (size_t)g->n_values);
    a->stale[value] = 1;
    for (int i = 0; i < g->n_nodes; i++) {
        const bsr_node *n = &g->nodes[i];
        if (n->n_out < 1 || n->out[0] < 0 || !g->values[n->out[0]].constant)
            continue;
        for (int k = 0; k < n->n_in; k++)
            if (n->in[k] >= 0 && a->stale[n->in[k]])
                a->stale[n->out[0]] = 1;
        if (a->stale[n->out[0]])
            BSR_TRY(evaluate(g, n));
    }
    return BSR_OK;
}

static bsr_status run_images(const bsr_altered *a, int n, const char *const *inputs,
                             float *const *logits)
{
    bsr_plan *plan;
    bsr_forward *f = NULL;
    int together = n < IMAGES_TOGETHER ? n : IMAGES_TOGETHER;
    BSR_TRY(bsr_plan_new(&plan, a->graph, a->kernels, a->keep));
    bsr_status status = bsr_forward_new(&f, plan, together);
    for (int i = 0; i < n && status == BSR_OK; i += together)
        status = bsr_forward_run(f, n - i < together ? n - i : together, inputs + i, NULL,
                                 logits ? logits + i : NULL);
    bsr_forward_free(f);
    bsr_plan_free(plan);
    return status;
}

bsr_status bsr_altered_run(bsr_altered *a, int value, int64_t element, uint32_t bits, int n,
                           const char *const *inputs, float *const *logits)
{
    const bsr_value *v = &a->graph->values[value];
    if (!bsr_altered_can(a->graph, value))
        return bsr_fail(BSR_EINVAL, "'%s' is not a constant whose elements are data", v->name);
    const bsr_tensor *t = v->constant;
    int64_t count = bsr_count(t->rank, t->dims);
    if (element < 0 || element >= count)
        return bsr_fail(BSR_EINVAL, "'%s' has %lld elements, element %lld does not exist", v->name,
                        (long long)count, (long long)element);
    size_t esize = bsr_dtype_size(t->dtype);
    char *at = (char *)t->data + (size_t)element * esize;
    uint32_t plain = 0;
    memcpy(&plain, at, esize);
    memcpy(at, &bits, esize);
    bsr_status status = update_constants(a, value);
    if (status == BSR_OK)
        status = run_images(a, n, inputs, logits);
    memcpy(at, &plain, esize);
    bsr_status undone = update_constants(a, value);
    return status == BSR_OK ? undone : status;
}
