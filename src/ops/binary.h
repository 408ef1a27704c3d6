/* Operators of the binary family whose operands have different types; the table is in binary.c. */
#ifndef BSR_OPS_BINARY_H
#define BSR_OPS_BINARY_H

#include "ops/op.h"

bsr_status bsr_pow_infer(bsr_infer *ctx);
bsr_status bsr_pow_run(const bsr_op_call *call);
bsr_status bsr_where_infer(bsr_infer *ctx);
bsr_status bsr_where_run(const bsr_op_call *call);

#endif
