/* Operand faults: drawing them, and what the ONNX text says they do. */
#ifndef TESTS_SUPPORT_OPERANDS_H
#define TESTS_SUPPORT_OPERANDS_H

#include "exec/operand.h"
#include "rng/philox.h"

/* A flip of one bit of one operand, now and then replaced by a special float; layers evenly. Bits
 * are random where the golden run does not keep the layer's input. */
bsr_lane_job operands_draw(const bsr_plan *plan, const bsr_golden *golden, bsr_rng *rng);

/* Computes the faulty element of the layer's node by hand, from the node's attributes and constants
 * and the golden input in logical order, by the sequence of docs/design/numerics.md, and checks on
 * the way that without the fault the golden element comes out and that the operand's address is
 * right. *fault becomes the same change as a fault in the node's output value. Returns NULL, or
 * what is wrong. The plan must keep the layer's input and output; "fused" when the step of the
 * layer makes another value than its node. */
const char *operands_expect(bsr_stored_fault *fault, const bsr_plan *plan, const bsr_golden *golden,
                            const bsr_lane_job *job);

#endif
