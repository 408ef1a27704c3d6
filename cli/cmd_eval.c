#include "cli.h"
#include "progress.h"

static const opt eval_opts[] = {
    {"logits", 0, OPT_STRING, offsetof(settings, logits), "FILE.npy",
     "write the logits as float32 [images][classes], whole or not at all", 0, 0, NULL, 0},
    {NULL}};

static const opt_group groups[] = {{"Images", data_opts}, {"Network", model_opts},
                                   {"Run", run_opts},     {"Output", output_opts},
                                   {"Logits", eval_opts}, {NULL}};

static bsr_status evaluate(bsr_eval_result **result, const settings *s)
{
    bsr_model *model;
    bsr_dataset *data;
    progress shown;
    bsr_status status = open_inputs(&model, &data, s);
    if (status != BSR_OK)
        return status;
    bsr_run_options o = s->run;
    progress_start(&shown, s->progress, s->quiet);
    o.progress = progress_report;
    o.progress_ctx = &shown;
    status = bsr_eval(result, model, data, &o);
    progress_end(&shown);
    bsr_dataset_free(data);
    bsr_model_free(model);
    return status;
}

static int run(const settings *s)
{
    bsr_eval_result *result = NULL;
    char *json = NULL, *text = NULL;
    int code = check_writable(s->out);
    if (code == EXIT_DONE)
        code = check_writable(s->logits);
    if (code != EXIT_DONE)
        return code;
    bsr_status status = evaluate(&result, s);
    if (status == BSR_OK)
        result->provenance.data_spec = data_spec(s);
    if (status == BSR_OK && s->logits)
        status = bsr_write_npy(s->logits, result->logits, result->images, (size_t)result->classes);
    if (status == BSR_OK && (s->json || s->out))
        status = bsr_eval_json(&json, result);
    if (status == BSR_OK && !s->json)
        status = bsr_eval_text(&text, result);
    bsr_eval_result_free(result);
    return deliver(s, status, json, text);
}

const command cmd_eval = {
    "eval",
    "accuracy of the fault-free network",
    "Runs every selected image once. The interval of the accuracy is Wilson's.",
    groups,
    run,
    0};
