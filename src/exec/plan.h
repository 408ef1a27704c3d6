/* A resolved graph compiled for execution: tensors laid out as pixels of channels, steps that
 * compute them row by row. Immutable after bsr_plan_new and shared by threads.
 *
 * A plan tensor is a matrix of `pixels` rows of `channels` elements that lie together: channels
 * last (NHWC) for images, the last dimension for everything else. One spare pixel behind the last
 * holds what padding reads. A step is a core (convolution, pooling, copying, ...) and a chain of
 * pointwise stages that run on the rows just computed, so that BatchNormalization, Relu, residual
 * Add and quantisation make no trip through memory. A graph value between a core and its stages
 * does not exist as a plan tensor unless it is asked to be kept. */
#ifndef BSR_EXEC_PLAN_H
#define BSR_EXEC_PLAN_H

#include "exec/pixmap.h"
#include "kernels/kernels.h"
#include "ops/op.h"

/* Most operands (inputs and outputs together) of a node evaluated densely. */
#define BSR_DENSE_OPERANDS 64

/* Rows computed at once; the staging buffer of a block stays in the first-level cache. */
#define BSR_BLOCK 60

typedef enum bsr_layout {
    BSR_ROW_MAJOR,     /* logical order */
    BSR_CHANNELS_LAST, /* dimension 1 moved to the end; rank >= 3 */
} bsr_layout;

typedef struct bsr_pten {
    int value; /* graph value (the first of its aliases) */
    bsr_dtype dtype;
    size_t esize;
    int pixels, channels;
    size_t pixel_bytes, image_bytes; /* image_bytes: (pixels + 1) pixels, rounded up to 64 */
    unsigned char pad_code; /* byte of the spare pixel: 0, or the zero point of 8-bit codes */
    unsigned char pad_set;  /* a consumer asked for pad_code */
    int64_t *identity;      /* [pixels + 1] byte offset of each pixel */
    int producer;           /* step, -1 for the network's input */
    int last_use;           /* last step that reads it; n_steps for outputs */
    int kept;         /* the golden run keeps it; if not, lanes recompute it from kept tensors */
    size_t golden_at; /* byte offset in the golden record of one image, if kept */
    size_t work_at;   /* byte offset in a lane's or image's work record, where
                         tensors whose lives do not overlap share room */
} bsr_pten;

typedef enum bsr_core {
    BSR_CORE_COPY,      /* channels of pixels of one or more inputs, else a constant */
    BSR_CORE_CONV,      /* Conv, Gemm, MatMul by constant weights, float */
    BSR_CORE_DEPTHWISE, /* Conv with one input and one output channel per group */
    BSR_CORE_CONV_I8,   /* the same on 8-bit codes, int32 sums */
    BSR_CORE_MAX_POOL,
    BSR_CORE_AVG_POOL,
    BSR_CORE_DENSE,    /* anything else: the operator's dense evaluation on whole tensors */
    BSR_CORE_RELAYOUT, /* the same values in another layout */
} bsr_core;

/* One input of a step's core. */
typedef struct bsr_source {
    int pten;
    const bsr_pixmap *map; /* which of its pixels an output pixel reads; NULL: the same pixel */
    /* COPY: channels [from, from + count) of the input become [to, to + count) of the output. */
    int from, to, count;
} bsr_source;

typedef enum bsr_stage_kind {
    BSR_STAGE_AFFINE_ADD_CLAMP, /* kernels.h affine_add_clamp */
    BSR_STAGE_UNARY,
    BSR_STAGE_BINARY_CONST,
    BSR_STAGE_BINARY_ROWS,
    BSR_STAGE_SCALE_I32, /* y = (float)x * scale[c] from int32 sums */
    BSR_STAGE_DEQUANT,   /* first stage only: codes to float */
    BSR_STAGE_QUANT,     /* last stage only: float to codes */
} bsr_stage_kind;

typedef struct bsr_stage {
    bsr_stage_kind kind;
    int node;             /* graph node of the (first) operator in it */
    float *scale, *shift; /* [channels] or NULL; BINARY_CONST: the operand is `scale` */
    int operand;          /* plan tensor added or combined row by row, -1: none */
    int relu;             /* 0, 1 (Relu), 2 (clamp to lo, hi) */
    float lo, hi;
    bsr_unary_fn unary;
    float p[4];
    bsr_binary_fn binary;
    int swap;        /* the operand is the left-hand side */
    int32_t *zero;   /* [channels] zero points of QUANT and DEQUANT */
    bsr_dtype codes; /* BSR_U8 or BSR_I8 of QUANT and DEQUANT */
} bsr_stage;

/* Weights of CONV, DEPTHWISE and CONV_I8. The logical element of output channel m, tap t and input
 * channel c of its group is data[m * stride_m + t * stride_t + c * stride_c]. */
