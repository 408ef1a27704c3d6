/* Rules of convolutions and matrix products. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/conv_shape.h"
#include "ops/matmul_shape.h"
#include "predict/layer_rules.h"

/* A factor as real numbers (codes less their zero point, times their scale); dense, row-major. */
typedef struct factor {
    int64_t n;
    float *golden;     /* [n] */
    float *mean, *var; /* [n], NULL: no disturbance */
    double excess;
    float *room[2]; /* [n] */
} factor;

typedef struct product {
    factor x, w;
    int conv;
    bsr_conv_shape window;
    bsr_matmul_shape matrix;
    int64_t n; /* elements of the result */
} product;

/* Inputs of a node; -1: none. */
typedef struct places {
    int x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias;
} places;

static const places plain = {0, -1, -1, 1, -1, -1, -1, -1, 2};
static const places quantised = {0, 1, 2, 3, 4, 5, 6, 7, 8};

static const bsr_tensor *input(const bsr_layer_pass *p, const bsr_node *node, int i)
{
    return i >= 0 && i < node->n_in && node->in[i] >= 0 ? bsr_tape_value(p->tape, node->in[i])
                                                        : NULL;
}

/* Element `slice` of a scale or zero point, which may have one for all. */
static double parameter(const bsr_tensor *t, int64_t slice, double fallback)
{
    if (!t)
        return fallback;
    return bsr_element(t, bsr_count(t->rank, t->dims) > 1 ? slice : 0);
}

static void clear_factor(factor *f)
{
    bsr_free(f->golden);
    bsr_free(f->mean);
    bsr_free(f->var);
    bsr_free(f->room[0]);
    bsr_free(f->room[1]);
}

/* inner, slices: element i has scale i / inner % slices. */
static bsr_status load_factor(factor *f, const bsr_layer_pass *p, const bsr_node *node,
                              const int at[3], int64_t inner, int64_t slices)
{
    const bsr_tensor *t = input(p, node, at[0]);
    const bsr_tensor *scale = input(p, node, at[1]), *zero = input(p, node, at[2]);
    const bsr_moment *m = &p->of[node->in[at[0]]];
    f->n = bsr_count(t->rank, t->dims);
    size_t n = (size_t)f->n;
    f->golden = bsr_alloc_array(n, sizeof *f->golden);
    f->room[0] = bsr_alloc_array(n, sizeof *f->room[0]);
    f->room[1] = bsr_alloc_array(n, sizeof *f->room[1]);
    f->excess = m->excess;
    if (!f->golden || !f->room[0] || !f->room[1])
        return BSR_ENOMEM;
    if (m->mean) {
        f->mean = bsr_alloc_array(n, sizeof *f->mean);
        f->var = bsr_alloc_array(n, sizeof *f->var);
        if (!f->mean || !f->var)
            return BSR_ENOMEM;
    }
    for (int64_t i = 0; i < f->n; i++) {
        int64_t slice = i / inner % slices;
        double s = parameter(scale, slice, 1);
        f->golden[i] = (float)(s * (bsr_element(t, i) - parameter(zero, slice, 0)));
        if (m->mean) {
            f->mean[i] = (float)(s * (double)m->mean[i]);
            f->var[i] = (float)(s * s * (double)m->var[i]);
        }
    }
    return BSR_OK;
}

/* y += w times what one tap of the kernel reads, row by row. */
static void convolve_tap(const product *q, const int64_t *tap, const float *x, float w, float *y)
{
    const bsr_window *win = &q->window.window;
    int last = win->rank - 1;
    int64_t idx[3] = {0}, first = 0, end = win->out[last], row = 0;
    int64_t shift = tap[last] * win->dilation[last] - win->pad_begin[last];
    while (first < end && first * win->stride[last] + shift < 0)
        first++;
    while (end > first && (end - 1) * win->stride[last] + shift >= win->in[last])
        end--;
    do {
        int64_t at = 0;
        int inside = 1;
        for (int d = 0; d < last; d++) {
            int64_t i = idx[d] * win->stride[d] + tap[d] * win->dilation[d] - win->pad_begin[d];
            inside &= i >= 0 && i < win->in[d];
            at = at * win->in[d] + i;
        }
        const float *from = x + at * win->in[last] + shift;
        float *to = y + row * win->out[last];
        if (inside && win->stride[last] == 1)
            for (int64_t i = first; i < end; i++)
                to[i] += w * from[i];
        else if (inside)
            for (int64_t i = first; i < end; i++)
                to[i] += w * from[i * win->stride[last]];
        row++;
    } while (bsr_next_index(last, win->out, idx));
}

