#include "report/svg_curve.h"

#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "report/svg_axis.h"
#include "report/svg_text.h"

#define WIDTH            640
#define LEFT             64
#define RIGHT            (WIDTH - 20)
#define HEIGHT           270 /* of the plot */
#define FOOT             52
#define INSET            16 /* keeps points off the axes */
#define ZERO             44 /* from the lower end of a logarithmic scale to 0 */
#define LEGEND_ROW       18
#define LEGEND_LINE      34 /* length of a line in the legend */
#define PREDICTED_DASHES "4 3"

/* Colour, dashes and marker: two series differ in at least two of them, so that they can be told
 * apart without colours. */
typedef struct style {
    const char *colour, *dashes;
    bsr_marker marker;
    int hollow;
} style;

static const style styles[] = {
    {"#1f4e79", "", BSR_MARKER_DISC, 0},       {"#a33b00", "7 3", BSR_MARKER_SQUARE, 0},
    {"#1b6b3a", "2 3", BSR_MARKER_DIAMOND, 0}, {"#6b2c91", "8 3 2 3", BSR_MARKER_TRIANGLE, 0},
    {"#555555", "12 4", BSR_MARKER_DISC, 1},   {"#8a1253", "4 2", BSR_MARKER_SQUARE, 1},
    {"#00616b", "1 2", BSR_MARKER_DIAMOND, 1}, {"#6b5300", "8 2 1 2 1 2", BSR_MARKER_TRIANGLE, 1},
};

typedef struct layout {
    double top, bottom;
    bsr_spread spread;
    bsr_axis x, y;
} layout;

static const style *style_of(int series)
{
    return &styles[series % (int)(sizeof styles / sizeof *styles)];
}

/* Markers of kinds, whose colour and line are those of their series. */
static style kind_style(const bsr_curve *c, int series, int kind)
{
    style st = *style_of(series);
    st.marker = c->kinds[kind].marker;
    st.hollow = c->kinds[kind].predicted;
    return st;
}

static int has_kind(const bsr_curve *c, int kind)
{
    for (int i = 0; i < c->n_series; i++)
        for (int k = 0; k < c->series[i].n; k++)
            if (c->series[i].points[k].kind == kind && !isnan(c->series[i].points[k].y.value))
                return 1;
    return 0;
}

/* The legend has the series where there are several, then the kinds that occur. NULL: item i is not
 * shown. */
static const char *legend_name(const bsr_curve *c, int i)
{
    if (i < c->n_series)
        return c->n_series > 1 ? c->series[i].name : NULL;
    return has_kind(c, i - c->n_series) ? c->kinds[i - c->n_series].name : NULL;
}

/* Where the legend's next item starts, *line lines down. */
static double legend_step(const char *name, double x, int *line)
{
    double width = LEGEND_LINE + 8 + bsr_text_width(name) * BSR_SVG_FONT + 18;
    if (x > LEFT && x + width > WIDTH) {
        x = LEFT;
        ++*line;
    }
    return x + width;
}

static double legend_height(const bsr_curve *c)
{
    int line = 0;
    double x = LEFT;
    for (int i = 0; i < c->n_series + c->n_kinds; i++)
        if (legend_name(c, i))
            x = legend_step(legend_name(c, i), x, &line);
    return x > LEFT ? (line + 1) * LEGEND_ROW + 4 : 0;
}

static int lay_out_x(layout *l, const bsr_curve *c)
{
    double least = INFINITY, greatest = 0, lowest = INFINITY;
    int zeros = 0;
    for (int i = 0; i < c->n_series; i++)
        for (int k = 0; k < c->series[i].n; k++) {
            double x = c->series[i].points[k].x;
            lowest = fmin(lowest, x);
            greatest = fmax(greatest, x);
            if (x > 0)
                least = fmin(least, x);
            else
                zeros++;
        }
    if (isinf(lowest))
        return 0;
    if (!c->x_log || isinf(least)) {
        l->x = bsr_axis_linear(fmin(lowest, 0), greatest, 6, c->x_percent);
        l->x.from = LEFT + INSET;
    } else {
        l->x = bsr_axis_log(least, greatest, c->x_percent);
        l->x.from = LEFT + INSET + (zeros ? ZERO : 0);
        l->x.zero = zeros ? LEFT + INSET : NAN;
    }
    l->x.to = RIGHT - INSET;
    return 1;
}

