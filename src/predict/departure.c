#include "predict/departure.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"

/* Trials below which nothing is fitted. */
#define LEAST_TRIALS 3

/* Groups of trials by the size of their disturbance. */
#define KEPT_GROUPS 8

/* Least-squares slope of y on x, between 0 and 1. */
static double slope_of(double n, double x, double y, double xx, double xy)
{
    double spread = xx - x * x / n;
    return spread > 0 ? fmin(fmax((xy - x * y / n) / spread, 0), 1) : 0;
}

/* What the functions here have in common. */
typedef struct fit {
    bsr_departure *d;
    const bsr_logit_model *m;
    const bsr_trial *trials;
    const bsr_trial_result *results;
} fit;

static size_t width_of(const fit *t)
{
    return (size_t)t->m->followed.n;
}

static const float *golden_of(const fit *t, size_t image)
{
    return t->m->golden + image * (size_t)t->m->followed.classes;
}

/* Disturbance of the followed functions in a trial, to first order. */
static void first_order_of(float *out, const bsr_logit_model *m, const bsr_first_order *f,
                           size_t trial, int rate)
{
    const bsr_image_moments *donor = &m->donors[trial % f->slots];
    double ber = f->rates[rate];
    for (int k = 0; k < m->followed.n; k++) {
        double sum = bsr_first_order_at(f, trial, rate, ber, k);
        for (int s = 0; f->job->noise && s < m->spaces; s++)
            sum += ber * donor->spaces[s].mean[k];
        out[k] = (float)sum;
    }
}

/* RMSE over that of first order. The latter is known exactly: what it is in the trials by chance
 * is taken out as far as it goes with the disturbed one. */
static double find_ratio(const fit *t, double known, int variant)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (size_t i = 0; i < t->d->n; i++) {
        if (!t->results[i].finite ||
            (variant && bsr_donor_group(i % t->d->near.slots) == variant - 1))
            continue;
        double b = t->results[i].square, a = 0;
        if (t->d->first_order)
            a = bsr_followed_square(t->d->first_order + i * width_of(t), &t->m->followed);
        n++;
        x += a;
        y += b;
        xx += a * a;
        xy += a * b;
    }
    if (n < LEAST_TRIALS || !(known > 0))
        return 1;
    double slope = t->d->first_order ? slope_of(n, x, y, xx, xy) : 0;
    double square = y / n - slope * (x / n - known);
    return sqrt((square > 0 ? square : y / n) / known);
}

static int is_right(const fit *t, size_t image, const int *order, float keep, const float *delta)
{
    const float *z = golden_of(t, image);
    int top = 0;
    for (int k = 1; k < t->m->followed.logits; k++)
        if (keep * z[order[k]] + delta[k] > keep * z[order[top]] + delta[top])
            top = k;
    return order[top] == t->m->label[image];
}

/* Shares of right answers of images near a trial's, by its disturbance and by the first-order part
 * of it. */
static void find_shares(const fit *t, size_t trial, double *first, double *disturbed)
{
    const bsr_logit_model *m = t->m;
    size_t reach = m->images / (2 * m->n_donors) + 1, at = m->position[t->trials[trial].image];
    size_t from = at > reach ? at - reach : 0,
           end = at + reach < m->images ? at + reach : m->images;
    *first = *disturbed = 0;
    for (size_t p = from; p < end; p++) {
        size_t image = m->order[p];
        int order[BSR_FOLLOWED];
        bsr_followed_classes(order, &m->followed, golden_of(t, image));
        double w = 1.0 / (double)(end - from);
        *first += w * is_right(t, image, order, 1, t->d->first_order + trial * width_of(t));
        *disturbed +=
            w * is_right(t, image, order, t->d->keep[trial], t->d->disturbed + trial * width_of(t));
    }
}

/* How closely the shares by the trials follow those by their first-order parts. */
static double find_weight(const fit *t)
{
    double n = (double)t->d->n, x = 0, y = 0, xx = 0, xy = 0;
    for (size_t i = 0; i < t->d->n; i++) {
        double first, disturbed;
        find_shares(t, i, &first, &disturbed);
        x += first;
        y += disturbed;
        xx += first * first;
        xy += first * disturbed;
    }
    return n >= LEAST_TRIALS ? slope_of(n, x, y, xx, xy) : 0;
}

/* A trial by the size of its disturbance. */
typedef struct sized {
    size_t trial;
    double square;
} sized;

static int by_size(const void *a, const void *b)
{
    const sized *x = a, *y = b;
    if (x->square != y->square)
        return x->square < y->square ? -1 : 1;
    return x->trial < y->trial ? -1 : x->trial > y->trial;
}

/* How much of the golden logits a group of trials keeps: the common slope of disturbed on golden
 * logits, each position about its mean. */
