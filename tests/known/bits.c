/* What a flip of each bit does, on the smallest of networks: three logits y[c] = w[c] * x + b[c] of
 * one pixel, by a 1x1 convolution. IEEE 754 arithmetic of this processor says what must come out;
 * flips of +0, -0, denormals, infinities and NaNs included. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bitseer/run.h"
#include "support/npy_data.h"
#include "support/zoo.h"

enum { CLASSES = 3, MAX_FILE = 2048 };

static int failures;

static uint32_t bits_of(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static float float_of(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* What flips of single bits give, from the encoding alone: sign, 8 bits of exponent biased by 127,
 * 23 bits of fraction. The comparison of counts below rests on it. */
static const struct {
    uint32_t stored;
    int bit;
    float flipped;
} flips[] = {
    {0x00000000, 0, 0x1p-149f},         /* +0: the smallest denormal */
    {0x00000000, 22, 0x1p-127f},        /* the largest bit of a denormal */
    {0x00000000, 30, 2.0f},             /* exponent 128 - 127 */
    {0x00000000, 31, -0.0f},            /* the sign of zero */
    {0x80000000, 31, 0.0f},             /* and back */
    {0x3f800000, 30, INFINITY},         /* 1.0: exponent 127 becomes 255 */
    {0x3f800000, 23, 0.5f},             /* exponent 127 becomes 126 */
    {0x3f800000, 22, 1.5f},             /* first bit of the fraction */
    {0x7f7fffff, 24, 0x1.fffffep+125f}, /* the largest number: exponent 254 becomes 252 */
    {0x7f800000, 23, 0x1p+127f},        /* infinity: exponent 255 becomes 254 */
    {0x7f800000, 31, -INFINITY},        /* its sign */
    {0x7fc00000, 22, INFINITY},         /* NaN with the quiet bit alone */
    {0x7f800001, 0, INFINITY},          /* the smallest signalling NaN */
    {0x00800000, 23, 0.0f},             /* the smallest normal number */
};

/* Weights under test in place of w[1]; w[0] is 1 and w[2] is -1. */
static const uint32_t stored_weights[] = {
    0x00000000, 0x80000000, 0x00000001, 0x807fffff, 0x00800000, 0x3f800000, 0xbfc00000,
    0x3f7fffff, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffd55555,
};

/* The finite ones first. */
#define FINITE "9"
static const float images[] = {
    1.0f, -2.0f, 0.0f, -0.0f, 0.3f, 1e-30f, 1e30f, -1e-42f, FLT_MAX, INFINITY, -INFINITY, NAN,
};
enum { IMAGES = sizeof images / sizeof *images };

typedef struct network {
    float w[CLASSES], b[CLASSES];
} network;

/* NaN counts as the greatest logit, the lowest index wins ties. */
static int top1(const float *y)
{
    int best = 0;
    for (int c = 1; c < CLASSES && !isnan(y[best]); c++)
        if (isnan(y[c]) || y[c] > y[best])
            best = c;
    return best;
}

static void infer(float *y, const network *net, float x)
{
    for (int c = 0; c < CLASSES; c++)
        y[c] = fmaf(x, net->w[c], net->b[c]);
}

static void expect(bsr_outcomes *o, const network *golden, const network *faulty, float x,
                   float faulty_x)
{
    float a[CLASSES], b[CLASSES];
    int same = 1, due = 0;
    infer(a, golden, x);
    infer(b, faulty, faulty_x);
    for (int c = 0; c < CLASSES; c++) {
        same &= bits_of(a[c]) == bits_of(b[c]) || (isnan(a[c]) && isnan(b[c]));
        due |= !isfinite(b[c]);
    }
    int critical = top1(a) != top1(b);
    o->pairs++;
    o->masked += (uint64_t)same;
    o->critical += (uint64_t)critical;
    o->benign += (uint64_t)(!same && !critical);
    o->due += (uint64_t)due;
    o->sdc += (uint64_t)(critical && !due);
}

/* The file with its marker numbers (1001.. for weights, 2001.. for biases) replaced. */
static bsr_model *load(const network *net)
{
    static unsigned char bytes[MAX_FILE];
    FILE *f = fopen("tests/engine/data/one_conv.onnx", "rb");
    size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (f)
        fclose(f);
    const float markers[2] = {1001, 2001};
    const float *values[2] = {net->w, net->b};
    int found = 0;
    for (size_t i = 0; i + 4 * CLASSES <= n; i++)
        for (int k = 0; k < 2; k++)
            if (memcmp(bytes + i, &markers[k], 4) == 0) {
                memcpy(bytes + i, values[k], 4 * CLASSES);
                found++;
                i += 4 * CLASSES;
            }
    bsr_model *model;
    if (found != 2) {
        fprintf(stderr, "one_conv.onnx is not what make_graphs.py writes\n");
        exit(1);
    }
    zoo_check(bsr_model_load_bytes(&model, bytes, n, NULL), "one_conv");
    return model;
}

static int same_outcomes(const bsr_outcomes *a, const bsr_outcomes *b)
{
    return a->pairs == b->pairs && a->masked == b->masked && a->benign == b->benign &&
           a->critical == b->critical && a->due == b->due && a->sdc == b->sdc;
}

