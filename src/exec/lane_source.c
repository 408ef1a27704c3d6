/* Faults in layers: the faulty output channel of up to nr lanes in one pass, or the one output
 * element that reads a faulty operand or whose sum is faulty.
 *
 * A faulty weight changes one output channel. The faulty channels of many lanes, each with its own
 * changed element, form one weight panel; the layer's input of the image runs through it once, and
 * the step's stages run on the columns with each column's own channel parameters. */
#include <math.h>
#include <string.h>

#include "exec/lane_state.h"

typedef struct columns {
    int n, width;
    const bsr_step *step;
    int group;
    int channel[BSR_MAX_NR]; /* output channel of each column */
    int lane[BSR_MAX_NR];
} columns;

static int fault_channel(const bsr_weights *w, const bsr_stored_fault *f)
{
    if (f->place == BSR_FAULT_BIAS)
        return (int)f->element;
    int m, tap, c;
    bsr_weights_locate(w, f->element, &m, &tap, &c);
    return m;
}

/* Panel, starting values and form of the columns. */
static bsr_weights column_weights(bsr_lanes *ls, const columns *cs)
{
    const bsr_weights *w = cs->step->weights;
    bsr_weights p = *w;
    int k = w->taps * w->cin;
    p.groups = 1;
    p.cout = cs->n;
    p.n_panels = 1;
    p.panel_width = ls->panel_shape.width;
    p.panel_at = ls->panel_shape.at;
    p.panel_width[0] = cs->width;
    p.panel_at[0] = 0;
    p.init = ls->panel_init;
    p.init_stride = cs->width;
    p.pairs = (k + 1) / 2; /* depthwise codes have none: a column is an ordinary convolution */
    memset(ls->panel, 0, (size_t)(k + 1) * (size_t)cs->width * sizeof(float));
    memset(ls->panel_init, 0, (size_t)cs->width * sizeof(float));
    /* Codes are stored less the zero point of the column's own channel. */
    int32_t zeros[BSR_MAX_NR] = {0};
    if (w->w_zero) {
        for (int j = 0; j < cs->n; j++)
            zeros[j] = w->w_zero[cs->channel[j]];
        p.w_zero = zeros;
    }
    for (int j = 0; j < cs->n; j++) {
        const bsr_stored_fault *f = &ls->jobs[cs->lane[j]].fault;
        int m = cs->channel[j], fm = -1, ft = -1, fc = -1;
        if (f->place == BSR_FAULT_WEIGHT)
            bsr_weights_locate(w, f->element, &fm, &ft, &fc);
        for (int t = 0; t < w->taps; t++)
            for (int c = 0; c < w->cin; c++) {
                int64_t i = m * w->stride_m + t * w->stride_t + c * w->stride_c;
                uint32_t bits = 0;
                if (w->dtype == BSR_F32)
                    memcpy(&bits, (const float *)w->data + i, sizeof bits);
                else
                    bits = ((const uint8_t *)w->data)[i];
                if (t == ft && c == fc)
                    bits = f->bits;
                bsr_weights_store(&p, ls->panel, j, t, c, bits);
            }
        if (w->bias)
            memcpy(ls->panel_init + j, (const float *)w->bias + m, sizeof(float));
        if (f->place == BSR_FAULT_BIAS)
            memcpy(ls->panel_init + j, &f->bits, sizeof(float));
    }
    p.w_zero = NULL; /* `zeros` ends here and the cores do not read it */
    return p;
}

/* The step with the columns' own parameters in its stages. */
static bsr_step column_step(bsr_lanes *ls, const columns *cs)
{
    bsr_step s = *cs->step;
    s.stages = ls->column_stages;
    for (int i = 0; i < s.n_stages; i++) {
        const bsr_stage *from = &cs->step->stages[i];
        bsr_stage *to = &ls->column_stages[i];
        float *params = ls->column_params + (size_t)i * 3 * BSR_MAX_NR;
        *to = *from;
        const void *vectors[3] = {from->scale, from->shift, from->zero};
        for (int v = 0; v < 3; v++) {
            float *at = params + v * BSR_MAX_NR;
            /* Zero points are int32 and move like floats. */
            for (int j = 0; vectors[v] && j < cs->n; j++)
                memcpy(at + j, (const float *)vectors[v] + cs->channel[j], sizeof *at);
            if (vectors[v] && v == 0)
                to->scale = at;
            else if (vectors[v] && v == 1)
                to->shift = at;
            else if (vectors[v])
                to->zero = (int32_t *)(void *)at;
        }
    }
    return s;
}

