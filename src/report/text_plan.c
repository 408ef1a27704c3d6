#include <math.h>
#include <string.h>

#include "bitseer/campaign.h"
#include "report/bit_profile.h"
#include "report/text_parts.h"

static void count_cells(bsr_table *t, uint64_t sites, uint64_t population, uint64_t n)
{
    bsr_table_cell(t, "%s", bsr_count_text(sites).text);
    bsr_table_cell(t, "%s", bsr_count_text(population).text);
    bsr_table_cell(t, "%s", bsr_count_text(n).text);
    bsr_table_cell(t, "%s", bsr_percent_of(n, population).text);
}

static void print_layers(bsr_strbuf *b, const bsr_plan_result *p)
{
    uint64_t sites = 0;
    bsr_table t;
    bsr_table_init(&t, "layer|<~name|<~op|sites|faults|to inject|%");
    for (int i = 0; i < p->n_layers; i++) {
        const bsr_plan_layer *l = &p->layers[i];
        sites += l->sites;
        bsr_table_cell(&t, "%d", l->index);
        bsr_table_cell(&t, "%s", l->name);
        bsr_table_cell(&t, "%s", l->op);
        count_cells(&t, l->sites, l->population, l->n);
    }
    bsr_table_cell(&t, "all");
    bsr_table_cell(&t, "%s", "");
    bsr_table_cell(&t, "%s", "");
    count_cells(&t, sites, p->population, p->n);
    bsr_table_print(&t, b);
}

/* The strata of one bit over all layers. */
typedef struct bit_sum {
    int strata;
    double least_p, most_p;
    uint64_t population, n;
} bit_sum;

static int sum_bits(bit_sum sums[BSR_BITS], const bsr_plan_result *p)
{
    int found = 0;
    for (int i = 0; i < p->n_strata; i++) {
        const bsr_plan_stratum *s = &p->strata[i];
        if (s->bit < 0 || s->bit >= BSR_BITS)
            continue;
        bit_sum *sum = &sums[s->bit];
        sum->least_p = sum->strata ? fmin(sum->least_p, s->p) : s->p;
        sum->most_p = sum->strata ? fmax(sum->most_p, s->p) : s->p;
        sum->strata++;
        sum->population += s->population;
        sum->n += s->n;
        found = 1;
    }
    return found;
}

/* Highest bit first, as in the numbers themselves. */
static void print_bits(bsr_strbuf *b, const bsr_plan_result *p)
{
    bit_sum sums[BSR_BITS] = {{0}};
    if (!sum_bits(sums, p))
        return;
    bsr_table t;
    bsr_table_init(&t, "bit|assumed %|faults|to inject|%");
    for (int i = BSR_BITS - 1; i >= 0; i--) {
        const bit_sum *s = &sums[i];
        if (!s->strata)
            continue;
        bsr_table_cell(&t, "%d", i);
        if (s->least_p < s->most_p)
            bsr_table_cell(&t, "%s to %s", bsr_percent(s->least_p).text,
                           bsr_percent(s->most_p).text);
        else
            bsr_table_cell(&t, "%s", bsr_percent(s->least_p).text);
        bsr_table_cell(&t, "%s", bsr_count_text(s->population).text);
        bsr_table_cell(&t, "%s", bsr_count_text(s->n).text);
        bsr_table_cell(&t, "%s", bsr_percent_of(s->n, s->population).text);
    }
    bsr_strbuf_add(b, "\nbits, over all layers\n");
    bsr_table_print(&t, b);
}

bsr_status bsr_plan_text(char **out, const bsr_plan_result *p)
{
    bsr_strbuf b = {0};
    bsr_strbuf_add(&b, "plan: %s, target %s, method %s, sampling %s\n",
                   bsr_fault_text(p->fault).text, p->target, p->method, p->plan);
    if (p->margin > 0)
        bsr_strbuf_add(&b, "margin %.6g %%, confidence %.12g %% (t %.6g)\n", 100 * p->margin,
                       100 * p->confidence, p->t);
    bsr_strbuf_add(&b, "\n");
    print_layers(&b, p);
    print_bits(&b, p);
    bsr_strbuf_add(&b, "\n%s of %s faults", bsr_count_text(p->n).text,
                   bsr_count_text(p->population).text);
    if (p->sites)
        bsr_strbuf_add(&b, ", answered by rays at %s sites", bsr_count_text(p->sites).text);
    if (strcmp(p->plan, "adaptive") == 0)
        bsr_strbuf_add(&b, " in the first round; more follow until the margin is met");
    bsr_strbuf_add(&b, "\n");
    return bsr_strbuf_take_ascii(out, &b);
}
