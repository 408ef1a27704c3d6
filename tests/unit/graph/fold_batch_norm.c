#include "graph/fold_batch_norm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "support/graph_text.h"

static bsr_status constant(bsr_graph *graph, const char *name, int rank, const int64_t *dims,
                           const float *values)
{
    int index;
    bsr_tensor *t;
    BSR_TRY(bsr_tensor_new(&t, BSR_F32, rank, dims));
    memcpy(t->data, values, (size_t)bsr_count(rank, dims) * sizeof *values);
    if (bsr_graph_value(graph, name, &index) != BSR_OK || graph->values[index].constant) {
        bsr_tensor_free(t);
        return BSR_ENOMEM;
    }
    graph->values[index].constant = t;
    return BSR_OK;
}

/* epsilon < 0: no such attribute. */
static bsr_status add(bsr_graph *graph, const char *text, float epsilon)
{
    BSR_TRY(graph_text_add(graph, text));
    bsr_node *node = &graph->nodes[graph->n_nodes - 1];
    if (epsilon < 0)
        return BSR_OK;
    node->attr = bsr_calloc_array(1, sizeof *node->attr);
    if (!node->attr)
        return BSR_ENOMEM;
    node->n_attr = 1;
    node->attr[0] = (bsr_attr){.kind = BSR_ATTR_FLOAT, .f = epsilon};
    node->attr[0].name = bsr_strdup("epsilon");
    return node->attr[0].name ? BSR_OK : BSR_ENOMEM;
}

/* Two output channels of two weights each, and the parameters of a normalization with
 * sqrt(var + 1) = 2 and 4: k = 3 / 2 and -1 / 4. */
static const float weights[] = {2, -4, 8, 0.5f}, biases[] = {1, 10};
static const float scale[] = {3, -1}, shift[] = {0.25f, -2}, mean[] = {5, -6}, var[] = {3, 15};

/* By hand: weights * k; (bias - mean) * k + shift with and without the bias. */
static const float folded_weights[] = {3, -6, -2, -0.125f};
static const float folded_bias[] = {-5.75f, -6}, folded_no_bias[] = {-7.25f, -3.5f};

static bsr_status build(bsr_graph **out, const char *const *nodes, const char *output)
{
    static const int64_t w_dims[] = {2, 1, 1, 2}, two[] = {2};
    int index;
    BSR_TRY(bsr_graph_new(out));
    bsr_graph *graph = *out;
    BSR_TRY(bsr_graph_value(graph, "x", &index));
    BSR_TRY(bsr_graph_add_input(graph, index));
    BSR_TRY(constant(graph, "w", 4, w_dims, weights));
    BSR_TRY(constant(graph, "b", 1, two, biases));
    BSR_TRY(constant(graph, "scale", 1, two, scale));
    BSR_TRY(constant(graph, "shift", 1, two, shift));
    BSR_TRY(constant(graph, "mean", 1, two, mean));
    BSR_TRY(constant(graph, "var", 1, two, var));
    for (; *nodes; nodes++)
        BSR_TRY(add(graph, *nodes, strncmp(*nodes, "Batch", 5) == 0 ? 1.0f : -1.0f));
    BSR_TRY(bsr_graph_value(graph, output, &index));
    BSR_TRY(bsr_graph_add_output(graph, index));
    return bsr_graph_finish(graph);
}

#define NORM "BatchNormalization: c scale shift mean var -> n"

static const bsr_tensor *constant_of(const bsr_graph *graph, const char *name)
{
    int index = bsr_graph_find_value(graph, name);
    return index < 0 ? NULL : graph->values[index].constant;
}

static void assert_values(const bsr_graph *graph, const char *name, const float *expected, size_t n)
{
    const bsr_tensor *t = constant_of(graph, name);
    assert_non_null(t);
    assert_int_equal(t->dtype, BSR_F32);
    assert_int_equal(bsr_count(t->rank, t->dims), n);
    assert_memory_equal(t->data, expected, n * sizeof *expected);
    const bsr_value *v = &graph->values[bsr_graph_find_value(graph, name)];
    assert_int_equal(v->rank, t->rank);
    assert_memory_equal(v->dims, t->dims, (size_t)t->rank * sizeof *t->dims);
    assert_int_equal(v->dtype, BSR_F32);
}

