/* Convolutions backwards: transposed weights over inverted pixel maps, by the forward kernels. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/gradient_state.h"
#include "exec/lower.h"

/* As in lower_conv.c: pixels of fewer channels are gathered over the taps first. */
#define FEW_CHANNELS 8

/* Tensors of fewer pixels are computed for several seeds together, so that tiles are full. */
#define MERGE_PIXELS 24

/* The inverted map of a step: reader[t * n_in + q] is the output pixel that reads input pixel q by
 * tap t, -1 for none; in a window it is at most one. part[t]: the first tap that tap t meets in
 * some input pixel, directly or by others between. */
typedef struct inverse {
    int taps, n_in, n_out;
    int32_t *reader;
    int *part;
} inverse;

static int part_of(const inverse *inv, int t)
{
    while (inv->part[t] != t)
        t = inv->part[t];
    return t;
}

static void join_taps(inverse *inv)
{
    for (int t = 0; t < inv->taps; t++)
        inv->part[t] = t;
    for (int q = 0; q < inv->n_in; q++)
        for (int t = 0, first = -1; t < inv->taps; t++) {
            if (inv->reader[(size_t)t * (size_t)inv->n_in + (size_t)q] < 0)
                continue;
            int a = part_of(inv, t);
            if (first >= 0 && a != first) {
                int low = a < first ? a : first;
                inv->part[a] = inv->part[first] = low;
                a = low;
            }
            first = a;
        }
    for (int t = 0; t < inv->taps; t++)
        inv->part[t] = part_of(inv, t);
}

static bsr_status invert(inverse *inv, const bsr_plan *plan, const bsr_step *s)
{
    const bsr_pixmap *map = s->sources[0].map;
    int n_in = plan->ptens[s->sources[0].pten].pixels, n_out = plan->ptens[s->out].pixels;
    *inv = (inverse){.taps = map ? map->taps : 1, .n_in = n_in, .n_out = n_out};
    size_t n = (size_t)inv->taps * (size_t)n_in;
    inv->reader = bsr_alloc_array(n, sizeof *inv->reader);
    inv->part = bsr_alloc_array((size_t)inv->taps, sizeof *inv->part);
    if (!inv->reader || !inv->part)
        return BSR_ENOMEM;
    for (size_t i = 0; i < n; i++)
        inv->reader[i] = map ? -1 : (int32_t)i;
    for (int t = 0; map && t < map->taps; t++)
        for (int p = 0; p < n_out; p++) {
            int32_t q = map->forward[(size_t)t * (size_t)n_out + (size_t)p];
            if (q < n_in)
                inv->reader[(size_t)t * (size_t)n_in + (size_t)q] = p;
        }
    join_taps(inv);
    return BSR_OK;
}

static float weight_at(const bsr_weights *w, int m, int t, int c)
{
    int64_t i = m * w->stride_m + t * w->stride_t + c * w->stride_c;
    if (w->dtype == BSR_F32)
        return ((const float *)w->data)[i];
    int code = w->dtype == BSR_I8 ? ((const int8_t *)w->data)[i] : ((const uint8_t *)w->data)[i];
    return (float)(code - w->w_zero[m]);
}

/* Packs the taps of `part` with the roles of input and output channels exchanged. Codes become
 * their differences from the zero point. */
static bsr_status transpose(bsr_weights **out, const bsr_plan *plan, const bsr_weights *w,
                            const inverse *inv, int part, int taps)
{
    bsr_weights *b = *out = bsr_calloc_array(1, sizeof *b);
    size_t depth = (size_t)taps * (size_t)w->cout;
    int inputs = w->groups * w->cin;
    float *data = bsr_alloc_array((size_t)inputs * depth, sizeof *data);
    bsr_status status = BSR_ENOMEM;
    if (!b || !data)
        goto done;
    for (int x = 0; x < inputs; x++) {
        float *to = data + (size_t)x * depth;
        for (int t = 0; t < inv->taps; t++)
            for (int j = 0; inv->part[t] == part && j < w->cout; j++)
                *to++ = weight_at(w, x / w->cin * w->cout + j, t, x % w->cin);
    }
    *b = (bsr_weights){.value = w->value,
                       .bias_value = -1,
                       .groups = w->groups,
                       .taps = taps,
                       .cin = w->cout,
                       .cout = w->cin,
                       .stride_m = (int64_t)depth,
                       .stride_t = w->cout,
                       .stride_c = 1,
                       .data = data,
                       .dtype = BSR_F32};
    int depthwise = w->groups > 1 && w->cin == 1 && w->cout == 1;
    b->gather = !depthwise && b->cin < FEW_CHANNELS && taps > 1;
    status = bsr_weights_pack(b, plan->kernels, depthwise);
    b->data = NULL; /* only what is packed is used */
done:
    bsr_free(data);
    return status;
}

