/* Shared by the gradient*.c files: the backward form of a plan and the state of one walk. */
#ifndef BSR_EXEC_GRADIENT_STATE_H
#define BSR_EXEC_GRADIENT_STATE_H

#include "exec/gradient.h"

/* Part of a convolution backwards: a convolution with transposed weights that gathers, for input
 * pixels, what the output pixels that read them give. Taps that no input pixel has together (those
 * of different remainders by the stride) are parts of their own, so that nothing is multiplied by
 * zeros but at the border. Every input pixel is in one part, or in none when nobody reads it. */
typedef struct bsr_back_conv {
    int taps, pixels;
    int32_t *pixel; /* [pixels] input pixels, ascending */
    int64_t *from;  /* [taps][pixels] byte offset, in a seed's gradient, of the output pixel that
                       reads it by this tap, or of the spare one */
    bsr_weights *weights;
} bsr_back_conv;

/* A Relu or Clip that saturation to codes repeats is no stage of its own (lower_pointwise.c): its
 * slope is 0 where lo < x < hi does not hold for the value x that the codes stand for in steps of
 * unit[c * unit_stride]. unit NULL: there is none. */
typedef struct bsr_hidden_clamp {
    float lo, hi;
    const float *unit;
    int unit_stride;
} bsr_hidden_clamp;

typedef struct bsr_back_step {
    int reaches; /* the step's result has a way to the network's output */
    int values;  /* the stages' slopes depend on values that no tensor holds */
    bsr_hidden_clamp clamp;
    int n_convs, covered;
    bsr_back_conv *convs;
} bsr_back_step;

struct bsr_gradient_plan {
    const bsr_plan *plan;
    int seeds;            /* most of one walk */
    bsr_back_step *steps; /* [plan steps] */
    /* Offsets of tensors in the workspace; those that are not alive together share room. Gradients
     * are [seeds][pixels + 1][channels] floats, the last pixel zero while a step reads them. */
    size_t *gradient_at, gradient_bytes;
    size_t *value_at, value_bytes; /* tensors that the golden run does not keep */
    size_t max_gather, max_dense, max_argmax, max_slopes;
    int max_stages;
};

struct bsr_gradients {
    const bsr_gradient_plan *gp;
    const bsr_golden *golden;
    int image, seeds;
    char *gradients, *values;
    unsigned char *needed;   /* [ptens] wanted, or on the way back to a wanted one */
    unsigned char *written;  /* [ptens] some consumer gave its share */
    unsigned char *computed; /* [ptens] is in `values` */
    bsr_scratch scratch;
    float *rows;          /* [max_stages + 1][BSR_BLOCK][max_channels] what each stage read */
    float *slopes;        /* [pixels][channels] d output / d core's result of the current step */
    float *spare, *part;  /* [BSR_BLOCK][max_channels] */
    unsigned char *fresh; /* [max_stages or sources] has no share before this stage's or source's */
    int64_t *off;         /* [max_taps][BSR_BLOCK] */
    float *dense;         /* gradients of a DENSE step's inputs, of one seed */
    int32_t *argmax;      /* [pixels][channels] of a MAX_POOL step's output */
};

/* Floats from one seed's gradient to the next. */
static inline size_t bsr_gradient_stride(const bsr_pten *p)
{
    return ((size_t)p->pixels + 1) * (size_t)p->channels;
}

/* Gradient of seed k at a tensor. */
static inline float *bsr_gradient_at(const bsr_gradients *g, int pten, int k)
{
    return (float *)(void *)(g->gradients + g->gp->gradient_at[pten]) +
           (size_t)k * bsr_gradient_stride(&g->gp->plan->ptens[pten]);
}

/* The image's golden tensor, computed again when the golden run does not keep it. */
const char *bsr_gradient_value(bsr_gradients *g, int pten);

/* Zeros where nobody has given a share yet, so that shares can be added. */
void bsr_gradient_open(bsr_gradients *g, int pten);

/* Seeds [first, first + n): the cores take as many at once as stay in cache. */
typedef struct bsr_seeds {
    int first, n;
} bsr_seeds;

/* Backward form of a step's weights. ENOMEM: what is there is freed with the plan. */
bsr_status bsr_back_convs_new(bsr_back_step *back, const bsr_plan *plan, const bsr_step *s);
void bsr_back_convs_free(bsr_back_step *back);

/* The step's stages: gives their operands a share of the gradient at the step's output and, where
 * the core's sources need one, sets g->slopes; *ones: all are 1 and not set. bsr_stages_check:
 * EUNSUPPORTED names a stage without a rule. */
bsr_status bsr_stages_check(const bsr_plan *plan, const bsr_step *s);
int bsr_stages_need_values(const bsr_step *s);
bsr_hidden_clamp bsr_stages_clamp(const bsr_plan *plan, const bsr_step *s);
bsr_status bsr_stages_back(bsr_gradients *g, int step, int *ones);

/* y[i] = gradient[i] * slope[i]. A factor of 0 gives 0 whatever the other is, as in the operators'
 * own rules: what a Relu cuts off is cut off behind an infinite weight too. */
static inline float bsr_chain_f32(float gradient, float slope)
{
    return slope == 0.0f ? 0.0f : gradient * slope;
}

/* Multiplies with g->slopes: the gradient at the step's output becomes that at the core's result,
 * in place. */
void bsr_slopes_back(const bsr_gradients *g, int step, bsr_seeds seeds);

/* The cores: give the sources their share, after bsr_slopes_back unless the slopes are `ones`. */
bsr_status bsr_core_check(const bsr_plan *plan, const bsr_step *s);
bsr_status bsr_core_back(bsr_gradients *g, int step, int ones);
bsr_status bsr_conv_back(bsr_gradients *g, int step, bsr_seeds seeds);

/* EUNSUPPORTED unless operator `node` has a backward rule. */
bsr_status bsr_gradient_rule(const bsr_plan *plan, int node, const bsr_op **op);

#endif
