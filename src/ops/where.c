#include <string.h>

#include "base/error.h"
#include "ops/binary.h"
#include "ops/rows.h"

bsr_status bsr_where_infer(bsr_infer *ctx)
{
    int rank;
    int64_t dims[BSR_MAX_RANK];
    BSR_TRY(bsr_infer_dtype(ctx, 0, BSR_TYPES(BSR_BOOL)));
    BSR_TRY(bsr_infer_dtype(ctx, 1, BSR_TYPES_ALL));
    BSR_TRY(bsr_infer_same_dtype(ctx, 1));
    BSR_TRY(bsr_infer_broadcast(ctx, 0, &rank, dims));
    return bsr_infer_set(ctx, 0, bsr_infer_in(ctx, 1)->dtype, rank, dims);
}

static void where_row(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    size_t size = *(const size_t *)ctx;
    for (int64_t i = 0; i < n; i++) {
        int from = *(p[1] + i * step[1]) ? 2 : 3;
        memcpy(p[0] + i * step[0], p[from] + i * step[from], size);
    }
}

bsr_status bsr_where_run(const bsr_op_call *call)
{
    size_t size = bsr_dtype_size(call->out[0].dtype);
    bsr_rows(&call->out[0], call->in, 3, where_row, &size);
    return BSR_OK;
}