/* Core of rows [p, p + rows) for all columns: y[rows][n]. */
static void core_rows(bsr_lanes *ls, const columns *cs, const bsr_weights *panel, int p, int rows,
                      float *y)
{
    const bsr_plan *plan = ls->plan;
    const bsr_step *s = cs->step;
    const bsr_weights *w = s->weights;
    const bsr_source *src = &s->sources[0];
    const bsr_pten *in = &plan->ptens[src->pten];
    const char *base = bsr_golden_at(ls, cs->lane[0], src->pten);
    bsr_access a = src->map ? (bsr_access){base, src->map->offset + p, (size_t)src->map->n_out}
                            : (bsr_access){base, in->identity + p, 0};
    if (s->core == BSR_CORE_DEPTHWISE) {
        const float *b = ls->panel;
        for (int j = 0; j < cs->n; j++)
            plan->kernels->depthwise_column(rows, w->taps, cs->channel[j], a.base, a.off,
                                            a.off_stride, b + (size_t)j * (size_t)w->taps,
                                            ls->panel_init[j], y + j, (size_t)cs->n);
        return;
    }
    a.base += (size_t)cs->group * (size_t)w->cin * in->esize;
    if (s->core == BSR_CORE_CONV)
        bsr_conv_rows(plan, panel, ls->panel, rows, &a, NULL, &ls->scratch, y, cs->n);
    else
        bsr_conv_i8_rows(plan, panel, ls->panel, in->dtype, rows, &a, &ls->scratch,
                         (int32_t *)(void *)y);
}

/* Panel of a float depthwise layer: [column][tap]. */
static void depthwise_panel(bsr_lanes *ls, const columns *cs)
{
    const bsr_weights *w = cs->step->weights;
    for (int j = 0; j < cs->n; j++) {
        const bsr_stored_fault *f = &ls->jobs[cs->lane[j]].fault;
        int m = cs->channel[j], tap = -1, c;
        float *b = ls->panel + (size_t)j * (size_t)w->taps;
        memcpy(b, (const float *)w->data + (size_t)m * (size_t)w->taps,
               (size_t)w->taps * sizeof *b);
        ls->panel_init[j] = w->bias ? ((const float *)w->bias)[m] : 0.0f;
        if (f->place == BSR_FAULT_BIAS) {
            memcpy(&ls->panel_init[j], &f->bits, sizeof f->bits);
        } else {
            bsr_weights_locate(w, f->element, &m, &tap, &c);
            memcpy(&b[tap], &f->bits, sizeof f->bits);
        }
    }
}

/* Values of the operand's own channel of every column: [rows][n]. */
static void operand_rows(bsr_lanes *ls, const columns *cs, int pten, int p, int rows,
                         bsr_access *access, float *room)
{
    const bsr_pten *op = &ls->plan->ptens[pten];
    const float *golden = (const float *)bsr_golden_at(ls, cs->lane[0], pten);
    for (int r = 0; r < rows; r++) {
        const float *x = golden + (size_t)(p + r) * (size_t)op->channels;
        for (int j = 0; j < cs->n; j++)
            room[r * cs->n + j] = x[cs->channel[j]];
        ls->column_off[r] = (int64_t)((size_t)(r * cs->n) * sizeof(float));
    }
    *access = (bsr_access){(const char *)room, ls->column_off, 0};
}

/* Column j of the finished rows against the golden channel; a differing pixel is the golden one
 * with this channel changed. */
