#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "report/bit_profile.h"
#include "report/text_outcomes.h"
#include "report/text_parts.h"
#include "report/text_scores.h"

#define BAR_WIDTH      8
#define WORST_CHANNELS 10

typedef struct counts {
    uint64_t population, faults, sites, sampled;
} counts;

static counts sum_layers(const bsr_result *r)
{
    counts c = {0, 0, 0, 0};
    for (int i = 0; i < r->n_layers; i++) {
        c.population += r->layers[i].population;
        c.faults += r->layers[i].faults;
        c.sites += r->layers[i].sites;
        c.sampled += r->layers[i].sampled_sites;
    }
    return c;
}

static int is_list(const bsr_result *r)
{
    return strcmp(r->sampling, "list") == 0;
}

/* What was injected, in the words of the kind of run: "12 of 34 faults, each on 5 images". */
static void print_injected(bsr_strbuf *b, const bsr_result *r, const counts *c)
{
    if (r->scored)
        bsr_print_scored(b, r);
    else if (r->transient)
        bsr_strbuf_add(b, "transient: %llu of %llu x %llu (fault, image) pairs",
                       (unsigned long long)r->total.pairs, (unsigned long long)c->population,
                       (unsigned long long)r->images);
    else if (strncmp(r->fault, "ber", 3) == 0)
        bsr_strbuf_add(b, "%llu error patterns, each on %llu images", (unsigned long long)c->faults,
                       (unsigned long long)r->images);
    else if (r->pairs)
        bsr_strbuf_add(b, "%llu of %llu x %llu (fault, image) pairs",
                       (unsigned long long)r->total.pairs, (unsigned long long)c->population,
                       (unsigned long long)r->images);
    else {
        bsr_strbuf_add(b, "%llu of %llu faults", (unsigned long long)c->faults,
                       (unsigned long long)c->population);
        if (c->sampled)
            bsr_strbuf_add(b, " (at %llu of %llu sites)", (unsigned long long)c->sampled,
                           (unsigned long long)c->sites);
        bsr_strbuf_add(b, ", each on %llu images", (unsigned long long)r->images);
    }
    bsr_strbuf_add(b, " (golden accuracy %s %%)\n",
                   bsr_percent_of(r->golden_correct, r->images).text);
}

static void print_head(bsr_strbuf *b, const bsr_result *r)
{
    counts c = sum_layers(r);
    bsr_strbuf_add(b, "%s: %s, target %s, method %s, sampling %s\n", r->command,
                   is_list(r) ? "faults of a list" : bsr_fault_text(r->fault).text, r->target,
                   r->method, r->sampling);
    if (r->margin > 0)
        bsr_strbuf_add(b, "margin %.6g %%, confidence %.12g %%\n", 100 * r->margin,
                       100 * r->confidence);
    print_injected(b, r, &c);
    bsr_print_format(b, r->format, r->golden_correct, r->images, r->format_loss);
    int by_pair = r->transient || r->pairs;
    if (!r->complete && r->scored)
        bsr_strbuf_add(b, "INCOMPLETE: nothing is known before the end\n");
    else if (!r->complete)
        bsr_strbuf_add(b, "INCOMPLETE: %llu of %llu %s answered\n",
                       (unsigned long long)(by_pair ? r->total.pairs : c.faults),
                       (unsigned long long)r->planned, by_pair ? "pairs" : "faults");
    if (r->stopped && *r->stopped)
        bsr_strbuf_add(b, "stopped by the limit of %s; half-widths reached: %.3g %%\n", r->stopped,
                       100 * r->reached);
    bsr_strbuf_add(b, "\n");
}

/* Where all are stored alike the head says how, or the file does. */
static int formats_differ(const bsr_result *r)
{
    for (int i = 1; i < r->n_layers; i++)
        if (strcmp(r->layers[i].format, r->layers[0].format) != 0)
            return 1;
    return 0;
}

