#include "campaign/cells.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "campaign/answers.h"

int bsr_design_by_variant(const bsr_design *d)
{
    return !d->by_site && (d->kind == BSR_DESIGN_DATA_UNAWARE || d->kind == BSR_DESIGN_DATA_AWARE ||
                           d->kind == BSR_DESIGN_ADAPTIVE);
}

bsr_known bsr_record_known(const bsr_record *r)
{
    return r->design.by_site ? BSR_KNOWN_CRITICAL : r->screen > 0 ? BSR_KNOWN_CLASS : BSR_KNOWN_ALL;
}

int bsr_metric_is_known(bsr_metric metric, bsr_known known)
{
    int by_class = metric != BSR_METRIC_MASKED && metric != BSR_METRIC_BENIGN;
    return metric == BSR_METRIC_CRITICAL || known == BSR_KNOWN_ALL ||
           (known == BSR_KNOWN_CLASS && by_class);
}

const bsr_cell *bsr_cells_stratum(const bsr_cells *k, const bsr_planned *p)
{
    const bsr_space_cells *c = &k->spaces[p->space];
    if (k->r->design.pairs && !k->r->design.neurons)
        return &c->classes[p->variant > 0];
    return p->variant >= 0 ? &c->variants[p->variant] : &c->all;
}

/* faults: of a unit. */
static bsr_status init_cell(bsr_cell *c, uint64_t units, uint64_t denominator, uint64_t faults)
{
    for (int m = 0; m < BSR_METRICS && units; m++) {
        BSR_TRY(bsr_stratum_init(&c->metrics[m], units, denominator));
        c->metrics[m].faults = faults;
    }
    return BSR_OK;
}

static uint64_t sites_with_bit(const bsr_spaces *all, int bit)
{
    uint64_t n = 0;
    for (int i = 0; i < all->n; i++)
        for (int v = 0; v < all->spaces[i].n_variants; v++)
            n += all->spaces[i].variants[v] == bit ? all->spaces[i].sites : 0;
    return n;
}

/* Neurons: a unit's value is the share of its errors that are critical, in so many parts. */
#define PARTS ((uint64_t)1 << 20)

static bsr_status init_neurons(bsr_cells *k, const bsr_space *sp)
{
    bsr_space_cells *c = &k->spaces[sp->id];
    uint64_t times = bsr_design_spread(&k->r->design) > 1 ? 1 : k->r->images;
    BSR_TRY(init_cell(&c->all, sp->neurons * times, PARTS, 1));
    for (int v = 0; v < sp->n_variants; v++)
        BSR_TRY(init_cell(&c->variants[v], sp->neurons * times, PARTS, 1));
    for (int i = 0; i < sp->n_chosen; i++)
        BSR_TRY(bsr_stratum_init(&c->channels[i], (uint64_t)sp->pixels * times, PARTS));
    return BSR_OK;
}

/* Units and images of a unit: a transient fault is a unit in each image. */
static bsr_status init_space(bsr_cells *k, bsr_arena *arena, const bsr_space *sp)
{
    const bsr_record *r = k->r;
    bsr_space_cells *c = &k->spaces[sp->id];
    uint64_t variants = (uint64_t)sp->n_variants, times = r->design.images;
    uint64_t images = r->transient || r->design.pairs ? 1 : r->images;
    int sites = r->design.by_site;
    size_t strata = (size_t)sp->n_chosen * (k->by_variant ? (size_t)variants : 1);
    c->variants = bsr_arena_calloc(arena, (size_t)variants, sizeof *c->variants);
    c->channels = bsr_arena_calloc(arena, strata, sizeof *c->channels);
    c->channel_outcomes =
        bsr_arena_calloc(arena, (size_t)sp->n_chosen, sizeof *c->channel_outcomes);
    if (!c->variants || !c->channels || !c->channel_outcomes)
        return BSR_ENOMEM;
    if (!sp->sites)
        return BSR_OK;
    if (r->design.neurons)
        return init_neurons(k, sp);
    BSR_TRY(init_cell(&c->all, (sites ? sp->sites : sp->population) * times,
                      sites ? variants * images : images, sites ? variants : 1));
    for (uint64_t v = 0; v < variants; v++)
        BSR_TRY(init_cell(&c->variants[v], sp->sites * times, images, 1));
    for (int class = 0; r->design.pairs && class < bsr_class_count(&r->spaces, sp); class ++) {
        uint64_t n = (uint64_t)__builtin_popcount(
            bsr_class_variants(&r->spaces, sp, bsr_class_count(&r->spaces, sp) > 1 ? class : -1));
        BSR_TRY(init_cell(&c->classes[class], sp->sites * times, n, n));
    }
    uint64_t units = sp->per_channel * (sites || k->by_variant ? 1 : variants) * times;
    /* A list has as many faults of a channel as it has. */
    if (r->design.kind == BSR_DESIGN_LIST)
        units = sp->population;
    for (size_t i = 0; i < strata; i++) {
        BSR_TRY(bsr_stratum_init(&c->channels[i], units, sites ? variants * images : images));
        c->channels[i].faults = sites ? variants : 1;
    }
    return BSR_OK;
}

