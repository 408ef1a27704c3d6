/* A prediction made by hand. */
#ifndef BSR_TEST_PREDICTION_FIXTURE_H
#define BSR_TEST_PREDICTION_FIXTURE_H

#include <math.h>

#include "bitseer/predict.h"

/* Three rates, the first two by one rule, the last one unknown; two shares, a layer, read-offs. */
typedef struct prediction_fixture {
    bsr_prediction p;
    bsr_predicted_point points[3];
    bsr_variance_share shares[2];
    bsr_layer_rmse rates[2];
    bsr_layer_statistics layer;
    bsr_read_off read_offs[1];
    double accuracy[3], rmse[3];
    char spec[8];
} prediction_fixture;

static inline bsr_prediction *make_prediction(prediction_fixture *f)
{
    const bsr_share unknown = {NAN, NAN, NAN};
    *f = (prediction_fixture){.spec = "predict", .accuracy = {0.75, 0.5, NAN}, .rmse = {1, 2, 3}};
    f->points[0] = (bsr_predicted_point){.ber = 1e-6,
                                         .model = BSR_MODEL_POISSON,
                                         .reason = "kurtosis \"12\" above 1",
                                         .flips = 1.5,
                                         .accuracy = {0.75, 0.5, 0.875},
                                         .critical = {0.125, 0.0625, 0.25},
                                         .sdc = {0.0625, 0, 0.25},
                                         .due = {0, 0, 0},
                                         .top5 = {0, 0, 0.125},
                                         .rmse = {0.5, 0.25, 0.75},
                                         .kurtosis = 12,
                                         .linearity = NAN,
                                         .logits_accuracy = 0.625};
    f->points[1] = f->points[0];
    f->points[1].ber = 0.001;
    f->points[1].linearity = 1.25;
    f->points[2] = (bsr_predicted_point){.ber = 0.01,
                                         .model = BSR_MODEL_NOISE,
                                         .reason = "n\xff",
                                         .flips = NAN,
                                         .accuracy = unknown,
                                         .critical = unknown,
                                         .sdc = unknown,
                                         .due = unknown,
                                         .top5 = unknown,
                                         .rmse = unknown,
                                         .kurtosis = NAN,
                                         .linearity = NAN,
                                         .logits_accuracy = NAN};
    f->shares[0] = (bsr_variance_share){BSR_TARGET_WEIGHT,  3,   "conv\"1", "Conv", "int8", 1152,
                                        {0.75, 0.5, 0.875}, 100, 0.25};
    f->shares[1] = (bsr_variance_share){BSR_TARGET_ACTIVATION, 0,    "image", "", "uint8", 6272,
                                        {0.25, NAN, NAN},      12.5, 2};
    f->rates[0] = (bsr_layer_rmse){1e-6, 0.5, 0.25, 3, 4};
    f->rates[1] = (bsr_layer_rmse){0.001, 8, NAN, NAN, 0.5};
    f->layer = (bsr_layer_statistics){
        .name = "relu", .op = "Relu", .rms = 2, .n_rates = 2, .rates = f->rates, .qq_ber = 0.001};
    for (int i = 0; i < BSR_QQ_POINTS; i++)
        f->layer.qq[i] = i ? 0.25 * (i - 16) : NAN;
    f->read_offs[0] = (bsr_read_off){"width", "int12", f->accuracy, f->rmse};
    f->p =
        (bsr_prediction){.target = "weight,activation",
                         .format = "int8",
                         .images = 8,
                         .golden_correct = 6,
                         .top5_correct = 8,
                         .moment_images = 4,
                         .disturbed = 64,
                         .confidence = 0.95,
                         .format_loss = 0.125,
                         .linear_limit = 0.001,
                         .normal_limit = INFINITY,
                         .n_points = 3,
                         .points = f->points,
                         .n_shares = 2,
                         .shares = f->shares,
                         .n_layers = 1,
                         .layers = &f->layer,
                         .n_read_offs = 1,
                         .read_offs = f->read_offs,
                         .performance = {.seconds = 0.5,
                                         .golden_seconds = 0.001,
                                         .forward_seconds = 0.002,
                                         .evaluations = 80,
                                         .injections = 10,
                                         .forward_equivalents = 12.5,
                                         .lanes_per_second = 160,
                                         .injections_per_second = 20,
                                         .threads = 1,
                                         .cpu = "ref"},
                         .provenance = {"0.1.0", "m", "aa", "d", "bb", NULL, f->spec, UINT64_MAX}};
    return &f->p;
}

#endif
