/* The page that web/ builds (web/dist/report.html), as bytes: src/CMakeLists.txt makes the array.
 * Markers <!--bitseer:NAME--> say where title, static and data go. */
#ifndef BSR_REPORT_HTML_PAGE_H
#define BSR_REPORT_HTML_PAGE_H

#include <stddef.h>

extern const unsigned char bsr_html_page[];
extern const size_t bsr_html_page_bytes;

#endif
