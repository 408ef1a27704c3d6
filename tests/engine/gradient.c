/* The executor's backward pass against the reference gradients of the graph, operator by operator
 * on row-major tensors; the same bits however it is computed; memory that ends. */
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
#include "ops/graph_gradient.h"
#include "rng/philox.h"
#include "support/gradient_bench.h"
#include "support/zoo.h"

static const bsr_cpu sets[] = {BSR_CPU_REF, BSR_CPU_AVX2, BSR_CPU_AVX512};

/* Does a plan tensor stand for all that reads its value in the graph? Not the value's second
 * layout, nor floats made of codes that convolutions read as codes. */
static int is_whole_value(const bsr_plan *plan, int pten)
{
    const bsr_value *v = &plan->graph->values[plan->ptens[pten].value];
    return plan->of_value[plan->ptens[pten].value] == pten &&
           (v->producer < 0 ||
            strcmp(plan->graph->nodes[v->producer].op_type, "DequantizeLinear") != 0);
}

/* The reference gradients of margin k. */
static void reference(const gradient_bench *b, const gradient_maps *m, const bsr_tape *tape,
                      int image, int k, int *values, int *n, bsr_tensor **gradients)
{
    const bsr_plan *plan = b->net.plan;
    const bsr_graph *g = plan->graph;
    const bsr_value *z = &g->values[g->outputs[0]];
    *n = 0;
    for (int i = 0; i < plan->n_ptens; i++)
        if (is_whole_value(plan, i))
            values[(*n)++] = plan->ptens[i].value;
    bsr_tensor *seed;
    zoo_check(bsr_tensor_new(&seed, BSR_F32, z->rank, z->dims), "seed");
    ((float *)seed->data)[b->golden.top1[image]] += 1;
    ((float *)seed->data)[m->margins.rival[k]] -= 1;
    zoo_check(bsr_tape_gradient(tape, g->outputs[0], seed, *n, values, gradients), "reference");
    bsr_tensor_free(seed);
}

/* Largest difference and largest gradient at a tensor. */
static void compare_tensor(const bsr_plan *plan, const bsr_tensor *want, int value, float *got,
                           double *off, double *most)
{
    bsr_tensor *row_major;
    zoo_check(bsr_tensor_new(&row_major, BSR_F32, want->rank, want->dims), "copy");
    bsr_view from = bsr_plan_view(plan, value, got), to = bsr_tensor_view(row_major);
    from.dtype = BSR_F32;
    bsr_view_copy(&to, &from);
    *off = *most = 0;
    for (int64_t i = 0; i < bsr_count(want->rank, want->dims); i++) {
        double a = ((float *)want->data)[i], b = ((float *)row_major->data)[i];
        *most = fmax(*most, fabs(a));
        *off = fmax(*off, fabs(a - b));
        if (isnan(a) || isnan(b))
            *off = INFINITY;
    }
    bsr_tensor_free(row_major);
}

static void expect_reference(const gradient_network *net, whole_keep keep, int images)
{
    gradient_bench b;
    gradient_bench_open(&b, net->path, bsr_cpu_best(), keep, images);
    const bsr_plan *plan = b.net.plan;
    int *values = bsr_alloc_array((size_t)plan->n_ptens, sizeof *values), n, moved = 0;
    bsr_tensor **want = bsr_calloc_array((size_t)plan->n_ptens, sizeof *want);
    for (int i = 0; i < images; i++) {
        gradient_maps m;
        bsr_tape *tape;
        gradient_maps_new(&m, &b, i, NULL);
        const bsr_tensor *input = b.images.tensors[i];
        zoo_check(bsr_tape_new(&tape, plan->graph, &input), net->path);
        for (int k = 0; k < m.margins.n; k++) {
            reference(&b, &m, tape, i, k, values, &n, want);
            for (int v = 0; v < n; v++) {
                int pten = plan->of_value[values[v]];
                double off, most;
                compare_tensor(plan, want[v], values[v],
                               m.of[pten] + (size_t)k * gradient_elements(plan, pten), &off, &most);
                if (!(off <= (double)net->near * most))
                    fail_msg("%s, image %d, rival %d, '%s': off by %g of %g", net->path, i, k,
                             plan->graph->values[values[v]].name, off, most);
                moved += most > 0;
                bsr_tensor_free(want[v]);
            }
        }
        bsr_tape_free(tape);
        gradient_maps_free(&m);
    }
    assert_true(moved > images * 3);
    bsr_free(values);
    bsr_free(want);
    gradient_bench_close(&b);
}

