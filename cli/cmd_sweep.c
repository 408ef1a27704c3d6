#include <string.h>

#include "cli.h"

#define FIELD(member) offsetof(settings, member)

static const opt sweep_opts[] = {
    {"ber", 0, OPT_STRING, FIELD(sweep.ber), "LIST",
     "bit error rates from 0 to 1 and ranges LO:HI/N of N rates a decade, with commas between", 0,
     0, NULL, 1},
    {"runs", 0, OPT_INT, FIELD(sweep.runs), "R", "error patterns for each rate (default 10)", 1,
     1000000000, NULL, 0},
    {"accelerate", 0, OPT_FLAG, FIELD(accelerate), "",
     "take points from statistical models where they hold, checked by a few inferences with "
     "flipped bits at the greatest of these rates, and inferences of some images beyond",
     0, 0, NULL, 0},
    {"target", 't', OPT_STRING, FIELD(sweep.targets), "LIST",
     "what is hit: weight, bias, activation and input, with commas between; both is "
     "weight,activation (default weight)",
     0, 0, NULL, 0},
    {"seed", 0, OPT_U64, FIELD(run.seed), "N", "of the error patterns (default 0)", 0,
     9007199254740991.0, NULL, 0},
    {NULL}};

static const opt_group groups[] = {{"Images", data_opts},        {"Errors", sweep_opts},
                                   {"Formats", format_opts},     {"Network", model_opts},
                                   {"Intervals", interval_opts}, {"Run", run_opts},
                                   {"Output", record_opts},      {NULL}};

static bsr_status work(void *out, const bsr_model *model, const bsr_dataset *data,
                       const bsr_run_options *options, const settings *s)
{
    bsr_sweep_options sweep = s->sweep;
    if (strcmp(sweep.targets, "both") == 0)
        sweep.targets = "weight,activation";
    return s->accelerate ? bsr_sweep_accelerated(out, model, data, options, &sweep)
                         : bsr_sweep(out, model, data, options, &sweep);
}

static int run(const settings *given)
{
    settings s = *given;
    bsr_sweep_result *result = NULL;
    char *json = NULL, *table = NULL;
    int code = EXIT_DONE;
    if (s.accelerate && opt_text(&s.options, "runs")) {
        complain("--runs and --accelerate exclude each other");
        code = EXIT_USAGE;
    }
    if (code == EXIT_DONE)
        code = place_output(&s);
    if (code != EXIT_DONE)
        return code;
    bsr_status status = with_inputs(&result, &s, work);
    if (status == BSR_OK)
        result->provenance.data_spec = data_spec(&s);
    if (status == BSR_OK && (s.json || s.out))
        status = bsr_sweep_json(&json, result);
    if (status == BSR_OK && !s.json)
        status = bsr_sweep_text(&table, result);
    bsr_sweep_result_free(result);
    return deliver(&s, status, json, table);
}

const command cmd_sweep = {
    "sweep",
    "MODEL",
    "accuracy against bit error rate",
    "At each rate every stored bit of the targets flips independently, in several error patterns. "
    "A\n"
    "pattern of weights holds for all images; activations and inputs get a new one for each "
    "image.\n"
    "With --accelerate most points come from the models of predict, held against flipped bits.",
    groups,
    run};
