/* Spec files: a flat YAML mapping of keys to values. What the keys mean is the caller's business.
 */
#ifndef BSR_CLI_SPEC_H
#define BSR_CLI_SPEC_H

#include <stddef.h>

#define SPEC_KEYS    64
#define SPEC_BYTES   65536
#define SPEC_MESSAGE 512

typedef struct spec_entry {
    int line; /* of the key, from 1 */
    char *key;
    char *value; /* not empty; the items of a sequence with commas between */
} spec_entry;

/* Keys in the order of the file, each once, without control characters in keys and values. */
typedef struct spec {
    int n;
    spec_entry entries[SPEC_KEYS];
} spec;

/* Parses `size` bytes; `name` is the file's name for messages. Returns 0, or -1 with one line
 * "NAME:LINE: what is wrong" in message. Refused are nested mappings and sequences, anchors,
 * aliases, tags, a second document, keys that occur twice and keys without a value. spec_clear in
 * both cases. */
int spec_parse(spec *out, const char *text, size_t size, const char *name,
               char message[SPEC_MESSAGE]);

/* The same with a file of at most SPEC_BYTES. *unreadable tells a file that cannot be read from one
 * that is wrong. */
int spec_read(spec *out, const char *path, int *unreadable, char message[SPEC_MESSAGE]);

void spec_clear(spec *s);

#endif
