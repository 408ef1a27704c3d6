#include "campaign/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/real_text.h"
#include "stats/special.h"

/* How facts become text. */
typedef enum fact_type { FACT_TEXT, FACT_BUFFER, FACT_INT, FACT_COUNT, FACT_REAL } fact_type;

/* Facts of a run: one row each. BUFFER: char[size]; TEXT: owned char *. */
static const struct {
    const char *name;
    fact_type type;
    size_t at, size;
    int changes; /* while the run goes on */
    int later;   /* runs of earlier versions do not have it: 0 */
} facts[] = {
#define AT(field) offsetof(bsr_record, field), sizeof(((bsr_record *)0)->field)
    {"command", FACT_BUFFER, AT(command), 0, 0},
    {"target", FACT_BUFFER, AT(target), 0, 0},
    {"method", FACT_BUFFER, AT(method), 0, 0},
    {"version", FACT_BUFFER, AT(version), 0, 0},
    {"model_path", FACT_TEXT, AT(model_path), 0, 0},
    {"model_sha256", FACT_BUFFER, AT(model_sha256), 0, 0},
    {"data", FACT_TEXT, AT(data_spec), 0, 0},
    {"data_sha256", FACT_BUFFER, AT(data_sha256), 0, 0},
    {"spec", FACT_TEXT, AT(spec), 0, 0},
    {"layer_inputs", FACT_TEXT, AT(layer_inputs), 0, 1},
    {"fault", FACT_TEXT, AT(fault), 0, 0},
    {"format", FACT_TEXT, AT(format), 0, 0},
    {"images", FACT_COUNT, AT(images), 0, 0},
    {"golden_correct", FACT_COUNT, AT(golden_correct), 0, 0},
    {"seed", FACT_COUNT, AT(seed), 0, 0},
    {"classes", FACT_INT, AT(classes), 0, 0},
    {"network_layers", FACT_INT, AT(network_layers), 0, 0},
    {"transient", FACT_INT, AT(transient), 0, 0},
    {"per_channel", FACT_INT, AT(per_channel), 0, 0},
    {"worst", FACT_INT, AT(worst), 0, 0},
    {"confidence", FACT_REAL, AT(confidence), 0, 0},
    {"margin", FACT_REAL, AT(design.margin), 0, 0},
    {"format_loss", FACT_REAL, AT(format_loss), 0, 0},
    {"plan", FACT_INT, AT(design.kind), 0, 0},
    {"by_site", FACT_INT, AT(design.by_site), 0, 0},
    {"complete", FACT_INT, AT(complete), 1, 0},
    {"checked", FACT_COUNT, AT(checked), 1, 0},
    {"violations", FACT_COUNT, AT(violations), 1, 0},
    {"pairs", FACT_INT, AT(design.pairs), 0, 1},
    {"neurons", FACT_INT, AT(design.neurons), 0, 1},
    {"channel_ratio", FACT_REAL, AT(design.ratio), 0, 1},
    {"screen", FACT_REAL, AT(screen), 0, 1},
    {"screen_check", FACT_REAL, AT(screen_check), 0, 1},
    {"bounds", FACT_INT, AT(bounds), 0, 1},
    {"stopped", FACT_BUFFER, AT(stopped), 1, 1},
    {"verified", FACT_COUNT, AT(correction.pairs), 1, 1},
    {"verified_differ", FACT_COUNT, AT(correction.differ), 1, 1},
    {"correction", FACT_REAL, AT(correction.mean), 1, 1},
    {"correction_lo", FACT_REAL, AT(correction.lo), 1, 1},
    {"correction_hi", FACT_REAL, AT(correction.hi), 1, 1},
#undef AT
};

#define N_FACTS (sizeof facts / sizeof *facts)

