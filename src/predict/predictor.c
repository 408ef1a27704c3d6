#include "predict/predictor.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/sweep_rates.h"

/* Images whose moments are taken, unless the user says. */
#define MOMENT_IMAGES 24

/* Trials of a rate: of the donors' images; then of others, at first and at most. */
#define DONOR_TRIALS 48
#define LEAST_OTHERS 128
#define MOST_OTHERS  320

/* Trials that an image takes for its own. */
#define WINDOW 8

/* Flips of an inference at which their responses are half way from those of single flips to those
 * of many. */
#define FLIPS_THAT_MEET 5.0

/* Different patterns of noise in constants, which cost more than an inference. */
#define NOISE_PATTERNS 16

/* Flips of one inference above which its first-order part is no longer of use. */
#define MOST_FIRST_ORDER_FLIPS 2048

/* Flips that take about as long as an inference, and trials of one pattern at most. */
#define FLIPS_AN_INFERENCE 1024
#define MOST_SHARED        6

static bsr_status check_rates(const bsr_predictor *p)
{
    if (p->rates[0] <= 0)
        return bsr_fail(BSR_EINVAL, "bit error rate 0: predictions are for rates above 0");
    return BSR_OK;
}

static bsr_status run_golden(bsr_predictor *p)
{
    bsr_session *s = &p->s;
    bsr_logit_model *m = &p->model;
    int classes = bsr_plan_classes(s->plan);
    bsr_lane_result r;
    p->golden = bsr_alloc_array(s->images, (size_t)classes * sizeof *p->golden);
    m->label = bsr_alloc_array(s->images, sizeof *m->label);
    if (!p->golden || !m->label)
        return BSR_ENOMEM;
    double start = bsr_seconds();
    bsr_session_begin(s, "golden run", s->images, 0);
    BSR_TRY(bsr_session_accuracy(s, s->plan, p->golden, &s->correct));
    s->forward_seconds = bsr_seconds() - start;
    s->golden_seconds += s->forward_seconds;
    for (size_t i = 0; i < s->images; i++) {
        const float *z = p->golden + i * (size_t)classes;
        m->label[i] = bsr_dataset_label(s->data, i);
        bsr_judge_logits(z, m->label[i], z, classes, &r);
        p->top5_correct += !r.top5;
    }
    return BSR_OK;
}

bsr_status bsr_predictor_init(bsr_predictor *p, const bsr_model *model, const bsr_dataset *data,
                              const bsr_run_options *options, const bsr_predictor_options *how)
{
    bsr_target targets[BSR_PATTERN_TARGETS];
    int n;
    *p = (bsr_predictor){0};
    BSR_TRY(bsr_rates_parse(&p->rates, &p->n_rates, how->ber));
    BSR_TRY(check_rates(p));
    BSR_TRY(bsr_sweep_targets(targets, &n, p->target_names, how->targets));
    bsr_run_options o = bsr_sweep_run_options(options, targets, n);
    BSR_TRY(bsr_session_init(&p->s, model, data, &o, targets, n));
    BSR_TRY(bsr_memory_init(&p->memory, &p->s, targets, n));
    /* Refusals come before anything runs. */
    BSR_TRY(bsr_error_map_init(&p->map, &p->memory, 0, p->s.options.seed));
    BSR_TRY(bsr_gradient_plan_new(&p->gradients, p->s.plan));
    BSR_TRY(bsr_normals_new(&p->normals));
    BSR_TRY(bsr_top1_rule_new(&p->rule));
    size_t rates = (size_t)p->n_rates;
    p->guard = -1;
    p->scale = 1;
    p->answers = bsr_calloc_array(rates, sizeof *p->answers);
    p->ratios = bsr_calloc_array(rates, sizeof *p->ratios);
    p->is_disturbed = bsr_calloc_array(rates, 1);
    p->trials_of = bsr_calloc_array(rates, sizeof *p->trials_of);
    if (!p->answers || !p->ratios || !p->is_disturbed || !p->trials_of)
        return BSR_ENOMEM;
    BSR_TRY(run_golden(p));
    p->model = (bsr_logit_model){.followed = bsr_followed_of(bsr_plan_classes(p->s.plan)),
                                 .images = p->s.images,
                                 .golden = p->golden,
                                 .label = p->model.label,
                                 .spaces = p->map.n,
                                 .map = &p->map,
                                 .normals = p->normals,
                                 .rule = p->rule,
                                 .seed = p->s.options.seed};
    return BSR_OK;
}

