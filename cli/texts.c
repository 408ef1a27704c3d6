/* Strings without an owner, most of them names of files. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

typedef struct text_block {
    struct text_block *next;
    char s[];
} text_block;

static text_block *texts;

static char *keep(size_t size)
{
    text_block *t = malloc(sizeof *t + size);
    if (!t) {
        complain("out of memory");
        exit(EXIT_FAILED);
    }
    t->next = texts;
    texts = t;
    return t->s;
}

char *keep_text(const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    size_t size = (size_t)vsnprintf(NULL, 0, fmt, ap) + 1;
    char *s = keep(size);
    vsnprintf(s, size, fmt, again);
    va_end(again);
    va_end(ap);
    return s;
}

void free_texts(void)
{
    while (texts) {
        text_block *next = texts->next;
        free(texts);
        texts = next;
    }
}

const char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? keep_text("%.*s", (int)(slash - path) + 1, path) : "";
}

const char *current_folder(void)
{
    for (size_t room = 256;; room *= 2) {
        char *s = keep(room + 1);
        if (getcwd(s, room))
            return strcmp(s, "/") == 0 ? s : strcat(s, "/");
        if (errno != ERANGE)
            return ""; /* it was removed: names stay relative */
    }
}

static const char *place(const char *folder, const char *path)
{
    return *path == '/' || !*path ? path : keep_text("%s%s", folder, path);
}

/* Kinds of data of several files; what takes one may have commas in its name. */
static int is_list(const char *kind, size_t n)
{
    static const char *const lists[] = {"cifar10", "cifar100", "idx", "npy"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (strlen(lists[i]) == n && memcmp(lists[i], kind, n) == 0)
            return 1;
    return 0;
}

static const char *place_source(const char *folder, const char *source)
{
    size_t n = strcspn(source, ":/,");
    if (source[n] != ':')
        return place(folder, source);
    const char *at = source + n + 1;
    if (!is_list(source, n))
        return keep_text("%.*s%s", (int)n + 1, source, place(folder, at));
    char *placed = keep_text("%.*s", (int)n + 1, source);
    for (;; at++) {
        int len = (int)strcspn(at, ",");
        const char *comma = at[len] ? "," : "";
        placed = keep_text("%s%s%s", placed, place(folder, keep_text("%.*s", len, at)), comma);
        at += len;
        if (!*at)
            return placed;
    }
}

const char *place_value(const opt *o, const char *value, const char *folder)
{
    switch (o->type) {
    case OPT_PATH:
        return place(folder, value);
    case OPT_SOURCE:
        return place_source(folder, value);
    default:
        return value;
    }
}
