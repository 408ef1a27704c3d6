/* Differential execution equals a full faulty inference bit for bit: random lanes over weights,
 * biases, activations, the input, operands and sums, all bits, on the demo network and, where
 * BITSEER_DATA names the folder, on six pretrained ones. Each lane runs twice, as a lane among
 * others and as a whole inference; logits are compared as bits (a NaN equals any NaN). Then the
 * same lanes in another order, on one thread, and with the other kernel sets must give the same
 * bits again. Operand faults are also compared with the faulty output element of their layer,
 * computed by hand from the graph.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/threads.h"
#include "exec/golden.h"
#include "exec/model_state.h"
#include "rng/philox.h"
#include "support/operands.h"

typedef struct network {
    const char *model, *data, *images;
    double mean, std; /* of all channels: any will do, as nothing is compared with a label */
    int class_offset;
    size_t lanes;
    int recompute; /* keep no tensor for faults, so that large cheap ones are recomputed */
} network;

#define BYTE     0.00392156862745098
#define CIFAR    "cifar10:cifar10/test_first1000.bin"
#define IMAGENET "planes16:imagenet/imagenet200_224.bin"
static const network networks[] = {
    {"models/fashion_resnet.onnx",
     "idx:/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz,"
     "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz",
     "20", .2860, .3530, 0, 40000, 0},
    {"models/cifar10_resnet20_akamaster_bn.onnx", CIFAR, "20", .45, .225, 0, 25000, 0},
    {"models/cifar10_resnet8_mlperftiny_int8_qdq.onnx", CIFAR, "20", 0, BYTE, 0, 20000, 0},
    {"models/cifar10_resnet8_mlperftiny_int8_qop.onnx", CIFAR, "20", 0, BYTE, 0, 10000, 0},
    {"models/tf2_mobilenet_v2_1.0_224_int8_float.onnx", IMAGENET, "4", .5, .5, 1, 3000, 0},
    {"models/tf2_mobilenet_v2_1.0_224_int8_float.onnx", IMAGENET, "4", .5, .5, 1, 2000, 1},
    {"models/cifar10_cnvW1A1_bnnpynq.onnx", CIFAR, "20", .5, .5, 0, 10000, 0},
    {"models/tf2_mobilenet_v2_1.0_224_int8_qdq.onnx", IMAGENET, "2", .5, .5, 1, 500, 0},
};

typedef struct bench {
    bsr_model *model;
    bsr_plan *plan;
    bsr_dataset *data;
    bsr_pool *pool;
    bsr_golden *golden;
    bsr_lanes **lanes;     /* [threads] */
    bsr_forward **forward; /* [threads] */
    size_t n, *order;
    bsr_lane_job *jobs;
    bsr_lane_result *results;
    float *logits; /* [n][classes] from lanes */
    float *whole;  /* [n][classes] from whole inferences */
} bench;

static void check(bsr_status status)
{
    if (status == BSR_OK)
        return;
    fprintf(stderr, "lanes_vs_full: %s: %s\n", bsr_status_name(status), bsr_error_message());
    exit(1);
}

static void *need(void *p)
{
    if (!p)
        check(BSR_ENOMEM);
    return p;
}

static void path_of(char *out, size_t n, const char *name)
{
    const char *colon = strchr(name, ':');
    const char *root = getenv("BITSEER_DATA");
    if (strstr(name, "fashion"))
        snprintf(out, n, "%s", name);
    else if (colon)
        snprintf(out, n, "%.*s:%s/%s", (int)(colon - name), name, root, colon + 1);
    else
        snprintf(out, n, "%s/%s", root, name);
}

/* What a plan keeps besides what it must. */
typedef enum keep_choice {
    KEEP_AS_TABLE, /* what the network's row says */
    KEEP_ALL,      /* what every node makes */
} keep_choice;

