#include "exec/step.h"

#include <string.h>

#include "base/alloc.h"

bsr_status bsr_scratch_new(bsr_scratch *s, const bsr_plan *plan)
{
    size_t wide = (size_t)plan->max_channels + BSR_MAX_NR;
    *s = (bsr_scratch){
        .staging = bsr_alloc_aligned(BSR_BLOCK * wide, sizeof(float)),
        .gathered = bsr_alloc_aligned(BSR_BLOCK * (plan->max_gather + 8), sizeof(float)),
        .rows = bsr_alloc_aligned(BSR_BLOCK * ((size_t)plan->max_taps + 1), sizeof(int64_t)),
        .dense = bsr_alloc_aligned(plan->max_dense, 1),
        .logits = bsr_alloc_aligned(plan->max_dense, 1)};
    if (!s->staging || !s->gathered || !s->rows || !s->dense || !s->logits) {
        bsr_scratch_clear(s);
        return BSR_ENOMEM;
    }
    return BSR_OK;
}

void bsr_scratch_clear(bsr_scratch *s)
{
    bsr_free(s->staging);
    bsr_free(s->gathered);
    bsr_free(s->rows);
    bsr_free(s->dense);
    bsr_free(s->logits);
    *s = (bsr_scratch){0};
}

static const char *at(const bsr_access *a, int tap, int row)
{
    return (const char *)((uintptr_t)a->base +
                          (uintptr_t)a->off[(size_t)tap * a->off_stride + (size_t)row]);
}

static int missing(const bsr_access *a, int row)
{
    return a->off[row] == BSR_NO_PIXEL;
}

void bsr_write_spare(const bsr_pten *p, char *data)
{
    memset(data + (size_t)p->pixels * p->pixel_bytes, p->pad_code, p->pixel_bytes);
}

/* Tiles of nearly equal height cover n rows, so that no tile is much smaller than the kernel's. */
static int tile_rows(int left, int mr)
{
    int tiles = (left + mr - 1) / mr;
    return (left + tiles - 1) / tiles;
}

/* The epilogue of columns from `column` and rows from `row` on. */
static const bsr_epilogue *shifted(bsr_epilogue *to, const bsr_epilogue *e, int column, int row)
{
    if (!e)
        return NULL;
    *to = *e;
    if (e->scale) {
        to->scale += column;
        to->shift += column;
    }
    if (e->add_off) {
        to->add_base = (const char *)((uintptr_t)e->add_base + (uintptr_t)column * sizeof(float));
        to->add_off += row;
    }
    return to;
}

/* Collects the taps of a few channels into one vector per row. Copies of fixed size are one load
 * and one store; what they take beyond the pixel is overwritten by the next tap. */
static void gather_rows(const bsr_access *a, int taps, int cin, int n, float *row, size_t depth)
{
    for (int r = 0; r < n; r++, row += depth)
        for (int t = 0; t < taps; t++) {
            const float *x = (const float *)at(a, t, r);
            if (cin <= 4)
                memcpy(row + t * cin, x, 4 * sizeof *x);
            else
                memcpy(row + t * cin, x, 8 * sizeof *x);
        }
}

