/* What eval, inject and analyze have in common. */
#include <string.h>

#include "cli.h"
#include "progress.h"

#define FIELD(member) offsetof(settings, member)

const opt run_opts[] = {
    {"threads", 'j', OPT_INT, FIELD(run.threads), "N",
     "worker threads; results do not depend on it (default: all processors)", 1, 1024, NULL, 0},
    {"cpu-mask", 0, OPT_WORD, FIELD(run.cpu), "NAME",
     "kernels ref, avx2 or avx512; results do not depend on it (default: the best)", 0, 0,
     "ref|avx2|avx512", 0},
    {"max-memory", 0, OPT_SIZE, FIELD(run.max_memory), "SIZE",
     "bytes for fault-free activations, such as 500M (default 2G)", 1048576, 0, NULL, 0},
    {"confidence", 0, OPT_DOUBLE, FIELD(run.confidence), "P", "of the intervals (default 0.95)",
     0.5, 0.999999, NULL, 0},
    {"progress", 0, OPT_FLAG, FIELD(progress), "", "show progress although stderr is no terminal",
     0, 0, NULL, 0},
    {"quiet", 'q', OPT_FLAG, FIELD(quiet), "", "never show progress", 0, 0, NULL, 0},
    {NULL}};

const opt fault_opts[] = {
    {"target", 't', OPT_CHOICE, FIELD(target), "T",
     "what is hit: weight, bias, activation or input", 0, 0, "weight|bias|activation|input", 1},
    {"layers", 0, OPT_STRING, FIELD(run.layers), "LIST",
     "weight, bias: numbers, ranges A:B (without B) or A-B, names, shell patterns (default all)", 0,
     0, NULL, 0},
    {"tensors", 0, OPT_STRING, FIELD(run.tensors), "LIST",
     "activation: names, shell patterns (default: what convolutions and Gemm read)", 0, 0, NULL, 0},
    {"channels", 0, OPT_STRING, FIELD(run.channels), "LIST",
     "output channels, or channels of the tensor; 'all' reports each of them too", 0, 0, NULL, 0},
    {"bits", 0, OPT_STRING, FIELD(run.bits), "LIST",
     "bit positions, 0 is the least significant (default all)", 0, 0, NULL, 0},
    {"per-channel", 0, OPT_FLAG, FIELD(run.per_channel), "", "report every channel", 0, 0, NULL, 0},
    {"worst", 0, OPT_INT, FIELD(run.worst), "N", "worst sites to report (default 10)", 0, 1000000,
     NULL, 0},
    {"seed", 0, OPT_U64, FIELD(run.seed), "N", "of the random choices (default 0)", 0,
     9007199254740991.0, NULL, 0},
    {NULL}};

/* A selector that the target does not use would be a silent mistake. */
static int check_selectors(const settings *s)
{
    int of_layers = s->target == BSR_TARGET_WEIGHT || s->target == BSR_TARGET_BIAS;
    if (s->run.layers && !of_layers)
        complain("--layers needs --target weight or bias");
    else if (s->run.tensors && s->target != BSR_TARGET_ACTIVATION)
        complain("--tensors needs --target activation");
    else
        return EXIT_DONE;
    return EXIT_USAGE;
}

static bsr_status find(bsr_result **result, const settings *s, campaign_fn fn)
{
    bsr_model *model;
    bsr_dataset *data;
    progress shown;
    bsr_status status = open_inputs(&model, &data, s);
    if (status != BSR_OK)
        return status;
    bsr_run_options o = s->run;
    o.target = (bsr_target)s->target;
    if (o.channels && strcmp(o.channels, "all") == 0) {
        o.channels = NULL;
        o.per_channel = 1;
    }
    progress_start(&shown, s->progress, s->quiet);
    o.progress = progress_report;
    o.progress_ctx = &shown;
    status = fn(result, model, data, &o);
    if (status == BSR_ENOTFOUND)
        status = BSR_EINVAL; /* files are open: what does not exist is a selector's value */
    progress_end(&shown);
    bsr_dataset_free(data);
    bsr_model_free(model);
    return status;
}

int run_campaign(const settings *s, campaign_fn fn)
{
    bsr_result *result = NULL;
    char *json = NULL, *text = NULL;
    int code = check_selectors(s);
    if (code == EXIT_DONE)
        code = check_writable(s->out);
    if (code != EXIT_DONE)
        return code;
    bsr_status status = find(&result, s, fn);
    if (status == BSR_OK)
        result->provenance.data_spec = data_spec(s);
    if (status == BSR_OK && (s->json || s->out))
        status = bsr_result_json(&json, result);
    if (status == BSR_OK && !s->json)
        status = bsr_result_text(&text, result);
    bsr_result_free(result);
    return deliver(s, status, json, text);
}