static void print_layers(bsr_strbuf *b, const bsr_result *r)
{
    double highest = 0;
    int formats = formats_differ(r);
    for (int i = 0; i < r->n_layers; i++)
        highest = fmax(highest, r->layers[i].vf.value);
    bsr_table t;
    bsr_table_init(&t, formats
                           ? "layer|<~name|<~op|<~format|sites|faults|critical|due|VF %|interval|<"
                           : "layer|<~name|<~op|sites|faults|critical|due|VF %|interval|<");
    for (int i = 0; i < r->n_layers; i++) {
        const bsr_layer_result *l = &r->layers[i];
        bsr_table_cell(&t, "%d", l->index);
        bsr_table_cell(&t, "%s", l->name);
        bsr_table_cell(&t, "%s", l->op);
        if (formats)
            bsr_table_cell(&t, "%s", l->format);
        bsr_table_cell(&t, "%s", bsr_count_text(l->sites).text);
        bsr_table_cell(&t, "%s", bsr_count_text(l->faults).text);
        bsr_table_cell(&t, "%s", bsr_count_text(l->outcomes.critical).text);
        bsr_table_cell(&t, "%s", r->outcomes_known ? bsr_count_text(l->outcomes.due).text : "-");
        bsr_table_cell(&t, "%s", bsr_percent(l->vf.value).text);
        bsr_table_cell(&t, "%s", bsr_percent_interval(l->vf).text);
        bsr_table_cell(&t, "%s", bsr_bar(l->vf.value, highest, BAR_WIDTH).text);
    }
    bsr_table_print(&t, b);
}

static void print_bits(bsr_strbuf *b, const bsr_result *r)
{
    bsr_bit_row rows[BSR_BITS];
    int n = bsr_bit_profile(rows, r);
    bsr_table t;
    bsr_table_init(&t, "<~bit|faults|critical|due|VF %|interval|<");
    for (int i = 0; i < n; i++) {
        bsr_table_cell(&t, "%s", rows[i].bits);
        bsr_table_cell(&t, "%s", bsr_count_text(rows[i].faults).text);
        bsr_table_cell(&t, "%s", bsr_count_text(rows[i].critical).text);
        bsr_table_cell(&t, "%s", rows[i].due_known ? bsr_count_text(rows[i].due).text : "-");
        bsr_table_cell(&t, "%s", bsr_percent(rows[i].vf.value).text);
        bsr_table_cell(&t, "%s", bsr_percent_interval(rows[i].vf).text);
        bsr_table_cell(&t, "%s", bsr_bar(rows[i].vf.value, rows[0].vf.value, BAR_WIDTH).text);
    }
    if (n > 0) {
        bsr_strbuf_add(b, strcmp(r->fault, "bitflip") == 0 && !is_list(r)
                              ? "\nbits, worst first\n"
                              : "\nlowest bits of the faults, worst first\n");
        bsr_table_print(&t, b);
    }
}

typedef struct channel_ref {
    const bsr_layer_result *layer;
    const bsr_part *part;
} channel_ref;

/* Higher VF first, NaN last, then in the order of the network. */
static int worse_channel(const void *a, const void *b)
{
    const channel_ref *x = a, *y = b;
    double u = isnan(x->part->vf.value) ? -1 : x->part->vf.value;
    double v = isnan(y->part->vf.value) ? -1 : y->part->vf.value;
    if (u != v)
        return u < v ? 1 : -1;
    if (x->layer != y->layer)
        return x->layer < y->layer ? -1 : 1;
    return x->part->index - y->part->index;
}

static void print_channel_rows(bsr_strbuf *b, const channel_ref *refs, size_t n, int scored)
{
    bsr_table t;
    bsr_table_init(&t, scored ? "layer|<~name|channel|sites|CVF %|<"
                              : "layer|<~name|channel|sites|faults|critical|CVF %|interval|<");
    for (size_t i = 0; i < n; i++) {
        const bsr_part *p = refs[i].part;
        bsr_table_cell(&t, "%d", refs[i].layer->index);
        bsr_table_cell(&t, "%s", refs[i].layer->name);
        bsr_table_cell(&t, "%d", p->index);
        bsr_table_cell(&t, "%s", bsr_count_text(p->sites).text);
        if (!scored) {
            bsr_table_cell(&t, "%s", bsr_count_text(p->faults).text);
            bsr_table_cell(&t, "%s", bsr_count_text(p->outcomes.critical).text);
        }
        bsr_table_cell(&t, "%s", bsr_percent(p->vf.value).text);
        if (!scored)
            bsr_table_cell(&t, "%s", bsr_percent_interval(p->vf).text);
        bsr_table_cell(&t, "%s", bsr_bar(p->vf.value, refs[0].part->vf.value, BAR_WIDTH).text);
    }
    bsr_table_print(&t, b);
}

