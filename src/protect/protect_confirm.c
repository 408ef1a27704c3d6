/* bsr_protect_confirm: direct injection of what a protection leaves. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "campaign/answers.h"
#include "protect/protect_base.h"
#include "rng/sample.h"
#include "tensor/format.h"

/* Stream of the draw; those of the run's own are 4 << 32 and above it. */
#define STREAM_CONFIRM ((uint64_t)9 << 32)

typedef struct confirmer {
    const bsr_protection *p;
    bsr_record r;
    int widths;       /* bits of a code in the format of the protection, 0: as in the run */
    uint64_t *faults; /* [n] drawn */
    uint64_t n;
    bsr_fault_list list; /* those that are injected, each once */
    uint32_t *times;     /* [list.n] how often each was drawn */
    char folder[200], list_path[220], store_path[220];
    bsr_stratum outcome;
} confirmer;

static int variants_of(const confirmer *c, const bsr_space *sp)
{
    return c->widths ? c->widths : sp->n_variants;
}

static uint64_t population_of(const confirmer *c)
{
    uint64_t n = 0;
    for (int i = 0; i < c->r.spaces.n; i++)
        n += c->r.spaces.spaces[i].sites * (uint64_t)variants_of(c, &c->r.spaces.spaces[i]);
    return n;
}

/* Space, site and variant of a fault of the population under the protection. */
static const bsr_space *locate(const confirmer *c, uint64_t fault, uint64_t *site, int *variant)
{
    const bsr_space *sp = c->r.spaces.spaces;
    while (fault >= sp->sites * (uint64_t)variants_of(c, sp)) {
        fault -= sp->sites * (uint64_t)variants_of(c, sp);
        sp++;
    }
    *site = fault / (uint64_t)variants_of(c, sp);
    *variant = (int)(fault % (uint64_t)variants_of(c, sp));
    return sp;
}

static bsr_status check_zero(const confirmer *c, const bsr_space *sp)
{
    const char *format = *c->p->format ? c->p->format : sp->format;
    bsr_format f;
    int own_codes = !*c->p->format && !*c->p->run_format;
    if (strcmp(format, "float32") == 0)
        return BSR_OK;
    if (!own_codes && bsr_format_parse(&f, format) == BSR_OK && !f.affine &&
        f.kind != BSR_FORMAT_BINARY)
        return BSR_OK;
    return bsr_fail(BSR_EUNSUPPORTED,
                    "'%s' is stored as %s, whose code of 0 is not known: parity cannot be injected",
                    sp->name, format);
}

/* The fault as it gets through; *gone: it does not. */
static bsr_status changed(const confirmer *c, uint64_t fault, bsr_listed *to, int *gone)
{
    uint64_t site;
    int variant;
    const bsr_space *sp = locate(c, fault, &site, &variant);
    const bsr_protected_layer *l = &c->p->layers[sp->id];
    int bit = c->widths ? variant : sp->variants[variant];
    bsr_site at = bsr_space_site(sp, site);
    int width = c->widths ? c->widths : sp->width;
    bsr_change change = c->widths ? bsr_fault_change(&c->r.spaces.model, width, bit, sp->id, site)
                                  : bsr_space_change(&c->r.spaces, sp, site, variant);
    int guarded = l->channels[site / sp->per_channel] && (bit < 0 || l->bits >> bit & 1);
    *gone = guarded && l->by != BSR_PROTECT_PARITY;
    if (guarded && l->by == BSR_PROTECT_PARITY) {
        BSR_TRY(check_zero(c, sp));
        change = (bsr_change){0, 0};
    }
    change.keep &= UINT32_MAX >> (32 - width);
    *to = (bsr_listed){sp->id, at.element, at.pixel, change};
    return BSR_OK;
}

static int same(const bsr_listed *a, const bsr_listed *b)
{
    return a->space == b->space && a->element == b->element && a->pixel == b->pixel &&
           a->change.keep == b->change.keep && a->change.flip == b->change.flip;
}

/* The list, each fault once: parity makes one of several. */
static bsr_status make_list(confirmer *c)
{
    c->list.faults = bsr_alloc_array(c->n, sizeof *c->list.faults);
    c->times = bsr_calloc_array(c->n, sizeof *c->times);
    if (!c->list.faults || !c->times)
        return BSR_ENOMEM;
    for (uint64_t i = 0; i < c->n; i++) {
        int gone;
        BSR_TRY(changed(c, c->faults[i], &c->list.faults[c->list.n], &gone));
        c->list.n += !gone;
    }
    bsr_fault_list_sort(&c->list);
    uint64_t n = 0;
    for (uint64_t i = 0; i < c->list.n; i++) {
        if (!n || !same(&c->list.faults[n - 1], &c->list.faults[i]))
            c->list.faults[n++] = c->list.faults[i];
        c->times[n - 1]++;
    }
    c->list.n = n;
    return BSR_OK;
}

static bsr_status write_list(confirmer *c, const char *format)
{
    const char *parent = getenv("TMPDIR");
    char *text;
    snprintf(c->folder, sizeof c->folder, "%.150s/bitseer-XXXXXX",
             parent && *parent ? parent : "/tmp");
    if (!mkdtemp(c->folder)) {
        c->folder[0] = 0;
        return bsr_fail(BSR_EIO, "cannot make a folder in '%.150s'",
                        parent && *parent ? parent : "/tmp");
    }
    snprintf(c->list_path, sizeof c->list_path, "%s/faults", c->folder);
    snprintf(c->store_path, sizeof c->store_path, "%s/run.db", c->folder);
    BSR_TRY(bsr_fault_list_text(&text, &c->list, &c->r.spaces, c->r.target, format));
    bsr_status status = bsr_file_write_atomic(c->list_path, text, strlen(text));
    bsr_free(text);
    return status;
}