static void open_bench(bench *b, const network *net, int threads, bsr_cpu cpu, keep_choice choice)
{
    char path[4096];
    path_of(path, sizeof path, net->model);
    check(bsr_model_load(&b->model, path, NULL));
    const bsr_graph *g = b->model->graph;
    unsigned char *keep = need(bsr_calloc_array((size_t)g->n_values, 1));
    for (int i = 0; i < g->n_values; i++)
        keep[i] =
            choice == KEEP_ALL || (!net->recompute && bsr_model_is_default_tensor(b->model, i));
    check(bsr_plan_new(&b->plan, g, bsr_kernels_for(cpu), keep));
    bsr_free(keep);
    path_of(path, sizeof path, net->data);
    bsr_dataset_options o = BSR_DATASET_OPTIONS_INIT;
    o.data = path;
    o.images = net->images;
    o.mean_count = o.std_count = 1;
    o.mean[0] = net->mean;
    o.std[0] = net->std;
    o.class_offset = net->class_offset;
    check(bsr_dataset_open(&b->data, &o, b->model->channels, b->model->height, b->model->width));
    check(bsr_pool_new(&b->pool, threads));
    check(bsr_golden_new(&b->golden, b->plan, b->pool, b->data, b->model->nhwc, 0,
                         bsr_dataset_count(b->data)));
    b->lanes = need(bsr_calloc_array((size_t)threads, sizeof *b->lanes));
    b->forward = need(bsr_calloc_array((size_t)threads, sizeof *b->forward));
    for (int t = 0; t < threads; t++) {
        check(bsr_lanes_new(&b->lanes[t], b->plan));
        check(bsr_forward_new(&b->forward[t], b->plan, 1));
    }
}

static void close_bench(bench *b)
{
    for (int t = 0; t < bsr_pool_threads(b->pool); t++) {
        bsr_lanes_free(b->lanes[t]);
        bsr_forward_free(b->forward[t]);
    }
    bsr_free(b->lanes);
    bsr_free(b->forward);
    bsr_golden_free(b->golden);
    bsr_pool_free(b->pool);
    bsr_dataset_free(b->data);
    bsr_plan_free(b->plan);
    bsr_model_free(b->model);
}

/* Stored bits of an element of a constant or of a tensor of the golden run. */
static uint32_t stored(const void *data, int64_t i, size_t esize)
{
    uint32_t bits = 0;
    memcpy(&bits, (const char *)data + (size_t)i * esize, esize);
    return bits;
}

/* A change of the sizes that matter, or any bits; of a float's sum, or of an int32's. */
static uint32_t draw_delta(const bsr_weights *w, bsr_rng *rng)
{
    uint32_t bits = bsr_rng_u32(rng);
    if (bits & 1)
        return bits;
    if (w->dtype != BSR_F32)
        return (uint32_t)((int32_t)bits / 65536);
    /* Exponents of 2^-10 to 2^11. */
    return (bits & 0x807fffff) | (uint32_t)(117 + bsr_rng_below(rng, 22)) << 23;
}

/* One output element's sum, or the start of all sums of a channel without a stored bias. */
static bsr_lane_job draw_sum(const bsr_plan *plan, const bsr_golden *golden, bsr_rng *rng)
{
    bsr_lane_job job = {.image = (int)bsr_rng_below(rng, (uint64_t)golden->images)};
    bsr_stored_fault *f = &job.fault;
    f->where = (int)bsr_rng_below(rng, (uint64_t)plan->n_layers);
    const bsr_step *s = &plan->steps[plan->layers[f->where].step];
    int no_bias = s->weights->bias_value < 0 && bsr_rng_below(rng, 3) == 0;
    f->place = no_bias ? BSR_FAULT_BIAS : BSR_FAULT_SUM;
    f->element =
        (int64_t)bsr_rng_below(rng, (uint64_t)s->weights->groups * (uint64_t)s->weights->cout);
    f->pixel = (int)bsr_rng_below(rng, (uint64_t)plan->ptens[s->out].pixels);
    f->bits = draw_delta(s->weights, rng);
    return job;
}

/* Weights and biases, tensors, and operands are hit equally often, sums half as often; layers and
 * tensors are drawn evenly, so that small ones are covered as well. */
