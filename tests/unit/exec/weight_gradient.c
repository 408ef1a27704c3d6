/* Gradients at the weights of a grouped convolution with a stride, a dilation and padding, in whole
 * numbers small enough to be exact, as PyTorch gives them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "exec/golden.h"
#include "exec/weight_gradient.h"

enum { CLASSES = 48, WEIGHTS = 24, CHANNELS = 4 };

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

static bsr_node *add_node(bsr_graph *g, const char *type, const char *out, int n_in,
                          const char *const *in)
{
    bsr_node *n = bsr_graph_add_node(g, out, type);
    assert_non_null(n);
    n->in = bsr_alloc_array((size_t)n_in, sizeof *n->in);
    n->out = bsr_alloc_array(1, sizeof *n->out);
    assert_true(n->in && n->out);
    for (n->n_in = 0; n->n_in < n_in; n->n_in++)
        n->in[n->n_in] = add_value(g, in[n->n_in]);
    n->out[0] = add_value(g, out);
    n->n_out = 1;
    return n;
}

/* Element i of a constant: i * step modulo `modulus`, less `less`. */
static void add_constant(bsr_graph *g, const char *name, int rank, const int64_t *dims, int step,
                         int modulus, int less)
{
    int v = add_value(g, name);
    bsr_tensor *t;
    assert_int_equal(bsr_tensor_new(&t, BSR_F32, rank, dims), BSR_OK);
    for (int i = 0; i < (int)bsr_count(rank, dims); i++)
        ((float *)t->data)[i] = (float)(i * step % modulus - less);
    g->values[v].constant = t;
}

static void set_ints(bsr_attr *a, const char *name, size_t n, const int64_t *ints)
{
    *a = (bsr_attr){.name = bsr_strdup(name), .kind = BSR_ATTR_INTS, .n = n};
    a->ints = bsr_alloc_array(n, sizeof *a->ints);
    assert_true(a->name && a->ints);
    memcpy(a->ints, ints, n * sizeof *ints);
}

static void open_net(net *t)
{
    assert_int_equal(bsr_graph_new(&t->graph), BSR_OK);
    t->graph->opset = 13;
    int x = add_value(t->graph, "x");
    t->graph->values[x].dtype = BSR_F32;
    t->graph->values[x].rank = 4;
    memcpy(t->graph->values[x].dims, (const int64_t[]){1, 2, 5, 4}, 4 * sizeof(int64_t));
    assert_int_equal(bsr_graph_add_input(t->graph, x), BSR_OK);
    add_constant(t->graph, "w", 4, (const int64_t[]){4, 1, 3, 2}, 5, 7, 3);
    add_constant(t->graph, "b", 1, (const int64_t[]){4}, 3, 5, 2); /* -2, 1, -1, 2 */
    bsr_node *conv = add_node(t->graph, "Conv", "c", 3, (const char *[]){"x", "w", "b"});
    conv->attr = bsr_calloc_array(4, sizeof *conv->attr);
    assert_non_null(conv->attr);
    set_ints(&conv->attr[0], "strides", 2, (const int64_t[]){2, 1});
    set_ints(&conv->attr[1], "pads", 4, (const int64_t[]){1, 1, 1, 1});
    set_ints(&conv->attr[2], "dilations", 2, (const int64_t[]){1, 2});
    conv->attr[3] = (bsr_attr){.name = bsr_strdup("group"), .kind = BSR_ATTR_INT, .i = 2};
    conv->n_attr = 4;
    add_node(t->graph, "Relu", "r", 1, (const char *[]){"c"});
    add_node(t->graph, "Flatten", "y", 1, (const char *[]){"r"});
    assert_int_equal(bsr_graph_add_output(t->graph, add_value(t->graph, "y")), BSR_OK);
    assert_int_equal(bsr_graph_finish(t->graph), BSR_OK);
    assert_int_equal(bsr_ops_resolve(t->graph), BSR_OK);
    assert_int_equal(bsr_plan_new(&t->plan, t->graph, bsr_kernels_for(BSR_CPU_REF), NULL), BSR_OK);
    assert_int_equal(t->plan->n_layers, 1);
}

typedef struct shown {
    bsr_gradients *g;
    bsr_weight_gradients *w;
    int n, calls;
    float out[2 * WEIGHTS], bias[2 * CHANNELS];
} shown;

