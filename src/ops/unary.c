/* Operators of one input, element by element. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "ops/backward.h"
#include "ops/families.h"
#include "ops/mathf.h"
#include "ops/rows.h"
#include "ops/unary.h"

typedef double (*unary_f64)(double x);
typedef int64_t (*unary_int)(int64_t x);

/* float32; p[0] is alpha, p[1] beta or gamma. */

static float identity(float x, const float *p)
{
    return x;
}

static float relu(float x, const float *p)
{
    return x > 0.0f ? x : (x != x ? x : 0.0f);
}

static float leaky_relu(float x, const float *p)
{
    return x < 0.0f ? p[0] * x : x;
}

/* e^x - 1 of a float, not cancelling near 0; the series' rest is below 2^-41 relative. */
static double exp_minus_1(double x)
{
    if (fabs(x) < 0x1p-12)
        return x * (1.0 + x * (0.5 + x / 6.0));
    return bsr_exp(x) - 1.0;
}

static float elu(float x, const float *p)
{
    return x < 0.0f ? (float)((double)p[0] * exp_minus_1((double)x)) : x;
}

static float selu(float x, const float *p)
{
    if (x > 0.0f)
        return p[1] * x;
    return (float)((double)p[1] * ((double)p[0] * exp_minus_1((double)x)));
}

static float sigmoid(float x, const float *p)
{
    return bsr_sigmoidf(x);
}

static float hard_sigmoid(float x, const float *p)
{
    float y = p[0] * x + p[1];
    return y < 0.0f ? 0.0f : (y > 1.0f ? 1.0f : y);
}

static float hard_swish(float x, const float *p)
{
    static const float sixth_half[2] = {1.0f / 6.0f, 0.5f};
    return x * hard_sigmoid(x, sixth_half);
}

static float tanh_f32(float x, const float *p)
{
    return bsr_tanhf(x);
}

static float softplus(float x, const float *p)
{
    return bsr_softplusf(x);
}

static float softsign(float x, const float *p)
{
    return x / (1.0f + fabsf(x));
}

static float erf_f32(float x, const float *p)
{
    return bsr_erff(x);
}

static float exp_f32(float x, const float *p)
{
    return bsr_expf(x);
}

static float log_f32(float x, const float *p)
{
    return bsr_logf(x);
}

static float sign(float x, const float *p)
{
    return x > 0.0f ? 1.0f : (x < 0.0f ? -1.0f : (x != x ? x : 0.0f));
}

static float neg(float x, const float *p)
{
    return -x;
}

static float abs_f32(float x, const float *p)
{
    return fabsf(x);
}

static float sqrt_f32(float x, const float *p)
{
    return sqrtf(x);
}

static float reciprocal(float x, const float *p)
{
    return 1.0f / x;
}

static float floor_f32(float x, const float *p)
{
    return floorf(x);
}

static float ceil_f32(float x, const float *p)
{
    return ceilf(x);
}

static float round_f32(float x, const float *p)
{
    return rintf(x);
}

/* float64: the operators that need no approximation besides exp and log. */

static double relu_f64(double x)
{
    return x > 0.0 ? x : (x != x ? x : 0.0);
}

static double sign_f64(double x)
{
    return x > 0.0 ? 1.0 : (x < 0.0 ? -1.0 : (x != x ? x : 0.0));
}

static double neg_f64(double x)
{
    return -x;
}

static double reciprocal_f64(double x)
{
    return 1.0 / x;
}

/* Integers; the most negative one is its own negative, as in two's complement. */

static int64_t relu_int(int64_t x)
{
    return x > 0 ? x : 0;
}

static int64_t sign_int(int64_t x)
{
    return (x > 0) - (x < 0);
}

static int64_t neg_int(int64_t x)
{
    return (int64_t)(0 - (uint64_t)x);
}

static int64_t abs_int(int64_t x)
{
    return x < 0 ? neg_int(x) : x;
}

static int64_t not_bool(int64_t x)
{
    return !x;
}

