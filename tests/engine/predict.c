/* Predictions against their definition: the whole inference's tensor with the fault less the golden
 * one, times the margins' gradients, element by element in double. Faults in constants are put into
 * the graph, which is compiled again; faults in tensors are written between the steps of a whole
 * inference; nothing of lanes is used. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "exec/lane_predict.h"
#include "exec/model_state.h"
#include "rng/philox.h"
#include "support/gradient_bench.h"
#include "support/operands.h"
#include "support/zoo.h"

/* Sums of a float product are off by no more than this part of the sum of magnitudes. */
#define NEAR 2e-5

/* Of floats without a whole mantissa. */
#define TINY 1e-37

/* Predictions above this may have overflowed on the way. */
#define HUGE_SHARE 1e20

static const bsr_cpu sets[] = {BSR_CPU_REF, BSR_CPU_AVX2, BSR_CPU_AVX512};

typedef struct bench {
    gradient_bench g;
    gradient_maps maps; /* of image 0 */
    bsr_lanes *lanes;
    char *record; /* of a faulty inference */
} bench;

static void open_bench(bench *b, const char *path, bsr_cpu cpu, whole_keep keep)
{
    gradient_bench_open(&b->g, path, cpu, keep, 1);
    gradient_maps_new(&b->maps, &b->g, 0, NULL);
    zoo_check(bsr_lanes_new(&b->lanes, b->g.net.plan), path);
    b->record = bsr_alloc_aligned(1, b->g.net.plan->golden_bytes);
    assert_non_null(b->record);
}

static void close_bench(bench *b)
{
    bsr_lanes_free(b->lanes);
    gradient_maps_free(&b->maps);
    gradient_bench_close(&b->g);
    bsr_free(b->record);
}

/* Writes a faulty element as soon as its tensor is there. */
typedef struct writer {
    const bsr_plan *plan;
    const bsr_stored_fault *fault;
} writer;

static void write_fault(void *ctx, int image, int pten, char *data)
{
    const writer *w = ctx;
    const bsr_pten *p = &w->plan->ptens[pten];
    int pixel, channel;
    if (w->plan->of_value[w->fault->where] != pten)
        return;
    bsr_plan_locate(w->plan, w->fault->where, w->fault->element, &pixel, &channel);
    memcpy(data + (size_t)pixel * p->pixel_bytes + (size_t)channel * p->esize, &w->fault->bits,
           p->esize);
}

static void run_plan(bench *b, const bsr_plan *plan, const bsr_forward_changes *changes)
{
    bsr_forward *f;
    const char *input = b->g.images.pixels[0];
    zoo_check(bsr_forward_new(&f, plan, 1), "faulty inference");
    zoo_check(bsr_forward_run_changed(f, 1, &input, &b->record, NULL, changes), "faulty inference");
    bsr_forward_free(f);
}

/* All tensors of a whole inference with the fault, in b->record. */
static void run_faulty(bench *b, const bsr_stored_fault *f)
{
    const whole *net = &b->g.net;
    writer w = {net->plan, f};
    const bsr_forward_changes changes = {.computed = write_fault, .ctx = &w};
    if (f->place == BSR_FAULT_VALUE) {
        run_plan(b, net->plan, &changes);
        return;
    }
    const bsr_weights *layer = net->plan->layers[f->where].weights;
    const bsr_graph *graph = net->plan->graph;
    const bsr_tensor *t =
        graph->values[f->place == BSR_FAULT_BIAS ? layer->bias_value : layer->value].constant;
    size_t esize = bsr_dtype_size(t->dtype);
    char *element = (char *)t->data + (size_t)f->element * esize, was[8];
    bsr_plan *plan;
    memcpy(was, element, esize);
    memcpy(element, &f->bits, esize);
    zoo_check(bsr_plan_new(&plan, graph, net->plan->kernels, net->keep), "faulty plan");
    run_plan(b, plan, NULL);
    bsr_plan_free(plan);
    memcpy(element, was, esize);
}

