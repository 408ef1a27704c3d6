#include "report/text_outcomes.h"

#include <math.h>

#include "base/alloc.h"
#include "report/text_parts.h"

#define PLACES 3

void bsr_print_outcomes(bsr_strbuf *b, const bsr_result *r)
{
    static const char *const meanings[BSR_METRICS] = {
        [BSR_METRIC_CRITICAL] = "class changed",
        [BSR_METRIC_SDC] = "class changed, logits finite",
        [BSR_METRIC_DUE] = "a logit is NaN or infinite",
        [BSR_METRIC_BENIGN] = "logits changed, class kept",
        [BSR_METRIC_MASKED] = "logits as without the fault",
        [BSR_METRIC_TOP5] = "class no longer among the first five",
        [BSR_METRIC_ACCURACY] = "class is the label's",
    };
    int known = 0;
    for (int m = 0; m < BSR_METRICS; m++)
        known += m != BSR_METRIC_CRITICAL && !isnan(r->metrics[m].value);
    if (!known)
        return;
    bsr_table t;
    bsr_table_init(&t, "<outcome|%|interval|<meaning");
    for (int m = 0; m < BSR_METRICS; m++) {
        if (isnan(r->metrics[m].value))
            continue;
        bsr_table_cell(&t, "%s", bsr_metric_name((bsr_metric)m));
        bsr_table_cell(&t, "%s", bsr_percent(r->metrics[m].value).text);
        bsr_table_cell(&t, "%s", bsr_percent_interval(r->metrics[m]).text);
        bsr_table_cell(&t, "%s", meanings[m]);
    }
    bsr_strbuf_add(b, "\noutcomes, all layers\n");
    bsr_table_print(&t, b);
}

void bsr_print_rmse(bsr_strbuf *b, bsr_share rmse)
{
    if (isnan(rmse.value))
        return;
    bsr_strbuf_add(b, "RMSE         %.4g of the logits", rmse.value);
    if (rmse.lo < rmse.hi)
        bsr_strbuf_add(b, ", interval [%.4g, %.4g]", rmse.lo, rmse.hi);
    bsr_strbuf_add(b, "\n");
}

/* pairs[at + 1] is how many ended at `at`; prints the greatest, the earlier first among equals. */
static void print_places(bsr_strbuf *b, uint64_t *pairs, int n, uint64_t all)
{
    uint64_t rest = all;
    bsr_strbuf_add(b, "masked at   ");
    for (int k = 0; k < PLACES && rest; k++) {
        int most = 0;
        for (int i = 1; i < n; i++)
            most = pairs[i] > pairs[most] ? i : most;
        bsr_strbuf_add(b, most ? "%s layer %d %s %%" : "%s before layer %d %s %%", k ? "," : "",
                       most ? most - 1 : 0, bsr_percent_of(pairs[most], all).text);
        rest -= pairs[most];
        pairs[most] = 0;
    }
    if (rest)
        bsr_strbuf_add(b, ", elsewhere %s %%", bsr_percent_of(rest, all).text);
    bsr_strbuf_add(b, "\n");
}

void bsr_print_maskings(bsr_strbuf *b, const bsr_result *r)
{
    int n = 0;
    uint64_t all = 0;
    for (int i = 0; i < r->n_layers; i++)
        for (int k = 0; k < r->layers[i].n_maskings; k++) {
            const bsr_masking *m = &r->layers[i].maskings[k];
            n = m->at + 2 > n ? m->at + 2 : n;
            all += m->pairs;
        }
    if (!all)
        return;
    uint64_t *pairs = bsr_calloc_array((size_t)n, sizeof *pairs);
    if (!pairs) {
        b->status = BSR_ENOMEM;
        return;
    }
    for (int i = 0; i < r->n_layers; i++)
        for (int k = 0; k < r->layers[i].n_maskings; k++)
            pairs[r->layers[i].maskings[k].at + 1] += r->layers[i].maskings[k].pairs;
    print_places(b, pairs, n, all);
    bsr_free(pairs);
}
