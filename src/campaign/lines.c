#include "campaign/lines.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/real_text.h"
#include "base/utf8.h"

static void put(bsr_lines *l, const char *s, size_t n)
{
    if (l->status == BSR_OK)
        l->status = bsr_file_put(l->to, s, n);
}

static void put_text(bsr_lines *l, const char *s)
{
    put(l, s, strlen(s));
}

void bsr_lines_begin(bsr_lines *l, bsr_file_writer *to, int json, const char *const *names,
                     int n_names)
{
    *l = (bsr_lines){.to = to, .names = names, .n_names = n_names, .json = json};
    if (json)
        put_text(l, "[");
    for (int i = 0; i < n_names && !json; i++) {
        put_text(l, i ? "," : "");
        put_text(l, names[i]);
    }
    put_text(l, json ? "" : "\n");
}

/* What stands before a field. */
static void begin_field(bsr_lines *l)
{
    if (l->json) {
        put_text(l, l->column ? ", \"" : l->rows ? ",\n{\"" : "\n{\"");
        put_text(l, l->names[l->column]);
        put_text(l, "\": ");
    } else if (l->column) {
        put_text(l, ",");
    }
    l->column++;
}

static void missing(bsr_lines *l)
{
    begin_field(l);
    put_text(l, l->json ? "null" : "");
}

static void put_csv(bsr_lines *l, const char *s)
{
    if (!strpbrk(s, ",\"\r\n")) {
        put_text(l, s);
        return;
    }
    put_text(l, "\"");
    for (; *s; s++)
        put(l, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
    put_text(l, "\"");
}

static void put_json(bsr_lines *l, const char *s)
{
    put_text(l, "\"");
    while (*s) {
        char escape[8];
        size_t n = bsr_utf8_bytes(s);
        if (n == 0) {
            put_text(l, "?");
        } else if (*s == '"' || *s == '\\') {
            snprintf(escape, sizeof escape, "\\%c", *s);
            put_text(l, escape);
        } else if ((unsigned char)*s < 0x20) {
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned)*s);
            put_text(l, escape);
        } else {
            put(l, s, n);
        }
        s += n ? n : 1;
    }
    put_text(l, "\"");
}

void bsr_lines_text(bsr_lines *l, const char *s)
{
    begin_field(l);
    if (l->json)
        put_json(l, s);
    else
        put_csv(l, s);
}

void bsr_lines_int(bsr_lines *l, int64_t i)
{
    char text[24];
    if (i < 0) {
        missing(l);
        return;
    }
    begin_field(l);
    snprintf(text, sizeof text, "%" PRId64, i);
    put_text(l, text);
}

void bsr_lines_real(bsr_lines *l, double x)
{
    char text[32];
    if (!isfinite(x)) {
        missing(l);
        return;
    }
    bsr_real_text(text, x);
    begin_field(l);
    put_text(l, text);
}

void bsr_lines_hex(bsr_lines *l, uint32_t x, int digits)
{
    char text[16];
    snprintf(text, sizeof text, l->json ? "\"0x%0*" PRIx32 "\"" : "0x%0*" PRIx32, digits, x);
    begin_field(l);
    put_text(l, text);
}

bsr_status bsr_lines_end_row(bsr_lines *l)
{
    put_text(l, l->json ? "}" : "\n");
    l->column = 0;
    l->rows++;
    return l->status;
}

bsr_status bsr_lines_end(bsr_lines *l)
{
    if (l->json)
        put_text(l, l->rows ? "\n]\n" : "]\n");
    return l->status;
}