static double element_of(const bsr_pten *p, const char *data, size_t i)
{
    float x;
    const char *at = data + i * p->esize;
    if (p->dtype == BSR_U8)
        return *(const uint8_t *)at;
    if (p->dtype == BSR_I8)
        return *(const int8_t *)at;
    memcpy(&x, at, sizeof x);
    return x;
}

/* The definition; *scale is the same with magnitudes summed, what rounding is measured by. */
static double expected(const bench *b, int pten, double *scale)
{
    const bsr_plan *plan = b->g.net.plan;
    const bsr_pten *p = &plan->ptens[pten];
    const char *was = b->g.golden.records + p->golden_at, *now = b->record + p->golden_at;
    const bsr_margins *m = &b->maps.margins;
    size_t n = gradient_elements(plan, pten);
    double most = -1;
    *scale = 0;
    for (int k = 0; k < m->n; k++) {
        double change = 0, size = 0;
        int differs = 0;
        for (size_t i = 0; i < n; i++) {
            double d = element_of(p, now, i) - element_of(p, was, i);
            if (memcmp(now + i * p->esize, was + i * p->esize, p->esize) == 0)
                continue;
            differs = 1;
            change += d * (double)b->maps.of[pten][(size_t)k * n + i];
            size += fabs(d * (double)b->maps.of[pten][(size_t)k * n + i]);
        }
        double share = fabs(change) / (double)m->margin[k];
        if (differs)
            most = isfinite(share) && m->margin[k] > 0 ? fmax(most, share) : INFINITY;
        *scale = fmax(*scale, size / (double)m->margin[k]);
    }
    return most;
}

static void predict(bench *b, const bsr_lane_job *jobs, size_t n, int pten, float *share)
{
    const bsr_plan *plan = b->g.net.plan;
    const bsr_pten *p = &plan->ptens[pten];
    size_t plane = gradient_elements(plan, pten);
    bsr_slopes slopes = {.pten = pten, .stride = plane, .margins = &b->maps.margins};
    float *planes = bsr_alloc_array((size_t)b->maps.margins.n * plane, sizeof *planes);
    assert_non_null(planes);
    for (int k = 0; k < b->maps.margins.n; k++)
        bsr_slope_planes(planes + (size_t)k * plane, b->maps.of[pten] + (size_t)k * plane,
                         p->pixels, p->channels);
    slopes.planes = planes;
    zoo_check(bsr_lanes_predict(b->lanes, &b->g.golden, jobs, n, &slopes, share), "prediction");
    bsr_free(planes);
}

static int watched_of(const bsr_plan *plan, const bsr_stored_fault *f)
{
    return bsr_watched_pten(plan, bsr_source_pten(plan, f));
}

static uint32_t stored(const void *data, int64_t i, size_t esize)
{
    uint32_t bits = 0;
    memcpy(&bits, (const char *)data + (size_t)i * esize, esize);
    return bits;
}

/* A flip of one bit of a weight, a bias, or an element of any tensor. */
static bsr_lane_job draw(const bench *b, bsr_rng *rng)
{
    const bsr_plan *plan = b->g.net.plan;
    bsr_lane_job job = {.fault.pixel = -1};
    bsr_stored_fault *f = &job.fault;
    uint64_t kind = bsr_rng_below(rng, 8);
    f->where = (int)bsr_rng_below(rng, (uint64_t)plan->n_layers);
    const bsr_weights *w = plan->layers[f->where].weights;
    if (kind < 4) {
        int bias = kind == 0 && w->bias_value >= 0;
        const bsr_tensor *t = plan->graph->values[bias ? w->bias_value : w->value].constant;
        size_t esize = bsr_dtype_size(t->dtype);
        f->place = bias ? BSR_FAULT_BIAS : BSR_FAULT_WEIGHT;
        f->element = (int64_t)bsr_rng_below(rng, (uint64_t)bsr_count(t->rank, t->dims));
        f->bits = stored(t->data, f->element, esize) ^ (uint32_t)1 << bsr_rng_below(rng, esize * 8);
        return job;
    }
    const bsr_pten *p;
    do {
        p = &plan->ptens[bsr_rng_below(rng, (uint64_t)plan->n_ptens)];
    } while (plan->of_value[p->value] != p - plan->ptens || p->esize > 4 || !p->kept);
    f->place = BSR_FAULT_VALUE;
    f->where = p->value;
    f->element = (int64_t)bsr_rng_below(rng, (uint64_t)p->pixels * (uint64_t)p->channels);
    int pixel, channel;
    bsr_plan_locate(plan, f->where, f->element, &pixel, &channel);
    f->bits = stored(b->g.golden.records + p->golden_at + (size_t)pixel * p->pixel_bytes, channel,
                     p->esize) ^
              (uint32_t)1 << bsr_rng_below(rng, p->esize * 8);
    return job;
}

