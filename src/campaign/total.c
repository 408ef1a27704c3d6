/* bsr_total: the vulnerability factor of weights and operands together. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "bitseer/campaign.h"
#include "campaign/account.h"
#include "campaign/answers.h"

/* One of the two runs. */
typedef struct side {
    const char *path;
    bsr_record r;
    bsr_store *store;
    bsr_result *result;
} side;

typedef struct adder {
    side operand, weight;
    bsr_total_result *out;
} adder;

static bsr_status check_side(const side *s, const char *target)
{
    const bsr_record *r = &s->r;
    if (strcmp(r->command, "sweep") == 0)
        return bsr_fail(BSR_EINVAL, "'%s' holds a sweep, not an injection or analysis", s->path);
    if (bsr_record_of_patterns(r))
        return bsr_run_check_faults(r, s->path);
    if (r->design.kind == BSR_DESIGN_LIST)
        return bsr_fail(BSR_EINVAL, "'%s' holds a list of faults, not a sample of layers", s->path);
    if (strcmp(r->target, "activation") == 0)
        return bsr_fail(BSR_EINVAL,
                        "'%s' has target activation, whose tensors are not layers; use target "
                        "operand",
                        s->path);
    return strcmp(r->target, target) == 0 ? BSR_OK
                                          : bsr_fail(BSR_EINVAL, "'%s' has target %s, expected %s",
                                                     s->path, r->target, target);
}

static bsr_status open_side(side *s, const char *target, double confidence)
{
    BSR_TRY(bsr_run_read(&s->store, &s->r, s->path));
    BSR_TRY(check_side(s, target));
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.confidence = confidence > 0 ? confidence : s->r.confidence;
    o.worst = 0;
    return bsr_run_result(&s->result, s->path, &o);
}

static void close_side(side *s)
{
    bsr_result_free(s->result);
    bsr_record_clear(&s->r);
    bsr_store_close(s->store);
}

static bsr_status check_same(const adder *a, const char *what, const char *weight,
                             const char *operand)
{
    return strcmp(weight, operand) == 0
               ? BSR_OK
               : bsr_fail(BSR_EINVAL, "'%s' and '%s' have no total: %s is '%s' and '%s'",
                          a->weight.path, a->operand.path, what, weight, operand);
}

/* The same layers, and where codes are as wide the same bits of them. */
static bsr_status check_layers(const adder *a)
{
    const bsr_spaces *w = &a->weight.r.spaces, *x = &a->operand.r.spaces;
    if (w->n != x->n)
        return bsr_fail(BSR_EINVAL, "weights of %d layers ('%s'), operands of %d ('%s')", w->n,
                        a->weight.path, x->n, a->operand.path);
    for (int i = 0; i < w->n; i++) {
        const bsr_space *k = &w->spaces[i], *l = &x->spaces[i];
        if (k->index != l->index)
            return bsr_fail(BSR_EINVAL, "weights of layer %d ('%s'), operands of layer %d ('%s')",
                            k->index, k->name, l->index, l->name);
        if (k->width == l->width &&
            (k->n_variants != l->n_variants ||
             memcmp(k->variants, l->variants, (size_t)k->n_variants * sizeof *k->variants) != 0))
            return bsr_fail(BSR_EINVAL, "layer %d ('%s'): '%s' and '%s' hit other bits", k->index,
                            k->name, a->weight.path, a->operand.path);
    }
    return BSR_OK;
}

/* Input elements of a layer of the network; 0: not known. */
static uint64_t layer_inputs(const bsr_record *r, int index)
{
    const char *at = r->layer_inputs;
    for (int i = 0; at && i < index; i++) {
        at = strchr(at, ',');
        at += at != NULL;
    }
    return at ? strtoull(at, NULL, 10) : 0;
}

/* sum of weights[i] * shares[i], a part of it at a time. */
typedef struct sum {
    double value, below, above; /* squares */
} sum;

static void add_part(sum *s, double weight, const bsr_share *v)
{
    double below = weight * (v->value - v->lo), above = weight * (v->hi - v->value);
    s->value += weight * v->value;
    s->below += below * below;
    s->above += above * above;
}