static bsr_lane_job draw_job(const bench *b, bsr_rng *rng)
{
    const bsr_plan *plan = b->plan;
    const bsr_value *values = b->model->graph->values;
    bsr_lane_job job = {.image = (int)bsr_rng_below(rng, (uint64_t)b->golden->images)};
    uint64_t kind = bsr_rng_below(rng, 35);
    if (kind >= 30)
        return draw_sum(plan, b->golden, rng);
    if (kind >= 20)
        return operands_draw(plan, b->golden, rng);
    if (kind < 10) {
        int layer = (int)bsr_rng_below(rng, (uint64_t)plan->n_layers);
        const bsr_weights *w = plan->layers[layer].weights;
        int bias = kind == 0 && w->bias_value >= 0;
        const bsr_tensor *t = values[bias ? w->bias_value : w->value].constant;
        size_t esize = bsr_dtype_size(t->dtype);
        job.fault.place = bias ? BSR_FAULT_BIAS : BSR_FAULT_WEIGHT;
        job.fault.where = layer;
        job.fault.element = (int64_t)bsr_rng_below(rng, (uint64_t)bsr_count(t->rank, t->dims));
        job.fault.bits = stored(t->data, job.fault.element, esize) ^
                         (uint32_t)1 << bsr_rng_below(rng, esize * 8);
        return job;
    }
    const bsr_pten *p;
    do {
        int layer = (int)bsr_rng_below(rng, (uint64_t)plan->n_layers);
        int pten = kind == 19 ? plan->input : plan->steps[plan->layers[layer].step].sources[0].pten;
        p = &plan->ptens[pten];
        job.fault.where = p->value;
    } while (plan->of_value[job.fault.where] < 0 || !p->kept);
    job.fault.place = BSR_FAULT_VALUE;
    job.fault.element = (int64_t)bsr_rng_below(rng, (uint64_t)p->pixels * (uint64_t)p->channels);
    int pixel, channel;
    bsr_plan_locate(plan, job.fault.where, job.fault.element, &pixel, &channel);
    const char *tensor = b->golden->records + (size_t)job.image * plan->golden_bytes + p->golden_at;
    job.fault.bits = stored(tensor + (size_t)pixel * p->pixel_bytes, channel, p->esize) ^
                     (uint32_t)1 << bsr_rng_below(rng, p->esize * 8);
    return job;
}

/* Blocks keep neighbours together, as a campaign would, and are spread over the threads. */
#define BLOCK_JOBS 128

static bsr_status run_lanes(void *ctx, size_t item, int thread)
{
    bench *b = ctx;
    size_t first = item * BLOCK_JOBS, classes = (size_t)b->golden->classes;
    size_t n = b->n - first < BLOCK_JOBS ? b->n - first : BLOCK_JOBS;
    bsr_lane_job jobs[BLOCK_JOBS];
    bsr_lane_result results[BLOCK_JOBS];
    float *z = bsr_alloc_array(n * classes, sizeof *z);
    if (!z)
        return BSR_ENOMEM;
    for (size_t i = 0; i < n; i++)
        jobs[i] = b->jobs[b->order[first + i]];
    bsr_status status = bsr_lanes_run(b->lanes[thread], b->golden, jobs, n, results, z);
    for (size_t i = 0; i < n && status == BSR_OK; i++) {
        size_t at = b->order[first + i];
        b->results[at] = results[i];
        memcpy(b->logits + at * classes, z + i * classes, classes * sizeof *z);
    }
    bsr_free(z);
    return status;
}

static bsr_status run_whole(void *ctx, size_t i, int thread)
{
    bench *b = ctx;
    const bsr_plan *plan = b->plan;
    const char *input = b->golden->records + (size_t)b->jobs[i].image * plan->golden_bytes +
                        plan->ptens[plan->input].golden_at;
    return bsr_forward_faulty(b->forward[thread], input, &b->jobs[i].fault,
                              b->whole + i * (size_t)b->golden->classes);
}

static int same_bits(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i])))
            return 0;
    return 1;
}

