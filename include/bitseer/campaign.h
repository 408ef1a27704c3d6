/* Plans, bit error rate sweeps, and runs kept in databases. */
#ifndef BITSEER_CAMPAIGN_H
#define BITSEER_CAMPAIGN_H

#include "bitseer/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One stratum: faults that are drawn together. */
typedef struct bsr_plan_stratum {
    int layer;           /* position in `layers`, -1: all of them */
    int bit;             /* lowest bit of the fault, -1: all */
    double p;            /* share assumed */
    uint64_t population; /* faults */
    uint64_t n;          /* faults to inject; adaptive: of the first round */
} bsr_plan_stratum;

typedef struct bsr_plan_layer {
    int index;
    const char *name, *op;
    uint64_t sites, population, n;
} bsr_plan_layer;

/* What a run would inject. Owned by the caller of bsr_make_plan. */
typedef struct bsr_plan_result {
    const char *target, *plan, *fault, *method;
    double margin, confidence, t; /* t: normal quantile of the confidence */
    int n_layers;
    bsr_plan_layer *layers;
    int n_strata;
    bsr_plan_stratum *strata;
    uint64_t population, n; /* faults */
    uint64_t sites;         /* method ray: sites that serve the n faults, else 0 */
    void *arena;            /* private */
} bsr_plan_result;

/* Sizes of the samples, without running: needs no data. Transient faults are planned as for one
 * image, as how many there will be is not known. Formats that are calibrated on images are
 * taken as given. Errors as bsr_inject. Caller owns *out. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_make_plan(bsr_plan_result **out, const bsr_model *model,
                                                  const bsr_run_options *options);
BSR_PUBLIC void bsr_plan_result_free(bsr_plan_result *plan);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_plan_json(char **out, const bsr_plan_result *plan);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_plan_text(char **out, const bsr_plan_result *plan);

/* Distribution of one number over the runs at one rate. NaN where there is nothing. Quantiles by
 * linear interpolation. */
typedef struct bsr_distribution {
    double mean, sd, min, q05, q25, median, q75, q95, max;
} bsr_distribution;

/* How a point of accuracy against bit error rate was obtained. Formulas, rules and limits:
 * docs/theory/statistical-models.md. */
typedef enum bsr_error_model {
    BSR_MODEL_AUTO,    /* "auto": by the rules */
    BSR_MODEL_LOGITS,  /* "logits": independent equal normal noise on the golden logits, of the
                          RMSE that first order gives */
    BSR_MODEL_NORMAL,  /* "normal": first-order mean and covariance of the logits */
    BSR_MODEL_POISSON, /* "poisson": numbers of flips, and flips, drawn and taken through the first
                          derivatives; keeps the heavy tails of few flips */
    BSR_MODEL_NOISE,   /* "noise": inferences with normal disturbances in everything stored */
    BSR_MODEL_BITS,    /* "bits": inferences with flipped bits */
    BSR_MODELS
} bsr_error_model;

/* The names above; NULL for another number. */
BSR_PUBLIC const char *bsr_error_model_name(bsr_error_model model);

/* One bit error rate. Shares are of (run, image) pairs. */
typedef struct bsr_sweep_point {
    double ber;
    bsr_error_model model;  /* BSR_MODEL_BITS, or what an accelerated sweep took in its place: then
                               runs is 0, what is told of single runs is NaN, and intervals are as
                               those of bsr_predicted_point */
    int runs;               /* done */
    double bits;            /* stored bits that could flip, each image for activations */
    bsr_distribution flips; /* bits flipped in a run */
    bsr_share accuracy;     /* against the labels; interval of the mean over error patterns */
    bsr_distribution accuracy_runs;
    bsr_share critical, sdc, due, top5; /* the golden class is not among the five greatest */
    double rmse;                        /* of the logits, over pairs that are no DUE */
    bsr_share rmse_interval;            /* the same with its interval; NaN for bits */
    bsr_distribution rmse_runs;
} bsr_sweep_point;

/* What an accelerated sweep compared with bit-level inferences at one rate. */
typedef struct bsr_sweep_guard {
    double ber;
    int patterns, images; /* error patterns, each with so many images */
    double measured;      /* RMSE of the logits, bit level */
    double predicted;     /* of first order on the same images */
    bsr_share ratio;      /* measured / predicted */
    int rescaled;         /* predictions are multiplied by it */
} bsr_sweep_guard;

/* Owned by the caller of bsr_sweep. */
typedef struct bsr_sweep_result {
    const char *target; /* "weight", "activation", "weight,activation", ... */
    const char *format;
    uint64_t images, golden_correct, top5_correct;
    double confidence;
    int n_points;
    bsr_sweep_point *points; /* ascending rate */
    int n_guards;            /* accelerated sweeps */
    bsr_sweep_guard *guards;
    double format_loss; /* golden accuracy as given less that in the formats; 0 without */
    bsr_performance performance;
    bsr_provenance provenance;
    void *arena; /* private */
} bsr_sweep_result;

#define BSR_SWEEP_OPTIONS_VERSION 1

typedef struct bsr_sweep_options {
    int version;
    const char *ber;     /* rates in 0..1 and ranges LO:HI/N (N rates a decade, both ends), with
                            commas between; required */
    int runs;            /* error patterns for each rate, default 10 */
    const char *targets; /* comma-separated of weight, bias, activation, input; default weight */
} bsr_sweep_options;

#define BSR_SWEEP_OPTIONS_INIT                                                                     \
    {                                                                                              \
        BSR_SWEEP_OPTIONS_VERSION, NULL, 10, "weight"                                              \
    }

