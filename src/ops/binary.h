/* Operators of the binary family whose operands have different types; the table is in binary.c. */
#ifndef BSR_OPS_BINARY_H
#define BSR_OPS_BINARY_H

#include "ops/op.h"

bsr_status bsr_pow_infer(bsr_infer *ctx);
bsr_status bsr_pow_run(const bsr_op_call *call);
bsr_status bsr_where_infer(bsr_infer *ctx);
bsr_status bsr_where_run(const bsr_op_call *call);

/* binary_backward.c: Pow and every row of binary.c with a float32 function. */
bsr_status bsr_binary_backward(const bsr_op_backward *call);

#endif
