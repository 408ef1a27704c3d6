/* The golden run: fault-free inference of images of a data set, by several threads. */
#ifndef BSR_EXEC_GOLDEN_H
#define BSR_EXEC_GOLDEN_H

#include "base/threads.h"
#include "bitseer/dataset.h"
#include "exec/lanes.h"

/* Runs images [first, first + count) of the data set and keeps every tensor: count times
 * plan->golden_bytes. nhwc: the network's input is [N, H, W, C]. Caller owns *out. */
bsr_status bsr_golden_new(bsr_golden **out, const bsr_plan *plan, bsr_pool *pool,
                          const bsr_dataset *data, int nhwc, size_t first, size_t count);
void bsr_golden_free(bsr_golden *golden);

/* The same without an owner: records (NULL: nothing kept) and logits [count][classes] belong to the
 * caller. */
bsr_status bsr_infer_images(const bsr_plan *plan, bsr_pool *pool, const bsr_dataset *data, int nhwc,
                            size_t first, size_t count, char *records, float *logits);

/* Images that one thread best runs at once: at least 1. */
size_t bsr_images_together(const bsr_plan *plan);

/* One image in channel planes, as the data set gives it, to the plan's input tensor. */
void bsr_input_layout(const bsr_plan *plan, const float *planes, int nhwc, char *input);

#endif
