/* A layer's weight gradients are a matrix product: rows are the weights of one output channel
 * (taps and input channels), columns the output channels of all seeds side by side, and the sum
 * runs over output pixels. The gemm kernel does it: a row is a vector of what one weight meets,
 * gathered by the pixel map from the input in channel planes, and a panel is the gradient itself.
 */
#include "exec/weight_gradient.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/gradient_state.h"

/* Output pixels summed at once: a panel of them and a tile's rows fit the first-level cache. */
#define PIXELS 256

/* Rows of exactly PIXELS floats would fall on the same lines of the cache. */
#define ROW (PIXELS + 16)

/* Output pixels of a depthwise layer at once. */
#define FEW_PIXELS 64

/* Pixels of the input transposed at once: a cache line of a plane. */
#define TOGETHER 16

/* Output pixels [at, at + n) of a block read input pixels from, from + step, from + 2 step, ... */
typedef struct run {
    int32_t at, from, n, step;
} run;

struct bsr_weight_gradients {
    const bsr_gradient_plan *gp;
    float *input;  /* codes less their zero point; [channels][pixels + 1], depthwise the reverse */
    float *panels; /* of [PIXELS][width] gradients */
    float *rows;   /* [mr][ROW] */
    float *tile;   /* [mr][nr] */
    float *sums;   /* [max_channels] */
    run *runs;     /* [PIXELS] */
};

/* One layer of one walk. */
typedef struct job {
    bsr_weight_gradients *w;
    const bsr_kernels *kernels;
    const bsr_weights *weights;
    const bsr_pixmap *map; /* NULL: the same pixel */
    const float *gradient;
    size_t stride;
    int n, n_in, n_out, channels;
    float *out;
    size_t count; /* elements of a seed's out */
} job;

static int is_depthwise(const bsr_weights *w)
{
    return !w->n_panels;
}

size_t bsr_weight_gradient_count(const bsr_weights *w)
{
    return (size_t)w->groups * (size_t)w->cout * (size_t)w->taps * (size_t)w->cin;
}

size_t bsr_weight_gradient_at(const bsr_weights *w, int m, int tap, int c)
{
    size_t taps = (size_t)w->taps, cin = (size_t)w->cin, cout = (size_t)w->cout;
    size_t group = (size_t)m / cout, j = (size_t)m % cout;
    if (is_depthwise(w))
        return (size_t)tap * (size_t)w->groups + (size_t)m;
    return ((group * taps + (size_t)tap) * cin + (size_t)c) * cout + j;
}

static int panel_count(int columns, int nr)
{
    return (columns + nr - 1) / nr;
}

bsr_status bsr_weight_gradients_new(bsr_weight_gradients **out, const bsr_gradient_plan *gp)
{
    *out = NULL;
    const bsr_plan *plan = gp->plan;
    const bsr_kernels *kernels = plan->kernels;
    size_t mr = (size_t)kernels->mr, nr = (size_t)kernels->nr, input = 0, panels = 0;
    for (int i = 0; i < plan->n_layers; i++) {
        const bsr_step *s = &plan->steps[plan->layers[i].step];
        size_t floats = bsr_gradient_stride(&plan->ptens[s->sources[0].pten]);
        int pixels = plan->ptens[s->out].pixels;
        size_t columns = (size_t)panel_count(gp->seeds * s->weights->cout, kernels->nr) * nr;
        size_t packed = columns * (size_t)(pixels < PIXELS ? pixels : PIXELS);
        input = floats > input ? floats : input;
        panels = packed > panels ? packed : panels;
    }
    bsr_weight_gradients *w = bsr_calloc_array(1, sizeof *w);
    if (!w)
        return BSR_ENOMEM;
    w->gp = gp;
    w->input = bsr_alloc_aligned(input, sizeof *w->input);
    w->panels = bsr_alloc_aligned(panels, sizeof *w->panels);
    w->rows = bsr_alloc_aligned(mr * ROW, sizeof *w->rows);
    w->tile = bsr_alloc_aligned(mr * nr, sizeof *w->tile);
    w->sums = bsr_alloc_aligned((size_t)plan->max_channels, sizeof *w->sums);
    w->runs = bsr_alloc_array(PIXELS, sizeof *w->runs);
    if (!w->input || !w->panels || !w->rows || !w->tile || !w->sums || !w->runs) {
        bsr_weight_gradients_free(w);
        return BSR_ENOMEM;
    }
    memset(w->panels, 0, panels * sizeof *w->panels); /* columns that no seed has are read too */
    *out = w;
    return BSR_OK;
}

void bsr_weight_gradients_free(bsr_weight_gradients *w)
{
    if (!w)
        return;
    bsr_free(w->input);
    bsr_free(w->panels);
    bsr_free(w->rows);
    bsr_free(w->tile);
    bsr_free(w->sums);
    bsr_free(w->runs);
    bsr_free(w);
}

