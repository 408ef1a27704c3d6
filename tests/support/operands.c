#include "support/operands.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static uint32_t read_bits(const void *data, size_t esize)
{
    uint32_t bits = 0;
    memcpy(&bits, data, esize);
    return bits;
}

bsr_lane_job operands_draw(const bsr_plan *plan, const bsr_golden *golden, bsr_rng *rng)
{
    static const uint32_t special[] = {0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001,
                                       0x00000001, 0x80000000, 0x7f7fffff, 0x00000000};
    bsr_lane_job job = {.image = (int)bsr_rng_below(rng, (uint64_t)golden->images)};
    bsr_stored_fault *f = &job.fault;
    f->place = bsr_rng_below(rng, 2) ? BSR_FAULT_OPERAND_INPUT : BSR_FAULT_OPERAND_WEIGHT;
    f->where = (int)bsr_rng_below(rng, (uint64_t)plan->n_layers);
    const bsr_step *s = &plan->steps[plan->layers[f->where].step];
    const bsr_weights *w = s->weights;
    size_t bytes = ((size_t)w->taps + 7) / 8;
    unsigned char *mask = bsr_alloc_array(bsr_operand_windows(plan, f->where, NULL), 1);
    int m, tap, c;
    if (!mask)
        abort();
    bsr_operand_windows(plan, f->where, mask);
    do {
        f->pixel = (int)bsr_rng_below(rng, (uint64_t)plan->ptens[s->out].pixels);
        f->element = (int64_t)bsr_rng_below(rng, (uint64_t)w->groups * (uint64_t)w->cout *
                                                     (uint64_t)w->taps * (uint64_t)w->cin);
        bsr_weights_locate(w, f->element, &m, &tap, &c);
    } while (!(mask[(size_t)f->pixel * bytes + (size_t)tap / 8] >> tap % 8 & 1));
    bsr_free(mask);
    size_t esize = bsr_dtype_size(w->dtype);
    if (esize == 4 && bsr_rng_below(rng, 8) == 0)
        f->bits = special[bsr_rng_below(rng, 8)];
    else if (f->place == BSR_FAULT_OPERAND_WEIGHT)
        f->bits = read_bits((const char *)w->data + (size_t)f->element * esize, esize) ^
                  (uint32_t)1 << bsr_rng_below(rng, esize * 8);
    else if (plan->ptens[s->sources[0].pten].kept)
        f->bits =
            read_bits(bsr_operand_input(plan, golden, job.image, f->where, f->pixel, f->element),
                      esize) ^
            (uint32_t)1 << bsr_rng_below(rng, esize * 8);
    else
        f->bits = bsr_rng_u32(rng);
    return job;
}

/* One output element of a node: which products make it. */
typedef struct product {
    const bsr_graph *graph;
    const bsr_node *node;
    int qlinear, codes;                  /* QLinearConv; integer operands */
    const bsr_value *x;                  /* float or codes */
    const bsr_tensor *w, *bias;          /* float or codes; float or int32, NULL: none */
    const bsr_tensor *sx, *zx, *sw, *zw; /* of codes; zero points may be NULL */
    bsr_view in;                         /* the golden x */
    int m;                               /* output channel */
    int is_window;                       /* Conv */
    bsr_window window;
    int64_t image, at[3]; /* Conv: of the output; else at[0] = row */
    int64_t element;      /* weight of the faulty product */
    int is_weight;
    uint32_t bits;
    const char *faulty_x; /* input element of that product */
    int faulty_seen;
} product;

static const bsr_tensor *constant(const bsr_graph *g, const bsr_node *n, int i)
{
    return i < n->n_in && n->in[i] >= 0 ? g->values[n->in[i]].constant : NULL;
}

/* Operands of the node: its own, QLinearConv's, or those in front of DequantizeLinear nodes. */
static void open_operands(product *p)
{
    const bsr_graph *g = p->graph;
    const bsr_node *n = p->node;
    int producer = g->values[n->in[0]].producer;
    p->qlinear = strcmp(n->op_type, "QLinearConv") == 0;
    if (p->qlinear) {
        p->x = &g->values[n->in[0]];
        p->sx = constant(g, n, 1);
        p->zx = constant(g, n, 2);
        p->w = constant(g, n, 3);
        p->sw = constant(g, n, 4);
        p->zw = constant(g, n, 5);
        p->bias = constant(g, n, 8);
    } else if (p->codes) {
        const bsr_node *dx = &g->nodes[producer];
        const bsr_node *dw = &g->nodes[g->values[n->in[1]].producer];
        p->x = &g->values[dx->in[0]];
        p->sx = constant(g, dx, 1);
        p->zx = constant(g, dx, 2);
        p->w = constant(g, dw, 0);
        p->sw = constant(g, dw, 1);
        p->zw = constant(g, dw, 2);
        if (n->n_in > 2 && n->in[2] >= 0)
            p->bias = constant(g, &g->nodes[g->values[n->in[2]].producer], 0);
    } else {
        p->x = &g->values[n->in[0]];
        p->w = constant(g, n, 1);
        p->bias = strcmp(n->op_type, "MatMul") == 0 ? NULL : constant(g, n, 2);
    }
}

