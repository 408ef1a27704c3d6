#include "graph/sink_dequantize.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/graph_text.h"

enum { MOST = 10 }; /* nodes of a case and the NULL behind them */

static void constant(bsr_graph *graph, const char *name, bsr_dtype dtype, int64_t n)
{
    int index;
    assert_int_equal(bsr_graph_value(graph, name, &index), BSR_OK);
    assert_int_equal(bsr_tensor_new(&graph->values[index].constant, dtype, 1, &n), BSR_OK);
    memset(graph->values[index].constant->data, 0, (size_t)n * bsr_dtype_size(dtype));
}

/* As after shape inference: a DequantizeLinear of a constant stays and its result is one too. */
static void resolve(bsr_graph *graph)
{
    for (int i = 0; i < graph->n_nodes; i++) {
        bsr_node *node = &graph->nodes[i];
        if (strcmp(node->op_type, "DequantizeLinear") != 0 || !graph->values[node->in[0]].constant)
            continue;
        node->keep = 1;
        constant(graph, graph->values[node->out[0]].name, BSR_F32, 4);
    }
}

/* Constants: scalars s and z, vectors s2 and z2, codes w, floats v, a shape. Codes of a node called
 * QuantizeLinear are int8. */
static bsr_graph *build(const char *const *nodes, const char *output)
{
    bsr_graph *graph;
    int index;
    assert_int_equal(bsr_graph_new(&graph), BSR_OK);
    assert_int_equal(bsr_graph_value(graph, "x", &index), BSR_OK);
    assert_int_equal(bsr_graph_add_input(graph, index), BSR_OK);
    constant(graph, "s", BSR_F32, 1);
    constant(graph, "z", BSR_I8, 1);
    constant(graph, "s2", BSR_F32, 2);
    constant(graph, "z2", BSR_I8, 2);
    constant(graph, "w", BSR_I8, 4);
    constant(graph, "v", BSR_F32, 4);
    constant(graph, "shape", BSR_I64, 2);
    for (int i = 0; i < MOST && nodes[i]; i++)
        assert_int_equal(graph_text_add(graph, nodes[i]), BSR_OK);
    assert_int_equal(bsr_graph_value(graph, output, &index), BSR_OK);
    assert_int_equal(bsr_graph_add_output(graph, index), BSR_OK);
    assert_int_equal(bsr_graph_finish(graph), BSR_OK);
    resolve(graph);
    for (int i = 0; i < graph->n_nodes; i++)
        if (strcmp(graph->nodes[i].op_type, "QuantizeLinear") == 0)
            graph->values[graph->nodes[i].out[0]].dtype = BSR_I8;
    return graph;
}

static void append(char *text, size_t size, const bsr_graph *graph, const int *values, int n)
{
    for (int i = 0; i < n; i++) {
        size_t at = strlen(text);
        snprintf(text + at, size - at, " %s", values[i] < 0 ? "_" : graph->values[values[i]].name);
    }
}

/* The nodes, up to NULL, are these in this order. */
static void assert_nodes(const bsr_graph *graph, const char *const *nodes)
{
    int n = 0;
    for (; n < MOST && nodes[n]; n++) {
        char text[128];
        assert_true(n < graph->n_nodes);
        const bsr_node *node = &graph->nodes[n];
        snprintf(text, sizeof text, "%s:", node->op_type);
        append(text, sizeof text, graph, node->in, node->n_in);
        strcat(text, " ->");
        append(text, sizeof text, graph, node->out, node->n_out);
        assert_string_equal(text, nodes[n]);
    }
    assert_int_equal(graph->n_nodes, n);
}

#define QUANTIZE   "QuantizeLinear: x s z -> q"
#define DEQUANTIZE "DequantizeLinear: q s z -> f"
#define WEIGHTS    "DequantizeLinear: w s -> wf"

