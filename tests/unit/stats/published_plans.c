/* Sample sizes that papers printed, computed from nothing but the shapes of their networks.
 *
 * M. H. Ahmadilivani et al., "DeepVigor+: scalable and accurate semi-analytical fault resilience
 * analysis for deep neural networks", 2024, arXiv 2410.15742: six networks, convolutions only,
 * t = 1.96, e = 1 %, p = 0.5. Checked against the figures at hand: Table VI, all 18 cells of the
 * layer-wise plans and of the data-aware one for activations, and the first and the last network of
 * the other three columns (24 cells of 36; the other 12 are tied to their column by the relation
 * between the plans); Table II, one count; Table V, all 12 cells through the printed range of their
 * ratios to the simulations of DeepVigor+.
 *
 * A. Ruospo et al., "Assessing convolutional neural networks reliability through statistical fault
 * injections", DATE 2023, and the data published with it: two networks, stuck-at faults (two a
 * bit), t = 2.58, all four plans. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "stats/sample_size.h"

#define BITS       32
#define MAX_LAYERS 64

typedef struct conv {
    int kernel;
    int in;
    int out;
    int stride;
    int groups;
    int size; /* height and width of the input */
} conv;

typedef struct network {
    conv layers[MAX_LAYERS];
    int count;
} network;

static void add(network *net, conv layer)
{
    assert_true(net->count < MAX_LAYERS);
    net->layers[net->count++] = layer;
}

/* Configuration A or D of Simonyan and Zisserman for 32 x 32 inputs, the former without the first
 * of its poolings; 0 is a pooling, -1 the end. */
static void make_vgg(network *net, const int *widths)
{
    int in = 3;
    int size = 32;
    for (; *widths >= 0; widths++) {
        if (*widths == 0) {
            size /= 2;
            continue;
        }
        add(net, (conv){3, in, *widths, 1, 1, size});
        in = *widths;
    }
}

/* Basic blocks of He et al., 1 x 1 convolutions in the three shortcuts that change shape. */
static void make_resnet(network *net, const int blocks[4], int imagenet)
{
    add(net, imagenet ? (conv){7, 3, 64, 2, 1, 224} : (conv){3, 3, 64, 1, 1, 32});
    int size = imagenet ? 56 : 32;
    int in = 64;
    for (int stage = 0; stage < 4; stage++)
        for (int block = 0; block < blocks[stage]; block++) {
            int out = 64 << stage;
            int stride = stage > 0 && block == 0 ? 2 : 1;
            add(net, (conv){3, in, out, stride, 1, size});
            add(net, (conv){3, out, out, 1, 1, size / stride});
            if (stride == 2)
                add(net, (conv){1, in, out, stride, 1, size});
            size /= stride;
            in = out;
        }
}

/* Expansion, width, repetitions and first stride of Sandler et al.'s bottlenecks. */
static const int bottlenecks[7][4] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                      {6, 96, 3, 1}, {6, 160, 3, 1}, {6, 320, 1, 1}};

/* A common variant for 32 x 32 inputs: the first convolution is 1 x 1 with padding 1 (hence 34) and
 * the classifier a convolution. */
static void make_mobilenet_v2(network *net)
{
    add(net, (conv){1, 3, 32, 1, 1, 32});
    int size = 34;
    int in = 32;
    for (int row = 0; row < 7; row++)
        for (int block = 0; block < bottlenecks[row][2]; block++) {
            int wide = in * bottlenecks[row][0];
            int out = bottlenecks[row][1];
            int stride = block == 0 ? bottlenecks[row][3] : 1;
            add(net, (conv){1, in, wide, 1, 1, size});
            add(net, (conv){3, wide, wide, stride, wide, size});
            size = (size - 1) / stride + 1;
            add(net, (conv){1, wide, out, 1, 1, size});
            in = out;
        }
    add(net, (conv){1, 320, 1280, 1, 1, size});
    add(net, (conv){1, 1280, 100, 1, 1, 1});
}

/* What the paper prints of one network; 0: not at hand. */
typedef struct published {
    const char *name;
    int convolutions;
    double neurons; /* Table II */
    /* Table VI, activations then filters */
    double layer_wise[2];
    double data_unaware[2];
    double data_aware[2];
    /* simulations of DeepVigor+, activations then filters: complete and with 10 % sampling */
    double complete[2];
    double sampled[2];
} published;

