#include "report/svg_axis.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fixed_math.h"

/* Values that differ more are not all seen on a linear scale. */
#define LINEAR_RATIO 30

/* Powers of ten whose ticks have texts. */
#define MOST_POWERS 9

#define TICK 4

static const int mantissas[] = {1, 2, 5, 10};

/* m * 10^e, rounded once for |e| <= 22. */
static double scaled(double m, int e)
{
    char text[16];
    snprintf(text, sizeof text, "1e%d", abs(e));
    double power = strtod(text, NULL);
    return e < 0 ? m / power : m * power;
}

/* The e with 10^e <= v < 10^(e + 1). */
static int decade(double v)
{
    int e = (int)floor(bsr_fixed_log(v) / bsr_fixed_log(10));
    if (scaled(1, e) > v)
        e--;
    else if (scaled(1, e + 1) <= v)
        e++;
    return e;
}

bsr_axis bsr_axis_linear(double lo, double hi, int intervals, int percent)
{
    bsr_axis a = {.percent = percent, .to = 1, .zero = NAN};
    if (hi <= lo)
        hi = lo + (percent ? 0.01 : 1);
    double least = (hi - lo) / intervals;
    int e = decade(least), m = 0;
    /* Rounding may leave the quotient a little above the step that it is. */
    while (scaled(mantissas[m], e) < least * (1 - 1e-9))
        m++;
    double unit = scaled(mantissas[m], e);
    double first = floor(lo / unit * (1 + 1e-12)), last = ceil(hi / unit * (1 - 1e-12));
    for (double k = first; k <= last && a.n_ticks < BSR_AXIS_TICKS; k++)
        a.ticks[a.n_ticks++] = scaled(k * mantissas[m], e);
    a.lo = a.ticks[0];
    a.hi = a.ticks[a.n_ticks - 1];
    e += (mantissas[m] == 10) + (percent ? 2 : 0);
    a.decimals = e < 0 ? e < -9 ? 9 : -e : 0;
    return a;
}

static int power_step(int powers)
{
    return (powers + MOST_POWERS - 1) / MOST_POWERS;
}

bsr_axis bsr_axis_log(double lo, double hi, int percent)
{
    bsr_axis a = {.log = 1, .percent = percent, .to = 1, .zero = NAN};
    int low = decade(lo), high = decade(hi), m = 2, n = 0;
    while (scaled(mantissas[m], low) > lo)
        m--;
    while (scaled(mantissas[n], high) < hi)
        n++;
    a.lo = scaled(mantissas[m], low);
    a.hi = scaled(mantissas[n], high);
    if (a.lo == a.hi)
        a.hi = n == 3 ? scaled(2, high + 1) : scaled(mantissas[n + 1], high);
    int first = m ? low + 1 : low, powers = decade(a.hi) - first + 1;
    if (powers >= 2) {
        for (int e = first; e < first + powers; e++)
            if ((first + powers - 1 - e) % power_step(powers) == 0)
                a.ticks[a.n_ticks++] = scaled(1, e);
        return a;
    }
    for (int e = low; e <= high + 1; e++)
        for (int i = 0; i < 3; i++) {
            double tick = scaled(mantissas[i], e);
            if (tick >= a.lo && tick <= a.hi && a.n_ticks < BSR_AXIS_TICKS)
                a.ticks[a.n_ticks++] = tick;
        }
    return a;
}

double bsr_axis_at(const bsr_axis *a, double v)
{
    if (a->log && v <= 0)
        return a->zero;
    double t = (v - a->lo) / (a->hi - a->lo);
    if (a->log)
        t = bsr_fixed_log(fmax(v, a->lo) / a->lo) / bsr_fixed_log(a->hi / a->lo);
    return a->from + t * (a->to - a->from);
}

static void add_value(bsr_spread *s, double v)
{
    if (v > 0) {
        s->least = fmin(s->least, v);
        s->greatest = fmax(s->greatest, v);
    } else {
        s->zeros++;
    }
    s->highest = fmax(s->highest, v);
}

