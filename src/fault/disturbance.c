#include "fault/disturbance.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* Codes of more bits have no table. */
enum { TABLE_BITS = 16, F32_FRACTION = 23, F32_SIGN = 31 };

/* Elements whose codes are collected before they are looked up. */
enum { BLOCK = 256 };

typedef struct sums {
    double mean, square, fourth;
} sums;

static void add(sums *s, double change)
{
    double square = change * change;
    s->mean += change;
    s->square += square;
    s->fourth += square * square;
}

/* Is the value a whole number of steps, each bit with a weight of its own? */
static int is_stepped(const bsr_space *s)
{
    return s->stored ? s->stored->format.kind >= BSR_FORMAT_INT : s->dtype != BSR_F32;
}

/* In steps. */
static sums stepped_sums(const bsr_disturbances *d, uint32_t code)
{
    const bsr_space *s = d->space;
    sums out = {0};
    for (int i = 0; i < s->n_variants; i++) {
        int bit = s->variants[i];
        double weight = (double)((uint64_t)1 << bit);
        int rises = !(code >> bit & 1) != (d->has_sign && bit == s->width - 1);
        add(&out, rises ? weight : -weight);
    }
    return out;
}

static double float_value(const bsr_space *s, uint32_t code)
{
    return s->stored ? (double)bsr_decode(s->stored->quantisers, code)
                     : bsr_stored_value(s->dtype, code);
}

static sums float_sums(const bsr_space *s, uint32_t code)
{
    sums out = {0};
    double value = float_value(s, code);
    if (!isfinite(value))
        return out;
    for (int i = 0; i < s->n_variants; i++)
        add(&out, float_value(s, code ^ (uint32_t)1 << s->variants[i]) - value);
    return out;
}

static sums sums_of(const bsr_disturbances *d, uint32_t code)
{
    return d->uniform ? stepped_sums(d, code) : float_sums(d->space, code);
}

static bsr_disturbance times(double mean, double square, double fourth, double unit)
{
    /* An infinite fourth power must not make a NaN in a channel that is not selected. */
    if (unit == 0)
        return (bsr_disturbance){0, 0, 0};
    double unit2 = unit * unit;
    return (bsr_disturbance){(float)(mean * unit), (float)(square * unit2),
                             (float)(fourth * unit2 * unit2)};
}

/* Can flipping `bit` make a NaN or an infinity of a finite value? */
static int breaks(const bsr_space *s, int bit)
{
    if (s->width > TABLE_BITS)
        return bit >= F32_FRACTION && bit < F32_SIGN;
    for (uint32_t code = 0; code < (uint32_t)1 << s->width; code++)
        if (isfinite(float_value(s, code)) && !isfinite(float_value(s, code ^ (uint32_t)1 << bit)))
            return 1;
    return 0;
}

static double largest(const bsr_space *s)
{
    double most = s->width > TABLE_BITS ? FLT_MAX : 0;
    for (uint32_t code = 0; s->width <= TABLE_BITS && code < (uint32_t)1 << s->width; code++) {
        double value = float_value(s, code);
        most = isfinite(value) && value > most ? value : most;
    }
    return most;
}

static bsr_status check_space(const bsr_space *s)
{
    if (bsr_is_operand(s->place))
        return bsr_fail(BSR_EUNSUPPORTED,
                        "'%s': operands are not stored, their errors have no model", s->name);
    for (int i = 0; i < s->n_variants; i++)
        if (s->variants[i] < 0)
            return bsr_fail(BSR_EINVAL, "'%s': error statistics need fault model bitflip", s->name);
    if (is_stepped(s) || (s->stored && s->stored->quantisers->bounded))
        return BSR_OK;
    for (int i = s->n_variants - 1; i >= 0; i--)
        if (breaks(s, s->variants[i]))
            return bsr_fail(
                BSR_EUNSUPPORTED,
                "'%s' is stored as %s: a flip of bit %d makes NaN or values up to %.0e, "
                "so that errors have no usable variance; give the format a range "
                "(%s/range=R), or choose other bits",
                s->name, s->format, s->variants[i], largest(s), s->stored ? s->format : "fp32");
    return BSR_OK;
}

static bsr_status fill_units(bsr_disturbances *d)
{
    const bsr_space *s = d->space;
    d->unit = bsr_calloc_array((size_t)s->channels, sizeof *d->unit);
    if (!d->unit)
        return BSR_ENOMEM;
    for (int i = 0; i < s->n_chosen; i++) {
        int c = s->chosen[i];
        d->unit[c] = 1;
        if (!s->stored || !d->uniform)
            continue;
        const bsr_quantiser *q = &s->stored->quantisers[s->stored->channels == 1 ? 0 : c];
        d->unit[c] = q->kind == BSR_FORMAT_BINARY ? 2 * q->scale : q->scale;
    }
    return BSR_OK;
}

static bsr_status fill_tables(bsr_disturbances *d)
{
    size_t codes = (size_t)1 << d->space->width;
    d->mean = bsr_alloc_array(codes, sizeof *d->mean);
    if (!d->uniform) {
        d->square = bsr_alloc_array(codes, sizeof *d->square);
        d->fourth = bsr_alloc_array(codes, sizeof *d->fourth);
    }
    if (!d->mean || (!d->uniform && (!d->square || !d->fourth)))
        return BSR_ENOMEM;
    for (size_t code = 0; code < codes; code++) {
        sums of = sums_of(d, (uint32_t)code);
        d->mean[code] = (float)of.mean;
        if (d->uniform)
            continue;
        d->square[code] = (float)of.square;
        d->fourth[code] = (float)of.fourth;
    }
    return BSR_OK;
}

