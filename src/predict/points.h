/* The points of a prediction, whatever form they are given out in. */
#ifndef BSR_PREDICT_POINTS_H
#define BSR_PREDICT_POINTS_H

#include "bitseer/predict.h"
#include "predict/predictor.h"

/* points: [p->n_rates]. forced: the model of all rates, or AUTO. After bsr_predictor_moments.
 * EINVAL: model poisson with too many flips; ENOMEM; ECANCELLED. */
bsr_status bsr_predictor_points(bsr_predicted_point *points, bsr_predictor *p,
                                bsr_error_model forced);

#endif
