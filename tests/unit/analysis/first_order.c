/* From bit error rate to RMSE of the logits and to accuracy: first-order mean and covariance
 * against flipped bits, on a random network of four layers with int8 activations, written here in
 * plain C. What stands for the whole chain of models: fault/disturbance.h gives the moments of
 * stored values, the Jacobian takes them to the logits, stats/normals.h or stats/normal_top1.h
 * takes these to accuracy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "base/alloc.h"
#include "fault/disturbance.h"
#include "rng/bernoulli.h"
#include "stats/normal_moments.h"
#include "stats/normal_top1.h"
#include "stats/normals.h"

enum { LAYERS = 4, WIDTH = 256, CLASSES = 10, IMAGES = 100, RUNS = 30, DRAWS = 200 };

#define NOISE 1.5f /* of the images, in standard deviations of a prototype's elements */
#define RANGE 2.0  /* of what is stored, in root mean squares */

static int rows_of(int layer)
{
    return layer == LAYERS - 1 ? CLASSES : WIDTH;
}

/* Layer l reads stored tensor l: [input][output]. */
static float weight[LAYERS][WIDTH][WIDTH];
static float bias[LAYERS][WIDTH];
static float prototype[CLASSES][WIDTH];
static float image[IMAGES][WIDTH];
static bsr_normals *normals;
static bsr_top1_rule *rule;

static struct stored {
    bsr_space space;
    bsr_stored stored;
    bsr_quantiser q;
    bsr_disturbances d;
    int chosen[1];
} tensors[LAYERS];

/* Of the golden run of each image. */
static uint32_t codes[IMAGES][LAYERS][WIDTH];
static unsigned char passes[IMAGES][LAYERS][WIDTH]; /* by ReLU and range uncut results of layer l */
static float logits[IMAGES][CLASSES];
/* To first order, at bit error rate 1; of the covariance the lower Cholesky factor. */
static double shift[IMAGES][CLASSES], factor[IMAGES][CLASSES][CLASSES];
static int label[IMAGES];

static void matrix(int l, const float x[WIDTH], float y[WIDTH])
{
    memcpy(y, bias[l], WIDTH * sizeof *y);
    for (int j = 0; j < WIDTH; j++)
        for (int k = 0; k < rows_of(l) && x[j] != 0; k++)
            y[k] += weight[l][j][k] * x[j];
}

/* One inference; flips NULL or the flipped bits, of which *next is the next one. Stores what it
 * computes where `keep` is set. */
static void infer(int i, float z[CLASSES], bsr_flips *flips, uint64_t *next, uint64_t base,
                  int keep)
{
    float x[WIDTH], y[WIDTH];
    memcpy(x, image[i], sizeof x);
    for (int l = 0; l < LAYERS; l++) {
        for (int j = 0; j < WIDTH; j++) {
            uint32_t code = bsr_encode(&tensors[l].q, x[j]);
            uint64_t first = base + (uint64_t)(l * WIDTH + j) * 8;
            if (keep)
                codes[i][l][j] = code;
            while (flips && *next < first + 8) {
                code ^= 1u << (*next - first);
                if (!bsr_flips_next(flips, next))
                    *next = UINT64_MAX;
            }
            x[j] = bsr_decode(&tensors[l].q, code);
        }
        matrix(l, x, y);
        for (int k = 0; k < rows_of(l); k++) {
            if (keep)
                passes[i][l][k] =
                    l == LAYERS - 1 || (y[k] > 0 && y[k] < bsr_decode(&tensors[l + 1].q, 127));
            x[k] = l < LAYERS - 1 && y[k] < 0 ? 0 : y[k];
        }
    }
    memcpy(z, x, CLASSES * sizeof *z);
}

static int top1(const float *z)
{
    int best = 0;
    for (int k = 1; k < CLASSES; k++)
        best = z[k] > z[best] ? k : best;
    return best;
}

/* Biases that put the mean of each neuron of layer l over the prototypes at 2.5 standard deviations
 * above zero, or below for every fourth; the prototypes become what the layer makes of them. */
