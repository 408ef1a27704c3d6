/* One step for all lanes of a group: the pixels that read a difference are computed again. */
#include <string.h>

#include "base/error.h"
#include "exec/lane_state.h"

/* Tensors of fewer pixels are always computed row by row with other lanes' rows. */
#define TABLE_PIXELS 24

/* Where lane `lane` reads tensor `pten`, for the pixel tables of the plan: the base address when
 * those tables apply as they are (golden or whole tensor), NULL when single pixels are elsewhere.
 */
static const char *table_base(bsr_lanes *ls, int lane, int pten)
{
    const bsr_lane_tensor *t = bsr_lane_at(ls, lane, pten);
    return t->kind == BSR_FULL    ? t->data
           : t->kind == BSR_CLEAN ? bsr_golden_at(ls, lane, pten)
                                  : NULL;
}

/* Output pixels of the step that read a differing pixel: into ls->candidates, or -1 for all. */
static int find_candidates(bsr_lanes *ls, const bsr_step *s, int lane)
{
    int n = 0;
    if (++ls->stamp == 0) { /* wrapped: old stamps would be taken for new ones */
        memset(ls->mark, 0, (size_t)ls->plan->max_pixels * sizeof *ls->mark);
        ls->stamp = 1;
    }
    uint32_t stamp = ls->stamp;
    for (int k = 0; k < s->n_sources + s->n_stages; k++) {
        int pten = k < s->n_sources ? s->sources[k].pten : s->stages[k - s->n_sources].operand;
        if (pten < 0)
            continue;
        const bsr_pixmap *map = k < s->n_sources ? s->sources[k].map : NULL;
        const bsr_lane_tensor *t = bsr_lane_at(ls, lane, pten);
        if (t->kind == BSR_FULL)
            return -1;
        if (t->kind == BSR_CLEAN)
            continue;
        for (int i = 0; i < t->n; i++) {
            int32_t q = t->list[i];
            const int32_t *p = map ? map->reach + map->reach_at[q] : &q;
            const int32_t *end = map ? map->reach + map->reach_at[q + 1] : &q + 1;
            for (; p < end; p++)
                if (ls->mark[*p] != stamp) {
                    ls->mark[*p] = stamp;
                    ls->candidates[n++] = *p;
                }
        }
    }
    return n;
}

/* Rows [0, n_rows) of the block are computed; each that differs joins its lane's tensor. */
static void flush_rows(bsr_lanes *ls, const bsr_step *s)
{
    if (!ls->n_rows)
        return;
    const bsr_plan *plan = ls->plan;
    const bsr_pten *to = &plan->ptens[s->out];
    size_t list = (size_t)plan->max_taps * BSR_BLOCK;
    bsr_access access[BSR_DENSE_OPERANDS];
    for (int k = 0; k < s->n_sources + s->n_stages; k++)
        access[k] = (bsr_access){NULL, ls->row_off + (size_t)k * list, BSR_BLOCK};
    bsr_step_rows(plan, s, s->weights ? s->weights->packed : NULL, ls->n_rows, access,
                  access + s->n_sources, ls->row_divisor, &ls->scratch, ls->rows);
    for (int r = 0; r < ls->n_rows; r++) {
        int lane = ls->row_lane[r];
        int32_t p = ls->row_pixel[r];
        const char *row = ls->rows + (size_t)r * to->pixel_bytes;
        if (!plan->kernels->differ(row,
                                   bsr_golden_at(ls, lane, s->out) + (size_t)p * to->pixel_bytes,
                                   to->pixel_bytes))
            continue;
        bsr_lane_tensor *t = bsr_lane_at(ls, lane, s->out);
        char *data = t->data + (size_t)t->n * to->pixel_bytes;
        memcpy(data, row, to->pixel_bytes);
        bsr_lane_add(ls, lane, s->out, p, data);
    }
    ls->counters.macs += s->macs / to->pixels * ls->n_rows;
    ls->n_rows = 0;
}