/* y += the convolution of x with w. */
static void convolve(const product *q, const float *x, const float *w, float *y)
{
    const bsr_conv_shape *s = &q->window;
    int64_t in = bsr_count(s->window.rank, s->window.in);
    int64_t out = bsr_count(s->window.rank, s->window.out);
    int64_t outputs = s->batch * s->groups * s->group_out;
    for (int64_t o = 0; o < outputs; o++) {
        int64_t m = o % (s->groups * s->group_out), plane = o / s->group_out * s->group_in;
        const float *filter = w + m * s->group_in * s->taps;
        for (int64_t c = 0; c < s->group_in; c++) {
            int64_t tap[3] = {0};
            do
                convolve_tap(q, tap, x + (plane + c) * in, *filter++, y + o * out);
            while (bsr_next_index(s->window.rank, s->window.kernel, tap));
        }
    }
}

/* y += the matrix product. */
static void multiply(const product *q, const float *x, const float *w, float *y)
{
    const bsr_matmul_shape *s = &q->matrix;
    int64_t idx[BSR_MAX_RANK] = {0};
    do {
        const float *a = x, *b = w;
        float *to = y;
        for (int d = 0; d < s->rank; d++) {
            a += idx[d] * s->a_batch[d];
            b += idx[d] * s->b_batch[d];
            to += idx[d] * s->y_batch[d];
        }
        for (int64_t i = 0; i < s->m; i++)
            for (int64_t j = 0; j < s->n; j++) {
                double sum = 0;
                for (int64_t k = 0; k < s->k; k++)
                    sum += (double)a[i * s->a_m + k * s->a_k] * (double)b[k * s->b_k + j * s->b_n];
                to[i * s->y_m + j * s->y_n] += (float)sum;
            }
    } while (bsr_next_index(s->rank, s->batch, idx));
}

static void apply(const product *q, const float *x, const float *w, float *y)
{
    (q->conv ? convolve : multiply)(q, x, w, y);
}

/* (golden + mean)^power, and where `also`, of the second power, + var. */
static const float *disturbed(const factor *f, int power, int also)
{
    for (int64_t i = 0; i < f->n; i++) {
        float v = f->golden[i] + (f->mean ? f->mean[i] : 0);
        v = power == 1 ? v : v * v + (also && f->var ? f->var[i] : 0);
        f->room[0][i] = power == 4 ? v * v : v;
    }
    return f->room[0];
}

static const float *squared(const factor *f)
{
    for (int64_t i = 0; i < f->n; i++)
        f->room[1][i] = f->var[i] * f->var[i];
    return f->room[1];
}

static double sum(const float *x, int64_t n)
{
    double s = 0;
    for (int64_t i = 0; i < n; i++)
        s += (double)x[i];
    return s;
}

/* room: [elements of the result]. */
static void bilinear(const product *q, bsr_moment *y, float *room)
{
    double fourth = 0;
    size_t bytes = (size_t)q->n * sizeof *room;
    if (q->x.mean) {
        apply(q, q->x.mean, q->w.golden, y->mean);
        apply(q, q->x.var, disturbed(&q->w, 2, 0), y->var);
        memset(room, 0, bytes);
        apply(q, squared(&q->x), disturbed(&q->w, 4, 0), room);
        fourth += q->x.excess * sum(room, q->n);
    }
    if (q->w.mean) {
        apply(q, disturbed(&q->x, 1, 0), q->w.mean, y->mean);
        apply(q, disturbed(&q->x, 2, 1), q->w.var, y->var);
        memset(room, 0, bytes);
        apply(q, disturbed(&q->x, 4, 1), squared(&q->w), room);
        fourth += q->w.excess * sum(room, q->n);
    }
    double squares = bsr_sum_squares(y->var, q->n);
    y->excess = squares > 0 ? fourth / squares : 0;
}

/* Adds `beta` times the bias, whose element i / inner % elements result i gets, to the golden sums
 * (NULL: not wanted) and to the moments. */
static void add_bias(const bsr_layer_pass *p, const bsr_node *node, const places *at, double beta,
                     int64_t inner, const product *q, float *golden, bsr_moment *y)
{
    const bsr_tensor *b = input(p, node, at->bias);
    if (!b)
        return;
    const bsr_tensor *x_scale = input(p, node, at->x_scale), *w_scale = input(p, node, at->w_scale);
    const bsr_moment *m = &p->of[node->in[at->bias]];
    int64_t elements = bsr_count(b->rank, b->dims);
    for (int64_t i = 0; i < q->n; i++) {
        int64_t c = i / inner % elements;
        double f = beta * parameter(x_scale, 0, 1) * parameter(w_scale, c, 1);
        if (golden)
            golden[i] += (float)(f * bsr_element(b, c));
        if (m->mean) {
            y->mean[i] += (float)(f * (double)m->mean[c]);
            y->var[i] += (float)(f * f * (double)m->var[c]);
        }
    }
}

/* Moments of real sums to those of their codes. */
static void round_sums(const bsr_layer_pass *p, const bsr_node *node, const places *at,
                       const product *q, const float *golden, bsr_moment *y)
{
    double scale = parameter(input(p, node, at->y_scale), 0, 1);
    double lo = bsr_tape_value(p->tape, node->out[0])->dtype == BSR_I8 ? -128 : 0;
    lo -= parameter(input(p, node, at->y_zero), 0, 0);
    double share = bsr_moment_share(y);
    for (int64_t i = 0; i < q->n; i++) {
        double m = (double)y->mean[i] / scale, v = (double)y->var[i] / (scale * scale);
        bsr_moment_round((double)golden[i] / scale, lo, lo + 255, share, &m, &v);
        y->mean[i] = (float)m;
        y->var[i] = (float)v;
    }
}

