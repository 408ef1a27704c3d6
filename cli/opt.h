/* Command line options: tables that drive parsing, --help and the manual page. */
#ifndef BSR_CLI_OPT_H
#define BSR_CLI_OPT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What an option's value is and the field that takes it. */
typedef enum opt_type {
    OPT_FLAG,      /* int: no value, sets 1; true or false with opt_set */
    OPT_INT,       /* int in min..max */
    OPT_U64,       /* uint64_t in min..max */
    OPT_SIZE,      /* size_t of bytes, with K, M, G or T for powers of 1024 */
    OPT_DOUBLE,    /* double in min..max */
    OPT_THRESHOLD, /* the same, or "off" for 0 */
    OPT_TIME,      /* double of seconds above min up to max, with s, m, h or d */
    OPT_STRING,    /* const char *, borrowed */
    OPT_PATH,      /* the same: the name of a file */
    OPT_SOURCE,    /* the same: KIND:PATH[,PATH...] or the name of a file */
    OPT_WORD,      /* const char *: one of `words` */
    OPT_CHOICE,    /* int: position in `words`, -1 before */
    OPT_SAMPLE,    /* const char *: one of `words`, random:N with N above 0, or channels:R with R in
                      (0, 1] */
    OPT_FLOATS,    /* opt_floats: 1 or 3 finite numbers */
    OPT_SHAPE,     /* int[3]: C,H,W, each 1..max */
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
    int required;        /* of types with a const char * (NULL before) and OPT_CHOICE */
} opt;

/* Options under one heading of --help; `opts` ends with a NULL name. */
typedef struct opt_group {
    const char *title;
    const opt *opts;
} opt_group;

#define OPT_MESSAGE  512
#define OPT_MAX      64 /* options of a command */
#define OPT_OPERANDS 64 /* operands of a command */

/* An option that was set, and what it was set to as text ("true" for flags). */
typedef struct opt_given {
    const opt *option;
    const char *text; /* borrowed */
} opt_given;

/* What is parsed, and into what. groups and settings are the caller's to set. */
typedef struct opt_parser {
    const opt_group *groups;   /* ends with a NULL title; OPT_MAX options at most */
    void *settings;            /* the struct that the offsets refer to, which holds the defaults */
    int n_given;               /* so far */
    opt_given given[OPT_MAX];  /* in the order in which they were first set, with the last text */
    char message[OPT_MESSAGE]; /* of the last failure: one line */
} opt_parser;

/* Parses argv[0..argc-1] (the command's name not among them). Accepted are --name VALUE,
 * --name=VALUE, -x VALUE, -xVALUE, grouped short flags, and -- before operands that start with '-'.
 * The last of repeated options wins. One operand is expected for each of the names in operand_names
 * ("A.db B.db"), more than one for a last name that ends in "...", and stored in operands, which
 * has room for OPT_OPERANDS, in this order. Returns 0, or -1 with a message. */
int opt_parse(opt_parser *p, const char *operand_names, const char **operands, int argc,
              char **argv);

/* Sets the option called `name` from text. Messages name it without "--". Returns 0 or -1. */
int opt_set(opt_parser *p, const char *name, const char *text);

/* The first required option that was not set, NULL when all were. */
const opt *opt_missing(const opt_parser *p);

/* What the option was set to, NULL when it was not. */
const char *opt_text(const opt_parser *p, const char *name);

/* The option called `name`, NULL when there is none. */
const opt *opt_find(const opt_group *groups, const char *name);

/* Names of all options as "a|b|c", cut to `room` bytes. */
void opt_names(const opt_group *groups, char *words, size_t room);

/* Whether text is one of `words`, "a|b|c". */
int opt_has_word(const char *words, const char *text);

/* "a, b or c" from "a|b|c", with `last` for " or ". */
void opt_list_words(char *out, size_t room, const char *words, const char *last);

/* The word of `words` ("a|b|c") nearest to `given`, for "did you mean"; NULL when none is near. The
 * result is in buf. */
const char *opt_nearest(const char *given, const char *words, char buf[64]);

/* The options for people, wrapped at 80 columns, and as roff for a manual page. */
void opt_print_help(FILE *f, const opt_group *groups);
void opt_print_roff(FILE *f, const opt_group *groups);

/* Text with '-', '\' and leading dots as roff wants them. */
void opt_print_roff_text(FILE *f, const char *text);

#endif
