/* bsr_protect: options, protections, result. */
#include "bitseer/protect.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "campaign/account.h"
#include "campaign/answers.h"
#include "campaign/summary.h"
#include "fault/selector.h"
#include "protect/protector.h"
#include "tensor/format.h"

static bsr_status read_by(bsr_protect_by *by, const char *text)
{
    *by = BSR_PROTECT_NONE;
    for (int i = 1; text && i < BSR_PROTECT_METHODS; i++)
        if (strcmp(text, bsr_protect_name((bsr_protect_by)i)) == 0)
            *by = (bsr_protect_by)i;
    return !text || *by != BSR_PROTECT_NONE
               ? BSR_OK
               : bsr_fail(BSR_EINVAL, "protection '%s', expected parity, secded or tmr", text);
}

static bsr_status check_options(bsr_protector *p)
{
    const bsr_protect_options *o = p->o;
    int plan = o->target_vf >= 0 || o->budget;
    if (o->version != BSR_PROTECT_OPTIONS_VERSION)
        return bsr_fail(BSR_EINVAL, "protect options have version %d, expected %d", o->version,
                        BSR_PROTECT_OPTIONS_VERSION);
    BSR_TRY(read_by(&p->by, o->by));
    if (o->target_vf > 1 || isnan(o->target_vf))
        return bsr_fail(BSR_EINVAL, "target VF is %g, expected 0 to 1", o->target_vf);
    if (o->target_vf >= 0 && o->budget)
        return bsr_fail(BSR_EINVAL, "a target VF and a budget exclude each other");
    if (plan && (o->bits || o->top_bits || o->channels))
        return bsr_fail(BSR_EINVAL, "a plan chooses bits of whole layers: no %s can be given",
                        o->channels ? "channels" : "bits");
    if (o->bits && o->top_bits)
        return bsr_fail(BSR_EINVAL, "bits and top bits exclude each other");
    if (o->top_bits < 0 || o->top_bits > BSR_MAX_VARIANTS)
        return bsr_fail(BSR_EINVAL, "top bits is %d, expected 1 to %d", o->top_bits,
                        BSR_MAX_VARIANTS);
    if (!plan && p->by == BSR_PROTECT_NONE && (o->bits || o->top_bits || o->layers || o->channels))
        return bsr_fail(BSR_EINVAL, "what is selected needs a protection: parity, secded or tmr");
    return BSR_OK;
}

/* Single-bit faults have positions; the others need whole words by copies. */
static bsr_status check_fault(const bsr_protector *p)
{
    const char *fault = p->r.fault;
    int single = strcmp(fault, "bitflip") == 0 || strncmp(fault, "stuck", 5) == 0;
    int plan = p->o->target_vf >= 0 || p->o->budget;
    if (single || (!plan && p->by == BSR_PROTECT_NONE) ||
        (!plan && p->by == BSR_PROTECT_TMR && !p->o->bits && !p->o->top_bits))
        return BSR_OK;
    return bsr_fail(BSR_EINVAL,
                    "'%s' has fault '%s': parity, secded, bits and plans need bitflip, stuck0 or "
                    "stuck1",
                    p->path, fault);
}

/* Selectors speak of things that do not exist as wrong values. */
static bsr_status selected(bsr_status status)
{
    return status == BSR_ENOTFOUND ? BSR_EINVAL : status;
}

static const char *layer_name(void *ctx, int index)
{
    const bsr_protector *p = ctx;
    for (int i = 0; i < p->r.spaces.n; i++)
        if (p->r.spaces.spaces[i].index == index)
            return p->r.spaces.spaces[i].name;
    return "";
}