/* What the weights multiply: codes count from their zero point. */
static float element(const void *x, bsr_dtype type, int zero, size_t i)
{
    return type == BSR_F32  ? ((const float *)x)[i]
           : type == BSR_I8 ? (float)(((const int8_t *)x)[i] - zero)
                            : (float)(((const uint8_t *)x)[i] - zero);
}

/* The input in channel planes with a zero behind each, for what the padding reads. */
static void load_planes(float *planes, const bsr_pten *p, const void *x, int zero)
{
    size_t pixels = (size_t)p->pixels, channels = (size_t)p->channels;
    for (size_t first = 0; first < pixels; first += TOGETHER) {
        size_t end = first + TOGETHER < pixels ? first + TOGETHER : pixels;
        for (size_t c = 0; c < channels; c++)
            for (size_t q = first; q < end; q++)
                planes[c * (pixels + 1) + q] = element(x, p->dtype, zero, q * channels + c);
    }
    for (size_t c = 0; c < channels; c++)
        planes[c * (pixels + 1) + pixels] = 0.0f;
}

/* Of output pixels [first, first + n); returns how many. Windows on a grid have one run for each
 * row of it, and single pixels at the border. */
static int find_runs(const job *j, int tap, int first, int n)
{
    run *runs = j->w->runs;
    if (!j->map) {
        runs[0] = (run){0, first, n, 1};
        return 1;
    }
    const int32_t *q = j->map->forward + (size_t)tap * (size_t)j->map->n_out + first;
    int found = 0;
    for (int i = 0; i < n; found++) {
        run r = {i, q[i], 1, 1};
        int spare = q[i] == j->n_in;
        if (i + 1 < n && spare == (q[i + 1] == j->n_in))
            r.step = q[i + 1] - q[i];
        while (++i < n && spare == (q[i] == j->n_in) && q[i] - q[i - 1] == r.step)
            r.n++;
        runs[found] = r;
    }
    return found;
}

static void gather_row(float *restrict row, const float *restrict plane, const run *runs, int n)
{
    for (const run *r = runs; r < runs + n; r++) {
        const float *restrict from = plane + r->from;
        float *restrict to = row + r->at;
        if (r->step == 1)
            memcpy(to, from, (size_t)r->n * sizeof *to);
        else
            for (int32_t i = 0; i < r->n; i++)
                to[i] = from[i * r->step];
    }
}

/* Part of a panel that belongs to one seed: `n` columns from `at` on are channels of seed k's
 * gradient from `channel` of the group on. */
typedef struct part {
    int at, n, k, channel;
} part;

static part part_at(const job *j, int panel, int at, int cols)
{
    int column = panel * j->kernels->nr + at, cout = j->weights->cout;
    part p = {at, cols - at, column / cout, column % cout};
    if (p.n > cout - p.channel)
        p.n = cout - p.channel;
    return p;
}

static int panel_columns(const job *j, int panel, int *width)
{
    int nr = j->kernels->nr, left = j->n * j->weights->cout - panel * nr;
    *width = left <= nr / 2 ? nr / 2 : nr;
    return left < nr ? left : nr;
}

/* The gradient of `group` at output pixels [first, first + n), panel behind panel. */
static void pack(const job *j, int group, int first, int n)
{
    int panels = panel_count(j->n * j->weights->cout, j->kernels->nr), width;
    float *to = j->w->panels;
    for (int i = 0; i < panels; i++, to += (size_t)n * (size_t)width) {
        int cols = panel_columns(j, i, &width);
        part p;
        for (int at = 0; at < cols; at += p.n) {
            p = part_at(j, i, at, cols);
            const float *x = j->gradient + (size_t)p.k * j->stride +
                             (size_t)first * (size_t)j->channels +
                             (size_t)(group * j->weights->cout + p.channel);
            float *y = to + at;
            for (int r = 0; r < n; r++, x += j->channels, y += width)
                for (int c = 0; c < p.n; c++)
                    y[c] = x[c];
        }
    }
}

/* Columns of a panel go to their seeds: rows [row, row + n) of the group's weights. */
static void give_tile(const job *j, int group, int panel, int cols, int row, int n, int add)
{
    size_t cout = (size_t)j->weights->cout, depth = (size_t)(j->weights->taps * j->weights->cin);
    int nr = j->kernels->nr;
    part p;
    for (int at = 0; at < cols; at += p.n) {
        p = part_at(j, panel, at, cols);
        const float *restrict x = j->w->tile + at;
        float *restrict y = j->out + (size_t)p.k * j->count +
                            ((size_t)group * depth + (size_t)row) * cout + (size_t)p.channel;
        for (int r = 0; r < n; r++, x += nr, y += cout) {
            for (int c = 0; add && c < p.n; c++)
                y[c] += x[c];
            for (int c = 0; !add && c < p.n; c++)
                y[c] = x[c];
        }
    }
}

/* Tiles of nearly equal height, as in step.c. */
static int tile_rows(int left, int mr)
{
    int tiles = (left + mr - 1) / mr;
    return (left + tiles - 1) / tiles;
}