/* Offsets of rows [from, from + n) of the block: one lane, pixels as in row_pixel. */
static void locate_rows(bsr_lanes *ls, const bsr_step *s, int lane, int from, int n)
{
    const bsr_plan *plan = ls->plan;
    size_t list = (size_t)plan->max_taps * BSR_BLOCK;
    for (int k = 0; k < s->n_sources + s->n_stages; k++) {
        int pten = k < s->n_sources ? s->sources[k].pten : s->stages[k - s->n_sources].operand;
        if (pten < 0)
            continue;
        const bsr_pixmap *map = k < s->n_sources ? s->sources[k].map : NULL;
        const char *base = table_base(ls, lane, pten);
        int64_t at = (int64_t)(uintptr_t)(base ? base : bsr_golden_at(ls, lane, pten));
        const int64_t *pixel = base ? plan->ptens[pten].identity : bsr_lane_at(ls, lane, pten)->off;
        int64_t *off = ls->row_off + (size_t)k * list + from;
        const int32_t *p = ls->row_pixel + from;
        if (!map) {
            for (int r = 0; r < n; r++)
                off[r] = at + pixel[p[r]];
            continue;
        }
        for (int t = 0; t < map->taps; t++, off += BSR_BLOCK) {
            const int32_t *forward = map->forward + (size_t)t * (size_t)map->n_out;
            if (map->skip)
                for (int r = 0; r < n; r++)
                    off[r] = forward[p[r]] == map->n_in ? BSR_NO_PIXEL : at + pixel[forward[p[r]]];
            else
                for (int r = 0; r < n; r++)
                    off[r] = at + pixel[forward[p[r]]];
        }
    }
    if (s->divisor)
        for (int r = from; r < from + n; r++)
            ls->row_divisor[r] = s->divisor[ls->row_pixel[r]];
}

/* Adds candidate pixels (all pixels in order when candidates is NULL) of a lane to the block. */
static void push_rows(bsr_lanes *ls, const bsr_step *s, int lane, const int32_t *candidates, int n)
{
    /* Rows of a block are read when it is full; a recomputed tensor is there for one image. */
    if (ls->n_rows && s->touches_recomputed &&
        ls->jobs[ls->row_lane[0]].image != ls->jobs[lane].image)
        flush_rows(ls, s);
    for (int i = 0; i < n;) {
        int room = BSR_BLOCK - ls->n_rows;
        int m = n - i < room ? n - i : room;
        for (int r = 0; r < m; r++) {
            ls->row_lane[ls->n_rows + r] = lane;
            ls->row_pixel[ls->n_rows + r] = candidates ? candidates[i + r] : i + r;
        }
        locate_rows(ls, s, lane, ls->n_rows, m);
        ls->n_rows += m;
        i += m;
        if (ls->n_rows == BSR_BLOCK)
            flush_rows(ls, s);
    }
}

/* The lane keeps a whole new tensor at t->data: which pixels differ? */
static void compare_all(bsr_lanes *ls, int lane, int pten)
{
    const bsr_pten *p = &ls->plan->ptens[pten];
    bsr_lane_tensor *t = bsr_lane_at(ls, lane, pten);
    const char *golden = bsr_golden_at(ls, lane, pten);
    for (int32_t q = 0; q < p->pixels; q++) {
        const char *data = t->data + (size_t)q * p->pixel_bytes;
        if (ls->plan->kernels->differ(data, golden + (size_t)q * p->pixel_bytes, p->pixel_bytes))
            bsr_lane_add(ls, lane, pten, q, data);
    }
    /* Consumers read a whole tensor through tables made once; with few equal pixels left that is
     * cheaper than looking each one up. */
    if (t->n > p->pixels - p->pixels / 8)
        t->kind = BSR_FULL;
    bsr_write_spare(p, t->data);
}

/* All pixels through the plan's tables, straight into the lane's room. */
static void table_lane(bsr_lanes *ls, const bsr_step *s, int lane)
{
    bsr_access whole[BSR_DENSE_OPERANDS] = {{0}};
    for (int k = 0; k < s->n_sources + s->n_stages; k++) {
        int pten = k < s->n_sources ? s->sources[k].pten : s->stages[k - s->n_sources].operand;
        if (pten < 0)
            continue;
        /* A stage's operand may be sparse: its own table has an offset for each pixel. */
        const char *base = table_base(ls, lane, pten);
        whole[k] =
            base ? (bsr_access){base, ls->plan->ptens[pten].identity, 0}
                 : (bsr_access){bsr_golden_at(ls, lane, pten), bsr_lane_at(ls, lane, pten)->off, 0};
    }
    bsr_step_image(ls->plan, s, s->weights ? s->weights->packed : NULL, whole, &ls->scratch,
                   bsr_lane_at(ls, lane, s->out)->data);
    ls->counters.macs += s->macs;
    compare_all(ls, lane, s->out);
}

