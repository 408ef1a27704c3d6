/* A chart of shares against a number: several series with their intervals. */
#ifndef BSR_REPORT_SVG_CURVE_H
#define BSR_REPORT_SVG_CURVE_H

#include "bitseer/result.h"

typedef struct bsr_curve_point {
    double x;    /* finite; on a logarithmic axis at least 0 */
    bsr_share y; /* a NaN value: the point is left out and the line is broken */
    int kind;    /* of the curve's kinds, where it has some */
} bsr_curve_point;

typedef enum bsr_marker {
    BSR_MARKER_DISC,
    BSR_MARKER_SQUARE,
    BSR_MARKER_DIAMOND,
    BSR_MARKER_TRIANGLE
} bsr_marker;

/* How points were obtained, shown by their markers. The line to a predicted point, and from it, is
 * dashed. */
typedef struct bsr_curve_kind {
    const char *name; /* in the legend, and in the points' texts */
    bsr_marker marker;
    int predicted; /* hollow */
} bsr_curve_kind;

typedef struct bsr_curve_series {
    const char *name;
    int n;
    const bsr_curve_point *points; /* ascending x */
} bsr_curve_series;

typedef struct bsr_curve {
    const char *name; /* of the picture, [a-z]+ */
    const char *title, *subtitle, *desc;
    const char *x_name, *y_name;     /* of the axes, without the unit % */
    const char *x_symbol, *y_symbol; /* short, for the points' texts: "BER", "accuracy" */
    int x_log;                       /* 0 gets a place of its own, apart from the scale */
    int x_percent;                   /* x is a share, shown in % */
    int y_linear; /* from 0 in any case; else logarithmic where shares differ much */
    int bands;    /* intervals as shaded bands, for many points; else as whiskers */
    double confidence;
    int n_series; /* at least 1; lines and markers repeat after 8 */
    const bsr_curve_series *series;
    int n_kinds; /* 0: all points are of one */
    const bsr_curve_kind *kinds;
    const char *reference_name; /* a dashed horizontal line at `reference`; NULL: none */
    double reference;           /* share */
} bsr_curve;

/* EINVAL: no point with a known share, "picture 'NAME': ..."; ENOMEM. The caller frees *out, NULL
 * on failure, with bsr_free. */
BSR_NODISCARD bsr_status bsr_svg_curve(char **out, const bsr_curve *curve);

#endif
