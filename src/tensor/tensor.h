/* Typed n-dimensional arrays: owned constants (bsr_tensor) and strided views (bsr_view). */
#ifndef BSR_TENSOR_TENSOR_H
#define BSR_TENSOR_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "bitseer/status.h"

#define BSR_MAX_RANK 8

/* Element types bitseer computes with; the values are ONNX's TensorProto.DataType. */
typedef enum bsr_dtype {
    BSR_NONE = 0,
    BSR_F32 = 1,
    BSR_U8 = 2,
    BSR_I8 = 3,
    BSR_I32 = 6,
    BSR_I64 = 7,
    BSR_BOOL = 9, /* one byte, 0 or 1 */
    BSR_F64 = 11,
} bsr_dtype;

/* Bytes of one element; 0 for a type that bitseer does not compute with. */
size_t bsr_dtype_size(bsr_dtype dtype);

/* "float32", "int8", ...; "type 16" style names for others come from the ONNX reader. */
const char *bsr_dtype_name(bsr_dtype dtype);

/* Owned, dense, row-major (last dimension fastest) in ONNX's logical order. rank 0 is a scalar. */
typedef struct bsr_tensor {
    bsr_dtype dtype;
    int rank;
    int64_t dims[BSR_MAX_RANK];
    void *data;
} bsr_tensor;

/* Allocates dtype/rank/dims with zeroed data. EINVAL: rank outside 0..BSR_MAX_RANK or a negative
 * dimension; ELIMIT: more than BSR_MAX_ELEMENTS. Caller owns *out. */
bsr_status bsr_tensor_new(bsr_tensor **out, bsr_dtype dtype, int rank, const int64_t *dims);
void bsr_tensor_free(bsr_tensor *tensor);

/* Largest element count of any tensor: 2^31, enough for any network this engine is meant for and
 * small enough that index arithmetic in int64 never overflows. */
#define BSR_MAX_ELEMENTS ((int64_t)1 << 31)

/* Product of dims (1 for rank 0), or -1 when a dimension is negative or the product exceeds
 * BSR_MAX_ELEMENTS. */
int64_t bsr_count(int rank, const int64_t *dims);

/* "1x3x32x32"; "scalar" for rank 0. Writes at most n bytes with the final 0; returns buf. */
const char *bsr_dims_text(char *buf, size_t n, int rank, const int64_t *dims);

/* Borrowed strided window onto elements somewhere else. Strides count elements, not bytes; a
 * stride of 0 repeats (broadcast). Dimensions are in ONNX's logical order whatever the storage
 * order is. An absent optional operand has data == NULL and dtype == BSR_NONE. */
typedef struct bsr_view {
    bsr_dtype dtype;
    int rank;
    int64_t dims[BSR_MAX_RANK];
    int64_t strides[BSR_MAX_RANK];
    void *data;
} bsr_view;

/* Row-major view of a tensor; the tensor must outlive it. */
bsr_view bsr_tensor_view(const bsr_tensor *tensor);

/* Fills strides with those of dense row-major storage. */
void bsr_row_major(int rank, const int64_t *dims, int64_t *strides);

/* Byte address of logical index idx[0..rank-1]. */
static inline void *bsr_view_at(const bsr_view *v, const int64_t *idx, size_t elem_size)
{
    int64_t at = 0;
    for (int d = 0; d < v->rank; d++)
        at += idx[d] * v->strides[d];
    return (char *)v->data + (size_t)at * elem_size;
}

/* Advances idx through dims in row-major order; returns 0 after the last index (idx is 0 again). */
static inline int bsr_next_index(int rank, const int64_t *dims, int64_t *idx)
{
    for (int d = rank - 1; d >= 0; d--) {
        if (++idx[d] < dims[d])
            return 1;
        idx[d] = 0;
    }
    return 0;
}

/* Copies src to dst, same dtype and dims, any strides. */
void bsr_view_copy(const bsr_view *dst, const bsr_view *src);

#endif
