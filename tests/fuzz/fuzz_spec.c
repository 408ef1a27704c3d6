/* Any bytes as a spec file: keys and values as spec.h promises, or a one-line message. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "spec.h"

static void require(int condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static spec s;
    char message[SPEC_MESSAGE] = "";
    if (spec_parse(&s, (const char *)data, size, "spec.yaml", message) != 0) {
        require(strncmp(message, "spec.yaml:", 10) == 0 && !strpbrk(message, "\r\n"));
        spec_clear(&s);
        return 0;
    }
    require(s.n > 0 && s.n <= SPEC_KEYS);
    for (int i = 0; i < s.n; i++) {
        const spec_entry *e = &s.entries[i];
        require(*e->key && *e->value && e->line >= 1);
        require(!strpbrk(e->key, "\r\n") && !strpbrk(e->value, "\r\n"));
        for (int j = 0; j < i; j++)
            require(strcmp(e->key, s.entries[j].key) != 0);
    }
    spec_clear(&s);
    return 0;
}