static bsr_status make_part(bsr_back_conv *c, const bsr_plan *plan, const bsr_weights *w,
                            const inverse *inv, int part)
{
    size_t n_in = (size_t)inv->n_in;
    int64_t pixel_bytes = (int64_t)w->groups * w->cout * (int64_t)sizeof(float);
    int *taps = bsr_alloc_array((size_t)inv->taps, sizeof *taps);
    c->pixel = bsr_alloc_array(n_in, sizeof *c->pixel);
    bsr_status status = BSR_ENOMEM;
    if (!taps || !c->pixel)
        goto done;
    for (int t = 0; t < inv->taps; t++)
        if (inv->part[t] == part)
            taps[c->taps++] = t;
    for (int q = 0; q < inv->n_in; q++) {
        int read = 0;
        for (int t = 0; t < c->taps; t++)
            read |= inv->reader[(size_t)taps[t] * n_in + (size_t)q] >= 0;
        if (read)
            c->pixel[c->pixels++] = q;
    }
    size_t n = (size_t)c->pixels;
    c->from = bsr_alloc_array((size_t)c->taps * n, sizeof *c->from);
    if (!c->from)
        goto done;
    for (int t = 0; t < c->taps; t++)
        for (size_t i = 0; i < n; i++) {
            int32_t p = inv->reader[(size_t)taps[t] * n_in + (size_t)c->pixel[i]];
            c->from[(size_t)t * n + i] = (p < 0 ? inv->n_out : p) * pixel_bytes;
        }
    status = c->pixels ? transpose(&c->weights, plan, w, inv, part, c->taps) : BSR_OK;
done:
    bsr_free(taps);
    return status;
}

bsr_status bsr_back_convs_new(bsr_back_step *back, const bsr_plan *plan, const bsr_step *s)
{
    inverse inv;
    bsr_status status = invert(&inv, plan, s);
    if (status == BSR_OK) {
        back->convs = bsr_calloc_array((size_t)inv.taps, sizeof *back->convs);
        status = back->convs ? BSR_OK : BSR_ENOMEM;
    }
    for (int t = 0; status == BSR_OK && t < inv.taps; t++) {
        if (inv.part[t] != t)
            continue;
        bsr_back_conv *c = &back->convs[back->n_convs++];
        status = make_part(c, plan, s->weights, &inv, t);
        back->covered += c->pixels;
    }
    bsr_free(inv.reader);
    bsr_free(inv.part);
    return status;
}

void bsr_back_convs_free(bsr_back_step *back)
{
    for (int i = 0; i < back->n_convs; i++) {
        bsr_free(back->convs[i].pixel);
        bsr_free(back->convs[i].from);
        bsr_weights_free(back->convs[i].weights);
    }
    bsr_free(back->convs);
    *back = (bsr_back_step){0};
}

/* One call of a kernel: rows of a part, read at `in`, to `out`. */
static void run_rows(bsr_gradients *g, const bsr_back_conv *c, int n, int channels,
                     const bsr_access *in, const bsr_epilogue *e, float *out)
{
    const bsr_plan *plan = g->gp->plan;
    const bsr_weights *w = c->weights;
    if (w->n_panels)
        bsr_conv_rows(plan, w, w->packed, n, in, e, &g->scratch, out, channels);
    else
        plan->kernels->depthwise(n, c->taps, channels, in->base, in->off, in->off_stride, w->packed,
                                 w->init, e, out, (size_t)channels);
}

/* A part of all input pixels writes them where they belong, seed by seed. `add`: to what is
 * there; the tensor must be float, so that its own offsets are those of its gradient. */
