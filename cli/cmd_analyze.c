#include <string.h>

#include "bitseer/repeat.h"
#include "cli.h"

static const opt sampling_opts[] = {
    {"sampling", 0, OPT_SAMPLE, offsetof(settings, sampling), "S",
     "complete, adaptive, random:N for N sites of each layer, or channels:R for the share R of "
     "each layer's channels: other words for --plan exhaustive, adaptive, sites:N and channels:R "
     "(default: random:100, method deepvigor channels:0.1)",
     0, 0, "complete|adaptive", 0},
    {"check", 0, OPT_U64, offsetof(settings, run.check), "N",
     "inject all faults of N of the sites directly too, and count disagreements (default 0)", 0,
     9007199254740991.0, NULL, 0},
    {"repeat", 0, OPT_INT, offsetof(settings, repeat), "K",
     "analyse K times with seeds S, S + 1, ... and print how far the results are from the complete "
     "analysis of --against",
     1, 1000000, NULL, 0},
    {"against", 0, OPT_PATH, offsetof(settings, against), "RUN.db",
     "a complete analysis of the same layers and images, for --repeat", 0, 0, NULL, 0},
    {NULL}};

static const opt_group groups[] = {{"Images", data_opts},
                                   {"Faults", fault_opts},
                                   {"Plan", plan_opts},
                                   {"Rays", sampling_opts},
                                   {"Formats", format_opts},
                                   {"Network", model_opts},
                                   {"Intervals", interval_opts},
                                   {"Report", report_opts},
                                   {"Run", run_opts},
                                   {"Output", record_opts},
                                   {NULL}};

/* A few sites of each layer unless the user wants something else. */
static const char *default_plan(const settings *s)
{
    static const struct {
        const char *method, *plan;
    } plans[] = {{"direct", "random:1000"}, {"deepvigor", NULL}};
    for (size_t i = 0; s->run.method && i < sizeof plans / sizeof *plans; i++)
        if (strcmp(s->run.method, plans[i].method) == 0)
            return s->run.faults ? NULL : plans[i].plan;
    return s->run.faults ? NULL : "sites:100";
}

static bsr_run_options sampled(const bsr_run_options *options, const settings *s)
{
    bsr_run_options o = *options;
    if (s->sampling && strcmp(s->sampling, "complete") == 0)
        o.plan = "exhaustive";
    else if (s->sampling && strcmp(s->sampling, "adaptive") == 0)
        o.plan = "adaptive";
    else if (s->sampling && strncmp(s->sampling, "channels", 8) == 0)
        o.plan = s->sampling;
    else if (s->sampling)
        o.plan = keep_text("sites%s", strchr(s->sampling, ':'));
    else if (!o.plan)
        o.plan = default_plan(s);
    return o;
}

static bsr_status work(void *out, const bsr_model *model, const bsr_dataset *data,
                       const bsr_run_options *options, const settings *s)
{
    bsr_run_options o = sampled(options, s);
    return bsr_analyze(out, model, data, &o);
}

static bsr_status repeat(void *out, const bsr_model *model, const bsr_dataset *data,
                         const bsr_run_options *options, const settings *s)
{
    bsr_run_options o = sampled(options, s), whole = *options;
    bsr_result *complete = NULL;
    whole.per_channel = 1;
    o.per_channel = 1;
    bsr_status status = bsr_run_result(&complete, s->against, &whole);
    if (status == BSR_OK)
        status = bsr_repeat(out, model, data, &o, s->repeat, complete);
    bsr_result_free(complete);
    return status;
}

static int run_repeats(const settings *s)
{
    bsr_repeat_result *r = NULL;
    char *json = NULL, *table = NULL;
    if (!s->against || s->store) {
        complain(s->against ? "--repeat keeps no database, --out must end in .json"
                            : "--repeat needs --against RUN.db, a complete analysis");
        return EXIT_USAGE;
    }
    bsr_status status = with_inputs(&r, s, repeat);
    if (status == BSR_OK && (s->json || s->out))
        status = bsr_repeat_json(&json, r);
    if (status == BSR_OK && !s->json)
        status = bsr_repeat_text(&table, r);
    bsr_repeat_result_free(r);
    return deliver(s, status, json, table);
}

static int run(const settings *given)
{
    settings s = *given;
    if (!s.repeat && !s.against)
        return run_campaign(given, work);
    int code = check_options(&s);
    if (code == EXIT_DONE)
        code = place_output(&s);
    return code == EXIT_DONE ? run_repeats(&s) : code;
}

const command cmd_analyze = {"analyze",
                             "MODEL",
                             "vulnerability factors of layers, channels, bits and the network",
                             "Finds by few evaluations the interval of added errors that leave the "
                             "class as it is, and reads\n"
                             "off what every fault of the site does. VF is the share of (fault, "
                             "image) pairs whose class\n"
                             "differs from the fault-free one.",
                             groups,
                             run};
