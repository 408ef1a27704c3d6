/* Chips against three oracles: a model loaded from a file with the same elements changed, the
 * reference interpreter with the same tensors changed, and the full faulty inference of one fault.
 * Logits must be the same bits. Networks of tests/engine/data, the demo network and, where
 * BITSEER_DATA names the folder, pretrained ones on codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "exec/chip.h"
#include "rng/philox.h"
#include "support/compare_plan.h"
#include "support/interp.h"
#include "support/patch_onnx.h"
#include "support/whole.h"

enum { IMAGES = 3, CLASSES = 16, STORES = 40 };

static const char *const graphs[] = {"attention",      "codes_moved", "codes_qdq",    "codes_qop",
                                     "conv1d",         "flat_input",  "grouped",      "nhwc",
                                     "reshape_middle", "split_add",   "shared_weight"};
static const char *const pretrained[] = {"cifar10_resnet8_mlperftiny_int8_qdq",
                                         "cifar10_resnet8_mlperftiny_int8_qop"};

/* One network with its images and fault-free logits. */
typedef struct bench {
    void *bytes;
    size_t n;
    bsr_cpu cpu;
    whole net;
    whole_images images;
    bsr_chip *chip;
    float golden[IMAGES * CLASSES];
} bench;

static void open_bench(bench *b, const char *path, bsr_cpu cpu, whole_keep keep)
{
    b->cpu = cpu;
    b->bytes = whole_read(path, &b->n);
    whole_open(&b->net, b->bytes, b->n, cpu, keep);
    assert_in_range(b->net.classes, 1, CLASSES);
    whole_images_new(&b->images, &b->net, IMAGES, 5);
    whole_logits(&b->net, (const char *const *)b->images.pixels, IMAGES, b->golden);
    assert_int_equal(bsr_chip_new(&b->chip, b->net.plan, IMAGES), BSR_OK);
}

static void close_bench(bench *b)
{
    bsr_chip_free(b->chip);
    whole_images_free(&b->images);
    whole_close(&b->net);
    bsr_free(b->bytes);
}

/* Runs the first n images on the chip and compares with want [n][classes]. */
static void expect_logits(const bench *b, int n, const unsigned char *hit, bsr_chip_fn fn,
                          void *ctx, const float *want)
{
    float got[IMAGES * CLASSES], *logits[IMAGES];
    for (int i = 0; i < n; i++)
        logits[i] = got + i * b->net.classes;
    assert_int_equal(
        bsr_chip_run(b->chip, n, (const char *const *)b->images.pixels, hit, fn, ctx, logits),
        BSR_OK);
    assert_true(same_floats(got, want, (size_t)(n * b->net.classes)));
}

/* A random element of a random layer's weights or bias, with random new bits: a flip of what the
 * file holds, or anything at all. Not of weights that the file holds in another form (float
 * products of codes where no integer arithmetic applies). */
static bsr_stored_fault draw(const bench *b, bsr_rng *rng, const bsr_value **tensor)
{
    const bsr_plan *plan = b->net.plan;
    bsr_stored_fault f;
    do {
        f = (bsr_stored_fault){.place = BSR_FAULT_WEIGHT};
        f.where = (int)bsr_rng_below(rng, (uint64_t)plan->n_layers);
        const bsr_weights *w = plan->layers[f.where].weights;
        if (w->bias_value >= 0 && bsr_rng_below(rng, 3) == 0)
            f.place = BSR_FAULT_BIAS;
        *tensor = &plan->graph->values[f.place == BSR_FAULT_BIAS ? w->bias_value : w->value];
    } while ((*tensor)->producer >= 0);
    const bsr_tensor *t = (*tensor)->constant;
    size_t esize = bsr_dtype_size(t->dtype);
    f.element = (int64_t)bsr_rng_below(rng, (uint64_t)bsr_count(t->rank, t->dims));
    memcpy(&f.bits, (char *)t->data + (size_t)f.element * esize, esize);
    if (bsr_rng_below(rng, 8) == 0)
        f.bits = (uint32_t)bsr_rng_below(rng, (uint64_t)1 << 32);
    else
        f.bits ^= (uint32_t)1 << bsr_rng_below(rng, esize * 8);
    return f;
}

