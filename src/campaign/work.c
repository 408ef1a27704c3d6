/* Items of work: faults one by one on lanes or on whole altered networks. Rays: rays.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/cells.h"
#include "campaign/sink.h"
#include "campaign/worker.h"

/* Faults of one item: a full panel of faulty columns for each image. */
#define ITEM_FAULTS 32

/* Rows times images of one block: bounds its memory to some tens of megabytes. */
#define BLOCK_PAIRS ((uint64_t)1 << 23)
#define BLOCK_UNITS ((uint64_t)1 << 16)

/* The same of units that are for one image: a backward pass of each image should serve many. */
#define BLOCK_SINGLE ((uint64_t)1 << 18)

/* Adds one pair to a row. */
static void count(const bsr_work *w, size_t row, int image, const bsr_lane_result *z)
{
    const bsr_block *b = &w->block;
    const bsr_session *s = w->s;
    bsr_fault_row *r = &b->rows[row];
    size_t i = s->first_image + (size_t)image;
    r->pairs++;
    if (!w->screening)
        r->masked += z->masked;
    r->critical += z->critical;
    r->due += z->due;
    r->sdc += z->critical && !z->due;
    r->top5 += z->top5;
    r->correct += z->top1 == bsr_dataset_label(s->data, i);
    if (!z->due)
        r->sse += z->sse;
    /* A transient fault has one image, whatever its number. */
    size_t bit = w->record->transient ? 0 : i;
    if (z->critical)
        b->bitmaps[row * b->bitmap_bytes + bit / 8] |= (unsigned char)(1u << bit % 8);
    if (z->masked && z->reach >= 0 && !w->screening)
        b->masked_at[row * s->images + bit] = (uint16_t)(1 + bsr_plan_layer_at(s->plan, z->reach));
}

/* Answers a pair that screening skips: its class is the golden one, and whether anything else
 * changes is not known. Not those that are evaluated all the same. */
static int settle(const bsr_work *w, uint64_t unit, int image)
{
    bsr_screened_counts *c = &w->block.screened[unit];
    uint64_t i = w->record->transient ? 0 : w->s->first_image + (uint64_t)image;
    c->pairs++;
    if (!bsr_screened_at(w->screening, unit, image)->skip)
        return 0;
    c->skipped++;
    if (bsr_screen_checks(w->record, w->block.units[unit], i, 1))
        return 0;
    bsr_lane_result same = {.top1 = w->s->golden->top1[image]};
    count(w, w->block.row_at[unit], image, &same);
    return 1;
}

/* Counts the outcome of a skipped pair that was evaluated. */
static void count_check(const bsr_work *w, uint64_t unit, int image, const bsr_lane_result *z)
{
    if (!bsr_screened_at(w->screening, unit, image)->skip)
        return;
    w->block.screened[unit].checked++;
    w->block.screened[unit].missed += z->critical;
}

/* Units [first, first + n) whose image is in the current set (transient), or all of them. */
static bsr_status run_direct(void *ctx, size_t item, int thread)
{
    bsr_work *w = ctx;
    bsr_session *s = w->s;
    bsr_worker *h = w->workers[thread];
    uint64_t first = (uint64_t)item * ITEM_FAULTS, left = w->block.n - first;
    int faults = left < ITEM_FAULTS ? (int)left : ITEM_FAULTS, images = s->golden->images;
    bsr_injected f[ITEM_FAULTS];
    for (int i = 0; i < faults; i++)
        f[i] = bsr_locate_unit(w->record, w->block.units[first + (uint64_t)i]);
    /* Image by image: neighbours then share the layer's input. */
    size_t n = 0;
    uint64_t pairs = 0;
    for (int b = 0; b < images; b++)
        for (int i = 0; i < faults; i++) {
            if (f[i].image >= 0 && (size_t)f[i].image != s->first_image + (size_t)b)
                continue;
            pairs++;
            if (w->screening && settle(w, first + (uint64_t)i, b))
                continue;
            h->of[n] = (uint16_t)i;
            h->jobs[n++] = bsr_space_job(f[i].space, s->golden, b, f[i].site, f[i].change);
        }
    BSR_TRY(bsr_lanes_run(s->lanes[thread], s->golden, h->jobs, n, h->results, NULL));
    for (size_t k = 0; k < n; k++) {
        count(w, w->block.row_at[first + h->of[k]], h->jobs[k].image, &h->results[k]);
        if (w->screening)
            count_check(w, first + h->of[k], h->jobs[k].image, &h->results[k]);
    }
    if (s->first_image + (size_t)images == s->images)
        BSR_TRY(bsr_sink_put(w->sink, &w->block, first, (uint64_t)faults));
    return bsr_session_step(s, pairs, thread);
}