static void test_graph_sink_dequantize__exchanges(void **state)
{
    static const struct {
        const char *before[MOST], *after[MOST];
    } cases[] = {
        {{QUANTIZE, DEQUANTIZE, "Flatten: f -> g", WEIGHTS, "Gemm: g wf -> y"},
         {QUANTIZE, "Flatten: q -> g_codes", WEIGHTS, "DequantizeLinear: g_codes s z -> g",
          "Gemm: g wf -> y"}},
        /* No zero point; several moves. */
        {{QUANTIZE, "DequantizeLinear: q s _ -> f", WEIGHTS, "Transpose: f -> t",
          "Reshape: t shape -> g", "MatMul: g wf -> y"},
         {QUANTIZE, WEIGHTS, "Transpose: q -> t_codes", "Reshape: t_codes shape -> g_codes",
          "DequantizeLinear: g_codes s _ -> g", "MatMul: g wf -> y"}},
        /* What others read in between stays. */
        {{QUANTIZE, DEQUANTIZE, "Squeeze: f -> g", "Relu: f -> r", "Relu: g -> h", WEIGHTS,
          "Conv: g wf -> c", "Sum: r h c -> y"},
         {QUANTIZE, DEQUANTIZE, "Squeeze: q -> g_codes", "Relu: f -> r",
          "DequantizeLinear: g_codes s z -> g", "Relu: g -> h", WEIGHTS, "Conv: g wf -> c",
          "Sum: r h c -> y"}},
        /* The name is taken. */
        {{"Relu: x -> g_codes", "QuantizeLinear: g_codes s z -> q", DEQUANTIZE, "Identity: f -> g",
          WEIGHTS, "Gemm: g wf -> y"},
         {"Relu: x -> g_codes", "QuantizeLinear: g_codes s z -> q", "Identity: q -> g_codes_codes",
          WEIGHTS, "DequantizeLinear: g_codes_codes s z -> g", "Gemm: g wf -> y"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bsr_graph *graph = build(cases[i].before, "y");
        assert_int_equal(bsr_graph_sink_dequantize(graph), BSR_OK);
        assert_nodes(graph, cases[i].after);
        bsr_graph_free(graph);
    }
}

/* The new value has the codes' type and the moved shape. */
static void test_graph_sink_dequantize__type_and_shape(void **state)
{
    static const char *const nodes[MOST] = {QUANTIZE, DEQUANTIZE, "Flatten: f -> g", WEIGHTS,
                                            "Gemm: g wf -> y"};
    bsr_graph *graph = build(nodes, "y");
    bsr_value *g = &graph->values[bsr_graph_find_value(graph, "g")];
    g->dtype = BSR_F32;
    g->rank = 2;
    g->dims[0] = 1;
    g->dims[1] = 64;
    assert_int_equal(bsr_graph_sink_dequantize(graph), BSR_OK);
    const bsr_value *codes = &graph->values[bsr_graph_find_value(graph, "g_codes")];
    assert_int_equal(codes->dtype, BSR_I8);
    assert_int_equal(codes->rank, 2);
    assert_int_equal(codes->dims[0], 1);
    assert_int_equal(codes->dims[1], 64);
    assert_int_equal(codes->n_consumers, 1);
    bsr_graph_free(graph);
}

static void test_graph_sink_dequantize__left_alone(void **state)
{
    static const char *const cases[][MOST] = {
        {QUANTIZE, DEQUANTIZE, WEIGHTS, "Gemm: f wf -> y"},
        {QUANTIZE, "DequantizeLinear: q s2 z2 -> f", "Flatten: f -> g", WEIGHTS, "Gemm: g wf -> y"},
        {QUANTIZE, "DequantizeLinear: q s z2 -> f", "Flatten: f -> g", WEIGHTS, "Gemm: g wf -> y"},
        {QUANTIZE, "Relu: x -> r", "DequantizeLinear: q r z -> f", "Flatten: f -> g", WEIGHTS,
         "Gemm: g wf -> y"},
        {QUANTIZE, DEQUANTIZE, "Relu: f -> r", "Flatten: r -> g", WEIGHTS, "Gemm: g wf -> y"},
        {QUANTIZE, DEQUANTIZE, "Flatten: f -> r", "Relu: r -> g", WEIGHTS, "Gemm: g wf -> y"},
        {QUANTIZE, DEQUANTIZE, "Flatten: f -> g", "Gemm: g v -> y"},
        {QUANTIZE, DEQUANTIZE, "Flatten: f -> g", "Gemm: x g -> y"},
        {QUANTIZE, DEQUANTIZE, "Flatten: f -> y"},
        {"Flatten: x -> g", WEIGHTS, "Gemm: g wf -> y"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bsr_graph *graph = build(cases[i], "y");
        assert_int_equal(bsr_graph_sink_dequantize(graph), BSR_OK);
        assert_nodes(graph, cases[i]);
        assert_int_equal(bsr_graph_find_value(graph, "g_codes"), -1);
        bsr_graph_free(graph);
    }
}

static void test_graph_sink_dequantize__no_memory(void **state)
{
    static const char *const nodes[MOST] = {QUANTIZE,          DEQUANTIZE, "Transpose: f -> t",
                                            "Flatten: t -> g", WEIGHTS,    "Gemm: g wf -> y"};
    bsr_status status = BSR_ENOMEM;
    int n;
    for (n = 1; status != BSR_OK; n++) {
        bsr_graph *graph = build(nodes, "y");
        bsr_alloc_fail_after(n);
        status = bsr_graph_sink_dequantize(graph);
        bsr_alloc_fail_after(0);
        if (status != BSR_OK) {
            assert_int_equal(status, BSR_ENOMEM);
            assert_non_null(strstr(bsr_error_message(), "out of memory"));
        }
        bsr_graph_free(graph);
    }
    assert_true(n > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_graph_sink_dequantize__exchanges),
        cmocka_unit_test(test_graph_sink_dequantize__type_and_shape),
        cmocka_unit_test(test_graph_sink_dequantize__left_alone),
        cmocka_unit_test(test_graph_sink_dequantize__no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
