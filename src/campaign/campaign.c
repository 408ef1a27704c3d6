/* bsr_inject and bsr_analyze: the same campaign with other defaults. */
#include "campaign/describe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/deepvigor_run.h"
#include "campaign/rounds.h"
#include "campaign/sink.h"
#include "campaign/summary.h"
#include "campaign/sweep.h"
#include "campaign/verify.h"
#include "campaign/worker.h"

/* A block should take about this long, and much longer than the golden runs that it costs when not
 * all images fit into memory. */
#define BLOCK_SECONDS 20
#define BLOCK_GOLDEN  20

/* Parts that a round of a run with a limit of time has. */
#define PARTS 64

/* Screening below this is not worth its name. */
#define LEAST_THETA 0.01

typedef struct run {
    bsr_session s;
    bsr_record record;
    bsr_store *store;
    bsr_sink sink;
    bsr_work work;
    bsr_gradient_plan *gradients; /* NULL: no screening */
    bsr_run_log log;
    uint64_t answered; /* rows in the store */
    uint64_t injected; /* pairs answered by this process */
    double start;
    uint64_t fresh;       /* units answered by this process in the current part */
    unsigned char *lower; /* [spaces] whose theta is to be lowered */
    double block_units;
} run;

/* Marks the units of a block whose rows are there. */
typedef struct seen {
    const bsr_record *record;
    const uint64_t *units;
    uint64_t n, at;
    unsigned char *done; /* [n] */
} seen;

static bsr_status mark(void *ctx, const bsr_fault_row *row)
{
    seen *s = ctx;
    uint64_t fault;
    for (; s->at < s->n; s->at++) {
        bsr_unit_rows(s->record, s->units[s->at], &fault);
        if (fault >= (uint64_t)row->fault)
            break;
    }
    /* All rows of a unit come in one transaction: its first stands for it. */
    if (s->at < s->n) {
        bsr_unit_rows(s->record, s->units[s->at], &fault);
        s->done[s->at] |= fault == (uint64_t)row->fault;
    }
    return BSR_OK;
}

static bsr_status mark_pair(void *ctx, const bsr_pair_row *row)
{
    seen *s = ctx;
    while (s->at < s->n && s->units[s->at] < (uint64_t)row->unit)
        s->at++;
    if (s->at < s->n)
        s->done[s->at] |= s->units[s->at] == (uint64_t)row->unit;
    return BSR_OK;
}

static bsr_status mark_all(const run *r, seen *s)
{
    uint64_t first, last, more, n = s->n;
    if (r->record.design.pairs)
        return bsr_store_pairs(r->store, (int64_t)s->units[0], (int64_t)s->units[n - 1] + 1,
                               mark_pair, s);
    bsr_unit_rows(&r->record, s->units[0], &first);
    more = bsr_unit_rows(&r->record, s->units[n - 1], &last);
    return bsr_store_faults(r->store, (int64_t)first, (int64_t)(last + more), mark, s);
}

/* Removes from units [*n] what the store has answers to. */
static bsr_status drop_answered(const run *r, uint64_t *units, uint64_t *n)
{
    if (!r->answered || !*n)
        return BSR_OK;
    seen s = {.record = &r->record, .units = units, .n = *n};
    s.done = bsr_calloc_array(*n, 1);
    if (!s.done)
        return BSR_ENOMEM;
    bsr_status status = mark_all(r, &s);
    uint64_t left = 0;
    for (uint64_t i = 0; i < *n && status == BSR_OK; i++)
        if (!s.done[i])
            units[left++] = units[i];
    bsr_free(s.done);
    if (status == BSR_OK)
        *n = left;
    return status;
}

static uint64_t next_block(const run *r)
{
    uint64_t most = bsr_work_block_units(&r->work);
    if (r->record.design.pairs || r->s.images_at_once >= r->s.images)
        return most;
    double n = r->block_units > 256 ? r->block_units : 256;
    return n < (double)most ? (uint64_t)n : most;
}

/* Sets the size of the next block from what this one cost. */
static void learn(run *r, uint64_t units, double seconds, double golden)
{
    double per_unit = seconds / (double)units, want = BLOCK_SECONDS;
    double limit = r->s.options.max_time;
    if (limit > 0)
        want = fmin(want, limit / 10);
    want = golden * BLOCK_GOLDEN > want ? golden * BLOCK_GOLDEN : want;
    if (per_unit > 0)
        r->block_units = want / per_unit;
}

