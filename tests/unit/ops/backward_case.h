/* Backward rules on cases written as text.
 *
 * Inputs are words: "2x3x4" is float32 of that shape with distinct values spread over -2..1.9 in
 * mixed order, "2x3@0.5:3" over another range, "s@1:1" a scalar, "_" omitted, "u8:2x3@0:9" and
 * "i8:", "i32:" codes, "b:2x3" bools, "[1,-2]" a list of int64. A word that starts with '!' is not
 * differentiated. Attributes are "name=value" with lists as "1,2"; their kinds are the operator's.
 */
#ifndef TESTS_UNIT_OPS_BACKWARD_CASE_H
#define TESTS_UNIT_OPS_BACKWARD_CASE_H

#include "op_case.h"

#include <math.h>
#include <stdlib.h>

enum { BACK_MAX_ELEMENTS = 512, BACK_WORD = 96 };

typedef struct back_case {
    op_case c;
    unsigned checked;              /* inputs to be differentiated */
    bsr_tensor *seed[OP_CASE_MAX]; /* per output, NULL: no gradient comes in */
    bsr_tensor *grad[OP_CASE_MAX]; /* per input, after back_run */
} back_case;

static inline int64_t back_dims(const char *text, int64_t *dims, int *rank)
{
    int64_t n = 1;
    *rank = 0;
    for (const char *p = text; *p >= '0' && *p <= '9'; p += *p == 'x') {
        char *end;
        dims[*rank] = strtoll(p, &end, 10);
        n *= dims[(*rank)++];
        p = end;
    }
    return n;
}

/* Position of element i in ascending order of the values: a permutation of 0..n-1. */
static inline int64_t back_mix(int64_t i, int64_t n)
{
    int64_t factor = 7, a, b;
    for (;; factor += 2) {
        for (a = factor, b = n; b;) {
            int64_t r = a % b;
            a = b;
            b = r;
        }
        if (a == 1)
            return i * factor % n;
    }
}

/* n distinct values within lo..hi; multiples of 2^-10, so that adding a step to them is exact. */
static inline void back_spread(float *v, int64_t n, double lo, double hi)
{
    for (int64_t i = 0; i < n; i++) {
        double x = lo + (hi - lo) * ((double)back_mix(i, n) + 0.5) / (double)n;
        v[i] = (float)(rint(x * 1024.0) / 1024.0);
    }
}

/* The weights of the output elements. */
static inline void back_seed(float *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        v[i] = (float)(i * 5 % 11 - 5) * 0.25f + 0.0625f;
}

static inline void back_numbers(op_case *c, bsr_dtype dtype, const char *text)
{
    float v[BACK_MAX_ELEMENTS];
    int32_t i32[BACK_MAX_ELEMENTS];
    uint8_t u8[BACK_MAX_ELEMENTS];
    int64_t dims[BSR_MAX_RANK];
    int rank;
    int64_t n = back_dims(text, dims, &rank);
    const char *range = strchr(text, '@');
    double lo = dtype == BSR_F32 ? -2.0 : 0.0, hi = dtype == BSR_F32 ? 1.9 : 2.0;
    if (range) {
        lo = strtod(range + 1, NULL);
        hi = strtod(strchr(range, ':') + 1, NULL);
    }
    assert_in_range(n, 1, BACK_MAX_ELEMENTS);
    back_spread(v, n, lo, hi);
    for (int64_t i = 0; i < n; i++) {
        i32[i] = (int32_t)floorf(v[i]);
        u8[i] = (uint8_t)i32[i];
    }
    const void *data = dtype == BSR_F32   ? (const void *)v
                       : dtype == BSR_I32 ? (const void *)i32
                                          : u8;
    op_input(c, dtype, rank, dims, data);
}

static inline void back_list(op_case *c, const char *text)
{
    int64_t values[16], n = 0;
    for (char *p = (char *)(uintptr_t)text; *p && *p != ']' && n < 16; n++) {
        values[n] = strtoll(p, &p, 10);
        p += *p == ',';
    }
    op_input(c, BSR_I64, 1, &n, values);
}

