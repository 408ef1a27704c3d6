#include "exec/lanes.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/lane_state.h"

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

static size_t group_size(const bsr_plan *plan)
{
    size_t fit = GROUP_BYTES / (plan->work_bytes + 1);
    return fit < GROUP_MIN ? GROUP_MIN : fit > GROUP_MAX ? GROUP_MAX : fit;
}

size_t bsr_lanes_bytes(const bsr_plan *plan)
{
    size_t bytes = group_size(plan) *
                   (plan->work_bytes + all_pixels(plan) * (sizeof(int64_t) + sizeof(int32_t)));
    for (int i = 0; i < plan->n_ptens; i++)
        bytes += plan->ptens[i].kept ? 0 : plan->ptens[i].image_bytes;
    return bytes;
}

bsr_status bsr_lanes_new(bsr_lanes **out, const bsr_plan *plan)
{
    *out = NULL;
    bsr_lanes *ls = bsr_calloc_array(1, sizeof *ls);
    if (!ls)
        return BSR_ENOMEM;
    ls->plan = plan;
    ls->size = (int)group_size(plan);
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
    ls->reach = bsr_calloc_array(size, sizeof *ls->reach);
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
    ls->changes = bsr_alloc_array((size_t)plan->max_pixels, sizeof *ls->changes);
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
    if (status != BSR_OK || !ls->tensors || !ls->work || !ls->offs || !ls->lists || !ls->reach ||
        !ls->dirty || !ls->mark || !ls->candidates || !ls->row_off || !ls->rows || !ls->panel ||
        !ls->panel_init || !ls->column_stages || !ls->column_params || !ls->column_rows ||
        !ls->column_off || !ls->changes) {
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
    void *const owned[] = {ls->reach,         ls->tensors,       ls->work,        ls->offs,
                           ls->lists,         ls->dirty,         ls->mark,        ls->candidates,
                           ls->row_off,       ls->rows,          ls->panel,       ls->panel_init,
                           ls->column_stages, ls->column_params, ls->column_rows, ls->column_off,
                           ls->changes};
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
    const char *record = ls->golden->records + (size_t)image * plan->golden_bytes;
    bsr_step_recompute(plan, pten, record, &ls->scratch, data);
    ls->recomputed_image[pten] = image;
    ls->counters.macs += plan->steps[plan->ptens[pten].producer].macs;
    return data;
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

int bsr_source_pten(const bsr_plan *plan, const bsr_stored_fault *f)
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
        if (bsr_source_pten(ls->plan, &job->fault) != pten) {
            l++;
            continue;
        }
        int n = 1;
        if (job->fault.place == BSR_FAULT_VALUE) {
            source_value(ls, l);
        } else if (bsr_is_one_output(job->fault.place)) {
            bsr_lane_source_output(ls, l);
        } else {
            while (l + n < ls->n && n < ls->plan->kernels->nr && same_source(job, &job[n]))
                n++;
            bsr_lane_source_weights(ls, l, n);
        }
        started = 1;
        l += n;
    }
    if (started)
        bsr_lane_count_dirty(ls, pten);
}

void bsr_lanes_end(bsr_lanes *ls)
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
    ls->n = 0;
}

bsr_status bsr_lanes_walk(bsr_lanes *ls, int end)
{
    const bsr_plan *plan = ls->plan;
    int first = plan->n_steps;
    for (int l = 0; l < ls->n; l++) {
        int producer = plan->ptens[bsr_source_pten(plan, &ls->jobs[l].fault)].producer;
        first = producer < first ? producer : first;
        ls->reach[l] = producer < 0 ? 0 : producer;
    }
    bsr_status status = BSR_OK;
    if (first < 0)
        start_lanes(ls, plan->input);
    for (int s = first < 0 ? 0 : first; s < end && status == BSR_OK; s++) {
        status = bsr_lane_step(ls, &plan->steps[s]);
        start_lanes(ls, plan->steps[s].out);
    }
    return status;
}

static bsr_status run_group(bsr_lanes *ls, bsr_lane_result *results, float *logits)
{
    bsr_status status = bsr_lanes_walk(ls, ls->plan->n_steps);
    for (int l = 0; l < ls->n && status == BSR_OK; l++)
        bsr_lane_read(ls, l, &results[l],
                      logits ? logits + (size_t)l * (size_t)ls->golden->classes : NULL);
    ls->counters.lanes += (uint64_t)ls->n;
    bsr_lanes_end(ls);
    return status;
}

int bsr_is_shared_fault(const bsr_plan *plan, const bsr_stored_fault *f)
{
    const bsr_layer *layer = &plan->layers[f->where];
    int stored = f->place == BSR_FAULT_WEIGHT ||
                 (f->place == BSR_FAULT_BIAS && layer->weights->bias_value >= 0);
    return stored && layer->shared;
}

/* A whole inference does not watch its differences: those that reach the logits are read by the
 * output's step, others at least by the last layer with the faulty weight. */
static int shared_reach(const bsr_plan *plan, const bsr_stored_fault *f, int masked)
{
    const bsr_weights *w = plan->layers[f->where].weights;
    if (!masked)
        return plan->ptens[plan->output].producer;
    int last = f->where;
    for (int i = 0; i < plan->n_layers; i++) {
        const bsr_weights *o = plan->layers[i].weights;
        if (f->place == BSR_FAULT_WEIGHT ? o->value == w->value : o->bias_value == w->bias_value)
            last = i > last ? i : last;
    }
    return plan->layers[last].step;
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
    bsr_lane_judge(g, job->image, z, result);
    result->reach = shared_reach(plan, &job->fault, result->masked);
    ls->counters.macs += plan->macs;
    ls->counters.lanes++;
    ls->counters.masked += result->masked;
    return BSR_OK;
}

void bsr_lanes_use(bsr_lanes *ls, const bsr_golden *golden)
{
    ls->golden = golden;
    for (int i = 0; i < ls->plan->n_ptens; i++)
        ls->recomputed_image[i] = -1; /* of another golden run, for all one knows */
}

size_t bsr_lanes_group(bsr_lanes *ls, const bsr_lane_job *jobs, size_t n)
{
    size_t group = 0;
    while (group < (size_t)ls->size && group < n &&
           !bsr_is_shared_fault(ls->plan, &jobs[group].fault))
        group++;
    ls->jobs = jobs;
    ls->n = (int)group;
    return group;
}

bsr_status bsr_lanes_run(bsr_lanes *ls, const bsr_golden *golden, const bsr_lane_job *jobs,
                         size_t n, bsr_lane_result *results, float *logits)
{
    bsr_lanes_use(ls, golden);
    size_t classes = (size_t)golden->classes;
    for (size_t i = 0; i < n;) {
        float *z = logits ? logits + i * classes : NULL;
        size_t group = bsr_lanes_group(ls, jobs + i, n - i);
        BSR_TRY(group ? run_group(ls, results + i, z) : run_whole(ls, &jobs[i], &results[i], z));
        i += group ? group : 1;
    }
    return BSR_OK;
}