static double find_kept(const fit *t, const sized *group, size_t n)
{
    const bsr_followed *f = &t->m->followed;
    double z[BSR_FOLLOWED] = {0}, y[BSR_FOLLOWED] = {0}, zz = 0, zy = 0;
    for (size_t i = 0; i < n; i++) {
        size_t trial = group[i].trial;
        const float *golden = golden_of(t, t->trials[trial].image);
        int order[BSR_FOLLOWED];
        bsr_followed_classes(order, f, golden);
        for (int k = 0; k < f->logits; k++) {
            double a = (double)golden[order[k]], b = (double)t->results[trial].logits[k];
            z[k] += a;
            y[k] += b;
            zz += a * a;
            zy += a * b;
        }
    }
    for (int k = 0; k < f->logits && n; k++) {
        zz -= z[k] * z[k] / (double)n;
        zy -= z[k] * y[k] / (double)n;
    }
    return zz > 0 ? fmin(fmax(zy / zz, 0), 1) : 1;
}

static bsr_status fill_kept(const fit *t)
{
    size_t n = 0;
    sized *s = bsr_alloc_array(t->d->n, sizeof *s);
    if (!s)
        return BSR_ENOMEM;
    for (size_t i = 0; i < t->d->n; i++) {
        t->d->keep[i] = 0;
        if (t->results[i].finite)
            s[n++] = (sized){i, t->results[i].square};
    }
    qsort(s, n, sizeof *s, by_size);
    for (size_t g = 0; g < KEPT_GROUPS; g++) {
        size_t first = n * g / KEPT_GROUPS, end = n * (g + 1) / KEPT_GROUPS;
        double kept = find_kept(t, s + first, end - first);
        for (size_t i = first; i < end; i++)
            t->d->keep[s[i].trial] = (float)kept;
    }
    bsr_free(s);
    return BSR_OK;
}

static bsr_status fill_disturbances(const fit *t, const bsr_first_order *f, int rate)
{
    bsr_departure *d = t->d;
    size_t width = width_of(t);
    int known = f && (f->job->noise || rate < f->n_rates);
    d->disturbed = bsr_calloc_array(d->n * width, sizeof *d->disturbed);
    d->keep = bsr_alloc_array(d->n, sizeof *d->keep);
    if (known)
        d->first_order = bsr_calloc_array(d->n * width, sizeof *d->first_order);
    if (!d->disturbed || !d->keep || (known && !d->first_order))
        return BSR_ENOMEM;
    BSR_TRY(fill_kept(t));
    for (size_t i = 0; i < d->n; i++) {
        const float *z = golden_of(t, t->trials[i].image);
        int order[BSR_FOLLOWED];
        bsr_followed_classes(order, &t->m->followed, z);
        for (int k = 0; k < t->m->followed.logits; k++)
            d->disturbed[i * width + (size_t)k] =
                t->results[i].logits[k] - d->keep[i] * z[order[k]];
        if (t->m->followed.logits < t->m->followed.classes)
            d->disturbed[i * width + (size_t)t->m->followed.logits] =
                t->results[i].other - d->keep[i] * bsr_greatest_other(z, &t->m->followed, order);
        if (known)
            first_order_of(d->first_order + i * width, t->m, f, i, rate);
    }
    return BSR_OK;
}

static bsr_status find_near(const fit *t, size_t window, size_t slots)
{
    size_t *images = bsr_alloc_array(t->d->n, sizeof *images);
    if (!images)
        return BSR_ENOMEM;
    for (size_t i = 0; i < t->d->n; i++)
        images[i] = t->trials[i].image;
    bsr_status status = bsr_near_trials_init(&t->d->near, t->m, images, t->d->n, window, slots);
    bsr_free(images);
    return status;
}

bsr_status bsr_departure_init(bsr_departure *d, const bsr_logit_model *m,
                              const bsr_disturbed_job *job, const bsr_first_order *f,
                              const bsr_trial_result *results, size_t n, size_t window, int rate,
                              const bsr_logit_answer *exact)
{
    fit t = {.d = d, .m = m, .trials = job->trials, .results = results};
    *d = (bsr_departure){.n = n};
    bsr_status status = find_near(&t, window, f ? f->slots : n);
    if (status == BSR_OK)
        status = fill_disturbances(&t, f, rate);
    if (status != BSR_OK) {
        bsr_departure_clear(d);
        return status;
    }
    for (int v = 0; v < BSR_VARIANTS; v++)
        d->ratio[v] = find_ratio(&t, exact->square[v], v);
    d->weight = d->first_order ? find_weight(&t) : 0;
    return BSR_OK;
}

void bsr_departure_clear(bsr_departure *d)
{
    bsr_near_trials_clear(&d->near);
    bsr_free(d->disturbed);
    bsr_free(d->keep);
    bsr_free(d->first_order);
    *d = (bsr_departure){0};
}

void bsr_departure_apply(bsr_logit_answer *out, const bsr_departure *d,
                         const bsr_logit_answer *exact, const bsr_logit_answer *first)
{
    for (int v = 0; v < BSR_VARIANTS; v++) {
        out->square[v] = exact->square[v] * d->ratio[v] * d->ratio[v];
        if (!d->first_order)
            continue;
        out->correct[v] += d->weight * (exact->correct[v] - first->correct[v]);
        out->critical[v] += d->weight * (exact->critical[v] - first->critical[v]);
        out->top5[v] += d->weight * (exact->top5[v] - first->top5[v]);
    }
}