static inline void back_input(back_case *b, const char *word)
{
    static const struct {
        const char *prefix;
        bsr_dtype dtype;
    } types[] = {{"u8:", BSR_U8}, {"i8:", BSR_I8}, {"i32:", BSR_I32}, {"b:", BSR_BOOL}};
    op_case *c = &b->c;
    int checked = *word != '!';
    bsr_dtype dtype = BSR_F32;
    word += !checked;
    if (*word == '_') {
        op_no_input(c);
        return;
    }
    if (*word == '[') {
        back_list(c, word + 1);
        return;
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strncmp(word, types[i].prefix, strlen(types[i].prefix)) == 0) {
            dtype = types[i].dtype;
            word += strlen(types[i].prefix);
            break;
        }
    if (checked && dtype != BSR_BOOL)
        b->checked |= 1u << op_node(c)->n_in;
    back_numbers(c, dtype, word);
}

static inline void back_attr(op_case *c, char *word)
{
    char *value = strchr(word, '='), name[40];
    *value++ = 0;
    snprintf(name, sizeof name, "%s:", word);
    const char *at = strstr(c->op->attrs, name);
    assert_non_null(at);
    int64_t list[16];
    int n = 0;
    switch (at[strlen(name)]) {
    case 'f':
        op_float(c, word, strtof(value, NULL));
        break;
    case 's':
        op_string(c, word, value);
        break;
    case 'i':
        op_int(c, word, strtoll(value, NULL, 10));
        break;
    default:
        for (char *p = value; *p && n < 16; p += *p == ',')
            list[n++] = strtoll(p, &p, 10);
        op_ints(c, word, n, list);
        break;
    }
}

/* A graph of the one operator, evaluated, with a seed for every output that can have one. */
static inline back_case back_new(const char *type, int opset, int n_out, const char *inputs,
                                 const char *attrs)
{
    back_case b = {.c = op_new(type, opset, n_out)};
    char text[2 * BACK_WORD];
    op_node(&b.c)->inserted = strcmp(type, BSR_OP_STORE) == 0;
    snprintf(text, sizeof text, "%s", inputs);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        back_input(&b, word);
    snprintf(text, sizeof text, "%s", attrs);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        back_attr(&b.c, word);
    if (op_infer(&b.c) != BSR_OK || op_evaluate(&b.c, 0) != BSR_OK)
        fail_msg("%s %s %s: %s", type, inputs, attrs, bsr_error_message());
    for (int i = 0; i < n_out; i++) {
        const bsr_tensor *y = b.c.out[i];
        if (y->dtype == BSR_I64 || y->dtype == BSR_BOOL)
            continue;
        assert_int_equal(bsr_tensor_new(&b.seed[i], BSR_F32, y->rank, y->dims), BSR_OK);
        back_seed(b.seed[i]->data, bsr_count(y->rank, y->dims));
    }
    return b;
}

static inline void back_free(back_case *b)
{
    for (int i = 0; i < OP_CASE_MAX; i++) {
        bsr_tensor_free(b->seed[i]);
        bsr_tensor_free(b->grad[i]);
    }
    op_free(&b->c);
}

static inline bsr_tensor *back_constant(const back_case *b, int i)
{
    int at = b->c.graph->nodes[0].in[i];
    return at < 0 ? NULL : b->c.graph->values[at].constant;
}

/* A view of t, or of a copy stored in reverse, which the caller frees. */
static inline bsr_view back_view(const bsr_tensor *t, int reverse, bsr_tensor **copy)
{
    if (!t)
        return (bsr_view){.data = NULL};
    bsr_view v = bsr_tensor_view(t);
    if (reverse) {
        bsr_view from = v;
        assert_int_equal(bsr_tensor_new(copy, t->dtype, t->rank, t->dims), BSR_OK);
        v.data = (*copy)->data;
        reverse_storage(&v);
        bsr_view_copy(&v, &from);
    }
    return v;
}