static bsr_status select_layers(bsr_protector *p)
{
    const bsr_spaces *all = &p->r.spaces;
    int last = 0, any = 0;
    for (int i = 0; i < all->n; i++)
        if (all->spaces[i].index > last)
            last = all->spaces[i].index;
    unsigned char *chosen = bsr_arena_calloc(p->arena, (size_t)last + 1, 1);
    p->layers = bsr_arena_calloc(p->arena, (size_t)all->n, 1);
    if (!chosen || !p->layers)
        return BSR_ENOMEM;
    BSR_TRY(selected(bsr_select(chosen, last + 1, p->o->layers, "layer", layer_name, p)));
    for (int i = 0; i < all->n; i++)
        any |= p->layers[i] = chosen[all->spaces[i].index];
    return any ? BSR_OK
               : bsr_fail(BSR_EINVAL, "layers '%s': '%s' has no answers about them", p->o->layers,
                          p->path);
}

static bsr_status select_channels(bsr_protector *p)
{
    int most = 0, any = 0;
    for (int i = 0; i < p->r.spaces.n; i++)
        if (p->r.spaces.spaces[i].channels > most)
            most = p->r.spaces.spaces[i].channels;
    unsigned char *chosen = bsr_arena_calloc(p->arena, (size_t)most, 1);
    if (!chosen)
        return BSR_ENOMEM;
    BSR_TRY(selected(bsr_select(chosen, most, p->o->channels, "channel", NULL, NULL)));
    for (int i = 0; i < p->r.spaces.n; i++) {
        const bsr_space *sp = &p->r.spaces.spaces[i];
        unsigned char *own = bsr_arena_calloc(p->out->arena, (size_t)sp->n_chosen, 1);
        if (!own)
            return BSR_ENOMEM;
        for (int k = 0; k < sp->n_chosen; k++) {
            own[k] = chosen[sp->chosen[k]];
            any |= own[k] && p->layers[i];
        }
        p->guards[i].channels = own;
    }
    return any ? BSR_OK
               : bsr_fail(BSR_EINVAL, "channels '%s': '%s' has no answers about them",
                          p->o->channels, p->path);
}

/* The most critical bit positions of the layers that may be protected. */
static bsr_status find_top_bits(const bsr_protector *p, uint32_t *bits)
{
    double critical[BSR_MAX_VARIANTS] = {0};
    int there[BSR_MAX_VARIANTS] = {0};
    for (int i = 0; i < p->base.n; i++)
        for (int v = 0; v < p->base.spaces[i].n_variants; v++) {
            int bit = p->base.spaces[i].variants[v];
            if (!p->layers[i] || bit < 0)
                continue;
            there[bit] = 1;
            critical[bit] += p->share[i].critical[v];
        }
    *bits = 0;
    for (int k = 0; k < p->o->top_bits; k++) {
        int best = -1;
        for (int bit = BSR_MAX_VARIANTS - 1; bit >= 0; bit--)
            if (there[bit] && (best < 0 || critical[bit] > critical[best]))
                best = bit;
        if (best < 0)
            return bsr_fail(BSR_EINVAL, "top bits is %d, '%s' has answers about %d", p->o->top_bits,
                            p->path, k);
        there[best] = 0;
        *bits |= (uint32_t)1 << best;
    }
    return BSR_OK;
}

static bsr_status select_bits(const bsr_protector *p, uint32_t *bits)
{
    unsigned char chosen[BSR_MAX_VARIANTS];
    int width = 0;
    for (int i = 0; i < p->base.n; i++)
        if (p->layers[i] && p->base.spaces[i].width > width)
            width = p->base.spaces[i].width;
    if (p->o->top_bits)
        return find_top_bits(p, bits);
    BSR_TRY(selected(bsr_select(chosen, width, p->o->bits, "bit", NULL, NULL)));
    *bits = 0;
    for (int bit = 0; bit < width; bit++)
        *bits |= (uint32_t)chosen[bit] << bit;
    return BSR_OK;
}

static void set_guard(bsr_guard *g, const bsr_base_space *s, bsr_protect_by by, uint32_t bits)
{
    g->bits = bits & (UINT32_MAX >> (32 - s->width));
    g->by = g->bits ? by : BSR_PROTECT_NONE;
}

