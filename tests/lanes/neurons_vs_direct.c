/* Operand rays against direct injection: some neurons of every layer in several images, each fault
 * of each operand as a lane of its own. The rays' verdicts must agree but for a tiny share: where
 * the interval rule fails, and where adding an error to the finished sum rounds otherwise than the
 * faulty multiplication. On the demo network and, where BITSEER_DATA names the folder, on
 * pretrained ones. --share S: that part of the neurons. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "fault/neuron.h"
#include "rng/philox.h"
#include "support/zoo.h"

typedef struct trial {
    const char *network;
    const char *images;
    int neurons;      /* per layer, at most */
    double tolerated; /* share of wrong verdicts: about five times what was measured */
} trial;

static const trial trials[] = {
    {"fashion_resnet", "3", 4, 5e-5},
    {"cifar10_resnet20_akamaster_bn", "2", 2, 5e-5},
    /* Rounding to codes on the way breaks the interval rule. */
    {"cifar10_resnet8_mlperftiny_int8_qdq", "10", 4, 0.005},
};

typedef struct bench {
    bsr_model *model;
    bsr_dataset *data;
    bsr_plan *plan;
    bsr_pool *pool;
    bsr_golden *golden;
    bsr_lanes *lanes;
    bsr_spaces spaces;
    bsr_neuron_list *list;
    bsr_lane_job *jobs;
    bsr_lane_result *results;
} bench;

typedef struct tally {
    uint64_t rays, evaluations, faults, critical, wrong, wrong_sum;
} tally;

static void *need(void *p)
{
    zoo_check(p ? BSR_OK : BSR_ENOMEM, "memory");
    return p;
}

static void open_bench(bench *b, const trial *t, bsr_target target)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    unsigned char *keep;
    memset(b, 0, sizeof *b);
    o.target = target;
    zoo_open(zoo_find(t->network), t->images, &b->model, &b->data);
    zoo_check(bsr_spaces_keep(&keep, b->model, NULL, &o), t->network);
    zoo_check(bsr_plan_new(&b->plan, b->model->graph, bsr_kernels_for(bsr_cpu_best()), keep),
              t->network);
    bsr_free(keep);
    zoo_check(bsr_pool_new(&b->pool, 1), t->network);
    zoo_check(bsr_golden_new(&b->golden, b->plan, b->pool, b->data, b->model->nhwc, 0,
                             bsr_dataset_count(b->data)),
              t->network);
    zoo_check(bsr_lanes_new(&b->lanes, b->plan), t->network);
    zoo_check(bsr_spaces_init(&b->spaces, b->model, b->plan, NULL, &o), t->network);
    zoo_check(bsr_neuron_list_new(&b->list, &b->spaces), t->network);
    b->jobs = need(bsr_calloc_array(b->list->room, sizeof *b->jobs));
    b->results = need(bsr_calloc_array(b->list->room, sizeof *b->results));
}

static void close_bench(bench *b)
{
    bsr_free(b->jobs);
    bsr_free(b->results);
    bsr_neuron_list_free(b->list);
    bsr_spaces_clear(&b->spaces);
    bsr_lanes_free(b->lanes);
    bsr_golden_free(b->golden);
    bsr_pool_free(b->pool);
    bsr_plan_free(b->plan);
    bsr_dataset_free(b->data);
    bsr_model_free(b->model);
}

static void search(bench *b, const bsr_neuron *n, bsr_neuron_search *s, tally *t)
{
    float error[BSR_NEURON_QUESTIONS];
    int which[BSR_NEURON_QUESTIONS];
    bsr_lane_job jobs[BSR_NEURON_QUESTIONS];
    bsr_lane_result results[BSR_NEURON_QUESTIONS];
    bsr_neuron_list_fill(b->list, &b->spaces, b->golden, n, NULL);
    bsr_neuron_search_init(s, b->list, 0);
    for (int k; (k = bsr_neuron_ask(s, error, which)) > 0; t->evaluations += (uint64_t)k) {
        for (int i = 0; i < k; i++)
            jobs[i] = bsr_neuron_job(b->golden, n, error[i]);
        zoo_check(bsr_lanes_run(b->lanes, b->golden, jobs, (size_t)k, results, NULL), "lanes");
        for (int i = 0; i < k; i++)
            bsr_neuron_tell(s, which[i], results[i].critical);
    }
    t->rays++;
}

