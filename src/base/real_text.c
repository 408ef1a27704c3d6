#include "base/real_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A locale's decimal point may be several bytes. */
static void use_point(char *text)
{
    char *from = text + strspn(text, "+-0123456789e");
    if (!*from)
        return;
    *from++ = '.';
    size_t rest = strcspn(from, "+-0123456789e");
    memmove(from, from + rest, strlen(from + rest) + 1);
}

int bsr_real_text(char text[32], double x)
{
    if (!isfinite(x))
        return snprintf(text, 32, "%s", isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, 32, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    use_point(text);
    return (int)strlen(text);
}
