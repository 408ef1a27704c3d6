/* Margins, gradients small enough to work out by hand, and what has none. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/gradient.h"

static void test_exec_gradient__margins_nearest_first(void **state)
{
    const float logits[5] = {1, 7, 4, 6.5f, 4};
    bsr_margins m;
    bsr_margins_of(&m, logits, 1, 5);
    assert_int_equal(m.n, 4);
    const int rivals[4] = {3, 2, 4, 0}; /* of equal margins the smaller class first */
    const float margins[4] = {0.5f, 3, 3, 6};
    assert_memory_equal(m.rival, rivals, sizeof rivals);
    assert_memory_equal(m.margin, margins, sizeof margins);
}

static void test_exec_gradient__margins_of_many_classes(void **state)
{
    float logits[40];
    for (int c = 0; c < 40; c++)
        logits[c] = (float)((c * 7) % 40); /* every number of 0..39 once; 39 is class 17 */
    bsr_margins m;
    bsr_margins_of(&m, logits, 17, 40);
    assert_int_equal(m.n, BSR_MAX_RIVALS);
    for (int k = 0; k < m.n; k++) {
        assert_true(m.margin[k] == (float)(k + 1));
        assert_true(logits[m.rival[k]] == (float)(38 - k));
    }
}

static void test_exec_gradient__margins_of_one_class_and_of_bad_logits(void **state)
{
    bsr_margins m;
    bsr_margins_of(&m, (const float[]){3}, 0, 1);
    assert_int_equal(m.n, 0);
    bsr_margins_of(&m, (const float[]){1, 5, -INFINITY, 2}, 1, 4);
    const int minus_inf_first[3] = {2, 3, 0};
    assert_memory_equal(m.rival, minus_inf_first, sizeof minus_inf_first);
    assert_true(m.margin[0] == 0 && m.margin[1] == 3 && m.margin[2] == 4);
    bsr_margins_of(&m, (const float[]){1, NAN, 3}, 1, 3);
    assert_int_equal(m.n, 2);
    assert_true(m.rival[0] == 0 && m.margin[0] == 0 && m.rival[1] == 2 && m.margin[1] == 0);
}

static void test_exec_gradient__seeds_of_margins(void **state)
{
    const bsr_margins m = {.n = 2, .rival = {3, 0}};
    float seeds[8] = {9, 9, 9, 9, 9, 9, 9, 9};
    bsr_margin_seeds(seeds, &m, 1, 4);
    const float want[8] = {0, 1, 0, -1, -1, 1, 0, 0};
    assert_memory_equal(seeds, want, sizeof want);
}

/* x [1, n] through nodes to y: a graph of one plan. */
typedef struct net {
    bsr_graph *graph;
    bsr_plan *plan;
} net;

static int add_value(bsr_graph *g, const char *name)
{
    int v;
    assert_int_equal(bsr_graph_value(g, name, &v), BSR_OK);
    return v;
}

static void add_node(bsr_graph *g, const char *type, const char *a, const char *b, const char *out)
{
    int in[2] = {add_value(g, a), b ? add_value(g, b) : -1}, y = add_value(g, out);
    bsr_node *n = bsr_graph_add_node(g, out, type);
    assert_non_null(n);
    n->n_in = b ? 2 : 1;
    n->n_out = 1;
    n->in = bsr_alloc_array(2, sizeof *n->in);
    n->out = bsr_alloc_array(1, sizeof *n->out);
    assert_true(n->in && n->out);
    memcpy(n->in, in, sizeof in);
    n->out[0] = y;
}

static void start(net *t, int n)
{
    assert_int_equal(bsr_graph_new(&t->graph), BSR_OK);
    t->graph->opset = 13;
    int x = add_value(t->graph, "x");
    bsr_value *v = &t->graph->values[x];
    v->dtype = BSR_F32;
    v->rank = 2;
    v->dims[0] = 1;
    v->dims[1] = n;
    assert_int_equal(bsr_graph_add_input(t->graph, x), BSR_OK);
}

static void finish(net *t, const char *output)
{
    assert_int_equal(bsr_graph_add_output(t->graph, add_value(t->graph, output)), BSR_OK);
    assert_int_equal(bsr_graph_finish(t->graph), BSR_OK);
    assert_int_equal(bsr_ops_resolve(t->graph), BSR_OK);
    assert_int_equal(bsr_plan_new(&t->plan, t->graph, bsr_kernels_for(BSR_CPU_REF), NULL), BSR_OK);
}

static void end(net *t)
{
    bsr_plan_free(t->plan);
    bsr_graph_free(t->graph);
}

typedef struct shown {
    int n, fail_at;
    float x[2][4]; /* of the input: two rivals */
} shown;