static bsr_status set_guards(bsr_protector *p)
{
    uint32_t bits;
    if (p->by == BSR_PROTECT_NONE)
        return BSR_OK;
    if (p->o->channels)
        BSR_TRY(select_channels(p));
    BSR_TRY(select_bits(p, &bits));
    for (int i = 0; i < p->base.n; i++)
        if (p->layers[i])
            set_guard(&p->guards[i], &p->base.spaces[i], p->by, bits);
    return BSR_OK;
}

static bsr_status fill_layer(bsr_protector *p, int i)
{
    const bsr_base_space *s = &p->base.spaces[i];
    const bsr_space *sp = s->space;
    const bsr_guard *g = &p->guards[i];
    bsr_protected_layer *l = &p->out->layers[i];
    unsigned char *channels = bsr_arena_calloc(p->out->arena, (size_t)sp->n_chosen, 1);
    l->name = bsr_arena_strdup(p->out->arena, sp->name);
    if (!channels || !l->name)
        return BSR_ENOMEM;
    for (int k = 0; k < sp->n_chosen; k++)
        channels[k] = g->by != BSR_PROTECT_NONE && (!g->channels || g->channels[k]);
    l->index = sp->index;
    l->channels = channels;
    l->n_channels = sp->n_chosen;
    l->sites = sp->sites;
    l->words = bsr_guard_words(s, g);
    l->by = l->words ? g->by : BSR_PROTECT_NONE;
    l->bits = l->words ? g->bits : 0;
    l->added_bits += (int64_t)bsr_guard_cost(s, g);
    bsr_guard none[1] = {{0}};
    bsr_vf_range before;
    bsr_guard *all = bsr_arena_calloc(p->arena, (size_t)p->base.n, sizeof *all);
    if (!all)
        return BSR_ENOMEM;
    all[i] = none[0];
    BSR_TRY(bsr_guarded_vf(&before, &p->was, all, i, p->confidence));
    l->before = before.low;
    return bsr_guarded_vf(&l->after, &p->base, p->guards, i, p->confidence);
}

/* VF of the bits that protections add: of wrong parity bits. */
static void fill_check(bsr_protector *p)
{
    double bits = 0, low = 0, high = 0, lo, hi;
    for (int i = 0; i < p->base.n; i++) {
        double words = (double)bsr_guard_words(&p->base.spaces[i], &p->guards[i]);
        bits += (double)bsr_guard_cost(&p->base.spaces[i], &p->guards[i]);
        if (p->guards[i].by != BSR_PROTECT_PARITY)
            continue;
        bsr_zero_vf(&lo, &hi, &p->base, i, &p->guards[i]);
        low += words * lo;
        high += words * hi;
    }
    p->out->check_lo = bits > 0 ? low / bits : NAN;
    p->out->check_hi = bits > 0 ? high / bits : NAN;
}

static bsr_status fill_facts(bsr_protector *p)
{
    bsr_protection *out = p->out;
    out->complete = p->r.complete;
    out->images = p->r.images;
    out->confidence = p->confidence;
    out->clip = p->o->clip;
    out->target_vf = p->o->target_vf;
    out->budget = -1;
    BSR_TRY(bsr_keep_text(out->arena, &out->path, p->path));
    BSR_TRY(bsr_keep_text(out->arena, &out->target, p->r.target));
    BSR_TRY(bsr_keep_text(out->arena, &out->fault, p->r.fault));
    BSR_TRY(bsr_keep_text(out->arena, &out->run_format, p->r.format));
    BSR_TRY(bsr_keep_text(out->arena, &out->format, p->o->format ? p->o->format : ""));
    return bsr_keep_text(out->arena, &out->sampling, bsr_design_name(p->r.design.kind));
}

