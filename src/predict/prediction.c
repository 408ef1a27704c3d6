/* bsr_predict. */
#include "bitseer/predict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "campaign/account.h"
#include "campaign/describe.h"
#include "predict/layer_errors.h"
#include "predict/points.h"
#include "predict/read_off.h"

/* Measured layer statistics: images and patterns. */
#define LAYER_IMAGES   8
#define LAYER_PATTERNS 16

static bsr_status check(const bsr_predict_options *o)
{
    if (!o || o->version != BSR_PREDICT_OPTIONS_VERSION)
        return bsr_fail(BSR_EINVAL, "predict options have version %d, expected %d",
                        o ? o->version : 0, BSR_PREDICT_OPTIONS_VERSION);
    if (o->model == BSR_MODEL_BITS || !bsr_error_model_name(o->model))
        return bsr_fail(BSR_EINVAL, "model %d is none of a prediction", (int)o->model);
    if (o->moment_images < 0 || o->disturbed < 0)
        return bsr_fail(BSR_EINVAL, "%d images with derivatives and %d disturbed inferences",
                        o->moment_images, o->disturbed);
    return BSR_OK;
}

static int by_share(const void *a, const void *b)
{
    double x = ((const bsr_variance_share *)a)->share.value;
    double y = ((const bsr_variance_share *)b)->share.value;
    return (x < y) - (x > y);
}

/* A space's part of the logits' variance, without a group of donors or (variant 0) of all. */
static double variance_part(const bsr_predictor *p, int space, int variant)
{
    const bsr_followed *f = &p->model.followed;
    int first = f->logits < f->classes ? f->logits : 0;
    double part = 0, all = 0;
    for (size_t d = 0; d < p->model.n_donors; d++)
        for (int s = 0; s < p->map.n && (!variant || bsr_donor_group(d) != variant - 1); s++)
            for (int i = first; i < f->n; i++) {
                double v = p->donors[d].spaces[s].covariance[i * (i + 1) / 2 + i];
                all += v;
                part += s == space ? v : 0;
            }
    return all > 0 ? part / all : 0;
}

static void fill_share(bsr_variance_share *out, const bsr_predictor *p, int space)
{
    const bsr_error_map *map = &p->map;
    const bsr_space *s = map->spaces[space];
    double variants[BSR_VARIANTS], sum = 0, squares = 0;
    for (int v = 0; v < BSR_VARIANTS; v++)
        variants[v] = variance_part(p, space, v);
    for (size_t d = 0; d < p->model.n_donors; d++) {
        const bsr_space_moments *m = &p->donors[d].spaces[space];
        sum += m->variance_squares > 0 ? m->variance * m->variance / m->variance_squares : 0;
    }
    const bsr_errors *e = &map->constants[space];
    for (size_t i = 0; e->mean && i < e->n; i++)
        squares += (double)e->square[i];
    if (!e->mean && map->disturbances[space]->uniform)
        squares = (double)s->sites *
                  (double)bsr_disturbance_channel(map->disturbances[space], s->chosen[0]).square;
    *out = (bsr_variance_share){.target = map->targets[space],
                                .index = s->index,
                                .name = s->name,
                                .op = s->op,
                                .format = s->format,
                                .bits = map->bits[space],
                                .share = bsr_jackknife_share(variants, p->s.options.confidence, 1),
                                .n_eff = sum / (double)p->model.n_donors,
                                .rms_error = squares > 0 ? sqrt(squares / (double)s->sites) : NAN};
}

static bsr_status fill_shares(bsr_prediction *out, const bsr_predictor *p)
{
    out->shares = bsr_arena_calloc(out->arena, (size_t)p->map.n, sizeof *out->shares);
    if (!out->shares)
        return BSR_ENOMEM;
    out->n_shares = p->map.n;
    for (int s = 0; s < p->map.n; s++) {
        bsr_variance_share *share = &out->shares[s];
        fill_share(share, p, s);
        BSR_TRY(bsr_keep_text(out->arena, &share->name, share->name));
        BSR_TRY(bsr_keep_text(out->arena, &share->op, share->op));
        BSR_TRY(bsr_keep_text(out->arena, &share->format, share->format));
    }
    qsort(out->shares, (size_t)out->n_shares, sizeof *out->shares, by_share);
    return BSR_OK;
}

/* Layer statistics, with the kurtosis that flips in the layer's own tensor would give. */
static bsr_status fill_layers(bsr_prediction *out, bsr_predictor *p)
{
    bsr_status status =
        bsr_layer_statistics_run(&out->layers, &out->n_layers, out->arena, &p->s, &p->memory,
                                 p->rates, p->n_rates, LAYER_IMAGES, LAYER_PATTERNS);
    BSR_TRY(status);
    for (int l = 0; l < out->n_layers; l++) {
        bsr_layer_statistics *layer = &out->layers[l];
        BSR_TRY(bsr_keep_text(out->arena, &layer->name, layer->name));
        BSR_TRY(bsr_keep_text(out->arena, &layer->op, layer->op));
        for (int s = 0; s < out->n_shares; s++)
            for (int r = 0; r < layer->n_rates && strcmp(out->shares[s].name, layer->name) == 0;
                 r++)
                layer->rates[r].kurtosis_expected =
                    0.6 / (out->shares[s].n_eff * layer->rates[r].ber);
    }
    return BSR_OK;
}

