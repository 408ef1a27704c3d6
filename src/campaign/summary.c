#include "campaign/summary.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/account.h"
#include "campaign/cells.h"
#include "stats/special.h"
#include "stats/two_stage.h"

typedef struct builder {
    bsr_arena *arena;
    bsr_store *store;
    const bsr_record *r;
    bsr_cells cells;
    bsr_stratum *room; /* [all (space, variant)] strata gathered for one estimate */
    double confidence;
    int per_channel, worst;
    bsr_result *out;
} builder;

static const bsr_share unknown = {NAN, NAN, NAN};

/* Estimate from n strata. Nothing observed in one: the share can be anything. */
static bsr_status share_of(const builder *b, bsr_share *out, const bsr_stratum *st, size_t n)
{
    size_t real = 0;
    *out = (bsr_share){NAN, 0, 1};
    for (size_t i = 0; i < n; i++) {
        if (st[i].units && !st[i].n)
            return BSR_OK;
        real += st[i].units > 0;
    }
    if (real != n || !n)
        return BSR_OK;
    bsr_estimate e;
    BSR_TRY(bsr_stratified_of(&e, st, n, b->confidence, bsr_design_rules(&b->r->design)));
    *out = (bsr_share){e.mean, e.ci.lo, e.ci.hi};
    /* What was answered first is no random part of the sample: only the bounds are certain. */
    if (!b->r->complete)
        *out = (bsr_share){e.mean, 0, 1};
    return BSR_OK;
}

/* Estimates of all metrics from n cells. */
static bsr_status metrics_of(builder *b, bsr_share out[BSR_METRICS], const bsr_cell *const *cells,
                             size_t n)
{
    for (int m = 0; m < BSR_METRICS; m++) {
        out[m] = unknown;
        if (!bsr_metric_is_known((bsr_metric)m, b->cells.known))
            continue;
        for (size_t i = 0; i < n; i++)
            b->room[i] = cells[i]->metrics[m];
        BSR_TRY(share_of(b, &out[m], b->room, n));
    }
    return BSR_OK;
}

/* Root of the mean squared logit error: mean over the units of a cell that have one (are not DUE
 * for all images), cells weighted by their units; normal approximation of the mean square. */
static bsr_share rmse_of(const builder *b, const bsr_cell *const *cells, size_t n)
{
    double units = 0, mean = 0, variance = 0;
    for (size_t i = 0; i < n; i++)
        units += cells[i]->with_sse ? (double)cells[i]->metrics[0].units : 0;
    if (b->cells.known != BSR_KNOWN_ALL || units == 0)
        return unknown;
    for (size_t i = 0; i < n; i++) {
        const bsr_cell *c = cells[i];
        double k = (double)c->with_sse, N = (double)c->metrics[0].units;
        if (!c->with_sse)
            continue;
        double w = N / units, m = c->sse / k;
        mean += w * m;
        if (k > 1)
            variance += w * w * (1 - fmin(k / N, 1)) * fmax(c->sse2 / k - m * m, 0) / (k - 1);
        else if (N > 1)
            variance = INFINITY;
    }
    double half = bsr_normal_two_sided(b->confidence) * sqrt(variance);
    /* As for shares: what was answered first is no random part. */
    if (!b->r->complete)
        half = INFINITY;
    return (bsr_share){sqrt(mean), sqrt(fmax(mean - half, 0)), sqrt(mean + half)};
}

static size_t cells_of_space(const builder *b, int i, const bsr_cell **out)
{
    const bsr_space_cells *c = &b->cells.spaces[i];
    if (b->r->design.pairs && !b->r->design.neurons) {
        size_t classes = (size_t)bsr_class_count(&b->r->spaces, &b->r->spaces.spaces[i]);
        for (size_t k = 0; k < classes; k++)
            out[k] = &c->classes[k];
        return classes;
    }
    if (!b->cells.by_variant) {
        *out = &c->all;
        return 1;
    }
    size_t n = 0;
    for (int v = 0; v < b->r->spaces.spaces[i].n_variants; v++)
        out[n++] = &c->variants[v];
    return n;
}

