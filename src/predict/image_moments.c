#include "predict/image_moments.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/forward.h"
#include "exec/weight_gradient.h"
#include "rng/philox.h"

/* Elements whose products are added up in float before they go into double. */
#define BLOCK 256

/* Random streams of the probes, one an image. */
#define STREAM_PROBES ((uint64_t)0x70 << 56)

bsr_followed bsr_followed_of(int classes)
{
    int all = classes <= BSR_FOLLOWED;
    return (bsr_followed){.classes = classes,
                          .logits = all ? classes : BSR_FOLLOWED - BSR_PROBES,
                          .n = all ? classes : BSR_FOLLOWED};
}

void bsr_followed_classes(int *order, const bsr_followed *f, const float *golden)
{
    bsr_margins m;
    for (int i = 0; i < f->logits; i++)
        order[i] = i;
    if (f->logits == f->classes)
        return;
    int top1 = bsr_top1(golden, f->classes);
    bsr_margins_of(&m, golden, top1, f->classes);
    order[0] = top1;
    memcpy(order + 1, m.rival, (size_t)(f->logits - 1) * sizeof *order);
}

double bsr_followed_square(const float *disturbance, const bsr_followed *f)
{
    int first = f->logits < f->classes ? f->logits : 0;
    double sum = 0;
    for (int k = first; k < f->n; k++)
        sum += (double)disturbance[k] * (double)disturbance[k] / (f->n - first);
    return sum;
}

float bsr_greatest_other(const float *z, const bsr_followed *f, const int *order)
{
    float greatest = -INFINITY;
    for (int c = 0; c < f->classes && f->logits < f->classes; c++) {
        int other = 1;
        for (int i = 0; i < f->logits; i++)
            other &= c != order[i];
        if (other && z[c] > greatest)
            greatest = z[c];
    }
    return greatest;
}

/* One thread's. */
typedef struct worker {
    const struct moments_run *run;
    bsr_forward *forward;
    bsr_gradients *gradients;
    bsr_weight_gradients *weights;
    bsr_golden golden; /* of one image */
    char *input;
    float *planes, *seeds; /* seeds: [followed.n][classes] */
    float *errors;         /* [3][most elements] of a tensor */
    float *layer, *bias;   /* [followed.n][most elements] gradients at a layer's */
    float **shared;        /* [spaces] sums over the layers that share it, [followed.n][elements] */
    int *waiting;          /* [spaces] layers that have not given their share */
    int thread;
    /* The current image: */
    size_t slot;
    bsr_image_moments *to;
    int margin[2]; /* functions whose difference is the nearest margin */
} worker;

typedef struct moments_run {
    const bsr_moments_job *job;
    unsigned char *wanted, *wanted_layers;
    int *readers; /* [spaces] layers that read a constant */
    bsr_image_moments *moments;
    worker *workers;
} moments_run;

