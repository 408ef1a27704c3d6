/* Bars of the layers' VFs. */
#include <math.h>

#include "report/svg_pictures.h"

#define WIDTH     760
#define TOP       (BSR_SVG_HEAD_HEIGHT + 26) /* of the bars, under a line of column titles */
#define BOTTOM    52                         /* of the scale */
#define NAME_X    48                         /* after the column of numbers */
#define MOST_NAME 20                         /* width of a name in font sizes */
#define VALUES    70                         /* width of the column of values */
#define MANY      24                         /* layers from which on rows are low */

typedef struct layout {
    double row, font, left, right, bottom;
    double names; /* width in font sizes */
    int decimals;
    bsr_spread spread;
    bsr_axis axis;
} layout;

static layout lay_out(const bsr_result *r)
{
    int many = r->n_layers > MANY;
    double widest = 3;
    layout l = {.row = many ? 14 : 22,
                .font = many ? 10.5 : BSR_SVG_FONT,
                .spread = BSR_SPREAD_INIT,
                .right = WIDTH - VALUES - 10};
    bsr_spread_add(&l.spread, r->mvf);
    for (int i = 0; i < r->n_layers; i++) {
        widest = fmax(widest, bsr_text_width(r->layers[i].name));
        bsr_spread_add(&l.spread, r->layers[i].vf);
    }
    l.names = fmin(widest, MOST_NAME);
    l.decimals = bsr_percent_decimals(l.spread.greatest);
    l.left = NAME_X + l.names * l.font + 10;
    l.bottom = TOP + l.row * r->n_layers;
    l.axis = bsr_axis_linear(0, l.spread.highest, 5, 1);
    l.axis.from = l.left;
    l.axis.to = l.right;
    return l;
}

static void draw_stripes(bsr_svg *s, const bsr_result *r, const layout *l)
{
    bsr_svg_open(s, "fill=\"" BSR_SVG_SHADE "\"");
    for (int i = 1; i < r->n_layers; i += 2)
        bsr_svg_rect(s, 12, TOP + l->row * i, WIDTH - 24, l->row, "");
    bsr_svg_close(s);
}

static void draw_layer(bsr_svg *s, const bsr_result *r, int i, const layout *l)
{
    const bsr_layer_result *layer = &r->layers[i];
    double middle = TOP + l->row * (i + 0.5), base = middle + l->font * 0.35;
    double half = l->row / 2 - (l->row > 16 ? 4 : 2.5);
    bsr_svg_mark(s, "layer", "layer %d %s (%s): VF %s", layer->index, layer->name, layer->op,
                 bsr_share_words(layer->vf, r->confidence).text);
    bsr_svg_text(s, NAME_X - 10, base, 'e', "", "%d", layer->index);
    bsr_svg_text(s, NAME_X, base, 's', "", "%s", bsr_short_name(layer->name, l->names).text);
    if (isnan(layer->vf.value)) {
        bsr_svg_text(s, l->left + 6, base, 's', "fill=\"" BSR_SVG_SOFT "\" font-style=\"italic\"",
                     "not observed");
    } else {
        bsr_svg_rect(s, l->left, middle - half, bsr_axis_at(&l->axis, layer->vf.value) - l->left,
                     2 * half, "class=\"bar\" fill=\"" BSR_SVG_BAR "\"");
        bsr_svg_whisker(s, &l->axis, layer->vf, middle, half - 2, 0);
    }
    bsr_svg_text(s, WIDTH - 18, base, 'e', "class=\"value\"", "%s",
                 bsr_fixed_percent(layer->vf.value, l->decimals).text);
    bsr_svg_close(s);
}

static void draw_mvf(bsr_svg *s, const bsr_result *r, const layout *l)
{
    if (isnan(r->mvf.value))
        return;
    double x = bsr_axis_at(&l->axis, r->mvf.value);
    int at_end = x > (l->left + l->right) / 2; /* the text stays clear of the ends */
    bsr_svg_mark(s, "mvf", "MVF, the whole model: %s", bsr_share_words(r->mvf, r->confidence).text);
    bsr_svg_line(s, x, TOP - 10, x, l->bottom,
                 "stroke=\"" BSR_SVG_INK "\" stroke-width=\"1.2\" stroke-dasharray=\"5 3\"");
    bsr_svg_text(s, at_end ? x - 4 : x + 4, TOP - 6, at_end ? 'e' : 's', "", "MVF %s %%",
                 bsr_fixed_percent(r->mvf.value, l->decimals).text);
    bsr_svg_close(s);
}

bsr_status bsr_svg_layers(char **out, const bsr_result *r)
{
    layout l = lay_out(r);
    bsr_svg s;
    bsr_picture_begin(&s, r, "layers", "Vulnerability factor of each layer",
                      "Bars: share of critical faults in each layer, in the order of the network.",
                      WIDTH, l.bottom + BOTTOM);
    draw_stripes(&s, r, &l);
    bsr_svg_open(&s, "font-weight=\"bold\"");
    bsr_svg_text(&s, NAME_X, TOP - 6, 's', "", "layer");
    bsr_svg_text(&s, WIDTH - 18, TOP - 6, 'e', "", "VF (%%)");
    bsr_svg_close(&s);
    bsr_svg_axis_x(
        &s, &l.axis, l.bottom, TOP,
        bsr_scale_name("vulnerability factor", &l.spread, "whiskers", r->confidence).text);
    bsr_svg_open(&s, l.row < 16 ? "font-size=\"10.5\"" : "");
    for (int i = 0; i < r->n_layers; i++)
        draw_layer(&s, r, i, &l);
    bsr_svg_close(&s);
    draw_mvf(&s, r, &l);
    return bsr_svg_take(out, &s);
}
