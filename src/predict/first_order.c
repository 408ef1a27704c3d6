/* The first-order disturbance of single trials. */
#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "predict/disturbed.h"
#include "predict/trial_noise.h"

bsr_status bsr_first_order_new(bsr_first_order *f, const bsr_disturbed_job *job, size_t slots,
                               const double *rates, int n_rates)
{
    size_t threads = (size_t)bsr_pool_threads(job->s->pool);
    *f = (bsr_first_order){.job = job, .slots = slots, .rates = rates, .n_rates = n_rates};
    f->sums = bsr_calloc_array((job->noise ? 1 : (size_t)n_rates) * job->n,
                               BSR_FOLLOWED * sizeof *f->sums);
    f->room = bsr_calloc_array(threads, sizeof *f->room);
    if (!f->sums || !f->room)
        return BSR_ENOMEM;
    for (size_t t = 0; t < threads; t++)
        if (!(f->room[t] = bsr_alloc_array(job->map->most_elements, sizeof(float))))
            return BSR_ENOMEM;
    return BSR_OK;
}

void bsr_first_order_clear(bsr_first_order *f)
{
    for (int t = 0; f->room && t < bsr_pool_threads(f->job->s->pool); t++)
        bsr_free(f->room[t]);
    bsr_free(f->room);
    bsr_free(f->sums);
    *f = (bsr_first_order){0};
}

static double *sums_of(const bsr_first_order *f, size_t trial, int rate)
{
    return f->sums + ((f->job->noise ? 0 : (size_t)rate) * f->job->n + trial) * BSR_FOLLOWED;
}

static void add_noise(bsr_first_order *f, size_t trial, int space, const bsr_errors *e,
                      const float *gradient, size_t stride, float *normals)
{
    double *to = sums_of(f, trial, 0);
    bsr_trial_normals(normals, f->job, space, trial);
    for (size_t i = 0; i < e->n; i++)
        normals[i] *= sqrtf(e->square[i]);
    for (int k = 0; k < f->job->followed.n; k++) {
        const float *g = gradient + (size_t)k * stride;
        double sum = 0;
        for (size_t i = 0; i < e->n; i++)
            sum += (double)(g[i] * normals[i]);
        to[k] += sum;
    }
}

static void add_flips(bsr_first_order *f, size_t trial, int space, int rate,
                      const bsr_golden *golden, const float *gradient, size_t stride)
{
    const bsr_error_map *map = f->job->map;
    const bsr_space *s = map->spaces[space];
    const bsr_trial *t = &f->job->trials[trial];
    double *to = sums_of(f, trial, rate), ber = f->rates[rate];
    int64_t image = s->place == BSR_FAULT_VALUE ? (int64_t)t->image : -1;
    bsr_pattern p;
    bsr_site_errors errors;
    bsr_pattern_init(&p, s, ber, ber, f->job->s->options.seed,
                     bsr_pattern_stream(map->targets[space], t->pattern, s->index, image));
    while (bsr_pattern_next(&p, &errors)) {
        bsr_site site = bsr_space_site(s, errors.site);
        uint32_t code = bsr_space_code(s, golden, 0, site), flip = bsr_errors_flip(&errors, code);
        double by = bsr_space_value(s, site, code ^ flip) - bsr_space_value(s, site, code);
        size_t at = bsr_error_place(map, space, site.element);
        for (int k = 0; k < f->job->followed.n; k++)
            to[k] += by * (double)gradient[(size_t)k * stride + at];
    }
}

bsr_status bsr_first_order_visit(void *ctx, size_t slot, int space, const bsr_errors *errors,
                                 const bsr_golden *golden, const float *gradient, size_t stride,
                                 int thread)
{
    bsr_first_order *f = ctx;
    for (size_t trial = slot; trial < f->job->n; trial += f->slots) {
        if (f->job->noise)
            add_noise(f, trial, space, errors, gradient, stride, f->room[thread]);
        for (int r = 0; !f->job->noise && r < f->n_rates; r++)
            add_flips(f, trial, space, r, golden, gradient, stride);
    }
    return BSR_OK;
}

double bsr_first_order_at(const bsr_first_order *f, size_t trial, int rate, double ber, int k)
{
    if (!f->job->noise && rate >= f->n_rates)
        return 0;
    double sum = sums_of(f, trial, rate)[k];
    return f->job->noise ? sqrt(ber * (1 - ber)) * sum : sum;
}
