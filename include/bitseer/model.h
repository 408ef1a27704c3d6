/* A network read from an ONNX file, ready to be analysed. */
#ifndef BITSEER_MODEL_H
#define BITSEER_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "bitseer/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Immutable once loaded; shared by any number of threads. */
typedef struct bsr_model bsr_model;

#define BSR_MODEL_OPTIONS_VERSION 1

typedef struct bsr_model_options {
    int version;
    int input_shape[3];  /* C, H, W where the file leaves them open; 0: as in the file */
    int fold_batch_norm; /* fold BatchNormalization into the Conv before it. Off by default: faults
                            live in the graph as given */
} bsr_model_options;

#define BSR_MODEL_OPTIONS_INIT                                                                     \
    {                                                                                              \
        BSR_MODEL_OPTIONS_VERSION, {0, 0, 0}, 0                                                    \
    }

/* Reads, checks and compiles the file. The batch axis is taken as one image, whatever the file
 * fixes. options NULL: defaults. Caller owns *out, which is NULL on failure.
 * ENOTFOUND, EIO: the file; EFORMAT: not a valid ONNX model; EUNSUPPORTED: an operator, type or
 * form bitseer does not do, by name; EINVAL: an input dimension is open and not given; ELIMIT,
 * ENOMEM. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_model_load(bsr_model **out, const char *path,
                                                   const bsr_model_options *options);

/* The same from bytes in memory; external data is refused. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_model_load_bytes(bsr_model **out, const void *bytes,
                                                         size_t n,
                                                         const bsr_model_options *options);
BSR_PUBLIC void bsr_model_free(bsr_model *model);

/* What the network takes and gives. channels, height and width are the image's, whether the file
 * wants NCHW or NHWC. */
typedef struct bsr_model_info {
    const char *path;   /* as given; "" for bytes */
    const char *sha256; /* of the file, hexadecimal */
    const char *name, *producer;
    int64_t ir_version, opset;
    const char *input, *output; /* tensor names */
    int channels, height, width;
    int nhwc;            /* the file's input is [N, H, W, C] */
    int classes;         /* elements of the output */
    int nodes;           /* after constant folding */
    int layers;          /* with weights: what layer indices count */
    int tensors;         /* that bsr_model_tensor lists */
    double macs;         /* multiplications of one inference */
    size_t golden_bytes; /* kept per image by the golden run */
} bsr_model_info;

/* Strings are borrowed from the model. */
BSR_PUBLIC bsr_model_info bsr_model_get_info(const bsr_model *model);

/* A layer with weights, in graph order. */
typedef struct bsr_layer_info {
    const char *name; /* the node's */
    const char *op;
    const char *weight_name, *bias_name; /* initialisers; bias_name "" without one */
    int64_t weights, biases;             /* stored elements */
    int weight_bits, bias_bits;          /* bits of one: 32 for float32 and int32, 8 for codes */
    int channels;                        /* output channels */
    int64_t outputs;                     /* output elements per image */
    const char *input; /* tensor it reads, where activation faults go by default */
    int64_t inputs;    /* its elements */
    int input_bits;    /* bits of one */
    double macs;
} bsr_layer_info;

/* i in 0..layers-1; ENOTFOUND otherwise. Strings are borrowed. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_model_layer(const bsr_model *model, int i,
                                                    bsr_layer_info *info);

/* A tensor computed from the image (or the image itself), where activation faults can go. */
typedef struct bsr_tensor_info {
    const char *name;
    const char *op; /* operator that makes it, "" for the network's input */
    const char *dtype;
    int rank;
    int64_t dims[8];
    int64_t elements;
    int bits;       /* of one element */
    int is_default; /* a convolution or Gemm reads it: faults go there when nothing is selected */
} bsr_tensor_info;
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_model_tensor(const bsr_model *model, int i,
                                                     bsr_tensor_info *info);

#ifdef __cplusplus
}
#endif
#endif