static bsr_status take(void *ctx, int layer, const float *gradient, size_t stride)
{
    shown *s = ctx;
    assert_int_equal(layer, 0);
    bsr_weight_gradient(s->w, s->g, layer, gradient, stride, s->n, s->out, s->bias);
    s->calls++;
    return BSR_OK;
}

/* import torch
 * x = torch.tensor([(i*7)%11-5 for i in range(40)], dtype=torch.float32).reshape(1, 2, 5, 4)
 * w = torch.tensor([(i*5)%7-3 for i in range(24)],
 *                  dtype=torch.float32).reshape(4, 1, 3, 2).requires_grad_()
 * b = torch.tensor([-2., 1, -1, 2]).requires_grad_()
 * z = torch.relu(torch.nn.functional.conv2d(x, w, b, stride=(2, 1), padding=(1, 1),
 *                                           dilation=(1, 2), groups=2)).flatten()
 * for s in [(i % 5) - 2 for i in range(48)], [(i*3) % 7 - 3 for i in range(48)]:
 *     print(torch.autograd.grad((z * torch.tensor(s, dtype=torch.float32)).sum(), [w, b],
 *                               retain_graph=True))
 * No element of the convolution is 0 (PyTorch 1.13). */
static const float want_weights[2][WEIGHTS] = {
    {9, 0, -6, 17, 1, -15, -3, 7, 2, -8, -7, 7, -25, 7, 13, 0, 3, 2, 5, -15, -29, 13, 10, 0},
    {-9, 6,   3,  1,  -25, -9, -6, -11, -5, -14, 6,   0,
     3,  -36, 11, 11, -26, 15, -5, -11, 5,  -18, -10, 18},
};
static const float want_bias[2][CHANNELS] = {{-3, 1, -3, -2}, {-3, 4, -2, 0}};

static void test_exec_weight_gradient__as_in_pytorch(void **state)
{
    net t;
    _Alignas(64) char record[8192], input[1024];
    float planes[40], logits[CLASSES], seeds[2 * CLASSES];
    open_net(&t);
    for (int i = 0; i < 40; i++)
        planes[i] = (float)(i * 7 % 11 - 5);
    for (int i = 0; i < CLASSES; i++) {
        seeds[i] = (float)(i % 5 - 2);
        seeds[CLASSES + i] = (float)(i * 3 % 7 - 3);
    }
    assert_true(t.plan->golden_bytes <= sizeof record &&
                t.plan->ptens[t.plan->input].image_bytes <= sizeof input);
    bsr_input_layout(t.plan, planes, 0, input);
    bsr_forward *f;
    assert_int_equal(bsr_forward_new(&f, t.plan, 1), BSR_OK);
    assert_int_equal(
        bsr_forward_run(f, 1, (const char *[]){input}, (char *[]){record}, (float *[]){logits}),
        BSR_OK);
    bsr_forward_free(f);
    int top1 = bsr_top1(logits, CLASSES);
    bsr_golden golden = {t.plan, 1, record, logits, &top1, CLASSES};
    bsr_gradient_plan *gp;
    shown s = {.n = 2};
    assert_int_equal(bsr_gradient_plan_new(&gp, t.plan), BSR_OK);
    assert_int_equal(bsr_gradients_new(&s.g, gp), BSR_OK);
    assert_int_equal(bsr_weight_gradients_new(&s.w, gp), BSR_OK);
    const bsr_gradient_request request = {.n = 2,
                                          .seeds = seeds,
                                          .wanted_layers = (const unsigned char[]){1},
                                          .layer_fn = take,
                                          .ctx = &s};
    assert_int_equal(bsr_gradients_run(s.g, &golden, 0, &request), BSR_OK);
    assert_int_equal(s.calls, 1);
    const bsr_weights *w = t.plan->layers[0].weights;
    assert_int_equal(bsr_weight_gradient_count(w), WEIGHTS);
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < WEIGHTS; i++) { /* [4][1][3][2] */
            size_t at = bsr_weight_gradient_at(w, i / 6, i % 6, 0);
            assert_true(s.out[k * WEIGHTS + (int)at] == want_weights[k][i]);
        }
        for (int m = 0; m < CHANNELS; m++)
            assert_true(s.bias[k * CHANNELS + m] == want_bias[k][m]);
    }
    bsr_weight_gradients_free(s.w);
    bsr_gradients_free(s.g);
    bsr_gradient_plan_free(gp);
    bsr_plan_free(t.plan);
    bsr_graph_free(t.graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exec_weight_gradient__as_in_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
