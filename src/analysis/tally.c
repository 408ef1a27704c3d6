#include "analysis/tally.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "stats/stratified.h"

/* Strata of one space while the units are added up. */
typedef struct space_strata {
    bsr_stratum all;
    bsr_stratum bits[BSR_TALLY_BITS];
    bsr_stratum *channels; /* [n_chosen] */
} space_strata;

typedef struct builder {
    const bsr_session *s;
    const bsr_tally *t;
    bsr_arena *arena;
    bsr_result *r;
    space_strata *strata; /* [spaces] */
    /* Fault units are one sample of the whole population: */
    bsr_stratum network;
    bsr_stratum network_bits[BSR_TALLY_BITS]; /* by bit position; units 0: no space has it */
} builder;

size_t bsr_tally_channel(const bsr_spaces *spaces, int i)
{
    size_t n = 0;
    for (int k = 0; k < i; k++)
        n += (size_t)spaces->spaces[k].n_chosen;
    return n;
}

/* Position of a bit among the space's, -1 when it is not selected there. */
static int bit_position(const bsr_space *sp, int bit)
{
    for (int k = 0; k < sp->n_bits; k++)
        if (sp->bits[k] == bit)
            return k;
    return -1;
}

static uint64_t sites_with_bit(const bsr_spaces *all, int bit)
{
    uint64_t n = 0;
    for (int i = 0; i < all->n; i++)
        if (bit_position(&all->spaces[i], bit) >= 0)
            n += all->spaces[i].sites;
    return n;
}

static bsr_status init_strata(builder *b)
{
    const bsr_spaces *all = &b->s->spaces;
    uint64_t images = b->s->images;
    int sites = b->t->site_units;
    b->strata = bsr_arena_calloc(b->arena, (size_t)all->n, sizeof *b->strata);
    if (!b->strata)
        return BSR_ENOMEM;
    BSR_TRY(bsr_stratum_init(&b->network, all->population, images));
    for (int bit = 0; bit < BSR_TALLY_BITS; bit++) {
        uint64_t have = sites_with_bit(all, bit);
        if (have)
            BSR_TRY(bsr_stratum_init(&b->network_bits[bit], have, images));
    }
    for (int i = 0; i < all->n; i++) {
        const bsr_space *sp = &all->spaces[i];
        space_strata *st = &b->strata[i];
        uint64_t bits = (uint64_t)sp->n_bits;
        st->channels = bsr_arena_calloc(b->arena, (size_t)sp->n_chosen, sizeof *st->channels);
        if (!st->channels)
            return BSR_ENOMEM;
        BSR_TRY(bsr_stratum_init(&st->all, sites ? sp->sites : sp->population,
                                 sites ? bits * images : images));
        for (uint64_t k = 0; k < bits; k++)
            BSR_TRY(bsr_stratum_init(&st->bits[k], sp->sites, images));
        for (int c = 0; c < sp->n_chosen; c++)
            BSR_TRY(bsr_stratum_init(&st->channels[c],
                                     sites ? sp->per_channel : sp->per_channel * bits,
                                     sites ? bits * images : images));
    }
    return BSR_OK;
}

/* Space of a site numbered over all spaces. */
static int space_of_site(const bsr_spaces *all, uint64_t *site)
{
    int i = 0;
    while (*site >= all->spaces[i].sites)
        *site -= all->spaces[i++].sites;
    return i;
}

static void note_worst(builder *b, int space, uint64_t site, uint64_t critical, uint64_t pairs)
{
    bsr_result *r = b->r;
    int most = b->s->options.worst, at = r->n_worst;
    if (!critical || most <= 0)
        return;
    while (at > 0 && r->worst[at - 1].critical < critical)
        at--;
    if (at >= most)
        return;
    if (r->n_worst < most)
        r->n_worst++;
    memmove(&r->worst[at + 1], &r->worst[at], (size_t)(r->n_worst - 1 - at) * sizeof *r->worst);
    const bsr_session *s = b->s;
    const bsr_space *sp = &s->spaces.spaces[space];
    bsr_golden image0 = *s->golden;
    if (s->first_record)
        image0.records = s->first_record;
    r->worst[at] = (bsr_worst_site){
        .layer = space,
        .element = bsr_space_element(sp, site),
        .value = bsr_stored_value(sp->dtype, bsr_space_stored(sp, &image0, 0, site)),
        .critical = critical,
        .pairs = pairs};
}

