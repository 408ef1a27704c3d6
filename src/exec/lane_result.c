/* What the logits of a lane say. */
#include <math.h>
#include <string.h>

#include "exec/lane_state.h"

/* Bit for bit, but a NaN equals any NaN: its payload is the processor's choice. */
static int same_logits(const float *a, const float *b, int n)
{
    for (int i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i])))
            return 0;
    return 1;
}

/* Does class i come before class k, as bsr_top1 orders them? */
static int precedes(const float *z, int i, int k)
{
    if (isnan(z[i]) || isnan(z[k]))
        return isnan(z[i]) && (!isnan(z[k]) || i < k);
    return z[i] > z[k] || (z[i] == z[k] && i < k);
}

/* Is class k not among the five first? */
static int leaves_top5(const float *z, int n, int k)
{
    int before = 0;
    for (int i = 0; i < n && before < 5; i++)
        before += precedes(z, i, k);
    return before == 5;
}

static double squared_error(const float *z, const float *golden, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double d = (double)z[i] - (double)golden[i];
        sum += d * d;
    }
    return sum;
}

void bsr_judge_logits(const float *golden, int golden_top1, const float *z, int classes,
                      bsr_lane_result *result)
{
    result->masked = (unsigned char)(z == golden || same_logits(z, golden, classes));
    result->top1 = bsr_top1(z, classes);
    result->due = (unsigned char)bsr_is_due(z, classes);
    result->critical = result->top1 != golden_top1;
    result->top5 = (unsigned char)(result->critical && leaves_top5(z, classes, golden_top1));
    result->sse = result->masked ? 0 : squared_error(z, golden, classes);
}

void bsr_lane_judge(const bsr_golden *g, int image, const float *z, bsr_lane_result *result)
{
    const float *golden = g->logits + (size_t)image * (size_t)g->classes;
    bsr_judge_logits(golden, g->top1[image], z, g->classes, result);
}

void bsr_lane_read(bsr_lanes *ls, int lane, bsr_lane_result *result, float *logits)
{
    const bsr_plan *plan = ls->plan;
    const bsr_golden *g = ls->golden;
    const bsr_lane_tensor *t = bsr_lane_at(ls, lane, plan->output);
    int image = ls->jobs[lane].image;
    const float *z = g->logits + (size_t)image * (size_t)g->classes;
    if (t->kind != BSR_CLEAN) {
        const char *whole = t->data;
        const bsr_pten *p = &plan->ptens[plan->output];
        if (t->kind == BSR_SPARSE) {
            const char *golden = bsr_golden_at(ls, lane, plan->output);
            char *room = ls->scratch.dense;
            for (int q = 0; q < p->pixels; q++)
                memcpy(room + (size_t)q * p->pixel_bytes,
                       (const char *)((uintptr_t)golden + (uintptr_t)t->off[q]), p->pixel_bytes);
            whole = room;
        }
        bsr_read_logits(plan, whole, ls->scratch.logits);
        z = ls->scratch.logits;
    }
    bsr_lane_judge(g, image, z, result);
    result->reach = ls->reach[lane];
    ls->counters.masked += result->masked;
    if (logits)
        memcpy(logits, z, (size_t)g->classes * sizeof *z);
}