bsr_status bsr_disturbances_init(bsr_disturbances *out, const bsr_space *space)
{
    *out = (bsr_disturbances){.space = space};
    BSR_TRY(check_space(space));
    out->uniform = is_stepped(space);
    if (space->stored && out->uniform) {
        const bsr_quantiser *q = space->stored->quantisers;
        out->has_sign = q->kind == BSR_FORMAT_INT || q->kind == BSR_FORMAT_FIXED;
        out->inverse = 1 / (double)q->scale;
        out->zero = q->zero;
    } else {
        out->has_sign = space->dtype == BSR_I8 || space->dtype == BSR_I32;
    }
    if (out->uniform) {
        sums any = stepped_sums(out, 0);
        out->step = (bsr_disturbance){0, (float)any.square, (float)any.fourth};
    }
    bsr_status status = fill_units(out);
    if (status == BSR_OK && space->width <= TABLE_BITS)
        status = fill_tables(out);
    if (status != BSR_OK)
        bsr_disturbances_clear(out);
    return status;
}

void bsr_disturbances_clear(bsr_disturbances *d)
{
    bsr_free(d->unit);
    bsr_free(d->mean);
    bsr_free(d->square);
    bsr_free(d->fourth);
    *d = (bsr_disturbances){0};
}

static inline bsr_disturbance look_up(const bsr_disturbances *d, int channel, uint32_t code)
{
    double unit = (double)d->unit[channel];
    if (!d->mean) {
        sums of = sums_of(d, code);
        return times(of.mean, of.square, of.fourth, unit);
    }
    if (d->uniform)
        return times((double)d->mean[code], (double)d->step.square, (double)d->step.fourth, unit);
    return times((double)d->mean[code], (double)d->square[code], (double)d->fourth[code], unit);
}

bsr_disturbance bsr_disturbance_of(const bsr_disturbances *d, int channel, uint32_t code)
{
    return look_up(d, channel, code & UINT32_MAX >> (32 - d->space->width));
}

bsr_disturbance bsr_disturbance_channel(const bsr_disturbances *d, int channel)
{
    return times(0, (double)d->step.square, (double)d->step.fourth, (double)d->unit[channel]);
}

/* Of n elements with these codes, from position `at` of the arrays on; the j-th is in channel
 * `channel` + j * step. */
static void fill(const bsr_disturbances *d, const uint32_t *codes, int n, int channel, int step,
                 bsr_disturbance_arrays out, int64_t at)
{
    for (int j = 0; j < n; j++) {
        bsr_disturbance of = look_up(d, channel + j * step, codes[j]);
        if (out.mean)
            out.mean[at + j] = of.mean;
        if (out.square)
            out.square[at + j] = of.square;
        if (out.fourth)
            out.fourth[at + j] = of.fourth;
    }
}

/* Codes of n elements at `data`: the elements themselves, or what stores these values. */
static void read_codes(const bsr_disturbances *d, const void *data, int n, uint32_t *codes)
{
    const bsr_space *s = d->space;
    const unsigned char *bytes = data;
    const float *x = data;
    if (!s->stored && s->esize == 1) {
        for (int j = 0; j < n; j++)
            codes[j] = bytes[j];
        return;
    }
    if (!s->stored) {
        memcpy(codes, data, (size_t)n * sizeof *codes);
        return;
    }
    const bsr_quantiser *q = s->stored->quantisers;
    if (!d->uniform || q->kind == BSR_FORMAT_BINARY) {
        for (int j = 0; j < n; j++)
            codes[j] = bsr_encode(q, x[j]);
        return;
    }
    /* Values are whole steps up to their own rounding, so that any rounding finds their number. */
    uint32_t mask = UINT32_MAX >> (32 - s->width);
    for (int j = 0; j < n; j++) {
        double steps = (double)x[j] * d->inverse;
        codes[j] = (uint32_t)((int64_t)(steps + copysign(0.5, steps)) + d->zero) & mask;
    }
}

void bsr_disturbances_constant(const bsr_disturbances *d, bsr_disturbance_arrays out)
{
    const bsr_space *s = d->space;
    /* A row: elements of one channel, or one element of each. */
    int step = s->inner == 1;
    int64_t row = step ? s->channels : s->inner, rows = step ? s->outer : s->outer * s->channels;
    uint32_t codes[BLOCK];
    for (int64_t r = 0; r < rows; r++)
        for (int64_t from = 0; from < row; from += BLOCK) {
            int n = row - from < BLOCK ? (int)(row - from) : BLOCK;
            int channel = step ? (int)from : (int)(r % s->channels);
            int64_t at = r * row + from;
            const uint32_t *stored = codes;
            if (s->stored)
                stored = s->stored->codes + at;
            else
                read_codes(d, (const char *)s->data + (size_t)at * s->esize, n, codes);
            fill(d, stored, n, channel, step, out, at);
        }
}

void bsr_disturbances_tensor(const bsr_disturbances *d, const void *rows, int pixels,
                             bsr_disturbance_arrays out)
{
    const bsr_space *s = d->space;
    uint32_t codes[BLOCK];
    for (int p = 0; p < pixels; p++)
        for (int c = 0; c < s->channels; c += BLOCK) {
            int n = s->channels - c < BLOCK ? s->channels - c : BLOCK;
            int64_t at = (int64_t)p * s->channels + c;
            read_codes(d, (const char *)rows + (size_t)at * s->esize, n, codes);
            fill(d, codes, n, c, 1, out, at);
        }
}