static bsr_status finish(const bsr_layer_pass *p, const bsr_node *node, const places *at,
                         const product *q, int64_t inner)
{
    bsr_moment *y = &p->of[node->out[0]];
    float *golden = NULL, *room = bsr_alloc_array((size_t)q->n, sizeof *room);
    double alpha = 1, beta = 1;
    if (strcmp(node->op_type, "Gemm") == 0) {
        alpha = (double)bsr_node_float(node, "alpha", 1);
        beta = (double)bsr_node_float(node, "beta", 1);
    }
    if (!room)
        return BSR_ENOMEM;
    if (at->y_scale >= 0) {
        golden = bsr_calloc_array((size_t)q->n, sizeof *golden);
        if (!golden) {
            bsr_free(room);
            return BSR_ENOMEM;
        }
        apply(q, q->x.golden, q->w.golden, golden);
    }
    bilinear(q, y, room);
    bsr_free(room);
    for (int64_t i = 0; i < q->n; i++) {
        y->mean[i] = (float)(alpha * (double)y->mean[i]);
        y->var[i] = (float)(alpha * alpha * (double)y->var[i]);
    }
    add_bias(p, node, at, beta, inner, q, golden, y);
    if (golden)
        round_sums(p, node, at, q, golden, y);
    bsr_free(golden);
    return BSR_OK;
}

/* Only what is multiplied, added or rounded to codes here; disturbed scales have no rule. */
static int is_known(const bsr_layer_pass *p, const bsr_node *node, const places *at)
{
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] >= 0 && p->of[node->in[i]].mean && i != at->x && i != at->w &&
            i != at->bias)
            return 0;
    return 1;
}

static const places *places_of(const bsr_node *node)
{
    return strncmp(node->op_type, "QLinear", 7) == 0 ? &quantised : &plain;
}

static bsr_status load(product *q, const bsr_layer_pass *p, const bsr_node *node, const places *at,
                       int64_t inner, int64_t slices)
{
    q->n = bsr_value_elements(p, node->out[0]);
    BSR_TRY(bsr_moment_new(p, node->out[0]));
    BSR_TRY(load_factor(&q->x, p, node, (const int[]){at->x, at->x_scale, at->x_zero}, 1, 1));
    return load_factor(&q->w, p, node, (const int[]){at->w, at->w_scale, at->w_zero}, inner,
                       slices);
}

bsr_status bsr_rule_conv(const bsr_layer_pass *p, const bsr_node *node, int *known)
{
    const places *at = places_of(node);
    const bsr_tensor *x = input(p, node, at->x), *w = input(p, node, at->w);
    product q = {.conv = 1};
    *known = is_known(p, node, at);
    if (!*known)
        return BSR_OK;
    BSR_TRY(bsr_conv_shape_of(&q.window, node, x->rank, x->dims, w->rank, w->dims));
    bsr_status status = load(&q, p, node, at, bsr_count(w->rank - 1, w->dims + 1), w->dims[0]);
    if (status == BSR_OK)
        status = finish(p, node, at, &q, bsr_count(q.window.window.rank, q.window.window.out));
    clear_factor(&q.x);
    clear_factor(&q.w);
    return status;
}

/* The matrix as it is multiplied: transposed where the attribute says so. */
static bsr_view matrix(const bsr_tensor *t, const bsr_node *node, const char *transposed)
{
    bsr_view v = bsr_tensor_view(t), r = v;
    for (int d = 0; bsr_node_int(node, transposed, 0) && d < 2; d++) {
        r.dims[d] = v.dims[1 - d];
        r.strides[d] = v.strides[1 - d];
    }
    return r;
}

bsr_status bsr_rule_matmul(const bsr_layer_pass *p, const bsr_node *node, int *known)
{
    const places *at = places_of(node);
    const bsr_tensor *x = input(p, node, at->x), *w = input(p, node, at->w);
    const bsr_tensor *bias = input(p, node, at->bias);
    product q = {.conv = 0};
    *known = is_known(p, node, at);
    if (!*known)
        return BSR_OK;
    bsr_view a = matrix(x, node, "transA"), b = matrix(w, node, "transB");
    bsr_view y = bsr_tensor_view(bsr_tape_value(p->tape, node->out[0]));
    bsr_matmul_shape_of(&q.matrix, &a, &b, &y);
    /* A column of C serves its row, everything else is repeated row by row. */
    int column = bias && bias->rank == 2 && bias->dims[1] == 1;
    bsr_status status = load(&q, p, node, at, 1, w->dims[w->rank - 1]);
    if (status == BSR_OK)
        status = finish(p, node, at, &q, column ? q.matrix.n : 1);
    clear_factor(&q.x);
    clear_factor(&q.w);
    return status;
}
