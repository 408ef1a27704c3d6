#include "fault/neuron.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "exec/operand.h"

/* An entry of a list: bits of |e|, of which floats have the order, above the variant's 8 bits. */
#define VARIANT_BITS 8

size_t bsr_neuron_operands(const bsr_space *s, int pixel)
{
    return (size_t)(s->window_at[pixel + 1] - s->window_at[pixel]) * (size_t)s->cin;
}

/* What the multiplications of one neuron read. */
typedef struct field {
    const bsr_spaces *all;
    const bsr_space *space;
    const bsr_weights *w;
    bsr_dtype x_type;
    int channel, is_weight, finite;
    int random;                          /* each site has its own change */
    uint64_t site;                       /* number of the next operand's site in the space */
    bsr_change change[BSR_MAX_VARIANTS]; /* of every site else */
} field;

static double number(const void *element, bsr_dtype type)
{
    uint32_t bits = 0;
    if (type == BSR_F32) {
        float x;
        memcpy(&x, element, sizeof x);
        return x;
    }
    memcpy(&bits, element, bsr_dtype_size(type));
    return bsr_stored_value(type, bits);
}

static double changed_value(const bsr_space *s, bsr_site at, uint32_t code)
{
    float x;
    if (s->stored || s->dtype != BSR_F32)
        return bsr_space_value(s, at, code);
    memcpy(&x, &code, sizeof x);
    return x;
}

/* Errors of one multiplication; x NULL: in the padding. */
static void operand_errors(field *f, const char *x, int64_t element, float *errors)
{
    const bsr_space *s = f->space;
    const bsr_weights *w = f->w;
    const char *weight = (const char *)w->data + (size_t)element * bsr_dtype_size(w->dtype);
    bsr_site at = {.element = element, .channel = f->channel};
    double xv = x ? number(x, f->x_type) : 0, wv = number(weight, w->dtype);
    if (w->dtype != BSR_F32) {
        xv -= x ? w->x_zero : 0;
        wv -= w->w_zero[f->channel];
    }
    f->finite &= isfinite(xv) && isfinite(wv);
    double other = f->is_weight ? xv : wv;
    uint32_t code = 0;
    if (f->is_weight && s->stored) {
        code = s->stored->codes[element];
    } else {
        memcpy(&code, f->is_weight ? weight : x, s->esize);
        code = bsr_space_encode(s, at, code);
    }
    double from = changed_value(s, at, code);
    for (int v = 0; v < s->n_variants; v++) {
        bsr_change c = f->random ? bsr_space_change(f->all, s, f->site, v) : f->change[v];
        double to = changed_value(s, at, bsr_change_apply(c, code));
        /* A code that stays is no fault, whatever the other factor is. */
        errors[v] = to == from ? 0 : (float)((to - from) * other);
    }
}

static void open_field(field *f, const bsr_spaces *all, const bsr_golden *golden,
                       const bsr_neuron *n)
{
    const bsr_space *s = n->space;
    const bsr_step *step = &golden->plan->steps[golden->plan->layers[s->where].step];
    int place = 0;
    *f = (field){.all = all,
                 .space = s,
                 .w = step->weights,
                 .x_type = golden->plan->ptens[step->sources[0].pten].dtype,
                 .channel = n->channel,
                 .is_weight = s->place == BSR_FAULT_OPERAND_WEIGHT,
                 .finite = 1,
                 .random = all->model.kind == BSR_FAULT_RANDOM};
    while (place < s->n_chosen - 1 && s->chosen[place] != n->channel)
        place++;
    f->site =
        s->per_channel * (uint64_t)place + (uint64_t)s->window_at[n->pixel] * (uint64_t)s->cin;
    for (int v = 0; v < s->n_variants && !f->random; v++)
        f->change[v] = bsr_space_change(all, s, 0, v);
}

size_t bsr_neuron_errors(const bsr_spaces *all, const bsr_golden *golden, const bsr_neuron *n,
                         int padded, float *errors, int *finite)
{
    const bsr_space *s = n->space;
    const unsigned char *mask = s->windows + (size_t)n->pixel * (size_t)((s->taps + 7) / 8);
    size_t operands = 0;
    field f;
    open_field(&f, all, golden, n);
    for (int t = 0; t < s->taps; t++) {
        int real = mask[t / 8] >> t % 8 & 1;
        if (!real && !padded)
            continue;
        int64_t element = n->channel * f.w->stride_m + t * f.w->stride_t;
        const char *x =
            real ? bsr_operand_input(golden->plan, golden, n->image, s->where, n->pixel, element)
                 : NULL;
        for (int c = 0; c < s->cin; c++, operands++) {
            operand_errors(&f, x, element + c * f.w->stride_c,
                           errors + operands * (size_t)s->n_variants);
            x = x ? x + bsr_dtype_size(f.x_type) : NULL;
            f.site += (uint64_t)real;
        }
    }
    *finite = f.finite;
    return operands;
}

