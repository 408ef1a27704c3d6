/* One operator in a graph of its own: built, checked, inferred and run as the library does it.
 * Every run is repeated on tensors stored in the reverse dimension order, which must not change a
 * bit. */
#ifndef TESTS_UNIT_OPS_OP_CASE_H
#define TESTS_UNIT_OPS_OP_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "ops/op.h"

enum { OP_CASE_MAX = 10 };

typedef struct op_case {
    bsr_graph *graph;
    const bsr_op *op;
    bsr_tensor *out[OP_CASE_MAX]; /* after op_run */
} op_case;

/* Arguments rank, dims of a call. */
#define DIMS(...)                                                                                  \
    (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[])             \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define SCALAR 0, NULL

static inline bsr_node *op_node(const op_case *c)
{
    return &c->graph->nodes[0];
}

/* A node named "n" with outputs "out0", "out1", ... */
static inline op_case op_new(const char *type, int opset, int n_out)
{
    op_case c = {.op = bsr_op_find(type)};
    char name[16];
    assert_non_null(c.op);
    assert_int_equal(bsr_graph_new(&c.graph), BSR_OK);
    c.graph->opset = opset;
    bsr_node *node = bsr_graph_add_node(c.graph, "n", type);
    node->in = bsr_alloc_array(OP_CASE_MAX, sizeof *node->in);
    node->out = bsr_alloc_array(OP_CASE_MAX, sizeof *node->out);
    node->attr = bsr_calloc_array(OP_CASE_MAX, sizeof *node->attr);
    for (node->n_out = 0; node->n_out < n_out; node->n_out++) {
        snprintf(name, sizeof name, "out%d", node->n_out);
        assert_int_equal(bsr_graph_value(c.graph, name, &node->out[node->n_out]), BSR_OK);
    }
    return c;
}

static inline void op_free(op_case *c)
{
    for (int i = 0; i < OP_CASE_MAX; i++)
        bsr_tensor_free(c->out[i]);
    bsr_graph_free(c->graph);
}

static inline void op_no_input(op_case *c)
{
    op_node(c)->in[op_node(c)->n_in++] = -1;
}

/* The next input, a constant of any dtype; data may be NULL for zeros. */
static inline void op_input(op_case *c, bsr_dtype dtype, int rank, const int64_t *dims,
                            const void *data)
{
    char name[16];
    int at;
    bsr_tensor *t;
    snprintf(name, sizeof name, "in%d", op_node(c)->n_in);
    assert_int_equal(bsr_graph_value(c->graph, name, &at), BSR_OK);
    assert_int_equal(bsr_tensor_new(&t, dtype, rank, dims), BSR_OK);
    if (data)
        memcpy(t->data, data, (size_t)bsr_count(rank, dims) * bsr_dtype_size(dtype));
    bsr_value *v = &c->graph->values[at];
    v->dtype = dtype;
    v->rank = rank;
    for (int d = 0; d < rank; d++)
        v->dims[d] = dims[d];
    v->constant = t;
    op_node(c)->in[op_node(c)->n_in++] = at;
}

/* v[i] = ((i * factor) % modulus - modulus / 2) / 4: exact in float, as are short sums of
 * products. Python: (((np.arange(n) * factor) % modulus) - modulus // 2) * 0.25 */
static inline void op_pattern(op_case *c, int factor, int modulus, int rank, const int64_t *dims)
{
    static float data[4096];
    int64_t n = bsr_count(rank, dims);
    assert_in_range(n, 1, 4096);
    for (int64_t i = 0; i < n; i++)
        data[i] = (float)((i * factor) % modulus - modulus / 2) * 0.25f;
    op_input(c, BSR_F32, rank, dims, data);
}

/* v[i] = (i * factor) % modulus + first, as dtype uint8 or int8. */
static inline void op_codes(op_case *c, bsr_dtype dtype, int factor, int modulus, int first,
                            int rank, const int64_t *dims)
{
    static uint8_t data[4096];
    int64_t n = bsr_count(rank, dims);
    assert_in_range(n, 1, 4096);
    for (int64_t i = 0; i < n; i++)
        data[i] = (uint8_t)((i * factor) % modulus + first);
    op_input(c, dtype, rank, dims, data);
}

