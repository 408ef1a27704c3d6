/* The operator tables of the families, collected by registry.c. A family file exports its rows and
 * their number; the order of rows within a family has no meaning. */
#ifndef BSR_OPS_FAMILIES_H
#define BSR_OPS_FAMILIES_H

#include "ops/op.h"

extern const bsr_op bsr_ops_unary[];
extern const int bsr_ops_unary_count;
extern const bsr_op bsr_ops_binary[];
extern const int bsr_ops_binary_count;
extern const bsr_op bsr_ops_constant[]; /* Cast, Constant, ConstantOfShape */
extern const int bsr_ops_constant_count;
extern const bsr_op bsr_ops_shape[];
extern const int bsr_ops_shape_count;
extern const bsr_op bsr_ops_reduce[];
extern const int bsr_ops_reduce_count;
extern const bsr_op bsr_ops_nn[];
extern const int bsr_ops_nn_count;
extern const bsr_op bsr_ops_quant[];
extern const int bsr_ops_quant_count;

#endif
