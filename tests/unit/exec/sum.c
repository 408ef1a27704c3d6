/* Faults in finished sums, and in biases that are not stored: lanes against whole inferences, and
 * both against faults that are the same for another reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "base/alloc.h"
#include "exec/model_state.h"
#include "exec/operand.h"

enum { IMAGES = 2, MAX_CLASSES = 16 };

typedef struct bench {
    bsr_model *model;
    bsr_plan *plan;
    bsr_golden golden;
    bsr_forward *forward;
    bsr_lanes *lanes;
} bench;

static void ok(bsr_status status)
{
    if (status != BSR_OK)
        fail_msg("%s: %s", bsr_status_name(status), bsr_error_message());
}

/* The golden run of images of numbers from -3 to 3. */
static void open_bench(bench *b, const char *path, int keep_all)
{
    ok(bsr_model_load(&b->model, path, NULL));
    const bsr_graph *g = b->model->graph;
    unsigned char *keep = bsr_calloc_array((size_t)g->n_values, 1);
    memset(keep, keep_all, (size_t)g->n_values);
    for (int i = 0; i < b->model->plan->n_layers; i++)
        keep[bsr_operand_value(b->model->plan, i)] = 1;
    ok(bsr_plan_new(&b->plan, g, bsr_kernels_for(bsr_cpu_best()), keep));
    bsr_free(keep);
    ok(bsr_forward_new(&b->forward, b->plan, 1));
    ok(bsr_lanes_new(&b->lanes, b->plan));
    int classes = bsr_plan_classes(b->plan);
    assert_true(classes <= MAX_CLASSES);
    b->golden = (bsr_golden){.plan = b->plan, .images = IMAGES, .classes = classes};
    b->golden.records = bsr_alloc_aligned(IMAGES, b->plan->golden_bytes);
    b->golden.logits = bsr_calloc_array((size_t)(IMAGES * classes), sizeof(float));
    b->golden.top1 = bsr_calloc_array(IMAGES, sizeof(int));
    const bsr_pten *in = &b->plan->ptens[b->plan->input];
    float *x = bsr_alloc_aligned(in->image_bytes, 1);
    for (int i = 0; i < IMAGES; i++) {
        for (int k = 0; k < in->pixels * in->channels; k++)
            x[k] = (float)(((i + 1) * (k + 1) * 7919 + 13) % 1009) / 168 - 3;
        char *record = b->golden.records + (size_t)i * b->plan->golden_bytes;
        float *z = b->golden.logits + i * classes;
        ok(bsr_forward_run(b->forward, 1, (const char *const[]){(const char *)x}, &record, &z));
        b->golden.top1[i] = bsr_top1(z, classes);
    }
    bsr_free(x);
}

static void close_bench(bench *b)
{
    bsr_free(b->golden.records);
    bsr_free(b->golden.logits);
    bsr_free(b->golden.top1);
    bsr_lanes_free(b->lanes);
    bsr_forward_free(b->forward);
    bsr_plan_free(b->plan);
    bsr_model_free(b->model);
}

static bsr_lane_result run_lane(bench *b, const bsr_lane_job *job, float *z)
{
    bsr_lane_result r;
    ok(bsr_lanes_run(b->lanes, &b->golden, job, 1, &r, z));
    return r;
}

static void run_whole(bench *b, const bsr_lane_job *job, float *z)
{
    ok(bsr_forward_faulty(b->forward,
                          b->golden.records + (size_t)job->image * b->plan->golden_bytes +
                              b->plan->ptens[b->plan->input].golden_at,
                          &job->fault, z));
}

static void assert_same(const float *a, const float *b, int n)
{
    for (int i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i])))
            fail_msg("logit %d: %a and %a", i, (double)a[i], (double)b[i]);
}

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static const float float_deltas[] = {0x1p-10f, -0.5f, 1, -3, 1e30f, NAN, -INFINITY, INFINITY};
static const int32_t code_deltas[] = {1, -7, 300, -5000, 1 << 20, INT32_MIN};
enum { FLOAT_DELTAS = 8, CODE_DELTAS = 6 };

static uint32_t delta(const bsr_weights *w, int i)
{
    return w->dtype == BSR_F32 ? bits_of(float_deltas[i % FLOAT_DELTAS])
                               : (uint32_t)code_deltas[i % CODE_DELTAS];
}

static const char *const paths[] = {
    "tests/engine/data/grouped.onnx",   "tests/engine/data/split_add.onnx",
    "tests/engine/data/conv1d.onnx",    "tests/engine/data/shared_weight.onnx",
    "tests/engine/data/gemm_chw.onnx",  "tests/engine/data/attention.onnx",
    "tests/engine/data/codes_qdq.onnx", "tests/engine/data/codes_qop.onnx",
};
enum { PATHS = sizeof paths / sizeof *paths };

/* Every output element of every layer, by several changes; then every channel's bias, also of
 * layers that store none. */
