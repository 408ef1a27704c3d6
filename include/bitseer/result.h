/* What an evaluation, injection or analysis found. */
#ifndef BITSEER_RESULT_H
#define BITSEER_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "bitseer/model.h"
#include "bitseer/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Counts of (fault, image) pairs. masked + benign + critical = pairs; due counts pairs with a NaN
 * or infinite logit whatever their class; sdc = critical and not due; top5: the golden class is not
 * among the five greatest logits; correct: the class is the label's. Rays find critical only: the
 * others but pairs are 0 then, and null in JSON. */
typedef struct bsr_outcomes {
    uint64_t pairs, masked, benign, critical, due, sdc, top5, correct;
} bsr_outcomes;

/* Shares that are estimated, each with its interval; the names are those of the counts above. */
typedef enum bsr_metric {
    BSR_METRIC_CRITICAL, /* the VF */
    BSR_METRIC_SDC,
    BSR_METRIC_DUE,
    BSR_METRIC_BENIGN,
    BSR_METRIC_MASKED,
    BSR_METRIC_TOP5,
    BSR_METRIC_ACCURACY, /* of the faulty network, against the labels */
    BSR_METRICS
} bsr_metric;

/* "critical", "sdc", ...; NULL for another number. */
BSR_PUBLIC const char *bsr_metric_name(bsr_metric metric);

/* A share in [0, 1] with its two-sided confidence interval; lo == hi == value when everything in
 * the population was observed. */
typedef struct bsr_share {
    double value, lo, hi;
} bsr_share;

/* One bit position (0 is the least significant; the lowest changed one, -1 for fault models without
 * positions) or one channel. */
typedef struct bsr_part {
    int index;
    uint64_t sites;  /* in the population */
    uint64_t faults; /* observed */
    bsr_outcomes outcomes;
    bsr_share vf;
    bsr_share metrics[BSR_METRICS]; /* bits only, and not with rays: NaN */
} bsr_part;

/* Where masked faults of a layer ended. */
typedef struct bsr_masking {
    int at;         /* index of the network's layer in (or after) which the last difference
                       vanished, -1: before the first */
    uint64_t pairs; /* of the observed ones */
} bsr_masking;

/* What method deepvigor spent. A target is a filter or a neuron (docs/theory/deepvigor.md). */
typedef struct bsr_deepvigor_counts {
    uint64_t targets;
    uint64_t skipped; /* zero gradient on both sides in every image */
    uint64_t single;  /* not skipped, and the probes at -1 and 1 decided everything */
    uint64_t
        simulations; /* passes of all images: the probes, and each step of the longest search */
    uint64_t evaluations; /* lanes of these: images whose search was over are left out */
} bsr_deepvigor_counts;

typedef struct bsr_layer_result {
    int index;        /* among the layers with weights; tensors: among those analysed */
    const char *name; /* node, or tensor for activation and input faults */
    const char *op;
    const char *format;  /* of its stored values: "float32", "uint8", "q2.5", ... */
    uint64_t sites;      /* population: stored elements */
    uint64_t population; /* faults: sites times the faults of a site */
    uint64_t sampled_sites;
    uint64_t faults; /* observed */
    bsr_outcomes outcomes;
    bsr_share vf; /* P(critical | one fault), over the selected bits and the images (LVF) */
    bsr_share metrics[BSR_METRICS]; /* NaN but for critical with rays */
    bsr_share rmse; /* of the logits, over pairs that are no DUE; normal approximation */
    int n_maskings;
    bsr_masking *maskings; /* ascending `at` */
    int n_bits;
    bsr_part *bits;                /* the selected ones, ascending */
    int n_channels;                /* 0 unless asked for */
    bsr_part *channels;            /* CVF of each; deepvigor: of those drawn */
    bsr_deepvigor_counts searches; /* deepvigor; else 0 */
} bsr_layer_result;

/* A weight, activation or pixel with many critical faults. */
typedef struct bsr_worst_site {
    int layer; /* position in `layers` */
    int64_t
        element;   /* row-major index in its tensor; operand: of the weight it is multiplied with */
    int64_t pixel; /* operand: pixel of the output element that reads it; else -1 */
    double value;  /* stored fault-free value (of image 0 for activations); NaN: not known yet */
    uint64_t critical, pairs;
} bsr_worst_site;

typedef struct bsr_performance {
    double seconds; /* of injection or analysis, without loading and the golden run */
    double golden_seconds;
    double forward_seconds;     /* one fault-free inference of all images, measured in this run */
    uint64_t evaluations;       /* lanes run: one fault in one image */
    uint64_t injections;        /* faults answered times images answered / images: one injection is
                                   one fault on all images */
    double forward_equivalents; /* multiplications done / multiplications of one inference of all
                                   images */
    double lanes_per_second;
    double injections_per_second;
    int threads;
    const char *cpu; /* kernel set */
} bsr_performance;

typedef struct bsr_provenance {
    const char *version;
    const char *model_path, *model_sha256;
    const char *data_spec, *data_sha256;
    const char *cpu_brand;
    char *spec; /* everything that decides the numbers, one line */
    uint64_t seed;
} bsr_provenance;

