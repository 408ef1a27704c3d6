/* A plan, a sweep and a comparison made by hand. */
#ifndef BSR_TEST_CAMPAIGN_FIXTURE_H
#define BSR_TEST_CAMPAIGN_FIXTURE_H

#include <math.h>

#include "bitseer/campaign.h"

/* Two layers of 20 sites with bits 0 and 30. */
typedef struct plan_fixture {
    bsr_plan_result p;
    bsr_plan_layer layers[2];
    bsr_plan_stratum strata[4];
} plan_fixture;

static inline bsr_plan_result *make_plan(plan_fixture *f)
{
    *f = (plan_fixture){
        .layers = {{0, "conv\"1", "Conv", 20, 40, 20}, {5, "f\xffg\n", "Gemm", 20, 40, 10}},
        .strata = {{0, 0, 0.25, 20, 5},
                   {0, 30, 0.5, 20, 15},
                   {1, 0, 0.125, 20, 0},
                   {1, 30, 0.5, 20, 10}},
    };
    f->p = (bsr_plan_result){.target = "weight",
                             .plan = "data-aware",
                             .fault = "bitflip",
                             .method = "direct",
                             .margin = 0.01,
                             .confidence = 0.95,
                             .t = 1.96,
                             .n_layers = 2,
                             .layers = f->layers,
                             .n_strata = 4,
                             .strata = f->strata,
                             .population = 80,
                             .n = 30};
    return &f->p;
}

/* Two rates, the second one not begun. */
typedef struct sweep_fixture {
    bsr_sweep_result r;
    bsr_sweep_point points[2];
    char spec[8];
} sweep_fixture;

static inline bsr_sweep_result *make_sweep(sweep_fixture *f)
{
    const bsr_distribution none = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    const bsr_share unknown = {NAN, NAN, NAN};
    *f = (sweep_fixture){.spec = "sweep"};
    f->points[0] = (bsr_sweep_point){.ber = 1e-6,
                                     .runs = 10,
                                     .bits = 1781248,
                                     .flips = {1.5, 1, 0, 0.25, 0.5, 1.25, 2, 3, 4},
                                     .accuracy = {0.75, 0.5, 0.875},
                                     .accuracy_runs = none,
                                     .critical = {0.125, 0.0625, 0.25},
                                     .sdc = {0.0625, 0, 0.25},
                                     .due = {0.03125, 0, 0.5},
                                     .top5 = {0, 0, 0.125},
                                     .rmse = 1.5,
                                     .rmse_runs = none,
                                     .rmse_interval = unknown,
                                     .model = BSR_MODEL_BITS};
    f->points[1] = (bsr_sweep_point){.ber = 0.01,
                                     .bits = 1781248,
                                     .flips = none,
                                     .accuracy = unknown,
                                     .accuracy_runs = none,
                                     .critical = unknown,
                                     .sdc = unknown,
                                     .due = unknown,
                                     .top5 = unknown,
                                     .rmse = NAN,
                                     .rmse_runs = none,
                                     .rmse_interval = unknown,
                                     .model = BSR_MODEL_BITS};
    f->r = (bsr_sweep_result){.target = "weight,activation",
                              .format = "int8",
                              .images = 8,
                              .golden_correct = 6,
                              .top5_correct = 8,
                              .confidence = 0.95,
                              .n_points = 2,
                              .points = f->points,
                              .format_loss = 0.125,
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
                              .provenance = {"0.1.0", "m", "aa", "d", "bb", NULL, f->spec, 7}};
    return &f->r;
}

/* The same, its first rate predicted, and held against two measured ones. */
static inline bsr_sweep_result *make_accelerated(sweep_fixture *f)
{
    static bsr_sweep_guard guards[] = {{0.001, 4, 50, 0.5, 0.625, {0.8, 0.75, 0.875}, 1},
                                       {0.002, 1, 50, 0, 0, {NAN, NAN, NAN}, 0}};
    make_sweep(f);
    f->points[0].model = BSR_MODEL_POISSON;
    f->points[0].runs = 0;
    f->points[0].rmse_interval = (bsr_share){1.5, 1.25, 1.75};
    f->r.guards = guards;
    f->r.n_guards = 2;
    return &f->r;
}

/* Two layers, the second one without faults that both runs answered. */
typedef struct comparison_fixture {
    bsr_comparison c;
    bsr_compared_layer layers[2];
} comparison_fixture;

static inline bsr_comparison *make_comparison(comparison_fixture *f)
{
    const bsr_compared_layer first = {.name_a = "conv",
                                      .name_b = "conv",
                                      .faults = 4,
                                      .pairs = 16,
                                      .critical_a = 8,
                                      .critical_b = 4,
                                      .only_a = 5,
                                      .only_b = 1,
                                      .difference = {-0.25, -0.5, 0.0625}};
    f->layers[0] = first;
    f->layers[1] = (bsr_compared_layer){
        .index = 1, .name_a = "fc", .name_b = "gemm", .difference = {NAN, NAN, NAN}};
    f->c = (bsr_comparison){.path_a = "a\".db",
                            .path_b = "b.db",
                            .confidence = 0.9,
                            .images = 4,
                            .n_layers = 2,
                            .layers = f->layers,
                            .total = first,
                            .p_value = 0.21875, /* 2 (1 + 6) / 2^6 */
                            .left_out_a = 3};
    f->c.total.name_a = f->c.total.name_b = "all";
    return &f->c;
}

#endif
