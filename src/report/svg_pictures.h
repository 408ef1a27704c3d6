/* The pictures of results, one file each, and what they have in common. Each is called with
 * something to draw (bsr_picture_possible) and gives a whole document, for bsr_free. */
#ifndef BSR_REPORT_SVG_PICTURES_H
#define BSR_REPORT_SVG_PICTURES_H

#include "bitseer/pictures.h"
#include "report/svg.h"
#include "report/svg_axis.h"
#include "report/svg_curve.h"
#include "report/svg_text.h"

BSR_NODISCARD bsr_status bsr_svg_layers(char **out, const bsr_result *result);
BSR_NODISCARD bsr_status bsr_svg_bits(char **out, const bsr_result *result);
BSR_NODISCARD bsr_status bsr_svg_channels(char **out, const bsr_result *result);

/* Starts the document: title, the run in a line as subtitle, and `what` with the MVF as <desc>. */
void bsr_picture_begin(bsr_svg *s, const bsr_result *result, const char *name, const char *title,
                       const char *what, double width, double height);

/* EINVAL with a message when there is nothing to draw or list. */
BSR_NODISCARD bsr_status bsr_picture_check(const bsr_result *result, bsr_picture picture);

#define BSR_PICTURE_FILE_WIDTH   18 /* of names in subtitles at most, in font sizes */
#define BSR_PICTURE_FORMAT_WIDTH 14

/* How points of accuracy against bit error rate are marked, by their bsr_error_model. */
extern const bsr_curve_kind bsr_model_kinds[BSR_MODELS];

/* Fields of a number format, highest bits first. */
typedef struct bsr_fields {
    const char *format;
    int exponent, mantissa; /* bits; one sign above them */
} bsr_fields;

/* Whether every fault changes one bit, which its position names. */
int bsr_single_bits(const bsr_result *result);

/* Fields of the format that all layers are stored in; NULL when they differ or it is no float. */
const bsr_fields *bsr_float_fields(const bsr_result *result);

#endif
