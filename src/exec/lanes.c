#include "exec/lanes.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/lane_state.h"

/* Tensors of fewer pixels are always computed row by row with other lanes' rows. */
#define TABLE_PIXELS 24

/* A group's work records should stay near the second-level cache, but enough lanes must walk
 * together to share weights. */
#define GROUP_BYTES ((size_t)4 << 20)
#define GROUP_MIN   8
#define GROUP_MAX   32

static size_t all_pixels(const bsr_plan *plan)
{
    size_t n = 0;
    for (int i = 0; i < plan->n_ptens; i++)
        n += (size_t)plan->ptens[i].pixels + 1;
    return n;
}

static size_t operand_lists(const bsr_plan *plan)
{
    int most = 1;
    for (int i = 0; i < plan->n_steps; i++) {
        int n = plan->steps[i].n_sources + plan->steps[i].n_stages;
        if (n > most)
            most = n;
    }
    return (size_t)most;
}

static void link_tensors(bsr_lanes *ls)
{
    const bsr_plan *plan = ls->plan;
    size_t pixels = all_pixels(plan);
    for (int l = 0; l < ls->size; l++) {
        int64_t *off = ls->offs + (size_t)l * pixels;
        int32_t *list = ls->lists + (size_t)l * pixels;
        for (int i = 0; i < plan->n_ptens; i++) {
            const bsr_pten *p = &plan->ptens[i];
            bsr_lane_tensor *t = bsr_lane_at(ls, l, i);
            *t = (bsr_lane_tensor){.off = off,
                                   .list = list,
                                   .data = ls->work + (size_t)l * plan->work_bytes + p->work_at};
            memcpy(off, p->identity, ((size_t)p->pixels + 1) * sizeof *off);
            off += p->pixels + 1;
            list += p->pixels + 1;
        }
    }
}

bsr_status bsr_lanes_new(bsr_lanes **out, const bsr_plan *plan)
{
    *out = NULL;
    bsr_lanes *ls = bsr_calloc_array(1, sizeof *ls);
    if (!ls)
        return BSR_ENOMEM;
    ls->plan = plan;
    size_t fit = GROUP_BYTES / (plan->work_bytes + 1);
    ls->size = fit < GROUP_MIN ? GROUP_MIN : fit > GROUP_MAX ? GROUP_MAX : (int)fit;
    size_t size = (size_t)ls->size, pixels = all_pixels(plan), lists = operand_lists(plan);
    size_t nr = (size_t)plan->kernels->nr, depth = 2;
    for (int i = 0; i < plan->n_layers; i++) {
        const bsr_weights *w = plan->layers[i].weights;
        size_t k = (size_t)w->taps * (size_t)w->cin + 1;
        depth = k > depth ? k : depth;
    }
    ls->tensors = bsr_calloc_array(size * (size_t)plan->n_ptens, sizeof *ls->tensors);
    ls->work = bsr_alloc_aligned(size, plan->work_bytes);
    ls->offs = bsr_alloc_array(size * pixels, sizeof *ls->offs);
    ls->lists = bsr_alloc_array(size * pixels, sizeof *ls->lists);
    ls->dirty = bsr_calloc_array((size_t)plan->n_ptens, sizeof *ls->dirty);
    ls->mark = bsr_calloc_array((size_t)plan->max_pixels, sizeof *ls->mark);
    ls->candidates = bsr_alloc_array((size_t)plan->max_pixels, sizeof *ls->candidates);
    ls->row_off = bsr_alloc_array(lists * (size_t)plan->max_taps * BSR_BLOCK, sizeof *ls->row_off);
    ls->rows = bsr_alloc_aligned(BSR_BLOCK * (size_t)plan->max_channels, sizeof(float));
    ls->panel = bsr_alloc_aligned(depth * nr, sizeof(float));
    ls->panel_init = bsr_alloc_aligned(nr, sizeof(float));
    ls->column_stages = bsr_calloc_array(lists, sizeof *ls->column_stages);
    ls->column_params = bsr_alloc_aligned(lists * 3 * BSR_MAX_NR, sizeof(float));
    ls->column_rows = bsr_alloc_aligned(lists * BSR_BLOCK * BSR_MAX_NR, sizeof(float));
    ls->column_off = bsr_alloc_array(BSR_BLOCK, sizeof *ls->column_off);
    ls->recomputed = bsr_calloc_array((size_t)plan->n_ptens, sizeof *ls->recomputed);
    ls->recomputed_image = bsr_alloc_array((size_t)plan->n_ptens, sizeof *ls->recomputed_image);
    bsr_status status = ls->recomputed && ls->recomputed_image ? BSR_OK : BSR_ENOMEM;
    for (int i = 0; i < plan->n_ptens && status == BSR_OK; i++) {
        ls->recomputed_image[i] = -1;
        if (!plan->ptens[i].kept &&
            !(ls->recomputed[i] = bsr_alloc_aligned(plan->ptens[i].image_bytes, 1)))
            status = BSR_ENOMEM;
    }
    if (status == BSR_OK)
        status = bsr_scratch_new(&ls->scratch, plan);
    if (status == BSR_OK && plan->shared_weights)
        status = bsr_forward_new(&ls->whole, plan, 1);
    if (status != BSR_OK || !ls->tensors || !ls->work || !ls->offs || !ls->lists || !ls->dirty ||
        !ls->mark || !ls->candidates || !ls->row_off || !ls->rows || !ls->panel ||
        !ls->panel_init || !ls->column_stages || !ls->column_params || !ls->column_rows ||
        !ls->column_off) {
        bsr_lanes_free(ls);
        return BSR_ENOMEM;
    }
    link_tensors(ls);
    *out = ls;
    return BSR_OK;
}

