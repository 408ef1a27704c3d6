/* Conversion of single elements between types. */
#ifndef BSR_OPS_CONVERT_H
#define BSR_OPS_CONVERT_H

#include "ops/rows.h"

/* Truncates towards zero. What ONNX leaves open: values outside the range of int64 give the nearer
 * end, NaN gives 0. */
static inline int64_t bsr_float_to_int64(double x)
{
    if (x != x)
        return 0;
    if (x >= 0x1p63)
        return INT64_MAX;
    return x < -0x1p63 ? INT64_MIN : (int64_t)x;
}

/* The same for the range of an integer type. */
static inline int64_t bsr_float_to_int(bsr_dtype dtype, double x)
{
    int64_t low = dtype == BSR_I32 ? INT32_MIN : dtype == BSR_I8 ? INT8_MIN : 0;
    int64_t top = dtype == BSR_I32 ? INT32_MAX : dtype == BSR_I8 ? INT8_MAX : UINT8_MAX;
    int64_t y = bsr_float_to_int64(x);
    if (dtype == BSR_I64)
        return y;
    return y < low ? low : (y > top ? top : y);
}

#endif
