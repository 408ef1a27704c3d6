#include <string.h>

#include "cli.h"

static const opt channel_opts[] = {{"per-channel", 0, OPT_FLAG, offsetof(settings, run.per_channel),
                                    "", "report every channel", 0, 0, NULL, 0},
                                   {NULL}};
static const opt picture_opts[] = {
    {"svg", 0, OPT_PATH, offsetof(settings, svg), "DIR",
     "draw the result into the folder DIR, which is made when missing: layers.svg, bits.svg, "
     "channels.svg when channels are reported; of a sweep ber.svg",
     0, 0, NULL, 0},
    {"csv", 0, OPT_PATH, offsetof(settings, tables), "DIR",
     "write the numbers of these pictures to DIR/layers.csv and so on", 0, 0, NULL, 0},
    {NULL}};
static const opt total_opts[] = {
    {"with", 0, OPT_PATH, offsetof(settings, with), "OPERANDS.db",
     "RUN.db hits weights, this run operands of the same layers: the factors of both together "
     "instead",
     0, 0, NULL, 0},
    {NULL}};
static const opt_group groups[] = {{"Intervals", interval_opts}, {"Both targets", total_opts},
                                   {"Report", channel_opts},     {"Pictures", picture_opts},
                                   {"Output", output_opts},      {NULL}};

/* What a database was asked for, and what came of it. */
typedef struct shown {
    const settings *asked;
    settings then; /* then.command is NULL: not made by this program */
    char *json, *table;
    int code; /* of the pictures */
} shown;

static bsr_status show_result(shown *x, const char *path)
{
    const settings *s = x->asked;
    bsr_run_options o = x->then.command ? run_options(&x->then) : s->run;
    bsr_result *result;
    int other_confidence = opt_text(&s->options, "confidence") != NULL;
    if (other_confidence)
        o.confidence = s->run.confidence;
    if (s->run.per_channel)
        o.per_channel = 1;
    int as_it_was = !other_confidence && !s->run.per_channel;
    bsr_status status = bsr_run_result(&result, path, as_it_was ? NULL : &o);
    if (status != BSR_OK)
        return status;
    if (x->then.command)
        result->provenance.data_spec = data_spec(&x->then);
    if (s->json || s->out)
        status = bsr_result_json(&x->json, result);
    if (status == BSR_OK && !s->json)
        status = bsr_result_text(&x->table, result);
    if (status == BSR_OK)
        x->code = write_pictures(s, result, NULL);
    bsr_result_free(result);
    return status;
}

static bsr_status show_sweep(shown *x, const char *path)
{
    const settings *s = x->asked;
    bsr_sweep_result *result;
    bsr_status status = bsr_run_sweep(&result, path);
    if (status != BSR_OK)
        return status;
    if (x->then.command)
        result->provenance.data_spec = data_spec(&x->then);
    if (s->json || s->out)
        status = bsr_sweep_json(&x->json, result);
    if (status == BSR_OK && !s->json)
        status = bsr_sweep_text(&x->table, result);
    if (status == BSR_OK)
        x->code = write_pictures(s, NULL, result);
    bsr_sweep_result_free(result);
    return status;
}

/* The run of weights and the one of operands together. */
static int show_total(const settings *s)
{
    static const char *const others[] = {"per-channel", "svg", "csv"};
    char *json = NULL, *table = NULL;
    bsr_total_result *total;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (opt_text(&s->options, others[i])) {
            complain("--with and --%s exclude each other", others[i]);
            return EXIT_USAGE;
        }
    bsr_status status = bsr_total(&total, s->operands[0], s->with,
                                  opt_text(&s->options, "confidence") ? s->run.confidence : 0);
    if (status == BSR_OK && (s->json || s->out))
        status = bsr_total_json(&json, total);
    if (status == BSR_OK && !s->json)
        status = bsr_total_text(&table, total);
    bsr_total_free(total);
    return deliver(s, status, json, table);
}

static int run(const settings *s)
{
    static shown x; /* large */
    const char *path = s->operands[0];
    char kind[16];
    int complete = 1;
    x.asked = s;
    int code = check_writable(s->out);
    if (code != EXIT_DONE)
        return code;
    if (s->with)
        return show_total(s);
    bsr_status status = bsr_run_kind(path, kind, &complete);
    if (status != BSR_OK)
        return failed(status);
    code = read_settings(&x.then, path);
    if (code != EXIT_DONE)
        return code;
    status = strcmp(kind, "sweep") == 0 ? show_sweep(&x, path) : show_result(&x, path);
    if (status == BSR_OK && !complete)
        complain("the run is not complete; go on with: bitseer resume %s", path);
    if (status == BSR_OK && x.code != EXIT_DONE) {
        bsr_text_free(x.json);
        bsr_text_free(x.table);
        return x.code;
    }
    return deliver(s, status, x.json, x.table);
}

const command cmd_show = {"show",
                          "RUN.db",
                          "the result of a run that is kept in a database",
                          "Prints what inject, analyze or sweep found, as far as the run went. The "
                          "database is only read, "
                          "and\n"
                          "the run may be going on.",
                          groups,
                          run};