static bsr_status init(bsr_cells *k, bsr_arena *arena)
{
    const bsr_record *r = k->r;
    const bsr_spaces *all = &r->spaces;
    uint64_t images = r->transient || r->design.pairs ? 1 : r->images;
    k->spaces = bsr_arena_calloc(arena, (size_t)all->n, sizeof *k->spaces);
    if (!k->spaces)
        return BSR_ENOMEM;
    BSR_TRY(init_cell(&k->network, all->population * r->design.images, images, 1));
    for (int bit = -1; bit < BSR_MAX_VARIANTS; bit++)
        BSR_TRY(init_cell(&k->bits[bit < 0 ? BSR_MAX_VARIANTS : bit],
                          sites_with_bit(all, bit) * r->design.images, images, 1));
    for (int i = 0; i < all->n; i++)
        BSR_TRY(init_space(k, arena, &all->spaces[i]));
    return BSR_OK;
}

static uint64_t at_least_0(int64_t x)
{
    return x > 0 ? (uint64_t)x : 0;
}

static bsr_outcomes outcomes_of(const bsr_fault_row *row)
{
    bsr_outcomes o = {.pairs = (uint64_t)row->pairs,
                      .critical = at_least_0(row->critical),
                      .masked = at_least_0(row->masked),
                      .due = at_least_0(row->due),
                      .sdc = at_least_0(row->sdc),
                      .top5 = at_least_0(row->top5),
                      .correct = at_least_0(row->correct)};
    if (row->masked >= 0)
        o.benign = o.pairs - o.masked - o.critical;
    return o;
}

static bsr_status add_to(bsr_cell *c, const bsr_outcomes *o, double mse, bsr_known known)
{
    const uint64_t counts[BSR_METRICS] = {
        [BSR_METRIC_CRITICAL] = o->critical, [BSR_METRIC_SDC] = o->sdc,
        [BSR_METRIC_DUE] = o->due,           [BSR_METRIC_BENIGN] = o->benign,
        [BSR_METRIC_MASKED] = o->masked,     [BSR_METRIC_TOP5] = o->top5,
        [BSR_METRIC_ACCURACY] = o->correct};
    for (int m = 0; m < BSR_METRICS; m++)
        if (bsr_metric_is_known((bsr_metric)m, known))
            BSR_TRY(bsr_stratum_add(&c->metrics[m], counts[m]));
    bsr_outcomes_add(&c->outcomes, o);
    c->rows++;
    if (!isnan(mse)) {
        c->sse += mse;
        c->sse2 += mse * mse;
        c->with_sse++;
    }
    return BSR_OK;
}

/* Gathers the rows of a site; in the order of the faults they come together, but for transient
 * faults' images, which are inside. */
typedef struct gatherer {
    bsr_worst_list *list;
    const bsr_space *space;
    bsr_site at;
    uint64_t site, critical, pairs;
} gatherer;

static void note(gatherer *g)
{
    bsr_worst_list *l = g->list;
    int at = l->n;
    if (!g->critical || l->most <= 0)
        return;
    while (at > 0 && l->sites[at - 1].critical < g->critical)
        at--;
    if (at >= l->most)
        return;
    if (l->n < l->most)
        l->n++;
    memmove(&l->sites[at + 1], &l->sites[at], (size_t)(l->n - 1 - at) * sizeof *l->sites);
    l->sites[at] = (bsr_worst_site){.layer = g->space->id,
                                    .element = g->at.element,
                                    .pixel = g->at.pixel,
                                    .critical = g->critical,
                                    .pairs = g->pairs};
}

static void gather(gatherer *g, const bsr_record *r, const bsr_space *sp, uint64_t site,
                   const bsr_fault_row *row)
{
    bsr_site at = g->at;
    if (r->design.kind == BSR_DESIGN_LIST || sp != g->space || site != g->site)
        at = bsr_locate_unit(r, (uint64_t)row->fault).site;
    if (sp != g->space || at.element != g->at.element || at.pixel != g->at.pixel) {
        if (g->space)
            note(g);
        *g = (gatherer){.list = g->list, .space = sp, .at = at};
    }
    g->site = site;
    g->critical += at_least_0(row->critical);
    g->pairs += (uint64_t)row->pairs;
}

