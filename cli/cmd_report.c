/* Runs as a page for a browser. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bitseer/report.h"
#include "cli.h"

#define FIELD(member) offsetof(settings, member)
#define WORST         50 /* sites of each run */

static const opt report_page_opts[] = {
    {"out", 'o', OPT_PATH, FIELD(out), "FILE.html",
     "write the page to this file, whole or not at all", 0, 0, NULL, 1},
    {"title", 0, OPT_STRING, FIELD(title), "TEXT", "heading of the page (default: the networks)", 0,
     0, NULL, 0},
    {NULL}};

static const opt_group groups[] = {
    {"Intervals", interval_opts}, {"Output", report_page_opts}, {NULL}};

/* text as a word of the shell. */
static const char *quoted(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:,=@%+";
    if (*text && strspn(text, plain) == strlen(text))
        return text;
    const char *word = "'";
    for (; *text; text++)
        word = *text == '\'' ? keep_text("%s'\\''", word) : keep_text("%s%c", word, *text);
    return keep_text("%s'", word);
}

/* The command line that made a run, as far as it is kept. */
static const char *command_line(const settings *then)
{
    if (!then->command)
        return NULL;
    const char *line = keep_text("bitseer %s %s", then->command->name, quoted(then->operands[0]));
    for (int i = 0; i < then->options.n_given; i++) {
        const opt_given *g = &then->options.given[i];
        line = keep_text("%s --%s", line, g->option->name);
        if (g->option->type != OPT_FLAG)
            line = keep_text("%s %s", line, quoted(g->text));
    }
    return line;
}

/* What the run is read with: its confidence unless another one was asked for. */
static bsr_status read_result(bsr_result **out, const settings *s, const settings *then,
                              const char *path)
{
    bsr_run_options o = then->command ? run_options(then) : s->run;
    if (opt_text(&s->options, "confidence")) {
        o.confidence = s->run.confidence;
    } else if (!then->command) {
        bsr_result *as_it_was;
        bsr_status status = bsr_run_result(&as_it_was, path, NULL);
        if (status != BSR_OK)
            return status;
        o.confidence = as_it_was->confidence;
        bsr_result_free(as_it_was);
    }
    o.per_channel = 1;
    o.worst = WORST;
    return bsr_run_result(out, path, &o);
}

/* Whether the file starts as JSON does, and not as a database. */
static int is_json(const char *path)
{
    FILE *f = fopen(path, "rb");
    int c = EOF;
    if (!f)
        return 0;
    do
        c = getc(f);
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r');
    fclose(f);
    return c == '{';
}

/* Reads the JSON of predict. Complains and returns the exit code. */
static int read_prediction(bsr_report_run *run, const char *path)
{
    bsr_prediction *p;
    bsr_status status = bsr_prediction_load(&p, path);
    if (status != BSR_OK)
        return failed(status);
    run->name = path;
    run->complete = 1;
    run->prediction = p;
    return EXIT_DONE;
}

/* Reads the database at path. Complains and returns the exit code. */
static int read_run(bsr_report_run *run, const settings *s, const char *path)
{
    static settings then; /* large */
    char kind[16];
    bsr_status status = bsr_run_kind(path, kind, &run->complete);
    if (status != BSR_OK)
        return failed(status);
    int code = read_settings(&then, path);
    if (code != EXIT_DONE)
        return code;
    run->name = path;
    run->command = command_line(&then);
    bsr_provenance *provenance;
    if (strcmp(kind, "sweep") == 0) {
        bsr_sweep_result *sweep;
        status = bsr_run_sweep(&sweep, path);
        if (status != BSR_OK)
            return failed(status);
        run->sweep = sweep;
        provenance = &sweep->provenance;
    } else {
        bsr_result *result;
        status = read_result(&result, s, &then, path);
        if (status != BSR_OK)
            return failed(status);
        run->result = result;
        provenance = &result->provenance;
    }
    if (then.command)
        provenance->data_spec = data_spec(&then);
    return EXIT_DONE;
}

static int write_page(const settings *s, const bsr_report_run *runs, int n)
{
    bsr_report_options options = BSR_REPORT_OPTIONS_INIT;
    char *page;
    options.title = s->title;
    bsr_status status = bsr_report_html(&page, runs, n, &options);
    if (status == BSR_OK)
        status = bsr_write_text(s->out, page);
    bsr_text_free(page);
    return status == BSR_OK ? EXIT_DONE : failed(status);
}

/* Whether the page would replace one of the runs. */
static int is_operand(const settings *s)
{
    struct stat out, run;
    if (stat(s->out, &out) != 0)
        return 0;
    for (int i = 0; i < OPT_OPERANDS && s->operands[i]; i++)
        if (stat(s->operands[i], &run) == 0 && run.st_dev == out.st_dev && run.st_ino == out.st_ino)
            return 1;
    return 0;
}

static int run(const settings *s)
{
    bsr_report_run runs[OPT_OPERANDS] = {{0}};
    int n = 0, code = check_writable(s->out);
    if (code == EXIT_DONE && is_operand(s)) {
        complain("'%s' is one of the runs", s->out);
        code = EXIT_USAGE;
    }
    for (; code == EXIT_DONE && n < OPT_OPERANDS && s->operands[n]; n++)
        code = is_json(s->operands[n]) ? read_prediction(&runs[n], s->operands[n])
                                       : read_run(&runs[n], s, s->operands[n]);
    if (code == EXIT_DONE)
        code = write_page(s, runs, n);
    for (int i = 0; i < n; i++) {
        bsr_result_free((bsr_result *)runs[i].result);
        bsr_sweep_result_free((bsr_sweep_result *)runs[i].sweep);
        bsr_prediction_free((bsr_prediction *)runs[i].prediction);
    }
    return code;
}

const command cmd_report = {"report",
                            "RUN.db...",
                            "runs as one page for a browser, which needs no network",
                            "Writes a self-contained HTML file about one or more runs that are "
                            "kept in databases: tables and\n"
                            "pictures of layers, channels, bits, sites and error rates with their "
                            "intervals. The databases\n"
                            "are only read, and the runs may be going on. Among them may be JSON "
                            "files of predict --out.",
                            groups,
                            run};