static const published deepvigor[6] = {
    {"VGG-11, CIFAR-10",
     8,
     232448,
     {74863, 75351},
     {1562657, 2141913},
     {71173, 66934},
     {1636414, 11035},
     {4596, 1038}},
    {"VGG-16, CIFAR-100",
     13,
     0,
     {117992, 123266},
     {0, 0},
     {106513, 0},
     {2018447, 13704},
     {10283, 1476}},
    {"ResNet-18, CIFAR-100",
     20,
     0,
     {188644, 189772},
     {0, 0},
     {181911, 0},
     {3387189, 15906},
     {15996, 1706}},
    {"MobileNetV2, CIFAR-100",
     54,
     0,
     {493871, 475407},
     {0, 0},
     {452650, 0},
     {3029125, 42234},
     {22077, 4364}},
    {"ResNet-18, ImageNet",
     20,
     0,
     {191205, 190896},
     {0, 0},
     {189325, 0},
     {20730314, 23450},
     {21680, 2178}},
    {"ResNet-34, ImageNet",
     36,
     0,
     {344042, 344285},
     {9624374, 10031494},
     {340383, 313484},
     {28821489, 43098},
     {39002, 4003}},
};

static void make_network(network *net, int which)
{
    static const int vgg11[] = {64, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, -1};
    static const int vgg16[] = {64, 64,  0,   128, 128, 0,   256, 256, 256,
                                0,  512, 512, 512, 0,   512, 512, 512, -1};
    static const int blocks18[4] = {2, 2, 2, 2};
    static const int blocks34[4] = {3, 4, 6, 3};
    net->count = 0;
    if (which < 2)
        make_vgg(net, which == 0 ? vgg11 : vgg16);
    else if (which == 3)
        make_mobilenet_v2(net);
    else
        make_resnet(net, which == 5 ? blocks34 : blocks18, which >= 4);
}

/* Values that a layer stores: its inputs, or its filters' weights. */
static double stored(const conv *c, int filters)
{
    return filters ? (double)c->kernel * c->kernel * (c->in / c->groups) * c->out
                   : (double)c->in * c->size * c->size;
}

static double size_of(double N, double t, double p)
{
    double n;
    assert_int_equal(bsr_sample_size_real(&n, N, 0.01, t, p), BSR_OK);
    return n;
}

/* Sum over the layers of `strata` samples, each from `share` stored values times a stratum's bits;
 * the paper cuts only the sum to a whole number. */
static double plan(const network *net, int filters, double bits, double strata)
{
    double sum = 0;
    for (int i = 0; i < net->count; i++)
        sum += strata * size_of(bits * stored(&net->layers[i], filters), BSR_T95, 0.5);
    return floor(sum);
}

static void expect(const published *p, const char *cell, int filters, double got, double want)
{
    if (want != 0 && got != want)
        fail_msg("%s, %s of %s: got %.0f, published %.0f", p->name, cell,
                 filters ? "filters" : "activations", got, want);
}

/* "Data-aware" is in that table: for filters one critical bit of each weight, for activations ten
 * bits of each value pooled, with p = 0.5 in both. */
static void test_stats_published_plans__deepvigor_table_6(void **state)
{
    for (int which = 0; which < 6; which++) {
        const published *p = &deepvigor[which];
        network net;
        make_network(&net, which);
        assert_int_equal(net.count, p->convolutions);
        for (int filters = 0; filters < 2; filters++) {
            double unaware = plan(&net, filters, 1, BITS);
            double aware = filters ? plan(&net, 1, 1, 1) : plan(&net, 0, 10, 1);
            expect(p, "layer-wise", filters, plan(&net, filters, BITS, 1), p->layer_wise[filters]);
            expect(p, "data-unaware", filters, unaware, p->data_unaware[filters]);
            expect(p, "data-aware", filters, aware, p->data_aware[filters]);
            if (filters)
                assert_true(aware == floor(unaware / BITS));
        }
    }
}

static void check_range(double low, double high, double want_low, double want_high, double unit)
{
    /* The paper cuts its ratios. */
    assert_true(fabs(floor(low / unit) * unit - want_low) < unit / 2);
    assert_true(fabs(floor(high / unit) * unit - want_high) < unit / 2);
}

/* The text gives the ranges over the networks: exhaustive injection (Table V: 32 faults of each
 * input and of each weight) needs 2.93 to 9.02 times the simulations of the complete method for
 * activations and 1,756 to 34,350 times for filters; the data-aware plan 8.72 to 20.5 and 59.4 to
 * 96.2 times those of the sampled one, 14.9 to 26.9 times in total. */
