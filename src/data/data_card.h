/* Data cards: YAML files that say which data a network takes and how. */
#ifndef BSR_DATA_DATA_CARD_H
#define BSR_DATA_DATA_CARD_H

#include <limits.h>
#include <stddef.h>

#include "bitseer/dataset.h"

#define BSR_MAX_CARD_BYTES ((size_t)1 << 16)

/* Largest class_offset (and its negative the smallest), resize and crop. */
#define BSR_MAX_CARD_NUMBER 65535

/* As bsr_dataset_options; what the card leaves out is NULL, 0 or the _DEFAULT value. Paths are as
 * written. Owns its strings and arrays. */
typedef struct bsr_card {
    char *data; /* never NULL after parsing */
    char *images, *labels;
    double *mean, *std;
    unsigned mean_count, std_count;
    char *order_text, *class_offset_text, *resize_text, *crop_text; /* parsed into the rest */
    bsr_channel_order order;
    int class_offset, resize, crop;
} bsr_card;

/* Parses the n bytes of a card without touching any file. `name` is for messages. EFORMAT, naming
 * the line: no YAML, an unknown, repeated or missing key, a value of the wrong kind; ELIMIT: more
 * than BSR_MAX_CARD_BYTES; ENOMEM. Caller frees *out; NULL on failure. */
bsr_status bsr_card_parse(bsr_card **out, const void *text, size_t n, const char *name);
void bsr_card_free(bsr_card *card);

#endif
