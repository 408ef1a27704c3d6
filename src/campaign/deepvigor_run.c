#include "campaign/deepvigor_run.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/deepvigor.h"
#include "base/alloc.h"
#include "base/error.h"
#include "campaign/describe.h"

#define DEFAULT_PLAN "channels:0.1"

typedef struct vigor_run {
    bsr_session s;
    bsr_target target; /* the user's; the session's is what the method needs */
    bsr_deepvigor_options options;
    bsr_record record;
    bsr_store *store;
    bsr_run_log log;
} vigor_run;

/* What an option that means nothing here must be. */
static bsr_status check_unused(const bsr_run_options *o)
{
    const struct {
        const char *name;
        int given;
    } unused[] = {
        {"transient faults", o->transient},   {"a list of faults", o->faults != NULL},
        {"screening", o->screen > 0},         {"checks of screening", o->screen_checks > 0},
        {"shares", o->shares != NULL},        {"checks of rays", o->check > 0},
        {"verification", o->verify > 0},      {"bounds of sites", o->bounds},
        {"a limit of time", o->max_time > 0},
    };
    for (size_t i = 0; i < sizeof unused / sizeof *unused; i++)
        if (unused[i].given)
            return bsr_fail(BSR_EINVAL, "method deepvigor does without %s", unused[i].name);
    return BSR_OK;
}

static bsr_status read_ratio(double *ratio, const char *plan)
{
    char *stop;
    *ratio = 1;
    if (strcmp(plan, "exhaustive") == 0)
        return BSR_OK;
    if (strncmp(plan, "channels:", 9) == 0) {
        *ratio = strtod(plan + 9, &stop);
        if (stop != plan + 9 && !*stop && *ratio > 0 && *ratio <= 1)
            return BSR_OK;
    }
    return bsr_fail(BSR_EINVAL,
                    "plan '%s': method deepvigor takes exhaustive or channels:R with R above 0 up "
                    "to 1",
                    plan);
}

/* Leaves only the layers that are analysed. */
static bsr_status keep_layers(bsr_spaces *all, const bsr_deepvigor *plan)
{
    int n = all->n, next = 0;
    bsr_status status = BSR_OK;
    all->n = 0;
    all->sites = all->population = all->neurons = 0;
    for (int i = 0; i < n; i++) {
        bsr_space *s = &all->spaces[i];
        if (next == plan->n_layers || s->index != plan->layers[next].index || status != BSR_OK) {
            bsr_space_clear(s);
            continue;
        }
        bsr_space *to = &all->spaces[all->n++];
        *to = *s;
        bsr_free(to->window_at);
        to->window_at = NULL;
        status = bsr_space_finish(all, to);
        next++;
    }
    return status;
}

/* In the words of the user's target. */
static bsr_status describe(vigor_run *r, const bsr_deepvigor *plan)
{
    bsr_session *s = &r->s;
    bsr_target opened_for = s->options.target;
    s->options.target = r->target;
    r->record.design.kind = r->options.ratio < 1 ? BSR_DESIGN_CHANNELS : BSR_DESIGN_EXHAUSTIVE;
    r->record.design.ratio = r->options.ratio;
    bsr_status status =
        bsr_spaces_init(&r->record.spaces, s->model, s->plan, s->storage, &s->options);
    if (status == BSR_OK)
        status = keep_layers(&r->record.spaces, plan);
    if (status == BSR_OK)
        status = bsr_run_describe(&r->record, s, "analyze", NULL);
    s->options.target = opened_for;
    return status;
}

static bsr_status put_layer(bsr_store *store, const bsr_deepvigor_layer *l, int id)
{
    bsr_score_row *rows = bsr_alloc_array((size_t)l->n_chosen, sizeof *rows);
    if (!rows)
        return BSR_ENOMEM;
    for (int c = 0; c < l->n_chosen; c++) {
        const bsr_deepvigor_counts *k = &l->searches[c];
        rows[c] = (bsr_score_row){.layer = id,
                                  .channel = l->chosen[c],
                                  .vf = l->cvf[c],
                                  .targets = (int64_t)k->targets,
                                  .skipped = (int64_t)k->skipped,
                                  .single = (int64_t)k->single,
                                  .simulations = (int64_t)k->simulations,
                                  .evaluations = (int64_t)k->evaluations};
    }
    bsr_status status = bsr_store_put_scores(store, rows, (size_t)l->n_chosen);
    bsr_free(rows);
    return status;
}

/* All rows, and that they are all, at once. */
static bsr_status put_scores(vigor_run *r, const bsr_deepvigor *d)
{
    BSR_TRY(bsr_store_begin(r->store));
    bsr_status status = BSR_OK;
    for (int i = 0; i < d->n_layers && status == BSR_OK; i++)
        status = put_layer(r->store, &d->layers[i], i);
    r->record.complete = 1;
    if (status == BSR_OK)
        status = bsr_record_update(r->store, &r->record);
    return bsr_store_end(r->store, status);
}

static bsr_status log_work(const vigor_run *r)
{
    uint64_t lanes = 0;
    double macs = 0;
    for (int t = 0; t < r->s.options.threads; t++) {
        bsr_lane_counters c = bsr_lanes_counters(r->s.lanes[t]);
        lanes += c.lanes;
        macs += c.macs;
    }
    return bsr_run_log_end(&r->log, r->store, &r->s, lanes, 0, macs);
}

static bsr_status analyse(vigor_run *r)
{
    bsr_deepvigor *d;
    BSR_TRY(bsr_run_log_start(&r->log, r->store, &r->s));
    BSR_TRY(bsr_deepvigor_run(&d, &r->s, &r->options));
    bsr_status status = log_work(r);
    if (status == BSR_OK)
        status = put_scores(r, d);
    bsr_deepvigor_free(d);
    return status;
}

static bsr_status run_all(vigor_run *r, bsr_result **out)
{
    bsr_deepvigor *plan;
    BSR_TRY(bsr_deepvigor_plan(&plan, &r->s, &r->options));
    bsr_status status = bsr_session_lanes(&r->s);
    if (status == BSR_OK)
        status = describe(r, plan);
    bsr_deepvigor_free(plan);
    BSR_TRY(status);
    BSR_TRY(bsr_run_open(&r->store, &r->record, &r->s.options));
    if (!r->record.complete)
        BSR_TRY(analyse(r));
    return bsr_deepvigor_result(out, r->store, &r->record, NULL);
}

static bsr_status start(vigor_run *r, const bsr_model *model, const bsr_dataset *data,
                        const bsr_run_options *options)
{
    bsr_run_options o = *options;
    BSR_TRY(check_unused(&o));
    if (!o.plan)
        o.plan = DEFAULT_PLAN;
    o.screen = 0;
    BSR_TRY(read_ratio(&r->options.ratio, o.plan));
    r->target = o.target;
    BSR_TRY(bsr_deepvigor_target_of(&o.target, r->target));
    return bsr_session_init(&r->s, model, data, &o, &o.target, 1);
}

bsr_status bsr_analyze_deepvigor(bsr_result **out, const bsr_model *model, const bsr_dataset *data,
                                 const bsr_run_options *options)
{
    *out = NULL;
    vigor_run *r = bsr_calloc_array(1, sizeof *r);
    if (!r)
        return BSR_ENOMEM;
    bsr_status status = start(r, model, data, options);
    if (status == BSR_OK)
        status = run_all(r, out);
    bsr_store_close(r->store);
    bsr_record_clear(&r->record);
    bsr_session_clear(&r->s);
    bsr_free(r);
    return status;
}
