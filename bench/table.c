/* The table: text for people, JSON lines for programs. */
#include <math.h>
#include <stdio.h>

#include "bench.h"

static int holds(target t, double value)
{
    if (value == t.bound)
        return t.relation[1] == '=';
    return t.relation[0] == '<' ? value < t.bound : value > t.bound;
}

/* Three significant digits and all digits before the point; "" for NaN. */
static const char *number(char *out, size_t n, double v)
{
    if (isnan(v))
        *out = 0;
    else
        snprintf(out, n, "%.*f", fabs(v) < 1 ? 3 : fabs(v) < 10 ? 2 : fabs(v) < 1000 ? 1 : 0, v);
    return out;
}

/* Without the blanks that indent names in the table. */
static void json_string(const char *s)
{
    while (*s == ' ')
        s++;
    putchar('"');
    for (; *s; s++)
        if (*s == '"' || *s == '\\')
            printf("\\%c", *s);
        else if ((unsigned char)*s >= 0x20)
            putchar(*s);
    putchar('"');
}

void table_title(const table *t, const char *title)
{
    if (!t->json)
        printf("\n%-52s %8s %8s  %-13s%9s\n", title, "median", "best", "unit", "asked");
}

void table_line(table *t, const char *name, double value, double best, const char *unit,
                target asked, const char *note)
{
    const char *verdict = "";
    char bound[32] = "", digits[32], more[32];
    if (asked.relation) {
        int ok = holds(asked, value);
        *(ok ? &t->met : &t->missed) += 1;
        verdict = ok ? "ok" : "MISSED";
        snprintf(bound, sizeof bound, "%s %g", asked.relation, asked.bound);
    }
    if (t->json) {
        fputs("{\"name\": ", stdout);
        json_string(name);
        printf(", \"value\": %.6g, \"unit\": \"%s\"", value, unit);
        if (!isnan(best))
            printf(", \"best\": %.6g", best);
        if (asked.relation)
            printf(", \"asked\": \"%s\", \"verdict\": \"%s\"", bound, verdict);
        if (*note) {
            fputs(", \"note\": ", stdout);
            json_string(note);
        }
        puts("}");
    } else {
        printf("%-52s %8s %8s  %-13s%9s  %-6s%s%s\n", name, number(digits, sizeof digits, value),
               number(more, sizeof more, best), unit, bound, verdict, *note ? "  " : "", note);
    }
    fflush(stdout);
}

void table_remark(const table *t, const char *name, const char *remark)
{
    if (t->json) {
        fputs("{\"name\": ", stdout);
        json_string(name);
        fputs(", \"remark\": ", stdout);
        json_string(remark);
        puts("}");
    } else {
        printf("%-52s %s\n", name, remark);
    }
    fflush(stdout);
}
