#include <string.h>

#include "opt.h"

#define HELP_COLUMN 26
#define HELP_WIDTH  80

/* V. I. Levenshtein's edit distance, with strings cut at 63 characters. */
static int distance(const char *a, const char *b, size_t n_b)
{
    int row[64];
    n_b = n_b < 63 ? n_b : 63;
    for (size_t j = 0; j <= n_b; j++)
        row[j] = (int)j;
    for (size_t i = 0; a[i] && i < 63; i++) {
        int diagonal = row[0];
        row[0] = (int)i + 1;
        for (size_t j = 1; j <= n_b; j++) {
            int least = diagonal + (a[i] != b[j - 1]);
            least = row[j] + 1 < least ? row[j] + 1 : least;
            least = row[j - 1] + 1 < least ? row[j - 1] + 1 : least;
            diagonal = row[j];
            row[j] = least;
        }
    }
    return row[n_b];
}

const char *opt_nearest(const char *given, const char *words, char buf[64])
{
    int best = (int)strlen(given) / 3 + 1;
    const char *found = NULL;
    for (const char *p = words;; p++) {
        size_t n = strcspn(p, "|");
        int d = distance(given, p, n);
        if (d <= best) {
            best = d - 1; /* later ones must be nearer */
            found = buf;
            snprintf(buf, 64, "%.*s", (int)n, p);
        }
        p += n;
        if (!*p)
            return found;
    }
}

/* `text` from column `at` on, continued at HELP_COLUMN. */
static void print_wrapped(FILE *f, const char *text, int at)
{
    while (*text) {
        int n = (int)strcspn(text, " ");
        if (at > HELP_COLUMN && at + 1 + n > HELP_WIDTH) {
            fprintf(f, "\n%*s", HELP_COLUMN, "");
            at = HELP_COLUMN;
        } else if (at > HELP_COLUMN) {
            fputc(' ', f);
            at++;
        }
        fprintf(f, "%.*s", n, text);
        at += n;
        text += n + (text[n] == ' ');
    }
    fputc('\n', f);
}

static void print_option(FILE *f, const opt *o)
{
    int at = o->letter ? fprintf(f, "  -%c, --%s", o->letter, o->name)
                       : fprintf(f, "      --%s", o->name);
    if (*o->metavar)
        at += fprintf(f, " %s", o->metavar);
    if (at + 2 > HELP_COLUMN) {
        fputc('\n', f);
        at = 0;
    }
    fprintf(f, "%*s", HELP_COLUMN - at, "");
    print_wrapped(f, o->help, HELP_COLUMN);
}

void opt_print_help(FILE *f, const opt_group *groups)
{
    for (; groups->title; groups++) {
        fprintf(f, "\n%s:\n", groups->title);
        for (const opt *o = groups->opts; o->name; o++)
            print_option(f, o);
    }
}

void opt_print_roff_text(FILE *f, const char *text)
{
    int line_start = 1;
    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", f);
        if (*text == '-' || *text == '\\')
            fputs(*text == '-' ? "\\-" : "\\e", f);
        else
            fputc(*text, f);
        line_start = *text == '\n';
    }
}

void opt_print_roff(FILE *f, const opt_group *groups)
{
    for (; groups->title; groups++)
        for (const opt *o = groups->opts; o->name; o++) {
            fputs(".TP\n", f);
            if (o->letter)
                fprintf(f, "\\fB\\-%c\\fR, ", o->letter);
            fputs("\\fB\\-\\-", f);
            opt_print_roff_text(f, o->name);
            fputs("\\fR", f);
            if (*o->metavar) {
                fputs(" \\fI", f);
                opt_print_roff_text(f, o->metavar);
                fputs("\\fR", f);
            }
            fputc('\n', f);
            opt_print_roff_text(f, o->help);
            fputs(".\n", f);
        }
}