void bsr_conv_rows(const bsr_plan *plan, const bsr_weights *w, const void *packed, int n,
                   const bsr_access *in, const bsr_epilogue *e, bsr_scratch *scratch, float *out,
                   int channels)
{
    const bsr_kernels *k = plan->kernels;
    for (int g = 0; g < w->groups; g++) {
        bsr_access a = *in;
        a.base = (const char *)((uintptr_t)a.base + (size_t)g * (size_t)w->cin * sizeof(float));
        int taps = w->taps, cin = w->cin;
        if (w->gather) {
            size_t depth = (size_t)taps * (size_t)cin + 8;
            gather_rows(&a, taps, cin, n, (float *)scratch->gathered, depth);
            for (int r = 0; r < n; r++)
                scratch->rows[r] = (int64_t)((size_t)r * depth * sizeof(float));
            a = (bsr_access){scratch->gathered, scratch->rows, 0};
            cin = taps * cin;
            taps = 1;
        }
        for (int i = 0; i < w->n_panels; i++) {
            int first = i * w->panel_width[0], width = w->panel_width[i];
            int cols = w->cout - first < width ? w->cout - first : width;
            const float *b =
                (const float *)((const char *)packed + (size_t)g * w->group_bytes + w->panel_at[i]);
            const float *init = (const float *)w->init + (size_t)g * (size_t)w->init_stride + first;
            float *y = out + (size_t)g * (size_t)w->cout + first;
            for (int r = 0, rows; r < n; r += rows) {
                rows = tile_rows(n - r, k->mr);
                bsr_epilogue local;
                k->gemm(rows, cols, width, taps, cin, a.base, a.off + r, a.off_stride, b, init,
                        shifted(&local, e, g * w->cout + first, r),
                        y + (size_t)r * (size_t)channels, (size_t)channels);
            }
        }
    }
}

void bsr_conv_i8_rows(const bsr_plan *plan, const bsr_weights *w, const void *packed,
                      bsr_dtype type, int n, const bsr_access *in, bsr_scratch *scratch,
                      int32_t *out)
{
    const bsr_kernels *k = plan->kernels;
    int is_signed = type == BSR_I8, channels = w->groups * w->cout;
    if (!w->n_panels) {
        k->depthwise_codes(n, w->taps, channels, in->base, in->off, in->off_stride, w->x_zero,
                           is_signed, packed, w->init, out, (size_t)channels);
        return;
    }
    size_t depth = (size_t)w->pairs * 2, used = (size_t)w->taps * (size_t)w->cin;
    int16_t *rows = (int16_t *)scratch->gathered;
    for (int g = 0; g < w->groups; g++) {
        k->gather_codes(n, w->taps, w->cin,
                        (const char *)((uintptr_t)in->base + (uintptr_t)(g * w->cin)), in->off,
                        in->off_stride, w->x_zero, is_signed, rows, depth);
        for (int r = 0; used < depth && r < n; r++)
            rows[(size_t)r * depth + used] = 0;
        for (int i = 0; i < w->n_panels; i++) {
            int first = i * w->panel_width[0], width = w->panel_width[i];
            int cols = w->cout - first < width ? w->cout - first : width;
            k->igemm(n, cols, width, w->pairs, rows, depth,
                     (const int16_t *)((const char *)packed + (size_t)g * w->group_bytes +
                                       w->panel_at[i]),
                     (const int32_t *)w->init + (size_t)g * (size_t)w->init_stride + first,
                     out + (size_t)g * (size_t)w->cout + first, (size_t)channels);
        }
    }
}

static void copy_rows(const bsr_plan *plan, const bsr_step *step, int n, const bsr_access *in,
                      char *out, size_t esize)
{
    size_t row_bytes = (size_t)step->core_channels * esize;
    for (int r = 0; r < n; r++) {
        char *row = out + (size_t)r * row_bytes;
        if (esize == sizeof(float))
            for (int c = 0; c < step->core_channels; c++)
                ((float *)row)[c] = step->fill;
        for (int i = 0; i < step->n_sources; i++) {
            const bsr_source *s = &step->sources[i];
            if (!missing(&in[i], r))
                memcpy(row + (size_t)s->to * esize, at(&in[i], 0, r) + (size_t)s->from * esize,
                       (size_t)s->count * esize);
        }
    }
}

static void binary_rows(const bsr_stage *s, int n, int channels, float *x, const bsr_access *op)
{
    for (int r = 0; r < n; r++, x += channels) {
        const float *y = op ? (const float *)at(op, 0, r) : s->scale;
        for (int c = 0; c < channels; c++)
            x[c] = s->swap ? s->binary(y[c], x[c]) : s->binary(x[c], y[c]);
    }
}

static bsr_epilogue epilogue(const bsr_stage *s, const bsr_access *op)
{
    return (bsr_epilogue){s->scale, s->shift, op ? op->base : NULL, op ? op->off : NULL, s->relu,
                          s->lo,    s->hi};
}

