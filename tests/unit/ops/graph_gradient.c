#include "ops/graph_gradient.h"

#include "backward_case.h"

#include "backward_reference.h"

/* Appends "Type: a b -> c"; NULL when out of memory. */
static bsr_node *add(bsr_graph *graph, const char *text)
{
    char copy[96];
    snprintf(copy, sizeof copy, "%s", text);
    char *type = strtok(copy, ": ");
    bsr_node *node = bsr_graph_add_node(graph, type, type);
    if (!node)
        return NULL;
    node->in = bsr_alloc_array(4, sizeof *node->in);
    node->out = bsr_alloc_array(4, sizeof *node->out);
    node->attr = bsr_calloc_array(4, sizeof *node->attr);
    int is_out = 0;
    for (char *word = strtok(NULL, " "); word; word = strtok(NULL, " ")) {
        int value;
        if (strcmp(word, "->") == 0) {
            is_out = 1;
            continue;
        }
        assert_int_equal(bsr_graph_value(graph, word, &value), BSR_OK);
        if (is_out)
            node->out[node->n_out++] = value;
        else
            node->in[node->n_in++] = value;
    }
    return node;
}

static void set_attr(bsr_node *node, const char *name, int n, const int64_t *ints)
{
    bsr_attr *attr = &node->attr[node->n_attr++];
    attr->name = bsr_strdup(name);
    attr->kind = ints ? BSR_ATTR_INTS : BSR_ATTR_INT;
    attr->i = n;
    if (!ints)
        return;
    attr->n = (size_t)n;
    attr->ints = bsr_alloc_array(attr->n, sizeof *ints);
    memcpy(attr->ints, ints, attr->n * sizeof *ints);
}

static int find(const bsr_graph *graph, const char *name)
{
    int at = bsr_graph_find_value(graph, name);
    assert_true(at >= 0);
    return at;
}

static bsr_tensor *spread(double lo, double hi, int rank, const int64_t *dims)
{
    bsr_tensor *t;
    assert_int_equal(bsr_tensor_new(&t, BSR_F32, rank, dims), BSR_OK);
    back_spread(t->data, bsr_count(rank, dims), lo, hi);
    return t;
}

static void set_constant(bsr_graph *graph, const char *name, bsr_tensor *t)
{
    int at;
    assert_int_equal(bsr_graph_value(graph, name, &at), BSR_OK);
    graph->values[at].constant = t;
}

/* Input x float32 of these dims, output y; no nodes. */
static bsr_graph *new_graph(int rank, const int64_t *dims)
{
    bsr_graph *graph;
    int x, y;
    assert_int_equal(bsr_graph_new(&graph), BSR_OK);
    graph->opset = 13;
    assert_int_equal(bsr_graph_value(graph, "x", &x), BSR_OK);
    assert_int_equal(bsr_graph_value(graph, "y", &y), BSR_OK);
    assert_int_equal(bsr_graph_add_input(graph, x), BSR_OK);
    assert_int_equal(bsr_graph_add_output(graph, y), BSR_OK);
    bsr_value *v = &graph->values[x];
    v->dtype = BSR_F32;
    v->rank = rank;
    memcpy(v->dims, dims, (size_t)rank * sizeof *dims);
    return graph;
}

static void resolve(bsr_graph *graph)
{
    if (bsr_graph_finish(graph) != BSR_OK || bsr_ops_resolve(graph) != BSR_OK)
        fail_msg("%s", bsr_error_message());
}

