#include "bitseer/vvr.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "campaign/answers.h"
#include "campaign/record.h"

static const double levels[BSR_VVR_QUANTILES] = {0, 0.01, 0.05, 0.25, 0.5};

const double *bsr_vvr_levels(void)
{
    return levels;
}

/* One record of the .npy file. */
typedef struct record {
    int32_t layer;
    int64_t element;
    int32_t pixel, channel, image;
    bsr_bounds bounds;
} record;

#define RECORD_BYTES (3 * 4 + 4 + 8 + 5 * 4)
#define NPY_BYTES    512

/* Boundaries of a layer; those of a channel are the newest. */
typedef struct boundaries {
    double *at;             /* below: negated, so that ascending is outwards on both sides */
    size_t n, cap, channel; /* channel: where the current one's begin */
} boundaries;

typedef struct reader {
    bsr_store *store;
    const bsr_record *r;
    bsr_vvr_result *out;
    bsr_arena *arena;
    bsr_file_writer *npy;
    int per_channel;
    uint64_t records;
    const bsr_space *space;
    int channel; /* position in the space's chosen; -1: none yet */
    boundaries side[2];
    bsr_vvr_part layer, part; /* sums: of the layer, of the current channel */
} reader;

static const bsr_vvr_side no_side = {0, 0, {NAN, NAN, NAN, NAN, NAN}};