static void run_in_place(bsr_gradients *g, const bsr_back_conv *c, int from, int to, int k, int add)
{
    const bsr_pten *in = &g->gp->plan->ptens[to];
    const char *base = (const char *)bsr_gradient_at(g, from, k);
    float *result = bsr_gradient_at(g, to, k);
    for (int p = 0; p < c->pixels; p += BSR_BLOCK) {
        int n = c->pixels - p < BSR_BLOCK ? c->pixels - p : BSR_BLOCK;
        bsr_access access = {base, c->from + p, (size_t)c->pixels};
        bsr_epilogue share = {.add_base = (const char *)result, .add_off = in->identity + p};
        run_rows(g, c, n, in->channels, &access, add ? &share : NULL,
                 result + (size_t)p * (size_t)in->channels);
    }
}

/* Row r of a part counts its pixels seed by seed, so that small tensors of several seeds fill
 * the kernels' tiles. Fills the addresses that n rows from `first` on read, [taps][BSR_BLOCK]. */
static void locate_rows(const bsr_gradients *g, const bsr_back_conv *c, int from, bsr_seeds seeds,
                        int first, int n)
{
    for (int r = 0; r < n;) {
        int k = seeds.first + (first + r) / c->pixels, p = (first + r) % c->pixels;
        int64_t base = (int64_t)(uintptr_t)bsr_gradient_at(g, from, k);
        int same = n - r < c->pixels - p ? n - r : c->pixels - p;
        for (int t = 0; t < c->taps; t++)
            for (int i = 0; i < same; i++)
                g->off[t * BSR_BLOCK + r + i] =
                    base + c->from[(size_t)t * (size_t)c->pixels + (size_t)(p + i)];
        r += same;
    }
}

static void give_rows(const bsr_gradients *g, const bsr_back_conv *c, int to, bsr_seeds seeds,
                      int first, int n, const float *rows, int add)
{
    int channels = g->gp->plan->ptens[to].channels;
    int k = seeds.first + first / c->pixels, p = first % c->pixels;
    float *gradient = bsr_gradient_at(g, to, k);
    for (int r = 0; r < n; r++, rows += channels, p++) {
        if (p == c->pixels) {
            p = 0;
            gradient = bsr_gradient_at(g, to, ++k);
        }
        float *restrict y = gradient + (size_t)c->pixel[p] * (size_t)channels;
        if (add)
            for (int i = 0; i < channels; i++)
                y[i] += rows[i];
        else if (channels < FEW_CHANNELS)
            for (int i = 0; i < channels; i++)
                y[i] = rows[i];
        else
            memcpy(y, rows, (size_t)channels * sizeof *y);
    }
}

static void run_part(bsr_gradients *g, const bsr_back_conv *c, int from, int to, bsr_seeds seeds,
                     int add)
{
    float *rows = g->scratch.staging;
    int total = c->pixels * seeds.n, channels = g->gp->plan->ptens[to].channels;
    for (int first = 0; first < total; first += BSR_BLOCK) {
        int n = total - first < BSR_BLOCK ? total - first : BSR_BLOCK;
        bsr_access access = {NULL, g->off, BSR_BLOCK};
        locate_rows(g, c, from, seeds, first, n);
        run_rows(g, c, n, channels, &access, NULL, rows);
        give_rows(g, c, to, seeds, first, n, rows, add);
    }
}

bsr_status bsr_conv_back(bsr_gradients *g, int step, bsr_seeds seeds)
{
    const bsr_plan *plan = g->gp->plan;
    const bsr_back_step *back = &g->gp->steps[step];
    int from = plan->steps[step].out, to = plan->steps[step].sources[0].pten;
    const bsr_pten *out = &plan->ptens[from], *in = &plan->ptens[to];
    size_t spare = (size_t)out->pixels * (size_t)out->channels;
    int add = !g->fresh[0];
    for (int k = seeds.first; k < seeds.first + seeds.n; k++) {
        memset(bsr_gradient_at(g, from, k) + spare, 0, (size_t)out->channels * sizeof(float));
        if (!add && back->covered < in->pixels)
            memset(bsr_gradient_at(g, to, k), 0, bsr_gradient_stride(in) * sizeof(float));
    }
    int whole = back->n_convs == 1 && back->covered == in->pixels &&
                (in->dtype == BSR_F32 || !add) && in->pixels >= MERGE_PIXELS;
    for (int k = seeds.first; whole && k < seeds.first + seeds.n; k++)
        run_in_place(g, &back->convs[0], from, to, k, add);
    for (int i = 0; !whole && i < back->n_convs; i++)
        run_part(g, &back->convs[i], from, to, seeds, add);
    return BSR_OK;
}