static void print_channels(bsr_strbuf *b, const bsr_result *r)
{
    size_t n = 0;
    for (int i = 0; i < r->n_layers; i++)
        n += (size_t)r->layers[i].n_channels;
    if (!n)
        return;
    channel_ref *refs = bsr_alloc_array(n, sizeof *refs);
    if (!refs) {
        b->status = BSR_ENOMEM;
        return;
    }
    size_t k = 0;
    for (int i = 0; i < r->n_layers; i++)
        for (int c = 0; c < r->layers[i].n_channels; c++)
            refs[k++] = (channel_ref){&r->layers[i], &r->layers[i].channels[c]};
    qsort(refs, n, sizeof *refs, worse_channel);
    size_t shown = n < WORST_CHANNELS ? n : WORST_CHANNELS;
    bsr_strbuf_add(b, "\nchannels, worst %zu of %zu\n", shown, n);
    print_channel_rows(b, refs, shown, r->scored);
    bsr_free(refs);
}

static int any_pixel(const bsr_result *r)
{
    for (int i = 0; i < r->n_worst; i++)
        if (r->worst[i].pixel >= 0)
            return 1;
    return 0;
}

static void print_worst(bsr_strbuf *b, const bsr_result *r)
{
    if (!r->n_worst)
        return;
    int pixels = any_pixel(r);
    bsr_table t;
    bsr_table_init(&t, pixels ? "layer|<~name|element|pixel|value|critical|pairs|%"
                              : "layer|<~name|element|value|critical|pairs|%");
    for (int i = 0; i < r->n_worst; i++) {
        const bsr_worst_site *w = &r->worst[i];
        bsr_table_cell(&t, "%d", r->layers[w->layer].index);
        bsr_table_cell(&t, "%s", r->layers[w->layer].name);
        bsr_table_cell(&t, "%lld", (long long)w->element);
        if (pixels)
            bsr_table_cell(&t, "%lld", (long long)w->pixel);
        if (isnan(w->value))
            bsr_table_cell(&t, "-");
        else
            bsr_table_cell(&t, "%.6g", w->value);
        bsr_table_cell(&t, "%s", bsr_count_text(w->critical).text);
        bsr_table_cell(&t, "%s", bsr_count_text(w->pairs).text);
        bsr_table_cell(&t, "%s", bsr_percent_of(w->critical, w->pairs).text);
    }
    bsr_strbuf_add(b, "\nsites, worst of those observed\n");
    bsr_table_print(&t, b);
}

static void print_performance(bsr_strbuf *b, const bsr_result *r)
{
    const bsr_performance *p = &r->performance;
    bsr_strbuf_add(b, "evaluations  %s", bsr_count_text(p->evaluations).text);
    if (!r->scored)
        bsr_strbuf_add(b, " (%s %% of the pairs)",
                       bsr_percent_of(p->evaluations, r->total.pairs).text);
    bsr_strbuf_add(b, ", the work of %.4g inferences of all images\n", p->forward_equivalents);
    bsr_strbuf_add(b, "time         %.3g s on %d thread%s (%s), golden run %.3g s\n", p->seconds,
                   p->threads, p->threads == 1 ? "" : "s", p->cpu ? p->cpu : "-",
                   p->golden_seconds);
    bsr_strbuf_add(b, "speed        ");
    if (!r->scored)
        bsr_strbuf_add(b, "%s injections/s, ",
                       bsr_count_text((uint64_t)p->injections_per_second).text);
    bsr_strbuf_add(b, "%s evaluations/s\n", bsr_count_text((uint64_t)p->lanes_per_second).text);
}

static void print_mvf(bsr_strbuf *b, const bsr_result *r)
{
    bsr_strbuf_add(b, "\nMVF          %s %%", bsr_percent(r->mvf.value).text);
    if (r->scored)
        bsr_strbuf_add(b, ", mean of the layers; the method has no interval\n");
    else if (r->mvf.lo == r->mvf.hi)
        bsr_strbuf_add(b, ", of the %s\n", is_list(r) ? "listed faults" : "whole population");
    else
        bsr_strbuf_add(b, ", %.12g %% interval %s\n", 100 * r->confidence,
                       bsr_percent_interval(r->mvf).text);
}

