#include <math.h>

#include "bitseer/predict.h"
#include "report/json_parts.h"

/* Keys are part of the interface: their names and order stay. prediction_read.c reads them back. */

static json_t *point(const void *item, const void *ctx)
{
    const bsr_predicted_point *p = item;
    json_t *o = json_pack("{s:o}", "ber", bsr_json_real(p->ber));
    o = bsr_json_add_share(o, "accuracy", "ci", p->accuracy);
    o = bsr_json_add_share(o, "sdc", "sdc_ci", p->sdc);
    o = bsr_json_add_share(o, "critical", "critical_ci", p->critical);
    o = bsr_json_add_share(o, "due", "due_ci", p->due);
    o = bsr_json_add_share(o, "top5", "top5_ci", p->top5);
    o = bsr_json_add_share(o, "rmse", "rmse_ci", p->rmse);
    o = bsr_json_add(o, "model", bsr_json_text(bsr_error_model_name(p->model)));
    o = bsr_json_add(o, "reason", bsr_json_text(p->reason));
    o = bsr_json_add(o, "flips", bsr_json_real(p->flips));
    o = bsr_json_add(o, "kurtosis", bsr_json_real(p->kurtosis));
    o = bsr_json_add(o, "linearity", bsr_json_real(p->linearity));
    return bsr_json_add(o, "logits_accuracy", bsr_json_real(p->logits_accuracy));
}

static json_t *share(const void *item, const void *ctx)
{
    const bsr_variance_share *s = item;
    json_t *o = json_pack("{s:o, s:i, s:o, s:o, s:o, s:o}", "target",
                          bsr_json_text(bsr_target_name(s->target)), "index", s->index, "name",
                          bsr_json_text(s->name), "op", bsr_json_text(s->op), "format",
                          bsr_json_text(s->format), "bits", bsr_json_real(s->bits));
    o = bsr_json_add_share(o, "share", "ci", s->share);
    o = bsr_json_add(o, "n_eff", bsr_json_real(s->n_eff));
    return bsr_json_add(o, "rms_error", bsr_json_real(s->rms_error));
}

static json_t *layer_rmse(const void *item, const void *ctx)
{
    const bsr_layer_rmse *r = item;
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "ber", bsr_json_real(r->ber), "predicted",
                     bsr_json_real(r->predicted), "measured", bsr_json_real(r->measured),
                     "kurtosis", bsr_json_real(r->kurtosis), "kurtosis_expected",
                     bsr_json_real(r->kurtosis_expected));
}

static json_t *real(const void *item, const void *ctx)
{
    return bsr_json_real(*(const double *)item);
}

static json_t *reals(const double *x, int n)
{
    return bsr_json_array(x, (size_t)n, sizeof *x, real, NULL);
}

static json_t *layer(const void *item, const void *ctx)
{
    const bsr_layer_statistics *l = item;
    json_t *o = json_pack("{s:o, s:o, s:o}", "name", bsr_json_text(l->name), "op",
                          bsr_json_text(l->op), "rms", bsr_json_real(l->rms));
    o = bsr_json_add(
        o, "rates",
        bsr_json_array(l->rates, (size_t)l->n_rates, sizeof *l->rates, layer_rmse, NULL));
    o = bsr_json_add(o, "qq_ber", bsr_json_real(l->qq_ber));
    return bsr_json_add(o, "qq", reals(l->qq, BSR_QQ_POINTS));
}

static json_t *read_off(const void *item, const void *ctx)
{
    const bsr_read_off *x = item;
    const bsr_prediction *p = ctx;
    return json_pack("{s:o, s:o, s:o, s:o}", "kind", bsr_json_text(x->kind), "value",
                     bsr_json_text(x->value), "accuracy", reals(x->accuracy, p->n_points), "rmse",
                     reals(x->rmse, p->n_points));
}

bsr_status bsr_prediction_json(char **out, const bsr_prediction *p)
{
    bsr_json_setup();
    json_t *o = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o}", "command", "predict", "target", bsr_json_text(p->target),
        "format", bsr_json_text(p->format), "images", bsr_json_count(p->images), "golden_correct",
        bsr_json_count(p->golden_correct), "top5_correct", bsr_json_count(p->top5_correct));
    o = bsr_json_add(o, "moment_images", bsr_json_count(p->moment_images));
    o = bsr_json_add(o, "disturbed", bsr_json_count(p->disturbed));
    o = bsr_json_add(o, "confidence", bsr_json_real(p->confidence));
    o = bsr_json_add(o, "format_loss", bsr_json_real(p->format_loss));
    o = bsr_json_add(o, "linear_limit", bsr_json_real(p->linear_limit));
    o = bsr_json_add(o, "normal_limit", bsr_json_real(p->normal_limit));
    o = bsr_json_add(
        o, "points",
        bsr_json_array(p->points, (size_t)p->n_points, sizeof *p->points, point, NULL));
    o = bsr_json_add(
        o, "shares",
        bsr_json_array(p->shares, (size_t)p->n_shares, sizeof *p->shares, share, NULL));
    o = bsr_json_add(
        o, "layers",
        bsr_json_array(p->layers, (size_t)p->n_layers, sizeof *p->layers, layer, NULL));
    o = bsr_json_add(
        o, "read_offs",
        bsr_json_array(p->read_offs, (size_t)p->n_read_offs, sizeof *p->read_offs, read_off, p));
    o = bsr_json_add(o, "performance",
                     bsr_json_performance(&p->performance, p->provenance.cpu_brand));
    o = bsr_json_add(o, "provenance", bsr_json_provenance(&p->provenance));
    return bsr_json_dump(out, o);
}
