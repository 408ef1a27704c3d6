/* Accuracy against bit error rate from statistical models of the disturbance, in the time of few
 * inferences instead of thousands. */
#ifndef BITSEER_PREDICT_H
#define BITSEER_PREDICT_H

#include "bitseer/campaign.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One rate. Shares are of (error pattern, image) pairs, expectations over error patterns. Intervals
 * hold what is sampled: which images the derivatives were taken of, which disturbances were drawn;
 * not what the model leaves out. */
typedef struct bsr_predicted_point {
    double ber;
    bsr_error_model model;
    const char *reason; /* the rule that chose the model, one line */
    double flips;       /* expected, in one image's run: weights, and activations of one image */
    bsr_share accuracy, critical, sdc, due, top5;
    bsr_share rmse;         /* of the logits */
    double kurtosis;        /* excess, of the nearest margin's disturbance; first order */
    double linearity;       /* RMSE of disturbed inferences over that of first order; NaN: none */
    double logits_accuracy; /* by model "logits" with the same RMSE */
} bsr_predicted_point;

/* Share of one stored tensor in the logits' disturbance. */
typedef struct bsr_variance_share {
    bsr_target target;
    int index; /* of the layer, or among the tensors */
    const char *name, *op, *format;
    double bits;      /* stored ones; of one image */
    bsr_share share;  /* of the logits' variance, to first order; they sum to 1 */
    double n_eff;     /* (sum v)^2 / sum v^2 over its elements, v the variance that an element
                         gives to the nearest margin: as many equal ones would have its kurtosis */
    double rms_error; /* root of the mean square error of one stored element, at BER 1 to first
                         order: times sqrt(BER) at small ones; in steps where the network
                         computes with codes; NaN: differs from image to image */
} bsr_variance_share;

/* Disturbance of one tensor behind a layer at one rate. NaN where nothing was measured. */
typedef struct bsr_layer_rmse {
    double ber;
    double predicted;         /* diagonal recursion */
    double measured;          /* bit level */
    double kurtosis;          /* excess, measured: of elements about their means, pooled with the
                                 squares of their variances */
    double kurtosis_expected; /* 0.6 / (n_eff ber), n_eff of bsr_variance_share: of the nearest
                                 margin by flips in this tensor alone, not of its elements; NaN: it
                                 is not hit */
} bsr_layer_rmse;

#define BSR_QQ_POINTS 33

typedef struct bsr_layer_statistics {
    const char *name, *op; /* tensor; operator that makes it */
    double rms;            /* golden */
    int n_rates;
    bsr_layer_rmse *rates;
    /* Measured at rate qq_ber: quantiles of the disturbance over its standard deviation at the
     * probabilities (i + 1/2) / BSR_QQ_POINTS; NaN: not measured. */
    double qq_ber, qq[BSR_QQ_POINTS];
} bsr_layer_statistics;

/* What another storage would do, from the same derivatives. */
typedef struct bsr_read_off {
    const char *kind;  /* "width", "range", "protected bits", "protected layers" */
    const char *value; /* "int12", "x2", "1", "conv1 conv5" */
    double *accuracy;  /* [n_points] */
    double *rmse;      /* [n_points] */
} bsr_read_off;

/* Owned by the caller of bsr_predict. */
typedef struct bsr_prediction {
    const char *target, *format;
    uint64_t images, golden_correct, top5_correct;
    uint64_t moment_images; /* of them, whose derivatives were taken */
    uint64_t disturbed;     /* disturbed inferences, all rates */
    double confidence, format_loss;
    double linear_limit; /* largest rate at which first order holds by the rules; 0: none */
    double normal_limit; /* smallest rate at which the disturbance counts as normal */
    int n_points;
    bsr_predicted_point *points; /* ascending rate */
    int n_shares;
    bsr_variance_share *shares; /* greatest share first */
    int n_layers;               /* 0 unless asked for */
    bsr_layer_statistics *layers;
    int n_read_offs; /* 0 unless asked for */
    bsr_read_off *read_offs;
    bsr_performance performance;
    bsr_provenance provenance;
    void *arena; /* private */
} bsr_prediction;

#define BSR_PREDICT_OPTIONS_VERSION 1

typedef struct bsr_predict_options {
    int version;
    const char *ber;       /* as bsr_sweep_options; required; rates above 0 */
    const char *targets;   /* the same; default weight */
    bsr_error_model model; /* BSR_MODEL_AUTO, or one for all rates; not BSR_MODEL_BITS */
    int moment_images;     /* images whose derivatives are taken; 0: 24 */
    int disturbed; /* disturbed inferences of other images, at most, for each rate that needs
                      them; 0: 320 */
    int layers;    /* predict and measure every layer's RMSE (bit level, some seconds) */
    int read_offs; /* other widths, ranges, protected bits and layers */
} bsr_predict_options;

#define BSR_PREDICT_OPTIONS_INIT                                                                   \
    {                                                                                              \
        .version = BSR_PREDICT_OPTIONS_VERSION, .targets = "weight"                                \
    }

/* Accuracy against bit error rate of the faults of bsr_sweep, without simulating them bit by bit
 * (Y. Huang, H. Liu et al., "Statistical modeling of soft error influence on neural networks",
 * IEEE TCAD 2023; formulas reconstructed). Of `options` what bsr_sweep uses, but no store. The
 * result depends on model, data, options and seed alone. Errors as bsr_sweep; EUNSUPPORTED: a
 * format whose errors have no bounded second moment (float formats without a range), or an operator
 * without a backward rule; EINVAL. Caller owns *out. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_predict(bsr_prediction **out, const bsr_model *model,
                                                const bsr_dataset *data,
                                                const bsr_run_options *options,
                                                const bsr_predict_options *predict);
BSR_PUBLIC void bsr_prediction_free(bsr_prediction *prediction);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_prediction_json(char **out, const bsr_prediction *p);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_prediction_text(char **out, const bsr_prediction *p);

/* The predicted curve with its intervals as a picture (bitseer/pictures.h), markers by model.
 * EINVAL: no point has an accuracy; ENOMEM. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_prediction_svg(char **out, const bsr_prediction *p);

/* Reads a file that bsr_prediction_json wrote. What was infinite or NaN is NaN. ENOTFOUND, EIO;
 * ELIMIT: above 64 MiB; EFORMAT: no JSON, or not that of a prediction; ENOMEM. Caller owns *out,
 * NULL on failure. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_prediction_load(bsr_prediction **out, const char *path);

/* The same table as bsr_sweep makes, accelerated: as bsr_predict with model AUTO, in the form of a
 * sweep, kept in options->store. Bit-level inferences at the largest rate where first order holds
 * guard it (bsr_sweep_result.guards): where their RMSE differs by more than 5 % and by more than
 * chance, first order is rescaled by the ratio (towards single flips by theirs); where it differs
 * by more than a third, or the accuracy does, first order is refused there, and the rate is
 * answered by bit-level inferences. sweep->runs is not used. Errors as bsr_predict. Caller owns
 * *out. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_sweep_accelerated(bsr_sweep_result **out,
                                                          const bsr_model *model,
                                                          const bsr_dataset *data,
                                                          const bsr_run_options *options,
                                                          const bsr_sweep_options *sweep);

#ifdef __cplusplus
}
#endif
#endif