static bsr_status write_facts(bsr_store *store, const bsr_record *r, int only_changing)
{
    for (size_t i = 0; i < N_FACTS; i++) {
        if (only_changing && !facts[i].changes)
            continue;
        const char *field = (const char *)r + facts[i].at, *text = NULL;
        char buf[64] = "";
        switch (facts[i].type) {
        case FACT_TEXT:
            text = *(char *const *)field;
            break;
        case FACT_BUFFER:
            text = field;
            break;
        case FACT_INT:
            snprintf(buf, sizeof buf, "%d", *(const int *)field);
            break;
        case FACT_COUNT:
            snprintf(buf, sizeof buf, "%" PRIu64, *(const uint64_t *)field);
            break;
        case FACT_REAL:
            bsr_real_text(buf, *(const double *)field);
            break;
        }
        BSR_TRY(bsr_store_put_fact(store, facts[i].name, text ? text : buf));
    }
    return BSR_OK;
}

static bsr_status read_fact(bsr_record *r, size_t i, char *text)
{
    char *field = (char *)r + facts[i].at, *stop = text;
    switch (facts[i].type) {
    case FACT_TEXT:
        *(char **)field = text;
        return BSR_OK;
    case FACT_BUFFER:
        snprintf(field, facts[i].size, "%s", text);
        stop += strlen(text);
        break;
    case FACT_INT:
        *(int *)field = (int)strtol(text, &stop, 10);
        break;
    case FACT_COUNT:
        *(uint64_t *)field = strtoull(text, &stop, 10);
        break;
    case FACT_REAL:
        *(double *)field = strtod(text, &stop);
        break;
    }
    bsr_status status =
        *stop ? bsr_fail(BSR_EFORMAT, "fact '%s' of the run is '%.60s'", facts[i].name, text)
              : BSR_OK;
    bsr_free(text);
    return status;
}

static bsr_status read_facts(bsr_record *r, bsr_store *store)
{
    for (size_t i = 0; i < N_FACTS; i++) {
        char *text;
        bsr_status status = bsr_store_get_fact(store, facts[i].name, &text);
        if (status == BSR_ENOTFOUND && facts[i].later)
            continue;
        if (status == BSR_ENOTFOUND)
            return bsr_fail(BSR_EFORMAT, "the database has no fact '%s': not a whole run",
                            facts[i].name);
        BSR_TRY(status);
        BSR_TRY(read_fact(r, i, text));
    }
    return (unsigned)r->design.kind <= BSR_DESIGN_CHANNELS && r->images && r->classes > 0 &&
                   r->network_layers >= 0
               ? BSR_OK
               : bsr_fail(BSR_EFORMAT, "the database holds impossible facts");
}

/* The layer's rows and back. */
static bsr_status write_layer(bsr_store *store, const bsr_space *s)
{
    int32_t *chosen = bsr_alloc_array((size_t)s->n_chosen, sizeof *chosen);
    int32_t variants[BSR_MAX_VARIANTS];
    if (!chosen)
        return BSR_ENOMEM;
    for (int c = 0; c < s->n_chosen; c++)
        chosen[c] = s->chosen[c];
    for (int v = 0; v < s->n_variants; v++)
        variants[v] = s->variants[v];
    bsr_layer_row row = {.id = s->id,
                         .index = s->index,
                         .name = s->name,
                         .op = s->op,
                         .format = s->format,
                         .place = s->place,
                         .width = s->width,
                         .outer = s->outer,
                         .inner = s->inner,
                         .channels = s->channels,
                         .per_channel = (int64_t)s->per_channel,
                         .sites = (int64_t)s->sites,
                         .population = (int64_t)s->population,
                         .first = (int64_t)s->first,
                         .chosen = chosen,
                         .n_chosen = (size_t)s->n_chosen,
                         .variants = variants,
                         .n_variants = (size_t)s->n_variants,
                         .windows = s->windows,
                         .windows_bytes = s->windows_bytes,
                         .pixels = s->pixels,
                         .taps = s->taps,
                         .cin = s->cin};
    bsr_status status = bsr_store_put_layer(store, &row);
    bsr_free(chosen);
    return status;
}