static void make_layer(int l)
{
    static float y[CLASSES][WIDTH];
    double mean[WIDTH] = {0}, variance = 0;
    for (int k = 0; k < CLASSES; k++) {
        matrix(l, prototype[k], y[k]);
        for (int j = 0; j < WIDTH; j++)
            mean[j] += (double)y[k][j] / CLASSES;
    }
    for (int k = 0; k < CLASSES; k++)
        for (int j = 0; j < WIDTH; j++)
            variance += pow((double)y[k][j] - mean[j], 2) / (CLASSES * WIDTH);
    for (int j = 0; j < WIDTH; j++) {
        bias[l][j] = (float)((j % 4 ? 2.5 : -2.5) * sqrt(variance) - mean[j]);
        for (int k = 0; k < CLASSES; k++)
            prototype[k][j] = fmaxf(y[k][j] + bias[l][j], 0);
    }
}

/* Images are prototypes of the classes with noise. Hidden layers are random, with biases that keep
 * most neurons away from the kink of their ReLU, where derivatives say least. The last layer's
 * weights for a class are its prototype's features less the mean of all: margins as a trained
 * network has them, without training. */
static void make_network(double range[LAYERS])
{
    const int last = LAYERS - 1;
    bsr_normals_fill(normals, weight[0][0], LAYERS * WIDTH * WIDTH, 20, 1);
    bsr_normals_fill(normals, image[0], IMAGES * WIDTH, 20, 2);
    bsr_normals_fill(normals, prototype[0], CLASSES * WIDTH, 20, 3);
    for (int l = 0; l < LAYERS; l++)
        for (int j = 0; j < WIDTH; j++)
            for (int k = 0; k < WIDTH; k++)
                weight[l][j][k] /= sqrtf(WIDTH);
    for (int i = 0; i < IMAGES; i++) {
        label[i] = i % CLASSES;
        for (int j = 0; j < WIDTH; j++)
            image[i][j] = prototype[label[i]][j] + NOISE * image[i][j];
    }
    for (int l = 0; l < LAYERS; l++) {
        double squares = 0;
        for (int k = 0; k < CLASSES; k++)
            for (int j = 0; j < WIDTH; j++)
                squares += (double)(prototype[k][j] * prototype[k][j]);
        range[l] = RANGE * sqrt(squares / (CLASSES * WIDTH));
        if (l < last)
            make_layer(l);
    }
    for (int j = 0; j < WIDTH; j++) {
        float mean = 0;
        for (int k = 0; k < CLASSES; k++)
            mean += prototype[k][j] / CLASSES;
        for (int k = 0; k < CLASSES; k++)
            weight[last][j][k] = (prototype[k][j] - mean) / WIDTH;
    }
    /* Nearest prototype: half its squared norm is taken from its score. */
    for (int k = 0; k < CLASSES; k++)
        for (int j = 0; j < WIDTH; j++)
            bias[last][k] -= prototype[k][j] * weight[last][j][k] / 2;
}

/* Adds up mean and covariance of image i's logits. */
static void first_order(int i, double mean[CLASSES], double covariance[CLASSES][CLASSES])
{
    static double slope[CLASSES][WIDTH], before[CLASSES][WIDTH];
    memset(slope, 0, sizeof slope);
    for (int k = 0; k < CLASSES; k++)
        slope[k][k] = 1;
    for (int l = LAYERS - 1; l >= 0; l--) {
        memset(before, 0, sizeof before);
        for (int c = 0; c < CLASSES; c++)
            for (int k = 0; k < rows_of(l); k++)
                for (int j = 0; j < WIDTH && passes[i][l][k]; j++)
                    before[c][j] += slope[c][k] * (double)weight[l][j][k];
        memcpy(slope, before, sizeof slope);
        for (int j = 0; j < WIDTH; j++) {
            bsr_disturbance d = bsr_disturbance_of(&tensors[l].d, 0, codes[i][l][j]);
            for (int a = 0; a < CLASSES; a++) {
                mean[a] += (double)d.mean * slope[a][j];
                for (int b = 0; b < CLASSES; b++)
                    covariance[a][b] += (double)d.square * slope[a][j] * slope[b][j];
            }
        }
    }
}