void bsr_spread_add(bsr_spread *s, bsr_share share)
{
    if (isnan(share.value))
        return;
    add_value(s, share.value);
    if (isnan(share.lo) || isnan(share.hi))
        return;
    double bound = share.value > 0 ? share.lo : share.hi;
    s->highest = fmax(s->highest, share.hi);
    s->zeros += share.lo <= 0;
    s->intervals += share.lo != share.hi;
    if (bound > 0)
        s->least_bound = fmin(s->least_bound, bound);
}

bsr_axis bsr_axis_for(const bsr_spread *s, int intervals)
{
    if (s->greatest <= LINEAR_RATIO * s->least)
        return bsr_axis_linear(0, s->highest, intervals, 1);
    return bsr_axis_log(fmin(s->least, fmax(s->least_bound, s->least / 10)), s->highest, 1);
}

bsr_share_text bsr_scale_name(const char *name, const bsr_spread *spread, const char *intervals,
                              double confidence)
{
    bsr_share_text s;
    if (spread->intervals)
        snprintf(s.text, sizeof s.text, "%.60s (%%), %.12s: %.12s %% interval", name, intervals,
                 bsr_digits_text(100 * confidence, 6).text);
    else
        snprintf(s.text, sizeof s.text, "%.60s (%%)", name);
    return s;
}

/* Whether the powers of ten of a logarithmic scale are better written as powers. */
static int as_powers(const bsr_axis *a)
{
    double unit = a->percent ? 100 : 1;
    return a->log && (unit * a->ticks[0] < 0.9e-3 || unit * a->ticks[a->n_ticks - 1] > 1.1e4);
}

static void draw_power(bsr_svg *s, double x, double y, char anchor, double v)
{
    int e = decade(v * (1 + 1e-12));
    int m = (int)lround(v / scaled(1, e));
    bsr_strbuf_add(&s->b, "<text x=\"");
    bsr_svg_coordinate(&s->b, x);
    bsr_strbuf_add(&s->b, "\" y=\"");
    bsr_svg_coordinate(&s->b, y);
    bsr_strbuf_add(&s->b, "\" text-anchor=\"%s\">", anchor == 'm' ? "middle" : "end");
    if (m != 1)
        bsr_strbuf_add(&s->b, "%d\u00b7", m);
    bsr_strbuf_add(&s->b, "10<tspan dy=\"-4\" font-size=\"9\">%s%d</tspan></text>\n",
                   e < 0 ? "\u2212" : "", abs(e));
}

static void tick_text(bsr_svg *s, const bsr_axis *a, double v, double x, double y, char anchor)
{
    double shown = a->percent ? 100 * v : v;
    if (as_powers(a) && v > 0)
        draw_power(s, x, y, anchor, shown);
    else if (a->log)
        bsr_svg_text(s, x, y, anchor, "", "%s", bsr_digits_text(shown, 3).text);
    else
        bsr_svg_text(s, x, y, anchor, "", "%s", bsr_fixed_text(shown, a->decimals).text);
}

/* What differs between the two directions: along and across become x and y. */
typedef struct pen {
    bsr_svg *s;
    int vertical;
} pen;

static void draw(const pen *p, double along1, double across1, double along2, double across2,
                 const char *attributes)
{
    if (p->vertical)
        bsr_svg_line(p->s, across1, along1, across2, along2, attributes);
    else
        bsr_svg_line(p->s, along1, across1, along2, across2, attributes);
}

/* Small ticks at 2, 3, ... 9 times each power of ten. */
static void minor_ticks(const pen *p, const bsr_axis *a, double across, double outwards)
{
    int low = decade(a->lo), high = decade(a->hi);
    if (power_step(high - low + 1) > 1)
        return;
    for (int e = low; e <= high; e++)
        for (int m = 2; m <= 9; m++) {
            double v = scaled(m, e);
            if (v <= a->lo || v >= a->hi)
                continue;
            double at = bsr_axis_at(a, v);
            draw(p, at, across, at, across + outwards * TICK / 2, "");
        }
}

