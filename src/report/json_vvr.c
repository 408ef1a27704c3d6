#include "bitseer/vvr.h"
#include "report/json_parts.h"

static json_t *side(const bsr_vvr_side *s)
{
    json_t *quantiles = json_array();
    for (int q = 0; q < BSR_VVR_QUANTILES; q++)
        json_array_append_new(quantiles, bsr_json_real(s->quantiles[q]));
    return json_pack("{s:o, s:o, s:o}", "pairs", bsr_json_count(s->pairs), "outside",
                     bsr_json_count(s->outside), "quantiles", quantiles);
}

static json_t *part(const bsr_vvr_part *p)
{
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "index", p->index, "pairs",
                     bsr_json_count(p->pairs), "lo", bsr_json_real(p->lo), "hi",
                     bsr_json_real(p->hi), "below", side(&p->below), "above", side(&p->above));
}

bsr_status bsr_vvr_json(char **out, const bsr_vvr_result *r)
{
    bsr_json_setup();
    json_t *list = json_array(), *at = json_array();
    for (int q = 0; q < BSR_VVR_QUANTILES; q++)
        json_array_append_new(at, bsr_json_real(bsr_vvr_levels()[q]));
    for (int i = 0; i < r->n_layers; i++) {
        json_t *channels = json_array();
        for (int c = 0; r->channels && c < r->n_channels[i]; c++)
            json_array_append_new(channels, part(&r->channels[i][c]));
        json_t *l = bsr_json_add(part(&r->layers[i]), "name", bsr_json_text(r->layers[i].name));
        json_array_append_new(list, bsr_json_add(l, "channels", channels));
    }
    json_t *o =
        json_pack("{s:o, s:s, s:o, s:o, s:o}", "run", bsr_json_text(r->path), "target", r->target,
                  "images", bsr_json_count(r->images), "levels", at, "layers", list);
    return bsr_json_dump(out, o);
}
