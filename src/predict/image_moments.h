/* First-order disturbance of the logits of single images, per unit of bit error rate: mean and
 * covariance by the gradients of the logits at everything stored (docs/theory/
 * statistical-models.md, "First order"). */
#ifndef BSR_PREDICT_IMAGE_MOMENTS_H
#define BSR_PREDICT_IMAGE_MOMENTS_H

#include "analysis/session.h"
#include "exec/gradient.h"
#include "predict/error_map.h"

/* Functions of the logits that are followed. Of up to this many classes all logits are; of more,
 * the greatest golden logits and BSR_PROBES random sums of all, whose mean square is that of a
 * logit. */
#define BSR_FOLLOWED BSR_MAX_RIVALS
#define BSR_PROBES   2
#define BSR_PAIRS    (BSR_FOLLOWED * (BSR_FOLLOWED + 1) / 2)

/* Which functions, for networks of so many classes. */
typedef struct bsr_followed {
    int classes;
    int logits; /* the first so many functions */
    int n;      /* the others are probes */
} bsr_followed;
bsr_followed bsr_followed_of(int classes);

/* The followed classes of an image: all, or those with the greatest golden logits in descending
 * order. order: [f->logits]. */
void bsr_followed_classes(int *order, const bsr_followed *f, const float *golden);

/* Mean square of a logit in a disturbance of the followed functions [f->n]: of all logits, or of
 * the probes that stand for them. */
double bsr_followed_square(const float *disturbance, const bsr_followed *f);

/* Greatest of the logits z that are not among the first f->logits of `order`; -Inf: there are none.
 */
float bsr_greatest_other(const float *z, const bsr_followed *f, const int *order);

/* What flips in one space do to the followed functions, for BER 1 to first order. */
typedef struct bsr_space_moments {
    double covariance[BSR_PAIRS]; /* (i, j), j <= i, at i (i + 1) / 2 + j */
    double mean[BSR_FOLLOWED];
    double slope[BSR_FOLLOWED]; /* of all elements one step of their codes up; read-offs */
    /* Of the nearest margin: sums over the elements of their variances v, of v^2, and of their
     * fourth moments. */
    double variance, variance_squares, fourth;
} bsr_space_moments;

/* One image. */
typedef struct bsr_image_moments {
    size_t image;
    int order[BSR_FOLLOWED];
    bsr_space_moments *spaces; /* [maps][spaces] */
    float
        *jumps; /* [map->first_jump[spaces]][followed.n]: what single flips do, of the first map */
} bsr_image_moments;

/* Sees every space as the walk of an image comes to it, from any thread: what is to be had of the
 * gradient besides moments. slot: number in bsr_moments_job.images. golden: the image's, as image
 * 0.
 */
typedef bsr_status (*bsr_space_visitor)(void *ctx, size_t slot, int space, const bsr_errors *errors,
                                        const bsr_golden *golden, const float *gradient,
                                        size_t stride, int thread);

/* Sees an image when its moments and jumps are complete. */
typedef bsr_status (*bsr_image_finisher)(void *ctx, size_t slot, const bsr_image_moments *moments,
                                         const bsr_golden *golden, int thread);

typedef struct bsr_moments_job {
    bsr_session *s;
    const bsr_gradient_plan *gradients;
    const bsr_error_map *const *maps; /* [n_maps] the same spaces, with other bits */
    int n_maps;
    bsr_followed followed;
    const size_t *images; /* [n] */
    size_t n;
    bsr_space_visitor visit; /* NULL: none; sees the errors of the first map */
    void *visit_ctx;
    bsr_image_finisher finish; /* NULL: none */
    void *finish_ctx;
    int slopes;    /* also bsr_space_moments.slope, where codes are whole numbers */
    uint64_t seed; /* of the probes */
} bsr_moments_job;

/* Moments of n images: *out [n], by the threads of the session. ENOMEM, errors of the data set and
 * of the visitor. Freed with bsr_image_moments_free. The same bits for every number of threads and
 * kernel set. Costs of each image some 10 inferences for tensors, 20 with weights. */
bsr_status bsr_image_moments_new(bsr_image_moments **out, const bsr_moments_job *job);
void bsr_image_moments_free(bsr_image_moments *moments, size_t n);

#endif
