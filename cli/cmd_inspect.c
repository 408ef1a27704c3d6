#include "cli.h"

static const opt_group groups[] = {{"Network", model_opts}, {"Output", output_opts}, {NULL}};

static int run(const settings *s)
{
    bsr_model *model;
    char *json = NULL, *text = NULL;
    int code = check_writable(s->out);
    if (code != EXIT_DONE)
        return code;
    bsr_status status = bsr_model_load(&model, s->model_path, &s->model);
    if (status == BSR_OK && (s->json || s->out))
        status = bsr_model_json(&json, model);
    if (status == BSR_OK && !s->json)
        status = bsr_model_text(&text, model);
    bsr_model_free(model);
    return deliver(s, status, json, text);
}

const command cmd_inspect = {
    "inspect",
    "layers of a network and the size of its fault space",
    "Layers are the nodes with weights, numbered in the order in which they run; the other "
    "commands\n"
    "select them by these numbers or by name. The fault space counts single bit flips: stored\n"
    "values times their bits.",
    groups,
    run,
    0};
