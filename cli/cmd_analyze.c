#include "cli.h"

#define DEFAULT_SITES 100

static const opt method_opts[] = {
    {"method", 0, OPT_WORD, offsetof(settings, method), "M",
     "ray: find for each site and image the interval of harmless errors (default ray)", 0, 0, "ray",
     0},
    {"sampling", 0, OPT_SAMPLE, offsetof(settings, run.random), "S",
     "complete, or random:N for N sites of each layer with all their bits (default random:100)", 0,
     0, "complete", 0},
    {"check", 0, OPT_U64, offsetof(settings, run.check), "N",
     "inject all bits of N of the sites directly too, and count disagreements (default 0)", 0,
     9007199254740991.0, NULL, 0},
    {NULL}};

static const opt_group groups[] = {{"Images", data_opts},
                                   {"Faults", fault_opts},
                                   {"Method", method_opts},
                                   {"Network", model_opts},
                                   {"Run", run_opts},
                                   {"Output", output_opts},
                                   {NULL}};

static int run(const settings *s)
{
    return run_campaign(s, bsr_analyze);
}

const command cmd_analyze = {"analyze",
                             "vulnerability factors of layers, channels, bits and the network",
                             "Finds by few evaluations the interval of added errors that leave the "
                             "class as it is, and reads\n"
                             "off what every bit flip of the site does. VF is the share of (fault, "
                             "image) pairs whose class\n"
                             "differs from the fault-free one.",
                             groups,
                             run,
                             DEFAULT_SITES};
