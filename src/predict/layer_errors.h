/* The disturbance of every tensor under bit errors, measured by running chips, beside what the
 * recursion of layer_moments.h predicts. */
#ifndef BSR_PREDICT_LAYER_ERRORS_H
#define BSR_PREDICT_LAYER_ERRORS_H

#include "base/arena.h"
#include "bitseer/predict.h"
#include "campaign/sweep_memory.h"

/* Patterns from which on each element has a standard deviation of its own in the quantiles. */
#define BSR_LAYER_OWN_DEVIATION 32

/* Statistics of the disturbances of what layers read, as stored, in execution order, and of the
 * network's output, at n_rates bit error rates in (0, 1], over `images` images spread evenly over
 * the session's data (all, if there are fewer) and `patterns` error patterns each; 0: predicted
 * alone. Disturbances are in real units: of 8-bit codes, times the scale by which the first reader
 * takes them (1 where there is none).
 *
 * predicted: NaN from where bits of a format flip whose errors have no bounded second moment, and
 * behind an operator without a rule. measured: root mean square over elements, images and patterns;
 * NaN where a disturbance was not finite. kurtosis: excess, each element's about its own mean over
 * the patterns, elements (of all images) pooled with the weights sigma^4: the sum of the fourth
 * k-statistics over that of the unbiased estimates of sigma^4 (R. A. Fisher, "Moments and product
 * moments of sampling distributions", Proc. London Math. Soc. 30, 1929). No bias from few patterns
 * beyond that of a ratio; NaN where they cannot tell: fewer than 4, or a kurtosis above some 9
 * times their number, when disturbances hardly ever meet in an element. kurtosis_expected is NaN.
 * qq: at rate number n_rates / 2, of up to 1024 evenly spaced elements of each image: disturbance
 * less its mean over the patterns, divided by its standard deviation over them; with fewer than
 * BSR_LAYER_OWN_DEVIATION patterns as it is, divided by the root mean square of its tensor in its
 * image. An element that no pattern disturbs counts as 0.
 *
 * Patterns are bsr_memory_store's and bsr_memory_hit's of runs BSR_MAX_RUNS - 1 downwards, so that
 * they are none of a sweep of the same seed. The result depends on model, data, options and seed,
 * not on threads. Costs n_rates * images * (patterns inferences and one recursion), 36 bytes a
 * thread and 4 an image for each watched element.
 *
 * memory: of the session. *out [*n] and the names in it live in the arena (names of values: as long
 * as the session's model). EINVAL: no image or rate, negative patterns, a rate out of range;
 * ELIMIT: more than BSR_MAX_RUNS patterns; ECANCELLED; ENOMEM; errors of the data set. */
bsr_status bsr_layer_statistics_run(bsr_layer_statistics **out, int *n, bsr_arena *arena,
                                    bsr_session *s, const bsr_sweep_memory *memory,
                                    const double *rates, int n_rates, int images, int patterns);

#endif
