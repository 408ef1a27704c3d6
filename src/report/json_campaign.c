#include "bitseer/campaign.h"
#include "report/json_parts.h"

/* Keys are part of the interface: their names and order stay. */

static json_t *plan_layer(const void *item, const void *ctx)
{
    const bsr_plan_layer *l = item;
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "index", l->index, "name",
                     bsr_json_text(l->name), "op", bsr_json_text(l->op), "sites",
                     bsr_json_count(l->sites), "population", bsr_json_count(l->population), "n",
                     bsr_json_count(l->n));
}

static json_t *plan_stratum(const void *item, const void *ctx)
{
    const bsr_plan_stratum *s = item;
    const bsr_plan_result *p = ctx;
    return bsr_json_stratum(s, s->layer < 0 ? -1 : p->layers[s->layer].index);
}

bsr_status bsr_plan_json(char **out, const bsr_plan_result *p)
{
    bsr_json_setup();
    json_t *o = json_pack("{s:s, s:o, s:o, s:o, s:o}", "command", "plan", "target",
                          bsr_json_text(p->target), "plan", bsr_json_text(p->plan), "fault",
                          bsr_json_text(p->fault), "method", bsr_json_text(p->method));
    o = bsr_json_add(o, "margin", p->margin > 0 ? bsr_json_real(p->margin) : json_null());
    o = bsr_json_add(o, "confidence", bsr_json_real(p->confidence));
    o = bsr_json_add(o, "t", bsr_json_real(p->t));
    o = bsr_json_add(o, "population", bsr_json_count(p->population));
    o = bsr_json_add(o, "n", bsr_json_count(p->n));
    o = bsr_json_add(o, "sites", p->sites ? bsr_json_count(p->sites) : json_null());
    o = bsr_json_add(
        o, "layers",
        bsr_json_array(p->layers, (size_t)p->n_layers, sizeof *p->layers, plan_layer, NULL));
    o = bsr_json_add(
        o, "strata",
        bsr_json_array(p->strata, (size_t)p->n_strata, sizeof *p->strata, plan_stratum, p));
    return bsr_json_dump(out, o);
}

static json_t *distribution(const bsr_distribution *d)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "mean", bsr_json_real(d->mean), "sd",
        bsr_json_real(d->sd), "min", bsr_json_real(d->min), "q05", bsr_json_real(d->q05), "q25",
        bsr_json_real(d->q25), "median", bsr_json_real(d->median), "q75", bsr_json_real(d->q75),
        "q95", bsr_json_real(d->q95), "max", bsr_json_real(d->max));
}

static json_t *sweep_point(const void *item, const void *ctx)
{
    const bsr_sweep_point *p = item;
    json_t *o = json_pack("{s:o}", "ber", bsr_json_real(p->ber));
    o = bsr_json_add_share(o, "accuracy", "ci", p->accuracy);
    o = bsr_json_add_share(o, "sdc", "sdc_ci", p->sdc);
    o = bsr_json_add_share(o, "critical", "critical_ci", p->critical);
    o = bsr_json_add_share(o, "due", "due_ci", p->due);
    o = bsr_json_add_share(o, "top5", "top5_ci", p->top5);
    o = bsr_json_add(o, "rmse", bsr_json_real(p->rmse));
    o = bsr_json_add(o, "runs", json_integer(p->runs));
    o = bsr_json_add(o, "flips", distribution(&p->flips));
    o = bsr_json_add(o, "bits", bsr_json_real(p->bits));
    o = bsr_json_add(o, "accuracy_runs", distribution(&p->accuracy_runs));
    o = bsr_json_add(o, "rmse_runs", distribution(&p->rmse_runs));
    o = bsr_json_add(o, "rmse_ci", bsr_json_interval(p->rmse_interval));
    return bsr_json_add(o, "model", bsr_json_text(bsr_error_model_name(p->model)));
}

static json_t *guard(const void *item, const void *ctx)
{
    const bsr_sweep_guard *g = item;
    json_t *o = json_pack("{s:o, s:i, s:i, s:o, s:o}", "ber", bsr_json_real(g->ber), "patterns",
                          g->patterns, "images", g->images, "measured", bsr_json_real(g->measured),
                          "predicted", bsr_json_real(g->predicted));
    o = bsr_json_add_share(o, "ratio", "ratio_ci", g->ratio);
    return bsr_json_add(o, "rescaled", json_boolean(g->rescaled));
}

bsr_status bsr_sweep_json(char **out, const bsr_sweep_result *r)
{
    bsr_json_setup();
    json_t *o =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "command", "sweep", "target",
                  bsr_json_text(r->target), "format", bsr_json_text(r->format), "images",
                  bsr_json_count(r->images), "golden_correct", bsr_json_count(r->golden_correct),
                  "top5_correct", bsr_json_count(r->top5_correct), "confidence",
                  bsr_json_real(r->confidence), "format_loss", bsr_json_real(r->format_loss));
    o = bsr_json_add(
        o, "points",
        bsr_json_array(r->points, (size_t)r->n_points, sizeof *r->points, sweep_point, NULL));
    o = bsr_json_add(
        o, "guards",
        bsr_json_array(r->guards, (size_t)r->n_guards, sizeof *r->guards, guard, NULL));
    o = bsr_json_add(o, "performance",
                     bsr_json_performance(&r->performance, r->provenance.cpu_brand));
    o = bsr_json_add(o, "provenance", bsr_json_provenance(&r->provenance));
    return bsr_json_dump(out, o);
}

/* faults to ci at the end of `object`. */
static json_t *add_compared(json_t *o, const bsr_compared_layer *l)
{
    o = bsr_json_add(o, "faults", bsr_json_count(l->faults));
    o = bsr_json_add(o, "pairs", bsr_json_count(l->pairs));
    o = bsr_json_add(o, "critical_a", bsr_json_count(l->critical_a));
    o = bsr_json_add(o, "critical_b", bsr_json_count(l->critical_b));
    o = bsr_json_add(o, "only_a", bsr_json_count(l->only_a));
    o = bsr_json_add(o, "only_b", bsr_json_count(l->only_b));
    return bsr_json_add_share(o, "difference", "ci", l->difference);
}

static json_t *compared_layer(const void *item, const void *ctx)
{
    const bsr_compared_layer *l = item;
    return add_compared(json_pack("{s:i, s:o, s:o}", "index", l->index, "name_a",
                                  bsr_json_text(l->name_a), "name_b", bsr_json_text(l->name_b)),
                        l);
}

bsr_status bsr_comparison_json(char **out, const bsr_comparison *c)
{
    bsr_json_setup();
    json_t *o = json_pack("{s:s, s:o, s:o, s:o, s:o}", "command", "compare", "a",
                          bsr_json_text(c->path_a), "b", bsr_json_text(c->path_b), "images",
                          bsr_json_count(c->images), "confidence", bsr_json_real(c->confidence));
    o = bsr_json_add(
        o, "layers",
        bsr_json_array(c->layers, (size_t)c->n_layers, sizeof *c->layers, compared_layer, NULL));
    o = bsr_json_add(o, "total", add_compared(json_object(), &c->total));
    o = bsr_json_add(o, "p_value", bsr_json_real(c->p_value));
    o = bsr_json_add(o, "left_out_a", bsr_json_count(c->left_out_a));
    o = bsr_json_add(o, "left_out_b", bsr_json_count(c->left_out_b));
    return bsr_json_dump(out, o);
}
