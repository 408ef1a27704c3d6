#include "report/json_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/real_text.h"

static void *json_alloc(size_t n)
{
    return bsr_alloc_array(n, 1);
}

static void set_allocator(void)
{
    json_set_alloc_funcs(json_alloc, bsr_free);
}

void bsr_json_setup(void)
{
    static once_flag once = ONCE_FLAG_INIT;
    call_once(&once, set_allocator);
}

json_t *bsr_json_text(const char *s)
{
    if (!s)
        return json_null();
    json_t *value = json_string(s); /* NULL also when it is not UTF-8 */
    if (value)
        return value;
    char *copy = bsr_strdup(s);
    if (!copy)
        return NULL;
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    value = json_string(copy);
    bsr_free(copy);
    return value;
}

json_t *bsr_json_real(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *bsr_json_count(uint64_t n)
{
    if (n <= INT64_MAX)
        return json_integer((json_int_t)n);
    return json_sprintf("%llu", (unsigned long long)n);
}

json_t *bsr_json_interval(bsr_share share)
{
    return json_pack("[o, o]", bsr_json_real(share.lo), bsr_json_real(share.hi));
}

json_t *bsr_json_array(const void *items, size_t n, size_t size, bsr_json_item one, const void *ctx)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < n; i++)
        if (json_array_append_new(array, one((const char *)items + i * size, ctx)) != 0) {
            json_decref(array);
            array = NULL;
        }
    return array;
}

json_t *bsr_json_add(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) == 0)
        return object;
    json_decref(object);
    return NULL;
}

/* Writes the number text[0..n) with fewer digits when they read back the same; jansson always
 * writes 17. Returns the new length. */
static size_t shorten(char *text, size_t n)
{
    char token[40], shorter[40];
    if (n >= sizeof token)
        return n;
    memcpy(token, text, n);
    token[n] = 0;
    if (!strpbrk(token, ".e"))
        return n;
    char *end;
    double x = strtod(token, &end);
    /* Under a locale with a decimal comma strtod stops early: 17 digits are correct too. */
    if (*end)
        return n;
    size_t m = (size_t)bsr_real_text(shorter, x);
    if (!strpbrk(shorter, ".e")) {
        memcpy(shorter + m, ".0", 3);
        m += 2;
    }
    if (m > n)
        return n;
    memcpy(text, shorter, m);
    return m;
}

static void shorten_numbers(char *text)
{
    char *to = text;
    for (const char *from = text; *from;) {
        size_t n = 1;
        if (*from == '"') {
            while (from[n] != '"')
                n += from[n] == '\\' ? 2 : 1;
            memmove(to, from, ++n);
            to += n;
        } else if (*from == '-' || (*from >= '0' && *from <= '9')) {
            n = strspn(from, "-+.eE0123456789");
            memmove(to, from, n);
            to += shorten(to, n);
        } else {
            *to++ = *from;
        }
        from += n;
    }
    *to = 0;
}

static int append(const char *bytes, size_t n, void *buf)
{
    bsr_strbuf_append(buf, bytes, n);
    return 0;
}

void bsr_json_append(bsr_strbuf *b, json_t *value)
{
    if (!value || json_dump_callback(value, append, b, JSON_ENCODE_ANY) != 0)
        b->status = b->status == BSR_OK ? BSR_ENOMEM : b->status;
    json_decref(value);
}

bsr_status bsr_json_dump(char **out, json_t *root)
{
    bsr_strbuf b = {0};
    *out = NULL;
    /* jansson 2.14 forgets to look whether a key could be written; the buffer remembers. */
    int failed = !root || json_dump_callback(root, append, &b, JSON_INDENT(2)) != 0;
    json_decref(root);
    bsr_strbuf_add(&b, "\n");
    if (failed) {
        bsr_free(b.text);
        return bsr_fail(BSR_ENOMEM, "out of memory: the report as JSON");
    }
    bsr_status status = bsr_strbuf_take(out, &b);
    if (status == BSR_OK)
        shorten_numbers(*out);
    return status;
}
