#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/sha256.h"
#include "campaign/fault_list.h"

/* The longest line of a fault, with the 0 behind it. */
#define LINE_ROOM 80

static int print_fault(char line[LINE_ROOM], const bsr_listed *f, const bsr_space *s)
{
    char pixel[16] = "-";
    unsigned mask = bsr_code_mask(s);
    if (f->pixel >= 0)
        snprintf(pixel, sizeof pixel, "%d", f->pixel);
    return snprintf(line, LINE_ROOM, "%d %" PRId64 " %s %x %x\n", s->index, f->element, pixel,
                    f->change.keep & mask, f->change.flip & mask);
}

bsr_status bsr_fault_list_text(char **out, const bsr_fault_list *list, const bsr_spaces *spaces,
                               const char *target, const char *format)
{
    enum { SUM_ROOM = sizeof BSR_FAULT_LIST_LAST_WORD + 64 + 1 };
    size_t head = sizeof BSR_FAULT_LIST_FIRST_LINE + strlen(target) + strlen(format) + 32, n,
           cap = 0;
    char *text = NULL, hex[65];
    bsr_sha256 h;
    *out = NULL;
    bsr_status status = bsr_grow(&text, &cap, head + SUM_ROOM, 1);
    if (status != BSR_OK)
        return status;
    n = (size_t)snprintf(text, head, BSR_FAULT_LIST_FIRST_LINE "\ntarget %s\nformat%s%s\n", target,
                         *format ? " " : "", format);
    for (uint64_t i = 0; i < list->n && status == BSR_OK; i++) {
        const bsr_listed *f = &list->faults[i];
        status = bsr_grow(&text, &cap, n + LINE_ROOM + SUM_ROOM, 1);
        if (status == BSR_OK)
            n += (size_t)print_fault(text + n, f, &spaces->spaces[f->space]);
    }
    if (status != BSR_OK) {
        bsr_free(text);
        return status;
    }
    bsr_sha256_init(&h);
    bsr_sha256_update(&h, text, n);
    bsr_sha256_final(&h, hex);
    snprintf(text + n, SUM_ROOM, BSR_FAULT_LIST_LAST_WORD "%s\n", hex);
    *out = text;
    return BSR_OK;
}