void bsr_predictor_clear(bsr_predictor *p)
{
    if (p->first_order.job)
        bsr_first_order_clear(&p->first_order);
    bsr_logit_sampler_free(p->sampler);
    bsr_image_moments_free(p->donors, p->model.n_donors);
    void *const owned[] = {p->rates,        p->golden,         p->model.label,  p->model.donor,
                           p->model.order,  p->model.position, p->donor_images, p->trials,
                           p->other_trials, p->results,        p->answers,      p->ratios,
                           p->is_disturbed, p->trials_of};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        bsr_free(owned[i]);
    bsr_top1_rule_free(p->rule);
    bsr_normals_free(p->normals);
    bsr_gradient_plan_free(p->gradients);
    if (p->map.memory)
        bsr_error_map_clear(&p->map);
    bsr_memory_clear(&p->memory);
    bsr_session_clear(&p->s);
    *p = (bsr_predictor){0};
}

double bsr_predictor_flips(const bsr_predictor *p, double ber)
{
    return ber * ((double)p->memory.constant_bits + (double)p->memory.tensor_bits);
}

static bsr_disturbed_job job_of(bsr_predictor *p, const bsr_trial *trials, size_t n, int noise)
{
    return (bsr_disturbed_job){.s = &p->s,
                               .map = &p->map,
                               .followed = p->model.followed,
                               .golden = p->golden,
                               .normals = p->normals,
                               .noise = noise,
                               .trials = trials,
                               .n = n,
                               .share = 1};
}

/* Trials of the donors' images, as many for each, and of others evenly over their order, whatever
 * their number: multiples of the golden ratio, cut to fractions. */
static bsr_status plan_trials(bsr_predictor *p, const bsr_predictor_options *how, size_t donors)
{
    size_t n = (DONOR_TRIALS + donors - 1) / donors * donors;
    size_t others = how->disturbed ? (size_t)how->disturbed : MOST_OTHERS;
    int shared = how->noise && p->memory.constant_bits > 0;
    p->trials = bsr_alloc_array(n, sizeof *p->trials);
    p->other_trials = bsr_alloc_array(others, sizeof *p->other_trials);
    p->results = bsr_alloc_array(n > others ? n : others, sizeof *p->results);
    if (!p->trials || !p->other_trials || !p->results)
        return BSR_ENOMEM;
    for (size_t i = 0; i < n; i++)
        p->trials[i] = (bsr_trial){p->donor_images[i % donors], shared ? i % NOISE_PATTERNS : i};
    for (size_t i = 0; i < others; i++) {
        double turn = fmod((double)i * 0.6180339887498949, 1);
        size_t at = (size_t)(turn * (double)p->s.images);
        p->other_trials[i] = (bsr_trial){p->model.order[at], shared ? i % NOISE_PATTERNS : n + i};
    }
    p->disturbed = job_of(p, p->trials, n, how->noise);
    p->others = job_of(p, p->other_trials, others, how->noise);
    /* Where there are very many flips nothing is left of first order, and finding them takes long.
     */
    int rates = 0;
    while (rates < p->n_rates && bsr_predictor_flips(p, p->rates[rates]) <= MOST_FIRST_ORDER_FLIPS)
        rates++;
    return bsr_first_order_new(&p->first_order, &p->disturbed, donors, p->rates, rates);
}

static void find_kurtosis(bsr_predictor *p)
{
    for (size_t d = 0; d < p->model.n_donors; d++) {
        double variance = 0, fourth = 0;
        for (int s = 0; s < p->map.n; s++) {
            variance += p->donors[d].spaces[s].variance;
            fourth += p->donors[d].spaces[s].fourth;
        }
        if (variance > 0)
            p->kurtosis += fourth / (variance * variance) / (double)p->model.n_donors;
    }
}

/* The ratio of all donors, and without each group of them. */
static void find_flip_ratio(bsr_predictor *p, const bsr_flip_response *r)
{
    for (int v = 0; v < BSR_VARIANTS; v++) {
        double first = 0, exact = 0;
        for (size_t d = 0; d < p->model.n_donors; d++)
            if (!v || bsr_donor_group(d) != v - 1) {
                first += r->first[d];
                exact += r->exact[d];
            }
        p->flip_ratio[v] = first > 0 && exact > 0 ? sqrt(exact / first) : 1;
    }
}