static void collect(bsr_lanes *ls, const columns *cs, int p, int rows, const char *y)
{
    int out = cs->step->out;
    const bsr_pten *to = &ls->plan->ptens[out];
    const char *golden = bsr_golden_at(ls, cs->lane[0], out);
    size_t e = to->esize;
    for (int j = 0; j < cs->n; j++) {
        bsr_lane_tensor *t = bsr_lane_at(ls, cs->lane[j], out);
        for (int r = 0; r < rows; r++) {
            const char *now = y + ((size_t)r * (size_t)cs->n + (size_t)j) * e;
            const char *was = golden + (size_t)(p + r) * to->pixel_bytes;
            if (memcmp(now, was + (size_t)cs->channel[j] * e, e) == 0)
                continue;
            char *data = t->data + (size_t)t->n * to->pixel_bytes;
            memcpy(data, was, to->pixel_bytes);
            memcpy(data + (size_t)cs->channel[j] * e, now, e);
            bsr_lane_add(ls, cs->lane[j], out, p + r, data);
        }
    }
}

/* Every pixel differs and they were appended in order: the room holds the whole tensor. */
static void settle(bsr_lanes *ls, const columns *cs)
{
    const bsr_pten *to = &ls->plan->ptens[cs->step->out];
    for (int j = 0; j < cs->n; j++) {
        bsr_lane_tensor *t = bsr_lane_at(ls, cs->lane[j], cs->step->out);
        if (t->n != to->pixels)
            continue;
        t->kind = BSR_FULL;
        bsr_write_spare(to, t->data);
    }
}

/* The stages of step s (of the columns) on sums y of rows [p, p + rows), and what differs then. */
static void finish_rows(bsr_lanes *ls, const columns *cs, const bsr_step *s, int p, int rows,
                        float *y)
{
    char codes[BSR_BLOCK * BSR_MAX_NR];
    bsr_access operands[BSR_DENSE_OPERANDS];
    for (int i = 0, k = 0; i < s->n_stages; i++)
        if (s->stages[i].operand >= 0)
            operand_rows(ls, cs, s->stages[i].operand, p, rows, &operands[i],
                         ls->column_rows + (size_t)k++ * BSR_BLOCK * BSR_MAX_NR);
    int quant = bsr_stage_rows(ls->plan, s, 0, rows, cs->n, y, operands);
    const char *done = (const char *)y;
    if (quant < s->n_stages) {
        const bsr_stage *q = &s->stages[quant];
        ls->plan->kernels->quantize(rows, cs->n, y, q->scale, q->zero, q->codes == BSR_I8, codes);
        done = codes;
    }
    collect(ls, cs, p, rows, done);
}

static void run_columns(bsr_lanes *ls, const columns *cs)
{
    const bsr_plan *plan = ls->plan;
    const bsr_pten *to = &plan->ptens[cs->step->out];
    bsr_step s = column_step(ls, cs);
    bsr_weights panel = {0};
    if (cs->step->core == BSR_CORE_DEPTHWISE)
        depthwise_panel(ls, cs);
    else
        panel = column_weights(ls, cs);
    float y[BSR_BLOCK * BSR_MAX_NR];
    for (int p = 0; p < to->pixels; p += BSR_BLOCK) {
        int rows = to->pixels - p < BSR_BLOCK ? to->pixels - p : BSR_BLOCK;
        core_rows(ls, cs, &panel, p, rows, y);
        finish_rows(ls, cs, &s, p, rows, y);
    }
    settle(ls, cs);
    ls->counters.macs += cs->step->macs / to->channels * cs->n;
}

void bsr_lane_source_weights(bsr_lanes *ls, int first, int n)
{
    const bsr_layer *layer = &ls->plan->layers[ls->jobs[first].fault.where];
    const bsr_step *step = &ls->plan->steps[layer->step];
    const bsr_weights *w = layer->weights;
    unsigned char taken[BSR_MAX_NR] = {0};
    int depthwise = step->core == BSR_CORE_DEPTHWISE;
    int nr = ls->plan->kernels->nr;
    /* One pass per group of the convolution: a panel reads one group's input channels. */
    for (int i = 0; i < n; i++) {
        if (taken[i])
            continue;
        columns cs = {.step = step};
        cs.group = fault_channel(w, &ls->jobs[first + i].fault) / w->cout;
        for (int j = i; j < n; j++) {
            int m = fault_channel(w, &ls->jobs[first + j].fault);
            if (taken[j] || (!depthwise && m / w->cout != cs.group))
                continue;
            taken[j] = 1;
            cs.channel[cs.n] = m;
            cs.lane[cs.n++] = first + j;
        }
        cs.width = cs.n <= nr / 2 ? nr / 2 : nr;
        run_columns(ls, &cs);
    }
}

