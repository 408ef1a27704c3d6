#include "bitseer/repeat.h"
#include "report/json_parts.h"

static json_t *error(const bsr_repeat_error *e)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "mean", bsr_json_real(e->mean), "max",
                     bsr_json_real(e->max), "intervals", bsr_json_count(e->intervals), "covered",
                     bsr_json_count(e->covered));
}

static json_t *layer(const void *item, const void *ctx)
{
    const bsr_repeat_layer *l = item;
    return json_pack("{s:i, s:o, s:o, s:o, s:o}", "index", l->index, "name", bsr_json_text(l->name),
                     "vf", bsr_json_real(l->vf), "lvf", error(&l->lvf), "cvf", error(&l->cvf));
}

bsr_status bsr_repeat_json(char **out, const bsr_repeat_result *r)
{
    bsr_json_setup();
    json_t *o = json_pack("{s:i, s:s, s:s, s:s, s:o, s:o}", "repeats", r->repeats, "target",
                          r->target, "method", r->method, "sampling", r->sampling, "confidence",
                          bsr_json_real(r->confidence), "vf", bsr_json_real(r->vf));
    o = bsr_json_add(o, "layers",
                     bsr_json_array(r->layers, (size_t)r->n_layers, sizeof *r->layers, layer, r));
    o = bsr_json_add(o, "mvf", error(&r->mvf));
    o = bsr_json_add(o, "lvf", error(&r->lvf));
    o = bsr_json_add(o, "cvf", error(&r->cvf));
    o = bsr_json_add(o, "evaluations", bsr_json_real(r->evaluations));
    o = bsr_json_add(o, "seconds", bsr_json_real(r->seconds));
    return bsr_json_dump(out, o);
}
