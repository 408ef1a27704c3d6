#include "report/svg.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "report/svg_text.h"

void bsr_svg_coordinate(bsr_strbuf *b, double v)
{
    bsr_number text = bsr_fixed_text(v, 2);
    size_t n = strlen(text.text);
    while (text.text[n - 1] == '0')
        n--;
    if (text.text[n - 1] == '.')
        n--;
    bsr_strbuf_append(b, text.text, n);
}

/* U+FFFE and U+FFFF are UTF-8 but no characters of XML. */
static int is_xml(const char *s, size_t n)
{
    if (n == 1)
        return (unsigned char)*s >= 0x20 || *s == '\t' || *s == '\n';
    return n != 3 || (memcmp(s, "\xef\xbf\xbe", 3) != 0 && memcmp(s, "\xef\xbf\xbf", 3) != 0);
}

void bsr_svg_escape(bsr_strbuf *b, const char *text)
{
    static const struct {
        char c;
        const char *entity;
    } entities[] = {
        {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"},
    };
    while (*text) {
        size_t n = bsr_utf8_bytes(text), e = 0;
        while (e < sizeof entities / sizeof *entities && entities[e].c != *text)
            e++;
        if (e < sizeof entities / sizeof *entities)
            bsr_strbuf_append(b, entities[e].entity, strlen(entities[e].entity));
        else if (n && is_xml(text, n))
            bsr_strbuf_append(b, text, n);
        else
            bsr_strbuf_append(b, "?", 1);
        text += n ? n : 1;
    }
}

/* Adds formatted text, escaped. */
static void add_escaped(bsr_svg *s, const char *fmt, va_list ap)
{
    s->scratch.n = 0;
    bsr_strbuf_vadd(&s->scratch, fmt, ap);
    if (s->scratch.status == BSR_OK)
        bsr_svg_escape(&s->b, s->scratch.text);
}

/* FNV-1a. */
static uint32_t hash_text(uint32_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT32_C(16777619);
    return hash;
}

static void add_element(bsr_svg *s, const char *name, const char *id, const char *text)
{
    bsr_strbuf_add(&s->b, "<%s id=\"%s-%s\">", name, s->id, id);
    bsr_svg_escape(&s->b, text);
    bsr_strbuf_add(&s->b, "</%s>\n", name);
}

void bsr_svg_begin(bsr_svg *s, const bsr_svg_head *h)
{
    *s = (bsr_svg){.b = {0}};
    uint32_t hash = UINT32_C(2166136261);
    hash = hash_text(hash_text(hash_text(hash, h->title), h->subtitle), h->desc);
    snprintf(s->id, sizeof s->id, "%.20s-%08" PRIx32, h->name, hash);
    bsr_strbuf_add(&s->b,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" viewBox=\"0 0 %.0f "
                   "%.0f\" width=\"100%%\" style=\"max-width:%.0fpx\" role=\"img\" "
                   "aria-labelledby=\"%s-title %s-desc\" font-family=\"sans-serif\" "
                   "font-size=\"%d\" fill=\"" BSR_SVG_INK "\">\n",
                   h->width, h->height, h->width, s->id, s->id, BSR_SVG_FONT);
    add_element(s, "title", "title", h->title);
    add_element(s, "desc", "desc", h->desc);
    bsr_svg_rect(s, 0, 0, h->width, h->height, "fill=\"#fff\"");
    bsr_svg_text(s, 16, 23, 's', "font-size=\"15\" font-weight=\"bold\"", "%s", h->title);
    if (*h->subtitle)
        bsr_svg_text(s, 16, 41, 's', "fill=\"" BSR_SVG_SOFT "\"", "%s", h->subtitle);
}

bsr_status bsr_svg_take(char **out, bsr_svg *s)
{
    bsr_strbuf_add(&s->b, "</svg>\n");
    if (s->b.status == BSR_OK)
        s->b.status = s->scratch.status;
    bsr_free(s->scratch.text);
    s->scratch = (bsr_strbuf){0};
    return bsr_strbuf_take(out, &s->b);
}

void bsr_svg_open(bsr_svg *s, const char *attributes)
{
    bsr_strbuf_add(&s->b, *attributes ? "<g %s>\n" : "<g%s>\n", attributes);
}

void bsr_svg_close(bsr_svg *s)
{
    bsr_strbuf_add(&s->b, "</g>\n");
}

void bsr_svg_mark(bsr_svg *s, const char *kind, const char *fmt, ...)
{
    bsr_strbuf_add(&s->b, "<g class=\"%s\"><title>", kind);
    va_list ap;
    va_start(ap, fmt);
    add_escaped(s, fmt, ap);
    va_end(ap);
    bsr_strbuf_add(&s->b, "</title>\n");
}

/* Starts an element; names and values end with NULL. */
static void begin_shape(bsr_svg *s, const char *element, const char *const names[],
                        const double values[])
{
    bsr_strbuf_add(&s->b, "<%s", element);
    for (int i = 0; names[i]; i++) {
        bsr_strbuf_add(&s->b, " %s=\"", names[i]);
        bsr_svg_coordinate(&s->b, values[i]);
        bsr_strbuf_add(&s->b, "\"");
    }
}

static void end_element(bsr_svg *s, const char *attributes)
{
    bsr_strbuf_add(&s->b, *attributes ? " %s/>\n" : "%s/>\n", attributes);
}

void bsr_svg_rect(bsr_svg *s, double x, double y, double width, double height,
                  const char *attributes)
{
    static const char *const names[] = {"x", "y", "width", "height", NULL};
    const double values[] = {x, y, width, height};
    begin_shape(s, "rect", names, values);
    end_element(s, attributes);
}

void bsr_svg_line(bsr_svg *s, double x1, double y1, double x2, double y2, const char *attributes)
{
    static const char *const names[] = {"x1", "y1", "x2", "y2", NULL};
    const double values[] = {x1, y1, x2, y2};
    begin_shape(s, "line", names, values);
    end_element(s, attributes);
}

void bsr_svg_disc(bsr_svg *s, double x, double y, double radius, const char *attributes)
{
    static const char *const names[] = {"cx", "cy", "r", NULL};
    const double values[] = {x, y, radius};
    begin_shape(s, "circle", names, values);
    end_element(s, attributes);
}

void bsr_svg_lines(bsr_svg *s, const bsr_svg_point *points, size_t n, int closed,
                   const char *attributes)
{
    bsr_strbuf_add(&s->b, "<%s points=\"", closed ? "polygon" : "polyline");
    for (size_t i = 0; i < n; i++) {
        bsr_strbuf_add(&s->b, i ? " " : "");
        bsr_svg_coordinate(&s->b, points[i].x);
        bsr_strbuf_add(&s->b, ",");
        bsr_svg_coordinate(&s->b, points[i].y);
    }
    bsr_strbuf_add(&s->b, "\"");
    end_element(s, attributes);
}

void bsr_svg_text(bsr_svg *s, double x, double y, char anchor, const char *attributes,
                  const char *fmt, ...)
{
    bsr_strbuf_add(&s->b, "<text x=\"");
    bsr_svg_coordinate(&s->b, x);
    bsr_strbuf_add(&s->b, "\" y=\"");
    bsr_svg_coordinate(&s->b, y);
    bsr_strbuf_add(&s->b, "\"%s%s%s>",
                   anchor == 'm'   ? " text-anchor=\"middle\""
                   : anchor == 'e' ? " text-anchor=\"end\""
                                   : "",
                   *attributes ? " " : "", attributes);
    va_list ap;
    va_start(ap, fmt);
    add_escaped(s, fmt, ap);
    va_end(ap);
    bsr_strbuf_add(&s->b, "</text>\n");
}
