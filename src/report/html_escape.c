#include "report/html_escape.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

static const char *reference(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void bsr_html_text(bsr_strbuf *b, const char *text)
{
    for (const char *s = text; *s;) {
        const char *safe = reference(*s);
        size_t n = bsr_utf8_bytes(s);
        unsigned char c = (unsigned char)*s;
        if (safe)
            bsr_strbuf_append(b, safe, strlen(safe));
        else if (n == 0 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            bsr_strbuf_append(b, "?", 1);
        else
            bsr_strbuf_append(b, s, n);
        s += n ? n : 1;
    }
}

/* The length of the string that starts at s, with both quotes. */
static size_t string_length(const char *s)
{
    size_t n = 1;
    while (s[n] && s[n] != '"')
        n += s[n] == '\\' && s[n + 1] ? 2 : 1;
    return s[n] ? n + 1 : n;
}

/* Bytes of U+2028 or U+2029 at s, which are line ends in JavaScript before 2019; 0 for others. */
static int is_line_end(const char *s)
{
    return memcmp(s, "\xe2\x80\xa8", 3) == 0 || memcmp(s, "\xe2\x80\xa9", 3) == 0;
}

static void add_string(bsr_strbuf *b, const char *s, size_t n)
{
    size_t plain = 0; /* start of what needs no escape and is not added yet */
    for (size_t i = 0; i < n; i++) {
        int line_end = n - i >= 3 && is_line_end(s + i);
        if (!line_end && s[i] != '<' && s[i] != '>' && s[i] != '&')
            continue;
        bsr_strbuf_append(b, s + plain, i - plain);
        if (line_end)
            bsr_strbuf_add(b, "\\u202%c", s[i + 2] == '\xa8' ? '8' : '9');
        else
            bsr_strbuf_add(b, "\\u%04x", (unsigned)s[i]);
        i += line_end ? 2 : 0;
        plain = i + 1;
    }
    bsr_strbuf_append(b, s + plain, n - plain);
}

static void add_number(bsr_strbuf *b, const char *s, size_t n)
{
    size_t sign = *s == '-';
    int whole = strspn(s + sign, "0123456789") == n - sign;
    int quoted = whole && n - sign > 15;
    bsr_strbuf_append(b, "\"", (size_t)quoted);
    bsr_strbuf_append(b, s, n);
    bsr_strbuf_append(b, "\"", (size_t)quoted);
}

void bsr_html_json(bsr_strbuf *b, const char *json)
{
    for (const char *s = json; *s;) {
        size_t n = 1;
        if (*s == '"') {
            n = string_length(s);
            add_string(b, s, n);
        } else if (*s == '-' || (*s >= '0' && *s <= '9')) {
            n = strspn(s, "-+.eE0123456789");
            add_number(b, s, n);
        } else if (strchr(" \t\r\n", *s)) {
            n = strspn(s, " \t\r\n");
        } else {
            bsr_strbuf_append(b, s, 1);
        }
        s += n;
    }
}

void bsr_html_base64(bsr_strbuf *b, const char *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)bytes;
    for (size_t i = 0; i < n; i += 3) {
        size_t have = n - i < 3 ? n - i : 3;
        uint32_t v = (uint32_t)p[i] << 16;
        v |= have > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        v |= have > 2 ? p[i + 2] : 0;
        char group[4] = {digits[v >> 18], digits[v >> 12 & 63], digits[v >> 6 & 63],
                         digits[v & 63]};
        for (size_t k = have + 1; k < 4; k++)
            group[k] = '=';
        bsr_strbuf_append(b, group, 4);
    }
}
