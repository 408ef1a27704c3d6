/* Slopes of the elementwise operators of two and more inputs; Where moves elements. */
#include <string.h>

#include "base/error.h"
#include "ops/backward.h"
#include "ops/binary.h"
#include "ops/mathf.h"

static void add(double *slope, const double *x, int n, const void *ctx)
{
    for (int i = 0; i < n; i++)
        slope[i] = 1.0;
}

static void mean(double *slope, const double *x, int n, const void *ctx)
{
    for (int i = 0; i < n; i++)
        slope[i] = 1.0 / n;
}

static void sub(double *slope, const double *x, int n, const void *ctx)
{
    slope[0] = 1.0;
    slope[1] = -1.0;
}

static void mul(double *slope, const double *x, int n, const void *ctx)
{
    slope[0] = x[1];
    slope[1] = x[0];
}

static void divide(double *slope, const double *x, int n, const void *ctx)
{
    slope[0] = 1.0 / x[1];
    slope[1] = -x[0] / (x[1] * x[1]);
}

/* The first of equal operands is followed, and a NaN, as in the forward direction. */
static void max(double *slope, const double *x, int n, const void *ctx)
{
    int best = 0;
    for (int i = 0; i < n; i++) {
        slope[i] = 0.0;
        if (x[i] > x[best] || x[i] != x[i])
            best = i;
    }
    slope[best] = 1.0;
}

static void min(double *slope, const double *x, int n, const void *ctx)
{
    int best = 0;
    for (int i = 0; i < n; i++) {
        slope[i] = 0.0;
        if (x[i] < x[best] || x[i] != x[i])
            best = i;
    }
    slope[best] = 1.0;
}

/* x[0]^x[1]. Where the power is 0 so is its derivative by the exponent, although log(0) is not
 * finite. */
static void power(double *slope, const double *x, int n, const void *ctx)
{
    double y = bsr_pow(x[0], x[1]);
    slope[0] = x[1] == 0.0 ? 0.0 : x[1] * bsr_pow(x[0], x[1] - 1.0);
    slope[1] = y == 0.0 ? 0.0 : y * bsr_log(x[0]);
}

static void prelu(double *slope, const double *x, int n, const void *ctx)
{
    slope[0] = x[0] > 0.0 ? 1.0 : x[1];
    slope[1] = x[0] > 0.0 ? 0.0 : x[0];
}

static const struct {
    const char *type;
    bsr_slopes_fn slopes;
} rules[] = {
    {"Add", add}, {"Div", divide}, {"Max", max},     {"Mean", mean}, {"Min", min},
    {"Mul", mul}, {"Pow", power},  {"PRelu", prelu}, {"Sub", sub},   {"Sum", add},
};

bsr_status bsr_binary_backward(const bsr_op_backward *call)
{
    const bsr_op_call *f = call->forward;
    BSR_TRY(bsr_backward_check_f32(call));
    if (!bsr_backward_begin(call))
        return BSR_OK;
    size_t i = 0;
    while (strcmp(rules[i].type, f->node->op_type) != 0)
        i++;
    return bsr_backward_pointwise(f->n_in, f->in, call->grad_in, call->grad_out, rules[i].slopes,
                                  NULL);
}
