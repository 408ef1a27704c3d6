#include "bitseer/campaign.h"
#include "report/json_parts.h"

/* Keys are part of the interface: their names and order stay. */

static json_t *run(const bsr_total_run *r)
{
    return json_pack("{s:o, s:o, s:o, s:b}", "path", bsr_json_text(r->path), "method",
                     bsr_json_text(r->method), "images", bsr_json_count(r->images), "complete",
                     r->complete);
}

static json_t *layer(const void *item, const void *ctx)
{
    const bsr_total_layer *l = item;
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "index", l->index, "name",
                     bsr_json_text(l->name), "op", bsr_json_text(l->op), "inputs",
                     bsr_json_count(l->inputs), "weights", bsr_json_count(l->weights), "operand",
                     bsr_json_estimate(l->operand), "weight", bsr_json_estimate(l->weight), "both",
                     bsr_json_estimate(l->both));
}

bsr_status bsr_total_json(char **out, const bsr_total_result *r)
{
    bsr_json_setup();
    json_t *o = json_pack("{s:s, s:o, s:o, s:o, s:o}", "command", "total", "operand",
                          run(&r->operand), "weight", run(&r->weight), "fault",
                          bsr_json_text(r->fault), "confidence", bsr_json_real(r->confidence));
    o = bsr_json_add(
        o, "layers",
        bsr_json_array(r->layers, (size_t)r->n_layers, sizeof *r->layers, layer, NULL));
    o = bsr_json_add(o, "mvf",
                     json_pack("{s:o, s:o}", "vf", bsr_json_real(r->mvf.value), "ci",
                               bsr_json_interval(r->mvf)));
    return bsr_json_dump(out, o);
}
