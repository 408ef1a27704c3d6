/* Rules of operators that work element by element. */
#include "predict/layer_rules.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "ops/unary.h"
#include "stats/normal_moments.h"
#include "stats/special.h"

/* Standard deviations beyond which nothing of a normal disturbance is expected. */
#define FAR 9

static void clip_normal(double y, double lo, double hi, double *mean, double *var)
{
    double at = fmin(fmax(y, lo), hi), mu = y + *mean, reach = FAR * sqrt(*var);
    if (mu + reach <= lo || mu - reach >= hi) {
        *mean = (mu + reach <= lo ? lo : hi) - at;
        *var = 0;
        return;
    }
    if (lo <= mu - reach && mu + reach <= hi) {
        *mean = mu - at;
        return;
    }
    /* Measured from clip(y), where the result is small: nothing cancels. */
    bsr_moments m = bsr_moments_clip(mu - at, *var, lo - at, hi - at);
    *mean = m.mean;
    *var = m.variance;
}

/* Rounding y and y + d. A disturbance that is wide against a step makes the second error of
 * rounding independent of the first: its mean is 0, its variance 1/12, and the first is no longer
 * taken off. A narrow or rare one mostly leaves both the same. */
static void round_normal(double y, double lo, double hi, double *mean, double *var)
{
    double inside = fmin(fmax(y, lo), hi), first = rint(inside) - inside;
    clip_normal(y, lo, hi, mean, var);
    double wide = *var > 0 ? bsr_normal_cdf((fabs(*mean) - 0.5) / sqrt(*var)) +
                                 bsr_normal_cdf((-fabs(*mean) - 0.5) / sqrt(*var))
                           : 0;
    *mean -= wide * first;
    *var += wide * (1.0 / 12) + wide * (1 - wide) * first * first;
}

typedef void (*passage)(double y, double lo, double hi, double *mean, double *var);

/* Through `pass` goes what there is when there is something. */
static void mix(passage pass, double y, double lo, double hi, double share, double *mean,
                double *var)
{
    double m = *mean / share, v = (*var + *mean * *mean) / share - m * m;
    if (!(share < 1) || v < 0) {
        pass(y, lo, hi, mean, var);
        return;
    }
    pass(y, lo, hi, &m, &v);
    *mean = share * m;
    *var = fmax(share * (v + m * m) - *mean * *mean, 0);
}

void bsr_moment_clip(double y, double lo, double hi, double share, double *mean, double *var)
{
    mix(clip_normal, y, lo, hi, share, mean, var);
}

void bsr_moment_round(double y, double lo, double hi, double share, double *mean, double *var)
{
    mix(round_normal, y, lo, hi, share, mean, var);
}

double bsr_sum_squares(const float *var, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)var[i] * (double)var[i];
    return sum;
}

/* Any function of one element, by seven-point Gauss-Hermite quadrature (Abramowitz and Stegun,
 * table 25.10, times sqrt 2); Relu and Clip, which have corners, exactly. */
static void curve(bsr_unary_fn fn, const float *par, double y, double *mean, double *var)
{
    static const double at[4] = {0, 1.154405394739968, 2.366759410734541, 3.750439717725742};
    static const double weight[4] = {16.0 / 35, 0.2401231786050127, 0.03075712396758645,
                                     0.0005482688559722182};
    double mu = y + *mean, sd = sqrt(*var), f = (double)fn((float)y, par), m = 0, square = 0;
    for (int i = -3; i <= 3; i++) {
        int k = i < 0 ? -i : i;
        double d = (double)fn((float)(mu + (i < 0 ? -1 : 1) * at[k] * sd), par) - f;
        m += weight[k] * d;
        square += weight[k] * d * d;
    }
    *mean = m;
    *var = fmax(square - m * m, 0);
}

bsr_status bsr_rule_unary(const bsr_layer_pass *p, const bsr_node *node, int *known)
{
    float par[4];
    bsr_unary_fn fn = bsr_op_unary(p->graph, node, par);
    *known = fn != NULL;
    if (!fn)
        return BSR_OK;
    BSR_TRY(bsr_moment_new(p, node->out[0]));
    int relu = strcmp(node->op_type, "Relu") == 0, clip = strcmp(node->op_type, "Clip") == 0;
    double lo = relu ? 0 : (double)par[0], hi = relu ? INFINITY : (double)par[1];
    const bsr_moment *x = &p->of[node->in[0]];
    bsr_moment *y = &p->of[node->out[0]];
    double share = bsr_moment_share(x);
    y->excess = x->excess;
    const float *golden = bsr_tape_value(p->tape, node->in[0])->data;
    for (int64_t i = 0; i < bsr_value_elements(p, node->out[0]); i++) {
        double m = (double)x->mean[i], v = (double)x->var[i];
        if (relu || clip)
            bsr_moment_clip((double)golden[i], lo, hi, share, &m, &v);
        else
            curve(fn, par, (double)golden[i], &m, &v);
        y->mean[i] = (float)m;
        y->var[i] = (float)v;
    }
    return BSR_OK;
}