/* What predictions turned out to be. */
typedef struct tally {
    int masked, finite, infinite, behind, above_1;
} tally;

static void compare(bench *b, const bsr_lane_job *job, const bsr_stored_fault *same, tally *t)
{
    const bsr_plan *plan = b->g.net.plan;
    int pten = watched_of(plan, &job->fault);
    float share;
    double scale;
    predict(b, job, 1, pten, &share);
    run_faulty(b, same);
    double want = expected(b, pten, &scale);
    int fine = isfinite(want) ? fabs((double)share - want) <= NEAR * scale + TINY ||
                                    (isinf(share) && scale > HUGE_SHARE)
                              : isinf(share);
    if (!fine || (share < 0) != (want < 0))
        fail_msg("place %d, where %d, element %lld, pixel %d, bits %08x: %g, expected %g",
                 (int)job->fault.place, job->fault.where, (long long)job->fault.element,
                 job->fault.pixel, (unsigned)job->fault.bits, (double)share, want);
    t->masked += share < 0;
    t->infinite += isinf(share);
    t->finite += share >= 0 && isfinite(share);
    t->above_1 += share > 1 && isfinite(share);
    t->behind += pten != bsr_source_pten(plan, &job->fault);
}

static void expect_definition(const char *path, whole_keep keep, int n, tally *t)
{
    bench b;
    bsr_rng rng = bsr_rng_make(21, 0);
    open_bench(&b, path, bsr_cpu_best(), keep);
    for (int i = 0; i < n; i++) {
        bsr_lane_job job = draw(&b, &rng);
        compare(&b, &job, &job.fault, t);
    }
    close_bench(&b);
}

static const char *const floats[] = {
    "models/fashion_resnet.onnx",
    "tests/engine/data/concat_branches.onnx",
    "tests/engine/data/grouped.onnx",
    "tests/engine/data/hard_swish_pieces.onnx",
    "tests/engine/data/max_pool_border.onnx",
    "tests/engine/data/split_add.onnx",
    "tests/engine/data/squeeze_excite.onnx",
    "tests/engine/data/gemm_chw.onnx",
};

static void test_predict__floats_follow_the_definition(void **state)
{
    tally t = {0};
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
        expect_definition(floats[i], WHOLE_KEEP_ALL, 250, &t);
        expect_definition(floats[i], WHOLE_KEEP_DEFAULT, 250, &t);
    }
    /* Every kind of answer was there. */
    assert_true(t.masked > 100 && t.finite > 1000 && t.above_1 > 50 && t.behind > 200);
}

static void test_predict__codes_follow_the_definition(void **state)
{
    tally t = {0};
    expect_definition("tests/engine/data/codes_qdq.onnx", WHOLE_KEEP_DEFAULT, 1000, &t);
    expect_definition("tests/engine/data/codes_qop.onnx", WHOLE_KEEP_DEFAULT, 1000, &t);
    expect_definition("tests/engine/data/codes_moved.onnx", WHOLE_KEEP_DEFAULT, 1000, &t);
    assert_true(t.masked > 50 && t.finite > 500);
}