/* `k` elements changed on the chip and in the file, then the chip reset. */
static void compare_stores(const bench *b, int k, uint64_t seed)
{
    bsr_rng rng = bsr_rng_make(21, seed);
    char *bytes = bsr_alloc_array(b->n, 1);
    assert_non_null(bytes);
    memcpy(bytes, b->bytes, b->n);
    for (int i = 0; i < k; i++) {
        const bsr_value *v;
        bsr_stored_fault f = draw(b, &rng, &v);
        size_t esize = bsr_dtype_size(v->constant->dtype);
        assert_int_equal(bsr_chip_store(b->chip, &f), BSR_OK);
        if (!patch_onnx(bytes, b->n, v->name, f.element, esize, f.bits))
            printf("%s %d %ld\n", v->name, f.place, (long)f.element);
        assert_int_equal(patch_onnx(bytes, b->n, v->name, f.element, esize, f.bits), 1);
    }
    whole changed;
    float want[IMAGES * CLASSES];
    whole_open(&changed, bytes, b->n, b->cpu, WHOLE_KEEP_DEFAULT);
    whole_logits(&changed, (const char *const *)b->images.pixels, IMAGES, want);
    expect_logits(b, IMAGES, NULL, NULL, NULL, want);
    expect_logits(b, 1, NULL, NULL, NULL, want);
    bsr_chip_reset(b->chip);
    expect_logits(b, IMAGES, NULL, NULL, NULL, b->golden);
    whole_close(&changed);
    bsr_free(bytes);
}

static void stores_of(const char *path, int rounds)
{
    for (int cpu = BSR_CPU_REF; cpu <= (int)bsr_cpu_best(); cpu++) {
        bench b;
        open_bench(&b, path, (bsr_cpu)cpu, WHOLE_KEEP_DEFAULT);
        for (int i = 0; i < rounds; i++)
            compare_stores(&b, 1 + i * i % STORES, (uint64_t)i);
        close_bench(&b);
    }
}

static void test_chip__stores(void **state)
{
    char path[4096];
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        snprintf(path, sizeof path, "tests/engine/data/%s.onnx", graphs[i]);
        stores_of(path, 20);
    }
    stores_of("models/fashion_resnet.onnx", 4);
    for (size_t i = 0; i < 2 && getenv("BITSEER_DATA"); i++) {
        snprintf(path, sizeof path, "%s/models/%s.onnx", getenv("BITSEER_DATA"), pretrained[i]);
        stores_of(path, 4);
    }
}

/* Changes to tensors that a chip and an interpreter make alike: they depend on the image and the
 * value only. */
typedef struct changes {
    const bench *b;
    unsigned char *hit;
    int image; /* of the interpreter */
    int calls;
} changes;

/* Stores three elements of `value`, found by `at`, for one image. */
static void change_elements(const bsr_value *v, int value, int image,
                            void *(*at)(const void *ctx, int value, int64_t element),
                            const void *ctx)
{
    bsr_rng rng = bsr_rng_make((uint64_t)image, (uint64_t)value);
    size_t esize = bsr_dtype_size(v->dtype);
    for (int k = 0; k < 3; k++) {
        int64_t e = (int64_t)bsr_rng_below(&rng, (uint64_t)bsr_count(v->rank, v->dims));
        float x = (float)(40 * bsr_rng_uniform(&rng) - 20);
        unsigned char code = (unsigned char)bsr_rng_below(&rng, 256);
        memcpy(at(ctx, value, e), esize == 1 ? (void *)&code : (void *)&x, esize);
    }
}

typedef struct plan_place {
    const bsr_plan *plan;
    char *data;
} plan_place;

static void *in_plan(const void *ctx, int value, int64_t element)
{
    const plan_place *p = ctx;
    const bsr_pten *t = &p->plan->ptens[p->plan->of_value[value]];
    int pixel, channel;
    bsr_plan_locate(p->plan, value, element, &pixel, &channel);
    return p->data + (size_t)pixel * t->pixel_bytes + (size_t)channel * t->esize;
}

