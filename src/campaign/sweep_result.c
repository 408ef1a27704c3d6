/* From the chips in a store to estimates with intervals. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "campaign/account.h"
#include "campaign/answers.h"
#include "campaign/sweep.h"
#include "stats/quantile.h"
#include "stats/stratified.h"

static const bsr_share unknown = {NAN, NAN, NAN};

/* Rows of one rate, in the order of their runs. */
typedef struct point_rows {
    const bsr_chip_row *rows;
    size_t n;
    uint64_t images;
    double ber, ber01;
    uint64_t units; /* chips that there are: of practically infinitely many, or, where all are the
                       same one, those that were run */
} point_rows;

typedef struct row_list {
    bsr_chip_row *rows;
    size_t n, cap;
    int64_t points, runs;
    uint64_t images;
} row_list;

static bsr_status take_row(void *ctx, const bsr_chip_row *row)
{
    row_list *l = ctx;
    int64_t images = (int64_t)l->images, left = images - row->due;
    if (row->point < 0 || row->point >= l->points || row->run < 0 || row->run >= l->runs ||
        row->images != images || row->correct < 0 || row->correct > images || row->critical < 0 ||
        row->critical > images || row->due < 0 || left < 0 || row->sdc < 0 ||
        row->sdc > row->critical || row->top5 < 0 || row->top5 > row->critical ||
        row->weight_flips < 0 || row->activation_flips < 0 || !(row->sse >= 0) || isinf(row->sse))
        return bsr_fail(BSR_EFORMAT, "run %lld at rate number %lld of the database is damaged",
                        (long long)row->run, (long long)row->point);
    BSR_TRY(bsr_grow(&l->rows, &l->cap, l->n + 1, sizeof *l->rows));
    l->rows[l->n++] = *row;
    return BSR_OK;
}

static point_rows rows_of(const row_list *l, int64_t point, double ber01, double ber)
{
    size_t first = 0, end;
    while (first < l->n && l->rows[first].point < point)
        first++;
    for (end = first; end < l->n && l->rows[end].point == point;)
        end++;
    int same = (ber == 0 || ber == 1) && (ber01 == 0 || ber01 == 1);
    return (point_rows){.rows = l->rows + first,
                        .n = end - first,
                        .images = l->images,
                        .ber = ber,
                        .ber01 = ber01,
                        .units = same ? end - first : BSR_MAX_POPULATION};
}

/* Counts of a chip by the metric of their share. */
static int64_t count_of(const bsr_chip_row *row, bsr_metric metric)
{
    switch (metric) {
    case BSR_METRIC_CRITICAL:
        return row->critical;
    case BSR_METRIC_SDC:
        return row->sdc;
    case BSR_METRIC_DUE:
        return row->due;
    case BSR_METRIC_TOP5:
        return row->top5;
    case BSR_METRIC_ACCURACY:
        return row->correct;
    default:
        return 0;
    }
}

/* Chips as units of one stratum. */
static bsr_status share_of(bsr_share *out, const point_rows *p, bsr_metric metric,
                           double confidence)
{
    bsr_stratum st;
    bsr_estimate e;
    *out = (bsr_share){NAN, 0, 1};
    if (!p->n)
        return BSR_OK;
    BSR_TRY(bsr_stratum_init(&st, p->units, p->images));
    for (size_t i = 0; i < p->n; i++)
        BSR_TRY(bsr_stratum_add(&st, (uint64_t)count_of(&p->rows[i], metric)));
    BSR_TRY(bsr_stratified(&e, &st, 1, confidence));
    *out = (bsr_share){e.mean, e.ci.lo, e.ci.hi};
    return BSR_OK;
}

