/* Rows of named fields as comma-separated values (RFC 4180, but lines end in \n alone) or as one
 * JSON array with an object a line, written as they come. */
#ifndef BSR_CAMPAIGN_LINES_H
#define BSR_CAMPAIGN_LINES_H

#include <stdint.h>

#include "base/file.h"

/* Private. A failure sticks and is returned by bsr_lines_end_row and bsr_lines_end. */
typedef struct bsr_lines {
    bsr_file_writer *to;
    const char *const *names;
    int n_names, json;
    int column; /* of the next field */
    uint64_t rows;
    bsr_status status;
} bsr_lines;

/* Writes the line of names, or the bracket. names: [n_names] plain words, borrowed. */
void bsr_lines_begin(bsr_lines *l, bsr_file_writer *to, int json, const char *const *names,
                     int n_names);

/* The next field of the row. Missing ones are empty in CSV and null in JSON: a negative number, a
 * NaN or infinity. text: any bytes; in JSON those that are no UTF-8 become '?'. real: few digits
 * that read back the same. hex: "0x" and `digits` digits, as text. */
void bsr_lines_text(bsr_lines *l, const char *s);
void bsr_lines_int(bsr_lines *l, int64_t i);
void bsr_lines_real(bsr_lines *l, double x);
void bsr_lines_hex(bsr_lines *l, uint32_t x, int digits);

/* Between rows, after n_names fields. */
bsr_status bsr_lines_end_row(bsr_lines *l);

/* After the last row. */
bsr_status bsr_lines_end(bsr_lines *l);

#endif
