/* Scales with round ticks, and their drawing. */
#ifndef BSR_REPORT_SVG_AXIS_H
#define BSR_REPORT_SVG_AXIS_H

#include <math.h>

#include "bitseer/result.h"
#include "report/svg.h"
#include "report/svg_text.h"

#define BSR_AXIS_TICKS 16

typedef struct bsr_axis {
    int log;         /* base 10; else linear */
    int percent;     /* values are shares; ticks say percentages, without the sign */
    double lo, hi;   /* values at `from` and `to`, lo < hi; log: 0 < lo */
    double from, to; /* coordinates; set by the caller, 0 and 1 before */
    double zero;     /* log: coordinate where 0 stands, set by the caller; NaN: it has no place */
    int n_ticks;
    double ticks[BSR_AXIS_TICKS]; /* ascending, in lo..hi */
    int decimals;                 /* of the ticks' texts; linear only */
} bsr_axis;

/* From at most lo to at least hi, both multiples of a step of 1, 2 or 5 times a power of ten; about
 * `intervals` (2 to 12) steps (P. Heckbert, Nice numbers for graph labels, Graphics Gems, 1990).
 * Where hi <= lo, of 1 % or 1 from lo on. Finite values. */
bsr_axis bsr_axis_linear(double lo, double hi, int intervals, int percent);

/* From at most lo to at least hi, 0 < lo <= hi, both 1, 2 or 5 times a power of ten. Ticks at
 * powers of ten, every second or third one where there are many; between them where there are few.
 */
bsr_axis bsr_axis_log(double lo, double hi, int percent);

/* Where a value stands; log: values below lo at lo, but 0 at `zero`. */
double bsr_axis_at(const bsr_axis *axis, double value);

/* Collects values to choose a scale from. */
typedef struct bsr_spread {
    double highest;         /* of values and upper bounds; 0 before */
    double least, greatest; /* values above 0; Inf and 0 before */
    double least_bound;     /* lower bounds above 0, and upper bounds of values that are 0 */
    int zeros;              /* values and lower bounds that are 0 */
    int intervals;          /* intervals that are known and no point */
} bsr_spread;
#define BSR_SPREAD_INIT                                                                            \
    {                                                                                              \
        0, INFINITY, 0, INFINITY, 0, 0                                                             \
    }
void bsr_spread_add(bsr_spread *spread, bsr_share share);

/* The scale for shares with this spread: linear from 0, or logarithmic where the greatest value is
 * more than 30 times the least one above 0. A
 * logarithmic scale reaches to the bounds, but at most a decade below the least value. */
bsr_axis bsr_axis_for(const bsr_spread *spread, int intervals);

/* "NAME (%), whiskers: 95 % interval", `intervals` being how they are drawn; without them when the
 * spread has none. */
bsr_share_text bsr_scale_name(const char *name, const bsr_spread *spread, const char *intervals,
                              double confidence);

/* Draws ticks, their texts, grid lines and the scale's name. Horizontal: ticks below y, grid lines
 * up to `far`; vertical: ticks left of x, grid lines to the right up to `far`. */
void bsr_svg_axis_x(bsr_svg *s, const bsr_axis *axis, double y, double far, const char *name);
void bsr_svg_axis_y(bsr_svg *s, const bsr_axis *axis, double x, double far, const char *name);

/* The interval of a share along the scale, `vertical` or not, across at `at`, with end lines of
 * 2 * cap. Nothing for an interval that is unknown or a point; no end line where the interval goes
 * on beyond a logarithmic scale. */
void bsr_svg_whisker(bsr_svg *s, const bsr_axis *axis, bsr_share share, double at, double cap,
                     int vertical);

#endif