/* One parameter fault: the network is compiled again and run whole. */
static bsr_status run_altered(void *ctx, size_t item, int thread)
{
    bsr_work *w = ctx;
    bsr_session *s = w->s;
    bsr_worker *h = w->workers[thread];
    const bsr_plan *plan = s->plan;
    bsr_injected f = bsr_locate_unit(w->record, w->block.units[item]);
    size_t images = (size_t)s->golden->images, n = 0;
    for (size_t b = 0; b < images; b++) {
        if (f.image >= 0 && (size_t)f.image != s->first_image + b)
            continue;
        h->of[n] = (uint16_t)b;
        h->inputs[n] =
            s->golden->records + b * plan->golden_bytes + plan->ptens[plan->input].golden_at;
        h->logits[n] = h->logit_room + n * (size_t)s->golden->classes;
        n++;
    }
    if (n) {
        bsr_lane_job job = bsr_space_job(f.space, s->golden, 0, f.site, f.change);
        BSR_TRY(bsr_altered_run(h->altered, f.space->where, f.site.element, job.fault.bits, (int)n,
                                h->inputs, h->logits));
    }
    for (size_t k = 0; k < n; k++) {
        bsr_lane_result z;
        bsr_lane_judge(s->golden, h->of[k], h->logits[k], &z);
        z.reach = -1; /* nobody looked */
        count(w, w->block.row_at[item], h->of[k], &z);
    }
    h->evaluations += n;
    if (s->first_image + images == s->images)
        BSR_TRY(bsr_sink_put(w->sink, &w->block, item, 1));
    return bsr_session_step(s, n, thread);
}

static void free_bench(bsr_worker *h)
{
    if (!h)
        return;
    bsr_free(h->jobs);
    bsr_free(h->results);
    bsr_free(h->of);
    bsr_free(h->entries);
    bsr_free(h->sites);
    bsr_free(h->asked);
    bsr_neuron_worker_free(h->neurons);
    bsr_free(h->inputs);
    bsr_free(h->logits);
    bsr_free(h->logit_room);
    bsr_altered_free(h->altered);
    bsr_free(h);
}

static bsr_status new_bench(bsr_worker **out, const bsr_work *w, size_t lanes)
{
    const bsr_session *s = w->s;
    bsr_worker *h = *out = bsr_calloc_array(1, sizeof *h);
    if (!h)
        return BSR_ENOMEM;
    size_t images = s->images_at_once, classes = (size_t)bsr_plan_classes(s->plan);
    h->room = lanes;
    h->jobs = bsr_alloc_array(lanes, sizeof *h->jobs);
    h->results = bsr_alloc_array(lanes, sizeof *h->results);
    h->of = bsr_alloc_array(lanes, sizeof *h->of);
    if (!h->jobs || !h->results || !h->of)
        return BSR_ENOMEM;
    if (w->record->design.by_site) {
        size_t entries = w->record->design.pairs ? BSR_ITEM_PAIRS : BSR_ITEM_SITES * images;
        h->entries = bsr_alloc_array(entries, sizeof *h->entries);
        h->sites = bsr_alloc_array(w->item_units, sizeof *h->sites);
        h->asked = bsr_alloc_array(lanes, sizeof *h->asked);
        if (!h->entries || !h->sites || !h->asked)
            return BSR_ENOMEM;
        return w->record->design.neurons ? bsr_neuron_worker_new(&h->neurons, &w->record->spaces)
                                         : BSR_OK;
    }
    if (w->record->spaces.spaces[0].place != BSR_FAULT_PARAMETER)
        return BSR_OK;
    h->inputs = bsr_alloc_array(images, sizeof *h->inputs);
    h->logits = bsr_alloc_array(images, sizeof *h->logits);
    h->logit_room = bsr_alloc_array(images * classes, sizeof *h->logit_room);
    if (!h->inputs || !h->logits || !h->logit_room)
        return BSR_ENOMEM;
    return bsr_altered_new(&h->altered, s->plan->graph, s->kernels, s->keep);
}