static inline bsr_attr *op_attr(op_case *c, const char *name, bsr_attr_kind kind)
{
    bsr_attr *attr = &op_node(c)->attr[op_node(c)->n_attr++];
    attr->name = bsr_strdup(name);
    attr->kind = kind;
    return attr;
}

static inline void op_int(op_case *c, const char *name, int64_t value)
{
    op_attr(c, name, BSR_ATTR_INT)->i = value;
}

static inline void op_float(op_case *c, const char *name, float value)
{
    op_attr(c, name, BSR_ATTR_FLOAT)->f = value;
}

static inline void op_string(op_case *c, const char *name, const char *value)
{
    op_attr(c, name, BSR_ATTR_STRING)->s = bsr_strdup(value);
}

/* op_ints(c, "pads", DIMS(1, 1)) */
static inline void op_ints(op_case *c, const char *name, int n, const int64_t *values)
{
    bsr_attr *attr = op_attr(c, name, BSR_ATTR_INTS);
    attr->n = (size_t)n;
    attr->ints = bsr_alloc_array((size_t)n, sizeof *values);
    memcpy(attr->ints, values, (size_t)n * sizeof *values);
}

static inline bsr_status op_infer(op_case *c)
{
    bsr_infer ctx = {c->graph, op_node(c)};
    bsr_status status = bsr_op_check(op_node(c), c->op, c->graph->opset);
    return status == BSR_OK ? c->op->infer(&ctx) : status;
}

/* The first dimension becomes the fastest one. */
static inline void reverse_storage(bsr_view *v)
{
    int64_t stride = 1;
    for (int d = 0; d < v->rank; d++) {
        v->strides[d] = stride;
        stride *= v->dims[d];
    }
}

/* Evaluates into c->out with inputs and outputs stored row-major or in reverse. */
static inline bsr_status op_evaluate(op_case *c, int reverse)
{
    bsr_node *node = op_node(c);
    bsr_view in[OP_CASE_MAX] = {{.data = NULL}}, out[OP_CASE_MAX] = {{.data = NULL}};
    bsr_tensor *copy[2 * OP_CASE_MAX] = {NULL};
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i] < 0)
            continue;
        const bsr_tensor *t = c->graph->values[node->in[i]].constant;
        in[i] = bsr_tensor_view(t);
        if (reverse) {
            bsr_view from = in[i];
            assert_int_equal(bsr_tensor_new(&copy[i], t->dtype, t->rank, t->dims), BSR_OK);
            in[i].data = copy[i]->data;
            reverse_storage(&in[i]);
            bsr_view_copy(&in[i], &from);
        }
    }
    for (int i = 0; i < node->n_out; i++) {
        const bsr_value *v = &c->graph->values[node->out[i]];
        bsr_tensor_free(c->out[i]);
        assert_int_equal(bsr_tensor_new(&c->out[i], v->dtype, v->rank, v->dims), BSR_OK);
        out[i] = bsr_tensor_view(c->out[i]);
        if (reverse) {
            bsr_tensor **t = &copy[OP_CASE_MAX + i];
            assert_int_equal(bsr_tensor_new(t, v->dtype, v->rank, v->dims), BSR_OK);
            out[i].data = (*t)->data;
            reverse_storage(&out[i]);
        }
    }
    bsr_op_call call = {node, c->graph->opset, node->n_in, node->n_out, in, out};
    bsr_status status = c->op->run(&call);
    for (int i = 0; reverse && i < node->n_out; i++) {
        bsr_view to = bsr_tensor_view(c->out[i]);
        bsr_view_copy(&to, &out[i]);
    }
    for (int i = 0; i < 2 * OP_CASE_MAX; i++)
        bsr_tensor_free(copy[i]);
    return status;
}