/* The copy of a value that one multiplication reads: by hand the same as another output element. */
static void test_predict__operands_follow_the_definition(void **state)
{
    tally t = {0};
    int compared = 0;
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
        bench b;
        bsr_rng rng = bsr_rng_make(22, i);
        open_bench(&b, floats[i], bsr_cpu_best(), WHOLE_KEEP_ALL);
        for (int k = 0; k < 100; k++) {
            bsr_stored_fault value;
            bsr_lane_job job = operands_draw(b.g.net.plan, &b.g.golden, &rng);
            const char *wrong = operands_expect(&value, b.g.net.plan, &b.g.golden, &job);
            if (wrong && strcmp(wrong, "fused") == 0)
                continue;
            if (wrong)
                fail_msg("%s: %s", floats[i], wrong);
            compare(&b, &job, &value, &t);
            compared++;
        }
        close_bench(&b);
    }
    assert_true(compared > 500 && t.finite > 100);
}

/* Value of the graph that the first node of this kind makes. */
static int made_by(const bsr_graph *g, const char *op)
{
    for (int i = 0; i < g->n_nodes; i++)
        if (strcmp(g->nodes[i].op_type, op) == 0)
            return g->nodes[i].out[0];
    fail_msg("no %s", op);
    return -1;
}

/* Between a convolution and BatchNormalization and Relu: what Relu cuts is masked however large it
 * is, and what passes is measured behind it. */
static void test_predict__watches_behind_relu(void **state)
{
    bench b;
    open_bench(&b, "models/fashion_resnet.onnx", bsr_cpu_best(), WHOLE_KEEP_ALL);
    const bsr_plan *plan = b.g.net.plan;
    int conv = made_by(plan->graph, "Conv"), relu = made_by(plan->graph, "Relu");
    const bsr_pten *p = &plan->ptens[plan->of_value[conv]];
    const bsr_pten *q = &plan->ptens[plan->of_value[relu]];
    assert_true(p != q && p->channels == q->channels && p->pixels == q->pixels);
    assert_int_equal(bsr_watched_pten(plan, plan->of_value[conv]), plan->of_value[relu]);
    /* Relu's result has several readers or a convolution behind it: no further. */
    assert_int_equal(bsr_watched_pten(plan, plan->of_value[relu]), plan->of_value[relu]);
    assert_int_equal(bsr_watched_pten(plan, plan->output), plan->output);
    int masked = 0, open = 0;
    for (int64_t i = 0; i < (int64_t)p->pixels * p->channels; i += 7)
        for (int sign = 0; sign < 2; sign++) {
            float x = sign ? -1e30f : 1e30f, share;
            double scale;
            bsr_lane_job job = {.fault = {BSR_FAULT_VALUE, conv, i, 0, -1}};
            memcpy(&job.fault.bits, &x, sizeof x);
            predict(&b, &job, 1, plan->of_value[relu], &share);
            run_faulty(&b, &job.fault);
            double want = expected(&b, plan->of_value[relu], &scale);
            assert_true((share < 0) == (want < 0));
            masked += share < 0;
            open += share > 1;
        }
    /* A dead unit stays dead on one side. */
    assert_true(masked > 100 && open > 100);
    close_bench(&b);
}

