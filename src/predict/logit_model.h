/* From the disturbance of the logits to shares of wrong answers: docs/theory/statistical-models.md,
 * "From logit noise to accuracy". */
#ifndef BSR_PREDICT_LOGIT_MODEL_H
#define BSR_PREDICT_LOGIT_MODEL_H

#include "bitseer/predict.h"
#include "predict/image_moments.h"
#include "stats/normal_top1.h"
#include "stats/normals.h"

/* Groups of images with moments that the jackknife leaves out in turn. */
#define BSR_JACKKNIFE 8

/* Values from all donors (0), and without each group of them. */
#define BSR_VARIANTS (1 + BSR_JACKKNIFE)

/* For every image the trials of images whose golden logits are nearest to its own. */
typedef struct bsr_near_trials {
    size_t window;   /* trials that an image takes */
    size_t slots;    /* trial t counts for the group of donor t % slots */
    uint32_t *trial; /* [images][window] */
} bsr_near_trials;

/* Which disturbances. */
typedef struct bsr_logit_task {
    double ber;
    /* LOGITS; first order: NORMAL, POISSON; BITS, NOISE: `deltas`. */
    bsr_error_model model;
    double scale; /* first order: disturbances are multiplied with it; 0: 1 */
    double rmse;  /* LOGITS: the noise; 0: that of first order */
    /* Whose disturbances are taken. Where not all logits are followed, the greatest of the others
     * stands at position followed.logits. */
    const bsr_near_trials *trials;
    const float *deltas; /* [trials][followed.n]: what is added to the logits */
    int has_other;       /* that position is filled */
    const float *keep;   /* [trials] what they are multiplied with before; NULL: 1 */
} bsr_logit_task;

/* Means over the images. */
typedef struct bsr_logit_answer {
    double correct[BSR_VARIANTS], critical[BSR_VARIANTS], top5[BSR_VARIANTS];
    double square[BSR_VARIANTS]; /* first-order mean square of a logit's disturbance */
} bsr_logit_answer;

typedef struct bsr_logit_model {
    bsr_followed followed;
    size_t images;
    const float *golden; /* [images][classes] */
    int *label;          /* [images] */
    int spaces;
    const bsr_error_map *map;
    const bsr_image_moments *donors; /* their moments stand for those of other images */
    size_t n_donors;
    uint32_t (*donor)[2]; /* [images] the two nearest */
    uint32_t *order;      /* [images] by golden class (where classes are few) and margin */
    uint32_t *position;   /* [images] place in it */
    int protected_bits;   /* highest bits of every element whose flips are not drawn */
    const bsr_normals *normals;
    const bsr_top1_rule *rule;
    uint64_t seed;
} bsr_logit_model;

/* Finds m->order and m->position, which are allocated. Uses followed, images and golden. ENOMEM. */
bsr_status bsr_rank_images(bsr_logit_model *m);

/* n images evenly over that order. */
void bsr_choose_donors(size_t *images, size_t n, const bsr_logit_model *m);

/* Gives every image its two donors, those with the nearest golden logits; m->donor is allocated.
 * ENOMEM. */
bsr_status bsr_assign_donors(bsr_logit_model *m);

/* images: [n] of the trials. O(n * m->images). ENOMEM. Cleared with bsr_near_trials_clear, also on
 * failure. */
bsr_status bsr_near_trials_init(bsr_near_trials *t, const bsr_logit_model *m, const size_t *images,
                                size_t n, size_t window, size_t slots);
void bsr_near_trials_clear(bsr_near_trials *t);

/* Group of a donor. */
static inline int bsr_donor_group(size_t donor)
{
    return (int)(donor % BSR_JACKKNIFE);
}

/* What each space's covariance and mean are multiplied with; NULL: 1. */
typedef struct bsr_scaling {
    double covariance, mean, slope; /* mean: M becomes mean * M + slope * S */
} bsr_scaling;

/* What is drawn of the donors' disturbances, once for all rates. Immutable between runs; uses the
 * model, which must outlive it. */
typedef struct bsr_logit_sampler bsr_logit_sampler;

/* scaling: [spaces] or NULL. ENOMEM. Caller owns *out. */
bsr_status bsr_logit_sampler_new(bsr_logit_sampler **out, const bsr_logit_model *m, bsr_pool *pool,
                                 const bsr_scaling *scaling);
void bsr_logit_sampler_free(bsr_logit_sampler *s);

/* Answers to n tasks together, by the threads of the pool: the same bits for every number of them
 * and whatever tasks are together. ENOMEM. */
bsr_status bsr_logit_sampler_run(bsr_logit_answer *answers, const bsr_logit_sampler *s,
                                 const bsr_logit_task *tasks, int n);

/* Standard error of variant 0 by the jackknife over the others. */
double bsr_jackknife_error(const double values[BSR_VARIANTS]);

/* Value of variant 0 with the interval of that error, from 0 to `most`. */
bsr_share bsr_jackknife_share(const double values[BSR_VARIANTS], double confidence, double most);

/* Mean square disturbance of a logit, to first order, at BER `ber` in the images of the donor. */
double bsr_mean_square_of(const bsr_logit_model *m, size_t donor, const bsr_scaling *scaling,
                          double ber);

#endif
