/* Inside of bsr_model. */
#ifndef BSR_EXEC_MODEL_STATE_H
#define BSR_EXEC_MODEL_STATE_H

#include "bitseer/model.h"
#include "exec/plan.h"

struct bsr_model {
    bsr_graph *graph;
    char *path;
    char sha256[65];
    int channels, height, width, nhwc;
    /* Compiled for reference kernels with nothing kept: layers and tensors as users see them. */
    bsr_plan *plan;
    int n_tensors;
    int *tensors; /* graph values, execution order */
};

/* Values where activation faults may go: everything computed from the image, and the image. */
int bsr_model_is_default_tensor(const bsr_model *model, int value);

#endif