/* Layers by two-stage sampling of their channels: [0, n) of `layers`. */
static bsr_status clustered_share(const builder *b, bsr_share *out, const int *layers, size_t n)
{
    bsr_clustered *c = bsr_arena_calloc(b->arena, n, sizeof *c);
    bsr_estimate e;
    if (!c)
        return BSR_ENOMEM;
    *out = (bsr_share){NAN, 0, 1};
    for (size_t i = 0; i < n; i++) {
        uint64_t seen = 0;
        c[i] = (bsr_clustered){b->cells.spaces[layers[i]].channels,
                               (size_t)b->r->spaces.spaces[layers[i]].n_chosen};
        for (size_t k = 0; k < c[i].count; k++)
            seen += c[i].clusters[k].n;
        if (!seen)
            return BSR_OK;
    }
    BSR_TRY(bsr_two_stage(&e, c, n, b->confidence));
    *out = b->r->complete ? (bsr_share){e.mean, e.ci.lo, e.ci.hi} : (bsr_share){e.mean, 0, 1};
    return BSR_OK;
}

/* Sites of some channels are no simple sample of a layer: a bit's share can be anything, unless all
 * of it was seen. */
static void widen_clustered(const builder *b, bsr_share *s)
{
    if (b->r->design.kind == BSR_DESIGN_CHANNELS && s->lo < s->hi)
        *s = (bsr_share){s->value, 0, 1};
}

static bsr_status fill_bits(builder *b, int i)
{
    const bsr_space *sp = &b->r->spaces.spaces[i];
    bsr_layer_result *l = &b->out->layers[i];
    l->bits = bsr_arena_calloc(b->arena, (size_t)sp->n_variants, sizeof *l->bits);
    if (!l->bits)
        return BSR_ENOMEM;
    for (int v = 0; v < sp->n_variants; v++) {
        const bsr_cell *c = &b->cells.spaces[i].variants[v];
        bsr_part *p = &l->bits[l->n_bits];
        *p = (bsr_part){.index = sp->variants[v],
                        .sites = sp->sites,
                        .faults = c->rows,
                        .outcomes = c->outcomes};
        BSR_TRY(metrics_of(b, p->metrics, &c, 1));
        widen_clustered(b, &p->metrics[BSR_METRIC_CRITICAL]);
        p->vf = p->metrics[BSR_METRIC_CRITICAL];
        l->n_bits += sp->variants[v] >= 0;
    }
    return BSR_OK;
}

static bsr_status fill_channels(builder *b, int i)
{
    const bsr_space *sp = &b->r->spaces.spaces[i];
    const bsr_space_cells *c = &b->cells.spaces[i];
    bsr_layer_result *l = &b->out->layers[i];
    /* Pairs are spread too thin over channels. */
    int spread = b->r->design.pairs && bsr_design_spread(&b->r->design) == 1;
    if (!b->per_channel || b->r->design.kind == BSR_DESIGN_LIST || spread)
        return BSR_OK;
    size_t strata = b->cells.by_variant ? (size_t)sp->n_variants : 1;
    l->n_channels = sp->n_chosen;
    l->channels = bsr_arena_calloc(b->arena, (size_t)sp->n_chosen, sizeof *l->channels);
    if (!l->channels)
        return BSR_ENOMEM;
    for (int k = 0; k < sp->n_chosen; k++) {
        bsr_part *p = &l->channels[k];
        uint64_t rows = 0;
        for (size_t s = 0; s < strata; s++)
            rows += c->channels[(size_t)k * strata + s].n;
        *p = (bsr_part){.index = sp->chosen[k],
                        .sites = bsr_design_per_channel(&b->r->design, sp),
                        .faults = b->r->design.by_site && !b->r->design.neurons
                                      ? rows * (uint64_t)sp->n_variants
                                      : rows,
                        .outcomes = c->channel_outcomes[k]};
        for (int m = 0; m < BSR_METRICS; m++)
            p->metrics[m] = unknown;
        BSR_TRY(share_of(b, &p->vf, &c->channels[(size_t)k * strata], strata));
        p->metrics[BSR_METRIC_CRITICAL] = p->vf;
    }
    return BSR_OK;
}

