/* Number formats: what bits a stored value has, and what value changed bits stand for.
 *
 * A stored value is a code of `bits` bits. The network computes in float32: it reads
 * decode(code). Encoding rounds to nearest, ties to even, and saturates; NaN and infinities are
 * treated as each row of the table in format.c says. Flips go into the code.
 *
 * Text of a format, as users write it:
 *   fp32 fp16 bf16 e4m3 e5m2       IEEE 754 binary32, binary16, bfloat16; OCP 8-bit floats; option
 *                                  range=LO:HI, or range=R, which is -R:R: what is read of any
 *                                  code lies there, e.g. fp32/range=1
 *   int2..int16, uint2..uint16     integers times a scale; options after '/': sym (default of int)
 *                                  or affine (default of uint), tensor (default) or channel,
 *                                  range=LO:HI, or range=R, which is -R:R (int) or 0:R (uint);
 *                                  e.g. int8/channel, uint8/range=6, int8/affine/range=-1:6
 *   q5.10                          two's complement fixed point: sign, 5 integer, 10 fraction bits;
 *                                  2 to 32 bits together
 *   binary                         one bit: 0 is -scale, 1 is +scale; option range=SCALE
 */
#ifndef BSR_TENSOR_FORMAT_H
#define BSR_TENSOR_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "tensor/tensor.h"

typedef enum bsr_format_kind {
    BSR_FORMAT_STORED, /* the bits of the element type itself: float32, or codes of 8 or 32 bits */
    BSR_FORMAT_FP32,   /* float32 with a range */
    BSR_FORMAT_FP16,
    BSR_FORMAT_BF16,
    BSR_FORMAT_E4M3,
    BSR_FORMAT_E5M2,
    BSR_FORMAT_INT,  /* two's complement codes times a scale, less a zero point */
    BSR_FORMAT_UINT, /* unsigned codes, the same */
    BSR_FORMAT_FIXED,
    BSR_FORMAT_BINARY,
} bsr_format_kind;

/* As the user asked for it. Plain value. fp32 without a range is BSR_FORMAT_STORED with 32 bits. */
typedef struct bsr_format {
    bsr_format_kind kind;
    int bits;        /* of a code, 1..32 */
    int fraction;    /* FIXED: bits behind the point */
    int affine;      /* INT, UINT: with a zero point */
    int per_channel; /* INT, UINT, BINARY: a scale for each output channel */
    int has_range;   /* the range was given; else it comes from weights or calibration */
    double lo, hi;   /* of the values to be stored, float32, lo <= 0 <= hi; without a zero point
                        lo == -hi (INT, BINARY) or 0 (UINT); floats: of the values read */
} bsr_format;

/* A format with everything decided, for one tensor or one channel of it. Plain value. */
typedef struct bsr_quantiser {
    bsr_format_kind kind;
    int bits;
    float scale;      /* INT, UINT, FIXED, BINARY: value of one step */
    int64_t zero;     /* code of 0 */
    int64_t min, max; /* codes that encoding gives; flips can make others */
    int bounded;      /* floats: values read are limited to lo..hi, lo <= 0 <= hi, and NaN is 0 */
    float lo, hi;
} bsr_quantiser;

/* EINVAL: not a format, with the text and what was expected in the message. */
bsr_status bsr_format_parse(bsr_format *out, const char *text);

/* The text of a format, in its shortest form that parses to the same; at most 64 bytes with the
 * final 0. Returns buf. */
const char *bsr_format_text(char buf[64], const bsr_format *format);

/* The same format without differences? */
int bsr_format_equal(const bsr_format *a, const bsr_format *b);

/* Does the format need a range (INT, UINT or BINARY without one given)? */
int bsr_format_needs_range(const bsr_format *format);

/* Decides scale and zero point for values in [lo, hi], finite, lo <= hi (widened to hold 0); the
 * format's own range wins where it was given. Symmetric INT: codes -(2^(B-1)-1)..2^(B-1)-1, scale
 * max(|lo|, |hi|) / (2^(B-1)-1); affine: all codes, scale (hi - lo) / (2^B - 1), zero point
 * rounded; symmetric UINT: 0..2^B-1, scale hi / (2^B - 1). A range of 0 gives scale 1. BINARY:
 * scale is max(|lo|, |hi|). Computed in double, the scale rounded to float once. */
void bsr_quantiser_init(bsr_quantiser *out, const bsr_format *format, double lo, double hi);

/* Code that stores x: in the low `bits` bits, the others 0 (two's complement cut to the width).
 * NaN and infinities: floats keep them where they have them (e4m3 has no infinity: saturates, NaN
 * stays NaN); integers, fixed point, binary and floats with a range saturate infinities, NaN is the
 * code of 0. Finite values beyond the largest saturate in every format, those beyond a float's
 * range to the last code inside, so that decode(encode(x)) is stored without change. */
uint32_t bsr_encode(const bsr_quantiser *q, float x);

/* Value that the network reads for any code (higher bits are ignored), rounded once to float32. Of
 * a float with a range it is the nearest in lo..hi, also where the format has no code for the
 * bound, and 0 for NaN: a saturated activation function on what is stored (Fuengfusin and Tamukoh,
 * arXiv:2411.19027, with range=1). */
float bsr_decode(const bsr_quantiser *q, uint32_t code);

/* Smallest and greatest of n finite values; NaN and infinities are left out; 0, 0 if none. */
void bsr_value_range(const float *x, size_t n, double *lo, double *hi);

#endif
