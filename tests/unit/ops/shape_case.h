/* Inputs of the tests of operators that move elements. */
#ifndef TESTS_UNIT_OPS_SHAPE_CASE_H
#define TESTS_UNIT_OPS_SHAPE_CASE_H

#include "op_case.h"

/* The next input: int32 0, 1, 2, ... */
static inline void op_iota(op_case *c, int rank, const int64_t *dims)
{
    int32_t data[64];
    assert_in_range(bsr_count(rank, dims), 0, 64);
    for (int32_t i = 0; i < 64; i++)
        data[i] = i;
    op_input(c, BSR_I32, rank, dims, data);
}

/* The next input: a list of int64, op_list(c, DIMS(1, 2)). */
static inline void op_list(op_case *c, int n, const int64_t *values)
{
    int64_t dims[1] = {n};
    op_input(c, BSR_I64, 1, dims, values);
}

/* Makes input i a value known at run time only. */
static inline void op_not_constant(op_case *c, int i)
{
    bsr_value *v = &c->graph->values[op_node(c)->in[i]];
    bsr_tensor_free(v->constant);
    v->constant = NULL;
}

/* Runs, compares the int32 output and frees the case. */
#define op_expect_i32(c, shape, ...) op_expect_i32_list(c, shape, (const int64_t[]){__VA_ARGS__})
static inline void op_expect_i32_list(op_case *c, int rank, const int64_t *dims,
                                      const int64_t *want)
{
    op_expect_ints(c, BSR_I32, rank, dims, want);
}

/* The rules of opset 18 and later, which bsr_op_check does not let through yet: infers and runs
 * without it. */
static inline void op_expect_unchecked(op_case *c, int rank, const int64_t *dims,
                                       const int64_t *want)
{
    bsr_infer ctx = {c->graph, op_node(c)};
    if (c->op->infer(&ctx) != BSR_OK)
        fail_msg("infer: %s", bsr_error_message());
    assert_int_equal(op_evaluate(c, 0), BSR_OK);
    op_check_ints(c, 0, BSR_I32, rank, dims, want);
    op_free(c);
}

#endif
