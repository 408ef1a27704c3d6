/* The network as it is stored: some weights, biases and tensors in other number formats. */
#ifndef BSR_FAULT_STORAGE_H
#define BSR_FAULT_STORAGE_H

#include "base/threads.h"
#include "bitseer/dataset.h"
#include "bitseer/run.h"
#include "exec/model_state.h"
#include "tensor/format.h"

/* A format for all sites of a target: weight, bias, activation or input, each at most once. */
typedef struct bsr_storage_choice {
    int target; /* a bsr_target */
    bsr_format format;
} bsr_storage_choice;

/* How the elements of one value are stored: element e (row-major) by quantiser
 * e / inner % channels. */
typedef struct bsr_stored {
    const bsr_quantiser *quantisers; /* [channels]; NULL: as the element type's own bits */
    int channels;                    /* 1, or the output channels */
    int64_t inner;
    const uint32_t *codes; /* constants: [elements], row-major; NULL for tensors */
    bsr_format format;
} bsr_stored;

typedef struct bsr_storage {
    bsr_graph *graph;     /* copy of the model's with rounded constants and storing nodes */
    bsr_stored *of_value; /* [graph->n_values] */
    int *stored_as;       /* [the model's values] value that holds the stored form of a tensor: the
                             storing node's output, or the value itself */
    void *arena;          /* private */
} bsr_storage;

/* tensors: [model's values] those that the activation format is for, NULL: what layers read. The
 * image is stored in the input's format, or in that for activations when it is one of `tensors`.
 * Every reader of such a tensor reads a new value, called e.g. "relu1@int8". The network's output
 * stays float32, also when it is one of `tensors`. fp32 without a range changes nothing.
 * ranges: [model's values] least and greatest value, from bsr_calibrate; NULL when no tensor's
 * format needs one. EUNSUPPORTED: a value that is stored in codes already, a constant that two
 * choices store differently; EINVAL: another target, a target given twice, a format by channel for
 * tensors, ranges missing; ENOMEM. Caller owns *out; the model may end its life before. */
bsr_status bsr_storage_new(bsr_storage **out, const bsr_model *model,
                           const bsr_storage_choice *choices, int n, const unsigned char *tensors,
                           const double (*ranges)[2]);
void bsr_storage_free(bsr_storage *storage);

/* Range of every float32 tensor over the first `images` images (all, if there are fewer; at least
 * one) of the network as given: ranges [model's values], 0 included, NaN and infinities not; 0, 0
 * for what is no float32 tensor. The same for every kernel set and number of threads. ENOMEM and
 * errors of the data set. */
bsr_status bsr_calibrate(double (*ranges)[2], const bsr_model *model, const bsr_dataset *data,
                         size_t images, bsr_pool *pool, const bsr_kernels *kernels);

#endif
