#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/protection_parts.h"
#include "report/text_parts.h"

/* "1.5", or "0 to 1.5" where the run leaves it open. */
static bsr_number range_value(const bsr_vf_range *r)
{
    bsr_number low = bsr_percent(r->low.value), high = bsr_percent(r->high.value), both;
    if (strcmp(low.text, high.text) == 0)
        return high;
    snprintf(both.text, sizeof both.text, "%.12s to %.12s", low.text, high.text);
    return both;
}

static bsr_number range_interval(const bsr_vf_range *r)
{
    return bsr_percent_interval(bsr_range_share(r));
}

static void print_layers(bsr_strbuf *b, const bsr_protection *p)
{
    bsr_table t;
    bsr_table_init(&t, "layer|<~name|<by|<bits|words|bits added|LVF|then|interval");
    for (int i = 0; i < p->n_layers; i++) {
        const bsr_protected_layer *l = &p->layers[i];
        bsr_table_cell(&t, "%d", l->index);
        bsr_table_cell(&t, "%s", l->name);
        bsr_table_cell(&t, "%s", l->words ? bsr_protect_name(l->by) : "-");
        bsr_table_cell(&t, "%s", l->words ? bsr_bits_as_text(l->bits).text : "-");
        bsr_table_cell(&t, "%s", bsr_count_text(l->words).text);
        bsr_table_cell(&t, "%lld", (long long)l->added_bits);
        bsr_table_cell(&t, "%s", bsr_percent(l->before.value).text);
        bsr_table_cell(&t, "%s", range_value(&l->after).text);
        bsr_table_cell(&t, "%s", range_interval(&l->after).text);
    }
    bsr_table_print(&t, b);
    bsr_strbuf_add(b, "(LVF in %%; then: under the protection; interval: %.12g %%)\n",
                   100 * p->confidence);
}

static void print_steps(bsr_strbuf *b, const bsr_protection *p)
{
    bsr_table t;
    if (!p->planned)
        return;
    bsr_strbuf_add(b, "\nplan, best saving per bit first\n");
    bsr_table_init(&t, "step|layer|<~name|<by|<bits|bits added|%|MVF|interval");
    for (int i = 0; i < p->n_steps; i++) {
        const bsr_protect_step *s = &p->steps[i];
        bsr_table_cell(&t, "%d", i + 1);
        bsr_table_cell(&t, "%d", p->layers[s->layer].index);
        bsr_table_cell(&t, "%s", p->layers[s->layer].name);
        bsr_table_cell(&t, "%s", bsr_protect_name(s->by));
        bsr_table_cell(&t, "%s", bsr_bits_as_text(s->bits).text);
        bsr_table_cell(&t, "%lld", (long long)s->added_bits);
        bsr_table_cell(&t, "%s", bsr_percent(bsr_overhead(s->added_bits, p->stored_bits)).text);
        bsr_table_cell(&t, "%s", range_value(&s->mvf).text);
        bsr_table_cell(&t, "%s", range_interval(&s->mvf).text);
    }
    bsr_table_print(&t, b);
    if (p->target_vf >= 0)
        bsr_strbuf_add(b, "target MVF %s %%: %s\n", bsr_percent(p->target_vf).text,
                       p->reached ? "reached" : "not reached by any protection offered");
    if (p->budget >= 0)
        bsr_strbuf_add(b, "budget %lld bits\n", (long long)p->budget);
}

static void print_total(bsr_strbuf *b, const bsr_protection *p)
{
    bsr_strbuf_add(b, "\nMVF          %s %%, %.12g %% interval %s\n",
                   bsr_percent(p->before.value).text, 100 * p->confidence,
                   bsr_percent_interval(p->before).text);
    bsr_strbuf_add(b, "then         %s %%, %.12g %% interval %s\n", range_value(&p->after).text,
                   100 * p->confidence, range_interval(&p->after).text);
    bsr_strbuf_add(b, "storage      %s bits, %s%lld (%s %%)\n", bsr_count_text(p->stored_bits).text,
                   p->added_bits < 0 ? "" : "+", (long long)p->added_bits,
                   bsr_percent(bsr_overhead(p->added_bits, p->stored_bits)).text);
    if (!isnan(p->check_hi))
        bsr_strbuf_add(b, "added bits   VF %s to %s %%, on top of the above\n",
                       bsr_percent(p->check_lo).text, bsr_percent(p->check_hi).text);
}

bsr_status bsr_protection_text(char **out, const bsr_protection *p, const bsr_confirmation *c)
{
    bsr_strbuf b = {0};
    bsr_strbuf_add(&b, "protect %s: target %s, %s, sampling %s, %llu images\n", p->path, p->target,
                   bsr_fault_text(p->fault).text, p->sampling, (unsigned long long)p->images);
    if (*p->run_format)
        bsr_strbuf_add(&b, "stored as %s in the run\n", p->run_format);
    if (*p->format)
        bsr_strbuf_add(&b, "what if stored as %s (golden classes are those of the run)\n",
                       p->format);
    if (p->clip)
        bsr_strbuf_add(&b, "what if clipped at read to the range of the layer\n");
    if (!p->complete)
        bsr_strbuf_add(&b, "the run is not complete: its sample says nothing for certain\n");
    bsr_strbuf_add(&b, "\n");
    print_layers(&b, p);
    print_steps(&b, p);
    print_total(&b, p);
    if (c)
        bsr_strbuf_add(
            &b,
            "injected     %s faults drawn, %s left by the protection: VF %s %%, %.12g %% "
            "interval %s\n",
            bsr_count_text(c->faults).text, bsr_count_text(c->injected).text,
            bsr_percent(c->measured.value).text, 100 * p->confidence,
            bsr_percent_interval(c->measured).text);
    return bsr_strbuf_take_ascii(out, &b);
}
