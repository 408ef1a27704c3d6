#include <string.h>

#include "cli.h"

static const opt sampling_opts[] = {
    {"sampling", 0, OPT_SAMPLE, offsetof(settings, sampling), "S",
     "complete, adaptive, random:N for N sites of each layer, or channels:R for the share R of "
     "each "
     "layer's channels: other words for --plan exhaustive, adaptive, sites:N and channels:R",
     0, 0, "complete|adaptive", 0},
    {"check", 0, OPT_U64, offsetof(settings, run.check), "N",
     "inject all faults of N of the sites directly too, and count disagreements (default 0)", 0,
     9007199254740991.0, NULL, 0},
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
    int direct = s->run.method && strcmp(s->run.method, "direct") == 0;
    return s->run.faults ? NULL : direct ? "random:1000" : "sites:100";
}

static bsr_status work(void *out, const bsr_model *model, const bsr_dataset *data,
                       const bsr_run_options *options, const settings *s)
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
    return bsr_analyze(out, model, data, &o);
}

static int run(const settings *s)
{
    return run_campaign(s, work);
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