static bsr_status new_block(bsr_work *w, uint64_t units)
{
    bsr_block *b = &w->block;
    const bsr_record *r = w->record;
    int pairs = r->design.pairs;
    uint64_t rows = units, images = r->transient || pairs ? 1 : w->s->images;
    b->s = w->s;
    b->record = r;
    b->screened = bsr_calloc_array(units, sizeof *b->screened);
    if (r->bounds)
        b->bounds = bsr_alloc_array(units * images, sizeof *b->bounds);
    if (!b->screened || (r->bounds && !b->bounds))
        return BSR_ENOMEM;
    if (pairs) {
        b->pairs = bsr_alloc_array(units, sizeof *b->pairs);
        w->item_at = bsr_alloc_array(units + 1, sizeof *w->item_at);
        w->order = bsr_alloc_array(units, sizeof *w->order);
        if (r->design.neurons)
            b->by_bit = bsr_alloc_array(units * BSR_MAX_VARIANTS, sizeof *b->by_bit);
        return b->pairs && w->item_at && w->order && (b->by_bit || !r->design.neurons) ? BSR_OK
                                                                                       : BSR_ENOMEM;
    }
    if (r->design.by_site)
        rows *= BSR_MAX_VARIANTS;
    b->bitmap_bytes = (size_t)(images + 7) / 8;
    b->row_at = bsr_alloc_array(units + 1, sizeof *b->row_at);
    b->rows = bsr_alloc_array(rows, sizeof *b->rows);
    b->bitmaps = bsr_alloc_array(rows, b->bitmap_bytes);
    if (!b->row_at || !b->rows || !b->bitmaps)
        return BSR_ENOMEM;
    if (r->design.by_site)
        return BSR_OK;
    b->masked_at = bsr_alloc_array(rows * w->s->images, sizeof *b->masked_at);
    return b->masked_at ? BSR_OK : BSR_ENOMEM;
}

uint64_t bsr_work_block_units(const bsr_work *w)
{
    const bsr_record *r = w->record;
    uint64_t images = w->s->images, rows = r->design.by_site ? BSR_MAX_VARIANTS / 4 : 1;
    if (r->design.pairs)
        return BLOCK_SINGLE;
    uint64_t n = BLOCK_PAIRS / images / rows;
    return n < w->item_units ? w->item_units : n > BLOCK_UNITS ? BLOCK_UNITS : n;
}

static bsr_status init(bsr_work *w, const bsr_gradient_plan *gradients)
{
    bsr_session *s = w->s;
    const bsr_record *r = w->record;
    int parameters = r->spaces.spaces[0].place == BSR_FAULT_PARAMETER;
    if (s->images_at_once > UINT16_MAX)
        s->images_at_once = UINT16_MAX;
    size_t lanes = ITEM_FAULTS * s->images_at_once;
    w->item_units = parameters ? 1 : ITEM_FAULTS;
    w->fn = parameters ? run_altered : run_direct;
    if (r->design.by_site) {
        w->item_units = r->design.pairs ? BSR_ITEM_PAIRS : BSR_ITEM_SITES;
        w->fn = r->design.neurons ? bsr_neurons_item : bsr_rays_item;
        lanes = 3 * (r->design.pairs ? BSR_ITEM_PAIRS : BSR_ITEM_SITES * s->images_at_once);
        lanes = lanes < BSR_RAY_BITS ? BSR_RAY_BITS : lanes;
    }
    size_t threads = (size_t)s->options.threads;
    w->workers = bsr_calloc_array(threads, sizeof *w->workers);
    if (!w->workers)
        return BSR_ENOMEM;
    for (size_t t = 0; t < threads; t++)
        BSR_TRY(new_bench(&w->workers[t], w, lanes));
    uint64_t units = bsr_work_block_units(w);
    if (r->screen > 0)
        BSR_TRY(bsr_screening_new(&w->screening, s, r, gradients, units));
    return new_block(w, units);
}

bsr_status bsr_work_init(bsr_work *w, bsr_session *s, bsr_record *record, bsr_sink *sink,
                         const bsr_gradient_plan *gradients)
{
    *w = (bsr_work){.s = s, .record = record, .sink = sink};
    return init(w, gradients);
}

void bsr_work_clear(bsr_work *w)
{
    for (int t = 0; w->workers && t < w->s->options.threads; t++)
        free_bench(w->workers[t]);
    bsr_free(w->workers);
    bsr_screening_free(w->screening);
    bsr_free(w->item_at);
    bsr_free(w->order);
    bsr_free(w->block.row_at);
    bsr_free(w->block.rows);
    bsr_free(w->block.bitmaps);
    bsr_free(w->block.masked_at);
    bsr_free(w->block.pairs);
    bsr_free(w->block.by_bit);
    bsr_free(w->block.bounds);
    bsr_free(w->block.screened);
}