static bsr_status add_sites(builder *b)
{
    const bsr_spaces *all = &b->s->spaces;
    for (uint64_t i = 0; i < b->t->n; i++) {
        uint64_t site = b->t->index ? b->t->index[i] : i, sum = 0;
        int space = space_of_site(all, &site);
        const bsr_space *sp = &all->spaces[space];
        space_strata *st = &b->strata[space];
        const uint32_t *counts = b->t->counts + i * BSR_TALLY_BITS;
        for (int k = 0; k < sp->n_bits; k++) {
            BSR_TRY(bsr_stratum_add(&st->bits[k], counts[k]));
            sum += counts[k];
        }
        BSR_TRY(bsr_stratum_add(&st->all, sum));
        BSR_TRY(bsr_stratum_add(&st->channels[site / sp->per_channel], sum));
        note_worst(b, space, site, sum, (uint64_t)sp->n_bits * b->s->images);
    }
    return BSR_OK;
}

static bsr_status add_faults(builder *b)
{
    const bsr_spaces *all = &b->s->spaces;
    uint64_t site_sum = 0, site_pairs = 0, last = 0;
    int last_space = -1;
    for (uint64_t i = 0; i < b->t->n; i++) {
        uint64_t site;
        int bit;
        const bsr_space *sp = bsr_space_of(all, b->t->index ? b->t->index[i] : i, &site, &bit);
        int space = (int)(sp - all->spaces);
        space_strata *st = &b->strata[space];
        uint32_t count = b->t->counts[i];
        BSR_TRY(bsr_stratum_add(&st->bits[bit_position(sp, bit)], count));
        BSR_TRY(bsr_stratum_add(&b->network_bits[bit], count));
        BSR_TRY(bsr_stratum_add(&st->all, count));
        BSR_TRY(bsr_stratum_add(&st->channels[site / sp->per_channel], count));
        BSR_TRY(bsr_stratum_add(&b->network, count));
        if (space != last_space || site != last) {
            if (last_space >= 0)
                note_worst(b, last_space, last, site_sum, site_pairs);
            site_sum = site_pairs = 0;
        }
        last_space = space;
        last = site;
        site_sum += count;
        site_pairs += b->s->images;
    }
    if (last_space >= 0)
        note_worst(b, last_space, last, site_sum, site_pairs);
    return BSR_OK;
}

/* Nothing observed: the share can be anything. */
static bsr_status share_of(bsr_share *out, const bsr_stratum *st, size_t n, double confidence)
{
    *out = (bsr_share){NAN, 0, 1};
    for (size_t i = 0; i < n; i++)
        if (!st[i].n)
            return BSR_OK;
    bsr_estimate e;
    BSR_TRY(bsr_stratified(&e, st, n, confidence));
    *out = (bsr_share){e.mean, e.ci.lo, e.ci.hi};
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
}

static void outcomes_of(bsr_outcomes *out, const bsr_outcomes *known, const bsr_stratum *st)
{
    if (known)
        *out = *known;
    else
        *out = (bsr_outcomes){.pairs = st->n * st->denominator, .critical = st->sum};
}

static bsr_status fill_layer(builder *b, int i)
{
    const bsr_space *sp = &b->s->spaces.spaces[i];
    const bsr_tally *t = b->t;
    space_strata *st = &b->strata[i];
    bsr_layer_result *l = &b->r->layers[i];
    double confidence = b->s->options.confidence;
    uint64_t per_unit = t->site_units ? (uint64_t)sp->n_bits : 1;
    *l = (bsr_layer_result){.index = sp->index,
                            .name = bsr_arena_strdup(b->arena, sp->name),
                            .op = bsr_arena_strdup(b->arena, sp->op),
                            .sites = sp->sites,
                            .population = sp->population,
                            .sampled_sites = t->site_units ? st->all.n : 0,
                            .faults = st->all.n * per_unit,
                            .n_bits = sp->n_bits,
                            .n_channels = b->s->options.per_channel ? sp->n_chosen : 0};
    l->bits = bsr_arena_calloc(b->arena, (size_t)sp->n_bits, sizeof *l->bits);
    l->channels = bsr_arena_calloc(b->arena, (size_t)sp->n_chosen, sizeof *l->channels);
    if (!l->name || !l->op || !l->bits || !l->channels)
        return BSR_ENOMEM;
    BSR_TRY(share_of(&l->vf, &st->all, 1, confidence));
    for (int k = 0; k < sp->n_bits; k++) {
        bsr_part *p = &l->bits[k];
        *p = (bsr_part){.index = sp->bits[k], .sites = sp->sites, .faults = st->bits[k].n};
        outcomes_of(&p->outcomes, t->bits ? &t->bits[i * BSR_TALLY_BITS + sp->bits[k]] : NULL,
                    &st->bits[k]);
        BSR_TRY(share_of(&p->vf, &st->bits[k], 1, confidence));
        bsr_outcomes_add(&l->outcomes, &p->outcomes);
    }
    size_t first = bsr_tally_channel(&b->s->spaces, i);
    for (int c = 0; c < l->n_channels; c++) {
        bsr_part *p = &l->channels[c];
        *p = (bsr_part){.index = sp->chosen[c],
                        .sites = sp->per_channel,
                        .faults = st->channels[c].n * per_unit};
        outcomes_of(&p->outcomes, t->channels ? &t->channels[first + (size_t)c] : NULL,
                    &st->channels[c]);
        BSR_TRY(share_of(&p->vf, &st->channels[c], 1, confidence));
    }
    return BSR_OK;
}