/* The rows of one site come one after the other; a unit of a design by site is all of them. */
typedef struct reader {
    bsr_cells *k;
    uint64_t site; /* of the unit that is being gathered */
    const bsr_space *space;
    int n;
    bsr_outcomes sum;
    gatherer worst; /* list NULL: not wanted */
} reader;

static bsr_status end_site(reader *rd)
{
    const bsr_space *sp = rd->space;
    if (!sp || !rd->n)
        return BSR_OK;
    bsr_space_cells *c = &rd->k->spaces[sp->id];
    BSR_TRY(add_to(&c->all, &rd->sum, NAN, BSR_KNOWN_CRITICAL));
    return bsr_stratum_add(&c->channels[rd->site / sp->per_channel], rd->sum.critical);
}

static bsr_status damaged(const bsr_fault_row *row)
{
    return bsr_fail(BSR_EFORMAT, "fault %lld of the database is impossible", (long long)row->fault);
}

static bsr_status read_row(void *ctx, const bsr_fault_row *row)
{
    reader *rd = ctx;
    bsr_cells *k = rd->k;
    const bsr_record *r = k->r;
    uint64_t number = (uint64_t)row->fault / r->design.images, site;
    int64_t images = r->transient ? 1 : (int64_t)r->images;
    int variant;
    if (row->fault < 0 || number >= r->spaces.population || row->pairs != images ||
        row->critical < 0 || row->critical + at_least_0(row->masked) > (uint64_t)images)
        return damaged(row);
    const bsr_space *sp = bsr_space_of(&r->spaces, number, &site, &variant);
    bsr_space_cells *c = &k->spaces[sp->id];
    bsr_outcomes o = outcomes_of(row);
    double mse = bsr_mean_square(row->sse, row->pairs, row->due, r->classes);
    if (rd->worst.list)
        gather(&rd->worst, r, sp, site, row);
    int bit = sp->variants[variant];
    BSR_TRY(add_to(&c->variants[variant], &o, mse, k->known));
    int channel = r->design.kind == BSR_DESIGN_LIST ? -1 : (int)(site / sp->per_channel);
    if (channel >= 0)
        bsr_outcomes_add(&c->channel_outcomes[channel], &o);
    if (r->design.by_site) {
        if (sp != rd->space || site != rd->site) {
            BSR_TRY(end_site(rd));
            rd->space = sp;
            rd->site = site;
            rd->n = 0;
            rd->sum = (bsr_outcomes){0};
        }
        rd->n++;
        bsr_outcomes_add(&rd->sum, &o);
        return BSR_OK;
    }
    BSR_TRY(add_to(&c->all, &o, mse, k->known));
    BSR_TRY(add_to(&k->network, &o, mse, k->known));
    BSR_TRY(add_to(&k->bits[bit < 0 ? BSR_MAX_VARIANTS : bit], &o, mse, k->known));
    if (channel < 0)
        return BSR_OK;
    int stratum = k->by_variant ? channel * sp->n_variants + variant : channel;
    return bsr_stratum_add(&c->channels[stratum], o.critical);
}

/* Rows of one neuron in some images, which may be one unit together. */
typedef struct neuron_sum {
    bsr_cells *k;
    uint64_t site;
    const bsr_space *space;
    int images;
    double share, by_bit[BSR_MAX_VARIANTS];
    bsr_outcomes outcomes;
} neuron_sum;

static uint64_t parts_of(double share, int images)
{
    return (uint64_t)(share / images * (double)PARTS + 0.5);
}

static bsr_status end_neuron(neuron_sum *s)
{
    const bsr_space *sp = s->space;
    if (!sp || !s->images)
        return BSR_OK;
    bsr_space_cells *c = &s->k->spaces[sp->id];
    uint64_t channel = s->site / (uint64_t)sp->pixels, value = parts_of(s->share, s->images);
    for (int v = 0; v < sp->n_variants; v++) {
        bsr_cell *cell = &c->variants[v];
        BSR_TRY(bsr_stratum_add(&cell->metrics[0], parts_of(s->by_bit[v], s->images)));
        cell->rows++;
    }
    BSR_TRY(bsr_stratum_add(&c->all.metrics[0], value));
    bsr_outcomes_add(&c->all.outcomes, &s->outcomes);
    c->all.rows++;
    bsr_outcomes_add(&c->channel_outcomes[channel], &s->outcomes);
    return bsr_stratum_add(&c->channels[channel], value);
}

