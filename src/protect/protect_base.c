#include "protect/protect_base.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/answers.h"
#include "campaign/cells.h"
#include "tensor/format.h"

int bsr_format_is_signed(const char *format, int from_file)
{
    bsr_format f;
    if (strcmp(format, "float32") == 0)
        return 1;
    /* Codes of a quantised network have a zero point that the run does not keep. */
    if (from_file || bsr_format_parse(&f, format) != BSR_OK)
        return 0;
    return f.kind != BSR_FORMAT_UINT && f.kind != BSR_FORMAT_BINARY && !f.affine;
}

bsr_status bsr_base_add(bsr_base_space *b, uint64_t unit, int variant, uint64_t lo, uint64_t hi)
{
    if (!hi)
        return BSR_OK;
    BSR_TRY(bsr_grow(&b->effects, &b->cap, b->n_effects + 1, sizeof *b->effects));
    b->effects[b->n_effects++] =
        (bsr_effect){.unit = unit, .variant = variant, .lo = (uint32_t)lo, .hi = (uint32_t)hi};
    return BSR_OK;
}

uint64_t bsr_effect_channel(const bsr_base *b, const bsr_base_space *s, uint64_t unit)
{
    uint64_t site = b->units == BSR_BASE_PAIRS ? unit / BSR_CLASSES / b->r->images : unit;
    return site / s->space->per_channel;
}

static void set_strata(const bsr_base *b, bsr_base_space *s)
{
    const bsr_spaces *all = &b->r->spaces;
    s->n_strata = 1;
    s->strata[0] = UINT32_MAX >> (BSR_MAX_VARIANTS - s->n_variants);
    if (bsr_design_by_variant(&b->r->design)) {
        s->n_strata = s->n_variants;
        for (int v = 0; v < s->n_variants; v++)
            s->strata[v] = (uint32_t)1 << v;
    } else if (b->units == BSR_BASE_PAIRS) {
        s->n_strata = bsr_class_count(all, s->space);
        for (int c = 0; c < s->n_strata && s->n_strata > 1; c++)
            s->strata[c] = bsr_class_variants(all, s->space, c);
    }
    s->cells = b->units == BSR_BASE_FAULTS ? s->n_variants : s->n_strata;
}

/* In which faults of a site the answer to 0 in its place is found. */
static bsr_zero_source zero_source(const bsr_base *b, const bsr_base_space *s)
{
    if (s->sign < 0)
        return BSR_ZERO_UNKNOWN;
    return b->whole_sites    ? BSR_ZERO_SIGN
           : s->n_strata > 1 ? BSR_ZERO_SIGN_STRATUM
                             : BSR_ZERO_UNKNOWN;
}

static bsr_status init_space(bsr_base *b, bsr_arena *arena, const bsr_space *sp)
{
    bsr_base_space *s = &b->spaces[b->n++];
    *s =
        (bsr_base_space){.space = sp, .width = sp->width, .n_variants = sp->n_variants, .sign = -1};
    memcpy(s->variants, sp->variants, sizeof s->variants);
    set_strata(b, s);
    s->observed =
        bsr_arena_calloc(arena, (size_t)sp->n_chosen * (size_t)s->cells, sizeof *s->observed);
    if (!s->observed)
        return BSR_ENOMEM;
    for (int v = 0; v < sp->n_variants; v++)
        if (sp->variants[v] == sp->width - 1 && strcmp(b->r->fault, "bitflip") == 0 &&
            bsr_format_is_signed(sp->format, !*b->r->format))
            s->sign = v;
    s->zero = zero_source(b, s);
    return BSR_OK;
}

static bsr_status check(const bsr_record *r, const char *path)
{
    if (strcmp(r->command, "sweep") == 0)
        return bsr_fail(BSR_EINVAL, "'%s' holds a sweep, not an injection or analysis", path);
    BSR_TRY(bsr_run_check_faults(r, path));
    if (r->design.kind == BSR_DESIGN_LIST)
        return bsr_fail(BSR_EINVAL, "'%s' holds a list of faults, not a sample of stored bits",
                        path);
    if (r->design.kind == BSR_DESIGN_CHANNELS)
        return bsr_fail(BSR_EUNSUPPORTED,
                        "'%s' was sampled by channels, protect takes samples of faults, sites or "
                        "pairs",
                        path);
    if (strncmp(r->target, "operand", 7) == 0)
        return bsr_fail(BSR_EINVAL, "'%s' has target '%s', which is nothing that is stored", path,
                        r->target);
    return BSR_OK;
}