/* One bit position over all layers that have it. */
static bsr_status fill_bit(builder *b, int bit, bsr_part *part, bsr_stratum *room)
{
    const bsr_spaces *all = &b->s->spaces;
    size_t n = 0;
    *part = (bsr_part){.index = bit};
    for (int i = 0; i < all->n; i++) {
        int k = bit_position(&all->spaces[i], bit);
        if (k < 0)
            continue;
        const bsr_part *p = &b->r->layers[i].bits[k];
        part->sites += p->sites;
        part->faults += p->faults;
        bsr_outcomes_add(&part->outcomes, &p->outcomes);
        room[n++] = b->strata[i].bits[k];
    }
    double confidence = b->s->options.confidence;
    return b->t->site_units ? share_of(&part->vf, room, n, confidence)
                            : share_of(&part->vf, &b->network_bits[bit], 1, confidence);
}

static bsr_status fill_bits(builder *b)
{
    bsr_result *r = b->r;
    bsr_stratum *room = bsr_arena_calloc(b->arena, (size_t)b->s->spaces.n, sizeof *room);
    r->bits = bsr_arena_calloc(b->arena, BSR_TALLY_BITS, sizeof *r->bits);
    if (!room || !r->bits)
        return BSR_ENOMEM;
    for (int bit = 0; bit < BSR_TALLY_BITS; bit++)
        if (sites_with_bit(&b->s->spaces, bit))
            BSR_TRY(fill_bit(b, bit, &r->bits[r->n_bits++], room));
    return BSR_OK;
}

/* Every site-bit of the population equally likely. */
static bsr_status fill_mvf(builder *b)
{
    const bsr_spaces *all = &b->s->spaces;
    double confidence = b->s->options.confidence;
    if (!b->t->site_units)
        return share_of(&b->r->mvf, &b->network, 1, confidence);
    bsr_stratum *st = bsr_alloc_array((size_t)all->n, sizeof *st);
    if (!st)
        return BSR_ENOMEM;
    int complete = 1, mixed = 0;
    double exact = 0;
    for (int i = 0; i < all->n; i++) {
        st[i] = b->strata[i].all;
        complete &= st[i].n == st[i].units;
        mixed |= all->spaces[i].n_bits != all->spaces[0].n_bits;
        exact += (double)all->spaces[i].population / (double)all->population *
                 (st[i].n ? bsr_stratum_mean(&st[i]) : 0);
    }
    /* Sites of different width weigh by their bits; the finite-population correction then is a
     * little on the safe side. */
    for (int i = 0; i < all->n && mixed && !complete; i++)
        st[i].units = all->spaces[i].population;
    bsr_status status = BSR_OK;
    if (complete)
        b->r->mvf = (bsr_share){exact, exact, exact};
    else
        status = share_of(&b->r->mvf, st, (size_t)all->n, confidence);
    bsr_free(st);
    return status;
}

