/* Any bytes as a model and as a tensor: a whole graph or a one-line message, never anything else.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "onnx/onnx.h"

static void require(int condition)
{
    if (!condition)
        abort();
}

static void check_message(bsr_status status)
{
    const char *message = bsr_error_message();
    require(status < 0 && *message && !strpbrk(message, "\r\n"));
}

/* What bsr_graph_finish promises. */
static void check_graph(const bsr_graph *graph)
{
    for (int i = 0; i < graph->n_nodes; i++) {
        const bsr_node *node = &graph->nodes[i];
        require(*node->name && *node->op_type);
        for (int k = 0; k < node->n_in; k++) {
            require(node->in[k] < graph->n_values);
            if (node->in[k] < 0)
                continue;
            const bsr_value *v = &graph->values[node->in[k]];
            require(v->producer < i && v->n_consumers > 0);
            require(v->is_input + (v->producer >= 0) + (v->constant != NULL) == 1);
        }
        for (int k = 0; k < node->n_out; k++)
            require(node->out[k] < 0 || graph->values[node->out[k]].producer == i);
    }
    for (int i = 0; i < graph->n_values; i++)
        require(bsr_graph_find_value(graph, graph->values[i].name) == i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bsr_graph *graph;
    bsr_status status = bsr_onnx_read(&graph, data, size, "tests/fuzz/corpus/onnx");
    if (status == BSR_OK) {
        require(bsr_onnx_guard(data, size) == BSR_OK);
        check_graph(graph);
        require(bsr_graph_finish(graph) == BSR_OK);
        check_graph(graph);
        require(bsr_graph_prune(graph, NULL) == BSR_OK);
        check_graph(graph);
    } else {
        check_message(status);
        require(!graph);
    }
    bsr_graph_free(graph);

    bsr_tensor *tensor;
    status = bsr_onnx_read_tensor(&tensor, data, size);
    if (status != BSR_OK)
        check_message(status);
    require((status == BSR_OK) == (tensor != NULL));
    bsr_tensor_free(tensor);
    return 0;
}
