/* Elementwise iteration over broadcast views: the outer loops once, the operators as functions of
 * one row. */
#ifndef BSR_OPS_ROWS_H
#define BSR_OPS_ROWS_H

#include "ops/op.h"

/* Most operands of one walk, the output included (Where has four). */
#define BSR_ROWS_MAX 4

/* One row: n positions, operand k at p[k] and then every step[k] bytes (0 repeats it). Operand 0 is
 * the output. */
typedef void (*bsr_row_fn)(int64_t n, char *const *p, const int64_t *step, const void *ctx);

/* Calls `fn` for rows that together cover every element of `out` once, in no particular order;
 * in[0..n_in-1] are broadcast to it by ONNX's rules (aligned at the last dimension; the shapes must
 * fit). Dimensions that lie behind each other in all operands become one, so equal dense layouts
 * give a single row. `out` may be one of the inputs. */
void bsr_rows(const bsr_view *out, const bsr_view *in, int n_in, bsr_row_fn fn, const void *ctx);

/* Copies `in`, broadcast, to `out`; same dtype. */
void bsr_rows_copy(const bsr_view *out, const bsr_view *in);

/* Shape of inputs first..n_in-1 of the node broadcast together (omitted ones do not count).
 * EFORMAT names the two inputs' shapes when they do not fit. */
bsr_status bsr_infer_broadcast(const bsr_infer *ctx, int first, int *rank, int64_t *dims);

/* Checks that inputs first..n_in-1 have the dtype of input `first` (EFORMAT). */
bsr_status bsr_infer_same_dtype(const bsr_infer *ctx, int first);

/* Bit set of element types for bsr_infer_dtype. */
#define BSR_TYPES(dtype) (1u << (dtype))
#define BSR_TYPES_FLOAT  (BSR_TYPES(BSR_F32) | BSR_TYPES(BSR_F64))
#define BSR_TYPES_INT                                                                              \
    (BSR_TYPES(BSR_U8) | BSR_TYPES(BSR_I8) | BSR_TYPES(BSR_I32) | BSR_TYPES(BSR_I64))
#define BSR_TYPES_NUMBER (BSR_TYPES_FLOAT | BSR_TYPES_INT)
#define BSR_TYPES_ALL    (BSR_TYPES_NUMBER | BSR_TYPES(BSR_BOOL))

/* EUNSUPPORTED unless input i has one of the types. */
bsr_status bsr_infer_dtype(const bsr_infer *ctx, int i, unsigned types);

/* Integer elements as int64 and back; storing keeps the low bits. */
static inline int64_t bsr_load_int(bsr_dtype dtype, const char *p)
{
    switch (dtype) {
    case BSR_I64:
        return *(const int64_t *)(const void *)p;
    case BSR_I32:
        return *(const int32_t *)(const void *)p;
    case BSR_I8:
        return *(const int8_t *)(const void *)p;
    default: /* uint8, bool */
        return *(const uint8_t *)(const void *)p;
    }
}

static inline void bsr_store_int(bsr_dtype dtype, char *p, int64_t x)
{
    switch (dtype) {
    case BSR_I64:
        *(int64_t *)(void *)p = x;
        break;
    case BSR_I32:
        *(int32_t *)(void *)p = (int32_t)(uint32_t)(uint64_t)x;
        break;
    default: /* int8, uint8, bool */
        *(uint8_t *)(void *)p = (uint8_t)(uint64_t)x;
        break;
    }
}

/* Float elements as double; every float is one exactly. */
static inline double bsr_load_float(bsr_dtype dtype, const char *p)
{
    if (dtype == BSR_F64)
        return *(const double *)(const void *)p;
    return (double)*(const float *)(const void *)p;
}

static inline int bsr_is_float(bsr_dtype dtype)
{
    return dtype == BSR_F32 || dtype == BSR_F64;
}

#endif
