#include "predict/logit_model.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "predict/logit_draws.h"
#include "stats/special.h"

/* Draws of all images together, about; of each image and donor at least. */
#define DRAWS       (1 << 16)
#define LEAST_DRAWS 16

/* Random streams: what for, at the top; then the donor. */
enum { STREAM_NORMALS = 1, STREAM_FLIPS };

static uint64_t stream_of(int kind, size_t donor)
{
    return (uint64_t)kind << 56 | (uint64_t)donor;
}

/* What is drawn for a donor at any rate. */
typedef struct donor_draws {
    bsr_shape shape;
    float *unit; /* [BSR_POOL][n] normal, per root of BER (1 - BER), without mean */
    bsr_flip_table flips;
} donor_draws;

struct bsr_logit_sampler {
    const bsr_logit_model *m;
    bsr_pool *pool;
    const bsr_scaling *scaling;
    donor_draws *donors;
};

/* Sums of shares over donors of one group: each share is of the draws of one image by one donor. */
typedef struct cell {
    float donors, correct, critical, top5;
} cell;

typedef struct evaluation {
    const bsr_logit_sampler *sampler;
    const bsr_logit_model *m;
    const bsr_logit_task *tasks;
    size_t n_tasks;
    int draws;
    bsr_flip_draws *flips; /* [donors][tasks] of model POISSON */
    double *sigma;         /* [tasks] model LOGITS: the noise */
    cell *cells;           /* [images][tasks][BSR_JACKKNIFE] */
} evaluation;

static const float *logits_of(const bsr_logit_model *m, size_t image)
{
    return m->golden + image * (size_t)m->followed.classes;
}

static double square_at(const bsr_shape *h, double ber)
{
    return ber * (1 - ber) * h->square + ber * ber * h->mean_square;
}

static bsr_status draw_donor(void *ctx, size_t donor, int thread)
{
    bsr_logit_sampler *s = ctx;
    const bsr_logit_model *m = s->m;
    donor_draws *d = &s->donors[donor];
    int n = m->followed.n;
    size_t all = (size_t)n * BSR_POOL;
    float *normals = bsr_alloc_array(all, sizeof *normals);
    (void)thread;
    bsr_shape_of(&d->shape, m, donor, s->scaling);
    d->unit = bsr_calloc_array(all, sizeof *d->unit);
    bsr_status status = normals && d->unit ? BSR_OK : BSR_ENOMEM;
    if (status == BSR_OK) {
        bsr_normals_fill(m->normals, normals, all, m->seed, stream_of(STREAM_NORMALS, donor));
        bsr_add_rooted(d->unit, normals, d->shape.root, n, BSR_POOL);
        status = bsr_flip_table_init(&d->flips, m, donor, s->scaling);
    }
    bsr_free(normals);
    return status;
}

bsr_status bsr_logit_sampler_new(bsr_logit_sampler **out, const bsr_logit_model *m, bsr_pool *pool,
                                 const bsr_scaling *scaling)
{
    *out = NULL;
    bsr_logit_sampler *s = bsr_calloc_array(1, sizeof *s);
    if (!s)
        return BSR_ENOMEM;
    *s = (bsr_logit_sampler){.m = m, .pool = pool, .scaling = scaling};
    s->donors = bsr_calloc_array(m->n_donors, sizeof *s->donors);
    bsr_status status = s->donors ? bsr_pool_run(pool, m->n_donors, draw_donor, s) : BSR_ENOMEM;
    if (status == BSR_OK)
        *out = s;
    else
        bsr_logit_sampler_free(s);
    return status;
}

void bsr_logit_sampler_free(bsr_logit_sampler *s)
{
    if (!s)
        return;
    for (size_t d = 0; s->donors && d < s->m->n_donors; d++) {
        bsr_free(s->donors[d].unit);
        bsr_flip_table_clear(&s->donors[d].flips);
    }
    bsr_free(s->donors);
    bsr_free(s);
}

/* Flips at the rates of the tasks. */
static bsr_status draw_rates(void *ctx, size_t donor, int thread)
{
    evaluation *e = ctx;
    const donor_draws *d = &e->sampler->donors[donor];
    (void)thread;
    for (size_t t = 0; t < e->n_tasks; t++)
        if (e->tasks[t].model == BSR_MODEL_POISSON)
            BSR_TRY(bsr_draw_flips(&e->flips[donor * e->n_tasks + t], &d->flips, e->m,
                                   e->tasks[t].ber, d->unit, stream_of(STREAM_FLIPS, donor)));
    return BSR_OK;
}

/* One image. */
typedef struct scene {
    float z[BSR_FOLLOWED]; /* golden logits that are followed, then the greatest other */
    int golden, label;     /* positions; label -1: not followed */
    int logits, with_other;
} scene;

