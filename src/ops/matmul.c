/* MatMul with numpy's rules for 1-D operands and broadcast batches. */
#include <math.h>

#include "base/error.h"
#include "ops/matmul_shape.h"
#include "ops/nn.h"

bsr_status bsr_matmul_infer(bsr_infer *ctx)
{
    BSR_TRY(bsr_nn_check_dtype(ctx, 0, "A", BSR_F32));
    BSR_TRY(bsr_nn_check_dtype(ctx, 1, "B", BSR_F32));
    return bsr_matmul_set_output(ctx, 0, 1, BSR_F32);
}

static void multiply(const bsr_matmul_shape *s, const float *a, const float *b, float *y)
{
    for (int64_t m = 0; m < s->m; m++)
        for (int64_t n = 0; n < s->n; n++) {
            const float *row = a + m * s->a_m, *column = b + n * s->b_n;
            float acc = 0.0f;
            for (int64_t k = 0; k < s->k; k++)
                acc = fmaf(row[k * s->a_k], column[k * s->b_k], acc);
            y[m * s->y_m + n * s->y_n] = acc;
        }
}

bsr_status bsr_matmul_run(const bsr_op_call *call)
{
    bsr_matmul_shape s;
    bsr_matmul_shape_of(&s, &call->in[0], &call->in[1], &call->out[0]);
    if (bsr_count(call->out[0].rank, call->out[0].dims) == 0)
        return BSR_OK;
    int64_t idx[BSR_MAX_RANK] = {0};
    do {
        const float *a = call->in[0].data, *b = call->in[1].data;
        float *y = call->out[0].data;
        for (int d = 0; d < s.rank; d++) {
            a += idx[d] * s.a_batch[d];
            b += idx[d] * s.b_batch[d];
            y += idx[d] * s.y_batch[d];
        }
        multiply(&s, a, b, y);
    } while (bsr_next_index(s.rank, s.batch, idx));
    return BSR_OK;
}
