#include "support/gradient_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "support/zoo.h"

/* What they are: make_graphs.py. */
const gradient_network gradient_float_networks[] = {
    {"tests/engine/data/attention.onnx", 1e-4f},
    {"tests/engine/data/batch8.onnx", 1e-5f},
    {"tests/engine/data/concat_branches.onnx", 1e-5f},
    {"tests/engine/data/concat_pixels.onnx", 1e-5f},
    {"tests/engine/data/conv1d.onnx", 1e-5f},
    {"tests/engine/data/flat_input.onnx", 1e-5f},
    {"tests/engine/data/gemm_chw.onnx", 1e-5f},
    {"tests/engine/data/grouped.onnx", 1e-5f},
    {"tests/engine/data/hard_swish_pieces.onnx", 1e-5f},
    {"tests/engine/data/lrn.onnx", 1e-5f},
    {"tests/engine/data/max_pool_border.onnx", 1e-5f},
    {"tests/engine/data/nhwc.onnx", 1e-5f},
    {"tests/engine/data/pad_slice.onnx", 1e-5f},
    {"tests/engine/data/reshape_middle.onnx", 1e-5f},
    {"tests/engine/data/shared_weight.onnx", 1e-5f},
    {"tests/engine/data/softmax.onnx", 1e-4f},
    {"tests/engine/data/split_add.onnx", 1e-5f},
    {"tests/engine/data/squeeze_excite.onnx", 1e-5f},
    {"models/fashion_resnet.onnx", 1e-5f},
    {NULL, 0},
};
const gradient_network gradient_code_networks[] = {
    {"tests/engine/data/codes_moved.onnx", 1e-5f},
    {"tests/engine/data/codes_qdq.onnx", 1e-5f},
    {"tests/engine/data/codes_qop.onnx", 1e-5f},
    {NULL, 0},
};
void gradient_bench_open(gradient_bench *b, const char *path, bsr_cpu cpu, whole_keep keep,
                         int images)
{
    size_t n;
    void *bytes = whole_read(path, &n);
    whole_open(&b->net, bytes, n, cpu, keep);
    bsr_free(bytes);
    const bsr_plan *plan = b->net.plan;
    whole_images_new(&b->images, &b->net, images, 3);
    b->golden = (bsr_golden){.plan = plan, .images = images, .classes = b->net.classes};
    b->golden.records = bsr_alloc_aligned((size_t)images, plan->golden_bytes);
    b->golden.logits = bsr_calloc_array((size_t)(images * b->net.classes), sizeof(float));
    b->golden.top1 = bsr_calloc_array((size_t)images, sizeof(int));
    bsr_forward *f;
    zoo_check(bsr_forward_new(&f, plan, 1), path);
    for (int i = 0; i < images; i++) {
        const char *input = b->images.pixels[i];
        char *record = b->golden.records + (size_t)i * plan->golden_bytes;
        float *logits = b->golden.logits + i * b->net.classes;
        zoo_check(bsr_forward_run(f, 1, &input, &record, &logits), path);
        b->golden.top1[i] = bsr_top1(logits, b->net.classes);
    }
    bsr_forward_free(f);
    zoo_check(bsr_gradient_plan_new(&b->gp, plan), path);
    zoo_check(bsr_gradients_new(&b->g, b->gp), path);
}

void gradient_bench_close(gradient_bench *b)
{
    bsr_gradients_free(b->g);
    bsr_gradient_plan_free(b->gp);
    bsr_free(b->golden.records);
    bsr_free(b->golden.logits);
    bsr_free(b->golden.top1);
    whole_images_free(&b->images);
    whole_close(&b->net);
}

size_t gradient_elements(const bsr_plan *plan, int pten)
{
    return (size_t)plan->ptens[pten].pixels * (size_t)plan->ptens[pten].channels;
}

static bsr_status take(void *ctx, int pten, const float *gradient, size_t stride)
{
    gradient_maps *m = ctx;
    size_t n = gradient_elements(m->plan, pten);
    assert_null(m->of[pten]);
    assert_true(m->last < 0 || m->plan->ptens[pten].producer < m->plan->ptens[m->last].producer);
    m->last = pten;
    m->of[pten] = bsr_alloc_array((size_t)m->margins.n * n, sizeof(float));
    for (int k = 0; k < m->margins.n; k++)
        memcpy(m->of[pten] + (size_t)k * n, gradient + (size_t)k * stride, n * sizeof(float));
    return BSR_OK;
}

void gradient_maps_new(gradient_maps *m, const gradient_bench *b, int image,
                       const unsigned char *wanted)
{
    const bsr_plan *plan = b->net.plan;
    *m = (gradient_maps){.plan = plan, .last = -1};
    m->of = bsr_calloc_array((size_t)plan->n_ptens, sizeof *m->of);
    unsigned char *all = bsr_alloc_array((size_t)plan->n_ptens, 1);
    memset(all, 1, (size_t)plan->n_ptens);
    bsr_margins_of(&m->margins, b->golden.logits + image * b->net.classes, b->golden.top1[image],
                   b->net.classes);
    float *seeds = bsr_alloc_array(BSR_MAX_RIVALS * (size_t)b->net.classes, sizeof *seeds);
    bsr_margin_seeds(seeds, &m->margins, b->golden.top1[image], b->net.classes);
    bsr_gradient_request request = {
        .n = m->margins.n, .seeds = seeds, .wanted = wanted ? wanted : all, .fn = take, .ctx = m};
    zoo_check(bsr_gradients_run(b->g, &b->golden, image, &request), "gradients");
    bsr_free(seeds);
    for (int i = 0; i < plan->n_ptens; i++)
        assert_int_equal(m->of[i] != NULL, !wanted || wanted[i]);
    bsr_free(all);
}

void gradient_maps_free(gradient_maps *m)
{
    for (int i = 0; i < m->plan->n_ptens; i++)
        bsr_free(m->of[i]);
    bsr_free(m->of);
}