static scene scene_of(const bsr_logit_model *m, size_t image)
{
    const float *z = logits_of(m, image);
    int order[BSR_FOLLOWED], top1 = bsr_top1(z, m->followed.classes);
    scene c = {.golden = -1, .label = -1, .logits = m->followed.logits};
    bsr_followed_classes(order, &m->followed, z);
    c.with_other = c.logits;
    if (c.logits < m->followed.classes)
        c.z[c.with_other++] = bsr_greatest_other(z, &m->followed, order);
    for (int i = 0; i < c.logits; i++) {
        c.z[i] = z[order[i]];
        if (order[i] == top1)
            c.golden = i;
        if (order[i] == m->label[image])
            c.label = i;
    }
    return c;
}

static void count_draw(cell *to, const scene *c, const float *z, int n, float weight)
{
    int top = 0, before = 0;
    for (int i = 1; i < n; i++)
        if (z[i] > z[top])
            top = i;
    to->correct += top == c->label ? weight : 0;
    if (top == c->golden)
        return;
    to->critical += weight;
    for (int i = 0; i < n; i++)
        before += z[i] > z[c->golden];
    to->top5 += before >= 5 ? weight : 0;
}

static double scale_of(const bsr_logit_task *t)
{
    return t->scale > 0 ? t->scale : 1;
}

/* The disturbances of a task that an image takes from a donor: some of many, others for every
 * image. */
static void count_draws(cell *to, const evaluation *e, const scene *c, size_t image, size_t donor,
                        size_t task)
{
    const donor_draws *d = &e->sampler->donors[donor];
    const bsr_logit_task *t = &e->tasks[task];
    int n = e->m->followed.n, normal = t->model == BSR_MODEL_NORMAL;
    const float *deltas = d->unit, zero[BSR_FOLLOWED] = {0};
    size_t pool = BSR_POOL, draws = (size_t)e->draws;
    double none = 0;
    if (!normal) {
        const bsr_flip_draws *flips = &e->flips[donor * e->n_tasks + task];
        pool = (size_t)flips->n;
        deltas = flips->deltas;
        none = flips->none;
        count_draw(to, c, c->z, c->logits, (float)none);
    }
    draws = draws < pool ? draws : pool;
    float scale = (float)scale_of(t);
    float spread = scale * (normal ? (float)sqrt(t->ber * (1 - t->ber)) : 1.0f);
    const float *mean = normal ? d->shape.mean : zero;
    for (size_t i = 0; i < draws; i++) {
        const float *delta = deltas + (image * draws + i) % pool * (size_t)n;
        float z[BSR_FOLLOWED];
        for (int k = 0; k < c->logits; k++)
            z[k] = c->z[k] + scale * (float)t->ber * mean[k] + spread * delta[k];
        count_draw(to, c, z, c->logits, (float)((1 - none) / (double)draws));
    }
    to->donors += 1;
}

/* The disturbances of trials of images like this one. */
static void count_trials(cell *cells, const evaluation *e, const scene *c, size_t image,
                         const bsr_logit_task *t)
{
    const bsr_near_trials *near = t->trials;
    size_t n = (size_t)e->m->followed.n;
    /* First order knows nothing of the others. */
    int with_other = t->has_other ? c->with_other : c->logits;
    for (size_t i = 0; i < near->window; i++) {
        size_t at = near->trial[image * near->window + i];
        const float *delta = t->deltas + at * n;
        float z[BSR_FOLLOWED], keep = t->keep ? t->keep[at] : 1.0f;
        cell *to = &cells[bsr_donor_group(at % near->slots)];
        for (int k = 0; k < with_other; k++)
            z[k] = keep * c->z[k] + delta[k];
        count_draw(to, c, z, with_other, 1.0f);
        to->donors += 1;
    }
}

static void count_equal_noise(cell *to, const evaluation *e, size_t image, size_t task)
{
    const bsr_logit_model *m = e->m;
    const float *z = logits_of(m, image);
    int classes = m->followed.classes, top1 = bsr_top1(z, classes);
    double sigma = e->sigma[task];
    double stays = bsr_top1_probability(m->rule, z, classes, top1, sigma);
    to->critical = (float)(1 - stays);
    to->correct = (float)(m->label[image] == top1
                              ? stays
                              : bsr_top1_probability(m->rule, z, classes, m->label[image], sigma));
    to->top5 = NAN;
    to->donors = 1;
}

static cell *cells_of(const evaluation *e, size_t image, size_t task)
{
    return e->cells + (image * e->n_tasks + task) * BSR_JACKKNIFE;
}

static bsr_status count_image(void *ctx, size_t image, int thread)
{
    evaluation *e = ctx;
    scene c = scene_of(e->m, image);
    (void)thread;
    for (size_t t = 0; t < e->n_tasks; t++) {
        cell *cells = cells_of(e, image, t);
        if (e->tasks[t].model == BSR_MODEL_LOGITS) {
            count_equal_noise(&cells[0], e, image, t);
            continue;
        }
        if (e->tasks[t].trials) {
            count_trials(cells, e, &c, image, &e->tasks[t]);
            continue;
        }
        for (int slot = 0; slot < 2; slot++) {
            size_t donor = e->m->donor[image][slot];
            count_draws(&cells[bsr_donor_group(donor)], e, &c, image, donor, t);
        }
    }
    return BSR_OK;
}

