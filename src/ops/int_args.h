/* Operands that tell an operator what to do (axes, pads, starts, shapes): attributes in old opsets,
 * constant inputs in newer ones. infer and run read them through the same call structure, so that
 * each operator decodes them in one place. */
#ifndef BSR_OPS_INT_ARGS_H
#define BSR_OPS_INT_ARGS_H

#include "ops/op.h"

/* Most inputs of an operator whose infer uses bsr_infer_call (Slice has five). */
#define BSR_CALL_INPUTS 5

/* The node of `ctx` in the form run gets it, without outputs: in[i] has the dtype and dims of input
 * i and its data when it is constant. data == NULL with a dtype is a value known only at run time;
 * dtype BSR_NONE is an omitted input. `call` points into `in` and is valid as long as that. */
void bsr_infer_call(const bsr_infer *ctx, bsr_op_call *call, bsr_view in[BSR_CALL_INPUTS]);

/* Whether input i is given. */
int bsr_call_has(const bsr_op_call *call, int i);

/* A borrowed list of int32 or int64 values. `present` is 0 (and n 0) when the node has no such
 * operand, which is not the same as an empty list. */
typedef struct bsr_ints {
    int present;
    int64_t n, step;
    bsr_dtype dtype;
    const void *data;
} bsr_ints;

/* Reads the operand called `name`: attribute before opset `since`, input number `input` from then
 * on (since 0: never an attribute). Errors: EFORMAT for the form of the other opset, for element
 * types other than int32/int64 and for rank above 1; EUNSUPPORTED for an input that is not
 * constant. */
bsr_status bsr_call_ints(bsr_ints *out, const bsr_op_call *call, const char *name, int input,
                         int64_t since);

/* Value i, 0 <= i < n. */
int64_t bsr_ints_at(const bsr_ints *list, int64_t i);

/* Maps -rank..rank-1 to 0..rank-1; EFORMAT outside. */
bsr_status bsr_call_axis(int *out, const bsr_op_call *call, int64_t axis, int rank);

/* As bsr_call_axis for each value of a list; EFORMAT also for an axis given twice. */
bsr_status bsr_call_axes(int out[BSR_MAX_RANK], const bsr_op_call *call, const bsr_ints *axes,
                         int rank);

#endif
