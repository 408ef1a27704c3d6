/* Accuracy of the fault-free network. */
#include <string.h>

#include "analysis/session.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "stats/interval.h"

/* Images between two looks at the progress callback. */
#define SLICE 256

/* Is the label among the five greatest logits? Ties count for the lower index, as in top-1. */
static int in_top5(const float *z, int n, int label)
{
    int better = 0;
    for (int i = 0; i < n; i++)
        better += i != label && (z[i] > z[label] || (z[i] == z[label] && i < label) ||
                                 (z[i] != z[i] && z[label] == z[label]));
    return better < 5;
}

static bsr_status infer_all(bsr_session *s, float *logits)
{
    size_t classes = (size_t)bsr_plan_classes(s->plan);
    double start = bsr_seconds();
    for (size_t first = 0; first < s->images; first += SLICE) {
        size_t n = s->images - first < SLICE ? s->images - first : SLICE;
        BSR_TRY(bsr_infer_images(s->plan, s->pool, s->data, s->model->nhwc, first, n, NULL,
                                 logits + first * classes));
        bsr_progress p = {"inference", first + n, s->images, bsr_seconds() - start, 0};
        p.rate = p.seconds > 0 ? (double)p.done / p.seconds : 0;
        if (s->options.progress && s->options.progress(s->options.progress_ctx, &p))
            return bsr_fail(BSR_ECANCELLED, "stopped by the caller");
    }
    s->seconds = bsr_seconds() - start;
    return BSR_OK;
}

static bsr_status fill(bsr_eval_result *r, bsr_session *s)
{
    bsr_arena *arena = r->arena;
    char hash[65], brand[64];
    r->images = s->images;
    r->classes = bsr_plan_classes(s->plan);
    r->logits = bsr_arena_calloc(arena, s->images * (size_t)r->classes, sizeof *r->logits);
    if (!r->logits)
        return BSR_ENOMEM;
    BSR_TRY(infer_all(s, r->logits));
    r->seconds = s->seconds;
    for (size_t i = 0; i < s->images; i++) {
        const float *z = r->logits + i * (size_t)r->classes;
        int label = bsr_dataset_label(s->data, i);
        r->correct += bsr_top1(z, r->classes) == label;
        r->top5 += (uint64_t)in_top5(z, r->classes, label);
    }
    double n = (double)r->images;
    bsr_interval ci = bsr_wilson((double)r->correct, n, 0, s->options.confidence);
    r->accuracy = (double)r->correct / n;
    r->top5_accuracy = (double)r->top5 / n;
    r->accuracy_ci = (bsr_share){r->accuracy, ci.lo, ci.hi};
    BSR_TRY(bsr_dataset_sha256(s->data, hash));
    r->provenance = (bsr_provenance){.version = bsr_version(),
                                     .model_path = bsr_arena_strdup(arena, s->model->path),
                                     .model_sha256 = bsr_arena_strdup(arena, s->model->sha256),
                                     .data_spec = "",
                                     .data_sha256 = bsr_arena_strdup(arena, hash),
                                     .cpu_brand = bsr_arena_strdup(arena, bsr_cpu_brand(brand)),
                                     .spec = bsr_arena_strdup(arena, "eval")};
    const bsr_provenance *p = &r->provenance;
    return p->model_path && p->model_sha256 && p->data_sha256 && p->cpu_brand && p->spec
               ? BSR_OK
               : BSR_ENOMEM;
}

bsr_status bsr_eval(bsr_eval_result **out, const bsr_model *model, const bsr_dataset *data,
                    const bsr_run_options *options)
{
    *out = NULL;
    bsr_session s;
    bsr_arena *arena = NULL;
    bsr_eval_result *r = NULL;
    bsr_status status = bsr_session_init(&s, model, data, options, NULL, 0);
    if (status == BSR_OK) {
        arena = bsr_arena_new();
        r = arena ? bsr_arena_calloc(arena, 1, sizeof *r) : NULL;
        status = r ? BSR_OK : BSR_ENOMEM;
    }
    if (status == BSR_OK) {
        r->arena = arena;
        status = fill(r, &s);
    }
    bsr_session_clear(&s);
    if (status != BSR_OK) {
        bsr_arena_free(arena);
        return status;
    }
    *out = r;
    return BSR_OK;
}

void bsr_eval_result_free(bsr_eval_result *result)
{
    if (result)
        bsr_arena_free(result->arena);
}
