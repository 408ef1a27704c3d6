#include "cli.h"

static const opt_group groups[] = {{"Intervals", interval_opts}, {"Output", output_opts}, {NULL}};

static int run(const settings *s)
{
    bsr_comparison *c = NULL;
    char *json = NULL, *table = NULL;
    int code = check_writable(s->out);
    if (code != EXIT_DONE)
        return code;
    bsr_status status = bsr_compare(&c, s->operands[0], s->operands[1], s->run.confidence);
    if (status == BSR_OK && (s->json || s->out))
        status = bsr_comparison_json(&json, c);
    if (status == BSR_OK && !s->json)
        status = bsr_comparison_text(&table, c);
    bsr_comparison_free(c);
    return deliver(s, status, json, table);
}

const command cmd_compare = {"compare",
                             "A.db B.db",
                             "two runs of the same faults, fault by fault",
                             "The networks, formats or protections may differ, the faults and "
                             "images may not. Differences are\n"
                             "those of B less A.",
                             groups,
                             run};
