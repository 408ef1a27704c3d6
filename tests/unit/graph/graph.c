#include "graph/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

/* A node as text: "name: a b -> c". "_" is an omitted value. */
static bsr_status add(bsr_graph *graph, const char *text)
{
    char copy[128];
    snprintf(copy, sizeof copy, "%s", text);
    char *name = strtok(copy, ": ");
    bsr_node *node = bsr_graph_add_node(graph, name, "Op");
    if (!node)
        return BSR_ENOMEM;
    node->in = bsr_alloc_array(8, sizeof *node->in);
    node->out = bsr_alloc_array(8, sizeof *node->out);
    if (!node->in || !node->out)
        return BSR_ENOMEM;
    int is_out = 0;
    for (char *word = strtok(NULL, " "); word; word = strtok(NULL, " ")) {
        int value = -1;
        if (strcmp(word, "->") == 0) {
            is_out = 1;
            continue;
        }
        if (strcmp(word, "_") != 0 && bsr_graph_value(graph, word, &value) != BSR_OK)
            return BSR_ENOMEM;
        if (is_out)
            node->out[node->n_out++] = value;
        else
            node->in[node->n_in++] = value;
    }
    return BSR_OK;
}

/* Input x, output y, the given nodes (NULL-terminated); not finished. */
static bsr_status build(bsr_graph **out, const char *const *nodes)
{
    int x, y;
    bsr_graph *graph;
    bsr_status status = bsr_graph_new(&graph);
    *out = graph;
    if (status == BSR_OK)
        status = bsr_graph_value(graph, "x", &x);
    if (status == BSR_OK)
        status = bsr_graph_add_input(graph, x);
    for (; status == BSR_OK && *nodes; nodes++)
        status = add(graph, *nodes);
    if (status == BSR_OK)
        status = bsr_graph_value(graph, "y", &y);
    return status == BSR_OK ? bsr_graph_add_output(graph, y) : status;
}

#define BUILD(graph, ...)                                                                          \
    assert_int_equal(build(&(graph), (const char *const[]){__VA_ARGS__, NULL}), BSR_OK)

/* Names of the nodes in their order. */
static const char *order(const bsr_graph *graph)
{
    static char text[256];
    text[0] = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        strcat(text, i ? " " : "");
        strcat(text, graph->nodes[i].name);
    }
    return text;
}

static const bsr_value *value(const bsr_graph *graph, const char *name)
{
    int index = bsr_graph_find_value(graph, name);
    assert_true(index >= 0);
    return &graph->values[index];
}

static void set_constant(bsr_graph *graph, const char *name)
{
    bsr_value *v = &graph->values[bsr_graph_find_value(graph, name)];
    assert_int_equal(bsr_tensor_new(&v->constant, BSR_F32, 0, NULL), BSR_OK);
}

static void test_graph_graph__names(void **state)
{
    bsr_graph *graph;
    assert_int_equal(bsr_graph_new(&graph), BSR_OK);
    assert_int_equal(bsr_graph_find_value(graph, "v0"), -1);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5000; i++) {
            char name[16];
            int index;
            snprintf(name, sizeof name, "v%d", i);
            assert_int_equal(bsr_graph_value(graph, name, &index), BSR_OK);
            assert_int_equal(index, i);
            assert_int_equal(bsr_graph_find_value(graph, name), i);
        }
    }
    assert_int_equal(graph->n_values, 5000);
    assert_int_equal(bsr_graph_find_value(graph, "v5000"), -1);
    const bsr_value *v = value(graph, "v4999");
    assert_string_equal(v->name, "v4999");
    assert_int_equal(v->dtype, BSR_NONE);
    assert_int_equal(v->rank, -1);
    assert_int_equal(v->producer, -1);
    bsr_graph_free(graph);
    bsr_graph_free(NULL);
}

static void test_graph_graph__inputs_and_outputs_once(void **state)
{
    bsr_graph *graph;
    int index;
    BUILD(graph, "r: x -> y");
    assert_int_equal(bsr_graph_value(graph, "x", &index), BSR_OK);
    assert_int_equal(bsr_graph_add_input(graph, index), BSR_EFORMAT);
    assert_string_equal(bsr_error_message(), "graph input 'x' is listed twice");
    assert_int_equal(bsr_graph_value(graph, "y", &index), BSR_OK);
    assert_int_equal(bsr_graph_add_output(graph, index), BSR_EFORMAT);
    assert_string_equal(bsr_error_message(), "graph output 'y' is listed twice");
    assert_int_equal(graph->n_inputs, 1);
    assert_int_equal(graph->n_outputs, 1);
    bsr_graph_free(graph);
}