static void print_screening(bsr_strbuf *b, const bsr_result *r)
{
    const bsr_screening_result *z = &r->screening;
    const bsr_verification *v = &r->verification;
    if (z->theta > 0 && z->pairs) {
        bsr_strbuf_add(b, "screening    theta %.3g: %s %% of the pairs need no evaluation; ",
                       z->theta, bsr_percent_of(z->skipped, z->pairs).text);
        bsr_strbuf_add(
            b, "%s of them checked,\n             %s missed: at most %.2g %% of all pairs",
            bsr_count_text(z->checked).text, bsr_count_text(z->missed).text, 100 * z->bound);
        if (z->lowered)
            bsr_strbuf_add(b, "; theta lowered in %d layer%s", z->lowered,
                           z->lowered == 1 ? "" : "s");
        bsr_strbuf_add(b, "\n");
    }
    if (!v->pairs)
        return;
    bsr_strbuf_add(b, "verified     %s pairs injected directly, %s answered otherwise;\n",
                   bsr_count_text(v->pairs).text, bsr_count_text(v->differ).text);
    bsr_strbuf_add(b, "             corrected MVF %s %%, interval %s\n",
                   bsr_percent(v->mvf.value).text, bsr_percent_interval(v->mvf).text);
}

static void print_counts(bsr_strbuf *b, const bsr_result *r)
{
    const bsr_outcomes *o = &r->total;
    bsr_strbuf_add(b, "pairs        %s (fault, image)\noutcomes     ",
                   bsr_count_text(o->pairs).text);
    if (r->masking_known)
        bsr_strbuf_add(b, "%s masked, %s benign, %s critical; %s DUE, %s SDC\n",
                       bsr_count_text(o->masked).text, bsr_count_text(o->benign).text,
                       bsr_count_text(o->critical).text, bsr_count_text(o->due).text,
                       bsr_count_text(o->sdc).text);
    else if (r->outcomes_known)
        bsr_strbuf_add(b, "%s critical; %s DUE, %s SDC\n", bsr_count_text(o->critical).text,
                       bsr_count_text(o->due).text, bsr_count_text(o->sdc).text);
    else
        bsr_strbuf_add(b, "%s critical\n", bsr_count_text(o->critical).text);
}

static void print_foot(bsr_strbuf *b, const bsr_result *r)
{
    print_mvf(b, r);
    if (r->scored)
        bsr_print_searches(b, r);
    else
        print_counts(b, r);
    print_screening(b, r);
    bsr_print_rmse(b, r->rmse);
    bsr_print_maskings(b, r);
    print_performance(b, r);
    if (r->checked)
        bsr_strbuf_add(b, "check        %s pairs injected directly, %s disagree\n",
                       bsr_count_text(r->checked).text, bsr_count_text(r->violations).text);
}

bsr_status bsr_result_text(char **out, const bsr_result *r)
{
    bsr_strbuf b = {0};
    print_head(&b, r);
    if (r->scored)
        bsr_print_scores(&b, r);
    else
        print_layers(&b, r);
    bsr_print_outcomes(&b, r);
    print_bits(&b, r);
    print_channels(&b, r);
    print_worst(&b, r);
    print_foot(&b, r);
    return bsr_strbuf_take_ascii(out, &b);
}

bsr_status bsr_eval_text(char **out, const bsr_eval_result *r)
{
    bsr_strbuf b = {0};
    bsr_strbuf_add(&b, "images   %llu\n", (unsigned long long)r->images);
    bsr_strbuf_add(&b, "correct  %llu\n", (unsigned long long)r->correct);
    bsr_strbuf_add(&b, "top-1    %s %%  %s\n", bsr_percent(r->accuracy).text,
                   bsr_percent_interval(r->accuracy_ci).text);
    bsr_strbuf_add(&b, "top-5    %s %%\n", bsr_percent(r->top5_accuracy).text);
    bsr_strbuf_add(&b, "time     %.3g s, %.4g images/s\n", r->seconds,
                   r->seconds > 0 ? (double)r->images / r->seconds : 0.0);
    return bsr_strbuf_take_ascii(out, &b);
}