/* a becomes its lower factor. */
static void cholesky(double a[CLASSES][CLASSES])
{
    for (int j = 0; j < CLASSES; j++)
        for (int i = j; i < CLASSES; i++) {
            for (int k = 0; k < j; k++)
                a[i][j] -= a[i][k] * a[j][k];
            a[i][j] = i == j ? sqrt(a[j][j]) : a[i][j] / a[j][j];
        }
}

static int setup(void **state)
{
    static char name[] = "x", format[] = "int8";
    double range[LAYERS];
    if (bsr_normals_new(&normals) != BSR_OK || bsr_top1_rule_new(&rule) != BSR_OK)
        return -1;
    make_network(range);
    for (int l = 0; l < LAYERS; l++) {
        struct stored *t = &tensors[l];
        if (bsr_format_parse(&t->stored.format, format) != BSR_OK)
            return -1;
        bsr_quantiser_init(&t->q, &t->stored.format, -range[l], range[l]);
        t->stored.quantisers = &t->q;
        t->stored.channels = 1;
        t->space = (bsr_space){.place = BSR_FAULT_VALUE,
                               .name = name,
                               .format = format,
                               .dtype = BSR_F32,
                               .esize = 4,
                               .width = 8,
                               .stored = &t->stored,
                               .channels = 1,
                               .n_chosen = 1,
                               .chosen = t->chosen,
                               .n_variants = 8,
                               .variants = {0, 1, 2, 3, 4, 5, 6, 7}};
        if (bsr_disturbances_init(&t->d, &t->space) != BSR_OK)
            return -1;
    }
    for (int i = 0; i < IMAGES; i++) {
        infer(i, logits[i], NULL, NULL, 0, 1);
        first_order(i, shift[i], factor[i]);
        cholesky(factor[i]);
    }
    return 0;
}

static int teardown(void **state)
{
    for (int l = 0; l < LAYERS; l++)
        bsr_disturbances_clear(&tensors[l].d);
    bsr_normals_free(normals);
    bsr_top1_rule_free(rule);
    return 0;
}

/* Means of the logits' disturbances by moments of single neurons, layer by layer: what saturation
 * and ReLU do to the noise of the layers before shifts means in proportion to the bit error rate,
 * as the flips' own means do, and derivatives do not see it. */
static void propagate(int i, double ber, double mean[CLASSES])
{
    bsr_moments x[WIDTH] = {{0, 0}}, y[WIDTH];
    for (int l = 0; l < LAYERS; l++) {
        float golden[WIDTH], sum[WIDTH];
        for (int j = 0; j < WIDTH; j++) {
            bsr_disturbance d = bsr_disturbance_of(&tensors[l].d, 0, codes[i][l][j]);
            golden[j] = bsr_decode(&tensors[l].q, codes[i][l][j]);
            x[j].mean += ber * (double)d.mean;
            x[j].variance += ber * (double)d.square;
        }
        matrix(l, golden, sum);
        for (int k = 0; k < rows_of(l); k++) {
            y[k] = (bsr_moments){0, 0};
            for (int j = 0; j < WIDTH; j++) {
                double w = (double)weight[l][j][k];
                y[k].mean += w * x[j].mean;
                y[k].variance += w * w * x[j].variance;
            }
            if (l == LAYERS - 1) {
                mean[k] = y[k].mean;
                continue;
            }
            double g = (double)sum[k], hi = (double)bsr_decode(&tensors[l + 1].q, 127);
            x[k] = bsr_moments_clip(g + y[k].mean, y[k].variance, 0, hi);
            x[k].mean -= fmin(fmax(g, 0), hi);
        }
    }
}

typedef struct outcome {
    double rmse, accuracy;
    double logits_accuracy; /* by equal independent noise of the same RMSE */
} outcome;

