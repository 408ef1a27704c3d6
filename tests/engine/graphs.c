/* Graph shapes that no pretrained network has (tests/engine/data, made by make_graphs.py): the
 * executor must give the bits of the reference interpreter on random images, and lanes those of
 * full faulty inferences, under faults in every weight, bias, kept tensor and operand. Where all
 * values are kept, operand faults are also computed by hand, and the step where the differences end
 * is found by comparing all tensors of the full inference. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "exec/golden.h"
#include "exec/model_state.h"
#include "rng/philox.h"
#include "support/compare_plan.h"
#include "support/interp.h"
#include "support/operands.h"

enum { IMAGES = 4, FAULTS = 2000, BLOCK = 100, MAX_CLASSES = 16, MAX_INPUT = 256 };

/* classes and layers with weights: as the definitions in make_graphs.py say. A Gemm with alpha or
 * beta other than 1 (gemm_chw has one) is evaluated by its operator and counts as no layer. */
static const struct {
    const char *name;
    int classes, layers;
} graphs[] = {
    {"concat_branches", 5, 4},
    {"concat_pixels", 5, 2},
    {"split_add", 5, 2},
    {"squeeze_excite", 5, 4},
    {"nhwc", 5, 2},
    {"grouped", 5, 5},
    {"conv1d", 5, 3},
    {"shared_weight", 5, 3},
    {"softmax", 5, 2},
    {"lrn", 5, 2},
    {"reshape_middle", 8, 2},
    {"max_pool_border", 5, 2},
    {"gemm_chw", 5, 2},
    {"batch8", 5, 2},
    {"attention", 5, 4},
    {"flat_input", 4, 2},
    {"pad_slice", 5, 2},
    {"hard_swish_pieces", 5, 2},
};

static int failures;

