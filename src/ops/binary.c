/* Operators of two and more inputs, element by element with broadcasting. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "ops/backward.h"
#include "ops/binary.h"
#include "ops/families.h"
#include "ops/mathf.h"
#include "ops/rows.h"

typedef double (*binary_f64)(double a, double b);
typedef int64_t (*binary_int)(int64_t a, int64_t b);

#define ARITHMETIC(name, op)                                                                       \
    static float name##_f32(float a, float b)                                                      \
    {                                                                                              \
        return a op b;                                                                             \
    }                                                                                              \
    static double name##_f64(double a, double b)                                                   \
    {                                                                                              \
        return a op b;                                                                             \
    }
ARITHMETIC(add, +)
ARITHMETIC(sub, -)
ARITHMETIC(mul, *)
ARITHMETIC(div, /)

/* NaN wins; of equal operands (+0 and -0) the first. */
#define EXTREMUM(name, op)                                                                         \
    static float name##_f32(float a, float b)                                                      \
    {                                                                                              \
        return (b op a || b != b) ? b : a;                                                         \
    }                                                                                              \
    static double name##_f64(double a, double b)                                                   \
    {                                                                                              \
        return (b op a || b != b) ? b : a;                                                         \
    }                                                                                              \
    static int64_t name##_int(int64_t a, int64_t b)                                                \
    {                                                                                              \
        return b op a ? b : a;                                                                     \
    }
EXTREMUM(max, >)
EXTREMUM(min, <)

static float prelu_f32(float x, float slope)
{
    return x < 0.0f ? slope * x : x;
}

static double prelu_f64(double x, double slope)
{
    return x < 0.0 ? slope * x : x;
}

/* Integers wrap around; narrower types do when the low bits are stored. */

