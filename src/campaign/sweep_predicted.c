/* What an accelerated sweep's database holds in place of chips. */
#include <string.h>

#include "base/error.h"
#include "campaign/sweep.h"

static bsr_status damaged(const char *table, int64_t point)
{
    return bsr_fail(BSR_EFORMAT, "row %lld of table '%s' of the database is damaged",
                    (long long)point, table);
}

static int is_share(double value, double lo, double hi)
{
    return value >= 0 && value <= 1 && lo <= value && value <= hi;
}

static bsr_status take_point(void *ctx, const bsr_prediction_row *r)
{
    bsr_sweep_result *out = ctx;
    int model = 0;
    while (model < BSR_MODELS &&
           strcmp(bsr_error_model_name((bsr_error_model)model), r->model) != 0)
        model++;
    if (r->point < 0 || r->point >= out->n_points || model == BSR_MODELS ||
        model == BSR_MODEL_AUTO || !is_share(r->accuracy, r->accuracy_lo, r->accuracy_hi) ||
        !is_share(r->critical, r->critical_lo, r->critical_hi) || !(r->rmse >= 0))
        return damaged("prediction", r->point);
    bsr_sweep_point *p = &out->points[r->point];
    p->model = (bsr_error_model)model;
    p->accuracy = (bsr_share){r->accuracy, r->accuracy_lo, r->accuracy_hi};
    p->critical = p->sdc = (bsr_share){r->critical, r->critical_lo, r->critical_hi};
    p->top5 = (bsr_share){r->top5, r->top5_lo, r->top5_hi};
    p->due = (bsr_share){0, 0, 0};
    p->rmse = r->rmse;
    p->rmse_interval = (bsr_share){r->rmse, r->rmse_lo, r->rmse_hi};
    return BSR_OK;
}

static bsr_status take_guard(void *ctx, const bsr_guard_row *r)
{
    bsr_sweep_result *out = ctx;
    if (r->point < 0 || r->point >= out->n_points || out->n_guards >= out->n_points ||
        r->patterns < 0 || r->images < 0 || !(r->ratio >= 0))
        return damaged("guard", r->point);
    out->guards[out->n_guards++] = (bsr_sweep_guard){.ber = out->points[r->point].ber,
                                                     .patterns = (int)r->patterns,
                                                     .images = (int)r->images,
                                                     .measured = r->measured,
                                                     .predicted = r->predicted,
                                                     .ratio = {r->ratio, r->ratio_lo, r->ratio_hi},
                                                     .rescaled = r->rescaled != 0};
    return BSR_OK;
}

bsr_status bsr_sweep_read_predicted(bsr_sweep_result *out, bsr_store *store)
{
    out->guards = bsr_arena_calloc(out->arena, (size_t)out->n_points, sizeof *out->guards);
    if (!out->guards)
        return BSR_ENOMEM;
    BSR_TRY(bsr_store_predictions(store, take_point, out));
    return bsr_store_guards(store, take_guard, out);
}