/* Answers all units of one draw: ascending, or 0..n-1. */
static bsr_status answer(run *r, const uint64_t *units, uint64_t n)
{
    uint64_t *block = bsr_alloc_array(bsr_work_block_units(&r->work), sizeof *block);
    bsr_status status = block ? BSR_OK : BSR_ENOMEM;
    for (uint64_t at = 0; at < n && status == BSR_OK;) {
        uint64_t m = 0, most = next_block(r);
        for (; m < most && at < n; m++, at++)
            block[m] = units ? units[at] : at;
        status = drop_answered(r, block, &m);
        double seconds = r->s.seconds, golden = r->s.golden_seconds;
        if (status == BSR_OK && m)
            status = bsr_work_block(&r->work, block, m);
        r->fresh += m;
        if (m)
            learn(r, m, r->s.seconds - seconds, r->s.golden_seconds - golden);
    }
    bsr_free(block);
    return status;
}

/* (fault, image) pairs of the rows in the store. */
static uint64_t answered_pairs(const run *r)
{
    const bsr_record *record = &r->record;
    uint64_t each = record->design.pairs ? BSR_MAX_VARIANTS / BSR_CLASSES : 1; /* about */
    return r->answered * (record->transient || record->design.pairs ? each : r->s.images);
}

/* Are the store's rows those of the units drawn so far and no others? A process that was killed, or
 * a layer that is answered again, may have left more: then what was answered is no random part of
 * what those strata plan. */
static bsr_status is_whole_sample(const run *r, int *yes)
{
    const bsr_design *d = &r->record.design;
    uint64_t there, drawn = 0;
    BSR_TRY(bsr_store_count_answers(r->store, &there));
    for (int i = 0; i < d->n_strata; i++) {
        uint64_t rows = d->by_site && !d->pairs
                            ? (uint64_t)r->record.spaces.spaces[d->strata[i].space].n_variants
                            : bsr_design_spread(d);
        drawn += d->drawn[i] * rows;
    }
    *yes = there == drawn;
    return BSR_OK;
}

/* Answers what the strata plan and have not drawn; with a limit of time in small parts, each of
 * which leaves a sample of all strata. */
static bsr_status answer_planned(run *r)
{
    bsr_design *d = &r->record.design;
    double limit = r->s.options.max_time;
    uint64_t parts = (bsr_design_planned(d) - bsr_design_drawn(d)) / PARTS + 1;
    for (;;) {
        uint64_t *units, n;
        BSR_TRY(bsr_design_draw(d, &r->record.spaces, limit > 0 ? parts : 0, &units, &n));
        if (!n)
            return BSR_OK;
        r->fresh = 0;
        bsr_status status = answer(r, units, n);
        bsr_free(units);
        BSR_TRY(status);
        int may_stop = 0;
        if (limit > 0 && r->fresh && bsr_seconds() - r->start > limit)
            BSR_TRY(is_whole_sample(r, &may_stop));
        if (may_stop) {
            bsr_design_stop(d);
            snprintf(r->record.stopped, sizeof r->record.stopped, "time");
            return bsr_record_update(r->store, &r->record);
        }
    }
}

static bsr_status note_missed(void *ctx, const bsr_screening_row *row)
{
    run *r = ctx;
    if (row->layer < 0 || row->layer >= r->record.spaces.n || !row->checked)
        return BSR_OK;
    double missed = (double)row->missed / (double)row->checked * (double)row->skipped;
    r->lower[row->layer] = missed > BSR_SCREEN_TOLERANCE * (double)row->pairs;
    return BSR_OK;
}

/* Where screening missed too much, the layer's answers are forgotten and found again with half the
 * theta, in the end without screening. */
static bsr_status lower_thetas(run *r, int *again)
{
    bsr_record *record = &r->record;
    *again = 0;
    memset(r->lower, 0, (size_t)record->spaces.n);
    BSR_TRY(bsr_store_screenings(r->store, note_missed, r));
    for (int i = 0; i < record->spaces.n; i++) {
        if (!r->lower[i])
            continue;
        double theta = record->theta[i] / 2;
        BSR_TRY(bsr_record_forget(r->store, record, i, theta < LEAST_THETA ? 0 : theta));
        *again = 1;
    }
    if (*again) {
        BSR_TRY(bsr_store_count_answers(r->store, &r->answered));
        r->s.done = answered_pairs(r);
        bsr_design_redraw(&record->design);
    }
    return BSR_OK;
}