static bsr_status read_neuron(void *ctx, const bsr_pair_row *row)
{
    neuron_sum *s = ctx;
    const bsr_record *r = s->k->r;
    uint64_t site = (uint64_t)row->unit / BSR_CLASSES / r->images;
    if (row->unit < 0 || site >= r->spaces.neurons || row->errors < 0 || row->critical < 0 ||
        row->critical > row->errors)
        return bsr_fail(BSR_EFORMAT, "neuron %lld of the database is impossible",
                        (long long)row->unit);
    const bsr_space *sp = bsr_design_space(&r->design, &r->spaces, &site);
    int spread = bsr_design_spread(&r->design) > 1;
    if (!spread || sp != s->space || site != s->site) {
        BSR_TRY(end_neuron(s));
        *s = (neuron_sum){.k = s->k, .site = site, .space = sp};
    }
    const uint32_t *by_bit = row->by_bit;
    size_t n = row->by_bit_bytes / sizeof *by_bit;
    double each = (double)row->errors / sp->n_variants;
    s->images++;
    /* Where the window lies in the padding there is no fault to be critical. */
    s->share += row->errors ? (double)row->critical / (double)row->errors : 0;
    for (int v = 0; v < sp->n_variants && (size_t)v < n && row->errors; v++) {
        uint32_t count;
        memcpy(&count, by_bit + v, sizeof count);
        s->by_bit[v] += (double)count / each;
        s->k->spaces[sp->id].variants[v].outcomes.critical += count;
    }
    for (int v = 0; v < sp->n_variants; v++)
        s->k->spaces[sp->id].variants[v].outcomes.pairs += (uint64_t)each;
    s->outcomes.pairs += (uint64_t)row->errors;
    s->outcomes.critical += (uint64_t)row->critical;
    return BSR_OK;
}

/* One (site, image, class): as many faults as the class has. */
static bsr_status read_pair(void *ctx, const bsr_pair_row *row)
{
    bsr_cells *k = ((reader *)ctx)->k;
    const bsr_record *r = k->r;
    uint64_t pair = (uint64_t)row->unit / BSR_CLASSES, site = pair / r->images;
    int class = (int)(row->unit % BSR_CLASSES);
    if (row->unit < 0 || site >= r->spaces.sites || row->critical < 0)
        return bsr_fail(BSR_EFORMAT, "pair %lld of the database is impossible",
                        (long long)row->unit);
    const bsr_space *sp = bsr_space_of_site(&r->spaces, &site);
    int classes = bsr_class_count(&r->spaces, sp);
    uint32_t variants = bsr_class_variants(&r->spaces, sp, classes > 1 ? class : -1);
    if (class >= classes || (uint64_t)row->critical & ~(uint64_t)variants)
        return bsr_fail(BSR_EFORMAT, "pair %lld of the database is impossible",
                        (long long)row->unit);
    bsr_space_cells *c = &k->spaces[sp->id];
    bsr_outcomes sum = {0};
    for (int v = 0; v < sp->n_variants; v++) {
        bsr_outcomes o = {.pairs = 1, .critical = (uint64_t)row->critical >> v & 1};
        if (!(variants >> v & 1))
            continue;
        BSR_TRY(add_to(&c->variants[v], &o, NAN, BSR_KNOWN_CRITICAL));
        bsr_outcomes_add(&sum, &o);
    }
    bsr_outcomes_add(&c->channel_outcomes[site / sp->per_channel], &sum);
    return add_to(&c->classes[class], &sum, NAN, BSR_KNOWN_CRITICAL);
}

bsr_status bsr_cells_read(bsr_cells *k, bsr_arena *arena, bsr_store *store, const bsr_record *r,
                          bsr_worst_list *worst)
{
    *k = (bsr_cells){
        .r = r, .by_variant = bsr_design_by_variant(&r->design), .known = bsr_record_known(r)};
    BSR_TRY(init(k, arena));
    reader rd = {.k = k, .worst.list = worst};
    if (r->design.neurons) {
        neuron_sum s = {.k = k};
        BSR_TRY(bsr_store_pairs(store, 0, INT64_MAX, read_neuron, &s));
        return end_neuron(&s);
    }
    if (r->design.pairs)
        return bsr_store_pairs(store, 0, INT64_MAX, read_pair, &rd);
    BSR_TRY(bsr_store_faults(store, 0, INT64_MAX, read_row, &rd));
    if (rd.worst.space)
        note(&rd.worst);
    return end_site(&rd);
}
