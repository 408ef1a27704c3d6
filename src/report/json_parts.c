#include "report/json_parts.h"

#include <math.h>

json_t *bsr_json_index(int64_t i)
{
    return i < 0 ? json_null() : json_integer(i);
}

json_t *bsr_json_estimate(bsr_share share)
{
    if (isnan(share.value))
        return json_null();
    return json_pack("{s:o, s:o}", "value", bsr_json_real(share.value), "ci",
                     bsr_json_interval(share));
}

json_t *bsr_json_add_share(json_t *object, const char *name, const char *ci, bsr_share share)
{
    object = bsr_json_add(object, name, bsr_json_real(share.value));
    return bsr_json_add(object, ci, bsr_json_interval(share));
}

json_t *bsr_json_stratum(const bsr_plan_stratum *s, int layer)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "layer", bsr_json_index(layer), "bit",
                     bsr_json_index(s->bit), "p", bsr_json_real(s->p), "population",
                     bsr_json_count(s->population), "n", bsr_json_count(s->n));
}

json_t *bsr_json_performance(const bsr_performance *p, const char *cpu_brand)
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

json_t *bsr_json_provenance(const bsr_provenance *p)
{
    json_t *model = json_pack("{s:o, s:o}", "path", bsr_json_text(p->model_path), "sha256",
                              bsr_json_text(p->model_sha256));
    json_t *data = json_pack("{s:o, s:o}", "spec", bsr_json_text(p->data_spec), "sha256",
                             bsr_json_text(p->data_sha256));
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "version", bsr_json_text(p->version), "model",
                     model, "data", data, "seed", bsr_json_count(p->seed), "spec",
                     bsr_json_text(p->spec));
}