static void test_graph_graph__attributes(void **state)
{
    char i[] = "i", f[] = "f", s[] = "s", text[] = "SAME";
    bsr_attr attrs[] = {{.name = i, .kind = BSR_ATTR_INT, .i = 7},
                        {.name = f, .kind = BSR_ATTR_FLOAT, .f = 0.5f},
                        {.name = s, .kind = BSR_ATTR_STRING, .s = text}};
    bsr_node node = {.attr = attrs, .n_attr = 3};
    assert_ptr_equal(bsr_node_attr(&node, "f"), &attrs[1]);
    assert_null(bsr_node_attr(&node, "g"));
    assert_int_equal(bsr_node_int(&node, "i", 1), 7);
    assert_int_equal(bsr_node_int(&node, "missing", 1), 1);
    assert_int_equal(bsr_node_int(&node, "f", 1), 1); /* another kind */
    assert_true(bsr_node_float(&node, "f", 2.0f) == 0.5f);
    assert_true(bsr_node_float(&node, "i", 2.0f) == 2.0f);
    assert_string_equal(bsr_node_string(&node, "s", "none"), "SAME");
    assert_string_equal(bsr_node_string(&node, "i", "none"), "none");
}

static void test_graph_graph__sorted_file_keeps_order(void **state)
{
    /* Both branches are free to move; the file's order stays. */
    bsr_graph *graph;
    BUILD(graph, "d: x -> d1 _", "b: x -> b1", "a: x _ -> a1", "c: b1 d1 b1 -> c1",
          "e: c1 a1 -> y");
    assert_int_equal(bsr_graph_finish(graph), BSR_OK);
    assert_string_equal(order(graph), "d b a c e");
    assert_int_equal(value(graph, "x")->n_consumers, 3);
    assert_int_equal(value(graph, "x")->producer, -1);
    assert_int_equal(value(graph, "b1")->n_consumers, 2);
    assert_int_equal(value(graph, "y")->n_consumers, 0);
    assert_int_equal(value(graph, "c1")->producer, 3);
    assert_int_equal(bsr_graph_finish(graph), BSR_OK);
    assert_string_equal(order(graph), "d b a c e");
    assert_int_equal(value(graph, "b1")->n_consumers, 2);
    bsr_graph_free(graph);
}

static void test_graph_graph__unsorted_file_moves_producers_up(void **state)
{
    bsr_graph *graph;
    BUILD(graph, "e: c1 a1 -> y", "a: x -> a1", "c: b1 -> c1", "b: x -> b1");
    assert_int_equal(bsr_graph_finish(graph), BSR_OK);
    assert_string_equal(order(graph), "b c a e");
    assert_int_equal(value(graph, "y")->producer, 3);
    assert_int_equal(value(graph, "b1")->producer, 0);
    bsr_graph_free(graph);
}

static void test_graph_graph__long_reversed_chain(void **state)
{
    /* Deep enough to overflow the C stack if the walk were recursive. */
    enum { N = 200000 };
    bsr_graph *graph;
    char text[64];
    BUILD(graph, "last: v0 -> y");
    for (int i = 0; i < N; i++) {
        snprintf(text, sizeof text, i == N - 1 ? "n%d: x -> v%d" : "n%d: v%d -> v%d", i,
                 i == N - 1 ? i : i + 1, i);
        assert_int_equal(add(graph, text), BSR_OK);
    }
    assert_int_equal(bsr_graph_finish(graph), BSR_OK);
    assert_string_equal(graph->nodes[0].name, "n199999");
    assert_string_equal(graph->nodes[N].name, "last");
    for (int i = 0; i < N; i++)
        assert_int_equal(graph->values[graph->nodes[i].out[0]].producer, i);
    bsr_graph_free(graph);
}

typedef struct bad_graph {
    const char *nodes[4];
    const char *constant; /* value that is an initialiser */
    const char *message;
} bad_graph;

