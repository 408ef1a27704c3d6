#include "bitseer/repeat.h"
#include "report/text_parts.h"

static void error_cells(bsr_table *t, const bsr_repeat_error *e)
{
    bsr_table_cell(t, "%s", bsr_percent(e->mean).text);
    bsr_table_cell(t, "%s", bsr_percent(e->max).text);
}

static void cells(bsr_table *t, double vf, const bsr_repeat_error *lvf, const bsr_repeat_error *cvf)
{
    bsr_table_cell(t, "%s", bsr_percent(vf).text);
    error_cells(t, lvf);
    bsr_table_cell(t, "%s",
                   lvf->intervals ? bsr_percent_of(lvf->covered, lvf->intervals).text : "-");
    error_cells(t, cvf);
}

bsr_status bsr_repeat_text(char **out, const bsr_repeat_result *r)
{
    bsr_strbuf b = {0};
    bsr_table t;
    bsr_strbuf_add(&b, "%d analyses against the complete one: target %s, method %s, sampling %s\n",
                   r->repeats, r->target, r->method, r->sampling);
    bsr_strbuf_add(&b, "errors are absolute, in points of VF\n\n");
    bsr_table_init(&t, "layer|<~name|VF %|LVF mean|LVF max|covered %|CVF mean|CVF max");
    for (int i = 0; i < r->n_layers; i++) {
        const bsr_repeat_layer *l = &r->layers[i];
        bsr_table_cell(&t, "%d", l->index);
        bsr_table_cell(&t, "%s", l->name);
        cells(&t, l->vf, &l->lvf, &l->cvf);
    }
    bsr_table_cell(&t, "all");
    bsr_table_cell(&t, "%s", "");
    cells(&t, r->vf, &r->lvf, &r->cvf);
    bsr_table_print(&t, &b);
    bsr_strbuf_add(&b, "\nMVF          error mean %s, max %s points", bsr_percent(r->mvf.mean).text,
                   bsr_percent(r->mvf.max).text);
    if (r->mvf.intervals)
        bsr_strbuf_add(&b, "; %s %% of the %.12g %% intervals hold it",
                       bsr_percent_of(r->mvf.covered, r->mvf.intervals).text, 100 * r->confidence);
    bsr_strbuf_add(&b, "\ncost         %.4g evaluations each, %.3g s in all\n", r->evaluations,
                   r->seconds);
    return bsr_strbuf_take_ascii(out, &b);
}
