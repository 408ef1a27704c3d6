#include "support/compare_plan.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "exec/forward.h"

int same_floats(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i])))
            return 0;
    return 1;
}

static bsr_status run(float *logits, const bsr_plan *plan, const bsr_tensor *input)
{
    const bsr_pten *p = &plan->ptens[plan->input];
    bsr_forward *f = NULL;
    char *pixels = bsr_alloc_aligned((size_t)p->pixels, p->pixel_bytes);
    bsr_status status = pixels ? bsr_forward_new(&f, plan, 1) : BSR_ENOMEM;
    if (status == BSR_OK) {
        bsr_view from = bsr_tensor_view(input), to = bsr_plan_view(plan, p->value, pixels);
        bsr_view_copy(&to, &from);
        const char *in = pixels;
        status = bsr_forward_run(f, 1, &in, NULL, &logits);
    }
    bsr_forward_free(f);
    bsr_free(pixels);
    return status;
}

bsr_status compare_plan(int *same, int64_t *at, const bsr_graph *graph, const bsr_kernels *kernels,
                        int keep_all, const bsr_tensor *input, const bsr_tensor *want)
{
    bsr_plan *plan = NULL;
    float *logits = NULL;
    bsr_status status = BSR_ENOMEM;
    unsigned char *keep = bsr_calloc_array((size_t)graph->n_values, 1);
    if (keep) {
        memset(keep, keep_all, (size_t)graph->n_values);
        status = bsr_plan_new(&plan, graph, kernels, keep);
    }
    if (status == BSR_OK) {
        size_t n = (size_t)bsr_plan_classes(plan);
        logits = bsr_calloc_array(n, sizeof *logits);
        status = logits ? run(logits, plan, input) : BSR_ENOMEM;
        *same = status == BSR_OK && (int64_t)n == bsr_count(want->rank, want->dims);
        *at = 0;
        while (*same && *at < (int64_t)n &&
               same_floats(logits + *at, (const float *)want->data + *at, 1))
            ++*at;
        *same = *same && *at == (int64_t)n;
    }
    bsr_free(logits);
    bsr_free(keep);
    bsr_plan_free(plan);
    return status;
}
