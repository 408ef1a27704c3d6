/* Numbers as short as they can be. */
#ifndef BSR_BASE_REAL_TEXT_H
#define BSR_BASE_REAL_TEXT_H

/* Writes the fewest of 15 to 17 digits that read back to the same double, with a point whatever
 * the locale says: "0.1", "1e+16", "5"; "nan", "inf", "-inf". Returns the length. */
int bsr_real_text(char text[32], double x);

#endif