static void *in_tensor(const void *ctx, int value, int64_t element)
{
    const bsr_tensor *t = ctx;
    return (char *)t->data + (size_t)element * bsr_dtype_size(t->dtype);
}

static void on_chip(void *ctx, int image, int value, char *data)
{
    changes *c = ctx;
    plan_place place = {c->b->net.plan, data};
    assert_true(c->hit[value]);
    c->calls++;
    change_elements(&place.plan->graph->values[value], value, image, in_plan, &place);
}

static void in_interp(void *ctx, int value, const bsr_tensor *result)
{
    const changes *c = ctx;
    if (c->hit[value])
        change_elements(&c->b->net.plan->graph->values[value], value, c->image, in_tensor, result);
}

static void interpreted_logits(changes *c, float *want)
{
    const bsr_graph *g = c->b->net.plan->graph;
    interp *p;
    assert_int_equal(interp_new(&p, g), BSR_OK);
    p->computed = in_interp;
    p->ctx = c;
    for (c->image = 0; c->image < IMAGES; c->image++) {
        const bsr_tensor *x = c->b->images.tensors[c->image];
        bsr_tensor *copy;
        assert_int_equal(bsr_tensor_new(&copy, x->dtype, x->rank, x->dims), BSR_OK);
        memcpy(copy->data, x->data, (size_t)bsr_count(x->rank, x->dims) * sizeof(float));
        in_interp(c, g->inputs[0], copy);
        assert_int_equal(interp_run(p, (const bsr_tensor *const[]){copy}), BSR_OK);
        memcpy(want + c->image * c->b->net.classes, interp_output(p, 0)->data,
               (size_t)c->b->net.classes * sizeof *want);
        bsr_tensor_free(copy);
    }
    interp_free(p);
}

/* Several tensors of every image at once, the input among them. Values that share a tensor with an
 * earlier one (Reshape) are left out: the interpreter has a tensor for each. QDQ graphs too: their
 * float nodes are evaluated on codes, with other roundings (docs/design/numerics.md). */
static void test_chip__tensors(void **state)
{
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        char path[256];
        bench b;
        if (strcmp(graphs[i], "codes_qdq") == 0 || strcmp(graphs[i], "codes_moved") == 0)
            continue;
        snprintf(path, sizeof path, "tests/engine/data/%s.onnx", graphs[i]);
        open_bench(&b, path, bsr_cpu_best(), WHOLE_KEEP_ALL);
        const bsr_plan *plan = b.net.plan;
        int values = plan->graph->n_values;
        changes c = {.b = &b, .hit = bsr_calloc_array((size_t)values, 1)};
        assert_non_null(c.hit);
        for (int round = 0; round < 20; round++) {
            bsr_rng rng = bsr_rng_make(22, (uint64_t)round);
            int hits = 0;
            for (int v = 0; v < values; v++) {
                int held = plan->of_value[v] >= 0 && plan->ptens[plan->of_value[v]].value == v;
                c.hit[v] = held && bsr_rng_below(&rng, 3) == 0;
                hits += c.hit[v];
            }
            float want[IMAGES * CLASSES];
            interpreted_logits(&c, want);
            c.calls = 0;
            expect_logits(&b, IMAGES, c.hit, on_chip, &c, want);
            assert_int_equal(c.calls, hits * IMAGES);
            expect_logits(&b, IMAGES, NULL, NULL, NULL, b.golden);
        }
        bsr_free(c.hit);
        close_bench(&b);
    }
}

static void store_one(void *ctx, int image, int value, char *data)
{
    const bsr_stored_fault *f = ((void **)ctx)[0];
    plan_place place = {((void **)ctx)[1], data};
    const bsr_pten *t = &place.plan->ptens[place.plan->of_value[value]];
    memcpy(in_plan(&place, value, f->element), &f->bits, t->esize);
}

