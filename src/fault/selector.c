#include "fault/selector.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"

/* The things that can be selected. */
typedef struct things {
    unsigned char *chosen;
    int n;
    const char *what;
    bsr_select_name name; /* NULL: numbers only */
    void *ctx;
} things;

/* One item without "!" and spaces around it. */
typedef struct item {
    const char *text;
    size_t n;
    size_t at; /* character of the selector, from 1 */
    int on;    /* selects; 0: removes */
} item;

/* An item as a precision for "%.*s". */
static int shown(const item *it)
{
    return it->n < 200 ? (int)it->n : 200;
}

static void set_range(const things *t, const item *it, int from, int end)
{
    if (from < end)
        memset(t->chosen + from, it->on, (size_t)(end - from));
}

static int is_text(const item *it, const char *s)
{
    return strncmp(it->text, s, it->n) == 0 && s[it->n] == 0;
}

/* Shell pattern with * and ?. Only the last * is ever tried again: an earlier one has matched as
 * little as it can, and what it would take more can go to the last. */
static int matches(const item *pattern, const char *s)
{
    const char *p = pattern->text, *end = p + pattern->n, *star = NULL, *again = NULL;
    while (*s) {
        if (p < end && *p == '*') {
            star = p++;
            again = s;
        } else if (p < end && (*p == '?' || *p == *s)) {
            p++;
            s++;
        } else if (star) {
            p = star + 1;
            s = ++again;
        } else {
            return 0;
        }
    }
    while (p < end && *p == '*')
        p++;
    return p == end;
}

/* Selects the things that `match` accepts; tells whether there were any. */
static int set_names(const things *t, const item *it, int (*match)(const item *, const char *))
{
    int any = 0;
    for (int i = 0; t->name && i < t->n; i++) {
        if (match(it, t->name(t->ctx, i))) {
            t->chosen[i] = (unsigned char)it->on;
            any = 1;
        }
    }
    return any;
}

/* Reads digits; a number too large for int becomes INT_MAX, which nothing has. Returns 0 when there
 * are none. */
static int read_number(int *out, const char **p, const char *end)
{
    const char *start = *p;
    for (*out = 0; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
        int digit = **p - '0';
        *out = *out > (INT_MAX - digit) / 10 ? INT_MAX : *out * 10 + digit;
    }
    return *p > start;
}

/* FROM up to but without END of a number or range; tells whether the item is one. */
static int read_range(int *from, int *end, const things *t, const item *it)
{
    const char *p = it->text, *stop = p + it->n;
    int has_from = read_number(from, &p, stop), last;
    if (p == stop) {
        *end = *from < INT_MAX ? *from + 1 : INT_MAX;
        return has_from;
    }
    if (*p == ':') {
        p++;
        if (!read_number(end, &p, stop))
            *end = t->n > *from ? t->n : *from + (*from < INT_MAX);
        return p == stop;
    }
    if (*p++ != '-' || !has_from || !read_number(&last, &p, stop))
        return 0;
    *end = last < INT_MAX ? last + 1 : INT_MAX;
    return p == stop;
}

static bsr_status select_range(const things *t, const item *it, int from, int end)
{
    if (from >= end && from < INT_MAX)
        return bsr_fail(BSR_EINVAL, "%s selector: range '%.*s' at character %zu is empty", t->what,
                        shown(it), it->text, it->at);
    if (end > t->n || from >= t->n) {
        int is_range = memchr(it->text, ':', it->n) || memchr(it->text, '-', it->n);
        return bsr_fail(BSR_ENOTFOUND, "%s%s %.*s %s, there are %d (0 to %d)", t->what,
                        is_range ? "s" : "", shown(it), it->text,
                        is_range ? "do not all exist" : "does not exist", t->n, t->n - 1);
    }
    set_range(t, it, from, end);
    return BSR_OK;
}

/* Longest name that is compared for a suggestion. */
enum { MAX_NEAR = 64 };

