/* Numbers, intervals and names as pictures show them: UTF-8, a point whatever the locale. Text of
 * pictures is escaped where it is drawn (svg.h). */
#ifndef BSR_REPORT_SVG_TEXT_H
#define BSR_REPORT_SVG_TEXT_H

#include "bitseer/result.h"
#include "report/table.h"

/* `decimals` (0 to 9) digits behind the point, ties away from 0, never "-0"; "nan" for NaN. Values
 * are cut at 1e8, which is beyond every picture. */
bsr_number bsr_fixed_text(double x, int decimals);

/* At most `digits` (1 to 15) significant digits: "1.39", "5e-06", "40.6", "nan". */
bsr_number bsr_digits_text(double x, int digits);

/* Decimals with which percentages of shares up to `highest` are shown: 2 from 10 % on, else 3 or
 * more. */
int bsr_percent_decimals(double highest);

/* A share as a percentage without the sign: "1.393"; "<0.001" where all digits would be 0 but the
 * share is not; "\u2013" (a dash) for NaN. */
bsr_number bsr_fixed_percent(double share, int decimals);

/* A share and its interval in words: "1.393 %, 95 % interval [1.265 %, 1.522 %]"; "3.425 %, exact"
 * where the interval is a point; "1.393 %, no interval" where a bound is NaN; "not observed". Four
 * significant digits. */
typedef struct bsr_share_text {
    char text[128];
} bsr_share_text;
bsr_share_text bsr_share_words(bsr_share share, double confidence);

/* How wide a line of text is, in font sizes: what DejaVu Sans needs, which is among the widest of
 * the sans-serif fonts, rounded up. */
double bsr_text_width(const char *text);

/* A name at most `width` (3 to 40) font sizes wide: a longer one loses its middle, as both ends of
 * a node's name tell more: "/layer3/…conv2/Conv". Bytes that are no UTF-8, and control characters,
 * become '?'. */
typedef struct bsr_short_text {
    char text[512];
} bsr_short_text;
bsr_short_text bsr_short_name(const char *name, double width);

/* What stands behind the last '/' of a path. */
const char *bsr_file_name(const char *path);

#endif