static bsr_status answer_all(run *r)
{
    bsr_design *d = &r->record.design;
    BSR_TRY(bsr_store_count_answers(r->store, &r->answered));
    uint64_t before = answered_pairs(r);
    r->start = bsr_seconds();
    r->lower = bsr_calloc_array((size_t)r->record.spaces.n + 1, 1);
    if (!r->lower)
        return BSR_ENOMEM;
    bsr_session_begin(&r->s, d->by_site ? "rays" : "injecting", 0, before);
    for (int more = 1; more;) {
        r->s.total = bsr_planned_pairs(d, &r->record.spaces, r->s.images);
        BSR_TRY(answer_planned(r));
        BSR_TRY(lower_thetas(r, &more));
        if (!more && d->kind == BSR_DESIGN_ADAPTIVE && !*r->record.stopped)
            BSR_TRY(bsr_next_round(r->store, &r->record, &more));
    }
    r->injected = r->s.done > before ? r->s.done - before : 0;
    return bsr_session_end(&r->s);
}

/* Fault-free values of the worst sites, which reports show: into the result and the store. */
static bsr_status keep_values(run *r, bsr_result *result)
{
    const bsr_session *s = &r->s;
    bsr_golden *golden = NULL;
    bsr_status status = BSR_OK;
    int needs_golden = !r->record.spaces.spaces[0].data;
    if (!result->n_worst)
        return BSR_OK;
    if (needs_golden)
        status = bsr_golden_new(&golden, s->plan, s->pool, s->data, s->model->nhwc, 0, 1);
    for (int i = 0; i < result->n_worst && status == BSR_OK; i++) {
        bsr_worst_site *w = &result->worst[i];
        const bsr_space *sp = &r->record.spaces.spaces[w->layer];
        bsr_site site = {w->element, (int)w->pixel, bsr_element_channel(sp, w->element)};
        w->value = bsr_space_value(sp, site, bsr_space_code(sp, golden, 0, site));
        bsr_value_row row = {
            .layer = w->layer, .element = w->element, .pixel = w->pixel, .value = w->value};
        status = bsr_store_put_values(r->store, &row, 1);
    }
    bsr_golden_free(golden);
    return status;
}

static bsr_status finish(run *r, bsr_result **out)
{
    if (r->s.options.check && r->record.design.by_site && !r->record.complete)
        BSR_TRY(bsr_work_check(&r->work, r->s.options.check));
    if (r->s.options.verify && !r->record.complete)
        BSR_TRY(bsr_verify(&r->s, &r->record, r->store, r->s.options.verify));
    /* With the values that the report shows, or not at all: complete is what needs nothing more. */
    r->record.complete = 1;
    BSR_TRY(bsr_store_begin(r->store));
    bsr_status status = bsr_record_update(r->store, &r->record);
    if (status == BSR_OK)
        status = bsr_summarise(out, r->store, &r->record, NULL);
    if (status == BSR_OK)
        status = keep_values(r, *out);
    return bsr_store_end(r->store, status);
}

static bsr_status log_work(run *r)
{
    uint64_t evaluations = 0;
    double macs = 0;
    for (int t = 0; t < r->s.options.threads; t++) {
        bsr_lane_counters c = bsr_lanes_counters(r->s.lanes[t]);
        uint64_t whole =
            r->work.workers && r->work.workers[t] ? r->work.workers[t]->evaluations : 0;
        evaluations += c.lanes + whole;
        macs += c.macs + (double)whole * r->s.plan->macs;
    }
    return bsr_run_log_end(&r->log, r->store, &r->s, evaluations, r->injected / r->s.images, macs);
}

/* -1 becomes what is best for the command and possible for the network. */
static bsr_status decide_screening(run *r, const char *command)
{
    bsr_run_options *o = &r->s.options;
    int asked = o->screen > 0, parameters = r->record.spaces.spaces[0].place == BSR_FAULT_PARAMETER;
    if (o->screen < 0)
        o->screen = strcmp(command, "analyze") == 0 && !parameters ? BSR_SCREEN_DEFAULT : 0;
    if (parameters && asked)
        return bsr_fail(BSR_EINVAL, "parameters (norm, scale, zero-point) cannot be screened");
    if (o->screen == 0)
        return BSR_OK;
    bsr_status status = bsr_gradient_plan_new(&r->gradients, r->s.plan);
    if (status == BSR_EUNSUPPORTED && !asked) {
        o->screen = 0;
        return BSR_OK;
    }
    if (status == BSR_OK)
        r->s.reserve = bsr_screening_bytes(r->gradients, r->s.plan, o->threads);
    return status;
}

