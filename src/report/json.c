#include "report/json_value.h"
#include "report/outcomes.h"

/* Keys are part of the interface: their names and order stay. */

static json_t *count_if(int known, uint64_t n)
{
    return known ? bsr_json_count(n) : json_null();
}

/* pairs to benign at the end of `object`. */
static json_t *add_outcomes(json_t *object, const bsr_outcomes *o)
{
    int known = bsr_outcomes_known(o);
    object = bsr_json_add(object, "pairs", bsr_json_count(o->pairs));
    object = bsr_json_add(object, "critical", bsr_json_count(o->critical));
    object = bsr_json_add(object, "due", count_if(known, o->due));
    object = bsr_json_add(object, "sdc", count_if(known, o->sdc));
    object = bsr_json_add(object, "masked", count_if(known, o->masked));
    return bsr_json_add(object, "benign", count_if(known, o->benign));
}

static json_t *add_share(json_t *object, bsr_share vf)
{
    object = bsr_json_add(object, "vf", bsr_json_real(vf.value));
    return bsr_json_add(object, "ci", bsr_json_interval(vf));
}

/* ctx is the name of the index: "bit", or "index" for a channel. */
static json_t *part(const void *item, const void *ctx)
{
    const bsr_part *p = item;
    int known = bsr_outcomes_known(&p->outcomes);
    json_t *o =
        json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", (const char *)ctx, p->index, "sites",
                  bsr_json_count(p->sites), "faults", bsr_json_count(p->faults), "critical",
                  bsr_json_count(p->outcomes.critical), "due", count_if(known, p->outcomes.due),
                  "sdc", count_if(known, p->outcomes.sdc));
    return add_share(o, p->vf);
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
    o = add_share(add_outcomes(o, &l->outcomes), l->vf);
    o = bsr_json_add(o, "bits",
                     bsr_json_array(l->bits, (size_t)l->n_bits, sizeof *l->bits, part, "bit"));
    return bsr_json_add(
        o, "channels",
        bsr_json_array(l->channels, (size_t)l->n_channels, sizeof *l->channels, part, "index"));
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
    return add_outcomes(o, &r->total);
}

static json_t *worst_site(const void *item, const void *ctx)
{
    const bsr_worst_site *w = item;
    const bsr_result *r = ctx;
    const bsr_layer_result *l = &r->layers[w->layer];
    return json_pack("{s:i, s:o, s:I, s:o, s:o, s:o}", "index", l->index, "name",
                     bsr_json_text(l->name), "element", (json_int_t)w->element, "value",
                     bsr_json_real(w->value), "critical", bsr_json_count(w->critical), "pairs",
                     bsr_json_count(w->pairs));
}

/* All that may differ between two runs of one analysis. */
static json_t *performance(const bsr_performance *p, const char *cpu_brand)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o}", "evaluations",
                     bsr_json_count(p->evaluations), "injections", bsr_json_count(p->injections),
                     "forward_equivalents", bsr_json_real(p->forward_equivalents), "seconds",
                     bsr_json_real(p->seconds), "golden_seconds", bsr_json_real(p->golden_seconds),
                     "forward_seconds", bsr_json_real(p->forward_seconds), "lanes_per_second",
                     bsr_json_real(p->lanes_per_second), "injections_per_second",
                     bsr_json_real(p->injections_per_second), "threads", p->threads, "cpu",
                     bsr_json_text(p->cpu), "cpu_brand", bsr_json_text(cpu_brand));
}

static json_t *provenance(const bsr_provenance *p)
{
    json_t *model = json_pack("{s:o, s:o}", "path", bsr_json_text(p->model_path), "sha256",
                              bsr_json_text(p->model_sha256));
    json_t *data = json_pack("{s:o, s:o}", "spec", bsr_json_text(p->data_spec), "sha256",
                             bsr_json_text(p->data_sha256));
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "version", bsr_json_text(p->version), "model",
                     model, "data", data, "seed", bsr_json_count(p->seed), "spec",
                     bsr_json_text(p->spec));
}

bsr_status bsr_result_json(char **out, const bsr_result *r)
{
    bsr_json_setup();
    json_t *o = json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "command", r->command, "target", r->target, "method",
        r->method, "sampling", r->sampling, "images", bsr_json_count(r->images), "golden_correct",
        bsr_json_count(r->golden_correct), "confidence", bsr_json_real(r->confidence));
    o = bsr_json_add(o, "layers",
                     bsr_json_array(r->layers, (size_t)r->n_layers, sizeof *r->layers, layer, r));
    o = bsr_json_add(o, "mvf", add_share(json_object(), r->mvf));
    o = bsr_json_add(o, "bits",
                     bsr_json_array(r->bits, (size_t)r->n_bits, sizeof *r->bits, part, "bit"));
    o = bsr_json_add(o, "total", total(r));
    o = bsr_json_add(o, "worst",
                     bsr_json_array(r->worst, (size_t)r->n_worst, sizeof *r->worst, worst_site, r));
    o = bsr_json_add(o, "check",
                     json_pack("{s:o, s:o, s:o}", "pairs", bsr_json_count(r->checked), "violations",
                               bsr_json_count(r->violations), "nan_faults",
                               bsr_json_count(r->nan_faults)));
    o = bsr_json_add(o, "performance", performance(&r->performance, r->provenance.cpu_brand));
    o = bsr_json_add(o, "provenance", provenance(&r->provenance));
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
    o = bsr_json_add(o, "provenance", provenance(&r->provenance));
    return bsr_json_dump(out, o);
}
