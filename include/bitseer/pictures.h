/* Pictures and tables of results, for papers and reports. */
#ifndef BITSEER_PICTURES_H
#define BITSEER_PICTURES_H

#include "bitseer/campaign.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One self-contained SVG 1.1 document, UTF-8: no script, no font file, no colour that carries
 * meaning alone (readable in black-and-white print), with <title> and <desc> for screen readers.
 * The same result gives the same text. Caller frees with bsr_text_free. */
typedef enum bsr_picture {
    BSR_PICTURE_LAYERS,   /* VF of every layer with its interval */
    BSR_PICTURE_BITS,     /* VF of every bit position over the network */
    BSR_PICTURE_CHANNELS, /* heat map of the VF of channels by layer; needs per_channel */
    BSR_PICTURES
} bsr_picture;

/* "layers", "bits", "channels"; NULL for another number. */
BSR_PUBLIC const char *bsr_picture_name(bsr_picture picture);

/* Whether the result has something to draw: layers; bits with positions (not with faults that have
 * none); channels that were reported. */
BSR_PUBLIC int bsr_picture_possible(const bsr_result *result, bsr_picture picture);

/* EINVAL: no such picture, or the result has nothing to draw in it (channels were not reported);
 * ENOMEM. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_result_svg(char **out, const bsr_result *result,
                                                   bsr_picture picture);

/* Accuracy against bit error rate with intervals, rates on a logarithmic axis. EINVAL: no rate has
 * a run yet; ENOMEM. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_sweep_svg(char **out, const bsr_sweep_result *result);

/* The same as lines of comma-separated values under a line of names, fields quoted as RFC 4180
 * says, lines ended by a line feed as those of bsr_run_export: every layer, bit or channel with its
 * counts, VF and interval; every rate. Numbers have the fewest of 15 to 17 digits that read back to
 * the same double; what is not known (NaN, counts that rays do not tell) is empty; bytes of names
 * that are no UTF-8 are '?'. Errors as above, but a sweep may be without runs. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_result_csv(char **out, const bsr_result *result,
                                                   bsr_picture picture);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_sweep_csv(char **out, const bsr_sweep_result *result);

#ifdef __cplusplus
}
#endif
#endif