static void test_gradient__float_networks_follow_the_reference(void **state)
{
    for (const gradient_network *net = gradient_float_networks; net->path; net++) {
        expect_reference(net, WHOLE_KEEP_ALL, 2);
        expect_reference(net, WHOLE_KEEP_DEFAULT, 2);
    }
}

static void test_gradient__code_networks_follow_the_reference(void **state)
{
    for (const gradient_network *net = gradient_code_networks; net->path; net++)
        expect_reference(net, WHOLE_KEEP_DEFAULT, 4);
}

/* Kernel sets, and what is wanted, must not matter: the same bits. */
static void expect_same_bits(const gradient_network *net, whole_keep keep)
{
    gradient_bench first, b;
    gradient_maps all, m;
    gradient_bench_open(&first, net->path, BSR_CPU_REF, keep, 1);
    gradient_maps_new(&all, &first, 0, NULL);
    const bsr_plan *plan = first.net.plan;
    unsigned char *wanted = bsr_alloc_array((size_t)plan->n_ptens, 1);
    bsr_rng rng = bsr_rng_make(4, 0);
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        if (!bsr_kernels_for(sets[s]))
            continue;
        gradient_bench_open(&b, net->path, sets[s], keep, 1);
        for (int round = 0; round < 4; round++) {
            for (int i = 0; i < plan->n_ptens; i++)
                wanted[i] = !round || bsr_rng_below(&rng, 4) == 0;
            gradient_maps_new(&m, &b, 0, wanted);
            for (int i = 0; i < plan->n_ptens; i++)
                if (wanted[i] &&
                    memcmp(m.of[i], all.of[i],
                           (size_t)m.margins.n * gradient_elements(plan, i) * sizeof(float)))
                    fail_msg("%s, tensor %d: other bits with kernels %s", net->path, i,
                             bsr_cpu_name(sets[s]));
            gradient_maps_free(&m);
        }
        gradient_bench_close(&b);
    }
    bsr_free(wanted);
    gradient_maps_free(&all);
    gradient_bench_close(&first);
}

static void test_gradient__same_bits_however_computed(void **state)
{
    for (const gradient_network *net = gradient_float_networks; net->path; net++)
        expect_same_bits(net, WHOLE_KEEP_DEFAULT);
    for (const gradient_network *net = gradient_code_networks; net->path; net++)
        expect_same_bits(net, WHOLE_KEEP_DEFAULT);
}

/* A tensor that the golden run does not keep is made again, for its own mask and for its readers.
 */
static void test_gradient__tensors_that_are_not_kept(void **state)
{
    const gradient_network wide = {"tests/engine/data/wide.onnx", 1e-5f};
    gradient_bench b;
    int left_out = 0;
    gradient_bench_open(&b, wide.path, bsr_cpu_best(), WHOLE_KEEP_NONE, 1);
    for (int i = 0; i < b.net.plan->n_ptens; i++)
        left_out += !b.net.plan->ptens[i].kept;
    assert_int_equal(left_out, 1);
    gradient_bench_close(&b);
    expect_reference(&wide, WHOLE_KEEP_NONE, 2);
    expect_same_bits(&wide, WHOLE_KEEP_NONE);
}

static bsr_status ignore(void *ctx, int pten, const float *gradient, size_t stride)
{
    return BSR_OK;
}

