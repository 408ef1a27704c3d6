#include "report/table.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define MIN_ELASTIC 8

void bsr_table_init(bsr_table *t, const char *titles)
{
    *t = (bsr_table){.n_columns = 0};
    for (const char *p = titles; p && t->n_columns < BSR_TABLE_COLUMNS; t->n_columns++) {
        bsr_column *c = &t->columns[t->n_columns];
        for (; *p == '<' || *p == '~'; p++)
            *(*p == '<' ? &c->left : &c->elastic) = 1;
        int n = (int)strcspn(p, "|");
        snprintf(c->title, sizeof c->title, "%.*s", n, p);
        p = p[n] ? p + n + 1 : NULL;
    }
}

/* Names come from files; control characters and escapes stay out of terminals. */
static void make_printable(char *s)
{
    for (; *s; s++)
        if (*s < 0x20 || *s > 0x7e)
            *s = '?';
}

void bsr_table_cell(bsr_table *t, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    make_printable(text);
    if (t->status == BSR_OK)
        t->status = bsr_grow(&t->cells, &t->cap, t->n + 1, sizeof *t->cells);
    if (t->status != BSR_OK)
        return;
    t->cells[t->n] = bsr_strdup(text);
    if (t->cells[t->n])
        t->n++;
    else
        t->status = BSR_ENOMEM;
}

/* Column widths, and the blanks between columns as the result. */
static int lay_out(const bsr_table *t, int *widths)
{
    int total = 0;
    for (int c = 0; c < t->n_columns; c++) {
        widths[c] = (int)strlen(t->columns[c].title);
        for (size_t i = (size_t)c; i < t->n; i += (size_t)t->n_columns) {
            int n = (int)strlen(t->cells[i]);
            widths[c] = n > widths[c] ? n : widths[c];
        }
        total += widths[c];
    }
    int gap = total + 2 * (t->n_columns - 1) <= BSR_TABLE_WIDTH ? 2 : 1;
    for (total += gap * (t->n_columns - 1); total > BSR_TABLE_WIDTH; total--) {
        int widest = -1;
        for (int c = 0; c < t->n_columns; c++)
            if (t->columns[c].elastic && widths[c] > MIN_ELASTIC &&
                (widest < 0 || widths[c] >= widths[widest]))
                widest = c;
        if (widest < 0)
            break;
        widths[widest]--;
    }
    return gap;
}

static void print_cell(bsr_strbuf *b, const char *text, int width, int left)
{
    int n = (int)strlen(text);
    if (n > width) {
        /* Both ends of a node's name tell more than its middle: /layer3/..conv2/Conv. */
        int tail = (width - 2) / 2, head = width - 2 - tail;
        bsr_strbuf_add(b, "%.*s..%s", head, text, text + n - tail);
        return;
    }
    if (!left)
        bsr_strbuf_fill(b, ' ', (size_t)(width - n));
    bsr_strbuf_add(b, "%s", text);
    if (left)
        bsr_strbuf_fill(b, ' ', (size_t)(width - n));
}

static void end_line(bsr_strbuf *b)
{
    if (b->status == BSR_OK)
        while (b->n && b->text[b->n - 1] == ' ')
            b->n--;
    bsr_strbuf_add(b, "\n");
}

void bsr_table_print(bsr_table *t, bsr_strbuf *b)
{
    int widths[BSR_TABLE_COLUMNS];
    if (t->status != BSR_OK) {
        b->status = t->status;
    } else {
        int gap = lay_out(t, widths);
        for (int c = 0; c < t->n_columns; c++) {
            bsr_strbuf_fill(b, ' ', c ? (size_t)gap : 0);
            print_cell(b, t->columns[c].title, widths[c], t->columns[c].left);
        }
        end_line(b);
        for (size_t i = 0; i < t->n; i++) {
            int c = (int)(i % (size_t)t->n_columns);
            bsr_strbuf_fill(b, ' ', c ? (size_t)gap : 0);
            print_cell(b, t->cells[i], widths[c], t->columns[c].left);
            if (c == t->n_columns - 1)
                end_line(b);
        }
    }
    for (size_t i = 0; i < t->n; i++)
        bsr_free(t->cells[i]);
    bsr_free(t->cells);
    *t = (bsr_table){0};
}

bsr_number bsr_percent(double share)
{
    bsr_number s;
    double p = 100 * share;
    if (isnan(share))
        snprintf(s.text, sizeof s.text, "-");
    else if (p == 0 || p == 100)
        snprintf(s.text, sizeof s.text, "%.0f", p);
    else if (fabs(p) < 0.001)
        snprintf(s.text, sizeof s.text, "%.1e", p);
    else /* never rounded to 100.000, which would read as certainty */
        snprintf(s.text, sizeof s.text, "%.3f", p < 100 && p > 99.999 ? 99.999 : p);
    return s;
}

bsr_number bsr_percent_interval(bsr_share share)
{
    bsr_number s;
    if (isnan(share.lo) || isnan(share.hi))
        snprintf(s.text, sizeof s.text, "-");
    else if (share.lo == share.hi)
        snprintf(s.text, sizeof s.text, "exact");
    else
        snprintf(s.text, sizeof s.text, "[%.20s, %.20s]", bsr_percent(share.lo).text,
                 bsr_percent(share.hi).text);
    return s;
}

/* Three significant digits of n / step^k with the unit's letters. */
static bsr_number scaled(uint64_t n, double step, const char *const *units, int n_units)
{
    bsr_number s;
    double x = (double)n;
    int k = 0;
    while (k + 1 < n_units && x >= step) {
        x /= step;
        k++;
    }
    snprintf(s.text, sizeof s.text, "%.*f%s",
             k == 0 || x >= 99.95 ? 0
             : x >= 9.995         ? 1
                                  : 2,
             x, units[k]);
    return s;
}

bsr_number bsr_count_text(uint64_t n)
{
    static const char *const units[] = {"", "k", "M", "G", "T", "P", "E"};
    bsr_number s;
    if (n > 9999999)
        return scaled(n, 1000, units, 7);
    snprintf(s.text, sizeof s.text, "%llu", (unsigned long long)n);
    return s;
}

bsr_number bsr_bytes_text(uint64_t n)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB"};
    return scaled(n, 1024, units, 5);
}

bsr_number bsr_bar(double share, double whole, int width)
{
    bsr_number s = {""};
    if (!(share > 0) || !(whole > 0) || width >= (int)sizeof s.text)
        return s;
    int n = (int)(share / whole * width + 0.5);
    n = n < 1 ? 1 : n > width ? width : n;
    memset(s.text, '#', (size_t)n);
    s.text[n] = 0;
    return s;
}
