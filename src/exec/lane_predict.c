#include "exec/lane_predict.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "exec/lane_state.h"

/* Sums run in so many strands, which a compiler may put into one vector; the order of additions is
 * the same on every processor. */
#define STRANDS 16

/* Is the step pointwise in `pten`: an output pixel reads the same pixel of it and no other? */
static int is_pointwise_in(const bsr_step *s, int pten)
{
    if (s->core == BSR_CORE_DENSE || s->core == BSR_CORE_RELAYOUT)
        return 0;
    for (int i = 0; i < s->n_sources; i++)
        if (s->sources[i].pten == pten && (s->core != BSR_CORE_COPY || s->sources[i].map))
            return 0;
    return 1;
}

/* The only step that reads `pten`, or -1. */
static int only_reader(const bsr_plan *plan, int pten)
{
    int reader = -1;
    for (int i = 0; i < plan->n_steps; i++) {
        const bsr_step *s = &plan->steps[i];
        int reads = 0;
        for (int k = 0; k < s->n_sources; k++)
            reads |= s->sources[k].pten == pten;
        for (int k = 0; k < s->n_stages; k++)
            reads |= s->stages[k].operand == pten;
        if (reads && reader >= 0)
            return -1;
        if (reads)
            reader = i;
    }
    return reader;
}

int bsr_watched_pten(const bsr_plan *plan, int pten)
{
    for (int reader; pten != plan->output && (reader = only_reader(plan, pten)) >= 0;) {
        const bsr_step *s = &plan->steps[reader];
        if (!is_pointwise_in(s, pten) || s->n_stages == 0)
            break;
        pten = s->out;
    }
    return pten;
}

void bsr_slope_planes(float *planes, const float *gradient, int pixels, int channels)
{
    /* Blocks of pixels: the rows of a block stay in cache while its columns are written. */
    enum { BLOCK = 64 };
    for (int p0 = 0; p0 < pixels; p0 += BLOCK) {
        int p1 = p0 + BLOCK < pixels ? p0 + BLOCK : pixels;
        for (int c = 0; c < channels; c++)
            for (int p = p0; p < p1; p++)
                planes[(size_t)c * (size_t)pixels + (size_t)p] =
                    gradient[(size_t)p * (size_t)channels + (size_t)c];
    }
}

/* Difference of element c of a pixel, in the element's own unit. */
static float difference(const bsr_pten *t, const char *now, const char *was, int c)
{
    float a, b;
    switch (t->dtype) {
    case BSR_U8:
        return (float)((const uint8_t *)now)[c] - (float)((const uint8_t *)was)[c];
    case BSR_I8:
        return (float)((const int8_t *)now)[c] - (float)((const int8_t *)was)[c];
    default:
        memcpy(&a, now + (size_t)c * sizeof a, sizeof a);
        memcpy(&b, was + (size_t)c * sizeof b, sizeof b);
        return a - b;
    }
}

static float dot(const float *a, const float *b, int n)
{
    float strand[STRANDS] = {0};
    int i = 0;
    for (; i + STRANDS <= n; i += STRANDS)
        for (int k = 0; k < STRANDS; k++)
            strand[k] += a[i + k] * b[i + k];
    for (int k = 0; i < n; i++, k++)
        strand[k] += a[i] * b[i];
    float sum = 0;
    for (int k = 0; k < STRANDS; k++)
        sum += strand[k];
    return sum;
}

/* Differences of one channel of a lane's tensor. */
typedef struct channel_change {
    int n;                /* pixels that differ */
    const int32_t *pixel; /* [n]; NULL: `by` has all pixels, zeros included */
    const float *by;
} channel_change;