static bsr_status show(void *ctx, int pten, const float *gradient, size_t stride)
{
    shown *s = ctx;
    if (++s->n == s->fail_at)
        return bsr_fail(BSR_EIO, "tensor %d: disk full", pten);
    for (int k = 0; k < 2; k++)
        memcpy(s->x[k], gradient + (size_t)k * stride, 3 * sizeof(float));
    return BSR_OK;
}

/* The golden run of one image of three elements. */
static void run(const net *t, const float *x, shown *s, bsr_status want)
{
    _Alignas(64) char record[4096];
    float logits[3];
    int top1;
    assert_true(t->plan->golden_bytes <= sizeof record);
    bsr_forward *f;
    assert_int_equal(bsr_forward_new(&f, t->plan, 1), BSR_OK);
    assert_int_equal(bsr_forward_run(f, 1, (const char *[]){(const char *)x}, (char *[]){record},
                                     (float *[]){logits}),
                     BSR_OK);
    bsr_forward_free(f);
    top1 = bsr_top1(logits, 3);
    bsr_golden golden = {t->plan, 1, record, logits, &top1, 3};
    bsr_margins m;
    bsr_margins_of(&m, logits, top1, 3);
    unsigned char wanted[16] = {0};
    wanted[t->plan->input] = 1;
    wanted[t->plan->output] = 1;
    bsr_gradient_plan *gp;
    bsr_gradients *g;
    assert_int_equal(bsr_gradient_plan_new(&gp, t->plan), BSR_OK);
    assert_int_equal(bsr_gradients_new(&g, gp), BSR_OK);
    float seeds[BSR_MAX_RIVALS * 3];
    bsr_margin_seeds(seeds, &m, top1, 3);
    const bsr_gradient_request request = {
        .n = m.n, .seeds = seeds, .wanted = wanted, .fn = show, .ctx = s};
    assert_int_equal(bsr_gradients_run(g, &golden, 0, &request), want);
    bsr_gradients_free(g);
    bsr_gradient_plan_free(gp);
}

/* y = relu(x) * x + x: slope 2 x + 1 where x > 0, else 1. The classes do not mix, so the gradient
 * of a margin is that slope at the golden class and its negative at the rival. */
static void test_exec_gradient__by_hand(void **state)
{
    net t;
    start(&t, 3);
    add_node(t.graph, "Relu", "x", NULL, "r");
    add_node(t.graph, "Mul", "r", "x", "m");
    add_node(t.graph, "Add", "m", "x", "y");
    finish(&t, "y");
    const float x[3] = {2, -3, 1}; /* y = 6, -3, 2: rivals 2, then 1 */
    const float want[2][3] = {{5, 0, -3}, {5, -1, 0}};
    shown s = {0};
    run(&t, x, &s, BSR_OK);
    assert_int_equal(s.n, 2);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 3; i++)
            assert_true(s.x[k][i] == want[k][i]);
    end(&t);
}

static void test_exec_gradient__the_receiver_may_stop(void **state)
{
    net t;
    start(&t, 3);
    add_node(t.graph, "Relu", "x", NULL, "y");
    finish(&t, "y");
    const float x[3] = {2, 0, 1};
    shown s = {.fail_at = 1};
    run(&t, x, &s, BSR_EIO);
    assert_int_equal(s.n, 1);
    assert_non_null(strstr(bsr_error_message(), "disk full"));
    end(&t);
}

static void test_exec_gradient__names_what_has_no_rule(void **state)
{
    net t;
    bsr_gradient_plan *gp;
    start(&t, 3);
    add_node(t.graph, "Relu", "x", NULL, "r");
    add_node(t.graph, "Cast", "r", NULL, "y");
    bsr_attr *a = t.graph->nodes[1].attr = bsr_calloc_array(1, sizeof *a);
    assert_non_null(a);
    t.graph->nodes[1].n_attr = 1;
    a->name = bsr_strdup("to");
    a->kind = BSR_ATTR_INT;
    a->i = BSR_F32;
    finish(&t, "y");
    gp = (bsr_gradient_plan *)1;
    assert_int_equal(bsr_gradient_plan_new(&gp, t.plan), BSR_EUNSUPPORTED);
    assert_null(gp);
    assert_string_equal(bsr_error_message(), "node 'y' (Cast): has no rule for gradients");
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exec_gradient__margins_nearest_first),
        cmocka_unit_test(test_exec_gradient__margins_of_many_classes),
        cmocka_unit_test(test_exec_gradient__margins_of_one_class_and_of_bad_logits),
        cmocka_unit_test(test_exec_gradient__seeds_of_margins),
        cmocka_unit_test(test_exec_gradient__by_hand),
        cmocka_unit_test(test_exec_gradient__the_receiver_may_stop),
        cmocka_unit_test(test_exec_gradient__names_what_has_no_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
