#include "graph/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"

static const char *const words[] = {"one", "", "three"};

static void *copy_of(const void *from, size_t bytes)
{
    void *p = bsr_alloc_array(bytes, 1);
    return p ? memcpy(p, from, bytes) : NULL;
}

/* One attribute of every kind, named by its letter in "ifsIFSt". */
static bsr_status add_attrs(bsr_node *node)
{
    static const int64_t dims[] = {2, 1}, ints[] = {-1, INT64_MAX};
    static const float real[] = {0.5f, -0.0f, 3};
    node->attr = bsr_calloc_array(7, sizeof *node->attr);
    if (!node->attr)
        return BSR_ENOMEM;
    bsr_attr *a = node->attr;
    node->n_attr = 7;
    for (int k = 0; k < 7; k++) {
        char name[2] = {"ifsIFSt"[k], 0};
        a[k].kind = (bsr_attr_kind)k;
        if (!(a[k].name = bsr_strdup(name)))
            return BSR_ENOMEM;
    }
    a[BSR_ATTR_INT].i = -7;
    a[BSR_ATTR_FLOAT].f = 0.25f;
    a[BSR_ATTR_INTS].n = 2;
    a[BSR_ATTR_FLOATS].n = a[BSR_ATTR_STRINGS].n = 3;
    a[BSR_ATTR_STRING].s = bsr_strdup("text");
    a[BSR_ATTR_INTS].ints = copy_of(ints, sizeof ints);
    a[BSR_ATTR_FLOATS].floats = copy_of(real, sizeof real);
    a[BSR_ATTR_STRINGS].strings = bsr_calloc_array(3, sizeof(char *));
    if (!a[BSR_ATTR_STRING].s || !a[BSR_ATTR_INTS].ints || !a[BSR_ATTR_FLOATS].floats ||
        !a[BSR_ATTR_STRINGS].strings)
        return BSR_ENOMEM;
    for (int k = 0; k < 3; k++)
        if (!(a[BSR_ATTR_STRINGS].strings[k] = bsr_strdup(words[k])))
            return BSR_ENOMEM;
    BSR_TRY(bsr_tensor_new(&a[BSR_ATTR_TENSOR].t, BSR_I8, 2, dims));
    memcpy(a[BSR_ATTR_TENSOR].t->data, "\x7f\x80", 2);
    return BSR_OK;
}

static bsr_status add_node(bsr_graph *g, const char *name, int a, int b, int out)
{
    bsr_node *node = bsr_graph_add_node(g, name, "Op");
    if (!node)
        return BSR_ENOMEM;
    node->in = bsr_alloc_array(3, sizeof *node->in);
    node->out = bsr_alloc_array(1, sizeof *node->out);
    if (!node->in || !node->out)
        return BSR_ENOMEM;
    node->n_in = 3;
    node->n_out = 1;
    node->in[0] = a;
    node->in[1] = -1;
    node->in[2] = b;
    node->out[0] = out;
    return BSR_OK;
}

/* x, w -> first -> h -> second -> y; more values than the name table starts with. */
static bsr_status build(bsr_graph **out)
{
    static const int64_t dims[] = {3};
    int x, w, h, y, other;
    BSR_TRY(bsr_graph_new(out));
    bsr_graph *g = *out;
    g->opset = 13;
    g->ir_version = 7;
    if (!(g->name = bsr_strdup("net")) || !(g->producer = bsr_strdup("maker")))
        return BSR_ENOMEM;
    BSR_TRY(bsr_graph_value(g, "x", &x));
    BSR_TRY(bsr_graph_value(g, "w", &w));
    BSR_TRY(bsr_graph_value(g, "h", &h));
    BSR_TRY(bsr_graph_value(g, "y", &y));
    for (int i = 0; i < 70; i++) {
        char name[16];
        snprintf(name, sizeof name, "other%d", i);
        BSR_TRY(bsr_graph_value(g, name, &other));
    }
    g->values[x].dtype = BSR_F32;
    g->values[x].rank = 2;
    g->values[x].dims[0] = 4;
    g->values[x].dims[1] = -1;
    BSR_TRY(bsr_tensor_new(&g->values[w].constant, BSR_F32, 1, dims));
    memcpy(g->values[w].constant->data, (float[]){1, 2, 3}, 3 * sizeof(float));
    BSR_TRY(bsr_graph_add_input(g, x));
    BSR_TRY(bsr_graph_add_output(g, y));
    BSR_TRY(add_node(g, "first", x, w, h));
    BSR_TRY(add_attrs(&g->nodes[0]));
    g->nodes[0].keep = g->nodes[0].inserted = 1;
    BSR_TRY(add_node(g, "second", h, h, y));
    return bsr_graph_finish(g);
}

static void assert_tensor(const bsr_tensor *a, const bsr_tensor *b)
{
    assert_true(a != b && a->data != b->data);
    assert_int_equal(a->dtype, b->dtype);
    assert_int_equal(a->rank, b->rank);
    assert_memory_equal(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims);
    assert_memory_equal(a->data, b->data,
                        (size_t)bsr_count(a->rank, a->dims) * bsr_dtype_size(a->dtype));
}

