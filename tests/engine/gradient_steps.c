/* The executor's backward pass against what small changes of its tensors really do: central
 * differences, and steps of codes. */
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
#include "rng/philox.h"
#include "support/gradient_bench.h"
#include "support/zoo.h"

/* Adds to one element of one tensor. */
typedef struct nudge {
    int pten;
    size_t element;
    float by[4]; /* of the images of a run */
} nudge;

static void apply_nudge(void *ctx, int image, int pten, char *data)
{
    const nudge *n = ctx;
    if (pten == n->pten)
        ((float *)(void *)data)[n->element] += n->by[image];
}

/* Margins of image `image` with each of the nudges. */
static void nudged_margins(const gradient_bench *b, bsr_forward *f, int image,
                           const bsr_margins *golden, nudge *n, double margins[4][BSR_MAX_RIVALS])
{
    enum { CLASSES = 64 };
    static float z[4][CLASSES];
    assert_in_range(b->net.classes, 1, CLASSES);
    const char *x = b->images.pixels[image], *inputs[4] = {x, x, x, x};
    float *logits[4] = {z[0], z[1], z[2], z[3]};
    bsr_forward_changes changes = {.computed = apply_nudge, .ctx = n};
    zoo_check(bsr_forward_run_changed(f, 4, inputs, NULL, logits, &changes), "forward");
    for (int s = 0; s < 4; s++)
        for (int k = 0; k < golden->n; k++)
            margins[s][k] = (double)z[s][b->golden.top1[image]] - (double)z[s][golden->rival[k]];
}

/* Central differences at `draws` elements of every float tensor of image 0. Where the two one-sided
 * differences disagree, or those over a shorter way, there is a kink between and nothing can be
 * told. */
static void expect_differences(const gradient_network *net, int draws, float h, double least_share)
{
    gradient_bench b;
    gradient_bench_open(&b, net->path, bsr_cpu_best(), WHOLE_KEEP_DEFAULT, 1);
    const bsr_plan *plan = b.net.plan;
    bsr_forward *f;
    gradient_maps m;
    gradient_maps_new(&m, &b, 0, NULL);
    zoo_check(bsr_forward_new(&f, plan, 4), net->path);
    bsr_rng rng = bsr_rng_make(8, 0);
    int tried = 0, told = 0;
    double margins[4][BSR_MAX_RIVALS];
    for (int i = 0; i < plan->n_ptens; i++) {
        size_t n = gradient_elements(plan, i);
        float most = 0;
        for (size_t e = 0; e < (size_t)m.margins.n * n; e++)
            most = fmaxf(most, fabsf(m.of[i][e]));
        for (int d = 0; d < draws && plan->ptens[i].dtype == BSR_F32; d++) {
            nudge at = {.pten = i, .element = bsr_rng_below(&rng, n), .by = {h, -h, h / 4, -h / 4}};
            nudged_margins(&b, f, 0, &m.margins, &at, margins);
            for (int k = 0; k < m.margins.n; k++) {
                double z = (double)m.margins.margin[k], x = (double)h;
                double right = (margins[0][k] - z) / x, left = (z - margins[1][k]) / x;
                double want = (right + left) / 2;
                double near = 2 * (margins[2][k] - margins[3][k]) / x;
                double got = (double)m.of[i][(size_t)k * n + at.element];
                /* Logits of this size are rounded to about 1e-6. */
                double noise = 1e-3 * (double)most + 4e-6 / x;
                tried++;
                if (fabs(right - left) > noise || fabs(want - near) > noise)
                    continue;
                told++;
                if (!(fabs(got - want) <= 2 * noise))
                    fail_msg("%s, tensor %d '%s', element %zu, rival %d: %g, differences give %g",
                             net->path, i, plan->graph->values[plan->ptens[i].value].name,
                             at.element, k, got, want);
            }
        }
    }
    if (!(told >= least_share * tried))
        fail_msg("%s: only %d of %d differences tell something", net->path, told, tried);
    bsr_forward_free(f);
    gradient_maps_free(&m);
    gradient_bench_close(&b);
}