static bsr_status lay_out(layout *l, const bsr_curve *c)
{
    *l = (layout){.spread = BSR_SPREAD_INIT};
    int known = 0;
    for (int i = 0; i < c->n_series; i++)
        for (int k = 0; k < c->series[i].n; k++) {
            bsr_spread_add(&l->spread, c->series[i].points[k].y);
            known += !isnan(c->series[i].points[k].y.value);
        }
    if (!known || !lay_out_x(l, c))
        return bsr_fail(BSR_EINVAL, "picture '%s': no point has a value", c->name);
    if (c->reference_name)
        bsr_spread_add(&l->spread, (bsr_share){c->reference, c->reference, c->reference});
    l->y = c->y_linear ? bsr_axis_linear(0, l->spread.highest, 5, 1) : bsr_axis_for(&l->spread, 5);
    l->top = BSR_SVG_HEAD_HEIGHT + legend_height(c) + 26;
    l->bottom = l->top + HEIGHT;
    l->y.to = l->top;
    l->y.from = l->bottom;
    if (l->y.log && l->spread.zeros) {
        l->y.from -= ZERO;
        l->y.zero = l->bottom;
    }
    return BSR_OK;
}

static void draw_marker(bsr_svg *s, const style *st, double x, double y)
{
    char paint[96];
    snprintf(paint, sizeof paint, "class=\"point\" fill=\"%s\" stroke=\"%s\" stroke-width=\"1.5\"",
             st->hollow ? "#fff" : st->colour, st->colour);
    const bsr_svg_point diamond[] = {{x, y - 4.5}, {x + 4.5, y}, {x, y + 4.5}, {x - 4.5, y}};
    const bsr_svg_point triangle[] = {{x, y - 4.5}, {x + 4.5, y + 3.5}, {x - 4.5, y + 3.5}};
    switch (st->marker) {
    case BSR_MARKER_DISC:
        bsr_svg_disc(s, x, y, 3.5, paint);
        break;
    case BSR_MARKER_SQUARE:
        bsr_svg_rect(s, x - 3, y - 3, 6, 6, paint);
        break;
    case BSR_MARKER_DIAMOND:
        bsr_svg_lines(s, diamond, 4, 1, paint);
        break;
    case BSR_MARKER_TRIANGLE:
        bsr_svg_lines(s, triangle, 3, 1, paint);
        break;
    }
}

static void line_paint(char out[128], const style *st, int predicted)
{
    const char *dashes = predicted && !*st->dashes ? PREDICTED_DASHES : st->dashes;
    snprintf(out, 128, "fill=\"none\" stroke=\"%s\" stroke-width=\"1.6\"%s%s%s", st->colour,
             *dashes ? " stroke-dasharray=\"" : "", dashes, *dashes ? "\"" : "");
}

static void draw_legend(bsr_svg *s, const bsr_curve *c)
{
    double x = LEFT;
    int line = 0;
    for (int i = 0; i < c->n_series + c->n_kinds; i++) {
        const char *name = legend_name(c, i);
        if (!name)
            continue;
        char paint[128];
        int before = line, kind = i - c->n_series;
        double next = legend_step(name, x, &line);
        double y = BSR_SVG_HEAD_HEIGHT + 8 + line * LEGEND_ROW;
        style st = kind < 0 ? *style_of(i) : kind_style(c, 0, kind);
        x = line > before ? LEFT : x;
        line_paint(paint, &st, kind >= 0 && c->kinds[kind].predicted);
        bsr_svg_line(s, x, y, x + LEGEND_LINE, y, paint);
        draw_marker(s, &st, x + LEGEND_LINE / 2.0, y);
        bsr_svg_text(s, x + LEGEND_LINE + 8, y + 4, 's', "", "%s", name);
        x = next;
    }
}

