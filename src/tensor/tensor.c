#include "tensor/tensor.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

size_t bsr_dtype_size(bsr_dtype dtype)
{
    switch (dtype) {
    case BSR_U8:
    case BSR_I8:
    case BSR_BOOL:
        return 1;
    case BSR_F32:
    case BSR_I32:
        return 4;
    case BSR_I64:
    case BSR_F64:
        return 8;
    case BSR_NONE:
        break;
    }
    return 0;
}

const char *bsr_dtype_name(bsr_dtype dtype)
{
    switch (dtype) {
    case BSR_F32:
        return "float32";
    case BSR_U8:
        return "uint8";
    case BSR_I8:
        return "int8";
    case BSR_I32:
        return "int32";
    case BSR_I64:
        return "int64";
    case BSR_BOOL:
        return "bool";
    case BSR_F64:
        return "float64";
    case BSR_NONE:
        break;
    }
    return "none";
}

int64_t bsr_count(int rank, const int64_t *dims)
{
    int64_t n = 1;
    int zero = 0;
    for (int d = 0; d < rank; d++) {
        if (dims[d] < 0)
            return -1;
        if (dims[d] == 0)
            zero = 1;
        else if (n > BSR_MAX_ELEMENTS / dims[d])
            return -1;
        else
            n *= dims[d];
    }
    return zero ? 0 : n;
}

const char *bsr_dims_text(char *buf, size_t n, int rank, const int64_t *dims)
{
    size_t at = 0;
    if (n)
        buf[0] = 0;
    if (rank == 0)
        snprintf(buf, n, "scalar");
    for (int d = 0; d < rank && at < n; d++)
        at += (size_t)snprintf(buf + at, n - at, d ? "x%lld" : "%lld", (long long)dims[d]);
    return buf;
}

bsr_status bsr_tensor_new(bsr_tensor **out, bsr_dtype dtype, int rank, const int64_t *dims)
{
    *out = NULL;
    size_t size = bsr_dtype_size(dtype);
    if (!size)
        return bsr_fail(BSR_EINVAL, "element type %d is not one of bitseer's", (int)dtype);
    if (rank < 0 || rank > BSR_MAX_RANK)
        return bsr_fail(BSR_EINVAL, "rank is %d, expected 0 to %d", rank, BSR_MAX_RANK);
    int64_t n = bsr_count(rank, dims);
    if (n < 0) {
        char text[128];
        return bsr_fail(BSR_ELIMIT, "shape %s: a dimension is negative or the size exceeds %lld",
                        bsr_dims_text(text, sizeof text, rank, dims), (long long)BSR_MAX_ELEMENTS);
    }
    bsr_tensor *t = bsr_calloc_array(1, sizeof *t);
    if (!t)
        return BSR_ENOMEM;
    t->dtype = dtype;
    t->rank = rank;
    for (int d = 0; d < rank; d++)
        t->dims[d] = dims[d];
    t->data = bsr_alloc_aligned((size_t)n, size);
    if (!t->data) {
        bsr_free(t);
        return BSR_ENOMEM;
    }
    memset(t->data, 0, (size_t)n * size);
    *out = t;
    return BSR_OK;
}

void bsr_tensor_free(bsr_tensor *tensor)
{
    if (!tensor)
        return;
    bsr_free(tensor->data);
    bsr_free(tensor);
}

void bsr_row_major(int rank, const int64_t *dims, int64_t *strides)
{
    int64_t step = 1;
    for (int d = rank - 1; d >= 0; d--) {
        strides[d] = step;
        step *= dims[d];
    }
}

bsr_view bsr_tensor_view(const bsr_tensor *tensor)
{
    bsr_view v = {.dtype = tensor->dtype, .rank = tensor->rank, .data = tensor->data};
    memcpy(v.dims, tensor->dims, sizeof v.dims);
    bsr_row_major(v.rank, v.dims, v.strides);
    return v;
}

void bsr_view_copy(const bsr_view *dst, const bsr_view *src)
{
    size_t size = bsr_dtype_size(src->dtype);
    int64_t idx[BSR_MAX_RANK] = {0};
    if (bsr_count(src->rank, src->dims) <= 0)
        return;
    /* The innermost dimension is a plain loop; equal unit strides make it one memcpy. */
    int outer = src->rank - 1;
    int64_t n = src->rank ? src->dims[outer] : 1;
    int64_t ss = src->rank ? src->strides[outer] : 1, ds = src->rank ? dst->strides[outer] : 1;
    do {
        const char *s = bsr_view_at(src, idx, size);
        char *d = bsr_view_at(dst, idx, size);
        if (ss == 1 && ds == 1)
            memcpy(d, s, (size_t)n * size);
        else
            for (int64_t i = 0; i < n; i++)
                memcpy(d + i * ds * (int64_t)size, s + i * ss * (int64_t)size, size);
    } while (bsr_next_index(outer < 0 ? 0 : outer, src->dims, idx));
}
