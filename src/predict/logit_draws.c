#include "predict/logit_draws.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fixed_math.h"
#include "rng/philox.h"
#include "rng/sample.h"
#include "stats/special.h"

/* Share of the variance that is not drawn as single flips. */
#define SHARE_LEFT 0.02

/* Flips drawn for one donor and rate, about; draws at least. */
#define DRAWN_FLIPS 16384
#define LEAST_DRAWS 16

void bsr_covariance_root(float *root, const double *covariance, int n)
{
    double l[BSR_FOLLOWED][BSR_FOLLOWED] = {{0}};
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            const double whole = covariance[i * (i + 1) / 2 + j];
            double x = whole;
            for (int k = 0; k < j; k++)
                x -= l[i][k] * l[j][k];
            if (i == j)
                l[i][i] = x > 1e-12 * whole ? sqrt(x) : 0;
            else
                l[i][j] = l[j][j] > 0 ? x / l[j][j] : 0;
        }
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            root[i * (i + 1) / 2 + j] = (float)l[i][j];
}

void bsr_add_rooted(float *y, const float *x, const float *root, int n, int draws)
{
    for (int d = 0; d < draws; d++, x += n, y += n)
        for (int i = 0; i < n; i++) {
            const float *row = root + i * (i + 1) / 2;
            float sum = 0;
            for (int j = 0; j <= i; j++)
                sum += row[j] * x[j];
            y[i] += sum;
        }
}

static bsr_scaling scaling_of(const bsr_scaling *scaling, int space)
{
    return scaling ? scaling[space] : (bsr_scaling){1, 1, 0};
}

void bsr_shape_of(bsr_shape *h, const bsr_logit_model *m, size_t donor, const bsr_scaling *scaling)
{
    double covariance[BSR_PAIRS] = {0}, mean[BSR_FOLLOWED] = {0};
    const bsr_followed *f = &m->followed;
    for (int s = 0; s < m->spaces; s++) {
        const bsr_space_moments *x = &m->donors[donor].spaces[s];
        bsr_scaling by = scaling_of(scaling, s);
        for (int i = 0; i < BSR_PAIRS; i++)
            covariance[i] += by.covariance * x->covariance[i];
        for (int i = 0; i < BSR_FOLLOWED; i++)
            mean[i] += by.mean * x->mean[i] + by.slope * x->slope[i];
    }
    /* Where not all logits are followed, the probes stand for all. */
    int first = f->logits < f->classes ? f->logits : 0;
    h->square = h->mean_square = 0;
    for (int i = first; i < f->n; i++) {
        h->square += covariance[i * (i + 1) / 2 + i] / (f->n - first);
        h->mean_square += mean[i] * mean[i] / (f->n - first);
    }
    bsr_covariance_root(h->root, covariance, f->n);
    for (int i = 0; i < BSR_FOLLOWED; i++)
        h->mean[i] = (float)mean[i];
}

double bsr_mean_square_of(const bsr_logit_model *m, size_t donor, const bsr_scaling *scaling,
                          double ber)
{
    bsr_shape h;
    bsr_shape_of(&h, m, donor, scaling);
    return ber * (1 - ber) * h.square + ber * ber * h.mean_square;
}

/* A kept flip with what it adds to the variance. */
typedef struct row {
    size_t jump;
    int space;
    double variance, rate;
} row;

static int by_variance(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->variance != y->variance)
        return x->variance > y->variance ? -1 : 1;
    return x->jump < y->jump ? -1 : x->jump > y->jump;
}

static void list_rows(row *rows, double *all, const bsr_logit_model *m, size_t donor,
                      const bsr_scaling *scaling)
{
    const bsr_error_map *map = m->map;
    size_t n = (size_t)m->followed.n;
    *all = 0;
    for (int s = 0; s < m->spaces; s++) {
        size_t first = map->first_jump[s], end = map->first_jump[s + 1];
        double by = scaling_of(scaling, s).covariance;
        for (size_t j = first; j < end; j++) {
            const float *jump = m->donors[donor].jumps + j * n;
            row *r = &rows[j];
            *r = (row){.jump = j, .space = s};
            /* Rows are the bits of one element after the other, lowest first. */
            int bits = map->spaces[s]->n_variants, bit = (int)((j - first) % (size_t)bits);
            if (bit >= bits - m->protected_bits)
                continue;
            r->rate = map->bits[s] / (double)(end - first);
            for (int k = 0; k < m->followed.logits; k++)
                r->variance += by * r->rate * (double)jump[k] * (double)jump[k];
            *all += r->variance;
        }
    }
}