static bsr_status count_row(void *ctx, const bsr_fault_row *row)
{
    confirmer *c = ctx;
    if (row->fault < 0 || (uint64_t)row->fault >= c->list.n)
        return bsr_fail(BSR_EFORMAT, "fault %" PRId64 " is not in the list", row->fault);
    for (uint32_t k = 0; k < c->times[row->fault]; k++)
        BSR_TRY(bsr_stratum_add(&c->outcome, (uint64_t)row->critical));
    return BSR_OK;
}

static bsr_status check_same(const confirmer *c, const bsr_result *result)
{
    const bsr_provenance *now = &result->provenance;
    if (strcmp(now->model_sha256, c->r.model_sha256) != 0)
        return bsr_fail(BSR_EINVAL, "the model (SHA-256 %s) is not that of '%s' (%s)",
                        now->model_sha256, c->p->path, c->r.model_sha256);
    if (strcmp(now->data_sha256, c->r.data_sha256) != 0)
        return bsr_fail(BSR_EINVAL, "the data (SHA-256 %s) are not those of '%s' (%s)",
                        now->data_sha256, c->p->path, c->r.data_sha256);
    return BSR_OK;
}

static bsr_status inject(confirmer *c, const bsr_model *model, const bsr_dataset *data,
                         const bsr_run_options *options)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    bsr_result *result;
    bsr_store *store;
    const char *format = *c->p->format ? c->p->format : c->p->run_format;
    o.target = options->target;
    o.layers = options->layers;
    o.tensors = options->tensors;
    o.channels = options->channels;
    o.calibrate = options->calibrate;
    o.threads = options->threads;
    o.cpu = options->cpu;
    o.max_memory = options->max_memory;
    o.progress = options->progress;
    o.progress_ctx = options->progress_ctx;
    BSR_TRY(write_list(c, format));
    o.format = *format ? format : NULL;
    o.faults = c->list_path;
    o.store = c->store_path;
    BSR_TRY(bsr_inject(&result, model, data, &o));
    bsr_status status = check_same(c, result);
    bsr_result_free(result);
    BSR_TRY(status);
    BSR_TRY(bsr_store_open(&store, c->store_path, 0));
    status = bsr_store_faults(store, 0, INT64_MAX, count_row, c);
    bsr_store_close(store);
    return status;
}

static bsr_status check(confirmer *c, uint64_t n)
{
    bsr_format f;
    if (c->r.transient)
        return bsr_fail(BSR_EINVAL, "'%s' holds transient faults, which cannot be confirmed",
                        c->p->path);
    if (c->p->clip)
        return bsr_fail(BSR_EUNSUPPORTED, "clipping cannot be confirmed by injection");
    if (*c->p->format) {
        BSR_TRY(bsr_format_parse(&f, c->p->format));
        c->widths = f.bits;
    }
    uint64_t population = population_of(c);
    return n && n <= population
               ? BSR_OK
               : bsr_fail(BSR_EINVAL, "%" PRIu64 " faults to confirm with, expected 1 to %" PRIu64,
                          n, population);
}

static bsr_status confirm(confirmer *c, bsr_confirmation *out, const bsr_model *model,
                          const bsr_dataset *data, const bsr_run_options *options, uint64_t n)
{
    BSR_TRY(check(c, n));
    BSR_TRY(bsr_sample_indices(&c->faults, population_of(c), n, options->seed, STREAM_CONFIRM, 1));
    c->n = n;
    BSR_TRY(make_list(c));
    BSR_TRY(bsr_stratum_init(&c->outcome, population_of(c), c->r.images));
    if (c->list.n)
        BSR_TRY(inject(c, model, data, options));
    out->faults = n;
    for (uint64_t i = 0; i < c->list.n; i++)
        out->injected += c->times[i];
    while (c->outcome.n < n)
        BSR_TRY(bsr_stratum_add(&c->outcome, 0));
    bsr_estimate e;
    BSR_TRY(bsr_stratified_faults(&e, &c->outcome, 1, c->p->confidence));
    out->measured = (bsr_share){e.mean, e.ci.lo, e.ci.hi};
    return BSR_OK;
}

static void clear(confirmer *c)
{
    static const char *const beside[] = {"", "-wal", "-shm", "-journal"};
    char path[240];
    if (c->folder[0]) {
        for (int i = 0; i < 4; i++) {
            snprintf(path, sizeof path, "%s%s", c->store_path, beside[i]);
            unlink(path);
        }
        unlink(c->list_path);
        rmdir(c->folder);
    }
    bsr_free(c->faults);
    bsr_free(c->times);
    bsr_fault_list_clear(&c->list);
    bsr_record_clear(&c->r);
}

bsr_status bsr_protect_confirm(bsr_confirmation *out, const bsr_protection *protection,
                               const bsr_model *model, const bsr_dataset *data,
                               const bsr_run_options *options, uint64_t n)
{
    confirmer c = {.p = protection};
    bsr_store *store;
    *out = (bsr_confirmation){0};
    if (options->version != BSR_RUN_OPTIONS_VERSION)
        return bsr_fail(BSR_EINVAL, "run options have version %d, expected %d", options->version,
                        BSR_RUN_OPTIONS_VERSION);
    BSR_TRY(bsr_run_read(&store, &c.r, protection->path));
    bsr_store_close(store);
    bsr_status status = confirm(&c, out, model, data, options, n);
    clear(&c);
    return status;
}
