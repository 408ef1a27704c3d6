#include "cli.h"

static const opt_group groups[] = {{"Faults", fault_opts},
                                   {"Plan", plan_opts},
                                   {"Formats", format_opts},
                                   {"Network", model_opts},
                                   {"Intervals", interval_opts},
                                   {"Output", output_opts},
                                   {NULL}};

static int run(const settings *s)
{
    bsr_model *model;
    bsr_plan_result *plan = NULL;
    char *json = NULL, *table = NULL;
    int code = check_options(s);
    if (code == EXIT_DONE)
        code = check_writable(s->out);
    if (code != EXIT_DONE)
        return code;
    bsr_status status = bsr_model_load(&model, s->operands[0], &s->model);
    if (status == BSR_OK) {
        bsr_run_options o = run_options(s);
        status = bsr_make_plan(&plan, model, &o);
        if (status == BSR_ENOTFOUND && can_read(s->run.faults))
            status = BSR_EINVAL; /* a selector's value */
        bsr_model_free(model);
    }
    if (status == BSR_OK && (s->json || s->out))
        status = bsr_plan_json(&json, plan);
    if (status == BSR_OK && !s->json)
        status = bsr_plan_text(&table, plan);
    bsr_plan_result_free(plan);
    return deliver(s, status, json, table);
}

const command cmd_plan = {
    "plan",
    "MODEL",
    "how many faults a plan injects, without injecting them",
    "Sizes of the samples of each layer or bit that inject would take with the same options. No "
    "images\n"
    "are needed.",
    groups,
    run};