/* The same for a sweep's few runs, by Student's interval of their mean. */
static bsr_status run_share(bsr_share *out, const point_rows *p, bsr_metric metric,
                            double confidence)
{
    if (p->n < 2 || p->units == p->n)
        return share_of(out, p, metric, confidence);
    uint64_t *counts = bsr_alloc_array(p->n, sizeof *counts);
    if (!counts)
        return BSR_ENOMEM;
    for (size_t i = 0; i < p->n; i++)
        counts[i] = (uint64_t)count_of(&p->rows[i], metric);
    bsr_run_mean m;
    bsr_status status = bsr_mean_of_runs(&m, counts, p->n, p->images, confidence);
    bsr_free(counts);
    if (status == BSR_OK)
        *out = (bsr_share){m.mean, m.ci.lo, m.ci.hi};
    return status;
}

/* Of the values that are numbers; `values` is changed. */
static bsr_status distribution(bsr_distribution *out, double *values, size_t n)
{
    size_t m = 0;
    bsr_summary s;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i]))
            values[m++] = values[i];
    *out = (bsr_distribution){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    if (!m)
        return BSR_OK;
    BSR_TRY(bsr_summary_of(&s, values, m));
    *out = (bsr_distribution){s.mean, s.sd, s.min, s.q05, s.q25, s.median, s.q75, s.q95, s.max};
    return BSR_OK;
}

static bsr_status fill_distributions(bsr_sweep_point *out, const point_rows *p, int classes,
                                     double *room)
{
    double sse = 0, valid = 0;
    for (size_t i = 0; i < p->n; i++)
        room[i] = (double)(p->rows[i].weight_flips + p->rows[i].activation_flips);
    BSR_TRY(distribution(&out->flips, room, p->n));
    for (size_t i = 0; i < p->n; i++)
        room[i] = (double)p->rows[i].correct / (double)p->images;
    BSR_TRY(distribution(&out->accuracy_runs, room, p->n));
    for (size_t i = 0; i < p->n; i++) {
        const bsr_chip_row *row = &p->rows[i];
        room[i] = sqrt(bsr_mean_square(row->sse, row->images, row->due, classes));
        sse += row->sse;
        valid += (double)(row->images - row->due);
    }
    out->rmse = valid > 0 ? sqrt(sse / valid / classes) : NAN;
    return distribution(&out->rmse_runs, room, p->n);
}

static bsr_status fill_point(bsr_sweep_point *out, const point_rows *p, double bits, int classes,
                             double confidence)
{
    double *room = bsr_alloc_array(p->n, sizeof *room);
    if (!room)
        return BSR_ENOMEM;
    out->ber = p->ber;
    out->model = BSR_MODEL_BITS;
    out->rmse_interval = unknown;
    out->runs = (int)p->n;
    out->bits = bits;
    bsr_status status = fill_distributions(out, p, classes, room);
    bsr_free(room);
    BSR_TRY(status);
    BSR_TRY(run_share(&out->accuracy, p, BSR_METRIC_ACCURACY, confidence));
    BSR_TRY(run_share(&out->critical, p, BSR_METRIC_CRITICAL, confidence));
    BSR_TRY(run_share(&out->sdc, p, BSR_METRIC_SDC, confidence));
    BSR_TRY(run_share(&out->due, p, BSR_METRIC_DUE, confidence));
    return run_share(&out->top5, p, BSR_METRIC_TOP5, confidence);
}

static bsr_status build_sweep(bsr_sweep_result *out, bsr_store *store, const bsr_record *r,
                              const bsr_sweep_facts *f, const row_list *l)
{
    out->images = r->images;
    out->golden_correct = r->golden_correct;
    out->top5_correct = f->top5_correct;
    out->confidence = r->confidence;
    out->format_loss = r->format_loss;
    BSR_TRY(bsr_keep_text(out->arena, &out->target, f->targets));
    BSR_TRY(bsr_keep_text(out->arena, &out->format, r->format));
    out->points = bsr_arena_calloc(out->arena, (size_t)f->points, sizeof *out->points);
    if (!out->points)
        return BSR_ENOMEM;
    out->n_points = f->points;
    for (int i = 0; i < f->points; i++) {
        point_rows p = rows_of(l, i, f->rates[i], f->rates[i]);
        BSR_TRY(fill_point(&out->points[i], &p, f->bits, r->classes, r->confidence));
    }
    BSR_TRY(bsr_sweep_read_predicted(out, store));
    return bsr_account_fill(&out->performance, &out->provenance, out->arena, store, r);
}