bsr_status bsr_predictor_moments(bsr_predictor *p, const bsr_predictor_options *how,
                                 const bsr_error_map *const *maps, int n_maps)
{
    size_t donors = how->moment_images ? (size_t)how->moment_images : MOMENT_IMAGES;
    donors = donors < p->s.images ? donors : p->s.images;
    const bsr_error_map *all[8] = {&p->map};
    for (int i = 0; i < n_maps; i++)
        all[1 + i] = maps[i];
    if (!(p->donor_images = bsr_alloc_array(donors, sizeof *p->donor_images)))
        return BSR_ENOMEM;
    BSR_TRY(bsr_rank_images(&p->model));
    bsr_choose_donors(p->donor_images, donors, &p->model);
    BSR_TRY(plan_trials(p, how, donors));
    bsr_moments_job job = {.s = &p->s,
                           .gradients = p->gradients,
                           .maps = all,
                           .n_maps = 1 + n_maps,
                           .followed = p->model.followed,
                           .images = p->donor_images,
                           .n = donors,
                           .visit = bsr_first_order_visit,
                           .visit_ctx = &p->first_order,
                           .slopes = how->read_offs,
                           .seed = p->s.options.seed};
    bsr_flip_response response;
    double start = bsr_seconds();
    bsr_session_begin(&p->s, "derivatives", donors, 0);
    bsr_status status = bsr_flip_response_new(&response, &p->map, &p->model.followed, donors,
                                              bsr_pool_threads(p->s.pool), p->s.options.seed);
    job.finish = bsr_flip_response_add;
    job.finish_ctx = &response;
    if (status == BSR_OK)
        status = bsr_image_moments_new(&p->donors, &job);
    if (status == BSR_OK) {
        p->model.donors = p->donors;
        p->model.n_donors = donors;
        find_flip_ratio(p, &response);
    }
    bsr_flip_response_clear(&response);
    p->s.seconds += bsr_seconds() - start;
    BSR_TRY(status);
    find_kurtosis(p);
    BSR_TRY(bsr_assign_donors(&p->model));
    return bsr_logit_sampler_new(&p->sampler, &p->model, p->s.pool, NULL);
}

double bsr_predictor_scale(const bsr_predictor *p, double ber, int variant)
{
    double guard = p->scale * p->scale, single = p->flip_ratio[variant];
    double many = bsr_predictor_flips(p, ber) / FLIPS_THAT_MEET;
    return sqrt(guard + (single * single - guard) / (1 + many));
}

bsr_error_model bsr_predictor_first_order(const bsr_predictor *p, double ber)
{
    return p->kurtosis / ber > BSR_NORMAL_KURTOSIS ? BSR_MODEL_POISSON : BSR_MODEL_NORMAL;
}

/* What the first n trials of a job say, with first order where f knows it; exact: first order
 * alone. */
static bsr_status judge_trials(bsr_predictor *p, const bsr_disturbed_job *job,
                               const bsr_first_order *f, size_t n, int rate,
                               const bsr_logit_answer *exact)
{
    bsr_departure d;
    bsr_logit_answer answers[2];
    double ber = p->rates[rate];
    size_t window = f ? 2 * n / p->model.n_donors : WINDOW;
    BSR_TRY(bsr_departure_init(&d, &p->model, job, f, p->results, n, window, rate, exact));
    const bsr_logit_task tasks[2] = {
        {.ber = ber,
         .model = BSR_MODEL_BITS,
         .trials = &d.near,
         .has_other = 1,
         .deltas = d.disturbed,
         .keep = d.keep},
        {.ber = ber, .model = BSR_MODEL_BITS, .trials = &d.near, .deltas = d.first_order}};
    bsr_status status = bsr_logit_sampler_run(answers, p->sampler, tasks, d.first_order ? 2 : 1);
    if (status == BSR_OK) {
        bsr_departure_apply(&answers[0], &d, exact, &answers[1]);
        memcpy(p->ratios[rate], d.ratio, sizeof d.ratio);
        p->answers[rate] = answers[0];
        p->trials_of[rate] = n;
    }
    bsr_departure_clear(&d);
    return status;
}

static int is_below_knee(const bsr_predictor *p, int rate)
{
    double golden = (double)p->s.correct / (double)p->s.images;
    return p->answers[rate].correct[0] <= BSR_KNEE * golden;
}

