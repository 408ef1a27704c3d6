/* What a run says about itself, and its place in a database. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "campaign/describe.h"

/* Checks of what screening skips. */
#define CHECK_ONE_OF         256
#define CHECK_ONE_OF_NEURONS 2
#define MOST_CHECKS          100000.0

static const char *or_default(const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

/* Hash of the list's bytes: its name decides nothing. */
static bsr_status hash_list(char hex[65], const char *path)
{
    void *bytes;
    size_t n;
    bsr_sha256 h;
    hex[0] = 0;
    if (!path)
        return BSR_OK;
    BSR_TRY(bsr_file_read(&bytes, &n, path, (size_t)1 << 30));
    bsr_sha256_init(&h);
    bsr_sha256_update(&h, bytes, n);
    bsr_sha256_final(&h, hex);
    bsr_free(bytes);
    return BSR_OK;
}

bsr_status bsr_run_spec(char **out, const char *command, const bsr_run_options *o, const char *more)
{
    char list[65];
    *out = NULL;
    BSR_TRY(hash_list(list, o->faults));
    const char *texts[] = {o->layers, o->tensors, o->channels, o->bits,   o->fault,
                           o->format, o->plan,    o->shares,   o->method, more};
    size_t room = 1024;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        room += texts[i] ? strlen(texts[i]) : 0;
    char *spec = bsr_alloc_array(room, 1);
    if (!spec)
        return BSR_ENOMEM;
    int calibrated = o->format != NULL;
    snprintf(spec, room,
             "%s target=%s layers=%s tensors=%s channels=%s bits=%s fault=%s format=%s "
             "calibrate=%zu plan=%s method=%s margin=%.17g shares=%s faults=%s transient=%d "
             "check=%llu verify=%llu screen=%.17g screen_checks=%llu bounds=%d confidence=%.17g "
             "seed=%llu%s%s",
             command, bsr_target_name(o->target), or_default(o->layers, "all"),
             or_default(o->tensors, "default"), or_default(o->channels, "all"),
             or_default(o->bits, "all"), or_default(o->fault, "bitflip"), or_default(o->format, ""),
             calibrated ? o->calibrate : 0, or_default(o->plan, "default"),
             or_default(o->method, "default"), o->margin, or_default(o->shares, ""), list,
             o->transient, (unsigned long long)o->check, (unsigned long long)o->verify, o->screen,
             (unsigned long long)o->screen_checks, o->bounds, o->confidence,
             (unsigned long long)o->seed, more ? " " : "", or_default(more, ""));
    *out = spec;
    return BSR_OK;
}

static bsr_status copy(char **to, const char *text)
{
    *to = bsr_strdup(text ? text : "");
    return *to ? BSR_OK : BSR_ENOMEM;
}

static const char *setting(const bsr_run_options *o, const char *name)
{
    for (int i = 0; i < o->n_settings; i++)
        if (strcmp(o->settings[i].name, name) == 0)
            return o->settings[i].value;
    return "";
}

/* One in CHECK_ONE_OF of what is skipped; of neurons, which have thousands of faults, one fault of
 * every second. No more than MOST_CHECKS where it is known how much that may be. */
static bsr_status describe_screening(bsr_record *r, const bsr_run_options *o)
{
    const bsr_design *d = &r->design;
    double rate = 1.0 / (d->neurons ? CHECK_ONE_OF_NEURONS : CHECK_ONE_OF);
    double most = d->neurons ? (double)(bsr_design_planned(d) * bsr_design_spread(d))
                             : (double)bsr_planned_pairs(d, &r->spaces, r->images);
    most = fmax(most, 1);
    if (o->screen_checks)
        rate = (double)o->screen_checks / most;
    else if (d->kind != BSR_DESIGN_ADAPTIVE)
        rate = fmin(rate, MOST_CHECKS / most);
    r->screen = fmax(o->screen, 0);
    r->screen_check = fmin(rate, 1);
    r->bounds = r->design.by_site && (o->bounds || r->design.pairs);
    return bsr_record_screen(r);
}

static bsr_status describe_inputs(bsr_record *r, const bsr_model *model)
{
    int n = bsr_model_get_info(model).layers;
    size_t room = (size_t)n * 21 + 1, at = 0; /* digits of 2^63 - 1, a sign, a comma */
    bsr_layer_info layer;
    char *text = r->layer_inputs = bsr_calloc_array(room, 1);
    if (!text)
        return BSR_ENOMEM;
    for (int i = 0; i < n; i++) {
        BSR_TRY(bsr_model_layer(model, i, &layer));
        at +=
            (size_t)snprintf(text + at, room - at, "%s%lld", i ? "," : "", (long long)layer.inputs);
    }
    return BSR_OK;
}

bsr_status bsr_run_describe(bsr_record *r, const bsr_session *s, const char *command,
                            const char *more)
{
    const bsr_run_options *o = &s->options;
    r->images = s->images;
    r->seed = o->seed;
    r->classes = bsr_plan_classes(s->plan);
    r->network_layers = s->plan->n_layers;
    r->transient = o->transient != 0;
    r->per_channel = o->per_channel;
    r->worst = o->worst;
    r->confidence = o->confidence;
    r->format_loss = s->format_loss;
    r->golden_correct = s->correct;
    BSR_TRY(describe_screening(r, o));
    snprintf(r->command, sizeof r->command, "%s", command);
    snprintf(r->target, sizeof r->target, "%s", bsr_target_name(o->target));
    snprintf(r->method, sizeof r->method, "%s", or_default(o->method, "direct"));
    snprintf(r->version, sizeof r->version, "%s", bsr_version());
    snprintf(r->model_sha256, sizeof r->model_sha256, "%s", s->model->sha256);
    BSR_TRY(bsr_dataset_sha256(s->data, r->data_sha256));
    BSR_TRY(copy(&r->fault, or_default(o->fault, "bitflip")));
    BSR_TRY(copy(&r->format, o->format));
    BSR_TRY(copy(&r->model_path, s->model->path));
    BSR_TRY(describe_inputs(r, s->model));
    BSR_TRY(copy(&r->data_spec, setting(o, "data")));
    return bsr_run_spec(&r->spec, command, o, more);
}

static bsr_status open_old(bsr_store **store, bsr_record *r, const bsr_run_options *o)
{
    bsr_record then;
    BSR_TRY(bsr_store_open(store, o->store, 1));
    bsr_status status = bsr_record_read(&then, *store);
    if (status == BSR_OK)
        status = bsr_record_same(&then, r);
    if (status == BSR_OK) {
        /* Sizes that rounds decided, and where the run stands. The rest is equal. */
        for (int i = 0; i < r->design.n_strata && i < then.design.n_strata; i++)
            r->design.strata[i].n = then.design.strata[i].n;
        r->complete = then.complete;
        r->checked = then.checked;
        r->violations = then.violations;
        r->correction = then.correction;
        memcpy(r->stopped, then.stopped, sizeof r->stopped);
        memcpy(r->theta, then.theta, (size_t)r->spaces.n * sizeof *r->theta);
    }
    bsr_record_clear(&then);
    return status == BSR_OK ? status : bsr_record_fail(status, o->store);
}

static bsr_status open_new(bsr_store **store, const bsr_record *r, const bsr_run_options *o)
{
    BSR_TRY(bsr_store_create(store, o->store));
    for (int i = 0; i < o->n_settings; i++)
        BSR_TRY(bsr_store_add_setting(*store, o->settings[i].name, o->settings[i].value));
    return bsr_record_write(*store, r);
}

bsr_status bsr_run_open(bsr_store **store, bsr_record *r, const bsr_run_options *o)
{
    *store = NULL;
    bsr_status status = o->store && o->resume ? open_old(store, r, o) : open_new(store, r, o);
    if (status != BSR_OK) {
        bsr_store_close(*store);
        *store = NULL;
    }
    return status;
}

static bsr_session_row session_row(const bsr_run_log *log, const bsr_session *s, char brand[64])
{
    return (bsr_session_row){.started = log->started,
                             .version = bsr_version(),
                             .cpu = bsr_cpu_name(s->plan->kernels->cpu),
                             .cpu_brand = bsr_cpu_brand(brand),
                             .threads = s->options.threads,
                             .seconds = s->seconds,
                             .golden_seconds = s->golden_seconds,
                             .forward_seconds = s->forward_seconds};
}

bsr_status bsr_run_log_start(bsr_run_log *log, bsr_store *store, const bsr_session *s)
{
    char brand[64];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(log->started, sizeof log->started, "%Y-%m-%dT%H:%M:%SZ", &utc);
    bsr_session_row row = session_row(log, s, brand);
    return bsr_store_add_session(store, &row, &log->id);
}

bsr_status bsr_run_log_end(const bsr_run_log *log, bsr_store *store, const bsr_session *s,
                           uint64_t evaluations, uint64_t injections, double macs)
{
    char brand[64];
    bsr_session_row row = session_row(log, s, brand);
    row.evaluations = (int64_t)evaluations;
    row.injections = (int64_t)injections;
    row.forward_equivalents = macs / (s->plan->macs * (double)s->images);
    return bsr_store_update_session(store, log->id, &row);
}
