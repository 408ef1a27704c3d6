#include "ops/op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

/* Appends "Type: a b -> c" ("_" omits), named like its operator. NULL when out of memory. */
static bsr_node *add(bsr_graph *graph, const char *text)
{
    char copy[128];
    snprintf(copy, sizeof copy, "%s", text);
    char *type = strtok(copy, ": ");
    bsr_node *node = bsr_graph_add_node(graph, type, type);
    if (!node)
        return NULL;
    node->in = bsr_alloc_array(4, sizeof *node->in);
    node->out = bsr_alloc_array(4, sizeof *node->out);
    node->attr = bsr_calloc_array(1, sizeof *node->attr);
    if (!node->in || !node->out || !node->attr)
        return NULL;
    int is_out = 0;
    for (char *word = strtok(NULL, " "); word; word = strtok(NULL, " ")) {
        int value = -1;
        if (strcmp(word, "->") == 0) {
            is_out = 1;
            continue;
        }
        if (strcmp(word, "_") != 0 && bsr_graph_value(graph, word, &value) != BSR_OK)
            return NULL;
        if (is_out)
            node->out[node->n_out++] = value;
        else
            node->in[node->n_in++] = value;
    }
    return node;
}

/* Gives value `name` a list of int64. */
static bsr_status set_ints(bsr_graph *graph, const char *name, int64_t n, const int64_t *data)
{
    int at;
    bsr_tensor *t;
    bsr_status status = bsr_graph_value(graph, name, &at);
    if (status == BSR_OK)
        status = bsr_tensor_new(&t, BSR_I64, 1, &n);
    if (status != BSR_OK)
        return status;
    memcpy(t->data, data, (size_t)n * sizeof *data);
    graph->values[at].constant = t;
    return BSR_OK;
}

/* Opset 13, input x float32 2x3x4, output y; no nodes. */
static bsr_status new_graph(bsr_graph **out)
{
    static const int64_t dims[3] = {2, 3, 4};
    int x, y;
    bsr_status status = bsr_graph_new(out);
    if (status == BSR_OK)
        status = bsr_graph_value(*out, "x", &x);
    if (status == BSR_OK)
        status = bsr_graph_value(*out, "y", &y);
    if (status == BSR_OK)
        status = bsr_graph_add_input(*out, x);
    if (status == BSR_OK)
        status = bsr_graph_add_output(*out, y);
    if (status != BSR_OK)
        return status;
    (*out)->opset = 13;
    bsr_value *v = &(*out)->values[x];
    v->dtype = BSR_F32;
    v->rank = 3;
    memcpy(v->dims, dims, sizeof dims);
    return BSR_OK;
}

static const bsr_value *value(const bsr_graph *graph, const char *name)
{
    return &graph->values[bsr_graph_find_value(graph, name)];
}

/* y = Reshape(Relu(x), Concat(Shape(x)[0:1], [-1])): PyTorch's flatten, as exporters write it. */
static bsr_status flatten_graph(bsr_graph **out)
{
    bsr_status status = new_graph(out);
    if (status == BSR_OK)
        status = set_ints(*out, "zero", 1, (int64_t[]){0});
    if (status == BSR_OK)
        status = set_ints(*out, "one", 1, (int64_t[]){1});
    if (status == BSR_OK)
        status = set_ints(*out, "rest", 1, (int64_t[]){-1});
    if (status != BSR_OK)
        return status;
    if (!add(*out, "Relu: x -> r") || !add(*out, "Shape: r -> s") ||
        !add(*out, "Slice: s zero one -> n"))
        return BSR_ENOMEM;
    bsr_node *concat = add(*out, "Concat: n rest -> shape");
    if (!concat)
        return BSR_ENOMEM;
    concat->n_attr = 1;
    concat->attr[0] = (bsr_attr){.name = bsr_strdup("axis"), .kind = BSR_ATTR_INT};
    if (!concat->attr[0].name || !add(*out, "Reshape: r shape -> y"))
        return BSR_ENOMEM;
    return bsr_graph_finish(*out);
}

static void test_ops_resolve__folds_shapes(void **state)
{
    bsr_graph *graph;
    assert_int_equal(flatten_graph(&graph), BSR_OK);
    assert_int_equal(bsr_ops_resolve(graph), BSR_OK);
    assert_int_equal(graph->n_nodes, 2);
    assert_string_equal(graph->nodes[0].op_type, "Relu");
    assert_string_equal(graph->nodes[1].op_type, "Reshape");
    const bsr_value *y = value(graph, "y"), *shape = value(graph, "shape");
    assert_int_equal(y->dtype, BSR_F32);
    assert_int_equal(y->rank, 2);
    assert_int_equal(y->dims[0], 2);
    assert_int_equal(y->dims[1], 12);
    assert_int_equal(y->producer, 1);
    assert_non_null(shape->constant);
    assert_memory_equal(shape->constant->data, ((int64_t[]){2, -1}), 16);
    assert_int_equal(shape->producer, -1);
    assert_int_equal(value(graph, "r")->n_consumers, 1);
    /* What only folded nodes read is gone. */
    assert_null(value(graph, "s")->constant);
    assert_null(value(graph, "zero")->constant);
    bsr_graph_free(graph);
}

