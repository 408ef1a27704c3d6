#include "fault/space.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/operand.h"

void bsr_space_clear(bsr_space *s)
{
    bsr_free(s->name);
    bsr_free(s->op);
    bsr_free(s->format);
    bsr_free(s->chosen);
    bsr_free(s->windows);
    bsr_free(s->window_at);
}

void bsr_spaces_clear(bsr_spaces *spaces)
{
    for (int i = 0; i < spaces->n; i++)
        bsr_space_clear(&spaces->spaces[i]);
    bsr_free(spaces->spaces);
    *spaces = (bsr_spaces){0};
}

static int is_real(const bsr_space *s, int pixel, int tap)
{
    const unsigned char *mask = s->windows + (size_t)pixel * (size_t)((s->taps + 7) / 8);
    return mask[tap / 8] >> tap % 8 & 1;
}

static bsr_status count_windows(bsr_space *s)
{
    s->window_at = bsr_alloc_array((size_t)s->pixels + 1, sizeof *s->window_at);
    if (!s->window_at)
        return BSR_ENOMEM;
    uint32_t n = 0;
    for (int p = 0; p < s->pixels; p++) {
        s->window_at[p] = n;
        for (int t = 0; t < s->taps; t++)
            n += (uint32_t)is_real(s, p, t);
    }
    s->window_at[s->pixels] = n;
    return BSR_OK;
}

bsr_status bsr_space_finish(bsr_spaces *all, bsr_space *s)
{
    s->id = (int)(s - all->spaces);
    s->per_channel = (uint64_t)(s->outer * s->inner);
    if (bsr_is_operand(s->place)) {
        BSR_TRY(count_windows(s));
        s->per_channel = (uint64_t)s->window_at[s->pixels] * (uint64_t)s->cin;
    }
    s->sites = s->per_channel * (uint64_t)s->n_chosen;
    s->population = s->sites * (uint64_t)s->n_variants;
    s->first = all->population;
    s->first_site = all->sites;
    s->neurons = bsr_is_operand(s->place) ? (uint64_t)s->n_chosen * (uint64_t)s->pixels : 0;
    s->first_neuron = all->neurons;
    all->neurons += s->neurons;
    all->sites += s->sites;
    all->population += s->population;
    return BSR_OK;
}

const bsr_space *bsr_space_of(const bsr_spaces *spaces, uint64_t index, uint64_t *site,
                              int *variant)
{
    int lo = 0, hi = spaces->n - 1;
    while (lo < hi) {
        int mid = (lo + hi + 1) / 2;
        if (spaces->spaces[mid].first <= index)
            lo = mid;
        else
            hi = mid - 1;
    }
    const bsr_space *s = &spaces->spaces[lo];
    uint64_t local = index - s->first;
    *site = local / (uint64_t)s->n_variants;
    *variant = (int)(local % (uint64_t)s->n_variants);
    return s;
}

const bsr_space *bsr_space_of_site(const bsr_spaces *spaces, uint64_t *site)
{
    const bsr_space *s = spaces->spaces;
    while (*site - s->first_site >= s->sites)
        s++;
    *site -= s->first_site;
    return s;
}

/* The pixel whose real taps hold number n of all, and which of its taps that is. */
static int find_window(const bsr_space *s, uint32_t n, int *tap)
{
    int lo = 0, hi = s->pixels - 1;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (s->window_at[mid + 1] <= n)
            lo = mid + 1;
        else
            hi = mid;
    }
    uint32_t left = n - s->window_at[lo];
    for (*tap = 0; !is_real(s, lo, *tap) || left-- > 0;)
        ++*tap;
    return lo;
}

bsr_site bsr_space_site(const bsr_space *s, uint64_t site)
{
    int c = s->chosen[site / s->per_channel];
    int64_t r = (int64_t)(site % s->per_channel);
    if (!bsr_is_operand(s->place))
        return (bsr_site){(r / s->inner * s->channels + c) * s->inner + r % s->inner, -1, c};
    int tap, pixel = find_window(s, (uint32_t)(r / s->cin), &tap);
    /* Weights are [channels][cin][taps], or [cin][channels] of a plain matrix. */
    int64_t stride = s->inner == 1 ? s->channels : s->taps;
    return (bsr_site){c * s->inner + tap + r % s->cin * stride, pixel, c};
}

static const bsr_quantiser *quantiser(const bsr_space *s, bsr_site site)
{
    const bsr_stored *f = s->stored;
    return &f->quantisers[f->channels == 1 ? 0 : site.channel];
}

uint32_t bsr_space_encode(const bsr_space *s, bsr_site site, uint32_t bits)
{
    if (!s->stored)
        return bits;
    float x;
    memcpy(&x, &bits, sizeof x);
    return bsr_encode(quantiser(s, site), x);
}

uint32_t bsr_space_code(const bsr_space *s, const bsr_golden *golden, int image, bsr_site site)
{
    uint32_t bits = 0;
    if (s->data && s->stored)
        return s->stored->codes[site.element];
    const char *at = (const char *)s->data + (size_t)site.element * s->esize;
    if (s->place == BSR_FAULT_OPERAND_INPUT) {
        at = bsr_operand_input(golden->plan, golden, image, s->where, site.pixel, site.element);
    } else if (!s->data) {
        const bsr_plan *plan = golden->plan;
        const bsr_pten *p = &plan->ptens[plan->of_value[s->where]];
        int pixel, channel;
        bsr_plan_locate(plan, s->where, site.element, &pixel, &channel);
        at = golden->records + (size_t)image * plan->golden_bytes + p->golden_at +
             (size_t)pixel * p->pixel_bytes + (size_t)channel * p->esize;
    }
    memcpy(&bits, at, s->esize);
    return bsr_space_encode(s, site, bits);
}

uint32_t bsr_space_bits(const bsr_space *s, bsr_site site, uint32_t code)
{
    if (!s->stored)
        return code;
    float x = bsr_decode(quantiser(s, site), code);
    memcpy(&code, &x, sizeof code);
    return code;
}

double bsr_space_value(const bsr_space *s, bsr_site site, uint32_t code)
{
    return s->stored ? bsr_decode(quantiser(s, site), code) : bsr_stored_value(s->dtype, code);
}

bsr_change bsr_space_change(const bsr_spaces *all, const bsr_space *s, uint64_t site, int variant)
{
    return bsr_fault_change(&all->model, s->width, s->variants[variant], s->id, site);
}

bsr_lane_job bsr_space_job(const bsr_space *s, const bsr_golden *golden, int image, bsr_site site,
                           bsr_change change)
{
    uint32_t code = bsr_change_apply(change, bsr_space_code(s, golden, image, site));
    return (bsr_lane_job){.image = image,
                          .fault = {.place = s->place,
                                    .where = s->where,
                                    .element = site.element,
                                    .pixel = site.pixel,
                                    .bits = bsr_space_bits(s, site, code)}};
}

double bsr_stored_value(bsr_dtype dtype, uint32_t bits)
{
    float f;
    switch (dtype) {
    case BSR_F32:
        memcpy(&f, &bits, sizeof f);
        return f;
    case BSR_I8:
        return (int8_t)(bits & 255);
    case BSR_I32:
        return (int32_t)bits;
    default:
        return bits;
    }
}
