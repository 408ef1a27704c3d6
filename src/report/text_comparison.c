#include <string.h>

#include "bitseer/campaign.h"
#include "report/text_parts.h"

static void count_cells(bsr_table *t, const bsr_compared_layer *l)
{
    bsr_table_cell(t, "%s", bsr_count_text(l->faults).text);
    bsr_table_cell(t, "%s", bsr_percent_of(l->critical_a, l->pairs).text);
    bsr_table_cell(t, "%s", bsr_percent_of(l->critical_b, l->pairs).text);
    bsr_table_cell(t, "%s", bsr_percent(l->difference.value).text);
    bsr_table_cell(t, "%s", bsr_percent_interval(l->difference).text);
    bsr_table_cell(t, "%s", bsr_count_text(l->only_a).text);
    bsr_table_cell(t, "%s", bsr_count_text(l->only_b).text);
}

static void print_layers(bsr_strbuf *b, const bsr_comparison *c)
{
    bsr_table t;
    bsr_table_init(&t, "layer|<~name|faults|VF a|VF b|b - a|interval|only a|only b");
    for (int i = 0; i < c->n_layers; i++) {
        const bsr_compared_layer *l = &c->layers[i];
        bsr_table_cell(&t, "%d", l->index);
        if (strcmp(l->name_a, l->name_b) == 0)
            bsr_table_cell(&t, "%s", l->name_a);
        else
            bsr_table_cell(&t, "%s, %s", l->name_a, l->name_b);
        count_cells(&t, l);
    }
    bsr_table_cell(&t, "all");
    bsr_table_cell(&t, "%s", "");
    count_cells(&t, &c->total);
    bsr_table_print(&t, b);
}

bsr_status bsr_comparison_text(char **out, const bsr_comparison *c)
{
    bsr_strbuf b = {0};
    bsr_strbuf_add(&b, "compare: a is %s\n         b is %s\n", c->path_a, c->path_b);
    bsr_strbuf_add(&b, "%s faults that both answered, %llu images, %s pairs\n\n",
                   bsr_count_text(c->total.faults).text, (unsigned long long)c->images,
                   bsr_count_text(c->total.pairs).text);
    print_layers(&b, c);
    bsr_strbuf_add(&b,
                   "(VF: critical pairs in %%; b - a: in points; interval: %.12g %%; only a: "
                   "critical in a alone)\n",
                   100 * c->confidence);
    /* Below the least double it is not 0 either. */
    bsr_strbuf_add(&b, "\nMcNemar      p %s %s (exact, two-sided; takes pairs for independent)\n",
                   c->p_value > 0 ? "=" : "<",
                   c->p_value > 0 ? bsr_real_cell(c->p_value).text : "1e-300");
    if (c->left_out_a || c->left_out_b)
        bsr_strbuf_add(&b, "left out     %s faults that only a answered, %s that only b did\n",
                       bsr_count_text(c->left_out_a).text, bsr_count_text(c->left_out_b).text);
    return bsr_strbuf_take_ascii(out, &b);
}