static void test_exec_sum__lanes_are_whole_inferences(void **state)
{
    float z[MAX_CLASSES], want[MAX_CLASSES];
    for (int p = 0; p < PATHS; p++) {
        bench b;
        int changed = 0, no_bias = 0;
        open_bench(&b, paths[p], 0);
        for (int l = 0; l < b.plan->n_layers; l++) {
            const bsr_weights *w = b.plan->layers[l].weights;
            const bsr_step *s = &b.plan->steps[b.plan->layers[l].step];
            int channels = w->groups * w->cout, pixels = b.plan->ptens[s->out].pixels;
            no_bias += w->bias_value < 0;
            for (int i = 0; i < channels * (pixels + 1); i++) {
                bsr_lane_job job = {.image = i % IMAGES,
                                    .fault = {.place = BSR_FAULT_SUM,
                                              .where = l,
                                              .element = i % channels,
                                              .pixel = i / channels,
                                              .bits = delta(w, i)}};
                if (job.fault.pixel == pixels)
                    job.fault.place = BSR_FAULT_BIAS;
                changed += !run_lane(&b, &job, z).masked;
                run_whole(&b, &job, want);
                assert_same(z, want, b.golden.classes);
            }
        }
        assert_true(changed > 20);
        assert_true(no_bias || p > 0); /* the first network has layers without */
        close_bench(&b);
    }
}

/* With every value kept, the changed sum is a value of the layer's output. */
static void test_exec_sum__a_float_sum_is_the_golden_value_and_the_change(void **state)
{
    float z[MAX_CLASSES], want[MAX_CLASSES];
    int compared = 0;
    for (int p = 0; p < PATHS; p++) {
        bench b;
        open_bench(&b, paths[p], 1);
        for (int l = 0; l < b.plan->n_layers; l++) {
            const bsr_step *s = &b.plan->steps[b.plan->layers[l].step];
            const bsr_pten *out = &b.plan->ptens[s->out];
            if (s->weights->dtype != BSR_F32 || s->n_stages)
                continue;
            const bsr_value *v = &b.plan->graph->values[out->value];
            int64_t n = bsr_count(v->rank, v->dims);
            for (int64_t e = 0; e < n; e++) {
                bsr_lane_job job = {.image = 1, .fault = {.place = BSR_FAULT_SUM, .where = l}};
                bsr_lane_job value = {.image = 1,
                                      .fault = {.place = BSR_FAULT_VALUE, .element = e}};
                int channel;
                float x;
                bsr_plan_locate(b.plan, out->value, e, &job.fault.pixel, &channel);
                memcpy(&x,
                       b.golden.records + b.plan->golden_bytes + out->golden_at +
                           (size_t)job.fault.pixel * out->pixel_bytes + (size_t)channel * sizeof x,
                       sizeof x);
                job.fault.element = channel;
                job.fault.bits = delta(s->weights, (int)e);
                value.fault.where = out->value;
                value.fault.bits = bits_of(x + float_deltas[e % FLOAT_DELTAS]);
                run_lane(&b, &job, z);
                run_lane(&b, &value, want);
                assert_same(z, want, b.golden.classes);
                compared++;
            }
        }
        close_bench(&b);
    }
    assert_true(compared > 1000);
}

/* On codes the sum is exact: a changed operand is the sum changed by (x' - x) (w - zw). */
static void test_exec_sum__on_codes_it_is_the_operand_fault(void **state)
{
    float z[MAX_CLASSES], want[MAX_CLASSES];
    int compared = 0;
    for (int p = 6; p < PATHS; p++) {
        bench b;
        open_bench(&b, paths[p], 0);
        for (int l = 0; l < b.plan->n_layers; l++) {
            const bsr_step *s = &b.plan->steps[b.plan->layers[l].step];
            const bsr_weights *w = s->weights;
            if (w->dtype == BSR_F32)
                continue;
            bsr_dtype type = b.plan->ptens[s->sources[0].pten].dtype;
            size_t bytes = ((size_t)w->taps + 7) / 8;
            unsigned char mask[4096];
            assert_true(bsr_operand_windows(b.plan, l, NULL) <= sizeof mask);
            bsr_operand_windows(b.plan, l, mask);
            int64_t n = (int64_t)w->groups * w->cout * w->taps * w->cin;
            for (int64_t e = 0; e < n; e++) {
                int m, tap, c, pixel = (int)e % b.plan->ptens[s->out].pixels;
                bsr_weights_locate(w, e, &m, &tap, &c);
                if (!(mask[(size_t)pixel * bytes + (size_t)tap / 8] >> tap % 8 & 1))
                    continue;
                const unsigned char *x =
                    (const unsigned char *)bsr_operand_input(b.plan, &b.golden, 0, l, pixel, e);
                unsigned char wc = ((const unsigned char *)w->data)[e];
                unsigned char to = (unsigned char)(*x ^ 1u << e % 8);
                int change = type == BSR_I8 ? (signed char)to - (signed char)*x : to - *x;
                int factor = (w->dtype == BSR_I8 ? (signed char)wc : wc) - w->w_zero[m];
                bsr_lane_job operand = {.fault = {BSR_FAULT_OPERAND_INPUT, l, e, to, pixel}};
                bsr_lane_job sum = {
                    .fault = {BSR_FAULT_SUM, l, m, (uint32_t)(change * factor), pixel}};
                run_lane(&b, &operand, want);
                run_lane(&b, &sum, z);
                assert_same(z, want, b.golden.classes);
                compared++;
            }
        }
        close_bench(&b);
    }
    assert_true(compared > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exec_sum__lanes_are_whole_inferences),
        cmocka_unit_test(test_exec_sum__a_float_sum_is_the_golden_value_and_the_change),
        cmocka_unit_test(test_exec_sum__on_codes_it_is_the_operand_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