typedef struct reader {
    bsr_base *base;
    const bsr_space *space; /* of the row before */
    uint64_t site;
} reader;

static bsr_status read_row(void *ctx, const bsr_fault_row *row)
{
    reader *rd = ctx;
    bsr_base *b = rd->base;
    uint64_t number = (uint64_t)row->fault / b->times, site;
    int variant;
    if (row->fault < 0 || number >= b->population || row->pairs != (int64_t)b->images ||
        row->critical < 0 || row->critical > row->pairs)
        return bsr_fail(BSR_EFORMAT, "fault %lld of the database is impossible",
                        (long long)row->fault);
    const bsr_space *sp = bsr_space_of(&b->r->spaces, number, &site, &variant);
    bsr_base_space *s = &b->spaces[sp->id];
    uint64_t cell = site / sp->per_channel * (uint64_t)s->cells;
    if (b->units == BSR_BASE_FAULTS)
        s->observed[cell + (uint64_t)variant]++;
    else if (sp != rd->space || site != rd->site)
        s->observed[cell]++;
    rd->space = sp;
    rd->site = site;
    return bsr_base_add(s, site, variant, (uint64_t)row->critical, (uint64_t)row->critical);
}

static bsr_status read_pair(void *ctx, const bsr_pair_row *row)
{
    bsr_base *b = ((reader *)ctx)->base;
    uint64_t pair = (uint64_t)row->unit / BSR_CLASSES, site = pair / b->r->images;
    int class = (int)(row->unit % BSR_CLASSES);
    if (row->unit < 0 || site >= b->r->spaces.sites || row->critical < 0)
        return bsr_fail(BSR_EFORMAT, "pair %lld of the database is impossible",
                        (long long)row->unit);
    const bsr_space *sp = bsr_space_of_site(&b->r->spaces, &site);
    bsr_base_space *s = &b->spaces[sp->id];
    if (class >= s->n_strata || (uint64_t)row->critical & ~(uint64_t)s->strata[class])
        return bsr_fail(BSR_EFORMAT, "pair %lld of the database is impossible",
                        (long long)row->unit);
    uint64_t unit = (site * b->r->images + pair % b->r->images) * BSR_CLASSES + (uint64_t) class;
    s->observed[site / sp->per_channel * (uint64_t)s->cells + (uint64_t) class]++;
    for (int v = 0; v < s->n_variants; v++) {
        uint64_t critical = (uint64_t)row->critical >> v & 1;
        BSR_TRY(bsr_base_add(s, unit, v, critical, critical));
    }
    return BSR_OK;
}

bsr_status bsr_base_read(bsr_base *b, bsr_arena *arena, bsr_store *store, const bsr_record *r,
                         const char *path)
{
    const bsr_design *d = &r->design;
    *b = (bsr_base){.r = r,
                    .units = d->pairs     ? BSR_BASE_PAIRS
                             : d->by_site ? BSR_BASE_SITES
                                          : BSR_BASE_FAULTS,
                    .images = r->transient || d->pairs ? 1 : r->images,
                    .times = d->images,
                    .population = r->spaces.population};
    BSR_TRY(check(r, path));
    b->whole_sites = b->units == BSR_BASE_SITES || (b->units == BSR_BASE_FAULTS && !r->transient &&
                                                    d->kind == BSR_DESIGN_EXHAUSTIVE);
    b->one_stratum =
        b->units == BSR_BASE_FAULTS && !bsr_design_by_variant(d) && d->strata[0].space < 0;
    b->spaces = bsr_arena_calloc(arena, (size_t)r->spaces.n, sizeof *b->spaces);
    if (!b->spaces)
        return BSR_ENOMEM;
    for (int i = 0; i < r->spaces.n; i++)
        BSR_TRY(init_space(b, arena, &r->spaces.spaces[i]));
    reader rd = {.base = b};
    if (d->pairs)
        return bsr_store_pairs(store, 0, INT64_MAX, read_pair, &rd);
    return bsr_store_faults(store, 0, INT64_MAX, read_row, &rd);
}

void bsr_base_clear(bsr_base *b)
{
    for (int i = 0; i < b->n; i++)
        bsr_free(b->spaces[i].effects);
    b->n = 0;
}
