#include "report/json_parts.h"

/* Keys are part of the interface: their names and order stay. */

static json_t *count_if(int known, uint64_t n)
{
    return known ? bsr_json_count(n) : json_null();
}

/* pairs to correct at the end of `object`. Rays tell which pairs are critical alone, screening what
 * follows from the class. */
static json_t *add_outcomes(json_t *object, const bsr_outcomes *o, const bsr_result *r)
{
    int known = r->outcomes_known, masking = r->masking_known;
    object = bsr_json_add(object, "pairs", count_if(!r->scored, o->pairs));
    object = bsr_json_add(object, "critical", count_if(!r->scored, o->critical));
    object = bsr_json_add(object, "due", count_if(known, o->due));
    object = bsr_json_add(object, "sdc", count_if(known, o->sdc));
    object = bsr_json_add(object, "masked", count_if(masking, o->masked));
    object = bsr_json_add(object, "benign", count_if(masking, o->benign));
    object = bsr_json_add(object, "top5", count_if(known, o->top5));
    return bsr_json_add(object, "correct", count_if(known, o->correct));
}

static json_t *add_share(json_t *object, bsr_share vf)
{
    object = bsr_json_add(object, "vf", bsr_json_real(vf.value));
    return bsr_json_add(object, "ci", bsr_json_interval(vf));
}

static json_t *metrics(const bsr_share shares[BSR_METRICS])
{
    json_t *o = json_object();
    for (int m = 0; m < BSR_METRICS; m++)
        o = bsr_json_add(o, bsr_metric_name((bsr_metric)m), bsr_json_estimate(shares[m]));
    return o;
}

/* What bits and channels have in common, under the name of their index. */
static json_t *part(const bsr_part *p, const char *name, const bsr_result *r)
{
    int known = r->outcomes_known;
    json_t *o =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", name, bsr_json_index(p->index), "sites",
                  bsr_json_count(p->sites), "faults", bsr_json_count(p->faults), "critical",
                  count_if(!r->scored, p->outcomes.critical), "due",
                  count_if(known, p->outcomes.due), "sdc", count_if(known, p->outcomes.sdc));
    return add_share(o, p->vf);
}

static json_t *bit(const void *item, const void *ctx)
{
    const bsr_part *p = item;
    const bsr_result *r = ctx;
    return bsr_json_add(part(p, "bit", r), "metrics", metrics(p->metrics));
}

static json_t *channel(const void *item, const void *ctx)
{
    return part(item, "index", ctx);
}

static json_t *masking(const void *item, const void *ctx)
{
    const bsr_masking *m = item;
    return json_pack("{s:i, s:o}", "layer", m->at, "pairs", bsr_json_count(m->pairs));
}

static json_t *stratum(const void *item, const void *ctx)
{
    const bsr_plan_stratum *s = item;
    const bsr_result *r = ctx;
    return bsr_json_stratum(s, s->layer < 0 ? -1 : r->layers[s->layer].index);
}

/* null but of method deepvigor. */
static json_t *simulations(const bsr_deepvigor_counts *c, const bsr_result *r)
{
    if (!r->scored)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "targets", bsr_json_count(c->targets), "skipped",
                     bsr_json_count(c->skipped), "single", bsr_json_count(c->single), "simulations",
                     bsr_json_count(c->simulations), "evaluations", bsr_json_count(c->evaluations));
}

static json_t *layer(const void *item, const void *ctx)
{
    const bsr_layer_result *l = item;
    const bsr_result *r = ctx;
    json_t *o =
        json_pack("{s:i, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "index", l->index, "name",
                  bsr_json_text(l->name), "op", bsr_json_text(l->op), "target", r->target, "sites",
                  bsr_json_count(l->sites), "population", bsr_json_count(l->population),
                  "sampled_sites", bsr_json_count(l->sampled_sites), "faults",
                  bsr_json_count(l->faults), "images", bsr_json_count(r->images));
    o = add_share(add_outcomes(o, &l->outcomes, r), l->vf);
    o = bsr_json_add(o, "format", bsr_json_text(l->format));
    o = bsr_json_add(o, "metrics", metrics(l->metrics));
    o = bsr_json_add(o, "rmse", bsr_json_estimate(l->rmse));
    o = bsr_json_add(
        o, "masked_at",
        bsr_json_array(l->maskings, (size_t)l->n_maskings, sizeof *l->maskings, masking, NULL));
    o = bsr_json_add(o, "bits",
                     bsr_json_array(l->bits, (size_t)l->n_bits, sizeof *l->bits, bit, r));
    o = bsr_json_add(
        o, "channels",
        bsr_json_array(l->channels, (size_t)l->n_channels, sizeof *l->channels, channel, r));
    return bsr_json_add(o, "simulations", simulations(&l->searches, r));
}

static json_t *total(const bsr_result *r)
{
    uint64_t sites = 0, population = 0, sampled = 0, faults = 0;
    for (int i = 0; i < r->n_layers; i++) {
        sites += r->layers[i].sites;
        population += r->layers[i].population;
        sampled += r->layers[i].sampled_sites;
        faults += r->layers[i].faults;
    }
    json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:o}", "sites", bsr_json_count(sites), "population",
                          bsr_json_count(population), "sampled_sites", bsr_json_count(sampled),
                          "faults", bsr_json_count(faults), "images", bsr_json_count(r->images));
    return add_outcomes(o, &r->total, r);
}