void bsr_lanes_free(bsr_lanes *ls)
{
    if (!ls)
        return;
    void *const owned[] = {ls->tensors,       ls->work,        ls->offs,       ls->lists,
                           ls->dirty,         ls->mark,        ls->candidates, ls->row_off,
                           ls->rows,          ls->panel,       ls->panel_init, ls->column_stages,
                           ls->column_params, ls->column_rows, ls->column_off};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        bsr_free(owned[i]);
    for (int i = 0; ls->recomputed && i < ls->plan->n_ptens; i++)
        bsr_free(ls->recomputed[i]);
    bsr_free(ls->recomputed);
    bsr_free(ls->recomputed_image);
    bsr_scratch_clear(&ls->scratch);
    bsr_forward_free(ls->whole);
    bsr_free(ls);
}

bsr_lane_counters bsr_lanes_counters(const bsr_lanes *lanes)
{
    return lanes->counters;
}

const char *bsr_golden_recompute(bsr_lanes *ls, int image, int pten)
{
    const bsr_plan *plan = ls->plan;
    char *data = ls->recomputed[pten];
    if (ls->recomputed_image[pten] == image)
        return data;
    const bsr_pten *p = &plan->ptens[pten];
    const bsr_step *s = &plan->steps[p->producer];
    const char *record = ls->golden->records + (size_t)image * plan->golden_bytes;
    bsr_access whole[BSR_DENSE_OPERANDS] = {{0}};
    for (int k = 0; k < s->n_sources + s->n_stages; k++) {
        int from = k < s->n_sources ? s->sources[k].pten : s->stages[k - s->n_sources].operand;
        if (from >= 0)
            whole[k] =
                (bsr_access){record + plan->ptens[from].golden_at, plan->ptens[from].identity, 0};
    }
    bsr_step_image(plan, s, s->weights->packed, whole, &ls->scratch, data);
    bsr_write_spare(p, data);
    ls->recomputed_image[pten] = image;
    ls->counters.macs += s->macs;
    return data;
}

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

static void count_dirty(bsr_lanes *ls, int pten)
{
    int n = 0;
    for (int l = 0; l < ls->n; l++)
        n += bsr_lane_at(ls, l, pten)->kind != BSR_CLEAN;
    ls->dirty[pten] = n;
}

static bsr_status run_step(bsr_lanes *ls, const bsr_step *s)
{
    if (!any_lane_differs(ls, s))
        return BSR_OK;
    const bsr_pten *to = &ls->plan->ptens[s->out];
    for (int l = 0; l < ls->n; l++) {
        if (!lane_reads_difference(ls, s, l))
            continue;
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
    count_dirty(ls, s->out);
    return BSR_OK;
}

/* The faulty element of a value fault, as the lane's only differing pixel. */
static void source_value(bsr_lanes *ls, int lane)
{
    const bsr_stored_fault *f = &ls->jobs[lane].fault;
    int pten = ls->plan->of_value[f->where], pixel, channel;
    const bsr_pten *p = &ls->plan->ptens[pten];
    bsr_plan_locate(ls->plan, f->where, f->element, &pixel, &channel);
    const char *golden = bsr_golden_at(ls, lane, pten) + (size_t)pixel * p->pixel_bytes;
    char *data = bsr_lane_at(ls, lane, pten)->data;
    memcpy(data, golden, p->pixel_bytes);
    memcpy(data + (size_t)channel * p->esize, &f->bits, p->esize);
    if (memcmp(data, golden, p->pixel_bytes) != 0)
        bsr_lane_add(ls, lane, pten, pixel, data);
}

/* The tensor where a job's differences first show. */
static int source_pten(const bsr_plan *plan, const bsr_stored_fault *f)
{
    return f->place == BSR_FAULT_VALUE ? plan->of_value[f->where]
                                       : plan->steps[plan->layers[f->where].step].out;
}

static int same_source(const bsr_lane_job *a, const bsr_lane_job *b)
{
    return a->image == b->image && a->fault.place == b->fault.place &&
           a->fault.where == b->fault.where;
}

/* Sources become visible only when their step is reached: a tensor's room may serve an earlier
 * tensor before. All lanes whose source lies at `pten` start now. */
static void start_lanes(bsr_lanes *ls, int pten)
{
    int started = 0;
    for (int l = 0; l < ls->n;) {
        const bsr_lane_job *job = &ls->jobs[l];
        if (source_pten(ls->plan, &job->fault) != pten) {
            l++;
            continue;
        }
        int n = 1;
        if (job->fault.place == BSR_FAULT_VALUE) {
            source_value(ls, l);
        } else {
            while (l + n < ls->n && n < ls->plan->kernels->nr && same_source(job, &job[n]))
                n++;
            bsr_lane_source_weights(ls, l, n);
        }
        started = 1;
        l += n;
    }
    if (started)
        count_dirty(ls, pten);
}

/* Bit for bit, but a NaN equals any NaN: its payload is the processor's choice. */
static int same_logits(const float *a, const float *b, int n)
{
    for (int i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i])))
            return 0;
    return 1;
}