bsr_status bsr_neuron_list_new(bsr_neuron_list **out, const bsr_spaces *all)
{
    size_t room = 1;
    for (int i = 0; i < all->n; i++) {
        const bsr_space *s = &all->spaces[i];
        size_t n = (size_t)s->taps * (size_t)s->cin * (size_t)s->n_variants;
        room = n > room ? n : room;
    }
    *out = NULL;
    bsr_neuron_list *l = bsr_calloc_array(1, sizeof *l);
    if (!l)
        return BSR_ENOMEM;
    l->room = room;
    l->errors = bsr_alloc_array(room, sizeof *l->errors);
    l->entries = bsr_alloc_array(room, sizeof *l->entries);
    l->sorted = bsr_alloc_array(room, sizeof *l->sorted);
    l->starts = bsr_alloc_array(room + 2, sizeof *l->starts);
    if (!l->errors || !l->entries || !l->sorted || !l->starts) {
        bsr_neuron_list_free(l);
        return BSR_ENOMEM;
    }
    *out = l;
    return BSR_OK;
}

void bsr_neuron_list_free(bsr_neuron_list *l)
{
    if (!l)
        return;
    bsr_free(l->errors);
    bsr_free(l->entries);
    bsr_free(l->sorted);
    bsr_free(l->starts);
    bsr_free(l);
}

static void sort_few(uint64_t *a, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint64_t x = a[i];
        size_t k = i;
        for (; k > 0 && a[k - 1] < x; k--)
            a[k] = a[k - 1];
        a[k] = x;
    }
}