static void test_graph_fold_batch_norm__with_bias(void **state)
{
    static const char *const nodes[] = {"Conv: x w b -> c", NORM, "Relu: n -> y", NULL};
    bsr_graph *graph;
    assert_int_equal(build(&graph, nodes, "y"), BSR_OK);
    assert_int_equal(bsr_graph_fold_batch_norm(graph), BSR_OK);
    assert_int_equal(graph->n_nodes, 2);
    const bsr_node *conv = &graph->nodes[0];
    assert_string_equal(conv->op_type, "Conv");
    assert_string_equal(graph->nodes[1].op_type, "Relu");
    assert_int_equal(conv->n_in, 3);
    assert_string_equal(graph->values[conv->in[1]].name, "w_folded");
    assert_string_equal(graph->values[conv->in[2]].name, "w_folded_bias");
    assert_int_equal(conv->out[0], graph->nodes[1].in[0]);
    assert_int_equal(graph->values[conv->out[0]].producer, 0);
    assert_int_equal(graph->values[conv->in[1]].n_consumers, 1);
    assert_values(graph, "w_folded", folded_weights, 4);
    assert_values(graph, "w_folded_bias", folded_bias, 2);
    static const char *const unread[] = {"w", "b", "scale", "shift", "mean", "var"};
    for (int i = 0; i < 6; i++)
        assert_null(constant_of(graph, unread[i]));
    assert_int_equal(bsr_graph_finish(graph), BSR_OK);
    bsr_graph_free(graph);
}

/* Absent and omitted bias; the normalization makes the graph output; parameters read elsewhere. */
static void test_graph_fold_batch_norm__without_bias(void **state)
{
    static const char *const forms[] = {"Conv: x w -> c", "Conv: x w _ -> c"};
    for (int i = 0; i < 2; i++) {
        const char *nodes[] = {forms[i], NORM, "Add: n mean -> y", "Add: y mean -> z", NULL};
        bsr_graph *graph;
        assert_int_equal(build(&graph, nodes, i ? "z" : "n"), BSR_OK);
        assert_int_equal(bsr_graph_fold_batch_norm(graph), BSR_OK);
        assert_int_equal(graph->n_nodes, i ? 3 : 1);
        assert_values(graph, "w_folded", folded_weights, 4);
        assert_values(graph, "w_folded_bias", folded_no_bias, 2);
        assert_int_equal(constant_of(graph, "mean") != NULL, i);
        bsr_graph_free(graph);
    }
}

/* Double arithmetic, rounded once, and the default epsilon. NumPy 1.24 in float64:
 * k = np.float32(0.7) / np.sqrt(np.float32(0.3) + float(np.float32(1e-5))); float32(2.7f * k) and
 * float32((0 - np.float32(0.2)) * k + np.float32(0.2)). In float32 arithmetic both are others. */
static void test_graph_fold_batch_norm__rounds_once(void **state)
{
    static const int64_t w_dims[] = {1, 1, 1, 1}, one[] = {1};
    bsr_graph *graph;
    int index;
    assert_int_equal(bsr_graph_new(&graph), BSR_OK);
    assert_int_equal(bsr_graph_value(graph, "x", &index), BSR_OK);
    assert_int_equal(bsr_graph_add_input(graph, index), BSR_OK);
    assert_int_equal(constant(graph, "w", 4, w_dims, (float[]){2.7f}), BSR_OK);
    assert_int_equal(constant(graph, "scale", 1, one, (float[]){0.7f}), BSR_OK);
    assert_int_equal(constant(graph, "shift", 1, one, (float[]){0.2f}), BSR_OK);
    assert_int_equal(constant(graph, "mean", 1, one, (float[]){0.2f}), BSR_OK);
    assert_int_equal(constant(graph, "var", 1, one, (float[]){0.3f}), BSR_OK);
    assert_int_equal(add(graph, "Conv: x w -> c", -1), BSR_OK);
    assert_int_equal(add(graph, NORM, -1), BSR_OK);
    assert_int_equal(bsr_graph_value(graph, "n", &index), BSR_OK);
    assert_int_equal(bsr_graph_add_output(graph, index), BSR_OK);
    assert_int_equal(bsr_graph_finish(graph), BSR_OK);
    assert_int_equal(bsr_graph_fold_batch_norm(graph), BSR_OK);
    assert_values(graph, "w_folded", (float[]){0x1.b9ad14p+1f}, 1);
    assert_values(graph, "w_folded_bias", (float[]){-0x1.c778ccp-5f}, 1);
    bsr_graph_free(graph);
}

static void test_graph_fold_batch_norm__name_is_taken(void **state)
{
    static const char *const nodes[] = {"Conv: x w -> c", NORM, "Relu: n -> w_folded",
                                        "Relu: w_folded -> w_folded_bias", NULL};
    bsr_graph *graph;
    assert_int_equal(build(&graph, nodes, "w_folded_bias"), BSR_OK);
    assert_int_equal(bsr_graph_fold_batch_norm(graph), BSR_OK);
    assert_values(graph, "w_folded_folded", folded_weights, 4);
    assert_values(graph, "w_folded_folded_bias", folded_no_bias, 2);
    assert_int_equal(graph->n_nodes, 3);
    bsr_graph_free(graph);
}

