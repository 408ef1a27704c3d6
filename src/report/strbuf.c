#include "report/strbuf.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

static int make_room(bsr_strbuf *b, size_t more)
{
    if (b->status == BSR_OK)
        b->status = bsr_grow(&b->text, &b->cap, b->n + more + 1, 1);
    return b->status == BSR_OK;
}

void bsr_strbuf_vadd(bsr_strbuf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0 || !make_room(b, (size_t)n))
        return;
    vsnprintf(b->text + b->n, (size_t)n + 1, fmt, ap);
    b->n += (size_t)n;
}

void bsr_strbuf_add(bsr_strbuf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    bsr_strbuf_vadd(b, fmt, ap);
    va_end(ap);
}

void bsr_strbuf_append(bsr_strbuf *b, const char *bytes, size_t n)
{
    if (!make_room(b, n))
        return;
    memcpy(b->text + b->n, bytes, n);
    b->n += n;
    b->text[b->n] = 0;
}

void bsr_strbuf_fill(bsr_strbuf *b, char c, size_t count)
{
    if (!make_room(b, count))
        return;
    memset(b->text + b->n, c, count);
    b->n += count;
    b->text[b->n] = 0;
}

bsr_status bsr_strbuf_take(char **out, bsr_strbuf *b)
{
    bsr_strbuf_fill(b, ' ', 0);
    bsr_status status = b->status;
    *out = status == BSR_OK ? b->text : NULL;
    if (status != BSR_OK)
        bsr_free(b->text);
    *b = (bsr_strbuf){0};
    return status;
}

bsr_status bsr_strbuf_take_ascii(char **out, bsr_strbuf *b)
{
    bsr_status status = bsr_strbuf_take(out, b);
    for (char *p = *out; p && *p; p++)
        if ((*p < 0x20 && *p != '\n') || *p > 0x7e)
            *p = '?';
    return status;
}
