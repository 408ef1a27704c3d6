/* MatMulInteger and QLinearMatMul: exact integer sums. */
#include "base/alloc.h"
#include "base/error.h"
#include "ops/conv_shape.h"
#include "ops/matmul_shape.h"
#include "ops/nn.h"
#include "ops/quant.h"

/* Where the inputs of the two operators are; -1 for what an operator does not have. */
typedef struct qmatmul_inputs {
    int a_scale, a_zero, b, b_scale, b_zero;
} qmatmul_inputs;

static const qmatmul_inputs matmul_integer = {-1, 2, 1, -1, 3};
static const qmatmul_inputs qlinear_matmul = {1, 2, 3, 4, 5};

enum { Y_SCALE = 6, Y_ZERO = 7 }; /* further inputs of QLinearMatMul */

/* Codes, scales and zero points: one, or one for each row of A and each column of B. */
static bsr_status check_operands(const bsr_infer *ctx, const qmatmul_inputs *at)
{
    const bsr_value *a = bsr_infer_in(ctx, 0), *b = bsr_infer_in(ctx, at->b);
    const bsr_q_slices rows = {a->rank > 1 ? a->dims[a->rank - 2] : 1, "A has", "rows"};
    const bsr_q_slices columns = {b->rank > 1 ? b->dims[b->rank - 1] : 1, "B has", "columns"};
    BSR_TRY(bsr_q_check_codes(ctx, 0, "A"));
    BSR_TRY(bsr_q_check_codes(ctx, at->b, "B"));
    if (at->a_scale >= 0) {
        BSR_TRY(bsr_q_check_param(ctx, at->a_scale, "A scale", BSR_F32, &rows));
        BSR_TRY(bsr_q_check_param(ctx, at->b_scale, "B scale", BSR_F32, &columns));
    }
    BSR_TRY(bsr_q_check_param(ctx, at->a_zero, "A zero point", a->dtype, &rows));
    return bsr_q_check_param(ctx, at->b_zero, "B zero point", b->dtype, &columns);
}

bsr_status bsr_matmul_integer_infer(bsr_infer *ctx)
{
    BSR_TRY(check_operands(ctx, &matmul_integer));
    return bsr_matmul_set_output(ctx, 0, matmul_integer.b, BSR_I32);
}

bsr_status bsr_qlinear_matmul_infer(bsr_infer *ctx)
{
    static const bsr_q_slices whole = {1, "", ""};
    BSR_TRY(check_operands(ctx, &qlinear_matmul));
    BSR_TRY(bsr_q_check_codes(ctx, Y_ZERO, "output zero point"));
    bsr_dtype dtype = bsr_infer_in(ctx, Y_ZERO)->dtype;
    BSR_TRY(bsr_q_check_param(ctx, Y_SCALE, "output scale", BSR_F32, &whole));
    BSR_TRY(bsr_q_check_param(ctx, Y_ZERO, "output zero point", dtype, &whole));
    return bsr_matmul_set_output(ctx, 0, qlinear_matmul.b, dtype);
}

static void store_sum(const bsr_op_call *call, const qmatmul_inputs *at, int64_t y_at, int64_t m,
                      int64_t n, int32_t sum)
{
    const bsr_view *y = &call->out[0];
    if (at->a_scale < 0) {
        ((int32_t *)y->data)[y_at] = sum;
        return;
    }
    float scale = bsr_q_scale(call, at->a_scale, m) * bsr_q_scale(call, at->b_scale, n);
    scale = scale / bsr_q_scale(call, Y_SCALE, 0);
    bsr_q_store(y, y_at, bsr_q_round((float)sum * scale, bsr_q_zero(call, Y_ZERO, 0), y->dtype));
}

/* Copies a matrix of n slices (rows of A, columns of B) of k codes as [slice][k], less the zero
 * points in input `zero`. */
static void pack(int16_t *to, const bsr_op_call *call, const bsr_view *v, int64_t at, int zero,
                 int64_t n, int64_t n_step, int64_t k, int64_t k_step)
{
    for (int64_t i = 0; i < n; i++) {
        const int32_t z = bsr_q_zero(call, zero, i);
        for (int64_t j = 0; j < k; j++)
            *to++ = (int16_t)(bsr_q_load(v, at + i * n_step + j * k_step) - z);
    }
}

static bsr_status run(const bsr_op_call *call, const qmatmul_inputs *at)
{
    const bsr_view *a = &call->in[0], *b = &call->in[at->b], *y = &call->out[0];
    bsr_matmul_shape s;
    bsr_matmul_shape_of(&s, a, b, y);
    if (bsr_count(y->rank, y->dims) == 0)
        return BSR_OK;
    int64_t idx[BSR_MAX_RANK] = {0};
    bsr_status status = BSR_ENOMEM;
    int16_t *rows = bsr_alloc_array((size_t)(s.m * s.k), sizeof *rows);
    int16_t *columns = bsr_alloc_array((size_t)(s.n * s.k), sizeof *columns);
    if (!rows || !columns)
        goto done;
    do {
        const int64_t y_at = bsr_strided_offset(s.rank, s.y_batch, idx);
        pack(rows, call, a, bsr_strided_offset(s.rank, s.a_batch, idx), at->a_zero, s.m, s.a_m, s.k,
             s.a_k);
        pack(columns, call, b, bsr_strided_offset(s.rank, s.b_batch, idx), at->b_zero, s.n, s.b_n,
             s.k, s.b_k);
        for (int64_t m = 0; m < s.m; m++)
            for (int64_t n = 0; n < s.n; n++)
                store_sum(call, at, y_at + m * s.y_m + n * s.y_n, m, n,
                          bsr_q_dot(0, rows + m * s.k, columns + n * s.k, s.k));
    } while (bsr_next_index(s.rank, s.batch, idx));
    status = BSR_OK;
done:
    bsr_free(rows);
    bsr_free(columns);
    return status;
}

bsr_status bsr_matmul_integer_run(const bsr_op_call *call)
{
    return run(call, &matmul_integer);
}

bsr_status bsr_qlinear_matmul_run(const bsr_op_call *call)
{
    return run(call, &qlinear_matmul);
}

/* As if there were no scales. */
bsr_status bsr_qlinear_matmul_sums(const bsr_op_call *call, const bsr_view *sums)
{
    qmatmul_inputs at = qlinear_matmul;
    bsr_op_call integer = *call;
    at.a_scale = at.b_scale = -1;
    integer.out = sums;
    return run(&integer, &at);
}
