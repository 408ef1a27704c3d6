#include "predict/read_off.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/account.h"

static const int widths[] = {4, 6, 8, 10, 12, 16};
static const double ranges[] = {0.5, 2, 4};
static const int layers[] = {1, 2, 3, 5};
enum {
    N_WIDTHS = sizeof widths / sizeof *widths,
    N_RANGES = sizeof ranges / sizeof *ranges,
    N_LAYERS = sizeof layers / sizeof *layers,
    MOST = N_WIDTHS + N_RANGES + BSR_PROTECTED_BITS + N_LAYERS
};

bsr_status bsr_read_offs_init(bsr_read_offs *r, const bsr_predictor *p)
{
    int fewest = 64;
    *r = (bsr_read_offs){0};
    for (int s = 0; s < p->map.n; s++)
        if (p->map.spaces[s]->n_variants < fewest)
            fewest = p->map.spaces[s]->n_variants;
    for (int bits = 1; bits <= BSR_PROTECTED_BITS && bits < fewest; bits++) {
        bsr_error_map *map = &r->maps[r->n_maps];
        r->lent[r->n_maps++] = map;
        BSR_TRY(bsr_error_map_init(map, &p->memory, bits, p->s.options.seed));
    }
    return BSR_OK;
}

void bsr_read_offs_clear(bsr_read_offs *r)
{
    for (int i = 0; i < r->n_maps; i++)
        bsr_error_map_clear(&r->maps[i]);
    r->n_maps = 0;
}

/* One read-off in the making. */
typedef struct maker {
    bsr_prediction *out;
    bsr_predictor *p;
    bsr_logit_model model;
    bsr_scaling *scaling; /* [spaces] */
    int rescaled;         /* as the points are: by the rules */
} maker;

/* Whole numbers and fixed point with all their bits: signed, of how many bits. */
static int whole_bits(const bsr_predictor *p, int space, int *has_sign)
{
    const bsr_space *s = p->map.spaces[space];
    const bsr_disturbances *d = p->map.disturbances[space];
    int binary = s->stored && s->stored->format.kind == BSR_FORMAT_BINARY;
    *has_sign = d->has_sign;
    return d->uniform && !binary && s->n_variants == s->width ? s->width : 0;
}

static int all_whole(const bsr_predictor *p)
{
    int has_sign;
    for (int s = 0; s < p->map.n; s++)
        if (!whole_bits(p, s, &has_sign))
            return 0;
    return 1;
}

/* Codes from the lowest to the highest, in steps. */
static double steps_of(int bits, int has_sign)
{
    return ldexp(1, bits) - (has_sign ? 2 : 1);
}

/* Of codes with B bits and step s, whose range is R: covariance ~ (4^B - 1) s^2, and the mean is
 * -(s + 2 v) for signed ones, R - 2 v for others (docs/theory/statistical-models.md). */
static bsr_scaling scaled(int bits, int has_sign, int new_bits, double range)
{
    double step = range * steps_of(bits, has_sign) / steps_of(new_bits, has_sign);
    double steps = ldexp(1, bits) - 1, power = ldexp(1, 2 * bits) - 1;
    return (bsr_scaling){.covariance = step * step * (ldexp(1, 2 * new_bits) - 1) / power,
                         .mean = 1,
                         .slope = has_sign ? 1 - step : (range - 1) * steps};
}

/* First-order RMSE of all images at a rate, over that of the given storage. */
static double ratio_of(const maker *m, double ber)
{
    double now = 0, then = 0;
    for (size_t d = 0; d < m->model.n_donors; d++) {
        now += bsr_mean_square_of(&m->model, d, m->scaling, ber);
        then += bsr_mean_square_of(&m->p->model, d, NULL, ber);
    }
    return then > 0 ? sqrt(now / then) : 0;
}

/* Accuracy of the given storage at a rate between its points. Towards 0 the loss is in proportion
 * to the rate. */
static double accuracy_at(const bsr_prediction *out, double ber)
{
    const bsr_predicted_point *p = out->points;
    double golden = (double)out->golden_correct / (double)out->images;
    int i = 0;
    if (ber > p[out->n_points - 1].ber)
        return NAN;
    if (ber <= p[0].ber)
        return golden + (p[0].accuracy.value - golden) * ber / p[0].ber;
    while (p[i + 1].ber < ber)
        i++;
    double share = log(ber / p[i].ber) / log(p[i + 1].ber / p[i].ber);
    return p[i].accuracy.value + share * (p[i + 1].accuracy.value - p[i].accuracy.value);
}

static int is_first_order(const bsr_predicted_point *p)
{
    return p->model == BSR_MODEL_NORMAL || p->model == BSR_MODEL_POISSON;
}

