#include "campaign/fault_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"

#define FIRST_LINE BSR_FAULT_LIST_FIRST_LINE
#define LAST_WORD  BSR_FAULT_LIST_LAST_WORD
#define MAX_BYTES  ((size_t)1 << 30)

void bsr_fault_list_clear(bsr_fault_list *list)
{
    bsr_free(list->faults);
    *list = (bsr_fault_list){0};
}

void bsr_fault_list_apply(const bsr_fault_list *list, bsr_spaces *spaces)
{
    for (int i = 0; i < spaces->n; i++) {
        bsr_space *s = &spaces->spaces[i];
        s->sites = 0;
        s->n_variants = 1;
        s->variants[0] = -1;
    }
    for (uint64_t i = 0; i < list->n; i++)
        spaces->spaces[list->faults[i].space].sites++;
    spaces->sites = 0;
    for (int i = 0; i < spaces->n; i++) {
        bsr_space *s = &spaces->spaces[i];
        s->population = s->sites;
        s->first = s->first_site = spaces->sites;
        spaces->sites += s->sites;
    }
    spaces->population = spaces->sites;
    spaces->model = (bsr_fault_model){.kind = BSR_FAULT_LISTED};
}

static int compare(const bsr_listed *a, const bsr_listed *b)
{
    if (a->space != b->space)
        return a->space < b->space ? -1 : 1;
    if (a->element != b->element)
        return a->element < b->element ? -1 : 1;
    if (a->pixel != b->pixel)
        return a->pixel < b->pixel ? -1 : 1;
    if (a->change.keep != b->change.keep)
        return a->change.keep < b->change.keep ? -1 : 1;
    return (a->change.flip > b->change.flip) - (a->change.flip < b->change.flip);
}

static int compare_for_sort(const void *a, const void *b)
{
    return compare(a, b);
}

void bsr_fault_list_sort(bsr_fault_list *list)
{
    if (list->n)
        qsort(list->faults, list->n, sizeof *list->faults, compare_for_sort);
}

/* The lines between the first and the checksum. */
typedef struct reader {
    const char *path;
    const char *next, *end;   /* bytes not read yet */
    const char *line, *after; /* the current line, without what ends it */
    uint64_t number;          /* of the current line, from 1 */
    const bsr_spaces *spaces;
} reader;

static bsr_status malformed(const reader *r, const char *expected)
{
    int n = r->after - r->line > 60 ? 60 : (int)(r->after - r->line);
    return bsr_fail(BSR_EFORMAT, "'%s' line %" PRIu64 ": '%.*s', expected %s", r->path, r->number,
                    n, r->line, expected);
}

static int next_line(reader *r)
{
    if (r->next >= r->end)
        return 0;
    const char *newline = memchr(r->next, '\n', (size_t)(r->end - r->next));
    r->line = r->next;
    r->after = newline ? newline : r->end;
    r->next = newline ? newline + 1 : r->end;
    r->number++;
    return 1;
}

/* The next line that is no comment and not empty. */
static int next_content(reader *r)
{
    while (next_line(r))
        if (r->after > r->line && *r->line != '#')
            return 1;
    return 0;
}

/* Is the current line "KEY VALUE", or KEY alone without a value? */
static int line_is(const reader *r, const char *key, const char *value)
{
    size_t k = strlen(key), v = strlen(value), n = (size_t)(r->after - r->line);
    if (n < k || memcmp(r->line, key, k) != 0)
        return 0;
    if (!v)
        return n == k || (n == k + 1 && r->line[k] == ' ');
    return n == k + 1 + v && r->line[k] == ' ' && memcmp(r->line + k + 1, value, v) == 0;
}

/* Splits off the checksum: the last line, over all bytes before it. */
static bsr_status check_sum(reader *r, const char *text, size_t n)
{
    enum { SUM_LINE = sizeof LAST_WORD - 1 + 64 + 1 };
    char hex[65];
    bsr_sha256 h;
    size_t body = n;
    if (n && text[n - 1] == '\n')
        body--;
    while (body && text[body - 1] != '\n')
        body--;
    r->number = 1;
    for (const char *p = text; (p = memchr(p, '\n', (size_t)(text + body - p))); p++)
        r->number++;
    r->line = text + body;
    r->after = text + n - (n > body && text[n - 1] == '\n');
    if (n - body != SUM_LINE || text[n - 1] != '\n' ||
        memcmp(r->line, LAST_WORD, sizeof LAST_WORD - 1) != 0)
        return malformed(r, "'sha256 ' and 64 hexadecimal digits as the last line");
    bsr_sha256_init(&h);
    bsr_sha256_update(&h, text, body);
    bsr_sha256_final(&h, hex);
    if (memcmp(r->line + sizeof LAST_WORD - 1, hex, 64) != 0)
        return bsr_fail(BSR_EFORMAT,
                        "'%s' line %" PRIu64 ": the bytes before have SHA-256 %s: the list was "
                        "changed or cut",
                        r->path, r->number, hex);
    r->next = text;
    r->end = text + body;
    r->number = 0;
    return BSR_OK;
}

