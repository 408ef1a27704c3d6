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
    const char *phase;    /* "golden run", "injecting", "rays", ... */
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
    BSR_TARGET_ACTIVATION,     /* one element of one tensor, seen by all its consumers */
    BSR_TARGET_INPUT,          /* the image */
    BSR_TARGET_OPERAND,        /* the copy of one input element that one output element reads */
    BSR_TARGET_OPERAND_WEIGHT, /* the copy of one weight that one output element reads */
    BSR_TARGET_NORM,           /* BatchNormalization's scale, bias, mean and variance */
    BSR_TARGET_SCALE,          /* scales of quantised graphs */
    BSR_TARGET_ZERO_POINT,     /* zero points of quantised graphs */
    BSR_TARGET_OUTPUT,         /* what a Conv, Gemm or MatMul makes, before anything else */
    BSR_TARGETS
} bsr_target;

/* "weight", "bias", "activation", "input", "operand", "operand-weight", "norm", "scale",
 * "zero-point", "output"; NULL for another number. */
BSR_PUBLIC const char *bsr_target_name(bsr_target target);

/* One setting as the user gave it; kept in a run's database so that the run can be started again.
 */
typedef struct bsr_setting {
    const char *name, *value;
} bsr_setting;

#define BSR_RUN_OPTIONS_VERSION 3

/* Start from BSR_RUN_OPTIONS_INIT. Strings are borrowed for the call; NULL means "all" or the
 * default. A selector is a comma-separated list of numbers, ranges A:B (B exclusive; either side
 * may be left out) or A-B (B inclusive), "all", and names and shell patterns (layers and tensors);
 * "!" in front removes what follows.
 *
 * fault: what one fault does to the stored code of its site. K, MASK and B count selected bits.
 *   bitflip         one bit; a fault for each selected bit
 *   mbu:K           K adjacent bits, all selected; one for each position
 *   mbu:word8       all bits of an aligned group of 8
 *   mask:HEX        the bits of the mask; one fault a site
 *   stuck0, stuck1  one bit read as 0 or 1; one for each selected bit
 *   random          another code, uniform over all 2^bits, from the seed; one fault a site
 *   zero            all bits read as 0; one fault a site
 *   ber:P           every stored bit of the target flips independently with probability P; one
 *                   "fault" is one pattern of the whole target
 *   ber01:P,Q       the same with P for bits that are 0 and Q for bits that are 1
 *
 * plan: which faults are injected, n(N) being Leveugle's sample size of a population N for `margin`
 * and `confidence` (docs/theory/plans.md). Draws are without replacement.
 *   exhaustive      all
 *   random:N        N of the whole population
 *   network-wise    n(N) of the whole population
 *   layer-wise      n(N) of each layer
 *   data-unaware    n(N) of each bit of each layer
 *   data-aware      the same, the share expected for the bit in place of 1/2: see `shares`
 *   adaptive        in rounds, until the half-width of every layer's and the model's interval is at
 *                   most `margin`; by rays, sites are drawn with an image each
 *   sites:N         N sites of each layer with all their faults; method "ray" only
 *   channels:R      the share R of each layer's channels; of weights all sites of a channel, else
 *                   the logarithm to base 2 of their number (DeepVigor+, Eq. 16); "ray" only
 */