int bsr_stage_rows(const bsr_plan *plan, const bsr_step *step, int first, int n, int channels,
                   float *x, const bsr_access *operands)
{
    for (int i = first; i < step->n_stages; i++) {
        const bsr_stage *s = &step->stages[i];
        const bsr_access *op = s->operand >= 0 ? &operands[i] : NULL;
        switch (s->kind) {
        case BSR_STAGE_AFFINE_ADD_CLAMP: {
            bsr_epilogue e = epilogue(s, op);
            plan->kernels->affine_add_clamp(n, channels, x, &e);
            break;
        }
        case BSR_STAGE_UNARY:
            for (int k = 0; k < n * channels; k++)
                x[k] = s->unary(x[k], s->p);
            break;
        case BSR_STAGE_BINARY_CONST:
        case BSR_STAGE_BINARY_ROWS:
            binary_rows(s, n, channels, x, op);
            break;
        case BSR_STAGE_SCALE_I32:
            plan->kernels->scale_sums(n, channels, x, s->scale);
            break;
        case BSR_STAGE_DEQUANT:
            break; /* done with the core */
        case BSR_STAGE_QUANT:
            return i;
        }
    }
    return step->n_stages;
}

void bsr_core_rows(const bsr_plan *plan, const bsr_step *step, const void *packed, int n,
                   const bsr_access *sources, const bsr_epilogue *e, const float *divisor,
                   bsr_scratch *scratch, void *out)
{
    const bsr_kernels *k = plan->kernels;
    const bsr_access *in = &sources[0];
    int channels = step->core_channels;
    float *y = out;
    switch (step->core) {
    case BSR_CORE_COPY:
        if (step->n_stages && step->stages[0].kind == BSR_STAGE_DEQUANT)
            k->dequantize(n, channels, in->base, in->off, step->stages[0].scale,
                          step->stages[0].zero, step->stages[0].codes == BSR_I8, y);
        else
            copy_rows(plan, step, n, sources, out,
                      step->n_stages ? sizeof(float) : plan->ptens[step->out].esize);
        break;
    case BSR_CORE_CONV:
        bsr_conv_rows(plan, step->weights, packed, n, in, e, scratch, y, channels);
        break;
    case BSR_CORE_DEPTHWISE:
        k->depthwise(n, step->weights->taps, channels, in->base, in->off, in->off_stride, packed,
                     step->weights->init, e, y, (size_t)channels);
        break;
    case BSR_CORE_CONV_I8:
        bsr_conv_i8_rows(plan, step->weights, packed, plan->ptens[step->sources[0].pten].dtype, n,
                         in, scratch, out);
        break;
    case BSR_CORE_MAX_POOL:
        k->max_pool(n, step->sources[0].map->taps, channels, in->base, in->off, in->off_stride, y,
                    (size_t)channels);
        break;
    case BSR_CORE_AVG_POOL:
        k->avg_pool(n, step->sources[0].map->taps, channels, in->base, in->off, in->off_stride,
                    divisor, y, (size_t)channels);
        break;
    case BSR_CORE_DENSE:
    case BSR_CORE_RELAYOUT:
        break;
    }
}

void bsr_step_rows(const bsr_plan *plan, const bsr_step *step, const void *packed, int n,
                   const bsr_access *sources, const bsr_access *operands, const float *divisor,
                   bsr_scratch *scratch, char *out)
{
    int channels = step->core_channels;
    /* Codes that are only moved go straight to the output, like floats. */
    int direct =
        plan->ptens[step->out].dtype == BSR_F32 || (step->core == BSR_CORE_COPY && !step->n_stages);
    float *y = direct ? (float *)out : scratch->staging;
    /* The first stage of a float convolution runs on its sums while they are in registers. */
    int fused = (step->core == BSR_CORE_CONV || step->core == BSR_CORE_DEPTHWISE) &&
                step->n_stages && step->stages[0].kind == BSR_STAGE_AFFINE_ADD_CLAMP;
    bsr_epilogue first = {0}, *e = NULL;
    if (fused) {
        first = epilogue(&step->stages[0], step->stages[0].operand >= 0 ? &operands[0] : NULL);
        e = &first;
    }
    bsr_core_rows(plan, step, packed, n, sources, e, divisor, scratch, y);
    int quant = bsr_stage_rows(plan, step, fused, n, channels, y, operands);
    if (quant < step->n_stages) {
        const bsr_stage *s = &step->stages[quant];
        plan->kernels->quantize(n, channels, y, s->scale, s->zero, s->codes == BSR_I8, out);
    }
}

