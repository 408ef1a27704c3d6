#include "report/text_scores.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/text_parts.h"

#define BAR_WIDTH 8

/* "filters" or "neurons". */
static const char *target_words(const bsr_result *r)
{
    return strcmp(r->target, "weight") == 0 ? "filters" : "neurons";
}

void bsr_print_scored(bsr_strbuf *b, const bsr_result *r)
{
    bsr_strbuf_add(b, "%s %s of %d layer%s, each on %llu images",
                   bsr_count_text(r->searches.targets).text, target_words(r), r->n_layers,
                   r->n_layers == 1 ? "" : "s", (unsigned long long)r->images);
}

/* Simulations of a target, in the mean. */
static bsr_number per_target(const bsr_deepvigor_counts *c)
{
    bsr_number s = {"-"};
    if (c->targets)
        snprintf(s.text, sizeof s.text, "%.2f", (double)c->simulations / (double)c->targets);
    return s;
}

void bsr_print_scores(bsr_strbuf *b, const bsr_result *r)
{
    char titles[128];
    double highest = 0;
    bsr_table t;
    for (int i = 0; i < r->n_layers; i++)
        highest = fmax(highest, r->layers[i].vf.value);
    snprintf(titles, sizeof titles,
             "layer|<~name|<~op|sites|%s|simulations|each|skipped %%|single %%|VF %%|<",
             target_words(r));
    bsr_table_init(&t, titles);
    for (int i = 0; i < r->n_layers; i++) {
        const bsr_layer_result *l = &r->layers[i];
        const bsr_deepvigor_counts *c = &l->searches;
        bsr_table_cell(&t, "%d", l->index);
        bsr_table_cell(&t, "%s", l->name);
        bsr_table_cell(&t, "%s", l->op);
        bsr_table_cell(&t, "%s", bsr_count_text(l->sites).text);
        bsr_table_cell(&t, "%s", bsr_count_text(c->targets).text);
        bsr_table_cell(&t, "%s", bsr_count_text(c->simulations).text);
        bsr_table_cell(&t, "%s", per_target(c).text);
        bsr_table_cell(&t, "%s", bsr_percent_of(c->skipped, c->targets).text);
        bsr_table_cell(&t, "%s", bsr_percent_of(c->single, c->targets).text);
        bsr_table_cell(&t, "%s", bsr_percent(l->vf.value).text);
        bsr_table_cell(&t, "%s", bsr_bar(l->vf.value, highest, BAR_WIDTH).text);
    }
    bsr_table_print(&t, b);
}

void bsr_print_searches(bsr_strbuf *b, const bsr_result *r)
{
    const bsr_deepvigor_counts *c = &r->searches;
    bsr_strbuf_add(b, "simulations  %s of all images, %s for one of the %s\n",
                   bsr_count_text(c->simulations).text, per_target(c).text, target_words(r));
    bsr_strbuf_add(b, "skipped      %s %% of the %s: no gradient in any image\n",
                   bsr_percent_of(c->skipped, c->targets).text, target_words(r));
    bsr_strbuf_add(b, "single       %s %% of the %s: decided by the probes at -1 and 1\n",
                   bsr_percent_of(c->single, c->targets).text, target_words(r));
}
