/* Heat map of the channels' VFs: a block of lines for each layer, a cell for each channel. */
#include <math.h>
#include <stdio.h>

#include "report/svg_pictures.h"

#define WIDTH      760
#define FOOT       46
#define NAME_X     48
#define MOST_NAME  17 /* width of a name in font sizes */
#define RIGHT      (WIDTH - 16)
#define MOST_LINE  128 /* channels in a line */
#define MOST_PITCH 16
#define GAP        3 /* between layers */
#define LINE       13

#define DECADES 1e4 /* of the logarithmic scale at most, as colours are hard to tell apart */

#define LEGEND_NAME   "channel VF (%)"
#define LEGEND_Y      (BSR_SVG_HEAD_HEIGHT + 8)
#define LEGEND_WIDTH  220
#define LEGEND_SWATCH 14
#define LEGEND_HEIGHT 56
#define LEGEND_NOTE   18

/* The scale is logarithmic when the greatest value is more than this many times the mean of those
 * above 0: one harmless channel alone shall not take the contrast from the others. */
#define LINEAR_RATIO 10

typedef struct layout {
    int line;     /* channels in a line */
    double names; /* width in font sizes */
    double left, pitch, top, bottom;
    bsr_spread spread;
    bsr_axis axis; /* along the legend */
} layout;

/* One more than the last channel. */
static int channels_end(const bsr_layer_result *l)
{
    int end = 0;
    for (int c = 0; c < l->n_channels; c++)
        end = l->channels[c].index >= end ? l->channels[c].index + 1 : end;
    return end;
}

static int layer_lines(const bsr_layer_result *l, int line)
{
    return (channels_end(l) + line - 1) / line;
}

static double layer_height(const bsr_layer_result *l, int line)
{
    int lines = layer_lines(l, line);
    return lines ? lines * LINE + GAP : 0;
}

/* Whether values are below the scale. */
static int is_cut(const layout *l)
{
    return l->axis.log && l->spread.least < l->axis.lo;
}

static layout lay_out(const bsr_result *r)
{
    layout l = {.spread = BSR_SPREAD_INIT, .line = 1};
    double sum = 0, widest = bsr_text_width(LEGEND_NAME);
    int positive = 0;
    for (int i = 0; i < r->n_layers; i++) {
        const bsr_layer_result *layer = &r->layers[i];
        int end = channels_end(layer);
        if (end)
            widest = fmax(widest, bsr_text_width(layer->name));
        l.line = end > l.line ? end : l.line;
        for (int c = 0; c < layer->n_channels; c++) {
            double v = layer->channels[c].vf.value; /* the scale is for values alone */
            bsr_spread_add(&l.spread, (bsr_share){v, v, v});
            sum += v > 0 ? v : 0;
            positive += v > 0;
        }
    }
    l.line = l.line < MOST_LINE ? l.line : MOST_LINE;
    l.names = fmin(widest, MOST_NAME);
    l.left = NAME_X + l.names * BSR_SVG_FONT + 10;
    l.pitch = fmin((RIGHT - l.left) / l.line, MOST_PITCH);
    double least = fmax(l.spread.least, l.spread.greatest / DECADES);
    l.axis = l.spread.greatest * positive > LINEAR_RATIO * sum
                 ? bsr_axis_log(least, l.spread.greatest, 1)
                 : bsr_axis_linear(0, l.spread.highest, 5, 1);
    l.axis.from = l.left;
    l.axis.to = l.left + LEGEND_WIDTH;
    l.top = LEGEND_Y + LEGEND_HEIGHT + (is_cut(&l) ? LEGEND_NOTE : 0);
    l.bottom = l.top;
    for (int i = 0; i < r->n_layers; i++)
        l.bottom += layer_height(&r->layers[i], l.line);
    return l;
}

/* One hue from light to dark; lightness falls evenly, so that the order survives in grey. */
static const double ramp[][3] = {{224, 236, 247}, {92, 146, 196}, {8, 40, 84}};
enum { RAMP = sizeof ramp / sizeof *ramp };

typedef struct colour {
    char text[8];
} colour;

/* t: 0 light, 1 dark. */
static colour ramp_colour(double t)
{
    colour c;
    double at = fmin(fmax(t, 0), 1) * (RAMP - 1);
    int k = at < RAMP - 2 ? (int)at : RAMP - 2;
    int rgb[3];
    for (int i = 0; i < 3; i++)
        rgb[i] = (int)lround(ramp[k][i] + (at - k) * (ramp[k + 1][i] - ramp[k][i]));
    snprintf(c.text, sizeof c.text, "#%02x%02x%02x", rgb[0] & 255, rgb[1] & 255, rgb[2] & 255);
    return c;
}

static void define_paint(bsr_svg *s)
{
    bsr_strbuf_add(&s->b,
                   "<defs>\n<pattern id=\"%s-hatch\" width=\"4\" height=\"4\" "
                   "patternUnits=\"userSpaceOnUse\"><rect width=\"4\" height=\"4\" fill=\"#fff\"/>"
                   "<path d=\"M-1 1L1 -1M0 4L4 0M3 5L5 3\" stroke=\"#767676\"/></pattern>\n"
                   "<linearGradient id=\"%s-ramp\">",
                   s->id, s->id);
    for (int i = 0; i < RAMP; i++)
        bsr_strbuf_add(&s->b, "<stop offset=\"%d%%\" stop-color=\"%s\"/>", 100 * i / (RAMP - 1),
                       ramp_colour((double)i / (RAMP - 1)).text);
    bsr_strbuf_add(&s->b, "</linearGradient>\n</defs>\n");
}