/* Operators' own rules may need memory in the middle of a walk. */
static void fail_in_walk(const gradient_bench *b)
{
    bsr_margins m;
    unsigned char wanted[64] = {0};
    assert_in_range(b->net.plan->n_ptens, 1, sizeof wanted);
    wanted[b->net.plan->input] = 1;
    bsr_margins_of(&m, b->golden.logits, b->golden.top1[0], b->net.classes);
    float *seeds = bsr_alloc_array((size_t)(m.n * b->net.classes), sizeof *seeds);
    bsr_margin_seeds(seeds, &m, b->golden.top1[0], b->net.classes);
    const bsr_gradient_request request = {.n = m.n, .seeds = seeds, .wanted = wanted, .fn = ignore};
    for (long n = 1, fired = 1; fired; n++) {
        bsr_alloc_fail_after(n);
        bsr_status status = bsr_gradients_run(b->g, &b->golden, 0, &request);
        fired = !bsr_alloc_fail_pending();
        bsr_alloc_fail_after(0);
        assert_int_equal(status, fired ? BSR_ENOMEM : BSR_OK);
    }
    bsr_free(seeds);
}

/* Every allocation in turn fails: an error and no leak. */
static void test_gradient__out_of_memory(void **state)
{
    static const char *const paths[] = {"tests/engine/data/grouped.onnx",
                                        "tests/engine/data/codes_qdq.onnx",
                                        "tests/engine/data/attention.onnx"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        gradient_bench b;
        gradient_bench_open(&b, paths[i], bsr_cpu_best(), WHOLE_KEEP_DEFAULT, 1);
        for (long n = 1, fired = 1; fired; n++) {
            bsr_gradient_plan *gp = (bsr_gradient_plan *)1;
            bsr_gradients *g = (bsr_gradients *)1;
            bsr_alloc_fail_after(n);
            bsr_status status = bsr_gradient_plan_new(&gp, b.net.plan), later = BSR_ENOMEM;
            if (status == BSR_OK)
                later = bsr_gradients_new(&g, gp);
            fired = !bsr_alloc_fail_pending();
            bsr_alloc_fail_after(0);
            assert_int_equal(later, fired ? BSR_ENOMEM : BSR_OK);
            if (status != BSR_OK)
                assert_null(gp);
            else if (later != BSR_OK)
                assert_null(g);
            bsr_gradients_free(status == BSR_OK ? g : NULL);
            bsr_gradient_plan_free(gp);
        }
        fail_in_walk(&b);
        gradient_bench_close(&b);
    }
}

/* Real networks, on noise: the reference, and kernel sets. */
static void test_gradient__pretrained(void **state)
{
    static const gradient_network nets[] = {
        {"cifar10_resnet20_akamaster_bn", 1e-4f},
        {"cifar10_resnet20_akamaster_folded", 1e-4f},
        {"cifar10_resnet8_mlperftiny_float", 1e-4f},
        {"mnist_cntk_opset8", 1e-4f},
        {"cifar10_cnvW1A1_bnnpynq", 1e-4f},
        {"tf2_mobilenet_v2_1.0_224_int8_float", 1e-4f},
        {"cifar10_resnet20_akamaster_int8_qdq", 1e-4f},
        {"cifar10_resnet8_mlperftiny_int8_qdq", 1e-4f},
        {"cifar10_resnet8_mlperftiny_int8_qop", 1e-4f},
    };
    if (!getenv("BITSEER_DATA"))
        skip();
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        char path[4096], file[128];
        snprintf(file, sizeof file, "%s.onnx", nets[i].path);
        const gradient_network net = {zoo_path(path, "models", file), nets[i].near};
        expect_reference(&net, WHOLE_KEEP_NONE, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient__float_networks_follow_the_reference),
        cmocka_unit_test(test_gradient__code_networks_follow_the_reference),
        cmocka_unit_test(test_gradient__same_bits_however_computed),
        cmocka_unit_test(test_gradient__tensors_that_are_not_kept),
        cmocka_unit_test(test_gradient__out_of_memory),
        cmocka_unit_test(test_gradient__pretrained),
    };
    return cmocka_run_group_tests_name("gradient", tests, NULL, NULL);
}
