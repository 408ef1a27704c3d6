#include "exec/golden.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* Images one thread runs together fill the tiles of small tensors and share weights; their tensors
 * should stay in cache between two steps. */
#define IMAGES_TOGETHER 8
#define TOGETHER_BYTES  ((size_t)8 << 20)

typedef struct golden_run {
    const bsr_plan *plan;
    const bsr_dataset *data;
    size_t first, count;
    bsr_forward **forward; /* [threads] */
    char **inputs;         /* [threads] IMAGES_TOGETHER input tensors */
    float **planes;        /* [threads] one image as the dataset gives it */
    char *records;         /* NULL: logits only */
    float *logits;
    int nhwc;
    size_t together, items;
} golden_run;

size_t bsr_images_together(const bsr_plan *plan)
{
    size_t fit = TOGETHER_BYTES / (plan->work_bytes + 1);
    return fit < 1 ? 1 : fit > IMAGES_TOGETHER ? IMAGES_TOGETHER : fit;
}

void bsr_input_layout(const bsr_plan *plan, const float *planes, int nhwc, char *input)
{
    int value = plan->graph->inputs[0];
    bsr_view to = bsr_plan_view(plan, value, input);
    bsr_view from = {.dtype = BSR_F32, .rank = to.rank, .data = (void *)(uintptr_t)planes};
    memcpy(from.dims, to.dims, sizeof from.dims);
    bsr_row_major(from.rank, from.dims, from.strides);
    if (nhwc) {
        int64_t h = to.dims[1], w = to.dims[2];
        from.strides[1] = w;
        from.strides[2] = 1;
        from.strides[3] = h * w;
    }
    bsr_view_copy(&to, &from);
}

static bsr_status run_item(void *ctx, size_t item, int thread)
{
    golden_run *g = ctx;
    const bsr_plan *plan = g->plan;
    const bsr_pten *in = &plan->ptens[plan->input];
    size_t first = g->count * item / g->items, classes = (size_t)bsr_plan_classes(plan);
    int n = (int)(g->count * (item + 1) / g->items - first);
    const char *inputs[IMAGES_TOGETHER];
    char *records[IMAGES_TOGETHER];
    float *logits[IMAGES_TOGETHER];
    for (int i = 0; i < n; i++) {
        char *input = g->inputs[thread] + (size_t)i * in->image_bytes;
        BSR_TRY(bsr_dataset_image(g->data, g->first + first + (size_t)i, g->planes[thread]));
        bsr_input_layout(plan, g->planes[thread], g->nhwc, input);
        inputs[i] = input;
        records[i] = g->records + (first + (size_t)i) * plan->golden_bytes;
        logits[i] = g->logits + (first + (size_t)i) * classes;
    }
    return bsr_forward_run(g->forward[thread], n, inputs, g->records ? records : NULL, logits);
}

bsr_status bsr_infer_images(const bsr_plan *plan, bsr_pool *pool, const bsr_dataset *data, int nhwc,
                            size_t first, size_t count, char *records, float *logits)
{
    size_t threads = (size_t)bsr_pool_threads(pool);
    golden_run g = {.plan = plan,
                    .data = data,
                    .first = first,
                    .count = count,
                    .records = records,
                    .logits = logits,
                    .nhwc = nhwc,
                    .together = bsr_images_together(plan)};
    const bsr_pten *in = &plan->ptens[plan->input];
    bsr_status status = BSR_ENOMEM;
    g.forward = bsr_calloc_array(threads, sizeof *g.forward);
    g.inputs = bsr_calloc_array(threads, sizeof *g.inputs);
    g.planes = bsr_calloc_array(threads, sizeof *g.planes);
    if (!g.forward || !g.inputs || !g.planes)
        goto done;
    for (size_t t = 0; t < threads; t++) {
        status = bsr_forward_new(&g.forward[t], plan, (int)g.together);
        if (status != BSR_OK)
            goto done;
        g.inputs[t] = bsr_alloc_aligned(g.together, in->image_bytes);
        g.planes[t] = bsr_alloc_aligned((size_t)in->pixels * (size_t)in->channels, sizeof(float));
        status = BSR_ENOMEM;
        if (!g.inputs[t] || !g.planes[t])
            goto done;
    }
    /* As many items of nearly equal size for every thread. */
    g.items = (count + g.together - 1) / g.together;
    g.items = (g.items + threads - 1) / threads * threads;
    status = bsr_pool_run(pool, g.items, run_item, &g);
done:
    for (size_t t = 0; t < threads; t++) {
        bsr_forward_free(g.forward ? g.forward[t] : NULL);
        bsr_free(g.inputs ? g.inputs[t] : NULL);
        bsr_free(g.planes ? g.planes[t] : NULL);
    }
    bsr_free(g.forward);
    bsr_free(g.inputs);
    bsr_free(g.planes);
    return status;
}

bsr_status bsr_golden_new(bsr_golden **out, const bsr_plan *plan, bsr_pool *pool,
                          const bsr_dataset *data, int nhwc, size_t first, size_t count)
{
    *out = NULL;
    bsr_golden *g = bsr_calloc_array(1, sizeof *g);
    if (!g)
        return BSR_ENOMEM;
    g->plan = plan;
    g->images = (int)count;
    g->classes = bsr_plan_classes(plan);
    g->records = bsr_alloc_aligned(count, plan->golden_bytes);
    g->logits = bsr_alloc_array(count * (size_t)g->classes, sizeof *g->logits);
    g->top1 = bsr_alloc_array(count, sizeof *g->top1);
    bsr_status status = BSR_ENOMEM;
    if (g->records && g->logits && g->top1)
        status = bsr_infer_images(plan, pool, data, nhwc, first, count, g->records, g->logits);
    if (status != BSR_OK) {
        bsr_golden_free(g);
        return status;
    }
    for (size_t i = 0; i < count; i++)
        g->top1[i] = bsr_top1(g->logits + i * (size_t)g->classes, g->classes);
    *out = g;
    return BSR_OK;
}

void bsr_golden_free(bsr_golden *golden)
{
    if (!golden)
        return;
    bsr_free(golden->records);
    bsr_free(golden->logits);
    bsr_free(golden->top1);
    bsr_free(golden);
}