/* Levenshtein's distance: characters to insert, delete or replace. Both at most MAX_NEAR long. */
static int distance(const item *it, const char *name, size_t n)
{
    int row[MAX_NEAR + 1];
    for (size_t k = 0; k <= n; k++)
        row[k] = (int)k;
    for (size_t i = 0; i < it->n; i++) {
        int diagonal = row[0];
        row[0] = (int)i + 1;
        for (size_t k = 0; k < n; k++) {
            int best = diagonal + (it->text[i] != name[k]);
            diagonal = row[k + 1];
            if (best > diagonal + 1)
                best = diagonal + 1;
            if (best > row[k] + 1)
                best = row[k] + 1;
            row[k + 1] = best;
        }
    }
    return row[n];
}

static bsr_status fail_name(const things *t, const item *it)
{
    const char *near = NULL;
    int least = it->n < 8 ? 3 : 4; /* further away is another name, not a slip */
    for (int i = 0; i < t->n && it->n <= MAX_NEAR; i++) {
        const char *name = t->name(t->ctx, i);
        size_t n = strlen(name);
        int d = n <= MAX_NEAR ? distance(it, name, n) : least;
        if (d < least && (size_t)d < it->n) {
            least = d;
            near = name;
        }
    }
    if (near)
        return bsr_fail(BSR_ENOTFOUND, "%s '%.*s' does not exist, did you mean '%s'?", t->what,
                        shown(it), it->text, near);
    return bsr_fail(BSR_ENOTFOUND, "%s '%.*s' does not exist", t->what, shown(it), it->text);
}

static int has_only(const item *it, const char *characters)
{
    for (size_t i = 0; i < it->n; i++)
        if (!it->text[i] || !strchr(characters, it->text[i]))
            return 0;
    return 1;
}

static bsr_status select_item(const things *t, const item *it)
{
    int from, end;
    if (it->n && is_text(it, "all")) {
        set_range(t, it, 0, t->n);
        return BSR_OK;
    }
    if (it->n && set_names(t, it, is_text))
        return BSR_OK;
    if (it->n && read_range(&from, &end, t, it))
        return select_range(t, it, from, end);
    if (!t->name || has_only(it, "0123456789:-"))
        return bsr_fail(BSR_EINVAL, "%s selector: '%.*s' at character %zu is not a number%s",
                        t->what, shown(it), it->text, it->at,
                        t->name ? ", range or name" : " or range");
    if (!memchr(it->text, '*', it->n) && !memchr(it->text, '?', it->n))
        return fail_name(t, it);
    if (!set_names(t, it, matches))
        return bsr_fail(BSR_ENOTFOUND, "no %s matches '%.*s'", t->what, shown(it), it->text);
    return BSR_OK;
}

/* The item that starts at `text`, up to its comma or the end, which is returned. */
static const char *next_item(item *it, const char *selector, const char *text)
{
    const char *end = text + strcspn(text, ",");
    const char *stop = end;
    text += strspn(text, " ");
    it->on = *text != '!';
    if (!it->on)
        text += 1 + strspn(text + 1, " ");
    while (stop > text && stop[-1] == ' ')
        stop--;
    it->text = text;
    it->n = (size_t)(stop - text);
    it->at = (size_t)(text - selector) + 1;
    return end;
}

bsr_status bsr_select(unsigned char *chosen, int n, const char *selector, const char *what,
                      bsr_select_name name, void *ctx)
{
    const things t = {chosen, n, what, name, ctx};
    if (n < 1)
        return bsr_fail(BSR_ENOTFOUND, "there is no %s to select", what);
    if (!selector || !*selector)
        selector = "all";
    item it;
    const char *at = selector;
    for (int first = 1;; first = 0) {
        at = next_item(&it, selector, at);
        if (first)
            memset(chosen, !it.on, (size_t)n);
        BSR_TRY(select_item(&t, &it));
        if (!*at)
            break;
        at++;
    }
    if (!memchr(chosen, 1, (size_t)n))
        return bsr_fail(BSR_ENOTFOUND, "%s selector '%.200s' selects nothing", what, selector);
    return BSR_OK;
}
