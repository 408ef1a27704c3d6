/* The stages of a prediction, in the order they are called; what bsr_predict and
 * bsr_sweep_accelerated share. */
#ifndef BSR_PREDICT_PREDICTOR_H
#define BSR_PREDICT_PREDICTOR_H

#include "campaign/sweep.h"
#include "predict/departure.h"
#include "predict/disturbed.h"
#include "predict/flip_response.h"
#include "predict/logit_model.h"

/* First order counts where disturbed inferences differ from it by no more than this: in accuracy
 * (or by no more than one standard error), and in the logarithm of the RMSE. */
#define BSR_LINEAR_ACCURACY 0.003
#define BSR_LINEAR_RMSE     0.35

/* Half-widths of the accuracy's interval that disturbed inferences go for: above this share of the
 * golden accuracy, and below. */
#define BSR_KNEE       0.8
#define BSR_SURE_ABOVE 0.01
#define BSR_SURE_BELOW 0.03

/* A ratio of RMSEs within this is taken for 1. */
#define BSR_RATIO_WITHIN 0.05

/* Excess kurtosis of a margin up to which its disturbance counts as normal. */
#define BSR_NORMAL_KURTOSIS 0.5

typedef struct bsr_predictor {
    bsr_session s;
    bsr_sweep_memory memory;
    char target_names[64];
    double *rates; /* [n_rates] ascending */
    int n_rates;
    bsr_error_map map;
    bsr_gradient_plan *gradients;
    bsr_normals *normals;
    bsr_top1_rule *rule;
    float *golden; /* [images][classes] */
    uint64_t top5_correct;
    bsr_logit_model model;
    bsr_image_moments *donors;
    size_t *donor_images;
    bsr_trial_result *results; /* of the trials that were run last */
    /* Disturbed inferences of the donors' images, whose first order is known; and of others. */
    bsr_trial *trials, *other_trials;
    bsr_disturbed_job disturbed, others;
    bsr_first_order first_order;
    uint64_t disturbed_done;
    bsr_logit_sampler *sampler; /* first order as it is */
    /* Rates at which disturbed inferences ran: */
    unsigned char *is_disturbed; /* [n_rates] */
    size_t *trials_of;           /* [n_rates] inferences that its answer is from */
    bsr_logit_answer *answers;   /* [n_rates] what they say */
    double (*ratios)[BSR_VARIANTS];
    double flip_ratio[BSR_VARIANTS]; /* RMSE of single flips over first order */
    double kurtosis;                 /* of a margin, times BER */
    double linear_limit;             /* largest rate that is linear, 0: none was found */
    int guard;                       /* that rate's number, -1 */
    double scale;                    /* of first order at linear_limit: the ratio there, or 1 */
} bsr_predictor;

/* What is asked of it. */
typedef struct bsr_predictor_options {
    const char *ber, *targets;
    int moment_images; /* 0: default */
    int disturbed;     /* most trials of a rate; 0: default */
    int noise;         /* trials have normal disturbances, not bits */
    int read_offs;     /* also moments for protected bits and slopes */
} bsr_predictor_options;

/* Session, faults, golden logits. Errors as bsr_predict. Cleared with bsr_predictor_clear, also on
 * failure. */
bsr_status bsr_predictor_init(bsr_predictor *p, const bsr_model *model, const bsr_dataset *data,
                              const bsr_run_options *options, const bsr_predictor_options *how);
void bsr_predictor_clear(bsr_predictor *p);

/* Moments of some images and the first-order part of their trials. maps: further error maps of the
 * same faults with other bits, whose moments come behind those of p->map. */
bsr_status bsr_predictor_moments(bsr_predictor *p, const bsr_predictor_options *how,
                                 const bsr_error_map *const *maps, int n_maps);

/* Flips expected in the inference of one image. */
double bsr_predictor_flips(const bsr_predictor *p, double ber);

/* Disturbed inferences at one rate: p->answers and p->ratios of it. exact: first order. */
bsr_status bsr_predictor_disturb(bsr_predictor *p, int rate, bsr_logit_answer *exact);

/* The same at all rates from the largest down until first order holds; fills linear_limit, guard
 * and scale. */
bsr_status bsr_predictor_find_limit(bsr_predictor *p);

/* What first-order disturbances are multiplied with at a rate: between the ratio of single flips
 * and that of the guard. variant: as of BSR_VARIANTS. */
double bsr_predictor_scale(const bsr_predictor *p, double ber, int variant);

/* Models "normal" or "poisson", by the kurtosis. */
bsr_error_model bsr_predictor_first_order(const bsr_predictor *p, double ber);

/* Model of a rate by the rules, and the rule in words. */
bsr_error_model bsr_predictor_choose(const bsr_predictor *p, int rate, const char **reason);

#endif