/* Accuracy against bit error rate: every stored bit of the targets flips independently. A pattern
 * of weights holds for all images; activations and inputs get a new one for each image. Patterns
 * depend on the seed, the run, the layer and the image alone, so two networks of one shape, or two
 * formats of one width, see the same ones. Of `options`, target, bits, fault, plan and what belongs
 * to them are not used. Errors as bsr_inject; EINVAL: a rate. Caller owns *out. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_sweep(bsr_sweep_result **out, const bsr_model *model,
                                              const bsr_dataset *data,
                                              const bsr_run_options *options,
                                              const bsr_sweep_options *sweep);
BSR_PUBLIC void bsr_sweep_result_free(bsr_sweep_result *result);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_sweep_json(char **out, const bsr_sweep_result *result);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_sweep_text(char **out, const bsr_sweep_result *result);

/* What is in a run's database. The database is only read; a run that is going on can be looked at.
 * ENOTFOUND, EFORMAT, EUNSUPPORTED, ELIMIT, EIO, ENOMEM. */

/* "inject", "analyze" or "sweep", and whether all of it is done. command: [16]. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_run_kind(const char *path, char command[16], int *complete);

/* The settings the run was started with, in order. Strings are borrowed for the call. */
typedef bsr_status (*bsr_run_setting_fn)(void *ctx, const char *name, const char *value);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_run_settings(const char *path, bsr_run_setting_fn fn,
                                                     void *ctx);

/* The result as far as the run went; of inject and analyze, or of sweep (EINVAL: the other kind).
 * confidence and per_channel of options are used (NULL: as the run had them); Caller owns *out. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_run_result(bsr_result **out, const char *path,
                                                   const bsr_run_options *options);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_run_sweep(bsr_sweep_result **out, const char *path);

/* Every answered fault as lines of comma-separated values under a line of names, or as one JSON
 * array, or as a list that `faults` takes (docs/guide/fault-lists.md). The text goes to `to` whole
 * or not at all; NULL: to standard output, as it comes. Of a sweep: its runs (not as a list:
 * EINVAL). Method deepvigor answers no faults: EINVAL. */
typedef enum bsr_export_form { BSR_EXPORT_CSV, BSR_EXPORT_JSON, BSR_EXPORT_FAULTS } bsr_export_form;
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_run_export(const char *path, bsr_export_form form,
                                                   const char *to);

/* Two runs of the same faults (whatever the network, protection, or format of that width). Pairs
 * are (fault, image). Owned by the caller of bsr_compare. */
typedef struct bsr_compared_layer {
    int index;
    const char *name_a, *name_b;
    uint64_t faults, pairs;
    uint64_t critical_a, critical_b;
    uint64_t only_a, only_b; /* pairs critical in one run alone */
    bsr_share difference;    /* VF of b less VF of a; from -1 to 1 */
} bsr_compared_layer;

typedef struct bsr_comparison {
    const char *path_a, *path_b;
    double confidence;
    uint64_t images;
    int n_layers;
    bsr_compared_layer *layers;
    bsr_compared_layer total; /* name_a, name_b: "all" */
    double
        p_value; /* exact two-sided McNemar test over the pairs, which takes them for independent;
                    the interval of `difference` does not: it takes faults as units */
    uint64_t left_out_a, left_out_b; /* faults that only one run answered */
    void *arena;                     /* private */
} bsr_comparison;

/* EINVAL: no fault in common, other images, codes of another width, sweeps, method deepvigor.
 * Caller owns *out. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_compare(bsr_comparison **out, const char *path_a,
                                                const char *path_b, double confidence);
BSR_PUBLIC void bsr_comparison_free(bsr_comparison *comparison);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_comparison_json(char **out, const bsr_comparison *c);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_comparison_text(char **out, const bsr_comparison *c);

/* One layer by both targets: VF = (N VF_operand + W VF_weight) / (N + W), N input elements and W
 * weights (Ahmadilivani et al., arXiv 2410.15742, Eq. 15). */
typedef struct bsr_total_layer {
    int index;
    const char *name, *op;
    uint64_t inputs, weights; /* N, W */
    bsr_share operand, weight, both;
} bsr_total_layer;

typedef struct bsr_total_run {
    const char *path, *method;
    uint64_t images;
    int complete;
} bsr_total_run;

/* Owned by the caller of bsr_total. */
typedef struct bsr_total_result {
    bsr_total_run operand, weight;
    const char *fault;
    double confidence;
    int n_layers;
    bsr_total_layer *layers;
    bsr_share mvf; /* mean of the layers' */
    void *arena;   /* private */
} bsr_total_result;

/* Both targets together, of a run of weights and one of operands of the same layers, whatever their
 * methods and images. The runs are independent, and so are the layers of one: variances add, the
 * half of an interval on either side standing for a multiple of the standard deviation (G. Y. Zou,
 * A. Donner, Statistics in Medicine 27, 2008). Intervals are unknown (NaN) where one of their parts
 * is, as of method deepvigor, and [0, 1] while a run is not complete. confidence 0: of the run of
 * weights.
 * EINVAL: other targets, networks, layers, faults or bits; lists of faults, error patterns, sweeps;
 * EUNSUPPORTED: a run of a version that did not keep N. As bsr_run_result. Caller owns *out. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_total(bsr_total_result **out, const char *path_weight,
                                              const char *path_operand, double confidence);
BSR_PUBLIC void bsr_total_free(bsr_total_result *total);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_total_json(char **out, const bsr_total_result *total);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_total_text(char **out, const bsr_total_result *total);

#ifdef __cplusplus
}
#endif
#endif
