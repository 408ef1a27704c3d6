#include "predict/trial_noise.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* Sets normal numbers apart from flips of the same seed. */
#define NOISE_SEED 0x6e6f697365ull

struct bsr_trial_noise {
    const bsr_disturbed_job *job;
    float *normals, *errors; /* [most elements], [3][most elements] */
};

bsr_status bsr_trial_noise_new(bsr_trial_noise **out, const bsr_disturbed_job *job)
{
    bsr_trial_noise *t = *out = bsr_calloc_array(1, sizeof *t);
    if (!t)
        return BSR_ENOMEM;
    t->job = job;
    t->normals = bsr_alloc_array(job->map->most_elements, sizeof *t->normals);
    t->errors = bsr_alloc_array(3 * job->map->most_elements, sizeof *t->errors);
    return t->normals && t->errors ? BSR_OK : BSR_ENOMEM;
}

void bsr_trial_noise_free(bsr_trial_noise *t)
{
    if (!t)
        return;
    bsr_free(t->normals);
    bsr_free(t->errors);
    bsr_free(t);
}

static void fill_normals(float *out, const bsr_disturbed_job *job, int space, uint64_t number,
                         int constant)
{
    uint64_t stream = (uint64_t)constant << 63 | (uint64_t)space << 40 | number;
    bsr_normals_fill(job->normals, out, job->map->constants[space].n,
                     job->s->options.seed ^ NOISE_SEED, stream);
}

void bsr_trial_normals(float *out, const bsr_disturbed_job *job, int space, size_t trial)
{
    int constant = job->map->constants[space].mean != NULL;
    fill_normals(out, job, space, constant ? job->trials[trial].pattern : trial, constant);
}

/* Disturbed bits of an element whose plain bits are given. */
static uint32_t disturb(bsr_dtype dtype, uint32_t bits, float by)
{
    double x = bsr_stored_value(dtype, bits) + (double)by;
    float f = (float)x;
    switch (dtype) {
    case BSR_I8:
        return (uint32_t)(int32_t)fmin(fmax(rint(x), -128), 127) & 255;
    case BSR_U8:
        return (uint32_t)fmin(fmax(rint(x), 0), 255);
    case BSR_I32:
        return (uint32_t)(int32_t)fmin(fmax(rint(x), INT32_MIN), INT32_MAX);
    default:
        memcpy(&bits, &f, sizeof bits);
        return bits;
    }
}

static float by_how_much(const bsr_errors *e, size_t at, double ber, float normal)
{
    return (float)(ber * (double)e->mean[at] +
                   sqrt(ber * (1 - ber) * (double)e->square[at]) * (double)normal);
}

static bsr_status store_space(bsr_trial_noise *t, int space, double ber, uint64_t pattern,
                              bsr_chip *chip)
{
    const bsr_error_map *map = t->job->map;
    const bsr_space *s = map->spaces[space];
    const bsr_errors *e = &map->constants[space];
    fill_normals(t->normals, t->job, space, pattern, 1);
    for (uint64_t i = 0; i < s->sites; i++) {
        bsr_site site = bsr_space_site(s, i);
        size_t at = bsr_error_place(map, space, site.element);
        uint32_t plain = bsr_space_bits(s, site, bsr_space_code(s, NULL, 0, site));
        bsr_stored_fault f = {
            .place = s->place,
            .where = s->where,
            .element = site.element,
            .pixel = -1,
            .bits = disturb(s->dtype, plain, by_how_much(e, at, ber, t->normals[at]))};
        BSR_TRY(bsr_chip_store(chip, &f));
    }
    return BSR_OK;
}

bsr_status bsr_trial_noise_store(bsr_trial_noise *t, double ber, uint64_t pattern, bsr_chip *chip)
{
    const bsr_error_map *map = t->job->map;
    for (int s = 0; s < map->n; s++)
        if (map->constants[s].mean)
            BSR_TRY(store_space(t, s, ber, pattern, chip));
    return BSR_OK;
}

static void disturb_tensor(bsr_trial_noise *t, double ber, size_t trial, int space, char *data)
{
    const bsr_error_map *map = t->job->map;
    const bsr_space *s = map->spaces[space];
    const bsr_pten *p = &map->plan->ptens[map->plan->of_value[s->where]];
    size_t n = map->constants[space].n;
    bsr_errors e = {n, t->errors, t->errors + n, t->errors + 2 * n};
    bsr_disturbances_tensor(map->disturbances[space], data, p->pixels,
                            (bsr_disturbance_arrays){t->errors, t->errors + n, NULL});
    fill_normals(t->normals, t->job, space, trial, 0);
    float mean = (float)ber, spread = (float)sqrt(ber * (1 - ber));
    if (p->dtype == BSR_F32) {
        float *x = (float *)(void *)data;
        for (size_t i = 0; i < n; i++)
            x[i] += mean * e.mean[i] + spread * sqrtf(e.square[i]) * t->normals[i];
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = 0;
        memcpy(&bits, data + i * p->esize, p->esize);
        bits = disturb(p->dtype, bits, by_how_much(&e, i, ber, t->normals[i]));
        memcpy(data + i * p->esize, &bits, p->esize);
    }
}

void bsr_trial_noise_tensor(bsr_trial_noise *t, double ber, size_t trial, int value, char *data)
{
    const bsr_error_map *map = t->job->map;
    for (const int *s = map->tensor_spaces[map->plan->of_value[value]]; *s >= 0; s++)
        if (map->spaces[*s]->where == value)
            disturb_tensor(t, ber, trial, *s, data);
}
