#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "predict/layer_errors.h"
#include "predict/layer_run.h"
#include "stats/quantile.h"

/* Least share of sigma^4 in the sum of squares of measured variances: of the rest, by which these
 * are too great, kurtosis / patterns is a part. */
#define TELLING 0.1

static double finite_or_nan(double x)
{
    return isfinite(x) ? x : NAN;
}

static bsr_layer_rmse summarise(const bsr_layer_run *r, size_t rate, size_t w)
{
    size_t n = (size_t)r->watches.n;
    double predicted = 0;
    bsr_layer_cell sum = {0};
    for (size_t i = 0; i < r->images; i++) {
        const bsr_layer_cell *c = &r->cells[(rate * r->images + i) * n + w];
        predicted += r->predicted[(i * r->n_rates + rate) * n + w];
        sum.square += c->square;
        sum.fourth += c->fourth;
        sum.sigma4 += c->sigma4;
        sum.squares += c->squares;
    }
    bsr_layer_rmse out = {.ber = r->rates[rate],
                          .predicted = finite_or_nan(sqrt(predicted / (double)r->images)),
                          .measured = NAN,
                          .kurtosis = NAN,
                          .kurtosis_expected = NAN};
    if (r->patterns)
        out.measured = finite_or_nan(sqrt(sum.square / (double)r->images));
    if (sum.sigma4 > TELLING * sum.squares)
        out.kurtosis = finite_or_nan(sum.fourth / sum.sigma4);
    return out;
}

/* Divides the disturbances of one element in one image by their standard deviation. */
static void standardise(const bsr_layer_run *r, const float *from, size_t step, double tensor,
                        double *to)
{
    double mean = 0, square = 0;
    int own = r->patterns >= BSR_LAYER_OWN_DEVIATION;
    for (size_t i = 0; i < r->patterns && own; i++)
        mean += (double)from[i * step] / (double)r->patterns;
    for (size_t i = 0; i < r->patterns; i++) {
        to[i] = (double)from[i * step] - mean;
        square += to[i] * to[i];
    }
    double scale = own ? sqrt(square / (double)(r->patterns - 1)) : tensor;
    for (size_t i = 0; i < r->patterns; i++)
        to[i] = scale > 0 ? to[i] / scale : 0;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bsr_status fill_quantiles(const bsr_layer_run *r, size_t w, bsr_layer_statistics *out)
{
    size_t rate = r->n_rates / 2, first = r->sample_at[w], each = r->sample_at[w + 1] - first;
    size_t step = r->sample_at[r->watches.n], n = r->images * each * r->patterns, done = 0;
    int finite = 1;
    for (int i = 0; i < BSR_QQ_POINTS; i++)
        out->qq[i] = NAN;
    out->qq_ber = r->patterns ? r->rates[rate] : NAN;
    double *x = bsr_alloc_array(n, sizeof *x);
    if (!x)
        return BSR_ENOMEM;
    for (size_t i = 0; i < r->images; i++) {
        const bsr_layer_cell *c = &r->cells[(rate * r->images + i) * (size_t)r->watches.n + w];
        const float *from = r->samples + i * r->patterns * step + first;
        for (size_t e = 0; e < each; e++, done += r->patterns)
            standardise(r, from + e, step, sqrt(c->square), x + done);
    }
    for (size_t i = 0; i < n; i++)
        finite &= isfinite(x[i]) != 0;
    if (n && finite) {
        qsort(x, n, sizeof *x, compare_doubles);
        for (int i = 0; i < BSR_QQ_POINTS; i++)
            out->qq[i] = bsr_quantile(x, n, (i + 0.5) / BSR_QQ_POINTS);
    }
    bsr_free(x);
    return BSR_OK;
}

bsr_status bsr_layer_summary(const bsr_layer_run *r, size_t w, bsr_arena *arena,
                             bsr_layer_statistics *out)
{
    const bsr_watch *watch = &r->watches.list[w];
    double square = 0;
    out->name = bsr_arena_strdup(arena, watch->name);
    out->op = bsr_arena_strdup(arena, watch->op);
    out->rates = bsr_arena_calloc(arena, r->n_rates, sizeof *out->rates);
    if (!out->name || !out->op || !out->rates)
        return BSR_ENOMEM;
    for (size_t i = 0; i < r->images; i++)
        for (size_t e = 0; e < watch->elements; e++) {
            double x = (double)r->golden[i * r->watches.total + watch->at + e];
            square += x * x;
        }
    out->rms = sqrt(square / ((double)r->images * (double)watch->elements));
    out->n_rates = (int)r->n_rates;
    for (size_t i = 0; i < r->n_rates; i++)
        out->rates[i] = summarise(r, i, w);
    return fill_quantiles(r, w, out);
}
