/* Text from files made safe inside an HTML page. Failure sticks to the buffer. */
#ifndef BSR_REPORT_HTML_ESCAPE_H
#define BSR_REPORT_HTML_ESCAPE_H

#include "report/strbuf.h"

/* Adds text that is neither markup nor ends an attribute: & < > " ' become character references.
 * Bytes that are no UTF-8 and control characters but newline and tab become '?'. */
void bsr_html_text(bsr_strbuf *b, const char *text);

/* Adds a JSON text (as bsr_json_dump writes them: valid) for the inside of a <script> element,
 * which no "</script>" or "<!--" in a string can end: '<', '>', '&', U+2028 and U+2029 become
 * \u escapes, which mean the same in JSON. Blanks between values go. Whole numbers of more than 15
 * digits, which a double may not hold, become strings of digits. */
void bsr_html_json(bsr_strbuf *b, const char *json);

/* Adds n bytes as base64 (RFC 4648, section 4). */
void bsr_html_base64(bsr_strbuf *b, const char *bytes, size_t n);

#endif