static void compare(const network *net, const bsr_result *r, const bsr_outcomes *want, int bits,
                    const char *what)
{
    for (int b = 0; b < bits; b++) {
        const bsr_outcomes *got = &r->layers[0].bits[b].outcomes;
        if (r->layers[0].bits[b].index == b && same_outcomes(got, &want[b]))
            continue;
        failures++;
        printf("FAILED %s, w[1] = %08x, bit %d: masked %llu benign %llu critical %llu due %llu "
               "sdc %llu, expected %llu %llu %llu %llu %llu\n",
               what, bits_of(net->w[1]), b, (unsigned long long)got->masked,
               (unsigned long long)got->benign, (unsigned long long)got->critical,
               (unsigned long long)got->due, (unsigned long long)got->sdc,
               (unsigned long long)want[b].masked, (unsigned long long)want[b].benign,
               (unsigned long long)want[b].critical, (unsigned long long)want[b].due,
               (unsigned long long)want[b].sdc);
    }
}

/* Every bit of w[1], b[1] or the pixel, on all images. */
static void run_target(const network *net, const bsr_model *model, const bsr_dataset *data,
                       bsr_target target, const char *cpu)
{
    static const char *const names[] = {"weight", "bias", "activation", "input"};
    bsr_outcomes want[32] = {0};
    for (int b = 0; b < 32; b++)
        for (int i = 0; i < IMAGES; i++) {
            network faulty = *net;
            float x = images[i];
            float *hit = target == BSR_TARGET_WEIGHT ? &faulty.w[1]
                         : target == BSR_TARGET_BIAS ? &faulty.b[1]
                                                     : &x;
            *hit = float_of(bits_of(*hit) ^ (uint32_t)1 << b);
            expect(&want[b], net, &faulty, images[i], x);
        }
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.target = target;
    o.channels = target == BSR_TARGET_INPUT ? NULL : "1";
    o.threads = 1;
    o.cpu = cpu;
    o.plan = "exhaustive";
    bsr_result *r;
    zoo_check(bsr_inject(&r, model, data, &o), names[target]);
    compare(net, r, want, 32, names[target]);
    bsr_result_free(r);
}

/* Rays find the same critical pairs where a logit grows with the weight or the bias: for a finite
 * pixel. */
static void run_rays(const network *net, const bsr_model *model, const bsr_dataset *data,
                     bsr_target target)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.target = target;
    o.channels = "1";
    o.threads = 1;
    o.plan = "exhaustive";
    bsr_result *direct, *rays;
    zoo_check(bsr_inject(&direct, model, data, &o), "inject");
    zoo_check(bsr_analyze(&rays, model, data, &o), "analyze");
    if (rays->total.critical != direct->total.critical) {
        failures++;
        printf("FAILED w[1] = %08x: rays find %llu critical pairs, injection %llu\n",
               bits_of(net->w[1]), (unsigned long long)rays->total.critical,
               (unsigned long long)direct->total.critical);
    }
    bsr_result_free(direct);
    bsr_result_free(rays);
}

static bsr_dataset *open_images(const char *spec, const char *images_wanted)
{
    bsr_dataset *data;
    bsr_dataset_options d = BSR_DATASET_OPTIONS_INIT;
    d.data = spec;
    d.images = images_wanted;
    zoo_check(bsr_dataset_open(&data, &d, 1, 1, 1), spec);
    return data;
}

int main(void)
{
    for (size_t i = 0; i < sizeof flips / sizeof *flips; i++) {
        float got = float_of(flips[i].stored ^ (uint32_t)1 << flips[i].bit);
        if (bits_of(got) != bits_of(flips[i].flipped)) {
            printf("FAILED %08x bit %d gives %a\n", flips[i].stored, flips[i].bit, (double)got);
            failures++;
        }
    }
    npy_data files;
    const int32_t labels[IMAGES] = {0};
    npy_data_write(&files, images, labels, IMAGES, 1, 1, 1);
    bsr_dataset *data = open_images(files.spec, NULL), *finite = open_images(files.spec, FINITE);
    npy_data_remove(&files);
    static const char *const sets[] = {"ref", NULL};
    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < sizeof stored_weights / sizeof *stored_weights; i++) {
            network net = {{1.0f, float_of(stored_weights[i]), -1.0f}, {0.0f, 0.25f, -0.0f}};
            bsr_model *model = load(&net);
            run_target(&net, model, data, BSR_TARGET_WEIGHT, sets[s]);
            run_target(&net, model, data, BSR_TARGET_BIAS, sets[s]);
            run_target(&net, model, data, BSR_TARGET_INPUT, sets[s]);
            run_rays(&net, model, finite, BSR_TARGET_WEIGHT);
            run_rays(&net, model, finite, BSR_TARGET_BIAS);
            bsr_model_free(model);
        }
    bsr_dataset_free(data);
    bsr_dataset_free(finite);
    printf("%zu weights, 32 bits, %d images, 3 targets: %d failures\n",
           sizeof stored_weights / sizeof *stored_weights, IMAGES, failures);
    return failures > 0;
}
