/* Logits and moments made by hand. */
#ifndef BSR_TESTS_PREDICT_LOGIT_FIXTURE_H
#define BSR_TESTS_PREDICT_LOGIT_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/threads.h"
#include "predict/logit_model.h"
#include "rng/philox.h"

#define MOST_JUMPS 64

/* A model of one space whose donors are images; all moments are 0 at first. */
typedef struct population {
    bsr_logit_model m;
    bsr_image_moments *donors;
    float *golden;
    bsr_error_map map;
    size_t first_jump[2];
    double bits;
    bsr_space space; /* of elements of one bit */
    const bsr_space *spaces;
    bsr_normals *normals;
    bsr_top1_rule *rule;
    bsr_pool *pool;
} population;

static inline void must(bsr_status status)
{
    if (status != BSR_OK)
        fail_msg("%s: %s", bsr_status_name(status), bsr_error_message());
}

/* Standard normal by Box and Muller, not as the library draws them. */
static inline double box_muller(bsr_rng *rng)
{
    double u = bsr_rng_uniform(rng), v = bsr_rng_uniform(rng);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static inline void open_population(population *p, size_t images, int classes, size_t donors,
                                   size_t jumps)
{
    *p = (population){.first_jump = {0, jumps}, .space = {.n_variants = 1}};
    must(bsr_normals_new(&p->normals));
    must(bsr_top1_rule_new(&p->rule));
    must(bsr_pool_new(&p->pool, 2));
    p->golden = bsr_calloc_array(images * (size_t)classes, sizeof *p->golden);
    p->donors = bsr_calloc_array(donors, sizeof *p->donors);
    p->m = (bsr_logit_model){.followed = bsr_followed_of(classes),
                             .images = images,
                             .golden = p->golden,
                             .label = bsr_calloc_array(images, sizeof(int)),
                             .spaces = 1,
                             .donors = p->donors,
                             .n_donors = donors,
                             .normals = p->normals,
                             .rule = p->rule,
                             .seed = 1};
    assert_true(p->golden && p->donors && p->m.label);
    for (size_t i = 0; i < donors; i++) {
        p->donors[i].image = i;
        p->donors[i].spaces = bsr_calloc_array(1, sizeof *p->donors[i].spaces);
        p->donors[i].jumps =
            bsr_calloc_array(jumps * (size_t)p->m.followed.n, sizeof *p->donors[i].jumps);
        assert_true(p->donors[i].spaces && p->donors[i].jumps);
    }
}

/* The map lies in the population, which may have moved since. */
static inline bsr_logit_model *model_of(population *p)
{
    p->spaces = &p->space;
    p->map = (bsr_error_map){
        .n = 1, .first_jump = p->first_jump, .bits = &p->bits, .spaces = &p->spaces};
    p->m.map = &p->map;
    return &p->m;
}

static inline void forget_donors(population *p)
{
    bsr_free(p->m.order);
    bsr_free(p->m.position);
    bsr_free(p->m.donor);
    p->m.order = p->m.position = NULL;
    p->m.donor = NULL;
}

static inline void close_population(population *p)
{
    forget_donors(p);
    bsr_image_moments_free(p->donors, p->m.n_donors);
    bsr_free(p->golden);
    bsr_free(p->m.label);
    bsr_normals_free(p->normals);
    bsr_top1_rule_free(p->rule);
    bsr_pool_free(p->pool);
}

static inline float *logits_at(population *p, size_t image)
{
    return p->golden + image * (size_t)p->m.followed.classes;
}

/* Answers to tasks of a model whose donors are assigned. */
static inline void run_tasks(bsr_logit_answer *answers, population *p, const bsr_scaling *scaling,
                             const bsr_logit_task *tasks, int n)
{
    bsr_logit_sampler *s;
    must(bsr_logit_sampler_new(&s, model_of(p), p->pool, scaling));
    must(bsr_logit_sampler_run(answers, s, tasks, n));
    bsr_logit_sampler_free(s);
}

static inline void near_to(double got, double want, double tolerance, const char *what)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s: %.9g, expected %.9g within %g", what, got, want, tolerance);
}

#endif
