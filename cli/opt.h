/* Command line options: tables that drive parsing, --help and the manual page. */
#ifndef BSR_CLI_OPT_H
#define BSR_CLI_OPT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What an option's value is and the field that takes it. */
typedef enum opt_type {
    OPT_FLAG,   /* int: no value, sets 1 */
    OPT_INT,    /* int in min..max */
    OPT_U64,    /* uint64_t in min..max */
    OPT_SIZE,   /* size_t of bytes, with K, M, G or T for powers of 1024 */
    OPT_DOUBLE, /* double in min..max */
    OPT_STRING, /* const char *, borrowed from argv */
    OPT_WORD,   /* const char *: one of `words` */
    OPT_CHOICE, /* int: position in `words`, -1 before */
    OPT_SAMPLE, /* uint64_t: 0 for the word in `words`, N for random:N */
    OPT_FLOATS, /* opt_floats: 1 or 3 finite numbers */
    OPT_SHAPE,  /* int[3]: C,H,W, each 1..max */
} opt_type;

typedef struct opt_floats {
    double v[3];
    int count; /* 0: not given */
} opt_floats;

typedef struct opt {
    const char *name; /* without "--" */
    char letter;      /* short form, 0 for none */
    opt_type type;
    size_t offset;       /* of the field in the settings */
    const char *metavar; /* "" for flags */
    const char *help;    /* a sentence without full stop */
    double min, max;     /* inclusive; whole numbers up to 2^53 */
    const char *words;   /* "a|b|c" */
    int required;        /* OPT_STRING (NULL before), OPT_CHOICE */
} opt;

/* Options under one heading of --help; `opts` ends with a NULL name. */
typedef struct opt_group {
    const char *title;
    const opt *opts;
} opt_group;

#define OPT_MESSAGE 512

/* Parses argv[0..argc-1] (the command's name not among them) into `settings`, the struct that the
 * offsets refer to, which holds the defaults already. Accepted are --name VALUE, --name=VALUE,
 * -x VALUE, -xVALUE, grouped short flags, and -- before operands that start with '-'. The last of
 * repeated options wins. Exactly one operand is expected and stored in *operand; its name for
 * messages is operand_name. groups ends with a NULL title. Returns 0, or -1 with one line in
 * message. */
int opt_parse(const opt_group *groups, void *settings, const char **operand,
              const char *operand_name, int argc, char **argv, char message[OPT_MESSAGE]);

/* The word of `words` ("a|b|c") nearest to `given`, for "did you mean"; NULL when none is near. The
 * result is in buf. */
const char *opt_nearest(const char *given, const char *words, char buf[64]);

/* The options for people, wrapped at 80 columns, and as roff for a manual page. */
void opt_print_help(FILE *f, const opt_group *groups);
void opt_print_roff(FILE *f, const opt_group *groups);

/* Text with '-', '\' and leading dots as roff wants them. */
void opt_print_roff_text(FILE *f, const char *text);

#endif
