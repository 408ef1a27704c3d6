/* Outcomes of all operand faults of neurons: docs/theory/operand-rays.md. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/sink.h"
#include "campaign/worker.h"
#include "fault/neuron.h"
#include "rng/philox.h"

/* Neurons searched together: a list takes some hundred kilobytes. */
#define TOGETHER 8

/* Errors of small codes that are tried at once, one by one. */
#define AT_ONCE 256

/* Streams of the checks: one for each unit. */
#define STREAM_CHECKS (((uint64_t)1 << 62) + ((uint64_t)1 << 61))

struct bsr_neuron_worker {
    bsr_neuron_list *list[TOGETHER];
    bsr_neuron_search search[TOGETHER];
};

bsr_status bsr_neuron_worker_new(bsr_neuron_worker **out, const bsr_spaces *spaces)
{
    bsr_neuron_worker *h = *out = bsr_calloc_array(1, sizeof *h);
    if (!h)
        return BSR_ENOMEM;
    for (int i = 0; i < TOGETHER; i++)
        BSR_TRY(bsr_neuron_list_new(&h->list[i], spaces));
    return BSR_OK;
}

void bsr_neuron_worker_free(bsr_neuron_worker *h)
{
    for (int i = 0; h && i < TOGETHER; i++)
        bsr_neuron_list_free(h->list[i]);
    bsr_free(h);
}

/* Some neurons of one image. */
typedef struct batch {
    bsr_work *w;
    bsr_worker *h;
    bsr_lanes *lanes;
    uint64_t first; /* unit of the block */
    int n;
    bsr_neuron neuron[TOGETHER];
    bsr_neuron_result result[TOGETHER];
} batch;

static bsr_status evaluate(const batch *b, size_t n)
{
    return bsr_lanes_run(b->lanes, b->w->s->golden, b->h->jobs, n, b->h->results, NULL);
}

static bsr_status search(batch *b)
{
    bsr_neuron_worker *nw = b->h->neurons;
    const bsr_golden *golden = b->w->s->golden;
    for (int i = 0; i < b->n; i++)
        bsr_neuron_search_init(&nw->search[i], nw->list[i], 0);
    for (;;) {
        size_t n = 0;
        for (int i = 0; i < b->n; i++) {
            float error[BSR_NEURON_QUESTIONS];
            int which[BSR_NEURON_QUESTIONS];
            int k = bsr_neuron_ask(&nw->search[i], error, which);
            for (int q = 0; q < k; q++) {
                b->h->asked[n] = (bsr_question){(uint32_t)i, (uint8_t)which[q], 0};
                b->h->jobs[n++] = bsr_neuron_job(golden, &b->neuron[i], error[q]);
            }
        }
        if (!n)
            break;
        BSR_TRY(evaluate(b, n));
        for (size_t k = 0; k < n; k++)
            bsr_neuron_tell(&nw->search[b->h->asked[k].entry], b->h->asked[k].which,
                            b->h->results[k].critical);
    }
    for (int i = 0; i < b->n; i++)
        bsr_neuron_read(&nw->search[i], &b->result[i]);
    return BSR_OK;
}

/* Every distinct error by itself: the rounding of small codes on the way breaks the interval rule
 * too often. */
static bsr_status try_all(batch *b, int i)
{
    const bsr_neuron_list *l = b->h->neurons->list[i];
    bsr_neuron_result *r = &b->result[i];
    memset(r, 0, sizeof *r);
    for (int k = 0; k < 2; k++) {
        const bsr_neuron_side *side = &l->side[k];
        r->nearest_critical[k] = INFINITY;
        r->farthest_harmless[k] = side->screened > 0 ? side->screened : 0;
        for (size_t at = 0; at < side->n; at += AT_ONCE) {
            size_t n = side->n - at < AT_ONCE ? side->n - at : AT_ONCE;
            for (size_t q = 0; q < n; q++) {
                float size = bsr_neuron_size(side, at + q);
                b->h->jobs[q] = bsr_neuron_job(b->w->s->golden, &b->neuron[i], k ? size : -size);
            }
            BSR_TRY(evaluate(b, n));
            for (size_t q = 0; q < n; q++) {
                if (!b->h->results[q].critical)
                    continue;
                r->nearest_critical[k] = bsr_neuron_size(side, at + q);
                for (uint32_t f = side->first[at + q]; f < side->first[at + q + 1]; f++)
                    r->critical[bsr_neuron_variant(side, f)]++;
            }
        }
        /* Falling: the last critical one is the nearest. */
        for (size_t q = 0; q < side->n; q++)
            if (bsr_neuron_size(side, q) < r->nearest_critical[k]) {
                r->farthest_harmless[k] = bsr_neuron_size(side, q);
                break;
            }
    }
    return BSR_OK;
}