/* A multiplication of one output element whose copy of an operand is faulty. */
typedef struct operand {
    const bsr_weights *w;
    const char *x; /* golden input tensor */
    const int64_t *off;
    size_t off_stride; /* tap t of the output pixel reads the pixel at x + off[t * off_stride] */
    int m, tap, c;     /* tap -1: no operand is faulty */
    int is_weight;
    uint32_t bits;
} operand;

static float float_sum(const operand *o)
{
    const bsr_weights *w = o->w;
    const float *weights = (const float *)w->data + o->m * w->stride_m;
    float acc = w->bias ? ((const float *)w->bias)[o->m] : 0.0f, faulty;
    memcpy(&faulty, &o->bits, sizeof faulty);
    for (int t = 0; t < w->taps; t++) {
        const float *x =
            (const float *)(o->x + o->off[(size_t)t * o->off_stride]) + o->m / w->cout * w->cin;
        for (int c = 0; c < w->cin; c++) {
            float a = x[c], b = weights[t * w->stride_t + c * w->stride_c];
            if (t == o->tap && c == o->c)
                *(o->is_weight ? &b : &a) = faulty;
            acc = fmaf(a, b, acc);
        }
    }
    return acc;
}

static int32_t code_of(unsigned char byte, bsr_dtype type)
{
    return type == BSR_I8 ? (signed char)byte : byte;
}

/* Modulo 2^32, as the kernels. */
static uint32_t code_sum(const operand *o, bsr_dtype x_type)
{
    const bsr_weights *w = o->w;
    const unsigned char *weights = (const unsigned char *)w->data + o->m * w->stride_m;
    uint32_t sum = w->bias ? (uint32_t)((const int32_t *)w->bias)[o->m] : 0;
    for (int t = 0; t < w->taps; t++) {
        const unsigned char *x = (const unsigned char *)(o->x + o->off[(size_t)t * o->off_stride]) +
                                 o->m / w->cout * w->cin;
        for (int c = 0; c < w->cin; c++) {
            unsigned char a = x[c], b = weights[t * w->stride_t + c * w->stride_c];
            if (t == o->tap && c == o->c)
                *(o->is_weight ? &b : &a) = (unsigned char)o->bits;
            sum += (uint32_t)((code_of(a, x_type) - w->x_zero) *
                              (code_of(b, w->dtype) - w->w_zero[o->m]));
        }
    }
    return sum;
}

void bsr_lane_source_output(bsr_lanes *ls, int lane)
{
    const bsr_stored_fault *f = &ls->jobs[lane].fault;
    const bsr_step *step = &ls->plan->steps[ls->plan->layers[f->where].step];
    const bsr_source *src = &step->sources[0];
    const bsr_pten *in = &ls->plan->ptens[src->pten];
    operand o = {.w = step->weights,
                 .x = bsr_golden_at(ls, lane, src->pten),
                 .off = (src->map ? src->map->offset : in->identity) + f->pixel,
                 .off_stride = src->map ? (size_t)src->map->n_out : 0,
                 .is_weight = f->place == BSR_FAULT_OPERAND_WEIGHT,
                 .bits = f->bits};
    int is_sum = f->place == BSR_FAULT_SUM;
    if (is_sum) {
        o.m = (int)f->element;
        o.tap = -1;
    } else {
        bsr_weights_locate(o.w, f->element, &o.m, &o.tap, &o.c);
    }
    columns cs = {.n = 1, .step = step, .channel = {o.m}, .lane = {lane}};
    float y;
    if (step->core == BSR_CORE_CONV_I8) {
        uint32_t sum = code_sum(&o, in->dtype) + (is_sum ? f->bits : 0);
        memcpy(&y, &sum, sizeof y);
    } else {
        float delta;
        memcpy(&delta, &f->bits, sizeof delta);
        y = float_sum(&o);
        if (is_sum) /* not + 0 otherwise: it would change a sum of -0 */
            y += delta;
    }
    bsr_step s = column_step(ls, &cs);
    finish_rows(ls, &cs, &s, f->pixel, 1, &y);
    settle(ls, &cs);
    ls->counters.macs += o.w->taps * o.w->cin;
}