/* Is the accuracy as sure as wanted? */
static int is_sure(const bsr_predictor *p, int rate)
{
    bsr_share a = bsr_jackknife_share(p->answers[rate].correct, p->s.options.confidence, 1);
    double wanted = is_below_knee(p, rate) ? BSR_SURE_BELOW : BSR_SURE_ABOVE;
    return fmax(a.hi - a.value, a.value - a.lo) <= wanted;
}

/* Patterns of very many flips in constants, whose placing takes longer than an inference, are for
 * several trials. Where first order is asked for, every trial has its own. */
static uint64_t share_of(const bsr_predictor *p, double ber)
{
    double flips = (double)p->memory.constant_bits * ber;
    if (p->disturbed.noise) /* a pattern of noise is for many as it is */
        return 1;
    return flips > MOST_FIRST_ORDER_FLIPS ? (uint64_t)fmin(flips / FLIPS_AN_INFERENCE, MOST_SHARED)
                                          : 1;
}

bsr_status bsr_predictor_disturb(bsr_predictor *p, int rate, bsr_logit_answer *exact)
{
    double start = bsr_seconds();
    p->disturbed.share = p->others.share = share_of(p, p->rates[rate]);
    size_t n = p->disturbed.n, done = 0;
    const bsr_logit_task first_order = {.ber = p->rates[rate],
                                        .model = bsr_predictor_first_order(p, p->rates[rate])};
    BSR_TRY(bsr_logit_sampler_run(exact, p->sampler, &first_order, 1));
    bsr_session_begin(&p->s, "disturbed inferences", n, 0);
    p->is_disturbed[rate] = 1;
    /* Without first order to go with, the donors' images are no better than others. */
    int known = p->disturbed.noise || rate < p->first_order.n_rates;
    if (known) {
        BSR_TRY(bsr_disturbed_run(p->results, &p->disturbed, p->rates[rate], 0, n));
        BSR_TRY(judge_trials(p, &p->disturbed, &p->first_order, n, rate, exact));
        p->disturbed_done += n;
    }
    while (done < p->others.n && ((!known && !done) || !is_sure(p, rate))) {
        n = done ? 2 * done : LEAST_OTHERS;
        n = n < p->others.n ? n : p->others.n;
        BSR_TRY(bsr_disturbed_run(p->results, &p->others, p->rates[rate], done, n));
        BSR_TRY(judge_trials(p, &p->others, NULL, n, rate, exact));
        p->disturbed_done += n - done;
        done = n;
    }
    p->s.seconds += bsr_seconds() - start;
    return BSR_OK;
}

/* Does first order say what the disturbed inferences do? */
static int holds(const bsr_predictor *p, int rate, const bsr_logit_answer *exact)
{
    double by[BSR_VARIANTS];
    for (int v = 0; v < BSR_VARIANTS; v++)
        by[v] = p->answers[rate].correct[v] - exact->correct[v];
    return fabs(by[0]) <= fmax(BSR_LINEAR_ACCURACY, bsr_jackknife_error(by)) &&
           fabs(log(p->ratios[rate][0])) <= BSR_LINEAR_RMSE;
}

bsr_status bsr_predictor_find_limit(bsr_predictor *p)
{
    for (int r = p->n_rates - 1; r >= 0; r--) {
        bsr_logit_answer exact;
        BSR_TRY(bsr_predictor_disturb(p, r, &exact));
        if (!holds(p, r, &exact))
            continue;
        p->linear_limit = p->rates[r];
        p->guard = r;
        break;
    }
    if (p->guard < 0)
        return BSR_OK;
    const double *ratio = p->ratios[p->guard];
    if (fabs(ratio[0] - 1) <= fmax(BSR_RATIO_WITHIN, bsr_jackknife_error(ratio)))
        return BSR_OK;
    p->scale = ratio[0];
    return BSR_OK;
}

bsr_error_model bsr_predictor_choose(const bsr_predictor *p, int rate, const char **reason)
{
    double ber = p->rates[rate];
    if (ber > p->linear_limit) {
        *reason = "first order does not hold: inferences with flipped bits";
        return BSR_MODEL_BITS;
    }
    bsr_error_model model = bsr_predictor_first_order(p, ber);
    *reason = model == BSR_MODEL_POISSON
                  ? "first order holds; few flips decide (kurtosis of a margin above 0.5)"
                  : "first order holds, and many small errors";
    return model;
}
