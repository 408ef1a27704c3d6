#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bitseer/predict.h"
#include "report/text_parts.h"

#define BAR_WIDTH       8
#define SHARES          10 /* of the variance, at most */
#define LAYER_RATES     4  /* at most */
#define READ_OFF_COLUMN 7  /* rates, at most */

/* "1e-07", "2.15e-07", as in the table of a sweep. */
static bsr_number rate_text(double rate)
{
    bsr_number s;
    snprintf(s.text, sizeof s.text, "%.3g", rate);
    return s;
}

/* "[0.0121, 0.0126]", "-" where it is unknown. */
static bsr_number real_interval(bsr_share x)
{
    bsr_number s = {"-"};
    if (!isnan(x.lo) && !isnan(x.hi))
        snprintf(s.text, sizeof s.text, "[%.3g, %.3g]", x.lo, x.hi);
    return s;
}

/* Item i of `shown` that are spread over n, both ends among them. */
static int spread(int i, int shown, int n)
{
    return shown > 1 ? i * (n - 1) / (shown - 1) : 0;
}

static void print_points(bsr_strbuf *b, const bsr_prediction *p, double golden)
{
    double highest = golden;
    for (int i = 0; i < p->n_points; i++)
        highest = fmax(highest, p->points[i].accuracy.value);
    bsr_table t;
    bsr_table_init(&t, "rate|flips|<model|accuracy %|interval|<|SDC %|DUE %|RMSE|interval");
    for (int i = 0; i < p->n_points; i++) {
        const bsr_predicted_point *x = &p->points[i];
        bsr_table_cell(&t, "%s", rate_text(x->ber).text);
        bsr_table_cell(&t, "%s", bsr_real_cell(x->flips).text);
        bsr_table_cell(&t, "%s", bsr_error_model_name(x->model));
        bsr_table_cell(&t, "%s", bsr_percent(x->accuracy.value).text);
        bsr_table_cell(&t, "%s", bsr_percent_interval(x->accuracy).text);
        bsr_table_cell(&t, "%s", bsr_bar(x->accuracy.value, highest, BAR_WIDTH).text);
        bsr_table_cell(&t, "%s", bsr_percent(x->sdc.value).text);
        bsr_table_cell(&t, "%s", bsr_percent(x->due.value).text);
        bsr_table_cell(&t, "%s", bsr_real_cell(x->rmse.value).text);
        bsr_table_cell(&t, "%s", real_interval(x->rmse).text);
    }
    bsr_table_print(&t, b);
    bsr_strbuf_add(b,
                   "(flips: expected in one image's run; interval: %.12g %%, of what was sampled, "
                   "not of\nthe model; SDC: class changed, logits finite; RMSE: of the logits)\n",
                   100 * p->confidence);
}

/* Which rule chose the model of which rates. */
static void print_rules(bsr_strbuf *b, const bsr_prediction *p)
{
    bsr_table t;
    bsr_table_init(&t, "<rates|<model|<because");
    for (int first = 0, next; first < p->n_points; first = next) {
        const bsr_predicted_point *x = &p->points[first];
        for (next = first + 1; next < p->n_points; next++)
            if (p->points[next].model != x->model || strcmp(p->points[next].reason, x->reason) != 0)
                break;
        bsr_number from = rate_text(x->ber), to = rate_text(p->points[next - 1].ber);
        if (next - first > 1)
            bsr_table_cell(&t, "%s to %s", from.text, to.text);
        else
            bsr_table_cell(&t, "%s", from.text);
        bsr_table_cell(&t, "%s", bsr_error_model_name(x->model));
        bsr_table_cell(&t, "%s", x->reason);
    }
    bsr_strbuf_add(b, "\nmodels, and the rules that chose them\n");
    bsr_table_print(&t, b);
    if (p->linear_limit > 0)
        bsr_strbuf_add(b, "first order holds up to rate %s", rate_text(p->linear_limit).text);
    else
        bsr_strbuf_add(b, "first order holds at none of the rates");
    if (isfinite(p->normal_limit))
        bsr_strbuf_add(b, "; the disturbance counts as normal from %s on\n",
                       rate_text(p->normal_limit).text);
    else
        bsr_strbuf_add(b, "; the disturbance counts as normal at none of them\n");
}

static void print_shares(bsr_strbuf *b, const bsr_prediction *p)
{
    if (!p->n_shares)
        return;
    double greatest = p->shares[0].share.value;
    bsr_table t;
    bsr_table_init(&t, "<target|layer|<~name|<~op|<format|bits|share %|interval|<|n_eff|rms error");
    for (int i = 0; i < p->n_shares && i < SHARES; i++) {
        const bsr_variance_share *s = &p->shares[i];
        bsr_table_cell(&t, "%s", bsr_target_name(s->target));
        bsr_table_cell(&t, "%d", s->index);
        bsr_table_cell(&t, "%s", s->name);
        bsr_table_cell(&t, "%s", s->op);
        bsr_table_cell(&t, "%s", s->format);
        bsr_table_cell(&t, "%s", bsr_count_text((uint64_t)s->bits).text);
        bsr_table_cell(&t, "%s", bsr_percent(s->share.value).text);
        bsr_table_cell(&t, "%s", bsr_percent_interval(s->share).text);
        bsr_table_cell(&t, "%s", bsr_bar(s->share.value, greatest, BAR_WIDTH).text);
        bsr_table_cell(&t, "%s", bsr_real_cell(s->n_eff).text);
        bsr_table_cell(&t, "%s", bsr_real_cell(s->rms_error).text);
    }
    bsr_strbuf_add(b, "\nwhere the disturbance of the logits comes from, largest share first\n");
    bsr_table_print(&t, b);
    if (p->n_shares > SHARES)
        bsr_strbuf_add(b, "and %d more\n", p->n_shares - SHARES);
    bsr_strbuf_add(b, "(share: of the variance, to first order; n_eff: as many equal elements; "
                      "rms error: of one\nelement, times the root of the rate)\n");
}