static void check(bsr_status status, const char *name)
{
    if (status == BSR_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", name, bsr_status_name(status), bsr_error_message());
    exit(1);
}

static void fail(const char *name, const char *what)
{
    printf("FAILED %s: %s\n", name, what);
    failures++;
}

static void random_image(bsr_rng *rng, const bsr_tensor *x)
{
    int64_t n = bsr_count(x->rank, x->dims);
    for (int64_t i = 0; i < n; i++)
        ((float *)x->data)[i] = (float)(6 * bsr_rng_uniform(rng) - 3);
}

/* One graph with one kernel set, all values kept or those that the executor chooses. */
typedef struct bench {
    const char *name;
    const bsr_graph *graph;
    bsr_plan *plan;
    bsr_golden golden;
    bsr_forward *forward;
    bsr_lanes *lanes;
    int keep_all;
} bench;

/* The golden run of random images; the interpreter's results must be the same. */
static void open_bench(bench *b, const bsr_model *model, bsr_cpu cpu, int keep_all)
{
    const bsr_graph *g = b->graph = model->graph;
    b->keep_all = keep_all;
    unsigned char *keep = bsr_calloc_array((size_t)g->n_values, 1);
    memset(keep, keep_all, (size_t)g->n_values);
    check(bsr_plan_new(&b->plan, g, bsr_kernels_for(cpu), keep), b->name);
    bsr_free(keep);
    check(bsr_forward_new(&b->forward, b->plan, IMAGES), b->name);
    check(bsr_lanes_new(&b->lanes, b->plan), b->name);
    int classes = bsr_plan_classes(b->plan);
    b->golden = (bsr_golden){.plan = b->plan, .images = IMAGES, .classes = classes};
    b->golden.records = bsr_alloc_aligned(IMAGES, b->plan->golden_bytes);
    b->golden.logits = bsr_calloc_array((size_t)(IMAGES * classes), sizeof(float));
    b->golden.top1 = bsr_calloc_array(IMAGES, sizeof(int));
    const bsr_value *in = &g->values[g->inputs[0]];
    static _Alignas(64) char pixels[IMAGES][MAX_INPUT * sizeof(float)];
    const char *inputs[IMAGES];
    char *records[IMAGES];
    float *logits[IMAGES];
    interp *p;
    bsr_tensor *x;
    check(interp_new(&p, g), b->name);
    check(bsr_tensor_new(&x, in->dtype, in->rank, in->dims), b->name);
    bsr_rng rng = bsr_rng_make(11, 0);
    float want[IMAGES][MAX_CLASSES];
    for (int i = 0; i < IMAGES; i++) {
        random_image(&rng, x);
        check(interp_run(p, (const bsr_tensor *const[]){x}), b->name);
        memcpy(want[i], interp_output(p, 0)->data, (size_t)classes * sizeof(float));
        bsr_view from = bsr_tensor_view(x), to = bsr_plan_view(b->plan, g->inputs[0], pixels[i]);
        bsr_view_copy(&to, &from);
        inputs[i] = pixels[i];
        records[i] = b->golden.records + (size_t)i * b->plan->golden_bytes;
        logits[i] = b->golden.logits + i * classes;
    }
    check(bsr_forward_run(b->forward, IMAGES, inputs, records, logits), b->name);
    for (int i = 0; i < IMAGES; i++) {
        b->golden.top1[i] = bsr_top1(logits[i], classes);
        if (!same_floats(logits[i], want[i], (size_t)classes))
            fail(b->name, "golden logits differ from the reference interpreter's");
    }
    bsr_tensor_free(x);
    interp_free(p);
}

static void close_bench(bench *b)
{
    bsr_free(b->golden.records);
    bsr_free(b->golden.logits);
    bsr_free(b->golden.top1);
    bsr_lanes_free(b->lanes);
    bsr_forward_free(b->forward);
    bsr_plan_free(b->plan);
}

/* A flip of a random bit, or a value that a flip rarely gives. */
static uint32_t new_bits(bsr_rng *rng, uint32_t stored, size_t esize)
{
    static const uint32_t special[] = {0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001,
                                       0x00000001, 0x80000000, 0x7f7fffff, 0x00000000};
    if (esize == 4 && bsr_rng_below(rng, 8) == 0)
        return special[bsr_rng_below(rng, 8)];
    return stored ^ (uint32_t)1 << bsr_rng_below(rng, esize * 8);
}

static uint32_t read_bits(const void *data, int64_t i, size_t esize)
{
    uint32_t bits = 0;
    memcpy(&bits, (const char *)data + (size_t)i * esize, esize);
    return bits;
}

/* Weights, biases, tensors and the input, operands in turn; layers and tensors evenly. */
static bsr_lane_job draw_job(const bench *b, bsr_rng *rng)
{
    const bsr_plan *plan = b->plan;
    bsr_lane_job job = {.image = (int)bsr_rng_below(rng, IMAGES)};
    bsr_stored_fault *f = &job.fault;
    if (bsr_rng_below(rng, 3) == 0)
        return operands_draw(plan, &b->golden, rng);
    if (bsr_rng_below(rng, 2)) {
        f->where = (int)bsr_rng_below(rng, (uint64_t)plan->n_layers);
        const bsr_weights *w = plan->layers[f->where].weights;
        int bias = w->bias_value >= 0 && bsr_rng_below(rng, 4) == 0;
        const bsr_tensor *t = b->graph->values[bias ? w->bias_value : w->value].constant;
        f->place = bias ? BSR_FAULT_BIAS : BSR_FAULT_WEIGHT;
        f->element = (int64_t)bsr_rng_below(rng, (uint64_t)bsr_count(t->rank, t->dims));
        f->bits = new_bits(rng, read_bits(t->data, f->element, 4), 4);
        return job;
    }
    const bsr_pten *p;
    do {
        p = &plan->ptens[bsr_rng_below(rng, (uint64_t)plan->n_ptens)];
    } while (plan->of_value[p->value] != p - plan->ptens || p->dtype != BSR_F32 || !p->kept);
    f->place = BSR_FAULT_VALUE;
    f->where = p->value;
    f->element = (int64_t)bsr_rng_below(rng, (uint64_t)p->pixels * (uint64_t)p->channels);
    int pixel, channel;
    bsr_plan_locate(plan, f->where, f->element, &pixel, &channel);
    const char *record = b->golden.records + (size_t)job.image * plan->golden_bytes;
    f->bits = new_bits(
        rng, read_bits(record + p->golden_at + (size_t)pixel * p->pixel_bytes, channel, 4), 4);
    return job;
}

/* A full inference under a fault in a value, watched tensor by tensor. */
typedef struct watch {
    const bench *b;
    const bsr_lane_job *job;
    unsigned char *differs; /* [plan tensors] */
} watch;

static void watch_tensor(void *ctx, int image, int pten, char *data)
{
    watch *w = ctx;
    const bsr_plan *plan = w->b->plan;
    const bsr_pten *p = &plan->ptens[pten];
    const bsr_stored_fault *f = &w->job->fault;
    if (pten == plan->of_value[f->where]) {
        int pixel, channel;
        bsr_plan_locate(plan, f->where, f->element, &pixel, &channel);
        memcpy(data + (size_t)pixel * p->pixel_bytes + (size_t)channel * p->esize, &f->bits,
               p->esize);
    }
    const char *golden = w->b->golden.records + (size_t)w->job->image * plan->golden_bytes;
    w->differs[pten] = memcmp(data, golden + p->golden_at, (size_t)p->pixels * p->pixel_bytes) != 0;
}

static int reads_difference(const bsr_step *s, const unsigned char *differs)
{
    int n = 0;
    for (int k = 0; k < s->n_sources; k++)
        n |= differs[s->sources[k].pten];
    for (int k = 0; k < s->n_stages; k++)
        n |= s->stages[k].operand >= 0 && differs[s->stages[k].operand];
    return n;
}

/* Last step that reads a difference of a fault in a value. */
static int expected_reach(const bench *b, const bsr_lane_job *job, const char *input)
{
    const bsr_plan *plan = b->plan;
    unsigned char *differs = bsr_calloc_array((size_t)plan->n_ptens, 1);
    watch w = {b, job, differs};
    bsr_forward_changes changes = {.computed = watch_tensor, .ctx = &w};
    check(bsr_forward_run_changed(b->forward, 1, &input, NULL, NULL, &changes), b->name);
    int reach = plan->ptens[plan->of_value[job->fault.where]].producer;
    for (int s = 0; s < plan->n_steps; s++)
        if (reads_difference(&plan->steps[s], differs))
            reach = s;
    bsr_free(differs);
    return reach < 0 ? 0 : reach;
}

/* Is `class` not among the five that a stable sort by falling logits, NaN first, puts in front? */
static int out_of_five(const float *z, int n, int class)
{
    unsigned char taken[MAX_CLASSES] = {0};
    for (int place = 0; place < 5 && place < n; place++) {
        int best = -1;
        for (int i = n - 1; i >= 0; i--)
            if (!taken[i] && (best < 0 || z[i] != z[i] || (z[best] == z[best] && z[i] >= z[best])))
                best = i;
        if (best == class)
            return 0;
        taken[best] = 1;
    }
    return n > 5;
}

/* What the result says beside the classes. */
static int result_fits(bench *b, const bsr_lane_job *job, const bsr_lane_result *r,
                       const float *whole, const float *golden, const char *input)
{
    int n = b->golden.classes;
    double sse = 0;
    for (int i = 0; i < n; i++)
        sse += pow((double)whole[i] - golden[i], 2);
    int ok = r->top5 == out_of_five(whole, n, b->golden.top1[job->image]);
    ok &= r->masked ? r->sse == 0 : r->due || fabs(r->sse - sse) <= 1e-12 * sse;
    if (job->fault.place == BSR_FAULT_VALUE)
        return ok && r->reach == expected_reach(b, job, input);
    int step = b->plan->layers[job->fault.where].step;
    return ok && r->reach >= step && r->reach < b->plan->n_steps;
}

/* The faulty element of an operand fault by hand, where its layer's output is kept. */
static const char *operand_by_hand(bench *b, const bsr_lane_job *job, const float *logits,
                                   const char *input)
{
    bsr_stored_fault value;
    const char *error = operands_expect(&value, b->plan, &b->golden, job);
    if (error)
        return strcmp(error, "fused") == 0 ? NULL : error;
    float want[MAX_CLASSES];
    check(bsr_forward_faulty(b->forward, input, &value, want), b->name);
    return same_floats(logits, want, (size_t)b->golden.classes)
               ? NULL
               : "a lane differs from the operand's product by hand";
}

static void compare_fault(bench *b, const bsr_lane_job *job, const bsr_lane_result *r,
                          const float *logits)
{
    float whole[MAX_CLASSES];
    const bsr_golden *g = &b->golden;
    size_t n = (size_t)g->classes;
    const char *input = g->records + (size_t)job->image * b->plan->golden_bytes +
                        b->plan->ptens[b->plan->input].golden_at;
    check(bsr_forward_faulty(b->forward, input, &job->fault, whole), b->name);
    const float *golden = g->logits + (size_t)job->image * n;
    int ok = same_floats(logits, whole, n) && r->top1 == bsr_top1(whole, (int)n) &&
             r->masked == same_floats(whole, golden, n) && r->due == bsr_is_due(whole, (int)n) &&
             r->critical == (bsr_top1(whole, (int)n) != g->top1[job->image]);
    const char *error = "a lane differs from a full faulty inference";
    if (ok) {
        ok = result_fits(b, job, r, whole, golden, input);
        error = "top5, sse or reach of a lane is wrong";
    }
    if (ok && b->keep_all && bsr_is_operand(job->fault.place)) {
        error = operand_by_hand(b, job, logits, input);
        ok = !error;
    }
    if (ok)
        return;
    const bsr_stored_fault *f = &job->fault;
    printf("  image %d, place %d, where %d ('%s'), element %lld, pixel %d, bits %08x\n", job->image,
           (int)f->place, f->where,
           f->place == BSR_FAULT_VALUE ? b->graph->values[f->where].name : "layer",
           (long long)f->element, f->pixel, f->bits);
    fail(b->name, error);
}

static void run_faults(bench *b, size_t seed)
{
    bsr_rng rng = bsr_rng_make(12, seed);
    bsr_lane_job jobs[BLOCK];
    bsr_lane_result results[BLOCK];
    float logits[BLOCK * MAX_CLASSES];
    for (int i = 0; i < FAULTS && !failures; i += BLOCK) {
        for (int k = 0; k < BLOCK; k++)
            jobs[k] = draw_job(b, &rng);
        check(bsr_lanes_run(b->lanes, &b->golden, jobs, BLOCK, results, logits), b->name);
        for (int k = 0; k < BLOCK && !failures; k++)
            compare_fault(b, &jobs[k], &results[k], logits + k * b->golden.classes);
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        char path[256];
        bsr_model *model;
        bench b = {.name = graphs[i].name};
        snprintf(path, sizeof path, "tests/engine/data/%s.onnx", b.name);
        check(bsr_model_load(&model, path, NULL), b.name);
        bsr_model_info info = bsr_model_get_info(model);
        if (info.classes != graphs[i].classes || info.layers != graphs[i].layers) {
            printf("%d classes, %d layers\n", info.classes, info.layers);
            fail(b.name, "has other classes or layers than defined");
        }
        for (int cpu = BSR_CPU_REF; cpu <= (int)bsr_cpu_best(); cpu++)
            for (int keep_all = 0; keep_all < 2; keep_all++) {
                open_bench(&b, model, (bsr_cpu)cpu, keep_all);
                run_faults(&b, i);
                close_bench(&b);
            }
        bsr_model_free(model);
    }
    printf("%zu graphs, %d faults each on every kernel set: %d failures\n",
           sizeof graphs / sizeof *graphs, 2 * FAULTS, failures);
    return failures > 0;
}