/* The network of backward_reference.py. */
static bsr_graph *new_net(void)
{
    bsr_graph *graph = new_graph(DIMS(1, 2, 6, 6));
    set_constant(graph, "w1", spread(-2, 1.9, DIMS(3, 2, 3, 3)));
    set_constant(graph, "b1", spread(-2, 1.9, DIMS(3)));
    set_constant(graph, "w2", spread(-0.5, 0.5, DIMS(3, 3, 3, 3)));
    set_constant(graph, "w3", spread(-2, 1.9, DIMS(2, 27)));
    set_attr(add(graph, "Conv: x w1 b1 -> c1"), "pads", 4, (const int64_t[]){1, 1, 1, 1});
    add(graph, "Relu: c1 -> r1");
    bsr_node *pool = add(graph, "MaxPool: r1 -> pool");
    set_attr(pool, "kernel_shape", 2, (const int64_t[]){2, 2});
    set_attr(pool, "strides", 2, (const int64_t[]){2, 2});
    set_attr(add(graph, "Conv: pool w2 -> c2"), "pads", 4, (const int64_t[]){1, 1, 1, 1});
    add(graph, "Relu: c2 -> r2");
    add(graph, "Add: r2 pool -> skip");
    add(graph, "Flatten: skip -> flat");
    set_attr(add(graph, "Gemm: flat w3 -> y"), "transB", 1, NULL);
    resolve(graph);
    return graph;
}

/* A network, its tape for one image, and the seed. */
typedef struct net {
    bsr_graph *graph;
    bsr_tensor *image, *seed;
    bsr_tape *tape;
} net;

static net net_from(bsr_graph *graph)
{
    net n = {.graph = graph};
    const bsr_value *x = &graph->values[graph->inputs[0]];
    const bsr_value *y = &graph->values[graph->outputs[0]];
    n.image = spread(-2, 1.9, x->rank, x->dims);
    assert_int_equal(bsr_tensor_new(&n.seed, BSR_F32, y->rank, y->dims), BSR_OK);
    back_seed(n.seed->data, bsr_count(y->rank, y->dims));
    if (bsr_tape_new(&n.tape, graph, (const bsr_tensor *const[]){n.image}) != BSR_OK)
        fail_msg("%s", bsr_error_message());
    return n;
}

static void net_free(net *n)
{
    bsr_tape_free(n->tape);
    bsr_tensor_free(n->image);
    bsr_tensor_free(n->seed);
    bsr_graph_free(n->graph);
}

static bsr_status gradients(const net *n, const char *const *names, int count, bsr_tensor **out)
{
    int wanted[8];
    for (int i = 0; i < count; i++)
        wanted[i] = find(n->graph, names[i]);
    return bsr_tape_gradient(n->tape, find(n->graph, "y"), n->seed, count, wanted, out);
}

static void expect_near(const bsr_tensor *got, const float *want)
{
    double greatest = 0.0;
    int64_t count = bsr_count(got->rank, got->dims);
    for (int64_t k = 0; k < count; k++)
        greatest = fmax(greatest, fabs((double)want[k]));
    for (int64_t k = 0; k < count; k++)
        if (!(fabs((double)((const float *)got->data)[k] - (double)want[k]) <= 1e-6 * greatest))
            fail_msg("element %d is %.9g, expected %.9g", (int)k,
                     (double)((const float *)got->data)[k], (double)want[k]);
}

static void test_ops_graph_gradient__net(void **state)
{
    static const char *const names[] = {"x", "w1", "b1", "w2", "w3", "pool"};
    static const float *const want[] = {net_x, net_w1, net_b1, net_w2, net_w3, net_pool};
    bsr_tensor *got[6];
    net n = net_from(new_net());
    assert_int_equal(gradients(&n, names, 6, got), BSR_OK);
    for (int i = 0; i < 6; i++) {
        const bsr_value *v = &n.graph->values[find(n.graph, names[i])];
        assert_int_equal(got[i]->dtype, BSR_F32);
        assert_int_equal(got[i]->rank, v->rank);
        assert_memory_equal(got[i]->dims, v->dims, (size_t)v->rank * sizeof *v->dims);
        expect_near(got[i], want[i]);
        bsr_tensor_free(got[i]);
    }
    net_free(&n);
}

