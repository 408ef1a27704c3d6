/* What the commands share. They use the library's public headers only. */
#ifndef BSR_CLI_CLI_H
#define BSR_CLI_CLI_H

#include "bitseer/pictures.h"
#include "bitseer/predict.h"
#include "bitseer/protect.h"
#include "opt.h"

/* Exit codes; part of the interface. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_STOPPED = 3 };

typedef struct command command;

/* Every option of every command; each command's table names the fields it sets. */
typedef struct settings {
    const command *command;
    opt_parser options;                 /* what was given, and where it goes: these settings */
    const char *operands[OPT_OPERANDS]; /* MODEL, RUN.db, SPEC.yaml, or A.db and B.db; NULL: none */
    bsr_model_options model;
    bsr_dataset_options data;
    opt_floats mean, std;
    int order; /* position in "rgb|bgr", -1: not given */
    bsr_run_options run;
    bsr_sweep_options sweep;
    int accelerate; /* sweep */
    bsr_predict_options predict;
    int error_model; /* predict: a bsr_error_model, -1: not given */
    bsr_protect_options protect;
    uint64_t confirm; /* protect: faults to inject */
    int target;       /* a bsr_target, -1: not given */
    int calibrate;    /* 0: not given */
    int persist;      /* the default; only to say it */
    const char *sampling;
    int repeat; /* analyze */
    const char *against;
    const char *npy; /* vvr */
    int csv, faults; /* export */
    int json, progress, quiet;
    const char *out, *logits;
    const char *title;        /* report */
    const char *with;         /* show: database of the other target, NULL: none */
    const char *svg, *tables; /* folders of show's pictures and of their numbers; NULL: none */
    const char *store; /* the run's database, NULL: none; from --out or of the run to resume */
    int resume;
} settings;

struct command {
    const char *name;
    const char *operands; /* "MODEL"; names with blanks between */
    const char *summary;  /* one line */
    const char *notes;    /* paragraphs of --help, after the summary */
    const opt_group *groups;
    int (*run)(const settings *s);
};

/* A command by name, NULL for another one; those that take a MODEL as "a|b|c". */
const command *find_command(const char *name);
void model_commands(char *words, size_t room);

/* Defaults of a command, nothing given. `s` must stay where it is. */
void settings_init(settings *s, const command *c);

/* Option groups, ended by a NULL name. What is printed and written: json_opts, output_opts, and
 * record_opts for runs that can be kept. */
extern const opt model_opts[], data_opts[], format_opts[], fault_opts[], plan_opts[], report_opts[],
    interval_opts[], run_opts[], json_opts[], output_opts[], record_opts[];

/* Name for messages: "bitseer analyze". Set once by main. */
extern char program[64];

/* Prints "PROGRAM: message" to stderr. */
void complain(const char *fmt, ...) BSR_PRINTF(1, 2);

/* Prints the library's message and returns the exit code for `status`, which is not ECANCELLED. */
int failed(bsr_status status);

/* A string that lives until free_texts; ends the program when memory is used up. */
char *keep_text(const char *fmt, ...) BSR_PRINTF(1, 2);
void free_texts(void);

/* The value of an option of type OPT_PATH or OPT_SOURCE with its relative paths starting at
 * `folder` ("DIR/", "" for the current one); values of other types as they are. */
const char *place_value(const opt *o, const char *value, const char *folder);

/* "DIR/" of the file at path, "" without a folder; the current folder as "/.../". */
const char *folder_of(const char *path);
const char *current_folder(void);

/* Data as the user named them, with the selection of images. */
const char *data_spec(const settings *s);

/* Runs `work` with the model and the data of the settings, and shows progress. */
typedef bsr_status (*work_fn)(void *out, const bsr_model *model, const bsr_dataset *data,
                              const bsr_run_options *options, const settings *s);
bsr_status with_inputs(void *out, const settings *s, work_fn work);

/* The library's options; without progress and database. */
bsr_run_options run_options(const settings *s);

/* Options that exclude each other, selectors that the target does not use: complains and returns
 * the exit code. */
int check_options(const settings *s);

/* Whether the file at path (NULL: none) is there, so that ENOTFOUND means something else. */
int can_read(const char *path);

/* Finds out before a long run whether a file can be written at path (NULL: no file asked for).
 * Complains and returns the exit code. */
int check_writable(const char *path);

/* Decides what --out is, for commands whose run can be kept: a name that ends in .json is left
 * there, another one becomes the database `store`, which must not exist, and the names of files in
 * the settings become absolute, as they will be read from anywhere. Complains and returns the exit
 * code. */
int place_output(settings *s);

/* inject and analyze: everything but what they call. */
int run_campaign(const settings *s, work_fn work);

/* The settings that are kept in a database. out: [OPT_MAX + 2]; returns how many. */
int kept_settings(bsr_setting *out, const settings *s);

/* Sets `s` to what the run in the database at path was started with; s->command is NULL when it was
 * not by this program. Complains and returns the exit code. */
int read_settings(settings *s, const char *path);

/* Sets what was given on the command line of `from` in `to` too. The options of `to` must have it.
 * Complains and returns the exit code. */
int override_settings(settings *to, const settings *from);

/* Writes text to stdout up to the last byte. Returns the exit code. */
int print_result(const char *result);

/* Writes what can be drawn of the result, or else of the sweep (the other one is NULL), to the
 * folder --svg as pictures and to --csv as tables, each file whole or not at all. Makes a missing
 * folder, but not those around it. Complains and returns the exit code. */
int write_pictures(const settings *s, const bsr_result *result, const bsr_sweep_result *sweep);

/* The end of every command: json to --out, json or text to stdout. Frees both texts, which may be
 * NULL when status tells why. Returns the exit code. */
int deliver(const settings *s, bsr_status status, char *json, char *table);

#endif
