#include "cli.h"

static const opt_group groups[] = {{"Images", data_opts},   {"Faults", fault_opts},
                                   {"Plan", plan_opts},     {"Formats", format_opts},
                                   {"Network", model_opts}, {"Intervals", interval_opts},
                                   {"Report", report_opts}, {"Run", run_opts},
                                   {"Output", record_opts}, {NULL}};

static bsr_status work(void *out, const bsr_model *model, const bsr_dataset *data,
                       const bsr_run_options *options, const settings *s)
{
    return bsr_inject(out, model, data, options);
}

static int run(const settings *s)
{
    return run_campaign(s, work);
}

const command cmd_inject = {"inject",
                            "MODEL",
                            "inject faults one by one",
                            "Changes one stored value at a time, or what --fault says, and runs "
                            "every image with it. A fault "
                            "is\n"
                            "critical for an image when the class found differs from the "
                            "fault-free one (not from the label);\n"
                            "DUE counts outcomes with a NaN or infinite logit, SDC is critical "
                            "without DUE. VF is the share "
                            "of\n"
                            "critical outcomes.",
                            groups,
                            run};