/* Gradients of the inputs whose bit is set in `wanted`. They start as garbage, which the rule must
 * overwrite. fail_at: the number of the allocation of the rule that fails, 0 for none; returns
 * whether the failure is still to come. */
static inline int back_run(back_case *b, unsigned wanted, int reverse, long fail_at,
                           bsr_status *status)
{
    bsr_node *node = op_node(&b->c);
    bsr_tensor *copy[4 * OP_CASE_MAX] = {NULL};
    bsr_view in[OP_CASE_MAX] = {{.data = NULL}}, out[OP_CASE_MAX] = {{.data = NULL}};
    bsr_view to[OP_CASE_MAX] = {{.data = NULL}}, seed[OP_CASE_MAX] = {{.data = NULL}};
    for (int i = 0; i < node->n_in; i++) {
        const bsr_tensor *x = back_constant(b, i);
        in[i] = back_view(x, reverse, &copy[i]);
        bsr_tensor_free(b->grad[i]);
        b->grad[i] = NULL;
        if (!(wanted >> i & 1))
            continue;
        assert_int_equal(bsr_tensor_new(&b->grad[i], BSR_F32, x->rank, x->dims), BSR_OK);
        for (int64_t k = 0; k < bsr_count(x->rank, x->dims); k++)
            ((float *)b->grad[i]->data)[k] = 1e9f;
        to[i] = back_view(b->grad[i], reverse, &copy[OP_CASE_MAX + i]);
    }
    for (int i = 0; i < node->n_out; i++) {
        out[i] = back_view(b->c.out[i], reverse, &copy[2 * OP_CASE_MAX + i]);
        seed[i] = back_view(b->seed[i], reverse, &copy[3 * OP_CASE_MAX + i]);
    }
    bsr_op_call call = {node, b->c.graph->opset, node->n_in, node->n_out, in, out};
    bsr_alloc_fail_after(fail_at);
    *status = b->c.op->backward(&(bsr_op_backward){&call, seed, to});
    int pending = bsr_alloc_fail_pending();
    bsr_alloc_fail_after(0);
    for (int i = 0; reverse && i < node->n_in; i++)
        if (b->grad[i]) {
            bsr_view dense = bsr_tensor_view(b->grad[i]);
            bsr_view_copy(&dense, &to[i]);
        }
    for (int i = 0; i < 4 * OP_CASE_MAX; i++)
        bsr_tensor_free(copy[i]);
    return pending;
}

static inline void back_ok(back_case *b, unsigned wanted, int reverse)
{
    bsr_status status;
    back_run(b, wanted, reverse, 0, &status);
    if (status != BSR_OK)
        fail_msg("%s: %s", b->c.op->type, bsr_error_message());
}

/* Replaces the numbers of a float32 tensor. */
static inline void back_set(bsr_tensor *t, const float *values)
{
    memcpy(t->data, values, (size_t)bsr_count(t->rank, t->dims) * sizeof *values);
}

/* Compares the gradient of input i with values that are `tolerance` from it at most, relative to
 * the greatest of them; 0: equal, +0 and -0 differ. */
static inline void back_expect(const back_case *b, int i, const float *want, double tolerance)
{
    const float *got = b->grad[i]->data;
    int64_t n = bsr_count(b->grad[i]->rank, b->grad[i]->dims);
    double greatest = 0.0;
    for (int64_t k = 0; k < n; k++)
        greatest = fmax(greatest, fabs((double)want[k]));
    for (int64_t k = 0; k < n; k++)
        if (tolerance == 0.0 ? memcmp(&got[k], &want[k], sizeof *got) != 0
                             : !(fabs((double)got[k] - (double)want[k]) <= tolerance * greatest))
            fail_msg("%s: gradient of input %d, element %d is %.9g, expected %.9g", b->c.op->type,
                     i, (int)k, (double)got[k], (double)want[k]);
}

#endif