/* An operator's dense evaluation needs whole input tensors: the lane's own, the golden one, or a
 * copy of the golden one with the lane's pixels put in. */
static bsr_status dense_lane(bsr_lanes *ls, const bsr_step *s, int lane)
{
    const bsr_plan *plan = ls->plan;
    char *in[BSR_DENSE_OPERANDS];
    for (int k = 0; k < s->n_sources; k++) {
        int pten = s->sources[k].pten;
        const bsr_pten *p = &plan->ptens[pten];
        bsr_lane_tensor *t = bsr_lane_at(ls, lane, pten);
        in[k] = (char *)(uintptr_t)table_base(ls, lane, pten);
        if (in[k])
            continue;
        char *whole = ls->scratch.dense;
        for (int j = 0; j < k; j++)
            whole += plan->ptens[s->sources[j].pten].image_bytes;
        memcpy(whole, bsr_golden_at(ls, lane, pten), p->image_bytes);
        const char *golden = bsr_golden_at(ls, lane, pten);
        for (int i = 0; i < t->n; i++)
            memcpy(whole + (size_t)t->list[i] * p->pixel_bytes,
                   (const char *)((uintptr_t)golden + (uintptr_t)t->off[t->list[i]]),
                   p->pixel_bytes);
        in[k] = whole;
    }
    BSR_TRY(bsr_step_dense(plan, s, in, bsr_lane_at(ls, lane, s->out)->data));
    compare_all(ls, lane, s->out);
    return BSR_OK;
}

static int lane_reads_difference(const bsr_lanes *ls, const bsr_step *s, int lane)
{
    for (int k = 0; k < s->n_sources; k++)
        if (bsr_lane_at(ls, lane, s->sources[k].pten)->kind != BSR_CLEAN)
            return 1;
    for (int k = 0; k < s->n_stages; k++)
        if (s->stages[k].operand >= 0 &&
            bsr_lane_at(ls, lane, s->stages[k].operand)->kind != BSR_CLEAN)
            return 1;
    return 0;
}

static int any_lane_differs(const bsr_lanes *ls, const bsr_step *s)
{
    int n = 0;
    for (int k = 0; k < s->n_sources; k++)
        n |= ls->dirty[s->sources[k].pten];
    for (int k = 0; k < s->n_stages; k++)
        n |= s->stages[k].operand >= 0 && ls->dirty[s->stages[k].operand];
    return n;
}

/* Do the plan's tables apply to all sources (a map needs them; without one a sparse source is
 * fine)? */
static int tables_apply(bsr_lanes *ls, const bsr_step *s, int lane)
{
    for (int k = 0; k < s->n_sources; k++)
        if (s->sources[k].map && !table_base(ls, lane, s->sources[k].pten))
            return 0;
    return 1;
}

bsr_status bsr_lane_step(bsr_lanes *ls, const bsr_step *s)
{
    if (!any_lane_differs(ls, s))
        return BSR_OK;
    const bsr_pten *to = &ls->plan->ptens[s->out];
    for (int l = 0; l < ls->n; l++) {
        if (!lane_reads_difference(ls, s, l))
            continue;
        ls->reach[l] = (int)(s - ls->plan->steps);
        if (s->core == BSR_CORE_DENSE || s->core == BSR_CORE_RELAYOUT) {
            BSR_TRY(dense_lane(ls, s, l));
            continue;
        }
        int n = find_candidates(ls, s, l);
        int all = n < 0 || n > to->pixels - to->pixels / 8;
        if (all && to->pixels >= TABLE_PIXELS && tables_apply(ls, s, l))
            table_lane(ls, s, l);
        else if (all)
            push_rows(ls, s, l, NULL, to->pixels);
        else
            push_rows(ls, s, l, ls->candidates, n);
    }
    flush_rows(ls, s);
    bsr_lane_count_dirty(ls, s->out);
    return BSR_OK;
}
