/* Faults in stored codes of two pretrained int8 networks: lanes against brute force that shares
 * nothing with them. A faulty weight is the changed byte in the ONNX file, which is loaded,
 * compiled and run whole; a faulty activation is changed by a hook in a whole run. 10,000 faults;
 * logits are compared as bits. Needs the folder BITSEER_DATA. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/threads.h"
#include "exec/chip.h"
#include "exec/golden.h"
#include "rng/philox.h"
#include "support/compare_plan.h"
#include "support/patch_onnx.h"
#include "support/whole.h"
#include "support/zoo.h"

/* A load and a whole run of the larger network costs about as much as fifty of the smaller. */
static const struct {
    const char *name, *images;
    size_t weights, values; /* faults */
} networks[] = {
    {"cifar10_resnet20_akamaster_int8_qdq", "10", 4000, 5700},
    {"tf2_mobilenet_v2_1.0_224_int8_qdq", "2", 100, 200},
};

typedef struct bench {
    void *bytes;
    size_t n_bytes;
    whole net;
    bsr_golden *golden;
    bsr_pool *pool;
    bsr_lanes **lanes; /* [threads] */
    bsr_chip **chips;  /* [threads] */
    size_t n;
    bsr_lane_job *jobs;
    float *got, *want; /* [n][classes] */
} bench;

static void *need(void *p)
{
    zoo_check(p ? BSR_OK : BSR_ENOMEM, "codes_vs_file");
    return p;
}

static const char *input_of(const bench *b, int image)
{
    const bsr_plan *plan = b->net.plan;
    return b->golden->records + (size_t)image * plan->golden_bytes +
           plan->ptens[plan->input].golden_at;
}

static void open_bench(bench *b, const zoo_network *net, const char *images)
{
    char path[4096], file[256];
    bsr_model *model;
    bsr_dataset *data;
    snprintf(file, sizeof file, "%s.onnx", net->name);
    b->bytes = whole_read(zoo_path(path, "models", file), &b->n_bytes);
    whole_open(&b->net, b->bytes, b->n_bytes, bsr_cpu_best(), WHOLE_KEEP_DEFAULT);
    zoo_open(net, images, &model, &data);
    zoo_check(bsr_pool_new(&b->pool, bsr_cpu_count()), net->name);
    zoo_check(bsr_golden_new(&b->golden, b->net.plan, b->pool, data, b->net.model->nhwc, 0,
                             bsr_dataset_count(data)),
              net->name);
    bsr_dataset_free(data);
    bsr_model_free(model);
    size_t threads = (size_t)bsr_pool_threads(b->pool);
    b->lanes = need(bsr_calloc_array(threads, sizeof *b->lanes));
    b->chips = need(bsr_calloc_array(threads, sizeof *b->chips));
    for (size_t t = 0; t < threads; t++) {
        zoo_check(bsr_lanes_new(&b->lanes[t], b->net.plan), net->name);
        zoo_check(bsr_chip_new(&b->chips[t], b->net.plan, 1), net->name);
    }
}

static void close_bench(bench *b)
{
    for (int t = 0; t < bsr_pool_threads(b->pool); t++) {
        bsr_lanes_free(b->lanes[t]);
        bsr_chip_free(b->chips[t]);
    }
    bsr_free(b->lanes);
    bsr_free(b->chips);
    bsr_free(b->jobs);
    bsr_free(b->got);
    bsr_free(b->want);
    bsr_golden_free(b->golden);
    bsr_pool_free(b->pool);
    whole_close(&b->net);
    bsr_free(b->bytes);
}

/* Layers are drawn evenly, then the code of a weight or of what the layer reads, then the bit. */
static bsr_lane_job draw_job(const bench *b, bsr_rng *rng, bsr_fault_place place)
{
    const bsr_plan *plan = b->net.plan;
    bsr_lane_job job = {.image = (int)bsr_rng_below(rng, (uint64_t)b->golden->images),
                        .fault = {.place = place}};
    const bsr_tensor *t;
    const bsr_pten *p;
    const char *code;
    int layer;
    do {
        layer = (int)bsr_rng_below(rng, (uint64_t)plan->n_layers);
        t = plan->graph->values[plan->layers[layer].weights->value].constant;
        p = &plan->ptens[plan->steps[plan->layers[layer].step].sources[0].pten];
    } while (p->esize != 1 || t->dtype == BSR_F32);
    if (place == BSR_FAULT_WEIGHT) {
        job.fault.where = layer;
        job.fault.element = (int64_t)bsr_rng_below(rng, (uint64_t)bsr_count(t->rank, t->dims));
        code = (const char *)t->data + job.fault.element;
    } else {
        int pixel, channel;
        job.fault.where = p->value;
        job.fault.element =
            (int64_t)bsr_rng_below(rng, (uint64_t)p->pixels * (uint64_t)p->channels);
        bsr_plan_locate(plan, p->value, job.fault.element, &pixel, &channel);
        code = b->golden->records + (size_t)job.image * plan->golden_bytes + p->golden_at +
               (size_t)pixel * p->pixel_bytes + channel;
    }
    job.fault.bits = (unsigned char)*code ^ (uint32_t)1 << bsr_rng_below(rng, 8);
    return job;
}

#define BLOCK_JOBS 100

