/* bsr_sweep_accelerated. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/describe.h"
#include "campaign/sweep_rates.h"
#include "predict/points.h"

typedef struct acceleration {
    bsr_predictor p;
    bsr_record record;
    bsr_store *store;
    bsr_run_log log;
    bsr_predicted_point *points;
    char *more; /* of the spec */
} acceleration;

static bsr_status write_more(acceleration *a)
{
    char *rates;
    BSR_TRY(bsr_rates_text(&rates, a->p.rates, a->p.n_rates));
    size_t room = strlen(rates) + 128;
    a->more = bsr_alloc_array(room, 1);
    if (a->more)
        snprintf(a->more, room, "ber=%s accelerate targets=%s", rates, a->p.target_names);
    bsr_free(rates);
    return a->more ? BSR_OK : BSR_ENOMEM;
}

static bsr_status open_store(acceleration *a)
{
    const bsr_predictor *p = &a->p;
    bsr_sweep_facts facts = {.points = p->n_rates, .runs = 1, .rates = p->rates};
    a->record.design.kind = BSR_DESIGN_RANDOM;
    snprintf(facts.targets, sizeof facts.targets, "%s", p->target_names);
    facts.bits =
        (double)p->memory.constant_bits + (double)p->memory.tensor_bits * (double)p->s.images;
    facts.top5_correct = p->top5_correct;
    BSR_TRY(write_more(a));
    BSR_TRY(bsr_run_describe(&a->record, &a->p.s, "sweep", a->more));
    BSR_TRY(bsr_run_open(&a->store, &a->record, &a->p.s.options));
    BSR_TRY(bsr_sweep_facts_write(a->store, &facts));
    return bsr_run_log_start(&a->log, a->store, &a->p.s);
}

static bsr_status put_points(acceleration *a)
{
    for (int r = 0; r < a->p.n_rates; r++) {
        const bsr_predicted_point *p = &a->points[r];
        const bsr_prediction_row row = {.point = r,
                                        .model = bsr_error_model_name(p->model),
                                        .accuracy = p->accuracy.value,
                                        .accuracy_lo = p->accuracy.lo,
                                        .accuracy_hi = p->accuracy.hi,
                                        .critical = p->critical.value,
                                        .critical_lo = p->critical.lo,
                                        .critical_hi = p->critical.hi,
                                        .top5 = p->top5.value,
                                        .top5_lo = p->top5.lo,
                                        .top5_hi = p->top5.hi,
                                        .rmse = p->rmse.value,
                                        .rmse_lo = p->rmse.lo,
                                        .rmse_hi = p->rmse.hi};
        BSR_TRY(bsr_store_put_predictions(a->store, &row, 1));
    }
    return BSR_OK;
}

/* The rate up to which first order holds, where it was compared. */
static bsr_status put_guard(acceleration *a)
{
    const bsr_predictor *p = &a->p;
    if (p->guard < 0)
        return BSR_OK;
    bsr_share ratio = bsr_jackknife_share(p->ratios[p->guard], p->s.options.confidence, INFINITY);
    double measured = sqrt(p->answers[p->guard].square[0]);
    const bsr_guard_row row = {.point = p->guard,
                               .patterns = (int64_t)p->trials_of[p->guard],
                               .images = 1,
                               .measured = measured,
                               .predicted = measured / ratio.value,
                               .ratio = ratio.value,
                               .ratio_lo = ratio.lo,
                               .ratio_hi = ratio.hi,
                               .rescaled = p->scale != 1};
    return bsr_store_put_guards(a->store, &row, 1);
}

static bsr_status run(acceleration *a, const bsr_predictor_options *how)
{
    bsr_session *s = &a->p.s;
    a->points = bsr_calloc_array((size_t)a->p.n_rates, sizeof *a->points);
    if (!a->points)
        return BSR_ENOMEM;
    BSR_TRY(open_store(a));
    BSR_TRY(bsr_predictor_moments(&a->p, how, NULL, 0));
    BSR_TRY(bsr_predictor_points(a->points, &a->p, BSR_MODEL_AUTO));
    BSR_TRY(put_points(a));
    BSR_TRY(put_guard(a));
    uint64_t inferences = s->images + a->p.disturbed_done;
    BSR_TRY(bsr_run_log_end(&a->log, a->store, s, inferences, a->p.disturbed_done,
                            s->plan->macs * (double)inferences));
    a->record.complete = 1;
    return bsr_record_update(a->store, &a->record);
}

bsr_status bsr_sweep_accelerated(bsr_sweep_result **out, const bsr_model *model,
                                 const bsr_dataset *data, const bsr_run_options *options,
                                 const bsr_sweep_options *sweep)
{
    *out = NULL;
    if (!sweep || sweep->version != BSR_SWEEP_OPTIONS_VERSION)
        return bsr_fail(BSR_EINVAL, "sweep options have version %d, expected %d",
                        sweep ? sweep->version : 0, BSR_SWEEP_OPTIONS_VERSION);
    const bsr_predictor_options how = {.ber = sweep->ber,
                                       .targets = sweep->targets ? sweep->targets : "weight"};
    acceleration *a = bsr_calloc_array(1, sizeof *a);
    if (!a)
        return BSR_ENOMEM;
    bsr_status status = bsr_predictor_init(&a->p, model, data, options, &how);
    if (status == BSR_OK)
        status = run(a, &how);
    if (status == BSR_OK)
        status = bsr_sweep_summarise(out, a->store);
    bsr_store_close(a->store);
    bsr_record_clear(&a->record);
    bsr_predictor_clear(&a->p);
    bsr_free(a->points);
    bsr_free(a->more);
    bsr_free(a);
    return status;
}