typedef struct bsr_run_options {
    int version;
    bsr_target target;
    const char *layers;   /* indices or node names; weight, bias, operand and output */
    const char *tensors;  /* names; activation (default: inputs of the layers), norm, scale and
                             zero-point (default: all) */
    const char *channels; /* output channels (weight, bias) or tensor channels; all layers alike */
    const char *bits;     /* bit positions, 0 the least significant; with bitflip, mbu, stuck */
    const char *fault;    /* default "bitflip" */
    const char *format;   /* how the target (or TARGET=FORMAT,...) is stored; default: as in the
                             file. Formats: docs/guide/formats.md */
    size_t calibrate;     /* images from which ranges of activations come (default 100) */
    const char *plan;     /* default: inject random:1000, analyze exhaustive */
    const char *method;   /* "direct" (inject's default), "ray" (analyze's); "deepvigor": of
                             analyze alone, for targets weight and operand and plans channels:R
                             (default channels:0.1) and exhaustive (docs/theory/deepvigor.md) */
    double margin;        /* half-width of intervals that plans ask for (default 0.01) */
    const char *shares;   /* data-aware: "minmax" (from the weights, the default), "run:FILE" (what
                             the run in that database measured), or one share for
                             each bit, lowest first, with commas between */
    const char *faults;   /* path of a list of faults to inject instead of a plan */
    int transient;        /* each fault hits one image, drawn with it, not all images */
    int per_channel;      /* report every channel */
    int worst;            /* worst sites to report, default 10 */
    uint64_t check;       /* rays: sites whose bits are also injected directly (default 0) */
    uint64_t verify;      /* (fault, image) pairs of the sample to inject directly for an unbiased
                             correction of the VF (default 0) */
    double screen;        /* first-order screening: faults that eat less than this share of every
                             margin are taken for harmless, but for a random part that checks it;
                             0: off; -1, the default: off in inject, in analyze 0.1 where every
                             operator has a backward rule */
    uint64_t screen_checks; /* skipped (fault, image) pairs to evaluate all the same, about; 0: the
                               default, one in 256, 100000 at most where the sample is known */
    int bounds;             /* rays: keep the bounds of every site and image in the store */
    double max_time;        /* seconds after which a sampled run ends with what it has; 0: none */
    double confidence;      /* default 0.95 */
    uint64_t seed;          /* default 0 */
    int threads;            /* 0: as many as processors */
    const char *cpu;        /* kernel set "ref", "avx2", "avx512"; NULL: the best */
    size_t max_memory; /* bytes for everything, default 2 GiB: images are worked on in sets that
                          fit; half of it is theirs at least */
    const char *store; /* database of the run, NULL: none. It must not exist unless `resume` */
    int resume;        /* continue the run in `store`; EINVAL when it is another one */
    const bsr_setting *settings; /* [n_settings] kept in a new `store` as they are */
    int n_settings;
    bsr_progress_fn progress;
    void *progress_ctx;
} bsr_run_options;

#define BSR_RUN_OPTIONS_INIT                                                                       \
    {                                                                                              \
        .version = BSR_RUN_OPTIONS_VERSION, .calibrate = 100, .margin = 0.01, .worst = 10,         \
        .confidence = 0.95, .screen = -1, .max_memory = (size_t)2 << 30                            \
    }

/* Fault-free inference of every image. Caller owns *out. EINVAL: image size or labels do not fit
 * the network. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_eval(bsr_eval_result **out, const bsr_model *model,
                                             const bsr_dataset *data,
                                             const bsr_run_options *options);

/* Injects the faults of the plan, each on every image (or on one: transient), by differential
 * execution, or finds their outcomes by rays. The result depends on model, data and the options
 * from `target` to `seed`, not on threads, memory, kernels or interruptions. With `store` every
 * answer is written to a database as it comes. Caller owns *out. ENOTFOUND: a selected layer,
 * tensor, channel or bit does not exist; EINVAL: an option, or `store` exists, or it holds another
 * run; ECANCELLED: stopped, what was answered is in the store; errors of the store; ENOMEM. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_inject(bsr_result **out, const bsr_model *model,
                                               const bsr_dataset *data,
                                               const bsr_run_options *options);

/* Vulnerability factors by fault rays: for every site and image the interval of added values that
 * keep the golden class is found by few evaluations and every fault of the site read off from it
 * (docs/theory/rays.md). The same as bsr_inject with other defaults. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_analyze(bsr_result **out, const bsr_model *model,
                                                const bsr_dataset *data,
                                                const bsr_run_options *options);

#ifdef __cplusplus
}
#endif
#endif