static int code_at(const bsr_tensor *t, int64_t i)
{
    if (!t)
        return 0;
    i = bsr_count(t->rank, t->dims) == 1 ? 0 : i;
    return t->dtype == BSR_I8 ? ((const int8_t *)t->data)[i] : ((const uint8_t *)t->data)[i];
}

static float scale_at(const bsr_tensor *t, int64_t i)
{
    return ((const float *)t->data)[bsr_count(t->rank, t->dims) == 1 ? 0 : i];
}

static int code_of(uint32_t bits, bsr_dtype t)
{
    return t == BSR_I8 ? (int8_t)(bits & 255) : (int)(bits & 255);
}

/* Joins one product to the sum. x: NULL in the padding. */
static void multiply(product *p, const char *x, int64_t element, int faulty, float *f, uint32_t *u)
{
    size_t ex = bsr_dtype_size(p->in.dtype), ew = bsr_dtype_size(p->w->dtype);
    uint32_t a = x ? read_bits(x, ex) : 0;
    uint32_t b = read_bits((const char *)p->w->data + (size_t)element * ew, ew);
    if (element == p->element) {
        p->faulty_seen = x != NULL;
        p->faulty_x = x;
        if (faulty)
            *(p->is_weight ? &b : &a) = p->bits;
    }
    if (p->codes) {
        int zx = code_at(p->zx, 0), xv = x ? code_of(a, p->in.dtype) - zx : 0;
        *u += (uint32_t)(xv * (code_of(b, p->w->dtype) - code_at(p->zw, p->m)));
        return;
    }
    float xf, wf;
    memcpy(&xf, &a, sizeof xf);
    memcpy(&wf, &b, sizeof wf);
    *f = fmaf(xf, wf, *f);
}

/* All taps of one output position, row-major; input channels of the group ascending. */
static void conv_products(product *p, int faulty, float *f, uint32_t *u)
{
    const bsr_window *w = &p->window;
    int64_t per_group = p->w->dims[1], taps = bsr_count(w->rank, w->kernel);
    int64_t group = p->m / (p->w->dims[0] / bsr_node_int(p->node, "group", 1));
    int64_t k[3] = {0};
    for (int64_t t = 0; t < taps; t++) {
        int64_t idx[5] = {p->image};
        int inside = 1;
        for (int d = 0; d < w->rank; d++) {
            idx[2 + d] = p->at[d] * w->stride[d] - w->pad_begin[d] + k[d] * w->dilation[d];
            inside &= idx[2 + d] >= 0 && idx[2 + d] < w->in[d];
        }
        for (int64_t c = 0; c < per_group; c++) {
            idx[1] = group * per_group + c;
            const char *x = inside ? bsr_view_at(&p->in, idx, bsr_dtype_size(p->in.dtype)) : NULL;
            multiply(p, x, (p->m * per_group + c) * taps + t, faulty, f, u);
        }
        bsr_next_index(w->rank, w->kernel, k);
    }
}

static void row_products(product *p, int faulty, float *f, uint32_t *u)
{
    int trans = strcmp(p->node->op_type, "Gemm") == 0 && bsr_node_int(p->node, "transB", 0);
    int64_t k = p->w->dims[trans ? 1 : 0], outs = p->w->dims[trans ? 0 : 1];
    int64_t idx[BSR_MAX_RANK] = {0}, row = p->at[0];
    for (int d = p->in.rank - 2; d >= 0; d--) {
        idx[d] = row % p->in.dims[d];
        row /= p->in.dims[d];
    }
    for (int64_t c = 0; c < k; c++) {
        idx[p->in.rank - 1] = c;
        multiply(p, bsr_view_at(&p->in, idx, bsr_dtype_size(p->in.dtype)),
                 trans ? p->m * k + c : c * outs + p->m, faulty, f, u);
    }
}