static size_t count_different(const bench *b, const float *x, const float *y, const char *what)
{
    size_t different = 0, classes = (size_t)b->golden->classes;
    for (size_t i = 0; i < b->n; i++) {
        if (same_bits(x + i * classes, y + i * classes, classes))
            continue;
        const bsr_stored_fault *f = &b->jobs[i].fault;
        if (different++ < 5)
            fprintf(stderr, "  %s: lane %zu: image %d place %d where %d element %lld bits %08x\n",
                    what, i, b->jobs[i].image, (int)f->place, f->where, (long long)f->element,
                    f->bits);
    }
    return different;
}

static void shuffle(size_t *order, size_t n, uint64_t stream)
{
    bsr_rng rng = bsr_rng_make(7, stream);
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)bsr_rng_below(&rng, i), t = order[i - 1];
        order[i - 1] = order[j];
        order[j] = t;
    }
}

/* The first lanes once more on another kernel set; the golden run is recomputed with it too. */
static size_t other_set(const network *net, const bench *first, bsr_cpu cpu, size_t n)
{
    bench b = {0};
    if (!bsr_kernels_for(cpu))
        return 0;
    open_bench(&b, net, 1, cpu, KEEP_AS_TABLE);
    size_t classes = (size_t)b.golden->classes;
    b.n = n < first->n ? n : first->n;
    b.jobs = first->jobs;
    b.order = first->order;
    b.results = need(bsr_calloc_array(first->n, sizeof *b.results));
    b.logits = need(bsr_calloc_array(first->n * classes, sizeof *b.logits));
    for (size_t i = 0; i < b.n; i++)
        b.order[i] = i;
    check(bsr_pool_run(b.pool, (b.n + BLOCK_JOBS - 1) / BLOCK_JOBS, run_lanes, &b));
    char what[64];
    snprintf(what, sizeof what, "kernels %s", bsr_cpu_name(cpu));
    size_t different = count_different(&b, b.logits, first->logits, what);
    if (!same_bits(b.golden->logits, first->golden->logits, classes * (size_t)b.golden->images)) {
        fprintf(stderr, "  %s: golden logits differ\n", what);
        different++;
    }
    bsr_free(b.results);
    bsr_free(b.logits);
    close_bench(&b);
    return different;
}

/* Operand faults as lanes against faults in the layer's output value with the bits computed by hand
 * from the graph. */
static size_t by_hand(const network *net, size_t n)
{
    bench b = {0};
    open_bench(&b, net, 1, bsr_cpu_best(), KEEP_ALL);
    const bsr_plan *plan = b.plan;
    size_t classes = (size_t)b.golden->classes, wrong = 0, fused = 0;
    float *z = need(bsr_alloc_array(classes, sizeof *z));
    float *want = need(bsr_alloc_array(classes, sizeof *want));
    bsr_rng rng = bsr_rng_make(3, 0);
    for (size_t i = 0; i < n; i++) {
        bsr_lane_job job = operands_draw(plan, b.golden, &rng);
        bsr_lane_result r;
        bsr_stored_fault value;
        const char *error = operands_expect(&value, plan, b.golden, &job);
        if (error && strcmp(error, "fused") == 0) {
            fused++;
            continue;
        }
        const char *input = b.golden->records + (size_t)job.image * plan->golden_bytes +
                            plan->ptens[plan->input].golden_at;
        check(bsr_lanes_run(b.lanes[0], b.golden, &job, 1, &r, z));
        if (!error)
            check(bsr_forward_faulty(b.forward[0], input, &value, want));
        if (!error && !same_bits(z, want, classes))
            error = "the lane differs from the element computed by hand";
        if (error && wrong++ < 5)
            fprintf(stderr, "  layer %d place %d pixel %d element %lld bits %08x: %s\n",
                    job.fault.where, (int)job.fault.place, job.fault.pixel,
                    (long long)job.fault.element, job.fault.bits, error);
    }
    if (fused > n / 2) {
        fprintf(stderr, "  %zu of %zu operands in layers whose output is not kept\n", fused, n);
        wrong++;
    }
    bsr_free(z);
    bsr_free(want);
    close_bench(&b);
    return wrong;
}