static const bad_graph bad_graphs[] = {
    {{"a: x ghost -> y"},
     NULL,
     "node 'a' (Op): input 1 'ghost' dangles: no node, graph input or initialiser gives it"},
    {{"a: x -> z"}, NULL, "graph output 'y' dangles: no node, graph input or initialiser gives it"},
    {{"a: x -> y", "b: x -> y"}, NULL, "value 'y' has two producers: node 'a' (Op), node 'b' (Op)"},
    {{"a: x -> y y"}, NULL, "value 'y' has two producers: node 'a' (Op), node 'a' (Op)"},
    {{"a: x -> y", "b: y -> x"}, NULL, "node 'b' (Op): output 'x' is also a graph input"},
    {{"a: w -> y", "b: x -> w"}, "w", "node 'b' (Op): output 'w' is also an initialiser"},
    {{"a: x -> y"}, "x", "graph input 'x' is also an initialiser"},
    {{"a: x y -> y"}, NULL, "node 'a' (Op) is on a cycle through its input 'y'"},
    {{"a: x -> y", "b: x c1 -> b1", "c: b1 -> c1"},
     NULL,
     "node 'c' (Op) is on a cycle through its input 'b1'"},
};

static void test_graph_graph__bad_graphs(void **state)
{
    for (size_t i = 0; i < sizeof bad_graphs / sizeof *bad_graphs; i++) {
        bsr_graph *graph;
        assert_int_equal(build(&graph, bad_graphs[i].nodes), BSR_OK);
        if (bad_graphs[i].constant)
            set_constant(graph, bad_graphs[i].constant);
        assert_int_equal(bsr_graph_finish(graph), BSR_EFORMAT);
        assert_string_equal(bsr_error_message(), bad_graphs[i].message);
        bsr_graph_free(graph);
    }
}

static void test_graph_graph__prune(void **state)
{
    bsr_graph *graph;
    BUILD(graph, "a: x -> a1", "dead1: a1 -> d1", "dead2: d1 x -> d2", "b: a1 -> _ b1",
          "c: b1 -> y");
    assert_int_equal(bsr_graph_finish(graph), BSR_OK);
    unsigned char *keep = bsr_calloc_array((size_t)graph->n_values, 1);
    keep[bsr_graph_find_value(graph, "d1")] = 1;
    assert_int_equal(bsr_graph_prune(graph, keep), BSR_OK);
    assert_string_equal(order(graph), "a dead1 b c");
    assert_int_equal(value(graph, "d1")->n_consumers, 0);
    assert_int_equal(value(graph, "x")->n_consumers, 1);
    assert_int_equal(value(graph, "d2")->producer, -1);
    assert_int_equal(value(graph, "b1")->producer, 2);
    assert_int_equal(bsr_graph_prune(graph, NULL), BSR_OK);
    assert_string_equal(order(graph), "a b c");
    assert_int_equal(value(graph, "a1")->n_consumers, 1);

    /* A folded result needs neither its node nor what that node reads. */
    set_constant(graph, "b1");
    assert_int_equal(bsr_graph_prune(graph, NULL), BSR_OK);
    assert_string_equal(order(graph), "c");
    assert_int_equal(value(graph, "b1")->producer, -1);
    assert_int_equal(bsr_graph_finish(graph), BSR_OK);
    bsr_free(keep);
    bsr_graph_free(graph);
}

static void test_graph_graph__out_of_memory(void **state)
{
    /* Enough nodes and names to grow every array and the name table. */
    static const char *const first[] = {"a: x b1 -> y", "b: x -> b1", NULL};
    bsr_status status = BSR_ENOMEM;
    int n;
    for (n = 1; status != BSR_OK; n++) {
        bsr_graph *graph;
        bsr_alloc_fail_after(n);
        status = build(&graph, first);
        for (int i = 0; status == BSR_OK && i < 40; i++) {
            char text[64];
            snprintf(text, sizeof text, "n%d: b1 -> v%d w%d", i, i, i);
            status = add(graph, text);
        }
        if (status == BSR_OK)
            status = bsr_graph_finish(graph);
        if (status == BSR_OK)
            status = bsr_graph_prune(graph, NULL);
        if (status == BSR_OK)
            assert_string_equal(order(graph), "b a");
        else
            assert_int_equal(status, BSR_ENOMEM);
        bsr_graph_free(graph);
    }
    assert_true(bsr_alloc_fail_pending());
    bsr_alloc_fail_after(0);
    assert_true(n > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_graph_graph__names),
        cmocka_unit_test(test_graph_graph__inputs_and_outputs_once),
        cmocka_unit_test(test_graph_graph__attributes),
        cmocka_unit_test(test_graph_graph__sorted_file_keeps_order),
        cmocka_unit_test(test_graph_graph__unsorted_file_moves_producers_up),
        cmocka_unit_test(test_graph_graph__long_reversed_chain),
        cmocka_unit_test(test_graph_graph__bad_graphs),
        cmocka_unit_test(test_graph_graph__prune),
        cmocka_unit_test(test_graph_graph__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