/* Bits of the output element. */
static uint32_t evaluate(product *p, int faulty)
{
    float f = 0;
    uint32_t u = 0, bits = 0;
    if (p->bias && p->codes)
        u = (uint32_t)((const int32_t *)p->bias->data)[p->m];
    else if (p->bias)
        f = ((const float *)p->bias->data)[p->m];
    if (p->is_window)
        conv_products(p, faulty, &f, &u);
    else
        row_products(p, faulty, &f, &u);
    if (p->codes) {
        float scale = scale_at(p->sx, 0) * scale_at(p->sw, p->m);
        if (p->qlinear)
            scale = scale / scale_at(constant(p->graph, p->node, 6), 0);
        f = (float)(int32_t)u * scale;
    }
    if (p->qlinear) {
        const bsr_tensor *zy = constant(p->graph, p->node, 7);
        float lo = zy->dtype == BSR_I8 ? -128 : 0;
        float q = rintf(f) + (float)code_at(zy, 0);
        q = q < lo ? lo : q > lo + 255 ? lo + 255 : q;
        return (uint32_t)(int)q & 255;
    }
    memcpy(&bits, &f, sizeof f);
    return bits;
}

static int same_bits(uint32_t a, uint32_t b, bsr_dtype type)
{
    float x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return a == b || (type == BSR_F32 && isnan(x) && isnan(y));
}

/* Output position and logical index of the element. */
static int64_t place_output(product *p, const bsr_value *out, int pixel)
{
    int64_t outs = out->dims[p->is_window ? 1 : out->rank - 1];
    if (!p->is_window) {
        p->at[0] = pixel;
        return pixel * outs + p->m;
    }
    int64_t size = bsr_count(p->window.rank, p->window.out), spot = pixel % size;
    p->image = pixel / size;
    int64_t logical = (p->image * outs + p->m) * size + spot;
    for (int d = p->window.rank - 1; d >= 0; d--) {
        p->at[d] = spot % p->window.out[d];
        spot /= p->window.out[d];
    }
    return logical;
}

const char *operands_expect(bsr_stored_fault *fault, const bsr_plan *plan, const bsr_golden *golden,
                            const bsr_lane_job *job)
{
    const bsr_stored_fault *f = &job->fault;
    const bsr_graph *g = plan->graph;
    const bsr_layer *layer = &plan->layers[f->where];
    product p = {.graph = g,
                 .node = &g->nodes[layer->node],
                 .element = f->element,
                 .is_weight = f->place == BSR_FAULT_OPERAND_WEIGHT,
                 .bits = f->bits,
                 .codes = layer->weights->dtype != BSR_F32};
    open_operands(&p);
    int out = p.node->out[0], in = (int)(p.x - g->values);
    if (plan->of_value[out] != plan->steps[layer->step].out)
        return "fused";
    const char *record = golden->records + (size_t)job->image * plan->golden_bytes;
    const bsr_pten *from = &plan->ptens[plan->of_value[in]],
                   *to = &plan->ptens[plan->of_value[out]];
    p.in = bsr_plan_view(plan, in, (void *)(uintptr_t)(record + from->golden_at));
    p.is_window = strstr(p.node->op_type, "Conv") != NULL;
    if (p.is_window && bsr_window_resolve(&p.window, p.node, p.x->rank - 2, p.x->dims + 2,
                                          p.w->dims + 2) != BSR_OK)
        return "window";
    /* Output channel of the weight, from its tensor's shape. */
    int64_t n = bsr_count(p.w->rank, p.w->dims);
    int outs_first = p.is_window || bsr_node_int(p.node, "transB", 0);
    p.m = (int)(outs_first ? f->element / (n / p.w->dims[0]) : f->element % p.w->dims[1]);
    *fault = (bsr_stored_fault){.place = BSR_FAULT_VALUE, .where = out, .pixel = -1};
    fault->element = place_output(&p, &g->values[out], f->pixel);
    int pixel, channel;
    bsr_plan_locate(plan, out, fault->element, &pixel, &channel);
    uint32_t was = read_bits(record + to->golden_at + (size_t)pixel * to->pixel_bytes +
                                 (size_t)channel * to->esize,
                             to->esize);
    if (!same_bits(evaluate(&p, 0), was, to->dtype))
        return "the golden element differs from the one computed by hand";
    if (!p.faulty_seen)
        return "the tap lies in the padding";
    size_t esize = bsr_dtype_size(p.in.dtype);
    const char *address =
        bsr_operand_input(plan, golden, job->image, f->where, f->pixel, f->element);
    int direct = from == &plan->ptens[plan->steps[layer->step].sources[0].pten];
    if (direct ? address != p.faulty_x : memcmp(address, p.faulty_x, esize) != 0)
        return "the operand's address is wrong";
    fault->bits = evaluate(&p, 1);
    return NULL;
}