static size_t run_network(const network *net, double share)
{
    bench b = {0};
    open_bench(&b, net, bsr_cpu_count() > 1 ? 2 : 1, bsr_cpu_best(), KEEP_AS_TABLE);
    size_t classes = (size_t)b.golden->classes, masked = 0, due = 0, critical = 0;
    b.n = (size_t)((double)net->lanes * share) + 20;
    b.jobs = need(bsr_calloc_array(b.n, sizeof *b.jobs));
    b.results = need(bsr_calloc_array(b.n, sizeof *b.results));
    b.order = need(bsr_calloc_array(b.n, sizeof *b.order));
    b.logits = need(bsr_calloc_array(b.n * classes, sizeof *b.logits));
    b.whole = need(bsr_calloc_array(b.n * classes, sizeof *b.whole));
    bsr_rng rng = bsr_rng_make(1, 0);
    for (size_t i = 0; i < b.n; i++) {
        b.jobs[i] = draw_job(&b, &rng);
        b.order[i] = i;
    }
    size_t blocks = (b.n + BLOCK_JOBS - 1) / BLOCK_JOBS;
    check(bsr_pool_run(b.pool, blocks, run_lanes, &b));
    check(bsr_pool_run(b.pool, b.n, run_whole, &b));
    size_t different = count_different(&b, b.logits, b.whole, "full");
    for (size_t i = 0; i < b.n; i++) {
        masked += b.results[i].masked;
        due += b.results[i].due;
        critical += b.results[i].critical;
        if (b.results[i].masked != same_bits(b.whole + i * classes,
                                             b.golden->logits + (size_t)b.jobs[i].image * classes,
                                             classes))
            different++;
    }
    /* Another order, one thread: other neighbours, other groups. */
    memcpy(b.whole, b.logits, b.n * classes * sizeof *b.logits);
    shuffle(b.order, b.n, 1);
    bsr_pool *two = b.pool;
    check(bsr_pool_new(&b.pool, 1));
    check(bsr_pool_run(b.pool, blocks, run_lanes, &b));
    bsr_pool_free(b.pool);
    b.pool = two;
    different += count_different(&b, b.logits, b.whole, "shuffled");
    size_t avx = b.n / 20 + 20, ref = 5;
    different += other_set(net, &b, BSR_CPU_AVX2, avx);
    different += other_set(net, &b, BSR_CPU_REF, ref);
    different += by_hand(net, b.n / 20 + 20);
    printf("%-52s %6zu lanes  masked %5.1f %%  critical %5.1f %%  due %4.1f %%  different %zu\n",
           net->model, b.n, 100.0 * (double)masked / (double)b.n,
           100.0 * (double)critical / (double)b.n, 100.0 * (double)due / (double)b.n, different);
    fflush(stdout);
    bsr_free(b.jobs);
    bsr_free(b.results);
    bsr_free(b.order);
    bsr_free(b.logits);
    bsr_free(b.whole);
    close_bench(&b);
    return different;
}

static int exists(const char *name)
{
    char path[4096];
    if (!strstr(name, "fashion") && !getenv("BITSEER_DATA"))
        return 0;
    path_of(path, sizeof path, name);
    FILE *f = fopen(path, "rb");
    if (f)
        fclose(f);
    return f != NULL;
}

int main(int argc, char **argv)
{
    double share = argc == 3 && strcmp(argv[1], "--share") == 0 ? atof(argv[2]) : 1.0;
    const char *only = argc == 3 && strcmp(argv[1], "--only") == 0 ? argv[2] : "";
    size_t different = 0, lanes = 0;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        if (!strstr(networks[i].model, only))
            continue;
        if (!exists(networks[i].model)) {
            printf("%-52s skipped: not there\n", networks[i].model);
            continue;
        }
        if (share < 0.01 && strstr(networks[i].model, "mobilenet")) {
            printf("%-52s left to the whole test\n", networks[i].model);
            continue; /* minutes under a sanitizer, with the reference kernels */
        }
        different += run_network(&networks[i], share);
        lanes += (size_t)((double)networks[i].lanes * share) + 20;
    }
    printf("%zu lanes, %zu with a differing bit\n", lanes, different);
    return different || !lanes;
}
