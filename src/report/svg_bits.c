/* VFs of bit positions, the highest bit first as codes are written. */
#include <math.h>
#include <stdio.h>

#include "report/svg_pictures.h"

#define WIDTH  760
#define LEFT   64
#define RIGHT  (WIDTH - 16)
#define TOP    (BSR_SVG_HEAD_HEIGHT + 26)
#define BOTTOM (TOP + 220)
#define ZERO   26 /* from the lower end of a logarithmic scale to 0 */
#define FOOT   48 /* numbers of the bits */
#define FIELDS 26 /* names of their fields */

#define MOST_PITCH   44
#define LABELS_PITCH 15 /* below this only every fourth bit has its number */

typedef struct layout {
    int low, high; /* bits at the right and left end */
    double pitch;
    bsr_spread spread;
    bsr_axis axis;
} layout;

static layout lay_out(const bsr_result *r)
{
    layout l = {.low = -1, .high = -1, .spread = BSR_SPREAD_INIT};
    for (int i = 0; i < r->n_bits; i++) {
        int bit = r->bits[i].index;
        if (bit < 0)
            continue;
        l.low = l.low < 0 || bit < l.low ? bit : l.low;
        l.high = bit > l.high ? bit : l.high;
        bsr_spread_add(&l.spread, r->bits[i].vf);
    }
    l.pitch = fmin((double)(RIGHT - LEFT) / (l.high - l.low + 1), MOST_PITCH);
    l.axis = bsr_axis_for(&l.spread, 5);
    l.axis.from = BOTTOM;
    l.axis.to = TOP;
    if (l.axis.log && l.spread.zeros) {
        l.axis.from = BOTTOM - ZERO;
        l.axis.zero = BOTTOM;
    }
    return l;
}

/* The left edge of a bit. */
static double bit_x(const layout *l, int bit)
{
    return LEFT + l->pitch * (l->high - bit);
}

static double right_end(const layout *l)
{
    return bit_x(l, l->low - 1);
}

/* The part of bits low..high that is shown: its ends in *x1 and *x2. */
static int clip(const layout *l, int low, int high, double *x1, double *x2)
{
    low = low < l->low ? l->low : low;
    high = high > l->high ? l->high : high;
    *x1 = bit_x(l, high);
    *x2 = bit_x(l, low - 1);
    return low <= high;
}

/* Every second field is shaded, each has a bracket with its name. */
static void draw_fields(bsr_svg *s, const bsr_fields *f, const layout *l)
{
    const struct {
        const char *name;
        int low, high;
    } parts[] = {
        {"sign", f->exponent + f->mantissa, f->exponent + f->mantissa},
        {"exponent", f->mantissa, f->exponent + f->mantissa - 1},
        {"mantissa", 0, f->mantissa - 1},
    };
    for (int i = 0; i < 3; i++) {
        double x1, x2, y = BOTTOM + 28;
        if (!clip(l, parts[i].low, parts[i].high, &x1, &x2))
            continue;
        if (i == 1)
            bsr_svg_rect(s, x1, TOP, x2 - x1, BOTTOM - TOP, "fill=\"" BSR_SVG_SHADE "\"");
        const bsr_svg_point bracket[] = {
            {x1 + 2, y - 4}, {x1 + 2, y}, {x2 - 2, y}, {x2 - 2, y - 4}};
        bsr_svg_lines(s, bracket, 4, 0, "fill=\"none\" stroke=\"" BSR_SVG_SOFT "\"");
        bsr_svg_text(s, (x1 + x2) / 2, y + 15, 'm', "", "%s", parts[i].name);
    }
}

static void draw_numbers(bsr_svg *s, const layout *l)
{
    int step = l->pitch < LABELS_PITCH ? 4 : 1;
    bsr_svg_open(s, "class=\"x-ticks\" font-size=\"11\"");
    for (int bit = l->high; bit >= l->low; bit--)
        if (bit % step == 0)
            bsr_svg_text(s, bit_x(l, bit) + l->pitch / 2, BOTTOM + 16, 'm', "", "%d", bit);
    bsr_svg_close(s);
}

/* On a linear scale a bar from 0; on a logarithmic one, where bars would have no length, a point;
 * for 0 a ring. */
static void draw_value(bsr_svg *s, const layout *l, double x, double v)
{
    double y = bsr_axis_at(&l->axis, v), half = fmin(l->pitch * 0.36, 12);
    if (!l->axis.log) {
        bsr_svg_rect(s, x - half, y, 2 * half, BOTTOM - y,
                     "class=\"bar\" fill=\"" BSR_SVG_BAR "\"");
        return;
    }
    bsr_svg_disc(s, x, y, fmin(half, 3.2),
                 v > 0 ? "class=\"point\" fill=\"" BSR_SVG_POINT "\""
                       : "class=\"point\" fill=\"#fff\" stroke=\"" BSR_SVG_POINT
                         "\" stroke-width=\"1.5\"");
}

static void draw_bit(bsr_svg *s, const bsr_result *r, const bsr_part *p, const layout *l)
{
    double x = bit_x(l, p->index) + l->pitch / 2;
    bsr_svg_mark(s, "bit", "bit %d: VF %s", p->index, bsr_share_words(p->vf, r->confidence).text);
    /* So that the pointer finds the bit anywhere in its column. */
    bsr_svg_rect(s, x - l->pitch / 2, TOP, l->pitch, BOTTOM - TOP, "fill-opacity=\"0\"");
    if (isnan(p->vf.value)) {
        bsr_svg_text(s, x, BOTTOM - 5, 'm', "fill=\"" BSR_SVG_SOFT "\"", "?");
    } else if (l->axis.log) {
        bsr_svg_whisker(s, &l->axis, p->vf, x, fmin(l->pitch * 0.25, 5), 1);
        draw_value(s, l, x, p->vf.value);
    } else {
        draw_value(s, l, x, p->vf.value);
        bsr_svg_whisker(s, &l->axis, p->vf, x, fmin(l->pitch * 0.25, 5), 1);
    }
    bsr_svg_close(s);
}

bsr_status bsr_svg_bits(char **out, const bsr_result *r)
{
    layout l = lay_out(r);
    const bsr_fields *fields = bsr_float_fields(r);
    const char *each = bsr_single_bits(r) ? "each bit" : "faults by their lowest bit";
    bsr_svg s;
    char title[64];
    snprintf(title, sizeof title, "Vulnerability factor of %s", each);
    bsr_picture_begin(&s, r, "bits", title,
                      "Share of critical faults for each bit position over the network, the "
                      "highest bit first.",
                      WIDTH, BOTTOM + FOOT + (fields ? FIELDS : 0));
    if (fields)
        draw_fields(&s, fields, &l);
    bsr_svg_axis_y(
        &s, &l.axis, LEFT, right_end(&l),
        bsr_scale_name("vulnerability factor", &l.spread, "whiskers", r->confidence).text);
    bsr_svg_line(&s, LEFT, BOTTOM, right_end(&l), BOTTOM, "stroke=\"" BSR_SVG_INK "\"");
    draw_numbers(&s, &l);
    for (int i = 0; i < r->n_bits; i++)
        if (r->bits[i].index >= 0)
            draw_bit(&s, r, &r->bits[i], &l);
    bsr_svg_text(&s, (LEFT + right_end(&l)) / 2, BOTTOM + 36 + (fields ? FIELDS : 0), 'm', "",
                 bsr_single_bits(r) ? "bit" : "lowest changed bit");
    return bsr_svg_take(out, &s);
}
