/* What the commands share. They use the library's public headers only. */
#ifndef BSR_CLI_CLI_H
#define BSR_CLI_CLI_H

#include "bitseer/run.h"
#include "opt.h"

/* Exit codes; part of the interface. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_STOPPED = 3 };

/* Every option of every command; each command's table names the fields it sets. */
typedef struct settings {
    const char *model_path; /* the operand */
    bsr_model_options model;
    bsr_dataset_options data;
    opt_floats mean, std;
    int order; /* position in "rgb|bgr", -1: not given */
    bsr_run_options run;
    int target; /* position in "weight|bias|activation|input", -1: not given */
    const char *method;
    int json, progress, quiet;
    const char *out, *logits;
} settings;

typedef struct command {
    const char *name;
    const char *summary; /* one line */
    const char *notes;   /* paragraphs of --help, after the summary */
    const opt_group *groups;
    int (*run)(const settings *s);
    uint64_t random; /* what --plan or --sampling is when it is not given */
} command;

extern const command cmd_inspect, cmd_eval, cmd_inject, cmd_analyze;

/* Option groups, ended by a NULL name. */
extern const opt model_opts[], data_opts[], fault_opts[], run_opts[], output_opts[];

/* Name for messages: "bitseer analyze". Set once by main. */
extern char program[64];

/* Prints "PROGRAM: message" to stderr. */
void complain(const char *fmt, ...) BSR_PRINTF(1, 2);

/* Prints the library's message and returns the exit code for `status`. */
int failed(bsr_status status);

/* The data set of the settings for this model. Caller owns *out. */
bsr_status open_data(bsr_dataset **out, const settings *s, const bsr_model *model);

/* Model and data together; nothing is owned by the caller on failure. */
bsr_status open_inputs(bsr_model **model, bsr_dataset **data, const settings *s);

/* The data as the user named them, with the selection of images; static storage. */
const char *data_spec(const settings *s);

/* Finds out before a long run whether a file can be written at path (NULL: no file asked for).
 * Complains and returns the exit code. */
int check_writable(const char *path);

/* Writes text to stdout up to the last byte. Returns the exit code. */
int print_result(const char *text);

/* The end of every command: json to --out, json or text to stdout. Frees both texts, which may be
 * NULL when status tells why. Returns the exit code. */
int deliver(const settings *s, bsr_status status, char *json, char *text);

/* inject and analyze: everything but what they call. */
typedef bsr_status (*campaign_fn)(bsr_result **, const bsr_model *, const bsr_dataset *,
                                  const bsr_run_options *);
int run_campaign(const settings *s, campaign_fn fn);

#endif
