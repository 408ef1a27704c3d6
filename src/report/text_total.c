#include "bitseer/campaign.h"
#include "report/text_parts.h"

static void print_run(bsr_strbuf *b, const char *what, const bsr_total_run *run)
{
    bsr_strbuf_add(b, "%s  %s, method %s, %llu images%s\n", what, run->path, run->method,
                   (unsigned long long)run->images, run->complete ? "" : ", INCOMPLETE");
}

bsr_status bsr_total_text(char **out, const bsr_total_result *r)
{
    bsr_strbuf b = {0};
    bsr_table t;
    bsr_strbuf_add(&b, "total: %s, both targets\n", bsr_fault_text(r->fault).text);
    print_run(&b, "weights ", &r->weight);
    print_run(&b, "operands", &r->operand);
    bsr_strbuf_add(&b, "\n");
    bsr_table_init(&t, "layer|<~name|<~op|inputs|weights|operand %|weight %|both %|interval");
    for (int i = 0; i < r->n_layers; i++) {
        const bsr_total_layer *l = &r->layers[i];
        bsr_table_cell(&t, "%d", l->index);
        bsr_table_cell(&t, "%s", l->name);
        bsr_table_cell(&t, "%s", l->op);
        bsr_table_cell(&t, "%s", bsr_count_text(l->inputs).text);
        bsr_table_cell(&t, "%s", bsr_count_text(l->weights).text);
        bsr_table_cell(&t, "%s", bsr_percent(l->operand.value).text);
        bsr_table_cell(&t, "%s", bsr_percent(l->weight.value).text);
        bsr_table_cell(&t, "%s", bsr_percent(l->both.value).text);
        bsr_table_cell(&t, "%s", bsr_percent_interval(l->both).text);
    }
    bsr_table_print(&t, &b);
    bsr_strbuf_add(&b, "(both: VFs of operands and weights, weighted by the numbers of inputs and "
                       "weights)\n");
    bsr_strbuf_add(&b, "\nMVF total    %s %%, mean of the layers, ",
                   bsr_percent(r->mvf.value).text);
    if (r->mvf.lo == r->mvf.lo)
        bsr_strbuf_add(&b, "%.12g %% interval %s\n", 100 * r->confidence,
                       bsr_percent_interval(r->mvf).text);
    else
        bsr_strbuf_add(&b, "no interval\n");
    return bsr_strbuf_take_ascii(out, &b);
}
