/* Parts that several reports for people have in common. */
#ifndef BSR_REPORT_TEXT_PARTS_H
#define BSR_REPORT_TEXT_PARTS_H

#include <stdint.h>

#include "report/table.h"

/* "single bit flips" for "bitflip" and the like; "fault FAULT" where FAULT says enough itself. */
bsr_number bsr_fault_text(const char *fault);

/* "stored as FORMAT: golden accuracy ... against ... as given" as a line of its own; nothing when
 * the format is "" or NULL. loss: of accuracy, as a share. */
void bsr_print_format(bsr_strbuf *b, const char *format, uint64_t correct, uint64_t images,
                      double loss);

/* n / whole as a percentage, "-" for 0 / 0. */
bsr_number bsr_percent_of(uint64_t n, uint64_t whole);

/* Four significant digits, "-" for NaN. */
bsr_number bsr_real_cell(double x);

#endif