/* Storing in whole steps, or in floats, which round too finely to matter but may have a range. */
bsr_status bsr_rule_store(const bsr_layer_pass *p, const bsr_node *node, int *known)
{
    float par[4];
    bsr_format_kind kind = (bsr_format_kind)bsr_node_int(node, "kind", BSR_FORMAT_STORED);
    int steps = kind == BSR_FORMAT_INT || kind == BSR_FORMAT_UINT || kind == BSR_FORMAT_FIXED;
    *known = kind != BSR_FORMAT_BINARY;
    if (!*known)
        return BSR_OK;
    bsr_store_params(node, par);
    BSR_TRY(bsr_moment_new(p, node->out[0]));
    const bsr_moment *x = &p->of[node->in[0]];
    bsr_moment *y = &p->of[node->out[0]];
    double share = bsr_moment_share(x);
    y->excess = x->excess;
    const float *golden = bsr_tape_value(p->tape, node->in[0])->data;
    double scale = steps ? (double)par[0] : 1, lo = (double)par[1], hi = (double)par[2];
    int limited = bsr_node_int(node, "bounded", 0) != 0;
    for (int64_t i = 0; i < bsr_value_elements(p, node->out[0]); i++) {
        double m = (double)x->mean[i] / scale, v = (double)x->var[i] / (scale * scale);
        if (steps)
            bsr_moment_round((double)golden[i] / scale, lo, hi, share, &m, &v);
        else if (limited)
            bsr_moment_clip((double)golden[i], lo, hi, share, &m, &v);
        y->mean[i] = (float)(m * scale);
        y->var[i] = (float)(v * scale * scale);
    }
    return BSR_OK;
}

/* Scale of element i along the node's axis, and the number of elements that share it. */
static double scale_at(const bsr_layer_pass *p, const bsr_node *node, int64_t i, double *zero)
{
    const bsr_tensor *x = bsr_tape_value(p->tape, node->in[0]);
    const bsr_tensor *s = bsr_tape_value(p->tape, node->in[1]);
    int64_t at = 0, axis = bsr_node_int(node, "axis", 1);
    if (s->rank && s->dims[0] > 1) {
        axis = axis < 0 ? axis + x->rank : axis;
        int64_t inner = bsr_count(x->rank - (int)axis - 1, x->dims + axis + 1);
        at = i / inner % s->dims[0];
    }
    *zero = node->n_in > 2 && node->in[2] >= 0
                ? bsr_element(bsr_tape_value(p->tape, node->in[2]), at)
                : 0;
    return bsr_element(s, at);
}

bsr_status bsr_rule_quantise(const bsr_layer_pass *p, const bsr_node *node, int *known)
{
    int to_codes = strcmp(node->op_type, "QuantizeLinear") == 0;
    const bsr_tensor *x = bsr_tape_value(p->tape, node->in[0]);
    const bsr_moment *from = &p->of[node->in[0]];
    *known = from->mean != NULL; /* a disturbed scale has no rule */
    if (!*known)
        return BSR_OK;
    BSR_TRY(bsr_moment_new(p, node->out[0]));
    bsr_moment *y = &p->of[node->out[0]];
    double share = bsr_moment_share(from);
    y->excess = from->excess;
    int is_signed = bsr_tape_value(p->tape, node->out[0])->dtype == BSR_I8;
    for (int64_t i = 0; i < bsr_value_elements(p, node->out[0]); i++) {
        double zero, s = scale_at(p, node, i, &zero), factor = to_codes ? 1 / s : s;
        double m = (double)from->mean[i] * factor, v = (double)from->var[i] * factor * factor;
        double lo = (is_signed ? -128 : 0) - zero;
        if (to_codes)
            bsr_moment_round(bsr_element(x, i) / s, lo, lo + 255, share, &m, &v);
        y->mean[i] = (float)m;
        y->var[i] = (float)v;
    }
    return BSR_OK;
}

