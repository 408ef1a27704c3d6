#include "cli.h"

static const opt_group groups[] = {{"Network", model_opts}, {"Output", output_opts}, {NULL}};

static int run(const settings *s)
{
    bsr_model *model;
    char *json = NULL, *table = NULL;
    int code = check_writable(s->out);
    if (code != EXIT_DONE)
        return code;
    bsr_status status = bsr_model_load(&model, s->operands[0], &s->model);
    if (status == BSR_OK && (s->json || s->out))
        status = bsr_model_json(&json, model);
    if (status == BSR_OK && !s->json)
        status = bsr_model_text(&table, model);
    bsr_model_free(model);
    return deliver(s, status, json, table);
}

const command cmd_inspect = {
    "inspect",
    "MODEL",
    "layers of a network and the size of its fault space",
    "Layers are the nodes with weights, numbered in the order in which they run; the other "
    "commands\n"
    "select them by these numbers or by name. The fault space counts single bit flips: stored\n"
    "values times their bits.",
    groups,
    run};