/* No prediction: values that are not finite, weights that several layers share, a margin of 0. */
static void test_predict__no_prediction(void **state)
{
    static const uint32_t special[] = {0x7fc00000, 0x7f800000, 0xff800000, 0x7f7fffff};
    bench b;
    float share[4];
    open_bench(&b, "models/fashion_resnet.onnx", bsr_cpu_best(), WHOLE_KEEP_DEFAULT);
    const bsr_plan *plan = b.g.net.plan;
    for (int layer = 0; layer < plan->n_layers; layer++) {
        bsr_lane_job jobs[4];
        for (int i = 0; i < 4; i++)
            jobs[i] = (bsr_lane_job){.fault = {BSR_FAULT_WEIGHT, layer, 5, special[i], -1}};
        predict(&b, jobs, 4, watched_of(plan, &jobs[0].fault), share);
        for (int i = 0; i < 3; i++)
            assert_true(isinf(share[i]) && share[i] > 0);
        assert_true(share[3] > 1 || share[3] == -1); /* or Relu cuts it everywhere */
    }
    const bsr_lane_job job = {.fault = {BSR_FAULT_WEIGHT, 0, 5, 0x3f000000, -1}};
    predict(&b, &job, 1, watched_of(plan, &job.fault), share);
    assert_true(isfinite(share[0]));
    b.maps.margins.margin[3] = 0;
    predict(&b, &job, 1, watched_of(plan, &job.fault), share);
    assert_true(isinf(share[0]));
    close_bench(&b);

    open_bench(&b, "tests/engine/data/shared_weight.onnx", bsr_cpu_best(), WHOLE_KEEP_DEFAULT);
    int shared = 0;
    for (int layer = 0; layer < b.g.net.plan->n_layers; layer++) {
        bsr_lane_job of_layer = {.fault = {BSR_FAULT_WEIGHT, layer, 1, 0x3f000000, -1}};
        predict(&b, &of_layer, 1, watched_of(b.g.net.plan, &of_layer.fault), share);
        assert_int_equal(isinf(share[0]) != 0, b.g.net.plan->layers[layer].shared);
        shared += b.g.net.plan->layers[layer].shared;
    }
    assert_int_equal(shared, 2);
    close_bench(&b);
}

/* Kernel sets, the order of jobs, how many there are at once: the same bits. */
static void expect_same_bits(const char *path, whole_keep keep)
{
    enum { JOBS = 400 };
    static bsr_lane_job all[JOBS], jobs[JOBS];
    static int index[JOBS];
    static float want[JOBS], share[JOBS];
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        if (!bsr_kernels_for(sets[s]))
            continue;
        bench b;
        bsr_rng rng = bsr_rng_make(23, 0), order = bsr_rng_make(24, s);
        open_bench(&b, path, sets[s], keep);
        const bsr_plan *plan = b.g.net.plan;
        for (int i = 0; i < JOBS; i++) {
            all[i] = draw(&b, &rng);
            if (s == 0)
                predict(&b, &all[i], 1, watched_of(plan, &all[i].fault), &want[i]);
        }
        for (int pten = 0; pten < plan->n_ptens; pten++) {
            size_t n = 0;
            for (int i = 0; i < JOBS; i++)
                if (watched_of(plan, &all[i].fault) == pten) {
                    size_t to = (size_t)bsr_rng_below(&order, n + 1);
                    jobs[n] = jobs[to];
                    index[n++] = index[to];
                    jobs[to] = all[i];
                    index[to] = i;
                }
            if (n)
                predict(&b, jobs, n, pten, share);
            for (size_t i = 0; i < n; i++)
                if (memcmp(&share[i], &want[index[i]], sizeof *share) != 0)
                    fail_msg("%s, %s, job %d: %.9g, alone %.9g", path, bsr_cpu_name(sets[s]),
                             index[i], (double)share[i], (double)want[index[i]]);
        }
        close_bench(&b);
    }
}

static void test_predict__same_bits_however_grouped(void **state)
{
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        expect_same_bits(floats[i], WHOLE_KEEP_DEFAULT);
    expect_same_bits("models/fashion_resnet.onnx", WHOLE_KEEP_ALL);
    expect_same_bits("tests/engine/data/codes_qdq.onnx", WHOLE_KEEP_DEFAULT);
    expect_same_bits("tests/engine/data/codes_qop.onnx", WHOLE_KEEP_DEFAULT);
    expect_same_bits("tests/engine/data/wide.onnx", WHOLE_KEEP_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predict__floats_follow_the_definition),
        cmocka_unit_test(test_predict__codes_follow_the_definition),
        cmocka_unit_test(test_predict__operands_follow_the_definition),
        cmocka_unit_test(test_predict__watches_behind_relu),
        cmocka_unit_test(test_predict__no_prediction),
        cmocka_unit_test(test_predict__same_bits_however_grouped),
    };
    return cmocka_run_group_tests_name("predict", tests, NULL, NULL);
}