static channel_change change_of(bsr_lanes *ls, int lane, int pten, int c, float *room)
{
    const bsr_pten *p = &ls->plan->ptens[pten];
    const bsr_lane_tensor *t = bsr_lane_at(ls, lane, pten);
    const char *golden = bsr_golden_at(ls, lane, pten);
    channel_change change = {.n = p->pixels, .by = room};
    if (t->kind == BSR_FULL) {
        for (int q = 0; q < p->pixels; q++)
            room[q] = difference(p, t->data + (size_t)q * p->pixel_bytes,
                                 golden + (size_t)q * p->pixel_bytes, c);
        return change;
    }
    int dense = t->n >= p->pixels / 4;
    if (dense) {
        memset(room, 0, (size_t)p->pixels * sizeof *room);
    } else {
        change.n = t->n;
        change.pixel = t->list;
    }
    for (int i = 0; i < t->n; i++) {
        int32_t q = t->list[i];
        const char *now = (const char *)((uintptr_t)golden + (uintptr_t)t->off[q]);
        room[dense ? q : i] = difference(p, now, golden + (size_t)q * p->pixel_bytes, c);
    }
    return change;
}

/* Adds what one channel's differences do to the margins. */
static void add_channel(float change[BSR_MAX_RIVALS], const bsr_slopes *slopes, int pixels, int c,
                        const channel_change *d)
{
    for (int k = 0; k < slopes->margins->n; k++) {
        const float *plane =
            slopes->planes + (size_t)k * slopes->stride + (size_t)c * (size_t)pixels;
        if (!d->pixel) {
            change[k] += dot(plane, d->by, d->n);
            continue;
        }
        for (int i = 0; i < d->n; i++)
            change[k] += plane[d->pixel[i]] * d->by[i];
    }
}

static float largest_share(const bsr_margins *m, const float change[BSR_MAX_RIVALS])
{
    float most = 0;
    for (int k = 0; k < m->n; k++) {
        float share = fabsf(change[k]) / m->margin[k];
        if (!isfinite(share) || m->margin[k] <= 0)
            return INFINITY;
        most = share > most ? share : most;
    }
    return most;
}

/* The channel that alone can differ where the fault first shows, or -1. */
static int changed_channel(const bsr_plan *plan, const bsr_stored_fault *f)
{
    int m, tap, c;
    switch (f->place) {
    case BSR_FAULT_VALUE:
        bsr_plan_locate(plan, f->where, f->element, &tap, &m);
        return m;
    case BSR_FAULT_WEIGHT:
    case BSR_FAULT_OPERAND_INPUT:
    case BSR_FAULT_OPERAND_WEIGHT:
        bsr_weights_locate(plan->layers[f->where].weights, f->element, &m, &tap, &c);
        return m;
    case BSR_FAULT_BIAS:
    case BSR_FAULT_SUM:
        return (int)f->element;
    default:
        return -1;
    }
}

static float predict(bsr_lanes *ls, int lane, const bsr_slopes *slopes)
{
    const bsr_pten *p = &ls->plan->ptens[slopes->pten];
    const bsr_stored_fault *f = &ls->jobs[lane].fault;
    float change[BSR_MAX_RIVALS] = {0};
    if (bsr_lane_at(ls, lane, slopes->pten)->kind == BSR_CLEAN)
        return -1;
    int first = bsr_source_pten(ls->plan, f) == slopes->pten ? changed_channel(ls->plan, f) : -1;
    int end = first < 0 ? p->channels : first + 1;
    for (int c = first < 0 ? 0 : first; c < end; c++) {
        channel_change d = change_of(ls, lane, slopes->pten, c, ls->changes);
        add_channel(change, slopes, p->pixels, c, &d);
    }
    return largest_share(slopes->margins, change);
}

bsr_status bsr_lanes_predict(bsr_lanes *ls, const bsr_golden *golden, const bsr_lane_job *jobs,
                             size_t n, const bsr_slopes *slopes, float *share)
{
    int end = ls->plan->ptens[slopes->pten].producer + 1;
    bsr_lanes_use(ls, golden);
    for (size_t i = 0; i < n;) {
        size_t group = bsr_lanes_group(ls, jobs + i, n - i);
        if (!group) {
            share[i++] = INFINITY;
            continue;
        }
        bsr_status status = bsr_lanes_walk(ls, end);
        for (size_t l = 0; l < group && status == BSR_OK; l++)
            share[i + l] = predict(ls, (int)l, slopes);
        bsr_lanes_end(ls);
        BSR_TRY(status);
        i += group;
    }
    return BSR_OK;
}