static bsr_status check_layer(const bsr_layer_row *row, int n)
{
    int operand = bsr_is_operand((bsr_fault_place)row->place);
    int fine = row->id == n && row->width >= 1 && row->width <= 32 && row->outer > 0 &&
               row->inner > 0 && row->channels > 0 && row->channels < INT32_MAX &&
               row->n_chosen >= 1 && row->n_variants >= 1 && row->n_variants <= BSR_MAX_VARIANTS &&
               row->place >= 0 && row->place <= BSR_FAULT_PARAMETER;
    for (size_t c = 0; fine && c < row->n_chosen; c++)
        fine = row->chosen[c] >= 0 && row->chosen[c] < row->channels;
    if (fine && operand)
        fine = row->taps > 0 && row->cin > 0 && row->pixels > 0 &&
               row->windows_bytes == (size_t)row->pixels * (((size_t)row->taps + 7) / 8);
    return fine
               ? BSR_OK
               : bsr_fail(BSR_EFORMAT, "layer %lld of the database is damaged", (long long)row->id);
}

static bsr_status read_layer(void *ctx, const bsr_layer_row *row)
{
    bsr_spaces *all = ctx;
    bsr_space *grown = bsr_realloc_array(all->spaces, (size_t)all->n + 1, sizeof *grown);
    if (!grown)
        return BSR_ENOMEM;
    all->spaces = grown;
    BSR_TRY(check_layer(row, all->n));
    bsr_space *s = &all->spaces[all->n++];
    *s = (bsr_space){.id = (int)row->id,
                     .index = (int)row->index,
                     .place = (bsr_fault_place)row->place,
                     .width = (int)row->width,
                     .outer = row->outer,
                     .inner = row->inner,
                     .channels = (int)row->channels,
                     .n_chosen = (int)row->n_chosen,
                     .n_variants = (int)row->n_variants,
                     .pixels = (int)row->pixels,
                     .taps = (int)row->taps,
                     .cin = (int)row->cin,
                     .windows_bytes = row->windows_bytes};
    s->name = bsr_strdup(row->name);
    s->op = bsr_strdup(row->op);
    s->format = bsr_strdup(row->format);
    s->chosen = bsr_alloc_array(row->n_chosen, sizeof *s->chosen);
    s->windows = bsr_alloc_array(row->windows_bytes, 1);
    if (!s->name || !s->op || !s->format || !s->chosen || !s->windows)
        return BSR_ENOMEM;
    for (size_t c = 0; c < row->n_chosen; c++)
        s->chosen[c] = row->chosen[c];
    for (size_t v = 0; v < row->n_variants; v++)
        s->variants[v] = row->variants[v];
    if (row->windows_bytes)
        memcpy(s->windows, row->windows, row->windows_bytes);
    return bsr_space_finish(all, s);
}

static bsr_status write_strata(bsr_store *store, const bsr_design *d)
{
    for (int i = 0; i < d->n_strata; i++) {
        const bsr_planned *p = &d->strata[i];
        bsr_stratum_row row = {.id = i,
                               .layer = p->space,
                               .variant = p->variant,
                               .population = (int64_t)p->population,
                               .planned = (int64_t)p->n,
                               .p = p->p};
        BSR_TRY(bsr_store_put_stratum(store, &row));
    }
    return BSR_OK;
}

static bsr_status read_stratum(void *ctx, const bsr_stratum_row *row)
{
    bsr_record *r = ctx;
    bsr_design *d = &r->design;
    bsr_planned *grown = bsr_realloc_array(d->strata, (size_t)d->n_strata + 1, sizeof *grown);
    if (!grown)
        return BSR_ENOMEM;
    d->strata = grown;
    if (row->id != d->n_strata || row->layer < -1 || row->layer >= r->spaces.n ||
        row->variant < -1 ||
        (row->variant >= 0 &&
         (row->layer < 0 || row->variant >= r->spaces.spaces[row->layer].n_variants)) ||
        row->population < 0 || row->planned < 0 || row->planned > row->population)
        return bsr_fail(BSR_EFORMAT, "stratum %lld of the database is damaged", (long long)row->id);
    d->strata[d->n_strata++] = (bsr_planned){.space = (int)row->layer,
                                             .variant = (int)row->variant,
                                             .p = row->p,
                                             .population = (uint64_t)row->population,
                                             .n = (uint64_t)row->planned};
    return BSR_OK;
}

