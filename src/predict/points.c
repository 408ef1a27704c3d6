#include "predict/points.h"

#include <math.h>

#include "base/alloc.h"
#include "base/error.h"

/* Model "poisson" draws every flip. */
#define MOST_POISSON_FLIPS 100000

/* Disturbed inferences where the models want them. */
static bsr_status disturb(bsr_predictor *p, bsr_error_model forced)
{
    if (forced == BSR_MODEL_AUTO)
        return bsr_predictor_find_limit(p);
    for (int r = 0; forced == BSR_MODEL_NOISE && r < p->n_rates; r++) {
        bsr_logit_answer exact;
        BSR_TRY(bsr_predictor_disturb(p, r, &exact));
    }
    return BSR_OK;
}

static bsr_status choose_models(bsr_predicted_point *points, const bsr_predictor *p,
                                bsr_error_model forced)
{
    for (int r = 0; r < p->n_rates; r++) {
        bsr_predicted_point *point = &points[r];
        point->ber = p->rates[r];
        point->flips = bsr_predictor_flips(p, point->ber);
        point->kurtosis = p->kurtosis / point->ber;
        point->linearity = p->is_disturbed[r] ? p->ratios[r][0] : NAN;
        point->model = forced;
        point->reason = "asked for";
        if (forced == BSR_MODEL_AUTO)
            point->model = bsr_predictor_choose(p, r, &point->reason);
        if (point->model == BSR_MODEL_POISSON && point->flips > MOST_POISSON_FLIPS)
            return bsr_fail(BSR_EINVAL,
                            "model poisson at BER %g draws %.3g flips an inference, at most %d",
                            point->ber, point->flips, MOST_POISSON_FLIPS);
    }
    return BSR_OK;
}

static int is_disturbed(const bsr_predicted_point *p)
{
    return p->model == BSR_MODEL_BITS || p->model == BSR_MODEL_NOISE;
}

/* First order, where the disturbed inferences do not say better. */
static bsr_status answer(bsr_logit_answer *answers, bsr_predictor *p,
                         const bsr_predicted_point *points, int rescaled)
{
    size_t rates = (size_t)p->n_rates;
    bsr_logit_task *tasks = bsr_alloc_array(rates, sizeof *tasks);
    bsr_logit_answer *some = bsr_alloc_array(rates, sizeof *some);
    double start = bsr_seconds();
    int n = 0;
    bsr_status status = tasks && some ? BSR_OK : BSR_ENOMEM;
    for (size_t r = 0; r < rates && status == BSR_OK; r++)
        if (!is_disturbed(&points[r]))
            tasks[n++] =
                (bsr_logit_task){.ber = p->rates[r],
                                 .model = points[r].model,
                                 .scale = rescaled ? bsr_predictor_scale(p, p->rates[r], 0) : 1};
    if (status == BSR_OK && n)
        status = bsr_logit_sampler_run(some, p->sampler, tasks, n);
    n = 0;
    for (size_t r = 0; r < rates && status == BSR_OK; r++) {
        if (is_disturbed(&points[r])) {
            answers[r] = p->answers[r];
            continue;
        }
        answers[r] = some[n++];
        for (int v = 1; v < BSR_VARIANTS; v++) {
            double ber = p->rates[r];
            double by = bsr_predictor_scale(p, ber, v) / bsr_predictor_scale(p, ber, 0);
            answers[r].square[v] *= rescaled ? by * by : 1;
        }
    }
    p->s.seconds += bsr_seconds() - start;
    bsr_free(tasks);
    bsr_free(some);
    return status;
}

static bsr_share rmse_of(const bsr_logit_answer *a, double confidence)
{
    double rmse[BSR_VARIANTS];
    for (int v = 0; v < BSR_VARIANTS; v++)
        rmse[v] = sqrt(a->square[v]);
    return bsr_jackknife_share(rmse, confidence, INFINITY);
}

static void fill_point(bsr_predicted_point *point, const bsr_logit_answer *a, double confidence)
{
    point->accuracy = bsr_jackknife_share(a->correct, confidence, 1);
    point->critical = point->sdc = bsr_jackknife_share(a->critical, confidence, 1);
    point->top5 = bsr_jackknife_share(a->top5, confidence, 1);
    point->rmse = rmse_of(a, confidence);
    point->due = (bsr_share){0, 0, 0};
    point->logits_accuracy = NAN;
}

bsr_status bsr_predictor_points(bsr_predicted_point *points, bsr_predictor *p,
                                bsr_error_model forced)
{
    bsr_logit_answer *answers = bsr_alloc_array((size_t)p->n_rates, sizeof *answers);
    bsr_status status = answers ? disturb(p, forced) : BSR_ENOMEM;
    if (status == BSR_OK)
        status = choose_models(points, p, forced);
    if (status == BSR_OK)
        status = answer(answers, p, points, forced == BSR_MODEL_AUTO);
    for (int r = 0; r < p->n_rates && status == BSR_OK; r++)
        fill_point(&points[r], &answers[r], p->s.options.confidence);
    bsr_free(answers);
    return status;
}