static void fill_performance(builder *b)
{
    const bsr_session *s = b->s;
    bsr_performance *p = &b->r->performance;
    *p = (bsr_performance){.seconds = s->seconds,
                           .golden_seconds = s->golden_seconds,
                           .forward_seconds = s->forward_seconds,
                           .threads = s->options.threads,
                           .cpu = bsr_cpu_name(s->plan->kernels->cpu)};
    double macs = 0;
    for (int t = 0; t < s->options.threads; t++) {
        bsr_lane_counters c = bsr_lanes_counters(s->lanes[t]);
        macs += c.macs;
        p->evaluations += c.lanes;
    }
    for (int i = 0; i < b->r->n_layers; i++)
        p->injections += b->r->layers[i].faults;
    p->forward_equivalents = macs / (s->plan->macs * (double)s->images);
    if (s->seconds > 0) {
        p->lanes_per_second = (double)p->evaluations / s->seconds;
        p->injections_per_second = (double)p->injections / s->seconds;
    }
}

static const char *const targets[] = {"weight", "bias", "activation", "input"};

static bsr_status fill_provenance(builder *b, const char *command)
{
    const bsr_run_options *o = &b->s->options;
    bsr_provenance *p = &b->r->provenance;
    char hash[65], brand[64], spec[512];
    BSR_TRY(bsr_dataset_sha256(b->s->data, hash));
    snprintf(
        spec, sizeof spec,
        "%s target=%s layers=%s tensors=%s channels=%s bits=%s random=%llu seed=%llu images=%llu",
        command, targets[o->target], o->layers ? o->layers : "all",
        o->tensors ? o->tensors : "default", o->channels ? o->channels : "all",
        o->bits ? o->bits : "all", (unsigned long long)o->random, (unsigned long long)o->seed,
        (unsigned long long)b->s->images);
    p->version = bsr_version();
    p->model_path = bsr_arena_strdup(b->arena, b->s->model->path);
    p->model_sha256 = bsr_arena_strdup(b->arena, b->s->model->sha256);
    p->data_spec = "";
    p->data_sha256 = bsr_arena_strdup(b->arena, hash);
    p->cpu_brand = bsr_arena_strdup(b->arena, bsr_cpu_brand(brand));
    p->spec = bsr_arena_strdup(b->arena, spec);
    p->seed = o->seed;
    return p->model_path && p->model_sha256 && p->data_sha256 && p->cpu_brand && p->spec
               ? BSR_OK
               : BSR_ENOMEM;
}

static bsr_status build(builder *b, const char *command)
{
    const bsr_session *s = b->s;
    bsr_result *r = b->r;
    r->n_layers = s->spaces.n;
    r->layers = bsr_arena_calloc(b->arena, (size_t)r->n_layers, sizeof *r->layers);
    r->worst = bsr_arena_calloc(b->arena, (size_t)(s->options.worst > 0 ? s->options.worst : 0) + 1,
                                sizeof *r->worst);
    if (!r->layers || !r->worst)
        return BSR_ENOMEM;
    BSR_TRY(init_strata(b));
    BSR_TRY(b->t->site_units ? add_sites(b) : add_faults(b));
    for (int i = 0; i < r->n_layers; i++) {
        BSR_TRY(fill_layer(b, i));
        bsr_outcomes_add(&r->total, &r->layers[i].outcomes);
    }
    BSR_TRY(fill_bits(b));
    BSR_TRY(fill_mvf(b));
    fill_performance(b);
    return fill_provenance(b, command);
}

bsr_status bsr_tally_result(bsr_result **out, const bsr_session *s, const bsr_tally *t,
                            const char *command, const char *method, const char *sampling)
{
    *out = NULL;
    bsr_arena *arena = bsr_arena_new();
    bsr_result *r = arena ? bsr_arena_calloc(arena, 1, sizeof *r) : NULL;
    bsr_status status = BSR_ENOMEM;
    if (r) {
        r->arena = arena;
        r->command = command;
        r->target = targets[s->options.target];
        r->method = method;
        r->sampling = sampling;
        r->images = s->images;
        r->golden_correct = s->correct;
        r->confidence = s->options.confidence;
        r->nan_faults = t->nan_faults;
        r->violations = t->violations;
        r->checked = t->checked;
        r->outcomes_known = t->bits != NULL;
        builder b = {.s = s, .t = t, .arena = arena, .r = r};
        status = build(&b, command);
    }
    if (status != BSR_OK) {
        bsr_arena_free(arena);
        return status;
    }
    *out = r;
    return BSR_OK;
}

void bsr_result_free(bsr_result *result)
{
    if (result)
        bsr_arena_free(result->arena);
}