static json_t *worst_site(const void *item, const void *ctx)
{
    const bsr_worst_site *w = item;
    const bsr_result *r = ctx;
    const bsr_layer_result *l = &r->layers[w->layer];
    return json_pack("{s:i, s:o, s:I, s:o, s:o, s:o, s:o}", "index", l->index, "name",
                     bsr_json_text(l->name), "element", (json_int_t)w->element, "pixel",
                     bsr_json_index(w->pixel), "value", bsr_json_real(w->value), "critical",
                     bsr_json_count(w->critical), "pairs", bsr_json_count(w->pairs));
}

/* null where it was off. */
static json_t *screening(const bsr_screening_result *z)
{
    if (!(z->theta > 0))
        return json_null();
    return json_pack("{s:o, s:i, s:o, s:o, s:o, s:o, s:o}", "theta", bsr_json_real(z->theta),
                     "lowered", z->lowered, "pairs", bsr_json_count(z->pairs), "skipped",
                     bsr_json_count(z->skipped), "checked", bsr_json_count(z->checked), "missed",
                     bsr_json_count(z->missed), "bound", bsr_json_real(z->bound));
}

static json_t *verification(const bsr_verification *v)
{
    if (!v->pairs)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o}", "pairs", bsr_json_count(v->pairs), "differ",
                     bsr_json_count(v->differ), "change", bsr_json_estimate(v->change), "mvf",
                     bsr_json_estimate(v->mvf));
}

/* What was asked for and answered, command to confidence. */
static json_t *head(const bsr_result *r)
{
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:b, s:o, s:o, s:o}", "command", r->command,
                  "target", r->target, "method", r->method, "sampling", r->sampling, "fault",
                  bsr_json_text(r->fault), "format", bsr_json_text(r->format), "transient",
                  r->transient, "complete", r->complete, "planned", bsr_json_count(r->planned),
                  "margin", r->margin > 0 ? bsr_json_real(r->margin) : json_null(), "format_loss",
                  bsr_json_real(r->format_loss));
    o = bsr_json_add(o, "units", json_string(r->pairs ? "pairs" : "faults"));
    o = bsr_json_add(o, "stopped", bsr_json_text(r->stopped ? r->stopped : ""));
    o = bsr_json_add(o, "reached", bsr_json_real(r->reached));
    o = bsr_json_add(o, "images", bsr_json_count(r->images));
    o = bsr_json_add(o, "golden_correct", bsr_json_count(r->golden_correct));
    return bsr_json_add(o, "confidence", bsr_json_real(r->confidence));
}

bsr_status bsr_result_json(char **out, const bsr_result *r)
{
    bsr_json_setup();
    json_t *o = head(r);
    o = bsr_json_add(o, "layers",
                     bsr_json_array(r->layers, (size_t)r->n_layers, sizeof *r->layers, layer, r));
    o = bsr_json_add(o, "mvf", add_share(json_object(), r->mvf));
    o = bsr_json_add(o, "bits",
                     bsr_json_array(r->bits, (size_t)r->n_bits, sizeof *r->bits, bit, r));
    o = bsr_json_add(o, "metrics", metrics(r->metrics));
    o = bsr_json_add(o, "rmse", bsr_json_estimate(r->rmse));
    o = bsr_json_add(o, "strata",
                     bsr_json_array(r->strata, (size_t)r->n_strata, sizeof *r->strata, stratum, r));
    o = bsr_json_add(o, "total", total(r));
    o = bsr_json_add(o, "worst",
                     bsr_json_array(r->worst, (size_t)r->n_worst, sizeof *r->worst, worst_site, r));
    o = bsr_json_add(o, "check",
                     json_pack("{s:o, s:o}", "pairs", bsr_json_count(r->checked), "violations",
                               bsr_json_count(r->violations)));
    o = bsr_json_add(o, "screening", screening(&r->screening));
    o = bsr_json_add(o, "verification", verification(&r->verification));
    o = bsr_json_add(o, "simulations", simulations(&r->searches, r));
    o = bsr_json_add(o, "performance",
                     bsr_json_performance(&r->performance, r->provenance.cpu_brand));
    o = bsr_json_add(o, "provenance", bsr_json_provenance(&r->provenance));
    return bsr_json_dump(out, o);
}

bsr_status bsr_eval_json(char **out, const bsr_eval_result *r)
{
    bsr_json_setup();
    json_t *o =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:i}", "images", bsr_json_count(r->images),
                  "correct", bsr_json_count(r->correct), "accuracy", bsr_json_real(r->accuracy),
                  "top5", bsr_json_real(r->top5_accuracy), "top5_correct", bsr_json_count(r->top5),
                  "accuracy_ci", bsr_json_interval(r->accuracy_ci), "classes", r->classes);
    o = bsr_json_add(o, "performance",
                     json_pack("{s:o, s:o}", "seconds", bsr_json_real(r->seconds), "cpu_brand",
                               bsr_json_text(r->provenance.cpu_brand)));
    o = bsr_json_add(o, "provenance", bsr_json_provenance(&r->provenance));
    return bsr_json_dump(out, o);
}
