#include "cli.h"

#define DEFAULT_FAULTS 1000

static const opt plan_opts[] = {
    {"plan", 0, OPT_SAMPLE, offsetof(settings, run.random), "P",
     "exhaustive, or random:N for N faults of the whole population without replacement (default "
     "random:1000)",
     0, 0, "exhaustive", 0},
    {NULL}};

static const opt_group groups[] = {{"Images", data_opts},
                                   {"Faults", fault_opts},
                                   {"Plan", plan_opts},
                                   {"Network", model_opts},
                                   {"Run", run_opts},
                                   {"Output", output_opts},
                                   {NULL}};

static int run(const settings *s)
{
    return run_campaign(s, bsr_inject);
}

const command cmd_inject = {
    "inject",
    "inject single bit flips one by one",
    "Flips one bit of one stored value at a time, and runs every image with it. A fault is "
    "critical\n"
    "for an image when the class found differs from the fault-free one (not from the label); DUE\n"
    "counts outcomes with a NaN or infinite logit, SDC is critical without DUE. VF is the share "
    "of\n"
    "critical outcomes.",
    groups,
    run,
    DEFAULT_FAULTS};