bsr_status bsr_flip_table_init(bsr_flip_table *t, const bsr_logit_model *m, size_t donor,
                               const bsr_scaling *scaling)
{
    size_t rows_n = m->map->first_jump[m->spaces], n = (size_t)m->followed.n;
    double all, left, below = 0;
    row *rows = bsr_alloc_array(rows_n, sizeof *rows);
    *t = (bsr_flip_table){0};
    t->jumps = bsr_alloc_array(rows_n, sizeof *t->jumps);
    t->below = bsr_alloc_array(rows_n, sizeof *t->below);
    t->scale = bsr_alloc_array(rows_n, sizeof *t->scale);
    if (!rows || !t->jumps || !t->below || !t->scale) {
        bsr_free(rows);
        bsr_flip_table_clear(t);
        return BSR_ENOMEM;
    }
    list_rows(rows, &all, m, donor, scaling);
    qsort(rows, rows_n, sizeof *rows, by_variance);
    left = all;
    for (size_t i = 0; i < rows_n; i++) {
        const row *r = &rows[i];
        const float *jump = m->donors[donor].jumps + r->jump * n;
        float scale = (float)sqrt(scaling_of(scaling, r->space).covariance);
        if (left > SHARE_LEFT * all) {
            below += r->rate;
            t->jumps[t->n] = jump;
            t->scale[t->n] = scale;
            t->below[t->n++] = below;
            left -= r->variance;
        } else {
            for (size_t k = 0; k < n; k++)
                t->mean[k] += r->rate * (double)(scale * jump[k]);
        }
    }
    t->left = all > 0 ? fmax(left / all, 0) : 0;
    bsr_free(rows);
    return BSR_OK;
}

void bsr_flip_table_clear(bsr_flip_table *t)
{
    bsr_free(t->jumps);
    bsr_free(t->below);
    bsr_free(t->scale);
    *t = (bsr_flip_table){0};
}

/* Number of flips, given that there is one: by the distribution function. */
static size_t draw_count(double lambda, double none, double u)
{
    double p = lambda * none / (1 - none), below = p;
    size_t k = 1;
    if (lambda > 600) /* e^-lambda is 0, or nearly: normal approximation */
        return (size_t)fmax(1, rint(lambda + sqrt(lambda) * bsr_normal_quantile(u)));
    while (below < u && k < 100000) {
        k++;
        p *= lambda / (double)k;
        below += p;
        if (p == 0)
            break;
    }
    return k;
}

bsr_status bsr_draw_flips(bsr_flip_draws *out, const bsr_flip_table *t, const bsr_logit_model *m,
                          double ber, const float *unit, uint64_t stream)
{
    size_t n = (size_t)m->followed.n;
    double lambda = t->n ? ber * t->below[t->n - 1] : 0;
    bsr_rng rng = bsr_rng_make(m->seed, stream);
    out->none = bsr_fixed_exp(-lambda);
    out->n = (int)fmin(fmax(DRAWN_FLIPS / fmax(lambda, 1), LEAST_DRAWS), BSR_POOL);
    if (lambda == 0)
        out->n = 0;
    if (!(out->deltas = bsr_calloc_array((size_t)out->n * n + 1, sizeof *out->deltas)))
        return BSR_ENOMEM;
    float spread = (float)sqrt(ber * t->left);
    for (int d = 0; d < out->n; d++) {
        float *to = out->deltas + (size_t)d * n;
        size_t flips = draw_count(lambda, out->none, bsr_rng_uniform(&rng));
        for (size_t k = 0; k < n; k++)
            to[k] = (float)(ber * t->mean[k]) + spread * unit[(size_t)d * n + k];
        for (size_t i = 0; i < flips; i++) {
            size_t r = bsr_sample_weighted(t->below, t->n, bsr_rng_uniform(&rng));
            for (size_t k = 0; k < n; k++)
                to[k] += t->scale[r] * t->jumps[r][k];
        }
    }
    return BSR_OK;
}
