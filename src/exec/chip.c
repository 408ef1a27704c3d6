#include "exec/chip.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* A packed element that no longer holds what the plan's copy of it does. */
typedef struct change {
    void *at;
    const void *plain; /* the same element in the plan */
    size_t size;
} change;

struct bsr_chip {
    const bsr_plan *plan;
    bsr_forward *forward;
    char *memory;         /* packed weights and starting values of all layers */
    bsr_weights *weights; /* [layers] the plan's, but packed and init in `memory` */
    /* [layers] the next layer that reads the same weights, the same bias: rings. */
    int *same_weights, *same_bias;
    change *changes;
    size_t n_changes, cap_changes;
    /* Of the current run: */
    int *first_hit; /* [plan tensors] the first graph value to show, -1: none */
    int *next_hit;  /* [graph values] the next one in the same tensor */
    bsr_chip_fn fn;
    void *ctx;
};

static size_t rounded(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static size_t init_bytes(const bsr_weights *w)
{
    return (size_t)w->groups * (size_t)w->init_stride * sizeof(float);
}

/* Copies what faults may change; all layers' in one block, each part on a cache line of its own. */
static bsr_status copy_weights(bsr_chip *c)
{
    const bsr_plan *plan = c->plan;
    size_t bytes = 0;
    for (int i = 0; i < plan->n_layers; i++) {
        const bsr_weights *w = plan->layers[i].weights;
        bytes += rounded(w->packed_bytes) + rounded(init_bytes(w));
    }
    if (!(c->memory = bsr_alloc_aligned(bytes, 1)))
        return BSR_ENOMEM;
    memset(c->memory, 0, bytes);
    char *at = c->memory;
    for (int i = 0; i < plan->n_layers; i++) {
        const bsr_weights *w = plan->layers[i].weights;
        c->weights[i] = *w;
        c->weights[i].packed = memcpy(at, w->packed, w->packed_bytes);
        at += rounded(w->packed_bytes);
        c->weights[i].init = memcpy(at, w->init, init_bytes(w));
        at += rounded(init_bytes(w));
    }
    return BSR_OK;
}

/* Each layer joins the ring of the nearest one before it with the same tensor. */
static void link_layers(bsr_chip *c)
{
    for (int i = 0; i < c->plan->n_layers; i++) {
        const bsr_weights *w = &c->weights[i];
        c->same_weights[i] = c->same_bias[i] = i;
        for (int j = i - 1, found = 0; j >= 0 && !found; j--)
            if ((found = c->weights[j].value == w->value)) {
                c->same_weights[i] = c->same_weights[j];
                c->same_weights[j] = i;
            }
        for (int j = i - 1, found = w->bias_value < 0; j >= 0 && !found; j--)
            if ((found = c->weights[j].bias_value == w->bias_value)) {
                c->same_bias[i] = c->same_bias[j];
                c->same_bias[j] = i;
            }
    }
}

bsr_status bsr_chip_new(bsr_chip **out, const bsr_plan *plan, int images)
{
    *out = NULL;
    bsr_chip *c = bsr_calloc_array(1, sizeof *c);
    if (!c)
        return BSR_ENOMEM;
    size_t layers = (size_t)plan->n_layers;
    c->plan = plan;
    c->weights = bsr_alloc_array(layers, sizeof *c->weights);
    c->same_weights = bsr_alloc_array(layers, sizeof *c->same_weights);
    c->same_bias = bsr_alloc_array(layers, sizeof *c->same_bias);
    c->first_hit = bsr_alloc_array((size_t)plan->n_ptens, sizeof *c->first_hit);
    c->next_hit = bsr_alloc_array((size_t)plan->graph->n_values, sizeof *c->next_hit);
    bsr_status status = BSR_ENOMEM;
    if (c->weights && c->same_weights && c->same_bias && c->first_hit && c->next_hit)
        status = copy_weights(c);
    if (status == BSR_OK)
        status = bsr_forward_new(&c->forward, plan, images);
    if (status != BSR_OK) {
        bsr_chip_free(c);
        return status;
    }
    link_layers(c);
    *out = c;
    return BSR_OK;
}

void bsr_chip_free(bsr_chip *c)
{
    if (!c)
        return;
    bsr_forward_free(c->forward);
    bsr_free(c->memory);
    bsr_free(c->weights);
    bsr_free(c->same_weights);
    bsr_free(c->same_bias);
    bsr_free(c->changes);
    bsr_free(c->first_hit);
    bsr_free(c->next_hit);
    bsr_free(c);
}

void bsr_chip_reset(bsr_chip *c)
{
    for (size_t i = 0; i < c->n_changes; i++)
        memcpy(c->changes[i].at, c->changes[i].plain, c->changes[i].size);
    c->n_changes = 0;
}

static void store_bias(bsr_chip *c, int layer, const bsr_stored_fault *f, change *to)
{
    const bsr_weights *w = &c->weights[layer];
    size_t g = (size_t)(f->element / w->cout), j = (size_t)(f->element % w->cout);
    size_t at = g * (size_t)w->init_stride + j;
    to->at = (float *)w->init + at;
    to->plain = (const float *)c->plan->layers[layer].weights->init + at;
    to->size = sizeof f->bits;
    memcpy(to->at, &f->bits, sizeof f->bits);
}

static void store_weight(bsr_chip *c, int layer, const bsr_stored_fault *f, change *to)
{
    const bsr_weights *w = &c->weights[layer], *plain = c->plan->layers[layer].weights;
    int m, tap, channel;
    bsr_weights_locate(w, f->element, &m, &tap, &channel);
    to->at = bsr_weights_at(w, w->packed, m, tap, channel);
    to->plain = bsr_weights_at(plain, plain->packed, m, tap, channel);
    /* Codes in panels are packed as int16, everything else as float. */
    to->size = w->dtype != BSR_F32 && w->n_panels ? sizeof(int16_t) : sizeof(float);
    bsr_weights_store(w, w->packed, m, tap, channel, f->bits);
}

bsr_status bsr_chip_store(bsr_chip *c, const bsr_stored_fault *fault)
{
    if (fault->place != BSR_FAULT_WEIGHT && fault->place != BSR_FAULT_BIAS)
        return bsr_fail(BSR_EINVAL, "a chip stores weights and biases, not fault place %d",
                        (int)fault->place);
    int bias = fault->place == BSR_FAULT_BIAS, layer = fault->where;
    const int *next = bias ? c->same_bias : c->same_weights;
    size_t n = 0;
    do {
        n++;
        layer = next[layer];
    } while (layer != fault->where);
    BSR_TRY(bsr_grow(&c->changes, &c->cap_changes, c->n_changes + n, sizeof *c->changes));
    do {
        (bias ? store_bias : store_weight)(c, layer, fault, &c->changes[c->n_changes++]);
        layer = next[layer];
    } while (layer != fault->where);
    return BSR_OK;
}

/* Chains the values to show by the tensor that holds them, in ascending order. */
static bsr_status set_hits(bsr_chip *c, const unsigned char *hit)
{
    const bsr_plan *plan = c->plan;
    for (int i = 0; i < plan->n_ptens; i++)
        c->first_hit[i] = -1;
    for (int v = plan->graph->n_values - 1; v >= 0; v--) {
        if (!hit[v])
            continue;
        int pten = plan->of_value[v];
        if (pten < 0)
            return bsr_fail(BSR_EINVAL, "tensor '%s' is not kept by the plan",
                            plan->graph->values[v].name);
        c->next_hit[v] = c->first_hit[pten];
        c->first_hit[pten] = v;
    }
    return BSR_OK;
}

static void show_values(void *ctx, int image, int pten, char *data)
{
    const bsr_chip *c = ctx;
    for (int v = c->first_hit[pten]; v >= 0; v = c->next_hit[v])
        c->fn(c->ctx, image, v, data);
}

bsr_status bsr_chip_run(bsr_chip *c, int n, const char *const *inputs, const unsigned char *hit,
                        bsr_chip_fn fn, void *ctx, float *const *logits)
{
    if (hit)
        BSR_TRY(set_hits(c, hit));
    c->fn = fn;
    c->ctx = ctx;
    bsr_forward_changes changes = {
        .weights = c->weights, .computed = hit ? show_values : NULL, .ctx = c};
    return bsr_forward_run_changed(c->forward, n, inputs, NULL, logits, &changes);
}
