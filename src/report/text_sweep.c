#include <math.h>

#include "bitseer/campaign.h"
#include "report/text_parts.h"

#define BAR_WIDTH 16

static int is_accelerated(const bsr_sweep_result *r)
{
    for (int i = 0; i < r->n_points; i++)
        if (r->points[i].model != BSR_MODEL_BITS)
            return 1;
    return 0;
}

static void print_points(bsr_strbuf *b, const bsr_sweep_result *r, double golden)
{
    int models = is_accelerated(r);
    double highest = golden;
    for (int i = 0; i < r->n_points; i++)
        highest = fmax(highest, r->points[i].accuracy.value);
    bsr_table t;
    bsr_table_init(&t, models ? "rate|<model|runs|flips|accuracy %|interval|<|SDC %|DUE %|RMSE"
                              : "rate|runs|flips|accuracy %|interval|<|SDC %|DUE %|RMSE");
    for (int i = 0; i < r->n_points; i++) {
        const bsr_sweep_point *p = &r->points[i];
        bsr_table_cell(&t, "%.3g", p->ber);
        if (models)
            bsr_table_cell(&t, "%s", bsr_error_model_name(p->model));
        if (!models || p->runs > 0)
            bsr_table_cell(&t, "%d", p->runs);
        else
            bsr_table_cell(&t, "-");
        bsr_table_cell(&t, "%s", bsr_real_cell(p->flips.mean).text);
        bsr_table_cell(&t, "%s", bsr_percent(p->accuracy.value).text);
        bsr_table_cell(&t, "%s", bsr_percent_interval(p->accuracy).text);
        bsr_table_cell(&t, "%s", bsr_bar(p->accuracy.value, highest, BAR_WIDTH).text);
        bsr_table_cell(&t, "%s", bsr_percent(p->sdc.value).text);
        bsr_table_cell(&t, "%s", bsr_percent(p->due.value).text);
        bsr_table_cell(&t, "%s", bsr_real_cell(p->rmse).text);
    }
    bsr_table_print(&t, b);
}

/* What held the predictions against inferences with flipped bits. */
static void print_guards(bsr_strbuf *b, const bsr_sweep_result *r)
{
    if (!r->n_guards)
        return;
    bsr_table t;
    bsr_table_init(&t, "rate|patterns|images|RMSE|predicted|ratio|interval|<");
    for (int i = 0; i < r->n_guards; i++) {
        const bsr_sweep_guard *g = &r->guards[i];
        bsr_table_cell(&t, "%.3g", g->ber);
        bsr_table_cell(&t, "%d", g->patterns);
        bsr_table_cell(&t, "%d", g->images);
        bsr_table_cell(&t, "%s", bsr_real_cell(g->measured).text);
        bsr_table_cell(&t, "%s", bsr_real_cell(g->predicted).text);
        bsr_table_cell(&t, "%s", bsr_real_cell(g->ratio.value).text);
        if (isnan(g->ratio.lo) || isnan(g->ratio.hi))
            bsr_table_cell(&t, "-");
        else
            bsr_table_cell(&t, "[%.3g, %.3g]", g->ratio.lo, g->ratio.hi);
        bsr_table_cell(&t, "%s", g->rescaled ? "rescaled" : "");
    }
    bsr_strbuf_add(b, "\nguards: first order against inferences with flipped bits\n");
    bsr_table_print(&t, b);
    bsr_strbuf_add(b, "(ratio: RMSE / predicted; rescaled: predictions are multiplied by it)\n");
}

bsr_status bsr_sweep_text(char **out, const bsr_sweep_result *r)
{
    const bsr_performance *p = &r->performance;
    double golden = (double)r->golden_correct / (double)r->images;
    bsr_strbuf b = {0};
    bsr_strbuf_add(&b, "sweep: bit error rates, target %s, %llu images (golden accuracy %s %%)\n",
                   r->target, (unsigned long long)r->images, bsr_percent(golden).text);
    bsr_print_format(&b, r->format, r->golden_correct, r->images, r->format_loss);
    bsr_strbuf_add(&b, "\n");
    print_points(&b, r, golden);
    bsr_strbuf_add(&b,
                   "(flips: mean of a run; interval: %.12g %%; SDC: class changed, logits finite; "
                   "RMSE: of the logits)\n",
                   100 * r->confidence);
    print_guards(&b, r);
    bsr_strbuf_add(&b, "\ntime  %.3g s on %d thread%s (%s), golden run %.3g s\n", p->seconds,
                   p->threads, p->threads == 1 ? "" : "s", p->cpu ? p->cpu : "-",
                   p->golden_seconds);
    return bsr_strbuf_take_ascii(out, &b);
}