static bsr_status fill_facts(bsr_prediction *out, bsr_predictor *p)
{
    bsr_session *s = &p->s;
    bsr_record record = {0};
    bsr_store *store = NULL;
    bsr_run_log log;
    record.design.kind = BSR_DESIGN_RANDOM;
    out->images = s->images;
    out->golden_correct = s->correct;
    out->top5_correct = p->top5_correct;
    out->moment_images = p->model.n_donors;
    out->disturbed = p->disturbed_done;
    out->format_loss = s->format_loss;
    out->linear_limit = p->linear_limit;
    out->normal_limit = p->kurtosis / BSR_NORMAL_KURTOSIS;
    BSR_TRY(bsr_keep_text(out->arena, &out->target, p->target_names));
    BSR_TRY(bsr_keep_text(out->arena, &out->format, s->options.format));
    s->options.store = NULL; /* what a run says about itself, without keeping it */
    bsr_status status = bsr_run_describe(&record, s, "predict", NULL);
    if (status == BSR_OK)
        status = bsr_run_open(&store, &record, &s->options);
    if (status == BSR_OK)
        status = bsr_run_log_start(&log, store, s);
    uint64_t inferences = s->images + p->disturbed_done;
    if (status == BSR_OK)
        status = bsr_run_log_end(&log, store, s, inferences, inferences,
                                 s->plan->macs * (double)inferences);
    if (status == BSR_OK)
        status = bsr_account_fill(&out->performance, &out->provenance, out->arena, store, &record);
    bsr_store_close(store);
    bsr_record_clear(&record);
    return status;
}

/* What equal noise on all logits, of the RMSE that each point has, would do. */
static bsr_status compare_logits(bsr_prediction *out, bsr_predictor *p)
{
    size_t n = (size_t)out->n_points;
    bsr_logit_task *tasks = bsr_calloc_array(n, sizeof *tasks);
    bsr_logit_answer *answers = bsr_alloc_array(n, sizeof *answers);
    bsr_status status = tasks && answers ? BSR_OK : BSR_ENOMEM;
    for (size_t i = 0; i < n && status == BSR_OK; i++)
        tasks[i] = (bsr_logit_task){.ber = out->points[i].ber,
                                    .model = BSR_MODEL_LOGITS,
                                    .rmse = out->points[i].rmse.value};
    if (status == BSR_OK)
        status = bsr_logit_sampler_run(answers, p->sampler, tasks, (int)n);
    for (size_t i = 0; i < n && status == BSR_OK; i++)
        out->points[i].logits_accuracy = answers[i].correct[0];
    bsr_free(tasks);
    bsr_free(answers);
    return status;
}

static bsr_status run(bsr_prediction *out, bsr_predictor *p, const bsr_predict_options *o,
                      const bsr_predictor_options *how)
{
    bsr_read_offs read_offs = {0};
    out->points = bsr_arena_calloc(out->arena, (size_t)p->n_rates, sizeof *out->points);
    if (!out->points)
        return BSR_ENOMEM;
    out->confidence = p->s.options.confidence;
    out->n_points = p->n_rates;
    bsr_status status = o->read_offs ? bsr_read_offs_init(&read_offs, p) : BSR_OK;
    if (status == BSR_OK)
        status = bsr_predictor_moments(p, how, read_offs.lent, read_offs.n_maps);
    if (status == BSR_OK)
        status = bsr_predictor_points(out->points, p, o->model);
    if (status == BSR_OK)
        status = compare_logits(out, p);
    if (status == BSR_OK)
        status = fill_shares(out, p);
    if (status == BSR_OK && o->read_offs)
        status = bsr_read_offs_fill(out, &read_offs, p, o->model);
    if (status == BSR_OK && o->layers)
        status = fill_layers(out, p);
    bsr_read_offs_clear(&read_offs);
    return status == BSR_OK ? fill_facts(out, p) : status;
}

bsr_status bsr_predict(bsr_prediction **out, const bsr_model *model, const bsr_dataset *data,
                       const bsr_run_options *options, const bsr_predict_options *predict)
{
    bsr_prediction *result = NULL;
    *out = NULL;
    BSR_TRY(check(predict));
    bsr_predictor_options how = {.ber = predict->ber,
                                 .targets = predict->targets ? predict->targets : "weight",
                                 .moment_images = predict->moment_images,
                                 .disturbed = predict->disturbed,
                                 .noise = predict->model == BSR_MODEL_NOISE,
                                 .read_offs = predict->read_offs};
    bsr_predictor *p = bsr_calloc_array(1, sizeof *p);
    if (!p)
        return BSR_ENOMEM;
    bsr_status status = bsr_predictor_init(p, model, data, options, &how);
    bsr_arena *arena = status == BSR_OK ? bsr_arena_new() : NULL;
    if (arena && (result = bsr_arena_calloc(arena, 1, sizeof *result))) {
        result->arena = arena;
        status = run(result, p, predict, &how);
    } else if (status == BSR_OK) {
        status = BSR_ENOMEM;
    }
    bsr_predictor_clear(p);
    bsr_free(p);
    if (status == BSR_OK)
        *out = result;
    else
        bsr_arena_free(arena);
    return status;
}

void bsr_prediction_free(bsr_prediction *prediction)
{
    if (prediction)
        bsr_arena_free(prediction->arena);
}
