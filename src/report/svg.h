/* A small vocabulary for drawing SVG 1.1 into text. Coordinates are units of the viewBox, y grows
 * downwards; they are written with at most two decimals, with a point whatever the locale. Failure
 * sticks and shows in bsr_svg_take. `attributes` are literal XML ("fill=\"#fff\""), "" for none;
 * other text is taken as it is and escaped: bytes that are no UTF-8 and characters that XML forbids
 * become '?'. */
#ifndef BSR_REPORT_SVG_H
#define BSR_REPORT_SVG_H

#include "report/strbuf.h"

/* Colours of all pictures. On white, ink and soft ink have a contrast of more than 7:1, bars and
 * lines of more than 3:1 (WCAG 2.1, 1.4.3 and 1.4.11); whiskers are legible on bars in grey too. */
#define BSR_SVG_INK   "#1a1a1a"
#define BSR_SVG_SOFT  "#545454"
#define BSR_SVG_BAR   "#6c96c4"
#define BSR_SVG_POINT "#1f4e79"
#define BSR_SVG_GRID  "#dcdcdc"
#define BSR_SVG_SHADE "#f4f4f4"

#define BSR_SVG_FONT 12 /* size of text where nothing else is said */

typedef struct bsr_svg {
    bsr_strbuf b;
    bsr_strbuf scratch; /* text before it is escaped */
    char id[32];        /* start of the ids of this document, "bits-0a1b2c3d" */
} bsr_svg;

typedef struct bsr_svg_head {
    const char *name;     /* [a-z]+; ids start with it and a hash of the texts, so that pictures can
                             stand in one page */
    const char *title;    /* drawn at the top, and the accessible name */
    const char *subtitle; /* drawn below; "" for none */
    const char *desc;     /* for screen readers: what the picture shows in a sentence or two */
    double width, height; /* of everything */
} bsr_svg_head;

/* Room at the top that title and subtitle take. */
#define BSR_SVG_HEAD_HEIGHT 52

/* Starts the document in *s, which is overwritten. */
void bsr_svg_begin(bsr_svg *s, const bsr_svg_head *head);

/* Ends the document and moves it to *out, NULL on failure; the caller frees it with bsr_free.
 * Nothing of *s is left either way. */
BSR_NODISCARD bsr_status bsr_svg_take(char **out, bsr_svg *s);

/* A group with these attributes, to bsr_svg_close. */
void bsr_svg_open(bsr_svg *s, const char *attributes);
void bsr_svg_close(bsr_svg *s);

/* A group of class `kind` for what stands for one number, with the text as its <title>: shown when
 * the pointer rests on it, read by screen readers. To bsr_svg_close. */
void bsr_svg_mark(bsr_svg *s, const char *kind, const char *fmt, ...) BSR_PRINTF(3, 4);

void bsr_svg_rect(bsr_svg *s, double x, double y, double width, double height,
                  const char *attributes);
void bsr_svg_line(bsr_svg *s, double x1, double y1, double x2, double y2, const char *attributes);

typedef struct bsr_svg_point {
    double x, y;
} bsr_svg_point;

/* Straight lines from point to point; closed: and back to the first one. */
void bsr_svg_lines(bsr_svg *s, const bsr_svg_point *points, size_t n, int closed,
                   const char *attributes);

void bsr_svg_disc(bsr_svg *s, double x, double y, double radius, const char *attributes);

/* Text on the baseline y. anchor: 's' starts, 'm' is centred, 'e' ends at x. */
void bsr_svg_text(bsr_svg *s, double x, double y, char anchor, const char *attributes,
                  const char *fmt, ...) BSR_PRINTF(6, 7);

/* The pieces, for what is not above: a coordinate, escaped text. */
void bsr_svg_coordinate(bsr_strbuf *b, double v);
void bsr_svg_escape(bsr_strbuf *b, const char *text);

#endif
