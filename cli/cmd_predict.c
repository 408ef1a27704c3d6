#include <string.h>

#include "cli.h"

#define FIELD(member) offsetof(settings, member)

/* Order of bsr_error_model, without what is no prediction. */
#define MODELS "auto|logits|normal|poisson|noise"

static const opt predict_opts[] = {
    {"ber", 0, OPT_STRING, FIELD(predict.ber), "LIST",
     "bit error rates above 0 up to 1 and ranges LO:HI/N of N rates a decade, with commas between "
     "(default 1e-7:1e-1/3)",
     0, 0, NULL, 0},
    {"target", 't', OPT_STRING, FIELD(predict.targets), "LIST",
     "what is hit: weight, bias, activation and input, with commas between; both is "
     "weight,activation (default weight)",
     0, 0, NULL, 0},
    {"model", 0, OPT_CHOICE, FIELD(error_model), "M",
     "auto (by rules, for each rate), or for all rates logits, normal, poisson (numbers of flips "
     "taken through first derivatives) or noise (disturbed inferences) (default auto)",
     0, 0, MODELS, 0},
    {"error-model", 0, OPT_CHOICE, FIELD(error_model), "M",
     "the same in spec files, where model is the network", 0, 0, MODELS, 0},
    {"moments", 0, OPT_INT, FIELD(predict.moment_images), "N",
     "images whose derivatives are taken, spread over all (default 24)", 1, 1000000000, NULL, 0},
    {"disturbed", 0, OPT_INT, FIELD(predict.disturbed), "N",
     "inferences with disturbances of other images, at most, for each rate that needs them "
     "(default 320)",
     1, 1000000000, NULL, 0},
    {"seed", 0, OPT_U64, FIELD(run.seed), "N", "of images and disturbances drawn (default 0)", 0,
     9007199254740991.0, NULL, 0},
    {NULL}};

static const opt more_opts[] = {
    {"layers", 0, OPT_FLAG, FIELD(predict.layers), "",
     "the RMSE behind every layer too, predicted and measured bit by bit", 0, 0, NULL, 0},
    {"read-offs", 0, OPT_FLAG, FIELD(predict.read_offs), "",
     "what other widths and ranges, protected bits and protected layers would do", 0, 0, NULL, 0},
    {"svg", 0, OPT_PATH, FIELD(svg), "FILE", "draw the curve", 0, 0, NULL, 0},
    {NULL}};

static const opt_group groups[] = {
    {"Images", data_opts},    {"Prediction", predict_opts}, {"Report", more_opts},
    {"Formats", format_opts}, {"Network", model_opts},      {"Intervals", interval_opts},
    {"Run", run_opts},        {"Output", output_opts},      {NULL}};

static bsr_status work(void *out, const bsr_model *model, const bsr_dataset *data,
                       const bsr_run_options *options, const settings *s)
{
    bsr_predict_options predict = s->predict;
    if (!predict.ber)
        predict.ber = "1e-7:1e-1/3";
    if (strcmp(predict.targets, "both") == 0)
        predict.targets = "weight,activation";
    if (s->error_model >= 0)
        predict.model = (bsr_error_model)s->error_model;
    return bsr_predict(out, model, data, options, &predict);
}

static bsr_status draw(const char *path, const bsr_prediction *p)
{
    char *text = NULL;
    if (!path)
        return BSR_OK;
    bsr_status status = bsr_prediction_svg(&text, p);
    if (status == BSR_OK)
        status = bsr_write_text(path, text);
    bsr_text_free(text);
    return status;
}

static int run(const settings *s)
{
    bsr_prediction *p = NULL;
    char *json = NULL, *table = NULL;
    int code = check_writable(s->out);
    if (code == EXIT_DONE)
        code = check_writable(s->svg);
    if (code != EXIT_DONE)
        return code;
    bsr_status status = with_inputs(&p, s, work);
    if (status == BSR_OK) {
        p->provenance.data_spec = data_spec(s);
        status = draw(s->svg, p);
    }
    if (status == BSR_OK && (s->json || s->out))
        status = bsr_prediction_json(&json, p);
    if (status == BSR_OK && !s->json)
        status = bsr_prediction_text(&table, p);
    bsr_prediction_free(p);
    return deliver(s, status, json, table);
}

const command cmd_predict = {
    "predict",
    "MODEL",
    "accuracy against bit error rate from statistical models",
    "What sweep measures, from few inferences: first derivatives of the logits turn the errors "
    "that\n"
    "flipped bits make into a distribution, and rules choose for each rate what is done with it.\n"
    "The formats must bound the errors: integers, fixed point, or floats with a range. Intervals "
    "hold\n"
    "what was sampled, not what a model leaves out; `sweep --accelerate` checks it bit by bit.",
    groups,
    run};