/* One changed code, against the full faulty inference. */
static void test_chip__one_code(void **state)
{
    bench b;
    open_bench(&b, "tests/engine/data/codes_qdq.onnx", bsr_cpu_best(), WHOLE_KEEP_DEFAULT);
    const bsr_plan *plan = b.net.plan;
    unsigned char *hit = bsr_calloc_array((size_t)plan->graph->n_values, 1);
    assert_non_null(hit);
    bsr_forward *f;
    assert_int_equal(bsr_forward_new(&f, plan, 1), BSR_OK);
    bsr_rng rng = bsr_rng_make(23, 0);
    for (int round = 0; round < 200; round++) {
        int pten = plan->steps[plan->layers[round % plan->n_layers].step].sources[0].pten;
        const bsr_pten *p = &plan->ptens[pten];
        bsr_stored_fault fault = {
            .place = BSR_FAULT_VALUE,
            .where = p->value,
            .element = (int64_t)bsr_rng_below(&rng, (uint64_t)(p->pixels * p->channels)),
            .bits = (uint32_t)bsr_rng_below(&rng, 256)};
        assert_int_equal(p->esize, 1);
        float want[CLASSES];
        assert_int_equal(bsr_forward_faulty(f, b.images.pixels[0], &fault, want), BSR_OK);
        hit[p->value] = 1;
        expect_logits(&b, 1, hit, store_one, (void *[]){&fault, b.net.plan}, want);
        hit[p->value] = 0;
    }
    bsr_forward_free(f);
    bsr_free(hit);
    close_bench(&b);
}

static void test_chip__refuses(void **state)
{
    bench b;
    open_bench(&b, "tests/engine/data/grouped.onnx", bsr_cpu_best(), WHOLE_KEEP_DEFAULT);
    const bsr_graph *g = b.net.plan->graph;
    bsr_stored_fault fault = {.place = BSR_FAULT_VALUE, .where = g->inputs[0]};
    assert_int_equal(bsr_chip_store(b.chip, &fault), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "a chip stores weights and biases, not fault place 2");
    /* Between the first convolution and its Relu no tensor exists. */
    unsigned char *hit = bsr_calloc_array((size_t)g->n_values, 1);
    assert_non_null(hit);
    int value = g->nodes[0].out[0];
    char message[256];
    hit[value] = 1;
    changes c = {.b = &b, .hit = hit};
    snprintf(message, sizeof message, "tensor '%s' is not kept by the plan", g->values[value].name);
    assert_int_equal(
        bsr_chip_run(b.chip, 1, (const char *const *)b.images.pixels, hit, on_chip, &c, NULL),
        BSR_EINVAL);
    assert_string_equal(bsr_error_message(), message);
    assert_int_equal(c.calls, 0);
    bsr_free(hit);
    close_bench(&b);
}

/* Every allocation in turn fails: an error and no leak, and a store that fails stores nothing. */
static void test_chip__out_of_memory(void **state)
{
    bench b;
    open_bench(&b, "tests/engine/data/shared_weight.onnx", bsr_cpu_best(), WHOLE_KEEP_DEFAULT);
    for (long n = 1;; n++) {
        bsr_chip *chip = (bsr_chip *)1;
        bsr_alloc_fail_after(n);
        bsr_status status = bsr_chip_new(&chip, b.net.plan, IMAGES);
        int fired = !bsr_alloc_fail_pending();
        bsr_alloc_fail_after(0);
        assert_int_equal(status, fired ? BSR_ENOMEM : BSR_OK);
        if (!fired) {
            bsr_chip_free(chip);
            break;
        }
        assert_null(chip);
    }
    bsr_stored_fault fault = {.place = BSR_FAULT_WEIGHT, .element = 1, .bits = 0x40000000};
    bsr_alloc_fail_after(1);
    assert_int_equal(bsr_chip_store(b.chip, &fault), BSR_ENOMEM);
    bsr_alloc_fail_after(0);
    expect_logits(&b, IMAGES, NULL, NULL, NULL, b.golden);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chip__stores),        cmocka_unit_test(test_chip__tensors),
        cmocka_unit_test(test_chip__one_code),      cmocka_unit_test(test_chip__refuses),
        cmocka_unit_test(test_chip__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