static int64_t add_int(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t sub_int(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t mul_int(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

/* Truncates. ONNX leaves division by 0 open; here it gives 0 (numpy) instead of a trap. */
static int64_t div_int(int64_t a, int64_t b)
{
    if (b == 0)
        return 0;
    return b == -1 ? sub_int(0, a) : a / b;
}

static int64_t prelu_int(int64_t x, int64_t slope)
{
    return x < 0 ? mul_int(slope, x) : x;
}

#define COMPARISON(name, op)                                                                       \
    static double name##_f64(double a, double b)                                                   \
    {                                                                                              \
        return a op b;                                                                             \
    }                                                                                              \
    static int64_t name##_int(int64_t a, int64_t b)                                                \
    {                                                                                              \
        return a op b;                                                                             \
    }
COMPARISON(equal, ==)
COMPARISON(greater, >)
COMPARISON(greater_equal, >=)
COMPARISON(less, <)
COMPARISON(less_equal, <=)

static int64_t and_bool(int64_t a, int64_t b)
{
    return a && b;
}

static int64_t or_bool(int64_t a, int64_t b)
{
    return a || b;
}

static int64_t xor_bool(int64_t a, int64_t b)
{
    return !a != !b;
}

/* What the second operand and the result are. */
typedef enum form {
    SAME,    /* the first operand's type */
    TO_BOOL, /* result bool: f64 and of_int are predicates */
    SUM,     /* as SAME, of one or more inputs only */
    MEAN,    /* as SUM, divided by the number of inputs */
    ONE_WAY, /* as SAME; the second operand broadcasts to the first, not the reverse */
} form;

typedef struct rule {
    const char *type;
    int max_in; /* -1: one or more inputs, taken from the left */
    unsigned types;
    form form;
    bsr_binary_fn f32;
    binary_f64 f64;
    binary_int of_int;
} rule;

#define FLOAT  BSR_TYPES_FLOAT
#define NUMBER BSR_TYPES_NUMBER
#define BOOL   BSR_TYPES(BSR_BOOL)

/* Type, maximum of inputs, element types, form, functions of float32, float64 and integers,
 * backward rule. */
#define BINARY_OPS(X)                                                                              \
    X(Add, 2, NUMBER, SAME, add_f32, add_f64, add_int, bsr_binary_backward)                        \
    X(And, 2, BOOL, TO_BOOL, NULL, NULL, and_bool, NULL)                                           \
    X(Div, 2, NUMBER, SAME, div_f32, div_f64, div_int, bsr_binary_backward)                        \
    X(Equal, 2, BSR_TYPES_ALL, TO_BOOL, NULL, equal_f64, equal_int, NULL)                          \
    X(Greater, 2, NUMBER, TO_BOOL, NULL, greater_f64, greater_int, NULL)                           \
    X(GreaterOrEqual, 2, NUMBER, TO_BOOL, NULL, greater_equal_f64, greater_equal_int, NULL)        \
    X(Less, 2, NUMBER, TO_BOOL, NULL, less_f64, less_int, NULL)                                    \
    X(LessOrEqual, 2, NUMBER, TO_BOOL, NULL, less_equal_f64, less_equal_int, NULL)                 \
    X(Max, -1, NUMBER, SAME, max_f32, max_f64, max_int, bsr_binary_backward)                       \
    X(Mean, -1, FLOAT, MEAN, add_f32, add_f64, NULL, bsr_binary_backward)                          \
    X(Min, -1, NUMBER, SAME, min_f32, min_f64, min_int, bsr_binary_backward)                       \
    X(Mul, 2, NUMBER, SAME, mul_f32, mul_f64, mul_int, bsr_binary_backward)                        \
    X(Or, 2, BOOL, TO_BOOL, NULL, NULL, or_bool, NULL)                                             \
    X(PRelu, 2, NUMBER, ONE_WAY, prelu_f32, prelu_f64, prelu_int, bsr_binary_backward)             \
    X(Sub, 2, NUMBER, SAME, sub_f32, sub_f64, sub_int, bsr_binary_backward)                        \
    X(Sum, -1, FLOAT, SUM, add_f32, add_f64, NULL, bsr_binary_backward)                            \
    X(Xor, 2, BOOL, TO_BOOL, NULL, NULL, xor_bool, NULL)

static const rule rules[] = {
#define RULE(type, max_in, types, form, f32, f64, of_int, backward)                                \
    {#type, max_in, types, form, f32, f64, of_int},
    BINARY_OPS(RULE)
#undef RULE
};

static const rule *find_rule(const char *op_type)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strcmp(rules[i].type, op_type) == 0)
            return &rules[i];
    return NULL;
}

static bsr_status binary_infer(bsr_infer *ctx)
{
    const rule *r = find_rule(ctx->node->op_type);
    const bsr_value *x = bsr_infer_in(ctx, 0);
    int rank;
    int64_t dims[BSR_MAX_RANK];
    BSR_TRY(bsr_infer_dtype(ctx, 0, r->types));
    BSR_TRY(bsr_infer_same_dtype(ctx, 0));
    BSR_TRY(bsr_infer_broadcast(ctx, 0, &rank, dims));
    int grew = rank != x->rank || memcmp(dims, x->dims, (size_t)rank * sizeof *dims) != 0;
    if (r->form == ONE_WAY && grew) {
        const bsr_value *slope = bsr_infer_in(ctx, 1);
        char have[192], other[192];
        return bsr_node_fail(ctx->node, BSR_EFORMAT, "cannot broadcast %s of input 1 to %s",
                             bsr_dims_text(have, sizeof have, slope->rank, slope->dims),
                             bsr_dims_text(other, sizeof other, x->rank, x->dims));
    }
    return bsr_infer_set(ctx, 0, r->form == TO_BOOL ? BSR_BOOL : x->dtype, rank, dims);
}

typedef struct row_ctx {
    const rule *rule;
    bsr_dtype dtype; /* of the operands */
} row_ctx;

static void row_f32(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    bsr_binary_fn fn = ((const row_ctx *)ctx)->rule->f32;
    for (int64_t i = 0; i < n; i++) {
        const float *a = (const void *)(p[1] + i * step[1]);
        const float *b = (const void *)(p[2] + i * step[2]);
        *(float *)(void *)(p[0] + i * step[0]) = fn(*a, *b);
    }
}

static void row_f64(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    binary_f64 fn = ((const row_ctx *)ctx)->rule->f64;
    for (int64_t i = 0; i < n; i++) {
        const double *a = (const void *)(p[1] + i * step[1]);
        const double *b = (const void *)(p[2] + i * step[2]);
        *(double *)(void *)(p[0] + i * step[0]) = fn(*a, *b);
    }
}

static void row_int(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    const row_ctx *c = ctx;
    for (int64_t i = 0; i < n; i++) {
        int64_t a = bsr_load_int(c->dtype, p[1] + i * step[1]);
        int64_t b = bsr_load_int(c->dtype, p[2] + i * step[2]);
        bsr_store_int(c->dtype, p[0] + i * step[0], c->rule->of_int(a, b));
    }
}

/* Float comparisons: every float is a double exactly. */
static void row_predicate(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    const row_ctx *c = ctx;
    for (int64_t i = 0; i < n; i++) {
        double a = bsr_load_float(c->dtype, p[1] + i * step[1]);
        double b = bsr_load_float(c->dtype, p[2] + i * step[2]);
        *(p[0] + i * step[0]) = c->rule->f64(a, b) != 0.0;
    }
}

/* Integer comparisons and logic: the result is one byte whatever the operands are. */
static void row_predicate_int(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    const row_ctx *c = ctx;
    for (int64_t i = 0; i < n; i++) {
        int64_t a = bsr_load_int(c->dtype, p[1] + i * step[1]);
        int64_t b = bsr_load_int(c->dtype, p[2] + i * step[2]);
        *(p[0] + i * step[0]) = (char)c->rule->of_int(a, b);
    }
}

static bsr_row_fn row_for(const rule *r, bsr_dtype dtype)
{
    if (r->form == TO_BOOL)
        return bsr_is_float(dtype) ? row_predicate : row_predicate_int;
    return dtype == BSR_F32 ? row_f32 : dtype == BSR_F64 ? row_f64 : row_int;
}

static void divide_row(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    const bsr_op_call *call = ctx;
    for (int64_t i = 0; i < n; i++) {
        char *at = p[0] + i * step[0];
        if (call->out[0].dtype == BSR_F32)
            *(float *)(void *)at /= (float)call->n_in;
        else
            *(double *)(void *)at /= (double)call->n_in;
    }
}

static bsr_status binary_run(const bsr_op_call *call)
{
    row_ctx c = {.rule = find_rule(call->node->op_type), .dtype = call->in[0].dtype};
    bsr_row_fn fn = row_for(c.rule, c.dtype);
    const bsr_view *out = &call->out[0];
    if (c.rule->max_in == 2) {
        bsr_rows(out, call->in, 2, fn, &c);
        return BSR_OK;
    }
    /* The output holds the running result; rows may read what they write. */
    bsr_rows_copy(out, &call->in[0]);
    for (int i = 1; i < call->n_in; i++) {
        bsr_view both[2] = {*out, call->in[i]};
        bsr_rows(out, both, 2, fn, &c);
    }
    if (c.rule->form == MEAN)
        bsr_rows(out, NULL, 0, divide_row, call);
    return BSR_OK;
}

bsr_binary_fn bsr_op_binary(const char *op_type)
{
    if (strcmp(op_type, "Pow") == 0)
        return bsr_powf;
    const rule *r = find_rule(op_type);
    return r && (r->form == SAME || r->form == ONE_WAY) ? r->f32 : NULL;
}

const bsr_op bsr_ops_binary[] = {
#define ROW(type, max_in, types, form, f32, f64, of_int, backward)                                 \
    {#type, max_in == 2 ? 2 : 1, max_in, 1, "", binary_infer, binary_run, backward},
    BINARY_OPS(ROW)
#undef ROW
        {"Pow", 2, 2, 1, "", bsr_pow_infer, bsr_pow_run, bsr_binary_backward},
    {"Where", 3, 3, 1, "", bsr_where_infer, bsr_where_run, bsr_backward_move},
};
const int bsr_ops_binary_count = sizeof bsr_ops_binary / sizeof bsr_ops_binary[0];