static void test_gradient_steps__central_differences(void **state)
{
    for (const gradient_network *net = gradient_float_networks; net->path; net++)
        expect_differences(net, 8, 0x1p-7f, 0.5);
}

/* A network of codes is piecewise constant, but on the mean over many places and images its answer
 * to a change by some steps of a code is what straight-through gradients say: the least-squares
 * slope of answers over predictions is 1. Rounding on the way adds noise, kinks within the step
 * take a few percent off. */
static void expect_steps(const gradient_network *net)
{
    enum { STEPS_IMAGES = 40, DRAWS = 100, STEPS = 16, TENSORS = 64 };
    gradient_bench b;
    gradient_bench_open(&b, net->path, bsr_cpu_best(), WHOLE_KEEP_DEFAULT, STEPS_IMAGES);
    const bsr_plan *plan = b.net.plan;
    bsr_forward *f;
    zoo_check(bsr_forward_new(&f, plan, 1), net->path);
    double xy[TENSORS] = {0}, xx[TENSORS] = {0}, yy[TENSORS] = {0};
    bsr_rng rng = bsr_rng_make(9, 0);
    assert_in_range(plan->n_ptens, 1, TENSORS);
    for (int image = 0; image < STEPS_IMAGES; image++) {
        gradient_maps m;
        gradient_maps_new(&m, &b, image, NULL);
        for (int i = 0; i < plan->n_ptens; i++) {
            bsr_dtype type = plan->ptens[i].dtype;
            for (int d = 0; d < DRAWS && type != BSR_F32; d++) {
                int value = plan->ptens[i].value, least = type == BSR_I8 ? -128 : 0;
                int64_t element = (int64_t)bsr_rng_below(&rng, gradient_elements(plan, i));
                int pixel, channel;
                bsr_plan_locate(plan, value, element, &pixel, &channel);
                size_t at = (size_t)(pixel * plan->ptens[i].channels + channel);
                unsigned char byte =
                    *(unsigned char *)(b.golden.records + (size_t)image * plan->golden_bytes +
                                       plan->ptens[i].golden_at + at);
                int code = type == BSR_I8 ? (signed char)byte : byte;
                int by = bsr_rng_below(&rng, 2) ? STEPS : -STEPS;
                if (code == least || code == least + 255 || code + by < least ||
                    code + by > least + 255)
                    continue;
                bsr_stored_fault fault = {.place = BSR_FAULT_VALUE,
                                          .where = value,
                                          .element = element,
                                          .bits = (uint32_t)(code + by) & 255,
                                          .pixel = -1};
                float z[64];
                zoo_check(bsr_forward_faulty(f, b.images.pixels[image], &fault, z), net->path);
                for (int k = 0; k < m.margins.n; k++) {
                    double y = (double)z[b.golden.top1[image]] - (double)z[m.margins.rival[k]] -
                               (double)m.margins.margin[k];
                    double x = by * (double)m.of[i][(size_t)k * gradient_elements(plan, i) + at];
                    xy[i] += x * y;
                    xx[i] += x * x;
                    yy[i] += y * y;
                }
            }
        }
        gradient_maps_free(&m);
    }
    for (int i = 0; i < plan->n_ptens; i++) {
        if (plan->ptens[i].dtype == BSR_F32)
            continue;
        double slope = xy[i] / xx[i], correlation = xy[i] / sqrt(xx[i] * yy[i]);
        if (!(fabs(slope - 1) < 0.15) || !(correlation > 0.4))
            fail_msg("%s, tensor %d: slope %g, correlation %g", net->path, i, slope, correlation);
    }
    bsr_forward_free(f);
    gradient_bench_close(&b);
}

static void test_gradient_steps__steps_of_codes(void **state)
{
    for (const gradient_network *net = gradient_code_networks; net->path; net++)
        expect_steps(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient_steps__central_differences),
        cmocka_unit_test(test_gradient_steps__steps_of_codes),
    };
    return cmocka_run_group_tests_name("gradient_steps", tests, NULL, NULL);
}