static bsr_share share_of(const adder *a, const sum *s)
{
    bsr_share v = {s->value, s->value - sqrt(s->below), s->value + sqrt(s->above)};
    if (!a->weight.r.complete || !a->operand.r.complete)
        return (bsr_share){v.value, 0, 1};
    v.lo = v.lo < 0 ? 0 : v.lo; /* NaN stays */
    v.hi = v.hi > 1 ? 1 : v.hi;
    return v;
}

static bsr_status add_layer(adder *a, int i, sum *total)
{
    bsr_total_result *out = a->out;
    const bsr_space *s = &a->weight.r.spaces.spaces[i];
    bsr_total_layer *l = &out->layers[i];
    l->index = s->index;
    BSR_TRY(bsr_keep_text(out->arena, &l->name, s->name));
    BSR_TRY(bsr_keep_text(out->arena, &l->op, s->op));
    l->weights = (uint64_t)s->outer * (uint64_t)s->inner * (uint64_t)s->channels;
    l->inputs = layer_inputs(&a->weight.r, s->index);
    if (!l->inputs)
        l->inputs = layer_inputs(&a->operand.r, s->index);
    if (!l->inputs)
        return bsr_fail(BSR_EUNSUPPORTED,
                        "'%s' and '%s' do not say how large the input of layer %d ('%s') is: they "
                        "are of an earlier version",
                        a->weight.path, a->operand.path, s->index, s->name);
    l->weight = a->weight.result->layers[i].vf;
    l->operand = a->operand.result->layers[i].vf;
    double n = (double)l->inputs, w = (double)l->weights, all = (n + w) * out->n_layers;
    sum both = {0};
    add_part(&both, n / (n + w), &l->operand);
    add_part(&both, w / (n + w), &l->weight);
    l->both = share_of(a, &both);
    add_part(total, n / all, &l->operand);
    add_part(total, w / all, &l->weight);
    return BSR_OK;
}

static bsr_status describe_side(bsr_arena *arena, bsr_total_run *run, const side *s)
{
    run->images = s->r.images;
    run->complete = s->r.complete;
    BSR_TRY(bsr_keep_text(arena, &run->path, s->path));
    return bsr_keep_text(arena, &run->method, s->r.method);
}

static bsr_status add_up(adder *a, double confidence)
{
    bsr_total_result *out = a->out;
    BSR_TRY(open_side(&a->weight, "weight", confidence));
    out->confidence = a->weight.result->confidence;
    BSR_TRY(open_side(&a->operand, "operand", out->confidence));
    const bsr_record *w = &a->weight.r, *x = &a->operand.r;
    BSR_TRY(check_same(a, "the model (SHA-256)", w->model_sha256, x->model_sha256));
    BSR_TRY(check_same(a, "the fault", w->fault, x->fault));
    BSR_TRY(check_layers(a));
    BSR_TRY(describe_side(out->arena, &out->weight, &a->weight));
    BSR_TRY(describe_side(out->arena, &out->operand, &a->operand));
    BSR_TRY(bsr_keep_text(out->arena, &out->fault, w->fault));
    out->n_layers = w->spaces.n;
    out->layers = bsr_arena_calloc(out->arena, (size_t)out->n_layers, sizeof *out->layers);
    if (!out->layers)
        return BSR_ENOMEM;
    sum total = {0};
    for (int i = 0; i < out->n_layers; i++)
        BSR_TRY(add_layer(a, i, &total));
    out->mvf = share_of(a, &total);
    return BSR_OK;
}

bsr_status bsr_total(bsr_total_result **out, const char *path_weight, const char *path_operand,
                     double confidence)
{
    *out = NULL;
    if (confidence != 0 && !(confidence > 0 && confidence < 1))
        return bsr_fail(BSR_EINVAL, "confidence is %g, expected a value between 0 and 1",
                        confidence);
    adder a = {.operand.path = path_operand, .weight.path = path_weight};
    bsr_arena *arena = bsr_arena_new();
    a.out = arena ? bsr_arena_calloc(arena, 1, sizeof *a.out) : NULL;
    bsr_status status = BSR_ENOMEM;
    if (a.out) {
        a.out->arena = arena;
        status = add_up(&a, confidence);
    }
    close_side(&a.operand);
    close_side(&a.weight);
    if (status == BSR_OK)
        *out = a.out;
    else
        bsr_arena_free(arena);
    return status;
}

void bsr_total_free(bsr_total_result *total)
{
    if (total)
        bsr_arena_free(total->arena);
}