static bsr_status fill_layer(builder *b, int i)
{
    const bsr_space *sp = &b->r->spaces.spaces[i];
    const bsr_space_cells *c = &b->cells.spaces[i];
    bsr_layer_result *l = &b->out->layers[i];
    const bsr_cell *cells[BSR_MAX_VARIANTS];
    size_t n = cells_of_space(b, i, cells);
    *l = (bsr_layer_result){.index = sp->index,
                            .name = bsr_arena_strdup(b->arena, sp->name),
                            .op = bsr_arena_strdup(b->arena, sp->op),
                            .format = bsr_arena_strdup(b->arena, sp->format),
                            .sites = bsr_design_sites(&b->r->design, sp),
                            .population = sp->population};
    if (!l->name || !l->op || !l->format)
        return BSR_ENOMEM;
    for (int v = 0; v < sp->n_variants; v++) {
        l->faults += c->variants[v].rows;
        bsr_outcomes_add(&l->outcomes, &c->variants[v].outcomes);
    }
    l->sampled_sites = b->r->design.by_site ? c->all.rows : 0;
    if (b->r->design.neurons) { /* counted as (fault, image) pairs: fields differ in size */
        l->outcomes = c->all.outcomes;
        l->faults = l->outcomes.pairs;
    }
    BSR_TRY(metrics_of(b, l->metrics, cells, n));
    if (b->r->design.kind == BSR_DESIGN_CHANNELS && sp->sites)
        BSR_TRY(clustered_share(b, &l->metrics[BSR_METRIC_CRITICAL], &i, 1));
    l->vf = l->metrics[BSR_METRIC_CRITICAL];
    l->rmse = rmse_of(b, cells, n);
    BSR_TRY(fill_bits(b, i));
    return fill_channels(b, i);
}

/* One lowest bit over all layers that have it. */
static bsr_status fill_bit(builder *b, int bit, bsr_part *part, const bsr_cell **cells)
{
    const bsr_spaces *all = &b->r->spaces;
    int whole = !b->cells.by_variant && b->r->design.strata[0].space < 0;
    size_t n = 0;
    *part = (bsr_part){.index = bit};
    for (int i = 0; i < all->n; i++)
        for (int v = 0; v < all->spaces[i].n_variants; v++) {
            const bsr_cell *c = &b->cells.spaces[i].variants[v];
            if (all->spaces[i].variants[v] != bit || !all->spaces[i].sites)
                continue;
            part->sites += all->spaces[i].sites;
            part->faults += c->rows;
            bsr_outcomes_add(&part->outcomes, &c->outcomes);
            cells[n++] = c;
        }
    if (whole) {
        cells[0] = &b->cells.bits[bit];
        n = 1;
    }
    BSR_TRY(metrics_of(b, part->metrics, cells, n));
    widen_clustered(b, &part->metrics[BSR_METRIC_CRITICAL]);
    part->vf = part->metrics[BSR_METRIC_CRITICAL];
    return BSR_OK;
}

static bsr_status fill_network(builder *b, const bsr_cell **cells)
{
    bsr_result *r = b->out;
    const bsr_spaces *all = &b->r->spaces;
    r->bits = bsr_arena_calloc(b->arena, BSR_MAX_VARIANTS, sizeof *r->bits);
    if (!r->bits)
        return BSR_ENOMEM;
    for (int bit = 0; bit < BSR_MAX_VARIANTS; bit++)
        if (b->cells.bits[bit].metrics[0].units)
            BSR_TRY(fill_bit(b, bit, &r->bits[r->n_bits++], cells));
    size_t n = 0;
    if (!b->cells.by_variant && b->r->design.strata[0].space < 0)
        cells[n++] = &b->cells.network;
    for (int i = 0; i < all->n && cells[0] != &b->cells.network; i++)
        if (all->spaces[i].sites)
            n += cells_of_space(b, i, cells + n);
    BSR_TRY(metrics_of(b, r->metrics, cells, n));
    if (b->r->design.kind == BSR_DESIGN_CHANNELS) {
        int *layers = bsr_arena_calloc(b->arena, (size_t)all->n, sizeof *layers);
        size_t k = 0;
        for (int i = 0; layers && i < all->n; i++)
            if (all->spaces[i].sites)
                layers[k++] = i;
        BSR_TRY(layers ? clustered_share(b, &r->metrics[0], layers, k) : BSR_ENOMEM);
    }
    r->mvf = r->metrics[BSR_METRIC_CRITICAL];
    r->rmse = rmse_of(b, cells, n);
    return BSR_OK;
}

static bsr_status add_masking(void *ctx, const bsr_masking_row *row)
{
    builder *b = ctx;
    if (row->layer < 0 || row->layer >= b->out->n_layers)
        return bsr_fail(BSR_EFORMAT, "a masking of the database has layer %lld",
                        (long long)row->layer);
    bsr_layer_result *l = &b->out->layers[row->layer];
    if (!l->maskings) {
        l->maskings =
            bsr_arena_calloc(b->arena, (size_t)b->r->network_layers + 1, sizeof *l->maskings);
        if (!l->maskings)
            return BSR_ENOMEM;
    }
    if (l->n_maskings > b->r->network_layers)
        return bsr_fail(BSR_EFORMAT, "the database has too many maskings");
    l->maskings[l->n_maskings++] = (bsr_masking){.at = (int)row->at, .pairs = (uint64_t)row->pairs};
    return BSR_OK;
}

