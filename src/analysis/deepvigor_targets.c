/* What method deepvigor analyses: layers, and samples of channels and neurons. */
#include <math.h>
#include <string.h>

#include "analysis/deepvigor_state.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "rng/sample.h"

/* Streams of the draws: of a layer's channels, and of each channel's neurons. */
#define STREAM_CHANNELS(layer) ((uint64_t)1 << 40 | (uint64_t)(layer))
#define STREAM_NEURONS(layer, channel)                                                             \
    ((uint64_t)1 << 41 | (uint64_t)(layer) << 20 | (uint64_t)(channel))

bsr_status bsr_deepvigor_target_of(bsr_target *session_target, bsr_target target)
{
    if (target != BSR_TARGET_WEIGHT && target != BSR_TARGET_OPERAND)
        return bsr_fail(BSR_EINVAL, "method deepvigor has the targets weight and operand, not %s",
                        bsr_target_name(target) ? bsr_target_name(target) : "an unknown one");
    *session_target = target == BSR_TARGET_WEIGHT ? BSR_TARGET_OPERAND_WEIGHT : target;
    return BSR_OK;
}

static bsr_status check_options(const bsr_vigor *r)
{
    const bsr_deepvigor_options *o = r->options;
    if (!(o->ratio > 0 && o->ratio <= 1))
        return bsr_fail(BSR_EINVAL, "ratio is %g, expected more than 0 and at most 1", o->ratio);
    if (o->neurons < 0)
        return bsr_fail(BSR_EINVAL, "neurons is %d, expected 0 (by Eq. 16) or more", o->neurons);
    if (r->spaces.model.kind == BSR_FAULT_BER)
        return bsr_fail(BSR_EINVAL,
                        "method deepvigor wants a fault model of single sites, not '%s'",
                        r->s->options.fault);
    return BSR_OK;
}

static bsr_status check_layer(const bsr_plan *plan, const bsr_space *sp)
{
    const bsr_weights *w = plan->layers[sp->where].weights;
    if (w->dtype != BSR_F32)
        return bsr_fail(BSR_EUNSUPPORTED,
                        "layer '%s' computes on 8-bit codes, method deepvigor is for float32 sums",
                        sp->name);
    for (int i = 0; i < plan->n_layers; i++)
        if (i != sp->where && w->bias_value >= 0 &&
            plan->layers[i].weights->bias_value == w->bias_value)
            return bsr_fail(BSR_EUNSUPPORTED,
                            "layer '%s' shares its bias with layer '%s', so that a channel cannot "
                            "be changed in one of them",
                            sp->name, plan->graph->nodes[plan->layers[i].node].name);
    return BSR_OK;
}

/* Draws the pixels of a channel and appends its filter or its neurons, which are counted. */
static bsr_status add_channel(bsr_vigor *r, const bsr_space *sp, int channel, uint64_t *targets)
{
    uint64_t *drawn, n = (uint64_t)r->options->neurons, pixels = (uint64_t)sp->pixels;
    if (!n)
        n = sp->pixels > 1 ? (uint64_t)ilogb((double)sp->pixels) : 1;
    n = n < pixels ? n : pixels;
    BSR_TRY(bsr_sample_indices(&drawn, pixels, n, r->s->options.seed,
                               STREAM_NEURONS(sp->index, channel), 1));
    bsr_deepvigor *d = r->result;
    int layer = d->n_layers;
    size_t at = d->counts.targets, more = r->filters ? 1 : (size_t)n;
    bsr_status status =
        bsr_grow(&r->pixels, &r->cap_pixels, r->n_pixels + (size_t)n, sizeof *r->pixels);
    if (status == BSR_OK)
        status = bsr_grow(&d->targets, &r->cap_targets, at + more, sizeof *d->targets);
    if (status == BSR_OK)
        status = bsr_grow(&r->work, &r->cap_work, at + more, sizeof *r->work);
    for (size_t i = 0; i < more && status == BSR_OK; i++) {
        r->work[at + i] = (bsr_vigor_target){
            .space = sp, .first_pixel = (int)(r->n_pixels + i), .pixels = r->filters ? (int)n : 1};
        d->targets[at + i] = (bsr_deepvigor_target){
            .layer = layer, .channel = channel, .pixel = r->filters ? -1 : (int)drawn[i]};
    }
    if (status == BSR_OK) {
        for (uint64_t i = 0; i < n; i++)
            r->pixels[r->n_pixels++] = (int)drawn[i];
        d->counts.targets += more;
        *targets = more;
    }
    bsr_free(drawn);
    return status;
}