#define F32    BSR_TYPES(BSR_F32)
#define FLOAT  BSR_TYPES_FLOAT
#define NUMBER BSR_TYPES_NUMBER
#define SIGNED (BSR_TYPES_NUMBER & ~BSR_TYPES(BSR_U8))

/* Type, attributes, element types, functions of float32, float64 and integers, defaults of p. */
#define UNARY_OPS(X)                                                                               \
    X(Abs, "", NUMBER, abs_f32, fabs, abs_int, 0, 0)                                               \
    X(Ceil, "", FLOAT, ceil_f32, ceil, NULL, 0, 0)                                                 \
    X(Elu, "alpha:f", F32, elu, NULL, NULL, 1.0f, 0)                                               \
    X(Erf, "", F32, erf_f32, NULL, NULL, 0, 0)                                                     \
    X(Exp, "", FLOAT, exp_f32, bsr_exp, NULL, 0, 0)                                                \
    X(Floor, "", FLOAT, floor_f32, floor, NULL, 0, 0)                                              \
    X(HardSigmoid, "alpha:f beta:f", F32, hard_sigmoid, NULL, NULL, 0.2f, 0.5f)                    \
    X(HardSwish, "", F32, hard_swish, NULL, NULL, 0, 0)                                            \
    X(LeakyRelu, "alpha:f", F32, leaky_relu, NULL, NULL, 0.01f, 0)                                 \
    X(Log, "", FLOAT, log_f32, bsr_log, NULL, 0, 0)                                                \
    X(Neg, "", SIGNED, neg, neg_f64, neg_int, 0, 0)                                                \
    X(Reciprocal, "", FLOAT, reciprocal, reciprocal_f64, NULL, 0, 0)                               \
    X(Relu, "", SIGNED, relu, relu_f64, relu_int, 0, 0)                                            \
    X(Round, "", FLOAT, round_f32, rint, NULL, 0, 0)                                               \
    X(Selu, "alpha:f gamma:f", F32, selu, NULL, NULL, 1.67326319217681884765625f,                  \
      1.05070102214813232421875f)                                                                  \
    X(Sigmoid, "", F32, sigmoid, NULL, NULL, 0, 0)                                                 \
    X(Sign, "", NUMBER, sign, sign_f64, sign_int, 0, 0)                                            \
    X(Softplus, "", F32, softplus, NULL, NULL, 0, 0)                                               \
    X(Softsign, "", F32, softsign, NULL, NULL, 0, 0)                                               \
    X(Sqrt, "", FLOAT, sqrt_f32, sqrt, NULL, 0, 0)                                                 \
    X(Tanh, "", F32, tanh_f32, NULL, NULL, 0, 0)

typedef struct rule {
    const char *type;
    unsigned types;
    bsr_unary_fn f32;
    unary_f64 f64;
    unary_int of_int;
    float p[2];
} rule;

static const rule rules[] = {
#define RULE(type, attrs, types, f32, f64, of_int, p0, p1)                                         \
    {#type, types, f32, f64, of_int, {p0, p1}},
    UNARY_OPS(RULE)
#undef RULE
        {"Not", BSR_TYPES(BSR_BOOL), NULL, NULL, not_bool, {0, 0}},
};

static const rule *find_rule(const char *op_type)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strcmp(rules[i].type, op_type) == 0)
            return &rules[i];
    return NULL;
}

void bsr_unary_params(const bsr_node *node, float p[4])
{
    const rule *r = find_rule(node->op_type);
    const char *second = bsr_node_attr(node, "gamma") ? "gamma" : "beta";
    p[0] = bsr_node_float(node, "alpha", r->p[0]);
    p[1] = bsr_node_float(node, second, r->p[1]);
    p[2] = p[3] = 0.0f;
}

static bsr_status infer_same(bsr_infer *ctx, unsigned types)
{
    const bsr_value *x = bsr_infer_in(ctx, 0);
    BSR_TRY(bsr_infer_dtype(ctx, 0, types));
    return bsr_infer_set(ctx, 0, x->dtype, x->rank, x->dims);
}