static void assert_attrs(const bsr_node *node)
{
    assert_int_equal(node->n_attr, 7);
    assert_int_equal(bsr_node_int(node, "i", 0), -7);
    assert_true(bsr_node_float(node, "f", 0) == 0.25f);
    assert_string_equal(bsr_node_string(node, "s", ""), "text");
    const bsr_attr *ints = bsr_node_attr(node, "I"), *real = bsr_node_attr(node, "F");
    assert_int_equal(ints->n, 2);
    assert_int_equal(ints->ints[0], -1);
    assert_true(ints->ints[1] == INT64_MAX);
    assert_int_equal(real->n, 3);
    assert_memory_equal(real->floats, ((float[]){0.5f, -0.0f, 3}), 3 * sizeof(float));
    assert_int_equal(bsr_node_attr(node, "S")->n, 3);
    for (int k = 0; k < 3; k++)
        assert_string_equal(bsr_node_attr(node, "S")->strings[k], words[k]);
    const bsr_tensor *t = bsr_node_attr(node, "t")->t;
    assert_int_equal(t->dtype, BSR_I8);
    assert_memory_equal(t->data, "\x7f\x80", 2);
}

static void assert_same(const bsr_graph *a, const bsr_graph *b)
{
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->producer, b->producer);
    assert_int_equal(a->opset, b->opset);
    assert_int_equal(a->ir_version, b->ir_version);
    assert_int_equal(a->n_values, b->n_values);
    assert_int_equal(a->n_nodes, b->n_nodes);
    assert_int_equal(a->n_inputs, b->n_inputs);
    assert_int_equal(a->n_outputs, b->n_outputs);
    assert_int_equal(a->inputs[0], b->inputs[0]);
    assert_int_equal(a->outputs[0], b->outputs[0]);
    for (int i = 0; i < a->n_values; i++) {
        const bsr_value *v = &a->values[i], *w = &b->values[i];
        assert_true(v->name != w->name);
        assert_string_equal(v->name, w->name);
        assert_int_equal(bsr_graph_find_value(a, w->name), i);
        assert_int_equal(v->dtype, w->dtype);
        assert_int_equal(v->rank, w->rank);
        assert_memory_equal(v->dims, w->dims, sizeof v->dims);
        assert_int_equal(v->producer, w->producer);
        assert_int_equal(v->n_consumers, w->n_consumers);
        assert_int_equal(v->is_input, w->is_input);
        assert_int_equal(v->is_output, w->is_output);
        assert_int_equal(!v->constant, !w->constant);
        if (v->constant)
            assert_tensor(v->constant, w->constant);
    }
    for (int i = 0; i < a->n_nodes; i++) {
        const bsr_node *m = &a->nodes[i], *n = &b->nodes[i];
        assert_string_equal(m->name, n->name);
        assert_string_equal(m->op_type, n->op_type);
        assert_int_equal(m->n_in, n->n_in);
        assert_int_equal(m->n_out, n->n_out);
        assert_memory_equal(m->in, n->in, (size_t)m->n_in * sizeof *m->in);
        assert_memory_equal(m->out, n->out, (size_t)m->n_out * sizeof *m->out);
        assert_int_equal(m->keep, n->keep);
        assert_int_equal(m->inserted, n->inserted);
        assert_int_equal(m->n_attr, n->n_attr);
    }
}

/* The copy equals the original, and lives on without it. */
static void test_graph_clone__deep(void **state)
{
    bsr_graph *graph, *copy, *twice;
    int index;
    assert_int_equal(build(&graph), BSR_OK);
    assert_int_equal(bsr_graph_clone(&copy, graph), BSR_OK);
    assert_same(copy, graph);
    bsr_graph_free(graph);
    assert_attrs(&copy->nodes[0]);
    assert_int_equal(bsr_graph_clone(&twice, copy), BSR_OK);
    assert_same(twice, copy);
    /* It can grow as any other graph. */
    assert_int_equal(bsr_graph_value(twice, "new", &index), BSR_OK);
    assert_int_equal(index, copy->n_values);
    assert_int_equal(bsr_graph_finish(twice), BSR_OK);
    assert_int_equal(bsr_graph_find_value(copy, "new"), -1);
    bsr_graph_free(twice);
    bsr_graph_free(copy);
}

static void test_graph_clone__empty(void **state)
{
    bsr_graph *graph, *copy;
    assert_int_equal(bsr_graph_new(&graph), BSR_OK);
    assert_int_equal(bsr_graph_clone(&copy, graph), BSR_OK);
    assert_null(copy->name);
    assert_int_equal(copy->n_values + copy->n_nodes + copy->n_inputs + copy->n_outputs, 0);
    bsr_graph_free(graph);
    bsr_graph_free(copy);
}

static void test_graph_clone__out_of_memory(void **state)
{
    bsr_graph *graph, *copy;
    assert_int_equal(build(&graph), BSR_OK);
    for (long n = 1;; n++) {
        bsr_alloc_fail_after(n);
        bsr_status status = bsr_graph_clone(&copy, graph);
        int pending = bsr_alloc_fail_pending();
        bsr_alloc_fail_after(0);
        if (pending) {
            assert_int_equal(status, BSR_OK);
            assert_true(n > 80);
            bsr_graph_free(copy);
            break;
        }
        assert_int_equal(status, BSR_ENOMEM);
        assert_null(copy);
    }
    bsr_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_graph_clone__deep),
        cmocka_unit_test(test_graph_clone__empty),
        cmocka_unit_test(test_graph_clone__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