static bsr_status write_list(bsr_store *store, const bsr_fault_list *list)
{
    enum { AT_ONCE = 4096 };
    bsr_listed_row *rows = bsr_alloc_array(AT_ONCE, sizeof *rows);
    bsr_status status = rows ? BSR_OK : BSR_ENOMEM;
    for (uint64_t i = 0; i < list->n && status == BSR_OK;) {
        size_t n = 0;
        for (; n < AT_ONCE && i < list->n; i++) {
            const bsr_listed *f = &list->faults[i];
            rows[n++] = (bsr_listed_row){.fault = (int64_t)i,
                                         .layer = f->space,
                                         .element = f->element,
                                         .pixel = f->pixel,
                                         .keep = f->change.keep,
                                         .flip = f->change.flip};
        }
        status = bsr_store_put_listed(store, rows, n);
    }
    bsr_free(rows);
    return status;
}

typedef struct listing {
    bsr_record *r;
    size_t cap;
} listing;

static bsr_status read_listed(void *ctx, const bsr_listed_row *row)
{
    listing *l = ctx;
    bsr_fault_list *list = &l->r->list;
    if (row->fault != (int64_t)list->n || row->layer < 0 || row->layer >= l->r->spaces.n)
        return bsr_fail(BSR_EFORMAT, "listed fault %lld of the database is damaged",
                        (long long)row->fault);
    BSR_TRY(bsr_grow(&list->faults, &l->cap, (size_t)list->n + 1, sizeof *list->faults));
    list->faults[list->n++] = (bsr_listed){.space = (int)row->layer,
                                           .element = row->element,
                                           .pixel = (int)row->pixel,
                                           .change = {(uint32_t)row->keep, (uint32_t)row->flip}};
    return BSR_OK;
}

bsr_status bsr_record_write(bsr_store *store, const bsr_record *r)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, r->images);
    if (r->transient)
        BSR_TRY(bsr_store_put_fact(store, BSR_STORE_FACT_TRANSIENT_IMAGES, text));
    BSR_TRY(write_facts(store, r, 0));
    for (int i = 0; i < r->spaces.n; i++)
        BSR_TRY(write_layer(store, &r->spaces.spaces[i]));
    BSR_TRY(write_strata(store, &r->design));
    BSR_TRY(write_list(store, &r->list));
    return bsr_store_commit_plan(store);
}

bsr_status bsr_record_update(bsr_store *store, const bsr_record *r)
{
    BSR_TRY(bsr_store_begin(store));
    bsr_status status = write_strata(store, &r->design);
    if (status == BSR_OK)
        status = write_facts(store, r, 1);
    return bsr_store_end(store, status);
}

bsr_status bsr_record_screen(bsr_record *r)
{
    bsr_free(r->theta);
    r->theta = bsr_alloc_array((size_t)r->spaces.n + 1, sizeof *r->theta);
    for (int i = 0; r->theta && i < r->spaces.n; i++)
        r->theta[i] = r->screen;
    return r->theta ? BSR_OK : BSR_ENOMEM;
}

/* Fact of a layer whose theta was lowered. */
static const char *theta_fact(char name[32], int space)
{
    snprintf(name, 32, "screen_%d", space);
    return name;
}

bsr_status bsr_record_forget(bsr_store *store, bsr_record *r, int space, double theta)
{
    const bsr_space *s = &r->spaces.spaces[space];
    int64_t images = (int64_t)r->design.images;
    int64_t site = (int64_t)bsr_design_first_site(&r->design, s);
    int64_t sites = (int64_t)bsr_design_sites(&r->design, s);
    int64_t pair = (int64_t)r->images * BSR_CLASSES;
    bsr_answer_range range = {.layer = space,
                              .first = (int64_t)s->first * images,
                              .end = (int64_t)(s->first + s->population) * images,
                              .first_unit = site * pair,
                              .end_unit = (site + sites) * pair,
                              .first_site = site,
                              .end_site = site + sites};
    char name[32], text[64];
    if (r->design.pairs) /* which are numbered by images, too, but are no transient faults */
        range.end = range.first;
    bsr_real_text(text, theta);
    BSR_TRY(bsr_store_begin(store));
    bsr_status status = bsr_store_forget(store, &range);
    if (status == BSR_OK)
        status = bsr_store_put_fact(store, theta_fact(name, space), text);
    status = bsr_store_end(store, status);
    if (status == BSR_OK)
        r->theta[space] = theta;
    return status;
}

