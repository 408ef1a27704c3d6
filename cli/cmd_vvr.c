#include "bitseer/vvr.h"
#include "cli.h"

static const opt vvr_opts[] = {
    {"per-channel", 0, OPT_FLAG, offsetof(settings, run.per_channel), "", "report every channel", 0,
     0, NULL, 0},
    {"npy", 0, OPT_PATH, offsetof(settings, npy), "FILE",
     "write the bounds of every site and image as a structured NumPy array", 0, 0, NULL, 0},
    {NULL}};
static const opt_group groups[] = {{"Report", vvr_opts}, {"Output", output_opts}, {NULL}};

static int run(const settings *s)
{
    bsr_vvr_result *r = NULL;
    char *json = NULL, *table = NULL;
    int code = check_writable(s->out);
    if (code == EXIT_DONE)
        code = check_writable(s->npy);
    if (code != EXIT_DONE)
        return code;
    bsr_status status = bsr_run_vvr(&r, s->operands[0], s->run.per_channel, s->npy);
    if (status == BSR_OK && (s->json || s->out))
        status = bsr_vvr_json(&json, r);
    if (status == BSR_OK && !s->json)
        status = bsr_vvr_text(&table, r);
    bsr_vvr_result_free(r);
    return deliver(s, status, json, table);
}

const command cmd_vvr = {"vvr",
                         "RUN.db",
                         "values at which faults become critical, and what range checks catch",
                         "Reads the bounds that analyze --vvr kept: for every site and image the "
                         "nearest critical and the\n"
                         "farthest harmless fault on either side of the stored value.",
                         groups,
                         run};