/* One at a time gives the same bits, and a value may be asked for twice. */
static void test_ops_graph_gradient__any_selection(void **state)
{
    static const char *const names[] = {"x", "w1", "b1", "w2", "w3", "pool"};
    bsr_tensor *all[6], *two[2];
    net n = net_from(new_net());
    assert_int_equal(gradients(&n, names, 6, all), BSR_OK);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(gradients(&n, (const char *const[]){names[i], names[i]}, 2, two), BSR_OK);
        size_t bytes = (size_t)bsr_count(all[i]->rank, all[i]->dims) * sizeof(float);
        assert_memory_equal(all[i]->data, two[0]->data, bytes);
        assert_memory_equal(all[i]->data, two[1]->data, bytes);
        bsr_tensor_free(two[0]);
        bsr_tensor_free(two[1]);
        bsr_tensor_free(all[i]);
    }
    net_free(&n);
}

static int is_all_zero(const bsr_tensor *t)
{
    for (size_t i = 0; i < (size_t)bsr_count(t->rank, t->dims) * sizeof(float); i++)
        if (((const char *)t->data)[i])
            return 0;
    return 1;
}

/* Behind a layer whose sums are all negative nothing arrives: +0, bit for bit. */
static void test_ops_graph_gradient__dead_layer(void **state)
{
    static const char *const names[] = {"x", "w1", "b1", "w2", "w3"};
    bsr_tensor *got[5];
    bsr_graph *graph = new_net();
    float *b1 = graph->values[find(graph, "b1")].constant->data;
    for (int i = 0; i < 3; i++)
        b1[i] = -1000.0f;
    net n = net_from(graph);
    assert_int_equal(gradients(&n, names, 5, got), BSR_OK);
    for (int i = 0; i < 5; i++) {
        assert_true(is_all_zero(got[i]));
        bsr_tensor_free(got[i]);
    }
    net_free(&n);
}

/* y = x * x + w[argmax(x)]: a value read twice by one node; an index passes no gradient on; what
 * the seeded value does not depend on has zeros. By hand: dy/dx = 2 x seed, dy/dw = the sum of the
 * seeds where the index points. */
static bsr_graph *indexing_graph(void)
{
    bsr_graph *graph = new_graph(DIMS(3));
    set_constant(graph, "w", spread(-2, 1.9, DIMS(3)));
    add(graph, "Mul: x x -> square");
    set_attr(add(graph, "ArgMax: x -> index"), "keepdims", 1, NULL);
    add(graph, "Gather: w index -> part");
    add(graph, "Add: square part -> y");
    resolve(graph);
    return graph;
}

static void test_ops_graph_gradient__by_hand(void **state)
{
    bsr_tensor *got[3];
    net n = net_from(indexing_graph());
    const float *x = n.image->data, *seed = n.seed->data, *y;
    int best = x[1] > x[0] ? 1 : 0;
    best = x[2] > x[best] ? 2 : best;
    assert_int_equal(gradients(&n, (const char *const[]){"x", "w", "y"}, 3, got), BSR_OK);
    for (int i = 0; i < 3; i++) {
        assert_true(((const float *)got[0]->data)[i] == 2 * x[i] * seed[i]);
        float want = i == best ? seed[0] + seed[1] + seed[2] : 0.0f;
        assert_true(((const float *)got[1]->data)[i] == want);
        assert_true(((const float *)got[2]->data)[i] == seed[i]);
    }
    for (int i = 0; i < 3; i++)
        bsr_tensor_free(got[i]);
    y = bsr_tape_value(n.tape, find(n.graph, "y"))->data;
    const float *w = bsr_tape_value(n.tape, find(n.graph, "w"))->data;
    assert_true(y[1] == x[1] * x[1] + w[best]);
    assert_ptr_equal(bsr_tape_value(n.tape, find(n.graph, "x")), n.image);

    /* From an inner value: w is not on its way. */
    int wanted[1] = {find(n.graph, "w")};
    assert_int_equal(bsr_tape_gradient(n.tape, find(n.graph, "square"), n.seed, 1, wanted, got),
                     BSR_OK);
    assert_true(is_all_zero(got[0]));
    bsr_tensor_free(got[0]);
    net_free(&n);
}