static outcome flipped_bits(double ber)
{
    const uint64_t bits = LAYERS * WIDTH * 8;
    bsr_flips flips;
    uint64_t next;
    outcome out = {0};
    assert_int_equal(bsr_flips_init(&flips, bits * IMAGES * RUNS, ber, 20, 4), BSR_OK);
    if (!bsr_flips_next(&flips, &next))
        next = UINT64_MAX;
    for (int run = 0; run < IMAGES * RUNS; run++) {
        float z[CLASSES];
        int i = run % IMAGES;
        infer(i, z, &flips, &next, (uint64_t)run * bits, 0);
        out.accuracy += top1(z) == label[i];
        for (int k = 0; k < CLASSES; k++)
            out.rmse += pow((double)(z[k] - logits[i][k]), 2);
    }
    out.accuracy /= IMAGES * RUNS;
    out.rmse = sqrt(out.rmse / (IMAGES * RUNS * CLASSES));
    return out;
}

typedef enum means { NONE, DERIVATIVES, MOMENTS } means;

static outcome predicted(double ber, means of)
{
    static float noise[DRAWS][CLASSES];
    outcome out = {0};
    for (int i = 0; i < IMAGES; i++) {
        double square = 0, mean[CLASSES] = {0};
        for (int k = 0; k < CLASSES && of == DERIVATIVES; k++)
            mean[k] = ber * shift[i][k];
        if (of == MOMENTS)
            propagate(i, ber, mean);
        for (int k = 0; k < CLASSES; k++) {
            square += mean[k] * mean[k];
            for (int j = 0; j <= k; j++)
                square += ber * factor[i][k][j] * factor[i][k][j];
        }
        out.rmse += square / (IMAGES * CLASSES);
        bsr_normals_fill(normals, noise[0], DRAWS * CLASSES, 20, 5 + (uint64_t)i);
        for (int r = 0; r < DRAWS; r++) {
            float z[CLASSES];
            for (int k = 0; k < CLASSES; k++) {
                double sum = 0;
                for (int j = 0; j <= k; j++)
                    sum += factor[i][k][j] * (double)noise[r][j];
                z[k] = (float)((double)logits[i][k] + mean[k] + sqrt(ber) * sum);
            }
            out.accuracy += (double)(top1(z) == label[i]) / (IMAGES * DRAWS);
        }
    }
    out.rmse = sqrt(out.rmse);
    for (int i = 0; i < IMAGES; i++)
        out.logits_accuracy +=
            bsr_top1_probability(rule, logits[i], CLASSES, label[i], out.rmse) / IMAGES;
    return out;
}

static void assert_near(const char *what, double ber, double got, double expected, double most)
{
    if (!(fabs(got - expected) <= most))
        fail_msg("%s at rate %g: %g by bits, %g predicted", what, ber, expected, got);
}

/* RMSE within 5 % where first order holds. Accuracy, of which 3000 inferences have a standard error
 * below 0.8 %, within 1.2 points with the means of moments, 2.5 points beyond first order's range;
 * the less of the means is known, the worse. */
static void test_analysis_first_order__activations(void **state)
{
    static const double rates[] = {1e-3, 3e-3, 1e-2, 3e-2};
    for (int r = 0; r < 4; r++) {
        double ber = rates[r];
        outcome bits = flipped_bits(ber), none = predicted(ber, NONE),
                derivatives = predicted(ber, DERIVATIVES), moments = predicted(ber, MOMENTS);
        int linear = ber <= 1e-2;
        assert_near("RMSE", ber, moments.rmse, bits.rmse, (linear ? 0.05 : 0.13) * bits.rmse);
        assert_near("RMSE", ber, derivatives.rmse, bits.rmse, (linear ? 0.04 : 0.1) * bits.rmse);
        assert_near("accuracy", ber, moments.accuracy, bits.accuracy, linear ? 0.012 : 0.025);
        assert_near("accuracy by derivatives", ber, derivatives.accuracy, bits.accuracy,
                    linear ? 0.02 : 0.08);
        assert_near("accuracy by logits", ber, moments.logits_accuracy, bits.accuracy,
                    linear ? 0.02 : 0.11);
        if (ber >= 1e-2) {
            double error = none.accuracy - bits.accuracy;
            assert_true(error > 0.015 && error > derivatives.accuracy - bits.accuracy);
            assert_true(derivatives.accuracy > moments.accuracy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_analysis_first_order__activations),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