static void judge(const bsr_golden *g, int image, const float *z, bsr_lane_result *result)
{
    const float *golden = g->logits + (size_t)image * (size_t)g->classes;
    result->masked = (unsigned char)(z == golden || same_logits(z, golden, g->classes));
    result->top1 = bsr_top1(z, g->classes);
    result->due = (unsigned char)bsr_is_due(z, g->classes);
    result->critical = result->top1 != g->top1[image];
}

static void read_result(bsr_lanes *ls, int lane, bsr_lane_result *result, float *logits)
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
    judge(g, image, z, result);
    ls->counters.masked += result->masked;
    if (logits)
        memcpy(logits, z, (size_t)g->classes * sizeof *z);
}

static void end_group(bsr_lanes *ls)
{
    const bsr_plan *plan = ls->plan;
    for (int l = 0; l < ls->n; l++)
        for (int i = 0; i < plan->n_ptens; i++) {
            bsr_lane_tensor *t = bsr_lane_at(ls, l, i);
            for (int k = 0; k < t->n; k++)
                t->off[t->list[k]] = plan->ptens[i].identity[t->list[k]];
            t->n = 0;
            t->kind = BSR_CLEAN;
        }
    memset(ls->dirty, 0, (size_t)plan->n_ptens * sizeof *ls->dirty);
    ls->counters.lanes += (uint64_t)ls->n;
    ls->n = 0;
}

static bsr_status run_group(bsr_lanes *ls, bsr_lane_result *results, float *logits)
{
    const bsr_plan *plan = ls->plan;
    int first = plan->n_steps;
    for (int l = 0; l < ls->n; l++) {
        int producer = plan->ptens[source_pten(plan, &ls->jobs[l].fault)].producer;
        first = producer < first ? producer : first;
    }
    bsr_status status = BSR_OK;
    if (first < 0)
        start_lanes(ls, plan->input);
    for (int s = first < 0 ? 0 : first; s < plan->n_steps && status == BSR_OK; s++) {
        status = run_step(ls, &plan->steps[s]);
        start_lanes(ls, plan->steps[s].out);
    }
    for (int l = 0; l < ls->n && status == BSR_OK; l++)
        read_result(ls, l, &results[l],
                    logits ? logits + (size_t)l * (size_t)ls->golden->classes : NULL);
    end_group(ls);
    return status;
}

/* A weight that several layers read: recomputing from the first of them on is nearly the whole
 * network, and rare. */
static int is_shared(const bsr_plan *plan, const bsr_stored_fault *f)
{
    return f->place != BSR_FAULT_VALUE && plan->layers[f->where].shared;
}

static bsr_status run_whole(bsr_lanes *ls, const bsr_lane_job *job, bsr_lane_result *result,
                            float *logits)
{
    const bsr_golden *g = ls->golden;
    const bsr_plan *plan = ls->plan;
    const char *input =
        g->records + (size_t)job->image * plan->golden_bytes + plan->ptens[plan->input].golden_at;
    float *z = logits ? logits : ls->scratch.logits;
    BSR_TRY(bsr_forward_faulty(ls->whole, input, &job->fault, z));
    judge(g, job->image, z, result);
    ls->counters.macs += plan->macs;
    ls->counters.lanes++;
    ls->counters.masked += result->masked;
    return BSR_OK;
}

bsr_status bsr_lanes_run(bsr_lanes *ls, const bsr_golden *golden, const bsr_lane_job *jobs,
                         size_t n, bsr_lane_result *results, float *logits)
{
    ls->golden = golden;
    for (int i = 0; i < ls->plan->n_ptens; i++)
        ls->recomputed_image[i] = -1; /* of another golden run, for all one knows */
    size_t classes = (size_t)golden->classes;
    for (size_t i = 0; i < n;) {
        float *z = logits ? logits + i * classes : NULL;
        if (is_shared(ls->plan, &jobs[i].fault)) {
            BSR_TRY(run_whole(ls, &jobs[i], &results[i], z));
            i++;
            continue;
        }
        ls->jobs = jobs + i;
        ls->n = 0;
        while (ls->n < ls->size && i + (size_t)ls->n < n &&
               !is_shared(ls->plan, &jobs[i + (size_t)ls->n].fault))
            ls->n++;
        size_t group = (size_t)ls->n;
        BSR_TRY(run_group(ls, results + i, z));
        i += group;
    }
    return BSR_OK;
}
