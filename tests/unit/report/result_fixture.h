/* A small result made by hand. */
#ifndef BSR_TEST_RESULT_FIXTURE_H
#define BSR_TEST_RESULT_FIXTURE_H

#include <math.h>

#include "bitseer/campaign.h"

/* Two layers, bits 0 and 31, three images, everything injected: 4 and 2 sites, 8 and 4 faults, 24
 * and 12 pairs. Bit 31: 3 and 6 critical of 12 and 6 pairs; bit 0: 1 and 0. Of the masked pairs 5
 * ended in layer 0, 6 in layer 5, 2 in layer 2 and 1 before. */
typedef struct fixture {
    bsr_result r;
    bsr_layer_result layers[2];
    bsr_part bits[2][2], all_bits[2], channels[1];
    bsr_masking maskings[2][3];
    bsr_plan_stratum strata[2];
    bsr_worst_site worst[1];
    char spec[32];
} fixture;

static inline bsr_outcomes outcomes(uint64_t pairs, uint64_t masked, uint64_t critical,
                                    uint64_t due)
{
    return (bsr_outcomes){.pairs = pairs,
                          .masked = masked,
                          .benign = pairs - masked - critical,
                          .critical = critical,
                          .due = due,
                          .sdc = critical - due};
}

static inline bsr_share exact(double v)
{
    return (bsr_share){v, v, v};
}

/* critical is known, the others are as with rays. */
static inline void critical_only(bsr_share metrics[BSR_METRICS], bsr_share critical)
{
    for (int m = 0; m < BSR_METRICS; m++)
        metrics[m] = (bsr_share){NAN, NAN, NAN};
    metrics[BSR_METRIC_CRITICAL] = critical;
}

static inline bsr_part part(int index, uint64_t sites, uint64_t faults, bsr_outcomes o,
                            bsr_share vf)
{
    bsr_part p = {.index = index, .sites = sites, .faults = faults, .outcomes = o, .vf = vf};
    critical_only(p.metrics, vf);
    return p;
}

static inline bsr_result *make_result(fixture *f)
{
    *f = (fixture){.spec = "inject target=weight"};
    f->bits[0][0] = part(0, 4, 4, outcomes(12, 6, 1, 0), exact(1.0 / 12));
    f->bits[0][1] = part(31, 4, 4, outcomes(12, 2, 3, 1), exact(0.25));
    f->bits[1][0] = part(0, 2, 2, outcomes(6, 6, 0, 0), exact(0));
    f->bits[1][1] = part(31, 2, 2, outcomes(6, 0, 6, 0), exact(1));
    f->all_bits[0] = part(0, 6, 6, outcomes(18, 12, 1, 0), exact(1.0 / 18));
    f->all_bits[1] = part(31, 6, 6, outcomes(18, 2, 9, 1), exact(0.5));
    f->channels[0] = part(7, 2, 4, outcomes(12, 6, 6, 0), (bsr_share){0.5, 0.25, NAN});
    f->layers[0] = (bsr_layer_result){.index = 0,
                                      .name = "conv\"1",
                                      .op = "Conv",
                                      .format = "float32",
                                      .sites = 4,
                                      .population = 8,
                                      .faults = 8,
                                      .outcomes = outcomes(24, 8, 4, 1),
                                      .vf = exact(4.0 / 24),
                                      .rmse = {0.75, 0.5, 1},
                                      .n_maskings = 3,
                                      .maskings = f->maskings[0],
                                      .n_bits = 2,
                                      .bits = f->bits[0]};
    f->layers[1] = (bsr_layer_result){.index = 5,
                                      .name = "f\xffg\n",
                                      .op = "Gemm",
                                      .format = "float32",
                                      .sites = 2,
                                      .population = 4,
                                      .sampled_sites = 0,
                                      .faults = 4,
                                      .outcomes = outcomes(12, 6, 6, 0),
                                      .vf = exact(0.5),
                                      .rmse = {NAN, NAN, NAN},
                                      .n_maskings = 1,
                                      .maskings = f->maskings[1],
                                      .n_bits = 2,
                                      .bits = f->bits[1],
                                      .n_channels = 1,
                                      .channels = f->channels};
    critical_only(f->layers[0].metrics, f->layers[0].vf);
    critical_only(f->layers[1].metrics, f->layers[1].vf);
    f->maskings[0][0] = (bsr_masking){-1, 1};
    f->maskings[0][1] = (bsr_masking){0, 5};
    f->maskings[0][2] = (bsr_masking){2, 2};
    f->maskings[1][0] = (bsr_masking){5, 6};
    f->strata[0] = (bsr_plan_stratum){1, 31, 0.5, 2, 2};
    f->strata[1] = (bsr_plan_stratum){-1, -1, 0.25, 10, 10};
    f->worst[0] = (bsr_worst_site){1, 9, -1, INFINITY, 3, 6};
    f->r = (bsr_result){
        .command = "inject",
        .target = "weight",
        .fault = "bitflip",
        .format = "",
        .method = "direct",
        .sampling = "exhaustive",
        .complete = 1,
        .planned = 12,
        .images = 3,
        .golden_correct = 2,
        .confidence = 0.95,
        .outcomes_known = 1,
        .masking_known = 1,
        .n_bits = 2,
        .bits = f->all_bits,
        .n_layers = 2,
        .layers = f->layers,
        .total = outcomes(36, 14, 10, 1),
        .mvf = exact(10.0 / 36),
        .rmse = {NAN, NAN, NAN},
        .n_strata = 2,
        .strata = f->strata,
        .n_worst = 1,
        .worst = f->worst,
        .performance = {.seconds = 0.5,
                        .golden_seconds = 0.001,
                        .forward_seconds = 0.002,
                        .evaluations = 36,
                        .injections = 12,
                        .forward_equivalents = 1.5,
                        .lanes_per_second = 72,
                        .injections_per_second = 24,
                        .threads = 2,
                        .cpu = "avx2"},
        .provenance = {"0.1.0", "m.onnx", "aa", "npy:x,y", "bb", "Some CPU", f->spec, UINT64_MAX}};
    critical_only(f->r.metrics, f->r.mvf);
    return &f->r;
}

#endif