static float dot(const float *a, const float *b, size_t n)
{
    enum { LANES = 16 };
    float sums[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            sums[l] += a[i + l] * b[i + l];
    for (; i < n; i++)
        sum += a[i] * b[i];
    for (size_t l = 0; l < LANES; l++)
        sum += sums[l];
    return sum;
}

/* Adds the elements [first, first + n) of one space. */
static void add_block(bsr_space_moments *to, const bsr_errors *e, const float *gradient,
                      size_t stride, int functions, const int margin[2], size_t first, size_t n)
{
    float scaled[BLOCK];
    const float *g = gradient + first;
    for (int i = 0; i < functions; i++) {
        const float *gi = g + (size_t)i * stride, *square = e->square + first;
        for (size_t k = 0; k < n; k++)
            scaled[k] = gi[k] * square[k];
        for (int j = 0; j <= i; j++)
            to->covariance[i * (i + 1) / 2 + j] += (double)dot(scaled, g + (size_t)j * stride, n);
        to->mean[i] += (double)dot(gi, e->mean + first, n);
    }
    const float *a = g + (size_t)margin[0] * stride, *b = g + (size_t)margin[1] * stride;
    for (size_t k = 0; k < n; k++) {
        double d = (double)a[k] - (double)b[k], v = d * d * (double)e->square[first + k];
        to->variance += v;
        to->variance_squares += v * v;
        if (d != 0) /* the fourth moment may be infinite */
            to->fourth += d * d * d * d * (double)e->fourth[first + k];
    }
}

/* Of codes of whole numbers: the square of an element is that of its step times a third of 4^bits -
 * 1. */
static void add_slopes(bsr_space_moments *to, const bsr_errors *e, const float *gradient,
                       size_t stride, int functions, int bits)
{
    double steps = (ldexp(1, 2 * bits) - 1) / 3;
    for (size_t k = 0; k < e->n; k++) {
        double step = sqrt((double)e->square[k] / steps);
        for (int i = 0; i < functions; i++)
            to->slope[i] += step * (double)gradient[(size_t)i * stride + k];
    }
}

/* What every bit of the space's drawn elements would do. */
static void add_jumps(float *jumps, const bsr_error_map *map, int space, const bsr_golden *golden,
                      const float *gradient, size_t stride, int functions)
{
    const bsr_space *s = map->spaces[space];
    size_t rows = map->first_jump[space + 1] - map->first_jump[space];
    float *to = jumps + map->first_jump[space] * (size_t)functions;
    for (size_t i = 0; i < rows; i += (size_t)s->n_variants) {
        const bsr_jump_site *j = &map->jump_sites[space][i / (size_t)s->n_variants];
        uint32_t code = bsr_space_code(s, golden, 0, j->site);
        double value = bsr_space_value(s, j->site, code);
        for (int b = 0; b < s->n_variants; b++, to += functions) {
            uint32_t flipped = code ^ (uint32_t)1 << s->variants[b];
            double jump = bsr_space_value(s, j->site, flipped) - value;
            for (int k = 0; k < functions; k++)
                to[k] += (float)jump * gradient[(size_t)k * stride + j->at];
        }
    }
}

static bsr_status add_space(worker *w, int space, const float *gradient, size_t stride)
{
    const bsr_moments_job *job = w->run->job;
    bsr_errors first = {0};
    for (int m = 0; m < job->n_maps; m++) {
        const bsr_error_map *map = job->maps[m];
        bsr_errors e = map->constants[space];
        if (!e.mean)
            bsr_tensor_errors(&e, map, space, &w->golden, 0,
                              w->errors + (m > 0 ? 3 * map->most_elements : 0));
        if (m == 0)
            first = e;
        bsr_space_moments *to = &w->to->spaces[m * map->n + space];
        for (size_t at = 0; at < e.n; at += BLOCK)
            add_block(to, &e, gradient, stride, job->followed.n, w->margin, at,
                      e.n - at < BLOCK ? e.n - at : BLOCK);
        if (m == 0 && job->slopes && map->disturbances[space]->uniform)
            add_slopes(to, &e, gradient, stride, job->followed.n, map->spaces[space]->n_variants);
    }
    add_jumps(w->to->jumps, job->maps[0], space, &w->golden, gradient, stride, job->followed.n);
    return job->visit ? job->visit(job->visit_ctx, w->slot, space, &first, &w->golden, gradient,
                                   stride, w->thread)
                      : BSR_OK;
}

static bsr_status take_tensor(void *ctx, int pten, const float *gradient, size_t stride)
{
    worker *w = ctx;
    for (const int *s = w->run->job->maps[0]->tensor_spaces[pten]; *s >= 0; s++)
        BSR_TRY(add_space(w, *s, gradient, stride));
    return BSR_OK;
}

/* A space of several layers is complete when all gave their share. */
static bsr_status take_constant(worker *w, int space, float *gradient)
{
    const bsr_moments_job *job = w->run->job;
    size_t n = job->maps[0]->constants[space].n, all = n * (size_t)job->followed.n;
    if (w->run->readers[space] == 1)
        return add_space(w, space, gradient, n);
    float *sum = w->shared[space];
    if (w->waiting[space] == w->run->readers[space])
        memset(sum, 0, all * sizeof *sum);
    for (size_t i = 0; i < all; i++)
        sum[i] += gradient[i];
    return --w->waiting[space] ? BSR_OK : add_space(w, space, sum, n);
}

static bsr_status take_layer(void *ctx, int layer, const float *gradient, size_t stride)
{
    worker *w = ctx;
    const bsr_error_map *map = w->run->job->maps[0];
    int weights = map->weight_space[layer], bias = map->bias_space[layer];
    bsr_weight_gradient(w->weights, w->gradients, layer, gradient, stride, w->run->job->followed.n,
                        w->layer, w->bias);
    if (weights >= 0)
        BSR_TRY(take_constant(w, weights, w->layer));
    return bias >= 0 ? take_constant(w, bias, w->bias) : BSR_OK;
}

/* The followed functions as weights of the logits. */
static void fill_seeds(worker *w, size_t image)
{
    const bsr_moments_job *job = w->run->job;
    const bsr_followed *f = &job->followed;
    size_t classes = (size_t)f->classes;
    memset(w->seeds, 0, (size_t)f->n * classes * sizeof *w->seeds);
    for (int i = 0; i < f->logits; i++)
        w->seeds[(size_t)i * classes + (size_t)w->to->order[i]] = 1;
    bsr_rng rng = bsr_rng_make(job->seed, STREAM_PROBES | (uint64_t)image);
    float size = 1 / sqrtf((float)classes);
    for (int i = f->logits; i < f->n; i++)
        for (size_t c = 0; c < classes; c++)
            w->seeds[(size_t)i * classes + c] = bsr_rng_u32(&rng) & 1 ? size : -size;
}

static void find_margin(worker *w, const float *logits)
{
    const bsr_followed *f = &w->run->job->followed;
    bsr_margins m;
    bsr_margins_of(&m, logits, w->golden.top1[0], f->classes);
    int rival = m.n ? m.rival[0] : w->golden.top1[0];
    w->margin[0] = w->margin[1] = 0;
    for (int i = 0; i < f->logits; i++) {
        if (w->to->order[i] == w->golden.top1[0])
            w->margin[0] = i;
        if (w->to->order[i] == rival)
            w->margin[1] = i;
    }
}

static bsr_status run_golden(worker *w, size_t image)
{
    const bsr_session *s = w->run->job->s;
    BSR_TRY(bsr_dataset_image(s->data, image, w->planes));
    bsr_input_layout(s->plan, w->planes, s->model->nhwc, w->input);
    const char *input = w->input;
    char *record = w->golden.records;
    float *logits = w->golden.logits;
    BSR_TRY(bsr_forward_run(w->forward, 1, &input, &record, &logits));
    w->golden.top1[0] = bsr_top1(logits, w->golden.classes);
    return BSR_OK;
}

static bsr_status run_image(void *ctx, size_t slot, int thread)
{
    moments_run *r = ctx;
    worker *w = &r->workers[thread];
    const bsr_moments_job *job = r->job;
    w->slot = slot;
    w->thread = thread;
    w->to = &r->moments[slot];
    w->to->image = job->images[slot];
    BSR_TRY(run_golden(w, w->to->image));
    bsr_followed_classes(w->to->order, &job->followed, w->golden.logits);
    find_margin(w, w->golden.logits);
    fill_seeds(w, w->to->image);
    memcpy(w->waiting, r->readers, (size_t)job->maps[0]->n * sizeof *w->waiting);
    bsr_gradient_request request = {.n = job->followed.n,
                                    .seeds = w->seeds,
                                    .wanted = r->wanted,
                                    .fn = take_tensor,
                                    .wanted_layers = r->wanted_layers,
                                    .layer_fn = take_layer,
                                    .ctx = w};
    BSR_TRY(bsr_gradients_run(w->gradients, &w->golden, 0, &request));
    if (job->finish)
        BSR_TRY(job->finish(job->finish_ctx, slot, w->to, &w->golden, thread));
    return bsr_session_step(job->s, 1, thread);
}

/* Tensors and layers that have spaces; how many layers read each constant. */
static bsr_status find_wanted(moments_run *r)
{
    const bsr_error_map *map = r->job->maps[0];
    const bsr_plan *plan = map->plan;
    r->wanted = bsr_calloc_array((size_t)plan->n_ptens, 1);
    r->wanted_layers = bsr_calloc_array((size_t)plan->n_layers, 1);
    r->readers = bsr_calloc_array((size_t)map->n, sizeof *r->readers);
    if (!r->wanted || !r->wanted_layers || !r->readers)
        return BSR_ENOMEM;
    for (int p = 0; p < plan->n_ptens; p++)
        r->wanted[p] = map->tensor_spaces[p] != NULL;
    for (int l = 0; l < plan->n_layers; l++) {
        int w = map->weight_space[l], b = map->bias_space[l];
        r->wanted_layers[l] = w >= 0 || b >= 0;
        if (w >= 0)
            r->readers[w]++;
        if (b >= 0)
            r->readers[b]++;
    }
    return BSR_OK;
}

static bsr_status new_worker(worker *w, const moments_run *r)
{
    const bsr_moments_job *job = r->job;
    const bsr_error_map *map = job->maps[0];
    const bsr_plan *plan = map->plan;
    const bsr_pten *in = &plan->ptens[plan->input];
    size_t n = (size_t)job->followed.n, spaces = (size_t)map->n, most = map->most_elements;
    for (int l = 0; l < plan->n_layers; l++) {
        size_t count = bsr_weight_gradient_count(plan->layers[l].weights);
        if (r->wanted_layers[l] && count > most)
            most = count;
    }
    w->run = r;
    w->golden = (bsr_golden){.plan = plan, .images = 1, .classes = job->followed.classes};
    w->golden.records = bsr_alloc_aligned(1, plan->golden_bytes);
    w->golden.logits = bsr_alloc_array((size_t)job->followed.classes, sizeof(float));
    w->golden.top1 = bsr_alloc_array(1, sizeof(int));
    w->input = bsr_alloc_aligned(1, in->image_bytes);
    w->planes = bsr_alloc_aligned((size_t)in->pixels * (size_t)in->channels, sizeof(float));
    w->seeds = bsr_alloc_array(n * (size_t)job->followed.classes, sizeof(float));
    w->errors = bsr_alloc_array(6 * map->most_elements, sizeof(float));
    w->layer = bsr_alloc_array(n * most, sizeof(float));
    w->bias = bsr_alloc_array(n * (size_t)plan->max_channels, sizeof(float));
    w->shared = bsr_calloc_array(spaces, sizeof *w->shared);
    w->waiting = bsr_calloc_array(spaces, sizeof *w->waiting);
    if (!w->golden.records || !w->golden.logits || !w->golden.top1 || !w->input || !w->planes ||
        !w->seeds || !w->errors || !w->layer || !w->bias || !w->shared || !w->waiting)
        return BSR_ENOMEM;
    for (size_t s = 0; s < spaces; s++)
        if (r->readers[s] > 1 &&
            !(w->shared[s] = bsr_alloc_array(n * map->constants[s].n, sizeof(float))))
            return BSR_ENOMEM;
    BSR_TRY(bsr_forward_new(&w->forward, plan, 1));
    BSR_TRY(bsr_gradients_new(&w->gradients, job->gradients));
    return bsr_weight_gradients_new(&w->weights, job->gradients);
}

static void free_worker(worker *w)
{
    if (!w->run)
        return;
    for (int s = 0; w->shared && s < w->run->job->maps[0]->n; s++)
        bsr_free(w->shared[s]);
    void *const owned[] = {w->golden.records, w->golden.logits, w->golden.top1, w->input,
                           w->planes,         w->seeds,         w->errors,      w->layer,
                           w->bias,           w->shared,        w->waiting};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        bsr_free(owned[i]);
    bsr_forward_free(w->forward);
    bsr_gradients_free(w->gradients);
    bsr_weight_gradients_free(w->weights);
}

static bsr_status new_moments(moments_run *r)
{
    const bsr_moments_job *job = r->job;
    const bsr_error_map *map = job->maps[0];
    size_t spaces = (size_t)map->n * (size_t)job->n_maps;
    size_t jumps = map->first_jump[map->n] * (size_t)job->followed.n;
    if (!(r->moments = bsr_calloc_array(job->n, sizeof *r->moments)))
        return BSR_ENOMEM;
    for (size_t i = 0; i < job->n; i++) {
        r->moments[i].spaces = bsr_calloc_array(spaces, sizeof(bsr_space_moments));
        r->moments[i].jumps = bsr_calloc_array(jumps, sizeof(float));
        if (!r->moments[i].spaces || !r->moments[i].jumps)
            return BSR_ENOMEM;
    }
    return BSR_OK;
}

bsr_status bsr_image_moments_new(bsr_image_moments **out, const bsr_moments_job *job)
{
    moments_run r = {.job = job};
    int threads = bsr_pool_threads(job->s->pool);
    *out = NULL;
    bsr_status status = find_wanted(&r);
    if (status == BSR_OK)
        status = new_moments(&r);
    r.workers = bsr_calloc_array((size_t)threads, sizeof *r.workers);
    if (!r.workers)
        status = BSR_ENOMEM;
    for (int t = 0; t < threads && status == BSR_OK; t++)
        status = new_worker(&r.workers[t], &r);
    if (status == BSR_OK)
        status = bsr_pool_run(job->s->pool, job->n, run_image, &r);
    for (int t = 0; t < threads && r.workers; t++)
        free_worker(&r.workers[t]);
    bsr_free(r.workers);
    bsr_free(r.wanted);
    bsr_free(r.wanted_layers);
    bsr_free(r.readers);
    if (status == BSR_OK)
        *out = r.moments;
    else
        bsr_image_moments_free(r.moments, job->n);
    return status;
}

void bsr_image_moments_free(bsr_image_moments *moments, size_t n)
{
    for (size_t i = 0; moments && i < n; i++) {
        bsr_free(moments[i].spaces);
        bsr_free(moments[i].jumps);
    }
    bsr_free(moments);
}
