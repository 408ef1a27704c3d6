#include "bitseer/repeat.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"

/* Sums on the way to a bsr_repeat_error. */
typedef struct sums {
    double error;
    uint64_t n;
} sums;

typedef struct repeater {
    bsr_repeat_result *out;
    const bsr_result *complete;
    sums *lvf, *cvf; /* [layers] */
    sums mvf, all_lvf, all_cvf;
} repeater;

static void add(bsr_repeat_error *to, sums *s, double truth, const bsr_share *seen)
{
    double error = fabs(seen->value - truth);
    if (isnan(error))
        return;
    s->error += error;
    s->n++;
    to->mean = s->error / (double)s->n;
    to->max = s->n == 1 || error > to->max ? error : to->max;
    if (isnan(seen->lo) || isnan(seen->hi))
        return;
    to->intervals++;
    to->covered += seen->lo <= truth && truth <= seen->hi;
}

static void add_channels(repeater *r, int i, const bsr_layer_result *l)
{
    const bsr_layer_result *whole = &r->complete->layers[i];
    for (int c = 0, k = 0; c < l->n_channels; c++) {
        const bsr_part *p = &l->channels[c];
        while (k < whole->n_channels && whole->channels[k].index < p->index)
            k++;
        if (k == whole->n_channels || whole->channels[k].index != p->index || !p->faults)
            continue;
        double truth = whole->channels[k].vf.value;
        add(&r->out->layers[i].cvf, &r->cvf[i], truth, &p->vf);
        add(&r->out->cvf, &r->all_cvf, truth, &p->vf);
    }
}

static bsr_status add_result(repeater *r, const bsr_result *x)
{
    if (x->n_layers != r->out->n_layers)
        return bsr_fail(BSR_EINVAL, "the complete analysis has %d layers, the sampled one %d",
                        r->out->n_layers, x->n_layers);
    for (int i = 0; i < x->n_layers; i++) {
        const bsr_layer_result *l = &x->layers[i];
        bsr_repeat_layer *to = &r->out->layers[i];
        if (strcmp(l->name, to->name) != 0)
            return bsr_fail(BSR_EINVAL,
                            "the complete analysis has layer '%s', the sampled one '%s'", to->name,
                            l->name);
        add(&to->lvf, &r->lvf[i], to->vf, &l->vf);
        add(&r->out->lvf, &r->all_lvf, to->vf, &l->vf);
        add_channels(r, i, l);
    }
    add(&r->out->mvf, &r->mvf, r->out->vf, &x->mvf);
    r->out->evaluations += (double)x->performance.evaluations / r->out->repeats;
    r->out->seconds += x->performance.seconds;
    if (!r->out->method) {
        bsr_arena *arena = r->out->arena;
        r->out->method = bsr_arena_strdup(arena, x->method);
        r->out->sampling = bsr_arena_strdup(arena, x->sampling);
    }
    return r->out->method && r->out->sampling ? BSR_OK : BSR_ENOMEM;
}

static bsr_status prepare(repeater *r, bsr_arena *arena, const bsr_result *c, int repeats)
{
    static const bsr_repeat_error none = {NAN, NAN, 0, 0};
    size_t n = (size_t)c->n_layers;
    bsr_repeat_result *out = r->out;
    *out = (bsr_repeat_result){.repeats = repeats,
                               .confidence = c->confidence,
                               .n_layers = c->n_layers,
                               .vf = c->mvf.value,
                               .mvf = none,
                               .lvf = none,
                               .cvf = none,
                               .arena = arena};
    out->target = bsr_arena_strdup(arena, c->target);
    out->layers = bsr_arena_calloc(arena, n, sizeof *out->layers);
    r->complete = c;
    r->lvf = bsr_arena_calloc(arena, n, sizeof *r->lvf);
    r->cvf = bsr_arena_calloc(arena, n, sizeof *r->cvf);
    if (!out->target || !out->layers || !r->lvf || !r->cvf)
        return BSR_ENOMEM;
    for (int i = 0; i < c->n_layers; i++) {
        out->layers[i] = (bsr_repeat_layer){.index = c->layers[i].index,
                                            .name = bsr_arena_strdup(arena, c->layers[i].name),
                                            .vf = c->layers[i].vf.value,
                                            .lvf = none,
                                            .cvf = none};
        if (!out->layers[i].name)
            return BSR_ENOMEM;
    }
    return BSR_OK;
}

bsr_status bsr_repeat(bsr_repeat_result **out, const bsr_model *model, const bsr_dataset *data,
                      const bsr_run_options *options, int repeats, const bsr_result *complete)
{
    *out = NULL;
    if (repeats < 1 || options->store)
        return bsr_fail(BSR_EINVAL,
                        repeats < 1 ? "%d repeats, expected at least 1"
                                    : "%d repeats cannot be kept in one database",
                        repeats);
    if (!complete->complete || complete->mvf.lo < complete->mvf.hi)
        return bsr_fail(BSR_EINVAL, "the analysis to compare with is a sample (%s), not complete",
                        complete->sampling);
    bsr_arena *arena = bsr_arena_new();
    repeater r = {.out = arena ? bsr_arena_calloc(arena, 1, sizeof **out) : NULL};
    bsr_status status = r.out ? prepare(&r, arena, complete, repeats) : BSR_ENOMEM;
    for (int i = 0; i < repeats && status == BSR_OK; i++) {
        bsr_run_options o = *options;
        bsr_result *x = NULL;
        o.seed += (uint64_t)i;
        status = bsr_analyze(&x, model, data, &o);
        if (status == BSR_OK)
            status = add_result(&r, x);
        bsr_result_free(x);
    }
    if (status != BSR_OK) {
        bsr_arena_free(arena);
        return status;
    }
    *out = r.out;
    return BSR_OK;
}

void bsr_repeat_result_free(bsr_repeat_result *result)
{
    if (result)
        bsr_arena_free(result->arena);
}
