/* Inference with one changed constant that is no layer's weight or bias: a parameter of
 * BatchNormalization, a quantisation scale, a zero point.
 *
 * Such constants are compiled into stages, maps and the choice of integer arithmetic, so the graph
 * is compiled again for each change and run whole: the result is what the changed file would give.
 */
#ifndef BSR_EXEC_ALTERED_H
#define BSR_EXEC_ALTERED_H

#include "kernels/kernels.h"
#include "ops/op.h"

/* One thread's. */
typedef struct bsr_altered bsr_altered;

/* Copies the graph, which must be resolved (bsr_ops_resolve) and may end its life before *out.
 * `keep` ([graph values] or NULL, copied) as in bsr_plan_new; the plan of the unchanged graph with
 * the same `keep` says how inputs are laid out. ENOMEM. Caller owns *out. */
bsr_status bsr_altered_new(bsr_altered **out, const bsr_graph *graph, const bsr_kernels *kernels,
                           const unsigned char *keep);
void bsr_altered_free(bsr_altered *altered);

/* May the constant of graph value `value` be changed? It must be data: elements float32, int8,
 * uint8 or int32 that no operator takes for a shape or an index. */
int bsr_altered_can(const bsr_graph *graph, int value);

/* Runs n images with element `element` (row-major logical index) of the constant `value` stored as
 * `bits` (the low bits for narrow types), and everything that constants make of it computed again.
 * The change is undone before the return. NaN and infinities are data: no value of a changed
 * element is an error. inputs and logits as in bsr_forward_run. Costs a compilation and n
 * inferences, and allocates. EINVAL: not such a constant, or no such element; ENOMEM. */
bsr_status bsr_altered_run(bsr_altered *altered, int value, int64_t element, uint32_t bits, int n,
                           const char *const *inputs, float *const *logits);

#endif