/* Bits stored as the run had them, and what another format changes. */
static int64_t fill_storage(bsr_protector *p)
{
    int64_t more = 0;
    for (int i = 0; i < p->base.n; i++) {
        const bsr_space *sp = p->base.spaces[i].space;
        bsr_protected_layer *l = &p->out->layers[i];
        l->stored_bits = sp->sites * (uint64_t)sp->width;
        l->added_bits = (int64_t)sp->sites * (p->base.spaces[i].width - sp->width);
        p->out->stored_bits += l->stored_bits;
        more += l->added_bits;
    }
    return more;
}

static bsr_status read_bases(bsr_protector *p)
{
    BSR_TRY(bsr_base_read(&p->was, p->arena, p->store, &p->r, p->path));
    p->what_if = p->o->format || p->o->clip;
    if (p->what_if)
        return bsr_base_what_if(&p->base, p->arena, p->store, &p->was, p->o, p->path);
    p->base = p->was;
    return BSR_OK;
}

static bsr_status protect(bsr_protector *p)
{
    bsr_protection *out = p->out;
    BSR_TRY(check_fault(p));
    BSR_TRY(fill_facts(p));
    BSR_TRY(read_bases(p));
    size_t n = (size_t)p->base.n;
    out->layers = bsr_arena_calloc(out->arena, n, sizeof *out->layers);
    p->guards = bsr_arena_calloc(p->arena, n, sizeof *p->guards);
    p->share = bsr_arena_calloc(p->arena, n, sizeof *p->share);
    if (!out->layers || !p->guards || !p->share)
        return BSR_ENOMEM;
    out->n_layers = p->base.n;
    bsr_vf_range before;
    BSR_TRY(bsr_guarded_vf(&before, &p->was, p->guards, -1, p->confidence));
    out->before = before.low;
    bsr_contributions(p->share, &p->base);
    int64_t more = fill_storage(p);
    BSR_TRY(select_layers(p));
    if (p->o->target_vf >= 0 || p->o->budget)
        BSR_TRY(bsr_protector_plan(p, more));
    else
        BSR_TRY(set_guards(p));
    for (int i = 0; i < p->base.n; i++) {
        BSR_TRY(fill_layer(p, i));
        out->added_bits += out->layers[i].added_bits;
    }
    BSR_TRY(bsr_guarded_vf(&out->after, &p->base, p->guards, -1, p->confidence));
    out->reached = out->target_vf >= 0 && out->after.high.value <= out->target_vf + 1e-12;
    fill_check(p);
    return BSR_OK;
}

static void end(bsr_protector *p)
{
    if (p->what_if)
        bsr_base_clear(&p->base);
    bsr_base_clear(&p->was);
    bsr_record_clear(&p->r);
    bsr_store_close(p->store);
    bsr_arena_free(p->arena);
}

bsr_status bsr_protect(bsr_protection **out, const char *path, const bsr_protect_options *options)
{
    static const bsr_protect_options defaults = BSR_PROTECT_OPTIONS_INIT;
    bsr_protector p = {.o = options ? options : &defaults, .path = path};
    bsr_format format;
    *out = NULL;
    BSR_TRY(check_options(&p));
    if (p.o->format)
        BSR_TRY(bsr_format_parse(&format, p.o->format));
    BSR_TRY(bsr_run_read(&p.store, &p.r, path));
    p.confidence = p.o->confidence > 0 ? p.o->confidence : p.r.confidence;
    bsr_arena *kept = bsr_arena_new();
    p.arena = bsr_arena_new();
    p.out = kept ? bsr_arena_calloc(kept, 1, sizeof *p.out) : NULL;
    bsr_status status = p.out && p.arena ? BSR_OK : BSR_ENOMEM;
    if (status == BSR_OK) {
        p.out->arena = kept;
        status = protect(&p);
    }
    end(&p);
    if (status != BSR_OK) {
        bsr_arena_free(kept);
        return status;
    }
    *out = p.out;
    return BSR_OK;
}

void bsr_protection_free(bsr_protection *protection)
{
    if (protection)
        bsr_arena_free(protection->arena);
}