static bsr_status add_layer(bsr_vigor *r, const bsr_space *sp)
{
    bsr_deepvigor *d = r->result;
    const bsr_plan *plan = r->s->plan;
    const bsr_step *step = &plan->steps[plan->layers[sp->where].step];
    const bsr_weights *w = step->weights;
    const bsr_pten *in = &plan->ptens[step->sources[0].pten];
    bsr_deepvigor_layer *l = &d->layers[d->n_layers];
    BSR_TRY(check_layer(plan, sp));
    int n = (int)ceil(r->options->ratio * sp->n_chosen);
    int *chosen = bsr_arena_calloc(d->arena, (size_t)n, sizeof *chosen);
    bsr_deepvigor_counts *searches = bsr_arena_calloc(d->arena, (size_t)n, sizeof *searches);
    *l = (bsr_deepvigor_layer){.name = bsr_arena_strdup(d->arena, sp->name),
                               .op = bsr_arena_strdup(d->arena, sp->op),
                               .index = sp->index,
                               .channels = sp->channels,
                               .neurons = (uint64_t)sp->channels * (uint64_t)sp->pixels,
                               .inputs = (uint64_t)in->pixels * (uint64_t)in->channels,
                               .weights =
                                   (uint64_t)sp->channels * (uint64_t)w->taps * (uint64_t)w->cin,
                               .n_chosen = n,
                               .chosen = chosen,
                               .cvf = bsr_arena_calloc(d->arena, (size_t)n, sizeof *l->cvf),
                               .searches = searches,
                               .first_target = d->counts.targets};
    if (!l->name || !l->op || !l->chosen || !l->cvf || !l->searches)
        return BSR_ENOMEM;
    uint64_t *drawn;
    BSR_TRY(bsr_sample_indices(&drawn, (uint64_t)sp->n_chosen, (uint64_t)n, r->s->options.seed,
                               STREAM_CHANNELS(sp->index), 1));
    bsr_status status = BSR_OK;
    for (int i = 0; i < n && status == BSR_OK; i++) {
        chosen[i] = sp->chosen[drawn[i]];
        status = add_channel(r, sp, chosen[i], &searches[i].targets);
        l->counts.targets += searches[i].targets;
    }
    bsr_free(drawn);
    d->n_layers++;
    return status;
}

static bsr_status choose_targets(bsr_vigor *r)
{
    r->result->layers =
        bsr_arena_calloc(r->result->arena, (size_t)r->spaces.n, sizeof *r->result->layers);
    if (!r->result->layers)
        return BSR_ENOMEM;
    for (int i = 0; i < r->spaces.n; i++) {
        const bsr_space *sp = &r->spaces.spaces[i];
        if (r->s->options.layers || strcmp(sp->op, "Conv") == 0)
            BSR_TRY(add_layer(r, sp));
    }
    return r->result->n_layers
               ? BSR_OK
               : bsr_fail(BSR_EINVAL, "the network has no Conv on float32; name the "
                                      "layers to analyse");
}

bsr_status bsr_vigor_choose(bsr_vigor *r)
{
    const bsr_session *s = r->s;
    BSR_TRY(bsr_spaces_init(&r->spaces, s->model, s->plan, s->storage, &s->options));
    BSR_TRY(check_options(r));
    return choose_targets(r);
}