/* Resolving a resolved graph changes nothing. */
static void test_ops_resolve__twice(void **state)
{
    bsr_graph *graph;
    assert_int_equal(flatten_graph(&graph), BSR_OK);
    assert_int_equal(bsr_ops_resolve(graph), BSR_OK);
    assert_int_equal(bsr_ops_resolve(graph), BSR_OK);
    assert_int_equal(graph->n_nodes, 2);
    assert_int_equal(value(graph, "y")->dims[1], 12);
    bsr_graph_free(graph);
}

static void test_ops_resolve__constant_output(void **state)
{
    bsr_graph *graph;
    assert_int_equal(new_graph(&graph), BSR_OK);
    assert_non_null(add(graph, "Size: x -> y"));
    assert_int_equal(bsr_graph_finish(graph), BSR_OK);
    assert_int_equal(bsr_ops_resolve(graph), BSR_OK);
    assert_int_equal(graph->n_nodes, 0);
    assert_int_equal(*(const int64_t *)value(graph, "y")->constant->data, 24);
    bsr_graph_free(graph);
}

/* y from one node on x, with `shape` as a constant; bsr_ops_resolve must fail. */
static void expect_error(const char *node, int64_t n, const int64_t *shape, bsr_status status,
                         const char *message)
{
    bsr_graph *graph;
    assert_int_equal(new_graph(&graph), BSR_OK);
    assert_int_equal(set_ints(graph, "shape", n, shape), BSR_OK);
    assert_non_null(add(graph, node));
    assert_int_equal(bsr_graph_finish(graph), BSR_OK);
    assert_int_equal(bsr_ops_resolve(graph), status);
    assert_string_equal(bsr_error_message(), message);
    bsr_graph_free(graph);
}

static void test_ops_resolve__errors(void **state)
{
    static const int64_t one = 1;
    expect_error("Frobnicate: x -> y", 1, &one, BSR_EUNSUPPORTED,
                 "node 'Frobnicate' (Frobnicate): operator 'Frobnicate' is not supported");
    expect_error("Add: x -> y", 1, &one, BSR_EFORMAT,
                 "node 'Add' (Add): has 1 inputs, expected at least 2");
    expect_error("Add: x shape -> y", 1, &one, BSR_EFORMAT,
                 "node 'Add' (Add): input 0 is float32, input 1 is int64");
}

/* A few bytes ask for gigabytes: refused before the allocation. */
static void test_ops_resolve__limits(void **state)
{
    expect_error("ConstantOfShape: shape -> y", 2, (int64_t[]){1 << 14, (1 << 12) + 1}, BSR_ELIMIT,
                 "node 'ConstantOfShape' (ConstantOfShape): constant result has 268500992 bytes, "
                 "the limit is 268435456");
    expect_error("ConstantOfShape: shape -> y", 2, (int64_t[]){1 << 20, 1 << 20}, BSR_ELIMIT,
                 "node 'ConstantOfShape' (ConstantOfShape): output 0 would be 1048576x1048576, "
                 "more than 2147483648 elements");
}

static void test_ops_resolve__inputs(void **state)
{
    bsr_graph *graph;
    assert_int_equal(new_graph(&graph), BSR_OK);
    assert_non_null(add(graph, "Relu: x -> y"));
    assert_int_equal(bsr_graph_finish(graph), BSR_OK);
    bsr_value *x = &graph->values[graph->inputs[0]];
    x->dims[0] = -1;
    assert_int_equal(bsr_ops_resolve(graph), BSR_EINVAL);
    assert_string_equal(bsr_error_message(),
                        "graph input 'x' has shape -1x3x4, expected fixed dimensions");
    x->rank = -1;
    assert_int_equal(bsr_ops_resolve(graph), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "graph input 'x' has no element type or shape");
    bsr_graph_free(graph);
}

static void test_ops_resolve__allocation_failures(void **state)
{
    long n = 0;
    int pending = 0;
    while (!pending) {
        bsr_graph *graph;
        assert_int_equal(flatten_graph(&graph), BSR_OK);
        bsr_alloc_fail_after(++n);
        bsr_status status = bsr_ops_resolve(graph);
        pending = bsr_alloc_fail_pending();
        bsr_alloc_fail_after(0);
        assert_int_equal(status, pending ? BSR_OK : BSR_ENOMEM);
        bsr_graph_free(graph);
    }
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_resolve__folds_shapes),
        cmocka_unit_test(test_ops_resolve__twice),
        cmocka_unit_test(test_ops_resolve__constant_output),
        cmocka_unit_test(test_ops_resolve__errors),
        cmocka_unit_test(test_ops_resolve__limits),
        cmocka_unit_test(test_ops_resolve__inputs),
        cmocka_unit_test(test_ops_resolve__allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