/* Population, design and facts, before anything runs. */
static bsr_status plan_run(run *r, const char *command)
{
    const bsr_run_options *o = &r->s.options;
    int by_site;
    BSR_TRY(bsr_design_method(o, &by_site));
    BSR_TRY(bsr_spaces_init(&r->record.spaces, r->s.model, r->s.plan, r->s.storage, o));
    if (o->faults)
        BSR_TRY(bsr_fault_list_read(&r->record.list, o->faults, &r->record.spaces, o));
    BSR_TRY(bsr_design_init(&r->record.design, &r->record.spaces, o, by_site, r->s.images));
    if (o->max_time > 0 && r->record.design.kind == BSR_DESIGN_EXHAUSTIVE)
        return bsr_fail(BSR_EINVAL,
                        "a limit of time is for plans that draw a sample, not exhaustive");
    if (o->verify)
        BSR_TRY(bsr_verify_check(&r->record));
    BSR_TRY(decide_screening(r, command));
    BSR_TRY(bsr_session_lanes(&r->s));
    return bsr_run_describe(&r->record, &r->s, command, NULL);
}

static bsr_status run_all(run *r, bsr_result **out, const char *command)
{
    BSR_TRY(plan_run(r, command));
    BSR_TRY(bsr_run_open(&r->store, &r->record, &r->s.options));
    BSR_TRY(bsr_run_log_start(&r->log, r->store, &r->s));
    BSR_TRY(bsr_sink_init(&r->sink, r->store, &r->record));
    BSR_TRY(bsr_work_init(&r->work, &r->s, &r->record, &r->sink, r->gradients));
    bsr_status status = answer_all(r);
    if (status != BSR_OK) {
        /* What was answered stays, with what it cost; the message is the first failure's. */
        char message[512];
        snprintf(message, sizeof message, "%s", bsr_error_message());
        if (bsr_sink_flush(&r->sink) == BSR_OK)
            (void)!log_work(r);
        return bsr_fail(status, "%s", message);
    }
    BSR_TRY(log_work(r));
    return finish(r, out);
}

static bsr_status campaign(bsr_result **out, const bsr_model *model, const bsr_dataset *data,
                           const bsr_run_options *options, const char *command, const char *method)
{
    static const bsr_run_options defaults = BSR_RUN_OPTIONS_INIT;
    bsr_run_options o = options ? *options : defaults;
    *out = NULL;
    if (!o.method)
        o.method = method;
    run *r = bsr_calloc_array(1, sizeof *r);
    if (!r)
        return BSR_ENOMEM;
    bsr_status status = bsr_session_init(&r->s, model, data, &o, &o.target, 1);
    if (status == BSR_OK)
        status = run_all(r, out, command);
    if (status != BSR_OK) {
        bsr_result_free(*out);
        *out = NULL;
    }
    if (r->work.s)
        bsr_work_clear(&r->work);
    bsr_sink_clear(&r->sink);
    bsr_store_close(r->store);
    bsr_gradient_plan_free(r->gradients);
    bsr_free(r->lower);
    bsr_record_clear(&r->record);
    bsr_session_clear(&r->s);
    bsr_free(r);
    return status;
}

bsr_status bsr_inject(bsr_result **out, const bsr_model *model, const bsr_dataset *data,
                      const bsr_run_options *options)
{
    if (options && options->fault && strncmp(options->fault, "ber", 3) == 0)
        return bsr_inject_patterns(out, model, data, options);
    return campaign(out, model, data, options, "inject", "direct");
}

bsr_status bsr_analyze(bsr_result **out, const bsr_model *model, const bsr_dataset *data,
                       const bsr_run_options *options)
{
    if (options && options->method && strcmp(options->method, "deepvigor") == 0)
        return bsr_analyze_deepvigor(out, model, data, options);
    return campaign(out, model, data, options, "analyze", "ray");
}