/* Infers and runs; both storage orders must give the same bits. */
static inline void op_run(op_case *c)
{
    bsr_tensor *first[OP_CASE_MAX];
    if (op_infer(c) != BSR_OK)
        fail_msg("infer: %s", bsr_error_message());
    assert_int_equal(op_evaluate(c, 0), BSR_OK);
    memcpy(first, c->out, sizeof first);
    memset(c->out, 0, sizeof c->out);
    assert_int_equal(op_evaluate(c, 1), BSR_OK);
    for (int i = 0; i < op_node(c)->n_out; i++) {
        const bsr_tensor *t = first[i];
        assert_memory_equal(t->data, c->out[i]->data,
                            (size_t)bsr_count(t->rank, t->dims) * bsr_dtype_size(t->dtype));
        bsr_tensor_free(first[i]);
    }
}

static inline void op_check_shape(const op_case *c, int i, bsr_dtype dtype, int rank,
                                  const int64_t *dims)
{
    assert_int_equal(c->out[i]->dtype, dtype);
    assert_int_equal(c->out[i]->rank, rank);
    for (int d = 0; d < rank; d++)
        assert_int_equal(c->out[i]->dims[d], dims[d]);
}

/* Runs, compares output 0 within `tolerance` (0: equal) and frees the case. */
static inline void op_expect_f32(op_case *c, int rank, const int64_t *dims, const float *want,
                                 float tolerance)
{
    op_run(c);
    op_check_shape(c, 0, BSR_F32, rank, dims);
    const float *got = c->out[0]->data;
    for (int64_t i = 0; i < bsr_count(rank, dims); i++) {
        float difference = got[i] > want[i] ? got[i] - want[i] : want[i] - got[i];
        if (!(difference <= tolerance) && got[i] != want[i])
            fail_msg("element %d is %.9g, expected %.9g", (int)i, (double)got[i], (double)want[i]);
    }
    op_free(c);
}

/* Compares integer output i. */
static inline void op_check_ints(const op_case *c, int i, bsr_dtype dtype, int rank,
                                 const int64_t *dims, const int64_t *want)
{
    op_check_shape(c, i, dtype, rank, dims);
    const void *data = c->out[i]->data;
    for (int64_t k = 0; k < bsr_count(rank, dims); k++) {
        int64_t got = dtype == BSR_U8    ? ((const uint8_t *)data)[k]
                      : dtype == BSR_I8  ? ((const int8_t *)data)[k]
                      : dtype == BSR_I32 ? ((const int32_t *)data)[k]
                                         : ((const int64_t *)data)[k];
        if (got != want[k])
            fail_msg("element %d is %lld, expected %lld", (int)k, (long long)got,
                     (long long)want[k]);
    }
}

/* Runs, compares integer output 0 and frees the case. */
static inline void op_expect_ints(op_case *c, bsr_dtype dtype, int rank, const int64_t *dims,
                                  const int64_t *want)
{
    op_run(c);
    op_check_ints(c, 0, dtype, rank, dims, want);
    op_free(c);
}

/* Shape inference must fail with this status and message; frees the case. */
static inline void op_expect_error(op_case *c, bsr_status status, const char *message)
{
    assert_int_equal(op_infer(c), status);
    assert_string_equal(bsr_error_message(), message);
    op_free(c);
}

/* Running must fail with ENOMEM when any of its allocations fails, and free the others; frees the
 * case. */
static inline void op_expect_enomem(op_case *c, int allocations)
{
    bsr_node *node = op_node(c);
    bsr_view in[OP_CASE_MAX] = {{.data = NULL}}, out[OP_CASE_MAX] = {{.data = NULL}};
    op_run(c);
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] >= 0)
            in[i] = bsr_tensor_view(c->graph->values[node->in[i]].constant);
    for (int i = 0; i < node->n_out; i++)
        out[i] = bsr_tensor_view(c->out[i]);
    bsr_op_call call = {node, c->graph->opset, node->n_in, node->n_out, in, out};
    for (int n = 1; n <= allocations + 1; n++) {
        bsr_alloc_fail_after(n);
        assert_int_equal(c->op->run(&call), n <= allocations ? BSR_ENOMEM : BSR_OK);
        assert_int_equal(bsr_alloc_fail_pending(), n > allocations);
    }
    bsr_alloc_fail_after(0);
    op_free(c);
}

#endif