/* Whether no line leads from point k - 1 to k: there is none, one is unknown, or is a 0 that stands
 * apart from the scale. */
static int is_gap(const layout *l, const bsr_curve_series *series, int k)
{
    const bsr_curve_point *p = &series->points[k];
    if (k == 0 || k == series->n || isnan(p[0].y.value) || isnan(p[-1].y.value))
        return 1;
    return (l->x.log && p[-1].x <= 0) || (l->y.log && fmin(p[0].y.value, p[-1].y.value) <= 0);
}

static double bound_at(const layout *l, double bound, double value)
{
    double v = isnan(bound) ? value : bound;
    if (l->y.log && v <= 0 && isnan(l->y.zero))
        return l->bottom;
    return bsr_axis_at(&l->y, v);
}

static int is_predicted(const bsr_curve *c, const bsr_curve_point *p)
{
    return c->n_kinds && c->kinds[p->kind].predicted;
}

/* Whether the lines to and from point k look alike. */
static int goes_on(const bsr_curve *c, const bsr_curve_point *p)
{
    int before = is_predicted(c, &p[-1]) || is_predicted(c, p);
    return before == (is_predicted(c, p) || is_predicted(c, &p[1]));
}

/* The lines between points first..end-1, dashed where one of two is predicted. */
static void draw_lines(bsr_svg *s, const bsr_curve *c, const layout *l, int series, int first,
                       int end, bsr_svg_point *at)
{
    const bsr_curve_point *points = c->series[series].points;
    size_t n = 0;
    for (int k = first; k < end; k++) {
        at[n++] =
            (bsr_svg_point){bsr_axis_at(&l->x, points[k].x), bsr_axis_at(&l->y, points[k].y.value)};
        if (k == first || (k + 1 < end && goes_on(c, &points[k])))
            continue;
        char paint[128];
        line_paint(paint, style_of(series),
                   is_predicted(c, &points[k - 1]) || is_predicted(c, &points[k]));
        bsr_svg_lines(s, at, n, 0, paint);
        at[0] = at[n - 1];
        n = 1;
    }
}

/* The line and the band over points first..end-1. at: room for twice as many. */
static void draw_stretch(bsr_svg *s, const bsr_curve *c, const layout *l, int series, int first,
                         int end, bsr_svg_point *at)
{
    const bsr_curve_point *points = c->series[series].points;
    size_t n = (size_t)(end - first);
    if (c->bands) {
        char paint[128];
        for (size_t k = 0; k < n; k++) {
            const bsr_curve_point *p = &points[first + (int)k];
            double x = bsr_axis_at(&l->x, p->x);
            at[k] = (bsr_svg_point){x, bound_at(l, p->y.hi, p->y.value)};
            at[2 * n - 1 - k] = (bsr_svg_point){x, bound_at(l, p->y.lo, p->y.value)};
        }
        snprintf(paint, sizeof paint, "class=\"band\" fill=\"%s\" fill-opacity=\"0.16\"",
                 style_of(series)->colour);
        bsr_svg_lines(s, at, 2 * n, 1, paint);
    }
    draw_lines(s, c, l, series, first, end, at);
}

