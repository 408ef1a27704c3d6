#include "support/whole.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "rng/philox.h"

static void check(bsr_status status)
{
    if (status == BSR_OK)
        return;
    fprintf(stderr, "%s: %s\n", bsr_status_name(status), bsr_error_message());
    exit(1);
}

static void *need(void *p)
{
    check(p ? BSR_OK : BSR_ENOMEM);
    return p;
}

void whole_open(whole *w, const void *bytes, size_t n, bsr_cpu cpu, whole_keep keep)
{
    *w = (whole){0};
    check(bsr_model_load_bytes(&w->model, bytes, n, NULL));
    const bsr_graph *g = w->model->graph;
    w->keep = need(bsr_alloc_array((size_t)g->n_values, 1));
    for (int v = 0; v < g->n_values; v++)
        w->keep[v] = keep == WHOLE_KEEP_ALL ||
                     (keep == WHOLE_KEEP_DEFAULT && bsr_model_is_default_tensor(w->model, v));
    check(bsr_plan_new(&w->plan, g, bsr_kernels_for(cpu), w->keep));
    w->classes = bsr_plan_classes(w->plan);
}

void whole_close(whole *w)
{
    bsr_plan_free(w->plan);
    bsr_free(w->keep);
    bsr_model_free(w->model);
}

void *whole_read(const char *path, size_t *n)
{
    void *bytes;
    check(bsr_file_read(&bytes, n, path, (size_t)1 << 30));
    return bytes;
}

void whole_images_new(whole_images *images, const whole *w, int n, uint64_t seed)
{
    const bsr_plan *plan = w->plan;
    const bsr_pten *p = &plan->ptens[plan->input];
    const bsr_value *v = &plan->graph->values[p->value];
    bsr_rng rng = bsr_rng_make(seed, 0);
    images->n = n;
    images->tensors = need(bsr_calloc_array((size_t)n, sizeof *images->tensors));
    images->pixels = need(bsr_calloc_array((size_t)n, sizeof *images->pixels));
    for (int i = 0; i < n; i++) {
        check(bsr_tensor_new(&images->tensors[i], v->dtype, v->rank, v->dims));
        float *x = images->tensors[i]->data;
        for (int64_t k = 0; k < bsr_count(v->rank, v->dims); k++)
            x[k] = (float)(6 * bsr_rng_uniform(&rng) - 3);
        images->pixels[i] = need(bsr_alloc_aligned(1, p->image_bytes));
        bsr_view from = bsr_tensor_view(images->tensors[i]);
        bsr_view to = bsr_plan_view(plan, p->value, images->pixels[i]);
        bsr_view_copy(&to, &from);
    }
}

void whole_images_free(whole_images *images)
{
    for (int i = 0; i < images->n; i++) {
        bsr_tensor_free(images->tensors[i]);
        bsr_free(images->pixels[i]);
    }
    bsr_free(images->tensors);
    bsr_free(images->pixels);
}

void whole_logits(const whole *w, const char *const *inputs, int n, float *logits)
{
    bsr_forward *f;
    float **rows = need(bsr_calloc_array((size_t)n, sizeof *rows));
    for (int i = 0; i < n; i++)
        rows[i] = logits + i * w->classes;
    check(bsr_forward_new(&f, w->plan, n));
    check(bsr_forward_run(f, n, inputs, NULL, rows));
    bsr_forward_free(f);
    bsr_free(rows);
}