static bsr_status add(maker *m, const char *kind, const char *value)
{
    bsr_prediction *out = m->out;
    bsr_predictor *p = m->p;
    size_t n = (size_t)out->n_points;
    bsr_read_off *r = &out->read_offs[out->n_read_offs++];
    bsr_logit_sampler *sampler = NULL;
    bsr_logit_task *tasks = bsr_alloc_array(n, sizeof *tasks);
    bsr_logit_answer *answers = bsr_alloc_array(n, sizeof *answers);
    r->accuracy = bsr_arena_calloc(out->arena, n, sizeof *r->accuracy);
    r->rmse = bsr_arena_calloc(out->arena, n, sizeof *r->rmse);
    bsr_status status = tasks && answers && r->accuracy && r->rmse ? BSR_OK : BSR_ENOMEM;
    if (status == BSR_OK)
        status = bsr_keep_text(out->arena, &r->kind, kind);
    if (status == BSR_OK)
        status = bsr_keep_text(out->arena, &r->value, value);
    if (status == BSR_OK)
        status = bsr_logit_sampler_new(&sampler, &m->model, p->s.pool, m->scaling);
    for (size_t i = 0; i < n && status == BSR_OK; i++)
        tasks[i] = (bsr_logit_task){
            .ber = out->points[i].ber,
            .model = is_first_order(&out->points[i]) ? out->points[i].model : BSR_MODEL_NORMAL,
            .scale = m->rescaled ? bsr_predictor_scale(p, out->points[i].ber, 0) : 1};
    if (status == BSR_OK)
        status = bsr_logit_sampler_run(answers, sampler, tasks, (int)n);
    for (size_t i = 0; i < n && status == BSR_OK; i++) {
        double ratio = ratio_of(m, tasks[i].ber);
        r->rmse[i] = ratio * out->points[i].rmse.value;
        r->accuracy[i] = is_first_order(&out->points[i])
                             ? answers[i].correct[0]
                             : accuracy_at(out, tasks[i].ber * ratio * ratio);
    }
    bsr_logit_sampler_free(sampler);
    bsr_free(tasks);
    bsr_free(answers);
    return status;
}

static void reset(maker *m)
{
    m->model = m->p->model;
    for (int s = 0; s < m->p->map.n; s++)
        m->scaling[s] = (bsr_scaling){1, 1, 0};
}

static bsr_status add_codes(maker *m, const char *kind, const char *value, int bits, double range)
{
    reset(m);
    for (int s = 0; s < m->p->map.n; s++) {
        int has_sign, now = whole_bits(m->p, s, &has_sign);
        m->scaling[s] = scaled(now, has_sign, bits ? bits : now, range);
    }
    return add(m, kind, value);
}

static bsr_status add_widths(maker *m)
{
    char value[32];
    for (int i = 0; i < N_WIDTHS; i++) {
        snprintf(value, sizeof value, "%d bits", widths[i]);
        BSR_TRY(add_codes(m, "width", value, widths[i], 1));
    }
    for (int i = 0; i < N_RANGES; i++) {
        snprintf(value, sizeof value, "x%g", ranges[i]);
        BSR_TRY(add_codes(m, "range", value, 0, ranges[i]));
    }
    return BSR_OK;
}

/* Moments of the maps without the highest bits stand behind those of all bits. */
static bsr_status add_protected_bits(maker *m, int bits)
{
    char value[32];
    size_t n = m->p->model.n_donors;
    bsr_image_moments *donors = bsr_alloc_array(n, sizeof *donors);
    if (!donors)
        return BSR_ENOMEM;
    reset(m);
    memcpy(donors, m->p->donors, n * sizeof *donors);
    for (size_t d = 0; d < n; d++)
        donors[d].spaces += bits * m->p->map.n;
    m->model.donors = donors;
    m->model.protected_bits = bits;
    snprintf(value, sizeof value, "%d", bits);
    bsr_status status = add(m, "protected bits", value);
    m->model.donors = m->p->donors;
    bsr_free(donors);
    return status;
}

static bsr_status add_protected_layers(maker *m, int n)
{
    const bsr_prediction *out = m->out;
    size_t room = 16;
    for (int i = 0; i < n; i++)
        room += strlen(out->shares[i].name) + 2;
    char *names = bsr_calloc_array(room, 1);
    if (!names)
        return BSR_ENOMEM;
    reset(m);
    for (int i = 0; i < n; i++) {
        const bsr_variance_share *share = &out->shares[i];
        for (int s = 0; s < m->p->map.n; s++)
            if (m->p->map.targets[s] == share->target && m->p->map.spaces[s]->index == share->index)
                m->scaling[s] = (bsr_scaling){0, 0, 0};
        snprintf(names + strlen(names), room - strlen(names), "%s%s", i ? " " : "", share->name);
    }
    bsr_status status = add(m, "protected layers", names);
    bsr_free(names);
    return status;
}

bsr_status bsr_read_offs_fill(bsr_prediction *out, const bsr_read_offs *r, bsr_predictor *p,
                              bsr_error_model forced)
{
    maker m = {.out = out, .p = p, .rescaled = forced == BSR_MODEL_AUTO};
    out->read_offs = bsr_arena_calloc(out->arena, MOST, sizeof *out->read_offs);
    m.scaling = bsr_alloc_array((size_t)p->map.n, sizeof *m.scaling);
    bsr_status status = out->read_offs && m.scaling ? BSR_OK : BSR_ENOMEM;
    if (status == BSR_OK && all_whole(p))
        status = add_widths(&m);
    for (int bits = 1; bits <= r->n_maps && status == BSR_OK; bits++)
        status = add_protected_bits(&m, bits);
    for (int i = 0; i < N_LAYERS && layers[i] < out->n_shares && status == BSR_OK; i++)
        status = add_protected_layers(&m, layers[i]);
    bsr_free(m.scaling);
    return status;
}
