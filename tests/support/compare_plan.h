/* The executor against the reference interpreter, bit for bit. */
#ifndef TESTS_SUPPORT_COMPARE_PLAN_H
#define TESTS_SUPPORT_COMPARE_PLAN_H

#include "exec/plan.h"

/* Are the bits of n floats the same? A NaN equals any NaN (docs/design/numerics.md). */
int same_floats(const float *a, const float *b, size_t n);

/* Compiles the graph for these kernels, keeping all its values or those the executor likes, runs
 * `input` as one image and compares the first output with `want`. Sets *same; *at is the first
 * element that differs. Fails where the plan cannot be compiled. */
bsr_status compare_plan(int *same, int64_t *at, const bsr_graph *graph, const bsr_kernels *kernels,
                        int keep_all, const bsr_tensor *input, const bsr_tensor *want);

#endif