/* Adds an image's cells but for one group (-1: none) where there are others. */
static cell add_cells(const cell *cells, int but)
{
    cell sum = {0};
    for (int g = 0; g < BSR_JACKKNIFE; g++) {
        if (g == but)
            continue;
        sum.donors += cells[g].donors;
        sum.correct += cells[g].correct;
        sum.critical += cells[g].critical;
        sum.top5 += cells[g].top5;
    }
    return sum.donors > 0 ? sum : add_cells(cells, -1);
}

/* First-order mean square, of all donors but those of a group. Donors lie evenly over the images:
 * no image has to be like its donor. */
static double square_of_donors(const evaluation *e, double ber, int but)
{
    double sum = 0, n = 0;
    for (size_t d = 0; d < e->m->n_donors; d++)
        if (bsr_donor_group(d) != but) {
            sum += square_at(&e->sampler->donors[d].shape, ber);
            n++;
        }
    return n > 0 ? sum / n : square_of_donors(e, ber, -1);
}

/* Mean over the images without a group of donors, of all for variant 0. */
static void add_images(bsr_logit_answer *out, const evaluation *e, size_t task, int variant)
{
    const bsr_logit_model *m = e->m;
    double correct = 0, critical = 0, top5 = 0, n = (double)m->images;
    for (size_t i = 0; i < m->images; i++) {
        cell c = add_cells(cells_of(e, i, task), variant - 1);
        correct += (double)(c.correct / c.donors) / n;
        critical += (double)(c.critical / c.donors) / n;
        top5 += (double)(c.top5 / c.donors) / n;
    }
    out->correct[variant] = correct;
    out->critical[variant] = critical;
    out->top5[variant] = top5;
    double scale = scale_of(&e->tasks[task]);
    out->square[variant] = scale * scale * square_of_donors(e, e->tasks[task].ber, variant - 1);
}

double bsr_jackknife_error(const double values[BSR_VARIANTS])
{
    double mean = 0, variance = 0;
    for (int g = 1; g < BSR_VARIANTS; g++)
        mean += values[g] / BSR_JACKKNIFE;
    for (int g = 1; g < BSR_VARIANTS; g++)
        variance += (values[g] - mean) * (values[g] - mean) * (BSR_JACKKNIFE - 1) / BSR_JACKKNIFE;
    return sqrt(variance);
}

bsr_share bsr_jackknife_share(const double values[BSR_VARIANTS], double confidence, double most)
{
    double value = fmin(fmax(values[0], 0), most);
    double half = bsr_student_quantile(confidence, BSR_JACKKNIFE - 1) * bsr_jackknife_error(values);
    return (bsr_share){value, fmax(value - half, 0), fmin(value + half, most)};
}

static bsr_status prepare(evaluation *e)
{
    const bsr_logit_model *m = e->m;
    double draws = DRAWS / 2.0 / (double)m->images;
    e->draws = (int)fmin(fmax(draws, LEAST_DRAWS), BSR_POOL);
    e->flips = bsr_calloc_array(m->n_donors * e->n_tasks, sizeof *e->flips);
    e->sigma = bsr_calloc_array(e->n_tasks, sizeof *e->sigma);
    e->cells = bsr_calloc_array(m->images * e->n_tasks, BSR_JACKKNIFE * sizeof *e->cells);
    if (!e->flips || !e->sigma || !e->cells)
        return BSR_ENOMEM;
    for (size_t t = 0; t < e->n_tasks; t++) {
        double square = square_of_donors(e, e->tasks[t].ber, -1);
        e->sigma[t] = e->tasks[t].rmse > 0 ? e->tasks[t].rmse : sqrt(square);
    }
    BSR_TRY(bsr_pool_run(e->sampler->pool, m->n_donors, draw_rates, e));
    return bsr_pool_run(e->sampler->pool, m->images, count_image, e);
}

bsr_status bsr_logit_sampler_run(bsr_logit_answer *answers, const bsr_logit_sampler *s,
                                 const bsr_logit_task *tasks, int n)
{
    evaluation e = {.sampler = s, .m = s->m, .tasks = tasks, .n_tasks = (size_t)n};
    bsr_status status = prepare(&e);
    for (size_t t = 0; t < e.n_tasks && status == BSR_OK; t++) {
        for (int v = 0; v < BSR_VARIANTS; v++)
            add_images(&answers[t], &e, t, v);
    }
    for (size_t i = 0; e.flips && i < s->m->n_donors * e.n_tasks; i++)
        bsr_free(e.flips[i].deltas);
    bsr_free(e.flips);
    bsr_free(e.sigma);
    bsr_free(e.cells);
    return status;
}