static bsr_status unary_infer(bsr_infer *ctx)
{
    return infer_same(ctx, find_rule(ctx->node->op_type)->types);
}

typedef struct row_ctx {
    const rule *rule;
    bsr_dtype dtype;
    float p[4];
} row_ctx;

static void row_f32(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    const row_ctx *c = ctx;
    for (int64_t i = 0; i < n; i++) {
        const float *x = (const void *)(p[1] + i * step[1]);
        *(float *)(void *)(p[0] + i * step[0]) = c->rule->f32(*x, c->p);
    }
}

static void row_f64(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    const row_ctx *c = ctx;
    for (int64_t i = 0; i < n; i++) {
        const double *x = (const void *)(p[1] + i * step[1]);
        *(double *)(void *)(p[0] + i * step[0]) = c->rule->f64(*x);
    }
}

static void row_int(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    const row_ctx *c = ctx;
    for (int64_t i = 0; i < n; i++) {
        int64_t x = bsr_load_int(c->dtype, p[1] + i * step[1]);
        bsr_store_int(c->dtype, p[0] + i * step[0], c->rule->of_int(x));
    }
}

static bsr_status unary_run(const bsr_op_call *call)
{
    row_ctx c = {.rule = find_rule(call->node->op_type), .dtype = call->in[0].dtype};
    bsr_unary_params(call->node, c.p);
    bsr_row_fn fn = c.dtype == BSR_F32 ? row_f32 : c.dtype == BSR_F64 ? row_f64 : row_int;
    bsr_rows(&call->out[0], &call->in[0], 1, fn, &c);
    return BSR_OK;
}

static bsr_status identity_infer(bsr_infer *ctx)
{
    return infer_same(ctx, BSR_TYPES_ALL);
}

static bsr_status identity_run(const bsr_op_call *call)
{
    bsr_rows_copy(&call->out[0], &call->in[0]);
    return BSR_OK;
}

bsr_unary_fn bsr_op_unary(const bsr_graph *graph, const bsr_node *node, float p[4])
{
    memset(p, 0, 4 * sizeof *p);
    if (node->n_in < 1 || node->in[0] < 0 || graph->values[node->in[0]].dtype != BSR_F32)
        return NULL;
    if (strcmp(node->op_type, "Clip") == 0)
        return bsr_clip_params(graph, node, p) ? bsr_clip_f32 : NULL;
    if (strcmp(node->op_type, BSR_OP_STORE) == 0)
        return bsr_store_params(node, p);
    int wants_mask = node->n_out > 1 && node->out[1] >= 0;
    if (strcmp(node->op_type, "Dropout") == 0)
        return wants_mask ? NULL : identity;
    if (strcmp(node->op_type, "Identity") == 0)
        return identity;
    const rule *r = find_rule(node->op_type);
    if (!r)
        return NULL;
    bsr_unary_params(node, p);
    return r->f32;
}

const bsr_op bsr_ops_unary[] = {
#define ROW(type, attrs, types, f32, f64, of_int, p0, p1)                                          \
    {#type, 1, 1, 1, attrs, unary_infer, unary_run, bsr_unary_backward},
    UNARY_OPS(ROW)
#undef ROW
        {"Clip", 1, 3, 1, "min:f max:f", bsr_clip_infer, bsr_clip_run, bsr_clip_backward},
    {"Dropout", 1, 3, 2, "ratio:f seed:i", bsr_dropout_infer, bsr_dropout_run,
     bsr_dropout_backward},
    {"Identity", 1, 1, 1, "", identity_infer, identity_run, bsr_backward_move},
    {"Not", 1, 1, 1, "", unary_infer, unary_run, NULL},
    {BSR_OP_STORE, 1, 1, 1, BSR_STORE_ATTRS, bsr_store_infer, bsr_store_run, bsr_store_backward},
};
const int bsr_ops_unary_count = sizeof bsr_ops_unary / sizeof bsr_ops_unary[0];
