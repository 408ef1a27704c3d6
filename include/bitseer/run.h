/* Evaluating a network, injecting faults, analysing vulnerability. */
#ifndef BITSEER_RUN_H
#define BITSEER_RUN_H

#include "bitseer/dataset.h"
#include "bitseer/model.h"
#include "bitseer/result.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bsr_progress {
    const char *phase;    /* "golden run", "injecting", "rays" */
    uint64_t done, total; /* (fault, image) pairs, or images */
    double seconds;       /* since the phase began */
    double rate;          /* done per second */
} bsr_progress;

/* Called from the calling thread between pieces of work; a return value other than 0 stops the run
 * with ECANCELLED. */
typedef int (*bsr_progress_fn)(void *ctx, const bsr_progress *progress);

typedef enum bsr_target {
    BSR_TARGET_WEIGHT, /* Conv, Gemm and MatMul weights as stored */
    BSR_TARGET_BIAS,
    BSR_TARGET_ACTIVATION, /* one element of one tensor, seen by all its consumers */
    BSR_TARGET_INPUT,      /* the image */
} bsr_target;

#define BSR_RUN_OPTIONS_VERSION 1

/* Start from BSR_RUN_OPTIONS_INIT. Strings are borrowed for the call; NULL means "all" or the
 * default. A selector is a comma-separated list of numbers, ranges A:B (B exclusive; either side
 * may be left out) or A-B (B inclusive), "all", and names and shell patterns (layers and tensors);
 * "!" in front removes what follows. */
typedef struct bsr_run_options {
    int version;
    bsr_target target;
    const char *layers;   /* indices or node names; weight and bias */
    const char *tensors;  /* names; activation. Default: inputs of the layers */
    const char *channels; /* output channels (weight, bias) or tensor channels; all layers alike */
    const char *bits;     /* bit positions, 0 the least significant */
    uint64_t random;      /* inject: faults drawn without replacement from the whole population, 0:
                             exhaustive. analyze: sites per layer, 0: complete. More than there are
                             is all of them */
    int per_channel;      /* report every channel */
    int worst;            /* worst sites to report, default 10 */
    uint64_t check;       /* analyze: sites whose bits are also injected directly (default 0) */
    double confidence;    /* default 0.95 */
    uint64_t seed;        /* default 0 */
    int threads;          /* 0: as many as processors */
    const char *cpu;      /* kernel set "ref", "avx2", "avx512"; NULL: the best */
    size_t max_memory;    /* bytes for golden activations, default 2 GiB; images are split to fit */
    bsr_progress_fn progress;
    void *progress_ctx;
} bsr_run_options;

#define BSR_RUN_OPTIONS_INIT                                                                       \
    {                                                                                              \
        BSR_RUN_OPTIONS_VERSION, BSR_TARGET_WEIGHT, NULL, NULL, NULL, NULL, 0, 0, 10, 0, 0.95, 0,  \
            0, NULL, (size_t)2 << 30, NULL, NULL                                                   \
    }

/* Fault-free inference of every image. Caller owns *out. EINVAL: image size or labels do not fit
 * the network. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_eval(bsr_eval_result **out, const bsr_model *model,
                                             const bsr_dataset *data,
                                             const bsr_run_options *options);

/* Direct injection of single bit flips: every fault on every image, by differential execution. The
 * result depends on model, data, target, selectors, random and seed only. Caller owns *out.
 * ENOTFOUND: a selected layer, tensor, channel or bit does not exist; EINVAL; ENOMEM. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_inject(bsr_result **out, const bsr_model *model,
                                               const bsr_dataset *data,
                                               const bsr_run_options *options);

/* Vulnerability factors by fault rays: for every site and image the interval of added values that
 * keep the golden class is found by few evaluations and every bit read off from it
 * (docs/theory/rays.md). Same dependencies and errors as bsr_inject. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_analyze(bsr_result **out, const bsr_model *model,
                                                const bsr_dataset *data,
                                                const bsr_run_options *options);

#ifdef __cplusplus
}
#endif
#endif