static void test_stats_published_plans__deepvigor_ratios(void **state)
{
    double low[5], high[5];
    for (int i = 0; i < 5; i++) {
        low[i] = INFINITY;
        high[i] = 0;
    }
    for (int which = 0; which < 6; which++) {
        const published *p = &deepvigor[which];
        network net;
        make_network(&net, which);
        double values[2] = {0, 0};
        for (int i = 0; i < net.count; i++)
            for (int filters = 0; filters < 2; filters++)
                values[filters] += stored(&net.layers[i], filters);
        expect(p, "Table II", 0, values[0], p->neurons);
        double act = plan(&net, 0, 10, 1);
        double filt = plan(&net, 1, 1, 1);
        const double ratio[5] = {BITS * values[0] / p->complete[0],
                                 BITS * values[1] / p->complete[1], act / p->sampled[0],
                                 filt / p->sampled[1],
                                 (act + filt) / (p->sampled[0] + p->sampled[1])};
        for (int i = 0; i < 5; i++) {
            low[i] = fmin(low[i], ratio[i]);
            high[i] = fmax(high[i], ratio[i]);
        }
    }
    check_range(low[0], high[0], 2.93, 9.02, 0.01);
    check_range(low[1], high[1], 1756, 34350, 1);
    assert_true(floor(low[2] * 100) == 872 && floor(high[2] * 10) == 205);
    check_range(low[3], high[3], 59.4, 96.2, 0.1);
    check_range(low[4], high[4], 14.9, 26.9, 0.1);
}

/* Weights of the convolutions and the classifier. */
typedef struct weights {
    double layers[MAX_LAYERS];
    int count;
} weights;

/* The published data have ten weights too many in layer 11 (268,346, the network has 268,336). */
static void make_resnet20(weights *w)
{
    w->count = 0;
    w->layers[w->count++] = 3 * 16 * 9;
    for (int stage = 0; stage < 3; stage++)
        for (int i = 0; i < 6; i++) {
            double out = 16 << stage;
            w->layers[w->count++] = (stage > 0 && i == 0 ? out / 2 : out) * out * 9;
        }
    w->layers[w->count++] = 64 * 10;
    w->layers[11] += 10;
}

static void make_mobilenet_v2_10(weights *w)
{
    w->count = 0;
    w->layers[w->count++] = 3 * 32 * 9;
    double in = 32;
    for (int row = 0; row < 7; row++)
        for (int block = 0; block < bottlenecks[row][2]; block++) {
            double wide = in * bottlenecks[row][0];
            double out = bottlenecks[row][1];
            w->layers[w->count++] = in * wide;
            w->layers[w->count++] = wide * 9;
            w->layers[w->count++] = wide * out;
            in = out;
        }
    w->layers[w->count++] = 320 * 1280;
    w->layers[w->count++] = 1280 * 10;
}

/* Assumed criticality of the bits, bit 0 first, as far as the sample sizes published with the paper
 * give it away, and the unit of the last digit. */
static double bit_p(int bit, double *digit)
{
    static const double p[10][2] = {
        {0.000105, 1e-6}, {0.00036, 1e-5}, {0.0052, 1e-4},  {0.0277, 1e-4}, {0.0034, 1e-4},
        {0.00047, 1e-5},  {0.00045, 1e-5}, {0.00045, 1e-5}, {0.5, 0},       {0.00214, 1e-5}};
    int row = bit < 23 ? 0 : bit - 22;
    *digit = p[row][1];
    return p[row][0];
}

static void check_ruospo(const weights *w, double faults, double network_wise, double layer_wise,
                         double unaware, double aware)
{
    double N = 0;
    double sums[2] = {0, 0};  /* layer-wise, data-unaware */
    double low = 0, high = 0; /* data-aware, ends of what the digits leave open */
    for (int i = 0; i < w->count; i++) {
        double of_bit = 2 * w->layers[i];
        N += BITS * of_bit;
        sums[0] += rint(size_of(BITS * of_bit, BSR_T99, 0.5));
        sums[1] += BITS * rint(size_of(of_bit, BSR_T99, 0.5));
        for (int bit = 0; bit < BITS; bit++) {
            double digit;
            double p = bit_p(bit, &digit);
            low += rint(size_of(of_bit, BSR_T99, p - digit / 2));
            high += rint(size_of(of_bit, BSR_T99, p + digit / 2));
        }
    }
    assert_true(N == faults);
    assert_true(floor(size_of(N, BSR_T99, 0.5)) == network_wise);
    assert_true(sums[0] == layer_wise);
    assert_true(sums[1] == unaware);
    assert_true(low <= aware && aware <= high && high - low < 0.002 * aware);
}

/* Each stratum is rounded to the nearest whole number; the network-wise plan is cut. */
static void test_stats_published_plans__ruospo(void **state)
{
    weights w;
    make_resnet20(&w);
    assert_int_equal(w.count, 20);
    check_ruospo(&w, 17174144, 16624, 307650, 4885760, 201079);
    make_mobilenet_v2_10(&w);
    assert_int_equal(w.count, 54);
    check_ruospo(&w, 141029376, 16639, 838988, 14894400, 598383);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_published_plans__deepvigor_table_6),
        cmocka_unit_test(test_stats_published_plans__deepvigor_ratios),
        cmocka_unit_test(test_stats_published_plans__ruospo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