static void draw_points(bsr_svg *s, const bsr_curve *c, const layout *l, int series)
{
    const bsr_curve_series *data = &c->series[series];
    for (int k = 0; k < data->n; k++) {
        const bsr_curve_point *p = &data->points[k];
        if (isnan(p->y.value))
            continue;
        double x = bsr_axis_at(&l->x, p->x);
        bsr_number at = bsr_digits_text(c->x_percent ? 100 * p->x : p->x, 6);
        const char *kind = is_predicted(c, p) ? c->kinds[p->kind].name : "";
        bsr_svg_mark(s, "value", "%s%s%s %s%s%s%s: %s %s", c->n_series > 1 ? data->name : "",
                     c->n_series > 1 ? ", " : "", c->x_symbol, at.text, c->x_percent ? " %" : "",
                     *kind ? ", " : "", kind, c->y_symbol,
                     bsr_share_words(p->y, c->confidence).text);
        if (!c->bands || (is_gap(l, data, k) && is_gap(l, data, k + 1)))
            bsr_svg_whisker(s, &l->y, p->y, x, 4, 1);
        style st = c->n_kinds ? kind_style(c, series, p->kind) : *style_of(series);
        draw_marker(s, &st, x, bsr_axis_at(&l->y, p->y.value));
        bsr_svg_close(s);
    }
}

static void draw_series(bsr_svg *s, const bsr_curve *c, const layout *l, int series)
{
    const bsr_curve_series *data = &c->series[series];
    bsr_svg_point *at = bsr_alloc_array(2 * (size_t)data->n, sizeof *at);
    if (!at) {
        s->b.status = BSR_ENOMEM;
        return;
    }
    for (int first = 0, k = 1; k <= data->n; k++)
        if (is_gap(l, data, k)) {
            if (k - first > 1)
                draw_stretch(s, c, l, series, first, k, at);
            first = k;
        }
    bsr_free(at);
    draw_points(s, c, l, series);
}

static void draw_reference(bsr_svg *s, const bsr_curve *c, const layout *l)
{
    if (!c->reference_name)
        return;
    double y = bsr_axis_at(&l->y, c->reference);
    bsr_number value = bsr_digits_text(100 * c->reference, 4);
    bsr_svg_mark(s, "reference", "%s: %s %%", c->reference_name, value.text);
    bsr_svg_line(s, LEFT, y, RIGHT, y,
                 "stroke=\"" BSR_SVG_SOFT "\" stroke-width=\"1.2\" stroke-dasharray=\"5 3\"");
    bsr_svg_text(s, RIGHT - 2, y - 5, 'e', "fill=\"" BSR_SVG_SOFT "\"", "%s %s %%",
                 c->reference_name, value.text);
    bsr_svg_close(s);
}

bsr_status bsr_svg_curve(char **out, const bsr_curve *c)
{
    layout l;
    bsr_svg s;
    *out = NULL;
    BSR_TRY(lay_out(&l, c));
    bsr_svg_begin(&s, &(bsr_svg_head){.name = c->name,
                                      .title = c->title,
                                      .subtitle = c->subtitle,
                                      .desc = c->desc,
                                      .width = WIDTH,
                                      .height = l.bottom + FOOT});
    draw_legend(&s, c);
    bsr_svg_axis_y(
        &s, &l.y, LEFT, RIGHT,
        bsr_scale_name(c->y_name, &l.spread, c->bands ? "band" : "whiskers", c->confidence).text);
    const bsr_spread none = BSR_SPREAD_INIT;
    bsr_svg_axis_x(&s, &l.x, l.bottom, l.top,
                   c->x_percent ? bsr_scale_name(c->x_name, &none, "", 0).text : c->x_name);
    bsr_svg_line(&s, LEFT, l.bottom, isnan(l.x.zero) ? l.x.from : l.x.zero, l.bottom,
                 "stroke=\"" BSR_SVG_INK "\"");
    bsr_svg_line(&s, l.x.to, l.bottom, RIGHT, l.bottom, "stroke=\"" BSR_SVG_INK "\"");
    draw_reference(&s, c, &l);
    for (int i = 0; i < c->n_series; i++)
        draw_series(&s, c, &l, i);
    return bsr_svg_take(out, &s);
}