bsr_status bsr_rule_batch_norm(const bsr_layer_pass *p, const bsr_node *node, int *known)
{
    const bsr_moment *x = &p->of[node->in[0]];
    *known = x->mean != NULL;
    if (!*known)
        return BSR_OK;
    BSR_TRY(bsr_moment_new(p, node->out[0]));
    bsr_moment *y = &p->of[node->out[0]];
    y->excess = x->excess;
    const bsr_tensor *t = bsr_tape_value(p->tape, node->in[0]);
    const bsr_tensor *gamma = bsr_tape_value(p->tape, node->in[1]);
    const bsr_tensor *var = bsr_tape_value(p->tape, node->in[4]);
    double epsilon = (double)bsr_node_float(node, "epsilon", 1e-5f);
    int64_t inner = bsr_count(t->rank - 2, t->dims + 2);
    for (int64_t i = 0; i < bsr_value_elements(p, node->out[0]); i++) {
        int64_t c = i / inner % t->dims[1];
        double g = bsr_element(gamma, c) / sqrt(bsr_element(var, c) + epsilon);
        y->mean[i] = (float)(g * (double)x->mean[i]);
        y->var[i] = (float)(g * g * (double)x->var[i]);
    }
    return BSR_OK;
}

/* Offset in an operand that is broadcast to the dimensions of the result, at idx there. */
static int64_t operand_at(const bsr_tensor *t, int rank, const int64_t *idx)
{
    int64_t at = 0;
    for (int d = 0; d < t->rank; d++)
        at = at * t->dims[d] + (t->dims[d] == 1 ? 0 : idx[rank - t->rank + d]);
    return at;
}

typedef struct number {
    double golden, mean, var, fourth; /* fourth cumulant */
} number;

static number operand(const bsr_layer_pass *p, int value, int rank, const int64_t *idx)
{
    const bsr_tensor *t = bsr_tape_value(p->tape, value);
    const bsr_moment *m = &p->of[value];
    int64_t i = operand_at(t, rank, idx);
    number r = {bsr_element(t, i), 0, 0, 0};
    if (m->mean) {
        r.mean = (double)m->mean[i];
        r.var = (double)m->var[i];
        r.fourth = m->excess * r.var * r.var;
    }
    return r;
}

static number add(number a, number b)
{
    return (number){0, a.mean + b.mean, a.var + b.var, a.fourth + b.fourth};
}

static number subtract(number a, number b)
{
    return (number){0, a.mean - b.mean, a.var + b.var, a.fourth + b.fourth};
}

static number multiply(number a, number b)
{
    double x = a.golden + a.mean, y = b.golden + b.mean, x2 = x * x, y2 = y * y;
    return (number){0, x * y - a.golden * b.golden, y2 * a.var + x2 * b.var + a.var * b.var,
                    y2 * y2 * a.fourth + x2 * x2 * b.fourth};
}

static number divide(number a, number b)
{
    double g = 1 / b.golden;
    return (number){0, a.mean * g, a.var * g * g, a.fourth * g * g * g * g};
}

bsr_status bsr_rule_binary(const bsr_layer_pass *p, const bsr_node *node, int *known)
{
    static const struct {
        const char *op;
        number (*of)(number a, number b);
    } rows[] = {{"Add", add}, {"Sub", subtract}, {"Mul", multiply}, {"Div", divide}};
    const bsr_tensor *t = bsr_tape_value(p->tape, node->out[0]);
    int64_t idx[BSR_MAX_RANK] = {0}, i = 0;
    double fourth = 0, squares = 0;
    int row = 0;
    while (strcmp(rows[row].op, node->op_type) != 0)
        row++;
    *known = t->dtype == BSR_F32 && !(rows[row].of == divide && p->of[node->in[1]].mean);
    if (!*known)
        return BSR_OK;
    BSR_TRY(bsr_moment_new(p, node->out[0]));
    bsr_moment *y = &p->of[node->out[0]];
    if (bsr_count(t->rank, t->dims) == 0)
        return BSR_OK;
    do {
        number r = rows[row].of(operand(p, node->in[0], t->rank, idx),
                                operand(p, node->in[1], t->rank, idx));
        y->mean[i] = (float)r.mean;
        y->var[i++] = (float)r.var;
        fourth += r.fourth;
        squares += r.var * r.var;
    } while (bsr_next_index(t->rank, t->dims, idx));
    y->excess = squares > 0 ? fourth / squares : 0;
    return BSR_OK;
}
