/* From the rows of method deepvigor to a result. */
#include "campaign/deepvigor_run.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "campaign/account.h"

typedef struct builder {
    const bsr_record *r;
    bsr_result *out;
    double *sums;      /* [layers] of the CVFs */
    uint64_t *counted; /* [layers] channels */
} builder;

static const bsr_share unknown = {NAN, NAN, NAN};

/* The method has no interval. */
static bsr_share score(double value)
{
    return (bsr_share){value, NAN, NAN};
}

static void set_vf(bsr_share metrics[BSR_METRICS], bsr_share *vf, double value)
{
    for (int m = 0; m < BSR_METRICS; m++)
        metrics[m] = unknown;
    *vf = metrics[BSR_METRIC_CRITICAL] = score(value);
}

static bsr_status init_layer(builder *b, int i, int per_channel)
{
    const bsr_space *s = &b->r->spaces.spaces[i];
    bsr_layer_result *l = &b->out->layers[i];
    bsr_arena *arena = b->out->arena;
    *l = (bsr_layer_result){
        .index = s->index, .sites = s->sites, .population = s->population, .rmse = unknown};
    set_vf(l->metrics, &l->vf, NAN);
    BSR_TRY(bsr_keep_text(arena, &l->name, s->name));
    BSR_TRY(bsr_keep_text(arena, &l->op, s->op));
    BSR_TRY(bsr_keep_text(arena, &l->format, s->format));
    if (per_channel)
        l->channels = bsr_arena_calloc(arena, (size_t)s->n_chosen, sizeof *l->channels);
    return per_channel && !l->channels ? BSR_ENOMEM : BSR_OK;
}

static void add_searches(bsr_deepvigor_counts *to, const bsr_score_row *row)
{
    to->targets += (uint64_t)row->targets;
    to->skipped += (uint64_t)row->skipped;
    to->single += (uint64_t)row->single;
    to->simulations += (uint64_t)row->simulations;
    to->evaluations += (uint64_t)row->evaluations;
}

static int is_possible(const builder *b, const bsr_score_row *row)
{
    if (row->layer < 0 || row->layer >= b->r->spaces.n || row->targets < 1 || row->skipped < 0 ||
        row->single < 0 || row->skipped > row->targets ||
        row->single > row->targets - row->skipped || row->simulations < 0 || row->evaluations < 0 ||
        row->vf < 0 || row->vf > 1)
        return 0;
    const bsr_space *s = &b->r->spaces.spaces[row->layer];
    int c = 0;
    while (c < s->n_chosen && s->chosen[c] != row->channel)
        c++;
    return c < s->n_chosen;
}

static bsr_status add_score(void *ctx, const bsr_score_row *row)
{
    builder *b = ctx;
    if (!is_possible(b, row))
        return bsr_fail(BSR_EFORMAT,
                        "score of layer %lld, channel %lld of the database is impossible",
                        (long long)row->layer, (long long)row->channel);
    bsr_layer_result *l = &b->out->layers[row->layer];
    if (l->channels) {
        const bsr_space *s = &b->r->spaces.spaces[row->layer];
        bsr_part *p = &l->channels[l->n_channels++];
        *p = (bsr_part){.index = (int)row->channel, .sites = s->per_channel};
        set_vf(p->metrics, &p->vf, row->vf);
    }
    add_searches(&l->searches, row);
    add_searches(&b->out->searches, row);
    b->sums[row->layer] += row->vf;
    b->counted[row->layer]++;
    return BSR_OK;
}

/* Means of means; what has no value leaves none above. */
static void fill_means(builder *b)
{
    bsr_result *r = b->out;
    double sum = 0;
    for (int i = 0; i < r->n_layers; i++) {
        bsr_layer_result *l = &r->layers[i];
        double lvf = b->counted[i] ? b->sums[i] / (double)b->counted[i] : NAN;
        set_vf(l->metrics, &l->vf, lvf);
        sum += lvf;
    }
    set_vf(r->metrics, &r->mvf, sum / r->n_layers);
}

static bsr_status fill_facts(builder *b, double confidence)
{
    const bsr_record *from = b->r;
    bsr_result *r = b->out;
    r->images = from->images;
    r->golden_correct = from->golden_correct;
    r->confidence = confidence;
    r->complete = from->complete;
    r->format_loss = from->format_loss;
    r->scored = 1;
    r->rmse = unknown;
    r->reached = NAN;
    BSR_TRY(bsr_keep_text(r->arena, &r->stopped, ""));
    BSR_TRY(bsr_keep_text(r->arena, &r->command, from->command));
    BSR_TRY(bsr_keep_text(r->arena, &r->target, from->target));
    BSR_TRY(bsr_keep_text(r->arena, &r->fault, from->fault));
    BSR_TRY(bsr_keep_text(r->arena, &r->format, from->format));
    BSR_TRY(bsr_keep_text(r->arena, &r->method, from->method));
    return bsr_keep_text(r->arena, &r->sampling,
                         from->design.kind == BSR_DESIGN_CHANNELS ? "channels" : "complete");
}

static bsr_status build(builder *b, bsr_store *store, const bsr_run_options *o)
{
    bsr_result *r = b->out;
    size_t n = (size_t)b->r->spaces.n;
    int per_channel = o ? o->per_channel : b->r->per_channel;
    r->n_layers = (int)n;
    r->layers = bsr_arena_calloc(r->arena, n, sizeof *r->layers);
    b->sums = bsr_arena_calloc(r->arena, n, sizeof *b->sums);
    b->counted = bsr_arena_calloc(r->arena, n, sizeof *b->counted);
    if (!r->layers || !b->sums || !b->counted)
        return BSR_ENOMEM;
    for (int i = 0; i < r->n_layers; i++)
        BSR_TRY(init_layer(b, i, per_channel));
    BSR_TRY(bsr_store_scores(store, add_score, b));
    fill_means(b);
    BSR_TRY(fill_facts(b, o ? o->confidence : b->r->confidence));
    return bsr_account_fill(&r->performance, &r->provenance, r->arena, store, b->r);
}

bsr_status bsr_deepvigor_result(bsr_result **out, bsr_store *store, const bsr_record *record,
                                const bsr_run_options *options)
{
    *out = NULL;
    bsr_arena *arena = bsr_arena_new();
    bsr_result *r = arena ? bsr_arena_calloc(arena, 1, sizeof *r) : NULL;
    bsr_status status = BSR_ENOMEM;
    if (r) {
        builder b = {.r = record, .out = r};
        r->arena = arena;
        status = build(&b, store, options);
    }
    if (status == BSR_OK)
        *out = r;
    else
        bsr_arena_free(arena);
    return status;
}
