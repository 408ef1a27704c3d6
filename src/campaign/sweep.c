/* bsr_sweep, and bsr_inject of whole error patterns. */
#include "campaign/sweep.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/describe.h"
#include "campaign/sweep_chips.h"
#include "campaign/sweep_rates.h"

typedef struct sweep_run {
    bsr_session s;
    bsr_sweep_chips chips;
    bsr_record record;
    bsr_store *store;
    bsr_run_log log;
} sweep_run;

static sweep_run *new_run(void)
{
    return bsr_calloc_array(1, sizeof(sweep_run));
}

static void free_run(sweep_run *r)
{
    if (!r)
        return;
    if (r->chips.s)
        bsr_chips_clear(&r->chips);
    bsr_store_close(r->store);
    bsr_record_clear(&r->record);
    bsr_session_clear(&r->s);
    bsr_free(r);
}

/* The store is open: runs what it lacks, and notes what that cost, whatever happens. */
static bsr_status run_chips(sweep_run *r, const double (*rates)[2], int points, int runs)
{
    bsr_session *s = &r->s;
    BSR_TRY(bsr_run_log_start(&r->log, r->store, s));
    bsr_status status = bsr_chips_run(&r->chips, r->store, rates, points, runs);
    uint64_t done = r->chips.done, evaluations = done * s->images;
    if (status != BSR_OK) {
        char message[512];
        snprintf(message, sizeof message, "%s", bsr_error_message());
        (void)!bsr_run_log_end(&r->log, r->store, s, evaluations, done,
                               s->plan->macs * (double)evaluations);
        return bsr_fail(status, "%s", message);
    }
    BSR_TRY(bsr_run_log_end(&r->log, r->store, s, evaluations, done,
                            s->plan->macs * (double)evaluations));
    r->record.complete = 1;
    return bsr_record_update(r->store, &r->record);
}

/* What bsr_sweep's arguments say. */
typedef struct sweep_plan {
    bsr_sweep_facts facts;
    int n_targets;
    bsr_target targets[BSR_PATTERN_TARGETS]; /* ascending */
    bsr_run_options options;
    char *more; /* of the spec */
} sweep_plan;

static void clear_plan(sweep_plan *p)
{
    bsr_sweep_facts_clear(&p->facts);
    bsr_free(p->more);
}

bsr_status bsr_sweep_targets(bsr_target targets[BSR_PATTERN_TARGETS], int *n, char names[64],
                             const char *text)
{
    int chosen[BSR_PATTERN_TARGETS] = {0};
    for (const char *at = text; at;) {
        size_t len = strcspn(at, ",");
        int t = 0;
        for (; t < BSR_PATTERN_TARGETS; t++) {
            const char *name = bsr_target_name((bsr_target)t);
            if (strlen(name) == len && strncmp(at, name, len) == 0)
                break;
        }
        if (t == BSR_PATTERN_TARGETS)
            return bsr_fail(BSR_EINVAL,
                            "sweep targets '%.200s', expected weight, bias, activation or input "
                            "with commas between",
                            text);
        if (chosen[t]++)
            return bsr_fail(BSR_EINVAL, "sweep targets '%.200s': %s is there twice", text,
                            bsr_target_name((bsr_target)t));
        at = at[len] ? at + len + 1 : NULL;
    }
    *n = 0;
    for (int t = 0; t < BSR_PATTERN_TARGETS; t++) {
        if (!chosen[t])
            continue;
        names += sprintf(names, "%s%s", *n ? "," : "", bsr_target_name((bsr_target)t));
        targets[(*n)++] = (bsr_target)t;
    }
    return BSR_OK;
}

bsr_run_options bsr_sweep_run_options(const bsr_run_options *options, const bsr_target *targets,
                                      int n)
{
    static const bsr_run_options defaults = BSR_RUN_OPTIONS_INIT;
    bsr_run_options o = options ? *options : defaults;
    o.bits = o.plan = o.method = o.shares = o.faults = NULL;
    o.fault = "ber";
    o.margin = defaults.margin;
    o.transient = 0;
    o.check = 0;
    /* The session stores tensors that are chosen by name only where they are the target. */
    o.target = targets[0];
    for (int t = 0; t < n; t++)
        if (targets[t] == BSR_TARGET_ACTIVATION)
            o.target = BSR_TARGET_ACTIVATION;
    return o;
}

static bsr_status write_more(sweep_plan *p)
{
    char *rates;
    BSR_TRY(bsr_rates_text(&rates, p->facts.rates, p->facts.points));
    size_t room = strlen(rates) + 128;
    p->more = bsr_alloc_array(room, 1);
    if (p->more)
        snprintf(p->more, room, "ber=%s runs=%d targets=%s", rates, p->facts.runs,
                 p->facts.targets);
    bsr_free(rates);
    return p->more ? BSR_OK : BSR_ENOMEM;
}

static bsr_status read_plan(sweep_plan *p, const bsr_run_options *options,
                            const bsr_sweep_options *sweep)
{
    if (!sweep || sweep->version != BSR_SWEEP_OPTIONS_VERSION)
        return bsr_fail(BSR_EINVAL, "sweep options have version %d, expected %d",
                        sweep ? sweep->version : 0, BSR_SWEEP_OPTIONS_VERSION);
    if (sweep->runs < 1 || (uint64_t)sweep->runs > BSR_MAX_RUNS)
        return bsr_fail(BSR_EINVAL, "runs is %d, expected 1 to %llu", sweep->runs,
                        (unsigned long long)BSR_MAX_RUNS);
    p->facts.runs = sweep->runs;
    BSR_TRY(bsr_rates_parse(&p->facts.rates, &p->facts.points, sweep->ber));
    BSR_TRY(bsr_sweep_targets(p->targets, &p->n_targets, p->facts.targets,
                              sweep->targets ? sweep->targets : "weight"));
    p->options = bsr_sweep_run_options(options, p->targets, p->n_targets);
    return write_more(p);
}

