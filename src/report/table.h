/* Tables for people, and the numbers in them. Plain ASCII. */
#ifndef BSR_REPORT_TABLE_H
#define BSR_REPORT_TABLE_H

#include <stdint.h>

#include "bitseer/result.h"
#include "report/strbuf.h"

#define BSR_TABLE_COLUMNS 12
#define BSR_TABLE_WIDTH   100

typedef struct bsr_column {
    char title[24];
    int left;
    int elastic;
} bsr_column;

typedef struct bsr_table {
    bsr_column columns[BSR_TABLE_COLUMNS];
    int n_columns;
    char **cells; /* row-major, owned */
    size_t n, cap;
    bsr_status status;
} bsr_table;

/* titles: the columns' titles with '|' between them. Numbers stand right; '<' before a title puts
 * the column's cells left, and '~' lets them lose their middle, the widest column first, where the
 * table would be wider than BSR_TABLE_WIDTH. */
void bsr_table_init(bsr_table *t, const char *titles);

/* Adds the next cell, rows from left to right. Failure sticks and shows in bsr_table_print. */
void bsr_table_cell(bsr_table *t, const char *fmt, ...) BSR_PRINTF(2, 3);

/* Prints the title line and the rows to b and frees the cells. Bytes that are no printable ASCII
 * become '?'. */
void bsr_table_print(bsr_table *t, bsr_strbuf *b);

/* Room that every text below fits into. */
typedef struct bsr_number {
    char text[48];
} bsr_number;

/* A share as a percentage without the sign: "12.345", "0", "100", "2.1e-05", "-" for NaN. */
bsr_number bsr_percent(double share);

/* "[1.234, 5.678]" in per cent; "exact" where the interval is a point, "-" where it is NaN. */
bsr_number bsr_percent_interval(bsr_share share);

/* All digits up to 9,999,999, then "12.3M", "4.56G", ... */
bsr_number bsr_count_text(uint64_t n);

/* "12 B", "3.4 KiB", "1.2 GiB". */
bsr_number bsr_bytes_text(uint64_t n);

/* `share` of `whole` as up to `width` marks; at least one when it is above 0. */
bsr_number bsr_bar(double share, double whole, int width);

#endif