/* What the search says about a fault with this error. */
static int verdict(const bsr_neuron_search *s, const bsr_neuron_result *r, float e)
{
    if (e != e)
        return s->special_critical[BSR_NEURON_NAN];
    float size = e < 0 ? -e : e;
    if (size > 3.4028235e38f)
        return s->special_critical[e < 0 ? BSR_NEURON_MINUS_INF : BSR_NEURON_PLUS_INF];
    return size >= r->nearest_critical[e > 0];
}

/* Every operand fault of the neuron by itself, and again as a lane of its error alone, which tells
 * a failure of the interval rule from one of rounding. */
static void compare(bench *b, const bsr_neuron *n, const bsr_neuron_search *s, tally *t)
{
    const bsr_space *sp = n->space;
    const float *errors = b->list->errors;
    bsr_neuron_result r;
    uint64_t counted[BSR_MAX_VARIANTS] = {0};
    bsr_neuron_read(s, &r);
    size_t operands = bsr_neuron_operands(sp, n->pixel), faults = 0;
    int place = 0;
    while (sp->chosen[place] != n->channel)
        place++;
    uint64_t first =
        (uint64_t)place * sp->per_channel + (uint64_t)sp->window_at[n->pixel] * (uint64_t)sp->cin;
    for (size_t o = 0; o < operands; o++)
        for (int v = 0; v < sp->n_variants; v++)
            b->jobs[faults++] =
                bsr_space_job(sp, b->golden, n->image, bsr_space_site(sp, first + o),
                              bsr_space_change(&b->spaces, sp, first + o, v));
    zoo_check(bsr_lanes_run(b->lanes, b->golden, b->jobs, faults, b->results, NULL), "lanes");
    for (size_t i = 0; i < faults; i++) {
        int said = verdict(s, &r, errors[i]);
        counted[i % (size_t)sp->n_variants] += (uint64_t)said;
        t->critical += b->results[i].critical;
        if (said == b->results[i].critical)
            continue;
        bsr_lane_job alone = bsr_neuron_job(b->golden, n, errors[i]);
        bsr_lane_result result;
        zoo_check(bsr_lanes_run(b->lanes, b->golden, &alone, 1, &result, NULL), "lanes");
        t->wrong++;
        t->wrong_sum += result.critical != b->results[i].critical;
    }
    for (int v = 0; v < sp->n_variants; v++)
        if (counted[v] != r.critical[v] || r.undecided[v] || b->list->all[v] != operands) {
            fprintf(stderr, "layer %d: counts of variant %d are not those of the bounds\n",
                    sp->where, v);
            exit(1);
        }
    t->faults += faults;
}

static int run_trial(const trial *tr, bsr_target target, double share)
{
    bench b;
    tally t = {0};
    open_bench(&b, tr, target);
    bsr_rng rng = bsr_rng_make(5, 0);
    for (int i = 0; i < b.spaces.n; i++)
        for (int k = 0; k < tr->neurons; k++) {
            const bsr_space *sp = &b.spaces.spaces[i];
            bsr_neuron n = {.space = sp};
            n.channel = (int)bsr_rng_below(&rng, (uint64_t)sp->channels);
            n.pixel = (int)bsr_rng_below(&rng, (uint64_t)sp->pixels);
            if (bsr_rng_uniform(&rng) >= share)
                continue;
            for (n.image = 0; n.image < b.golden->images; n.image++) {
                bsr_neuron_search s;
                search(&b, &n, &s, &t);
                compare(&b, &n, &s, &t);
            }
        }
    double wrong = (double)t.wrong / (double)(t.faults + !t.faults);
    printf(
        "%-36s %-14s %5.2f evaluations for %5.0f faults, critical %5.2f %%, wrong %.2g, of these "
        "by rounding %llu of %llu\n",
        tr->network, bsr_target_name(target), (double)t.evaluations / (double)(t.rays + !t.rays),
        (double)t.faults / (double)(t.rays + !t.rays),
        100 * (double)t.critical / (double)(t.faults + !t.faults), wrong,
        (unsigned long long)t.wrong_sum, (unsigned long long)t.wrong);
    fflush(stdout);
    close_bench(&b);
    return wrong > tr->tolerated;
}

int main(int argc, char **argv)
{
    double share = argc == 3 && strcmp(argv[1], "--share") == 0 ? atof(argv[2]) : 1.0;
    int failed = 0;
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        if (!zoo_exists(zoo_find(trials[i].network))) {
            printf("%-36s skipped: not there\n", trials[i].network);
            continue;
        }
        failed |= run_trial(&trials[i], BSR_TARGET_OPERAND, share);
        failed |= run_trial(&trials[i], BSR_TARGET_OPERAND_WEIGHT, share);
    }
    return failed;
}