static void test_ops_graph_gradient__errors(void **state)
{
    net n = net_from(indexing_graph());
    bsr_tensor *got[2] = {n.seed, n.seed}, *wrong = spread(0, 1, DIMS(4));
    assert_int_equal(gradients(&n, (const char *const[]){"x", "index"}, 2, got), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "value 'index' is int64, which has no gradient");
    assert_null(got[0]);
    assert_null(got[1]);

    int wanted[1] = {find(n.graph, "x")};
    assert_int_equal(bsr_tape_gradient(n.tape, find(n.graph, "y"), wrong, 1, wanted, got),
                     BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "seed is float32 4, expected float32 3 for value 'y'");

    bsr_tape *tape;
    assert_int_equal(bsr_tape_new(&tape, n.graph, (const bsr_tensor *const[]){wrong}), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "input 'x' is float32 4, expected float32 3");
    assert_null(tape);
    bsr_tensor_free(wrong);
    net_free(&n);
}

/* Only a node on the way from a wanted value to the seeded one needs a rule. */
static void test_ops_graph_gradient__no_rule(void **state)
{
    bsr_tensor *got[1];
    bsr_graph *graph = new_graph(DIMS(3));
    bsr_node *cast = add(graph, "Cast: x -> c");
    set_attr(cast, "to", BSR_F32, NULL);
    set_constant(graph, "w", spread(-2, 1.9, DIMS(3)));
    add(graph, "Mul: c w -> y");
    resolve(graph);
    net n = net_from(graph);
    assert_int_equal(gradients(&n, (const char *const[]){"x"}, 1, got), BSR_EUNSUPPORTED);
    assert_string_equal(bsr_error_message(),
                        "node 'Cast' (Cast): operator 'Cast' has no backward rule");
    assert_int_equal(gradients(&n, (const char *const[]){"w"}, 1, got), BSR_OK);
    bsr_tensor_free(got[0]);
    net_free(&n);
}

static void test_ops_graph_gradient__allocation_failures(void **state)
{
    static const char *const names[] = {"x", "w1", "pool"};
    net n = net_from(new_net());
    long made = 0, walked = 0;
    for (int pending = 0; !pending;) {
        bsr_tape *tape;
        bsr_alloc_fail_after(++made);
        bsr_status status = bsr_tape_new(&tape, n.graph, (const bsr_tensor *const[]){n.image});
        pending = bsr_alloc_fail_pending();
        bsr_alloc_fail_after(0);
        assert_int_equal(status, pending ? BSR_OK : BSR_ENOMEM);
        assert_true((tape != NULL) == pending);
        bsr_tape_free(tape);
    }
    for (int pending = 0; !pending;) {
        bsr_tensor *got[3];
        bsr_alloc_fail_after(++walked);
        bsr_status status = gradients(&n, names, 3, got);
        pending = bsr_alloc_fail_pending();
        bsr_alloc_fail_after(0);
        assert_int_equal(status, pending ? BSR_OK : BSR_ENOMEM);
        for (int i = 0; i < 3; i++) {
            assert_true((got[i] != NULL) == pending);
            bsr_tensor_free(got[i]);
        }
    }
    assert_true(made > 20 && walked > 40);
    net_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_graph_gradient__net),
        cmocka_unit_test(test_ops_graph_gradient__any_selection),
        cmocka_unit_test(test_ops_graph_gradient__dead_layer),
        cmocka_unit_test(test_ops_graph_gradient__by_hand),
        cmocka_unit_test(test_ops_graph_gradient__errors),
        cmocka_unit_test(test_ops_graph_gradient__no_rule),
        cmocka_unit_test(test_ops_graph_gradient__allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
