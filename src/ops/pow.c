/* Pow: the exponent's type may differ from the base's, which is the result's. */
#include <math.h>

#include "base/error.h"
#include "ops/binary.h"
#include "ops/convert.h"
#include "ops/mathf.h"

enum { POW_MIXED_SINCE = 12 };

bsr_status bsr_pow_infer(bsr_infer *ctx)
{
    int rank;
    int64_t dims[BSR_MAX_RANK];
    unsigned wide = BSR_TYPES(BSR_I32) | BSR_TYPES(BSR_I64);
    int mixed = ctx->graph->opset >= POW_MIXED_SINCE;
    BSR_TRY(bsr_infer_dtype(ctx, 0, mixed ? BSR_TYPES_FLOAT | wide : BSR_TYPES_FLOAT));
    BSR_TRY(bsr_infer_dtype(ctx, 1, BSR_TYPES_NUMBER));
    if (!mixed)
        BSR_TRY(bsr_infer_same_dtype(ctx, 0));
    BSR_TRY(bsr_infer_broadcast(ctx, 0, &rank, dims));
    return bsr_infer_set(ctx, 0, bsr_infer_in(ctx, 0)->dtype, rank, dims);
}

/* Base and exponent types. */
typedef struct pow_types {
    bsr_dtype x, y;
} pow_types;

/* Exact modulo 2^64; a negative exponent truncates 1 / x^-y. */
static int64_t int_power(int64_t x, int64_t y)
{
    if (y < 0) {
        int64_t sign = y % 2 ? -1 : 1;
        return x == 1 ? 1 : (x == -1 ? sign : 0);
    }
    uint64_t result = 1, square = (uint64_t)x;
    for (; y; y >>= 1, square *= square)
        if (y & 1)
            result *= square;
    return (int64_t)result;
}

/* A power truncated to an integer. bsr_pow may end just below a whole result, such as 3^6. */
static int64_t whole_power(bsr_dtype dtype, double power)
{
    double whole = rint(power);
    int is_whole = fabs(power - whole) <= 0x1p-40 * fabs(whole);
    return bsr_float_to_int(dtype, is_whole ? whole : power);
}

static double as_double(bsr_dtype dtype, const char *p)
{
    return bsr_is_float(dtype) ? bsr_load_float(dtype, p) : (double)bsr_load_int(dtype, p);
}

static void pow_row(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    const pow_types *t = ctx;
    for (int64_t i = 0; i < n; i++) {
        char *to = p[0] + i * step[0];
        const char *x = p[1] + i * step[1], *y = p[2] + i * step[2];
        if (!bsr_is_float(t->x) && !bsr_is_float(t->y)) {
            int64_t power = int_power(bsr_load_int(t->x, x), bsr_load_int(t->y, y));
            bsr_store_int(t->x, to, power);
            continue;
        }
        double power = bsr_pow(as_double(t->x, x), as_double(t->y, y));
        if (t->x == BSR_F32)
            *(float *)(void *)to = (float)power;
        else if (t->x == BSR_F64)
            *(double *)(void *)to = power;
        else
            bsr_store_int(t->x, to, whole_power(t->x, power));
    }
}

bsr_status bsr_pow_run(const bsr_op_call *call)
{
    pow_types t = {call->in[0].dtype, call->in[1].dtype};
    bsr_rows(&call->out[0], call->in, 2, pow_row, &t);
    return BSR_OK;
}