/* Left as it is: the number of nodes stays and the convolution's weights too. */
static void test_graph_fold_batch_norm__left_alone(void **state)
{
    static const struct {
        const char *output;
        const char *nodes[6];
    } cases[] = {
        {"n", {"Conv: x w b -> c", NORM, "Relu: c -> r", "Add: n r -> n2", NULL}},
        {"c", {"Conv: x w b -> c", NORM, NULL}},
        {"y", {"Conv: x w b -> c", NORM, "Conv: n w -> y", NULL}},
        {"n",
         {"Conv: x w b -> c", "Relu: c -> r", "BatchNormalization: r scale shift mean var -> n",
          NULL}},
        {"n", {"Relu: x -> v", "Conv: x v b -> c", NORM, NULL}},
        {"n", {"Relu: x -> v", "Conv: x w v -> c", NORM, NULL}},
        {"n",
         {"Relu: x -> v", "Conv: x w b -> c", "BatchNormalization: c scale shift v var -> n",
          NULL}},
        {"n", {"Conv: x w b -> c", "BatchNormalization: c scale shift mean var -> n m", NULL}},
        {"n", {"Conv: x w b -> c", "BatchNormalization: c scale shift mean w -> n", NULL}},
        {"n", {"ConvTranspose: x w b -> c", NORM, NULL}},
        {"n", {NORM, "Relu: x -> c", NULL}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bsr_graph *graph;
        assert_int_equal(build(&graph, cases[i].nodes, cases[i].output), BSR_OK);
        int norms = 0;
        assert_int_equal(bsr_graph_fold_batch_norm(graph), BSR_OK);
        for (int k = 0; k < graph->n_nodes; k++)
            norms += strcmp(graph->nodes[k].op_type, "BatchNormalization") == 0;
        assert_int_equal(norms, strcmp(cases[i].output, "c") != 0);
        assert_int_equal(bsr_graph_find_value(graph, "w_folded"), -1);
        bsr_graph_free(graph);
    }
}

/* Quantised weights: the constant is the result of a kept DequantizeLinear. */
static void test_graph_fold_batch_norm__codes_stay(void **state)
{
    static const char *const nodes[] = {"Conv: x q b -> c", NORM, NULL};
    static const int64_t w_dims[] = {2, 1, 1, 2};
    bsr_graph *graph;
    int index;
    assert_int_equal(build(&graph, nodes, "n"), BSR_EFORMAT); /* q comes below */
    assert_int_equal(add(graph, "DequantizeLinear: w b -> q", -1), BSR_OK);
    assert_int_equal(bsr_graph_finish(graph), BSR_OK);
    graph->nodes[0].keep = 1;
    assert_int_equal(bsr_graph_value(graph, "q", &index), BSR_OK);
    assert_int_equal(bsr_tensor_new(&graph->values[index].constant, BSR_F32, 4, w_dims), BSR_OK);
    assert_int_equal(bsr_graph_fold_batch_norm(graph), BSR_OK);
    assert_int_equal(graph->n_nodes, 3);
    bsr_graph_free(graph);
}

static void test_graph_fold_batch_norm__no_memory(void **state)
{
    static const char *const nodes[] = {"Conv: x w b -> c", NORM, "Relu: n -> y", NULL};
    bsr_status status = BSR_ENOMEM;
    int n;
    for (n = 1; status != BSR_OK; n++) {
        bsr_graph *graph;
        assert_int_equal(build(&graph, nodes, "y"), BSR_OK);
        bsr_alloc_fail_after(n);
        status = bsr_graph_fold_batch_norm(graph);
        bsr_alloc_fail_after(0);
        if (status != BSR_OK) {
            assert_int_equal(status, BSR_ENOMEM);
            assert_non_null(strstr(bsr_error_message(), "out of memory"));
        } else {
            assert_values(graph, "w_folded", folded_weights, 4);
        }
        bsr_graph_free(graph);
    }
    assert_true(n > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_graph_fold_batch_norm__with_bias),
        cmocka_unit_test(test_graph_fold_batch_norm__without_bias),
        cmocka_unit_test(test_graph_fold_batch_norm__rounds_once),
        cmocka_unit_test(test_graph_fold_batch_norm__name_is_taken),
        cmocka_unit_test(test_graph_fold_batch_norm__left_alone),
        cmocka_unit_test(test_graph_fold_batch_norm__codes_stay),
        cmocka_unit_test(test_graph_fold_batch_norm__no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