bsr_status bsr_sweep_summarise(bsr_sweep_result **out, bsr_store *store)
{
    bsr_record record;
    bsr_sweep_facts facts = {0};
    row_list l = {0};
    *out = NULL;
    bsr_status status = bsr_record_read(&record, store);
    if (status == BSR_OK && strcmp(record.command, "sweep") != 0)
        status =
            bsr_fail(BSR_EINVAL, "the database holds a run of '%s', not a sweep", record.command);
    if (status == BSR_OK)
        status = bsr_sweep_facts_read(&facts, store);
    if (status == BSR_OK) {
        l = (row_list){.points = facts.points, .runs = facts.runs, .images = record.images};
        status = bsr_store_chips(store, take_row, &l);
    }
    bsr_arena *arena = status == BSR_OK ? bsr_arena_new() : NULL;
    bsr_sweep_result *r = arena ? bsr_arena_calloc(arena, 1, sizeof *r) : NULL;
    if (status == BSR_OK)
        status = r ? BSR_OK : BSR_ENOMEM;
    if (status == BSR_OK) {
        r->arena = arena;
        status = build_sweep(r, store, &record, &facts, &l);
    }
    if (status == BSR_OK)
        *out = r;
    else
        bsr_arena_free(arena);
    bsr_free(l.rows);
    bsr_sweep_facts_clear(&facts);
    bsr_record_clear(&record);
    return status;
}

void bsr_sweep_result_free(bsr_sweep_result *result)
{
    if (result)
        bsr_arena_free(result->arena);
}

/* Mean over the chips that are not all DUE; normal approximation of the mean square. */
static bsr_share rmse_of(const point_rows *p, const bsr_record *r)
{
    double sum = 0, squares = 0, n = 0;
    for (size_t i = 0; i < p->n; i++) {
        const bsr_chip_row *row = &p->rows[i];
        double m = bsr_mean_square(row->sse, row->images, row->due, r->classes);
        if (isnan(m))
            continue;
        sum += m;
        squares += m * m;
        n++;
    }
    if (n == 0)
        return unknown;
    double mean = sum / n, half = 0;
    if (p->units > p->n)
        half = n > 1 ? r->design.t * sqrt(fmax(squares / n - mean * mean, 0) / (n - 1)) : INFINITY;
    return (bsr_share){sqrt(mean), sqrt(fmax(mean - half, 0)), sqrt(mean + half)};
}

static bsr_status fill_patterns_layer(bsr_result *out, const bsr_record *r, const point_rows *p)
{
    bsr_layer_result *l = out->layers;
    *l = (bsr_layer_result){.sites = r->spaces.sites,
                            .population = r->spaces.population,
                            .faults = p->n,
                            .rmse = rmse_of(p, r)};
    BSR_TRY(bsr_keep_text(out->arena, &l->name, "all selected"));
    BSR_TRY(bsr_keep_text(out->arena, &l->op, ""));
    BSR_TRY(bsr_keep_text(out->arena, &l->format, r->spaces.spaces[0].format));
    for (int i = 1; i < r->spaces.n; i++)
        if (strcmp(r->spaces.spaces[i].format, l->format) != 0)
            l->format = l->op; /* several */
    bsr_outcomes *o = &l->outcomes;
    for (size_t i = 0; i < p->n; i++) {
        const bsr_chip_row *row = &p->rows[i];
        o->pairs += (uint64_t)row->images;
        o->benign += (uint64_t)(row->images - row->critical);
        o->critical += (uint64_t)row->critical;
        o->due += (uint64_t)row->due;
        o->sdc += (uint64_t)row->sdc;
        o->top5 += (uint64_t)row->top5;
        o->correct += (uint64_t)row->correct;
    }
    for (int m = 0; m < BSR_METRICS; m++) {
        l->metrics[m] = unknown;
        if (m != BSR_METRIC_BENIGN && m != BSR_METRIC_MASKED)
            BSR_TRY(share_of(&l->metrics[m], p, (bsr_metric)m, r->confidence));
    }
    l->vf = l->metrics[BSR_METRIC_CRITICAL];
    return BSR_OK;
}