static bsr_status check_head(reader *r, const bsr_run_options *o)
{
    const char *keys[] = {"target", "format"};
    const char *values[] = {bsr_target_name(o->target), o->format ? o->format : ""};
    for (int i = 0; i < 2; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "'%s ...'", keys[i]);
        if (!next_content(r))
            return bsr_fail(BSR_EFORMAT, "'%s' has no line %s", r->path, expected);
        size_t n = (size_t)(r->after - r->line), k = strlen(keys[i]);
        if (n < k || memcmp(r->line, keys[i], k) != 0)
            return malformed(r, expected);
        if (!line_is(r, keys[i], values[i]))
            return bsr_fail(BSR_EINVAL, "'%s' line %" PRIu64 ": '%.*s', but the run's %s is '%s'",
                            r->path, r->number, (int)n, r->line, keys[i], values[i]);
    }
    return BSR_OK;
}

/* Reads a number of base 10 or 16 from *at and the blank behind it (the end of the line behind the
 * last). 0 when there is none or it is above `most`. */
static int read_number(const char **at, const char *after, int base, uint64_t most, int last,
                       uint64_t *value)
{
    const char *p = *at;
    uint64_t v = 0;
    for (; p < after; p++) {
        unsigned digit = (unsigned char)*p - (unsigned)'0';
        if (digit > 9) {
            digit = ((unsigned char)*p | 32u) - (unsigned)'a' + 10;
            if (base == 10 || digit < 10 || digit > 15)
                break;
        }
        if (v > (most - digit) / (unsigned)base)
            return 0;
        v = v * (unsigned)base + digit;
    }
    if (p == *at || (last ? p != after : p == after || *p != ' '))
        return 0;
    *at = p + 1;
    *value = v;
    return 1;
}

static bsr_status parse_fault(const reader *r, bsr_listed *f)
{
    const char *p = r->line;
    uint64_t layer, element, pixel = 0, keep, flip;
    int whole = 0;
    if (!read_number(&p, r->after, 10, INT32_MAX, 0, &layer) ||
        !read_number(&p, r->after, 10, INT64_MAX, 0, &element))
        return malformed(r, "LAYER ELEMENT PIXEL KEEP FLIP");
    if (r->after - p >= 2 && p[0] == '-' && p[1] == ' ') {
        whole = 1;
        p += 2;
    }
    if ((!whole && !read_number(&p, r->after, 10, INT32_MAX, 0, &pixel)) ||
        !read_number(&p, r->after, 16, UINT32_MAX, 0, &keep) ||
        !read_number(&p, r->after, 16, UINT32_MAX, 1, &flip))
        return malformed(r, "LAYER ELEMENT PIXEL KEEP FLIP");
    *f = (bsr_listed){.space = (int)layer,
                      .element = (int64_t)element,
                      .pixel = whole ? -1 : (int)pixel,
                      .change = {(uint32_t)keep, (uint32_t)flip}};
    return BSR_OK;
}

/* Position of the space with a layer index; spaces ascend by it. -1: none. */
static int find_space(const bsr_spaces *spaces, int index)
{
    int lo = 0, hi = spaces->n - 1;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (spaces->spaces[mid].index < index)
            lo = mid + 1;
        else
            hi = mid;
    }
    return hi >= 0 && spaces->spaces[lo].index == index ? lo : -1;
}

static int is_chosen(const bsr_space *s, int channel)
{
    int lo = 0, hi = s->n_chosen - 1;
    if (s->n_chosen == s->channels)
        return 1;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (s->chosen[mid] < channel)
            lo = mid + 1;
        else
            hi = mid;
    }
    return hi >= 0 && s->chosen[lo] == channel;
}

static bsr_status check_pixel(const reader *r, const bsr_space *s, const bsr_listed *f)
{
    if (!bsr_is_operand(s->place))
        return f->pixel < 0 ? BSR_OK
                            : bsr_fail(BSR_EINVAL,
                                       "'%s' line %" PRIu64 ": pixel %d, but only operand faults "
                                       "have pixels: expected -",
                                       r->path, r->number, f->pixel);
    if (f->pixel < 0 || f->pixel >= s->pixels)
        return bsr_fail(BSR_EINVAL,
                        "'%s' line %" PRIu64 ": layer %d ('%s') has output pixels 0 to %d, not %d",
                        r->path, r->number, s->index, s->name, s->pixels - 1, f->pixel);
    /* The taps are the innermost dimension of a channel's weights; plain matrices have one. */
    int tap = (int)(f->element % s->inner % s->taps);
    const unsigned char *real = s->windows + (size_t)f->pixel * (((size_t)s->taps + 7) / 8);
    if (!(real[tap / 8] >> tap % 8 & 1))
        return bsr_fail(BSR_EINVAL,
                        "'%s' line %" PRIu64 ": at output pixel %d of layer %d ('%s') element %lld "
                        "meets the padding: no operand",
                        r->path, r->number, f->pixel, s->index, s->name, (long long)f->element);
    return BSR_OK;
}

