/* Shapes of the batched matrix products (MatMul, MatMulInteger, QLinearMatMul), as numpy.matmul
 * defines them. */
#ifndef BSR_OPS_MATMUL_SHAPE_H
#define BSR_OPS_MATMUL_SHAPE_H

#include "ops/op.h"

/* Sets the node's only output to dtype and the shape of the product of inputs ai and bi. EFORMAT
 * when these do not fit together. */
bsr_status bsr_matmul_set_output(bsr_infer *ctx, int ai, int bi, bsr_dtype dtype);

/* A product as a batch of M x K times K x N matrices: all strides in elements, 0 where an operand
 * is broadcast or the dimension of a 1-D operand is missing. */
typedef struct bsr_matmul_shape {
    int rank; /* batch dimensions */
    int64_t batch[BSR_MAX_RANK];
    int64_t m, k, n;
    int64_t a_batch[BSR_MAX_RANK], b_batch[BSR_MAX_RANK], y_batch[BSR_MAX_RANK];
    int64_t a_m, a_k, b_k, b_n, y_m, y_n;
} bsr_matmul_shape;

/* From views whose shapes bsr_matmul_set_output accepted. */
void bsr_matmul_shape_of(bsr_matmul_shape *s, const bsr_view *a, const bsr_view *b,
                         const bsr_view *y);

/* Gradients of factor * in[0] * in[1], float32 views whose product has the shape of grad_out
 * (matmul.c). grad_in[i].data NULL: not wanted. ENOMEM. */
bsr_status bsr_product_gradients(const bsr_view in[2], const bsr_view *grad_out, double factor,
                                 const bsr_view grad_in[2]);

#endif
