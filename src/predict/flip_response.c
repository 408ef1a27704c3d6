#include "predict/flip_response.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "rng/philox.h"
#include "rng/sample.h"

/* Flips of an image that are evaluated. */
#define FLIPS 40

/* Random streams of the flips drawn, one an image. */
#define STREAM_FLIPS ((uint64_t)0x66 << 56)

/* One thread's. */
typedef struct bsr_flip_bench {
    double *below; /* [rows] probability that a row up to this one is drawn */
    double *rate;  /* [rows] flips that it stands for, per unit of BER */
    bsr_lane_job jobs[FLIPS];
    bsr_lane_result results[FLIPS];
    size_t rows[FLIPS];
} bench;

bsr_status bsr_flip_response_new(bsr_flip_response *r, const bsr_error_map *map,
                                 const bsr_followed *followed, size_t slots, int threads,
                                 uint64_t seed)
{
    size_t rows = map->first_jump[map->n];
    *r = (bsr_flip_response){.map = map, .followed = *followed, .seed = seed, .threads = threads};
    r->first = bsr_calloc_array(slots, sizeof *r->first);
    r->exact = bsr_calloc_array(slots, sizeof *r->exact);
    r->lanes = bsr_calloc_array((size_t)threads, sizeof *r->lanes);
    r->benches = bsr_calloc_array((size_t)threads, sizeof *r->benches);
    if (!r->first || !r->exact || !r->lanes || !r->benches)
        return BSR_ENOMEM;
    for (int t = 0; t < threads; t++) {
        bench *b = r->benches[t] = bsr_calloc_array(1, sizeof *b);
        if (!b)
            return BSR_ENOMEM;
        b->below = bsr_alloc_array(rows, sizeof *b->below);
        b->rate = bsr_alloc_array(rows, sizeof *b->rate);
        if (!b->below || !b->rate)
            return BSR_ENOMEM;
        BSR_TRY(bsr_lanes_new(&r->lanes[t], map->plan));
    }
    return BSR_OK;
}

void bsr_flip_response_clear(bsr_flip_response *r)
{
    for (int t = 0; r->benches && t < r->threads; t++) {
        if (r->benches[t]) {
            bsr_free(r->benches[t]->below);
            bsr_free(r->benches[t]->rate);
        }
        bsr_free(r->benches[t]);
    }
    for (int t = 0; r->lanes && t < r->threads; t++)
        bsr_lanes_free(r->lanes[t]);
    bsr_free(r->benches);
    bsr_free(r->lanes);
    bsr_free(r->first);
    bsr_free(r->exact);
    *r = (bsr_flip_response){0};
}

static int bit_of(const bsr_error_map *map, int space, size_t row)
{
    return (int)((row - map->first_jump[space]) % (size_t)map->spaces[space]->n_variants);
}

/* Chances to be drawn: half by what a flip does to first order, half by its bit, so that flips of
 * which first order knows nothing are drawn too. Returns the mean square of all flips. */
static double fill_chances(bench *b, const bsr_flip_response *r, const float *jumps)
{
    const bsr_error_map *map = r->map;
    size_t n = (size_t)r->followed.n;
    double all = 0, sum = 0;
    for (int s = 0; s < map->n; s++) {
        size_t first = map->first_jump[s], end = map->first_jump[s + 1];
        double of_space = 0, by_bit = 0;
        for (size_t j = first; j < end; j++) {
            b->rate[j] = map->bits[s] / (double)(end - first);
            b->below[j] = b->rate[j] * bsr_followed_square(jumps + j * n, &r->followed);
            of_space += b->below[j];
            by_bit += ldexp(1, 2 * bit_of(map, s, j));
        }
        for (size_t j = first; j < end; j++)
            b->below[j] += of_space * ldexp(1, 2 * bit_of(map, s, j)) / by_bit;
        all += of_space;
    }
    size_t rows = map->first_jump[map->n];
    for (size_t j = 0; j < rows; j++) {
        sum += all > 0 ? b->below[j] / (2 * all) : 0;
        b->below[j] = sum;
    }
    return all;
}

static int space_of(const bsr_error_map *map, size_t row)
{
    int s = 0;
    while (map->first_jump[s + 1] <= row)
        s++;
    return s;
}

static bsr_lane_job job_of(const bsr_error_map *map, const bsr_golden *golden, size_t row)
{
    int space = space_of(map, row), bit = bit_of(map, space, row);
    const bsr_space *s = map->spaces[space];
    size_t site = (row - map->first_jump[space]) / (size_t)s->n_variants;
    bsr_site at = map->jump_sites[space][site].site;
    uint32_t code = bsr_space_code(s, golden, 0, at) ^ (uint32_t)1 << s->variants[bit];
    return (bsr_lane_job){.image = 0,
                          .fault = {.place = s->place,
                                    .where = s->where,
                                    .element = at.element,
                                    .pixel = at.pixel,
                                    .bits = bsr_space_bits(s, at, code)}};
}

bsr_status bsr_flip_response_add(void *ctx, size_t slot, const bsr_image_moments *moments,
                                 const bsr_golden *golden, int thread)
{
    bsr_flip_response *r = ctx;
    bench *b = r->benches[thread];
    size_t rows = r->map->first_jump[r->map->n];
    bsr_rng rng = bsr_rng_make(r->seed, STREAM_FLIPS | (uint64_t)moments->image);
    r->first[slot] = fill_chances(b, r, moments->jumps);
    if (!(r->first[slot] > 0))
        return BSR_OK;
    for (size_t i = 0; i < FLIPS; i++)
        b->rows[i] = bsr_sample_weighted(b->below, rows, bsr_rng_uniform(&rng));
    for (size_t i = 0; i < FLIPS; i++)
        b->jobs[i] = job_of(r->map, golden, b->rows[i]);
    BSR_TRY(bsr_lanes_run(r->lanes[thread], golden, b->jobs, FLIPS, b->results, NULL));
    for (size_t i = 0; i < FLIPS; i++) {
        size_t row = b->rows[i];
        double chance = b->below[row] - (row ? b->below[row - 1] : 0);
        double square = b->results[i].sse / r->followed.classes;
        if (isfinite(square) && chance > 0)
            r->exact[slot] += b->rate[row] * square / chance / FLIPS;
    }
    return BSR_OK;
}