static bsr_status fill_patterns_facts(bsr_result *out, const bsr_record *r)
{
    const bsr_planned *planned = r->design.strata;
    out->complete = r->complete;
    out->planned = planned->n;
    out->format_loss = r->format_loss;
    out->images = r->images;
    out->golden_correct = r->golden_correct;
    out->confidence = r->confidence;
    out->outcomes_known = out->masking_known = 1;
    BSR_TRY(bsr_keep_text(out->arena, &out->command, r->command));
    BSR_TRY(bsr_keep_text(out->arena, &out->target, r->target));
    BSR_TRY(bsr_keep_text(out->arena, &out->fault, r->fault));
    BSR_TRY(bsr_keep_text(out->arena, &out->format, r->format));
    BSR_TRY(bsr_keep_text(out->arena, &out->method, "direct"));
    BSR_TRY(bsr_keep_text(out->arena, &out->sampling, bsr_design_name(r->design.kind)));
    *out->strata = (bsr_plan_stratum){
        .layer = -1, .bit = -1, .population = planned->population, .n = planned->n};
    out->n_strata = 1;
    return BSR_OK;
}

static bsr_status build_patterns(bsr_result *out, bsr_store *store, const bsr_record *r,
                                 const row_list *rows)
{
    const bsr_fault_model *m = &r->spaces.model;
    point_rows p = rows_of(rows, 0, m->p0, m->p1);
    out->layers = bsr_arena_calloc(out->arena, 1, sizeof *out->layers);
    out->strata = bsr_arena_calloc(out->arena, 1, sizeof *out->strata);
    if (!out->layers || !out->strata)
        return BSR_ENOMEM;
    out->n_layers = 1;
    BSR_TRY(fill_patterns_layer(out, r, &p));
    out->total = out->layers->outcomes;
    out->mvf = out->layers->vf;
    memcpy(out->metrics, out->layers->metrics, sizeof out->metrics);
    out->rmse = out->layers->rmse;
    BSR_TRY(fill_patterns_facts(out, r));
    return bsr_account_fill(&out->performance, &out->provenance, out->arena, store, r);
}

bsr_status bsr_patterns_result(bsr_result **out, bsr_store *store, const bsr_record *r)
{
    *out = NULL;
    if (r->spaces.model.kind != BSR_FAULT_BER || !r->spaces.n || r->design.n_strata != 1)
        return bsr_fail(BSR_EINVAL, "the database does not hold a run of error patterns");
    row_list l = {.points = 1, .runs = (int64_t)r->design.strata->n, .images = r->images};
    bsr_status status = bsr_store_chips(store, take_row, &l);
    bsr_arena *arena = status == BSR_OK ? bsr_arena_new() : NULL;
    bsr_result *result = arena ? bsr_arena_calloc(arena, 1, sizeof *result) : NULL;
    if (status == BSR_OK)
        status = result ? BSR_OK : BSR_ENOMEM;
    if (status == BSR_OK) {
        result->arena = arena;
        status = build_patterns(result, store, r, &l);
    }
    bsr_free(l.rows);
    if (status == BSR_OK)
        *out = result;
    else
        bsr_arena_free(arena);
    return status;
}