/* All weights of a group, summed over output pixels [first, first + n). */
static void sum_block(const job *j, int group, int first, int n)
{
    static const float zeros[BSR_MAX_NR];
    const bsr_weights *w = j->weights;
    const float *planes = j->w->input + (size_t)group * (size_t)w->cin * ((size_t)j->n_in + 1);
    int depth = w->taps * w->cin, panels = panel_count(j->n * w->cout, j->kernels->nr);
    int tap = -1, runs = 0;
    int64_t off[BSR_MAX_MR];
    for (int r = 0; r < BSR_MAX_MR; r++)
        off[r] = (int64_t)((size_t)r * ROW * sizeof(float));
    for (int row = 0, tall; row < depth; row += tall) {
        tall = tile_rows(depth - row, j->kernels->mr);
        for (int r = 0; r < tall; r++) {
            if (tap != (row + r) / w->cin) {
                tap = (row + r) / w->cin;
                runs = find_runs(j, tap, first, n);
            }
            gather_row(j->w->rows + (size_t)r * ROW,
                       planes + (size_t)((row + r) % w->cin) * ((size_t)j->n_in + 1), j->w->runs,
                       runs);
        }
        const float *b = j->w->panels;
        for (int i = 0, width; i < panels; i++, b += (size_t)n * (size_t)width) {
            int cols = panel_columns(j, i, &width);
            j->kernels->gemm(tall, cols, width, 1, n, (const char *)j->w->rows, off, 0, b, zeros,
                             NULL, j->w->tile, (size_t)j->kernels->nr);
            give_tile(j, group, i, cols, row, tall, first > 0);
        }
    }
}

static void sum_groups(const job *j)
{
    for (int group = 0; group < j->weights->groups; group++)
        for (int first = 0; first < j->n_out; first += PIXELS) {
            int n = j->n_out - first < PIXELS ? j->n_out - first : PIXELS;
            pack(j, group, first, n);
            sum_block(j, group, first, n);
        }
}

/* A convolution of the input with the gradient as its filter: the kernel's rows are our taps, and
 * its taps our output pixels. */
static void sum_depthwise(const job *j, const float *x)
{
    size_t channels = (size_t)j->channels;
    int64_t off[FEW_PIXELS];
    memset(j->w->sums, 0, channels * sizeof *j->w->sums);
    for (int first = 0; first < j->n_out; first += FEW_PIXELS) {
        int n = j->n_out - first < FEW_PIXELS ? j->n_out - first : FEW_PIXELS;
        for (int t = 0; t < j->weights->taps; t++) {
            const int32_t *q = j->map->forward + (size_t)t * (size_t)j->n_out + first;
            for (int i = 0; i < n; i++)
                off[i] = q[i] * (int64_t)(channels * sizeof *x);
            for (int k = 0; k < j->n; k++) {
                float *to = j->out + (size_t)k * j->count + (size_t)t * channels;
                const float *gradient =
                    j->gradient + (size_t)k * j->stride + (size_t)first * channels;
                if (first)
                    memcpy(j->w->sums, to, channels * sizeof *to);
                j->kernels->depthwise(1, n, j->channels, (const char *)x, off, 1, gradient,
                                      j->w->sums, NULL, to, channels);
            }
        }
    }
}

static void sum_bias(const job *j, float *bias)
{
    size_t channels = (size_t)j->channels;
    memset(bias, 0, (size_t)j->n * channels * sizeof *bias);
    for (int k = 0; k < j->n; k++, bias += channels) {
        const float *restrict x = j->gradient + (size_t)k * j->stride;
        float *restrict y = bias;
        for (int p = 0; p < j->n_out; p++, x += channels)
            for (size_t c = 0; c < channels; c++)
                y[c] += x[c];
    }
}

void bsr_weight_gradient(bsr_weight_gradients *w, bsr_gradients *g, int layer,
                         const float *gradient, size_t stride, int n, float *out, float *bias)
{
    const bsr_plan *plan = w->gp->plan;
    const bsr_step *s = &plan->steps[plan->layers[layer].step];
    const bsr_pten *in = &plan->ptens[s->sources[0].pten];
    const void *x = bsr_gradient_value(g, s->sources[0].pten);
    const job j = {.w = w,
                   .kernels = plan->kernels,
                   .weights = s->weights,
                   .map = s->sources[0].map,
                   .gradient = gradient,
                   .stride = stride,
                   .n = n,
                   .n_in = in->pixels,
                   .n_out = plan->ptens[s->out].pixels,
                   .channels = s->core_channels,
                   .out = out,
                   .count = bsr_weight_gradient_count(s->weights)};
    if (bias)
        sum_bias(&j, bias);
    if (!is_depthwise(s->weights)) {
        load_planes(w->input, in, x, s->weights->x_zero);
        sum_groups(&j);
        return;
    }
    size_t floats = bsr_gradient_stride(in);
    for (size_t i = 0; in->dtype != BSR_F32 && i < floats; i++)
        w->input[i] = element(x, in->dtype, s->weights->x_zero, i);
    sum_depthwise(&j, in->dtype == BSR_F32 ? x : w->input);
}