static bsr_status run_lanes(void *ctx, size_t item, int thread)
{
    bench *b = ctx;
    size_t first = item * BLOCK_JOBS, n = b->n - first < BLOCK_JOBS ? b->n - first : BLOCK_JOBS;
    bsr_lane_result results[BLOCK_JOBS];
    return bsr_lanes_run(b->lanes[thread], b->golden, b->jobs + first, n, results,
                         b->got + first * (size_t)b->net.classes);
}

/* The file with the code in it. */
static bsr_status run_file(const bench *b, const bsr_lane_job *job, float *logits)
{
    const bsr_plan *plan = b->net.plan;
    const bsr_weights *w = plan->layers[job->fault.where].weights;
    const char *name = plan->graph->values[w->value].name, *input = input_of(b, job->image);
    char *bytes = need(bsr_alloc_array(b->n_bytes, 1));
    memcpy(bytes, b->bytes, b->n_bytes);
    if (!patch_onnx(bytes, b->n_bytes, name, job->fault.element, 1, job->fault.bits)) {
        fprintf(stderr, "'%s' has no element %lld in the file\n", name,
                (long long)job->fault.element);
        exit(1);
    }
    whole changed;
    whole_open(&changed, bytes, b->n_bytes, bsr_cpu_best(), WHOLE_KEEP_DEFAULT);
    whole_logits(&changed, &input, 1, logits);
    whole_close(&changed);
    bsr_free(bytes);
    return BSR_OK;
}

typedef struct one_code {
    const bsr_plan *plan;
    const bsr_stored_fault *fault;
} one_code;

static void store_code(void *ctx, int image, int value, char *data)
{
    const one_code *c = ctx;
    int pixel, channel;
    bsr_plan_locate(c->plan, value, c->fault->element, &pixel, &channel);
    const bsr_pten *p = &c->plan->ptens[c->plan->of_value[value]];
    data[(size_t)pixel * p->pixel_bytes + (size_t)channel] = (char)c->fault->bits;
}

static bsr_status run_brute_force(void *ctx, size_t i, int thread)
{
    bench *b = ctx;
    const bsr_lane_job *job = &b->jobs[i];
    float *logits = b->want + i * (size_t)b->net.classes;
    if (job->fault.place == BSR_FAULT_WEIGHT)
        return run_file(b, job, logits);
    const bsr_plan *plan = b->net.plan;
    const char *input = input_of(b, job->image);
    one_code c = {plan, &job->fault};
    unsigned char *hit = bsr_calloc_array((size_t)plan->graph->n_values, 1);
    if (!hit)
        return BSR_ENOMEM;
    hit[job->fault.where] = 1;
    bsr_status status = bsr_chip_run(b->chips[thread], 1, &input, hit, store_code, &c, &logits);
    bsr_free(hit);
    return status;
}

static size_t run_network(const zoo_network *net, const char *images, size_t weights, size_t values)
{
    bench b = {0};
    open_bench(&b, net, images);
    size_t classes = (size_t)b.net.classes, different = 0, masked = 0;
    b.n = weights + values;
    b.jobs = need(bsr_calloc_array(b.n, sizeof *b.jobs));
    b.got = need(bsr_calloc_array(b.n * classes, sizeof *b.got));
    b.want = need(bsr_calloc_array(b.n * classes, sizeof *b.want));
    bsr_rng rng = bsr_rng_make(41, 0);
    for (size_t i = 0; i < b.n; i++)
        b.jobs[i] = draw_job(&b, &rng, i < weights ? BSR_FAULT_WEIGHT : BSR_FAULT_VALUE);
    size_t blocks = (b.n + BLOCK_JOBS - 1) / BLOCK_JOBS;
    zoo_check(bsr_pool_run(b.pool, blocks, run_lanes, &b), net->name);
    zoo_check(bsr_pool_run(b.pool, b.n, run_brute_force, &b), net->name);
    for (size_t i = 0; i < b.n; i++) {
        const bsr_stored_fault *f = &b.jobs[i].fault;
        const float *golden = b.golden->logits + (size_t)b.jobs[i].image * classes;
        masked += same_floats(b.want + i * classes, golden, classes);
        if (!same_floats(b.got + i * classes, b.want + i * classes, classes) && different++ < 5)
            fprintf(stderr, "  image %d place %d where %d element %lld bits %02x\n",
                    b.jobs[i].image, (int)f->place, f->where, (long long)f->element, f->bits);
    }
    /* Brute force that changes nothing would agree with lanes that do nothing. */
    if (masked == b.n) {
        fprintf(stderr, "  no fault shows\n");
        different++;
    }
    printf("%s: %zu weights, %zu activations: %zu masked, %zu differ\n", net->name, weights, values,
           masked, different);
    close_bench(&b);
    return different;
}

int main(int argc, char **argv)
{
    double share = argc == 3 && strcmp(argv[1], "--share") == 0 ? atof(argv[2]) : 1.0;
    size_t different = 0, ran = 0;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        const zoo_network *net = zoo_find(networks[i].name);
        if (!zoo_exists(net))
            continue;
        ran++;
        different +=
            run_network(net, networks[i].images, (size_t)((double)networks[i].weights * share),
                        (size_t)((double)networks[i].values * share));
    }
    if (!ran)
        printf("skipped: BITSEER_DATA names no folder with these networks\n");
    return !ran ? 77 : different > 0;
}