/* How a cell of this value is painted. */
static void paint(char out[64], const bsr_svg *s, const layout *l, double v)
{
    if (isnan(v))
        snprintf(out, 64, "fill=\"url(#%s-hatch)\"", s->id);
    else if (l->axis.log && v <= 0)
        snprintf(out, 64, "fill=\"#fff\"");
    else
        snprintf(out, 64, "fill=\"%s\"",
                 ramp_colour((bsr_axis_at(&l->axis, v) - l->axis.from) / LEGEND_WIDTH).text);
}

/* A legend's single cell with its text; returns where the next one starts. */
static double swatch(bsr_svg *s, const layout *l, double x, double v, const char *text)
{
    char fill[64];
    paint(fill, s, l, v);
    bsr_svg_rect(s, x, LEGEND_Y, LEGEND_SWATCH, LEGEND_SWATCH, fill);
    bsr_svg_text(s, x + LEGEND_SWATCH + 5, LEGEND_Y + 11, 's', "stroke=\"none\"", "%s", text);
    return x + LEGEND_SWATCH + 5 + bsr_text_width(text) * BSR_SVG_FONT + 14;
}

static void draw_legend(bsr_svg *s, const layout *l, int unknown)
{
    char fill[64];
    bsr_svg_text(s, NAME_X, LEGEND_Y + 11, 's', "", "%s", LEGEND_NAME);
    snprintf(fill, sizeof fill, "fill=\"url(#%s-ramp)\"", s->id);
    bsr_svg_rect(s, l->left, LEGEND_Y, LEGEND_WIDTH, LEGEND_SWATCH, fill);
    bsr_svg_axis_x(s, &l->axis, LEGEND_Y + LEGEND_SWATCH, LEGEND_Y + LEGEND_SWATCH,
                   is_cut(l) ? "values below the scale: palest colour" : "");
    bsr_svg_open(s, "stroke=\"" BSR_SVG_SOFT "\" stroke-width=\"0.75\"");
    double x = l->left + LEGEND_WIDTH + 28;
    if (l->axis.log)
        x = swatch(s, l, x, 0, "0");
    if (unknown)
        swatch(s, l, x, NAN, "not observed");
    bsr_svg_close(s);
}

static void draw_layer(bsr_svg *s, const bsr_result *r, const bsr_layer_result *layer, double y,
                       const layout *l)
{
    char fill[64];
    bsr_svg_mark(s, "layer", "layer %d %s (%s): VF %s", layer->index, layer->name, layer->op,
                 bsr_share_words(layer->vf, r->confidence).text);
    bsr_svg_text(s, NAME_X - 10, y + 10, 'e', "", "%d", layer->index);
    bsr_svg_text(s, NAME_X, y + 10, 's', "", "%s", bsr_short_name(layer->name, l->names).text);
    bsr_svg_close(s);
    bsr_svg_open(s, "stroke=\"#b0b0b0\" stroke-width=\"0.5\"");
    for (int c = 0; c < layer->n_channels; c++) {
        const bsr_part *p = &layer->channels[c];
        if (p->index < 0)
            continue;
        paint(fill, s, l, p->vf.value);
        bsr_svg_mark(s, "cell", "layer %d, channel %d: VF %s", layer->index, p->index,
                     bsr_share_words(p->vf, r->confidence).text);
        bsr_svg_rect(s, l->left + p->index % l->line * l->pitch,
                     y + p->index / l->line * (double)LINE, l->pitch, LINE, fill);
        bsr_svg_close(s);
    }
    bsr_svg_close(s);
}

/* Channel numbers below, every 1, 2, 4, 8 or 16 columns. */
static void draw_numbers(bsr_svg *s, const layout *l, int wrapped)
{
    int step = 1;
    while (step * l->pitch < 26)
        step *= 2;
    bsr_svg_open(s, "class=\"x-ticks\"");
    for (int c = 0; c < l->line; c += step)
        bsr_svg_text(s, l->left + (c + 0.5) * l->pitch, l->bottom + 14, 'm', "", "%d", c);
    bsr_svg_close(s);
    char label[96] = "channel";
    if (wrapped)
        snprintf(label, sizeof label, "channel (modulo %d: longer layers go on in the next line)",
                 l->line);
    bsr_svg_text(s, l->left + l->line * l->pitch / 2, l->bottom + 32, 'm', "", "%s", label);
}

bsr_status bsr_svg_channels(char **out, const bsr_result *r)
{
    layout l = lay_out(r);
    bsr_svg s;
    int unknown = 0, wrapped = 0;
    bsr_picture_begin(&s, r, "channels", "Vulnerability factor of each channel",
                      "Heat map: a row for each layer, a cell for each output channel, the darker "
                      "the more of its faults are critical.",
                      WIDTH, l.bottom + FOOT);
    for (int i = 0; i < r->n_layers; i++) {
        wrapped |= layer_lines(&r->layers[i], l.line) > 1;
        for (int c = 0; c < r->layers[i].n_channels; c++)
            unknown |= isnan(r->layers[i].channels[c].vf.value) != 0;
    }
    define_paint(&s);
    draw_legend(&s, &l, unknown);
    double y = l.top;
    for (int i = 0; i < r->n_layers; i++) {
        if (channels_end(&r->layers[i]))
            draw_layer(&s, r, &r->layers[i], y, &l);
        y += layer_height(&r->layers[i], l.line);
    }
    draw_numbers(&s, &l, wrapped);
    return bsr_svg_take(out, &s);
}
