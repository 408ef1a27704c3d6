/* Operand faults: one multiplication of one output element reads a faulty copy of its input or
 * weight. */
#ifndef BSR_EXEC_OPERAND_H
#define BSR_EXEC_OPERAND_H

#include "exec/lanes.h"

/* Which taps read a real input pixel: for each output pixel of a layer (in the order of its step's
 * output tensor) a mask of the taps, least significant bit of the first byte first, (taps + 7) / 8
 * bytes per pixel. A tap in the padding has no operand. Gemm and MatMul have one tap. `mask` may
 * be NULL. Returns its size in bytes. */
size_t bsr_operand_windows(const bsr_plan *plan, int layer, unsigned char *mask);

/* Address of the golden input element (float, or an 8-bit code) which the multiplication by weight
 * `element` reads for output pixel `pixel`. The tap must be a real one. The layer's input must be a
 * tensor that the golden run keeps: the caller asks for it by the plan's `keep`
 * (bsr_operand_value). Borrowed from the golden run. */
const char *bsr_operand_input(const bsr_plan *plan, const bsr_golden *golden, int image, int layer,
                              int pixel, int64_t element);

/* Graph value that the layer's multiplications read. */
int bsr_operand_value(const bsr_plan *plan, int layer);

#endif
