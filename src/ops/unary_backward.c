/* Slopes of the operators of one input: one function of x for each row of unary.c that has one.
 * They are evaluated in double. At a kink the slope is that of the flat side; for LeakyRelu and Elu
 * that of the negative side. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "ops/backward.h"
#include "ops/mathf.h"
#include "ops/unary.h"

typedef double (*slope_fn)(double x, const float *p);

/* Piecewise constant functions. */
static double flat(double x, const float *p)
{
    return 0.0;
}

static double relu(double x, const float *p)
{
    return x > 0.0 ? 1.0 : 0.0;
}

static double leaky_relu(double x, const float *p)
{
    return x > 0.0 ? 1.0 : (double)p[0];
}

static double elu(double x, const float *p)
{
    return x > 0.0 ? 1.0 : (double)p[0] * bsr_exp(x);
}

static double selu(double x, const float *p)
{
    return x > 0.0 ? (double)p[1] : (double)p[1] * ((double)p[0] * bsr_exp(x));
}

/* s (1 - s) = e / (1 + e)^2 with e = exp(-|x|), without cancellation. */
static double sigmoid(double x, const float *p)
{
    double e = bsr_exp(-fabs(x));
    return e / ((1.0 + e) * (1.0 + e));
}

/* The sum is that of the forward function: whether it cuts must be the same decision. */
static double hard_sigmoid(double x, const float *p)
{
    float y = p[0] * (float)x + p[1];
    return y > 0.0f && y < 1.0f ? (double)p[0] : 0.0;
}

static double hard_swish(double x, const float *p)
{
    if (x <= -3.0)
        return 0.0;
    return x >= 3.0 ? 1.0 : x / 3.0 + 0.5;
}

/* 1 - tanh^2 = 4 e / (1 + e)^2 with e = exp(-2 |x|). */
static double tanh_slope(double x, const float *p)
{
    return 4.0 * sigmoid(2.0 * x, p);
}

static double softplus(double x, const float *p)
{
    return 1.0 / (1.0 + bsr_exp(-x));
}

static double softsign(double x, const float *p)
{
    return 1.0 / ((1.0 + fabs(x)) * (1.0 + fabs(x)));
}

static double erf_slope(double x, const float *p)
{
    return 0x1.20dd750429b6dp+0 * bsr_exp(-x * x); /* 2 / sqrt(pi) */
}

static double exp_slope(double x, const float *p)
{
    return bsr_exp(x);
}

static double log_slope(double x, const float *p)
{
    return 1.0 / x;
}

static double neg(double x, const float *p)
{
    return -1.0;
}

static double abs_slope(double x, const float *p)
{
    return x > 0.0 ? 1.0 : (x < 0.0 ? -1.0 : 0.0);
}

static double sqrt_slope(double x, const float *p)
{
    return 0.5 / sqrt(x);
}

static double reciprocal(double x, const float *p)
{
    return -1.0 / (x * x);
}

static const struct {
    const char *type;
    slope_fn slope;
} slopes[] = {
    {"Abs", abs_slope},
    {"Ceil", flat},
    {"Elu", elu},
    {"Erf", erf_slope},
    {"Exp", exp_slope},
    {"Floor", flat},
    {"HardSigmoid", hard_sigmoid},
    {"HardSwish", hard_swish},
    {"LeakyRelu", leaky_relu},
    {"Log", log_slope},
    {"Neg", neg},
    {"Reciprocal", reciprocal},
    {"Relu", relu},
    {"Round", flat},
    {"Selu", selu},
    {"Sigmoid", sigmoid},
    {"Sign", flat},
    {"Softplus", softplus},
    {"Softsign", softsign},
    {"Sqrt", sqrt_slope},
    {"Tanh", tanh_slope},
};

typedef struct unary_ctx {
    slope_fn slope;
    float p[4];
} unary_ctx;

static void unary_slope(double *slope, const double *x, int n, const void *ctx)
{
    const unary_ctx *c = ctx;
    slope[0] = c->slope(x[0], c->p);
}

bsr_status bsr_unary_backward(const bsr_op_backward *call)
{
    const bsr_op_call *f = call->forward;
    unary_ctx c;
    size_t i = 0;
    BSR_TRY(bsr_backward_check_f32(call));
    if (!bsr_backward_begin(call))
        return BSR_OK;
    while (strcmp(slopes[i].type, f->node->op_type) != 0)
        i++;
    c.slope = slopes[i].slope;
    bsr_unary_params(f->node, c.p);
    return bsr_backward_pointwise(1, f->in, call->grad_in, call->grad_out, unary_slope, &c);
}