typedef struct bsr_weights {
    int value;                   /* graph value whose stored elements are the fault sites */
    int bias_value;              /* graph value of the bias, -1: none */
    int groups, taps, cin, cout; /* cin, cout per group */
    int64_t stride_m, stride_t, stride_c;
    const void *data; /* borrowed from the graph: float or 8-bit codes */
    bsr_dtype dtype;
    const void *bias; /* borrowed: float [M] or int32 [M]; NULL: zeros */
    /* CONV and CONV_I8: per group, panels of nr columns (the last may be nr / 2 wide) of
     * [taps * cin][width]; CONV_I8: [pairs][width][2] int16. Depthwise (n_panels 0), also on codes:
     * [taps][M] float. */
    void *packed;
    size_t group_bytes, packed_bytes;
    int *panel_width; /* [n_panels] */
    size_t *panel_at; /* [n_panels] byte offset within a group */
    int n_panels;
    void *init; /* [groups][cout rounded up to nr] starting values: bias or 0 */
    int init_stride;
    int gather;      /* rows are first collected into [K] vectors: few input channels */
    int pairs;       /* CONV_I8: (K + 1) / 2 */
    int x_zero;      /* CONV_I8: zero point of the input */
    int32_t *w_zero; /* CONV_I8: [M] */
} bsr_weights;

typedef struct bsr_step {
    bsr_core core;
    int node;  /* graph node of the core; the first stage's for a bare chain */
    int layer; /* index among the layers with weights, -1 */
    int n_sources;
    bsr_source *sources;
    int out;           /* plan tensor */
    int core_channels; /* channels of the core's result (equal to the output's) */
    float fill;        /* COPY: value where no source writes */
    bsr_weights *weights;
    float *divisor; /* AVG_POOL: [pixels] */
    float unit;     /* AVG_POOL on codes: the scale its whole numbers count; 0: plain floats */
    bsr_stage *stages;
    int n_stages;
    int dense_out; /* DENSE: which output of the node */
    int max_taps;
    int touches_recomputed; /* reads or makes a tensor that is not kept */
    double macs;            /* multiplications of the core per image */
} bsr_step;

typedef struct bsr_layer {
    int step;
    int node;
    const bsr_weights *weights;
    int shared; /* another layer reads the same weights or bias */
} bsr_layer;

typedef struct bsr_plan {
    const bsr_graph *graph;
    const bsr_kernels *kernels;
    int n_ptens, n_steps, n_layers;
    bsr_pten *ptens;
    bsr_step *steps;
    bsr_layer *layers;
    int *of_value;       /* [graph values] plan tensor that holds it, -1: none */
    bsr_layout *layout;  /* [graph values] how the plan tensor holds it */
    int input, output;   /* plan tensors of the network's input and first output */
    size_t golden_bytes; /* of one image, kept tensors */
    size_t work_bytes;   /* of one image or lane */
    int max_taps, max_channels, max_pixels;
    size_t max_gather; /* elements of the largest gathered row */
    size_t max_weight_bytes;
    size_t max_dense; /* bytes of the inputs of the largest DENSE or RELAYOUT step, or the output */
    int shared_weights; /* some layer is `shared` */
    double macs;        /* per image */
    bsr_pixmap **maps;  /* owned */
    int n_maps;
} bsr_plan;

/* Compiles. `keep` (may be NULL) marks graph values that must exist as plan tensors because faults
 * or readers want them. The graph must be resolved (bsr_ops_resolve) and outlive the plan.
 * EUNSUPPORTED: no or several non-constant inputs; ENOMEM. Caller owns *out. */
bsr_status bsr_plan_new(bsr_plan **out, const bsr_graph *graph, const bsr_kernels *kernels,
                        const unsigned char *keep);
void bsr_plan_free(bsr_plan *plan);

/* Index of the layer whose step is the last at or before `step`, -1 before the first layer. */
static inline int bsr_plan_layer_at(const bsr_plan *plan, int step)
{
    while (step >= 0 && plan->steps[step].layer < 0)
        step--;
    return step < 0 ? -1 : plan->steps[step].layer;
}

/* Logical view of graph value `value`, whose plan tensor's pixels start at `data`. */
bsr_view bsr_plan_view(const bsr_plan *plan, int value, void *data);

/* The same for an explicit layout. */
bsr_view bsr_layout_view(const bsr_value *v, bsr_layout layout, void *data);

/* Pixel and channel of the element of `value` with row-major logical index `element`. */
void bsr_plan_locate(const bsr_plan *plan, int value, int64_t element, int *pixel, int *channel);

/* Packed position of element (m, tap, c) in `packed` (w->packed or a copy of it). */
void *bsr_weights_at(const bsr_weights *w, void *packed, int m, int tap, int c);

/* Stores an element given by its stored bits (float, or an 8-bit code in the low byte). */
void bsr_weights_store(const bsr_weights *w, void *packed, int m, int tap, int c, uint32_t bits);

/* Output channel, tap and input channel (of the group) of a weight's logical index. */
void bsr_weights_locate(const bsr_weights *w, int64_t element, int *m, int *tap, int *c);

#endif