void bsr_step_image(const bsr_plan *plan, const bsr_step *step, const void *packed,
                    const bsr_access *whole, bsr_scratch *scratch, char *out)
{
    const bsr_pten *to = &plan->ptens[step->out];
    bsr_access rows[BSR_DENSE_OPERANDS];
    for (int p = 0; p < to->pixels; p += BSR_BLOCK) {
        int n = to->pixels - p < BSR_BLOCK ? to->pixels - p : BSR_BLOCK;
        for (int k = 0; k < step->n_sources + step->n_stages; k++) {
            const bsr_pixmap *map = k < step->n_sources ? step->sources[k].map : NULL;
            rows[k] = map ? (bsr_access){whole[k].base, map->offset + p, (size_t)to->pixels}
                          : (bsr_access){whole[k].base, whole[k].off ? whole[k].off + p : NULL, 0};
        }
        bsr_step_rows(plan, step, packed, n, rows, rows + step->n_sources,
                      step->divisor ? step->divisor + p : NULL, scratch,
                      out + (size_t)p * to->pixel_bytes);
    }
}

bsr_status bsr_step_dense(const bsr_plan *plan, const bsr_step *step, char *const *in, char *out)
{
    const bsr_graph *g = plan->graph;
    if (step->core == BSR_CORE_RELAYOUT) {
        int value = plan->ptens[step->out].value;
        bsr_view from = bsr_plan_view(plan, value, in[0]);
        bsr_layout held = plan->layout[value];
        bsr_view to = bsr_layout_view(
            &g->values[value], held == BSR_ROW_MAJOR ? BSR_CHANNELS_LAST : BSR_ROW_MAJOR, out);
        bsr_view_copy(&to, &from);
        return BSR_OK;
    }
    const bsr_node *n = &g->nodes[step->node];
    bsr_view views[BSR_DENSE_OPERANDS] = {{0}};
    for (int i = 0, k = 0; i < n->n_in; i++) {
        if (n->in[i] < 0)
            continue;
        const bsr_tensor *t = g->values[n->in[i]].constant;
        views[i] = t ? bsr_tensor_view(t) : bsr_plan_view(plan, n->in[i], in[k++]);
    }
    bsr_view *outs = views + n->n_in;
    outs[step->dense_out] = bsr_plan_view(plan, n->out[step->dense_out], out);
    bsr_op_call call = {
        .node = n, .opset = g->opset, .n_in = n->n_in, .n_out = n->n_out, .in = views, .out = outs};
    return bsr_op_find(n->op_type)->run(&call);
}

void bsr_step_recompute(const bsr_plan *plan, int pten, const char *record, bsr_scratch *scratch,
                        char *data)
{
    const bsr_pten *p = &plan->ptens[pten];
    const bsr_step *s = &plan->steps[p->producer];
    bsr_access whole[BSR_DENSE_OPERANDS] = {{0}};
    for (int k = 0; k < s->n_sources + s->n_stages; k++) {
        int from = k < s->n_sources ? s->sources[k].pten : s->stages[k - s->n_sources].operand;
        if (from >= 0)
            whole[k] =
                (bsr_access){record + plan->ptens[from].golden_at, plan->ptens[from].identity, 0};
    }
    bsr_step_image(plan, s, s->weights->packed, whole, scratch, data);
    bsr_write_spare(p, data);
}
