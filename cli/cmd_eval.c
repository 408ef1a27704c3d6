#include "cli.h"

static const opt eval_opts[] = {
    {"logits", 0, OPT_PATH, offsetof(settings, logits), "FILE.npy",
     "write the logits as float32 [images][classes], whole or not at all", 0, 0, NULL, 0},
    {NULL}};

static const opt_group groups[] = {{"Images", data_opts},   {"Formats", format_opts},
                                   {"Network", model_opts}, {"Intervals", interval_opts},
                                   {"Run", run_opts},       {"Output", output_opts},
                                   {"Logits", eval_opts},   {NULL}};

static bsr_status work(void *out, const bsr_model *model, const bsr_dataset *data,
                       const bsr_run_options *options, const settings *s)
{
    return bsr_eval(out, model, data, options);
}

static int run(const settings *s)
{
    bsr_eval_result *result = NULL;
    char *json = NULL, *table = NULL;
    int code = check_writable(s->out);
    if (code == EXIT_DONE)
        code = check_writable(s->logits);
    if (code != EXIT_DONE)
        return code;
    bsr_status status = with_inputs(&result, s, work);
    if (status == BSR_OK)
        result->provenance.data_spec = data_spec(s);
    if (status == BSR_OK && s->logits)
        status = bsr_write_npy(s->logits, result->logits, result->images, (size_t)result->classes);
    if (status == BSR_OK && (s->json || s->out))
        status = bsr_eval_json(&json, result);
    if (status == BSR_OK && !s->json)
        status = bsr_eval_text(&table, result);
    bsr_eval_result_free(result);
    return deliver(s, status, json, table);
}

const command cmd_eval = {
    "eval",
    "MODEL",
    "accuracy of the fault-free network",
    "Runs every selected image once. The interval of the accuracy is Wilson's.",
    groups,
    run};
