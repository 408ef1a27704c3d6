/* Disturbed inferences: some images with flipped bits, or with normal disturbances of the same
 * means and variances, in everything stored; and their first-order counterparts. */
#ifndef BSR_PREDICT_DISTURBED_H
#define BSR_PREDICT_DISTURBED_H

#include "predict/image_moments.h"
#include "stats/normals.h"

/* One inference, whatever the rate. At another rate the same flips are among the others, or all
 * normal numbers are multiplied. */
typedef struct bsr_trial {
    size_t image;
    uint64_t pattern; /* constants of trials with the same pattern are disturbed alike */
} bsr_trial;

/* What came of it. */
typedef struct bsr_trial_result {
    float logits[BSR_FOLLOWED]; /* followed.logits of them, by the image's order */
    float other;                /* greatest of the logits that are not followed; -Inf: all are */
    double square;              /* mean over all logits of the squared disturbance */
    int finite;                 /* all logits are */
} bsr_trial_result;

typedef struct bsr_disturbed_job {
    bsr_session *s;
    const bsr_error_map *map;
    bsr_followed followed;
    const float *golden; /* [images][classes] */
    const bsr_normals *normals;
    int noise;               /* normal disturbances, not bits */
    const bsr_trial *trials; /* [n] */
    size_t n;
    uint64_t share; /* so many patterns in a row are taken for one */
} bsr_disturbed_job;

/* Runs trials [first, end) at rate ber: results[first..end). By the threads of the session; the
 * same bits for every number of threads and kernel set. ENOMEM, errors of the data set; ECANCELLED.
 */
bsr_status bsr_disturbed_run(bsr_trial_result *results, const bsr_disturbed_job *job, double ber,
                             size_t first, size_t end);

/* First-order disturbance of the followed functions in trials whose image has a slot of a moments
 * job: added up by a visitor of the job. */
typedef struct bsr_first_order {
    const bsr_disturbed_job *job;
    size_t slots;        /* trials number slot, slot + slots, ... have the image of the slot */
    const double *rates; /* ascending */
    int n_rates;  /* bits: of the smallest rates; at larger ones the disturbance is taken for 0 */
    double *sums; /* bits: [n_rates][trials][BSR_FOLLOWED]; noise: [trials][..] per root of BER (1 -
                     BER), without the mean */
    float **room; /* [threads][most elements] */
} bsr_first_order;
bsr_status bsr_first_order_new(bsr_first_order *f, const bsr_disturbed_job *job, size_t slots,
                               const double *rates, int n_rates);
void bsr_first_order_clear(bsr_first_order *f);

/* A bsr_space_visitor; ctx: the bsr_first_order. */
bsr_status bsr_first_order_visit(void *ctx, size_t slot, int space, const bsr_errors *errors,
                                 const bsr_golden *golden, const float *gradient, size_t stride,
                                 int thread);

/* The disturbance of function k in a trial at rate number `rate`, which is ber; noise: without its
 * mean. */
double bsr_first_order_at(const bsr_first_order *f, size_t trial, int rate, double ber, int k);

#endif
