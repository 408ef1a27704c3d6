#include "cli.h"

#define FIELD(member) offsetof(settings, member)

static const opt export_opts[] = {
    {"csv", 0, OPT_FLAG, FIELD(csv), "", "comma-separated values under a line of names (default)",
     0, 0, NULL, 0},
    {"json", 0, OPT_FLAG, FIELD(json), "", "one JSON array", 0, 0, NULL, 0},
    {"faults", 0, OPT_FLAG, FIELD(faults), "", "a list for inject --faults; not of a sweep", 0, 0,
     NULL, 0},
    {"out", 'o', OPT_PATH, FIELD(out), "FILE",
     "write to FILE, whole or not at all, not to standard output", 0, 0, NULL, 0},
    {NULL}};

static const opt_group groups[] = {{"Output", export_opts}, {NULL}};

static int run(const settings *s)
{
    if (s->csv + s->json + s->faults > 1) {
        complain("--csv, --json and --faults exclude each other");
        return EXIT_USAGE;
    }
    int code = check_writable(s->out);
    if (code != EXIT_DONE)
        return code;
    bsr_export_form form = s->json     ? BSR_EXPORT_JSON
                           : s->faults ? BSR_EXPORT_FAULTS
                                       : BSR_EXPORT_CSV;
    bsr_status status = bsr_run_export(s->operands[0], form, s->out);
    return status == BSR_OK ? print_result("") : failed(status);
}

const command cmd_export = {
    "export",
    "RUN.db",
    "every fault of a run that is kept in a database, one a line",
    "Writes the faults that were answered, with their outcomes; of a sweep its runs.",
    groups,
    run};