static bsr_status add_screening(void *ctx, const bsr_screening_row *row)
{
    builder *b = ctx;
    bsr_screening_result *z = &b->out->screening;
    if (row->layer < 0 || row->layer >= b->out->n_layers || row->pairs <= 0 || row->missed < 0 ||
        row->missed > row->checked || row->checked > row->skipped || row->skipped > row->pairs)
        return bsr_fail(BSR_EFORMAT, "screening of layer %lld of the database is impossible",
                        (long long)row->layer);
    z->pairs += (uint64_t)row->pairs;
    z->skipped += (uint64_t)row->skipped;
    z->checked += (uint64_t)row->checked;
    z->missed += (uint64_t)row->missed;
    return BSR_OK;
}

/* What was checked is a random part of what was skipped, and known. */
static void fill_screening(builder *b)
{
    bsr_screening_result *z = &b->out->screening;
    z->theta = b->r->screen;
    for (int i = 0; i < b->r->spaces.n; i++)
        z->lowered += b->r->theta[i] < b->r->screen;
    if (z->pairs)
        z->bound = (double)(z->skipped - z->checked) / (double)z->pairs *
                   bsr_upper_share((double)z->missed, (double)z->checked, b->confidence);
}

/* Widest half of the intervals that an adaptive run narrows. */
static void fill_reached(bsr_result *r)
{
    r->reached = fmax(r->mvf.value - r->mvf.lo, r->mvf.hi - r->mvf.value);
    for (int i = 0; i < r->n_layers; i++) {
        const bsr_share *v = &r->layers[i].vf;
        if (r->layers[i].sites)
            r->reached = fmax(r->reached, fmax(v->value - v->lo, v->hi - v->value));
    }
}

/* The sample's error and the correction's are independent given the answers: squares of the halves
 * of their intervals add. */
static bsr_status fill_verification(builder *b)
{
    const bsr_correction *c = &b->r->correction;
    bsr_verification *v = &b->out->verification;
    bsr_share m = b->out->mvf;
    if (!c->pairs)
        return BSR_OK;
    double mean = m.value + c->mean;
    double below[2] = {m.value - m.lo, c->mean - c->lo};
    double above[2] = {m.hi - m.value, c->hi - c->mean};
    v->pairs = c->pairs;
    v->differ = c->differ;
    v->change = (bsr_share){c->mean, c->lo, c->hi};
    v->mvf = (bsr_share){fmin(fmax(mean, 0), 1),
                         fmax(mean - sqrt(below[0] * below[0] + below[1] * below[1]), 0),
                         fmin(mean + sqrt(above[0] * above[0] + above[1] * above[1]), 1)};
    return BSR_OK;
}

static bsr_status fill_worst(builder *b, const bsr_worst_list *list)
{
    for (int i = 0; i < list->n; i++) {
        bsr_worst_site *w = &list->sites[i];
        BSR_TRY(bsr_store_value(b->store, w->layer, w->element, w->pixel, &w->value));
    }
    b->out->worst = list->sites;
    b->out->n_worst = list->n;
    return BSR_OK;
}

static bsr_status fill_strata(builder *b)
{
    const bsr_design *d = &b->r->design;
    bsr_result *r = b->out;
    r->strata = bsr_arena_calloc(b->arena, (size_t)d->n_strata, sizeof *r->strata);
    if (!r->strata)
        return BSR_ENOMEM;
    r->n_strata = d->n_strata;
    for (int i = 0; i < d->n_strata; i++) {
        const bsr_planned *p = &d->strata[i];
        const bsr_space *sp = p->space >= 0 ? &b->r->spaces.spaces[p->space] : NULL;
        r->strata[i] =
            (bsr_plan_stratum){.layer = p->space,
                               .bit = p->variant >= 0 && !d->pairs ? sp->variants[p->variant] : -1,
                               .p = p->p,
                               .population = p->population,
                               .n = p->n};
        r->planned += p->n * bsr_planned_faults(d, &b->r->spaces, p);
    }
    return BSR_OK;
}

/* The words of analyze's own option. */
static const char *sampling_name(const bsr_record *r)
{
    int analyze = strcmp(r->command, "analyze") == 0;
    if (analyze && r->design.kind == BSR_DESIGN_EXHAUSTIVE)
        return "complete";
    if (analyze && r->design.kind == BSR_DESIGN_SITES)
        return "random";
    return bsr_design_name(r->design.kind);
}

