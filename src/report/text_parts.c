#include "report/text_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bsr_number bsr_fault_text(const char *fault)
{
    static const struct {
        const char *fault, *text;
    } names[] = {
        {"bitflip", "single bit flips"},      {"stuck0", "single bits stuck at 0"},
        {"stuck1", "single bits stuck at 1"}, {"random", "random codes"},
        {"zero", "codes set to 0"},
    };
    bsr_number s;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(fault, names[i].fault) == 0) {
            snprintf(s.text, sizeof s.text, "%s", names[i].text);
            return s;
        }
    snprintf(s.text, sizeof s.text, "fault %s", fault);
    return s;
}

void bsr_print_format(bsr_strbuf *b, const char *format, uint64_t correct, uint64_t images,
                      double loss)
{
    if (!format || !*format)
        return;
    double accuracy = (double)correct / (double)images;
    bsr_strbuf_add(b, "stored as %s: golden accuracy %s %% against %s %% as given\n", format,
                   bsr_percent(accuracy).text, bsr_percent(accuracy + loss).text);
}

bsr_number bsr_percent_of(uint64_t n, uint64_t whole)
{
    return bsr_percent((double)n / (double)whole);
}

bsr_number bsr_real_cell(double x)
{
    bsr_number s = {"-"};
    if (!isnan(x))
        snprintf(s.text, sizeof s.text, "%.4g", x);
    return s;
}