/* Evaluates one random fault of some neurons if screening skipped it. */
static bsr_status check_skipped(batch *b)
{
    const bsr_work *w = b->w;
    const bsr_golden *golden = w->s->golden;
    size_t n = 0;
    for (int i = 0; i < b->n; i++) {
        uint64_t index = b->first + (uint64_t)i;
        const bsr_neuron_list *l = b->h->neurons->list[i];
        bsr_screened_counts *c = &w->block.screened[index];
        const float *limit = bsr_screened_at(w->screening, index, 0)->limit;
        bsr_rng rng = bsr_rng_make(w->record->seed, STREAM_CHECKS + w->block.units[index]);
        uint64_t listed = 0;
        for (int k = 0; k < 2; k++)
            listed += l->side[k].n ? l->side[k].first[l->side[k].n] : 0;
        for (int s = 0; s < BSR_NEURON_SPECIALS; s++)
            for (int v = 0; v < l->n_variants; v++)
                listed += l->special[s][v];
        c->pairs += (uint32_t)l->faults;
        c->skipped += (uint32_t)(l->faults - listed);
        if (!l->faults || bsr_rng_uniform(&rng) > w->record->screen_check)
            continue;
        float e = l->errors[bsr_rng_below(&rng, l->faults)];
        if (!(fabsf(e) <= limit[e > 0]))
            continue;
        b->h->asked[n] = (bsr_question){(uint32_t)i, 0, 0};
        b->h->jobs[n++] = bsr_neuron_job(golden, &b->neuron[i], e);
    }
    BSR_TRY(evaluate(b, n));
    for (size_t k = 0; k < n; k++) {
        bsr_screened_counts *c = &w->block.screened[b->first + b->h->asked[k].entry];
        c->checked++;
        c->missed += b->h->results[k].critical;
    }
    return BSR_OK;
}

static void keep(const batch *b, int i)
{
    bsr_block *block = &b->w->block;
    uint64_t index = b->first + (uint64_t)i;
    const bsr_neuron_list *l = b->h->neurons->list[i];
    const bsr_neuron_result *r = &b->result[i];
    bsr_pair_row *row = &block->pairs[index];
    uint32_t *by_bit = &block->by_bit[index * BSR_MAX_VARIANTS];
    row->critical = 0;
    row->errors = (int64_t)l->faults;
    for (int v = 0; v < l->n_variants; v++) {
        row->critical += r->critical[v];
        by_bit[v] = r->critical[v];
    }
    row->by_bit = by_bit;
    row->by_bit_bytes = row->critical ? (size_t)l->n_variants * sizeof *by_bit : 0;
    if (block->bounds)
        block->bounds[index] = (bsr_bounds){-r->nearest_critical[0], -r->farthest_harmless[0],
                                            r->farthest_harmless[1], r->nearest_critical[1], NAN};
}

static bsr_status answer(batch *b)
{
    const bsr_work *w = b->w;
    bsr_neuron_worker *nw = b->h->neurons;
    int small = 0;
    for (int i = 0; i < b->n; i++) {
        uint64_t index = b->first + (uint64_t)i;
        b->neuron[i] = bsr_locate_neuron(w->record, w->block.units[index], w->s->first_image);
        bsr_neuron_list_fill(nw->list[i], &w->record->spaces, w->s->golden, &b->neuron[i],
                             w->screening ? bsr_screened_at(w->screening, index, 0)->limit : NULL);
        small |= b->neuron[i].space->width < BSR_TRUSTED_BITS;
        if (nw->list[i]->direct)
            return bsr_fail(BSR_EUNSUPPORTED,
                            "layer '%s': a fault-free operand of image %d is not finite",
                            b->neuron[i].space->name, b->neuron[i].image);
    }
    if (!small)
        BSR_TRY(search(b));
    for (int i = 0; small && i < b->n; i++)
        BSR_TRY(try_all(b, i));
    if (w->screening)
        BSR_TRY(check_skipped(b));
    for (int i = 0; i < b->n; i++)
        keep(b, i);
    return BSR_OK;
}

bsr_status bsr_neurons_item(void *ctx, size_t number, int thread)
{
    bsr_work *w = ctx;
    uint64_t first = w->item_at[number], end = w->item_at[number + 1];
    batch b = {.w = w, .h = w->workers[thread], .lanes = w->s->lanes[thread]};
    for (b.first = first; b.first < end; b.first += TOGETHER) {
        b.n = end - b.first < TOGETHER ? (int)(end - b.first) : TOGETHER;
        BSR_TRY(answer(&b));
    }
    BSR_TRY(bsr_sink_put(w->sink, &w->block, first, end - first));
    uint64_t each = (uint64_t)w->record->spaces.spaces[0].n_variants;
    return bsr_session_step(w->s, (end - first) * each, thread);
}
