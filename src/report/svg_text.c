#include "report/svg_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/real_text.h"
#include "base/utf8.h"

#define MOST 1e8

bsr_number bsr_fixed_text(double x, int decimals)
{
    bsr_number s = {"nan"};
    long long unit = 1;
    if (isnan(x))
        return s;
    for (int i = 0; i < decimals; i++)
        unit *= 10;
    long long n = llround(fmin(fmax(x, -MOST), MOST) * (double)unit);
    const char *sign = n < 0 ? "-" : "";
    n = llabs(n);
    if (decimals)
        snprintf(s.text, sizeof s.text, "%s%lld.%0*lld", sign, n / unit, decimals, n % unit);
    else
        snprintf(s.text, sizeof s.text, "%s%lld", sign, n);
    return s;
}

bsr_number bsr_digits_text(double x, int digits)
{
    bsr_number s;
    snprintf(s.text, sizeof s.text, "%.*e", digits - 1, x);
    double rounded = strtod(s.text, NULL); /* prints and reads the locale's point */
    bsr_real_text(s.text, rounded);
    return s;
}

int bsr_percent_decimals(double highest)
{
    int decimals = highest >= 0.1 ? 2 : 3;
    for (double least = 1e-3; decimals < 9 && highest > 0 && highest < least; least /= 10)
        decimals++;
    return decimals;
}

bsr_number bsr_fixed_percent(double share, int decimals)
{
    bsr_number s = {"\u2013"};
    if (isnan(share))
        return s;
    s = bsr_fixed_text(100 * share, decimals);
    if (share > 0 && strspn(s.text, "0.") == strlen(s.text)) {
        s.text[strlen(s.text) - 1] = '1';
        memmove(s.text + 1, s.text, strlen(s.text) + 1);
        s.text[0] = '<';
    }
    return s;
}

bsr_share_text bsr_share_words(bsr_share share, double confidence)
{
    bsr_share_text s = {"not observed"};
    if (isnan(share.value))
        return s;
    bsr_number value = bsr_digits_text(100 * share.value, 4);
    if (isnan(share.lo) || isnan(share.hi))
        snprintf(s.text, sizeof s.text, "%s %%, no interval", value.text);
    else if (share.lo == share.hi)
        snprintf(s.text, sizeof s.text, "%s %%, exact", value.text);
    else
        snprintf(s.text, sizeof s.text, "%.24s %%, %.12s %% interval [%.24s %%, %.24s %%]",
                 value.text, bsr_digits_text(100 * confidence, 6).text,
                 bsr_digits_text(100 * share.lo, 4).text, bsr_digits_text(100 * share.hi, 4).text);
    return s;
}

/* Widths in hundredths of the font size. */
enum { NARROW = 40, MIDDLE = 65, CAPITAL = 80, WIDE = 100 };

/* Bytes and width of the character at s; one that cannot be shown is shown as '?'. */
static size_t next_character(const char *s, int *width, int *shown)
{
    size_t n = bsr_utf8_bytes(s);
    *shown = n > 1 || (n == 1 && (unsigned char)*s >= 0x20 && *s != 0x7f);
    *width = n > 2 ? WIDE : MIDDLE; /* East Asian and the like from three bytes on */
    if (n == 1 && strchr("mwMW%@", *s))
        *width = WIDE;
    else if (n == 1 && strchr(" !'()[],-./:;Ifijlrt|", *s))
        *width = NARROW;
    else if (*s >= 'A' && *s <= 'Z')
        *width = CAPITAL;
    return n ? n : 1;
}

static int text_width(const char *text)
{
    int sum = 0;
    while (*text) {
        int width, shown;
        text += next_character(text, &width, &shown);
        sum += width;
    }
    return sum;
}

double bsr_text_width(const char *text)
{
    return text_width(text) / 100.0;
}

bsr_short_text bsr_short_name(const char *name, double most)
{
    bsr_short_text s = {""};
    int all = text_width(name), room = (int)lround(100 * most) - WIDE;
    int tail = room / 2, head = all > room + WIDE ? room - tail : all;
    int at = 0, cut = 0;
    char *to = s.text;
    for (size_t n; *name; name += n) {
        int width, shown;
        n = next_character(name, &width, &shown);
        int keep = at + width <= head || (cut && at >= all - tail);
        at += width;
        if (!keep && !cut) {
            memcpy(to, "\u2026", 3);
            to += 3;
            cut = 1;
        }
        if (!keep)
            continue;
        memcpy(to, shown ? name : "?", shown ? n : 1);
        to += shown ? n : 1;
    }
    *to = 0;
    return s;
}

const char *bsr_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