/* Makes the layer's index a position among the spaces. */
static bsr_status check_fault(const reader *r, bsr_listed *f)
{
    int at = find_space(r->spaces, f->space);
    if (at < 0)
        return bsr_fail(BSR_EINVAL,
                        "'%s' line %" PRIu64 ": layer %d does not exist or is not selected",
                        r->path, r->number, f->space);
    const bsr_space *s = &r->spaces->spaces[at];
    int64_t elements = s->outer * s->channels * s->inner;
    f->space = at;
    if (f->element >= elements)
        return bsr_fail(
            BSR_EINVAL, "'%s' line %" PRIu64 ": layer %d ('%s') has %lld elements, no element %lld",
            r->path, r->number, s->index, s->name, (long long)elements, (long long)f->element);
    if (!is_chosen(s, bsr_element_channel(s, f->element)))
        return bsr_fail(BSR_EINVAL,
                        "'%s' line %" PRIu64 ": element %lld of layer %d ('%s') is in channel %d, "
                        "which is not selected",
                        r->path, r->number, (long long)f->element, s->index, s->name,
                        bsr_element_channel(s, f->element));
    if ((f->change.keep | f->change.flip) & ~bsr_code_mask(s))
        return bsr_fail(BSR_EINVAL,
                        "'%s' line %" PRIu64 ": keep %x and flip %x, but codes of layer %d ('%s') "
                        "have %d bits",
                        r->path, r->number, (unsigned)f->change.keep, (unsigned)f->change.flip,
                        s->index, s->name, s->width);
    return check_pixel(r, s, f);
}

static bsr_status twice(const reader *r)
{
    return bsr_fail(BSR_EFORMAT, "'%s' line %" PRIu64 ": the fault '%.*s' is there twice", r->path,
                    r->number, (int)(r->after - r->line), r->line);
}

/* Names the line of the second of two equal faults. */
static bsr_status find_twice(reader body, const bsr_listed *fault)
{
    bsr_listed f;
    int seen = 0;
    while (next_content(&body)) {
        BSR_TRY(parse_fault(&body, &f));
        BSR_TRY(check_fault(&body, &f));
        if (compare(&f, fault) == 0 && seen++)
            return twice(&body);
    }
    return BSR_OK;
}

static bsr_status read_faults(bsr_fault_list *list, reader *r)
{
    const reader body = *r;
    size_t cap = 0;
    int ascends = 1;
    while (next_content(r)) {
        BSR_TRY(bsr_grow(&list->faults, &cap, (size_t)list->n + 1, sizeof *list->faults));
        bsr_listed *f = &list->faults[list->n];
        BSR_TRY(parse_fault(r, f));
        BSR_TRY(check_fault(r, f));
        int order = list->n ? compare(f - 1, f) : -1;
        if (order == 0)
            return twice(r);
        ascends &= order < 0;
        list->n++;
    }
    if (!list->n)
        return bsr_fail(BSR_EINVAL, "'%s' lists no fault", r->path);
    if (ascends)
        return BSR_OK;
    bsr_fault_list_sort(list);
    for (uint64_t i = 1; i < list->n; i++)
        if (compare(&list->faults[i - 1], &list->faults[i]) == 0)
            return find_twice(body, &list->faults[i]);
    return BSR_OK;
}

static bsr_status read_text(bsr_fault_list *list, reader *r, const char *text, size_t n,
                            const bsr_run_options *o)
{
    const char first[] = FIRST_LINE "\n";
    if (n < sizeof first - 1 || memcmp(text, first, sizeof first - 1) != 0)
        return bsr_fail(BSR_EFORMAT,
                        "'%s' line 1: expected '" FIRST_LINE "' and a line feed (no carriage "
                        "return)",
                        r->path);
    BSR_TRY(check_sum(r, text, n));
    next_line(r);
    BSR_TRY(check_head(r, o));
    return read_faults(list, r);
}

bsr_status bsr_fault_list_read(bsr_fault_list *list, const char *path, bsr_spaces *spaces,
                               const bsr_run_options *options)
{
    void *text;
    size_t n;
    *list = (bsr_fault_list){0};
    BSR_TRY(bsr_file_read(&text, &n, path, MAX_BYTES));
    reader r = {.path = path, .spaces = spaces};
    bsr_status status = read_text(list, &r, text, n, options);
    bsr_free(text);
    if (status == BSR_OK)
        bsr_fault_list_apply(list, spaces);
    else
        bsr_fault_list_clear(list);
    return status;
}