static bsr_vvr_part start_part(int index, const char *name)
{
    return (bsr_vvr_part){
        .index = index, .name = name, .lo = NAN, .hi = NAN, .below = no_side, .above = no_side};
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void fill_side(bsr_vvr_side *to, double *at, size_t n, double range, int below)
{
    *to = no_side;
    to->pairs = n;
    qsort(at, n, sizeof *at, ascending);
    for (size_t i = 0; i < n; i++)
        to->outside += at[i] > range;
    for (int q = 0; q < BSR_VVR_QUANTILES && n; q++) {
        double x = at[(size_t)(levels[q] * (double)(n - 1))];
        to->quantiles[q] = below ? -x : x;
    }
}

static void fill_part(reader *rd, bsr_vvr_part *p, size_t first[2])
{
    fill_side(&p->below, rd->side[0].at + first[0], rd->side[0].n - first[0], -p->lo, 1);
    fill_side(&p->above, rd->side[1].at + first[1], rd->side[1].n - first[1], p->hi, 0);
}

/* Sorting a channel's boundaries leaves the layer's as they were, in another order. */
static bsr_status end_channel(reader *rd)
{
    int layer = rd->space->id;
    if (rd->channel < 0)
        return BSR_OK;
    size_t first[2] = {rd->side[0].channel, rd->side[1].channel};
    rd->side[0].channel = rd->side[0].n;
    rd->side[1].channel = rd->side[1].n;
    if (!rd->per_channel)
        return BSR_OK;
    if (!rd->out->channels[layer]) {
        rd->out->channels[layer] =
            bsr_arena_calloc(rd->arena, (size_t)rd->space->n_chosen, sizeof **rd->out->channels);
        if (!rd->out->channels[layer])
            return BSR_ENOMEM;
    }
    fill_part(rd, &rd->part, first);
    rd->out->channels[layer][rd->out->n_channels[layer]++] = rd->part;
    return BSR_OK;
}

static bsr_status put_record(reader *rd, bsr_site at, uint64_t image, const bsr_bounds *b)
{
    unsigned char bytes[RECORD_BYTES];
    int32_t layer = rd->space->id, small[3] = {at.pixel, at.channel, (int32_t)image};
    float values[5] = {b->value, b->critical_below, b->harmless_below, b->harmless_above,
                       b->critical_above};
    memcpy(bytes, &layer, 4); /* hosts are little-endian */
    memcpy(bytes + 4, &at.element, 8);
    memcpy(bytes + 12, small, 12);
    memcpy(bytes + 24, values, 20);
    rd->records++;
    return bsr_file_put(rd->npy, bytes, sizeof bytes);
}

static void widen(bsr_vvr_part *p, double v)
{
    p->pairs++;
    if (isnan(v))
        return;
    p->lo = isnan(p->lo) ? v : fmin(p->lo, v);
    p->hi = isnan(p->hi) ? v : fmax(p->hi, v);
}

static bsr_status add(reader *rd, bsr_site at, uint64_t image, const bsr_bounds *b)
{
    double v = b->value, base = isnan(v) ? 0 : v;
    widen(&rd->layer, v);
    widen(&rd->part, v);
    double critical[2] = {-(base + (double)b->critical_below), base + (double)b->critical_above};
    for (int k = 0; k < 2; k++) {
        boundaries *s = &rd->side[k];
        if (!isfinite(k ? b->critical_above : b->critical_below))
            continue;
        BSR_TRY(bsr_grow(&s->at, &s->cap, s->n + 1, sizeof *s->at));
        s->at[s->n++] = critical[k];
    }
    return rd->npy ? put_record(rd, at, image, b) : BSR_OK;
}

static bsr_status enter_channel(reader *rd, uint64_t site)
{
    int channel = (int)(site / bsr_design_per_channel(&rd->r->design, rd->space));
    if (channel == rd->channel)
        return BSR_OK;
    BSR_TRY(end_channel(rd));
    rd->channel = channel;
    rd->part = start_part(rd->space->chosen[channel], NULL);
    return BSR_OK;
}

static bsr_status read_bounds(void *ctx, const bsr_bounds_row *row)
{
    reader *rd = ctx;
    uint64_t site = (uint64_t)row->site - rd->space->first_site;
    if (row->bounds_bytes != rd->r->images * sizeof(bsr_bounds))
        return bsr_fail(BSR_EFORMAT, "bounds of site %lld of the database are impossible",
                        (long long)row->site);
    BSR_TRY(enter_channel(rd, site));
    bsr_site at = bsr_space_site(rd->space, site);
    for (uint64_t i = 0; i < rd->r->images; i++) {
        bsr_bounds b;
        memcpy(&b, (const char *)row->bounds + i * sizeof b, sizeof b);
        BSR_TRY(add(rd, at, i, &b));
    }
    return BSR_OK;
}

/* A neuron in one image: its element is that of the output pixel, channel by channel. */
static bsr_status read_pair(void *ctx, const bsr_pair_row *row)
{
    reader *rd = ctx;
    const bsr_record *r = rd->r;
    uint64_t pair = (uint64_t)row->unit / BSR_CLASSES;
    uint64_t site = pair / r->images - bsr_design_first_site(&r->design, rd->space);
    bsr_bounds b;
    if (row->bounds_bytes != sizeof b)
        return bsr_fail(BSR_EFORMAT, "bounds of neuron %lld of the database are impossible",
                        (long long)row->unit);
    BSR_TRY(enter_channel(rd, site));
    memcpy(&b, row->bounds, sizeof b);
    int pixel = (int)(site % (uint64_t)rd->space->pixels);
    bsr_site at = {(int64_t)rd->part.index * rd->space->pixels + pixel, pixel, rd->part.index};
    return add(rd, at, pair % r->images, &b);
}

static bsr_status read_layer(reader *rd, int i)
{
    const bsr_record *r = rd->r;
    const bsr_space *sp = &r->spaces.spaces[i];
    bsr_vvr_part *to = &rd->out->layers[i];
    const char *name = bsr_arena_strdup(rd->arena, sp->name);
    if (!name)
        return BSR_ENOMEM;
    rd->space = sp;
    rd->channel = -1;
    rd->layer = start_part(sp->index, name);
    for (int k = 0; k < 2; k++)
        rd->side[k].n = rd->side[k].channel = 0;
    int64_t first = (int64_t)bsr_design_first_site(&r->design, sp), each = BSR_CLASSES;
    int64_t end = first + (int64_t)bsr_design_sites(&r->design, sp);
    each *= (int64_t)r->images;
    BSR_TRY(r->design.neurons ? bsr_store_pairs(rd->store, first * each, end * each, read_pair, rd)
                              : bsr_store_bounds(rd->store, first, end, read_bounds, rd));
    BSR_TRY(end_channel(rd));
    fill_part(rd, &rd->layer, (size_t[2]){0, 0});
    *to = rd->layer;
    return BSR_OK;
}

/* How many records there will be has to stand in front of them. */
static bsr_status put_header(bsr_file_writer *npy, uint64_t records)
{
    char text[NPY_BYTES];
    memset(text, ' ', sizeof text);
    memcpy(text, "\x93NUMPY\x01\x00", 8);
    text[8] = (char)((NPY_BYTES - 10) & 255);
    text[9] = (char)((NPY_BYTES - 10) >> 8);
    char dict[NPY_BYTES - 10];
    int n = snprintf(dict, sizeof dict,
                     "{'descr': [('layer', '<i4'), ('element', '<i8'), ('pixel', '<i4'), "
                     "('channel', '<i4'), ('image', '<i4'), ('value', '<f4'), "
                     "('critical_below', '<f4'), ('harmless_below', '<f4'), "
                     "('harmless_above', '<f4'), ('critical_above', '<f4')], "
                     "'fortran_order': False, 'shape': (%llu,), }",
                     (unsigned long long)records);
    memcpy(text + 10, dict, (size_t)n);
    text[NPY_BYTES - 1] = '\n';
    return bsr_file_put(npy, text, sizeof text);
}

static bsr_status count_bounds(void *ctx, const bsr_bounds_row *row)
{
    *(uint64_t *)ctx += row->bounds_bytes / sizeof(bsr_bounds);
    return BSR_OK;
}

static bsr_status count_pair(void *ctx, const bsr_pair_row *row)
{
    *(uint64_t *)ctx += row->bounds_bytes / sizeof(bsr_bounds);
    return BSR_OK;
}

static bsr_status read_all(reader *rd, const char *npy)
{
    const bsr_record *r = rd->r;
    bsr_vvr_result *out = rd->out;
    uint64_t records = 0;
    BSR_TRY(r->design.neurons ? bsr_store_pairs(rd->store, 0, INT64_MAX, count_pair, &records)
                              : bsr_store_bounds(rd->store, 0, INT64_MAX, count_bounds, &records));
    if (!records)
        return bsr_fail(BSR_EINVAL,
                        r->design.pairs
                            ? "'%s' drew classes of faults apart; bounds need a run by whole sites"
                            : "'%s' kept no bounds; analyse with --vvr",
                        out->path);
    if (npy) {
        BSR_TRY(bsr_file_begin(&rd->npy, npy));
        BSR_TRY(put_header(rd->npy, records));
    }
    for (int i = 0; i < out->n_layers; i++)
        BSR_TRY(read_layer(rd, i));
    return BSR_OK;
}

static bsr_status prepare(reader *rd, const char *path, int per_channel)
{
    size_t n = (size_t)rd->r->spaces.n;
    bsr_vvr_result *out = rd->out = bsr_arena_calloc(rd->arena, 1, sizeof *out);
    if (!out)
        return BSR_ENOMEM;
    rd->per_channel = per_channel;
    *out = (bsr_vvr_result){.images = rd->r->images,
                            .n_layers = rd->r->spaces.n,
                            .path = bsr_arena_strdup(rd->arena, path),
                            .target = bsr_arena_strdup(rd->arena, rd->r->target),
                            .layers = bsr_arena_calloc(rd->arena, n, sizeof *out->layers),
                            .arena = rd->arena};
    if (per_channel) {
        out->n_channels = bsr_arena_calloc(rd->arena, n, sizeof *out->n_channels);
        out->channels = bsr_arena_calloc(rd->arena, n, sizeof *out->channels);
    }
    return out->path && out->target && out->layers &&
                   (!per_channel || (out->n_channels && out->channels))
               ? BSR_OK
               : BSR_ENOMEM;
}

bsr_status bsr_run_vvr(bsr_vvr_result **out, const char *path, int per_channel, const char *npy)
{
    bsr_store *store;
    bsr_record r;
    *out = NULL;
    BSR_TRY(bsr_run_read(&store, &r, path));
    reader rd = {.store = store, .r = &r, .arena = bsr_arena_new()};
    bsr_status status = rd.arena ? BSR_OK : BSR_ENOMEM;
    if (status == BSR_OK && strcmp(r.command, "sweep") == 0)
        status = bsr_fail(BSR_EINVAL, "'%s' holds a sweep, not an analysis", path);
    if (status == BSR_OK)
        status = prepare(&rd, path, per_channel);
    if (status == BSR_OK)
        status = read_all(&rd, npy);
    if (status == BSR_OK && rd.npy) {
        status = bsr_file_commit(rd.npy);
        rd.npy = NULL;
    }
    bsr_file_discard(rd.npy);
    bsr_free(rd.side[0].at);
    bsr_free(rd.side[1].at);
    bsr_record_clear(&r);
    bsr_store_close(store);
    if (status == BSR_OK)
        *out = rd.out;
    else
        bsr_arena_free(rd.arena);
    return status;
}

void bsr_vvr_result_free(bsr_vvr_result *result)
{
    if (result)
        bsr_arena_free(result->arena);
}