/* Whether a kurtosis was expected of some layer: of those that are hit themselves. */
static int has_expected(const bsr_prediction *p)
{
    for (int i = 0; i < p->n_layers; i++)
        for (int k = 0; k < p->layers[i].n_rates; k++)
            if (!isnan(p->layers[i].rates[k].kurtosis_expected))
                return 1;
    return 0;
}

static void print_layers(bsr_strbuf *b, const bsr_prediction *p)
{
    int expected = has_expected(p);
    if (!p->n_layers)
        return;
    bsr_table t;
    bsr_table_init(&t, expected
                           ? "<~tensor|<~op|rms|rate|predicted|measured|ratio|kurtosis|expected"
                           : "<~tensor|<~op|rms|rate|predicted|measured|ratio|kurtosis");
    for (int i = 0; i < p->n_layers; i++) {
        const bsr_layer_statistics *l = &p->layers[i];
        int shown = l->n_rates < LAYER_RATES ? l->n_rates : LAYER_RATES;
        for (int k = 0; k < shown; k++) {
            const bsr_layer_rmse *r = &l->rates[spread(k, shown, l->n_rates)];
            bsr_table_cell(&t, "%s", k ? "" : l->name);
            bsr_table_cell(&t, "%s", k ? "" : l->op);
            bsr_table_cell(&t, "%s", k ? "" : bsr_real_cell(l->rms).text);
            bsr_table_cell(&t, "%s", rate_text(r->ber).text);
            bsr_table_cell(&t, "%s", bsr_real_cell(r->predicted).text);
            bsr_table_cell(&t, "%s", bsr_real_cell(r->measured).text);
            bsr_table_cell(&t, "%s", bsr_real_cell(r->measured / r->predicted).text);
            bsr_table_cell(&t, "%s", bsr_real_cell(r->kurtosis).text);
            if (expected)
                bsr_table_cell(&t, "%s", bsr_real_cell(r->kurtosis_expected).text);
        }
    }
    bsr_strbuf_add(b, "\nRMSE behind every layer\n");
    bsr_table_print(&t, b);
    bsr_strbuf_add(b, "(rms: golden; measured: bit level; ratio: measured / predicted; kurtosis: "
                      "excess)\n");
}

/* One line of the read-offs: RMSE at the least rate against what is stored, then accuracies. */
static void read_off_line(bsr_table *t, const bsr_prediction *p, const bsr_read_off *x,
                          const int *rates, int n)
{
    double rmse = x ? x->rmse[0] / p->points[0].rmse.value : 1;
    bsr_table_cell(t, "%s", x ? x->kind : "as stored");
    bsr_table_cell(t, "%s", x ? x->value : "");
    bsr_table_cell(t, "%s", bsr_real_cell(rmse).text);
    for (int i = 0; i < n; i++)
        bsr_table_cell(
            t, "%s",
            bsr_percent(x ? x->accuracy[rates[i]] : p->points[rates[i]].accuracy.value).text);
}

static void print_read_offs(bsr_strbuf *b, const bsr_prediction *p)
{
    if (!p->n_read_offs || !p->n_points)
        return;
    int rates[READ_OFF_COLUMN], n = p->n_points < READ_OFF_COLUMN ? p->n_points : READ_OFF_COLUMN;
    bsr_strbuf titles = {0};
    bsr_strbuf_add(&titles, "<storage|<~|RMSE x");
    for (int i = 0; i < n; i++) {
        rates[i] = spread(i, n, p->n_points);
        bsr_strbuf_add(&titles, "|%s", rate_text(p->points[rates[i]].ber).text);
    }
    char *text;
    bsr_status status = bsr_strbuf_take(&text, &titles);
    if (status != BSR_OK) {
        b->status = status;
        return;
    }
    bsr_table t;
    bsr_table_init(&t, text);
    bsr_text_free(text);
    read_off_line(&t, p, NULL, rates, n);
    for (int i = 0; i < p->n_read_offs; i++)
        read_off_line(&t, p, &p->read_offs[i], rates, n);
    bsr_strbuf_add(b, "\naccuracy %% with other storage, read off from the same derivatives, by "
                      "rate\n");
    bsr_table_print(&t, b);
    bsr_strbuf_add(b, "(RMSE x: of the logits at the least rate, as a multiple of that as "
                      "stored)\n");
}

bsr_status bsr_prediction_text(char **out, const bsr_prediction *p)
{
    const bsr_performance *f = &p->performance;
    double golden = (double)p->golden_correct / (double)p->images;
    bsr_strbuf b = {0};
    bsr_strbuf_add(&b, "predict: bit error rates, target %s, %llu images (golden accuracy %s %%)\n",
                   p->target, (unsigned long long)p->images, bsr_percent(golden).text);
    bsr_print_format(&b, p->format, p->golden_correct, p->images, p->format_loss);
    bsr_strbuf_add(&b, "derivatives of %llu images, %llu disturbed inferences\n\n",
                   (unsigned long long)p->moment_images, (unsigned long long)p->disturbed);
    print_points(&b, p, golden);
    print_rules(&b, p);
    print_shares(&b, p);
    print_layers(&b, p);
    print_read_offs(&b, p);
    bsr_strbuf_add(&b, "\ntime  %.3g s on %d thread%s (%s), golden run %.3g s\n", f->seconds,
                   f->threads, f->threads == 1 ? "" : "s", f->cpu ? f->cpu : "-",
                   f->golden_seconds);
    return bsr_strbuf_take_ascii(out, &b);
}