static bsr_status run_sweep(sweep_run *r, sweep_plan *p)
{
    double(*rates)[2] = bsr_alloc_array((size_t)p->facts.points, sizeof *rates);
    if (!rates)
        return BSR_ENOMEM;
    for (int i = 0; i < p->facts.points; i++)
        rates[i][0] = rates[i][1] = p->facts.rates[i];
    r->record.design.kind = BSR_DESIGN_RANDOM;
    bsr_status status = bsr_chips_init(&r->chips, &r->s, p->targets, p->n_targets);
    if (status == BSR_OK)
        status = bsr_run_describe(&r->record, &r->s, "sweep", p->more);
    if (status == BSR_OK)
        status = bsr_run_open(&r->store, &r->record, &r->s.options);
    if (status == BSR_OK) {
        const bsr_sweep_memory *m = &r->chips.memory;
        p->facts.top5_correct = r->chips.top5_correct;
        p->facts.bits = (double)m->constant_bits + (double)m->tensor_bits * (double)r->s.images;
        status = bsr_sweep_facts_write(r->store, &p->facts);
    }
    if (status == BSR_OK)
        status = run_chips(r, (const double(*)[2])rates, p->facts.points, p->facts.runs);
    bsr_free(rates);
    return status;
}

bsr_status bsr_sweep(bsr_sweep_result **out, const bsr_model *model, const bsr_dataset *data,
                     const bsr_run_options *options, const bsr_sweep_options *sweep)
{
    sweep_plan p = {0};
    *out = NULL;
    sweep_run *r = new_run();
    bsr_status status = r ? read_plan(&p, options, sweep) : BSR_ENOMEM;
    if (status == BSR_OK)
        status = bsr_session_init(&r->s, model, data, &p.options, p.targets, p.n_targets);
    if (status == BSR_OK)
        status = run_sweep(r, &p);
    if (status == BSR_OK)
        status = bsr_sweep_summarise(out, r->store);
    free_run(r);
    clear_plan(&p);
    return status;
}

bsr_status bsr_run_sweep(bsr_sweep_result **out, const char *path)
{
    bsr_store *store;
    *out = NULL;
    BSR_TRY(bsr_store_open(&store, path, 0));
    bsr_status status = bsr_sweep_summarise(out, store);
    bsr_store_close(store);
    return status == BSR_OK ? status : bsr_record_fail(status, path);
}

/* random:N; the population is taken for infinite. */
static bsr_status plan_patterns(bsr_design *d, const bsr_run_options *o)
{
    const bsr_spaces all = {.population = BSR_MAX_POPULATION, .model.kind = BSR_FAULT_BER};
    if (o->transient || o->faults)
        return bsr_fail(BSR_EINVAL,
                        "fault '%s' draws patterns for all images: no transient faults "
                        "and no fault lists",
                        o->fault);
    if (o->method && strcmp(o->method, "direct") != 0)
        return bsr_fail(BSR_EINVAL, "fault '%s' needs method direct, not '%s'", o->fault,
                        o->method);
    if (o->plan && strncmp(o->plan, "random:", 7) != 0)
        return bsr_fail(BSR_EINVAL, "fault '%s' needs plan random:N, not %s", o->fault, o->plan);
    BSR_TRY(bsr_design_init(d, &all, o, 0, 1));
    return d->strata->n <= BSR_MAX_RUNS
               ? BSR_OK
               : bsr_fail(BSR_EINVAL, "%llu error patterns, expected 1 to %llu",
                          (unsigned long long)d->strata->n, (unsigned long long)BSR_MAX_RUNS);
}

static bsr_status run_patterns(sweep_run *r, bsr_result **out)
{
    const bsr_run_options *o = &r->s.options;
    bsr_record *record = &r->record;
    bsr_spaces *set = &r->chips.memory.sets[0];
    bsr_fault_model model;
    BSR_TRY(bsr_fault_model_parse(&model, o->fault));
    BSR_TRY(plan_patterns(&record->design, o));
    BSR_TRY(bsr_chips_init(&r->chips, &r->s, &o->target, 1));
    set->model = model;
    BSR_TRY(bsr_run_describe(record, &r->s, "inject", NULL));
    /* Lent to the record: the chips own the spaces. */
    record->spaces = *set;
    bsr_status status = bsr_run_open(&r->store, record, o);
    const double rates[1][2] = {{model.p0, model.p1}};
    if (status == BSR_OK)
        status = run_chips(r, rates, 1, (int)record->design.strata->n);
    if (status == BSR_OK)
        status = bsr_patterns_result(out, r->store, record);
    record->spaces = (bsr_spaces){0};
    return status;
}

bsr_status bsr_inject_patterns(bsr_result **out, const bsr_model *model, const bsr_dataset *data,
                               const bsr_run_options *options)
{
    *out = NULL;
    sweep_run *r = new_run();
    bsr_status status = r ? BSR_OK : BSR_ENOMEM;
    if (status == BSR_OK)
        status = bsr_session_init(&r->s, model, data, options, &options->target, 1);
    if (status == BSR_OK)
        status = run_patterns(r, out);
    free_run(r);
    return status;
}