/* What first-order screening did (docs/theory/screening.md). Counts are of (fault, image) pairs. */
typedef struct bsr_screening_result {
    double theta;     /* asked for; 0: off */
    int lowered;      /* layers where too much was missed and theta was lowered */
    uint64_t pairs;   /* answered */
    uint64_t skipped; /* taken for harmless without evaluation */
    uint64_t checked; /* of these evaluated all the same */
    uint64_t missed;  /* of these critical */
    double bound;     /* of the share of the answered pairs that are critical and were taken for
                         harmless: one-sided upper bound */
} bsr_screening_result;

/* Direct injection of a random part of the sample. */
typedef struct bsr_verification {
    uint64_t pairs;   /* (fault, image) pairs injected */
    uint64_t differ;  /* of these answered otherwise: rays or screening were wrong */
    bsr_share change; /* mean of (direct - answer), from -1 to 1 */
    bsr_share mvf;    /* corrected: unbiased */
} bsr_verification;

/* Owned by the caller of the function that made it; everything inside is owned by it. */
typedef struct bsr_result {
    const char *command;  /* "inject", "analyze" */
    const char *target;   /* bsr_target_name */
    const char *fault;    /* "bitflip", "mbu:2", ... */
    const char *format;   /* asked for, "" as in the file */
    const char *method;   /* "direct", "ray", "deepvigor" */
    const char *sampling; /* "exhaustive", "random", "layer-wise", ..., "list" */
    int transient;        /* each fault in one image */
    int pairs;            /* sites were drawn with an image each */
    const char *stopped;  /* "time": the limit of time ended the run before its margin; "" */
    double reached;       /* widest half-width of a layer's interval and of the model's */
    int complete;         /* 0: interrupted; only what was answered is counted */
    uint64_t planned;     /* faults (transient: pairs) of the plan so far */
    double margin;        /* asked for by the plan; 0: none */
    double format_loss;   /* golden accuracy as given less that in the formats; 0 without */
    uint64_t images;
    uint64_t golden_correct; /* top-1 equals the label */
    double confidence;
    int outcomes_known; /* 0 (rays): only `critical` was determined; the other counts are 0 */
    int masking_known; /* 0 (rays, screening): `masked`, `benign` and the logits' errors were not */
    int scored; /* deepvigor: factors are shares of a distribution of errors, not of pairs. Counts
                   of faults and pairs are 0, and intervals are not known: lo and hi are NaN */
    int n_layers;
    bsr_layer_result *layers;
    bsr_outcomes total;
    int n_bits;
    bsr_part *bits; /* bit positions over all layers, ascending; vf: every site equally likely */
    bsr_share mvf;  /* VF of the model: every site-bit of the population equally likely; deepvigor:
                       mean of the layers' */
    bsr_deepvigor_counts searches;  /* deepvigor: of all layers; else 0 */
    bsr_share metrics[BSR_METRICS]; /* of the model */
    bsr_share rmse;
    int n_strata;
    struct bsr_plan_stratum *strata; /* what was planned: bitseer/campaign.h */
    int n_worst;
    bsr_worst_site *worst;
    uint64_t violations; /* ray: checked pairs that break the interval rule */
    uint64_t checked;    /* ray: pairs checked by direct injection */
    bsr_screening_result screening;
    bsr_verification verification;
    bsr_performance performance;
    bsr_provenance provenance;
    void *arena; /* private */
} bsr_result;

BSR_PUBLIC void bsr_result_free(bsr_result *result);

/* Accuracy of the fault-free network. */
typedef struct bsr_eval_result {
    uint64_t images, correct, top5;
    double accuracy, top5_accuracy;
    bsr_share accuracy_ci; /* Wilson */
    int classes;
    float *logits; /* [images][classes] in order; owned */
    double seconds;
    bsr_provenance provenance;
    void *arena; /* private */
} bsr_eval_result;
BSR_PUBLIC void bsr_eval_result_free(bsr_eval_result *result);

/* The result as JSON text: UTF-8, keys in a fixed order, numbers that read back to the same double,
 * null for NaN and Inf, whole numbers above 2^63 - 1 (a seed can be one) as strings. What may
 * differ between two runs of the same analysis is all in "performance". Caller frees with
 * bsr_text_free. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_result_json(char **out, const bsr_result *result);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_eval_json(char **out, const bsr_eval_result *result);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_model_json(char **out, const bsr_model *model);

/* The result as tables for people, at most 100 columns of ASCII. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_result_text(char **out, const bsr_result *result);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_eval_text(char **out, const bsr_eval_result *result);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_model_text(char **out, const bsr_model *model);
BSR_PUBLIC void bsr_text_free(char *text);

/* Writes text to a file that appears whole or not at all. EIO, ENOTFOUND. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_write_text(const char *path, const char *text);

/* Writes [rows][columns] float32 as a .npy file, whole or not at all. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_write_npy(const char *path, const float *x, size_t rows,
                                                  size_t columns);

#ifdef __cplusplus
}
#endif
#endif
