#include "spec.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

typedef struct reader {
    yaml_parser_t yaml;
    yaml_event_t event; /* the current one; owned */
    const char *name;   /* of the file */
    char *message;
    spec *out;
} reader;

/* Returns -1 with "NAME:LINE: ..." as the message. */
static int fail_at(reader *r, size_t line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = snprintf(r->message, SPEC_MESSAGE, "%.200s:%zu: ", r->name, line);
    vsnprintf(r->message + n, SPEC_MESSAGE - (size_t)n, fmt, ap);
    va_end(ap);
    return -1;
}

static size_t event_line(const reader *r)
{
    return r->event.start_mark.line + 1;
}

static int fail_yaml(reader *r)
{
    const yaml_parser_t *y = &r->yaml;
    if (y->error == YAML_MEMORY_ERROR)
        return fail_at(r, y->mark.line + 1, "out of memory");
    size_t line = y->problem_mark.line;
    /* Errors of the reader have an offset but no mark. */
    if (y->error == YAML_READER_ERROR)
        line = y->mark.line;
    return fail_at(r, line + 1, "%s", y->problem ? y->problem : "this is no YAML");
}

static int next(reader *r)
{
    yaml_event_delete(&r->event);
    return yaml_parser_parse(&r->yaml, &r->event) ? 0 : fail_yaml(r);
}

static int expect(reader *r, yaml_event_type_t type, const char *message)
{
    return r->event.type == type ? 0 : fail_at(r, event_line(r), "%s", message);
}

/* Anchors, aliases and tags could only hide what a value is. */
static int check_plain(reader *r)
{
    const yaml_event_t *e = &r->event;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (e->type == YAML_ALIAS_EVENT)
        anchor = e->data.alias.anchor;
    else if (e->type == YAML_SCALAR_EVENT)
        anchor = e->data.scalar.anchor, tag = e->data.scalar.tag;
    else if (e->type == YAML_SEQUENCE_START_EVENT)
        anchor = e->data.sequence_start.anchor, tag = e->data.sequence_start.tag;
    else if (e->type == YAML_MAPPING_START_EVENT)
        anchor = e->data.mapping_start.anchor, tag = e->data.mapping_start.tag;
    if (anchor)
        return fail_at(r, event_line(r), "anchors and aliases are not allowed");
    return tag ? fail_at(r, event_line(r), "tags are not allowed") : 0;
}

/* Appends the current event, which must be a scalar, to *text (NULL: nothing yet). what: for
 * messages. */
static int append_scalar(reader *r, char **text, const char *what)
{
    if (check_plain(r) != 0 || expect(r, YAML_SCALAR_EVENT,
                                      "a mapping or sequence inside another "
                                      "is not allowed") != 0)
        return -1;
    const char *scalar = (const char *)r->event.data.scalar.value;
    size_t n = r->event.data.scalar.length, at = *text ? strlen(*text) : 0;
    if (n == 0)
        return fail_at(r, event_line(r), "%.60s is empty", what);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)scalar[i] < ' ' || scalar[i] == 127)
            return fail_at(r, event_line(r), "%.60s has a line end or control character", what);
    char *longer = realloc(*text, at + n + 2);
    if (!longer)
        return fail_at(r, event_line(r), "out of memory");
    *text = longer;
    if (at > 0)
        longer[at++] = ',';
    memcpy(longer + at, scalar, n);
    longer[at + n] = 0;
    return 0;
}

/* The current event is the key. */
static int read_entry(reader *r)
{
    spec *s = r->out;
    if (s->n == SPEC_KEYS)
        return fail_at(r, event_line(r), "more than %d keys", SPEC_KEYS);
    spec_entry *e = &s->entries[s->n++];
    *e = (spec_entry){.line = (int)event_line(r)};
    if (append_scalar(r, &e->key, "a key") != 0)
        return -1;
    for (int i = 0; i < s->n - 1; i++)
        if (strcmp(s->entries[i].key, e->key) == 0)
            return fail_at(r, event_line(r), "key '%.60s' is there twice, first on line %d", e->key,
                           s->entries[i].line);
    if (next(r) != 0)
        return -1;
    if (r->event.type != YAML_SEQUENCE_START_EVENT)
        return append_scalar(r, &e->value, e->key);
    if (check_plain(r) != 0 || next(r) != 0)
        return -1;
    while (r->event.type != YAML_SEQUENCE_END_EVENT)
        if (append_scalar(r, &e->value, e->key) != 0 || next(r) != 0)
            return -1;
    return e->value ? 0 : fail_at(r, (size_t)e->line, "%.60s is empty", e->key);
}

static int read_stream(reader *r)
{
    static const char wrong[] = "expected a mapping of keys to values";
    if (next(r) != 0 || next(r) != 0) /* the stream's start, then the document's */
        return -1;
    if (r->event.type == YAML_STREAM_END_EVENT)
        return fail_at(r, 1, "the file is empty");
    if (next(r) != 0 || check_plain(r) != 0 || expect(r, YAML_MAPPING_START_EVENT, wrong) != 0 ||
        next(r) != 0)
        return -1;
    while (r->event.type != YAML_MAPPING_END_EVENT)
        if (read_entry(r) != 0 || next(r) != 0)
            return -1;
    if (r->out->n == 0)
        return fail_at(r, event_line(r), "the mapping is empty");
    if (next(r) != 0 || next(r) != 0) /* the document's end, then the stream's */
        return -1;
    return expect(r, YAML_STREAM_END_EVENT, "a second document is not allowed");
}

int spec_parse(spec *out, const char *text, size_t size, const char *name,
               char message[SPEC_MESSAGE])
{
    reader r = {.name = name, .message = message, .out = out};
    out->n = 0;
    if (!yaml_parser_initialize(&r.yaml))
        return fail_at(&r, 1, "out of memory");
    yaml_parser_set_input_string(&r.yaml, (const unsigned char *)text, size);
    int status = read_stream(&r);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.yaml);
    return status;
}

static int cannot_read(const char *path, int error, char message[SPEC_MESSAGE])
{
    snprintf(message, SPEC_MESSAGE, "cannot read '%.200s': %s", path, strerror(error));
    return -1;
}

int spec_read(spec *out, const char *path, int *unreadable, char message[SPEC_MESSAGE])
{
    out->n = 0;
    *unreadable = 1;
    FILE *f = fopen(path, "rb");
    if (!f)
        return cannot_read(path, errno, message);
    char *text = malloc(SPEC_BYTES + 1);
    errno = ENOMEM;
    size_t size = text ? fread(text, 1, SPEC_BYTES + 1, f) : 0;
    int status = 0;
    if (!text || ferror(f))
        status = cannot_read(path, errno, message);
    fclose(f);
    *unreadable = status != 0;
    if (status == 0 && size > SPEC_BYTES) {
        snprintf(message, SPEC_MESSAGE, "%.200s: more than %d bytes", path, SPEC_BYTES);
        status = -1;
    }
    if (status == 0)
        status = spec_parse(out, text, size, path, message);
    free(text);
    return status;
}

void spec_clear(spec *s)
{
    for (int i = 0; i < s->n; i++) {
        free(s->entries[i].key);
        free(s->entries[i].value);
    }
    s->n = 0;
}
