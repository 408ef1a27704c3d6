#include "campaign/lines.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/real_text.h"

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

/* Bytes of the UTF-8 character at s (RFC 3629); 0: none. */
static size_t utf8_bytes(const unsigned char *s)
{
    /* Lead byte and range of the second; further ones are 80..bf. */
    static const struct {
        unsigned char lead0, lead1, second0, second1, n;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (s[0] < forms[i].lead0 || s[0] > forms[i].lead1)
            continue;
        if (forms[i].n > 1 && (s[1] < forms[i].second0 || s[1] > forms[i].second1))
            return 0;
        for (size_t k = 2; k < forms[i].n; k++)
            if ((s[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].n;
    }
    return 0;
}

static void put_json(bsr_lines *l, const char *s)
{
    put_text(l, "\"");
    while (*s) {
        char escape[8];
        size_t n = utf8_bytes((const unsigned char *)s);
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