static bsr_status read_thetas(bsr_record *r, bsr_store *store)
{
    BSR_TRY(bsr_record_screen(r));
    for (int i = 0; r->screen > 0 && i < r->spaces.n; i++) {
        char name[32], *text;
        bsr_status status = bsr_store_get_fact(store, theta_fact(name, i), &text);
        if (status == BSR_ENOTFOUND)
            continue;
        BSR_TRY(status);
        r->theta[i] = strtod(text, NULL);
        bsr_free(text);
    }
    return BSR_OK;
}

bsr_status bsr_record_read(bsr_record *r, bsr_store *store)
{
    memset(r, 0, sizeof *r);
    BSR_TRY(read_facts(r, store));
    BSR_TRY(bsr_store_layers(store, read_layer, &r->spaces));
    if (!r->spaces.n && strcmp(r->command, "sweep") != 0)
        return bsr_fail(BSR_EFORMAT, "the database has no layers");
    r->design.images = r->transient || r->design.pairs ? r->images : 1;
    r->design.confidence = r->confidence;
    r->design.t = bsr_normal_quantile(0.5 + r->confidence / 2);
    BSR_TRY(read_thetas(r, store));
    if (r->spaces.n)
        r->design.largest = bsr_design_largest(&r->design, &r->spaces);
    BSR_TRY(bsr_store_strata(store, read_stratum, r));
    listing l = {.r = r};
    BSR_TRY(bsr_store_listed(store, read_listed, &l));
    if (r->design.kind == BSR_DESIGN_LIST) {
        r->spaces.model.kind = BSR_FAULT_LISTED;
        bsr_fault_list_apply(&r->list, &r->spaces);
        return BSR_OK;
    }
    if (strcmp(r->command, "sweep") == 0)
        return BSR_OK;
    BSR_TRY(bsr_fault_model_parse(&r->spaces.model, r->fault));
    r->spaces.model.seed = r->seed;
    return BSR_OK;
}

void bsr_record_clear(bsr_record *r)
{
    bsr_spaces_clear(&r->spaces);
    bsr_design_clear(&r->design);
    bsr_fault_list_clear(&r->list);
    bsr_free(r->fault);
    bsr_free(r->format);
    bsr_free(r->model_path);
    bsr_free(r->data_spec);
    bsr_free(r->spec);
    bsr_free(r->layer_inputs);
    bsr_free(r->theta);
    memset(r, 0, sizeof *r);
}

bsr_status bsr_record_same(const bsr_record *then, const bsr_record *now)
{
    const struct {
        const char *what, *then, *now;
    } pairs[] = {
        {"command", then->command, now->command},
        {"model (SHA-256)", then->model_sha256, now->model_sha256},
        {"data (SHA-256)", then->data_sha256, now->data_sha256},
        {"spec", then->spec, now->spec},
        {"version", then->version, now->version},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strcmp(pairs[i].then, pairs[i].now) != 0)
            return bsr_fail(BSR_EINVAL, "another run: its %s is '%.200s', here it is '%.200s'",
                            pairs[i].what, pairs[i].then, pairs[i].now);
    return BSR_OK;
}

bsr_status bsr_record_fail(bsr_status status, const char *path)
{
    const char *message = bsr_error_message();
    size_t n = strlen(path);
    if (*message == '\'' && strncmp(message + 1, path, n) == 0 && message[n + 1] == '\'')
        return status;
    return bsr_fail_prefix(status, "'%s'", path);
}