static void start_rows(bsr_work *w)
{
    bsr_block *b = &w->block;
    bsr_known known = bsr_record_known(w->record);
    int64_t direct = known == BSR_KNOWN_CRITICAL ? -1 : 0;
    uint64_t images = w->record->transient ? 1 : w->s->images;
    size_t rows = 0;
    for (uint64_t u = 0; u < b->n; u++) {
        uint64_t fault, more = bsr_unit_rows(w->record, b->units[u], &fault);
        b->row_at[u] = rows;
        for (uint64_t k = 0; k < more; k++)
            b->rows[rows++] = (bsr_fault_row){.fault = (int64_t)(fault + k),
                                              .pairs = direct ? (int64_t)images : 0,
                                              .masked = known == BSR_KNOWN_ALL ? 0 : -1,
                                              .due = direct,
                                              .sdc = direct,
                                              .top5 = direct,
                                              .correct = direct,
                                              .sse = known == BSR_KNOWN_ALL ? 0 : NAN};
    }
    b->row_at[b->n] = rows;
    memset(b->bitmaps, 0, rows * b->bitmap_bytes);
    if (b->masked_at)
        memset(b->masked_at, 255, rows * w->s->images * sizeof *b->masked_at);
}

/* For qsort, which hands no context: image above unit. */
typedef struct placed {
    uint64_t image, unit;
} placed;

static int by_image(const void *a, const void *b)
{
    const placed *x = a, *y = b;
    return x->image != y->image ? (x->image > y->image) - (x->image < y->image)
                                : (x->unit > y->unit) - (x->unit < y->unit);
}

/* Pairs image by image: a golden tensor is then read by many, and a backward pass serves all. */
static bsr_status sort_pairs(bsr_work *w, const uint64_t *units)
{
    bsr_block *b = &w->block;
    placed *p = bsr_alloc_array(b->n, sizeof *p);
    if (!p)
        return BSR_ENOMEM;
    for (uint64_t u = 0; u < b->n; u++)
        p[u] = (placed){bsr_pair_image(w->record, units[u]), units[u]};
    qsort(p, b->n, sizeof *p, by_image);
    for (uint64_t u = 0; u < b->n; u++) {
        w->order[u] = p[u].unit;
        b->pairs[u] = (bsr_pair_row){.unit = (int64_t)p[u].unit, .errors = -1};
    }
    bsr_free(p);
    b->units = w->order;
    return BSR_OK;
}

/* Cuts the pairs of the current set of images into items of one image each. */
static void cut_pairs(bsr_work *w)
{
    const bsr_block *b = &w->block;
    const bsr_session *s = w->s;
    uint64_t last = UINT64_MAX;
    w->items = 0;
    w->item_at[0] = 0;
    for (uint64_t u = 0; u < b->n; u++) {
        uint64_t image = bsr_pair_image(w->record, b->units[u]);
        if (image < s->first_image)
            continue;
        if (image >= s->first_image + (size_t)s->golden->images)
            break;
        if (image != last || u - w->item_at[w->items - 1] >= BSR_ITEM_PAIRS)
            w->item_at[w->items++] = u;
        last = image;
        w->item_at[w->items] = u + 1;
    }
}

/* The current set of images. */
static bsr_status run_set(void *ctx)
{
    bsr_work *w = ctx;
    bsr_block *b = &w->block;
    w->items = (size_t)((b->n + w->item_units - 1) / w->item_units);
    if (w->record->design.pairs)
        cut_pairs(w);
    if (w->screening)
        BSR_TRY(bsr_screen_units(w->screening, b->units, b->n));
    return bsr_pool_run(w->s->pool, w->items, w->fn, w);
}

bsr_status bsr_work_block(bsr_work *w, const uint64_t *units, uint64_t n)
{
    bsr_block *b = &w->block;
    b->n = n;
    b->units = units;
    memset(b->screened, 0, n * sizeof *b->screened);
    if (w->record->design.pairs)
        BSR_TRY(sort_pairs(w, units));
    else
        start_rows(w);
    BSR_TRY(bsr_session_sets(w->s, run_set, w));
    return bsr_sink_flush(w->sink);
}
