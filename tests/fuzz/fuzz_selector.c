/* Any text as a selector, over numbers and over names, which are the lines behind its first: a
 * choice of something, or a one-line message. */
#include <stdlib.h>
#include <string.h>

#include "fault/selector.h"
#include "fuzz.h"

enum { MAX_NAMES = 32 };

static void require(int condition)
{
    if (!condition)
        abort();
}

static const char *name_at(void *names, int i)
{
    return ((char **)names)[i];
}

static void check(const char *selector, int n, bsr_select_name name, void *names)
{
    unsigned char chosen[MAX_NAMES + 1];
    memset(chosen, 7, sizeof chosen);
    bsr_status status = bsr_select(chosen, n, selector, "thing", name, names);
    require(chosen[n] == 7);
    if (status != BSR_OK) {
        const char *message = bsr_error_message();
        require(status == BSR_EINVAL || status == BSR_ENOTFOUND);
        require(*message && !strpbrk(message, "\r\n"));
        return;
    }
    int any = 0;
    for (int i = 0; i < n; i++) {
        require(chosen[i] <= 1);
        any += chosen[i];
    }
    require(any > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    char *names[MAX_NAMES];
    int n = 0;
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    for (char *line = strchr(text, '\n'); line && n < MAX_NAMES; line = strchr(line, '\n')) {
        *line++ = 0;
        names[n++] = line;
    }
    check(text, n, name_at, names);
    check(text, 1, NULL, NULL);
    check(text, MAX_NAMES, NULL, NULL);
    free(text);
    return 0;
}