/* The axis from 0 to the scale, with the sign that something is left out between them. */
static void broken_line(const pen *p, const bsr_axis *a, double across)
{
    double middle = (a->zero + a->from) / 2;
    double way = a->from > a->zero ? 1 : -1;
    draw(p, a->zero, across, middle - way * 2, across, "");
    draw(p, middle + way * 2, across, a->from, across, "");
    for (int i = -1; i <= 1; i += 2)
        draw(p, middle + way * (2 * i - 2), across - 4, middle + way * (2 * i + 2), across + 4, "");
}

static void draw_axis(const pen *p, const bsr_axis *a, double across, double far)
{
    double outwards = p->vertical ? -1 : 1;
    int zero = a->log && !isnan(a->zero);
    bsr_svg_open(p->s, "class=\"grid\" stroke=\"" BSR_SVG_GRID "\"");
    for (int i = -zero; i < a->n_ticks; i++) {
        double at = i < 0 ? a->zero : bsr_axis_at(a, a->ticks[i]);
        draw(p, at, across, at, far, "");
    }
    bsr_svg_close(p->s);
    bsr_svg_open(p->s, "stroke=\"" BSR_SVG_INK "\"");
    draw(p, a->from, across, a->to, across, "");
    for (int i = -zero; i < a->n_ticks; i++) {
        double at = i < 0 ? a->zero : bsr_axis_at(a, a->ticks[i]);
        draw(p, at, across, at, across + outwards * TICK, "");
    }
    if (a->log)
        minor_ticks(p, a, across, outwards);
    if (zero)
        broken_line(p, a, across);
    bsr_svg_close(p->s);
}

void bsr_svg_axis_x(bsr_svg *s, const bsr_axis *a, double y, double far, const char *name)
{
    draw_axis(&(pen){s, 0}, a, y, far);
    bsr_svg_open(s, "class=\"x-ticks\"");
    if (a->log && !isnan(a->zero))
        bsr_svg_text(s, a->zero, y + 18, 'm', "", "0");
    for (int i = 0; i < a->n_ticks; i++)
        tick_text(s, a, a->ticks[i], bsr_axis_at(a, a->ticks[i]), y + 18, 'm');
    bsr_svg_close(s);
    bsr_svg_text(s, (a->from + a->to) / 2, y + 36, 'm', "", "%s", name);
}

void bsr_svg_axis_y(bsr_svg *s, const bsr_axis *a, double x, double far, const char *name)
{
    draw_axis(&(pen){s, 1}, a, x, far);
    bsr_svg_open(s, "class=\"y-ticks\"");
    if (a->log && !isnan(a->zero))
        bsr_svg_text(s, x - 8, a->zero + 4, 'e', "", "0");
    for (int i = 0; i < a->n_ticks; i++)
        tick_text(s, a, a->ticks[i], x - 8, bsr_axis_at(a, a->ticks[i]) + 4, 'e');
    bsr_svg_close(s);
    bsr_svg_text(s, 16, fmin(a->from, a->to) - 12, 's', "", "%s", name);
}

void bsr_svg_whisker(bsr_svg *s, const bsr_axis *a, bsr_share v, double at, double cap,
                     int vertical)
{
    const pen p = {s, vertical};
    if (isnan(v.value) || isnan(v.lo) || isnan(v.hi) || v.lo == v.hi)
        return;
    int beyond = a->log && (v.lo > 0 ? v.lo < a->lo : isnan(a->zero));
    double lo = beyond ? a->from : bsr_axis_at(a, v.lo), hi = bsr_axis_at(a, v.hi);
    bsr_svg_open(s, "class=\"whisker\" stroke=\"" BSR_SVG_INK "\"");
    draw(&p, lo, at, hi, at, "");
    if (!beyond)
        draw(&p, lo, at - cap, lo, at + cap, "");
    draw(&p, hi, at - cap, hi, at + cap, "");
    bsr_svg_close(s);
}