static bsr_status fill_facts(builder *b)
{
    const bsr_record *from = b->r;
    bsr_result *r = b->out;
    r->images = from->images;
    r->golden_correct = from->golden_correct;
    r->confidence = b->confidence;
    r->transient = from->transient;
    r->complete = from->complete;
    r->margin = bsr_design_has_margin(from->design.kind) ? from->design.margin : 0;
    r->format_loss = from->format_loss;
    r->checked = from->checked;
    r->violations = from->violations;
    r->pairs = from->design.pairs;
    r->outcomes_known = b->cells.known != BSR_KNOWN_CRITICAL;
    r->masking_known = b->cells.known == BSR_KNOWN_ALL;
    fill_screening(b);
    BSR_TRY(bsr_keep_text(b->arena, &r->stopped, from->stopped));
    BSR_TRY(bsr_keep_text(b->arena, &r->command, from->command));
    BSR_TRY(bsr_keep_text(b->arena, &r->target, from->target));
    BSR_TRY(bsr_keep_text(b->arena, &r->fault, from->fault));
    BSR_TRY(bsr_keep_text(b->arena, &r->format, from->format));
    BSR_TRY(bsr_keep_text(b->arena, &r->method, from->method));
    BSR_TRY(bsr_keep_text(b->arena, &r->sampling, sampling_name(from)));
    return bsr_account_fill(&r->performance, &r->provenance, b->arena, b->store, from);
}

static bsr_status build(builder *b)
{
    bsr_result *r = b->out;
    const bsr_spaces *all = &b->r->spaces;
    size_t most = 1;
    for (int i = 0; i < all->n; i++)
        most += (size_t)all->spaces[i].n_variants;
    const bsr_cell **cells = bsr_arena_calloc(b->arena, most, sizeof *cells);
    b->room = bsr_arena_calloc(b->arena, most, sizeof *b->room);
    r->n_layers = all->n;
    r->layers = bsr_arena_calloc(b->arena, (size_t)all->n, sizeof *r->layers);
    if (!cells || !b->room || !r->layers)
        return BSR_ENOMEM;
    bsr_worst_list worst = {.most = b->worst};
    worst.sites =
        bsr_arena_calloc(b->arena, (size_t)(b->worst > 0 ? b->worst : 0) + 1, sizeof *worst.sites);
    if (!worst.sites)
        return BSR_ENOMEM;
    BSR_TRY(bsr_cells_read(&b->cells, b->arena, b->store, b->r, &worst));
    for (int i = 0; i < all->n; i++) {
        BSR_TRY(fill_layer(b, i));
        bsr_outcomes_add(&r->total, &r->layers[i].outcomes);
    }
    BSR_TRY(fill_network(b, cells));
    BSR_TRY(bsr_store_screenings(b->store, add_screening, b));
    fill_reached(r);
    BSR_TRY(fill_verification(b));
    BSR_TRY(bsr_store_maskings(b->store, add_masking, b));
    BSR_TRY(fill_worst(b, &worst));
    BSR_TRY(fill_strata(b));
    return fill_facts(b);
}

bsr_status bsr_summarise(bsr_result **out, bsr_store *store, const bsr_record *record,
                         const bsr_run_options *options)
{
    *out = NULL;
    bsr_arena *arena = bsr_arena_new();
    bsr_result *r = arena ? bsr_arena_calloc(arena, 1, sizeof *r) : NULL;
    bsr_status status = r ? BSR_OK : BSR_ENOMEM;
    if (status == BSR_OK) {
        r->arena = arena;
        builder b = {.arena = arena,
                     .store = store,
                     .r = record,
                     .confidence = options ? options->confidence : record->confidence,
                     .per_channel = options ? options->per_channel : record->per_channel,
                     .worst = options ? options->worst : record->worst,
                     .out = r};
        status = build(&b);
    }
    if (status != BSR_OK) {
        bsr_arena_free(arena);
        return status;
    }
    *out = r;
    return BSR_OK;
}

void bsr_outcomes_add(bsr_outcomes *to, const bsr_outcomes *from)
{
    to->pairs += from->pairs;
    to->masked += from->masked;
    to->benign += from->benign;
    to->critical += from->critical;
    to->due += from->due;
    to->sdc += from->sdc;
    to->top5 += from->top5;
    to->correct += from->correct;
}

void bsr_result_free(bsr_result *result)
{
    if (result)
        bsr_arena_free(result->arena);
}