/* By falling key: variant and |e| in four passes of a radix sort, two there and back. */
static void sort_entries(uint64_t *a, uint64_t *room, size_t n)
{
    enum { DIGIT = 10, PASSES = 4, FEW = 64 };
    if (n < FEW) {
        sort_few(a, n);
        return;
    }
    for (int pass = 0; pass < PASSES; pass++) {
        uint32_t at[1 << DIGIT] = {0};
        int shift = pass * DIGIT;
        for (size_t i = 0; i < n; i++)
            at[~a[i] >> shift & ((1 << DIGIT) - 1)]++;
        for (uint32_t d = 0, sum = 0; d < 1 << DIGIT; d++) {
            uint32_t count = at[d];
            at[d] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            room[at[~a[i] >> shift & ((1 << DIGIT) - 1)]++] = a[i];
        uint64_t *t = a;
        a = room;
        room = t;
    }
}

static void find_starts(bsr_neuron_side *side, size_t faults)
{
    side->n = 0;
    for (size_t i = 0; i < faults; i++)
        if (i == 0 || side->fault[i] >> VARIANT_BITS != side->fault[i - 1] >> VARIANT_BITS)
            side->first[side->n++] = (uint32_t)i;
    side->first[side->n] = (uint32_t)faults;
}

static int special_of(float e)
{
    return isnan(e) ? BSR_NEURON_NAN : e < 0 ? BSR_NEURON_MINUS_INF : BSR_NEURON_PLUS_INF;
}

/* Entries of negative errors from the front of l->entries, of positive ones from its end. */
static void collect(bsr_neuron_list *l, size_t operands, const float screened[2], size_t n[2])
{
    n[0] = n[1] = 0;
    for (size_t i = 0, o = 0; o < operands; o++)
        for (int v = 0; v < l->n_variants; v++, i++) {
            float e = l->errors[i];
            int above = e > 0;
            if (!isfinite(e)) {
                l->special[special_of(e)][v]++;
            } else if (fabsf(e) > screened[above]) {
                uint32_t bits;
                memcpy(&bits, &e, sizeof bits);
                uint64_t entry = (uint64_t)(bits & 0x7fffffff) << VARIANT_BITS | (uint64_t)v;
                l->entries[above ? l->room - ++n[1] : n[0]++] = entry;
            }
        }
}

void bsr_neuron_list_fill(bsr_neuron_list *l, const bsr_spaces *all, const bsr_golden *golden,
                          const bsr_neuron *neuron, const float screened[2])
{
    static const float nothing[2] = {0, 0};
    int finite;
    size_t n[2];
    const float *known = screened ? screened : nothing;
    size_t operands = bsr_neuron_errors(all, golden, neuron, 0, l->errors, &finite);
    memset(l->special, 0, sizeof l->special);
    memset(l->all, 0, sizeof l->all);
    l->n_variants = neuron->space->n_variants;
    l->faults = (uint64_t)operands * (uint64_t)l->n_variants;
    l->direct = !finite;
    for (int v = 0; v < l->n_variants; v++)
        l->all[v] = (uint32_t)operands;
    collect(l, finite ? operands : 0, known, n);
    for (int k = 0; k < 2; k++) {
        size_t at = k ? l->room - n[1] : 0;
        l->side[k].fault = l->entries + at;
        l->side[k].first = l->starts + (k ? l->side[0].n + 1 : 0);
        l->side[k].screened = known[k];
        sort_entries(l->entries + at, l->sorted + at, n[k]);
        find_starts(&l->side[k], n[k]);
    }
}

void bsr_neuron_search_init(bsr_neuron_search *s, const bsr_neuron_list *list, double tolerance)
{
    *s = (bsr_neuron_search){.list = list,
                             .slack = (uint64_t)(tolerance / 2 * (double)list->faults)};
    for (int k = 0; k < 2; k++)
        s->side[k].harmless = list->side[k].n;
    for (int k = 0; k < BSR_NEURON_SPECIALS; k++) {
        uint32_t n = 0;
        for (int v = 0; v < list->n_variants; v++)
            n += list->special[k][v];
        s->special_asked[k] = n == 0;
    }
}

static uint32_t key(const bsr_neuron_side *side, size_t k)
{
    return (uint32_t)(side->fault[side->first[k]] >> VARIANT_BITS);
}

static int is_decided(const bsr_neuron_search *s, int k)
{
    const bsr_neuron_side *side = &s->list->side[k];
    uint32_t open = side->first[s->side[k].harmless] - side->first[s->side[k].critical];
    return open <= s->slack;
}

/* First error in the bracket [from, to) of at most this key; the last one if there is none. */
static size_t first_within(const bsr_neuron_side *side, size_t from, size_t to, uint32_t most)
{
    while (from + 1 < to) {
        size_t mid = (from + to - 1) / 2;
        if (key(side, mid) <= most)
            to = mid + 1;
        else
            from = mid + 1;
    }
    return from;
}

/* Keys of floats grow by 2^23 from one power of two to the next. */
#define KEY_OF_POWER(k) ((uint32_t)(127 + (k)) << 23)
#define WIDE            ((uint32_t)2 << 23)

/* Of values below 2, which most are, flips of the top exponent bit make errors of 2^60 and more,
 * all others about as large as the values. With 2^-64 as the first lower end the middle falls
 * between the two. */
#define SMALL KEY_OF_POWER(-64)

static size_t next_try(const bsr_neuron_search *s, int k)
{
    const bsr_neuron_side *side = &s->list->side[k];
    size_t from = s->side[k].critical, to = s->side[k].harmless;
    if (from == 0)
        return 0;
    uint32_t high = key(side, from - 1), low = key(side, to < side->n ? to : to - 1);
    if (to == side->n && low < SMALL && SMALL < high)
        low = SMALL;
    if (high - low > WIDE)
        return first_within(side, from, to, low + (high - low) / 2);
    return (from + to) / 2;
}

int bsr_neuron_ask(const bsr_neuron_search *s, float error[BSR_NEURON_QUESTIONS],
                   int which[BSR_NEURON_QUESTIONS])
{
    static const float specials[BSR_NEURON_SPECIALS] = {NAN, -INFINITY, INFINITY};
    int n = 0;
    for (int k = 0; k < 2; k++)
        if (!is_decided(s, k)) {
            float size = bsr_neuron_size(&s->list->side[k], next_try(s, k));
            error[n] = k ? size : -size;
            which[n++] = k;
        }
    for (int k = 0; k < BSR_NEURON_SPECIALS; k++)
        if (!s->special_asked[k]) {
            error[n] = specials[k];
            which[n++] = 2 + k;
        }
    return n;
}

void bsr_neuron_tell(bsr_neuron_search *s, int which, int critical)
{
    if (which >= 2) {
        s->special_asked[which - 2] = 1;
        s->special_critical[which - 2] = critical != 0;
        return;
    }
    size_t at = next_try(s, which);
    if (critical)
        s->side[which].critical = at + 1;
    else
        s->side[which].harmless = at;
}

bsr_lane_job bsr_neuron_job(const bsr_golden *golden, const bsr_neuron *n, float error)
{
    const bsr_weights *w = golden->plan->layers[n->space->where].weights;
    bsr_lane_job job = {.image = n->image,
                        .fault = {.place = BSR_FAULT_SUM,
                                  .where = n->space->where,
                                  .element = n->channel,
                                  .pixel = n->pixel}};
    if (w->dtype == BSR_F32)
        memcpy(&job.fault.bits, &error, sizeof error);
    else
        job.fault.bits = (uint32_t)(int32_t)error;
    return job;
}

static void count_faults(const bsr_neuron_side *side, size_t from, size_t to, uint32_t *count)
{
    for (size_t i = side->first[from]; i < side->first[to]; i++)
        count[bsr_neuron_variant(side, i)]++;
}

void bsr_neuron_read(const bsr_neuron_search *s, bsr_neuron_result *r)
{
    const bsr_neuron_list *l = s->list;
    memset(r, 0, sizeof *r);
    for (int k = 0; k < 2; k++) {
        const bsr_neuron_side *side = &l->side[k];
        size_t critical = s->side[k].critical, harmless = s->side[k].harmless;
        count_faults(side, 0, critical, r->critical);
        count_faults(side, critical, harmless, r->undecided);
        r->nearest_critical[k] = critical ? bsr_neuron_size(side, critical - 1) : INFINITY;
        r->farthest_harmless[k] =
            harmless < side->n ? bsr_neuron_size(side, harmless) : side->screened;
    }
    for (int k = 0; k < BSR_NEURON_SPECIALS; k++)
        for (int v = 0; v < l->n_variants && s->special_critical[k]; v++)
            r->critical[v] += l->special[k][v];
}
